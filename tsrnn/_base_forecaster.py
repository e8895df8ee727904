"""The face that every forecaster has: series in, forecast out, with the index rules; a subclass fills in the rule."""

from copy import copy
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils.validation import check_is_fitted

from tsrnn._series import Floats, Form, read_index, read_rows, same_steps, steps_left_out
from tsrnn._time_axis import check_time_axis, continue_axis
from tsrnn._validation import check_int, invalid_parameter, name_of

Origins = NDArray[np.int64]


class BaseForecaster(RegressorMixin, BaseEstimator):
    """Base of the forecasters.

    A subclass has the attribute `horizon`, the property `_needed` and two methods: ``_learn(values, covariates)``,
    which fits on the known rows, and ``_forecast(values, covariates, origins)``, which returns
    (n_origins, horizon, n_targets) from the rows up to each origin and no later ones. Known-future covariates have rows
    beyond `values`.
    """

    horizon: int
    past_covariates: Any = ()
    index_: pd.Index
    _values: Floats
    _covariates: Floats | None

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn from a series.

        Parameters
        ----------
        X : array-like of shape (n_steps,), (n_steps, n_targets) or (n_steps, n_covariates)
            Alone, the series itself; with `y`, the covariates, row by row with it (a DataFrame without columns, or
            None, for none).
        y : array-like of shape (n_steps,) or (n_steps, n_targets), default=None
            The series to forecast.

        Returns
        -------
        self
        """
        before = self.__dict__.copy()
        try:
            values, covariates = self._read_known(X, y)
            self._learn(values, covariates)
            self._parameters = self.get_params(deep=False)
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise
        return self

    def predict(self, X: Any = None) -> Any:
        """Forecast the steps that follow the known series.

        Parameters
        ----------
        X : array-like of shape (n_steps, n_covariates), default=None
            The covariates of the steps to forecast, one row a step; more rows than `horizon` roll the forecast
            forward. Without covariates in `fit`, only its length and index count. None: the next `horizon` steps.

        Returns
        -------
        Series, DataFrame or ndarray of shape (n_steps,) or (n_steps, n_targets)
            In the form and the units of the series seen in `fit`, with the index that continues it.
        """
        fitted = self._as_fitted()
        n_steps, skip, future = fitted._read_future(X)
        origin = np.array([len(self._values) - 1])
        covariates = None if self._covariates is None else np.concatenate([self._covariates, future])
        values = fitted._roll(self._values, covariates, origin, n_steps + skip)[0, skip:]
        return self._form.dress(values, continue_axis(self.index_, n_steps, skip, owner=self))

    def update(self, X: Any, y: Any = None) -> Self:
        """Extend the known past by rows that follow it, without refitting; `X` and `y` as in `fit`."""
        check_is_fitted(self)
        values, covariates, index = self._read(X, y)
        left_out = steps_left_out(self, self.index_, index, "the new series")
        if left_out:
            raise ValueError(
                f"{name_of(self)}: {left_out} steps are missing between the known series, which ends at "
                f"{self.index_[-1]}, and the new rows. Pass them as well."
            )
        extended = self.index_.append(continue_axis(self.index_, len(values), owner=self))
        self.index_ = check_time_axis(self, extended)
        self._values = np.concatenate([self._values, values])
        if self._covariates is not None and covariates is not None:
            self._covariates = np.concatenate([self._covariates, covariates])
        return self

    def predict_origins(self, X: Any, y: Any = None, *, origins: Any, n_steps: int | None = None) -> Floats:
        """Forecast from several origins of one series at once, without refitting.

        Parameters
        ----------
        X : array-like of shape (n_steps_known, ...)
            The series, or the covariates with `y`, as in `fit`; covariates reach as far as the last forecast.
        y : array-like of shape (n_steps_known,) or (n_steps_known, n_targets), default=None
            The series.
        origins : array-like of int, shape (n_origins,)
            Row numbers of the last step that each forecast may know.
        n_steps : int, default=None
            Steps forecast from each origin. None: `horizon`.

        Returns
        -------
        ndarray of shape (n_origins, n_steps, n_targets)
            In the units of the series; row h - 1 of an origin is the forecast h steps after it.
        """
        fitted = self._as_fitted()
        values, covariates, _ = fitted._read(X, y)
        n_steps = fitted.horizon if n_steps is None else check_int(self, "n_steps", n_steps, minimum=1)
        return fitted._roll(values, covariates, fitted._check_origins(origins, len(values), n_steps), n_steps)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return R^2 of the forecast of the rows of `y` (of `X`, the series itself, without `y`)."""
        truth, what = (X, "X") if y is None else (y, "y")
        self._as_fitted()._check_targets(read_rows(self, truth, what)[2])
        if X is None or y is None:
            index = truth.index if isinstance(truth, pd.Series | pd.DataFrame) else None
            X = np.empty((len(truth), 0)) if index is None else pd.DataFrame(index=index)
        forecast = self.predict(X)
        if y is not None:
            same_steps(self, read_index(self, X), read_index(self, y), (len(X), len(y)))
        return float(r2_score(truth, forecast, sample_weight=sample_weight))

    @property
    def _needed(self) -> int:
        """Rows that a forecast needs up to its origin, that row included."""
        raise NotImplementedError

    def _learn(self, values: Floats, covariates: Floats | None) -> None:
        raise NotImplementedError

    def _forecast(self, values: Floats, covariates: Floats | None, origins: Origins) -> Floats:
        raise NotImplementedError

    def _as_fitted(self) -> Self:
        """Return this forecaster with the parameters of its fit, whatever `set_params` has changed since."""
        check_is_fitted(self)
        fitted = copy(self)
        fitted.__dict__.update(self._parameters)
        return fitted

    def _roll(self, values: Floats, covariates: Floats | None, origins: Origins, n_steps: int) -> Floats:
        """Return (n_origins, n_steps, n_targets), in one batch where no origin needs a past or a future of its own."""
        if n_steps == self.horizon or (n_steps < self.horizon and not self._future_columns):
            return self._forecast(values, covariates, origins)[:, :n_steps]
        if n_steps > self.horizon and self._past_columns:
            raise ValueError(
                f"{name_of(self)}: {n_steps} steps are asked for, but beyond horizon={self.horizon} the past "
                f"covariates {list(self.past_covariates)} are not known. Raise `horizon`, or forecast fewer steps."
            )
        return np.stack([self._roll_alone(values, covariates, int(origin), n_steps) for origin in origins])

    def _roll_alone(self, values: Floats, covariates: Floats | None, origin: int, n_steps: int) -> Floats:
        """Return (n_steps, n_targets): covariates end with the last step, and forecasts stand in for the past."""
        known, done = values[: origin + 1], []
        covariates = None if covariates is None else covariates[: origin + 1 + n_steps]
        for _ in range(0, n_steps, self.horizon):
            done.append(self._forecast(known, covariates, np.array([len(known) - 1]))[0])
            known = np.concatenate([known, done[-1]])
        return np.concatenate(done)[:n_steps]

    def _read_known(self, X: Any, y: Any) -> tuple[Floats, Floats | None]:
        """Read the rows of a fit and remember them, their form and their index."""
        target = X if y is None else y
        self._form: Form = read_rows(self, target, "X" if y is None else "y")[2]
        self.n_targets_ = len(self._form.names)
        self._read_columns(X if y is not None else None)
        values, covariates, index = self._read(X, y)
        self.index_ = pd.RangeIndex(len(values)) if index is None else index
        self._values, self._covariates = values, covariates
        return values, covariates

    def _read_columns(self, X: Any) -> None:
        """Remember the covariates' names and which of them are known in the past only."""
        self._check_past_covariates()
        rows = None if X is None else read_rows(self, X, "X", may_be_empty=True)[0]
        count = 0 if rows is None else rows.shape[1]
        self._columns: list[Any] = list(X.columns) if isinstance(X, pd.DataFrame) else list(range(count))
        if isinstance(X, pd.Series):
            self._columns = [X.name]
        unknown = [name for name in self.past_covariates if name not in self._columns]
        if unknown:
            raise ValueError(
                f"{name_of(self)}: `past_covariates` names {unknown[0]!r}, which is no column of X; "
                f"X has {self._columns}."
            )
        self._past_columns = [self._columns.index(name) for name in self.past_covariates]
        self._future_columns = [i for i in range(count) if i not in self._past_columns]
        self.n_features_in_ = count

    def _read(self, X: Any, y: Any) -> tuple[Floats, Floats | None, pd.Index | None]:
        """Return the values, the covariates (None without any) and the index of known rows."""
        if y is None:
            values, index, form = read_rows(self, X, "X")
            self._check_targets(form)
            if self._columns:
                raise ValueError(f"{name_of(self)}: fitted with the covariates {self._columns}; pass X and y.")
            return values, None, index
        values, index, form = read_rows(self, y, "y")
        self._check_targets(form)
        if X is None:
            return values, None, index
        covariates, other, _ = self._read_covariates(X, self._columns)
        same_steps(self, other, index, (len(covariates), len(values)))
        return values, covariates if self._columns else None, other if index is None else index

    def _read_covariates(self, X: Any, columns: list[Any]) -> tuple[Floats, pd.Index | None, Form]:
        """Return the rows of the covariates, after a look at their names and number."""
        rows, index, form = read_rows(self, X, "X", may_be_empty=True)
        if isinstance(X, pd.DataFrame) and list(X.columns) != columns:
            raise ValueError(
                f"{name_of(self)}: the feature names should match those that were passed during fit. "
                f"Got {list(X.columns)}, expected {columns}."
            )
        if rows.shape[1] != len(columns):
            raise ValueError(
                f"X has {rows.shape[1]} features, but {name_of(self)} is expecting {len(columns)} features as input."
            )
        return rows, index, form

    def _read_future(self, X: Any) -> tuple[int, int, Floats]:
        """Return the number of steps to forecast, of steps to leave out before them, and their covariates."""
        if X is None:
            if self._future_columns:
                names = [self._columns[i] for i in self._future_columns]
                raise ValueError(
                    f"{name_of(self)}: the covariates {names} are known in the future; pass their rows as X."
                )
            return self.horizon, 0, np.full((self.horizon, len(self._columns)), np.nan)
        if not self._columns:
            self._check_some_rows(X)
            return len(X), steps_left_out(self, self.index_, read_index(self, X), "X"), np.empty((len(X), 0))
        future_only = [self._columns[i] for i in self._future_columns]
        if isinstance(X, pd.DataFrame) and list(X.columns) == future_only:
            X = X.reindex(columns=self._columns, fill_value=0.0)
        rows, index, _ = self._read_covariates(X, self._columns)
        skip = steps_left_out(self, self.index_, index, "X")
        if skip:
            raise ValueError(
                f"{name_of(self)}: X begins {skip} steps after the end of the known series, whose covariates are "
                "missing in between. Pass their rows as well."
            )
        future = rows.copy()
        future[:, self._past_columns] = np.nan
        return len(future), skip, future

    def _check_past_covariates(self) -> None:
        names = self.past_covariates
        if isinstance(names, str) or not np.iterable(names):
            raise invalid_parameter(self, "past_covariates", "a sequence of column names", names)

    def _check_some_rows(self, X: Any) -> None:
        if not hasattr(X, "__len__"):
            raise TypeError(
                f"{name_of(self)}: X must be array-like, with a row for each step to forecast; got {X!r}. "
                "Raise `horizon` to forecast more steps without rows."
            )
        if len(X) == 0:
            raise ValueError(
                f"Found array with 0 sample(s) (shape={np.shape(X)}) while a minimum of 1 is required "
                f"by {name_of(self)}."
            )

    def _check_origins(self, origins: Any, n_known: int, n_steps: int) -> Origins:
        """Return `origins` as row numbers; each has its past, and the covariates of its forecast, among the rows."""
        rows = np.asarray(origins)
        if rows.ndim != 1 or rows.size == 0 or rows.dtype.kind not in "iu":
            raise invalid_parameter(self, "origins", "a sequence of row numbers (integers), at least one", origins)
        if rows.min() < self._needed - 1 or rows.max() >= n_known:
            raise ValueError(
                f"{name_of(self)}: `origins` must lie between {self._needed - 1} and the last row {n_known - 1}; "
                f"got {rows.min()} to {rows.max()}."
            )
        if self._future_columns and rows.max() + n_steps >= n_known:
            raise ValueError(
                f"{name_of(self)}: the forecast from row {rows.max()} needs the covariates up to row "
                f"{rows.max() + n_steps}; X ends at row {n_known - 1}. Pass more rows, or leave out such origins."
            )
        return rows.astype(np.int64)

    def _check_targets(self, form: Form) -> None:
        """Raise unless rows of `form` have the targets of the fit."""
        if len(form.names) != self.n_targets_:
            raise ValueError(
                f"{name_of(self)}: the series has {len(form.names)} targets, but it was fitted on {self.n_targets_}."
            )
        if form.kind == self._form.kind == "frame" and form.names != self._form.names:
            raise ValueError(
                f"{name_of(self)}: the names of the series should match those that were passed during fit. "
                f"Got {form.names}, expected {self._form.names}."
            )
