"""The shapes of the weights of a network, from the plain values that make it, without Keras."""

from typing import Any

Shapes = list[tuple[int, ...]]

GATES = {"SimpleRNN": 1, "GRU": 3, "LSTM": 4}


def weight_shapes(values: dict[str, Any]) -> Shapes:
    """Return the shapes of all weights, in the order in which Keras lists them.

    `values` are all those of `networks.Architecture` but `build_network`. The two directions of a layer have the same
    shapes, so that it does not matter which of them comes first.
    """
    size, length, n_inputs = values["hidden_size"], values["segment_length"], values["n_features"]
    width = size * (1 + values["bidirectional"])
    shapes: Shapes = []
    if values["convolution"] is not None:
        filters, kernel_size = values["convolution"]
        shapes += [(kernel_size, n_inputs, filters), (filters,)]
        n_inputs = filters
    if length > 1:
        shapes += _dense(length * n_inputs, size)
        n_inputs = size
    for _ in range(values["n_layers"]):
        shapes += (1 + values["bidirectional"]) * _cell(values, n_inputs, size)
        shapes += [(width,), (width,)] if "layer_norm" in values["between_layers"] else []
        n_inputs = width
    return shapes + _attention(values["attention"], width) + _decoder(values, width)


def _dense(n_inputs: int, n_outputs: int) -> Shapes:
    return [(n_inputs, n_outputs), (n_outputs,)]


def _cell(values: dict[str, Any], n_inputs: int, size: int) -> Shapes:
    cell, options = values["cell"], values["cell_options"]
    wide = GATES[cell] * size
    bias = (2, wide) if cell == "GRU" and options.get("reset_after", True) else (wide,)
    return [(n_inputs, wide), (size, wide), *([bias] if options.get("use_bias", True) else [])]


def _additive(size: int) -> Shapes:
    return [(size, size), (size, size), (size,), (size, 1), (2 * size, size), (size,)]


def _attention(kind: str | None, width: int) -> Shapes:
    if kind is None:
        return []
    if kind == "additive":
        return _additive(width)
    n_heads = 4 if width % 4 == 0 else 1
    head = (n_heads, width // n_heads)
    seen = [(width, *head), head, (width, *head), head, (width, *head), head, (*head, width), (width,)]
    return [*seen, *_dense(width, 4 * width), *_dense(4 * width, width), *4 * [(width,)]]


def _decoder(values: dict[str, Any], width: int) -> Shapes:
    decoder, length = values["decoder"], values["segment_length"]
    count = values["n_outputs"] * values["n_values"]
    if decoder == "dense":
        return _dense(width, count)
    if decoder == "sequence":
        return _dense(width, count // (values["lookback"] // length))
    decoded = length * values["n_values"]
    if decoder == "parallel":
        return [(count // decoded, width), *_cell(values, width, width), *_dense(width, decoded)]
    unrolled = _cell(values, decoded, width) + _dense(width, decoded)
    return unrolled + _additive(width) if decoder == "attention" else unrolled
