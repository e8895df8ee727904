"""The table of what a file may hold: the nodes that scikit-learn's and holidays' own names need."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from tsrnn import Differencer
from tsrnn import _saved_classes as classes
from tsrnn._chains import Chain
from tsrnn._index_nodes import UnfitError
from tsrnn._saved_series import check_scales
from tsrnn._tree import Checker

SCALER = {"object": ["SequenceScaler", {"scaler": None}]}


def fits(kind, node):
    return kind.fits(node, Checker(classes.TABLE, []))


def step(node):
    return {"list": [{"tuple": ["name", node]}]}


@pytest.mark.parametrize("node", [None, "passthrough", SCALER])
def test_steps_of_a_pipeline(node):
    assert fits(classes.STEPS, step(node))


@pytest.mark.parametrize("node", ["drop", "", 0, {"object": ["Track", {}]}, {"function": "log"}])
def test_what_is_no_step(node):
    assert not fits(classes.STEPS, step(node))


@pytest.mark.parametrize("node", ["GB", "DEU", {"tuple": ["DE", "BY"]}, {"tuple": ["DE", None]}])
def test_countries(node):
    assert fits(classes.COUNTRY, node)


@pytest.mark.parametrize(
    "node",
    [
        None, 1, "", "G", "gb", "GBRX", "Germany", {"list": ["DE", "BY"]}, {"tuple": "DE"}, {"tuple": ["DE"]},
        {"tuple": ["DE", 1]}, {"tuple": [1, "BY"]}, {"tuple": ["DE", "BY", "x"]}, {"tuple": ["registry", None]},
        {"tuple": [None, None]},
    ],
)  # fmt: skip
def test_what_is_no_country(node):
    assert not fits(classes.COUNTRY, node)


def detector(**scales):
    forecaster = SimpleNamespace(_tracks={"a": 1, "b": 2}, _parameters={"horizon": 3}, n_targets_=2)
    return SimpleNamespace(forecaster_=forecaster, _scales=scales)


def test_a_scale_for_each_series():
    each, one = np.ones((3, 2)), np.ones(1)
    check_scales(detector(b=each, a=one))
    check_scales(SimpleNamespace(forecaster=None))
    unfitted = detector()
    del unfitted.forecaster_._tracks
    for other in (detector(a=each), detector(), detector(a=each, b=each, c=each), unfitted):
        with pytest.raises(UnfitError, match=r"^`_scales` must hold the series of the forecaster$"):
            check_scales(other)
    for scale in (each[0], each[:, :1], each[:2], np.ones((1, 1)), np.ones(2)):
        with pytest.raises(UnfitError, match=r"^`_scales` must have a row for each step and a column for each target$"):
            check_scales(detector(a=each, b=scale))


def test_every_step_of_a_chain_transforms():
    good, bad = StandardScaler(), make_pipeline(StandardScaler(), Ridge())
    check = classes.TABLE["Chain"].agrees
    check(Chain([good, make_pipeline(StandardScaler(), Differencer())]))
    for steps in ([bad], [good, bad], [Pipeline([])], [make_pipeline(good, bad)]):
        with pytest.raises(UnfitError, match="all steps of a chain must be transformers"):
            check(Chain(steps))
