"""Bad input, row by row of the table of what can go wrong: the error, its words, and that nothing else has changed.

A case is (row, words, call, error, pattern). `call` takes the fitted estimators; `{owner}` in a pattern is who refuses.
Whatever is wrong, no global state changes, no file appears, and every fitted estimator predicts what it did before.
"""
# ruff: noqa: ARG005 - every call takes the fitted estimators, whether it needs them or not

import copy
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from bad_input import rows, same_world
from sklearn.exceptions import DataConversionWarning, NotFittedError

from tsrnn import (
    GRURegressor,
    InvalidParameterError,
    LSTMRegressor,
    SequenceScaler,
    SimpleRNNRegressor,
    Windows,
    WindowTransformer,
    make_windows,
)
from tsrnn.model_selection import WalkForwardSplit

N = 12
RNG = np.random.default_rng(0)
TABLE, SEQUENCES, Y = RNG.normal(size=(N, 4)), RNG.normal(size=(N, 4, 2)), RNG.normal(size=N)
HOURS = pd.date_range("2024-01-01", periods=N, freq="h")
FRAME = pd.DataFrame(RNG.normal(size=(N, 3)), index=HOURS, columns=list("abc"))


def tiny(regressor=LSTMRegressor):
    return regressor(2, epochs=1, random_state=0)


def targets(X):
    return Y if X is None or np.ndim(X) == 0 else Y[: np.shape(X)[0]]


# Who can receive X. The estimators were fitted before: a fit that fails must leave that fit as it was.

READ_X = {
    "LSTMRegressor.fit": lambda f, X: f.table.fit(X, targets(X)),
    "LSTMRegressor.predict": lambda f, X: f.table.predict(X),
    "SequenceScaler.fit": lambda f, X: f.scaler_of_tables.fit(X),
    "WindowTransformer.fit": lambda f, X: f.windows.fit(X),
    "WindowTransformer.transform": lambda f, X: f.windows.transform(X),
    "make_windows": lambda f, X: make_windows(X, lookback=3),
}
READ_TABLES = READ_X | {"make_windows for y": lambda f, y: make_windows(TABLE, y, lookback=3)}
READ_FRAMES = READ_TABLES | {
    "LSTMRegressor.fit": lambda f, X: f.frame.fit(X, targets(X)),
    "LSTMRegressor.predict": lambda f, X: f.frame.predict(X),
    "SequenceScaler.fit": lambda f, X: f.scaler_of_frames.fit(X),
    "SequenceScaler.transform": lambda f, X: f.scaler_of_frames.transform(X),
    "WindowTransformer.fit": lambda f, X: f.windows_of_frames.fit(X),
    "WindowTransformer.transform": lambda f, X: f.windows_of_frames.transform(X),
}
READ_SEQUENCES = {
    "LSTMRegressor.fit": lambda f, X: f.lstm.fit(X, targets(X)),
    "LSTMRegressor.partial_fit": lambda f, X: f.lstm.partial_fit(X, targets(X)),
    "LSTMRegressor.predict": lambda f, X: f.lstm.predict(X),
    "GRURegressor.fit": lambda f, X: f.gru.fit(X, targets(X)),
    "SimpleRNNRegressor.predict": lambda f, X: f.simple.predict(X),
    "SequenceScaler.fit": lambda f, X: f.scaler.fit(X),
    "SequenceScaler.transform": lambda f, X: f.scaler.transform(X),
    "SequenceScaler.inverse_transform": lambda f, X: f.scaler.inverse_transform(X),
}
READ_Y = {
    "LSTMRegressor.fit": lambda f, y: f.lstm.fit(SEQUENCES, y),
    "LSTMRegressor.partial_fit": lambda f, y: f.lstm.partial_fit(SEQUENCES, y),
    "GRURegressor.fit": lambda f, y: f.gru.fit(SEQUENCES, y),
    "SimpleRNNRegressor.fit": lambda f, y: f.simple.fit(SEQUENCES, y),
    "make_windows": lambda f, y: make_windows(TABLE, y, lookback=3),
}


def among(readers, *parts):
    """Return those of `readers` that have one of `parts` in their name."""
    return {name: read for name, read in readers.items() if any(part in name for part in parts)}


def to_all(readers, row, words, value, error, pattern):
    """Return a case for each of `readers`: it gets `value`."""
    return [
        (row, f"{words}: {name}", lambda f, read=read: read(f, value), error,
         pattern.replace("{owner}", name.split(".")[0].split(" ")[0]))
        for name, read in readers.items()
    ]  # fmt: skip


def case(row, words, call, error, pattern):
    return [(row, words, call, error, pattern)]


ONLY_2D = among(READ_X, "Regressor", "Scaler", "Transformer")
ROWS_IN = among(READ_X, "Transformer", "make_windows")
FITTED_TABLES, FITTED_FRAMES, FITTED = (
    among(readers, "predict", "transform") for readers in (READ_X, READ_FRAMES, READ_SEQUENCES)
)


def spoilt(array, *values):
    """Return a copy of `array` with `values` at row 3 and after, in the second column."""
    array = array.astype(object if isinstance(values[0], dict | str) else float)
    for i, value in enumerate(values):
        array[(3 + i, *(1,) * (array.ndim - 1))] = value
    return array


def both(row, words, change, error, pattern):
    """Return the cases of a `change` to tables and to sequences."""
    tables, sequences = change(TABLE), change(SEQUENCES)
    cases = to_all(READ_TABLES, row, f"{words} (2-D)", tables, error, pattern)
    return cases + to_all(READ_SEQUENCES, row, f"{words} (3-D)", sequences, error, pattern)


def column(row, words, values, error, pattern):
    return to_all(READ_FRAMES, row, words, FRAME.assign(b=values), error, pattern)


def index(row, words, stamps, error, pattern):
    readers = among(READ_FRAMES, "WindowTransformer", "make_windows")
    return to_all(readers, row, words, FRAME.set_axis(stamps, axis=0), error, f"^{{owner}}: the index {pattern}")


def split(row, words, cv, error, pattern, data=(TABLE,)):
    return case(row, f"{words}: WalkForwardSplit", lambda f: list(cv.split(*data)), error, pattern)


def parameter(row, name, value):
    """Return the cases of an integer >= 1 (gap: 0) that `value` is not."""
    calls = {"make_windows": lambda f: make_windows(TABLE, **{"lookback": 2, name: value})}
    if name == "lookback":
        calls["WindowTransformer"] = lambda f: f.windows.set_params(lookback=value).fit(TABLE)
        calls["Windows"] = lambda f: Windows(TABLE, [0], value)
    pattern = f": `{name}` must be an integer >= {int(name != 'gap')}; got {value!r}"
    return [
        (row, f"{name}={value!r}: {who}", call, InvalidParameterError, f"^{who}{pattern}")
        for who, call in calls.items()
    ]  # fmt: skip


def hours_of_a_changing_clock(day):
    """Return local times without their zone, of hours that are regular in it."""
    return pd.date_range(day, periods=N, freq="h", tz="Europe/Madrid").tz_localize(None)


WHO = "^{owner}: "
REMEDY = r".*\. Fill or drop such rows first"
FINITE = r".* \(first at row 3, column ([01]|'b')\)" + REMEDY
NO_NUMBER = r"^float\(\) argument must be a string or a (real )?number, not 'dict'"
A_TIME = "(Input [Xy]|column 'b') is (datetime64|period).*, a datetime. Pass it as the index."
NO_TIME = "(Input [Xy]|column 'b') is (timedelta64|category).*Turn it into numbers first"
WORDS = "not numeric. Convert it with `pd.to_numeric`|^could not convert string to float"
STAMPS = np.arange(N * 8).astype("datetime64[h]")
TIMES = {3: STAMPS.reshape(N, 4, 2), 2: STAMPS[: N * 4].reshape(N, 4), 1: STAMPS[:N]}
WINDOWS = Windows(TABLE[:, :2], np.arange(8), 4)

CASES = [
    *to_all(READ_X, 1, "X None", None, ValueError, WHO + "X must be array-like.*; got None"),
    *to_all(among(READ_SEQUENCES, "GRU", "Simple", "inverse"), 1, "X None", None, ValueError,
            WHO + "X must be array-like.*; got None"),
    *split(1, "X None", WalkForwardSplit(2), ValueError, "^WalkForwardSplit: X must be array-like", (None,)),
    *to_all(among(READ_Y, "Regressor"), 2, "y None", None, ValueError, "^{owner} requires y .* the target y is None"),
    *to_all(ONLY_2D, 3, "X 1-D", Y, ValueError, "Reshape your data"),
    *to_all(ONLY_2D, 3, "a Series", FRAME["a"], ValueError, "Pass a DataFrame containing .* a single column"),
    *to_all(READ_SEQUENCES, 4, "X 4-D", SEQUENCES[..., None], ValueError, WHO + "expected a 2-D or 3-D array.*4-D one"),
    *to_all(ROWS_IN, 4, "X 4-D", SEQUENCES[..., None], ValueError, "dim 4, while dim <= 2 is required by {owner}"),
    *to_all(ROWS_IN, 4, "X 3-D", SEQUENCES, ValueError, "dim 3, while dim <= 2 is required by {owner}"),
    *both(5, "no rows", lambda X: X[:0], ValueError, r"0 sample\(s\) \(shape=\(0, .*minimum of 1 is .*{owner}"),
    *split(5, "no rows", WalkForwardSplit(2), ValueError, "WalkForwardSplit: 0 rows leave no train", (TABLE[:0],)),
    *both(6, "no columns", lambda X: X[..., :0], ValueError, r"0 feature\(s\) \(shape=\(12, .*minimum .*{owner}"),
    *to_all(READ_SEQUENCES, 6, "no steps", SEQUENCES[:, :0], ValueError, r"0 feature\(s\) \(shape=\(12, 0, 2\)\)"),
    *to_all(READ_TABLES, 7, "a sparse matrix", sp.csr_matrix(TABLE), TypeError, "^Sparse data was passed for [Xy]"),
    *to_all(READ_TABLES, 7, "a sparse array", sp.coo_array(TABLE), TypeError, "^Sparse data was passed for [Xy]"),
    *both(8, "complex", lambda X: X + 1j, ValueError, "^Complex data not supported"),
    *both(10, "objects, one a dict", lambda X: spoilt(X, {}), TypeError, NO_NUMBER),
    *both(11, "text", lambda X: X.astype(str), ValueError, WHO + "Input [Xy] is text .*not numeric. Convert it with"),
    *both(11, "bytes", lambda X: X.astype("S5"), ValueError, WHO + "Input [Xy] is text .*not numeric. Convert it with"),
    *both(11, "objects, one a word", lambda X: spoilt(X, "a"), ValueError, "^could not convert string to float: 'a'"),
    *column(11, "a column of words", list("abcdefghijkl"), ValueError, WORDS),
    *column(12, "a column of times", HOURS, TypeError, WHO + A_TIME),
    *both(12, "an array of times", lambda X: TIMES[X.ndim], TypeError, WHO + A_TIME),
    *both(12, "lists of times", lambda X: [list(row) for row in TIMES[X.ndim]], TypeError, WHO + A_TIME),
    *column(13, "a column of times with a zone", HOURS.tz_localize("UTC"), TypeError, WHO + A_TIME),
    *column(14, "a column of spans", HOURS - HOURS[0], TypeError, WHO + NO_TIME),
    *column(14, "a column of periods", HOURS.to_period("h"), TypeError, WHO + A_TIME),
    *column(14, "a column of categories", pd.Categorical([1, 2] * 6), TypeError, WHO + NO_TIME),
    *both(14, "an array of spans", lambda X: TIMES[X.ndim] - STAMPS[0], TypeError, WHO + NO_TIME),
    *both(15, "NaN (16: predict)", lambda X: spoilt(X, np.nan), ValueError, WHO + "Input . contains NaN" + FINITE),
    *column(15, "NaN in a column", FRAME["b"].where(FRAME.index != HOURS[3]), ValueError, "[Xy] contains NaN" + FINITE),
    *to_all(READ_SEQUENCES, 16, "NaN in Windows", Windows(spoilt(TABLE[:, :2], np.nan), np.arange(8), 4), ValueError,
            WHO + "Input X contains NaN" + FINITE),
    *to_all(READ_SEQUENCES, 16, "NaN in offsets", Windows(TABLE[:, :2], [0, 1], 4, offsets=[[0, 0], [0, np.nan]]),
            ValueError, WHO + "Input X, its offsets, contains NaN"),
    *both(17, "inf", lambda X: spoilt(X, np.inf), ValueError, WHO + "Input [Xy] contains infinity.*" + FINITE),
    *both(17, "inf and -inf", lambda X: spoilt(X, np.inf, -np.inf), ValueError, WHO + "Input [Xy] contains infinity"),
    *to_all(READ_Y, 18, "NaN in y", spoilt(Y, np.nan), ValueError, WHO + "Input y contains NaN .first at row 3"),
    *to_all(READ_Y, 18, "inf in y", spoilt(Y, -np.inf, np.inf), ValueError, WHO + "Input y contains infinity"),
    *column(19, "pd.NA", pd.array([1.0, 2.0, 3.0, None] * 3, dtype="Float64"), ValueError, "contains NaN" + FINITE),
    *to_all(READ_SEQUENCES, 20, "1e39", spoilt(SEQUENCES, 1e39), ValueError, "a value too large for dtype.'float32'"),
    *to_all(ONLY_2D, 20, "-1e39", spoilt(TABLE, -1e39), ValueError, "a value too large for dtype.'float32'"),
    *to_all(READ_Y, 21, "y too short", Y[:5], ValueError, r"inconsistent numbers of samples:? \[12, 5\]"),
    *split(21, "y too short", WalkForwardSplit(2), ValueError, r"numbers of samples: \[12, 5\]", (TABLE, Y[:5])),
    *case(23, "score", lambda f: f.lstm.score(SEQUENCES, np.c_[Y, Y]), ValueError, r"different number of output"),
    *case(23, "partial_fit", lambda f: f.lstm.partial_fit(SEQUENCES, np.c_[Y, Y]), ValueError,
          "^LSTMRegressor: y has 2 outputs, but it was fitted on 1"),
    *to_all(READ_Y, 24, "y of words", list("abcdefghijkl"), ValueError, WHO + "Input y is text .*not numeric"),
    *to_all(READ_Y, 24, "y of numbers as text", Y.astype(str), ValueError, WHO + "Input y is text .*not numeric"),
    *to_all(READ_Y, 24, "y of words as objects", spoilt(Y, "a"), ValueError, "^could not convert string to float: 'a'"),
    *to_all(READ_Y, 24, "y of times", HOURS.to_series(), TypeError, WHO + A_TIME),
    *to_all(READ_Y, 24, "y of times with a zone", pd.Series(HOURS.tz_localize("UTC")), TypeError, WHO + A_TIME),
    *to_all(READ_Y, 24, "y of spans", STAMPS[:N] - STAMPS[0], TypeError, WHO + NO_TIME),
    *to_all(READ_Y, 24, "y of categories", pd.Series(pd.Categorical([1, 2] * 6)), TypeError, WHO + NO_TIME),
    *to_all(READ_Y, 24, "columns of y, one of times", FRAME.assign(b=HOURS), TypeError, WHO + A_TIME),
    *to_all(FITTED_TABLES, 25, "a column too few", TABLE[:, :3], ValueError,
            "^X has 3 features, but {owner} is expecting 4 features"),
    *to_all(FITTED, 26, "a step too few", SEQUENCES[:, 1:], ValueError,
            WHO + "X has windows of length 3, .* length 4. Cut the windows with lookback=4"),
    *to_all(FITTED, 26, "Windows too long", Windows(TABLE[:, :2], [0, 1], 5), ValueError,
            WHO + "X has windows of length 5, .* length 4. Cut"),
    *to_all(FITTED | among(READ_SEQUENCES, "partial_fit"), 27, "a channel too many", np.zeros((5, 4, 3)), ValueError,
            "^X has 3 features, but {owner} is expecting 2 features"),
    *to_all(FITTED, 27, "Windows of a channel too many", Windows(TABLE, [0, 1], 4), ValueError,
            "^X has 4 features, but {owner} is expecting 2 features"),
    *to_all(FITTED_FRAMES, 28, "columns in another order", FRAME[["b", "a", "c"]], ValueError,
            "^The feature names should match.*\n.*same order"),
    *to_all(FITTED_FRAMES, 28, "a column by another name", FRAME.rename(columns={"a": "z"}), ValueError,
            "(?s)^The feature names should match.*unseen at fit time:\n- z"),
    *to_all(READ_FRAMES, 29, "a name twice", FRAME.set_axis(["a", "b", "a"], axis=1), ValueError,
            WHO + "duplicate column 'a'. Rename or drop one"),
    *to_all(READ_FRAMES, 30, "names of two types", FRAME.set_axis(["a", 1, 2], axis=1), TypeError,
            WHO + r"feature names only support names that are all strings; got \['int', 'str'\]. Pass"),
    *[c for name in ("predict", "score") for model in (LSTMRegressor, GRURegressor, SimpleRNNRegressor) for c in case(
        31, f"{name} before fit: {model.__name__}",
        lambda f, call=name, model=model: getattr(tiny(model), call)(*[SEQUENCES, Y][: 1 + (call == "score")]),
        NotFittedError, f"^This {model.__name__} instance is not fitted yet")],
    *case(31, "model_ before fit", lambda f: tiny().model_, NotFittedError, "LSTMRegressor instance is not fitted yet"),
    *case(31, "transform before fit", lambda f: WindowTransformer().transform(TABLE), NotFittedError, "^This WindowTr"),
    *case(31, "transform before fit ", lambda f: SequenceScaler().transform(TABLE), NotFittedError, "^This Sequence"),
    *case(31, "inverse before fit", lambda f: SequenceScaler().inverse_transform(TABLE), NotFittedError, "^This Seq"),
    *to_all(READ_SEQUENCES, 32, "no Windows", WINDOWS[:0], ValueError, r"0 sample\(s\) \(shape=\(0, 4, 2\)\).*"),
    *[c for value in (0, -1, 2.5, True, "7", None) for c in parameter(33, "lookback", value)],
    *[c for value in (0, -1, 2.5, True, "7") for c in parameter(34, "horizon", value)],
    *case(35, "too few rows", lambda f: make_windows(TABLE[:4], lookback=4, horizon=2, gap=1), ValueError,
          "^make_windows: need >= 7 rows for one window and its target, got 4 in series 0. Pass a longer series"),
    *case(36, "one row too few", lambda f: make_windows(TABLE, lookback=10, horizon=3), ValueError, "need >= 13 rows"),
    *[c for value in (0, -1, 2.5) for c in parameter(37, "stride", value)],
    *[c for value in (-1, 0.5, True, "7") for c in parameter(38, "gap", value)],
    *split(38, "gap=-1", WalkForwardSplit(2, gap=-1), InvalidParameterError, "`gap` must be an integer >= 0; got -1"),
    *split(39, "too many folds", WalkForwardSplit(12), InvalidParameterError,
           "^WalkForwardSplit: `n_splits` must be at most 11 for 12 rows with .*; got 12. Lower it"),
    *[c for name in ("test_size", "max_train_size") for value in (0, -1, 2.5) for c in split(
        40, f"{name}={value}", WalkForwardSplit(2, **{name: value}), InvalidParameterError,
        f"^WalkForwardSplit: `{name}` must be an integer >= 1.*; got {value}")],
    *index(43, "two rows exchanged", HOURS[[0, 2, 1, *range(3, N)]], ValueError, "is not increasing at row 2: .*Sort"),
    *index(43, "periods backwards", HOURS.to_period("h")[::-1], ValueError, "is not increasing at row 1: .* Sort"),
    *index(43, "numbers backwards", pd.RangeIndex(N, 0, -1), ValueError, "is not increasing at row 1: 11 follows 12"),
    *split(43, "rows backwards", WalkForwardSplit(2), ValueError, "WalkForwardSplit: .*not increas", (FRAME[::-1],)),
    *index(44, "each stamp twice", HOURS[:6].repeat(2), ValueError, "has 6 duplicates, the first one 2024-01-01 00:00"),
    *index(44, "each number twice", pd.Index([*range(6)] * 2).sort_values(), ValueError, "has 6 duplicates, .*one 0"),
    *index(46, "NaT", HOURS[:-1].append(pd.DatetimeIndex([pd.NaT])), ValueError, "has NaT at row 11. Drop such rows"),
    *index(47, "local time, clocks back", hours_of_a_changing_clock("2024-10-27"), ValueError,
           r"has 1 duplicate, the first one 2024-10-27 02:00:00.* `tz_localize\(.*ambiguous='infer'"),
    *index(51, "two levels", pd.MultiIndex.from_product([["a", "b"], range(6)]), TypeError, "has 2 levels.*one by"),
]  # fmt: skip


# What looks bad and works. A call returns two results that must be equal.

WORKS = [
    (9, "objects", lambda f: (f.lstm.fit(SEQUENCES.astype(object), Y.astype(object)).predict(SEQUENCES),
                              f.lstm.predict(SEQUENCES.astype(object)))),
    (9, "objects in a frame", lambda f: (f.windows_of_frames.transform(FRAME.astype(object)),
                                         f.windows_of_frames.transform(FRAME))),
    (17, "sums that overflow", lambda f: (f.windows.transform(np.full((N, 4), 3e38)),
                                          np.full((N, 3, 4), np.float32(3e38)))),
    (20, "1e39 in float64", lambda f: (make_windows(np.full(4, 1e39), lookback=3)[1], [[1e39]])),
    (33, "a numpy integer", lambda f: (f.windows.set_params(lookback=np.int64(3)).fit_transform(TABLE),
                                       f.windows.transform(TABLE))),
    (36, "exactly enough rows", lambda f: (make_windows(TABLE, lookback=10, horizon=2)[0], TABLE[None, :10])),
    (37, "a stride beyond the end", lambda f: (make_windows(TABLE, lookback=10, stride=99)[0], TABLE[None, :10])),
    (45, "irregular stamps", lambda f: (f.windows_of_frames.transform(FRAME.drop(HOURS[5])),
                                        f.windows_of_frames.transform(FRAME.drop(HOURS[5]).reset_index(drop=True)))),
]  # fmt: skip


@pytest.fixture(scope="module")
def fitted():
    return SimpleNamespace(
        lstm=tiny().fit(SEQUENCES, Y),
        gru=tiny(GRURegressor).fit(SEQUENCES, Y),
        simple=tiny(SimpleRNNRegressor).fit(SEQUENCES, Y),
        table=tiny().fit(TABLE, Y),
        frame=tiny().fit(FRAME, Y),
        scaler=SequenceScaler().fit(SEQUENCES),
        scaler_of_tables=SequenceScaler().fit(TABLE),
        scaler_of_frames=SequenceScaler().fit(FRAME),
        windows=WindowTransformer(3).fit(TABLE),
        windows_of_frames=WindowTransformer(3).fit(FRAME),
    )


def answers(fitted):
    """Return the bytes that each fitted estimator answers."""
    asked = {"table": TABLE, "scaler_of_tables": TABLE, "windows": TABLE}
    asked |= dict.fromkeys(["frame", "scaler_of_frames", "windows_of_frames"], FRAME)
    found = {}
    for name, estimator in vars(fitted).items():
        answer = estimator.predict if hasattr(estimator, "predict") else estimator.transform
        found[name] = np.asarray(answer(asked.get(name, SEQUENCES))).tobytes()
    return found


@pytest.fixture(scope="module")
def answers_before(fitted):
    return answers(fitted)


@pytest.fixture
def watched(fitted, answers_before, tmp_path, monkeypatch):
    """The fitted estimators; afterwards they answer as before, and the world is the same."""
    monkeypatch.chdir(tmp_path)
    copies = copy.deepcopy(fitted)
    with same_world():
        yield copies
    copies.windows.set_params(lookback=3)
    now = answers(copies)
    assert [name for name in now if now[name] != answers_before[name]] == []


@pytest.mark.parametrize("case", rows(CASES))
def test_bad_input_is_refused(watched, case):
    _, _, call, error, pattern = case
    with pytest.raises(error, match=pattern):
        call(watched)


@pytest.mark.parametrize("case", rows(WORKS))
def test_odd_input_works(watched, case):
    result, expected = case[2](watched)
    np.testing.assert_array_equal(np.asarray(result), np.asarray(expected))


@pytest.mark.bad_input(22)
def test_22_a_column_of_targets_is_read_as_one_target(watched):
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
        model = tiny().fit(SEQUENCES, Y[:, None])
    assert model.predict(SEQUENCES).tobytes() == watched.lstm.predict(SEQUENCES).tobytes()


def test_an_invalid_parameter_is_a_wrong_value_and_a_wrong_type():
    assert issubclass(InvalidParameterError, ValueError)
    assert issubclass(InvalidParameterError, TypeError)
