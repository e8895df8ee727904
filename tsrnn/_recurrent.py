"""What every recurrent estimator shares: the signature, the checks of its parameters, and the training of members."""

import numbers
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import Tags
from sklearn.utils.validation import check_array

from tsrnn._samples import as_windows
from tsrnn._validation import (
    check_bool,
    check_finite,
    check_int,
    check_option,
    check_real,
    invalid_parameter,
    name_of,
)
from tsrnn.windows import Windows

Floats = NDArray[np.float64]


class RecurrentEstimator(BaseEstimator):
    """Base of the regressors; a subclass says what its targets are and what it keeps of them.

    The constructor stores, `fit` checks. A fit either succeeds whole or leaves the estimator as it was.
    """

    _cell: ClassVar[str]
    history_: pd.DataFrame
    n_iter_: int
    n_outputs_: int

    def __init__(
        self,
        hidden_size: int = 32,
        *,
        n_layers: int = 1,
        bidirectional: bool = False,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        segment_length: int = 1,
        decoder: str = "dense",
        cell_options: dict[str, Any] | None = None,
        build_network: Callable[..., Any] | None = None,
        loss: str = "mse",
        optimizer: str = "adam",
        learning_rate: float = 0.001,
        schedule: str | None = None,
        global_clipnorm: float | None = 1.0,
        epochs: int = 30,
        batch_size: int = 64,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        validation_gap: int | None = None,
        patience: int = 5,
        n_members: int = 1,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        callbacks: Sequence[Any] | None = None,
        jit_compile: bool | str = "auto",
    ) -> None:
        self.hidden_size = hidden_size
        self.n_layers = n_layers
        self.bidirectional = bidirectional
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.segment_length = segment_length
        self.decoder = decoder
        self.cell_options = cell_options
        self.build_network = build_network
        self.loss = loss
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.global_clipnorm = global_clipnorm
        self.epochs = epochs
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.validation_gap = validation_gap
        self.patience = patience
        self.n_members = n_members
        self.warm_start = warm_start
        self.random_state = random_state
        self.callbacks = callbacks
        self.jit_compile = jit_compile

    def _fit_whole(self, X: Any, y: Any, sample_weight: Any, *, continues: bool) -> Self:
        """Fit, and keep the previous fit whole when anything goes wrong on the way."""
        before = self.__dict__.copy()
        try:
            self._check_parameters()
            reset = not (continues and hasattr(self, "weights_"))
            windows = as_windows(self, X, reset=reset)
            targets = self._check_targets(y, windows, reset=reset)
            weights = check_weights(self, sample_weight, len(windows))
            self._train(windows, targets, weights, continues=continues, reset=reset)
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise
        return self

    def _check_targets(self, y: Any, windows: Windows, *, reset: bool) -> Floats:
        raise NotImplementedError

    def _scale_targets(self, targets: Floats, weights: Floats, *, reset: bool) -> NDArray[np.float32]:
        raise NotImplementedError

    def _train(self, windows: Windows, targets: Floats, weights: Floats, *, continues: bool, reset: bool) -> None:
        from tsrnn import training
        from tsrnn.networks import Architecture

        weights = weights / weights.max()
        counted = weights >= np.finfo(np.float32).tiny  # a batch of smaller ones would be divided by zero
        if not counted.all():
            windows, targets, weights = windows[counted], targets[counted], weights[counted]
        scaled = self._scale_targets(targets, weights, reset=reset)
        samples = training.Samples(windows, scaled, weights.astype(np.float32))
        values = self._network_values(windows)
        warm = self.warm_start and getattr(self, "_architecture", None) == values
        if continues and not reset:
            self._check_same_network(values)
        starts = self._starts(continues=continues and not reset, warm=warm)
        self._architecture = values
        parts = (samples, None) if continues or not self.early_stopping else self._split(samples)
        recipe = self._recipe(1 if continues else self.epochs, continues=continues)
        members = []
        generators = self._generators(0 if reset else self.n_iter_)
        for start, rng in zip(starts, generators, strict=True):
            architecture = Architecture(**values)
            begin = start or (training.initial_weights(architecture, rng), None)
            members.append(training.fit(architecture, recipe, parts, begin, rng, self.callbacks or ()))
        self._keep(members, continues=continues)

    def _keep(self, members: list[Any], *, continues: bool) -> None:
        """Take over what the members learnt."""
        self.weights_ = [trained.weights for trained in members]
        states = [trained.optimizer_state for trained in members] if continues else None
        self._optimizer_states = self.optimizer, states
        rows = [{"member": i, **row} for i, trained in enumerate(members) for row in trained.history]
        history = pd.DataFrame(rows)
        earlier = self.history_ if continues and hasattr(self, "history_") else None
        if earlier is not None:
            history["epoch"] += self.n_iter_
            history = pd.concat([earlier, history], ignore_index=True)
        self.history_ = history
        self.n_iter_ = int(history["epoch"].max())
        self.best_epoch_ = self.n_iter_ if continues else members[0].best_epoch
        self.n_parameters_ = members[0].n_parameters
        self._predicts_compiled = members[0].predicts_compiled

    def _check_same_network(self, values: dict[str, Any]) -> None:
        """Raise unless the network to go on with is the one that was fitted."""
        fitted = {**self._architecture, "n_members": len(self.weights_)}
        changed = [name for name, value in {**values, "n_members": self.n_members}.items() if fitted.get(name) != value]
        if changed:
            raise ValueError(
                f"{name_of(self)}: partial_fit goes on with the fitted network, but {changed} have been changed since. "
                "Call `fit` to begin anew, or set them back."
            )

    def _starts(self, *, continues: bool, warm: bool) -> list[Any]:
        """Return (weights, optimizer state) where each member goes on, or None where it begins anew."""
        if not (continues or warm) or len(getattr(self, "weights_", [])) != self.n_members:
            return [None] * self.n_members
        optimizer, states = self._optimizer_states if continues else (None, None)
        if states is None or optimizer != self.optimizer:
            states = [None] * self.n_members
        return list(zip(self.weights_, states, strict=True))

    def _generators(self, n_epochs: int) -> list[np.random.Generator]:
        """Return a random generator for each member; without a `random_state`, from the system's entropy.

        After `n_epochs` epochs they differ from those at the start, or every epoch of `partial_fit` would be the same.
        """
        if self.random_state is None:
            return list(np.random.default_rng().spawn(self.n_members))
        seed: Any = self.random_state
        seeds = seed.randint(2**31, size=4).tolist() if isinstance(seed, np.random.RandomState) else [int(seed)]
        done = [n_epochs] if n_epochs else []
        return [np.random.default_rng([*seeds, member, *done]) for member in range(self.n_members)]

    def _split(self, samples: Any) -> tuple[Any, Any]:
        """Return the samples to train on and the last ones, with a gap between them, to watch."""
        origins = samples.windows.origins
        held_out = max(1, round(self.validation_fraction * len(origins)))
        first = np.sort(origins)[-held_out]
        gap = self.n_outputs_ - 1 if self.validation_gap is None else self.validation_gap
        train, watched = origins + gap < first, origins >= first
        if not train.any():
            raise ValueError(
                f"{name_of(self)}: early stopping with validation_fraction={self.validation_fraction} holds out "
                f"{watched.sum()} of {len(origins)} windows, and a gap of {gap} steps leaves 0 to train on. "
                "Pass more windows, or lower `validation_fraction` or `validation_gap`."
            )
        first_part, last_part = (
            type(samples)(samples.windows[part], samples.targets[part], samples.weights[part])
            for part in (train, watched)
        )
        return first_part, last_part

    def _network_values(self, windows: Windows) -> dict[str, Any]:
        """Return the plain values of the network, checked against the shapes."""
        _, lookback, n_features = windows.shape
        own = self.build_network is not None
        if not own and lookback % self.segment_length:
            raise invalid_parameter(
                self, "segment_length", f"a divisor of the windows' length {lookback}", self.segment_length
            )
        if not own and self.decoder == "parallel" and self.n_outputs_ % self.segment_length:
            raise invalid_parameter(
                self,
                "segment_length",
                f'a divisor of the {self.n_outputs_} outputs for decoder="parallel"',
                self.segment_length,
                'Choose another one, or decoder="dense".',
            )
        shapes = {"lookback": lookback, "n_features": n_features, "n_outputs": self.n_outputs_}
        if own:
            return {"cell": self._cell, **shapes, "build_network": self.build_network}
        names = [
            "hidden_size",
            "n_layers",
            "bidirectional",
            "dropout",
            "recurrent_dropout",
            "segment_length",
            "decoder",
        ]
        chosen = {name: getattr(self, name) for name in names}
        return {"cell": self._cell, **shapes, **chosen, "cell_options": dict(self.cell_options or {})}

    def _recipe(self, epochs: int, *, continues: bool) -> Any:
        from tsrnn.training import Recipe

        return Recipe(
            loss=self.loss,
            optimizer=self.optimizer,
            learning_rate=float(self.learning_rate),
            schedule=None if continues else self.schedule,
            global_clipnorm=None if self.global_clipnorm is None else float(self.global_clipnorm),
            epochs=epochs,
            batch_size=int(self.batch_size),
            patience=int(self.patience),
            jit_compile=self.jit_compile,
        )

    def _check_parameters(self) -> None:
        self._check_network()
        self._check_training()
        check_int(self, "n_members", self.n_members, minimum=1)
        check_bool(self, "warm_start", self.warm_start)
        check_option(self, "jit_compile", self.jit_compile, [True, False, "auto"])
        if not (self.callbacks is None or isinstance(self.callbacks, list | tuple)):
            raise invalid_parameter(self, "callbacks", "a list of Keras callbacks or None", self.callbacks)
        seed = self.random_state
        if not (seed is None or isinstance(seed, np.random.RandomState)):
            check_int(self, "random_state", seed, minimum=0)

    def _check_network(self) -> None:
        for name in ["hidden_size", "n_layers", "segment_length"]:
            check_int(self, name, getattr(self, name), minimum=1)
        check_bool(self, "bidirectional", self.bidirectional)
        for name in ["dropout", "recurrent_dropout"]:
            check_real(self, name, getattr(self, name), low=0, high=1, closed="left")
        check_option(self, "decoder", self.decoder, ["dense", "parallel"])
        if not (self.cell_options is None or isinstance(self.cell_options, dict)):
            raise invalid_parameter(self, "cell_options", "a dict or None", self.cell_options)
        if not (self.build_network is None or callable(self.build_network)):
            raise invalid_parameter(self, "build_network", "a callable or None", self.build_network)

    def _check_training(self) -> None:
        check_option(self, "loss", self.loss, ["mse", "mae", "huber"])
        check_option(self, "optimizer", self.optimizer, ["adam", "adamw", "rmsprop", "sgd"])
        check_option(self, "schedule", self.schedule, ["cosine", None])
        check_real(self, "learning_rate", self.learning_rate, low=0)
        if self.global_clipnorm is not None:
            check_real(self, "global_clipnorm", self.global_clipnorm, low=0)
        for name in ["epochs", "batch_size", "patience"]:
            check_int(self, name, getattr(self, name), minimum=1)
        check_bool(self, "early_stopping", self.early_stopping)
        check_real(self, "validation_fraction", self.validation_fraction, low=0, high=1)
        if self.validation_gap is not None:
            check_int(self, "validation_gap", self.validation_gap, minimum=0)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


def check_weights(owner: object, sample_weight: Any, count: int) -> Floats:
    """Return `sample_weight` as `count` finite weights >= 0, not all of them zero."""
    if sample_weight is None:
        return np.ones(count)
    if isinstance(sample_weight, numbers.Real):
        sample_weight = np.full(count, sample_weight)
    weights = check_array(
        sample_weight, ensure_2d=False, dtype=np.float64, ensure_all_finite=False, input_name="sample_weight"
    )
    check_finite(owner, weights, "sample_weight")
    if weights.shape != (count,):
        raise ValueError(f"{name_of(owner)}: sample_weight.shape == {weights.shape}, expected ({count},).")
    if weights.min() < 0:
        raise ValueError(f"{name_of(owner)}: sample_weight must not be negative; got {weights.min()}.")
    if not weights.any():
        raise ValueError(f"{name_of(owner)}: sample_weight is zero for every sample; at least one weight must be > 0.")
    return weights  # type: ignore[no-any-return]
