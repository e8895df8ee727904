"""The table of what a file may hold: the nodes that scikit-learn's and holidays' own names need."""

from types import SimpleNamespace

import pytest

from tsrnn import _saved_classes as classes
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


def test_a_scale_for_each_series():
    forecaster = SimpleNamespace(_tracks={"a": 1, "b": 2})
    check_scales(SimpleNamespace(forecaster_=forecaster, _scales={"b": 1.0, "a": 2.0}))
    check_scales(SimpleNamespace(forecaster=forecaster))
    check_scales(SimpleNamespace(forecaster_=SimpleNamespace(), _scales={}))
    for other in ({"a": 1.0}, {}, {"a": 1.0, "b": 1.0, "c": 1.0}):
        with pytest.raises(UnfitError, match=r"^`_scales` must hold the series of the forecaster$"):
            check_scales(SimpleNamespace(forecaster_=forecaster, _scales=other))
    with pytest.raises(UnfitError, match="`_scales` must hold"):
        check_scales(SimpleNamespace(forecaster_=SimpleNamespace(), _scales={"a": 1.0}))
