"""One step of a series in, a forecast out: a fitted forecaster that goes with the time."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tsrnn._panels import Track
from tsrnn._series import Floats
from tsrnn._validation import invalid_parameter, name_of
from tsrnn.streams import RegressorStream

__all__ = ["ForecastStream"]

Snapshot = dict[str, Any]


class ForecastStream:
    """A fitted forecaster that learns of one step of its series at a time.

    Parameters
    ----------
    forecaster : Forecaster
        Fitted on one series. What it knows at that moment is the past of the stream; it is left as it is.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LinearRegression
    >>> from tsrnn import Forecaster
    >>> stream = Forecaster(LinearRegression(), lookback=2, horizon=2).fit(np.arange(10.0)).stream()
    >>> stream.observe(10.0).round(6)
    array([11., 12.])
    """

    def __init__(self, forecaster: Any) -> None:
        self._forecaster = forecaster._as_fitted()
        if self._forecaster._panel is not None or self._forecaster._columns:
            raise ValueError(
                f"{name_of(self)}: a stream follows one series without covariates; use `update` and `predict` instead."
            )
        if hasattr(self._forecaster.regressor_, "stream"):
            self._forecaster.regressor_ = _OneWindow(self._forecaster.regressor_)
        track = forecaster._tracks[None]
        self._known: Floats = track.target[-self._forecaster._needed :].copy()
        self._learnt = track.learnt

    def observe(self, value: ArrayLike) -> Any:
        """Learn the next step of the series and return the forecast of those after it.

        Parameters
        ----------
        value : float or array-like of shape (n_targets,)
            The step, in the units of the series, finite.

        Returns
        -------
        ndarray of shape (horizon,) or (horizon, n_targets)
            In the units of the series: what `update` and `predict` of the forecaster would say.
        """
        step = np.asarray(value, dtype=np.float64).reshape(-1)
        if step.shape != self._known.shape[1:] or not np.isfinite(step).all():
            raise ValueError(
                f"{name_of(self)}: `value` must hold {self._known.shape[1]} finite values, one for each target; "
                f"got {value!r}."
            )
        self._known = np.concatenate([self._known[1:], step[None]])
        track = Track(None, self._known, None, None, self._learnt)
        model = self._forecaster
        forecast = model._roll([track], [np.array([len(self._known) - 1])], model.horizon)[0][0]
        return forecast[:, 0] if model._form.kind in ("series", "vector") else forecast

    def snapshot(self) -> Snapshot:
        """Return what the stream knows as a plain array; `restore` takes it back."""
        return {"known": self._known.copy()}

    def restore(self, snapshot: Snapshot) -> "ForecastStream":
        """Go on from a `snapshot` of a stream of the same forecaster."""
        if snapshot["known"].shape != self._known.shape:
            raise invalid_parameter(self, "snapshot", f"of {self._known.shape} values", snapshot["known"].shape)
        self._known = snapshot["known"].copy()
        return self


class _OneWindow:
    """A fitted recurrent regressor that predicts one window with as little ado as possible."""

    def __init__(self, regressor: Any) -> None:
        self._stream = RegressorStream(regressor)

    def predict(self, windows: Any) -> Floats:
        rows = np.asarray(windows, dtype=np.float32)
        return np.stack([self._stream._in_units(self._stream._predict(row[None])) for row in rows])
