"""Fitted estimators in files: what comes back, what is refused, and what loading never does."""

import datetime
import json
import pickle
import re
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from estimators import make, same
from saved import CASES, GOLDEN, SERIES, VALUES, bits, forecaster, parts_of, write_parts
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import FunctionTransformer

from tsrnn import (
    CalendarFeatures,
    ETSForecaster,
    GRUClassifier,
    GRURegressor,
    LSTMClassifier,
    LSTMRegressor,
    ModelFileError,
    ModelSaveError,
    ModelVersionError,
    NaiveForecaster,
    SimpleRNNClassifier,
    SimpleRNNRegressor,
    load,
    make_windows,
    save,
)

WINDOWS, TARGETS = make_windows(VALUES, lookback=6, horizon=2)
CLASSES = np.where(TARGETS[:, 0] > 0, "up", "down")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.tsrnn"


def again(estimator, path):
    save(estimator, path)
    return load(path)


# --- what comes back ---


@pytest.mark.parametrize("case", CASES)
def test_answers_are_those_of_the_saved_one(case, path):
    fit, ask = CASES[case]
    estimator = fit()
    loaded = again(estimator, path)
    assert type(loaded) is type(estimator)
    assert bits(ask(loaded)) == bits(ask(estimator))


@pytest.mark.parametrize("case", ["linear anchor", "panel", "multivariate", "anomalies", "rows", "dates"])
def test_a_loaded_one_is_saved_as_the_same_bytes(case, path):
    loaded = again(CASES[case][0](), path)
    before = path.read_bytes()
    save(loaded, path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("estimator", [SimpleRNNRegressor, LSTMRegressor, GRURegressor])
def test_regressors_go_on_where_they_were(estimator, path):
    fitted = make(estimator, n_members=2, early_stopping=1).fit(WINDOWS, TARGETS)
    fitted.partial_fit(WINDOWS, TARGETS)
    loaded = again(fitted, path)
    assert loaded.get_params() == fitted.get_params()
    assert bits(loaded.predict(WINDOWS)) == bits(fitted.predict(WINDOWS))
    pd.testing.assert_frame_equal(loaded.history_, fitted.history_)
    assert same(loaded.partial_fit(WINDOWS, TARGETS), fitted.partial_fit(WINDOWS, TARGETS))


@pytest.mark.parametrize("estimator", [SimpleRNNClassifier, LSTMClassifier, GRUClassifier])
def test_classifiers_keep_their_classes(estimator, path):
    fitted = make(estimator, class_weight={"up": 2.0, "down": 1.0}).fit(WINDOWS, CLASSES)
    loaded = again(fitted, path)
    assert bits(loaded.predict(WINDOWS)) == bits(fitted.predict(WINDOWS))
    assert bits(loaded.predict_proba(WINDOWS)) == bits(fitted.predict_proba(WINDOWS))
    assert same(loaded.fit(WINDOWS, CLASSES), fitted.fit(WINDOWS, CLASSES))


@pytest.mark.parametrize("loss", ["quantile", "gaussian"])
def test_distributions_come_back(loss, path):
    options = {"activation": "relu", "reset_after": False, "kernel_regularizer": "l2"}
    network = make(GRURegressor, loss=loss, decoder="parallel", cell_options=options, epochs=1)
    fitted = forecaster(network).fit(VALUES)
    ask = {"coverage": 0.5, "method": loss}
    loaded = again(fitted, path)
    assert bits(loaded.predict_interval(**ask)) == bits(fitted.predict_interval(**ask))


def test_the_file_of_a_panel_grows_with_its_series_alone(path):
    sizes = []
    for count in (10, 20, 30):
        save(NaiveForecaster().fit({f"series {number + 10}": VALUES + number for number in range(count)}), path)
        sizes.append(path.stat().st_size)
    # Numbers of arrays, places and shapes have more digits.
    assert sizes[2] - sizes[1] == pytest.approx(sizes[1] - sizes[0], rel=0.01)


def test_parameters_set_since_the_fit_are_kept_apart(path):
    fitted = NaiveForecaster(2).fit(VALUES).set_params(horizon=5)
    loaded = again(fitted, path)
    assert (loaded.horizon, len(loaded.predict())) == (5, 2)


@pytest.mark.parametrize("name", ["Größe 大.tsrnn", "x" * 200])
@pytest.mark.fault("F16")
def test_names_of_files_do_not_matter(name, tmp_path):
    assert again(NaiveForecaster().fit(VALUES), str(tmp_path / name)).predict() == VALUES[-1]


@pytest.mark.filterwarnings("ignore:load. the file was written with")
@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.tsrnn")), ids=lambda file: file.stem)
@pytest.mark.fault("F7")
def test_files_of_every_format_load(file):
    number, name = file.stem.split("-", 1)
    answers = json.loads((GOLDEN / f"{number}.json").read_text(encoding="utf-8"))
    loaded, expected = load(file), answers[name.replace("-", " ")]
    if name == "network":
        answer = loaded.predict(WINDOWS[:3])
    elif name == "classifier":
        answer = loaded.predict_proba(WINDOWS[:3])
    else:
        answer = loaded.predict()
    answer = list(answer.values()) if isinstance(answer, dict) else answer
    np.testing.assert_allclose(np.asarray(answer), np.asarray(expected), rtol=0, atol=1e-6)


@pytest.mark.fault("F7")
def test_there_are_golden_files():
    assert len(list(GOLDEN.glob("1-*.tsrnn"))) == 5


# --- what is refused at save ---


def test_what_keras_would_look_up_is_refused(path):
    fitted = make(epochs=1).fit(WINDOWS, TARGETS).set_params(cell_options={"activation": "my_own"})
    with pytest.raises(ModelSaveError, match="`cell_options` must be"):
        save(fitted, path)


@pytest.mark.parametrize(
    ("estimator", "words"),
    [
        (ETSForecaster(), "`estimator` must be .* statsmodels"),
        (Ridge, "`estimator` must be"),
        (GridSearchCV(Ridge(), {"alpha": [1.0]}), "`estimator` must be"),
        (forecaster(Ridge(), target_transformer=FunctionTransformer(abs, abs)), "`func` must be .* numpy's"),
        (CalendarFeatures(holidays="Germany"), "`holidays` must be"),
    ],
)
def test_other_estimators_are_refused(estimator, words, path):
    if isinstance(estimator, CalendarFeatures) or not isinstance(estimator, type | GridSearchCV):
        estimator.fit(SERIES)
    with pytest.raises(ModelSaveError, match=words):
        save(estimator, path)


def test_only_what_is_fitted_is_saved(path):
    with pytest.raises(NotFittedError):
        save(NaiveForecaster(), path)


def test_a_subclass_is_another_class(path):
    class Own(NaiveForecaster):
        pass

    with pytest.raises(ModelSaveError, match="Own"):
        save(Own().fit(VALUES), path)


# --- what is refused at load ---


def test_a_missing_file_is_missing(path):
    with pytest.raises(FileNotFoundError):
        load(path)


def test_errors_tell_the_file_and_can_be_pickled(path):
    path.write_bytes(b"PK")
    with pytest.raises(ModelFileError, match=re.escape(str(path))) as caught:
        load(path)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), copy.path) == (str(caught.value), str(path))
    assert isinstance(copy, ValueError)


@pytest.mark.fault("F6")
def test_a_file_may_be_too_large(path):
    save(NaiveForecaster().fit(VALUES), path)
    with pytest.raises(ModelFileError, match="max_bytes=100"):
        load(path, max_bytes=100)
    assert load(path, max_bytes=path.stat().st_size).predict() == VALUES[-1]


@pytest.mark.fault("F7")
def test_a_newer_format_is_told_from_a_broken_file(path):
    save(NaiveForecaster().fit(VALUES), path)
    manifest, contents = parts_of(path)
    manifest["versions"]["tsrnn"] = "99.1"
    write_parts(path, {**manifest, "format": 2, "more": 1}, contents)
    with pytest.raises(ModelVersionError, match=r"99\.1.*formats up to 1"):
        load(path)


@pytest.mark.fault("F7")
def test_another_version_of_what_it_is_made_of_warns_once(path):
    save(NaiveForecaster().fit(VALUES), path)
    manifest, contents = parts_of(path)
    manifest["versions"] |= {"sklearn": "0.1", "keras": "2.0", "numpy": "1.0"}
    write_parts(path, manifest, contents)
    with pytest.warns(UserWarning, match=r"sklearn 0\.1 .*keras 2\.0") as caught:
        load(path)
    assert len(caught) == 1
    assert caught[0].filename == __file__


# --- what loading takes ---


def test_little_memory_is_taken(path):
    save(NaiveForecaster().fit(np.arange(500_000.0)), path)
    size = path.stat().st_size
    assert size > 4_000_000
    tracemalloc.start()
    try:
        load(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3 * size


def most_of_load(path):
    """The most bytes that `load` allocates, and the bytes of the file."""
    load(path)
    tracemalloc.start()
    try:
        load(path)
        return tracemalloc.get_traced_memory()[1], path.stat().st_size
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("estimator", [lambda: forecaster(Ridge()), lambda: NaiveForecaster(2)])
def test_little_memory_is_taken_for_many_series(estimator, path):
    stamps = pd.date_range("2024-01-01", periods=200, freq="h")
    panel = {f"series {n}": pd.Series(VALUES[n % 9 :].repeat(2), index=stamps[2 * (n % 9) : 160]) for n in range(400)}
    save(estimator().fit(panel), path)
    peak, size = most_of_load(path)
    assert peak < 3 * size


def test_what_no_save_wrote_takes_little_memory_before_it_is_refused(path):
    save(NaiveForecaster().fit(VALUES), path)
    _, contents = parts_of(path)
    for text in ("[" + ",".join(["[]"] * 349_000) + "]", "[" + ",".join(['{"":0}'] * 65_000) + "]"):
        write_parts(path, text, contents)
        tracemalloc.start()
        with pytest.raises(ModelFileError):
            load(path)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 20_000_000


def test_a_zone_of_ones_own_is_refused_by_name(path):
    """Its name says nothing elsewhere, and may be that of another zone."""
    for name in ("ABC", "Asia"):
        zone = datetime.timezone(datetime.timedelta(minutes=7), name)
        series = pd.Series(VALUES[:5], index=pd.date_range("2024-01-01", periods=5, freq="h", tz=zone))
        with pytest.raises(ModelSaveError, match="must be something that a file may hold; got DatetimeIndex"):
            save(NaiveForecaster().fit(series), path)
    assert not path.exists()
