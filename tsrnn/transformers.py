"""Windows and scaling as scikit-learn transformers, for the Pipeline."""

from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, clone
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from tsrnn._samples import as_windows
from tsrnn._time_axis import check_time_axis, steps_after
from tsrnn._validation import (
    check_finite,
    check_int,
    check_numeric,
    check_option,
    count_axes,
    invalid_parameter,
    kept_whole,
)
from tsrnn.windows import Windows, check_order, has_time_index

__all__ = ["Differencer", "SequenceScaler", "WindowTransformer"]


class WindowTransformer(TransformerMixin, BaseEstimator):
    """Give every row of a series the window of rows that ends with it.

    Rows in, the same number of rows out, so that it stands in a scikit-learn Pipeline: row t of the output is the
    window of the steps t - lookback + 1 to t, its own row included.

    ::

        step      0   1   2   3   4
        row 4         [───L=4─────]       steps 1..4
        row 1     [0  0   0   1]          the missing past is filled with the first row

    Parameters
    ----------
    lookback : int, default=24
        Time steps in a window, at least 1.
    pad : {"edge"}, default="edge"
        What stands in for the past of the first lookback - 1 rows: the first row, repeated.
    context : {"auto", "fit", "none"}, default="auto"
        Where the past of the first rows comes from when new data follow the fitted data. "auto": from the last rows
        seen in `fit`, when the index (DatetimeIndex, PeriodIndex or RangeIndex of step 1 or more) proves that the new
        data start right after them; "fit": always, for arrays of which you know it; "none": never.

    Attributes
    ----------
    n_features_in_ : int
        Columns seen in `fit`.
    feature_names_in_ : ndarray of str, shape (n_features_in_,)
        Their names, when all are strings.
    context_ : ndarray of shape (at most lookback - 1, n_features_in_)
        The last rows seen in `fit`, float32.
    context_index_ : pandas.Index or None
        The last stamps seen in `fit`; None without an index, and for an irregular one, such as trading days.

    Raises
    ------
    InvalidParameterError
        In `fit`, for a parameter outside its range.
    ValueError, TypeError
        For rows that are no finite numbers, sparse, not 2-D, have other columns than in `fit`, are out of order, share
        a stamp, or belong to several series (a MultiIndex).

    Notes
    -----
    A numpy array has no index, and most scikit-learn transformers return one. Put the WindowTransformer first and
    scale with `SequenceScaler` behind it, or call ``set_output(transform="pandas")`` on the Pipeline, and the first
    rows of a test fold get their real past. Otherwise they are padded. An irregular index, such as trading days, proves
    nothing either: number the rows (RangeIndex), or pass ``context="fit"``.

    Examples
    --------
    >>> import numpy as np
    >>> rows = np.array([[1.0], [2.0], [3.0]])
    >>> windows = WindowTransformer(lookback=2).fit_transform(rows)
    >>> np.asarray(windows)[..., 0]
    array([[1., 1.],
           [1., 2.],
           [2., 3.]], dtype=float32)
    """

    def __init__(self, lookback: int = 24, *, pad: str = "edge", context: str = "auto") -> None:
        self.lookback = lookback
        self.pad = pad
        self.context = context

    def fit(self, X: Any, y: Any = None) -> Self:
        """Remember the last rows of `X`, shape (n_steps, n_features); `y` is ignored."""
        with kept_whole(self):
            lookback = self._check_parameters()
            rows = self._check(X, reset=True)
            first = max(0, len(rows) - lookback + 1)
            self._lookback = lookback
            self.context_ = rows[first:].copy()
            self.context_index_ = _regular_end(self, X.index, max(lookback, 4)) if has_time_index(X) else None
        return self

    def transform(self, X: Any) -> Windows:
        """Return the window that ends at each row of `X`.

        Parameters
        ----------
        X : array-like of shape (n_steps, n_features)
            Rows in time.

        Returns
        -------
        Windows of shape (n_steps, lookback, n_features)
            Lazy, float32.
        """
        check_is_fitted(self)
        check_option(self, "context", self.context, ["auto", "fit", "none"])
        rows = self._check(X, reset=False)
        past = self.context_ if self._continues(X) else self.context_[:0]
        return self._cut(rows, past)

    def fit_transform(self, X: Any, y: Any = None, **fit_params: Any) -> Windows:
        """Fit on `X` and return its windows; the data have no past before their first row."""
        rows = self.fit(X, y)._check(X, reset=False)
        return self._cut(rows, rows[:0])

    def set_output(self, *, transform: str | None = None) -> Self:
        """Accept scikit-learn's choice of output container and keep returning `Windows`: they are 3-D, no frame."""
        return self

    def _cut(self, rows: NDArray[Any], past: NDArray[Any]) -> Windows:
        known = np.concatenate([past, rows]) if len(past) else rows
        padding = np.repeat(known[:1], self._lookback - 1 - len(past), axis=0)
        starts = np.arange(len(rows))
        return Windows(np.concatenate([padding, known]) if len(padding) else known, starts, self._lookback)

    def _continues(self, X: Any) -> bool:
        if self.context != "auto":
            return self.context == "fit"
        if self.context_index_ is None or not has_time_index(X) or len(self.context_) == 0:
            return False
        return steps_after(self.context_index_, X.index, owner=self) == 1

    def _check_parameters(self) -> int:
        check_option(self, "pad", self.pad, ["edge"])
        check_option(self, "context", self.context, ["auto", "fit", "none"])
        return check_int(self, "lookback", self.lookback, minimum=1)

    def _check(self, X: Any, *, reset: bool) -> NDArray[np.float32]:
        check_numeric(self, X, "X")
        columns = X.columns if isinstance(X, pd.DataFrame) else None
        with np.errstate(over="ignore"):
            rows = validate_data(self, X, reset=reset, dtype=np.float32, ensure_all_finite=False)
        check_finite(self, rows, "X", columns)
        check_order(self, X)
        return rows  # type: ignore[no-any-return]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _regular_end(owner: object, index: pd.Index, n: int) -> pd.Index | None:
    """Return the last `n` stamps of `index`, or None when they have no common step, or none that is known."""
    try:
        end = check_time_axis(owner, index)[-n:]
        steps_after(end, end, owner=owner)
    except (TypeError, ValueError):
        return None
    return end


class SequenceScaler(TransformerMixin, BaseEstimator):
    """Apply a scikit-learn column scaler to the features of 3-D samples.

    Parameters
    ----------
    scaler : transformer, default=None
        Any transformer that maps columns to as many columns; it is cloned. None: `StandardScaler`.

    Attributes
    ----------
    scaler_ : transformer
        The fitted clone; it has seen rows (n_steps, n_features).
    n_features_in_ : int
        Features of a sample (columns for 2-D samples).
    feature_names_in_ : ndarray of str, shape (n_features_in_,)
        Names of the columns of 2-D samples, when all are strings.

    Raises
    ------
    ValueError, TypeError
        For samples that are not 2-D or 3-D finite numbers, or have other shapes than in `fit`.

    Notes
    -----
    `Windows` are scaled by their rows, each row once, however many windows hold it, and stay lazy; rows that no window
    holds are not looked at in `fit`. Of a 3-D array every step of every sample counts. A 2-D array
    (n_samples, lookback) is read as sequences of one feature.

    Examples
    --------
    >>> import numpy as np
    >>> scaled = SequenceScaler().fit_transform(np.array([[[1.0], [2.0]], [[3.0], [4.0]]]))
    >>> float(np.asarray(scaled).mean()), scaled.shape
    (0.0, (2, 2, 1))
    """

    def __init__(self, scaler: Any = None) -> None:
        self.scaler = scaler

    def fit(self, X: Any, y: Any = None) -> Self:
        """Fit the scaler on the steps of `X`, shape (n_samples, lookback, n_features); `y` is ignored."""
        with kept_whole(self):
            rows, _ = _rows_of(self._read(X, reset=True))
            if not (self.scaler is None or hasattr(self.scaler, "transform")):
                raise invalid_parameter(self, "scaler", "a scikit-learn transformer or None", self.scaler)
            self.scaler_ = clone(StandardScaler() if self.scaler is None else self.scaler)
            if hasattr(self.scaler_, "set_output"):
                self.scaler_.set_output(transform="default")  # whatever is chosen for the samples themselves
            self.scaler_.fit(rows)
        return self

    def transform(self, X: Any) -> Any:
        """Return `X` scaled: `Windows` for `Windows`, an array of the same shape for an array."""
        check_is_fitted(self)
        return self._apply(X, "transform")

    def inverse_transform(self, X: Any) -> Any:
        """Return scaled samples in their own units."""
        check_is_fitted(self)
        return self._apply(X, "inverse_transform")

    def set_output(self, *, transform: str | None = None) -> Self:
        """Accept scikit-learn's choice of output container and keep returning samples: they are 3-D, no frame."""
        return self

    def _apply(self, X: Any, method: str) -> Any:
        windows = self._read(X, reset=False)
        rows, covered = _rows_of(windows)
        values = np.asarray(getattr(self.scaler_, method)(rows))
        steps = values
        if len(rows) < len(windows.steps):
            steps = np.zeros((len(windows.steps), values.shape[1]), dtype=values.dtype)
            steps[covered] = values
        scaled = Windows(steps, windows.starts, windows.lookback, origins=windows._origins)
        if isinstance(X, Windows):
            return scaled
        shape = (len(windows), windows.lookback, steps.shape[1])
        return steps.reshape(shape if count_axes(X) == 3 else shape[:2])

    def _read(self, X: Any, *, reset: bool) -> Windows:
        """Return `X` as `Windows` without offsets and scales, whose rows are what the scaler sees."""
        windows = as_windows(self, X, reset=reset)
        plain = windows.offsets is None and windows.scales is None
        return windows if plain else as_windows(self, np.asarray(windows), reset=False)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _rows_of(windows: Windows) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the rows that some window holds, and which ones of all they are."""
    covered = windows.covered()
    return windows.steps if covered.all() else windows.steps[covered], covered


class Differencer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Replace every row of a series by its difference to the row `lag` steps before it.

    ::

        step           0    1    2    3    4
        value         y0   y1   y2   y3   y4
        lag=1         y0   y1 - y0   y2 - y1   y3 - y2   y4 - y3

    The first `lag` rows, which have nothing before them, stay as they are, so that the inverse, a sum, is exact. As
    `target_transformer` of a `Forecaster`, they are not learnt from, and forecasts are added to what was known.

    Parameters
    ----------
    lag : int, default=1
        Steps back, at least 1; a season takes its pattern away.

    Attributes
    ----------
    n_features_in_ : int
        Columns seen in `fit`.
    feature_names_in_ : ndarray of str, shape (n_features_in_,)
        Their names, when all are strings.

    Raises
    ------
    InvalidParameterError
        In `fit`, for a lag that is no integer or below 1.
    ValueError
        For rows that are no numbers, or have other columns than in `fit`.

    References
    ----------
    Box & Jenkins (1970), Time Series Analysis: differences and seasonal differences.

    Examples
    --------
    >>> import numpy as np
    >>> rows = np.array([[1.0], [2.0], [4.0], [7.0]])
    >>> Differencer().fit_transform(rows)[:, 0]
    array([1., 1., 2., 3.])
    """

    def __init__(self, lag: int = 1) -> None:
        self.lag = lag

    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the rows `X` (n_steps, n_features) and the lag; there is nothing to learn."""
        check_int(self, "lag", self.lag, minimum=1)
        validate_data(self, X, ensure_all_finite="allow-nan")
        return self

    def transform(self, X: Any) -> NDArray[np.float64]:
        """Return the differences (n_steps, n_features) of the rows `X`."""
        rows = self._rows(X)
        rows[self.lag :] -= rows[: -self.lag].copy()
        return rows

    def inverse_transform(self, X: Any) -> NDArray[np.float64]:
        """Return the rows (n_steps, n_features) whose differences are `X`."""
        rows = self._rows(X)
        for first in range(min(self.lag, len(rows))):
            rows[first :: self.lag] = rows[first :: self.lag].cumsum(axis=0)
        return rows

    def _rows(self, X: Any) -> NDArray[np.float64]:
        check_is_fitted(self)
        return np.array(validate_data(self, X, reset=False, dtype=np.float64, ensure_all_finite="allow-nan"))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags
