"""The tasks of `benchmarks.accuracy`: protocols, naive rules, published rows, and the networks that take part.

Every protocol has two parts to be scored: the test rows, after a fit on all rows before them, and the validation rows,
after a fit on those before these. What a network is made of was chosen by the latter.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

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
Networks = dict[str, Callable[[int], object]]


@dataclass
class Task:
    """One protocol: how a forecaster is scored, what it must beat, and the network that takes part.

    `score` fits a forecaster on the rows before the scored part and returns its scores; `bars` are the required and
    the desired value of each score. The first of `networks`, made from a seed, takes part; the others are what it was
    chosen from, by their scores in the validation part.
    """

    score: Callable[[object], Scores]
    rules: dict[str, object]
    networks: Networks
    bars: dict[str, tuple[float, float]]
    published: dict[str, Scores] = field(default_factory=dict)


def walk(y: np.ndarray, n_fit: int, origins: np.ndarray) -> Callable[[object], np.ndarray]:
    """Return the function that fits a forecaster on the first rows and forecasts from `origins`."""
    return lambda forecaster: forecaster.fit(y[:n_fit]).predict_origins(y, origins=origins)


def candidates(base: dict[str, object], others: list[dict[str, object]], options: dict[str, object]) -> Networks:
    """Return forecasters with a segment GRU by what differs from the first one, in the network or in the forecaster."""

    def maker(changes: dict[str, object]) -> Callable[[int], object]:
        own = {name: value for name, value in changes.items() if name in Forecaster(None).get_params()}
        values = {"loss": "mae", "schedule": "cosine", **base, **changes}
        network = {name: value for name, value in values.items() if name not in own}
        return lambda seed: Forecaster(GRURegressor(**network, random_state=seed), **{**options, **own})

    named = {", ".join(f"{name}={value}" for name, value in changes.items()): changes for changes in others}
    return {"chosen": maker({})} | {name: maker(changes) for name, changes in named.items()}


def last_origins(first: int, n_rows: int, horizon: int, stride: int = 1) -> np.ndarray:
    """Origins whose forecasts lie in the rows from `first` on."""
    return np.arange(first - 1, n_rows - horizon, stride)


def absolute(forecast: np.ndarray, truth: np.ndarray) -> Scores:
    errors = np.abs(forecast - truth)
    return {"MAE": float(errors.mean()), "MAPE": float(100 * (errors / np.abs(truth)).mean())}


# --- 1 and 2: ETTh1 ---

MONTH = 30 * 24
TRAIN, VALIDATION, TEST = 12 * MONTH, 16 * MONTH, 20 * MONTH


def ett(columns: list[str] | None, horizon: int, part: str) -> Callable[[object], Scores]:
    table = fetch_ett("ETTh1", data_home=DATA)
    begin, end = (VALIDATION, TEST) if part == "test" else (TRAIN, VALIDATION)
    values = table[columns or list(table.columns)].to_numpy()[:end]
    values = (values - values[:TRAIN].mean(axis=0)) / values[:TRAIN].std(axis=0)
    origins = last_origins(begin, end, horizon)
    truth = values[origins[:, None] + 1 + np.arange(horizon)]
    forecasts = walk(values, begin, origins)

    def score(forecaster: object) -> Scores:
        errors = forecasts(forecaster) - truth
        return {"MSE": float((errors**2).mean()), "MAE": float(np.abs(errors).mean())}

    return score


def etth1(lookback: int, part: str) -> Task:
    bars, published = {"MSE": (0.373, 0.362), "MAE": (0.394, 0.388)}, {"MSE": 0.368, "MAE": 0.395}
    if lookback == 720:
        bars, published = {"MSE": (0.364, 0.350), "MAE": (0.392, 0.388)}, {"MSE": 0.351, "MAE": 0.392}
    options = {"lookback": lookback, "horizon": 96, "scaler": None}
    base = {
        "hidden_size": 128,
        "segment_length": 24 if lookback < 336 else 48,
        "decoder": "parallel",
        "dropout": 0.5,
        "epochs": 10,
        "batch_size": 256,
        "early_stopping": 3,
        "validation_fraction": (VALIDATION - TRAIN) / VALIDATION,
    }
    return Task(
        ett(None, 96, part),
        {"daily naive": SeasonalNaiveForecaster(24, 96), "ridge": Forecaster(Ridge(), **options)},
        candidates(base, [{"n_members": 2}, {"loss": "mse"}, {"dropout": 0.3}, {"learning_rate": 5e-4}], options),
        bars,
        {"SegRNN, published": published},
    )


def etth1_oil(part: str) -> Task:
    options = {"lookback": 336, "horizon": 24, "scaler": None}
    base = {
        "hidden_size": 64,
        "segment_length": 24,
        "dropout": 0.3,
        "epochs": 12,
        "batch_size": 128,
        "n_members": 3,
        "learning_rate": 5e-4,
    }
    return Task(
        ett(["OT"], 24, part),
        {"last value": NaiveForecaster(24), "ridge": Forecaster(Ridge(), **options)},
        candidates(base, [{"anchor": "last"}, {"epochs": 6}], {**options, "anchor": "linear"}),
        {"MSE": (0.0265, 0.0250)},
    )


# --- 3: M4 hourly ---


def m4_hourly(part: str) -> Task:
    train, test = fetch_m4_hourly(data_home=DATA)
    truths = {name: rows.to_numpy() for name, rows in test.groupby(level=0, sort=False)}
    pasts = {name: rows.to_numpy() for name, rows in train.groupby(level=0, sort=False)}
    if part == "validation":
        truths, pasts = ({name: rows[cut] for name, rows in pasts.items()} for cut in (slice(-48, None), slice(-48)))

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

    base = {
        "hidden_size": 128,
        "segment_length": 24,
        "decoder": "parallel",
        "dropout": 0.1,
        "epochs": 5,
        "batch_size": 256,
    }
    options = {"lookback": 336, "horizon": 48, "anchor": "seasonal", "season_length": (24, 168), "scale": "window"}
    return Task(
        score,
        {"daily naive": SeasonalNaiveForecaster(24, 48), "weekly naive": SeasonalNaiveForecaster(168, 48)},
        candidates(base, [{"epochs": 8}, {"season_length": 168}, {"half_life": 336}], options),
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
        return absolute(forecaster.predict_origins(*known, origins=origins)[..., 0], truth)

    return score


def days_of(index: pd.DatetimeIndex, holidays: object = None) -> pd.DataFrame:
    """Return what the calendar says of the day; the hour is that of the windows, which all end at midnight."""
    rows = pd.DataFrame(index=index)
    weekdays = CalendarFeatures(["weekday"], encoding="onehot", holidays=holidays).fit_transform(rows)
    return weekdays.join(CalendarFeatures(["day_of_year"], n_harmonics=2).fit_transform(rows))


def victoria(part: str, *, temperature: bool) -> Task:
    table = fetch_victoria_electricity(data_home=DATA)
    table = table if part == "test" else table[:"2013"]
    X = days_of(table.index).assign(holiday=table["holiday"].astype(float))
    if temperature:
        X["temperature"] = table["temperature"]
        X["heat"] = (table["temperature"] - 18).clip(lower=0) ** 2
    options = {"lookback": 336, "horizon": 48, "stride": "1D"}
    base = {
        "hidden_size": 64, "segment_length": 48, "dropout": 0.3, "epochs": 40, "batch_size": 64, "n_members": 4,
    }  # fmt: skip
    others = [{"stride": 1, "epochs": 10}, {"lookback": 144}, {"dropout": 0.5}, {"anchor": "last"}]
    first = "2014-01-01" if part == "test" else "2013-07-01"
    return Task(
        day_ahead(table["demand"], X, first, 48),
        {
            "weekly naive": SeasonalNaiveForecaster(336, 48),
            "ridge": Forecaster(Ridge(10), **{**options, "stride": 1}),
            "ridge on midnights": Forecaster(Ridge(10), **options),
        },
        candidates(base, others, {**options, "anchor": "linear"}),
        {"MAE": (113, 95) if temperature else (178, 160)},
    )


def aep(part: str) -> Task:
    load = fetch_pjm("AEP", data_home=DATA)["2013-01-01" : "2018-08-02" if part == "test" else "2016"]
    X = days_of(load.index, ("US", "OH"))
    options = {"lookback": 72, "horizon": 24, "stride": "1D"}
    base = {
        "hidden_size": 128, "segment_length": 24, "dropout": 0.5, "epochs": 40, "batch_size": 64, "n_members": 4,
    }  # fmt: skip
    others = [{"stride": 1, "epochs": 10}, {"lookback": 168}, {"segment_length": 12}, {"anchor": "last"}]
    return Task(
        day_ahead(load, X, "2017-01-01" if part == "test" else "2016-01-01", 24),
        {
            "daily naive": SeasonalNaiveForecaster(24, 24),
            "ridge": Forecaster(Ridge(10), **{**options, "stride": 1}),
            "ridge on midnights": Forecaster(Ridge(10), **options),
        },
        candidates(base, others, {**options, "anchor": "linear"}),
        {"MAE": (475, 430)},
    )


# --- 6: half-hourly demand ---


def taylor(part: str) -> Task:
    values = load_electricity_demand().to_numpy()
    n_fit = 8 * 336 if part == "test" else 6 * 336
    values = values if part == "test" else values[: 8 * 336]
    origins = last_origins(n_fit, len(values), 48)
    truth = values[origins[:, None] + 1 + np.arange(48)]
    options = {"lookback": 384, "horizon": 48}
    base = {"hidden_size": 64, "segment_length": 48, "dropout": 0.1, "epochs": 30, "n_members": 3}
    others = [{"lookback": 336}, {"lookback": 672}, {"anchor": "seasonal", "season_length": 336}, {"dropout": 0.5}]
    return Task(
        lambda forecaster: absolute(walk(values, n_fit, origins)(forecaster)[..., 0], truth),
        {"weekly naive": SeasonalNaiveForecaster(336, 48), "ridge": Forecaster(Ridge(), **options)},
        candidates(base, others, {**options, "anchor": "linear"}),
        {"MAPE": (1.7, 1.2)},
    )


# --- 7: an electrocardiogram ---


def heart(record: int, part: str) -> Task:
    ecg, _ = fetch_mitbih(record, data_home=DATA)
    values = ecg.to_numpy()[: len(ecg) // 3 * 3].reshape(-1, 3).mean(axis=1)
    n_train, n_known = int(0.6 * len(values)), int(0.7 * len(values))
    n_fit, end = (n_known, len(values)) if part == "test" else (n_train, n_known)
    origins = last_origins(n_fit, end, 30, 8)
    truth = values[origins[:, None] + 1 + np.arange(30)]
    unit = values[:n_train].std()
    options = {"lookback": 240, "horizon": 30, "anchor": "mean"}

    def score(forecaster: object) -> Scores:
        errors = walk(values[:end], n_fit, origins)(forecaster)[..., 0] - truth
        return {"nRMSE": float(np.sqrt((errors**2).mean()) / unit), "MAE": float(np.abs(errors).mean() / unit)}

    base = {"loss": "mse", "hidden_size": 96, "segment_length": 8, "epochs": 8, "batch_size": 128}
    return Task(
        score,
        {
            "last value": NaiveForecaster(30),
            "ridge": Forecaster(Ridge(), **options, stride=4),
            "25 nearest neighbours": Forecaster(KNeighborsRegressor(25), **options),
        },
        candidates(base, [{"epochs": 16}, {"hidden_size": 160}, {"segment_length": 4}], {**options, "stride": 2}),
        {"nRMSE": (0.65 if record == 106 else 0.66, 0.58)},
    )


# --- 8: tomorrow's volatility ---


def means(windows: np.ndarray) -> np.ndarray:
    """Return the means of the last day, week and month (Corsi 2009)."""
    return np.stack([windows[:, -days:].mean(axis=1) for days in (1, 5, 22)], axis=1)


def volatility(part: str) -> Task:
    table = pd.read_csv(DATA / "stock_sp500" / "sp500_1950_2018.csv.gz", parse_dates=["Date"], index_col="Date")
    table = table.sort_index()["2000" : "2018" if part == "test" else "2015"]
    values = np.log(np.log(table["High"] / table["Low"]) / np.sqrt(4 * np.log(2))).to_numpy()
    n_fit = int((table.index < ("2016" if part == "test" else "2014")).sum())
    origins = last_origins(n_fit, len(values), 1)
    truth = values[origins + 1]

    def score(forecaster: object) -> Scores:
        found = walk(values, n_fit, origins)(forecaster)[:, 0, 0]
        return {"RMSE": float(np.sqrt(((found - truth) ** 2).mean()))}

    base = {"loss": "mse", "hidden_size": 16, "segment_length": 11, "dropout": 0.3, "epochs": 15, "n_members": 5}
    options = {"lookback": 66, "horizon": 1}
    return Task(
        score,
        {
            "last value": NaiveForecaster(),
            "HAR": Forecaster(make_pipeline(FunctionTransformer(means), LinearRegression()), lookback=22, anchor=None),
            "ridge": Forecaster(Ridge(), **options),
        },
        candidates(base, [{"anchor": "mean"}, {"lookback": 22}], {**options, "anchor": "linear"}),
        {"RMSE": (0.470, 0.450)},
    )


# --- 9: ozone ---


def ozone(horizon: int, part: str) -> Task:
    air = fetch_valencia_air(data_home=DATA)["2019" : "2021" if part == "test" else "2021-09"]
    values = air["o3"].to_numpy()
    n_fit = int((air.index < ("2021-10-01" if part == "test" else "2021-04-01")).sum())
    origins = last_origins(n_fit, len(values), horizon)
    truth = values[origins[:, None] + 1 + np.arange(horizon)]
    options = {"lookback": 32, "horizon": horizon}

    def score(forecaster: object) -> Scores:
        errors = walk(values, n_fit, origins)(forecaster)[..., 0] - truth
        return {"MAE": float(np.abs(errors).mean())}

    base = {"hidden_size": 64, "segment_length": 4, "epochs": 15, "batch_size": 128, "n_members": 2}
    return Task(
        score,
        {"last value": NaiveForecaster(horizon), "ridge": Forecaster(LinearRegression(), **options)},
        candidates(base, [{"anchor": "linear"}, {"segment_length": 1, "epochs": 8}], options),
        {"MAE": (9.33, 9.0) if horizon == 5 else (5.50, 5.3)},
        {"skforecast's notebook": {"MAE": 9.561 if horizon == 5 else 18.16}},
    )


TASKS: dict[str, Callable[[str], Task]] = {
    "etth1-96": lambda part: etth1(96, part),
    "etth1-720": lambda part: etth1(720, part),
    "etth1-oil": etth1_oil,
    "m4-hourly": m4_hourly,
    "victoria": lambda part: victoria(part, temperature=False),
    "victoria-temperature": lambda part: victoria(part, temperature=True),
    "aep": aep,
    "taylor": taylor,
    "ecg-106": lambda part: heart(106, part),
    "ecg-100": lambda part: heart(100, part),
    "volatility": volatility,
    "ozone-5": lambda part: ozone(5, part),
    "ozone-1": lambda part: ozone(1, part),
}
