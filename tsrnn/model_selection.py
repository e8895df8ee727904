"""Splits of time: a model is trained on the past and tested on what came after it."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_integer_dtype
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import indexable

from tsrnn._spans import Size, Span, read_span, row_back
from tsrnn._time_axis import check_increasing
from tsrnn._validation import check_int, invalid_parameter, name_of

__all__ = ["WalkForwardSplit"]

Fold: TypeAlias = tuple[range, range]


class WalkForwardSplit(BaseCrossValidator):
    """Train on the past, test on the block that follows, walk on to the next block.

    Every fold trains only on rows before its test block. The last test block ends at the last row; the blocks before
    it begin `stride` rows earlier each. With `n_splits=3, test_size=3, gap=1`::

        row       0   1   2   3   4   5   6   7   8   9   10  11
        fold 0   [train─] ×  [───test───]
        fold 1   [──────train───────] ×  [───test───]
        fold 2   [────────────train─────────────] ×  [───test───]

    With `max_train_size` the training rows slide along instead of growing; with a `stride` below `test_size` the test
    blocks overlap.

    Parameters
    ----------
    n_splits : int or None, default=5
        Number of folds, at least 1. None: as many as leave a training row; needs `test_size`.
    test_size : int or offset, default=None
        Rows in a test block, at least 1. None: `n_rows // (n_splits + 1)`.
    max_train_size : int or offset, default=None
        Most rows to train on, at least 1: those nearest to the test block. None: all rows before it.
    gap : int or offset, default=0
        Rows left out between train and test, at least 0. With targets that reach `horizon` steps ahead, a gap of
        `horizon - 1` keeps those of the training rows apart from those of the test block.
    stride : int or offset, default=None
        Rows from the start of a test block to the start of the next one, at least 1. None: `test_size`, so that the
        blocks touch.

    Raises
    ------
    ValueError
        From `split`: if a parameter is out of its bounds, if not all folds leave a training row (the message names
        the greatest possible `n_splits`), if `X` and `y` differ in length, or if their time index is not increasing.
    TypeError
        From `split`: if a parameter has a wrong type, or is an offset and neither `X` nor `y` has a time index, or if
        X or y is a dict. An error about a parameter is an `InvalidParameterError`, which is both.

    See Also
    --------
    sklearn.model_selection.TimeSeriesSplit : The same folds for the same parameters, without `stride` and offsets.

    Notes
    -----
    An offset is a string such as `"7D"`, a timedelta, or a pandas offset. It needs a `DatetimeIndex` or `PeriodIndex`
    on `X` or `y`, regular or not. The block of size `offset` that ends with row `i` holds the rows after
    `index[i] - offset`; on a regular index that is the number of steps in the offset. Days and longer are those of the
    local calendar (the day on which the clocks go forward has 23 hours); hours and below, and timedeltas, are exact.

    The rows of a panel, with a MultiIndex (series, time), are split at moments: sizes count the moments for which any
    series has a row, and the rows of a fold are those of all series. Integers are no moments but numbers of rows; all
    series are then taken to end together.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn.model_selection import WalkForwardSplit
    >>> rows = np.arange(12)
    >>> cv = WalkForwardSplit(n_splits=3, test_size=3, gap=1)
    >>> for train, test in cv.split(rows):
    ...     print(train, test)
    [0 1] [3 4 5]
    [0 1 2 3 4] [6 7 8]
    [0 1 2 3 4 5 6 7] [ 9 10 11]

    Training rows that slide, and blocks that overlap:

    >>> cv = WalkForwardSplit(n_splits=3, test_size=3, max_train_size=4, stride=1)
    >>> for train, test in cv.split(rows):
    ...     print(train, test)
    [3 4 5 6] [7 8 9]
    [4 5 6 7] [ 8  9 10]
    [5 6 7 8] [ 9 10 11]

    One fold for each week:

    >>> import pandas as pd
    >>> load = pd.Series(0.0, index=pd.date_range("2024-01-01", periods=25, freq="D"))
    >>> for train, test in WalkForwardSplit(n_splits=None, test_size="7D").split(load):
    ...     print(len(train), test)
    4 [ 4  5  6  7  8  9 10]
    11 [11 12 13 14 15 16 17]
    18 [18 19 20 21 22 23 24]
    """

    def __init__(
        self,
        n_splits: int | None = 5,
        *,
        test_size: int | Span | None = None,
        max_train_size: int | Span | None = None,
        gap: int | Span = 0,
        stride: int | Span | None = None,
    ) -> None:
        self.n_splits = n_splits
        self.test_size = test_size
        self.max_train_size = max_train_size
        self.gap = gap
        self.stride = stride

    def split(
        self,
        X: Any,
        y: Any = None,
        groups: Any = None,  # noqa: ARG002
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Return the folds, from the first test block to the last.

        Parameters
        ----------
        X : array-like or Windows of shape (n_rows, ...)
            Rows in the order of time. None if `y` is given.
        y : array-like of shape (n_rows, ...), default=None
            Targets. Their time index is used if `X` has none.
        groups : object, default=None
            Ignored.

        Returns
        -------
        iterator of (train, test)
            Two arrays of row numbers for each fold, sorted.
        """
        X, y, places = _in_time(self, X, y)
        folds = self._folds(X, y)
        return ((_rows(train, places), _rows(test, places)) for train, test in folds)

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # noqa: ARG002
        """Return the number of folds; with `n_splits=None` that takes the rows.

        Parameters
        ----------
        X : array-like or Windows of shape (n_rows, ...), default=None
            Rows in the order of time.
        y : array-like of shape (n_rows, ...), default=None
            Targets.
        groups : object, default=None
            Ignored.

        Returns
        -------
        int
            Number of folds.
        """
        if self.n_splits is not None:
            return check_int(self, "n_splits", self.n_splits, minimum=1)
        X, y, _ = _in_time(self, X, y)
        return len(self._folds(X, y))

    def _folds(self, X: Any, y: Any) -> list[Fold]:
        """Return the train and test rows of each fold, or raise if `n_splits` of them do not fit."""
        X, y = indexable(X, y)
        rows = y if X is None else X
        if rows is None:
            raise ValueError(f"{name_of(self)}: X must be array-like of shape (n_rows, ...); got None.")
        n, times = len(rows) if not hasattr(rows, "shape") else rows.shape[0], self._times(X, y)
        wanted = None if self.n_splits is None else check_int(self, "n_splits", self.n_splits, minimum=1)
        folds = list(islice(self._walk_back(n, times, wanted), wanted))
        if len(folds) < (wanted or 1):
            raise self._too_few_rows(n, times, wanted)
        return folds[::-1]

    def _walk_back(self, n: int, times: pd.DatetimeIndex | None, n_splits: int | None) -> Iterator[Fold]:
        """Yield the folds that leave a training row, from the last to the first."""
        test_size = self._test_size(n, times, n_splits)
        gap = read_span(self, "gap", self.gap, times, minimum=0)
        longest = n if self.max_train_size is None else read_span(self, "max_train_size", self.max_train_size, times)
        stride = test_size if self.stride is None else read_span(self, "stride", self.stride, times)
        end = n if test_size != 0 else 0
        while end > 0:
            start = row_back(end, test_size, times)
            train_end = row_back(start, gap, times)
            if train_end < 1:
                return
            yield range(max(0, row_back(train_end, longest, times)), train_end), range(start, end)
            end = row_back(end, stride, times)

    def _test_size(self, n: int, times: pd.DatetimeIndex | None, n_splits: int | None) -> Size:
        """Return the size of a test block; by default 0 if there are more folds than rows."""
        if self.test_size is not None:
            return read_span(self, "test_size", self.test_size, times)
        if n_splits is None:
            raise invalid_parameter(self, "test_size", "given with n_splits=None", None)
        return n // (n_splits + 1)

    def _times(self, X: Any, y: Any) -> pd.DatetimeIndex | None:
        """Return the stamps of X, or else those of y, None if both have none; raise if they are not sorted."""
        for data in (X, y):
            index = getattr(data, "index", None)
            if isinstance(index, pd.DatetimeIndex | pd.PeriodIndex):
                check_increasing(self, index)
                return index.to_timestamp() if isinstance(index, pd.PeriodIndex) else index
        return None

    def _too_few_rows(self, n: int, times: pd.DatetimeIndex | None, n_splits: int | None) -> ValueError:
        """Return the error that names the greatest number of folds that fit."""
        shown = "n_rows // (n_splits + 1)" if self.test_size is None else repr(self.test_size)
        sizes = f"test_size={shown} and gap={self.gap!r}"
        if self.stride is not None:
            sizes = f"stride={self.stride!r}, {sizes}"
        greatest = max(0, min(n_splits or 0, n - 1))
        # Fewer folds have test blocks at least as long: no number between the count and this one can fit.
        while (count := sum(1 for _ in self._walk_back(n, times, greatest))) < greatest:
            greatest = count
        if greatest == 0:
            return ValueError(
                f"{name_of(self)}: {n} rows leave no training row before a test block with {sizes}. Pass more rows, or "
                "lower `test_size` or `gap`."
            )
        constraint = f"at most {greatest} for {n} rows with {sizes}"
        remedy = "Lower it, `test_size` or `gap`, or pass more rows."
        return invalid_parameter(self, "n_splits", constraint, n_splits, remedy)


def _in_time(owner: object, X: Any, y: Any) -> tuple[Any, Any, NDArray[np.int64] | None]:
    """Return X and y; for the rows of a panel, its moments instead, and which of them is that of each row."""
    if isinstance(X, dict) or isinstance(y, dict):
        raise TypeError(
            f"{name_of(owner)}: a dict of series has no row numbers. Pass rows with a MultiIndex (series, time), as "
            "`pd.concat` makes them of the dict, or use `backtest`."
        )
    indices = [data.index for data in (X, y) if isinstance(data, pd.Series | pd.DataFrame)]
    index = next((index for index in indices if index.nlevels > 1), None)
    if index is None:
        return X, y, None
    X, y = indexable(X, y)
    stamps = index.get_level_values(-1)
    if is_integer_dtype(stamps.dtype):  # numbers are no moments: all series end together
        behind = pd.Series(0, index).groupby(level=list(range(index.nlevels - 1)), sort=False).cumcount(ascending=False)
        places = np.asarray(behind.max() - behind, dtype=np.int64)
        return np.zeros(int(behind.max()) + 1), None, places
    moments = stamps.unique().sort_values()
    return pd.Series(0.0, index=moments), None, moments.get_indexer(stamps).astype(np.int64)


def _rows(block: range, places: NDArray[np.int64] | None) -> NDArray[np.intp]:
    """Return the row numbers of a block; of a panel, those of the rows whose moments lie in it."""
    if places is None:
        return np.arange(block.start, block.stop)
    return np.flatnonzero((places >= block.start) & (places < block.stop))
