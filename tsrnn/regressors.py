"""SimpleRNN, LSTM and GRU regressors: recurrent networks as scikit-learn estimators."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_array, check_consistent_length, check_is_fitted, column_or_1d

from tsrnn._recurrent import Floats, RecurrentEstimator
from tsrnn._samples import as_windows
from tsrnn._validation import check_finite, check_numeric, name_of
from tsrnn.windows import Windows

__all__ = ["GRURegressor", "LSTMRegressor", "SimpleRNNRegressor"]

DOCUMENTATION = """{cell} network that maps a window of a time series to one or several numbers.

    ::

        window (L, d) -> segments (L/s, s*d -> h) -> n_layers x {cell} -> decoder -> (n_outputs)

    Parameters
    ----------
    hidden_size : int, default=32
        Network: units of each recurrent layer, per direction.
    n_layers : int, default=1
        Network: recurrent layers on top of each other.
    bidirectional : bool, default=False
        Network: whether each layer also reads the window backwards; this doubles its units.
    dropout : float, default=0.0
        Network: fraction of units dropped behind each recurrent layer in training, in [0, 1).
    recurrent_dropout : float, default=0.0
        Network: fraction of units dropped in the recurrent connections in training, in [0, 1).
    segment_length : int, default=1
        Network: consecutive steps that enter the cell as one; it must divide the window's length. Segments shorten the
        recurrence, which makes training faster and long windows learnable.
    decoder : {{"dense", "parallel"}}, default="dense"
        Network: what turns the last state into the outputs. "dense": one linear map; "parallel": each future segment
        from the state and an embedding of its position, `segment_length` outputs at a time.
    cell_options : dict, default=None
        Network: further arguments of the Keras layer, such as ``{{"activation": "relu"}}``.
    build_network : callable, default=None
        Network: a function ``(input_shape, n_outputs) -> keras.Model`` used instead of all of the above; its weights
        are drawn anew by the initializers that its layers keep.
    loss : {{"mse", "mae", "huber"}}, default="mse"
        Training: what is minimised, on standardised targets.
    optimizer : {{"adam", "adamw", "rmsprop", "sgd"}}, default="adam"
        Training: Keras' optimizer of that name.
    learning_rate : float, default=0.001
        Training: learning rate at the start.
    schedule : {{"cosine"}}, default=None
        Training: how the learning rate falls to zero over all steps. None: it stays.
    global_clipnorm : float, default=1.0
        Training: greatest norm of the whole gradient. None: no clipping.
    epochs : int, default=30
        Training: passes over the windows.
    batch_size : int, default=64
        Training: windows in a step.
    early_stopping : bool, default=False
        Training: whether to hold out the last windows and keep the weights of the epoch that predicts them best.
    validation_fraction : float, default=0.1
        Training: fraction of the windows held out by `early_stopping`, in (0, 1).
    validation_gap : int, default=None
        Training: steps left out before the held-out windows. None: n_outputs - 1, so that no target of direct
        forecasts stands on both sides.
    patience : int, default=5
        Training: epochs without a better validation loss before training stops.
    n_members : int, default=1
        Run: networks trained from different seeds; their predictions are averaged.
    warm_start : bool, default=False
        Run: whether `fit` starts from the weights of the fit before, when the shapes agree.
    random_state : int, numpy.random.RandomState, default=None
        Run: seed of weights, order of the samples and dropout. No global random state is read or changed.
    callbacks : list of keras.callbacks.Callback, default=None
        Run: called at the beginning and end of training and of each epoch, not of each batch.
    jit_compile : bool or "auto", default="auto"
        Run: whether training steps are compiled by XLA (a second once, then two to three times as fast). "auto": when
        the fit is long enough.

    Attributes
    ----------
    weights_ : list of list of ndarray
        Each member's weights.
    history_ : DataFrame
        One row an epoch: member, epoch, loss, val_loss (with early stopping), learning_rate, seconds. Losses are those
        of standardised targets.
    n_iter_ : int
        Epochs run, of the member that ran longest.
    best_epoch_ : int
        The epoch whose weights were kept, of the first member; the last one without early stopping.
    n_parameters_ : int
        Trainable weights of one member.
    n_outputs_ : int
        Columns of `y`.
    target_mean_, target_scale_ : ndarray of shape (n_outputs_,)
        Weighted mean and standard deviation of `y`, in its units.
    n_features_in_ : int
        Features of a step; for 2-D samples, the columns.
    input_shape_ : tuple of int
        (lookback, n_features) of a sample.

    Raises
    ------
    InvalidParameterError
        In `fit`, for a parameter outside its range.
    TrainingDivergedError
        In `fit`, when the loss becomes infinite or not a number.
    ValueError, TypeError
        For samples or targets that are no finite numbers or whose shapes disagree.
    RuntimeError
        In a process forked after TensorFlow was used.

    Notes
    -----
    A sample is a window: `Windows`, an array (n_samples, lookback, n_features), or an array (n_samples, lookback) of
    one feature. Compiled programs are cached in the process, so another fit of the same shape compiles nothing; the
    fitted estimator holds numpy arrays only. Two fits with one `random_state` are equal to the bit on one machine.

    References
    ----------
    {reference}
    Pascanu, Mikolov & Bengio (2013), arXiv:1211.5063: clipping the norm of the whole gradient.
    Lin et al. (2023), SegRNN, doi:10.48550/arXiv.2308.11200: segments and the parallel decoder.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn import {name}, make_windows
    >>> X, y = make_windows(np.sin(np.arange(60.0)), lookback=8, horizon=2)
    >>> {variable} = {name}(hidden_size=4, epochs=2, random_state=0).fit(X, y)
    >>> {variable}.predict(X[:3]).shape
    (3, 2)
"""


def documentation(name: str, cell: str, reference: str) -> str:
    """Return the docstring of the regressor `name`."""
    return DOCUMENTATION.format(name=name, cell=cell, reference=reference, variable=cell.lower())


class RecurrentRegressor(RegressorMixin, RecurrentEstimator):
    """What the recurrent regressors share; they differ in their cell alone."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train the network.

        Parameters
        ----------
        X : Windows or array-like of shape (n_samples, lookback, n_features) or (n_samples, lookback)
            The windows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The targets, in any units.
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

    def predict(self, X: Any) -> Floats:
        """Return the predictions of windows.

        Parameters
        ----------
        X : Windows or array-like of shape (n_samples, lookback, n_features) or (n_samples, lookback)
            The windows.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            In the units of `y`, float64. A window's prediction does not depend, to the bit, on the others.
        """
        check_is_fitted(self)
        windows = as_windows(self, X, reset=False)
        from tsrnn import training
        from tsrnn.networks import Architecture

        architecture = Architecture(**self._architecture)
        outputs = [
            training.predict(architecture, weights, windows, compiled=self._predicts_compiled)
            for weights in self.weights_
        ]
        mean = np.mean(np.asarray(outputs, dtype=np.float64), axis=0)
        predictions: Floats = mean * self.target_scale_ + self.target_mean_
        return predictions[:, 0] if self._one_target else predictions

    @property
    def model_(self) -> Any:
        """A new Keras model with the first member's weights, windows in, values in the units of `y` out."""
        check_is_fitted(self)
        from tsrnn import programs
        from tsrnn.networks import Architecture

        units = self.target_mean_, self.target_scale_
        return programs.keras_model(Architecture(**self._architecture), self.weights_[0], units)

    def _check_targets(self, y: Any, windows: Windows, *, reset: bool) -> Floats:
        """Return `y` as finite float64 targets (n_samples, n_outputs)."""
        if y is None:
            raise ValueError(f"{name_of(self)} requires y to be passed, but the target y is None.")
        check_numeric(self, y, "y")
        targets = check_array(
            y, ensure_2d=False, dtype=np.float64, ensure_all_finite=False, input_name="y", estimator=name_of(self)
        )
        if targets.ndim == 2 and targets.shape[1] == 1:
            targets = column_or_1d(targets, warn=True)
        check_finite(self, targets, "y")
        check_consistent_length(windows, targets)
        one_target = targets.ndim == 1
        targets = targets.reshape(len(targets), -1)
        if reset:
            self._one_target, self.n_outputs_ = one_target, targets.shape[1]
        elif targets.shape[1] != self.n_outputs_:
            raise ValueError(
                f"{name_of(self)}: y has {targets.shape[1]} outputs, but it was fitted on {self.n_outputs_}."
            )
        return targets  # type: ignore[no-any-return]

    def _scale_targets(self, targets: Floats, weights: Floats, *, reset: bool) -> NDArray[np.float32]:
        """Standardise each output, so that no scale of `y` breaks the training."""
        if reset:
            self.target_mean_ = np.average(targets, axis=0, weights=weights)
            distances = targets - self.target_mean_
            largest = np.abs(distances).max(axis=0)
            unit = np.where(largest > 0, largest, 1.0)  # the squares of 1e200 or 1e-200 would leave float64
            variance = np.average((distances / unit) ** 2, axis=0, weights=weights)
            self.target_scale_ = safe_scale(unit * np.sqrt(variance), self.target_mean_)
        scaled: NDArray[np.float32] = ((targets - self.target_mean_) / self.target_scale_).astype(np.float32)
        return scaled

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def safe_scale(scale: Floats, mean: Floats) -> Floats:
    """Return `scale` with 1 where it is nothing but rounding error about `mean`, as for a constant target."""
    smallest = 10 * np.finfo(np.float64).eps * np.abs(mean)
    return np.where(scale <= smallest, 1.0, scale)


class SimpleRNNRegressor(RecurrentRegressor):
    __doc__ = documentation(
        "SimpleRNNRegressor", "SimpleRNN", "Elman (1990), doi:10.1207/s15516709cog1402_1: the recurrent cell."
    )
    _cell = "SimpleRNN"


class LSTMRegressor(RecurrentRegressor):
    __doc__ = documentation(
        "LSTMRegressor",
        "LSTM",
        "Hochreiter & Schmidhuber (1997), doi:10.1162/neco.1997.9.8.1735: the cell and its gates.",
    )
    _cell = "LSTM"


class GRURegressor(RecurrentRegressor):
    __doc__ = documentation(
        "GRURegressor", "GRU", "Cho et al. (2014), doi:10.3115/v1/D14-1179: the cell and its gates."
    )
    _cell = "GRU"
