"""Nodes of one structure in rows: the same nodes come out, and nothing but them goes in."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from saved import SERIES, VALUES, bits, forecaster, parts_of, write_parts
from sklearn.linear_model import Ridge

from tsrnn import DriftForecaster, ModelFileError, ModelSaveError, NaiveForecaster, _rows, load, save

PANEL = {("a", number) if number % 3 else f"b{number}": SERIES[: 20 + 5 * number] + number for number in range(6)}


def folded(nodes):
    """What stands for `nodes`, and the columns that it needs."""
    columns = []
    fold = _rows.Fold(nodes[0])
    for node in nodes[1:]:
        fold.add(node)
    return fold.node(lambda values: columns.append(values) or len(columns) - 1), columns


def unfolded(node, columns):
    return node if isinstance(node, list) else list(_rows.expand(node["rows"], columns))


# --- folding ---


def test_what_is_the_same_stands_once_and_what_differs_in_a_column():
    nodes = [{"object": ["Track", {"name": name, "at": {"array": [0, 2 * i]}}]} for i, name in enumerate("xyxz")]
    node, columns = folded(nodes)
    template = {"object": ["Track", {"name": {"each": 0}, "at": {"array": [0, {"from": [0, 2]}]}}]}
    assert (node, columns) == ({"rows": [4, template]}, [["x", "y", "x", "z"]])
    assert _rows.size_of(4, template, columns) == 4 * 9
    assert unfolded(node, columns) == nodes


@pytest.mark.parametrize("values", [[1, 1.0, 1, 1], [True, 1, 1, 1], [0.0, -0.0, 0.0, 0.0], [None, False, 0, ""]])
def test_equal_values_of_other_types_are_kept_apart(values):
    node, columns = folded([{"list": [value]} for value in values])
    assert repr(unfolded(node, columns)) == repr([{"list": [value]} for value in values])


def test_nodes_that_have_nothing_in_common_are_a_list():
    assert folded(["a", {"tuple": []}, "b", "c"]) == (["a", {"tuple": []}, "b", "c"], [])


PLAIN = st.one_of(st.none(), st.booleans(), st.integers(-3, 3), st.floats(allow_nan=False), st.sampled_from("ab"))
NODES = st.recursive(
    PLAIN,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["list", "tuple", "x"]), inner, max_size=2)
    ),
    max_leaves=6,
)


@given(st.lists(NODES, min_size=2, max_size=6))
def test_whatever_is_folded_comes_out_again(nodes):
    node, columns = folded(nodes)
    assert json.dumps(unfolded(node, columns)) == json.dumps(nodes)
    assert _rows.are_columns(columns)
    if isinstance(node, dict):
        assert _rows.size_of(*node["rows"], columns) is not None


# --- in files ---


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.tsrnn"


@pytest.mark.parametrize(
    "estimator", [lambda: forecaster(Ridge()), lambda: NaiveForecaster(2), lambda: DriftForecaster(2)]
)
def test_panels_of_many_series_come_back(estimator, path):
    fitted = estimator().fit(PANEL)
    save(fitted, path)
    loaded, first = load(path), path.read_bytes()
    save(loaded, path)
    assert path.read_bytes() == first
    assert list(loaded._tracks) == list(PANEL)
    assert bits(loaded.predict()) == bits(fitted.predict())
    assert bits(loaded.predict_interval(coverage=0.5)) == bits(fitted.predict_interval(coverage=0.5))
    later = {"b0": SERIES[20:22]}
    assert bits(loaded.update(later).predict()) == bits(fitted.update(later).predict())


def test_what_is_one_object_is_one_again(path):
    save(forecaster(Ridge()).fit(PANEL), path)
    loaded = load(path)
    assert loaded._fit_tracks is loaded._tracks
    for name, track in loaded._tracks.items():
        assert loaded.scalers_[name][0] is track.learnt[0].steps[-1]
    learnt = [id(track.learnt) for track in loaded._tracks.values()]
    assert len(set(learnt)) == len(PANEL)


def test_several_targets_of_many_series_keep_their_order_in_memory(path):
    panel = {f"s{n}": pd.DataFrame({"x": VALUES[n:], "y": VALUES[n:] ** 2, "z": n * VALUES[n:]}) for n in range(5)}
    fitted = forecaster(Ridge(), multivariate=True).fit(panel)
    save(fitted, path)
    loaded = load(path)
    for name, track in fitted._tracks.items():
        assert loaded._tracks[name].target.flags.c_contiguous == track.target.flags.c_contiguous
    assert bits(loaded.predict()) == bits(fitted.predict())


def test_the_text_of_10_000_series_is_short(path):
    stamps = pd.date_range("2024-01-01", periods=8, freq="h")
    save(NaiveForecaster().fit({f"series {n}": pd.Series(VALUES[:8], index=stamps) for n in range(300)}), path)
    manifest, contents = parts_of(path)
    assert len(contents) == 2
    assert len(json.dumps(manifest, separators=(",", ":"))) < 300 * 60


def refused(path, manifest, contents, words="must be"):
    write_parts(path, manifest, contents)
    with pytest.raises(ModelFileError, match=words):
        load(path)


@pytest.fixture
def parts(path):
    save(forecaster(Ridge()).fit({f"s{n}": VALUES[: 20 + n * n] for n in range(5)}), path)
    manifest, contents = parts_of(path)
    write_parts(path, manifest, contents)
    load(path)
    return manifest, contents


def rows_of(manifest):
    return manifest["estimator"]["object"][1]["_fit_tracks"]["dict"]["rows"]


def track_of(manifest):
    return rows_of(manifest)[1][1]["object"][1]


def inside(manifest):
    track_of(manifest)["learnt"] = {"list": {"rows": [4, {"object": ["Chain", {"steps": {"list": []}}]}]}}


def nested(manifest):
    manifest["columns"][0][0] = {"list": {"rows": [4, None]}}


@pytest.mark.parametrize("count", [4, 6, 0, -1, 5.0, True, None, 2**60])
def test_the_number_of_rows_is_that_of_the_column(parts, path, count):
    rows_of(parts[0])[0] = count
    refused(path, *parts)


@pytest.mark.parametrize(
    "hole",
    [
        {"each": 99},
        {"each": -1},
        {"each": "0"},
        {"each": None},
        {"from": [0]},
        {"from": [0, 1.0]},
        {"from": [0, 2**40]},
    ],
)
def test_what_stands_for_no_value_is_refused(parts, path, hole):
    track_of(parts[0])["name"] = hole
    refused(path, *parts)


@pytest.mark.parametrize("place", [[0, {"from": [1, 1]}], [0, {"from": [-1, 1]}], [0, 5], [9, 0], [0, "0"], [0, 1.0]])
def test_arrays_of_rows_must_be_there(parts, path, place):
    track_of(parts[0])["target"] = {"array": place}
    refused(path, *parts)


@pytest.mark.parametrize("number", [-1, 10**6, "0", None, 0.0])
def test_what_was_not_made_cannot_be_made_again(parts, path, number):
    parts[0]["estimator"]["object"][1]["_tracks"] = {"again": number}
    refused(path, *parts, "`_tracks` must be")


@pytest.mark.parametrize(("attribute", "number"), [("_tracks", 0), ("regressor", 5), ("_form", 0), ("scalers_", 0)])
def test_what_is_made_again_must_be_of_its_kind(parts, path, attribute, number):
    parts[0]["estimator"]["object"][1][attribute] = {"again": number}
    refused(path, *parts)


@pytest.mark.parametrize(("change", "words"), [(inside, "`_fit_tracks` must be"), (nested, "the columns")])
def test_rows_within_rows_are_refused(parts, path, change, words):
    change(parts[0])
    refused(path, *parts, words)


def test_rows_cannot_ask_for_any_amount_of_memory(parts, path):
    track = {"name": None, "target": {"array": [0, 0]}, "covariates": None, "index": None, "learnt": None}
    rows = {"rows": [100_000, [{"from": [0, 1]}, {"object": ["Track", track]}]]}
    for _ in range(3):
        state = parts[0]["estimator"]["object"][1]
        state |= {"_fit_tracks": {"dict": rows}, "_tracks": {"dict": rows}}
    refused(path, *parts, "more than 2,097,152 nodes")


def test_a_panel_that_needs_more_text_is_refused_at_save(path, monkeypatch):
    monkeypatch.setattr("tsrnn.persistence.MOST_TEXT", 2_000)
    with pytest.raises(ModelSaveError, match="NaiveForecaster is too large for one file, at most"):
        save(NaiveForecaster().fit({f"series {n}": VALUES[:9] for n in range(200)}), path)
    assert not path.exists()


def test_floats_that_are_no_numbers_stay_in_rows(path):
    panel = {f"s{n}": np.where(np.arange(80) % (n + 9) == 4, np.nan, VALUES) for n in range(5)}
    fitted = forecaster(Ridge(), missing="interpolate").fit(panel)
    save(fitted, path)
    assert bits(load(path).predict()) == bits(fitted.predict())
