"""Walk-forward folds: no future in the training rows, the arithmetic of sizes, and how they behave in scikit-learn."""

import datetime
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import Ridge
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    TimeSeriesSplit,
    cross_validate,
)

from tsrnn._validation import InvalidParameterError
from tsrnn.model_selection import WalkForwardSplit
from tsrnn.windows import make_windows

MADRID = "Europe/Madrid"
sizes = st.integers(1, 30)


def folds_of(cv, X, y=None):
    return [(train.tolist(), test.tolist()) for train, test in cv.split(X, y)]


def with_params(cv, **changes):
    return WalkForwardSplit(**{**vars(cv), **changes})


def rows_at(index):
    return pd.Series(0.0, index)


def fits(cv, n):
    try:
        cv.split(range(n))
    except ValueError:
        return False
    return True


@st.composite
def splits(draw):
    """Return a splitter of whole numbers and a number of rows on which it has at least one fold."""
    test_size, stride = draw(sizes), draw(st.none() | sizes)
    gap = draw(st.integers(0, 10))
    n_splits = draw(st.none() | st.integers(1, 8))
    needed = test_size + gap + 1 + ((n_splits or 1) - 1) * (stride or test_size)
    cv = WalkForwardSplit(n_splits, test_size=test_size, max_train_size=draw(st.none() | sizes), gap=gap, stride=stride)
    return cv, needed + draw(st.integers(0, 60))


# What holds for every split


@given(splits())
@settings(max_examples=1000, deadline=None)
def test_training_rows_grow_or_slide_and_end_before_the_gap(case):
    cv, n = case
    for train, test in folds_of(cv, range(n)):
        assert train[-1] + cv.gap < test[0]
        known = test[0] - cv.gap
        assert train == list(range(known))[-(cv.max_train_size or known) :]
        assert test == list(range(test[0], test[0] + cv.test_size))


@given(splits())
@settings(max_examples=1000, deadline=None)
def test_test_blocks_walk_on_by_stride_and_end_at_the_last_row(case):
    cv, n = case
    tests = [test for _, test in folds_of(cv, range(n))]
    assert tests[-1][-1] == n - 1
    stride = cv.stride or cv.test_size
    assert all(after[0] - before[0] == stride for before, after in pairwise(tests))
    if stride >= cv.test_size:
        tested = [row for test in tests for row in test]
        assert len(tested) == len(set(tested))
    if cv.stride is None:
        assert [row for test in tests for row in test] == list(range(tests[0][0], n))


@given(splits())
@settings(max_examples=1000, deadline=None)
def test_none_gives_as_many_folds_as_leave_a_training_row(case):
    cv, n = case
    whole = with_params(cv, n_splits=None)
    folds = folds_of(whole, range(n))
    assert whole.get_n_splits(range(n)) == len(folds)
    assert folds[0][1][0] - cv.gap - (cv.stride or cv.test_size) < 1
    with pytest.raises(InvalidParameterError, match=f"at most {len(folds)} for {n} rows with .*got {len(folds) + 1}"):
        with_params(cv, n_splits=len(folds) + 1).split(range(n))
    assert folds_of(with_params(cv, n_splits=len(folds)), range(n)) == folds


@given(st.integers(1, 12), st.none() | sizes, st.none() | sizes, st.integers(0, 10), st.integers(0, 90))
@settings(max_examples=1000, deadline=None)
def test_folds_are_those_of_time_series_split(n_splits, test_size, longest, gap, more):
    n_splits = max(n_splits, 2)
    n = n_splits * (test_size or 1) + 1 + more
    peer = TimeSeriesSplit(n_splits, test_size=test_size, max_train_size=longest, gap=gap)
    cv = WalkForwardSplit(n_splits, test_size=test_size, max_train_size=longest, gap=gap)
    try:
        expected = folds_of(peer, range(n))
    except ValueError:
        with pytest.raises(ValueError, match=f"{n} rows"):
            cv.split(range(n))
    else:
        assert folds_of(cv, range(n)) == expected


@given(splits())
@settings(max_examples=300, deadline=None)
def test_splitting_changes_nothing_and_can_be_repeated(case):
    cv, n = case
    before = dict(vars(cv))
    first = folds_of(cv, range(n))
    assert first == folds_of(cv, range(n))
    assert len(first) == cv.get_n_splits(range(n)) > 0
    assert vars(cv) == before


# Sizes as offsets

SPANS = {
    "D": lambda count: f"{count}D",
    "h": lambda count: pd.Timedelta(hours=count),
    "15min": lambda count: f"{15 * count}min",
    "7D": lambda count: pd.DateOffset(weeks=count),
    "MS": pd.offsets.MonthBegin,
}


@given(splits(), st.sampled_from(list(SPANS)))
@settings(max_examples=600, deadline=None)
def test_offsets_equal_whole_numbers_on_a_regular_index(case, freq):
    cv, n = case
    data = rows_at(pd.date_range("2024-01-01", periods=n, freq=freq))
    by_time = {name: SPANS[freq](count) for name, count in vars(cv).items() if name != "n_splits" and count}
    assert folds_of(with_params(cv, **by_time), data) == folds_of(cv, data)
    assert folds_of(with_params(cv, **by_time), np.zeros(n), data) == folds_of(cv, data)


@pytest.mark.parametrize(
    "span", ["3D", datetime.timedelta(3), np.timedelta64(3, "D"), pd.Timedelta("3D"), pd.offsets.Day(3)]
)
def test_kinds_of_offset(span):
    data = rows_at(pd.date_range("2024-01-01", periods=10, freq="D"))
    expected = folds_of(WalkForwardSplit(3, test_size=3), data)
    assert folds_of(WalkForwardSplit(3, test_size=span, gap="0D"), data) == expected


@pytest.mark.parametrize(
    ("index", "span"),
    [
        (pd.date_range("2020-01-01", periods=30, freq="MS"), pd.DateOffset(months=3)),
        (pd.date_range("2020-01-31", periods=30, freq="ME"), "3ME"),
        (pd.period_range("2020-01", periods=30, freq="M"), pd.DateOffset(months=3)),
        (pd.period_range("2020-01", periods=30, freq="M"), "3MS"),
        (pd.period_range("2020-01-01", periods=30, freq="D"), "3D"),
        (pd.date_range("2020-01-01", periods=30, freq="W-WED"), "3W"),
        (pd.date_range("2020-01-01", periods=30, freq="B"), "3B"),
    ],
)
def test_calendar_offsets_equal_whole_numbers(index, span):
    data = pd.DataFrame({"a": 0.0}, index)
    expected = folds_of(WalkForwardSplit(4, test_size=3, gap=3, max_train_size=3), data)
    assert folds_of(WalkForwardSplit(4, test_size=span, gap=span, max_train_size=span), data) == expected


def test_a_week_has_seven_days_on_any_weekday():
    data = rows_at(pd.date_range("2024-01-01", "2024-01-24", freq="D"))
    assert [len(test) for _, test in WalkForwardSplit(3, test_size="1W").split(data)] == [7, 7, 7]


def test_local_days_over_the_clock_changes():
    """Days are those of the local calendar, 23 and 25 hours long; 24 hours are 24 hours."""
    load = rows_at(pd.date_range("2024-03-29", "2024-04-03", freq="30min", tz=MADRID, inclusive="left"))
    cv = WalkForwardSplit(None, test_size="1D")
    folds = list(cv.split(load))
    assert [len(test) for _, test in folds] == [48, 46, 48, 48]
    assert all(set(load.index[test].date) == {load.index[test[0]].date()} for _, test in folds)
    assert [len(test) for _, test in WalkForwardSplit(None, test_size="24h").split(load)] == [48] * 4
    assert [len(test) for _, test in WalkForwardSplit(None, test_size=pd.Timedelta("1D")).split(load)] == [48] * 4
    autumn = rows_at(pd.date_range("2024-10-25", "2024-10-29", freq="30min", tz=MADRID, inclusive="left"))
    assert [len(test) for _, test in cv.split(autumn)] == [48, 50, 48]


@pytest.mark.parametrize("span", ["1D", pd.DateOffset(days=1), pd.offsets.CustomBusinessDay(weekmask="1111111")])
@pytest.mark.parametrize(
    ("zone", "end", "n"),
    [(MADRID, "2024-04-01 02:30", 48), ("Europe/London", "2024-04-01 01:30", 48), (MADRID, "2024-10-28 02:30", 50)],
)
def test_blocks_that_begin_at_a_time_which_the_clocks_leave_out_or_repeat(span, zone, end, n):
    load = rows_at(pd.date_range("2024-01-01", end, freq="30min", tz=zone))
    ((_, test),) = WalkForwardSplit(1, test_size=span).split(load)
    assert len(test) == n
    for _, test in WalkForwardSplit(60, test_size=pd.DateOffset(minutes=30)).split(load):
        assert len(test) == 1


def test_a_utc_index_and_a_local_one_give_the_same_hours():
    utc = rows_at(pd.date_range("2024-03-29", periods=400, freq="30min", tz="UTC"))
    cv = WalkForwardSplit(None, test_size="12h", gap="90min", stride="36h", max_train_size="48h")
    assert folds_of(cv, utc) == folds_of(cv, utc.tz_convert(MADRID))


def test_irregular_trading_days():
    days = pd.bdate_range("2024-12-02", "2025-01-31").drop(["2024-12-25", "2025-01-01", "2025-01-09"])
    price = rows_at(days)
    folds = list(WalkForwardSplit(4, test_size="7D", gap="1D", max_train_size="14D").split(price))
    assert [(days[test[0]].day, days[test[-1]].day, len(test)) for _, test in folds] == [
        (6, 10, 4),  # closed on the 9th
        (13, 17, 5),
        (20, 24, 5),
        (27, 31, 5),
    ]
    for train, test in folds:
        assert days[train[-1]] < days[test[0] - 1] == days[train[-1] + 1]
        assert days[train[0]] > days[train[-1]] - pd.Timedelta("14D")
        assert train[0] == 0 or days[train[0] - 1] <= days[train[-1]] - pd.Timedelta("14D")


@given(st.lists(st.integers(1, 200), min_size=8, max_size=80), sizes, st.integers(0, 20), st.data())
@settings(max_examples=400, deadline=None)
def test_blocks_of_irregular_stamps_hold_the_rows_of_their_span(pauses, hours, gap, data):
    index = pd.Timestamp("2024-01-01") + pd.to_timedelta(np.cumsum(pauses), unit="h")
    test_size, pause = pd.Timedelta(hours=hours), pd.Timedelta(hours=gap)
    longest = data.draw(st.none() | sizes.map(lambda size: pd.Timedelta(hours=10 * size)))
    cv = WalkForwardSplit(None, test_size=test_size, gap=pause, max_train_size=longest)
    assume(index[-1] - test_size - pause - pd.Timedelta(hours=400) > index[0])
    end = len(index)
    for train, test in reversed(list(cv.split(rows_at(index)))):
        assert test[-1] == end - 1
        assert index[test].tolist() == [t for t in index[:end] if t > index[end - 1] - test_size]
        left = index[: test[0]]
        known = [t for t in left if t <= left[-1] - pause]
        if longest is not None:
            known = [t for t in known if t > known[-1] - longest]
        assert index[train].tolist() == known
        end = test[0]


def test_the_index_of_x_goes_before_that_of_y():
    daily, hourly = (rows_at(pd.date_range("2024-01-01", periods=30, freq=freq)) for freq in ("D", "h"))
    cv = WalkForwardSplit(2, test_size="2D")
    assert folds_of(cv, daily, hourly) == folds_of(cv, daily)
    with pytest.raises(ValueError, match="no training row"):
        cv.split(hourly, daily)


# Kinds of data


TABLE = np.zeros((20, 2))
WINDOWS = make_windows(np.zeros(24), lookback=4)[0]
KINDS = [TABLE, TABLE[:, 0], TABLE.tolist(), pd.DataFrame(TABLE), rows_at(list("abcdefghijklmnopqrst")), WINDOWS, None]


@pytest.mark.parametrize("X", KINDS, ids=lambda X: type(X).__name__)
def test_kinds_of_data(X):
    folds = list(WalkForwardSplit(n_splits=3).split(X, np.zeros(20), groups=[0] * 20))
    assert [(len(train), len(test)) for train, test in folds] == [(5, 5), (10, 5), (15, 5)]
    assert all(rows.dtype == np.intp for fold in folds for rows in fold)


def test_rows_are_counted_and_not_walked_through():
    many = np.broadcast_to(0.0, (10**9, 4, 2))  # in 8 bytes
    assert WalkForwardSplit(n_splits=None, test_size=10**8).get_n_splits(many) == 9


def test_the_number_of_folds_needs_rows_only_if_it_is_none():
    assert WalkForwardSplit(n_splits=7).get_n_splits() == 7
    assert WalkForwardSplit(n_splits=None, test_size=3).get_n_splits(y=range(10)) == 3
    with pytest.raises(ValueError, match=r"^WalkForwardSplit: X must be array-like of shape .*; got None"):
        WalkForwardSplit(n_splits=None, test_size=3).get_n_splits()


# In scikit-learn


def trend():
    index = pd.date_range("2024-01-01", periods=120, freq="D")
    X = pd.DataFrame({"t": np.arange(120.0), "noise": np.random.default_rng(0).normal(size=120)}, index)
    return X, 2 * X["t"] + X["noise"]


SPLITS = [WalkForwardSplit(4, gap=2), WalkForwardSplit(4, test_size="14D", gap="2D", max_train_size="30D")]
SEARCHES = [
    (GridSearchCV, {}),
    (RandomizedSearchCV, {"n_iter": 3, "random_state": 0}),
    (HalvingGridSearchCV, {"resource": "max_iter", "max_resources": 9}),
]


@pytest.mark.parametrize("cv", SPLITS, ids=["steps", "spans"])
@pytest.mark.parametrize(("search", "options"), SEARCHES)
def test_searches(cv, search, options):
    X, y = trend()
    fitted = search(Ridge(solver="lsqr"), {"alpha": [1e-3, 1e3, 1e6]}, cv=cv, **options).fit(X, y)
    assert fitted.best_params_["alpha"] == 1e-3
    assert fitted.n_splits_ == 4
    best = fitted.best_estimator_
    scores = [clone(best).fit(X.iloc[a], y.iloc[a]).score(X.iloc[b], y.iloc[b]) for a, b in cv.split(X, y)]
    found = [fitted.cv_results_[f"split{k}_test_score"][fitted.best_index_] for k in range(4)]
    np.testing.assert_allclose(found, scores, rtol=1e-12)


@pytest.mark.parametrize("cv", SPLITS, ids=["steps", "spans"])
def test_cross_validate(cv):
    X, y = trend()
    result = cross_validate(Ridge(), X, y, cv=cv, return_indices=True)
    expected = list(cv.split(X, y))
    for k, (train, test) in enumerate(expected):
        np.testing.assert_array_equal(result["indices"]["train"][k], train)
        np.testing.assert_array_equal(result["indices"]["test"][k], test)
    assert len(result["test_score"]) == 4


def test_repr_shows_the_parameters_as_scikit_learn_does():
    shown = " ".join(repr(WalkForwardSplit(test_size="7D")).split())
    assert shown == "WalkForwardSplit(gap=0, max_train_size=None, n_splits=5, stride=None, test_size='7D')"


def test_the_constructor_only_stores():
    odd = object()
    cv = WalkForwardSplit(odd, test_size=odd, max_train_size=odd, gap=odd, stride=odd)
    assert vars(cv) == dict.fromkeys(["n_splits", "test_size", "max_train_size", "gap", "stride"], odd)


# What is refused


@pytest.mark.parametrize("bad", [0, -1, 2.0, True, "a", np.nan])
def test_wrong_numbers_of_splits(bad):
    with pytest.raises(InvalidParameterError, match=r"^WalkForwardSplit: `n_splits` must be an integer >= 1; got"):
        WalkForwardSplit(bad).split(range(20))
    with pytest.raises(InvalidParameterError, match="`n_splits`"):
        WalkForwardSplit(bad).get_n_splits()


NEGATIVE = [-1, "-7D", pd.Timedelta(-1), pd.DateOffset(day=5)]
NOTHING = [0, "0D", pd.Timedelta(0), pd.DateOffset(day=1), pd.DateOffset(weekday=0)]
NO_SIZE = [2.0, True, np.nan, "abc", "7", [3], np.timedelta64("NaT")]


WRONG = [("gap", bad) for bad in [*NEGATIVE, *NO_SIZE]]
WRONG += [(name, bad) for name in ("test_size", "max_train_size", "stride") for bad in [*NEGATIVE, *NOTHING, *NO_SIZE]]


@pytest.mark.parametrize(("parameter", "bad"), WRONG, ids=repr)
def test_wrong_sizes(parameter, bad):
    least = 0 if parameter == "gap" else 1
    cv = WalkForwardSplit(2, **{"test_size": 3, parameter: bad})
    with pytest.raises(InvalidParameterError, match=rf"^WalkForwardSplit: `{parameter}` must be an integer >= {least}"):
        cv.split(rows_at(pd.date_range("2024-01-01", periods=20)))


def test_what_pandas_says_of_an_offset_is_passed_on():
    data = rows_at(pd.date_range("2024-01-01", periods=20, freq="MS"))
    with pytest.raises(InvalidParameterError, match=r"offset such as '7D'; got '3X'\. pandas says: Invalid frequency"):
        WalkForwardSplit(2, test_size="3X").split(data)


@pytest.mark.parametrize("parameter", ["test_size", "max_train_size", "stride", "gap"])
def test_offsets_need_a_time_index(parameter):
    cv = WalkForwardSplit(2, **{"test_size": 3, parameter: "2D"})
    with pytest.raises(InvalidParameterError, match=r"as neither X nor y has a DatetimeIndex or PeriodIndex") as error:
        cv.split(np.zeros(20), pd.Series(np.zeros(20)))
    assert isinstance(error.value, TypeError)
    assert f"`{parameter}` must be an integer" in str(error.value)
    assert "`X.set_index(...)`" in str(error.value)


def test_too_many_splits_name_the_greatest_number():
    with pytest.raises(InvalidParameterError) as error:
        WalkForwardSplit(9, test_size=14, gap=2).split(range(100))
    assert str(error.value) == (
        "WalkForwardSplit: `n_splits` must be at most 6 for 100 rows with test_size=14 and gap=2; got 9. "
        "Lower it, `test_size` or `gap`, or pass more rows."
    )


def test_too_many_splits_by_time_name_the_greatest_number():
    data = rows_at(pd.date_range("2024-01-01", periods=100, freq="h"))
    with pytest.raises(
        InvalidParameterError, match="at most 4 for 100 rows with stride='20h', test_size='1D' and gap=0"
    ):
        WalkForwardSplit(5, test_size="1D", stride="20h").split(data)
    assert len(folds_of(WalkForwardSplit(4, test_size="1D", stride="20h"), data)) == 4


@given(st.integers(2, 200), st.integers(1, 300), st.integers(0, 60), st.none() | sizes)
@settings(max_examples=200, deadline=None)
def test_the_number_that_is_named_works_with_the_default_test_size(n, n_splits, gap, stride):
    cv = WalkForwardSplit(n_splits, gap=gap, stride=stride)
    if fits(cv, n):
        return
    fewer = [number for number in range(1, n_splits) if fits(with_params(cv, n_splits=number), n)]
    with pytest.raises(ValueError, match=r"test_size=n_rows // \(n_splits \+ 1\)") as error:
        cv.split(range(n))
    assert (f"at most {fewer[-1]} for {n} rows" if fewer else "no training row") in str(error.value)


@pytest.mark.parametrize(
    ("n", "parameters"),
    [(5, {"test_size": 5}), (9, {"n_splits": None, "test_size": 5, "gap": 4}), (20, {"gap": 20}), (1, {}), (0, {})],
)
def test_too_few_rows_for_one_fold(n, parameters):
    cv = WalkForwardSplit(**parameters)
    with pytest.raises(
        ValueError, match=rf"^WalkForwardSplit: {n} rows leave no training row before a test block with"
    ):
        cv.split([0.0] * n)


def test_as_many_as_fit_needs_a_test_size():
    with pytest.raises(InvalidParameterError, match=r"`test_size` must be given with n_splits=None; got None"):
        WalkForwardSplit(None).split(range(20))


@pytest.mark.parametrize("test_size", [3, "3D"])
@pytest.mark.parametrize("kind", [pd.DatetimeIndex, pd.PeriodIndex])
def test_an_unsorted_time_index_names_its_row(test_size, kind):
    index = pd.date_range("2024-01-01", periods=20, freq="D")[[*range(10), 11, 10, *range(12, 20)]]
    index = index if kind is pd.DatetimeIndex else index.to_period("D")
    data = rows_at(index)
    for X, y in [(data, None), (np.zeros(20), data)]:
        with pytest.raises(ValueError, match=r"^WalkForwardSplit: the index is not increasing at row 11: 2024-01-11"):
            WalkForwardSplit(3, test_size=test_size).split(X, y)


def test_nat_in_the_time_index_names_its_row():
    index = pd.date_range("2024-01-01", periods=20).insert(5, pd.NaT)
    with pytest.raises(ValueError, match=r"^WalkForwardSplit: the index has NaT at row 5"):
        WalkForwardSplit(3).split(rows_at(index))


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        WalkForwardSplit(3).split(range(20), range(19))
