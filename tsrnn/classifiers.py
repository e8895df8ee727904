"""SimpleRNN, LSTM and GRU classifiers: recurrent networks as scikit-learn estimators."""

import os
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils import compute_class_weight, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, column_or_1d

from tsrnn import _documentation
from tsrnn._recurrent import NETWORK_PARAMETERS, Floats, RecurrentEstimator
from tsrnn._validation import check_finite, check_real, invalid_parameter, name_of
from tsrnn.windows import Windows

__all__ = ["GRUClassifier", "LSTMClassifier", "SimpleRNNClassifier"]


class RecurrentClassifier(ClassifierMixin, RecurrentEstimator):
    """What the recurrent classifiers share; they differ in their cell alone."""

    _network_parameters: ClassVar = NETWORK_PARAMETERS

    def __init__(
        self,
        hidden_size: int = 32,
        *,
        n_layers: int = 1,
        bidirectional: bool = False,
        convolution: tuple[int, int] | None = None,
        segment_length: int = 1,
        between_layers: str | Sequence[str] | None = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        truncation: int | None = None,
        attention: str | None = None,
        cell_options: dict[str, Any] | None = None,
        build_network: Callable[..., Any] | None = None,
        class_weight: dict[Any, float] | str | None = None,
        optimizer: Any = "adam",
        learning_rate: Any = 0.001,
        schedule: str | None = None,
        clipping: float | tuple[str, float] | None = 1.0,
        epochs: int = 30,
        batch_size: int = 64,
        early_stopping: int | None = None,
        validation_fraction: float = 0.1,
        n_members: int = 1,
        warm_start: bool = False,
        random_state: int | np.random.RandomState | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        callbacks: Sequence[Any] | None = None,
        jit_compile: bool | str = "auto",
    ) -> None:
        self.hidden_size = hidden_size
        self.n_layers = n_layers
        self.bidirectional = bidirectional
        self.convolution = convolution
        self.segment_length = segment_length
        self.between_layers = between_layers
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.truncation = truncation
        self.attention = attention
        self.cell_options = cell_options
        self.build_network = build_network
        self.class_weight = class_weight
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.clipping = clipping
        self.epochs = epochs
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_members = n_members
        self.warm_start = warm_start
        self.random_state = random_state
        self.checkpoint = checkpoint
        self.callbacks = callbacks
        self.jit_compile = jit_compile

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train the network.

        Parameters
        ----------
        X : Windows, array-like of shape (n_samples, lookback, n_features) or (n_samples, lookback), or list of arrays
            The windows.
        y : array-like of shape (n_samples,)
            The classes: numbers or names.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0 of the samples in the loss, multiplied by those of their classes. None: all equal.

        Returns
        -------
        self
        """
        self._new_classes = None
        return self._fit_whole(X, y, sample_weight, continues=False)

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """Train one epoch more, with the optimizer where the last `partial_fit` left it.

        Parameters
        ----------
        X : Windows, array-like of shape (n_samples, lookback, n_features) or (n_samples, lookback), or list of arrays
            The windows.
        y : array-like of shape (n_samples,)
            The classes: numbers or names.
        classes : array-like of shape (n_classes,), default=None
            All classes that will ever come, in the first call. None: those in `y`.
        sample_weight : array-like of shape (n_samples,), default=None
            As in `fit`.

        Returns
        -------
        self
        """
        if isinstance(self.class_weight, str) and self.class_weight == "balanced":
            raise ValueError(
                f"{name_of(self)}: partial_fit sees a part of the samples and cannot balance the classes. Pass a dict, "
                "e.g. of sklearn.utils.compute_class_weight over all labels."
            )
        self._new_classes = classes
        return self._fit_whole(X, y, sample_weight, continues=True)

    def predict_proba(self, X: Any) -> Floats:
        """Return the probability of each class.

        Parameters
        ----------
        X : Windows, array-like of shape (n_samples, lookback, n_features) or (n_samples, lookback), or list of arrays
            The windows.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In the order of `classes_`, float64.
        """
        logits = self._outputs(X)
        exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
        each: Floats = exponentials / exponentials.sum(axis=-1, keepdims=True)
        return np.asarray(each.mean(axis=0))

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each window.

        Parameters
        ----------
        X : Windows, array-like of shape (n_samples, lookback, n_features) or (n_samples, lookback), or list of arrays
            The windows.

        Returns
        -------
        ndarray of shape (n_samples,)
            Values of `classes_`.
        """
        probabilities = self.predict_proba(X)
        chosen: NDArray[Any] = self.classes_[probabilities.argmax(axis=1)]
        return chosen

    def _units(self) -> Any:
        return ("classification",)

    def _loss_values(self) -> tuple[str, tuple[float, ...], dict[str, Any]]:
        return "cross_entropy", (), {"head": "point", "n_values": 1}

    def _check_targets(self, y: Any, windows: Windows, *, reset: bool) -> Floats:
        """Return `y` as rows of an identity (n_samples, n_classes)."""
        if y is None:
            raise ValueError(f"{name_of(self)} requires y to be passed, but the target y is None.")
        labels = column_or_1d(y, warn=True)
        if labels.dtype.kind == "f":
            check_finite(self, labels, "y")
        check_classification_targets(labels)
        check_consistent_length(windows, labels)
        if reset:
            self.classes_ = np.unique(labels if self._new_classes is None else self._new_classes)
            self.n_outputs_ = len(self.classes_)
        elif not (self._new_classes is None or np.array_equal(np.unique(self._new_classes), self.classes_)):
            raise ValueError(
                f"{name_of(self)}: classes={self._new_classes!r} are not those it was fitted on, "
                f"{self.classes_.tolist()}. Call `fit` to begin anew."
            )
        unknown = np.setdiff1d(labels, self.classes_)
        if len(unknown):
            raise ValueError(
                f"{name_of(self)}: y holds the class {unknown.tolist()[0]!r}, which is not among those it was fitted "
                "on. Pass `classes` to the first `partial_fit`."
            )
        rows: Floats = np.eye(len(self.classes_))[np.searchsorted(self.classes_, labels)]
        return rows

    def _scale_targets(self, targets: Floats, weights: Floats, *, reset: bool) -> NDArray[np.float32]:  # noqa: ARG002
        return targets.astype(np.float32)

    def _own_weights(self, targets: Floats) -> Any:
        """Return the weight of each sample's class."""
        given = self.class_weight
        if isinstance(given, dict):
            for weight in given.values():
                check_real(self, "class_weight", weight, low=0, closed="left")
        elif not (given is None or (isinstance(given, str) and given == "balanced")):
            raise invalid_parameter(self, "class_weight", 'a dict, "balanced" or None', given)
        numbers = targets.argmax(axis=1)
        if isinstance(given, dict):
            return compute_class_weight(given, classes=self.classes_, y=self.classes_)[numbers]
        return compute_sample_weight(given, self.classes_[numbers])

    def _held_out(self, samples: Any) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Return which samples to train on and which to watch: of each class a part, or the last windows in time."""
        if self._ordered:
            return super()._held_out(samples)
        seed: Any = self.random_state
        if isinstance(seed, np.random.RandomState):
            seed = seed.randint(2**31)
        ranks = np.random.default_rng(seed).permutation(len(samples.targets))
        watched = np.zeros(len(ranks), dtype=bool)
        for members in samples.targets.T > 0:
            numbers = np.flatnonzero(members)[np.argsort(ranks[members])]
            count = max(round(self.validation_fraction * len(numbers)), min(1, len(numbers) - 1))
            watched[numbers[:count]] = True
        return ~watched, watched


class SimpleRNNClassifier(RecurrentClassifier):
    __doc__ = _documentation.classifier("SimpleRNNClassifier", "SimpleRNN")
    _cell = "SimpleRNN"


class LSTMClassifier(RecurrentClassifier):
    __doc__ = _documentation.classifier("LSTMClassifier", "LSTM")
    _cell = "LSTM"


class GRUClassifier(RecurrentClassifier):
    __doc__ = _documentation.classifier("GRUClassifier", "GRU")
    _cell = "GRU"
