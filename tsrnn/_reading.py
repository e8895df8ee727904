"""How a forecaster reads what it is given: series, covariates and the rows of the future, one or many."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsrnn._panels import PanelForm, Track, forms_agree, panel_form, same_series, split
from tsrnn._series import Floats, Form, read_index, read_rows, same_steps, steps_left_out
from tsrnn._validation import invalid_parameter, name_of

Origins = NDArray[np.int64]


class ReaderMixin:
    """Reads series and panels, and remembers their form, their columns and their index."""

    horizon: int
    past_covariates: Any = ()
    static_covariates: Any = ()
    missing: str = "error"
    n_targets_: int
    index_: Any
    _panel: PanelForm | None
    _form: Form
    _tracks: dict[Any, Track]

    @property
    def _needed(self) -> int:
        """Rows that a forecast needs up to its origin, that row included."""
        raise NotImplementedError

    def _read_known(self, X: Any, y: Any) -> dict[Any, Track]:
        """Read the rows of a fit and remember their form and their columns."""
        target, what = (X, "X") if y is None else (y, "y")
        self._panel = panel_form(self, target)
        parts = self._split_known(X, y)
        forms = {
            name: read_rows(self, part[0] if y is None else part[1], what, missing=self._may_miss)[2]
            for name, part in parts.items()
        }
        self._form: Form = forms_agree(self, forms)
        self.n_targets_ = len(self._form.names)
        first, *_ = parts.values()
        self._read_columns(first[0] if y is not None else None)
        read = {name: self._read(*part) for name, part in parts.items()}
        tracks = {name: Track(name, *rows) for name, rows in read.items()}
        self._tracks = tracks
        self._remember_index()
        return tracks

    @property
    def _may_miss(self) -> bool:
        """Whether values of the series may be missing."""
        return self.missing != "error"

    def _split_known(self, X: Any, y: Any) -> dict[Any, tuple[Any, Any]]:
        """Return (X, y) of each series by its name; None is the name of one that stands alone."""
        if self._panel is None:
            return {None: (X, y)}
        if y is None:
            return {name: (part, None) for name, part in split(self, X, "X").items()}
        targets = split(self, y, "y")
        rows = dict.fromkeys(targets) if X is None else split(self, X, "X")
        same_series(self, rows, targets)
        return {name: (rows[name], target) for name, target in targets.items()}

    def _split_future(self, X: Any) -> dict[Any, Any]:
        """Return the rows to forecast of each series by its name."""
        if self._panel is None:
            return {None: X}
        if X is None:
            return dict.fromkeys(self._tracks)
        parts = split(self, X, "X")
        unknown = [name for name in parts if name not in self._tracks]
        if unknown:
            raise ValueError(
                f"{name_of(self)}: the series {unknown[0]!r} is not known. `with_history` forecasts other series."
            )
        return parts

    def _index_of(self, name: Any) -> pd.Index:
        found: pd.Index = self.index_ if self._panel is None else self.index_[name]
        return found

    def _remember_index(self) -> None:
        """Set `index_`: of one series, or a dict of those of a panel."""
        each = {
            name: pd.RangeIndex(len(track.target)) if track.index is None else track.index
            for name, track in self._tracks.items()
        }
        self.index_ = each[None] if self._panel is None else each

    def _read_columns(self, X: Any) -> None:
        """Remember the covariates' names and which of them are known in the past only."""
        self._check_names_of_covariates()
        rows = None if X is None else read_rows(self, X, "X", may_be_empty=True)[0]
        count = 0 if rows is None else rows.shape[1]
        self._columns: list[Any] = list(X.columns) if isinstance(X, pd.DataFrame) else list(range(count))
        if isinstance(X, pd.Series):
            self._columns = [X.name]
        for parameter in ["past_covariates", "static_covariates"]:
            unknown = [name for name in getattr(self, parameter) if name not in self._columns]
            if unknown:
                raise ValueError(
                    f"{name_of(self)}: `{parameter}` names {unknown[0]!r}, which is no column of X; "
                    f"X has {self._columns}."
                )
        self._past_columns = [self._columns.index(name) for name in self.past_covariates]
        self._static_columns = [self._columns.index(name) for name in self.static_covariates]
        given = self._past_columns + self._static_columns
        self._future_columns = [i for i in range(count) if i not in given]
        self.n_features_in_ = count

    @property
    def feature_names_in_(self) -> NDArray[Any]:
        """Names of the covariates, when all are strings."""
        names = getattr(self, "_columns", [])
        if not (names and all(isinstance(name, str) for name in names)):
            raise AttributeError(f"{name_of(self)}: fitted without names of covariates, or not fitted.")
        return np.array(names, dtype=object)

    def _read(self, X: Any, y: Any) -> tuple[Floats, Floats | None, pd.Index | None]:
        """Return the values, the covariates (None without any) and the index of known rows."""
        if y is None:
            values, index, form = read_rows(self, X, "X", missing=self._may_miss)
            self._check_targets(form)
            if self._columns:
                raise ValueError(f"{name_of(self)}: fitted with the covariates {self._columns}; pass X and y.")
            return values, None, index
        values, index, form = read_rows(self, y, "y", missing=self._may_miss)
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

    def _read_future(self, track: Track, X: Any) -> tuple[int, int, Floats]:
        """Return the number of steps to forecast, of steps to leave out before them, and their covariates."""
        if X is None:
            if self._future_columns:
                names = [self._columns[i] for i in self._future_columns]
                raise ValueError(
                    f"{name_of(self)}: the covariates {names} are known in the future; pass their rows as X."
                )
            return self.horizon, 0, self._with_static(track, np.full((self.horizon, len(self._columns)), np.nan))
        known = self._index_of(track.name)
        if not self._columns:
            self._check_some_rows(X)
            return len(X), steps_left_out(self, known, read_index(self, X), "X"), np.empty((len(X), 0))
        future_only = [self._columns[i] for i in self._future_columns]
        if isinstance(X, pd.DataFrame) and list(X.columns) == future_only:
            X = X.reindex(columns=self._columns, fill_value=0.0)
        rows, index, _ = self._read_covariates(X, self._columns)
        skip = steps_left_out(self, known, index, "X")
        if skip:
            raise ValueError(
                f"{name_of(self)}: X begins {skip} steps after the end of the known series, whose covariates are "
                "missing in between. Pass their rows as well."
            )
        future = rows.copy()
        future[:, self._past_columns] = np.nan
        return len(future), skip, self._with_static(track, future)

    def _with_static(self, track: Track, future: Floats) -> Floats:
        """Return the covariates of the future with the static ones of the past."""
        if track.covariates is not None:
            future[:, self._static_columns] = track.covariates[-1, self._static_columns]
        return future

    def _check_names_of_covariates(self) -> None:
        for parameter in ["past_covariates", "static_covariates"]:
            names = getattr(self, parameter)
            if isinstance(names, str) or not np.iterable(names):
                raise invalid_parameter(self, parameter, "a sequence of column names", names)

    def _check_some_rows(self, X: Any) -> None:
        if not hasattr(X, "__len__"):
            raise TypeError(
                f"{name_of(self)}: X must be array-like, with a row for each step to forecast; got {X!r}. "
                "Raise `horizon` to forecast more steps without rows."
            )
        if len(X) == 0:
            raise ValueError(
                f"Found array with 0 sample(s) (shape={np.asarray(X).shape}) while a minimum of 1 is required "
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
