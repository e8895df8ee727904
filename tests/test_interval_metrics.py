"""Measures of intervals, with values worked by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tsrnn import InvalidParameterError, interval_coverage, interval_score

TRUE, LOWER, UPPER = [5.0, 12.0, 1.0, 8.0], [3.0, 6.0, 2.0, 8.0], [7.0, 10.0, 4.0, 9.0]


def test_the_score_by_hand():
    # Widths 4, 4, 2, 1; outside by 0, 2, 1, 0, at 2 / 0.1 = 20 each.
    assert interval_score(TRUE, LOWER, UPPER, coverage=0.9) == pytest.approx((4 + 44 + 22 + 1) / 4, rel=1e-12)
    assert interval_score(TRUE, LOWER, UPPER, coverage=0.5) == pytest.approx((4 + 12 + 6 + 1) / 4, rel=1e-12)


def test_the_coverage_by_hand():
    assert interval_coverage(TRUE, LOWER, UPPER) == 0.5
    assert interval_coverage([3.0, 7.0], [3.0, 3.0], [7.0, 7.0]) == 1.0  # the ends belong to it


def test_the_true_interval_has_the_best_score():
    y = np.random.default_rng(0).normal(size=20000)
    for coverage in (0.5, 0.9):
        end = stats.norm.ppf(0.5 + coverage / 2)
        scores = [
            interval_score(y, np.full(20000, -end * width), np.full(20000, end * width), coverage=coverage)
            for width in (0.8, 1.0, 1.25)
        ]
        assert min(scores) == scores[1]


def test_outputs_and_weights_as_in_the_other_measures():
    true, lower, upper = (np.column_stack([values, np.zeros(4)]) for values in (TRUE, LOWER, UPPER))
    raw = interval_score(true, lower, upper, coverage=0.9, multioutput="raw_values")
    np.testing.assert_allclose(raw, [71 / 4, 0])
    assert interval_score(true, lower, upper, coverage=0.9) == pytest.approx(71 / 8)
    assert interval_score(true, lower, upper, coverage=0.9, multioutput=[3, 1]) == pytest.approx(3 * 71 / 16)
    assert interval_coverage(true, lower, upper, multioutput="raw_values").tolist() == [0.5, 1.0]
    weights = [0, 1, 0, 1]
    assert interval_score(TRUE, LOWER, UPPER, coverage=0.9, sample_weight=weights) == pytest.approx((44 + 1) / 2)
    assert interval_coverage(TRUE, LOWER, UPPER, sample_weight=[3, 1, 0, 0]) == 0.75


@pytest.mark.parametrize("kind", [list, np.array, pd.Series])
def test_kinds_of_data(kind):
    assert interval_coverage(kind(TRUE), kind(LOWER), kind(UPPER)) == 0.5
    assert type(interval_score(kind(TRUE), kind(LOWER), kind(UPPER), coverage=0.9)) is float


def test_what_is_refused():
    for wrong in (0, 1, 90, "0.9", None):
        with pytest.raises(
            InvalidParameterError, match=r"^interval_score: `coverage` must be a number in \(0, 1\); got"
        ):
            interval_score(TRUE, LOWER, UPPER, coverage=wrong)
    words = r": `lower` exceeds `upper` at row 1, column 0: 6 and 5\. Swap them"
    with pytest.raises(ValueError, match="^interval_score" + words):
        interval_score(TRUE, LOWER, [7.0, 5.0, 4.0, 9.0], coverage=0.9)
    with pytest.raises(ValueError, match="^interval_coverage" + words):
        interval_coverage(TRUE, LOWER, [7.0, 5.0, 4.0, 9.0])
    with pytest.raises(ValueError, match=r"y_true and upper must have the same shape; got \(4,\) and \(3,\)"):
        interval_coverage(TRUE, LOWER, UPPER[:3])
    with pytest.raises(ValueError, match=r"Input lower contains NaN \(first at row 0"):
        interval_coverage(TRUE, [np.nan, *LOWER[1:]], UPPER)
