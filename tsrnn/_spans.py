"""Lengths of time: a number of rows, or an offset that the stamps of the rows measure."""

import datetime
import numbers
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.tseries.frequencies import to_offset

from tsrnn._time_axis import is_fixed, local
from tsrnn._validation import check_int, invalid_parameter

Span: TypeAlias = str | datetime.timedelta | np.timedelta64 | pd.offsets.BaseOffset
Size: TypeAlias = int | pd.Timedelta | pd.offsets.BaseOffset

# A `DateOffset` of these alone is a length of time, as it is to pandas.
_CLOCK = {"hours", "minutes", "seconds", "milliseconds", "microseconds", "nanoseconds"}


def read_span(owner: object, parameter: str, value: Any, times: pd.DatetimeIndex | None, minimum: int = 1) -> Size:
    """Return a parameter as a number of rows or as an offset, or raise if it is neither or too small."""
    allowed = f"an integer >= {minimum} or an offset such as '7D'"
    if isinstance(value, numbers.Integral) and not isinstance(value, np.timedelta64):  # numpy counts it as one
        return check_int(owner, parameter, value, minimum=minimum)
    try:
        offset = _as_offset(value)
    except ValueError as error:
        raise invalid_parameter(owner, parameter, allowed, value, f"pandas says: {error}") from error
    # No offset that only sets a field, such as the day of the month, moves the first moment of a month and week.
    moment = pd.Timestamp("2001-01-01")
    if offset is None or not (moment - offset < moment or (minimum == 0 and moment - offset == moment)):
        raise invalid_parameter(owner, parameter, allowed, value)
    if times is None:
        remedy = "Give the rows their stamps, e.g. with `X.set_index(...)`."
        constraint = f"an integer >= {minimum}, as neither X nor y has a DatetimeIndex or PeriodIndex"
        raise invalid_parameter(owner, parameter, constraint, value, remedy)
    return offset


def _as_offset(value: Any) -> pd.Timedelta | pd.offsets.BaseOffset | None:
    """Return `value` as something to subtract from a stamp, None if it is no offset."""
    if isinstance(value, datetime.timedelta | np.timedelta64):
        return pd.Timedelta(value)
    if not isinstance(value, str | pd.offsets.BaseOffset):
        return None
    offset = to_offset(value)
    if is_fixed(offset):
        return pd.Timedelta(offset)
    if type(offset) is pd.DateOffset and offset.kwds and _CLOCK.issuperset(offset.kwds):
        return offset.n * pd.Timedelta(**offset.kwds)
    if isinstance(offset, pd.offsets.Week):
        return pd.DateOffset(weeks=offset.n)  # seven days, whichever weekday the offset is anchored to
    return offset


def row_back(end: int, size: Size, times: pd.DatetimeIndex | None) -> int:
    """Return where the block of `size` begins whose last row is `end - 1`; below 0 if integers lead there."""
    if isinstance(size, int):
        return end - size
    if times is None or end < 1:
        return 0
    last: pd.Timestamp = times[end - 1]
    before: Any
    if last.tz is None or isinstance(size, pd.Timedelta):
        before = last - size
    else:  # on the wall clock: pandas' own calendar steps may fail at a time that the clocks leave out or show twice
        wall = last.tz_localize(None) - size
        before = wall.tz_localize(last.tz, ambiguous=True, nonexistent="NaT")
        if before is pd.NaT:  # `nonexistent="shift_backward"` is an hour off in some zones (pandas issue 66550)
            before = (wall.floor("h") - pd.Timedelta(microseconds=1)).tz_localize(last.tz)
    return int(times.searchsorted(before, side="right"))


def rows_apart(index: pd.DatetimeIndex, size: pd.Timedelta | pd.offsets.BaseOffset) -> NDArray[np.int64]:
    """Return the rows one, two, ... times `size` before the last one and that one, sorted: days by the wall clock."""
    wall, is_calendar = index, index.tz is not None and not isinstance(size, pd.Timedelta)
    if is_calendar:
        wall = index.tz_localize(None)
    last, first = wall[-1], wall.min()
    stamps = [last]
    while stamps[-1] > first:
        stamps.append(last - len(stamps) * size)
    moments = pd.DatetimeIndex(stamps[::-1])
    rows = index.get_indexer(local(moments, index.tz) if is_calendar else moments)
    rows[-1] = len(index) - 1  # also where the clocks show it twice
    found: NDArray[np.int64] = rows[rows >= 0].astype(np.int64)
    return found
