"""The shapes of weights that a file is checked against are those that Keras makes."""

import itertools

import pytest

from tsrnn import programs
from tsrnn._weight_shapes import weight_shapes
from tsrnn.networks import Architecture

PLAIN = {"lookback": 12, "n_features": 2, "n_outputs": 24, "hidden_size": 3}
CASES = [
    {},
    {"hidden_size": 4, "n_layers": 2, "between_layers": ("layer_norm", "residual")},
    {"bidirectional": True, "n_layers": 2, "between_layers": ("layer_norm",)},
    {"convolution": (5, 2)},
    {"convolution": (5, 2), "segment_length": 3},
    {"segment_length": 2, "bidirectional": True, "n_layers": 2},
    {"truncation": 3, "n_layers": 2, "dropout": 0.1, "recurrent_dropout": 0.1},
    {"attention": "additive", "bidirectional": True},
    {"attention": "transformer", "hidden_size": 4},
    {"attention": "transformer", "bidirectional": True, "between_layers": ("layer_norm",)},
    {"decoder": "parallel", "segment_length": 3},
    {"decoder": "parallel", "bidirectional": True, "head": "gaussian", "n_values": 2},
    {"decoder": "recurrent", "segment_length": 2, "head": "quantiles", "n_values": 3},
    {"decoder": "recurrent", "bidirectional": True, "n_layers": 2},
    {"decoder": "sequence", "n_layers": 2},
    {"decoder": "sequence", "segment_length": 3, "attention": "transformer"},
    {"decoder": "attention", "attention": "additive"},
    {"decoder": "attention", "segment_length": 2, "bidirectional": True},
    {"head": "quantiles", "n_values": 3, "truncation": 5},
    {"cell_options": {"use_bias": False}, "decoder": "recurrent"},
]


@pytest.mark.parametrize(("cell", "case"), list(itertools.product(["SimpleRNN", "LSTM", "GRU"], CASES)))
def test_shapes_are_those_of_keras(cell, case):
    architecture = Architecture(cell=cell, **{**PLAIN, **case})
    network = programs.Network(architecture)
    assert weight_shapes(vars(architecture)) == [tuple(variable.shape) for variable in network.variables]


@pytest.mark.parametrize("decoder", ["dense", "parallel"])
def test_a_gru_may_have_one_bias(decoder):
    architecture = Architecture(cell="GRU", decoder=decoder, cell_options={"reset_after": False}, **PLAIN)
    expected = [tuple(variable.shape) for variable in programs.Network(architecture).variables]
    assert weight_shapes(vars(architecture)) == expected
    assert (9,) in expected
