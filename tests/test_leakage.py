"""The leakage oracle: what comes after t changes, not by a single bit, anything computed for folds that end by t."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tsrnn import (
    Differencer,
    DriftForecaster,
    Forecaster,
    GRURegressor,
    SeasonalNaiveForecaster,
    SequenceScaler,
    WalkForwardSplit,
    WindowTransformer,
    backtest,
)

ANCHORS = [None, "last", "mean", "seasonal", "linear"]
N, SIZES = 70, {"lookback": 5, "horizon": 2, "season_length": 4}
NETWORK = GRURegressor(hidden_size=4, epochs=2, jit_compile=False, random_state=0)


def daily(values, **options):
    return pd.DataFrame(values, pd.date_range("2024-01-01", periods=len(values), freq="D"), **options)


def walk(n=N, k=2, seed=0):
    return np.random.default_rng(seed).normal(size=(n, k)).cumsum(axis=0)


def poisoned(data, t):
    """Return a copy of `data` with 1e6 added to all values after row t."""
    later = data.copy()
    rows = later.iloc if hasattr(later, "iloc") else later
    rows[t + 1 :] += 1e6
    return later


def check_folds(result, cv, data, *, known_by="test"):
    """Assert that what comes after t changes no fold that ends by t, and each fold that is trained on it.

    `result` returns an array for each fold from copies of `data`, in which None stays None. A fold ends with its test
    block, or with its training rows for known_by="train".
    """
    clean, folds = result(*data), list(cv.split(data[-1]))
    ends = [int((test if known_by == "test" else train)[-1]) for train, test in folds]
    for t in ends[:-1]:
        changed = result(*(None if part is None else poisoned(part, t) for part in data))
        for (train, _), end, before, after in zip(folds, ends, clean, changed, strict=True):
            if end <= t:
                np.testing.assert_array_equal(after, before)
            elif train[-1] > t:
                assert not np.array_equal(after, before)


# Pipelines in a search


@pytest.mark.parametrize(
    "steps",
    [(StandardScaler(), WindowTransformer(lookback=5)), (WindowTransformer(lookback=5), SequenceScaler())],
    ids=["scaler first", "windows first"],
)
@pytest.mark.parametrize("kind", ["network", "frames"])
def test_scores_of_a_search_over_a_pipeline(steps, kind):
    cv = WalkForwardSplit(3, test_size=8)
    pipeline = make_pipeline(*steps, NETWORK)
    if kind == "frames":
        pipeline.set_output(transform="pandas")
    search = GridSearchCV(pipeline, {"gruregressor__epochs": [1, 2]}, cv=cv, refit=False, error_score="raise")

    def scores(X, y):
        results = search.fit(X, y).cv_results_
        return [results[f"split{number}_test_score"] for number in range(3)]

    check_folds(scores, cv, (daily(walk()).rename(columns=str), walk(k=1, seed=1)[:, 0]))


def test_scores_of_a_search_over_a_forecaster():
    cv = WalkForwardSplit(3, test_size=4, gap=1)
    search = GridSearchCV(Forecaster(Ridge(), **SIZES), {"anchor": ANCHORS}, cv=cv, refit=False, error_score="raise")

    def scores(y):
        results = search.fit(y).cv_results_
        return [results[f"split{number}_test_score"] for number in range(3)]

    check_folds(scores, cv, (daily(walk(), columns=["a", "b"]),))


# Forecasters in a backtest


def forecasts_of(forecaster, cv, refit):
    """Return what gives the forecasts of each fold."""

    def forecasts(X, y):
        rows = (y,) if X is None else (X, y)
        table = backtest(forecaster, *rows, cv=cv, refit=refit, progress=False)
        return [part.to_numpy() for _, part in table.groupby("fold")["y_pred"]]

    return forecasts


SPLITS = {
    "of a horizon": WalkForwardSplit(3, test_size=2),
    "longer than the horizon": WalkForwardSplit(3, test_size=5),
    "overlapping": WalkForwardSplit(3, test_size=5, stride=2),
    "sliding": WalkForwardSplit(3, test_size=4, max_train_size=20),
    "after a gap": WalkForwardSplit(3, test_size=2, gap=1),
}


@pytest.mark.parametrize("cv", SPLITS.values(), ids=SPLITS.keys())
@pytest.mark.parametrize("refit", [True, 2, False])
@pytest.mark.parametrize("anchor", ANCHORS)
def test_forecasts(anchor, refit, cv):
    forecaster = Forecaster(Ridge(), anchor=anchor, **SIZES)
    for data in ((None, walk(k=1)), (walk(seed=1), walk())):
        check_folds(forecasts_of(forecaster, cv, refit), cv, data)


@pytest.mark.parametrize("cv", SPLITS.values(), ids=SPLITS.keys())
@pytest.mark.parametrize("refit", [True, 2, False])
@pytest.mark.parametrize("anchor", ANCHORS)
def test_forecasts_do_not_see_the_values_that_they_forecast(anchor, refit, cv):
    """Targets and past covariates after the training rows change nothing, those of the test block included."""
    forecaster = Forecaster(Ridge(), anchor=anchor, multivariate=True, **SIZES)
    check_folds(forecasts_of(forecaster, cv, refit), cv, (None, walk()), known_by="train")
    if cv.test_size == 2 and not cv.gap:
        forecaster.set_params(past_covariates=[0, 1])
        check_folds(forecasts_of(forecaster, cv, refit), cv, (walk(seed=1), walk()), known_by="train")


OPTIONS = {
    "recursive": {"strategy": "recursive"},
    "window scale": {"scale": "window", "anchor": "mean"},
    "two seasons": {"anchor": "seasonal", "season_length": (2, 5)},
    "gaps filled": {"missing": "interpolate"},
    "gaps dropped": {"missing": "drop"},
    "differences": {"target_transformer": Differencer(3)},
    "decay": {"half_life": 9},
    "recursive over gaps": {"strategy": "recursive", "missing": "interpolate", "target_transformer": Differencer()},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
@pytest.mark.parametrize("refit", [True, False])
def test_forecasts_with_options(options, refit):
    forecaster = Forecaster(Ridge(), **{**SIZES, **options})
    y = walk(k=1)
    if "missing" in options:
        y[[20, 21, 32]] = np.nan
    for cv in (SPLITS["of a horizon"], SPLITS["longer than the horizon"], SPLITS["after a gap"]):
        check_folds(forecasts_of(forecaster, cv, refit), cv, (None, y), known_by="train")


def test_one_member_of_a_panel_does_not_see_what_comes_after_its_own_end():
    panel = {"a": walk(k=1)[:, 0], "b": walk(k=1, seed=1)[:50, 0]}
    forecaster = Forecaster(Ridge(), **SIZES).fit(panel)
    later = forecaster.predict_origins(poisoned(panel["b"], 30), origins=[30])
    np.testing.assert_array_equal(later, forecaster.predict_origins(panel["b"], origins=[30]))


def test_bounds():
    cv = WalkForwardSplit(3, test_size=2)

    def bounds(y):
        table = backtest(Forecaster(Ridge(), **SIZES), y, cv=cv, coverage=0.8, progress=False)
        return [part[["lower", "upper"]].to_numpy() for _, part in table.groupby("fold")]

    check_folds(bounds, cv, (walk(k=1),), known_by="train")


@pytest.mark.parametrize("rule", [SeasonalNaiveForecaster(2, 2), DriftForecaster(2)])
@pytest.mark.parametrize("refit", [True, 2, False])
def test_naive_rules(rule, refit):
    for cv in SPLITS.values():
        check_folds(forecasts_of(rule, cv, refit), cv, (None, walk()), known_by="train")


@pytest.mark.parametrize(("anchor", "refit"), [("last", True), ("linear", 2), ("seasonal", False)])
def test_forecasts_of_a_network(anchor, refit):
    forecaster = Forecaster(NETWORK, anchor=anchor, **SIZES)
    cv = WalkForwardSplit(3, test_size=3)
    check_folds(forecasts_of(forecaster, cv, refit), cv, (walk(k=1, seed=1), walk(k=1)))


# Panels in a backtest: what comes after t in any series changes nothing for any other

PANEL = {
    "all": daily(walk(k=1))[0],
    "late": daily(walk(k=1, seed=1))[0].iloc[44:],
    "ends": daily(walk(k=1, seed=2))[0].iloc[5:61],
}


def check_panel(forecaster, cv, refit, beside=None, **options):
    """Assert that values after a stamp change nothing of the folds whose training rows end by then, and all others."""

    def columns(panel, X):
        rows = (panel,) if X is None else (X, panel)
        table = backtest(forecaster, *rows, cv=cv, refit=refit, progress=False, **options)
        names = [name for name in ("y_pred", "lower", "upper") if name in table]
        return table.set_index(["fold", "series", "time"])[names]

    stamps = PANEL["all"].index
    clean = columns(PANEL, beside)
    for t in [int(train[-1]) for train, _ in cv.split(PANEL["all"])]:
        later = [
            part and {name: poisoned(rows, int((rows.index <= stamps[t]).sum()) - 1) for name, rows in part.items()}
            for part in (PANEL, beside)
        ]
        after = columns(*later)
        for (number, before), (_, now), (train, _) in zip(
            clean.groupby(level=0), after.groupby(level=0), cv.split(PANEL["all"]), strict=True
        ):
            if train[-1] <= t:
                pd.testing.assert_frame_equal(now, before, check_exact=True)
            else:
                assert not np.allclose(now, before), number


@pytest.mark.parametrize("cv", SPLITS.values(), ids=SPLITS.keys())
@pytest.mark.parametrize("refit", [True, 2, False])
@pytest.mark.parametrize("anchor", [None, "last", "linear"])
def test_forecasts_of_a_panel(anchor, refit, cv):
    check_panel(Forecaster(Ridge(), anchor=anchor, **SIZES), cv, refit)


@pytest.mark.parametrize("refit", [True, False])
def test_forecasts_of_a_panel_with_options(refit):
    cv = SPLITS["of a horizon"]
    check_panel(Forecaster(Ridge(), missing="interpolate", target_transformer=Differencer(), **SIZES), cv, refit)
    beside = {name: rows.to_frame("load") for name, rows in PANEL.items()}
    check_panel(Forecaster(Ridge(), past_covariates=["load"], **SIZES), cv, refit, beside)
    check_panel(Forecaster(Ridge(), **SIZES), cv, refit, coverage=0.5)
    check_panel(DriftForecaster(2), cv, refit)


def test_forecasts_of_a_panel_by_a_network():
    check_panel(Forecaster(NETWORK, **SIZES), WalkForwardSplit(2, test_size=3), refit=False)


# Noise


@pytest.mark.parametrize("anchor", [None, "last", "linear"])
@pytest.mark.parametrize("covariates", [False, True])
def test_white_noise_cannot_be_forecast(anchor, covariates):
    rng = np.random.default_rng(0)
    y, X = rng.normal(size=1200), rng.normal(size=(1200, 2))
    forecaster = Forecaster(Ridge(), anchor=anchor, **SIZES)
    cv = WalkForwardSplit(20, test_size=50)
    scores = cross_val_score(forecaster, *((X, y) if covariates else (y,)), cv=cv, error_score="raise")
    error = scores.std(ddof=1) / np.sqrt(len(scores))
    assert scores.mean() <= 3 * error
    assert scores.mean() > -2.0
