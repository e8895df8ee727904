"""Architectures compiled once: the part of the engine that touches TensorFlow.

A *network* is one architecture as a Keras model, with a function that predicts fixed batches of windows. A *program*
is a network with a Keras optimizer and a function that trains one epoch. Both live in bounded caches: a fit loads its
own initial weights and a fresh optimizer into the program, trains, and takes the weights out as numpy arrays, so that
the next fold or candidate of the same shape compiles nothing, and no estimator ever holds a Keras object.

Windows are gathered from the series inside the graph, batch by batch, and handed to the compiled part in a fixed
shape: a program does not depend on the length of the series.

This module imports TensorFlow and is itself imported at the first fit or predict only.
"""

import functools
import itertools
import math
import threading
import warnings
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tsrnn import _optimizers, losses, networks
from tsrnn._backend import keras, tf
from tsrnn._cache import Cache
from tsrnn._runtime import check_process, has_gpu, own_globals
from tsrnn.losses import Loss
from tsrnn.networks import Architecture
from tsrnn.windows import Windows

__all__ = ["Network", "Program", "keras_model", "network_of", "program_of"]

Array = NDArray[np.float32]
Weights = list[NDArray[Any]]

N_SHARDS = 2
"""Parts of a batch that run side by side; the same on every machine, so that results do not depend on its cores."""
PREDICTION_BATCH = 8
"""Windows predicted at once: always this many, so that no result depends on its neighbours."""
INFLUENCE_BATCH = 256
"""Windows differentiated at once."""
MAX_PROGRAMS = 32
"""Programs and networks kept. XLA programs are never given back by TensorFlow: no more than this many are compiled."""

_networks, _programs = Cache(MAX_PROGRAMS), Cache(MAX_PROGRAMS)
_compilations = itertools.count(1)


def is_seed(variable: Any) -> bool:
    """Return whether `variable` is the state of a Keras seed generator: a seed and a counter."""
    return bool(variable.name == "seed_generator_state")


class Network:
    """One architecture: its Keras model and a compiled prediction of `PREDICTION_BATCH` windows at a time."""

    def __init__(self, architecture: Architecture) -> None:
        self.architecture = architecture
        self.lock = threading.RLock()
        with own_globals():
            self.model = networks.build(architecture)
        self.trainable = self.model.trainable_variables
        self.statistics = [v for v in self.model.non_trainable_variables if not is_seed(v)]
        self.variables = [*self.trainable, *self.statistics]
        self._built = [v.numpy() for v in self.variables]
        self._seeded = _initializers(self.model)
        self._forward: dict[bool, Any] = {}

    def initial_weights(self, rng: np.random.Generator) -> Weights:
        """Draw weights with each layer's own initializer, seeded from `rng`; what is not random stays as built."""
        weights = []
        for variable, built in zip(self.variables, self._built, strict=True):
            layer, initializer = self._seeded.get(id(variable), (None, None))
            if initializer is None:
                weights.append(built.copy())
                continue
            seeded = {**initializer.get_config(), "seed": int(rng.integers(2**31))}
            drawn = np.array(type(initializer).from_config(seeded)(variable.shape, dtype="float32"))
            if variable.name == "bias" and getattr(layer, "unit_forget_bias", False):
                drawn[layer.units : 2 * layer.units] = 1  # as Keras does: the LSTM remembers at first
            weights.append(drawn)
        return weights

    def load(self, weights: Weights) -> None:
        """Put `weights` into the model."""
        for variable, value in zip(self.variables, weights, strict=True):
            variable.assign(value)

    def take(self) -> Weights:
        """Return a copy of the model's weights."""
        return [np.array(v.numpy()) for v in self.variables]

    def arguments(self, weights: Sequence[Any], key: Any = None) -> tuple[list[Any], list[Any]]:
        """Split `weights` into the model's trainable and other variables, the seeds among them made from `key`."""
        trainable, rest = list(weights[: len(self.trainable)]), iter(weights[len(self.trainable) :])
        others = []
        for number, variable in enumerate(self.model.non_trainable_variables):
            if not is_seed(variable):
                others.append(next(rest))
            else:
                others.append(variable.value if key is None else key + tf.constant([number, 0], tf.int64))
        return trainable, others

    def predict(self, weights: Weights, windows: Windows, *, compiled: bool) -> Array:
        """Return the outputs (n_windows, n_outputs[, n_values]) of `windows`, by XLA or by a plain graph."""
        with self.lock:
            if compiled not in self._forward:
                self._forward[compiled] = self._make_forward(compiled=compiled and may_compile())
        count = len(windows)
        filled = np.arange(-(-count // PREDICTION_BATCH) * PREDICTION_BATCH, dtype=np.int32)
        order = np.minimum(filled, count - 1).reshape(-1, PREDICTION_BATCH)
        outputs = self._forward[compiled](series_of(windows), tf.constant(order), [tf.constant(w) for w in weights])
        return np.array(outputs)[:count]

    def influence(self, weights: Weights, windows: Windows) -> NDArray[np.float64]:
        """Return the mean absolute derivative of the outputs with respect to each step of a window, (lookback,)."""
        weights, total = [tf.constant(w) for w in weights], np.zeros(self.architecture.lookback)
        directions = np.eye(math.prod(self.model.output_shape[1:]), dtype=np.float32)
        for begin in range(0, len(windows), INFLUENCE_BATCH):
            x = tf.constant(np.asarray(windows[begin : begin + INFLUENCE_BATCH]), tf.float32)
            for direction in directions:
                gradient = self._derivative(x, weights, tf.constant(direction))
                total += np.abs(gradient).sum(axis=0, dtype=np.float64).mean(axis=1)
        return total / (len(windows) * len(directions))

    @functools.cached_property
    def _derivative(self) -> Any:
        """The function that differentiates one combination of the outputs with respect to the windows."""

        def derivative(x: Any, weights: list[Any], direction: Any) -> Any:
            with tf.GradientTape() as tape:
                tape.watch(x)
                outputs = tf.reshape(self._predict_batch(x, weights), (-1, direction.shape[0]))
                chosen = tf.reduce_sum(outputs * direction)
            return tape.gradient(chosen, x)

        return tf.function(derivative, autograph=False, reduce_retracing=True)

    def _make_forward(self, *, compiled: bool) -> Any:
        """Return the function that predicts all windows, batch by batch, two batches side by side."""
        predict_batch = tf.function(self._predict_batch, jit_compile=compiled, autograph=False)

        def forward(series: Series, order: Any, weights: list[Any]) -> Any:
            shape = (PREDICTION_BATCH, *self.model.output_shape[1:])
            outputs = tf.TensorArray(tf.float32, tf.shape(order)[0], element_shape=shape)

            def step(i: Any, outputs: Any) -> tuple[Any, Any]:
                x = gather(series, order[i], self.architecture)
                return i + 1, outputs.write(i, predict_batch(x, weights))

            loop = tf.while_loop(lambda i, _: i < tf.shape(order)[0], step, (0, outputs), parallel_iterations=2)
            return tf.reshape(loop[1].stack(), (-1, *shape[1:]))

        order = tf.TensorSpec((None, PREDICTION_BATCH), tf.int32)
        weights = [tf.TensorSpec(v.shape, v.dtype) for v in self.variables]
        return traced(forward, [series_specs(self.architecture), order, weights])

    def _predict_batch(self, x: Any, weights: list[Any]) -> Any:
        return self.model.stateless_call(*self.arguments(weights), x, training=False)[0]


def _initializers(model: Any) -> dict[int, tuple[Any, Any]]:
    """Return the layer and the random initializer of each variable of `model` that has one, by its identity.

    Keras layers keep the initializer of the weight ``kernel`` as the attribute ``kernel_initializer``, and that of
    ``recurrent_kernel`` or ``depthwise_kernel`` as ``recurrent_initializer`` or ``depthwise_initializer``.
    """
    found = {}
    for layer in _layers(model, set()):
        for variable in layer.weights:
            names = variable.name, variable.name.removesuffix("_kernel")
            given = (getattr(layer, f"{name}_initializer", None) for name in names)
            initializer = next((one for one in given if one is not None), None)
            if "seed" in getattr(initializer, "get_config", dict)():
                found[id(variable)] = layer, initializer
    return found


def _layers(layer: Any, seen: set[int]) -> Iterator[Any]:
    """Yield `layer` and every layer inside it, the innermost last, each once."""
    if id(layer) in seen:
        return
    seen.add(id(layer))
    yield layer
    values = [*getattr(layer, "layers", []), *vars(layer).values()]
    for value in values:
        for part in value if isinstance(value, list | tuple) else [value]:
            if isinstance(part, keras.layers.Layer):
                yield from _layers(part, seen)


def tensor(values: NDArray[Any]) -> Any:
    """Return `values` as a tensor of the same type."""
    return tf.constant(values)


class Series(NamedTuple):
    """The rows that windows span, and what makes windows of them, as tensors or as their specifications."""

    steps: Any
    starts: Any
    offsets: Any
    scales: Any


def rows_of(windows: Windows) -> range:
    """Return the rows of the series from the first window's begin to the last one's end."""
    return range(int(windows.starts.min()), int(windows.starts.max()) + windows.lookback)


def series_of(windows: Windows) -> Series:
    """Return what `windows` are made of; one row of zeros stands for no offsets, one of ones for no scales."""
    one, rows = np.ones((1, windows.shape[2])), rows_of(windows)
    return Series(
        tf.constant(windows.steps[rows.start : rows.stop], tf.float32),
        tf.constant(windows.starts - rows.start, tf.int64),
        tf.constant(0 * one if windows.offsets is None else windows.offsets, tf.float32),
        tf.constant(one if windows.scales is None else windows.scales, tf.float32),
    )


def traced(function: Callable[..., Any], specs: list[Any]) -> Any:
    """Return `function` as a graph, made here and now and never again: TensorFlow has no retracing to warn of."""
    return tf.function(function, specs, autograph=False).get_concrete_function()


def series_specs(architecture: Architecture) -> Series:
    """Return what `series_of` gives, for any number of rows: functions are traced for them once."""
    rows = tf.TensorSpec((None, architecture.n_features))
    return Series(rows, tf.TensorSpec((None,), tf.int64), rows, rows)


def gather(series: Series, numbers: Any, architecture: Architecture) -> Any:
    """Return the windows `numbers` (batch,) as a tensor (batch, lookback, n_features) of fixed shape."""
    rows = tf.gather(series.starts, numbers)[:, None] + tf.range(architecture.lookback, dtype=tf.int64)
    offset, scale = (
        tf.gather(each, tf.minimum(numbers, tf.shape(each)[0] - 1)) for each in (series.offsets, series.scales)
    )
    x = (tf.gather(series.steps, rows) - offset[:, None]) / scale[:, None]
    return tf.ensure_shape(x, (numbers.shape[0], architecture.lookback, architecture.n_features))


class Settings(NamedTuple):
    """What, beside the architecture, a program is compiled for."""

    loss: Loss
    optimizer: Any
    clipping: tuple[str, float] | None
    batch_size: int

    @property
    def key(self) -> Hashable:
        """What tells these settings from any others; an optimizer counts by its content."""
        return self.loss, networks.content(self.optimizer), self.clipping, self.batch_size


class Program:
    """A network with an optimizer and one function that trains an epoch."""

    def __init__(self, network: Network, settings: Settings, *, compiled: bool) -> None:
        self.network, self.loss, self.clipping = network, settings.loss, settings.clipping
        self.n_shards = 1 if has_gpu() else N_SHARDS
        self.batch = -(-settings.batch_size // self.n_shards) * self.n_shards
        with own_globals():
            self.optimizer = _optimizers.new_optimizer(settings.optimizer)
            self.optimizer.build(network.trainable)
        self._fresh = [v.numpy() for v in self.optimizer.variables]
        # The update stays a plain graph: compiled, a step is no faster, and its compilation takes half a second more.
        self._gradient = tf.function(self._shard, jit_compile=compiled, autograph=False)
        self._update = tf.function(self._step, autograph=False)
        specs = [
            series_specs(network.architecture),
            tf.TensorSpec((None, network.architecture.n_outputs)),
            tf.TensorSpec((None,)),
            tf.TensorSpec((None, self.batch), tf.int32),
            tf.TensorSpec((None,)),
            tf.TensorSpec((2,), tf.int64),
        ]
        self.epoch = traced(self._epoch, specs)

    def load(self, weights: Weights, optimizer_state: Weights | None) -> None:
        """Begin a fit: `weights` into the model, and a fresh optimizer or the given state."""
        self.network.load(weights)
        for variable, value in zip(self.optimizer.variables, optimizer_state or self._fresh, strict=True):
            variable.assign(value)

    def take_optimizer(self) -> Weights:
        """Return a copy of the optimizer's variables."""
        return [np.array(v.numpy()) for v in self.optimizer.variables]

    def _shard(self, x: Any, y: Any, weight: Any, scale: Any, key: Any, variables: list[Any]) -> Any:
        """Return the loss of one shard, its gradients, and the network's statistics after it."""
        trainable, others = self.network.arguments(variables, key)
        with tf.GradientTape() as tape:
            tape.watch(trainable)
            output, others, penalties = self.network.model.stateless_call(
                trainable, others, x, training=True, return_losses=True
            )
            loss = tf.reduce_sum(weight * losses.of_samples(self.loss, output, y)) * scale
            total = loss + tf.add_n([tf.zeros(()), *penalties]) / self.n_shards
        gradients = tape.gradient(total, trainable, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        statistics = [
            v for v, old in zip(others, self.network.model.non_trainable_variables, strict=True) if not is_seed(old)
        ]
        return loss, gradients, statistics

    def _step(self, parts: list[Any], rate: Any) -> Any:
        """Apply the sum of the shards' gradients; return the loss of the batch and the norm of its gradient."""
        loss, gradients, statistics = zip(*parts, strict=True)
        self.optimizer.learning_rate = rate
        whole = [sum(g) for g in zip(*gradients, strict=True)]
        norm = tf.linalg.global_norm(whole)
        self.optimizer.apply(_optimizers.clipped(whole, self.clipping, norm), self.network.trainable)
        for variable, values in zip(self.network.statistics, zip(*statistics, strict=True), strict=True):
            variable.assign(sum(values) / self.n_shards)
        return sum(loss), norm

    def _epoch(self, series: Series, targets: Any, weights: Any, order: Any, rates: Any, key: Any) -> Any:
        """Train on the batches `order` (n_steps, batch) of sample numbers; stop at a non-finite loss.

        A number below zero, `-1 - number`, fills its batch without weight.

        Returns the sums of the weighted losses, of the weights and of the gradients' norms, and the steps done.
        """
        architecture = self.network.architecture
        n_steps = tf.shape(order)[0]

        def step(i: Any, loss: Any, total: Any, norms: Any) -> tuple[Any, Any, Any, Any]:
            variables = [tf.identity(v.value) for v in self.network.variables]
            numbers = tf.maximum(order[i], -1 - order[i])
            weight = tf.gather(weights, numbers) * tf.cast(order[i] >= 0, tf.float32)
            batch = tf.reduce_sum(weight)
            shards = zip(tf.split(numbers, self.n_shards), tf.split(weight, self.n_shards), strict=True)
            parts = [
                self._gradient(
                    gather(series, rows, architecture),
                    tf.gather(targets, rows),
                    part,
                    1 / batch,
                    key + tf.stack([tf.constant(0, tf.int64), self._draw(i, number)]),
                    variables,
                )
                for number, (rows, part) in enumerate(shards)
            ]
            mean, norm = self._update(parts, rates[i])
            return i + 1, loss + batch * mean, total + batch, norms + norm

        def goes_on(i: Any, loss: Any, *_: Any) -> Any:
            return (i < n_steps) & tf.math.is_finite(loss)

        steps, *sums = tf.while_loop(goes_on, step, (0, 0.0, 0.0, 0.0), parallel_iterations=1)
        return *sums, steps

    def _draw(self, step: Any, shard: int) -> Any:
        """Return the counter of a shard's random draws; shards are far apart, for a layer may draw several times."""
        return tf.cast(step * self.n_shards + shard, tf.int64) * 65536


def network_of(architecture: Architecture) -> Network:
    """Return the cached network of `architecture`."""
    check_process()
    found: Network = _networks.get(architecture.key, lambda: Network(architecture))
    return found


def program_of(architecture: Architecture, settings: Settings, *, compiled: bool) -> Program:
    """Return the cached program of `architecture` under `settings`; compiled by XLA while the bound allows it."""
    key = (architecture.key, settings.key)
    network = network_of(architecture)
    if compiled and (*key, True) not in _programs:
        compiled = may_compile()
    found: Program = _programs.get((*key, compiled), lambda: Program(network, settings, compiled=compiled))
    return found


def may_compile() -> bool:
    """Count one more XLA program, and return whether there is room for it."""
    if has_gpu():
        return False
    number = next(_compilations)
    if number == MAX_PROGRAMS + 1:
        warnings.warn(
            f"This process has compiled {MAX_PROGRAMS} XLA programs, whose memory TensorFlow never gives back. "
            "Further architectures run as plain graphs: slower, and equal to within rounding, but for the random "
            "numbers of dropout, which are others.",
            RuntimeWarning,
            stacklevel=2,
        )
    return number <= MAX_PROGRAMS


def keras_model(architecture: Architecture, weights: Weights, units: tuple[Any, ...]) -> Any:
    """Return a Keras model of its own with `weights`, whose outputs are in `units` (see `networks.in_units`)."""
    check_process()
    with own_globals():
        network = Network(architecture)
        network.load(weights)
        return networks.in_units(network.model, *units)
