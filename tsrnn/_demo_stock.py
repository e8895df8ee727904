"""The job ``tsrnn demo stock``: tomorrow's volatility of a stock index, which can be forecast, and its price.

The volatility of a day is estimated from its high and low (Parkinson 1980, doi:10.1086/296071). The rule that it has to
beat is HAR, a linear regression on the means of a day, a week and a month (Corsi 2009, doi:10.1093/jjfinec/nbp001).
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import root_mean_squared_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from tsrnn._demos import choose, printed, run_models, side_by_side, write
from tsrnn.baselines import DriftForecaster, NaiveForecaster
from tsrnn.classical import ETSForecaster
from tsrnn.datasets import load_sp500
from tsrnn.evaluation import backtest
from tsrnn.forecasting import Forecaster
from tsrnn.model_selection import WalkForwardSplit
from tsrnn.plotting import ForecastDisplay
from tsrnn.regressors import GRURegressor
from tsrnn.skill import diebold_mariano
from tsrnn.transformers import Differencer

WEEK, MONTH, QUARTER, YEAR = 5, 22, 66, 252  # trading days
VALIDATION, TEST = "2014", "2016"  # the years with which they begin

HIDDEN_SIZES = [32, 64]
NETWORK: dict[str, Any] = {
    "segment_length": 11,
    "dropout": 0.3,
    "epochs": 15,
    "schedule": "cosine",
    "n_members": 3,
    "random_state": 0,
}
RETURNS = make_pipeline(FunctionTransformer(np.log, np.exp), Differencer())


def run(folder: Path) -> dict[str, pd.DataFrame]:
    """Forecast tomorrow's volatility and price; write the files into `folder` and return the scores of both."""
    prices = load_sp500()
    days = prices.index
    print(f"{len(days):,} trading days of the S&P 500 index, {days[0]:%d %b %Y} to {days[-1]:%d %b %Y}.")
    print(f"Chosen on {VALIDATION} and {int(TEST) - 1} by networks fitted before, then fitted on all before {TEST}.")
    print(f"Test: on each of the {(days >= TEST).sum()} trading days since {TEST}, forecast from the day before.\n")
    known = {"volatility": log_volatility(prices), "price": prices["close"]}
    print("Search over the hidden size, RMSE of the years of validation:\n")
    networks = {name: search(name, series) for name, series in known.items()}
    tables, scores = {}, {}
    for name, series in known.items():
        tables[name], scores[name] = judge({"network": networks[name], **RULES[name]}, series, REFERENCES[name])
        report(name, scores[name])
    ahead = {name: float(networks[name].fit(numbered(series)).predict().iloc[0]) for name, series in known.items()}
    print(f"The trading day after {days[-1]:%d %b %Y}: volatility {a_year(ahead['volatility']):.0f} % a year, ", end="")
    print(f"close {ahead['price']:,.0f} points (the last one was {prices['close'].iloc[-1]:,.0f}).")
    write(folder, files(tables, scores), partial(draw, tables=tables, known=known))
    return scores


def log_volatility(prices: pd.DataFrame) -> pd.Series:
    """Return the logarithm of each day's volatility, the standard deviation of its return as its range tells it."""
    deviation = np.log(prices["high"] / prices["low"]) / np.sqrt(4 * np.log(2))
    return pd.Series(np.log(deviation), name="volatility")


def a_year(log_daily: Any) -> Any:
    """Return a log volatility of a day in percent a year."""
    return 100 * np.sqrt(YEAR) * np.exp(log_daily)


def means(windows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (n_windows, 3), the means of the last day, week and month of each window."""
    return np.column_stack([windows[:, -n_days:].mean(axis=1) for n_days in (1, WEEK, MONTH)])


def network_for(name: str, hidden_size: int) -> Forecaster:
    """Return the network's forecaster of the volatility, or of the price by its returns."""
    regressor = GRURegressor(hidden_size, **NETWORK)
    if name == "volatility":
        return Forecaster(regressor, lookback=QUARTER, anchor="linear")
    return Forecaster(regressor, lookback=QUARTER, anchor=None, target_transformer=RETURNS)


RULES: dict[str, dict[str, Any]] = {
    "volatility": {
        "ridge": Forecaster(Ridge(), lookback=QUARTER),
        "HAR": Forecaster(make_pipeline(FunctionTransformer(means), LinearRegression()), lookback=MONTH, anchor=None),
        "EWMA": ETSForecaster(),  # without trend and season: an exponentially weighted mean, its weight estimated
        "naive": NaiveForecaster(),
    },
    "price": {
        "ridge": Forecaster(Ridge(), lookback=QUARTER, anchor=None, target_transformer=RETURNS),
        "drift": DriftForecaster(),
        "random walk": NaiveForecaster(),
    },
}
REFERENCES = {"volatility": "HAR", "price": "random walk"}


def search(name: str, series: pd.Series) -> Forecaster:
    """Return the network whose hidden size forecasts the years of validation best."""
    before_test = series[series.index < TEST]
    candidates = {f"{size} units": network_for(name, size) for size in HIDDEN_SIZES}
    found: Forecaster = choose(
        name, candidates, lambda model: rmse(walk_forward(model, before_test, VALIDATION))["RMSE"]
    )
    return found


def numbered(series: pd.Series) -> pd.Series:
    """Return `series` with rows that are numbered: trading days have gaps, which a forecaster refuses."""
    return series.reset_index(drop=True)


def walk_forward(model: Any, series: pd.Series, first: str) -> pd.DataFrame:
    """Return the forecasts of `model`, fitted before the year `first`, of each day from then on."""
    cv = WalkForwardSplit(n_splits=int((series.index >= first).sum()), test_size=1)
    table = backtest(model, numbered(series), cv=cv, refit=False, progress=False)
    return table.assign(time=series.index[table["time"]])


def rmse(table: pd.DataFrame) -> dict[str, float]:
    """Return the score of a backtest, in the unit of its series."""
    return {"RMSE": root_mean_squared_error(table["y_true"], table["y_pred"])}


def judge(models: Mapping[str, Any], series: pd.Series, reference: str) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Return the forecasts of the test years, and the scores: RMSE, its ratio to the reference's, and the p-value."""
    tables, scores = run_models(models, partial(walk_forward, series=series, first=TEST), rmse)
    squares = {name: ((table["y_true"] - table["y_pred"]) ** 2).to_numpy() for name, table in tables.items()}
    p_values = {name: diebold_mariano(own, squares[reference]).p_value for name, own in squares.items()}
    scores.insert(1, "ratio", scores["RMSE"] / float(scores["RMSE"][reference]))
    scores.insert(2, "p-value", pd.Series(p_values).drop(reference))
    return tables, scores


def report(name: str, scores: pd.DataFrame) -> None:
    """Print the scores of one series; of the price, also how it stands with the random walk."""
    title = {
        "volatility": "Volatility, the logarithm of the standard deviation of a day's return",
        "price": "Price, the close in index points",
    }[name]
    print(f"\n{title}; ratio of RMSE to {REFERENCES[name]}, and")
    print("the p-value of no difference from it (Diebold-Mariano):\n")
    digits = "{:.4f}" if name == "volatility" else "{:.2f}"
    print(printed(scores, {"RMSE": digits, "ratio": "{:.4f}", "p-value": "{:.3f}"}))
    if name == "price":
        ratio, p_value = (float(scores[column]["network"]) for column in ("ratio", "p-value"))
        verdict = "no different from it" if p_value >= 0.05 else "better than it" if ratio < 1 else "worse than it"
        print("\nThe random walk, which repeats the last close, is the bar for prices, and next to nothing clears it:")
        print(f"the network's RMSE is {ratio:.3f} times the random walk's, {verdict} (p-value {p_value:.2f}).\n")


def files(
    tables: Mapping[str, Mapping[str, pd.DataFrame]], scores: Mapping[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """Return what goes into the CSV files, by name."""
    both = pd.concat(scores, names=["series", "model"])
    return {
        "scores.csv": both.round(6),
        "volatility.csv": side_by_side("volatility", tables["volatility"]).round(4),
        "price.csv": side_by_side("price", tables["price"]).round(2),
    }


def draw(figure: Any, tables: Mapping[str, Mapping[str, pd.DataFrame]], known: Mapping[str, pd.Series]) -> None:
    """Draw the last year's volatility above; below, the last closes and what the forecasts of returns are worth."""
    grid = figure.add_gridspec(2, 2)
    draw_volatility(figure.add_subplot(grid[0, :]), tables["volatility"], known["volatility"])
    draw_price(figure.add_subplot(grid[1, 0]), tables["price"]["network"], known["price"])
    draw_returns(figure.add_subplot(grid[1, 1]), tables["price"])


def draw_volatility(ax: Any, tables: Mapping[str, pd.DataFrame], volatility: pd.Series) -> None:
    """Draw the volatility of the last year, forecast each day for the next one."""
    lines = a_year(side_by_side("truth", tables).iloc[-YEAR:])
    history = a_year(volatility[volatility.index < lines.index[0]].iloc[-MONTH:])
    ForecastDisplay(history, lines[["network", "HAR"]], lines["truth"], unit="% a year").plot(ax)
    ax.set_yscale("log")
    ax.set_yticks([2, 5, 10, 20, 40], labels=["2", "5", "10", "20", "40"])
    ax.minorticks_off()
    ax.set_title("Volatility of the S&P 500, each day forecast from the day before", loc="left")


def draw_price(ax: Any, table: pd.DataFrame, close: pd.Series) -> None:
    """Draw the last quarter of the close: a forecast of the next day is close to the last day's price."""
    last = table.iloc[-QUARTER:]
    history = close[close.index < last["time"].iloc[0]].iloc[-MONTH:]
    ForecastDisplay.from_backtest(last, history, unit="index points").plot(ax)
    ax.set_title("Close", loc="left")


def draw_returns(ax: Any, tables: Mapping[str, pd.DataFrame]) -> None:
    """Draw the return that came against the one that was forecast, which hardly differs from none."""
    before = tables["random walk"]["y_pred"].to_numpy()
    forecast = 100 * np.log(tables["network"]["y_pred"].to_numpy() / before)
    truth = 100 * np.log(tables["network"]["y_true"].to_numpy() / before)
    ax.plot(forecast, truth, ".", color="C0", alpha=0.4, markeredgewidth=0)
    ax.axhline(0, color="0.8", lw=0.8, zorder=0)
    ax.set_xlabel("forecast (%)")
    ax.set_ylabel("truth (%)")
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_title(f"Next day's return, since {TEST}: correlation {np.corrcoef(forecast, truth)[0, 1]:.2f}", loc="left")
