"""Truncated back-propagation through time; like `networks`, imported at the first fit or predict only."""

import itertools
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import keras
import tensorflow as tf

__all__ = ["LONGEST_RUN", "Truncated", "read", "runs"]

LONGEST_RUN = 100
"""Steps whose outputs are all wanted that a layer reads in one go. Compiled by XLA, the gradient of such a loop takes
time with the square of its steps: GRU(64), 1,000 steps, 64 windows: 1,142 ms in one go, 141 ms in ten."""


def read(layer: Any, rows: Any, states: Sequence[Any], cuts: Iterable[int], stops: Collection[int] = ()) -> list[Any]:
    """Return what `layer`, a function (rows, states) -> (outputs, *states), says of `rows`, read run by run.

    A run begins at each of the `cuts`; at those that are `stops`, the states go on without their gradient.
    """
    outputs, steps = [], rows.shape[1]
    for begin, end in itertools.pairwise(sorted({0, steps, *cuts})):
        given = [keras.ops.stop_gradient(state) for state in states] if begin in stops else list(states)
        output, *states = layer(rows[:, begin:end] if end - begin < steps else rows, given)
        outputs.append(output)
    return [outputs[0] if len(outputs) == 1 else keras.ops.concatenate(outputs, axis=1), *states]


def runs(steps: int) -> range:
    """Return where `steps` steps are cut for speed alone."""
    return range(LONGEST_RUN, steps, LONGEST_RUN)


@keras.saving.register_keras_serializable("tsrnn")
class Truncated(keras.layers.Wrapper):
    """A recurrent layer whose gradients stay within pieces of the window, while its state flows on.

    ::

        window    [──piece 0──][──piece 1──][──piece 2──]
        state     s0 ────────► s1 ────────► s2 ────────► s3
        gradient   ◄───────────│◄───────────│◄───────────│

    The backward pass reads the pieces once more, so that what the layer computes on its way is in memory for one piece
    at a time, not for the whole window (Chen et al. 2016, doi:10.48550/arXiv.1604.06174).

    Parameters
    ----------
    layer : keras.layers.RNN
        What is read with; it draws no random numbers, and returns its outputs at every step and its final states.
    length : int
        Steps in a piece; a window is a whole number of pieces long.
    **kwargs : dict
        Passed to `keras.layers.Layer`.
    """

    def __init__(self, layer: Any, length: int, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.length = length

    def build(self, input_shape: Any) -> None:
        """Make the weights of the layer for [rows, *states]."""
        super().build(input_shape[0])

    def call(self, inputs: Any) -> Any:
        """Return the outputs at every step and the final states for [rows, *states]; without states, from zero."""
        rows, *states = inputs
        states = states or self.layer.get_initial_state(keras.ops.shape(rows)[0])
        weights = [variable.value for variable in self.layer.trainable_variables]
        n_weights = len(weights)

        @tf.custom_gradient
        def run(rows: Any, *parts: Any) -> Any:
            weights, states = list(parts[:n_weights]), list(parts[n_weights:])

            def backward(*gradients: Any) -> Any:
                found = self._gradients(rows, weights, states, list(gradients))
                return [*found, *(tf.zeros_like(state) for state in states)]

            return self._read(rows, weights, states), backward

        return run(rows, *weights, *states)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shapes of the outputs and the states."""
        return self.layer.compute_output_shape(input_shape[0])

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "length": self.length}

    def _read(self, rows: Any, weights: list[Any], states: list[Any]) -> list[Any]:
        """Return the outputs at every step and the final states, with `weights` for those of the layer."""
        others = [variable.value for variable in self.layer.non_trainable_variables]

        def layer(rows: Any, states: Sequence[Any]) -> Any:
            return self.layer.stateless_call(weights, others, rows, initial_state=list(states), training=False)[0]

        return read(layer, rows, states, runs(rows.shape[1]))

    def _gradients(self, rows: Any, weights: list[Any], states: list[Any], gradients: list[Any]) -> list[Any]:
        """Return the gradients of rows and weights, given those of the outputs and the final states."""
        count, whole = rows.shape[1] // self.length, rows.shape
        borders = self._borders(rows, weights, states, count)
        pieces = tf.TensorArray(rows.dtype, count, element_shape=(whole[0], self.length, whole[2]))

        def goes_on(i: Any, *_: Any) -> Any:
            return i >= 0

        def step(i: Any, of_states: list[Any], of_weights: list[Any], pieces: Any) -> Any:
            piece, begin = self._piece(rows, i), [border.read(i) for border in borders]
            with tf.GradientTape() as tape:
                tape.watch([piece, *weights])
                outputs = self._read(piece, weights, begin)
            given = [self._piece(gradients[0], i), *of_states]
            of_piece, *more = tape.gradient(
                outputs, [piece, *weights], given, unconnected_gradients=tf.UnconnectedGradients.ZERO
            )
            summed = [one + other for one, other in zip(of_weights, more, strict=True)]
            return i - 1, [tf.zeros_like(g) for g in of_states], summed, pieces.write(i, of_piece)

        start = (count - 1, gradients[1:], [tf.zeros_like(w) for w in weights], pieces)
        _, _, of_weights, pieces = tf.while_loop(goes_on, step, start, parallel_iterations=1)
        return [tf.reshape(tf.transpose(pieces.stack(), (1, 0, 2, 3)), tf.shape(rows)), *of_weights]

    def _borders(self, rows: Any, weights: list[Any], states: list[Any], count: int) -> list[Any]:
        """Return an array for each state: what it is at the begin of each piece."""
        borders = [tf.TensorArray(s.dtype, count, element_shape=s.shape, clear_after_read=False) for s in states]
        borders = [border.write(0, state) for border, state in zip(borders, states, strict=True)]

        def step(i: Any, states: list[Any], borders: list[Any]) -> Any:
            _, *states = self._read(self._piece(rows, i), weights, states)
            return i + 1, states, [b.write(i + 1, state) for b, state in zip(borders, states, strict=True)]

        start = (0, states, borders)
        loop = tf.while_loop(lambda i, *_: i < count - 1, step, start, parallel_iterations=1)
        return list(loop[2])

    def _piece(self, rows: Any, number: Any) -> Any:
        """Return the rows of the piece `number`."""
        size = tf.shape(rows)[0], self.length, rows.shape[2]
        piece = tf.slice(rows, (0, number * self.length, 0), size)
        return tf.ensure_shape(piece, (rows.shape[0], self.length, rows.shape[2]))
