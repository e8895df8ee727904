"""Folds of a panel: those of its moments, with the rows of all series."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsrnn import WalkForwardSplit

DAYS = pd.date_range("2024-01-01", periods=12, freq="D")


def panel(**days):
    """Rows of several series, each with the days of these numbers."""
    pairs = [(name, DAYS[day]) for name, numbers in days.items() for day in numbers]
    return pd.DataFrame({"value": np.arange(len(pairs))}, index=pd.MultiIndex.from_tuples(pairs))


def numbered(**lengths):
    """Rows of several series that end together, each numbered from 0."""
    pairs = [(name, number) for name, length in lengths.items() for number in range(length)]
    return pd.Series(np.arange(len(pairs)), index=pd.MultiIndex.from_tuples(pairs))


def folds_of(cv, *data):
    return [(train.tolist(), test.tolist()) for train, test in cv.split(*data)]


def attempt(cv, data):
    """Return the folds, or the words by which they are refused."""
    try:
        return folds_of(cv, data)
    except ValueError as error:
        return str(error)


@given(
    st.lists(st.sets(st.integers(0, 11), min_size=1), min_size=1, max_size=4), st.sampled_from([2, "2D"]), st.randoms()
)
@settings(max_examples=60, deadline=None)
def test_rows_are_those_of_the_moments_of_a_fold(series, size, shuffler):
    rows = panel(**{f"series {number}": sorted(days) for number, days in enumerate(series)})
    order = list(range(len(rows)))
    shuffler.shuffle(order)
    rows = rows.iloc[order]
    stamps = rows.index.get_level_values(1)
    moments = pd.Series(0, index=sorted(set(stamps)))
    cv = WalkForwardSplit(2, test_size=size, gap=1)
    expected, found = attempt(cv, moments), attempt(cv, rows)
    if isinstance(expected, str):
        assert found == expected
        return
    for fold, fold_of_moments in zip(found, expected, strict=True):
        for part, numbers in zip(fold, fold_of_moments, strict=True):
            chosen = set(moments.index[numbers])
            assert part == [row for row, stamp in enumerate(stamps) if stamp in chosen]


def test_a_panel_written_out():
    rows = panel(a=range(6), b=range(3, 6))
    assert folds_of(WalkForwardSplit(2, test_size=1), rows) == [
        ([0, 1, 2, 3, 6], [4, 7]),
        ([0, 1, 2, 3, 4, 6, 7], [5, 8]),
    ]
    with_gap = WalkForwardSplit(1, test_size=2, gap=1, max_train_size=2)
    assert folds_of(with_gap, rows) == [([1, 2], [4, 5, 7, 8])]


def test_numbers_are_counted_back_from_the_end_of_each_series():
    rows = numbered(a=6, b=3)
    expected = [([0, 1, 2, 3, 6], [4, 7]), ([0, 1, 2, 3, 4, 6, 7], [5, 8])]
    assert folds_of(WalkForwardSplit(2, test_size=1), rows) == expected
    assert folds_of(WalkForwardSplit(2, test_size=1), rows.iloc[::-1].iloc[::-1]) == expected


def test_numbers_of_series_that_stand_between_each_other():
    pairs = [("b", 0), ("a", 0), ("a", 1), ("b", 1), ("a", 2)]
    rows = pd.Series(0, index=pd.MultiIndex.from_tuples(pairs))
    assert folds_of(WalkForwardSplit(2, test_size=1), rows) == [([1], [0, 2]), ([0, 1, 2], [3, 4])]


def test_series_may_have_names_of_several_levels():
    rows = pd.concat({("x", "a"): numbered(a=4).droplevel(0), ("x", "b"): numbered(a=3).droplevel(0)})
    assert rows.index.nlevels == 3
    assert folds_of(WalkForwardSplit(1, test_size=2), rows) == [([0, 1, 4], [2, 3, 5, 6])]


def test_the_index_may_be_that_of_y():
    rows = panel(a=range(6), b=range(3, 6))
    X = np.zeros((len(rows), 2))
    cv = WalkForwardSplit(2, test_size="1D")
    assert folds_of(cv, X, rows["value"]) == folds_of(cv, rows) == folds_of(cv, rows, rows["value"])
    assert folds_of(cv, pd.DataFrame(X), rows["value"]) == folds_of(cv, rows)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        cv.split(X[1:], rows)


def test_the_number_of_folds():
    rows = panel(a=range(6), b=range(3, 8))
    assert WalkForwardSplit(None, test_size=3).get_n_splits(rows) == 2
    assert WalkForwardSplit(None, test_size=2).get_n_splits(None, rows) == 3
    assert WalkForwardSplit(4).get_n_splits() == 4


@pytest.mark.parametrize("data", [({"a": DAYS},), (None, {"a": DAYS}), (np.zeros(9), {})])
@pytest.mark.parametrize("method", ["split", "get_n_splits"])
def test_dicts_are_no_rows(data, method):
    with pytest.raises(TypeError) as error:
        getattr(WalkForwardSplit(None, test_size=1), method)(*data)
    assert str(error.value) == (
        "WalkForwardSplit: a dict of series has no row numbers. Pass rows with a MultiIndex (series, time), as "
        "`pd.concat` makes them of the dict, or use `backtest`."
    )
