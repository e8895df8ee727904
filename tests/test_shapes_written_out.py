"""The shapes of weights, written out: what Keras was seen to make of each architecture. No network is built here."""

import pytest

from tsrnn._weight_shapes import weight_shapes

PLAIN = {
    "cell": "SimpleRNN", "lookback": 12, "n_features": 2, "n_outputs": 24, "hidden_size": 3, "n_layers": 1,
    "bidirectional": False, "convolution": None, "segment_length": 1, "between_layers": (), "attention": None,
    "decoder": "dense", "head": "point", "n_values": 1, "cell_options": {},
}  # fmt: skip
CELL = [(2, 3), (3, 3), (3,)]
HEAD = [(3, 24), (24,)]
FEED_FORWARD = [(3, 12), (12,), (12, 3), (3,), *4 * [(3,)]]
WIDE = [(8, 32), (32,), (32, 8), (8,), *4 * [(8,)]]
WRITTEN_OUT = [
    ({}, CELL + HEAD),
    ({"cell": "LSTM"}, [(2, 12), (3, 12), (12,), *HEAD]),
    ({"cell": "GRU"}, [(2, 9), (3, 9), (2, 9), *HEAD]),
    ({"cell": "GRU", "cell_options": {"reset_after": False}}, [(2, 9), (3, 9), (9,), *HEAD]),
    ({"cell": "LSTM", "cell_options": {"use_bias": False}}, [(2, 12), (3, 12), *HEAD]),
    (
        {"bidirectional": True, "n_layers": 2, "between_layers": ("layer_norm",)},
        [*CELL, *CELL, (6,), (6,), *2 * [(6, 3), (3, 3), (3,)], (6,), (6,), (6, 24), (24,)],
    ),
    ({"n_layers": 2, "between_layers": ("residual",)}, [*CELL, (3, 3), (3, 3), (3,), *HEAD]),
    ({"convolution": (5, 4)}, [(4, 2, 5), (5,), (5, 3), (3, 3), (3,), *HEAD]),
    ({"convolution": (5, 4), "segment_length": 6}, [(4, 2, 5), (5,), (30, 3), (3,), (3, 3), (3, 3), (3,), *HEAD]),
    ({"attention": "additive"}, [*CELL, (3, 3), (3, 3), (3,), (3, 1), (6, 3), (3,), *HEAD]),
    ({"attention": "transformer"}, [*CELL, *3 * [(3, 1, 3), (1, 3)], (1, 3, 3), (3,), *FEED_FORWARD, *HEAD]),
    (
        {"attention": "transformer", "hidden_size": 8, "n_outputs": 1},
        [(2, 8), (8, 8), (8,), *3 * [(8, 4, 2), (4, 2)], (4, 2, 8), (8,), *WIDE, (8, 1), (1,)],
    ),
    (
        {"decoder": "sequence", "segment_length": 3, "head": "quantiles", "n_values": 5},
        [(6, 3), (3,), (3, 3), (3, 3), (3,), (3, 30), (30,)],
    ),
    (
        {"decoder": "parallel", "segment_length": 4, "head": "gaussian", "n_values": 2},
        [(8, 3), (3,), (3, 3), (3, 3), (3,), (6, 3), (3, 3), (3, 3), (3,), (3, 8), (8,)],
    ),
    (
        {"decoder": "recurrent", "segment_length": 2, "head": "quantiles", "n_values": 3},
        [(4, 3), (3,), (3, 3), (3, 3), (3,), (6, 3), (3, 3), (3,), (3, 6), (6,)],
    ),
    (
        {"decoder": "attention", "segment_length": 2},
        [(4, 3), (3,), (3, 3), (3, 3), (3,), *CELL, (3, 2), (2,), (3, 3), (3, 3), (3,), (3, 1), (6, 3), (3,)],
    ),
]


@pytest.mark.parametrize(("case", "expected"), WRITTEN_OUT)
def test_shapes_written_out(case, expected):
    shapes = weight_shapes({**PLAIN, **case})
    assert shapes == expected
    assert {type(size) for shape in shapes for size in shape} == {int}
