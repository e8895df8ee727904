"""Measures of a forecast, with values worked by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import mean_absolute_error, mean_absolute_percentage_error

from tsrnn import metrics
from tsrnn._validation import InvalidParameterError
from tsrnn.metrics import (
    mean_absolute_scaled_error,
    root_mean_squared_scaled_error,
    symmetric_mean_absolute_percentage_error,
)

SCALED = [mean_absolute_scaled_error, root_mean_squared_scaled_error]

# Two outputs. Training changes: 2, -1, 3 and 10, 10, -40. Errors: 1, -2 and 0, 10.
TRAIN = [[1, 0], [3, 10], [2, 20], [5, -20]]
TRUE = [[5, 7], [8, 30]]
PRED = [[4, 7], [10, 20]]


def call(metric, true, pred, **options):
    if metric in SCALED:
        options.setdefault("y_train", [1.0, 3.0, 2.0, 5.0])
    return metric(true, pred, **options)


every_metric = pytest.mark.parametrize("metric", [getattr(metrics, name) for name in metrics.__all__])


# Values


def test_mase_by_hand():
    # (|1| + |-2|) / 2 = 1.5, by (2 + 1 + 3) / 3 = 2
    assert mean_absolute_scaled_error([5, 8], [4, 10], y_train=[1, 3, 2, 5]) == 0.75


def test_rmsse_by_hand():
    # sqrt((1 + 4) / 2), by sqrt((4 + 1 + 9) / 3)
    result = root_mean_squared_scaled_error([5, 8], [4, 10], y_train=[1, 3, 2, 5])
    assert result == pytest.approx(np.sqrt(2.5 / (14 / 3)), rel=1e-15)


def test_smape_by_hand():
    # 2·1/9, 2·2/18, 2·4/4 (signs differ), 0/0 counts as 0, 2·3/3
    result = symmetric_mean_absolute_percentage_error([5, 8, -1, 0, 0], [4, 10, 3, 0, 3])
    assert result == pytest.approx((2 / 9 + 2 / 9 + 2 + 0 + 2) / 5, rel=1e-15)


def test_smape_is_a_fraction_as_in_scikit_learn():
    small = symmetric_mean_absolute_percentage_error([100.0], [100.1])
    assert small == pytest.approx(mean_absolute_percentage_error([100.0], [100.1]), rel=1e-3)


@pytest.mark.parametrize(
    ("metric", "expected"), [(mean_absolute_scaled_error, 0.5), (root_mean_squared_scaled_error, 0.5)]
)
def test_a_season_compares_with_the_step_one_season_ago(metric, expected):
    # Changes over 2 steps: 4, 4, 4, 4; errors 2, 2.
    assert metric([9, 9], [7, 11], y_train=[0, 50, 4, 54, 8, 58], season_length=2) == expected


def test_columns_are_outputs():
    # Scales 2 and 20; errors 1.5 and 5
    options = {"y_train": TRAIN, "multioutput": "raw_values"}
    np.testing.assert_allclose(mean_absolute_scaled_error(TRUE, PRED, **options), [0.75, 0.25], rtol=1e-15)
    # Scales sqrt(14/3) and sqrt(600); errors sqrt(2.5) and sqrt(50)
    expected = [np.sqrt(2.5 / (14 / 3)), np.sqrt(50 / 600)]
    np.testing.assert_allclose(root_mean_squared_scaled_error(TRUE, PRED, **options), expected, rtol=1e-15)
    # 2/9 and 4/18; 0 and 20/50
    result = symmetric_mean_absolute_percentage_error(TRUE, PRED, multioutput="raw_values")
    np.testing.assert_allclose(result, [2 / 9, 0.2], rtol=1e-15)


@every_metric
def test_outputs_are_averaged_as_scikit_learn_does(metric):
    options = {"y_train": TRAIN} if metric in SCALED else {}
    raw = metric(TRUE, PRED, multioutput="raw_values", **options)
    assert raw.shape == (2,)
    assert metric(TRUE, PRED, **options) == pytest.approx(raw.mean(), rel=1e-15)
    assert metric(TRUE, PRED, multioutput=[3, 1], **options) == pytest.approx((3 * raw[0] + raw[1]) / 4, rel=1e-15)


@every_metric
def test_weights_count_rows_several_times(metric):
    weighted = call(metric, [5.0, 8.0, 2.0], [4.0, 10.0, 2.5], sample_weight=[1, 3, 0])
    assert weighted == pytest.approx(call(metric, [5.0, 8.0, 8.0, 8.0], [4.0, 10.0, 10.0, 10.0]), rel=1e-15)


@every_metric
def test_a_perfect_forecast_has_no_error_and_a_float_is_returned(metric):
    result = call(metric, [5, 8, 0], [5, 8, 0])
    assert result == 0.0
    assert type(result) is float
    raw = call(metric, [5, 8], [5, 8], multioutput="raw_values")
    assert raw.shape == (1,)


@every_metric
@pytest.mark.parametrize("kind", [list, np.asarray, pd.Series, lambda y: np.reshape(y, (-1, 1)), pd.DataFrame])
def test_kinds_of_data(metric, kind):
    options = {"y_train": kind([1.0, 3.0, 2.0, 5.0])} if metric in SCALED else {}
    assert metric(kind([5.0, 8.0]), kind([4.0, 10.0]), **options) == call(metric, [5.0, 8.0], [4.0, 10.0])


values = arrays(np.float64, st.integers(1, 20), elements=st.floats(-1e3, 1e3).map(lambda x: round(x, 3)))


@given(values, st.floats(0.01, 100), st.randoms(use_true_random=False))
@settings(max_examples=300, deadline=None)
def test_no_metric_depends_on_the_unit(true, factor, random):
    pred = true + [random.choice([-1.0, 0.5, 2.0]) for _ in true]
    train = np.array([0.0, 3.0, 1.0])
    for metric in SCALED:
        scaled = metric(factor * true, factor * pred, y_train=factor * train)
        assert scaled == pytest.approx(metric(true, pred, y_train=train), rel=1e-9)
    smape = symmetric_mean_absolute_percentage_error
    assert smape(factor * true, factor * pred) == pytest.approx(smape(true, pred), rel=1e-9)
    assert 0 <= smape(true, pred) <= 2
    assert smape(true, pred) == smape(pred, true)


@given(values)
@settings(max_examples=200, deadline=None)
def test_mase_is_the_mean_absolute_error_by_its_scale(true):
    train = [0.0, 3.0, 1.0, 9.0]
    expected = mean_absolute_error(true, np.zeros_like(true)) / ((3 + 2 + 8) / 3)
    assert mean_absolute_scaled_error(true, np.zeros_like(true), y_train=train) == pytest.approx(expected, rel=1e-12)


# What is refused


@every_metric
@pytest.mark.parametrize("name", ["y_true", "y_pred", "y_train", "sample_weight"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_missing_and_infinite_values(metric, name, bad):
    if name == "y_train" and metric not in SCALED:
        return
    options = {"y_true": [1.0, 2.0], "y_pred": [1.0, 2.0], name: [1.0, bad]}
    true, pred = options.pop("y_true"), options.pop("y_pred")
    problem = "NaN" if np.isnan(bad) else "infinity"
    with pytest.raises(ValueError, match=rf"^{metric.__name__}: Input {name} contains {problem}.*\(first at row 1"):
        call(metric, true, pred, **options)


@every_metric
def test_shapes_must_agree(metric):
    with pytest.raises(ValueError, match=rf"^{metric.__name__}: y_true and y_pred .* got \(3,\) and \(2,\)\."):
        call(metric, [1.0, 2.0, 3.0], [1.0, 2.0])
    with pytest.raises(ValueError, match=r"got \(2,\) and \(2, 2\)"):
        call(metric, [1.0, 2.0], [[1.0, 2.0], [1.0, 2.0]])


@every_metric
@pytest.mark.parametrize("name", ["sample_weight", "multioutput"])
@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        ([1.0, 1.0, 1.0], r"must hold 2 weights, shape \(2,\); got shape \(3,\)"),
        ([[1.0], [1.0]], r"must hold 2 weights, shape \(2,\); got shape \(2, 1\)"),
        (3.0, r"must hold 2 weights, shape \(2,\); got shape \(\)"),
        ([1.0, -1.0], "holds a negative weight"),
        ([0.0, 0.0], "holds only weights of zero"),
    ],
)
def test_wrong_weights(metric, name, bad, problem):
    with pytest.raises(ValueError, match=rf"^{metric.__name__}: `{name}` {problem}"):
        call(metric, TRUE, PRED, **{"y_train": TRAIN} if metric in SCALED else {}, **{name: bad})


@every_metric
def test_an_unknown_average_suggests_the_nearest(metric):
    with pytest.raises(InvalidParameterError, match=r"`multioutput` must be one of .*Did you mean 'raw_values'\?"):
        call(metric, [1.0], [1.0], multioutput="raw_value")


@pytest.mark.parametrize("metric", SCALED)
@pytest.mark.parametrize("bad", [0, -1, 1.5, True, "7"])
def test_wrong_season_lengths(metric, bad):
    with pytest.raises(
        InvalidParameterError, match=rf"^{metric.__name__}: `season_length` must be an integer >= 1; got"
    ):
        call(metric, [1.0], [1.0], season_length=bad)


@pytest.mark.parametrize("metric", SCALED)
def test_a_training_series_shorter_than_a_season(metric):
    with pytest.raises(
        ValueError, match=rf"^{metric.__name__}: y_train has 4 steps; season_length=4 needs at least 5\."
    ):
        call(metric, [1.0], [1.0], season_length=4)
    assert call(metric, [1.0], [5.0], season_length=3) == 1.0


@pytest.mark.parametrize("metric", SCALED)
def test_outputs_of_the_training_series(metric):
    with pytest.raises(ValueError, match=r"y_train must have as many outputs as y_true, 2; got 1\."):
        call(metric, TRUE, PRED)


@pytest.mark.parametrize("metric", SCALED)
@pytest.mark.parametrize("level", [0.0, 7.0, 0.1])
def test_a_constant_training_series(metric, level):
    train = np.c_[np.arange(5.0), np.full(5, level)]
    with pytest.raises(ValueError, match=rf"^{metric.__name__}: y_train is constant, .* in column 1: the naive rule"):
        metric(TRUE, PRED, y_train=train)


@pytest.mark.parametrize("metric", SCALED)
def test_a_training_series_that_repeats_itself(metric):
    wave = np.sin(2 * np.pi * np.arange(96) / 24)
    assert 0 < np.abs(wave[24:] - wave[:-24]).max() < 1e-14
    with pytest.raises(ValueError, match="repeats itself each season, in column 0"):
        metric([0.0], [1.0], y_train=wave, season_length=24)
    assert metric([0.0], [1.0], y_train=wave) > 0


@pytest.mark.parametrize("metric", SCALED)
def test_small_changes_on_a_high_level_count(metric):
    assert metric([1e9], [1e9 + 0.5], y_train=1e9 + np.arange(4) * 0.25) == 2.0
