"""A network on one window, or on one step, with as little ado as possible: what streams run on.

Imported, with TensorFlow behind it, when a stream begins.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsrnn import programs
from tsrnn._backend import keras, tf
from tsrnn.networks import Architecture
from tsrnn.programs import Network, Weights

__all__ = ["one_step", "one_window"]

Arrays = list[NDArray[np.float32]]


def one_window(
    architecture: Architecture, members: list[Weights], *, compiled: bool
) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Return the function from a window (1, lookback, n_features) to each member's outputs (n_members, n_outputs, ...).

    The weights are constants of its graph.
    """
    network = programs.network_of(architecture)
    constants = [[tf.constant(w) for w in weights] for weights in members]

    def predict(x: Any) -> Any:
        outputs = [
            network.model.stateless_call(*network.arguments(weights), x, training=False)[0] for weights in constants
        ]
        return tf.concat(outputs, axis=0)

    spec = tf.TensorSpec((1, architecture.lookback, architecture.n_features))
    function = tf.function(predict, jit_compile=compiled and programs.may_compile(), autograph=False)
    with network.lock:
        graph = programs.traced(function, [spec])
    return lambda x: graph(tf.constant(x)).numpy()


def one_step(
    architecture: Architecture, members: list[Weights]
) -> tuple[Callable[[NDArray[np.float32], Arrays], tuple[NDArray[np.float32], Arrays]], Arrays]:
    """Return the function (step, states) -> (outputs, states) of all members, and the states at the beginning.

    A step is (1, n_features); the outputs are (n_members, n_outputs, ...), of one step for a sequence.
    """
    network = programs.network_of(architecture)
    n_states = architecture.n_layers * (2 if architecture.cell == "LSTM" else 1)
    states = [np.zeros((1, architecture.hidden_size), np.float32) for _ in range(n_states * len(members))]
    constants = [[tf.constant(w) for w in weights] for weights in members]

    def advance(x: Any, states: list[Any]) -> Any:
        outputs, after = [], []
        for number, weights in enumerate(constants):
            with keras.StatelessScope(state_mapping=list(zip(network.variables, weights, strict=True))):
                output, new = _advance(network, x, states[number * n_states : (number + 1) * n_states])
            outputs.append(output)
            after += new
        return tf.concat(outputs, axis=0), after

    specs = [tf.TensorSpec((1, architecture.n_features)), [tf.TensorSpec(state.shape) for state in states]]
    with network.lock:
        graph = programs.traced(advance, specs)

    def step(x: NDArray[np.float32], states: Arrays) -> tuple[NDArray[np.float32], Arrays]:
        outputs, after = graph(tf.constant(x), [tf.constant(state) for state in states])
        return outputs.numpy(), [state.numpy() for state in after]

    return step, states


def _advance(network: Network, x: Any, states: list[Any]) -> tuple[Any, list[Any]]:
    """Return the outputs (1, ...) of one member's network after one step more, and its states."""
    a, model = network.architecture, network.model
    each = len(states) // a.n_layers
    after: list[Any] = []
    for number in range(a.n_layers):
        below, cell = x, model.get_layer(f"recurrent_{number}").cell
        x, new = cell(x, states[number * each : (number + 1) * each], training=False)
        after += new
        name = f"_{number}" if a.reads_all_states or number < a.n_layers - 1 else ""
        if "residual" in a.between_layers and below.shape[-1] == x.shape[-1]:
            x = x + below
        if "layer_norm" in a.between_layers:
            x = model.get_layer(f"layer_norm{name}")(x)
    values = model.get_layer("decoder")(x)
    if a.head == "point":
        return values, after
    shaped = tf.reshape(values, (1, -1, a.n_values))
    return model.get_layer(a.head)(shaped), after
