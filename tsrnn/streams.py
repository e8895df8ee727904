"""One step of a series in, one prediction out: a fitted regressor that goes with the time."""

from copy import copy
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tsrnn._validation import check_option, name_of

__all__ = ["RegressorStream"]

Floats = NDArray[np.float64]
Snapshot = dict[str, Any]


class RegressorStream:
    """A fitted recurrent regressor that reads one step of a series at a time.

    ::

        step           0   1   2   3   4   5
        window, L=4   [─────3─────]                 the prediction of step 3
                          [─────4─────]             of step 4
        state         0►1►2►3►4►5                   all steps since the first, at the cost of one

    Parameters
    ----------
    regressor : SimpleRNNRegressor, LSTMRegressor or GRURegressor
        The fitted regressor; what it is fitted to later changes no stream.
    mode : {"window", "state"}, default="window"
        "window": what `predict` says of the window that ends with the step; "state": what the network says that has
        read all steps since the first one, whose state is kept, so that a step costs the same however long the series.

    Raises
    ------
    InvalidParameterError
        `mode` is none of these.
    ValueError
        mode="state" of a network whose output needs more than the states of the step before: bidirectional, or with a
        convolution, segments, attention, or a decoder other than "dense" and "sequence".

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn import GRURegressor, make_windows
    >>> X, y = make_windows(np.sin(np.arange(60.0)), lookback=8)
    >>> stream = GRURegressor(hidden_size=4, epochs=2, random_state=0).fit(X, y[:, 0]).stream()
    >>> predictions = [stream.observe(value) for value in np.sin(np.arange(8.0))]
    >>> predictions[:7] == [None] * 7
    True
    >>> predictions[7].shape
    (1,)
    """

    def __init__(self, regressor: Any, mode: str = "window") -> None:
        check_option("RegressorStream", "mode", mode, ["window", "state"])
        self.mode = mode
        self._regressor = copy(regressor)
        self.lookback, self.n_features = regressor.input_shape_
        self._rows: NDArray[np.float32] = np.empty((0, self.n_features), dtype=np.float32)
        self._predict, self._states = regressor._stepper(mode)
        if mode == "state" and regressor.decoder == "sequence":
            self._regressor._target_shape = regressor._target_shape[1:]
            width = len(regressor.target_mean_) // self.lookback
            self._regressor.target_mean_ = regressor.target_mean_[:width]
            self._regressor.target_scale_ = regressor.target_scale_[:width]

    def observe(self, row: ArrayLike) -> Floats | None:
        """Read the next step and return what the regressor predicts with it.

        Parameters
        ----------
        row : float or array-like of shape (n_features,)
            The values of the step, finite.

        Returns
        -------
        ndarray of the shape of one target, or None
            In the units of the targets; None while mode="window" has not seen `lookback` steps.
        """
        step = self._checked(row)
        if self.mode == "state":
            outputs, self._states = self._predict(step[None], self._states)
            return self._in_units(outputs)
        self._rows = np.concatenate([self._rows, step[None]])[-self.lookback :]
        return self._in_units(self._predict(self._rows[None])) if len(self._rows) == self.lookback else None

    def snapshot(self) -> Snapshot:
        """Return the state of the stream as plain arrays; `restore` takes it back."""
        return {"mode": self.mode, "rows": self._rows.copy(), "states": [s.copy() for s in self._states]}

    def restore(self, snapshot: Snapshot) -> "RegressorStream":
        """Go on from a `snapshot` of a stream of the same regressor and mode."""
        same = snapshot.get("mode") == self.mode and len(snapshot["states"]) == len(self._states)
        if not same or snapshot["rows"].shape[1:] != self._rows.shape[1:]:
            raise ValueError("RegressorStream: the snapshot is of a stream of another regressor or another mode.")
        self._rows, self._states = snapshot["rows"].copy(), [state.copy() for state in snapshot["states"]]
        return self

    def _in_units(self, outputs: NDArray[Any]) -> Floats:
        answer: Floats = np.atleast_1d(self._regressor._point(outputs[:, None].astype(np.float64))[0])
        return answer

    def _checked(self, row: ArrayLike) -> NDArray[np.float32]:
        step = np.asarray(row, dtype=np.float32).reshape(-1)
        if step.shape != (self.n_features,) or not np.isfinite(step).all():
            raise ValueError(
                f"{name_of(self)}: `row` must hold {self.n_features} finite values, one for each feature; got {row!r}."
            )
        return step
