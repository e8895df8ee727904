"""Skill, OWA and the Diebold-Mariano test: numbers by hand, and how often the test errs under the null hypothesis."""

import numpy as np
import pytest
from scipy import stats

from tsrnn import (
    InvalidParameterError,
    diebold_mariano,
    mean_absolute_scaled_error,
    overall_weighted_average,
    skill_score,
    symmetric_mean_absolute_percentage_error,
)

# Skill


def test_skill_by_hand():
    assert skill_score(3, 4) == 0.25
    assert skill_score(8, 4) == -1
    assert skill_score(0, 4) == 1
    np.testing.assert_array_equal(skill_score([3, 4], [4, 4]), [0.25, 0])
    assert type(skill_score(np.float64(3), 4)) is float


@pytest.mark.parametrize(("error", "reference"), [(-1, 4), (1, 0), (1, -4), ([1, 1], [1, 0])])
def test_errors_that_have_no_skill(error, reference):
    with pytest.raises(
        ValueError, match=r"^skill_score: `error` must not be below 0, and `reference` must be above it"
    ):
        skill_score(error, reference)
    with pytest.raises(ValueError, match=r"^skill_score: Input reference contains NaN"):
        skill_score(1, np.nan)


# OWA


def test_owa_by_hand():
    # Errors 1, 2 and 2, 4; MASE 0.5 of the reference's. sMAPE (2/9 + 4/18) / 2 and (4/8 + 8/20) / 2.
    result = overall_weighted_average([5, 8], [4, 10], y_reference=[3, 12], y_train=[1, 3, 2, 5])
    assert result == pytest.approx((0.5 + (2 / 9 + 4 / 18) / (4 / 8 + 8 / 20)) / 2, rel=1e-12)


def test_owa_averages_the_series_before_it_divides():
    true, pred, reference = ([[5, 7], [8, 30]], [[4, 7], [10, 20]], [[3, 8], [12, 25]])
    train = [[1, 0], [3, 10], [2, 20], [5, -20]]
    smape = [symmetric_mean_absolute_percentage_error(true, other) for other in (pred, reference)]
    mase = [mean_absolute_scaled_error(true, other, y_train=train, season_length=2) for other in (pred, reference)]
    result = overall_weighted_average(true, pred, y_reference=reference, y_train=train, season_length=2)
    assert result == pytest.approx((smape[0] / smape[1] + mase[0] / mase[1]) / 2, rel=1e-12)
    assert overall_weighted_average(true, reference, y_reference=reference, y_train=train) == 1
    assert overall_weighted_average(true, true, y_reference=reference, y_train=train) == 0


def test_owa_needs_a_reference_that_errs():
    with pytest.raises(ValueError, match=r"^overall_weighted_average: the sMAPE of `y_reference` is 0"):
        overall_weighted_average([5, 8], [4, 10], y_reference=[5, 8], y_train=[1, 3, 2])


# The Diebold-Mariano test


def test_one_step_by_hand():
    # Differences -1, -2, 0, -3, 1: mean -1, variance 10 / 5 = 2, statistic -1 / sqrt(2 / 5) * sqrt((5 + 1 - 2) / 5).
    result = diebold_mariano([1, 1, 1, 1, 2], [2, 3, 1, 4, 1])
    assert result.statistic == pytest.approx(-np.sqrt(2.5) * np.sqrt(0.8), rel=1e-12)
    assert result.p_value == pytest.approx(2 * stats.t.cdf(-np.sqrt(2), 4), rel=1e-12)
    # It is the t-test of the differences.
    assert result == pytest.approx(tuple(stats.ttest_1samp([-1, -2, 0, -3, 1], 0)), rel=1e-12)


def test_several_steps_by_hand():
    # Differences 1, 2, 3, 4, 0, 2: mean 2; covariances (1 + 0 + 1 + 4 + 4 + 0) / 6 and (0 + 0 + 2 - 4 + 0) / 6.
    differences = np.array([1.0, 2, 3, 4, 0, 2])
    variance = (10 / 6 + 2 * -2 / 6) / 6
    correction = (6 + 1 - 4 + 2 * 1 / 6) / 6
    result = diebold_mariano(differences + 1, np.ones(6), horizon=2)
    assert result.statistic == pytest.approx(2 / np.sqrt(variance) * np.sqrt(correction), rel=1e-12)
    assert result.p_value == pytest.approx(2 * stats.t.sf(result.statistic, 5), rel=1e-12)


def test_the_other_way_round_changes_the_sign():
    rng = np.random.default_rng(0)
    one, other = rng.exponential(size=(2, 40))
    result, turned = diebold_mariano(one, other, horizon=3), diebold_mariano(other, one, horizon=3)
    assert result.statistic == -turned.statistic
    assert result.p_value == turned.p_value


def test_a_variance_that_is_not_positive_takes_falling_weights():
    # Covariances 1 and -0.75: 1 - 2 * 0.75 < 0; with weight 1/2, 1 - 0.75.
    differences = np.array([2.0, 0, 2, 0])
    result = diebold_mariano(differences, np.zeros(4), horizon=2)
    assert result.statistic == pytest.approx(1 / np.sqrt(0.25 / 4) * np.sqrt((4 + 1 - 4 + 2 / 4) / 4), rel=1e-12)


def test_losses_that_always_differ_by_the_same():
    assert diebold_mariano([1.0, 2, 3], [1.0, 2, 3]) == (0, 1)
    assert diebold_mariano([1.1, 2.1, 3.1], [1.0, 2, 3]) == (np.inf, 0)
    assert diebold_mariano([1.0, 2, 3], [1.1, 2.1, 3.1]) == (-np.inf, 0)


@pytest.mark.parametrize(("horizon", "n"), [(1, 12), (1, 50), (4, 50)])
def test_the_test_keeps_its_size(horizon, n):
    """Two equally good forecasts, errors correlated over `horizon` - 1 steps: 5 % false alarms, within reason."""
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(2, 2000, n + horizon - 1))
    errors = np.lib.stride_tricks.sliding_window_view(noise, horizon, axis=2).sum(axis=3)
    rejected = [diebold_mariano(*pair, horizon=horizon).p_value < 0.05 for pair in zip(*errors**2, strict=True)]
    assert 0.03 < np.mean(rejected) < 0.09
    if horizon > 1:  # a test that takes overlapping forecasts for independent ones cries wolf
        naive = [diebold_mariano(*pair).p_value < 0.05 for pair in zip(*errors**2, strict=True)]
        assert np.mean(naive) > 0.15


def test_what_is_refused():
    with pytest.raises(InvalidParameterError, match=r"^diebold_mariano: `horizon` must be an integer >= 1; got 0"):
        diebold_mariano([1, 2], [2, 1], horizon=0)
    with pytest.raises(ValueError, match=r"^diebold_mariano: 3 origins; horizon=3 needs at least 4\."):
        diebold_mariano([1, 2, 3], [2, 1, 1], horizon=3)
    with pytest.raises(ValueError, match=r"must be of the same origins; got 2 and 3\."):
        diebold_mariano([1, 2], [2, 1, 1])
    with pytest.raises(ValueError, match=r"`losses` must be of shape \(n_origins,\); got \(2, 2\)"):
        diebold_mariano([[1, 2], [3, 4]], [2, 1])
    with pytest.raises(ValueError, match=r"Input reference_losses contains NaN"):
        diebold_mariano([1, 2], [2, np.nan])
