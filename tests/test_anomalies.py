"""Rows that a forecaster did not expect: what a score is made of, what it knows, and how often it is wrong."""

import numpy as np
import pandas as pd
import pytest
from estimators import make
from sklearn.base import clone, is_outlier_detector
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge

from tsrnn import (
    DriftForecaster,
    ForecastAnomalyDetector,
    Forecaster,
    GRURegressor,
    InvalidParameterError,
    SeasonalNaiveForecaster,
    anomalies,
)

L, H, N = 5, 3, 400
RNG = np.random.default_rng(0)
DAYS = pd.date_range("2024-01-01", periods=N, freq="D")
WALK = pd.Series(RNG.normal(size=N).cumsum(), index=DAYS, name="load")
BOTH = pd.DataFrame({"a": WALK, "b": 100 + 30 * RNG.normal(size=N).cumsum()})


def ridge(false_alarm_rate=0.1, **values):
    forecaster = Forecaster(**{"regressor": Ridge(), "lookback": L, "horizon": H, **values})
    return ForecastAnomalyDetector(forecaster, false_alarm_rate=false_alarm_rate)


def ar(rng, n):
    """A series with a memory: y' = 0.8 y + noise."""
    values = rng.normal(size=n)
    for i in range(1, n):
        values[i] += 0.8 * values[i - 1]
    return values


def mean_errors(forecaster, rows, t):
    """Errors (H, n_targets) of the means of the last 1, ..., H rows up to row t, one forecast after the other."""
    errors = []
    for w in range(1, H + 1):
        ahead = forecaster.predict_origins(rows, origins=[t - w], n_steps=w)[0]
        errors.append(np.abs(rows[t - w + 1 : t + 1].mean(axis=0) - ahead.mean(axis=0)))
    return np.array(errors)


# What a score is made of


def test_scores_by_hand():
    rows = BOTH.to_numpy()
    detector = ridge().fit(rows)
    copy = Forecaster(Ridge(), lookback=L, horizon=H).fit(rows[:300])
    errors = [[mean_errors(copy, rows, t)[w - 1] for t in range(299 + w, 350)] for w in range(1, H + 1)]
    scale = np.array([np.sort(each, axis=0)[int(np.ceil((len(each) + 1) * 0.9)) - 1] for each in errors])
    np.testing.assert_allclose(detector.scale_, scale)
    worst = np.sort([(mean_errors(copy, rows, t) / scale).max() for t in range(350, 400)])
    np.testing.assert_allclose(-detector.offset_, worst[int(np.ceil((50 + np.sqrt(H)) * 0.9)) - 1])
    np.testing.assert_allclose(-detector.neutral_score_, np.median(worst))
    assert detector.n_calibration_ == 50
    expected = [-(mean_errors(detector.forecaster_, rows, t) / scale).max() for t in range(L + H - 1, N)]
    scores = detector.score_samples(rows)
    np.testing.assert_allclose(scores[L + H - 1 :], expected)
    np.testing.assert_array_equal(scores[:L], detector.neutral_score_)
    # Row L is forecast from one origin only, one step ahead.
    np.testing.assert_allclose(-scores[L], _first_step(detector, rows))


def _first_step(detector, rows):
    ahead = detector.forecaster_.predict_origins(rows, origins=[L - 1], n_steps=1)[0, 0]
    return (np.abs(rows[L] - ahead) / detector.scale_[0]).max()


def test_the_first_rows_of_the_threshold_are_judged_with_all_their_steps():
    """A spike in the row before them is part of their means, and the greatest of these is the threshold."""
    rows = np.random.default_rng(5).normal(size=N)
    rows[349] += 1000
    detector = ForecastAnomalyDetector(SeasonalNaiveForecaster(60, H), false_alarm_rate=0.04).fit(rows)
    assert detector.offset_ < -50


def test_decisions_and_labels_follow_from_scores():
    detector = ridge().fit(BOTH[:300])
    scores = detector.score_samples(BOTH[300:])
    pd.testing.assert_series_equal(detector.decision_function(BOTH[300:]), scores - detector.offset_)
    labels = detector.predict(BOTH[300:])
    np.testing.assert_array_equal(labels, np.where(scores < detector.offset_, -1, 1))
    assert set(labels) == {-1, 1}


def test_blocks_of_origins_change_nothing(monkeypatch):
    expected = ridge().fit(WALK).score_samples(WALK)
    monkeypatch.setattr(anomalies, "BLOCK", 7)
    pd.testing.assert_series_equal(ridge().fit(WALK).score_samples(WALK), expected)


@pytest.mark.parametrize("horizon", [1, 8])
def test_a_spike_is_found_where_it_is(horizon):
    rng = np.random.default_rng(3)
    detector = ridge(0.02, horizon=horizon).fit(ar(rng, 1200))
    rows = ar(rng, 300)
    rows[200] += 10
    scores = detector.score_samples(rows)
    assert scores.argmin() in range(200, 201 + (horizon > 1) * L)
    assert scores[200] < 1.5 * detector.offset_


def test_an_odd_shape_is_found_by_the_mean_of_its_steps():
    """A shift of eight rows, each of which noise alone might shift as far: only their mean tells it."""
    rng = np.random.default_rng(4)
    season = np.tile(np.sin(2 * np.pi * np.arange(20) / 20), 200)
    rows = season + rng.normal(size=len(season))
    later = np.arange(3100, 3900, 80)
    rows[(later[:, None] + np.arange(8)).ravel()] += 2.5
    found = {}
    for horizon in (1, 8):
        detector = ForecastAnomalyDetector(SeasonalNaiveForecaster(20, horizon), false_alarm_rate=0.01)
        labels = detector.fit(rows[:3000]).predict(rows[3000:])
        found[horizon] = (labels[later - 3000 + 7] == -1).sum()
    assert found[8] >= 8
    assert found[1] <= 4


@pytest.mark.parametrize(("horizon", "rate"), [(1, 0.1), (1, 0.02), (6, 0.1)])
def test_normal_rows_are_called_anomalies_as_often_as_asked_for(horizon, rate):
    """Of one row of each of 200 simulated series, within the binomial band that chance leaves once in a thousand."""
    rng, alarms, count = np.random.default_rng(1), 0, 200
    for _ in range(count):
        values = ar(rng, 840)
        detector = ridge(rate, horizon=horizon).fit(values[:800])
        alarms += detector.predict(values[800:])[-1] == -1
    assert abs(alarms / count - rate) < 3.29 * np.sqrt(rate * (1 - rate) / count)


def test_what_is_always_forecast_exactly_leaves_any_deviation():
    detector = ridge().fit(np.full(200, 7.0))
    rows = np.full(30, 7.0)
    np.testing.assert_array_equal(detector.predict(rows), 1)
    rows[20] += 1e-3
    labels = detector.predict(rows)
    assert labels[20] == -1
    np.testing.assert_array_equal(labels[:20], 1)


# What a score knows


@pytest.mark.parametrize("options", [{}, {"strategy": "recursive"}, {"missing": "interpolate"}], ids=str)
@pytest.mark.parametrize("t", [0, 4, 5, 60])
def test_later_rows_change_no_earlier_score(options, t):
    rows = BOTH[300:].copy()
    detector = ridge(**options).fit(BOTH[:300])
    if "missing" in options:
        rows.iloc[[10, 11, 62]] = np.nan
    before = detector.score_samples(rows)
    rows.iloc[t + 1 :] += 1e6
    after = detector.score_samples(rows)
    np.testing.assert_array_equal(after[: t + 1], before[: t + 1])
    assert after.iloc[t + 1] < before.iloc[t + 1]


def test_later_past_covariates_change_no_earlier_score():
    X = pd.DataFrame({"wind": RNG.normal(size=N)}, index=DAYS)
    detector = ridge(past_covariates=["wind"]).fit(X[:300], WALK[:300])
    before = detector.score_samples(X[300:], WALK[300:])
    later = X[300:].copy()
    later.iloc[50:] += 1e6
    after = detector.score_samples(later, WALK[300:])
    np.testing.assert_array_equal(after[:51], before[:51])
    assert after.iloc[51] != before.iloc[51]


@pytest.mark.parametrize(
    "forecaster", [Forecaster(Ridge(), lookback=L, horizon=H), DriftForecaster(H)], ids=["", "drift"]
)
def test_rows_that_continue_the_fit_are_forecast_from_it(forecaster):
    detector = ForecastAnomalyDetector(forecaster, false_alarm_rate=0.1).fit(WALK[:300])
    whole = detector.score_samples(WALK)[300:]
    pd.testing.assert_series_equal(detector.score_samples(WALK[300:]), whole)
    pd.testing.assert_series_equal(detector.score_samples(WALK[300:301]), whole[:1], check_freq=False)
    if isinstance(forecaster, Forecaster):
        for rows in (WALK[301:], WALK[300:].to_numpy()):
            np.testing.assert_array_equal(detector.score_samples(rows)[:L], detector.neutral_score_)
            np.testing.assert_allclose(detector.score_samples(rows)[L + H :], whole[-len(rows) :][L + H :])
    detector.forecaster_.update(WALK[300:350])
    pd.testing.assert_series_equal(detector.score_samples(WALK[350:]), whole[50:])


def test_an_array_proves_no_continuation():
    detector = ridge().fit(WALK[:300].to_numpy())
    follows = WALK[300:].set_axis(pd.RangeIndex(300, N))
    np.testing.assert_array_equal(detector.score_samples(follows)[:L], detector.neutral_score_)


@pytest.mark.parametrize("policy", ["interpolate", "drop"])
def test_missing_values_are_no_anomalies(policy):
    holed = WALK.copy()
    holed.iloc[[30, 31, 200, 330, 380]] = np.nan
    detector = ridge(missing=policy).fit(holed)
    scores = detector.score_samples(holed)
    assert np.isfinite(scores).all()
    np.testing.assert_array_equal(scores.iloc[[30, 31, 200, 380]], detector.neutral_score_)
    assert scores.iloc[40] != detector.neutral_score_


# Forms


def test_forms():
    assert isinstance(ridge().fit(WALK.to_numpy()).predict(WALK.to_numpy()), np.ndarray)
    labels = ridge().fit(BOTH).predict(BOTH)
    pd.testing.assert_index_equal(labels.index, DAYS)
    assert labels.name == "anomaly"
    array = ridge().fit(BOTH.to_numpy()).predict(BOTH.to_numpy())
    np.testing.assert_array_equal(labels, array)
    pd.testing.assert_series_equal(ridge().fit_predict(BOTH), labels)


def test_any_of_several_targets_makes_an_anomaly():
    detector = ridge().fit(BOTH)
    spoilt = BOTH.copy()
    spoilt.iloc[200, 0] += 50  # a little of what "b" moves
    changed = detector.score_samples(spoilt)
    assert changed.iloc[200] < 3 * detector.offset_
    assert detector.scale_.shape == (H, 2)
    assert (detector.scale_[:, 1] > 10 * detector.scale_[:, 0]).all()


@pytest.mark.parametrize("strategy", ["direct", "recursive"])
def test_covariates_reach_fit_and_prediction(strategy):
    X = pd.DataFrame({"sun": RNG.normal(size=N)}, index=DAYS)
    y = 10 * X["sun"] + RNG.normal(size=N)
    detector = ridge(strategy=strategy)
    labels = detector.fit_predict(X, y)
    assert detector.n_features_in_ == 1
    pd.testing.assert_series_equal(labels, detector.predict(X, y))
    assert (detector.scale_ < 5).all()
    assert np.isfinite(detector.score_samples(X, y)).all()
    shuffled = X.copy()
    shuffled.iloc[200] += 10
    assert detector.predict(shuffled, y).iloc[200] == -1


def test_panels():
    panel = {"x": WALK, "y": 1000 * WALK[:300] + RNG.normal(scale=500, size=300)}
    detector = ridge().fit(panel)
    scores, labels = detector.score_samples(panel), detector.predict(panel)
    assert list(scores) == list(labels) == ["x", "y"]
    assert (detector.scale_["y"] > 100 * detector.scale_["x"]).all()
    assert detector.n_calibration_ == 50 + 38
    rows = pd.concat(panel, names=["series", "time"])
    long = ridge().fit(rows).score_samples(rows)
    assert long.index.names == ["series", "time"]
    pd.testing.assert_series_equal(long.loc["y"], scores["y"], check_names=False, check_freq=False)
    decisions = detector.decision_function({"x": WALK})
    pd.testing.assert_series_equal(decisions["x"], scores["x"] - detector.offset_)
    early = ridge().fit({"x": WALK[:300]})
    pd.testing.assert_series_equal(
        early.score_samples({"x": WALK[300:]})["x"], early.score_samples({"x": WALK})["x"][300:]
    )


def test_a_network_finds_a_spike():
    wave = np.sin(np.arange(500) / 3)
    forecaster = Forecaster(make(GRURegressor, epochs=5), lookback=8, horizon=2)
    detector = ForecastAnomalyDetector(forecaster, false_alarm_rate=0.05).fit(wave)
    wave[300] += 3
    assert detector.score_samples(wave).argmin() in {300, 301}


# The contract


def test_it_is_an_outlier_detector_that_leaves_its_parameters_alone():
    detector = ridge(0.2)
    assert is_outlier_detector(detector)
    other = clone(detector)
    assert other.false_alarm_rate == 0.2
    assert other.forecaster is not detector.forecaster
    detector.fit(WALK)
    assert not hasattr(detector.forecaster, "index_")
    before = detector.score_samples(WALK)
    detector.set_params(forecaster__horizon=1, false_alarm_rate=0.5)
    pd.testing.assert_series_equal(detector.score_samples(WALK), before)


def test_a_failed_fit_leaves_the_one_before():
    detector = ridge().fit(WALK)
    before = detector.score_samples(WALK)
    with pytest.raises(ValueError, match="at least"):
        detector.fit(WALK[:40])
    pd.testing.assert_series_equal(detector.score_samples(WALK), before)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ridge(0).fit(WALK), InvalidParameterError, r"`false_alarm_rate` must be a number in \(0, 1\); got 0"),
        (lambda: ridge(1.0).fit(WALK), InvalidParameterError, "`false_alarm_rate` must be"),
        (
            lambda: ForecastAnomalyDetector(Ridge()).fit(WALK),
            InvalidParameterError,
            "ForecastAnomalyDetector: `forecaster` must be a forecaster of this package; got Ridge",
        ),
        (lambda: ridge(0.01).fit(WALK), ValueError, "horizon=3 need at least 172 rows in the last eighth .* has 50"),
        (lambda: ridge().fit({"x": WALK}).predict({"y": WALK}), ValueError, "the series 'y' is not known"),
        (lambda: ridge().predict(WALK), NotFittedError, "not fitted"),
        (lambda: ridge().fit(BOTH).predict(WALK), ValueError, "1 targets, but it was fitted on 2"),
    ],
)
def test_what_is_wrong_is_said(call, error, message):
    with pytest.raises(error, match=message):
        call()
