"""Series in, forecast out: a meta-estimator that makes a forecaster of any scikit-learn regressor."""

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from tsrnn._anchors import LinearMap, flat, level_of, offsets_of
from tsrnn._base_forecaster import BaseForecaster, Origins
from tsrnn._series import Floats
from tsrnn._validation import check_bool, check_int, check_option, invalid_parameter, name_of
from tsrnn.windows import Windows

__all__ = ["Forecaster"]

ANCHORS = ["last", "seasonal", "mean", "linear", None]


class Forecaster(BaseForecaster):
    """Forecast a series with any scikit-learn regressor on its windows.

    ::

        step      0   1   2   3   4   5   6   7
        window        [───────L=4──────]                 origin = 4, the last step known
        forecast (H=2)                      5   6        both at once (direct strategy)

    Parameters
    ----------
    regressor : regressor
        Any scikit-learn regressor or Pipeline of one; it is cloned. Those that declare 3-D input, as the recurrent ones
        do, get `Windows`, the others each window as one flat row. One that predicts a single number only is fitted
        once for each step ahead.
    lookback : int, default=24
        Time steps in a window.
    horizon : int, default=1
        Steps forecast ahead at once.
    anchor : {"last", "seasonal", "mean", "linear"}, default="last"
        What is subtracted from each window and added back to its forecast: the window's last value, the values one
        season before the forecast steps (the window itself is then relative to its last value), the window's mean, or
        the forecast of a ridge regression on the windows, whose remainder the regressor learns. None: nothing.
    season_length : int, default=None
        Steps in a season, at most `lookback`; needed for the anchor "seasonal".
    scaler : transformer or "standard", default="standard"
        Fitted on each series (and the covariates) of the training rows and cloned for it; "standard" is
        `StandardScaler`. None: no scaling.
    past_covariates : sequence of column names, default=()
        Columns of X that are not known in the future, such as a measurement; all others are.
    multivariate : bool, default=False
        For several targets: False trains one global network over all of them, each a series of its own; True one with
        all of them in and out.
    stride : int, default=1
        Steps from one training window to the next.

    Attributes
    ----------
    regressor_ : regressor
        The fitted clone.
    scalers_ : list of transformer
        The fitted scaler of each target; empty without a scaler.
    index_ : pandas.Index
        Stamps of the known rows; a RangeIndex for arrays.
    n_targets_ : int
        Series forecast.
    n_features_in_ : int
        Covariates.

    Raises
    ------
    InvalidParameterError
        In `fit`, for a parameter outside its range.
    ValueError
        For a series shorter than lookback + horizon, an index that is unsorted, has duplicates or is irregular, or
        covariates that do not fit the series.
    TypeError
        For an index that is no time axis.

    Notes
    -----
    Known-future covariates enter the window as lead channels: beside the series at step t stands the covariate at step
    t + horizon (and, where the window is shorter than the horizon, at t + horizon - lookback and so on), so that the
    window of an origin shows them up to the last step forecast. When fewer steps than `horizon` are asked for, the
    covariates after them are taken to stay as they are.

    Forecasts beyond `horizon` roll forward: forecast values stand in for the past.

    References
    ----------
    Taieb, Bontempi, Atiya & Sorjamaa (2012), doi:10.1016/j.eswa.2012.01.039: the direct strategy.
    Lin et al. (2023), SegRNN, doi:10.48550/arXiv.2308.11200: the window relative to its last value.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LinearRegression
    >>> days = pd.date_range("2026-01-01", periods=8, freq="D")
    >>> series = pd.Series([1.0, 2, 3, 4, 5, 6, 7, 8], index=days, name="level")
    >>> Forecaster(LinearRegression(), lookback=3, horizon=2).fit(series).predict().round(6)
    2026-01-09     9.0
    2026-01-10    10.0
    Freq: D, Name: level, dtype: float64
    """

    def __init__(
        self,
        regressor: Any,
        *,
        lookback: int = 24,
        horizon: int = 1,
        anchor: str | None = "last",
        season_length: int | None = None,
        scaler: Any = "standard",
        past_covariates: Any = (),
        multivariate: bool = False,
        stride: int = 1,
    ) -> None:
        self.regressor = regressor
        self.lookback = lookback
        self.horizon = horizon
        self.anchor = anchor
        self.season_length = season_length
        self.scaler = scaler
        self.past_covariates = past_covariates
        self.multivariate = multivariate
        self.stride = stride

    @property
    def _needed(self) -> int:
        return self.lookback

    def _learn(self, values: Floats, covariates: Floats | None) -> None:
        self._check_parameters()
        self._check_length(len(values))
        self._check_no_answers(values, covariates)
        self._fit_scalers(values, covariates)
        scaled = self._scale(values)
        last = len(values) - self.horizon
        origins = np.arange(self.lookback - 1, last, self.stride)
        windows = self._windows(scaled, covariates, origins)
        targets = self._targets(scaled, origins)
        if self.anchor == "linear":
            self._linear = LinearMap().fit(windows, targets)
            targets = targets - self._linear.predict(windows)
        regressor = clone(self.regressor)
        if targets.shape[1] > 1 and not predicts_several(regressor):
            regressor = MultiOutputRegressor(regressor)
        self._lazy = takes_windows(self.regressor)
        y = targets[:, 0] if targets.shape[1] == 1 else targets
        self.regressor_ = regressor.fit(windows if self._lazy else flat(windows), y)

    def _forecast(self, values: Floats, covariates: Floats | None, origins: Origins) -> Floats:
        scaled = self._scale(values)
        windows = self._windows(scaled, covariates, origins)
        outputs = np.asarray(self.regressor_.predict(windows if self._lazy else flat(windows)), dtype=np.float64)
        outputs = outputs.reshape(len(windows), -1)
        if self.anchor == "linear":
            outputs = outputs + self._linear.predict(windows)
        # (n_origins * n_series, horizon * width) -> (n_origins, horizon, n_targets)
        width = values.shape[1] if self.multivariate else 1
        outputs = outputs.reshape(len(origins), -1, self.horizon, width).swapaxes(1, 2)
        outputs = outputs.reshape(len(origins), self.horizon, -1) + self._levels(scaled, origins)
        return self._unscale(outputs)

    def _windows(self, scaled: Floats, covariates: Floats | None, origins: Origins) -> Windows:
        """Return the windows that end at `origins`, of all series for each origin in turn.

        With one global network every target is a series of its own: their rows lie behind each other in the buffer.
        """
        n_steps, n_targets = scaled.shape
        beside = self._channels(covariates, n_steps)
        columns = [scaled] if self.multivariate else [scaled[:, [j]] for j in range(n_targets)]
        steps = np.concatenate([np.concatenate([column, beside], axis=1) for column in columns])
        first = origins[:, None] - self.lookback + 1 + n_steps * np.arange(len(columns))
        offsets = offsets_of(self.anchor, scaled, origins, self.lookback)
        if offsets is not None:
            offsets = offsets.reshape(len(origins) * len(columns), -1)
            offsets = np.concatenate([offsets, np.zeros((len(offsets), beside.shape[1]))], axis=1)
        times = np.repeat(origins, len(columns))
        return Windows(steps, first.ravel(), self.lookback, origins=times, offsets=offsets)

    def _channels(self, covariates: Floats | None, n_steps: int) -> Floats:
        """Return what stands beside the series: known-future columns as lead channels, past ones as they are."""
        if covariates is None:
            return np.empty((n_steps, 0))
        scaler = self._covariate_scaler
        scaled = covariates if scaler is None else np.asarray(scaler.transform(covariates))
        rows = np.arange(n_steps)
        leads = [
            scaled[np.minimum(rows + lead, len(scaled) - 1)][:, self._future_columns]
            for lead in range(self.horizon, 0, -self.lookback)
        ]
        return np.concatenate([*leads, scaled[:n_steps, self._past_columns]], axis=1)

    def _levels(self, scaled: Floats, origins: Origins) -> Floats:
        shape = self.lookback, self.horizon
        return level_of(self.anchor, scaled, origins, shape, self.season_length or 1)

    def _targets(self, scaled: Floats, origins: Origins) -> Floats:
        """Return what the regressor learns, (n_windows, horizon) or (n_windows, horizon * n_targets)."""
        ahead: Floats = scaled[origins[:, None] + 1 + np.arange(self.horizon)] - self._levels(scaled, origins)
        if self.multivariate:
            return ahead.reshape(len(origins), -1)
        return ahead.swapaxes(1, 2).reshape(-1, self.horizon)

    def _fit_scalers(self, values: Floats, covariates: Floats | None) -> None:
        self.scalers_: list[Any] = []
        self._covariate_scaler = None
        if self.scaler is None:
            return
        scaler = StandardScaler() if isinstance(self.scaler, str) else self.scaler
        self.scalers_ = [clone(scaler).fit(values[:, [j]]) for j in range(values.shape[1])]
        if covariates is not None:
            self._covariate_scaler = clone(scaler).fit(covariates)

    def _scale(self, values: Floats) -> Floats:
        if not self.scalers_:
            return values
        columns = [scaler.transform(values[:, [j]]) for j, scaler in enumerate(self.scalers_)]
        return np.concatenate(columns, axis=1)

    def _unscale(self, outputs: Floats) -> Floats:
        """Return (n_origins, horizon, n_targets) in the units of the series."""
        if not self.scalers_:
            return outputs
        columns = [
            scaler.inverse_transform(outputs[..., j].reshape(-1, 1)).reshape(outputs.shape[:2])
            for j, scaler in enumerate(self.scalers_)
        ]
        return np.stack(columns, axis=-1)

    def _check_parameters(self) -> None:
        for name in ["lookback", "horizon", "stride"]:
            check_int(self, name, getattr(self, name), minimum=1)
        check_option(self, "anchor", self.anchor, ANCHORS)
        check_bool(self, "multivariate", self.multivariate)
        if self.season_length is not None:
            check_int(self, "season_length", self.season_length, minimum=1)
        if self.anchor == "seasonal" and not 1 <= (self.season_length or 0) <= self.lookback:
            constraint = f'an integer from 1 to lookback={self.lookback} for anchor="seasonal"'
            raise invalid_parameter(self, "season_length", constraint, self.season_length)
        if not (self.scaler is None or self.scaler == "standard" or is_estimator(self.scaler, "transform")):
            raise invalid_parameter(self, "scaler", 'a scikit-learn transformer, "standard" or None', self.scaler)
        # A StackingRegressor shows its `predict` only when it is fitted.
        if not (is_estimator(self.regressor, "predict") or is_estimator(self.regressor, "final_estimator")):
            raise invalid_parameter(self, "regressor", "a scikit-learn regressor", self.regressor)

    def _check_length(self, n_steps: int) -> None:
        needed = self.lookback + self.horizon
        if n_steps < needed:
            raise ValueError(
                f"{name_of(self)}: the series has {n_steps} steps; lookback={self.lookback} and "
                f"horizon={self.horizon} need at least {needed}. Pass a longer series, or lower one of them."
            )

    def _check_no_answers(self, values: Floats, covariates: Floats | None) -> None:
        """Raise when a known-future covariate is the series itself, which would tell the network the answers."""
        if covariates is None:
            return
        for number in self._future_columns:
            if any(np.array_equal(covariates[:, number], column) for column in values.T):
                raise ValueError(
                    f"{name_of(self)}: the known-future covariate {self._columns[number]!r} is the series itself. "
                    "Leave it out of X (`fit(series)` alone forecasts a series from its past), or name it in "
                    "`past_covariates`."
                )


def is_estimator(part: Any, method: str) -> bool:
    """Return whether `part` is an object, no class, that can be fitted and has `method`."""
    return not isinstance(part, type) and hasattr(part, "fit") and hasattr(part, method)


def takes_windows(regressor: Any) -> bool:
    """Return whether `regressor` declares 3-D input; of a Pipeline the first step counts, of a search what it wraps."""
    if isinstance(regressor, Pipeline):
        return takes_windows(next(step for _, step in regressor.steps if step not in (None, "passthrough")))
    inner = wrapped(regressor)
    return bool(get_tags(regressor).input_tags.three_d_array) if inner is None else takes_windows(inner)


def predicts_several(regressor: Any) -> bool:
    """Return whether `regressor` predicts several numbers at once; a search does when what it tries does."""
    if isinstance(regressor, Pipeline):
        return predicts_several(regressor.steps[-1][1])
    is_search = hasattr(regressor, "refit") and wrapped(regressor) is not None
    return predicts_several(wrapped(regressor)) if is_search else bool(get_tags(regressor).target_tags.multi_output)


def wrapped(regressor: Any) -> Any:
    """Return the regressor that a search or another meta-estimator wraps; None if it wraps none."""
    parts = (getattr(regressor, name, None) for name in ("estimator", "regressor"))
    return next((part for part in parts if hasattr(part, "fit")), None)
