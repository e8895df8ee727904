"""Between pandas objects and arrays: what a forecaster reads, and the form in which it answers."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsrnn._time_axis import check_time_axis, steps_after
from tsrnn._validation import check_finite, check_rows, name_of

Floats = NDArray[np.float64]

LARGEST = np.finfo(np.float32).max
"""Greatest value of a series: networks compute in float32, and squares must not overflow in float64."""


@dataclass(frozen=True)
class Form:
    """How the user wrote a series: as a Series, a DataFrame or an array of one or two axes."""

    kind: str
    names: list[Any]

    def dress(self, values: Floats, index: pd.Index) -> Any:
        """Return `values` (n_steps, n_targets) in this form, with `index` where the form has one."""
        if self.kind == "series":
            return pd.Series(values[:, 0], index=index, name=self.names[0])
        if self.kind == "frame":
            return pd.DataFrame(values, index=index, columns=pd.Index(self.names))
        return values[:, 0] if self.kind == "vector" else values


def form_of(data: Any) -> Form:
    """Return the form of `data`, already known to have one or two axes."""
    if isinstance(data, pd.Series):
        return Form("series", [data.name])
    if isinstance(data, pd.DataFrame):
        return Form("frame", list(data.columns))
    shape = np.asarray(data).shape
    return Form("vector", [0]) if len(shape) == 1 else Form("matrix", list(range(shape[1])))


def read_rows(
    owner: object, data: Any, what: str, *, may_be_empty: bool = False, missing: bool = False
) -> tuple[Floats, pd.Index | None, Form]:
    """Return the rows of `data` as finite numbers (n_steps, n_columns), their checked index, and their form.

    The index of an array is None. With `may_be_empty`, a DataFrame need not have a column; with `missing`, values may
    be NaN.
    """
    index = read_index(owner, data)
    if isinstance(data, pd.DataFrame) and data.shape[1] == 0:
        if may_be_empty:
            return np.empty((len(data), 0)), index, Form("frame", [])
        raise ValueError(
            f"Found array with 0 feature(s) (shape={data.shape}) while a minimum of 1 is required "
            f"by {name_of(owner)}. The DataFrame {what} has no column."
        )
    rows = check_rows(owner, data, what, missing=missing)
    if np.nanmax(np.abs(rows), initial=0) > LARGEST:
        with np.errstate(over="ignore"):
            check_finite(owner, rows.astype(np.float32), what, data.columns if isinstance(data, pd.DataFrame) else None)
    return rows, index, form_of(data)


def read_index(owner: object, data: Any) -> pd.Index | None:
    """Return the checked index of `data`; None for an array."""
    return check_time_axis(owner, data.index) if isinstance(data, pd.Series | pd.DataFrame) else None


def same_steps(owner: object, left: pd.Index | None, right: pd.Index | None, lengths: tuple[int, int]) -> None:
    """Raise unless X and y have as many rows, and the same index where both have one."""
    if lengths[0] != lengths[1]:
        raise ValueError(f"{name_of(owner)}: X and y have inconsistent numbers of samples {list(lengths)}.")
    if left is None or right is None or _moments(left).equals(_moments(right)):
        return
    if type(left) is not type(right):
        raise ValueError(
            f"{name_of(owner)}: X has a {type(left).__name__} and y a {type(right).__name__}. Give both the same index."
        )
    row = int(np.flatnonzero(np.asarray(left != right))[0])
    raise ValueError(
        f"{name_of(owner)}: the index of X differs from that of y at row {row}: {left[row]} and {right[row]}. "
        "Align them first, e.g. with `X.loc[y.index]`."
    )


def _moments(index: pd.Index) -> pd.Index:
    """Return the stamps in UTC where they have a time zone."""
    return index.tz_convert("UTC") if isinstance(index, pd.DatetimeIndex) and index.tz is not None else index


def steps_left_out(owner: object, known: pd.Index, new: pd.Index | None, what: str) -> int:
    """Return how many steps lie between the end of `known` and the begin of `new`; 0 for rows without an index."""
    if new is None:
        return 0
    after = steps_after(known, new, owner=owner)
    if after is None:
        raise ValueError(
            f"{name_of(owner)}: the index of {what} ({type(new).__name__} from {new[0]}) does not continue the known "
            f"one ({type(known).__name__} to {known[-1]}). Give {what} stamps of the same kind and frequency."
        )
    if after < 1:
        raise ValueError(
            f"{name_of(owner)}: {what} begins at {new[0]}, but the series is known to {known[-1]}. "
            f"Pass rows that come after it."
        )
    return after - 1
