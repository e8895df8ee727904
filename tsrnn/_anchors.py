"""Anchors: what is subtracted from a window and added back to its forecast."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsrnn._validation import check_memory
from tsrnn.windows import Windows

Floats = NDArray[np.float64]

CHUNK = 4096
"""Windows that the linear map looks at in one go."""

ALPHAS = (1.0, 10.0, 100.0, 1000.0)
"""The penalties of the linear map to choose from, on standardised values."""

HELD_OUT = 0.2
"""Fraction of the windows, the last ones in time, on which they are compared."""


def offsets_of(anchor: str | None, values: Floats, origins: NDArray[np.int64], lookback: int) -> Floats | None:
    """Return what is subtracted from the windows that end at `origins`, (n_windows, n_targets); None for nothing."""
    if anchor is None:
        return None
    if anchor != "mean":
        last: Floats = values[origins]
        return last
    is_known = ~np.isnan(values)
    start = np.nan_to_num(values[np.argmax(is_known, axis=0), np.arange(values.shape[1])])
    known = np.where(is_known, values - start, 0.0)  # windows that lack a value are of no use
    sums = np.cumsum(np.concatenate([np.zeros((1, values.shape[1])), known]), axis=0)
    means: Floats = (sums[origins + 1] - sums[origins + 1 - lookback]) / lookback + start
    return means


def level_of(
    anchor: str | None, values: Floats, origins: NDArray[np.int64], shape: tuple[int, int], seasons: tuple[int, ...]
) -> Floats:
    """Return what is added back to the forecasts from `origins`, (n_windows, horizon, n_targets).

    `shape` is (lookback, horizon). The level of "linear" is that of "last": its map learns what comes on top. That of
    several seasons is the mean of what each of them tells.
    """
    lookback, horizon = shape
    offsets = offsets_of(anchor, values, origins, lookback)
    if offsets is None:
        return np.zeros((len(origins), horizon, values.shape[1]))
    if anchor == "seasonal":
        backs = [season - np.arange(horizon) % season for season in seasons]
        return np.mean([values[origins[:, None] + 1 - back] for back in backs], axis=0)  # type: ignore[no-any-return]
    return np.repeat(offsets[:, None], horizon, axis=1)


class LinearMap:
    """Ridge regression from windows to targets in closed form, summed up chunk by chunk.

    The windows are never all in memory: the normal equations need (lookback * n_features)^2 numbers. All are taken
    relative to the first one, so that the sums of squares of values at a high level keep their digits. Its penalty is
    that of `ALPHAS` which errs least on the last fifth of the windows, as told by the fit on those before them.
    """

    def fit(self, windows: Windows, targets: Floats) -> "LinearMap":
        """Solve for the targets (n_windows, n_outputs)."""
        size = windows.shape[1] * windows.shape[2]
        check_memory("Forecaster", 32 * size * (size + targets.shape[1]))
        self.start_ = flat(windows[:1])
        is_late = windows.origins > np.quantile(windows.origins, 1 - HELD_OUT)
        early, late = np.flatnonzero(~is_late), np.flatnonzero(is_late)
        sums = self._sums(windows, targets, early)
        self.alpha_ = ALPHAS[0]
        if len(late):
            self.alpha_ = min(ALPHAS, key=lambda alpha: self._error(sums, alpha, windows[late], targets[late]))
        self._solve([a + b for a, b in zip(sums, self._sums(windows, targets, late), strict=True)], self.alpha_)
        return self

    def _sums(self, windows: Windows, targets: Floats, rows: NDArray[np.int64]) -> list[Any]:
        """Return the number of rows, their sums, and those of their products with each other and with the targets."""
        size = windows.shape[1] * windows.shape[2]
        gram, cross, total = np.zeros((size, size)), np.zeros((size, targets.shape[1])), np.zeros(size)
        for first in range(0, len(rows), CHUNK):
            chosen = rows[first : first + CHUNK]
            part = flat(windows[chosen]) - self.start_
            gram += part.T @ part
            cross += part.T @ targets[chosen]
            total += part.sum(axis=0)
        return [len(rows), total, targets[rows].sum(axis=0), gram, cross]

    def _solve(self, sums: list[Any], alpha: float) -> None:
        count, total, sum_of_targets, gram, cross = sums
        mean, level = total / count, sum_of_targets / count
        gram = gram - count * np.outer(mean, mean)
        gram[np.diag_indices(len(gram))] += alpha
        self.coef_ = np.linalg.solve(gram, cross - count * np.outer(mean, level))
        self.intercept_ = level - mean @ self.coef_

    def _error(self, sums: list[Any], alpha: float, windows: Windows, targets: Floats) -> float:
        """Return the mean square of the errors on windows that the fit has not seen."""
        self._solve(sums, alpha)
        return float(((self.predict(windows) - targets) ** 2).mean())

    def predict(self, windows: Windows) -> Floats:
        """Return the outputs (n_windows, n_outputs)."""
        starts = range(0, len(windows), CHUNK)
        parts = [(flat(windows[first : first + CHUNK]) - self.start_) @ self.coef_ for first in starts]
        outputs: Floats = np.concatenate(parts) + self.intercept_
        return outputs


def flat(windows: Windows) -> Floats:
    """Return each window as one row of float64, (n_windows, lookback * n_features)."""
    return np.asarray(windows, dtype=np.float64).reshape(len(windows), -1)
