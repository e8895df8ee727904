"""Bad and odd values, containers, weights and parameters, row by row of the table of what can go wrong.

A case is (row, words, call, error, pattern), or (row, words, call) of what looks bad and works: its call returns two
results that must be equal. Whatever happens, no global state changes, no file appears, and every fitted estimator
answers what it did before.
"""
# ruff: noqa: ARG005 - every call takes the fitted estimators, whether it needs them or not

import contextlib
import copy
import pickle
import tempfile
import tracemalloc
from types import SimpleNamespace

import keras
import numpy as np
import pandas as pd
import pytest
from bad_input import rows
from estimators import Foreign
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, cross_val_score, cross_validate

from tsrnn import (
    Forecaster,
    GRUClassifier,
    InvalidParameterError,
    LSTMRegressor,
    ModelSaveError,
    NaiveForecaster,
    SequenceScaler,
    TrainingDivergedError,
    WalkForwardSplit,
    WindowTransformer,
    backtest,
    load,
    make_windows,
    save,
)

N = 12
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(N, 4, 2)), RNG.normal(size=N)
TABLE, CLASSES = X[:, :, 0], np.where(Y > 0, "up", "down")
LONG = np.broadcast_to(np.float64(0.5), (1_000_000, 1))  # it takes 8 bytes


def tiny(**values):
    return LSTMRegressor(2, **{"epochs": 1, "random_state": 0, **values})


def ridge(**values):
    return Forecaster(Ridge(), **{"lookback": 3, **values})


# --- who reads data: each returns what was learnt from `x` and `y`, or says of them ---

READERS = {
    "LSTMRegressor": lambda x, y: tiny().fit(x, y).predict(x),
    "LSTMRegressor of a table": lambda x, y: tiny().fit(x[:, :, 0], y).predict(x[:, :, 0]),
    "GRUClassifier": lambda x, y: GRUClassifier(2, epochs=1, random_state=0).fit(x, CLASSES).predict_proba(x),
    "SequenceScaler": lambda x, y: SequenceScaler().fit(x).transform(x),
    "WindowTransformer": lambda x, y: WindowTransformer(3).fit_transform(x[:, :, 0]),
    "make_windows": lambda x, y: make_windows(x[:, :, 0], y, lookback=3)[0],
    "targets of make_windows": lambda x, y: make_windows(x[:, :, 0], y, lookback=3)[1],
    "Forecaster": lambda x, y: ridge().fit(x[:, :, 0], y).predict(x[:2, :, 0]),
    "NaiveForecaster": lambda x, y: NaiveForecaster().fit(y).predict(),
}


def unharmed(row, words, change):
    """Return the cases of data in another layout: equal answers, and not a byte of the data changed."""

    def answers(read):
        x, y = change(X), change(Y)
        before = np.asarray(x).tobytes(), np.asarray(y).tobytes()
        found = np.asarray(read(x, y))
        assert (np.asarray(x).tobytes(), np.asarray(y).tobytes()) == before
        return found, np.asarray(read(np.array(x, float), np.array(y, float)))

    return [(row, f"{words}: {name}", lambda f, read=read: answers(read)) for name, read in READERS.items()]


def unwritable(array):
    array = array.copy()
    array.flags.writeable = False
    return array


def mapped(array):
    """Return `array` as a file's memory that cannot be written to; the file has no name any more."""
    with tempfile.TemporaryFile() as file:
        file.write(array.tobytes())
        file.flush()
        return np.memmap(file, array.dtype, "r", shape=array.shape)


def strided(array):
    wide = np.full((2 * N, *array.shape[1:]), np.nan)
    wide[::2] = array
    return wide[::2]


LAYOUTS = {
    "read-only": unwritable,
    "F-order": np.asfortranarray,
    "backwards in memory": lambda array: array[::-1].copy()[::-1],
    "every other row": strided,
    "a mapped file": mapped,
    "other byte order": lambda array: array.astype(">f8"),
    "no numpy array": lambda array: np.matrix(array) if array.ndim == 2 else array.view(Own),
}


class Own(np.ndarray):
    """A subclass of numpy's array."""


def of_type(dtype):
    return lambda array: (array > 0 if dtype == "bool" else 10 * np.abs(array)).astype(dtype)


# --- containers ---


def in_polars(array):
    pl = pytest.importorskip("polars")
    return pl.Series(array) if array.ndim == 1 else pl.DataFrame(array)


CONTAINERS = {"lists": np.ndarray.tolist, "an object with __array__": Foreign, "polars": in_polars}
READ_CONTAINERS = {
    "LSTMRegressor": lambda x, y: tiny().fit(x, y).predict(x),
    "SequenceScaler": lambda x, y: SequenceScaler().fit(x).transform(x),
    "WindowTransformer": lambda x, y: WindowTransformer(3).fit_transform(x),
    "make_windows": lambda x, y: make_windows(x, y, lookback=3)[0],
    "Forecaster": lambda x, y: ridge().fit(x, y).predict_origins(x, y, origins=[5, 9]),
    "Forecaster of targets": lambda x, y: ridge().fit(x).predict(),
    "NaiveForecaster": lambda x, y: NaiveForecaster().fit(y).predict(),
    "backtest": lambda x, y: backtest(ridge(), y, cv=WalkForwardSplit(2), progress=False)["y_pred"],
    "WalkForwardSplit": lambda x, y: [test for _, test in WalkForwardSplit(3).split(x, y)],
}


def in_containers(row):
    return [
        (row, f"{words}: {name}", lambda f, read=read, pack=pack: (read(pack(TABLE), pack(Y)), read(TABLE, Y)))
        for words, pack in CONTAINERS.items()
        for name, read in READ_CONTAINERS.items()
    ]


def no_data(value, error, pattern):
    """Return the cases of what holds no samples; a dict is a panel to a forecaster."""
    return [
        (59, f"{type(value).__name__}: {name}", lambda f, call=call: call(value), error, pattern)
        for name, call in {
            "fit": lambda x: tiny().fit(x, [1.0, 2.0, 3.0]),
            "predict": lambda x: tiny().fit(TABLE, Y).predict(x),
            "make_windows": lambda x: make_windows(x, lookback=1),
            "Forecaster": lambda x: ridge().fit(x),
        }.items()
        if not (isinstance(value, dict) and name == "Forecaster")
    ]


# --- what is refused ---


def parameter(row, name, value, constraint):
    """Return the case of a parameter that a constructor takes and `fit` refuses."""
    pattern = rf"^LSTMRegressor: `{name}` must be {constraint}"
    shown = repr(value) if " at 0x" not in repr(value) else type(value).__name__  # workers must agree on the names
    return (row, f"{name}={shown}", lambda f: f.lstm.set_params(**{name: value}).fit(X, Y), InvalidParameterError,
            pattern)  # fmt: skip


def weights(words, value, pattern, error=ValueError):
    return [
        (60, f"{words}: {name}", lambda f, call=call: call(f, value), error, f"^({owner}: )?{pattern}")
        for name, owner, call in (
            ("fit", "LSTMRegressor", lambda f, w: f.lstm.fit(X, Y, sample_weight=w)),
            ("partial_fit", "LSTMRegressor", lambda f, w: f.lstm.partial_fit(X, Y, sample_weight=w)),
            ("classifier", "GRUClassifier", lambda f, w: f.classifier.fit(X, CLASSES, sample_weight=w)),
        )
    ]


def refused_before_memory(call):
    """Call; raise what it raises, unless more than some copies of the rows was taken before."""
    tracemalloc.start()
    try:
        call()
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 20 * LONG.nbytes


GIB = r" would take \d+\.\d GiB; the machine has \d+\.\d GiB\. (Keep the windows lazy|Lower `batch_size`)"
UNSAVED = {
    "callbacks": [keras.callbacks.Callback()],
    "optimizer": keras.optimizers.SGD(),
    "build_network": len,
    "random_state": np.random.RandomState(0),
    "cell_options": {"kernel_initializer": keras.initializers.Ones()},
    "learning_rate": keras.optimizers.schedules.CosineDecay(1.0, 9),
}
COUNTS = ("hidden_size", "n_layers", "epochs", "batch_size", "n_members", "early_stopping")

CASES = [
    (56, "an array of all windows", lambda f: refused_before_memory(
        lambda: np.asarray(make_windows(LONG, lookback=100_000)[0])), MemoryError, "^Windows: this array" + GIB),
    (56, "a row for each window", lambda f: refused_before_memory(
        lambda: ridge(lookback=100_000).fit(LONG[:, 0])), MemoryError, "^Windows: this array" + GIB),
    (56, "a network too wide", lambda f: refused_before_memory(
        lambda: f.lstm.set_params(hidden_size=10**7).fit(X, Y)), MemoryError, "^LSTM of 10000000 units: .*" + GIB),
    *no_data({1.0, 2.0, 3.0}, TypeError, "must be a string or a real number, not 'set'"),
    *no_data((i for i in range(3)), TypeError, "must be a string or a real number, not 'generator'"),
    *no_data({"a": [1.0]}, TypeError, "must be a string or a real number, not 'dict'"),
    *no_data([[1.0, 2.0], [1.0]], ValueError, "setting an array element with a sequence"),
    *no_data("abc", ValueError, r"Input X is text .* not numeric\. Convert it with `pd.to_numeric`"),
    *weights("two for twelve", [1.0, 2.0], r"sample_weight.shape == \(2,\), expected \(12,\)"),
    *weights("a column", np.ones((N, 1)), r"sample_weight.shape == \(12, 1\), expected \(12,\)"),
    *weights("a negative one", [-1.0] + [1.0] * 11, r"sample_weight must not be negative; got -1\.0"),
    *weights("NaN", [1.0, np.nan] + [1.0] * 10, r"Input sample_weight contains NaN \(first at row 1\)"),
    *weights("inf", [np.inf] * N, "Input sample_weight contains infinity"),
    *weights("all zero", [0] * N, "sample_weight is zero for every sample; at least one weight must be > 0"),
    *weights("words", ["much"] * N, "could not convert string to float: 'much'"),
    *[parameter(61, name, v, "an integer >= 1; got") for name in COUNTS for v in (0, -1, 2.5, np.nan, "3", True)],
    *[parameter(63, "learning_rate", v, r"a number in \(0, inf\); got") for v in (0, -1.0, np.nan, np.inf, "1")],
    (63, "learning_rate=1e6 without clipping",
     lambda f: f.lstm.set_params(optimizer="sgd", learning_rate=1e6, clipping=None, epochs=30).fit(X, Y),
     TrainingDivergedError, r"(inf|nan) in epoch \d+, batch 1 of 1, at learning_rate=1e\+06 \(last.*Lower `learning_r"),
    (64, "none to train on", lambda f: f.lstm.set_params(early_stopping=2, validation_fraction=0.99).fit(X, Y),
     ValueError, r"^LSTMRegressor: .*=0.99 holds out 12 of 12 windows, which leaves 0 to train on\. Pass more windows"),
    (64, "none to train on behind a gap", lambda f: Forecaster(
        tiny(early_stopping=2, validation_fraction=0.5), lookback=3, horizon=5).fit(Y), ValueError,
     "=0.5 holds out 2 of 5 windows, which leaves 0 to train on"),
    *[parameter(64, "validation_fraction", v, r"a number in \(0, 1\); got") for v in (0, 1, -0.1, np.nan, "0.1")],
    *[parameter(65, "random_state", v, "an integer >= 0; got") for v in (-1, 0.5, "1", slice(3))],
    parameter(66, "optimizer", "adm", r"one of \['adam', 'adamw', 'rmsprop', 'sgd'\]; got 'adm'\. Did you mean 'adam'"),
    parameter(66, "loss", "msee", r"one of \['mse', 'mae', .*; got 'msee'\. Did you mean 'mse'"),
    parameter(66, "schedule", "cosin", r"one of \['cosine', 'plateau', None\]; got 'cosin'\. Did you mean 'cosine'"),
    parameter(66, "optimizer", keras.optimizers.Adam, r"one of \['adam', .*; got <class"),
    parameter(66, "loss", keras.losses.MeanSquaredError(), r"one of \['mse', .*; got <"),
    *[(67, name, lambda f, name=name: save(f.lstm.set_params(**{name: UNSAVED[name]}), "model"), ModelSaveError,
       f"^LSTMRegressor: `{name}` must be something that a file may hold") for name in UNSAVED],
    (67, "a layer", lambda f: save(f.lstm.set_params(cell_options={"activation": keras.layers.Lambda(abs)}), "model"),
     ModelSaveError, "^LSTMRegressor: `cell_options` must be"),
    (67, "a method", lambda f: save(f.lstm.predict, "model"), ModelSaveError, "^save: `estimator` must be"),
]  # fmt: skip


# --- what works ---


def constant_feature(read):
    x = X.copy()
    x[..., 1] = 5
    answer = np.asarray(read(x, Y))
    return np.isfinite(answer), np.ones(answer.shape, bool)


def fold_scores(_):
    """Return the R2 of two folds, the targets of the first constant, and scikit-learn's of the same predictions."""
    y = np.r_[np.ones(N // 2), Y[N // 2 :]]
    found = cross_validate(tiny(), X, y, cv=KFold(2), return_estimator=True)
    folds = [test for _, test in KFold(2).split(X)]
    expected = [r2_score(y[test], e.predict(X[test])) for test, e in zip(folds, found["estimator"], strict=True)]
    assert np.isfinite(expected).all()
    return found["test_score"], expected


def drawn(random_state):
    return [tiny(random_state=random_state).fit(X, Y).predict(X) for _ in range(2)]


def differ(one, other):
    return [bool((one != other).all())], [True]


def clones(f):
    changed = tiny(
        n_layers=2, dropout=0.1, callbacks=[keras.callbacks.Callback()], cell_options={"use_bias": False}, n_members=3
    )
    one, other = changed.get_params(), clone(changed).get_params()
    one["callbacks"], other["callbacks"] = len(one["callbacks"]), len(other["callbacks"])
    assert vars(clone(f.lstm)).keys() == f.lstm.get_params().keys()
    return sorted(map(str, one.items())), sorted(map(str, other.items()))


def set_after_a_fit(f):
    """Return the predictions before and after parameters were set, of the estimator and of a copy of it."""
    before = f.lstm.predict(X), f.classifier.predict_proba(X)
    f.lstm.set_params(hidden_size=9, n_layers=2, epochs=0, optimizer="none", jit_compile=True, n_members=4)
    f.classifier.set_params(hidden_size=9, bidirectional=True)
    copied = pickle.loads(pickle.dumps(f.lstm))
    np.testing.assert_array_equal(copied.predict(X), before[0])
    return np.r_[f.lstm.predict(X), f.classifier.predict_proba(X).ravel()], np.r_[before[0], before[1].ravel()]


def constant(value):
    long = np.full(60, value)
    model = tiny(epochs=50, learning_rate=0.02)
    return {
        "LSTMRegressor": lambda f: (model.fit(np.full_like(X, value), long[:N]).predict(X[:2] * 0 + value).round(2),
                                    long[:2]),
        "SequenceScaler": lambda f: (SequenceScaler().fit_transform(np.full_like(X, value)), np.zeros_like(X)),
        "Forecaster": lambda f: (ridge().fit(long).predict(), [value]),
        "windows' units": lambda f: (ridge(scale="window", anchor="mean").fit(long).predict().round(9), [value]),
        "Forecaster by steps": lambda f: (ridge(scaler=None).fit(long).predict().round(9), [value]),
        "intervals": lambda f: (ridge().fit(long).predict_interval(coverage=0.5).ravel(), [value] * 2),
        "backtest": lambda f: (backtest(ridge(), long, cv=WalkForwardSplit(2), progress=False)["y_pred"], [value] * 40),
    }  # fmt: skip


WORKS = [
    *[(52, f"a constant series of {v}: {name}", call) for v in (7.0, 0.0) for name, call in constant(v).items()],
    *[(53, f"a constant feature: {who}", lambda f, read=read: constant_feature(read)) for who, read in READERS.items()],
    (54, "constant targets in one fold", fold_scores),
    (55, "one sample in fit", lambda f: (tiny().fit(X[:1], Y[:1]).target_mean_, Y[:1])),
    (55, "one sample in predict", lambda f: (f.lstm.predict(X[3:4]), f.lstm.predict(X)[3:4])),
    (55, "one sample of one class", lambda f: (f.classifier.fit(X[:1], ["only"]).predict(X[:2]), ["only"] * 2)),
    (55, "one sample to scale", lambda f: (SequenceScaler().fit(X[:1]).transform(X[:1]).mean(axis=1).round(6),
                                           np.zeros((1, 2)))),
    (55, "one row", lambda f: (np.asarray(WindowTransformer(3).fit_transform(TABLE[:1]))[0],
                          TABLE[[0, 0, 0]].astype("f4"))),
    (55, "one window in all", lambda f: (len(ridge().fit(Y[:4]).predict()), 1)),
    (56, "windows are a view", lambda f: (len(WindowTransformer(100_000).fit_transform(LONG)), 1_000_000)),
    *[case for words, change in LAYOUTS.items() for case in unharmed(57, words, change)],
    *[case for dtype in ("float16", "float32", "int8", "bool", "uint64") for case in unharmed(
        58, dtype, of_type(dtype))],
    *in_containers(59),
    (62, "batch_size > n", lambda f: (tiny(batch_size=999).fit(X, Y).predict(X),
                                      tiny(batch_size=N).fit(X, Y).predict(X))),
    (63, "learning_rate=1e6 with clipping", lambda f: (np.isfinite(
        tiny(optimizer="sgd", learning_rate=1e6, epochs=30).fit(X, Y).predict(X)), np.ones(N, bool))),
    (64, "enough for both", lambda f: (tiny(early_stopping=1, validation_fraction=0.9).fit(X, Y).n_iter_, 1)),
    (65, "random_state an int", lambda f: drawn(3)),
    (65, "random_state a numpy int", lambda f: (drawn(np.int64(3))[0], drawn(3)[0])),
    (65, "random_state None", lambda f: differ(*drawn(None))),
    (65, "random_state a RandomState", lambda f: (drawn(np.random.RandomState(1)), drawn(np.random.RandomState(1)))),
    (65, "random_state moves on", lambda f: differ(*drawn(np.random.RandomState(1)))),
    (68, "clone", clones),
    (68, "a clone in cross-validation", lambda f: (cross_val_score(tiny(epochs=3), X, Y, cv=KFold(2)), [
        tiny(epochs=3).fit(X[train], Y[train]).score(X[test], Y[test]) for train, test in KFold(2).split(X)])),
    (69, "set_params after fit", set_after_a_fit),
]  # fmt: skip


@pytest.fixture(scope="module")
def fitted():
    with contextlib.suppress(ImportError):
        import polars  # noqa: F401 - it changes the environment
    return SimpleNamespace(
        lstm=tiny().fit(X, Y),
        classifier=GRUClassifier(2, epochs=1, random_state=0).fit(X, CLASSES),
        scaler=SequenceScaler().fit(X),
        forecaster=ridge().fit(pd.Series(Y)),
    )


def answers(fitted):
    """Return the bytes that each fitted estimator answers."""
    given = (fitted.lstm.predict(X), fitted.classifier.predict_proba(X), fitted.scaler.transform(X))
    return [np.asarray(answer).tobytes() for answer in (*given, fitted.forecaster.predict())]


@pytest.mark.parametrize("case", rows(CASES))
def test_bad_input_is_refused(watched, fitted, case):
    _, _, call, error, pattern = case
    with pytest.raises(error, match=pattern):
        call(watched)
    assert answers(watched) == answers(fitted)


@pytest.mark.parametrize("case", rows(WORKS))
def test_odd_input_works(watched, case):
    result, expected = case[2](watched)
    np.testing.assert_array_equal(np.asarray(result), np.asarray(expected))


@pytest.mark.bad_input(69)
def test_69_a_file_holds_the_fit_and_the_parameters_set_after_it(tmp_path, fitted):
    path, model = tmp_path / "model.tsrnn", copy.deepcopy(fitted.lstm).set_params(hidden_size=9)
    save(model, path)
    loaded = load(path)
    assert loaded.hidden_size == 9
    np.testing.assert_array_equal(loaded.predict(X), fitted.lstm.predict(X))
