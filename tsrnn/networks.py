"""The recurrent architectures as Keras models, built from plain values.

::

    window (L, d) ─► [convolution] ─► segments (L/s, s·d → h) ─► n_layers × cell [bidirectional, residual, layer norm,
    dropout, recurrent dropout] ─► [attention | transformer] ─► decoder ─► [quantiles | mean and scale] ─► (n_outputs)

This module imports Keras and is itself imported at the first fit or predict only.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from tsrnn._decoders import AttentionDecoder, ParallelDecoder, RecurrentDecoder
from tsrnn._layers import AdditiveAttention, Dropout, PositiveScale, RisingQuantiles, Transformer
from tsrnn._truncation import Truncated, read, runs

__all__ = ["Architecture", "build", "content", "in_units"]


@dataclass(frozen=True)
class Architecture:
    """The plain values that make one network.

    Parameters
    ----------
    cell : {"SimpleRNN", "LSTM", "GRU"}
        The recurrent cell.
    lookback, n_features, n_outputs : int
        Shapes of a window and of its target.
    hidden_size : int
        Units of each recurrent layer, per direction.
    n_layers : int
        Recurrent layers on top of each other.
    bidirectional : bool
        Whether each layer also reads the window backwards; the two outputs are concatenated.
    convolution : (filters, kernel_size) or None
        A causal convolution before the recurrence.
    segment_length : int
        Consecutive steps that enter the cell as one.
    between_layers : tuple of {"residual", "layer_norm"}
        What is done behind each recurrent layer: its input added, its output normalised.
    dropout : float
        Fraction of units dropped behind each recurrent layer.
    recurrent_dropout : float
        Fraction of units dropped in the recurrent connections.
    truncation : int or None
        Steps (or segments) after which gradients stop, while the state flows on.
    attention : {"additive", "transformer"} or None
        What looks over the states of all steps.
    decoder : {"dense", "parallel", "recurrent", "sequence", "attention"}
        What turns the states into the outputs.
    head : {"point", "quantiles", "gaussian"}
        What the `n_values` numbers of an output are.
    n_values : int
        Numbers for each output: quantiles, or mean and standard deviation.
    cell_options : dict
        Further arguments of the Keras layer.
    build_network : callable or None
        The user's own function (input_shape, n_outputs) -> keras.Model, instead of all the above; it returns
        n_outputs * n_values numbers.
    """

    cell: str
    lookback: int
    n_features: int
    n_outputs: int
    hidden_size: int = 32
    n_layers: int = 1
    bidirectional: bool = False
    convolution: tuple[int, int] | None = None
    segment_length: int = 1
    between_layers: tuple[str, ...] = ()
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    truncation: int | None = None
    attention: str | None = None
    decoder: str = "dense"
    head: str = "point"
    n_values: int = 1
    cell_options: dict[str, Any] = field(default_factory=dict, hash=False)
    build_network: Callable[..., Any] | None = None

    @property
    def n_segments(self) -> int:
        """Steps that the recurrence takes over a window."""
        return self.lookback // self.segment_length

    @property
    def width(self) -> int:
        """Numbers in the state of a layer, both directions together."""
        return self.hidden_size * (1 + self.bidirectional)

    @property
    def reads_all_states(self) -> bool:
        """Whether what follows the recurrence needs the states of all steps."""
        return self.attention is not None or self.decoder in ("sequence", "attention")

    @property
    def n_cell_steps(self) -> int:
        """How often a cell is evaluated one after the other in one pass over a window."""
        unrolled = self.n_outputs // self.segment_length if self.decoder in ("recurrent", "attention") else 0
        return self.n_layers * (1 + self.bidirectional) * self.n_segments + unrolled

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells this network from any other; `cell_options` count by their content."""
        plain = [value for name, value in vars(self).items() if name != "cell_options"]
        return (*plain, content(self.cell_options))


def content(value: Any) -> Hashable:
    """Return what is equal for options of equal content; a function is equal to itself alone, whatever its name."""
    if isinstance(value, dict):
        return tuple((name, content(value[name])) for name in sorted(value))
    if isinstance(value, list | tuple):
        return tuple(content(part) for part in value)
    if hasattr(value, "get_config"):
        # Keras numbers the names of optimizers: "sgd", "sgd_1".
        return type(value), content({name: part for name, part in value.get_config().items() if name != "name"})
    return value if isinstance(value, Hashable) else repr(value)


def build(architecture: Architecture) -> keras.Model:
    """Return the Keras model (batch, lookback, n_features) -> (batch, n_outputs[, n_values]) of `architecture`."""
    a = architecture
    if a.build_network is not None:
        own = _build_own(a)
        return own if a.head == "point" else keras.Model(own.inputs[0], _head(a, own.outputs[0]))
    window = keras.Input((a.lookback, a.n_features), name="window")
    sequence, states = _recurrence(a, _segments(a, _convolution(a, window)))
    sequence, states = _attention(a, sequence, states)
    return keras.Model(window, _head(a, _decode(a, sequence, states)), name=a.cell.lower())


def _build_own(a: Architecture) -> keras.Model:
    assert a.build_network is not None
    model = a.build_network((a.lookback, a.n_features), a.n_outputs)
    if not isinstance(model, keras.Model):
        raise TypeError(f"`build_network` must return a keras.Model; got {type(model).__name__}.")
    try:
        shapes = tuple(model.input_shape[1:]), tuple(model.output_shape[1:])
    except AttributeError as error:
        raise ValueError(
            "`build_network` must return a model that knows its shapes. Begin it with keras.Input(input_shape)."
        ) from error
    n_numbers = a.n_outputs * a.n_values
    expected = (a.lookback, a.n_features), (n_numbers,)
    if shapes != expected:
        raise ValueError(
            f"`build_network` must return a model from (batch, {a.lookback}, {a.n_features}) to (batch, "
            f"{n_numbers}); got one from {model.input_shape} to {model.output_shape}."
        )
    return model


def _convolution(a: Architecture, x: Any) -> Any:
    if a.convolution is None:
        return x
    filters, kernel_size = a.convolution
    return keras.layers.Conv1D(filters, kernel_size, padding="causal", activation="relu", name="convolution")(x)


def _segments(a: Architecture, x: Any) -> Any:
    """Fold every `segment_length` steps into one and project them to `hidden_size` (Lin et al. 2023)."""
    if a.segment_length == 1:
        return x
    x = keras.layers.Reshape((a.n_segments, a.segment_length * x.shape[-1]), name="fold")(x)
    return keras.layers.Dense(a.hidden_size, activation="relu", name="segments")(x)


def _recurrence(a: Architecture, x: Any) -> tuple[Any, list[Any]]:
    """Return the outputs at every step, where they are needed, and the final states, the output first."""
    for number in range(a.n_layers):
        last = number == a.n_layers - 1
        below, (x, states) = x, _layer(a, x, number, at_every_step=a.reads_all_states or not last)
        if x is not None:
            x = _behind(a, x, below, f"_{number}")
    output = _ends(a, x) if x is not None else _behind(a, states[0], _ends(a, below), "")
    return x, [output, *states[1:]]


def _layer(a: Architecture, x: Any, number: int, *, at_every_step: bool) -> tuple[Any, list[Any]]:
    """Return one recurrent layer's outputs at every step (None where not wanted) and its final states."""
    sequences, states = [], []
    for direction in ["", "_backward"] if a.bidirectional else [""]:
        layer = getattr(keras.layers, a.cell)(
            a.hidden_size,
            return_sequences=at_every_step,
            return_state=True,
            recurrent_dropout=a.recurrent_dropout,
            name=f"recurrent_{number}{direction}",
            **a.cell_options,
        )
        sequence, *final = _pass(a, layer, keras.ops.flip(x, axis=1) if direction else x)
        sequences.append(keras.ops.flip(sequence, axis=1) if direction and at_every_step else sequence)
        states.append(final)
    final = [_side_by_side(list(pair)) for pair in zip(*states, strict=True)]
    return (_side_by_side(sequences) if at_every_step else None), final


def _pass(a: Architecture, layer: Any, x: Any) -> list[Any]:
    """Return the outputs of `layer` at every step, or at the last one alone, and its final states.

    The layer reads one run of the window after the other while its state flows on.
    """
    steps, stops = x.shape[1], _truncations(a, x.shape[1])
    # Each run would draw a dropout mask of its own; and what is drawn, or penalised, is not computed twice.
    plain = not (layer.dropout or layer.recurrent_dropout or layer.activity_regularizer)

    def call(rows: Any, states: Any) -> Any:
        return layer(rows, initial_state=states or None)

    if not layer.return_sequences:
        # No gradient comes to what stands before the last stop.
        _, *states = read(call, x, [], stops[-1:], stops)
        return [states[0], *states]
    if a.truncation is not None and len(stops) > 1 and plain:
        layer.build(x.shape)
        begin, pieces = stops[0], Truncated(layer, a.truncation, name=f"{layer.name}_pieces")
        head, *states = read(call, x[:, :begin], [], runs(begin))
        rest, *states = pieces([x[:, begin:], *states])
        return [keras.ops.concatenate([head, rest], axis=1), *states]
    return read(call, x, [], {*stops, *(runs(steps) if plain else [])}, stops)


def _truncations(a: Architecture, steps: int) -> list[int]:
    """Return after how many of its steps a layer stops gradients: at every multiple of the truncation before the end.

    Where the final state alone counts, no gradient comes to what stands before the last of them.
    """
    every = [] if a.truncation is None else list(range(steps - a.truncation, 0, -a.truncation))[::-1]
    final_only = not (a.reads_all_states or (a.bidirectional and a.n_layers > 1))
    return every[-1:] if final_only else every


def _side_by_side(parts: list[Any]) -> Any:
    return parts[0] if len(parts) == 1 else keras.ops.concatenate(parts, axis=-1)


def _ends(a: Architecture, x: Any) -> Any:
    """Return the output where each direction has read the whole window: at the last step, and at the first."""
    if not a.bidirectional or x.shape[-1] != a.width:
        return x[:, -1]
    return keras.ops.concatenate([x[:, -1, : a.hidden_size], x[:, 0, a.hidden_size :]], axis=-1)


def _behind(a: Architecture, x: Any, below: Any, name: str) -> Any:
    """Add the layer's input where it has the output's size, normalise, drop."""
    if "residual" in a.between_layers and below.shape[-1] == x.shape[-1]:
        x = keras.layers.Add(name=f"residual{name}")([x, below])
    if "layer_norm" in a.between_layers:
        x = keras.layers.LayerNormalization(name=f"layer_norm{name}")(x)
    return Dropout(a.dropout, name=f"dropout{name}")(x) if a.dropout > 0 else x


def _attention(a: Architecture, sequence: Any, states: list[Any]) -> tuple[Any, list[Any]]:
    """Look over the states of all steps; what was seen takes the place of the output."""
    if a.attention == "additive":
        return sequence, [AdditiveAttention(a.width, name="attention")([sequence, states[0]]), *states[1:]]
    if a.attention == "transformer":
        heads = 4 if a.width % 4 == 0 else 1
        block = Transformer(heads, causal=not a.bidirectional, dropout=a.dropout, name="transformer")
        sequence = block(sequence)
        return sequence, [_ends(a, sequence), *states[1:]]
    return sequence, states


DECODERS = {"parallel": ParallelDecoder, "recurrent": RecurrentDecoder, "attention": AttentionDecoder}


def _decode(a: Architecture, sequence: Any, states: list[Any]) -> Any:
    """Return n_outputs * n_values numbers."""
    count = a.n_outputs * a.n_values
    if a.decoder == "dense":
        return keras.layers.Dense(count, name="decoder")(states[0])
    if a.decoder == "sequence":
        each = keras.layers.Dense(count // a.n_segments, name="decoder")(sequence)
        return keras.layers.Reshape((count,), name="unfold")(each)
    decoder = DECODERS[a.decoder](
        a.cell, count, a.segment_length * a.n_values, cell_options=_options_of_a_cell(a), name="decoder"
    )
    return decoder([sequence, *states] if a.decoder == "attention" else states)


def _options_of_a_cell(a: Architecture) -> dict[str, Any]:
    """Return, as Keras' configurations, those of `cell_options` that a cell outside of a layer has as well."""
    layer = getattr(keras.layers, a.cell)(1, **a.cell_options).get_config()
    cell = getattr(keras.layers, f"{a.cell}Cell")(1).get_config()
    return {name: layer[name] for name in a.cell_options if name in cell and name not in ("dropout", "seed")}


def _head(a: Architecture, x: Any) -> Any:
    """Return the outputs as they are, or each as its quantiles or its mean and standard deviation."""
    if a.head == "point":
        return x
    values = keras.layers.Reshape((a.n_outputs, a.n_values), name="values")(x)
    return (RisingQuantiles if a.head == "quantiles" else PositiveScale)(name=a.head)(values)


def in_units(model: keras.Model, kind: str, *units: Any) -> keras.Model:
    """Return `model` with outputs as the estimator gives them.

    "classification": probabilities. "regression": outputs times scale plus mean, in the shape of a target; of the
    values that tell a distribution, a standard deviation has no mean to be added.
    """
    outputs = model.outputs[0]
    if kind == "classification":
        return keras.Model(model.inputs[0], keras.layers.Softmax(name="probabilities")(outputs), name=model.name)
    mean, scale, shape = (np.asarray(unit) for unit in units)
    values = outputs.shape[2:]  # along the last axis, where they tell a distribution
    if values:
        mean, scale = (np.repeat(unit[:, None], values[0], axis=1) for unit in (mean, scale))
    if model.layers[-1].name == "gaussian":
        mean[:, 1] = 0
    outputs = keras.layers.Rescaling(scale.tolist(), mean.tolist(), name="units")(outputs)
    if len(shape) > 1:
        outputs = keras.layers.Reshape((*shape.tolist(), *values), name="shape")(outputs)
    return keras.Model(model.inputs[0], outputs, name=model.name)
