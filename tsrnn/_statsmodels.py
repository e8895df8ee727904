"""What the models of statsmodels have in common: one for each series, quiet, in units of the series' own spread."""

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning

from tsrnn._base_forecaster import BaseForecaster, Origins
from tsrnn._series import Floats
from tsrnn._validation import check_int, invalid_parameter, name_of
from tsrnn.baselines import AnyHorizon

MODEL = """{summary}

    Each series is fitted alone. {origins}

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    params_ : DataFrame of shape (n_parameters, n_targets)
        What was estimated for each series, under statsmodels' names, for the series divided by its scale.
    scales_ : ndarray of shape (n_targets,)
        Standard deviation of each series in `fit`, 1 where it is constant: the estimates then depend on no unit.
    index_ : pandas.Index
        Stamps of the known rows; a RangeIndex for arrays.
    n_targets_ : int
        Series forecast.

    Raises
    ------
    InvalidParameterError
        In `fit`, for a parameter outside its range.
    ValueError
        For a series that is too short{errors}, or an index that is unsorted, has duplicates or is irregular.

    Warns
    -----
    ConvergenceWarning
        In `fit`, where the estimation did not converge; scikit-learn's class.

    Notes
    -----
    {notes}

    References
    ----------
    {references}

    Examples
    --------
    {example}
"""

HORIZON = """horizon : int, default=1
        Steps forecast ahead; none of the estimates depend on it."""

MAX_ITER = """max_iter : int, default=1000
        Most iterations of the estimation."""

FROM_FIRST_ROW = """For a later origin the estimates stay as they are, and only
    the states go on from the first row to the origin: rows passed to `predict_origins` begin with the first row of
    the fit."""


class StatisticalForecaster(AnyHorizon, BaseForecaster):
    """A model of statsmodels for each target: a subclass estimates one (`_estimate`) and forecasts with it (`_ahead`).

    Both see one series, divided by its scale. statsmodels is imported where it is used: that takes 0.2 to 0.4 s.
    """

    def _learn(self, values: Floats, covariates: Floats | None) -> None:
        check_int(self, "horizon", self.horizon, minimum=1)
        self._check_model()
        if len(values) < self._needed:
            raise ValueError(f"{name_of(self)}: the series has {len(values)} steps; need at least {self._needed}.")
        spread = values.std(axis=0)
        self.scales_ = np.where(spread > 0, spread, 1.0)
        self._start(covariates)
        estimates = {}
        for name, scale, column in zip(self._form.names, self.scales_, values.T, strict=True):
            with quiet() as caught:
                estimates[name] = self._estimate(column / scale, covariates)
            # The likelihood of a constant series has no maximum, but its forecasts are right.
            if gave_up(caught) and column.std() > 0:
                self._warn(name)
        self.params_ = pd.DataFrame(estimates)
        self.params_.columns = pd.Index(self._form.names, tupleize_cols=False)

    def _forecast(self, values: Floats, covariates: Floats | None, origins: Origins) -> Floats:
        known = values[: origins.max() + 1] / self.scales_
        with quiet():
            columns = [
                self._ahead(self.params_.iloc[:, j].dropna(), column, covariates, origins)
                for j, column in enumerate(known.T)
            ]
        forecasts: Floats = np.stack(columns, axis=-1) * self.scales_
        return forecasts

    def _warn(self, name: Any) -> None:
        remedy = "Raise `max_iter`, or take" if hasattr(self, "max_iter") else "Take"
        warnings.warn(
            f"{name_of(self)}: the estimation for series {name!r} did not converge; its forecasts may be poor. "
            f"{remedy} a simpler model.",
            ConvergenceWarning,
            stacklevel=4,
        )

    def _check_model(self) -> None:
        raise NotImplementedError

    def _start(self, covariates: Floats | None) -> None:
        """Look at the covariates; most models have no use for them."""

    def _estimate(self, column: Floats, covariates: Floats | None) -> "pd.Series[float]":
        raise NotImplementedError

    def _ahead(self, params: "pd.Series[float]", column: Floats, covariates: Floats | None, origins: Origins) -> Floats:
        """Return (n_origins, horizon); `column` ends with the last origin."""
        raise NotImplementedError


def ets_model(
    column: Floats, error: str, trend: str | None, damped: bool, season: tuple[str | None, int | None] = (None, None)
) -> Any:
    """Return statsmodels' exponential smoothing of `column`; `season` is its kind and length."""
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    kind, length = season
    return ETSModel(column, error=error, trend=trend, damped_trend=damped, seasonal=kind, seasonal_periods=length)


def levels_ahead(states: Floats, damping: float, trend: str | None, origins: Origins, horizon: int) -> Floats:
    """Return (n_origins, horizon), the level and the trend of each origin's `states` (n_steps, n_states) prolonged."""
    level = states[origins, :1]
    slope = np.cumsum(damping ** np.arange(1, horizon + 1))
    if trend is None:
        return np.repeat(level, horizon, axis=1)
    ahead: Floats = level + states[origins, 1:2] * slope if trend == "add" else level * states[origins, 1:2] ** slope
    return ahead


def estimated(model: Any, **options: Any) -> "pd.Series[float]":
    """Return the estimates of a statsmodels model by name."""
    fitted = model.fit(disp=False, **options)
    return pd.Series(np.asarray(fitted.params), index=model.param_names)


def keep_means_only(filter_: Any) -> None:
    """Let a Kalman filter forget the covariances of each step, n_steps * n_states ** 2 numbers."""
    from statsmodels.tsa.statespace import kalman_filter

    filter_.set_conserve_memory(kalman_filter.MEMORY_CONSERVE & ~kalman_filter.MEMORY_NO_PREDICTED_MEAN)


def at(matrix: Floats, steps: Origins) -> Floats:
    """Return the columns of `matrix` (n_rows, n_steps) at `steps`; one that does not change has but one column."""
    columns: Floats = matrix if matrix.shape[1] == 1 else matrix[:, steps]
    return columns


def check_counts(owner: object, name: str, value: Any, length: int) -> None:
    """Raise unless `value` is a tuple or list of `length` integers, none below 0."""
    usable = isinstance(value, tuple | list) and len(value) == length
    if not usable or any(isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 0 for n in value):
        raise invalid_parameter(owner, name, f"a tuple of {length} integers >= 0", value)


@contextlib.contextmanager
def quiet() -> Iterator[list[warnings.WarningMessage]]:
    """Keep statsmodels' warnings about starting values, rounding and convergence, and give them to who asks."""
    with warnings.catch_warnings(record=True) as caught, np.errstate(all="ignore"):
        warnings.simplefilter("always")
        yield caught


def gave_up(caught: list[warnings.WarningMessage]) -> bool:
    from statsmodels.tools.sm_exceptions import ConvergenceWarning as GaveUp

    return any(issubclass(warning.category, GaveUp) for warning in caught)
