"""Results kept in a folder: what counts for their names, and that interrupted runs go on with the same result."""

import subprocess
import sys

import keras
import numpy as np
import pandas as pd
import pytest
from estimators import make, same
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from tsrnn import (
    Forecaster,
    InvalidParameterError,
    LSTMRegressor,
    NaiveForecaster,
    SimpleRNNClassifier,
    WalkForwardSplit,
    Windows,
    WindowTransformer,
    backtest,
    compare,
    load,
    save,
    training,
)
from tsrnn._checkpoints import Checkpoint, key_of

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(20, 4, 2)), RNG.normal(size=20)
HOURS = pd.date_range("2024-01-01", periods=240, freq="h", tz="Europe/Berlin")
SERIES = pd.Series(RNG.normal(size=240).cumsum(), index=HOURS, name="load")
CV = WalkForwardSplit(4, test_size=6)


class CountedRidge(Ridge):
    """Fits as Ridge does, until it has been told to stop."""

    fits = 0
    most = np.inf

    def fit(self, X, y, sample_weight=None):
        if CountedRidge.fits >= CountedRidge.most:
            raise KeyboardInterrupt
        CountedRidge.fits += 1
        return super().fit(X, y, sample_weight)


@pytest.fixture
def counted(monkeypatch):
    monkeypatch.setattr(CountedRidge, "fits", 0)
    monkeypatch.setattr(CountedRidge, "most", np.inf)
    return CountedRidge


@pytest.fixture
def trained(monkeypatch):
    """How often a network has been trained; `most` stops it as Ctrl-C would."""
    state, fit = {"fits": 0, "most": np.inf}, training.fit

    def counted_fit(*args):
        if state["fits"] >= state["most"]:
            raise KeyboardInterrupt
        state["fits"] += 1
        return fit(*args)

    monkeypatch.setattr(training, "fit", counted_fit)
    return state


# --- names ---

PARTS = {
    "none": None,
    "zero": 0,
    "one": 1.0,
    "true": True,
    "text": "1.0",
    "list": [1.0, 2.0],
    "tuple": (1.0, 2.0),
    "nested": [[1.0], 2.0],
    "dict": {"a": 1.0, "b": 2.0},
    "dict in another order": {"b": 2.0, "a": 1.0},
    "floats": np.array([1.0, 2.0]),
    "single precision": np.array([1.0, 2.0], dtype=np.float32),
    "a row": np.array([[1.0, 2.0]]),
    "objects": np.array([1.0, "a"], dtype=object),
    "many objects": np.array(["a"] * 5000 + ["b"] + ["a"] * 5000, dtype=object),
    "other objects in the middle": np.array(["a"] * 5000 + ["c"] + ["a"] * 5000, dtype=object),
    "series": pd.Series([1.0, 2.0]),
    "named series": pd.Series([1.0, 2.0], name="a"),
    "stamped series": pd.Series([1.0, 2.0], index=HOURS[:2]),
    "later series": pd.Series([1.0, 2.0], index=HOURS[1:3]),
    "series in another zone": pd.Series([1.0, 2.0], index=HOURS[:2].tz_convert("UTC")),
    "frame": pd.DataFrame({"a": [1.0, 2.0]}),
    "frame of another name": pd.DataFrame({"b": [1.0, 2.0]}),
    "frame in another zone": pd.DataFrame({"a": [1.0, 2.0]}, index=HOURS[:2].tz_convert("UTC")),
    "frame of that time": pd.DataFrame({"a": [1.0, 2.0]}, index=HOURS[:2]),
    "panel": pd.Series(1.0, index=pd.MultiIndex.from_product([["a"], HOURS[:2]])),
    "panel in another zone": pd.Series(1.0, index=pd.MultiIndex.from_product([["a"], HOURS[:2].tz_convert("UTC")])),
    "stamps": HOURS[:2],
    "periods": HOURS[:2].tz_localize(None).to_period("h"),
    "estimator": Ridge(),
    "another estimator": Ridge(2.0),
    "range": range(3),
}


def test_whatever_differs_has_another_name():
    keys = {name: key_of(part) for name, part in PARTS.items()}
    assert len(set(keys.values())) == len(PARTS), keys
    assert key_of("a", "b") != key_of("ab") != key_of("b", "a")


@pytest.mark.parametrize(
    ("part", "equal"),
    [
        (np.asfortranarray(X), X),
        (X[::2], X[::2].copy()),
        (SERIES[5:], SERIES[5:].copy()),
        (pd.DataFrame(np.ones((3, 2)), columns=["a", "b"]), pd.DataFrame({"a": [1.0] * 3}).assign(b=1.0)),
        (make(learning_rate=0.1), make(learning_rate=0.1)),
    ],
    ids=["Fortran order", "strides", "a view", "a frame of two blocks", "estimators"],
)
def test_what_is_equal_has_the_same_name(part, equal):
    assert key_of(part) == key_of(equal)


@pytest.mark.slow
def test_names_are_the_same_in_another_process():
    code = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "from test_checkpoints import PARTS, key_of\n"
        "print(*[key_of(part) for part in PARTS.values()])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert told == [key_of(part) for part in PARTS.values()]


def test_another_version_of_a_library_has_other_names(monkeypatch):
    before = key_of("a")
    monkeypatch.setattr("tsrnn._checkpoints._version", lambda name: f"{name} 99")
    assert key_of("a") != before


# --- files ---


def test_arrays_come_back_and_others_do_not(tmp_path):
    kept = Checkpoint(tmp_path / "deep" / "folder")
    assert kept.read("a") is None
    kept.write("a", {"x": X, "1": np.array(True)})
    found = kept.read("a")
    assert found.keys() == {"x", "1"}
    assert found["x"].tobytes() == X.tobytes()
    assert kept.read("b") is None
    assert [path.name for path in kept.folder.iterdir()] == ["a.npz"]


@pytest.mark.parametrize("damage", [lambda _: b"", lambda b: b[:-9], lambda b: b[:90] + b"\x01" + b[91:]])
def test_a_damaged_file_is_computed_again(tmp_path, damage):
    kept = Checkpoint(tmp_path)
    kept.write("a", {"x": X})
    path = tmp_path / "a.npz"
    path.write_bytes(damage(path.read_bytes()))
    assert kept.read("a") is None
    kept.write("a", {"x": X})
    assert kept.read("a")["x"].tobytes() == X.tobytes()


def test_no_code_is_read(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.array([Ridge()], dtype=object))
    assert Checkpoint(tmp_path).read("a") is None


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError("No space left on device")

    monkeypatch.setattr(np, "savez", fail)
    with pytest.raises(OSError, match="No space"):
        Checkpoint(tmp_path).write("a", {"x": X})
    assert list(tmp_path.iterdir()) == []


# --- networks ---


def assert_same_fit(one, other):
    assert same(one, other)
    columns = [name for name in one.history_ if name != "seconds"]
    pd.testing.assert_frame_equal(one.history_[columns], other.history_[columns])
    for name in ("n_iter_", "best_epoch_", "n_parameters_", "_predicts_compiled"):
        assert getattr(one, name) == getattr(other, name)
        assert type(getattr(one, name)) is type(getattr(other, name))


def test_a_fit_is_found_again(tmp_path, trained):
    options = {"n_members": 2, "early_stopping": 1, "validation_fraction": 0.3, "dropout": 0.2}
    plain = make(**options).fit(X, Y)
    first = make(**options, checkpoint=tmp_path).fit(X, Y)
    assert trained["fits"] == 4
    again = make(**options, checkpoint=str(tmp_path)).fit(X, Y)
    assert trained["fits"] == 4
    for model in (first, again):
        assert_same_fit(model, plain)
        assert model.predict(X).tobytes() == plain.predict(X).tobytes()
    assert make(checkpoint=tmp_path).fit(X, Y).partial_fit(X, Y).n_iter_ == 3


CHANGES = {
    "parameter": {"hidden_size": 4},
    "training": {"learning_rate": 0.01},
    "seed": {"random_state": 1},
    "optimizer": {"optimizer": keras.optimizers.SGD(0.1)},
    "loss": {"loss": "mae"},
    "early stopping": {"early_stopping": 2, "validation_fraction": 0.5},
    "cell": {"cell_options": {"activation": "relu"}},
}


@pytest.mark.parametrize("change", [*CHANGES, "data", "targets", "weights", "order in time"])
def test_any_change_is_trained_anew(tmp_path, trained, change):
    make(checkpoint=tmp_path).fit(X, Y)
    data = {"data": (X + 1e-6, Y), "targets": (X, Y * [*[1] * 19, 2]), "weights": (X, Y, [*[1] * 19, 0.5])}
    data["order in time"] = (X[::-1], Y)
    make(**CHANGES.get(change, {}), checkpoint=tmp_path).fit(*data.get(change, (X, Y)))
    assert trained["fits"] == 2


def test_members_are_kept_one_by_one(tmp_path, trained):
    trained["most"] = 2
    with pytest.raises(KeyboardInterrupt):
        make(n_members=3, checkpoint=tmp_path).fit(X, Y)
    trained["most"] = np.inf
    model = make(n_members=3, checkpoint=tmp_path).fit(X, Y)
    assert trained["fits"] == 3
    assert_same_fit(model, make(n_members=3).fit(X, Y))


def test_without_a_seed_the_fit_that_is_found_counts(tmp_path, trained):
    one, other = (make(random_state=None, n_members=2, checkpoint=tmp_path).fit(X, Y) for _ in range(2))
    assert trained["fits"] == 2
    assert same(one, other)
    assert not np.array_equal(one.weights_[0][0], one.weights_[1][0])


def test_a_warm_start_begins_where_it_did(tmp_path, trained):
    model = make(warm_start=True, checkpoint=tmp_path).fit(X, Y).fit(X, Y)
    again = make(warm_start=True, checkpoint=tmp_path).fit(X, Y).fit(X, Y)
    assert trained["fits"] == 2
    assert same(model, again)
    assert not same(model, make(checkpoint=tmp_path).fit(X, Y))


def test_classifiers_keep_their_fits(tmp_path, trained):
    one, other = (make(SimpleRNNClassifier, checkpoint=tmp_path).fit(X, Y > 0) for _ in range(2))
    assert trained["fits"] == 1
    assert one.predict_proba(X).tobytes() == other.predict_proba(X).tobytes()
    make(SimpleRNNClassifier, checkpoint=tmp_path).fit(X, Y > 0, [*[1] * 19, 0.5])
    assert trained["fits"] == 2


def test_windows_of_one_series_count_by_where_they_begin(tmp_path, trained):
    rows = RNG.normal(size=(30, 2))
    for starts in ([0, 1, 2, 9], [0, 2, 1, 9], [0, 1, 2, 8]):
        make(checkpoint=tmp_path).fit(Windows(rows, starts, 4), Y[:4])
    assert trained["fits"] == 3
    make(checkpoint=tmp_path).fit(Windows(np.vstack([rows, rows]), [0, 1, 2, 9], 4), Y[:4])
    make(checkpoint=tmp_path).fit(Windows(np.vstack([X[0], rows]), [4, 5, 6, 13], 4), Y[:4])
    assert trained["fits"] == 3


def test_single_epochs_are_not_kept(tmp_path):
    model, plain = make(checkpoint=tmp_path), make()
    for _ in range(3):
        assert same(model.partial_fit(X, Y), plain.partial_fit(X, Y))
    assert list(tmp_path.iterdir()) == []


def test_the_folder_stays_on_the_machine(tmp_path):
    model = make(checkpoint=tmp_path / "here").fit(X, Y)
    save(model, tmp_path / "model.tsrnn")
    found = load(tmp_path / "model.tsrnn")
    assert found.checkpoint is None
    assert b"here" not in (tmp_path / "model.tsrnn").read_bytes()


@pytest.mark.parametrize("value", [3, "", True, ["folder"]])
@pytest.mark.parametrize("who", ["SimpleRNNRegressor", "backtest", "compare"])
def test_a_folder_is_a_path(who, value):
    calls = {
        "SimpleRNNRegressor": lambda: make(checkpoint=value).fit(X, Y),
        "backtest": lambda: backtest(NaiveForecaster(), SERIES, cv=CV, checkpoint=value),
        "compare": lambda: compare({"mean": NaiveForecaster()}, SERIES, cv=CV, checkpoint=value),
    }
    with pytest.raises(InvalidParameterError, match=rf"^{who}: `checkpoint` must be the path of a folder or None; got"):
        calls[who]()


def test_what_cannot_be_found_again_is_refused(tmp_path):
    with pytest.raises(InvalidParameterError, match="`checkpoint` must be None with `callbacks`"):
        make(checkpoint=tmp_path, callbacks=[keras.callbacks.Callback()]).fit(X, Y)
    with pytest.raises(InvalidParameterError, match="`checkpoint` must be None with parameters that cannot be pickled"):
        make(checkpoint=tmp_path, cell_options={"activation": lambda x: x}).fit(X, Y)
    odd = Forecaster(make_pipeline(FunctionTransformer(lambda x: x), Ridge()), lookback=3, horizon=2)
    with pytest.raises(InvalidParameterError, match="must be None for an estimator that holds what cannot"):
        backtest(odd, SERIES, cv=CV, checkpoint=tmp_path, progress=False)


# --- searches, backtests and comparisons ---


def test_an_interrupted_search_goes_on(tmp_path, trained):
    def search(checkpoint):
        regressor = LSTMRegressor(2, epochs=1, random_state=0, jit_compile=False, checkpoint=checkpoint)
        pipe = make_pipeline(StandardScaler(), WindowTransformer(lookback=3), regressor)
        return GridSearchCV(pipe, {"lstmregressor__hidden_size": [2, 3]}, cv=CV).fit(rows, SERIES)

    rows = SERIES.to_frame()
    trained["most"] = 5
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path)
    trained["most"] = np.inf
    found = search(tmp_path)
    assert trained["fits"] == 9  # two sizes in four folds, and the best on all rows
    whole = search(None)
    np.testing.assert_array_equal(found.cv_results_["mean_test_score"], whole.cv_results_["mean_test_score"])
    assert found.predict(rows).tobytes() == whole.predict(rows).tobytes()


def forecaster():
    return Forecaster(CountedRidge(), lookback=4, horizon=6)


@pytest.mark.parametrize("refit", [True, 2, False])
@pytest.mark.parametrize("panel", [False, True], ids=["series", "panel"])
def test_an_interrupted_backtest_goes_on(tmp_path, counted, panel, refit):
    data = {"a": SERIES, "b": SERIES[9:] * 2, "c": SERIES[:230]} if panel else SERIES
    options = {"cv": CV, "refit": refit, "coverage": 0.8, "progress": False}
    whole = backtest(forecaster(), data, **options)
    n_fits = counted.fits
    counted.most = n_fits + n_fits // 2
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            backtest(forecaster(), data, **options, checkpoint=tmp_path)
    counted.most = np.inf
    pd.testing.assert_frame_equal(backtest(forecaster(), data, **options, checkpoint=tmp_path), whole)
    done = counted.fits
    pd.testing.assert_frame_equal(backtest(forecaster(), data, **options, checkpoint=tmp_path), whole)
    assert counted.fits == done < 3 * n_fits
    backtest(forecaster(), data, **{**options, "coverage": 0.9}, checkpoint=tmp_path)
    assert counted.fits > done


def test_a_backtest_of_rows_goes_on(tmp_path, counted):
    options = {"cv": CV, "progress": False, "checkpoint": tmp_path}
    rows = np.column_stack([np.arange(240.0), SERIES])
    whole = backtest(CountedRidge(), rows, SERIES, **options)
    pd.testing.assert_frame_equal(backtest(CountedRidge(), rows, SERIES, **options), whole)
    assert counted.fits == 4
    min(tmp_path.iterdir()).unlink()
    max(tmp_path.iterdir()).unlink()
    pd.testing.assert_frame_equal(backtest(CountedRidge(), rows, SERIES, **options), whole)
    assert counted.fits == 6
    backtest(CountedRidge(2.0), rows, SERIES, **options)
    assert counted.fits == 10


def test_an_interrupted_comparison_goes_on(tmp_path, counted):
    options = {"cv": CV, "progress": False, "checkpoint": tmp_path}
    models = {"two": Forecaster(CountedRidge(), lookback=2, horizon=6), "four": forecaster()}
    counted.most = 6
    with pytest.raises(KeyboardInterrupt):
        compare(models, SERIES, **options)
    counted.most = np.inf
    found = compare(models, SERIES, **options).scores.drop(columns="seconds")
    assert counted.fits == 8
    pd.testing.assert_frame_equal(found, compare(models, SERIES, cv=CV, progress=False).scores.drop(columns="seconds"))
