"""The job ``tsrnn demo energy``: tomorrow's electricity demand, half-hour by half-hour."""

import time
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.linear_model import Ridge
from sklearn.metrics import make_scorer, mean_absolute_error, mean_absolute_percentage_error
from sklearn.model_selection import GridSearchCV
from tqdm import tqdm

from tsrnn._demos import run_models, side_by_side, write
from tsrnn.baselines import SeasonalNaiveForecaster
from tsrnn.datasets import load_electricity_demand
from tsrnn.evaluation import backtest
from tsrnn.forecasting import Forecaster
from tsrnn.metrics import mean_absolute_scaled_error
from tsrnn.model_selection import WalkForwardSplit
from tsrnn.plotting import ForecastDisplay
from tsrnn.regressors import GRURegressor, LSTMRegressor

DAY, WEEK = 48, 336  # half-hours
TEST_DAYS = 14

NETWORK: dict[str, Any] = {
    "segment_length": DAY,
    "dropout": 0.1,
    "epochs": 30,
    "schedule": "cosine",
    "n_members": 2,
    "random_state": 0,
}


def run(folder: Path) -> pd.DataFrame:
    """Forecast the next day of electricity demand; write the files into `folder` and return the scores."""
    demand = load_electricity_demand()
    known = demand[: -TEST_DAYS * DAY]
    print(
        f"{len(demand):,} half-hours of electricity demand, {demand.index[0]:%d %b %Y} to {demand.index[-1]:%d %b %Y}."
    )
    print(f"Test: a forecast of the next {DAY} half-hours at each of the last {TEST_DAYS} midnights.\n")
    network, seconds = search(known)
    models = {
        "network": network,
        "ridge": Forecaster(Ridge(), lookback=WEEK, horizon=DAY),
        "daily naive": SeasonalNaiveForecaster(season_length=DAY, horizon=DAY),
        "weekly naive": SeasonalNaiveForecaster(season_length=WEEK, horizon=DAY),
    }
    tables, scores = run_models(models, partial(walk_forward, demand=demand), partial(score, known=known))
    print(f"\nScores of the {TEST_DAYS} test days (the search before them took {seconds:.0f} s):\n")
    print(scores.to_string(float_format="{:.2f}".format), "\n")
    tomorrow = network.fit(demand).predict()
    print(f"Tomorrow, {tomorrow.index[0]:%d %b %Y}: {tomorrow.min():,.0f} to {tomorrow.max():,.0f} MW.")
    forecasts = pd.concat([side_by_side("demand", tables), tomorrow.rename("network").to_frame()]).rename_axis("time")
    files = {"scores.csv": scores.round(4), "forecast.csv": forecasts.round(1)}
    write(folder, files, partial(draw, demand=demand, table=tables["network"], tomorrow=tomorrow))
    return scores


def search(known: pd.Series) -> tuple[Forecaster, float]:
    """Return the forecaster whose cell and hidden size forecast the last days of `known` best, and the seconds."""
    forecaster = Forecaster(GRURegressor(), lookback=WEEK, horizon=DAY, anchor="linear")
    grid = {
        "regressor": [GRURegressor(**NETWORK), LSTMRegressor(**NETWORK)],
        "regressor__hidden_size": [32, 64],
    }
    n_folds = 4
    cv = WalkForwardSplit(n_splits=n_folds, test_size="1D", stride="2D")
    began = time.perf_counter()
    with tqdm(total=4 * n_folds, desc="search", unit="fit") as bar:
        mae = make_scorer(mean_absolute_error, greater_is_better=False)

        def watched(estimator: Any, X: Any, y: Any) -> float:
            bar.update()
            return float(mae(estimator, X, y))

        found = GridSearchCV(forecaster, grid, cv=cv, scoring=watched, refit=False, error_score="raise")
        found.fit(pd.DataFrame(index=known.index), known)
    report(found)
    return forecaster.set_params(**found.best_params_), time.perf_counter() - began


def report(found: GridSearchCV) -> None:
    """Print the mean error of each candidate, the best one first."""
    results = pd.DataFrame(found.cv_results_).sort_values("rank_test_score")
    print("\nSearch over cell and hidden size, mean absolute error of the walk-forward folds:\n")
    for _, row in results.iterrows():
        cell = type(row["param_regressor"]).__name__.removesuffix("Regressor")
        print(f"  {cell:4} {row['param_regressor__hidden_size']:>3} units   {-row['mean_test_score']:6.0f} MW")


def walk_forward(model: Any, demand: pd.Series) -> pd.DataFrame:
    """Return the forecasts of `model`, fitted before the test days, at each of their midnights."""
    cv = WalkForwardSplit(n_splits=TEST_DAYS, test_size=DAY)
    return backtest(model, demand, cv=cv, refit=False, progress=False)


def score(table: pd.DataFrame, known: pd.Series) -> dict[str, float]:
    """Return the scores of a backtest: MAE in MW, MAPE in percent, MASE relative to the weekly naive rule."""
    truth, forecast = table["y_true"], table["y_pred"]
    return {
        "MAE (MW)": mean_absolute_error(truth, forecast),
        "MAPE (%)": 100 * mean_absolute_percentage_error(truth, forecast),
        "MASE": mean_absolute_scaled_error(truth, forecast, y_train=known, season_length=WEEK),
    }


def draw(figure: Any, demand: pd.Series, table: pd.DataFrame, tomorrow: pd.Series) -> None:
    """Draw the test days above, and tomorrow below."""
    above, below = figure.subplots(2, 1)
    before = demand[demand.index < table["time"].iloc[0]]
    ForecastDisplay.from_backtest(table, before.iloc[-3 * DAY :], unit="MW").plot(above)
    above.set_title("Electricity demand, England and Wales: each midnight, a forecast of the next day", loc="left")
    ForecastDisplay(demand.iloc[-4 * DAY :], tomorrow.rename("forecast"), unit="MW").plot(below)
    below.set_title(f"Tomorrow, {tomorrow.index[0]:%A %d %B %Y}", loc="left")
