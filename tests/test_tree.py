"""What a file may say of an estimator, and what it must not, whoever wrote it."""

import contextlib
import copy
import hashlib
import json
import warnings

import numpy as np
import pytest
from estimators import make
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from saved import CASES, SERIES, VALUES, bits, forecaster, parts_of, write_parts
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from tsrnn import (
    CalendarFeatures,
    GRUClassifier,
    GRURegressor,
    ModelFileError,
    NaiveForecaster,
    load,
    make_windows,
    save,
)

WINDOWS, TARGETS = make_windows(VALUES[:40], lookback=6, horizon=2)
CLASSES = np.where(TARGETS[:, 0] > 0, "up", "down")
LOGARITHM = FunctionTransformer(np.log1p, np.expm1)
MODELS = {
    "naive": lambda: NaiveForecaster().fit(SERIES[:9]),
    "network": lambda: make(GRURegressor, cell_options={"activation": "relu"}, epochs=1).fit(WINDOWS, TARGETS),
    "classifier": lambda: make(GRUClassifier, epochs=1).fit(WINDOWS, CLASSES),
    "flags": lambda: make(GRUClassifier, epochs=1).fit(WINDOWS, TARGETS[:, 0] > 0),
    "pipeline": lambda: make_pipeline(StandardScaler(), Ridge()).fit(TARGETS, TARGETS),
    "forecaster": lambda: forecaster(Ridge(), anchor="linear", target_transformer=LOGARITHM).fit(SERIES[:30]),
    "panel": CASES["panel"][0],
    "calendar": lambda: CalendarFeatures(holidays="GB").fit(SERIES.to_frame()),
}


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """The manifest and the arrays of a saved estimator, by its name."""
    path = tmp_path_factory.mktemp("tree") / "model.tsrnn"
    made = {}

    def of(name):
        if name not in made:
            save(MODELS[name](), path)
            made[name] = parts_of(path)
        manifest, contents = made[name]
        return copy.deepcopy(manifest), [bytearray(content) for content in contents]

    return of


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.tsrnn"


def refused(path, manifest, contents, words):
    write_parts(path, manifest, contents)
    with pytest.raises(ModelFileError, match=words):
        load(path)


def at(manifest, *keys):
    """The attributes of the estimator, or of the object that the attributes `keys` lead to."""
    node = manifest["estimator"]
    for key in keys:
        node = node["object"][1][key] if isinstance(node, dict) and "object" in node else node[key]
    return node["object"][1]


def entry(node, name):
    """The pair of a dict node with this key."""
    return next(pair for pair in node["dict"] if pair[0] == name)


# --- the manifest as a text ---


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text[:-1], "no strict JSON"),
        (lambda text: text + "x", "no strict JSON"),
        (lambda text: "\ufeff" + text, "no strict JSON"),
        (lambda text: text.replace('"format": 1', '"format": 1, "format": 1'), "a key stands twice"),
        (lambda text: text.replace('"n_targets_": 1', '"n_targets_": NaN'), "NaN is no number"),
        (lambda text: text.replace('"n_targets_": 1', '"n_targets_": -Infinity'), "-Infinity is no number"),
        (lambda text: text.replace('"n_targets_": 1', '"n_targets_": 1e999'), "1e999 is too large"),
        (
            lambda text: text.replace('"n_targets_": 1', '"n_targets_": ' + "9" * 5000),
            "manifest.json is no strict JSON",
        ),
        (
            lambda text: text.replace('"n_targets_": 1', '"n_targets_": ' + "[" * 50_000),
            "nested too deeply|strict JSON",
        ),
        (
            lambda text: text.replace('"n_targets_": 1', '"n_targets_": [' + "[],[]," * 50_000 + "1]"),
            "more than 131,072 commas and brackets",
        ),
        (lambda text: text.replace('"columns": []', '"columns": [1]'), "must list the arrays and the columns"),
        (lambda text: text.replace('"columns": []', '"columns": {}'), "must list the arrays and the columns"),
        (
            lambda text: text.replace('"horizon": 1', '"horizon": ' + '{"list":[' * 300 + "]}" * 300, 1),
            "horizon|nested",
        ),
        (lambda text: text.replace('"format": 1', '"format": 0'), "must have format 1"),
        (lambda text: text.replace('"format": 1', '"format": true'), "must have format 1"),
        (
            lambda text: text.replace('"format": 1', '"format": 1, "more": 2'),
            "the keys versions, arrays, columns and estimator",
        ),
        (lambda text: text.replace('"keras"', '"torch"'), "must tell the versions"),
        (lambda _: "[]", "must have format 1"),
        (lambda _: "null", "must have format 1"),
        (lambda text: text + " " * 2**24, "manifest.json has"),
    ],
)
def test_the_manifest_is_strict(parts, path, change, words):
    manifest, contents = parts("naive")
    text = json.dumps(manifest)
    changed = change(text)
    assert changed != text
    refused(path, changed, contents, words)


# --- arrays ---


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"dtype": "|O"}, "0.bin: .* a dtype, shape, order, lengths or sha256"),
        ({"dtype": ">f8"}, "0.bin"),
        ({"dtype": "<M8[ns]"}, "0.bin"),
        ({"dtype": "<f4"}, "0.bin has 72 bytes; manifest.json tells of 36"),
        ({"shape": [-9, -1]}, "0.bin"),
        ({"shape": [2**39, 2**39]}, "0.bin has 72 bytes"),
        ({"shape": [9.0, 1]}, "0.bin"),
        ({"shape": [9] + [1] * 8}, "0.bin"),
        ({"shape": [9]}, "`target` must be an array"),
        ({"order": "K"}, "0.bin"),
        ({"sha256": "0" * 64}, "0.bin has been changed: its sha256"),
        ({"more": 1}, "0.bin: manifest.json tells"),
        ({"lengths": [4, 4]}, "0.bin: manifest.json tells"),
        ({"lengths": [10, -1]}, "0.bin: manifest.json tells"),
        ({"lengths": [9.0]}, "0.bin: manifest.json tells"),
        ({"lengths": 4}, "0.bin: manifest.json tells"),
        ({"lengths": 0}, "0.bin: manifest.json tells"),
        ({"lengths": True}, "0.bin: manifest.json tells"),
        ({"lengths": [4, 5]}, "nothing refers to 0.bin, or not to all of it"),
    ],
)
def test_arrays_must_be_what_they_are_said_to_be(parts, path, values, words):
    manifest, contents = parts("naive")
    manifest["arrays"][0] |= values
    refused(path, manifest, contents, words)


@pytest.mark.parametrize("drop", [True, False])
def test_the_number_of_arrays_must_agree(parts, path, drop):
    manifest, contents = parts("naive")
    refused(path, manifest, contents[:-1] if drop else [*contents, b"more"], "arrays; manifest.json tells of 2")


def test_arrays_that_nothing_needs_are_refused(parts, path):
    manifest, contents = parts("naive")
    more = {"dtype": "|u1", "shape": [4], "order": "C", "lengths": None, "sha256": hashlib.sha256(b"more").hexdigest()}
    manifest["arrays"].append(more)
    refused(path, manifest, [*contents, b"more"], "nothing refers to 2.bin")


@pytest.mark.parametrize(("name", "value"), [("network", np.nan), ("network", np.inf), ("naive", np.inf)])
def test_values_must_be_finite(parts, path, name, value):
    manifest, contents = parts(name)
    number = next(i for i, told in enumerate(manifest["arrays"]) if told["dtype"] in ("<f4", "<f8"))
    code = manifest["arrays"][number]["dtype"]
    contents[number][: int(code[2])] = np.array(value, dtype=code).tobytes()
    manifest["arrays"][number]["sha256"] = hashlib.sha256(contents[number]).hexdigest()
    refused(path, manifest, contents, f"{number}.bin holds")


def test_flags_are_0_or_1(parts, path):
    manifest, contents = parts("flags")
    (number,) = [i for i, told in enumerate(manifest["arrays"]) if told["dtype"] == "|b1"]
    assert contents[number] == b"\0\1"
    contents[number][1] = 2
    manifest["arrays"][number]["sha256"] = hashlib.sha256(contents[number]).hexdigest()
    refused(path, manifest, contents, f"{number}.bin holds flags that are neither 0 nor 1")


# --- the tree ---


def harmful():
    """Changes of a network's manifest, each with the words of its refusal."""
    options = {"dict": [["activation", {"dict": [["class_name", "Lambda"], ["module", "keras.layers"]]}]]}
    yield ["cell_options"], options, "`cell_options` must be"
    yield ["cell_options"], {"dict": [["activation", "my_package>evil"]]}, "`cell_options` must be"
    yield ["cell_options"], {"dict": [["kernel_initializer", "__class__"]]}, "`cell_options` must be"
    yield ["cell_options"], {"dict": [["dtype", "float64"]]}, "`cell_options` must be"
    yield ["build_network"], {"function": "log"}, "`build_network` must be"
    yield ["callbacks"], {"list": ["x"]}, "`callbacks` must be"
    yield ["optimizer"], "os.system", "`optimizer` must be"
    yield ["optimizer"], {"object": ["Ridge", {}]}, "`optimizer` must be"
    yield ["fit"], 1, "no attribute 'fit'"
    yield ["__class__"], "Ridge", "no attribute '__class__'"
    yield ["__dict__"], {"dict": []}, "no attribute '__dict__'"
    yield ["_cell"], "LSTM", "no attribute '_cell'"
    yield ["weights_"], {"list": []}, "`weights_` must be"
    yield ["weights_"], {"list": [{"list": []}]}, "`weights_` must have the shapes"
    yield ["input_shape_"], {"tuple": [6, 2]}, "sizes of a network do not agree"
    yield ["n_outputs_"], 3, "sizes of a network do not agree"
    yield ["_target_shape"], {"tuple": [3]}, "network of 2 outputs"
    yield ["n_iter_"], -1, "`n_iter_` must be"
    yield ["history_"], {"frame": [None, None, []]}, "`history_` must be"


def test_attributes_must_be_what_the_table_allows(parts, path):
    for keys, node, words in harmful():
        manifest, contents = parts("network")
        at(manifest)[keys[0]] = node
        refused(path, manifest, contents, words)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("hidden_size", 4, "weights_. must have the shapes"),
        ("n_layers", 2, "weights_. must have the shapes"),
        ("n_layers", 2**31, "weights_. must have the shapes"),
        ("n_layers", 10**15, "`_architecture` must be"),
        ("cell", "LSTM", "has the cell 'LSTM'"),
        ("cell", "Lambda", "`_architecture` must be"),
        ("segment_length", 4, "sizes of a network"),
        ("head", "gaussian", "sizes of a network"),
        ("cell_options", {"dict": [["activation", "evil"]]}, "`_architecture` must be"),
        ("attention", "transformer", "weights_. must have the shapes"),
    ],
)
def test_the_weights_must_have_the_shapes_of_the_architecture(parts, path, name, value, words):
    manifest, contents = parts("network")
    entry(at(manifest)["_architecture"], name)[1] = value
    refused(path, manifest, contents, words)


def test_the_architecture_has_no_other_keys(parts, path):
    manifest, contents = parts("network")
    at(manifest)["_architecture"]["dict"].append(["build_network", None])
    refused(path, manifest, contents, "`_architecture` must be")


def test_a_class_for_each_output(parts, path):
    manifest, contents = parts("classifier")
    at(manifest)["classes_"]["texts"][1].append("no")
    refused(path, manifest, contents, "network of 2 outputs")


def test_text_of_a_fixed_width_asks_for_no_more_memory_than_it_takes(parts, path):
    manifest, contents = parts("classifier")
    at(manifest)["classes_"]["texts"][0] = "<U2000000000"
    refused(path, manifest, contents, "`classes_` must be")


@pytest.mark.parametrize(
    ("name", "place", "node", "words"),
    [
        ("pipeline", ["memory"], "folder", "Pipeline: `memory` must be None"),
        ("pipeline", ["steps"], {"list": [{"tuple": ["a", {"object": ["os", {}]}]}]}, "Pipeline: `steps` must be"),
        ("forecaster", ["target_transformer"], {"function": "log"}, "`target_transformer` must be"),
        ("forecaster", ["target_transformer", "func"], {"function": "system"}, "FunctionTransformer: `func` must be"),
        ("forecaster", ["target_transformer", "kw_args"], {"dict": []}, "`kw_args` must be None"),
        ("forecaster", ["_parameters"], {"dict": [["_roll", 1]]}, "`_parameters` must be"),
        ("forecaster", ["regressor_"], {"object": ["Track", {}]}, "`regressor_` must be"),
        ("forecaster", ["_tracks"], {"dict": [[{"list": []}, 1]]}, "`_tracks` must be"),
        ("calendar", ["holidays"], "registry", "`holidays` must be"),
        ("calendar", ["_holidays", "_country"], {"tuple": ["HolidayBase", None]}, "`_country` must be"),
        ("calendar", ["features_"], {"list": ["tz"]}, "`features_` must be"),
    ],
)
def test_parts_must_be_what_the_table_allows(parts, path, name, place, node, words):
    manifest, contents = parts(name)
    at(manifest, *place[:-1])[place[-1]] = node
    refused(path, manifest, contents, words)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"zone": "../../../etc/passwd"}, "`index_` must be"),
        ({"zone": "dateutil//etc/passwd"}, "`index_` must be"),
        ({"zone": "dateutil/Europe/Berlin"}, "`index_` must be"),
        ({"zone": "/etc/passwd"}, "`index_` must be"),
        ({"zone": "Europe/Atlantis"}, "no time zone 'Europe/Atlantis'"),
        ({"zone": "Asia"}, "no time zone 'Asia'"),
        ({"zone": "America/Argentina"}, "no time zone"),
        ({"freq": "h"}, "does not fit together"),
        ({"freq": "D" * 99}, "`index_` must be"),
        ({"unit": "D"}, "`index_` must be"),
        ({"name": {"dict": []}}, "`index_` must be"),
        ({"more": 1}, "`index_` must be"),
    ],
)
def test_an_index_is_checked_as_well(parts, path, values, words):
    manifest, contents = parts("naive")
    at(manifest)["index_"]["index"] |= values
    refused(path, manifest, contents, words)


@pytest.mark.parametrize("attribute", ["_tracks", "_form", "horizon", "index_"])
def test_nothing_may_lack(parts, path, attribute):
    manifest, contents = parts("naive")
    del at(manifest)[attribute]
    refused(path, manifest, contents, f"no `{attribute}`|not fitted|nothing refers to")


@pytest.mark.parametrize("root", ["Track", "Chain", "LinearMap", "os", "builtins.eval", "tsrnn.windows.Windows"])
def test_only_estimators_stand_at_the_root(parts, path, root):
    manifest, contents = parts("naive")
    manifest["estimator"]["object"][0] = root
    refused(path, manifest, contents, "no estimator that a file may hold")


def test_parameters_of_another_version_of_scikit_learn_have_their_defaults(parts, path):
    manifest, contents = parts("pipeline")
    ridge = at(manifest)["steps"]["list"][1]["tuple"][1]["object"][1]
    del ridge["positive"]
    write_parts(path, manifest, contents)
    assert load(path)[-1].get_params() == Ridge().get_params()
    ridge["from_the_future"] = 1
    refused(path, manifest, contents, "Ridge has no attribute 'from_the_future'")


# --- anything else ---

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
)
TAGS = [
    "float",
    "number",
    "date",
    "span",
    "function",
    "tuple",
    "list",
    "set",
    "dict",
    "array",
    "texts",
    "index",
    "frame",
]
NODES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from([*TAGS, "object", "x"]), inner, max_size=2)
    ),
    max_leaves=6,
)


def places(node, found):
    """All (container, key) pairs below a node."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, part in list(pairs):
        found.append((node, key))
        places(part, found)
    return found


@pytest.mark.parametrize("name", MODELS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_a_file_says_it_loads_or_is_refused(parts, path, name, data):
    manifest, contents = parts(name)
    below = places(manifest, [])
    for _ in range(data.draw(st.integers(1, 2))):
        container, key = below[data.draw(st.integers(0, len(below) - 1))]
        swap = data.draw(st.booleans())
        other, place = below[data.draw(st.integers(0, len(below) - 1))]
        if isinstance(container, dict) and key not in container:
            continue
        container[key] = (
            copy.deepcopy(other.get(place) if isinstance(other, dict) else other[place]) if swap else data.draw(NODES)
        )
    write_parts(path, manifest, contents)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "load: the file was written with")
        with contextlib.suppress(ModelFileError):
            load(path)


def test_the_parts_make_the_same_file_again(parts, path):
    manifest, contents = parts("forecaster")
    write_parts(path, manifest, contents)
    assert bits(load(path).predict()) == bits(MODELS["forecaster"]().predict())
