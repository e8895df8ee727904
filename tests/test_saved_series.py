"""Forecasters whose parts do not agree are refused when they are loaded, not when they are asked."""

import pytest
from saved import CASES, SERIES, VALUES, parts_of, write_parts
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tsrnn import Differencer, ModelFileError, SeasonalNaiveForecaster, load, save

PANEL = {"a": SERIES, "b": SERIES[:60]}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.tsrnn"


def saved(data, path):
    """The manifest and the arrays of a rule, and its attributes in the manifest."""
    save(SeasonalNaiveForecaster(3).fit(data), path)
    manifest, contents = parts_of(path)
    return manifest, contents, manifest["estimator"]["object"][1]


def refused(path, manifest, contents, words):
    write_parts(path, manifest, contents)
    with pytest.raises(ModelFileError, match=words):
        load(path)


def learnt(state):
    return state["_fit_tracks"]["dict"][0][1]["object"][1]["learnt"]["object"][1]


def track(state):
    return state["_fit_tracks"]["dict"][0][1]["object"][1]


SINGLE = [
    (lambda state: state["_tracks"].update(dict=[]), "must know one without a name"),
    (lambda state: state["_tracks"]["dict"][0].__setitem__(0, "a"), "must know one without a name"),
    (lambda state: track(state).update(name="a"), "another name"),
    (lambda state: state.update(n_targets_=2), "`_form` must have as many names"),
    (lambda state: learnt(state)["_form"]["object"][1]["names"]["list"].clear(), "`_form` must have as many names"),
    (lambda state: state.update(index_={"dict": [["a", state["index_"]]]}), "`index_` must hold the series"),
    (lambda state: state["index_"]["index"].update(name="x") or state.update(index_=short()), "stamp for each step"),
    (lambda state: state["_future_columns"]["list"].append(0), "must be among `_columns`"),
    (lambda state: state["_past_columns"]["list"].append(-1), "must be among `_columns`"),
    (lambda state: state.update(index_=short(0, -99, -1)), "`index_` must increase"),
    (lambda state: track(state).update(index=short()), "fewer stamps or covariates than steps"),
    (lambda state: learnt(state).update(season_length=81), "fewer steps than are needed"),
    (lambda state: learnt(state).update(season_length=0), "fewer steps than are needed"),
    (lambda state: learnt(state).update(season_length=2.0), "fewer steps than are needed"),
    (lambda state: of_fit(state).update(season_length=-0.0), "`season_length` of the fit must count steps; got -0.0"),
    (lambda state: of_fit(state).update(horizon=0), "`horizon` of the fit must count steps; got 0"),
    (lambda state: of_fit(state).update(season_length={"tuple": [2, "x"]}), "`season_length` of the fit must count"),
    (lambda state: index_of(state).update(unit="s", freq=None), "beyond the years that the time zone 'Europe/Berlin'"),
]


class Pairs:
    """A dict node, changed as a dict."""

    def __init__(self, node):
        self.pairs = node["dict"]

    def update(self, **values):
        for pair in self.pairs:
            pair[1] = values.get(pair[0], pair[1])


def of_fit(state):
    return Pairs(state["_parameters"])


def index_of(state):
    return state["index_"]["index"]


def short(start=0, stop=9, step=1):
    return {"index": {"range": [start, stop, step], "name": None}}


@pytest.mark.parametrize(("change", "words"), SINGLE, ids=range(len(SINGLE)))
def test_one_series(change, words, path):
    manifest, contents, state = saved(SERIES, path)
    change(state)
    refused(path, manifest, contents, words)


def test_a_panel_has_an_index_for_each_series(path):
    manifest, contents, state = saved(PANEL, path)
    state["index_"]["dict"][0][0] = "c"
    refused(path, manifest, contents, "`index_` must hold the series")


def test_a_single_series_is_no_panel(path):
    manifest, contents, state = saved(PANEL, path)
    state["_panel"] = None
    refused(path, manifest, contents, "must know one without a name")


def test_a_detector_has_a_scale_for_each_series(path):
    save(CASES["anomalies"][0](), path)
    manifest, contents = parts_of(path)
    manifest["estimator"]["object"][1]["_scales"]["dict"][0][0] = "other"
    refused(path, manifest, contents, "`_scales` must hold the series")


def test_the_forecaster_of_a_detector_is_fitted(path):
    save(CASES["anomalies"][0](), path)
    manifest, contents = parts_of(path)
    state = manifest["estimator"]["object"][1]
    state["forecaster_"] = state["forecaster"]
    refused(path, manifest, contents, "`_scales` must hold the series|nothing refers to|must be")


def test_a_detector_has_a_scale_for_each_step(path):
    save(CASES["anomalies"][0](), path)
    manifest, contents = parts_of(path)
    manifest["estimator"]["object"][1]["_scales"]["dict"][0][1] = {"array": 0}
    refused(path, manifest, contents, "`_scales` must have a row for each step|nothing refers to")


def test_the_steps_of_a_pipeline_transform(path):
    save(CASES["covariates"][0](), path)
    manifest, contents = parts_of(path)
    steps = manifest["estimator"]["object"][1]["regressor_"]["object"][1]["steps"]["list"]
    steps.reverse()
    refused(path, manifest, contents, "all steps of a Pipeline but the last one must be transformers")


def test_what_predicts_is_no_transformer(path):
    save(CASES["linear anchor"][0](), path)
    manifest, contents = parts_of(path)
    state = manifest["estimator"]["object"][1]
    state["regressor_"] = state["scalers_"]["list"][0]
    refused(path, manifest, contents, "Forecaster: `regressor_` must be")


@pytest.mark.parametrize("nested", [False, True])
def test_every_step_but_the_last_transforms(nested, path):
    rows = VALUES[:20].reshape(5, 4)
    inner = make_pipeline(StandardScaler(), Differencer())
    save(make_pipeline(inner if nested else Differencer(), Ridge()).fit(rows, VALUES[:5]), path)
    manifest, contents = parts_of(path)
    load(path)
    steps = manifest["estimator"]["object"][1]["steps"]["list"]
    ridge, first = steps[1]["tuple"][1], steps[0]["tuple"]
    if nested:
        first[1]["object"][1]["steps"]["list"][1]["tuple"][1] = ridge
    else:
        first[1] = ridge
    refused(path, manifest, [*contents], "all steps of a Pipeline but the last one must be transformers")
