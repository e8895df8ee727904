"""From rows in time to samples: the one alignment convention of the house.

::

    step      0   1   2   3   4   5   6   7
    window        [───────L=4──────]                 origin = 4, rows 1..4, its own row included
    regression target (same row)    y4               WindowTransformer in a Pipeline
    forecast target (H=2)               y5  y6       make_windows, Forecaster
"""

from typing import Any

import numpy as np
import pandas as pd
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, DTypeLike, NDArray

from tsrnn._time_axis import check_time_axis
from tsrnn._validation import check_int, check_memory, check_rows, count_axes, invalid_parameter, name_of

__all__ = ["Windows", "make_windows"]


class Windows:
    """A lazy 3-D array (n_windows, lookback, n_features) over rows that are stored once.

    Window i holds the rows ``starts[i] .. starts[i] + lookback - 1`` of `steps`, less ``offsets[i]`` and in units of
    ``scales[i]`` where these are given. Several series may lie behind each other in `steps`; whoever makes the starts
    sees to it that no window crosses a border.

    Parameters
    ----------
    steps : array of shape (n_steps, n_features)
        The rows in time, in any floating type. Kept as it is, not copied.
    starts : array of int, shape (n_windows,)
        The first row of each window.
    lookback : int
        Time steps in a window.
    origins : array of int, shape (n_windows,), default=None
        The time of each window's last step. It orders windows in time when several series share `steps`.
        None: the number of that row in `steps`.
    offsets : array of shape (n_windows, n_features), default=None
        What is subtracted from every step of a window when it is read. None: nothing.
    scales : array of shape (n_windows, n_features), default=None
        What every step of a window is divided by after that; no entry is 0. None: nothing.

    Attributes
    ----------
    shape : tuple of int
        (n_windows, lookback, n_features).

    Raises
    ------
    InvalidParameterError
        A window would begin before the first row or end after the last one.

    Notes
    -----
    Memory is that of `steps` and of one integer a window: 1,000,000 steps of 8 features in float32 are 32 MB, while
    the same windows of 200 steps as an array would be 6.4 GB.

    Examples
    --------
    >>> import numpy as np
    >>> windows = Windows(np.arange(6.0)[:, None], starts=[0, 2], lookback=3)
    >>> windows.shape
    (2, 3, 1)
    >>> np.asarray(windows)[..., 0]
    array([[0., 1., 2.],
           [2., 3., 4.]])
    >>> windows[1:].starts
    array([2])
    """

    def __init__(
        self,
        steps: ArrayLike,
        starts: ArrayLike,
        lookback: int,
        *,
        origins: ArrayLike | None = None,
        offsets: ArrayLike | None = None,
        scales: ArrayLike | None = None,
    ) -> None:
        self.steps = np.asarray(steps)
        self.starts = self._integers("starts", starts)
        self.lookback = check_int(self, "lookback", lookback, minimum=1)
        if self.steps.ndim != 2:
            raise invalid_parameter(self, "steps", "2-D (n_steps, n_features)", self.steps.shape)
        last = len(self.steps) - self.lookback
        if self.starts.size and not (self.starts.min() >= 0 and self.starts.max() <= last):
            raise invalid_parameter(
                self,
                "starts",
                f"between 0 and {last} for {len(self.steps)} steps and lookback={self.lookback}",
                (int(self.starts.min()), int(self.starts.max())),
            )
        self._origins = None if origins is None else self._integers("origins", origins)
        self.offsets = self._of_each("offsets", offsets)
        self.scales = self._of_each("scales", scales)
        count = len(self.starts)
        if self._origins is not None and len(self._origins) != count:
            raise invalid_parameter(self, "origins", f"of shape ({count},), one for each start", self._origins.shape)

    def _of_each(self, parameter: str, values: ArrayLike | None) -> NDArray[Any] | None:
        if values is None:
            return None
        rows, expected = np.asarray(values, dtype=self.steps.dtype), (len(self.starts), self.steps.shape[1])
        if rows.shape != expected:
            raise invalid_parameter(self, parameter, f"of shape {expected}", rows.shape)
        return rows

    def _integers(self, parameter: str, values: ArrayLike) -> NDArray[np.int64]:
        numbers = np.asarray(values)
        if numbers.ndim != 1 or (numbers.size and numbers.dtype.kind not in "iu"):
            raise invalid_parameter(self, parameter, "a 1-D array of integers", values)
        return numbers.astype(np.int64, copy=False)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(n_windows, lookback, n_features)."""
        return len(self.starts), self.lookback, self.steps.shape[1]

    @property
    def ndim(self) -> int:
        """The number of axes, 3."""
        return 3

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of the values."""
        return self.steps.dtype

    @property
    def nbytes(self) -> int:
        """Bytes that all windows would take as an array; the object itself needs far less."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    @property
    def origins(self) -> NDArray[np.int64]:
        """The time of each window's last step, shape (n_windows,)."""
        return self.starts + self.lookback - 1 if self._origins is None else self._origins

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, key: Any) -> Any:
        """Return one window as an array for an integer, `Windows` for a slice, a mask or an array of integers.

        A key of several parts, such as ``windows[:5, -1, 0]``, gives what numpy's indexing gives, as an array.
        """
        first, *rest = (key or (...,)) if isinstance(key, tuple) else (key,)
        if first is Ellipsis:
            return np.asarray(self)[key] if rest else self[:]
        rows = first if isinstance(first, slice) else _positions(first)
        if len(rest) > 2 or any(not _is_whole(part) for part in rest):
            return self._part(rows, rest)
        return self._selected(rows) if isinstance(rows, slice) or rows.ndim else self._window(int(rows))

    def _part(self, rows: slice | NDArray[Any], rest: list[Any]) -> Any:
        """Return the `rest` of the windows `rows`, of which alone an array is made."""
        if isinstance(rows, slice):
            return np.asarray(self._selected(rows))[(slice(None), *rest)]
        chosen = self._selected(np.atleast_1d(rows))
        return np.asarray(chosen)[(np.arange(len(chosen)) if rows.ndim else 0, *rest)]

    def _window(self, number: int) -> NDArray[Any]:
        start = self.starts[number]
        window = self.steps[start : start + self.lookback]
        window = window if self.offsets is None else window - self.offsets[number]
        return window if self.scales is None else window / self.scales[number]

    def _selected(self, key: Any) -> "Windows":
        return Windows(
            self.steps,
            self.starts[key],
            self.lookback,
            origins=None if self._origins is None else self._origins[key],
            offsets=None if self.offsets is None else self.offsets[key],
            scales=None if self.scales is None else self.scales[key],
        )

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("Windows: an array of overlapping windows cannot be made without a copy.")
        check_memory(self, self.nbytes)
        if len(self) == 0:
            return np.empty(self.shape, dtype=self.dtype if dtype is None else dtype)
        windows = sliding_window_view(self.steps, self.lookback, axis=0)[self.starts].transpose(0, 2, 1)
        if self.offsets is not None:
            windows -= self.offsets[:, None]
        if self.scales is not None:
            windows /= self.scales[:, None]
        return np.ascontiguousarray(windows, dtype=dtype)

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        """Return numpy, whose functions read windows: what dispatches on arrays treats them as one of its arrays."""
        return np

    def __repr__(self) -> str:
        return f"Windows(n_windows={len(self)}, lookback={self.lookback}, n_features={self.shape[2]})"

    def covered(self) -> NDArray[np.bool_]:
        """Return for each row of `steps` whether some window holds it, shape (n_steps,)."""
        borders = np.zeros(len(self.steps) + 1, dtype=np.int64)
        np.add.at(borders, self.starts, 1)
        np.add.at(borders, self.starts + self.lookback, -1)
        return np.cumsum(borders)[:-1] > 0


def _positions(key: Any) -> NDArray[Any]:
    """Return a key as an array that selects windows: an integer, several integers or a mask."""
    positions = np.asarray(key)
    if positions.size == 0 and positions.dtype.kind == "f":  # an empty list
        positions = positions.astype(np.int64)
    if positions.ndim > 1 or positions.dtype.kind not in ("biu" if positions.ndim else "iu"):
        raise IndexError(
            f"Windows: the key must be an integer, a slice, or a 1-D array of integers or booleans; got {key!r}. "
            "Index `np.asarray(windows)` for more."
        )
    return positions


def _is_whole(part: Any) -> bool:
    return part is Ellipsis or (isinstance(part, slice) and part == slice(None))


def make_windows(
    X: Any, y: Any = None, *, lookback: int, horizon: int = 1, gap: int = 0, stride: int = 1
) -> tuple[Windows, NDArray[Any]]:
    """Cut every window of `X` that has its forecast target in `y`.

    ::

        step      0   1   2   3   4   5   6   7
        window        [───────L=4──────]                 origin = 4
        target (H=2, gap=0)                 y5  y6
        target (H=2, gap=1)                     y6  y7

    Parameters
    ----------
    X : array-like of shape (n_steps, n_features) or (n_steps,), or a list of such
        Rows in time. A list of 2-D arrays, Series or DataFrames is several series; no window crosses their borders.
    y : array-like of shape (n_steps,) or (n_steps, n_targets), or a list of such, default=None
        What is forecast, row by row with `X`. None: `X` itself.
    lookback : int
        Time steps in a window, at least 1.
    horizon : int, default=1
        Steps forecast ahead, at least 1.
    gap : int, default=0
        Steps left out between a window and its target.
    stride : int, default=1
        Steps from one window's start to the next one's. A stride beyond the end leaves one window a series.

    Returns
    -------
    windows : Windows of shape (n_windows, lookback, n_features)
        Lazy, in `X`'s floating type.
    targets : ndarray of shape (n_windows, horizon) or (n_windows, horizon, n_targets)
        Steps origin + gap + 1 to origin + gap + horizon; the last axis is there when `y` has two dimensions.

    Raises
    ------
    InvalidParameterError
        A size is no integer or too small.
    ValueError
        A series is shorter than lookback + gap + horizon, `X` and `y` differ in length, the series differ in their
        columns, the rows are no finite numbers, or a time index is out of order.
    TypeError
        Rows are sparse, times or categories, or have a MultiIndex.

    Examples
    --------
    >>> windows, targets = make_windows([0.0, 1, 2, 3, 4, 5], lookback=3, horizon=2)
    >>> windows.shape
    (2, 3, 1)
    >>> targets
    array([[3., 4.],
           [4., 5.]])
    """
    owner = "make_windows"
    check_int(owner, "lookback", lookback, minimum=1)
    check_int(owner, "horizon", horizon, minimum=1)
    check_int(owner, "gap", gap, minimum=0)
    check_int(owner, "stride", stride, minimum=1)
    series = _read(owner, X, "X")
    targets = series if y is None else _read(owner, y, "y")
    if len(series) != len(targets):
        raise ValueError(f"{owner}: X holds {len(series)} series and y {len(targets)}. Pass one y for each X.")
    for number, (rows, values) in enumerate(zip(series, targets, strict=True)):
        check_length(owner, rows, values, number, lookback + gap + horizon)
    counts = [(len(rows) - lookback - gap - horizon) // stride + 1 for rows in series]
    borders = np.cumsum([0, *(len(rows) for rows in series[:-1])])
    inside = [stride * np.arange(count) for count in counts]
    starts = np.concatenate([start + border for start, border in zip(inside, borders, strict=True)])
    origins = np.concatenate(inside) + lookback - 1
    steps = series[0] if len(series) == 1 else np.concatenate(series)
    flat = steps if y is None else (targets[0] if len(targets) == 1 else np.concatenate(targets))
    cut = sliding_window_view(flat, horizon, axis=0)[starts + lookback + gap].transpose(0, 2, 1)
    one_target = count_axes(_several(X if y is None else y)[0]) == 1
    return Windows(steps, starts, lookback, origins=origins), cut[..., 0] if one_target else cut


def _several(data: Any) -> list[Any]:
    """Return the series in `data`: its parts when it is a list of arrays or frames, otherwise itself alone."""
    several = isinstance(data, list | tuple) and len(data) > 0 and hasattr(data[0], "shape") and np.ndim(data[0]) > 0
    return list(data) if several else [data]


def _read(owner: str, data: Any, what: str) -> list[NDArray[Any]]:
    """Return each series in `data` as finite rows in float32, if they are that already, or float64."""
    parts = _several(data)
    for part in parts:
        check_order(owner, part)
    series = [check_rows(owner, part, what, dtype=[np.float64, np.float32]) for part in parts]
    named = all(isinstance(part, pd.DataFrame) for part in parts)
    columns = [list(part.columns) if named else rows.shape[1] for part, rows in zip(parts, series, strict=True)]
    for number, names in enumerate(columns):
        if names != columns[0]:
            raise ValueError(
                f"{owner}: all series in {what} must have the same columns; series 0 has {columns[0]}, series {number} "
                f"has {names}."
            )
    return series


def has_time_index(data: Any) -> bool:
    """Return whether `data` is a DataFrame or Series whose index tells the time: stamps, periods or integers."""
    if not isinstance(data, pd.DataFrame | pd.Series):
        return False
    return isinstance(data.index, pd.DatetimeIndex | pd.PeriodIndex) or pd.api.types.is_integer_dtype(data.index)


def check_order(owner: object, data: Any) -> None:
    """Raise unless the rows of `data` follow each other in time, as far as their index, if they have one, can tell.

    The steps between them may vary, as those of trading days do.
    """
    if isinstance(data, pd.DataFrame | pd.Series) and data.index.nlevels > 1:
        raise TypeError(
            f"{name_of(owner)}: the index has {data.index.nlevels} levels; windows would run from one series into the "
            "next. Pass the series one by one, e.g. with `X.xs(key)`."
        )
    if has_time_index(data) and not (data.index.is_monotonic_increasing and data.index.is_unique):
        check_time_axis(owner, data.index)


def check_length(owner: object, rows: NDArray[Any], values: NDArray[Any], number: int, needed: int) -> None:
    """Raise unless series `number` has as many rows as its target values, and at least `needed`."""
    if len(rows) != len(values):
        raise ValueError(
            f"{name_of(owner)}: X and y have inconsistent numbers of samples [{len(rows)}, {len(values)}] "
            f"in series {number}."
        )
    if len(rows) < needed:
        raise ValueError(
            f"{name_of(owner)}: need >= {needed} rows for one window and its target, got {len(rows)} in series "
            f"{number}. Pass a longer series, or lower lookback, gap or horizon."
        )
