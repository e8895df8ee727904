"""Missing values of a series, by an explicit policy."""

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tsrnn._panels import Track

Floats = NDArray[np.float64]

POLICIES = ["error", "interpolate", "drop"]


def filled(target: Floats, policy: str) -> Floats:
    """Return (n_steps, n_targets) with gaps filled on the straight line between their ends, if that is the policy.

    A gap at the beginning or at the end takes the one value that it touches.
    """
    if policy != "interpolate" or not np.isnan(target).any():
        return target
    rows, columns = np.arange(len(target)), []
    for column in target.T:
        known = ~np.isnan(column)
        columns.append(np.interp(rows, rows[known], column[known]) if known.any() else column)
    return np.stack(columns, axis=1)


def complete(values: Floats, origins: NDArray[np.int64], lookback: int, reach: int) -> NDArray[np.bool_]:
    """Return for each origin whether its window and the `reach` steps after it lack nothing."""
    lacking = np.isnan(values).any(axis=1)
    if not lacking.any():
        return np.ones(len(origins), dtype=bool)
    holed: NDArray[np.bool_] = np.any(sliding_window_view(lacking, lookback + reach), axis=1)
    return ~holed[origins - lookback + 1]


def until(track: Track, origin: int) -> Track:
    """Return what is known of a series at `origin`, its covariates as they are."""
    return Track(track.name, track.target[: origin + 1], track.covariates, track.index, track.learnt)


def around_gaps(tracks: list[Track], origins: list[NDArray[np.int64]]) -> list[tuple[int, Any, Track]]:
    """Return (number of the series, which of its origins, series) so that no gap is filled with what comes after it.

    Where a value is missing at an origin, the series ends there.
    """
    jobs: list[tuple[int, Any, Track]] = []
    for number, (track, rows) in enumerate(zip(tracks, origins, strict=True)):
        is_open = np.isnan(track.target[rows]).any(axis=1)
        jobs.append((number, np.flatnonzero(~is_open), track))
        jobs += [(number, np.array([k]), until(track, int(rows[k]))) for k in np.flatnonzero(is_open)]
    return [job for job in jobs if len(job[1])]
