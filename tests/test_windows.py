"""Windows: cut as plain slices cut them, read as numpy reads the array, and never laid out unasked."""

import copy
import pickle
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from estimators import Foreign
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score, train_test_split

from tsrnn import InvalidParameterError, Windows, make_windows

few = st.integers(1, 7)
MEGABYTE = 1_000_000


def traced_peak(work):
    """Return the result of `work` and the most bytes that it took, beside what was there before."""
    tracemalloc.start()
    try:
        result = work()
        return result, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def same(left, right):
    """Return whether two arrays are equal to the bit, in type and in shape."""
    return (left.dtype, left.shape, left.tobytes()) == (right.dtype, right.shape, right.tobytes())


# --- make_windows ---


@st.composite
def cuts(draw):
    """Return several series, their targets (None: themselves) and the sizes of a cut that has a window in each."""
    sizes = {"lookback": draw(few), "horizon": draw(few), "gap": draw(st.integers(0, 4)), "stride": draw(few)}
    needed = sizes["lookback"] + sizes["horizon"] + sizes["gap"]
    lengths = draw(st.lists(st.integers(needed, needed + 20), min_size=1, max_size=4))
    n_features, dtype = draw(st.integers(1, 3)), draw(st.sampled_from(["float32", "float64"]))
    n_targets = draw(st.sampled_from([None, 0, 1, 2]))

    def numbered(series, length, n_columns):
        rows = 1000 * series + np.arange(length)
        return (rows if n_columns == 0 else rows[:, None] + np.arange(n_columns) / 8).astype(dtype)

    X = [numbered(i, length, n_features) for i, length in enumerate(lengths)]
    y = None if n_targets is None else [-numbered(i, length, n_targets) for i, length in enumerate(lengths)]
    return X, y, sizes


def cut_by_hand(X, y, lookback, horizon, gap, stride):
    """Return windows, targets and origins as lists, cut with plain slices."""
    windows, targets, origins = [], [], []
    for rows, values in zip(X, X if y is None else y, strict=True):
        rows, values, start = rows.tolist(), values.tolist(), 0
        while start + lookback + gap + horizon <= len(rows):
            end = start + lookback
            windows.append(rows[start:end])
            targets.append(values[end + gap : end + gap + horizon])
            origins.append(end - 1)
            start += stride
    return windows, targets, origins


@given(cuts())
@settings(max_examples=500, deadline=None)
def test_windows_and_targets_are_those_cut_by_hand(case):
    X, y, sizes = case
    windows, targets = make_windows(X, y, **sizes)
    expected, expected_targets, origins = cut_by_hand(X, y, **sizes)
    assert windows.shape == (len(expected), sizes["lookback"], X[0].shape[1])
    assert same(np.asarray(windows), np.array(expected, dtype=X[0].dtype))
    assert same(targets, np.array(expected_targets, dtype=X[0].dtype))
    assert windows.origins.tolist() == origins


@given(cuts())
@settings(max_examples=300, deadline=None)
def test_no_window_crosses_a_border(case):
    X, y, sizes = case
    windows, targets = make_windows(X, y, **sizes)
    for window, target in zip(np.asarray(windows), targets, strict=True):
        series = {int(abs(value)) // 1000 for value in [*window.ravel(), *target.ravel()]}
        assert len(series) == 1


@given(cuts())
@settings(max_examples=300, deadline=None)
def test_one_series_needs_no_list(case):
    X, y, sizes = case
    alone = make_windows(X[0], None if y is None else y[0], **sizes)
    listed = make_windows(X[:1], None if y is None else y[:1], **sizes)
    for left, right in zip(alone, listed, strict=True):
        assert same(np.asarray(left), np.asarray(right))
    assert np.shares_memory(alone[0].steps, X[0])


def test_the_example_of_the_drawing():
    for gap, expected in [(0, [5, 6]), (1, [6, 7])]:
        windows, targets = make_windows(np.arange(8.0), lookback=4, horizon=2, gap=gap)
        assert windows.origins[1] == 4
        assert windows[1][:, 0].tolist() == [1, 2, 3, 4]
        assert targets[1].tolist() == expected


FORMS = {
    "a Series": lambda rows: pd.Series(rows[:, 0]),
    "a DataFrame": lambda rows: pd.DataFrame(rows, columns=["a", "b"]),
    "a list of DataFrames": lambda rows: [pd.DataFrame(rows[:9]), pd.DataFrame(rows[9:])],
    "a tuple of Series": lambda rows: (pd.Series(rows[:9, 0]), pd.Series(rows[9:, 0])),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_pandas_data_keep_their_type_and_give_the_windows_of_their_values(form, dtype):
    rows = np.random.default_rng(0).normal(size=(20, 2)).astype(dtype)
    data = FORMS[form](rows)
    parts = [part.to_numpy() for part in data] if isinstance(data, list | tuple) else data.to_numpy()
    for left, right in zip(
        make_windows(data, lookback=3, horizon=2), make_windows(parts, lookback=3, horizon=2), strict=True
    ):
        assert same(np.asarray(left), np.asarray(right))
        assert left.dtype == dtype


def test_foreign_containers_are_read_as_arrays():
    rows = np.arange(18.0).reshape(9, 2)
    for X, y in ((rows, rows[:, 0]), (rows[:, 0], rows)):
        foreign = make_windows(Foreign(X), Foreign(y), lookback=3)
        for left, right in zip(foreign, make_windows(X, y, lookback=3), strict=True):
            assert same(np.asarray(left), np.asarray(right))


@pytest.mark.parametrize("dtype", [np.int8, np.uint64, bool, np.float16])
def test_other_numbers_become_float64(dtype):
    windows, targets = make_windows(np.arange(9).astype(dtype), lookback=2)
    assert windows.dtype == targets.dtype == np.float64


def test_rows_that_cannot_be_written_to_are_enough():
    rows = np.arange(20.0).reshape(10, 2)
    rows.flags.writeable = False
    windows, targets = make_windows(rows, lookback=3)
    targets[:] = 0
    np.asarray(windows)[:] = 0
    assert rows.tolist() == np.arange(20.0).reshape(10, 2).tolist()


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        ([np.zeros(9)] * 2, [np.zeros(9)], "X holds 2 series and y 1. Pass one y for each X"),
        (np.zeros(9), [np.zeros(9)] * 2, "X holds 1 series and y 2"),
        ([np.zeros(9), np.zeros(3)], None, "need >= 4 rows .* got 3 in series 1. Pass a longer series"),
        ([np.zeros(9), np.zeros(8)], [np.zeros(9)] * 2, r"inconsistent numbers of samples \[8, 9\] in series 1"),
        ([np.zeros((9, 2)), np.zeros((9, 1))], None, "all series in X must .* series 0 has 2, series 1 has 1"),
        ([np.zeros(9)] * 2, [np.zeros((9, 2)), np.zeros(9)], "all series in y must .* series 0 has 2, series 1 has 1"),
        (
            [pd.DataFrame(np.zeros((9, 2)), columns=names) for names in (["a", "b"], ["b", "a"])],
            None,
            r"series 0 has \['a', 'b'\], series 1 has \['b', 'a'\]",
        ),
    ],
)
def test_series_that_do_not_belong_together(X, y, message):
    with pytest.raises(ValueError, match=f"^make_windows: .*{message}"):
        make_windows(X, y, lookback=3)


# --- Windows as an array ---


@st.composite
def windows_of_any_kind(draw):
    """Return `Windows` with starts in any order, twice or never, with offsets, scales and origins or without."""
    n, lookback, n_features = draw(st.integers(1, 12)), draw(few), draw(st.integers(1, 3))
    n_steps = n + lookback - 1
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    starts = draw(st.lists(st.integers(0, n - 1), min_size=0, max_size=12))
    steps = rng.normal(size=(n_steps, n_features)).astype(draw(st.sampled_from(["float32", "float64"])))
    offsets = rng.normal(size=(len(starts), n_features)) if draw(st.booleans()) else None
    origins = rng.integers(0, 99, size=len(starts)) if draw(st.booleans()) else None
    scales = rng.uniform(0.5, 2, size=(len(starts), n_features)) if draw(st.booleans()) else None
    return Windows(steps, starts, lookback, origins=origins, offsets=offsets, scales=scales)


def by_hand(windows):
    """Return the array of `windows`, read one by one from the rows."""
    array = np.empty(windows.shape, dtype=windows.steps.dtype)
    for i, start in enumerate(windows.starts.tolist()):
        array[i] = windows.steps[start : start + windows.lookback]
        if windows.offsets is not None:
            array[i] -= windows.offsets[i]
        if windows.scales is not None:
            array[i] /= windows.scales[i]
    return array


def numbers_of(n):
    """Return a strategy for the numbers of an axis of length `n`, counted from either end."""
    return st.integers(-n, n - 1) if n else st.nothing()


def keys_of(n):
    """Return a strategy for the keys of an axis of length `n`, beside single integers."""
    masks = st.lists(st.booleans(), min_size=n, max_size=n)
    lists = st.lists(numbers_of(n), max_size=2 * n)
    return st.one_of(
        st.slices(n),
        masks.map(lambda key: np.array(key, dtype=bool)),
        lists,
        lists.map(lambda key: np.array(key, dtype=np.int32)),
    )


@given(windows_of_any_kind())
@settings(max_examples=300, deadline=None)
def test_the_array_holds_the_rows_less_the_offsets(windows):
    array = by_hand(windows)
    assert same(np.asarray(windows), array)
    assert (windows.shape, windows.ndim, windows.dtype) == (array.shape, 3, array.dtype)
    assert (len(windows), windows.nbytes) == (len(array), array.nbytes)
    assert [window.tobytes() for window in windows] == [window.tobytes() for window in array]
    assert same(np.asarray(windows, dtype="float16"), array.astype("float16"))


@given(windows_of_any_kind(), st.data())
@settings(max_examples=500, deadline=None)
def test_selecting_windows_is_selecting_from_the_array(windows, data):
    array = by_hand(windows)
    key = data.draw(keys_of(len(windows)))
    for asked in (key, (key,), (key, ...), (key, slice(None)), (key, slice(None), slice(None))):
        chosen = windows[asked]
        assert isinstance(chosen, Windows)
        assert chosen.steps is windows.steps
        assert same(np.asarray(chosen), array[asked])
        assert chosen.origins.tolist() == windows.origins[key].tolist()
    if len(windows):
        number = data.draw(numbers_of(len(windows)))
        for asked in (number, np.int16(number), np.array(number), (number, ...)):
            assert same(windows[asked], array[asked])


@given(windows_of_any_kind(), st.data())
@settings(max_examples=500, deadline=None)
def test_a_key_of_several_parts_gives_what_numpy_gives(windows, data):
    array = by_hand(windows)
    n, lookback, n_features = windows.shape
    rows = data.draw(keys_of(n) | numbers_of(n))
    step = data.draw(st.slices(lookback) | numbers_of(lookback))
    feature = data.draw(st.slices(n_features) | numbers_of(n_features) | st.just([0, 0]))
    for asked in ((rows, step), (rows, step, feature), (rows, ..., feature), (..., feature), (slice(None), step), ()):
        try:
            expected = array[asked]
        except IndexError:  # lists of different lengths
            with pytest.raises(IndexError):
                windows[asked]
        else:
            assert same(np.asarray(windows[asked]), expected)
    assert isinstance(windows[...], Windows)


@pytest.mark.parametrize("key", [True, None, 1.0, [0.0], "0", np.array([[0, 1]]), np.ones((7, 4), bool)])
def test_keys_that_select_no_windows(key):
    windows = Windows(np.zeros((10, 2)), np.arange(7), 4)
    with pytest.raises(IndexError, match="Windows: the key must be an integer, a slice, or a 1-D array of"):
        windows[key]


@pytest.mark.parametrize("key", [7, -8, [0, 7], (7, 0), (0, 4), (0, 0, 2), (0, *[slice(None)] * 3), np.ones(3, bool)])
def test_keys_out_of_bounds(key):
    with pytest.raises(IndexError):
        Windows(np.zeros((10, 2)), np.arange(7), 4)[key]


@given(windows_of_any_kind())
@settings(max_examples=300, deadline=None)
def test_covered_rows_are_those_of_some_window(windows):
    held = {row for start in windows.starts.tolist() for row in range(start, start + windows.lookback)}
    assert windows.covered().tolist() == [row in held for row in range(len(windows.steps))]


@given(windows_of_any_kind())
@settings(max_examples=50, deadline=None)
def test_copies_and_pickles_are_equal(windows):
    for other in (pickle.loads(pickle.dumps(windows)), copy.copy(windows), copy.deepcopy(windows)):
        assert same(np.asarray(other), np.asarray(windows))
        assert other.origins.tolist() == windows.origins.tolist()


def test_an_array_without_a_copy_is_refused():
    windows = Windows(np.zeros((10, 2)), np.arange(7), 4)
    with pytest.raises(ValueError, match="Windows: an array of overlapping windows cannot be made without a copy"):
        np.array(windows, copy=False)
    array = np.array(windows, copy=True)
    array[:] = 1
    assert not windows.steps.any()


def test_the_text_names_the_sizes():
    assert repr(Windows(np.zeros((10, 2)), np.arange(7), 4)) == "Windows(n_windows=7, lookback=4, n_features=2)"


def test_origins_are_the_last_rows_unless_given():
    assert Windows(np.zeros((9, 1)), [3, 0], 4).origins.tolist() == [6, 3]
    assert Windows(np.zeros((9, 1)), [3, 0], 4, origins=[50, 60]).origins.tolist() == [50, 60]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": np.zeros(10)}, r"`steps` must be 2-D \(n_steps, n_features\); got \(10,\)"),
        ({"starts": [-1, 0]}, r"`starts` must be between 0 and 6 for 10 steps and lookback=4; got \(-1, 0\)"),
        ({"starts": [0, 7]}, r"`starts` must be between 0 and 6 for 10 steps and lookback=4; got \(0, 7\)"),
        ({"starts": [0.5, 1]}, "`starts` must be a 1-D array of integers"),
        ({"starts": [True, False]}, "`starts` must be a 1-D array of integers"),
        ({"starts": [[0, 1]]}, "`starts` must be a 1-D array of integers"),
        ({"lookback": 11}, "`starts` must be between 0 and -1 for 10 steps and lookback=11"),
        ({"lookback": 0}, "`lookback` must be an integer >= 1; got 0"),
        ({"origins": [1]}, r"`origins` must be of shape \(2,\)"),
        ({"origins": [0.5, 1.5]}, "`origins` must be a 1-D array of integers"),
        ({"offsets": [0.0, 0.0]}, r"`offsets` must be of shape \(2, 3\); got \(2,\)"),
        ({"offsets": np.zeros((1, 3))}, r"`offsets` must be of shape \(2, 3\); got \(1, 3\)"),
        ({"scales": np.ones((1, 3))}, r"`scales` must be of shape \(2, 3\); got \(1, 3\)"),
    ],
)
def test_parts_that_do_not_fit_together(change, message):
    parts = {"steps": np.zeros((10, 3)), "starts": [0, 1], "lookback": 4} | change
    with pytest.raises(InvalidParameterError, match=f"^Windows: {message}"):
        Windows(**parts)


def test_no_windows_over_too_few_rows():
    assert np.asarray(Windows(np.zeros((2, 3)), [], 5)).shape == (0, 5, 3)


# --- memory ---


def test_windows_of_a_million_steps_stay_small():
    rows = np.zeros((1_000_000, 8), dtype=np.float32)
    rows[5, 3] = 1
    (windows, _), peak = traced_peak(lambda: make_windows(rows, rows[:, 0], lookback=200))
    assert windows.shape == (999_800, 200, 8)
    assert windows.nbytes == 999_800 * 200 * 8 * 4
    assert peak < 100 * MEGABYTE
    _, peak = traced_peak(lambda: (windows[::2], windows[np.arange(0, 999_800, 3)], windows[5], windows[:9, -1, 0]))
    assert peak < 20 * MEGABYTE


@pytest.mark.parametrize("with_offsets", [False, True])
def test_an_array_of_windows_takes_its_own_size_once(with_offsets):
    windows = Windows(np.ones((20_000, 3)), np.arange(15_000), 90)
    if with_offsets:
        windows = Windows(windows.steps, windows.starts, 90, offsets=np.ones((15_000, 3)))
    array, peak = traced_peak(lambda: np.asarray(windows))
    assert array.flags.c_contiguous
    assert peak < 1.05 * windows.nbytes


@pytest.mark.fault("F11")
def test_an_array_beyond_the_machine_is_refused_before_it_is_made():
    rows = np.broadcast_to(np.float64(0), (1_000_000, 8))
    windows, peak = traced_peak(lambda: Windows(rows, np.arange(900_001), 100_000))
    assert peak < 20 * MEGABYTE
    tracemalloc.start()
    with pytest.raises(MemoryError, match=r"^Windows: this array would take 5364.4 GiB; the machine has \d.* lower"):
        np.asarray(windows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MEGABYTE


# --- in scikit-learn ---


class RidgeOnWindows(RegressorMixin, BaseEstimator):
    def __init__(self, alpha=1.0):
        self.alpha = alpha

    def fit(self, X, y):
        assert isinstance(X, self.kind)
        flat = np.asarray(X).reshape(len(X), -1)
        self.coef_ = np.linalg.solve(flat.T @ flat + self.alpha * np.eye(flat.shape[1]), flat.T @ y)
        return self

    def predict(self, X):
        return np.asarray(X).reshape(len(X), -1) @ self.coef_


class LazyRidge(RidgeOnWindows):
    kind = Windows


class ArrayRidge(RidgeOnWindows):
    kind = np.ndarray


@pytest.fixture(scope="module")
def samples():
    rows = np.random.default_rng(0).normal(size=(60, 2)).cumsum(axis=0)
    windows, targets = make_windows(rows, rows[:, 0], lookback=5)
    return windows, targets[:, 0]


@pytest.mark.parametrize("shuffle", [False, True])
def test_train_test_split(samples, shuffle):
    windows, y = samples
    lazy = train_test_split(windows, y, shuffle=shuffle, random_state=0 if shuffle else None)
    plain = train_test_split(np.asarray(windows), y, shuffle=shuffle, random_state=0 if shuffle else None)
    assert isinstance(lazy[0], Windows)
    assert isinstance(lazy[1], Windows)
    for left, right in zip(lazy, plain, strict=True):
        assert same(np.asarray(left), np.asarray(right))


def test_cross_validation_and_grid_search(samples):
    windows, y = samples
    array, cv = np.asarray(windows), KFold(4, shuffle=True, random_state=0)
    scores = cross_val_score(LazyRidge(), windows, y, cv=cv)
    assert scores.tolist() == cross_val_score(ArrayRidge(), array, y, cv=cv).tolist()
    assert len(set(scores)) == 4
    lazy, plain = (
        GridSearchCV(ridge, {"alpha": [0.1, 1e3]}, cv=cv).fit(X, y)
        for ridge, X in ((LazyRidge(), windows), (ArrayRidge(), array))
    )
    assert lazy.cv_results_["mean_test_score"].tolist() == plain.cv_results_["mean_test_score"].tolist()
    assert lazy.predict(windows).tolist() == plain.predict(array).tolist()
