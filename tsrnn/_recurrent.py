"""What every recurrent estimator shares: the training of its members, what it keeps of them, and what it can tell."""

from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from tsrnn import _parameters
from tsrnn._checkpoints import Checkpoint, NamelessError, key_of
from tsrnn._parameters import check_weights
from tsrnn._samples import as_windows
from tsrnn._validation import invalid_parameter, kept_whole, name_of
from tsrnn.windows import Windows

Floats = NDArray[np.float64]

NETWORK_PARAMETERS = [
    "hidden_size",
    "n_layers",
    "bidirectional",
    "segment_length",
    "dropout",
    "recurrent_dropout",
    "truncation",
    "attention",
]
"""Parameters that are plain values of the network as they stand."""


class RecurrentEstimator(BaseEstimator):
    """Base of the regressors and classifiers; a subclass says what its targets are and what it keeps of them.

    The constructor stores, `fit` checks. A fit either succeeds whole or leaves the estimator as it was.
    """

    _cell: ClassVar[str]
    _network_parameters: ClassVar[list[str]]
    _architecture: dict[str, Any]
    history_: pd.DataFrame
    n_iter_: int
    n_outputs_: int
    n_members: int
    optimizer: Any
    checkpoint: Any

    def _fit_whole(self, X: Any, y: Any, sample_weight: Any, *, continues: bool) -> Self:
        """Fit, and keep the previous fit whole when anything goes wrong on the way."""
        with kept_whole(self):
            _parameters.check(self)
            reset = not (continues and hasattr(self, "weights_"))
            windows = as_windows(self, X, reset=reset)
            targets = self._check_targets(y, windows, reset=reset)
            weights = check_weights(self, sample_weight, len(windows)) * self._own_weights(targets)
            if not weights.any():
                raise ValueError(f"{name_of(self)}: sample_weight and class_weight together are zero for every sample.")
            self._ordered = isinstance(X, Windows)
            self._train(windows, targets, weights, continues=continues, reset=reset)
        return self

    def _check_targets(self, y: Any, windows: Windows, *, reset: bool) -> Floats:
        raise NotImplementedError

    def _scale_targets(self, targets: Floats, weights: Floats, *, reset: bool) -> NDArray[np.float32]:
        raise NotImplementedError

    def _own_weights(self, targets: Floats) -> Any:
        """Return what the samples' weights are multiplied by."""
        return np.ones(len(targets))

    def _loss_values(self) -> tuple[str, tuple[float, ...], dict[str, Any]]:
        """Return the loss, its quantiles, and what the network's head must be for it."""
        raise NotImplementedError

    def _train(self, windows: Windows, targets: Floats, weights: Floats, *, continues: bool, reset: bool) -> None:
        from tsrnn import training
        from tsrnn.networks import content

        weights = weights / weights.max()
        counted = weights >= np.finfo(np.float32).tiny  # a batch of smaller ones would be divided by zero
        if not counted.all():
            windows, targets, weights = windows[counted], targets[counted], weights[counted]
        scaled = self._scale_targets(targets, weights, reset=reset)
        samples = training.Samples(windows, scaled, weights.astype(np.float32))
        values = self._network_values(windows)
        warm = self.warm_start and hasattr(self, "_architecture") and content(self._architecture) == content(values)
        if continues and not reset:
            self._check_same_network(values)
        starts = self._starts(continues=continues and not reset, warm=warm)
        self._architecture = values
        parts = (samples, None) if continues or self.early_stopping is None else self._split(samples)
        recipe = self._recipe(continues=continues)
        train_member = self._train_member if continues or self.checkpoint is None else self._find_member
        generators = self._generators(0 if reset else self.n_iter_)
        members = [
            train_member(number, recipe, parts, *own) for number, own in enumerate(zip(starts, generators, strict=True))
        ]
        self._keep(members, continues=continues)

    def _train_member(self, _: int, recipe: Any, parts: Any, start: Any, rng: np.random.Generator) -> Any:
        """Train a network, from new weights unless it has a start."""
        from tsrnn import training
        from tsrnn.networks import Architecture

        architecture = Architecture(**self._architecture)
        begin = start or (training.initial_weights(architecture, rng), None)
        return training.fit(architecture, recipe, parts, begin, rng, self.callbacks or ())

    def _find_member(self, number: int, recipe: Any, parts: Any, start: Any, rng: np.random.Generator) -> Any:
        """Take a network from the checkpoint, or train it and keep it there."""
        from tsrnn.networks import content
        from tsrnn.training import Trained

        checkpoint = Checkpoint(self.checkpoint)
        seed = None if self.random_state is None else rng.bit_generator.state
        samples = [None if part is None else part.content for part in parts]
        try:
            key = key_of("fit", content(self._architecture), content(vars(recipe)), samples, start, seed, number)
        except NamelessError as error:
            constraint = "None with parameters that cannot be pickled, such as a lambda"
            raise invalid_parameter(self, "checkpoint", constraint, self.checkpoint) from error
        if (found := checkpoint.read(key)) is not None:
            return Trained.from_arrays(found)
        trained = self._train_member(number, recipe, parts, start, rng)
        checkpoint.write(key, trained.to_arrays())
        return trained

    def _keep(self, members: list[Any], *, continues: bool) -> None:
        """Take over what the members learnt."""
        from tsrnn.networks import content

        self._fitted_loss = self._loss_values()
        self.weights_ = [trained.weights for trained in members]
        states = [trained.optimizer_state for trained in members] if continues else None
        self._optimizer_states = content(self.optimizer), states
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
        from tsrnn.networks import content

        fitted = {**self._architecture, "n_members": len(self.weights_), "quantiles": self._fitted_loss[1]}
        given = {**values, "n_members": self.n_members, "quantiles": self._loss_values()[1]}
        changed = [name for name, value in given.items() if content(fitted.get(name)) != content(value)]
        if changed:
            raise ValueError(
                f"{name_of(self)}: partial_fit goes on with the fitted network, but {changed} have been changed since. "
                "Call `fit` to begin anew, or set them back."
            )

    def _starts(self, *, continues: bool, warm: bool) -> list[Any]:
        """Return (weights, optimizer state) where each member goes on, or None where it begins anew."""
        if not (continues or warm) or len(getattr(self, "weights_", [])) != self.n_members:
            return [None] * self.n_members
        from tsrnn.networks import content

        optimizer, states = self._optimizer_states if continues else (None, None)
        if states is None or optimizer != content(self.optimizer):
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
        """Return the samples to train on and those to watch."""
        train, watched = self._held_out(samples)
        if not (train.any() and watched.any()):
            raise ValueError(
                f"{name_of(self)}: early stopping with validation_fraction={self.validation_fraction} holds out "
                f"{watched.sum()} of {len(watched)} windows, which leaves {train.sum()} to train on. "
                "Pass more windows, or change `validation_fraction`."
            )
        first_part, last_part = (
            type(samples)(samples.windows[part], samples.targets[part], samples.weights[part])
            for part in (train, watched)
        )
        return first_part, last_part

    def _held_out(self, samples: Any) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return which samples to train on and which to watch: the last ones, behind a gap if they overlap in time."""
        origins = samples.windows.origins
        held_out = max(1, round(self.validation_fraction * len(origins)))
        first = np.sort(origins)[-held_out]
        gap = self._gap if self._ordered else 0
        return origins + gap < first, origins >= first

    @property
    def _gap(self) -> int:
        """Steps left out before the held-out windows."""
        return 0

    def _network_values(self, windows: Windows) -> dict[str, Any]:
        """Return the plain values of the network, checked against the shapes."""
        _, lookback, n_features = windows.shape
        _, _, head = self._loss_values()
        values = {"cell": self._cell, "lookback": lookback, "n_features": n_features, "n_outputs": self.n_outputs_}
        if self.build_network is not None:
            return {**values, **head, "build_network": self.build_network}
        _parameters.check_shapes(self, lookback)
        chosen = {name: getattr(self, name) for name in self._network_parameters}
        if chosen["truncation"] is not None and chosen["truncation"] >= lookback // chosen["segment_length"]:
            chosen["truncation"] = None
        chosen["between_layers"] = _parameters.names(self.between_layers)
        chosen["convolution"] = None if self.convolution is None else tuple(self.convolution)
        return {**values, **head, **chosen, "cell_options": dict(self.cell_options or {})}

    def _recipe(self, *, continues: bool) -> Any:
        from tsrnn.losses import Loss
        from tsrnn.training import Recipe

        loss, quantiles, _ = self._loss_values()
        return Recipe(
            loss=Loss(loss, quantiles),
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            schedule=None if continues else self.schedule,
            clipping=_parameters.clipping(self),
            epochs=1 if continues else self.epochs,
            batch_size=int(self.batch_size),
            patience=None if continues else self.early_stopping,
            jit_compile=self.jit_compile,
        )

    def _outputs(self, X: Any) -> NDArray[np.float64]:
        """Return what each member's network says of `X`, (n_members, n_samples, n_outputs[, n_values])."""
        check_is_fitted(self)
        windows = as_windows(self, X, reset=False)
        from tsrnn import training
        from tsrnn.networks import Architecture

        architecture = Architecture(**self._architecture)
        outputs = [
            training.predict(architecture, weights, windows, compiled=self._predicts_compiled)
            for weights in self.weights_
        ]
        return np.asarray(outputs, dtype=np.float64)

    @property
    def model_(self) -> Any:
        """A new Keras model with the first member's weights: windows in, what `predict` gives out.

        In the units of `y`, (n_samples, 1) where `predict` gives (n_samples,); with all quantiles, or mean and standard
        deviation, along a last axis; for a classifier, the probabilities.
        """
        check_is_fitted(self)
        return self._keras_model(self.weights_[0])

    def _keras_model(self, weights: Any) -> Any:
        from tsrnn import programs
        from tsrnn.networks import Architecture

        return programs.keras_model(Architecture(**self._architecture), weights, self._units())

    def to_saved_model(self, path: str | Path) -> None:
        """Write the fitted network, all members in one, as a TensorFlow SavedModel.

        Parameters
        ----------
        path : str or Path
            The folder to make. Its function `serve` takes windows (batch, lookback, n_features) in float32 and returns
            what `model_` does, averaged over the members, in float32.

        Raises
        ------
        ValueError
            Several members that tell distributions: their mixture is not one network's output.
        """
        from tsrnn import _export

        _export.to_saved_model(self._exported_model(), Path(path))

    def to_onnx(self, path: str | Path) -> None:
        """Write the fitted network, all members in one, as an ONNX file; inputs and outputs as in `to_saved_model`.

        Parameters
        ----------
        path : str or Path
            The file to write.

        Raises
        ------
        ImportError
            The exporter is not installed: ``pip install 'tsrnn[onnx]'``.
        ValueError
            As in `to_saved_model`.
        """
        from tsrnn import _export

        _export.to_onnx(self._exported_model(), Path(path))

    def to_tflite(self, path: str | Path) -> None:
        """Write the fitted network, all members in one, as a TensorFlow Lite file that takes one window at a time.

        Parameters
        ----------
        path : str or Path
            The file to write. Its input is (1, lookback, n_features) in float32; the output as in `to_saved_model`.

        Raises
        ------
        ValueError
            As in `to_saved_model`.
        """
        from tsrnn import _export

        _export.to_tflite(self._exported_model(), Path(path))

    def _exported_model(self) -> Any:
        check_is_fitted(self)
        if len(self.weights_) > 1 and self._architecture["head"] == "gaussian":
            raise ValueError(
                f"{name_of(self)}: the mixture of {len(self.weights_)} members' normal distributions is not the output "
                "of one network. Fit with n_members=1 to export it."
            )
        from tsrnn import _export

        return _export.averaged([self._keras_model(weights) for weights in self.weights_])

    def influence(self, X: Any) -> Floats:
        """Return how far back the fitted network looks: the mean absolute gradient of its outputs by lag.

        Parameters
        ----------
        X : Windows or array-like of shape (n_samples, lookback, n_features) or (n_samples, lookback)
            The windows at which the network is differentiated.

        Returns
        -------
        ndarray of shape (lookback,)
            At lag k the mean, over samples, outputs, features and members, of the absolute derivative of a standardised
            output with respect to the value k steps before the window's last. Vanishing gradients fall to 0, and those
            that `truncation` stops are 0, though the state still carries what came before.

        Notes
        -----
        One backward pass for each output: predict fewer windows where n_outputs is large.
        """
        check_is_fitted(self)
        windows = as_windows(self, X, reset=False)
        from tsrnn import training
        from tsrnn.networks import Architecture

        architecture = Architecture(**self._architecture)
        each = [training.influence(architecture, weights, windows) for weights in self.weights_]
        by_step: Floats = np.mean(each, axis=0)
        return by_step[::-1]

    def __dir__(self) -> list[str]:
        """Leave out `model_`: what lists attributes, as a notebook's display does, reads them; it builds a network."""
        return [name for name in object.__dir__(self) if name != "model_" and hasattr(self, name)]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
