"""The naive rules against their formulas, and with the face of every forecaster."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV

from tsrnn import (
    DriftForecaster,
    InvalidParameterError,
    NaiveForecaster,
    SeasonalNaiveForecaster,
    WalkForwardSplit,
    WindowAverageForecaster,
)

SERIES = np.array([4.0, 7.0, 1.0, 9.0, 3.0, 8.0])
RULES = {
    "naive": (NaiveForecaster(horizon=3), [8.0, 8.0, 8.0]),
    "season of 1": (SeasonalNaiveForecaster(horizon=3), [8.0, 8.0, 8.0]),
    "season of 2": (SeasonalNaiveForecaster(season_length=2, horizon=3), [3.0, 8.0, 3.0]),
    "season of 4": (SeasonalNaiveForecaster(season_length=4, horizon=3), [1.0, 9.0, 3.0]),
    "season of all": (SeasonalNaiveForecaster(season_length=6, horizon=3), [4.0, 7.0, 1.0]),
    "average of 2": (WindowAverageForecaster(window=2, horizon=3), [5.5, 5.5, 5.5]),
    "average of all": (WindowAverageForecaster(window=6, horizon=3), [32 / 6, 32 / 6, 32 / 6]),
    "drift": (DriftForecaster(horizon=3), [8.8, 9.6, 10.4]),
}
rules = pytest.mark.parametrize("rule", [rule for rule, _ in RULES.values()], ids=RULES.keys())
with_forecasts = pytest.mark.parametrize(("rule", "expected"), RULES.values(), ids=RULES.keys())


def by_formula(rule, values, origin, step):
    """Hyndman & Athanasopoulos (2021), section 5.2, with T = origin + 1 values y[0..T-1] known and h = step."""
    if isinstance(rule, SeasonalNaiveForecaster):
        m = rule.season_length
        return values[origin + step - m * ((step - 1) // m + 1)]
    if isinstance(rule, WindowAverageForecaster):
        return sum(values[origin - i] for i in range(rule.window)) / rule.window
    slope = (values[origin] - values[0]) / origin if isinstance(rule, DriftForecaster) else 0.0
    return values[origin] + step * slope


@with_forecasts
def test_the_forecast_of_a_rule(rule, expected):
    np.testing.assert_allclose(clone(rule).fit(SERIES).predict(), expected, rtol=1e-12)


@rules
def test_a_rule_from_every_origin_and_beyond_its_horizon(rule):
    values = np.random.default_rng(0).normal(size=(30, 2)).cumsum(axis=0)
    fitted = clone(rule).fit(values[:20])
    origins = np.arange(fitted._needed - 1, 30)
    for n_steps in (1, 3, 8):
        batch = fitted.predict_origins(values, origins=origins, n_steps=n_steps)
        by_hand = [[by_formula(rule, values, origin, h) for h in range(1, n_steps + 1)] for origin in origins]
        np.testing.assert_allclose(batch, by_hand, rtol=1e-9)
    if fitted._needed > 1:
        with pytest.raises(ValueError, match=f"`origins` must lie between {fitted._needed - 1} and the last row 29"):
            fitted.predict_origins(values, origins=[fitted._needed - 2])


@with_forecasts
def test_a_rule_has_the_stamps_and_the_form_of_the_series(rule, expected):
    months = pd.date_range("2024-01-31", periods=9, freq="ME", name="month")
    forecast = clone(rule).fit(pd.Series(SERIES, months[:6], name="load")).predict()
    pd.testing.assert_series_equal(forecast, pd.Series(expected, months[6:], name="load"))
    frame = clone(rule).fit(pd.DataFrame({"a": SERIES, "b": -SERIES}, months[:6])).predict()
    pd.testing.assert_frame_equal(frame, pd.DataFrame({"a": forecast, "b": -forecast}))
    assert clone(rule).fit(SERIES[:, None]).predict().shape == (3, 1)


@rules
def test_a_rule_takes_covariates_and_does_not_use_them(rule):
    X = np.random.default_rng(0).normal(size=(9, 2))
    forecaster = clone(rule).fit(X[:6], SERIES)
    np.testing.assert_array_equal(forecaster.predict(X[6:]), clone(rule).fit(SERIES).predict())
    np.testing.assert_array_equal(forecaster.predict(-X[6:]), forecaster.predict(X[6:]))


@rules
def test_a_rule_goes_on_from_new_rows(rule):
    values = np.append(SERIES, [2.0, 5.0])
    forecaster = clone(rule).fit(SERIES).update(values[6:])
    np.testing.assert_allclose(forecaster.predict(), [by_formula(rule, values, 7, h) for h in (1, 2, 3)])


@rules
def test_a_rule_is_an_estimator(rule):
    copy = clone(rule)
    assert copy.get_params() == rule.get_params()
    with pytest.raises(NotFittedError):
        copy.predict()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(copy.fit(SERIES))).predict(), copy.predict())
    assert copy.set_params(horizon=1).predict().shape == (3,)


def test_the_season_can_be_searched():
    values = np.tile([0.0, 5.0, 1.0, 2.0, 8.0], 12)
    search = GridSearchCV(
        SeasonalNaiveForecaster(horizon=10), {"season_length": [1, 3, 5, 7]}, cv=WalkForwardSplit(3, test_size=10)
    ).fit(values)
    assert search.best_params_ == {"season_length": 5}
    assert search.best_score_ == 1.0


@pytest.mark.parametrize("wrong", [0, -1, 2.5, True, "7", None])
def test_parameters_are_checked_in_fit(wrong):
    for rule in (NaiveForecaster(wrong), DriftForecaster(wrong), SeasonalNaiveForecaster(2, wrong)):
        with pytest.raises(InvalidParameterError, match=r"Forecaster: `horizon` must be an integer >= 1; got "):
            rule.fit(SERIES)
    with pytest.raises(
        InvalidParameterError, match=r"^SeasonalNaiveForecaster: `season_length` must be an integer >= 1"
    ):
        SeasonalNaiveForecaster(wrong).fit(SERIES)
    with pytest.raises(InvalidParameterError, match=r"^WindowAverageForecaster: `window` must be an integer >= 1"):
        WindowAverageForecaster(wrong).fit(SERIES)


def test_a_series_that_is_too_short():
    with pytest.raises(ValueError, match=r"^SeasonalNaiveForecaster: the series has 6 steps; need at least 7\."):
        SeasonalNaiveForecaster(7).fit(SERIES)
    with pytest.raises(ValueError, match=r"^WindowAverageForecaster: the series has 6 steps; need at least 7\."):
        WindowAverageForecaster(7).fit(SERIES)
    with pytest.raises(ValueError, match=r"^DriftForecaster: the series has 1 steps; need at least 2\."):
        DriftForecaster().fit(SERIES[:1])
    assert NaiveForecaster().fit(SERIES[:1]).predict() == [4.0]
    forecaster = SeasonalNaiveForecaster(3).fit(SERIES)
    with pytest.raises(ValueError, match=r"need at least 7"):
        forecaster.set_params(season_length=7).fit(SERIES)
    assert forecaster.predict() == [9.0]
