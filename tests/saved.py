"""Fitted estimators to be saved, small and quick, each with what it is asked afterwards; and the parts of a file."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import ElasticNet, LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from tsrnn import (
    CalendarFeatures,
    Differencer,
    DriftForecaster,
    ForecastAnomalyDetector,
    Forecaster,
    NaiveForecaster,
    SeasonalNaiveForecaster,
    SequenceScaler,
    WindowAverageForecaster,
    WindowTransformer,
    _zip_file,
)

GOLDEN = Path(__file__).parent / "golden"
DAYS = pd.date_range("2024-01-01", periods=80, freq="D", tz="Europe/Berlin")
VALUES = np.sin(np.arange(80.0)) + 0.1 * np.cos(7 * np.arange(80.0) ** 2)
SERIES = pd.Series(VALUES + 2, index=DAYS, name="level")
LATER = pd.Series([2.5, 2.0, 1.5], index=DAYS[-3:] + 3 * DAYS.freq, name="level")
MONTHS = pd.Series(VALUES, index=pd.period_range("2018-01", periods=80, freq="M"))
NUMBERED = pd.DataFrame({1: VALUES, 2: VALUES**2}, index=pd.RangeIndex(5, 85))
PANEL = {"a": SERIES, ("b", 1): SERIES[:60]}
COVARIATES = pd.DataFrame({"known": np.arange(80.0), "measured": VALUES}, index=DAYS)
NEXT = COVARIATES.iloc[:2].set_axis(DAYS[-2:] + 2 * DAYS.freq)
ROWS = COVARIATES.iloc[:9].set_axis(DAYS[:9] + 80 * DAYS.freq)
GAPS = SERIES.mask(np.arange(80) % 17 == 3)


def forecaster(regressor, **values):
    return Forecaster(regressor, **{"lookback": 6, "horizon": 2, **values})


def asked(estimator):
    return estimator.predict()


def in_intervals(estimator):
    return estimator.predict(), estimator.predict_interval(coverage=0.5), estimator.predict_quantiles(quantiles=[0.3])


def with_intervals(estimator):
    """The same of a forecaster whose intervals are calibrated already."""
    estimator.predict_interval(coverage=0.5)
    return estimator


LOGARITHM = FunctionTransformer(np.log1p, np.expm1)
WITH_MEASURED = {"past_covariates": ["measured"], "stride": pd.Timedelta("2D")}
CHAIN = make_pipeline(Differencer(2), QuantileTransformer(n_quantiles=10))
CASES = {
    "linear anchor": (
        lambda: forecaster(Ridge(), anchor="linear", target_transformer=PowerTransformer()).fit(SERIES), asked,
    ),
    "calibrated": (lambda: with_intervals(forecaster(Ridge()).fit(SERIES)), in_intervals),
    "not calibrated": (lambda: forecaster(Ridge(), anchor="mean").fit(SERIES), in_intervals),
    "update": (lambda: forecaster(Ridge()).fit(SERIES), lambda e: e.update(LATER).predict()),
    "stream": (lambda: forecaster(Ridge()).fit(SERIES), lambda e: e.stream().observe(1.5)),
    "function": (
        lambda: forecaster(LinearRegression(), scaler=MinMaxScaler(), target_transformer=LOGARITHM).fit(SERIES), asked,
    ),
    "panel": (lambda: forecaster(ElasticNet(0.01), target_transformer=CHAIN).fit(PANEL), in_intervals),
    "panel of rows": (
        lambda: forecaster(Ridge(), scaler=RobustScaler()).fit(pd.concat({"a": SERIES, "b": SERIES + 1})), asked,
    ),
    "covariates": (
        lambda: forecaster(make_pipeline(MaxAbsScaler(), Ridge()), **WITH_MEASURED).fit(COVARIATES, SERIES + 1),
        lambda e: e.predict(NEXT),
    ),
    "gaps": (lambda: forecaster(Ridge(), missing="interpolate", scaler=None).fit(GAPS), asked),
    "multivariate": (lambda: forecaster(Ridge(), multivariate=True, scale="window").fit(NUMBERED), in_intervals),
    "seasons": (lambda: forecaster(Ridge(), anchor="seasonal", season_length=(2, np.int64(6))).fit(VALUES), asked),
    "naive": (lambda: with_intervals(NaiveForecaster(2).fit(SERIES)), in_intervals),
    "seasonal naive": (lambda: SeasonalNaiveForecaster(12).fit(MONTHS), in_intervals),
    "drift": (lambda: DriftForecaster(2).fit(PANEL), in_intervals),
    "window average": (lambda: WindowAverageForecaster(5).fit(NUMBERED), asked),
    "refitted": (lambda: NaiveForecaster().fit(SERIES).fit(VALUES), asked),
    "anomalies": (
        lambda: ForecastAnomalyDetector(SeasonalNaiveForecaster(4), false_alarm_rate=0.2).fit(SERIES),
        lambda e: (e.score_samples(LATER), e.predict(VALUES)),
    ),
    "rows": (
        lambda: make_pipeline(WindowTransformer(4), SequenceScaler(StandardScaler())).fit(COVARIATES),
        lambda e: np.asarray(e.transform(ROWS)),
    ),
    "differences": (lambda: Differencer(2).fit(COVARIATES), lambda e: e.transform(ROWS)),
    "holidays": (lambda: CalendarFeatures(holidays="GB").fit(COVARIATES), lambda e: e.transform(ROWS)),
    "dates": (
        lambda: CalendarFeatures(["hour"], holidays=[DAYS[2].date()]).fit(COVARIATES),
        lambda e: e.transform(COVARIATES),
    ),
}  # fmt: skip


def bits(answer):
    """What tells an answer from any other: its bytes, its index with zone and frequency, its names."""
    if isinstance(answer, tuple):
        return [bits(part) for part in answer]
    if isinstance(answer, dict):
        return {name: bits(part) for name, part in answer.items()}
    if isinstance(answer, pd.Series | pd.DataFrame):
        index = answer.index
        names = list(answer.columns) if isinstance(answer, pd.DataFrame) else answer.name
        return answer.to_numpy().tobytes(), list(index), str(index.dtype), getattr(index, "freq", None), names
    return str(np.asarray(answer).dtype), np.asarray(answer).shape, np.asarray(answer).tobytes()


def parts_of(path):
    """The manifest of a file as a dict, and its arrays as bytes."""
    with Path(path).open("rb") as file:
        entries = _zip_file.read_directory(file, Path(path).stat().st_size)
        contents = [bytearray(entry.size) for entry in entries]
        for entry, content in zip(entries, contents, strict=True):
            _zip_file.read_into(file, entry, content)
    return json.loads(contents[0]), contents[1:]


def write_parts(path, manifest, contents):
    """Write a file whose container is right, whatever stands in it; the manifest is a dict or a text."""
    text = manifest if isinstance(manifest, str) else json.dumps(manifest)
    members = [("manifest.json", text.encode()), *((f"{i}.bin", content) for i, content in enumerate(contents))]
    _zip_file.write(Path(path), [(name, [memoryview(content)]) for name, content in members])
