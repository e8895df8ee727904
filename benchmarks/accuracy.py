"""Public forecasting tasks with their published protocols: naive rules, ridge, published rows and the networks.

    python -m benchmarks.accuracy [task ...] [--seeds 3] [--write]

The data lie beside the project, in ``../shared/data``; without them this says so and ends. Scalers and choices see
training and validation rows alone; the test rows are scored once for each seed. ``--write`` puts the rows into
docs/benchmarks.md.
"""

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression, Ridge

from benchmarks.jobs import put
from tsrnn import (
    CalendarFeatures,
    Forecaster,
    GRURegressor,
    NaiveForecaster,
    SeasonalNaiveForecaster,
    fetch_ett,
    fetch_m4_hourly,
    fetch_mitbih,
    fetch_pjm,
    fetch_valencia_air,
    fetch_victoria_electricity,
    load_electricity_demand,
)

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

Scores = dict[str, float]


@dataclass
class Task:
    """One protocol: how a forecaster is scored, what it must beat, and the network that takes part.

    `score` fits a forecaster on the rows before the test part and returns its scores; `bars` are the required and the
    desired value of each score.
    """

    score: Callable[[object], Scores]
    rules: dict[str, object]
    network: Callable[[int], object]
    bars: dict[str, tuple[float, float]]
    published: dict[str, Scores] = field(default_factory=dict)


def walk(y: np.ndarray, X: np.ndarray | None, n_fit: int, origins: np.ndarray) -> Callable[[object], np.ndarray]:
    """Return the function that fits a forecaster on the first rows and forecasts from `origins`."""

    def forecasts(forecaster: Forecaster) -> np.ndarray:
        if X is None:
            return forecaster.fit(y[:n_fit]).predict_origins(y, origins=origins)
        return forecaster.fit(X[:n_fit], y[:n_fit]).predict_origins(X, y, origins=origins)

    return forecasts


def network(seed: int, **values: object) -> GRURegressor:
    return GRURegressor(**{"loss": "mae", "schedule": "cosine", "random_state": seed, **values})


def last_origins(first: int, n_rows: int, horizon: int, stride: int = 1) -> np.ndarray:
    """Origins whose forecasts lie in the rows from `first` on."""
    return np.arange(first - 1, n_rows - horizon, stride)


# --- 1 and 2: ETTh1 ---

MONTH = 30 * 24
TRAIN, VALIDATION, TEST = 12 * MONTH, 16 * MONTH, 20 * MONTH


def ett(columns: list[str] | None, horizon: int) -> Callable[[object], Scores]:
    table = fetch_ett("ETTh1", data_home=DATA)
    values = table[columns or list(table.columns)].to_numpy()[:TEST]
    values = (values - values[:TRAIN].mean(axis=0)) / values[:TRAIN].std(axis=0)
    origins = last_origins(VALIDATION, TEST, horizon)
    truth = values[origins[:, None] + 1 + np.arange(horizon)]
    forecasts = walk(values, None, VALIDATION, origins)

    def score(forecaster: object) -> Scores:
        errors = forecasts(forecaster) - truth
        return {"MSE": float((errors**2).mean()), "MAE": float(np.abs(errors).mean())}

    return score


def etth1(lookback: int) -> Task:
    bars, published = {"MSE": (0.373, 0.362), "MAE": (0.394, 0.388)}, {"MSE": 0.368, "MAE": 0.395}
    if lookback == 720:
        bars, published = {"MSE": (0.364, 0.350), "MAE": (0.392, 0.388)}, {"MSE": 0.351, "MAE": 0.392}

    def segment_gru(seed: int) -> Forecaster:
        regressor = network(
            seed,
            hidden_size=128,
            segment_length=24 if lookback < 336 else 48,
            decoder="parallel",
            dropout=0.5,
            epochs=10,
            batch_size=256,
            early_stopping=3,
            validation_fraction=(VALIDATION - TRAIN) / VALIDATION,
        )
        return Forecaster(regressor, lookback=lookback, horizon=96, scaler=None)

    return Task(
        ett(None, 96),
        {
            "daily naive": SeasonalNaiveForecaster(24, 96),
            "ridge": Forecaster(Ridge(), lookback=lookback, horizon=96, scaler=None),
        },
        segment_gru,
        bars,
        {"SegRNN, published": published},
    )


def etth1_oil() -> Task:
    def segment_gru(seed: int) -> Forecaster:
        regressor = network(
            seed,
            hidden_size=64,
            segment_length=24,
            dropout=0.3,
            epochs=12,
            batch_size=128,
            n_members=3,
            learning_rate=5e-4,
        )
        return Forecaster(regressor, lookback=336, horizon=24, scaler=None, anchor="linear")

    return Task(
        ett(["OT"], 24),
        {"last value": NaiveForecaster(24), "ridge": Forecaster(Ridge(), lookback=336, horizon=24, scaler=None)},
        segment_gru,
        {"MSE": (0.0265, 0.0250)},
    )


# --- 3: M4 hourly ---


def m4_hourly() -> Task:
    train, test = fetch_m4_hourly(data_home=DATA)
    truths = {name: rows.to_numpy() for name, rows in test.groupby(level=0, sort=False)}
    pasts = {name: rows.to_numpy() for name, rows in train.groupby(level=0, sort=False)}

    def score(forecaster: object) -> Scores:
        answers = forecaster.fit(pasts).predict()
        forecasts = {name: np.maximum(answer, 0) for name, answer in answers.items()}
        smape = np.mean(
            [200 * np.mean(np.abs(f - truths[n]) / (np.abs(f) + np.abs(truths[n]))) for n, f in forecasts.items()]
        )
        mase = np.mean(
            [np.abs(f - truths[n]).mean() / np.abs(pasts[n][24:] - pasts[n][:-24]).mean() for n, f in forecasts.items()]
        )
        # Those of Naive2 on these series, from the competition's sheet.
        return {"OWA": float((smape / 18.383 + mase / 2.395) / 2), "sMAPE": float(smape), "MASE": float(mase)}

    def segment_gru(seed: int) -> Forecaster:
        regressor = network(
            seed, hidden_size=128, segment_length=24, decoder="parallel", dropout=0.1, epochs=5, batch_size=256
        )
        options = {"anchor": "seasonal", "season_length": 168, "scale": "window"}
        return Forecaster(regressor, lookback=336, horizon=48, **options)

    return Task(
        score,
        {"daily naive": SeasonalNaiveForecaster(24, 48), "weekly naive": SeasonalNaiveForecaster(168, 48)},
        segment_gru,
        {"OWA": (0.49, 0.43)},
        {"RNN of the competition": {"OWA": 1.036}, "FFORMA": {"OWA": 0.484}, "ES-RNN, the winner": {"OWA": 0.440}},
    )


# --- 4 and 5: a day ahead ---


def midnights(index: pd.DatetimeIndex, first: str, horizon: int) -> np.ndarray:
    """Rows before each local midnight from `first` on that a whole day follows."""
    at = np.flatnonzero((index == index.normalize()) & (index >= pd.Timestamp(first, tz=index.tz)))
    return at[at + horizon <= len(index)] - 1


def day_ahead(y: pd.Series, X: pd.DataFrame, first: str, horizon: int) -> Callable[[object], Scores]:
    origins = midnights(y.index, first, horizon)
    truth = y.to_numpy()[origins[:, None] + 1 + np.arange(horizon)]

    def score(forecaster: object) -> Scores:
        known = [y] if isinstance(forecaster, SeasonalNaiveForecaster) else [X, y]
        forecaster.fit(*(rows.iloc[: origins[0] + 1] for rows in known))
        errors = forecaster.predict_origins(*known, origins=origins)[..., 0] - truth
        return {"MAE": float(np.abs(errors).mean()), "MAPE": float(100 * np.abs(errors / truth).mean())}

    return score


def calendar_of(index: pd.DatetimeIndex, holidays: object = None) -> pd.DataFrame:
    features = CalendarFeatures(["hour", "weekday", "day_of_year"], n_harmonics=3, holidays=holidays)
    return features.fit_transform(pd.DataFrame(index=index))


def victoria(*, temperature: bool) -> Task:
    table = fetch_victoria_electricity(data_home=DATA)
    X = calendar_of(table.index).assign(holiday=table["holiday"].astype(float))
    if temperature:
        X["temperature"] = table["temperature"]
        X["heat"] = (table["temperature"] - 18).clip(lower=0) ** 2
    shape = {"lookback": 336, "horizon": 48}

    def segment_gru(seed: int) -> Forecaster:
        regressor = network(
            seed, hidden_size=96, segment_length=48, dropout=0.1, epochs=15, batch_size=128, n_members=2
        )
        return Forecaster(regressor, **shape, anchor="linear")

    return Task(
        day_ahead(table["demand"], X, "2014-01-01", 48),
        {"weekly naive": SeasonalNaiveForecaster(336, 48), "ridge": Forecaster(Ridge(), **shape)},
        segment_gru,
        {"MAE": (113, 95) if temperature else (178, 160)},
    )


def aep() -> Task:
    load = fetch_pjm("AEP", data_home=DATA)["2013-01-01":"2018-08-02"]
    X = calendar_of(load.index, ("US", "OH"))
    shape = {"lookback": 168, "horizon": 24}

    def segment_gru(seed: int) -> Forecaster:
        regressor = network(
            seed, hidden_size=128, segment_length=24, dropout=0.1, epochs=15, batch_size=128, n_members=2
        )
        return Forecaster(regressor, **shape, anchor="linear")

    return Task(
        day_ahead(load, X, "2017-01-01", 24),
        {"daily naive": SeasonalNaiveForecaster(24, 24), "ridge": Forecaster(Ridge(), **shape)},
        segment_gru,
        {"MAE": (475, 430)},
    )


# --- 6: half-hourly demand ---


def taylor() -> Task:
    values = load_electricity_demand().to_numpy()
    n_fit = 8 * 336
    origins = last_origins(n_fit, len(values), 48)
    truth = values[origins[:, None] + 1 + np.arange(48)]

    def score(forecaster: object) -> Scores:
        errors = walk(values, None, n_fit, origins)(forecaster)[..., 0] - truth
        return {"MAPE": float(100 * np.abs(errors / truth).mean()), "MAE": float(np.abs(errors).mean())}

    def segment_gru(seed: int) -> Forecaster:
        regressor = network(seed, hidden_size=64, segment_length=48, dropout=0.1, epochs=30, n_members=3)
        return Forecaster(regressor, lookback=336, horizon=48, anchor="linear")

    return Task(
        score,
        {
            "weekly naive": SeasonalNaiveForecaster(336, 48),
            "ridge": Forecaster(Ridge(), lookback=336, horizon=48),
        },
        segment_gru,
        {"MAPE": (1.7, 1.2)},
    )


# --- 7: an electrocardiogram ---


def heart(record: int) -> Task:
    ecg, _ = fetch_mitbih(record, data_home=DATA)
    values = ecg.to_numpy()[: len(ecg) // 3 * 3].reshape(-1, 3).mean(axis=1)
    n_train, n_fit = int(0.6 * len(values)), int(0.7 * len(values))
    origins = last_origins(n_fit, len(values), 30, 8)
    truth = values[origins[:, None] + 1 + np.arange(30)]
    unit = values[:n_train].std()

    def score(forecaster: object) -> Scores:
        errors = walk(values, None, n_fit, origins)(forecaster)[..., 0] - truth
        return {"nRMSE": float(np.sqrt((errors**2).mean()) / unit), "MAE": float(np.abs(errors).mean() / unit)}

    def segment_gru(seed: int) -> Forecaster:
        regressor = network(seed, loss="mse", hidden_size=96, segment_length=8, epochs=8, batch_size=128)
        return Forecaster(regressor, lookback=240, horizon=30, anchor="mean", stride=2)

    return Task(
        score,
        {
            "last value": NaiveForecaster(30),
            "ridge": Forecaster(Ridge(), lookback=240, horizon=30, anchor="mean", stride=4),
        },
        segment_gru,
        {"nRMSE": (0.65 if record == 106 else 0.66, 0.58)},
        {"25 nearest neighbours": {"nRMSE": 0.768 if record == 106 else 0.884}},
    )


# --- 8: tomorrow's volatility ---


def volatility() -> Task:
    table = pd.read_csv(DATA / "stock_sp500" / "sp500_1950_2018.csv.gz", parse_dates=["Date"], index_col="Date")
    table = table.sort_index()["2000":"2018"]
    values = np.log(np.log(table["High"] / table["Low"]) / np.sqrt(4 * np.log(2))).to_numpy()
    n_fit = int((table.index < "2016").sum())
    origins = last_origins(n_fit, len(values), 1)
    truth = values[origins + 1]

    def score(forecaster: object) -> Scores:
        found = walk(values, None, n_fit, origins)(forecaster)[:, 0, 0]
        return {"RMSE": float(np.sqrt(((found - truth) ** 2).mean()))}

    def segment_gru(seed: int) -> Forecaster:
        regressor = network(seed, loss="mse", hidden_size=16, segment_length=11, dropout=0.3, epochs=15, n_members=5)
        return Forecaster(regressor, lookback=66, horizon=1, anchor="linear")

    return Task(
        score,
        {"last value": NaiveForecaster(), "ridge": Forecaster(Ridge(), lookback=66)},
        segment_gru,
        {"RMSE": (0.470, 0.450)},
        {"HAR": {"RMSE": 0.456}},
    )


# --- 9: ozone ---


def ozone(horizon: int) -> Task:
    air = fetch_valencia_air(data_home=DATA)["2019":"2021"]
    values = air["o3"].to_numpy()
    n_fit = int((air.index < "2021-10-01").sum())
    origins = last_origins(n_fit, len(values), horizon)
    truth = values[origins[:, None] + 1 + np.arange(horizon)]

    def score(forecaster: object) -> Scores:
        errors = walk(values, None, n_fit, origins)(forecaster)[..., 0] - truth
        return {"MAE": float(np.abs(errors).mean())}

    def gru(seed: int) -> Forecaster:
        regressor = network(seed, hidden_size=64, segment_length=4, epochs=15, batch_size=128, n_members=2)
        return Forecaster(regressor, lookback=32, horizon=horizon)

    return Task(
        score,
        {"last value": NaiveForecaster(horizon), "ridge": Forecaster(LinearRegression(), lookback=32, horizon=horizon)},
        gru,
        {"MAE": (9.33, 9.0) if horizon == 5 else (5.50, 5.3)},
        {"skforecast's notebook": {"MAE": 9.561 if horizon == 5 else 18.16}},
    )


TASKS: dict[str, Callable[[], Task]] = {
    "etth1-96": lambda: etth1(96),
    "etth1-720": lambda: etth1(720),
    "etth1-oil": etth1_oil,
    "m4-hourly": m4_hourly,
    "victoria": lambda: victoria(temperature=False),
    "victoria-temperature": lambda: victoria(temperature=True),
    "aep": aep,
    "taylor": taylor,
    "ecg-106": lambda: heart(106),
    "ecg-100": lambda: heart(100),
    "volatility": volatility,
    "ozone-5": lambda: ozone(5),
    "ozone-1": lambda: ozone(1),
}


def told(scores: Scores) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in scores.items())


def rows_of(name: str, seeds: range) -> list[str]:
    """Run a task; print and return its rows."""
    task, lines = TASKS[name](), []

    def row(model: str, text: str, seconds: float | None = None) -> None:
        spent = "" if seconds is None else f"{seconds:.0f}"
        print(f"  {name:22} {model:26} {text:44} {spent:>5}{' s' if spent else ''}", flush=True)
        lines.append(f"| {name} | {model} | {text} | {spent} |")

    for model, scores in task.published.items():
        row(f"{model}", told(scores))
    for model, rule in task.rules.items():
        began = time.perf_counter()
        row(model, told(task.score(rule)), time.perf_counter() - began)
    found, began = [], time.perf_counter()
    for seed in seeds:
        found.append(task.score(task.network(seed)))
        print(f"    seed {seed}: {told(found[-1])}", flush=True)
    seconds = (time.perf_counter() - began) / len(found)
    mean = {score: float(np.mean([one[score] for one in found])) for score in found[0]}
    worst = {score: max(one[score] for one in found) for score in task.bars}
    row("**network**, mean", told(mean), seconds)
    row("network, worst of " + str(len(found)), told(worst))
    for score, (must, goal) in task.bars.items():
        verdict = "goal met" if mean[score] <= goal else "met" if mean[score] <= must else "MISSED"
        print(f"  {name}: {score} {mean[score]:.4f}   must {must:g}, goal {goal:g}   {verdict}", flush=True)
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tasks", nargs="*", help=f"{', '.join(TASKS)}; all of them by default")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="put the rows into docs/benchmarks.md")
    options = parser.parse_args()
    if not DATA.is_dir():
        sys.exit("The data are not here: ../shared/data beside the project. Nothing was measured.")
    for name in options.tasks or TASKS:
        lines = rows_of(name, range(options.seeds))
        if options.write:
            put("benchmarks", name, lines)


if __name__ == "__main__":
    main()
