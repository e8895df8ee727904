"""Missing values of a series, by an explicit policy."""

from dataclasses import replace
from typing import TypeAlias

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


def tail(target: Floats, origin: int, needed: int, policy: str) -> Floats:
    """Return the last `needed` rows up to `origin`, filled as all rows up to it would be."""
    start = max(0, origin + 1 - needed)
    begin = start
    while policy == "interpolate" and begin > 0 and np.isnan(target[begin]).any():
        begin -= 1
    return filled(target[begin : origin + 1], policy)[start - begin :].copy()


def cut(track: Track, origin: int, needed: int, n_ahead: int, policy: str) -> Track:
    """Return the `needed` rows of a series up to `origin`, with the covariates of `n_ahead` steps more."""
    start = max(0, origin + 1 - needed)
    covariates = None if track.covariates is None else track.covariates[start : origin + 1 + n_ahead]
    return replace(track, target=tail(track.target, origin, needed, policy), covariates=covariates)


Job: TypeAlias = tuple[int, NDArray[np.int64], Track, NDArray[np.int64]]
"""Number of a series, which of its origins, what is known of it, and where the origins lie in that."""


def around_gaps(tracks: list[Track], origins: list[NDArray[np.int64]], needed: int, n_ahead: int) -> list[Job]:
    """Return jobs to forecast from `origins` so that no gap is filled with what comes after it.

    Where a value is missing at an origin, the series ends there.
    """
    jobs: list[Job] = []
    for number, (track, rows) in enumerate(zip(tracks, origins, strict=True)):
        is_open = np.isnan(track.target[rows]).any(axis=1)
        jobs.append((number, np.flatnonzero(~is_open), track, rows[~is_open]))
        for k in np.flatnonzero(is_open):
            known = cut(track, int(rows[k]), needed, n_ahead, "interpolate")
            jobs.append((number, np.array([k]), known, np.array([len(known.target) - 1])))
    return [job for job in jobs if len(job[1])]
