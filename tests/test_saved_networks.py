"""Recurrent estimators in a file: their parts must agree with each other. No network is built here."""

import copy
import math

import pytest
from saved import GOLDEN, parts_of

from tsrnn._index_nodes import UnfitError
from tsrnn._saved_classes import ESTIMATORS, TABLE
from tsrnn._stacks import Stored
from tsrnn._tree import Checker
from tsrnn._weight_shapes import weight_shapes

SIZES = "the sizes of a network do not agree with each other"
WEIGHTS = "`weights_` must have the shapes and the type that the architecture gives them"
ARCHITECTURE = {
    "cell": "LSTM", "lookback": 6, "n_features": 1, "n_outputs": 12, "head": "point", "n_values": 1, "hidden_size": 3,
    "n_layers": 1, "bidirectional": False, "segment_length": 1, "dropout": 0.0, "recurrent_dropout": 0.0,
    "truncation": None, "attention": None, "decoder": "dense", "between_layers": (), "convolution": None,
    "cell_options": {},
}  # fmt: skip


def as_node(value):
    if isinstance(value, tuple):
        return {"tuple": [as_node(part) for part in value]}
    return {"dict": [[key, as_node(part)] for key, part in value.items()]} if isinstance(value, dict) else value


class Saved:
    """What the manifest tells of a fitted network: a golden file's, with another architecture and its weights."""

    def __init__(self, file="network", n_members=1, levels=(), **values):
        manifest, _ = parts_of(GOLDEN / f"1-{file}.tsrnn")
        self.tree = copy.deepcopy(manifest["estimator"])
        self.arrays = [Stored(told["dtype"], tuple(told["shape"]), told["order"]) for told in manifest["arrays"]]
        self.attributes = self.tree["object"][1]
        values = ARCHITECTURE | values
        loss = ("mse", tuple(levels), {"head": values["head"], "n_values": values["n_values"]})
        self.attributes |= {
            "input_shape_": as_node((values["lookback"], values["n_features"])),
            "n_outputs_": values["n_outputs"],
            "_architecture": as_node(values),
            "_fitted_loss": as_node(loss),
            "weights_": {"list": [self.member(values) for _ in range(n_members)]},
        }
        if file == "network":
            shape = (3, values["n_outputs"] // 3) if values["n_outputs"] % 3 == 0 else (values["n_outputs"],)
            self.attributes["_target_shape"] = as_node(shape)
            for name in ("target_mean_", "target_scale_"):
                self.attributes[name] = self.add("<f8", (values["n_outputs"],))

    def member(self, values):
        return {"list": [self.add("<f4", shape) for shape in weight_shapes(values)]}

    def add(self, dtype, shape):
        self.arrays.append(Stored(dtype, shape, "C"))
        return {"array": len(self.arrays) - 1}

    def say(self, **values):
        """Tell other values of the architecture than the rest has."""
        pairs = self.attributes["_architecture"]["dict"]
        pairs[:] = [[name, as_node(values.get(name, 0)) if name in values else part] for name, part in pairs]
        return self

    def fits(self):
        return Checker(TABLE, self.arrays).object(self.tree, ESTIMATORS)

    def refused(self, words):
        with pytest.raises(UnfitError, match=f"^{words}$"):
            self.fits()


AGREEING = [
    {},
    {"n_members": 3},
    {"lookback": 24, "n_features": 2, "n_outputs": 7, "n_layers": 2, "bidirectional": True},
    {"segment_length": 3, "convolution": (2, 2)},
    {"head": "gaussian", "n_values": 2},
    {"head": "quantiles", "n_values": 3, "levels": (0.1, 0.5, 0.9)},
    {"head": "quantiles", "n_values": 1, "levels": (0.5,)},
    {"decoder": "parallel", "segment_length": 3, "n_outputs": 9},
    {"decoder": "recurrent", "segment_length": 2, "n_outputs": 4},
    {"decoder": "attention", "segment_length": 6, "n_outputs": 6},
    {"decoder": "sequence", "segment_length": 2, "n_outputs": 3},
    {"decoder": "sequence", "n_outputs": 18},
    {"segment_length": 2, "n_outputs": 7},
]


@pytest.mark.parametrize("values", AGREEING)
def test_parts_that_agree(values):
    assert Saved(**values).fits()


DISAGREEING = [
    {"segment_length": 4},
    {"segment_length": 12},
    {"head": "gaussian", "n_values": 1},
    {"head": "gaussian", "n_values": 3},
    {"head": "point", "n_values": 2},
    {"head": "point", "n_values": 2, "levels": (0.1, 0.9)},
    {"head": "quantiles", "n_values": 3, "levels": (0.1, 0.9)},
    {"decoder": "parallel", "segment_length": 3, "n_outputs": 8},
    {"decoder": "recurrent", "segment_length": 3, "n_outputs": 10},
    {"decoder": "attention", "segment_length": 2, "n_outputs": 7},
    {"decoder": "sequence", "segment_length": 2, "n_outputs": 4},
    {"decoder": "sequence", "n_outputs": 3},
]


@pytest.mark.parametrize("values", DISAGREEING)
def test_sizes_that_no_network_has(values):
    Saved(**values).refused(SIZES)


@pytest.mark.parametrize(
    ("name", "node"),
    [
        ("input_shape_", (7, 1)),
        ("input_shape_", (6, 2)),
        ("n_outputs_", 6),
        ("_fitted_loss", ("mse", (), {"head": "gaussian", "n_values": 1})),
        ("_fitted_loss", ("mse", (), {"head": "point", "n_values": 2})),
    ],
)
def test_attributes_that_tell_other_sizes(name, node):
    saved = Saved()
    saved.attributes[name] = as_node(node)
    saved.refused(SIZES)


@pytest.mark.parametrize(
    "values",
    [{"hidden_size": 4}, {"n_layers": 2}, {"bidirectional": True}, {"attention": "additive"}, {"decoder": "parallel"}],
)
def test_weights_of_another_architecture(values):
    Saved().say(**values).refused(WEIGHTS)


def test_more_layers_than_there_are_weights_are_not_even_listed():
    Saved().say(n_layers=2**31).refused(WEIGHTS)


def test_weights_of_another_type():
    saved = Saved()
    saved.arrays[-4] = Stored("<f8", saved.arrays[-4].shape, "C")
    assert saved.attributes["weights_"]["list"][0]["list"][-2] == {"array": len(saved.arrays) - 4}
    saved.refused(WEIGHTS)


def test_the_weights_of_every_member():
    saved = Saved(n_members=3)
    saved.attributes["weights_"]["list"][-1]["list"].reverse()
    saved.refused(WEIGHTS)
    saved = Saved(n_members=2)
    saved.attributes["weights_"]["list"][1]["list"].pop()
    saved.refused(WEIGHTS)


def test_the_cell_is_that_of_the_class():
    Saved(cell="GRU").refused("the network of a LSTM estimator has the cell 'GRU'")
    Saved("classifier", n_outputs=2).refused("the network of a GRU estimator has the cell 'LSTM'")


def test_what_is_not_fitted_has_no_weights_to_agree():
    saved = Saved()
    parameters = TABLE["LSTMRegressor"].always
    saved.tree["object"][1] = {name: part for name, part in saved.attributes.items() if name in parameters}
    assert saved.fits()


@pytest.mark.parametrize(
    "weights",
    [
        None,
        {"list": []},
        {"tuple": [{"list": []}]},
        {"list": {"rows": [4, {"list": []}]}},
        {"list": [{"list": []}, {"list": {"rows": [4, {"array": [0, {"from": [0, 1]}]}]}}]},
        {"list": [{"array": 0}]},
        {"again": 0},
    ],
)
def test_weights_are_lists_that_are_written_out(weights):
    saved = Saved()
    saved.attributes["weights_"] = weights
    with pytest.raises(
        UnfitError, match=r"^LSTMRegressor: `weights_` must be a list of the weights of each member; got"
    ):
        saved.fits()


# --- outputs ---

OUTPUTS = "a network of {} outputs does not have as many classes, or means and scales"


@pytest.mark.parametrize("shape", [(12,), (3, 4), (12, 1), (2, 2, 3)])
def test_targets_of_as_many_values(shape):
    saved = Saved()
    saved.attributes["_target_shape"] = as_node(shape)
    assert math.prod(shape) == 12
    assert saved.fits()


@pytest.mark.parametrize("shape", [(11,), (3, 5), (), (12, 0)])
def test_targets_of_another_number_of_values(shape):
    saved = Saved()
    saved.attributes["_target_shape"] = as_node(shape)
    saved.refused(OUTPUTS.format(12))


@pytest.mark.parametrize("name", ["target_mean_", "target_scale_"])
def test_a_mean_and_a_scale_for_each_output(name):
    saved = Saved()
    saved.attributes[name] = saved.add("<f8", (13,))
    saved.refused(OUTPUTS.format(12))


def test_a_class_for_each_output():
    assert Saved("classifier", cell="GRU", n_outputs=2).fits()
    Saved("classifier", cell="GRU", n_outputs=3).refused(OUTPUTS.format(3))
    saved = Saved("classifier", cell="GRU", n_outputs=3)
    saved.attributes["classes_"] = saved.add("<i8", (3,))
    assert saved.fits()
    saved.attributes["classes_"] = saved.add("<i8", (2,))
    saved.refused(OUTPUTS.format(3))
