"""What turns the states of the recurrence into several outputs; like `networks`, imported at the first fit only."""

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from tsrnn._layers import AdditiveAttention

__all__ = ["AttentionDecoder", "ParallelDecoder", "RecurrentDecoder"]


class Decoder(keras.layers.Layer):
    """Base of the decoders: a cell of their own, and a dense layer from its output to one segment of values.

    Parameters
    ----------
    cell : {"SimpleRNN", "LSTM", "GRU"}
        The recurrent cell.
    n_values : int
        Values decoded in all, a multiple of `segment_length`.
    segment_length : int
        Values in a segment.
    cell_options : dict, default=None
        Further arguments of the cell, as Keras' configurations.
    **kwargs : dict
        Passed to `keras.layers.Layer`.
    """

    def __init__(
        self, cell: str, n_values: int, segment_length: int, cell_options: dict[str, Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.cell_name, self.n_values, self.segment_length = cell, n_values, segment_length
        self.cell_options = dict(cell_options or {})
        self.count = n_values // segment_length

    def _build_cell(self, size: int, n_inputs: int) -> None:
        self.cell = getattr(keras.layers, f"{self.cell_name}Cell")(size, name="cell", **self.cell_options)
        self.values = keras.layers.Dense(self.segment_length, name="values")
        self.cell.build((None, n_inputs))
        self.values.build((None, size))

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, int]:
        """Return (batch, n_values)."""
        return input_shape[0][0], self.n_values

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        own = {"cell": self.cell_name, "n_values": self.n_values, "segment_length": self.segment_length}
        own["cell_options"] = self.cell_options
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("tsrnn")
class ParallelDecoder(Decoder):
    """Decode every future segment at once, from the final state and an embedding of its position.

    One step of the cell turns (position, state) into the segment's state, a dense layer that into values.

    References
    ----------
    Lin et al. (2023), SegRNN, doi:10.48550/arXiv.2308.11200: parallel multi-step decoding with position embeddings.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.positions_initializer = keras.initializers.RandomNormal(stddev=0.05)

    def build(self, input_shape: Any) -> None:
        """Make the positions (n_segments, size), the cell and the dense layer for states (batch, size)."""
        size = input_shape[0][-1]
        self.positions = self.add_weight(
            shape=(self.count, size), initializer=self.positions_initializer, name="positions"
        )
        self._build_cell(size, size)

    def call(self, states: list[Any]) -> Any:
        """Return (batch, n_values) from the final states, each (batch, size)."""
        ops = keras.ops
        size = states[0].shape[-1]
        batch = ops.shape(states[0])[0]
        positions = ops.tile(self.positions, (batch, 1))
        repeated = [ops.reshape(ops.repeat(state, self.count, axis=0), (-1, size)) for state in states]
        decoded, _ = self.cell(positions, repeated)
        return ops.reshape(self.values(decoded), (-1, self.n_values))


@keras.saving.register_keras_serializable("tsrnn")
class RecurrentDecoder(Decoder):
    """Decode segment after segment: each is the next one's input, and the state is handed on.

    The input of the first segment is zero: the targets' mean.

    References
    ----------
    Sutskever, Vinyals & Le (2014), doi:10.48550/arXiv.1409.3215: the encoder's final state starts the decoder.
    """

    def build(self, input_shape: Any) -> None:
        """Make the cell and the dense layer for states (batch, size)."""
        self._build_cell(input_shape[0][-1], self.segment_length)

    def call(self, states: list[Any]) -> Any:
        """Return (batch, n_values) from the final states, each (batch, size)."""

        def step(segment: Any, states: list[Any]) -> tuple[Any, list[Any]]:
            output, states = self.cell(segment, states)
            return self.values(output), states

        return unrolled(step, states, self.count, self.segment_length)


@keras.saving.register_keras_serializable("tsrnn")
class AttentionDecoder(Decoder):
    """Decode segment after segment, each with a look over all of the encoder's states (Bahdanau et al. 2015).

    The cell's output is the question; the answer is turned into the segment's values, which are the next input.

    References
    ----------
    Bahdanau, Cho & Bengio (2015), doi:10.48550/arXiv.1409.0473: attention over the encoder's states. Luong, Pham &
    Manning (2015), doi:10.18653/v1/D15-1166: the look after the cell's step.
    """

    def build(self, input_shape: Any) -> None:
        """Make the attention, the cell and the dense layer for [all states (batch, steps, size), final states]."""
        size = input_shape[1][-1]
        self._build_cell(size, self.segment_length)
        self.attention = AdditiveAttention(size, name="attention")
        self.attention.build([input_shape[0], input_shape[1]])

    def call(self, states: list[Any]) -> Any:
        """Return (batch, n_values) from [all states (batch, steps, size), final states, each (batch, size)]."""
        encoded, *states = states
        keys = self.attention.of_states(encoded)

        def step(segment: Any, states: list[Any]) -> tuple[Any, list[Any]]:
            output, states = self.cell(segment, states)
            return self.values(self.attention.look(encoded, keys, output)), states

        return unrolled(step, states, self.count, self.segment_length)


def unrolled(step: Callable[..., Any], states: list[Any], count: int, size: int) -> Any:
    """Return the segments (batch, count * size) of `count` steps (segment, states) -> (segment, states)."""
    batch = tf.shape(states[0])[0]
    first = tf.zeros((batch, size), states[0].dtype)
    outputs = tf.TensorArray(first.dtype, count, element_shape=(states[0].shape[0], size))

    def body(i: Any, outputs: Any, segment: Any, states: list[Any]) -> tuple[Any, Any, Any, list[Any]]:
        segment, states = step(segment, states)
        return i + 1, outputs.write(i, segment), segment, list(states)

    _, outputs, _, _ = tf.while_loop(
        lambda i, *_: i < count, body, (0, outputs, first, list(states)), maximum_iterations=count
    )
    return tf.reshape(tf.transpose(outputs.stack(), (1, 0, 2)), (batch, count * size))
