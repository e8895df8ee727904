"""SimpleRNN, LSTM and GRU regressors: recurrent networks as scikit-learn estimators."""

import os
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import Tags
from sklearn.utils.validation import check_array, check_consistent_length, check_is_fitted, column_or_1d

from tsrnn import _documentation
from tsrnn._parameters import DECODERS, LOSSES
from tsrnn._recurrent import NETWORK_PARAMETERS, Floats, RecurrentEstimator
from tsrnn._samples import vary
from tsrnn._validation import check_finite, check_levels, check_numeric, check_option, name_of
from tsrnn.windows import Windows

__all__ = ["GRURegressor", "LSTMRegressor", "SimpleRNNRegressor"]


class RecurrentRegressor(RegressorMixin, RecurrentEstimator):
    """What the recurrent regressors share; they differ in their cell alone."""

    _network_parameters: ClassVar = [*NETWORK_PARAMETERS, "decoder"]

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
        decoder: str = "dense",
        cell_options: dict[str, Any] | None = None,
        build_network: Callable[..., Any] | None = None,
        loss: str = "mse",
        quantiles: Sequence[float] = (0.1, 0.5, 0.9),
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
        self.decoder = decoder
        self.cell_options = cell_options
        self.build_network = build_network
        self.loss = loss
        self.quantiles = quantiles
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
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The targets, in any units; (n_samples, lookback) or (n_samples, lookback, n_targets) for a sequence.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights >= 0 of the samples in the loss. None: all equal.

        Returns
        -------
        self
        """
        return self._fit_whole(X, y, sample_weight, continues=False)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train one epoch more, with the optimizer where the last `partial_fit` left it; parameters as in `fit`.

        The first call fixes the standardisation of the targets; after `fit`, it stays and the optimizer is fresh.
        `early_stopping` and `schedule` do not apply. A network that has been changed since is refused: ValueError.
        """
        return self._fit_whole(X, y, sample_weight, continues=True)

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Return the predictions of windows: the mean, or the quantile nearest to the median.

        Parameters
        ----------
        X : Windows, array-like of shape (n_samples, lookback, n_features) or (n_samples, lookback), or list of arrays
            The windows.
        return_std : bool, default=False
            Whether to return the standard deviation as well, which `loss="gaussian"` learns.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In the units and the shape of `y`, float64. A window's prediction does not depend, to the bit, on the
            others.
        ndarray of the same shape
            The standard deviation, in the units of `y`; with several members, of the mixture of their distributions.
            Only with `return_std`.
        """
        outputs = self._outputs(X)
        return self._mean_and_deviation(outputs) if return_std else self._point(outputs)

    def _point(self, outputs: NDArray[np.float64]) -> Floats:
        """Return the predictions that the members' outputs (n_members, n_samples, n_outputs[, n_values]) tell."""
        _, _, head = self._fitted_loss
        if head["head"] == "quantiles":
            outputs = outputs[..., self._median()]
        elif head["head"] == "gaussian":
            outputs = outputs[..., 0]
        return self._in_units(outputs.mean(axis=0))

    def stream(self, mode: str = "window") -> Any:
        """Return a `RegressorStream`, which takes one step of a series at a time.

        Parameters
        ----------
        mode : {"window", "state"}, default="window"
            "window": each prediction is that of the window that ends with the step; "state": of all steps since the
            first one, at the cost of one.
        """
        check_is_fitted(self)
        from tsrnn.streams import RegressorStream

        return RegressorStream(self, mode)

    def _mean_and_deviation(self, outputs: NDArray[np.float64]) -> tuple[Floats, Floats]:
        if self._fitted_loss[0] != "gaussian":
            raise ValueError(
                f"{name_of(self)}: return_std=True needs a network fitted with loss='gaussian'; this one was fitted "
                f"with loss={self._fitted_loss[0]!r}."
            )
        means, deviations = outputs[..., 0], outputs[..., 1]
        mean = means.mean(axis=0)
        deviation = np.sqrt((deviations**2).mean(axis=0) + means.var(axis=0)) * self.target_scale_
        return self._in_units(mean), deviation.reshape(len(deviation), *self._target_shape)

    def predict_quantiles(self, X: Any, quantiles: Sequence[float] | None = None) -> Floats:
        """Return the quantiles of windows, of a network fitted with `loss="quantile"`.

        Parameters
        ----------
        X : Windows, array-like of shape (n_samples, lookback, n_features) or (n_samples, lookback), or list of arrays
            The windows.
        quantiles : sequence of rising numbers in (0, 1), default=None
            The levels: between two that were learnt on a straight line, beyond the outermost ones those. None: those of
            the fit.

        Returns
        -------
        ndarray of shape (n_samples, n_quantiles) or (n_samples, n_outputs, n_quantiles)
            In the units of `y`, rising along the last axis.
        """
        levels = None if quantiles is None else check_levels(self, "quantiles", quantiles)
        outputs = self._outputs(X)
        if self._fitted_loss[0] != "quantile":
            raise ValueError(
                f"{name_of(self)}: predict_quantiles needs a network fitted with loss='quantile'; this one was fitted "
                f"with loss={self._fitted_loss[0]!r}."
            )
        values = np.moveaxis(outputs.mean(axis=0), -1, 0)
        return np.stack([self._in_units(each) for each in _at_levels(values, self._fitted_loss[1], levels)], axis=-1)

    def predict_members(self, X: Any) -> Floats:
        """Return the predictions of each member alone; `predict` returns their mean.

        Parameters
        ----------
        X : Windows, array-like of shape (n_samples, lookback, n_features) or (n_samples, lookback), or list of arrays
            The windows.

        Returns
        -------
        ndarray of shape (n_members, n_samples) or (n_members, n_samples, n_outputs)
            In the units of `y`.
        """
        return np.stack([self._point(member[None]) for member in self._outputs(X)])

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return R^2, the mean of all outputs, those at every step of a sequence among them.

        Parameters
        ----------
        X : Windows, array-like of shape (n_samples, lookback, n_features) or (n_samples, lookback), or list of arrays
            The windows.
        y : array-like of the shape seen in `fit`
            The targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples. None: all equal.
        """
        predicted = self.predict(X)
        truth = np.asarray(y)
        if predicted.ndim == 3 and truth.shape == predicted.shape:
            truth, predicted = truth.reshape(len(truth), -1), predicted.reshape(len(truth), -1)
        return float(r2_score(truth, predicted, sample_weight=sample_weight))

    def _median(self) -> int:
        """Return the number of the quantile nearest to the median, the lower one of two."""
        return int(np.argmin(np.abs(np.asarray(self._fitted_loss[1]) - 0.5)))

    def _stepper(self, mode: str) -> tuple[Any, Any]:
        """Return what a stream calls for each step, and the states that it begins with."""
        from tsrnn import stepping
        from tsrnn.networks import Architecture

        architecture = Architecture(**self._architecture)
        if mode == "window":
            # A stream is long: compilation pays, however short the fit was.
            return stepping.one_window(architecture, self.weights_, compiled=self.jit_compile is not False), []
        reads_on = architecture.decoder in ("dense", "sequence") and architecture.build_network is None
        needs_more = architecture.bidirectional or architecture.convolution or architecture.attention
        if needs_more or not reads_on or architecture.segment_length > 1:
            raise ValueError(
                f'{name_of(self)}: mode="state" needs a network that goes from step to step: not bidirectional, '
                'without convolution, segments and attention, with decoder="dense" or "sequence". Use mode="window".'
            )
        return stepping.one_step(architecture, self.weights_)

    def _in_units(self, outputs: Floats) -> Floats:
        """Return standardised outputs (n_samples, n_outputs) in the units and the shape of `y`."""
        values: Floats = outputs * self.target_scale_ + self.target_mean_
        return values.reshape(len(values), *self._target_shape)

    def _units(self) -> Any:
        return "regression", self.target_mean_, self.target_scale_, self._target_shape

    def _loss_values(self) -> tuple[str, tuple[float, ...], dict[str, Any]]:
        check_option(self, "loss", self.loss, LOSSES)
        if self.loss == "quantile":
            levels = check_levels(self, "quantiles", self.quantiles)
            return self.loss, levels, {"head": "quantiles", "n_values": len(levels)}
        if self.loss == "gaussian":
            return self.loss, (), {"head": "gaussian", "n_values": 2}
        return self.loss, (), {"head": "point", "n_values": 1}

    def _check_targets(self, y: Any, windows: Windows, *, reset: bool) -> Floats:
        """Return `y` as finite float64 targets (n_samples, n_outputs)."""
        if y is None:
            raise ValueError(f"{name_of(self)} requires y to be passed, but the target y is None.")
        if vary(y):
            raise ValueError(
                f"{name_of(self)}: y holds sequences of different lengths. Pass {windows.lookback} targets for each, "
                "as many as the longest sequence has steps."
            )
        check_numeric(self, y, "y")
        targets = check_array(
            y,
            ensure_2d=False,
            allow_nd=True,
            dtype=np.float64,
            ensure_all_finite=False,
            input_name="y",
            estimator=name_of(self),
        )
        if targets.ndim == 2 and targets.shape[1] == 1 and self.decoder != "sequence":
            targets = column_or_1d(targets, warn=True)
        check_finite(self, targets, "y")
        check_consistent_length(windows, targets)
        self._check_target_shape(targets.shape, windows.lookback)
        flat = targets.reshape(len(targets), -1)
        if reset:
            self._target_shape, self.n_outputs_ = targets.shape[1:], flat.shape[1]
        elif flat.shape[1] != self.n_outputs_:
            raise ValueError(f"{name_of(self)}: y has {flat.shape[1]} outputs, but it was fitted on {self.n_outputs_}.")
        self._loss_values()
        return flat  # type: ignore[no-any-return]

    def _check_target_shape(self, shape: tuple[int, ...], lookback: int) -> None:
        check_option(self, "decoder", self.decoder, DECODERS)
        if self.decoder != "sequence":
            if len(shape) > 2:
                raise ValueError(
                    f"{name_of(self)}: y must have 1 or 2 dimensions; got shape {shape}. Targets at every step need "
                    "decoder='sequence'."
                )
        elif len(shape) not in (2, 3) or shape[1] != lookback:
            raise ValueError(
                f"{name_of(self)}: decoder='sequence' needs y of shape (n_samples, {lookback}) or (n_samples, "
                f"{lookback}, n_targets), a target for each step; got {shape}."
            )

    @property
    def _gap(self) -> int:
        """Steps left out before the held-out windows: no value of a target of several steps stands on both sides."""
        return int(self._target_shape[0]) - 1 if self._target_shape else 0

    def _scale_targets(self, targets: Floats, weights: Floats, *, reset: bool) -> NDArray[np.float32]:
        """Standardise each output, so that no scale of `y` breaks the training; all steps of a sequence together."""
        if reset:
            columns = targets
            if self.decoder == "sequence":
                n_steps = self._target_shape[0]
                columns = targets.reshape(len(targets) * n_steps, -1)
                weights = np.repeat(weights, n_steps)
            mean, scale = moments(columns, weights)
            repeats = targets.shape[1] // len(mean)
            self.target_mean_, self.target_scale_ = np.tile(mean, repeats), np.tile(scale, repeats)
        centred = targets - self.target_mean_
        centred /= self.target_scale_
        scaled: NDArray[np.float32] = centred.astype(np.float32)
        return scaled

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def _at_levels(values: Floats, known: tuple[float, ...], levels: tuple[float, ...] | None) -> Floats:
    """Return quantiles (n_levels, ...) of levels between those `known`, of which `values` are the quantiles."""
    if levels is None:
        return values
    places = np.interp(levels, known, np.arange(len(known)))
    below = places.astype(int)
    above = np.minimum(below + 1, len(known) - 1)
    share = (places - below).reshape(-1, *[1] * (values.ndim - 1))
    between: Floats = (1 - share) * values[below] + share * values[above]
    return between


def moments(targets: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Return the weighted mean and standard deviation of each column."""
    mean = np.average(targets, axis=0, weights=weights)
    distances = targets - mean
    largest = np.maximum(distances.max(axis=0), -distances.min(axis=0))
    unit = np.where(largest > 0, largest, 1.0)  # the squares of 1e200 or 1e-200 would leave float64
    # In place: the targets of many windows are the largest array of a fit.
    distances /= unit
    variance = np.average(np.square(distances, out=distances), axis=0, weights=weights)
    return mean, safe_scale(unit * np.sqrt(variance), mean)


def safe_scale(scale: Floats, mean: Floats) -> Floats:
    """Return `scale` with 1 where it is nothing but rounding error about `mean`, as for a constant target."""
    smallest = 10 * np.finfo(np.float64).eps * np.abs(mean)
    return np.where(scale <= smallest, 1.0, scale)


class SimpleRNNRegressor(RecurrentRegressor):
    __doc__ = _documentation.regressor("SimpleRNNRegressor", "SimpleRNN")
    _cell = "SimpleRNN"


class LSTMRegressor(RecurrentRegressor):
    __doc__ = _documentation.regressor("LSTMRegressor", "LSTM")
    _cell = "LSTM"


class GRURegressor(RecurrentRegressor):
    __doc__ = _documentation.regressor("GRURegressor", "GRU")
    _cell = "GRU"
