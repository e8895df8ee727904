"""The index as a time axis: what it must be, how it goes on, and where new data lie on it.

An index is a time axis if it is sorted, unique and regular: a `DatetimeIndex`, a `PeriodIndex`, or integers with a
constant step. Steps below a day are judged and counted in UTC, so that a day on which the clocks change is regular;
days, weeks, months and longer are those of the local calendar.
"""

from collections.abc import Callable
from typing import Any, TypeAlias, TypeGuard, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_integer_dtype
from pandas.tseries.frequencies import to_offset

from tsrnn._validation import name_of

TimeIndex: TypeAlias = pd.DatetimeIndex | pd.PeriodIndex

_KINDS = "a DatetimeIndex, PeriodIndex or RangeIndex"
_DAY = pd.Timedelta(days=1)
_BEYOND = (pd.errors.OutOfBoundsDatetime, pd.errors.OutOfBoundsTimedelta, OverflowError)
_NO_STEP = "One stamp has no step. Pass two rows or more, or set the frequency of the index (`index.freq`)."


def check_time_axis(owner: object, index: pd.Index) -> pd.Index:
    """Return `index` with its step, or raise the error that names the first row at fault.

    Parameters
    ----------
    owner : object or str
        Who refuses the index in an error.
    index : pandas.Index
        The stamps of the rows.

    Returns
    -------
    pandas.Index
        The same stamps, time zone and name. A `DatetimeIndex` has its `freq` set where pandas can hold it; integers
        become a `RangeIndex`. One stamp without a frequency is returned as it is: whoever needs its step raises.

    Raises
    ------
    TypeError
        If the index is neither a `DatetimeIndex`, a `PeriodIndex`, a `RangeIndex` nor another index of integers.
    ValueError
        If the stamps hold a missing value, repeat, go back in time or have no constant step.
    """
    if not (isinstance(index, TimeIndex) or is_integer_dtype(index.dtype)):
        raise TypeError(
            f"{name_of(owner)}: the index must be {_KINDS}; got {_kind(index)}. Turn text into stamps with "
            "`pd.to_datetime`, or number the rows with `reset_index(drop=True)`."
        )
    _check_missing(owner, index)
    _check_size(owner, index)
    _check_unique(owner, index)
    check_increasing(owner, index)
    if not isinstance(index, pd.DatetimeIndex):
        return _check_ordinals(owner, index)
    try:
        freq = _frequency(index)
    except _BEYOND as error:
        raise _too_far(owner, index) from error
    if freq is None and len(index) > 1:
        row, step = _first_irregular_row(index)
        raise _irregular(owner, index, row, step)
    return _with_freq(index, freq)


def continue_axis(index: pd.Index, n: int, skip: int = 0, *, owner: object = "time axis") -> pd.Index:
    """Return the `n` stamps that follow the end of `index`, a checked time axis, after leaving out `skip` of them.

    Type, time zone, resolution, name and frequency are those of `index`. A local midnight that daylight saving leaves
    out is the first moment of its day, and such a result has no `freq`, as pandas cannot hold it.

    Raises
    ------
    ValueError
        If the step of `index` is not known, because it has no row, or a single one without a frequency, or if pandas
        has no stamps that far.
    """
    if len(index) == 0:
        raise ValueError(f"{name_of(owner)}: an index without rows cannot be continued.")
    try:
        return _continued(owner, index, n, skip)
    except _BEYOND as error:
        raise _too_far(owner, index) from error


def _continued(owner: object, index: pd.Index, n: int, skip: int) -> pd.Index:
    if not isinstance(index, pd.DatetimeIndex):
        step = _ordinal_step(index)
        first = int(_ordinals(index)[-1]) + (1 + skip) * step
        return _from_ordinals(index, first, step, n)
    freq = _known_frequency(owner, index)
    last = index[-1] if is_fixed(freq) else _wall(index)[-1]
    future = pd.date_range(last, periods=n + skip + 1, freq=freq, name=index.name).as_unit(index.unit)[1 + skip :]
    return future if future.tz is not None or index.tz is None else _with_freq(local(future, index.tz), freq)


def steps_after(known: pd.Index, new: pd.Index, *, owner: object = "time axis") -> int | None:
    """Return how many steps after the last stamp of `known`, a checked time axis, the first stamp of `new` lies.

    1 says that `new` follows at once, 0 or less that it begins inside `known` or before it. `None` says that it cannot
    be known: one of the two has no rows, they are of different kinds, or `new` is not a run of stamps on the grid of
    `known`. Different time zones are compared in UTC.

    Raises
    ------
    TypeError
        If one of the two has a time zone and the other has none.
    ValueError
        If the step of `known` is not known, because it has a single row without a frequency.
    """
    if len(known) == 0 or len(new) == 0:
        return None
    if isinstance(known, pd.DatetimeIndex) and isinstance(new, pd.DatetimeIndex):
        try:
            return _stamps_after(owner, known, _in_zone_of(owner, known, new))
        except (pd.errors.OutOfBoundsDatetime, pd.errors.OutOfBoundsTimedelta):
            return None  # farther apart, or farther on, than pandas can count
    if isinstance(known, pd.DatetimeIndex) or isinstance(new, pd.DatetimeIndex) or not _same_ordinals(known, new):
        return None
    step = _ordinal_step(known)
    ordinals = _ordinals(new)
    count, rest = divmod(int(ordinals[0]) - int(_ordinals(known)[-1]), step)
    on_grid = rest == 0 and bool((np.diff(ordinals) == step).all())
    return count if on_grid else None


def check_increasing(owner: object, index: pd.Index) -> None:
    """Raise a ValueError that names the first row of `index`, if any, that lies before the row above it."""
    if index.is_monotonic_increasing:
        return
    _check_missing(owner, index)
    row = int(np.flatnonzero(np.diff(_ordinals(index)) < 0)[0]) + 1
    raise ValueError(
        f"{name_of(owner)}: the index is not increasing at row {row}: {index[row]} follows {index[row - 1]}. "
        "Sort the rows first, with `sort_index()`."
    )


def _kind(index: pd.Index) -> str:
    """Return how an error calls the type of `index`."""
    kind = type(index).__name__
    return f"an index of {index.dtype}" if kind == "Index" else f"a {kind}"


def _check_missing(owner: object, index: pd.Index) -> None:
    if index.hasnans:
        row = int(np.flatnonzero(index.isna())[0])
        raise ValueError(f"{name_of(owner)}: the index has NaT at row {row}. Drop such rows, or give them a stamp.")


def _check_size(owner: object, index: pd.Index) -> None:
    """Raise for stamps and numbers so far apart that their differences are no integers of 64 bits."""
    numbers = index.asi8 if isinstance(index, TimeIndex) else index
    least, most = (int(numbers.min()), int(numbers.max())) if len(numbers) else (0, 0)
    if most >= 2**63 or most - least >= 2**62:
        raise _too_far(owner, index)


def _too_far(owner: object, index: pd.Index) -> ValueError:
    return ValueError(
        f"{name_of(owner)}: the index must lie within what pandas can count and continue; got {index.min()} to "
        f"{index.max()}. Number the rows with `reset_index(drop=True)`."
    )


def _check_unique(owner: object, index: pd.Index) -> None:
    if index.is_unique:
        return
    repeats = index[index.duplicated()]
    remedy = "Drop or aggregate such rows, e.g. with `groupby(level=0).mean()`."
    if isinstance(repeats, pd.DatetimeIndex) and repeats.tz is None and _one_hour_a_year(repeats):
        remedy = (
            "If these are local times of the hour that daylight saving repeats, name their zone: "
            "`tz_localize(..., ambiguous='infer')`."
        )
    rows = "1 duplicate" if len(repeats) == 1 else f"{len(repeats)} duplicates"
    raise ValueError(f"{name_of(owner)}: the index has {rows}, the first one {repeats[0]}. {remedy}")


def _one_hour_a_year(stamps: pd.DatetimeIndex) -> bool:
    """Say whether `stamps` lie in one clock hour, or in one for each year."""
    hours = stamps.floor("h").unique()
    return bool(hours.year.is_unique)


def _irregular(owner: object, index: pd.Index, row: int, step: Any) -> ValueError:
    """Return the error for the `row` that does not lie one `step` after the row above it."""
    remedy = (
        "Regularise the rows with `asfreq` or `resample`; if they are irregular by nature, as trading days are, "
        "number them with `reset_index(drop=True)` (a RangeIndex)."
    )
    naive = isinstance(index, pd.DatetimeIndex) and index.tz is None
    if naive and index[row] - step == index[row - 1] + pd.Timedelta(hours=1):
        remedy += " If daylight saving leaves that hour out, name the zone: `tz_localize(...)`."
    return ValueError(
        f"{name_of(owner)}: the index is not regular at row {row}: {index[row]} follows {index[row - 1]}, "
        f"but the step is {step}. {remedy}"
    )


# Integers and periods: both are ordinal numbers with a constant step.


def _ordinals(index: pd.Index) -> NDArray[np.int64]:
    """Return the stamps as integers."""
    values = index.asi8 if isinstance(index, TimeIndex) else index.to_numpy()
    return np.asarray(values, dtype=np.int64)


def _ordinal_step(index: pd.Index) -> int:
    """Return the step between the ordinals of a checked `index`; that of one row is the one its type holds."""
    if len(index) > 1:
        first, second = _ordinals(index[:2])
        return int(second - first)
    if isinstance(index, pd.PeriodIndex):
        return int(cast(pd.offsets.BaseOffset, index.freq).n)
    return abs(index.step) if isinstance(index, pd.RangeIndex) else 1


def _from_ordinals(like: pd.Index, first: int, step: int, n: int) -> pd.Index:
    """Return `n` stamps of the type and the name of `like`."""
    stop = first + n * step
    if isinstance(like, pd.PeriodIndex):
        # The type stubs do not know this constructor.
        from_ordinals = cast(Callable[..., pd.PeriodIndex], pd.PeriodIndex.from_ordinals)  # type: ignore[attr-defined]
        return from_ordinals(np.arange(first, stop, step), freq=like.freq, name=like.name)
    return pd.RangeIndex(first, stop, step, name=like.name)


def _check_ordinals(owner: object, index: pd.Index) -> pd.Index:
    """Return an index of periods as it is and one of integers as a `RangeIndex`; raise if the step changes."""
    ordinals = _ordinals(index)
    if len(index) > 2:
        steps = np.diff(ordinals)
        usual = _most_frequent(steps)
        wrong = np.flatnonzero(steps != usual)
        if len(wrong):
            raise _irregular(owner, index, int(wrong[0]) + 1, usual)
    if isinstance(index, pd.PeriodIndex) or len(index) == 0:
        return index
    return _from_ordinals(index, int(ordinals[0]), _ordinal_step(index), len(index))


# Stamps: fixed steps are counted in UTC, calendar steps on the wall clock.


def is_fixed(freq: pd.offsets.BaseOffset) -> TypeGuard[pd.offsets.Tick]:
    """Say whether a step of `freq` always lasts the same time; a calendar day does not."""
    return isinstance(freq, pd.offsets.Tick) and not isinstance(freq, pd.offsets.Day)


def _fixed(step: pd.Timedelta) -> pd.offsets.BaseOffset:
    """Return a step of a fixed length; of 24 hours, where pandas itself may answer with a calendar day."""
    return to_offset(step) if step % _DAY != pd.Timedelta(0) else pd.offsets.Hour(24 * (step // _DAY))


def _wall(index: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the local times without their zone, and midnight for every stamp if each one is the start of its day."""
    if index.tz is None:
        return index
    clock = index.tz_localize(None)
    midnights = clock.normalize()
    return midnights if bool((local(midnights, index.tz) == index).all()) else clock


def local(wall: pd.DatetimeIndex, tz: Any) -> pd.DatetimeIndex:
    """Return the moments of the local times `wall`: the first of two, and 24 hours after the day before in a gap."""
    first = np.ones(len(wall), dtype=bool)
    local = wall.tz_localize(tz, ambiguous=first, nonexistent="NaT")
    if local.hasnans:  # `nonexistent="shift_forward"` is an hour off in some zones (pandas issue 40915)
        day_later = (wall - _DAY).tz_localize(tz, ambiguous=first, nonexistent="NaT") + _DAY
        local = local.where(local.notna(), day_later)
    return local


def _with_freq(index: pd.DatetimeIndex, freq: pd.offsets.BaseOffset | None) -> pd.DatetimeIndex:
    """Return `index` with its `freq` set, unless pandas could not hold it."""
    if freq is None or index.freq is not None:
        return index
    if index.tz is not None and not is_fixed(freq):
        # pandas refuses calendar steps to a time that the clocks leave out or show twice.
        plain = _wall(index).tz_localize(index.tz, ambiguous="NaT", nonexistent="NaT")
        if plain.hasnans:
            return index
    return pd.DatetimeIndex(index, freq=freq)


def _frequency(index: pd.DatetimeIndex) -> pd.offsets.BaseOffset | None:
    """Return the step of a sorted and unique `index`, None if there is none or it has a single row."""
    if index.freq is not None or len(index) < 2:
        return index.freq
    if len(index) > 2 and (index[1:] - index[:-1]).min() > _DAY / 2:
        inferred = pd.DatetimeIndex(_wall(index), freq="infer").freq
        if inferred is not None and not is_fixed(inferred):
            return inferred
    fits, step = _likely_step(index)
    return step if fits.all() else None


def _known_frequency(owner: object, index: pd.DatetimeIndex) -> pd.offsets.BaseOffset:
    freq = _frequency(index)
    if freq is None:
        raise ValueError(f"{name_of(owner)}: {_NO_STEP}")
    return freq


def _first_irregular_row(index: pd.DatetimeIndex) -> tuple[int, pd.offsets.BaseOffset]:
    """Return the first row that breaks the likely step of an `index` without a frequency, and that step."""
    fits, step = _likely_step(index)
    return int(np.flatnonzero(~fits)[0]) + 1, step


def _likely_step(index: pd.DatetimeIndex) -> tuple[NDArray[np.bool_], pd.offsets.BaseOffset]:
    """Return the step that most rows of `index` keep, and which rows from the second on keep it."""
    steps = np.diff(index.asi8)
    most = _most_frequent(steps)
    usual = pd.Timedelta(most, unit=index.unit)
    found = [(steps == most, _fixed(usual))]
    if usual > _DAY / 2:
        wall = _wall(index)
        found = [(np.asarray(wall[:-1] + step == wall[1:]), step) for step in _calendar_steps(wall)] + found
    return max(found, key=lambda pair: int(pair[0].sum()))


def _calendar_steps(wall: pd.DatetimeIndex) -> list[pd.offsets.BaseOffset]:
    """Return the calendar steps that local times may have, the likeliest first."""
    days = pd.Timedelta(_most_frequent(np.diff(wall.asi8)), unit=wall.unit) // _DAY
    steps: list[pd.offsets.BaseOffset] = [pd.offsets.Day(days)] if days else []
    steps.append(pd.offsets.BusinessDay())
    for months in (1, 3, 12):
        steps += [pd.DateOffset(months=months), pd.offsets.MonthEnd(months)]
    return steps


def _most_frequent(values: NDArray[np.int64]) -> int:
    """Return the most frequent value, the smallest of several: a hole in the rows makes a step longer."""
    unique, counts = np.unique(values, return_counts=True)
    return int(unique[np.argmax(counts)])


def _in_zone_of(owner: object, known: pd.DatetimeIndex, new: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the moments of `new` in the time zone of `known`."""
    if known.tz is not None and new.tz is not None:
        return new.tz_convert(known.tz)
    if known.tz is None and new.tz is None:
        return new
    raise TypeError(
        f"{name_of(owner)}: the new index is {new.dtype}, the known one {known.dtype}: stamps with and without a time "
        "zone cannot be compared. Name the zone with `tz_localize`, or leave it out with `tz_localize(None)`."
    )


def _stamps_after(owner: object, known: pd.DatetimeIndex, new: pd.DatetimeIndex) -> int | None:
    """Return `steps_after` for stamps of one time zone."""
    freq = _known_frequency(owner, known)
    if new.hasnans:
        return None
    if is_fixed(freq):
        count, rest = divmod(new[0] - known[-1], pd.Timedelta(freq))
        return int(count) if rest == pd.Timedelta(0) and _is_run(new, freq) else None
    wall = _wall(cast(pd.DatetimeIndex, known.append(new)))
    last, first, rows = wall[len(known) - 1], wall[len(known)], wall[len(known) :]
    if not _is_run(rows, freq):
        return None
    between = pd.date_range(min(last, first), max(last, first), freq=freq)
    if len(between) == 0 or between[0] != min(last, first) or between[-1] != max(last, first):
        return None
    return len(between) - 1 if first >= last else 1 - len(between)


def _is_run(stamps: pd.DatetimeIndex, freq: Any) -> bool:
    """Say whether each stamp follows the one before by `freq`."""
    return bool((pd.date_range(stamps[0], periods=len(stamps), freq=freq) == stamps).all())


def _same_ordinals(known: pd.Index, new: pd.Index) -> bool:
    """Say whether both are periods of one length, or both integers."""
    if isinstance(known, pd.PeriodIndex) and isinstance(new, pd.PeriodIndex):
        return bool(known.freq == new.freq) and not new.hasnans
    both = is_integer_dtype(known.dtype) and is_integer_dtype(new.dtype)
    return both and not new.hasnans and bool(new.max() < 2**63)
