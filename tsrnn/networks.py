"""The recurrent architectures as Keras models, built from plain values.

::

    window (L, d) ─► segments (L/s, s·d → h) ─► n_layers × cell [bidirectional, dropout] ─► decoder ─► (n_outputs)

This module imports Keras and is itself imported at the first fit or predict only.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

import keras

from tsrnn._layers import Dropout, ParallelDecoder

__all__ = ["Architecture", "build", "in_units"]


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
    dropout : float
        Fraction of units dropped behind each recurrent layer.
    recurrent_dropout : float
        Fraction of units dropped in the recurrent connections.
    segment_length : int
        Consecutive steps that enter the cell as one.
    decoder : {"dense", "parallel"}
        What turns the final state into the outputs.
    cell_options : dict
        Further arguments of the Keras layer.
    build_network : callable or None
        The user's own function (input_shape, n_outputs) -> keras.Model, instead of all the above.
    """

    cell: str
    lookback: int
    n_features: int
    n_outputs: int
    hidden_size: int = 32
    n_layers: int = 1
    bidirectional: bool = False
    dropout: float = 0.0
    recurrent_dropout: float = 0.0
    segment_length: int = 1
    decoder: str = "dense"
    cell_options: dict[str, Any] = field(default_factory=dict, hash=False)
    build_network: Callable[..., Any] | None = None

    @property
    def n_cell_steps(self) -> int:
        """How often a cell is evaluated one after the other in one pass over a window."""
        return self.n_layers * (1 + self.bidirectional) * self.lookback // self.segment_length

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells this network from any other; `cell_options` count by their content."""
        plain = [value for name, value in vars(self).items() if name != "cell_options"]
        return (*plain, _content(self.cell_options))


def _content(value: Any) -> Hashable:
    """Return what is equal for options of equal content; a function is equal to itself alone, whatever its name."""
    if isinstance(value, dict):
        return tuple((name, _content(value[name])) for name in sorted(value))
    if isinstance(value, list | tuple):
        return tuple(_content(part) for part in value)
    if hasattr(value, "get_config"):
        return type(value), _content(value.get_config())
    return value if isinstance(value, Hashable) else repr(value)


def build(architecture: Architecture) -> keras.Model:
    """Return the Keras model (batch, lookback, n_features) -> (batch, n_outputs) of `architecture`."""
    a = architecture
    if a.build_network is not None:
        return _build_own(a)
    window = keras.Input((a.lookback, a.n_features), name="window")
    states = _recurrence(a, _segments(a, window))
    return keras.Model(window, _decode(a, states), name=a.cell.lower())


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
    expected = (a.lookback, a.n_features), (a.n_outputs,)
    if shapes != expected:
        raise ValueError(
            f"`build_network` must return a model from (batch, {a.lookback}, {a.n_features}) to (batch, "
            f"{a.n_outputs}); got one from {model.input_shape} to {model.output_shape}."
        )
    return model


def _segments(a: Architecture, x: Any) -> Any:
    """Fold every `segment_length` steps into one and project them to `hidden_size` (Lin et al. 2023)."""
    if a.segment_length == 1:
        return x
    count = a.lookback // a.segment_length
    x = keras.layers.Reshape((count, a.segment_length * a.n_features), name="fold")(x)
    return keras.layers.Dense(a.hidden_size, activation="relu", name="segments")(x)


def _recurrence(a: Architecture, x: Any) -> list[Any]:
    """Return the final states of the last of `n_layers` recurrent layers, the output first."""
    for number in range(a.n_layers):
        last = number == a.n_layers - 1
        layer = getattr(keras.layers, a.cell)(
            a.hidden_size,
            return_sequences=not last,
            return_state=last,
            recurrent_dropout=a.recurrent_dropout,
            name=f"recurrent_{number}",
            **a.cell_options,
        )
        if a.bidirectional:
            layer = keras.layers.Bidirectional(layer, name=f"bidirectional_{number}")
        x = layer(x)
        if not last:
            x = _dropout(a, x, f"dropout_{number}")
    output, *states = x
    return [_dropout(a, output, "dropout"), *_merged(a, states)]


def _dropout(a: Architecture, x: Any, name: str) -> Any:
    return Dropout(a.dropout, name=name)(x) if a.dropout > 0 else x


def _merged(a: Architecture, states: list[Any]) -> list[Any]:
    """Return the states as the cell counts them: both directions' in one."""
    if not a.bidirectional:
        return states
    half = len(states) // 2
    pairs = zip(states[:half], states[half:], strict=True)
    return [keras.layers.Concatenate(name=f"state_{i}")(list(pair)) for i, pair in enumerate(pairs)]


def _decode(a: Architecture, states: list[Any]) -> Any:
    output, *states = states
    if a.decoder == "dense":
        return keras.layers.Dense(a.n_outputs, name="decoder")(output)
    return ParallelDecoder(a.cell, a.n_outputs, a.segment_length, name="decoder")([output, *states[1:]])


def in_units(model: keras.Model, mean: Any, scale: Any) -> keras.Model:
    """Return `model` with its standardised outputs turned into ``output * scale + mean``."""
    outputs = keras.layers.Rescaling(scale.tolist(), mean.tolist(), name="units")(model.outputs[0])
    return keras.Model(model.inputs[0], outputs, name=model.name)
