"""The text of a file: what it must tell, limit by limit, and the words of each refusal."""

import hashlib
import importlib.metadata
import json
import re

import numpy as np
import pandas as pd
import pytest
from saved import VALUES, parts_of, write_parts
from sklearn.linear_model import Ridge
from sklearn.preprocessing import StandardScaler

from tsrnn import (
    InvalidParameterError,
    ModelFileError,
    ModelSaveError,
    ModelVersionError,
    NaiveForecaster,
    _zip_file,
    load,
    persistence,
    save,
)

PICKLE = "For files that nobody else can write, there is pickle."


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.tsrnn"


@pytest.fixture
def parts(path):
    save(NaiveForecaster().fit(VALUES[:9]), path)
    return parts_of(path)


def reason(path, manifest, contents, error=ModelFileError):
    """Why a file of these parts is refused."""
    write_parts(path, manifest, contents)
    with pytest.raises(error) as caught:
        load(path)
    assert caught.value.path == str(path)
    return caught.value.reason


def text_of(path):
    with path.open("rb") as file:
        entry = _zip_file.read_directory(file, path.stat().st_size)[0]
        text = bytearray(entry.size)
        _zip_file.read_into(file, entry, text)
    return text.decode("ascii")


# --- what is written ---


def test_what_the_manifest_tells(parts, path):
    manifest, contents = parts
    text = text_of(path)
    assert text == json.dumps(manifest, separators=(",", ":"))
    assert list(manifest) == ["format", "versions", "arrays", "columns", "estimator"]
    assert manifest["format"] == 1
    installed = {"tsrnn": "tsrnn", "keras": "keras", "sklearn": "scikit-learn", "numpy": "numpy", "pandas": "pandas"}
    assert manifest["versions"] == {name: importlib.metadata.version(known) for name, known in installed.items()}
    assert [told["sha256"] for told in manifest["arrays"]] == [hashlib.sha256(part).hexdigest() for part in contents]
    told = {name: part for name, part in manifest["arrays"][0].items() if name != "sha256"}
    assert told == {"dtype": "<f8", "shape": [9, 1], "order": "C", "lengths": None}
    assert contents[0] == VALUES[:9].tobytes()


def test_a_package_that_is_not_installed_has_no_known_version(path, monkeypatch):
    monkeypatch.setitem(persistence.PACKAGES, "no such package", "no-such-package")
    save(NaiveForecaster().fit(VALUES[:9]), path)
    assert parts_of(path)[0]["versions"]["no such package"] == "unknown"


def test_arrays_in_the_order_of_columns_stay_so(path):
    values = np.asfortranarray(np.c_[VALUES, VALUES**2])
    scaler = StandardScaler().fit(values)
    scaler.mean_ = values
    save(scaler, path)
    manifest, contents = parts_of(path)
    number = next(number for number, told in enumerate(manifest["arrays"]) if told["shape"] == [80, 2])
    assert manifest["arrays"][number]["order"] == "F"
    assert contents[number] == values.tobytes(order="F")
    loaded = load(path).mean_
    assert loaded.flags.f_contiguous
    np.testing.assert_array_equal(loaded, values)


# --- sizes ---


@pytest.mark.usefixtures("parts")
def test_the_largest_file(path):
    size = path.stat().st_size
    assert load(path, max_bytes=size).predict() == VALUES[8]
    with pytest.raises(ModelFileError) as error:
        load(path, max_bytes=size - 1)
    assert error.value.reason == f"it has {size:,} bytes, more than max_bytes={size - 1:,}"
    for wrong in (0, 1.0):
        with pytest.raises(InvalidParameterError, match=r"^load: `max_bytes` must be an integer >= 1; got "):
            load(path, max_bytes=wrong)
    path.write_bytes(b"x")
    with pytest.raises(ModelFileError, match="it has 1 bytes, too few for a model"):
        load(path, max_bytes=1)


def limits(path):
    """The limits that a file of one series just keeps, each with where it stands."""
    text, size = text_of(path), path.stat().st_size
    return {
        "MOST_TEXT": (persistence, len(text)),
        "MOST_MARKS": (persistence, sum(text.count(mark) for mark in ",[{")),
        "MOST_BYTES": (_zip_file, size),
        "MOST_MEMBERS": (_zip_file, len(parts_of(path)[1]) + 1),
    }


@pytest.mark.usefixtures("parts")
@pytest.mark.parametrize("name", ["MOST_TEXT", "MOST_MARKS", "MOST_BYTES", "MOST_MEMBERS"])
def test_limits_of_what_is_saved(name, path, monkeypatch):
    module, most = limits(path)[name]
    monkeypatch.setattr(module, name, most)
    save(NaiveForecaster().fit(VALUES[:9]), path)
    monkeypatch.setattr(module, name, most - 1)
    with pytest.raises(ModelSaveError) as error:
        save(NaiveForecaster().fit(VALUES[:9]), path)
    assert str(error.value) == (
        "save: NaiveForecaster is too large for one file, at most 4 GB of arrays, and 1 MB of the names and lengths of "
        "series and of all else."
    )


@pytest.mark.usefixtures("parts")
def test_limits_of_what_is_read(path, monkeypatch):
    text = text_of(path)
    marks = sum(text.count(mark) for mark in ",[{")
    for name, most, words in [
        ("MOST_TEXT", len(text), f"manifest.json has {len(text):,} bytes; at most {len(text) - 1:,} are read"),
        ("MOST_MARKS", marks, f"manifest.json has more than {marks - 1:,} commas and brackets"),
    ]:
        with monkeypatch.context() as patch:
            patch.setattr(persistence, name, most)
            assert load(path).predict() == VALUES[8]
            patch.setattr(persistence, name, most - 1)
            with pytest.raises(ModelFileError) as error:
                load(path)
            assert error.value.reason == words


# --- what it must tell ---

KEYS = "manifest.json must have format 1 and the keys versions, arrays, columns and estimator"
VERSIONS = "manifest.json must tell the versions of tsrnn, keras, sklearn, numpy, pandas"
ARRAYS = "0.bin: manifest.json tells a dtype, shape, order, lengths or sha256 that no array has"


@pytest.mark.parametrize("number", [0, -1, True, 1.0, "1", None])
def test_other_formats(number, parts, path):
    manifest, contents = parts
    assert reason(path, manifest | {"format": number}, contents) == KEYS


@pytest.mark.parametrize("key", ["format", "versions", "arrays", "columns", "estimator"])
def test_every_key_must_be_there(key, parts, path):
    manifest, contents = parts
    del manifest[key]
    assert reason(path, manifest, contents) == KEYS


def test_a_newer_format(parts, path):
    contents = parts[1]
    versions = {"tsrnn": "9" * 300}
    assert reason(path, {"format": 2, "versions": versions}, contents, ModelVersionError) == (
        f"it has format 2, written by tsrnn {str(versions)[:200]}; this is tsrnn "
        f"{importlib.metadata.version('tsrnn')}, which reads formats up to 1. Update tsrnn"
    )
    assert "written by tsrnn None;" in reason(path, {"format": 3}, contents, ModelVersionError)


@pytest.mark.parametrize("version", ["1" * 64, 1, None, ["1"]])
def test_versions_are_short_texts(version, parts, path):
    manifest, contents = parts
    manifest["versions"]["pandas"] = "1" * 63
    write_parts(path, manifest, contents)
    load(path)
    manifest["versions"]["pandas"] = version
    assert reason(path, manifest, contents) == VERSIONS


@pytest.mark.parametrize("versions", [None, [], {}, {"tsrnn": "1"}])
def test_versions_of_all_packages(versions, parts, path):
    manifest, contents = parts
    assert reason(path, manifest | {"versions": versions}, contents) == VERSIONS
    more = {**manifest["versions"], "scipy": "1"}
    assert reason(path, manifest | {"versions": more}, contents) == VERSIONS


@pytest.mark.parametrize(("key", "value"), [("arrays", {}), ("arrays", None), ("columns", {}), ("columns", [1])])
def test_arrays_and_columns_are_lists(key, value, parts, path):
    manifest, contents = parts
    assert reason(path, manifest | {key: value}, contents) == "manifest.json must list the arrays and the columns"


@pytest.mark.parametrize("told", [None, [], {}, {"dtype": "<f8"}])
def test_what_is_told_of_an_array(told, parts, path):
    manifest, contents = parts
    manifest["arrays"][0] = told
    assert reason(path, manifest, contents) == ARRAYS


def test_the_number_of_arrays(parts, path):
    manifest, contents = parts
    more = [*contents, b"more"]
    count = len(contents)
    assert reason(path, manifest, more) == f"it holds {count + 1} arrays; manifest.json tells of {count}"
    assert reason(path, manifest, contents[:-1]) == f"it holds {count - 1} arrays; manifest.json tells of {count}"


def test_the_size_of_an_array(parts, path):
    manifest, contents = parts
    manifest["arrays"][0]["shape"] = [10, 1]
    assert reason(path, manifest, contents) == "0.bin has 72 bytes; manifest.json tells of 80"


def test_the_sha256_of_an_array(parts, path):
    manifest, contents = parts
    contents[0][0] ^= 1
    assert reason(path, manifest, contents) == "0.bin has been changed: its sha256 does not match"


def test_what_is_no_strict_json(parts, path):
    manifest, contents = parts
    text = json.dumps(manifest)
    start = "manifest.json is no strict JSON: "
    for old, new, words in [
        ('"format": 1', '"format": 1, "format": 1', "a key stands twice"),
        ('"horizon": 1', '"horizon": NaN', "NaN is no number"),
        ('"horizon": 1', '"horizon": 1e400', "1e400 is too large"),
        ('"horizon": 1', '"horizon": 1' + 25 * "0" + ".0e400", "1" + 19 * "0" + " is too large"),
    ]:
        assert reason(path, text.replace(old, new, 1), contents) == start + words
    assert reason(path, text.replace("horizon", "horizön"), contents).startswith(start + "'ascii' codec")


def test_text_that_is_nested_too_deeply(parts, path):
    manifest, contents = parts
    text = json.dumps(manifest).replace('"horizon": 1', '"horizon": ' + 5000 * "[" + 5000 * "]", 1)
    assert reason(path, text, contents) == "manifest.json is nested too deeply"


def test_what_pandas_cannot_make(parts, path):
    manifest, contents = parts
    manifest["estimator"]["object"][1]["index_"] = {
        "index": {"stamps": {"array": 0}, "unit": "ns", "zone": "Europe/Atlantis", "freq": None, "name": None}
    }
    values = np.arange(9)
    told = {"dtype": "<i8", "shape": [9], "order": "C", "lengths": None, "sha256": hashlib.sha256(values).hexdigest()}
    manifest["estimator"]["object"][1]["index_"]["index"]["stamps"]["array"] = len(contents)
    manifest["arrays"].append(told)
    words = reason(path, manifest, [*contents, values.tobytes()])
    assert words == "there is no time zone 'Europe/Atlantis'"


# --- the estimator ---


def test_what_is_no_estimator(parts, path):
    manifest, contents = parts
    for tree in (None, [], {"list": []}, {"object": ["Track", {}]}, {"object": "NaiveForecaster"}):
        found = reason(path, manifest | {"estimator": tree}, contents)
        assert found == "manifest.json tells of no estimator that a file may hold"


def test_what_is_not_fitted(parts, path):
    manifest, _ = parts
    attributes = manifest["estimator"]["object"][1]
    attributes = {name: attributes[name] for name in NaiveForecaster().get_params()}
    tree = {"object": ["NaiveForecaster", attributes]}
    assert reason(path, {**manifest, "arrays": [], "estimator": tree}, []) == "the NaiveForecaster is not fitted"


def test_arrays_that_nothing_refers_to(parts, path):
    manifest, contents = parts
    more = {"dtype": "|u1", "shape": [4], "order": "C", "lengths": None, "sha256": hashlib.sha256(b"more").hexdigest()}
    manifest["arrays"].append(more)
    words = reason(path, manifest, [*contents, b"more"])
    assert words == f"nothing refers to {len(contents)}.bin, or not to all of it"


def changed(values, place, path, estimator):
    """The reason why a file is refused in whose first array of floats one value is another."""
    save(estimator, path)
    manifest, contents = parts_of(path)
    number = next(number for number, told in enumerate(manifest["arrays"]) if told["dtype"] == "<f8")
    numbers = np.frombuffer(contents[number]).copy()
    numbers[place] = values
    contents[number] = numbers.tobytes()
    manifest["arrays"][number]["sha256"] = hashlib.sha256(contents[number]).hexdigest()
    return manifest, contents, number


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", [0, -1])
def test_values_that_must_be_finite(value, place, path):
    manifest, contents, number = changed(value, place, path, Ridge().fit(np.c_[VALUES, -VALUES], VALUES))
    assert reason(path, manifest, contents) == f"{number}.bin holds NaN or infinity"


def test_values_that_may_be_missing(path):
    manifest, contents, number = changed(np.nan, 0, path, NaiveForecaster().fit(VALUES[:9]))
    write_parts(path, manifest, contents)
    assert load(path).predict() == VALUES[8]
    manifest, contents, number = changed(-np.inf, 0, path, NaiveForecaster().fit(VALUES[:9]))
    assert reason(path, manifest, contents) == f"{number}.bin holds infinity"


# --- versions of libraries ---


@pytest.mark.parametrize("name", ["sklearn", "keras"])
def test_patches_of_a_library_do_not_matter(name, parts, path):
    manifest, contents = parts
    here = manifest["versions"][name]
    major, minor = here.split(".")[:2]
    manifest["versions"] |= {name: f"{major}.{minor}.999rc1", "numpy": "0", "pandas": "0", "tsrnn": "0"}
    write_parts(path, manifest, contents)
    assert load(path).predict() == VALUES[8]
    for other in (f"{major}.{minor}1.0", f"{major}1.{minor}.0", major):
        manifest["versions"][name] = other
        write_parts(path, manifest, contents)
        with pytest.warns(UserWarning) as caught:  # noqa: PT030
            load(path)
        assert [str(warning.message) for warning in caught] == [
            f"load: the file was written with {name} {other} (here {here}). Compare some predictions, or fit again."
        ]


def test_both_libraries_are_named_at_once(parts, path):
    manifest, contents = parts
    here = dict(manifest["versions"])
    manifest["versions"] |= {"sklearn": "0.1", "keras": "2.0"}
    write_parts(path, manifest, contents)
    words = f"sklearn 0.1 (here {here['sklearn']}), keras 2.0 (here {here['keras']})."
    with pytest.warns(UserWarning, match=re.escape(words)):
        load(path)


# --- what is refused at save ---


class Shown:
    """Something whose repr has a length."""

    def __init__(self, length):
        self.length = length

    def __repr__(self):
        return "x" * self.length


def refusal(owner, name, value):
    with pytest.raises(ModelSaveError) as error:
        persistence._refuse(owner, name, value)
    return str(error.value)


def test_long_values_are_shortened():
    start = "save: `estimator` must be something that a file may hold; got"
    assert refusal("save", "estimator", Shown(200)) == f"{start} {'x' * 200}. {PICKLE}"
    assert refusal("save", "estimator", Shown(201)) == f"{start} Shown {'x' * 150}.... {PICKLE}"


@pytest.mark.parametrize("name", persistence.REMEDIES)
def test_each_parameter_has_its_remedy(name):
    start = f"Owner: `{name}` must be something that a file may hold; got 5."
    assert refusal("Owner", name, 5) == f"{start} {persistence.REMEDIES[name]}"


def test_results_of_statsmodels_and_searches_have_remedies_of_their_own():
    again = f"It holds results of statsmodels, which fit in moments: fit it again. {PICKLE}"
    for module in ("tsrnn.classical", "tsrnn._statsmodels"):
        value = type("Model", (), {"__module__": module, "__repr__": lambda _: "Model()"})()
        assert refusal("save", "estimator", value).endswith(f"got Model(). {again}")
    search = Shown(3)
    search.best_estimator_ = 1
    assert refusal("save", "estimator", search).endswith("got xxx. Save its `best_estimator_`.")


def test_values_that_no_file_holds_are_refused_at_save(path):
    fitted = Ridge().fit(np.c_[VALUES, -VALUES], VALUES)
    fitted.coef_[1] = np.nan
    with pytest.raises(ModelSaveError) as error:
        save(fitted, path)
    assert re.fullmatch(rf"save: \d\.bin holds NaN or infinity\. {re.escape(PICKLE)}", str(error.value))
    with pytest.raises(
        ModelSaveError, match=r"^NaiveForecaster: `index_` must be something that a file may hold; got "
    ):
        save(odd_index(), path)
    assert not path.exists()


def odd_index():
    fitted = NaiveForecaster().fit(VALUES[:9])
    fitted.index_ = pd.Index([0.5] * 9)
    return fitted
