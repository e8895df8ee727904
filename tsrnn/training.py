"""The engine's epoch loop: seeds, batches, early stopping and callbacks around a compiled program.

Imported, with TensorFlow behind it, at the first fit or predict only.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tsrnn import _optimizers, losses, programs
from tsrnn._memory import memory_told
from tsrnn._validation import TrainingDivergedError
from tsrnn.losses import Loss
from tsrnn.networks import Architecture
from tsrnn.programs import Array, Program, Settings, Weights, series_of
from tsrnn.windows import Windows

__all__ = ["Recipe", "Samples", "Trained", "fit", "initial_weights", "predict"]


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Parameters
    ----------
    loss : Loss
        What is minimised.
    optimizer : {"adam", "adamw", "rmsprop", "sgd"} or keras.optimizers.Optimizer
        Keras' optimizer of that name, or one that brings its own learning rate and clipping.
    learning_rate : float or keras.optimizers.schedules.LearningRateSchedule
        The learning rate at the start, or at every step.
    schedule : {"cosine", "plateau"} or None
        How the learning rate falls: over all steps, or by half when `PLATEAU` epochs bring no better loss.
    clipping : ("norm" or "value", float) or None
        Greatest norm of the whole gradient, or size of any of its numbers.
    epochs, batch_size : int
        As Keras counts them.
    patience : int or None
        Epochs without a better validation loss before training stops; None: never.
    jit_compile : bool or "auto"
        Whether a training step is compiled by XLA; "auto" when the work ahead pays for it.
    """

    loss: Loss
    optimizer: Any
    learning_rate: Any
    schedule: str | None
    clipping: tuple[str, float] | None
    epochs: int
    batch_size: int
    patience: int | None = None
    jit_compile: bool | str = "auto"


@dataclass
class Trained:
    """What a fit leaves behind: numpy arrays and plain values."""

    weights: Weights
    optimizer_state: Weights
    history: list[dict[str, float]]
    best_epoch: int
    n_parameters: int
    predicts_compiled: bool

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """Return all but the optimizer's state, with which no fit goes on, as arrays by name."""
        arrays = {f"weight {number}": values for number, values in enumerate(self.weights)}
        arrays |= {f"history {name}": np.array([row[name] for row in self.history]) for name in self.history[0]}
        names = ["best_epoch", "n_parameters", "predicts_compiled"]
        return arrays | {name: np.array(getattr(self, name)) for name in names}

    @classmethod
    def from_arrays(cls, arrays: dict[str, NDArray[Any]]) -> Self:
        """Return what `to_arrays` was made of."""
        columns = {name.removeprefix("history "): part for name, part in arrays.items() if name.startswith("history")}
        rows = zip(*(part.tolist() for part in columns.values()), strict=True)
        return cls(
            weights=[part for name, part in arrays.items() if name.startswith("weight")],
            optimizer_state=[],
            history=[dict(zip(columns, row, strict=True)) for row in rows],
            best_epoch=int(arrays["best_epoch"]),
            n_parameters=int(arrays["n_parameters"]),
            predicts_compiled=bool(arrays["predicts_compiled"]),
        )


@dataclass(frozen=True)
class Samples:
    """Windows with their targets (n, n_outputs) and weights (n,), all float32; a class is a row of an identity."""

    windows: Windows
    targets: Array
    weights: Array

    @property
    def content(self) -> list[Any]:
        """All that training sees of them: a series that goes on behind the last window is the same."""
        used, windows = programs.rows_of(self.windows), self.windows
        steps = windows.steps[used.start : used.stop]
        parts = [windows.lookback, steps, windows.starts - used.start, windows.offsets, windows.scales]
        return [*parts, self.targets, self.weights]


def initial_weights(architecture: Architecture, rng: np.random.Generator) -> Weights:
    """Return new random weights of `architecture`."""
    with memory_told(architecture, 1, trains=True):
        return programs.network_of(architecture).initial_weights(rng)


def predict(architecture: Architecture, weights: Weights, windows: Windows, *, compiled: bool) -> Array:
    """Return the outputs (n_windows, n_outputs[, n_values]) of the network with `weights`."""
    with memory_told(architecture, programs.PREDICTION_BATCH):
        return programs.network_of(architecture).predict(weights, windows, compiled=compiled)


def influence(architecture: Architecture, weights: Weights, windows: Windows) -> NDArray[np.float64]:
    """Return the mean absolute derivative of the outputs with respect to each step of a window, (lookback,)."""
    with memory_told(architecture, programs.INFLUENCE_BATCH):
        return programs.network_of(architecture).influence(weights, windows)


def fit(
    architecture: Architecture,
    recipe: Recipe,
    samples: tuple[Samples, Samples | None],
    start: tuple[Weights, Weights | None],
    rng: np.random.Generator,
    callbacks: Sequence[Any] = (),
) -> Trained:
    """Train a network and return its weights.

    Parameters
    ----------
    architecture : Architecture
        What is trained.
    recipe : Recipe
        How.
    samples : (Samples, Samples or None)
        What it is trained on, and what early stopping watches.
    start : (weights, optimizer state or None)
        Where it begins; without a state, the optimizer is fresh.
    rng : Generator
        Source of the order of the samples and of dropout.
    callbacks : sequence of keras.callbacks.Callback
        Called at the begin and end of training and of every epoch.

    Raises
    ------
    TrainingDivergedError
        The loss became infinite or not a number.
    MemoryError
        The machine or its GPU cannot hold a training step.
    """
    settings = Settings(recipe.loss, recipe.optimizer, recipe.clipping, recipe.batch_size)
    compiled = pays_off(recipe, architecture, len(samples[0].windows), CELL_STEPS_WORTH_COMPILING)
    with memory_told(architecture, recipe.batch_size, trains=True):
        program = programs.program_of(architecture, settings, compiled=compiled)
        with program.network.lock:
            program.load(*start)
            return Run(program, recipe, samples, rng, callbacks).train()


CELL_STEPS_WORTH_COMPILING = 2_000
"""Evaluations of the cell, one after the other, in a fit that pays for compiling its training step. One fit alone
breaks even at 12,000 to 17,000 (2 cores, L=24 and 96); searches and backtests fit each program many times."""
CELL_STEPS_WORTH_COMPILING_PREDICTION = 20_000
"""The same for compiling the prediction: such a network is large enough to gain, 1.2 against 2.5 ms for a window."""


def pays_off(recipe: Recipe, architecture: Architecture, n_windows: int, worth: int) -> bool:
    """Return whether XLA's compilation is worth it for a fit.

    It depends on the work ahead alone, not on what happens to be compiled: the same fit has the same bits everywhere.
    """
    if recipe.jit_compile != "auto":
        return bool(recipe.jit_compile)
    steps = recipe.epochs * math.ceil(n_windows / recipe.batch_size)
    return steps * architecture.n_cell_steps >= worth


PLATEAU = 3
"""Epochs without a better loss after which the schedule "plateau" halves the learning rate."""


class Run:
    """One fit of one program; the caller holds its lock."""

    def __init__(
        self,
        program: Program,
        recipe: Recipe,
        samples: tuple[Samples, Samples | None],
        rng: np.random.Generator,
        callbacks: Sequence[Any],
    ) -> None:
        self.program, self.recipe, self.rng, self.callbacks = program, recipe, rng, callbacks
        self.train_samples, self.validation = samples
        self.predicts_compiled = pays_off(
            recipe,
            program.network.architecture,
            len(self.train_samples.windows),
            CELL_STEPS_WORTH_COMPILING_PREDICTION,
        )
        self.series = series_of(self.train_samples.windows)
        self.targets = programs.tensor(self.train_samples.targets)
        self.weights = programs.tensor(self.train_samples.weights)
        self.n_steps = math.ceil(len(self.train_samples.windows) / recipe.batch_size)
        self.rate_of_step, self.rate = _optimizers.learning_rate_of(recipe.optimizer, recipe.learning_rate)
        self.steps_before = int(program.optimizer.iterations)
        self.plateau = (math.inf, 0)
        self.history: list[dict[str, float]] = []
        self.best: tuple[float, int, Weights | None] = (math.inf, 0, None)

    def train(self) -> Trained:
        """Run the epochs and return the last weights, or the best ones of early stopping."""
        try:
            self._run_epochs()
        finally:
            self._detach()
        _, best_epoch, best = self.best
        weights = self.program.network.take() if best is None else best
        if not all(np.isfinite(w).all() for w in weights):
            self._diverged("A weight became infinite", len(self.history) - 1, self.n_steps)
        n_parameters = sum(math.prod(v.shape) for v in self.program.network.trainable)
        return Trained(
            weights,
            self.program.take_optimizer(),
            self.history,
            best_epoch or len(self.history),
            n_parameters,
            self.predicts_compiled,
        )

    def _run_epochs(self) -> None:
        self._tell("on_train_begin", {})
        for epoch in range(self.recipe.epochs):
            self._tell("on_epoch_begin", epoch, {})
            logs = self._train_epoch(epoch)
            self.history.append(logs)
            # Keras' own callbacks write into what they are given, and name the epoch themselves.
            told = {name: value for name, value in logs.items() if name != "epoch"}
            self._tell("on_epoch_end", epoch, told)
            if self._is_over(epoch):
                break
        self._tell("on_train_end", told)

    def _train_epoch(self, epoch: int) -> dict[str, float]:
        began = time.perf_counter()
        key, rates = self.rng.integers(2**31, size=2), self._rates(epoch)
        loss, total, norms, done = self.program.epoch(
            self.series,
            self.targets,
            self.weights,
            self._order(),
            programs.tensor(rates.astype(np.float32)),
            programs.tensor(key),
        )
        if not math.isfinite(float(loss)):
            self._diverged(f"The loss became {float(loss)}", epoch, int(done))
        logs = {"epoch": epoch + 1, "loss": float(loss) / float(total)}
        if self.validation is not None:
            logs["val_loss"] = self._validation_loss(self.validation)
        self._follow_plateau(logs.get("val_loss", logs["loss"]), epoch)
        norm = float(norms) / self.n_steps
        return logs | {
            "learning_rate": float(rates[0]),
            "gradient_norm": norm,
            "seconds": time.perf_counter() - began,
        }

    def _order(self) -> Any:
        """Return shuffled sample numbers (n_steps, batch), `-1 - number` for what only fills a batch.

        What fills a batch has no weight, but counts in the statistics of a normalised batch: it is drawn as the rest.
        """
        count, size = len(self.train_samples.windows), self.recipe.batch_size
        shuffled = self.rng.permutation(count)
        order = np.resize(-1 - shuffled, (self.n_steps, self.program.batch)).astype(np.int32)
        used = order[:, :size].ravel()
        used[:count] = shuffled
        order[:, :size] = used.reshape(self.n_steps, size)
        return programs.tensor(order)

    def _rates(self, epoch: int) -> NDArray[np.float64]:
        """Return the learning rate of every step of `epoch`."""
        steps = epoch * self.n_steps + np.arange(self.n_steps)
        if self.rate_of_step is not None:
            return np.array([float(self.rate_of_step(self.steps_before + int(step))) for step in steps])
        done = steps / (self.recipe.epochs * self.n_steps)
        factor = 0.5 * (1 + np.cos(np.pi * done)) if self.recipe.schedule == "cosine" else np.ones(self.n_steps)
        return self.rate * factor

    def _follow_plateau(self, loss: float, epoch: int) -> None:
        """Halve the learning rate when `PLATEAU` epochs have brought no better loss."""
        if self.recipe.schedule != "plateau":
            return
        if loss < self.plateau[0]:
            self.plateau = (loss, epoch)
        elif epoch - self.plateau[1] >= PLATEAU:
            self.rate, self.plateau = self.rate / 2, (self.plateau[0], epoch)

    def _validation_loss(self, samples: Samples) -> float:
        network = self.program.network
        outputs = network.predict(network.take(), samples.windows, compiled=self.predicts_compiled)
        each = np.asarray(losses.of_samples(self.recipe.loss, outputs, samples.targets))
        return float(np.average(each, weights=samples.weights))

    def _is_over(self, epoch: int) -> bool:
        """Keep the best weights so far; return whether patience, or a callback, ends the training."""
        if self.validation is not None:
            loss = self.history[-1]["val_loss"]
            if loss < self.best[0]:
                self.best = (loss, epoch + 1, self.program.network.take())
            if self.recipe.patience is not None and epoch + 1 - self.best[1] >= self.recipe.patience:
                return True
        return bool(self.callbacks) and bool(self.program.network.model.stop_training)

    def _tell(self, event: str, *arguments: Any) -> None:
        """Call the callbacks; they find the model with its optimizer, whose learning rate they may change."""
        if not self.callbacks:
            return
        model, optimizer = self.program.network.model, self.program.optimizer
        optimizer.learning_rate = self.rate
        if event == "on_train_begin":
            model.compile(optimizer=optimizer)
            model.stop_training = False
        for callback in self.callbacks:
            if event == "on_train_begin":
                callback.set_params({"epochs": self.recipe.epochs, "steps": self.n_steps, "verbose": 0})
                callback.set_model(model)
            getattr(callback, event)(*arguments)
        rate = float(np.asarray(optimizer.learning_rate))
        if self.rate_of_step is not None and rate != float(np.float32(self.rate)):
            raise ValueError(
                "A callback has set the learning rate, but it is a schedule, which tells the rate of every step. "
                "Drop one of the two."
            )
        self.rate = rate

    def _detach(self) -> None:
        for callback in self.callbacks:
            callback.set_model(None)

    def _diverged(self, what: str, epoch: int, batch: int) -> None:
        last = self.history[-1]["loss"] if self.history else math.nan
        raise TrainingDivergedError(
            f"{what} in epoch {epoch + 1}, batch {batch} of {self.n_steps}, at "
            f"learning_rate={self.rate:g} (last finite epoch loss: {last:.4g}). Lower `learning_rate`, "
            "set `clipping`, or scale the inputs."
        )
