"""From series to windows and targets, and from a network's outputs to forecasts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from tsrnn._anchors import CHUNK, level_of, offsets_of
from tsrnn.windows import Windows

Floats = NDArray[np.float64]
Origins = NDArray[np.int64]


@dataclass(frozen=True)
class Framing:
    """How a window and its target are cut from a series.

    ::

        beside the value at step t stands the covariate at step t + reach (and t + reach - lookback, ...)

    Parameters
    ----------
    lookback, reach : int
        Steps in a window, and steps forecast in one go.
    anchor : str or None
        What is subtracted from a window and added back to its forecast.
    seasons : tuple of int
        The seasons of the anchor "seasonal".
    per_window : bool
        Whether each window and its target are in units of the window's standard deviation.
    multivariate : bool
        Whether the targets of a series stand in one window, or each in its own.
    future, past : list of int
        Columns of the covariates that are known in the future, and those that are not.
    """

    lookback: int
    reach: int
    anchor: str | None
    seasons: tuple[int, ...]
    per_window: bool
    multivariate: bool
    future: list[int]
    past: list[int]

    def windows(self, series: Sequence[tuple[Floats, Floats | None]], origins: Sequence[Origins]) -> Windows:
        """Return the windows that end at `origins` of each series (values, covariates), one series after the other.

        Of one series with several targets, each origin has a window for each target, unless it is multivariate.
        """
        longest = max(len(values) for values, _ in series)
        steps, starts, times, offsets, scales = [], [], [], [], []
        begin = 0
        for (values, covariates), ends in zip(series, origins, strict=True):
            beside = self._beside(covariates, len(values))
            columns = [values] if self.multivariate else list(values.T[:, :, None])
            steps += [np.concatenate([column, beside], axis=1) for column in columns]
            shifts = begin + len(values) * np.arange(len(columns))
            starts.append((ends[:, None] - self.lookback + 1 + shifts).ravel())
            # Series that are not as long as the longest one are taken to end with it.
            times.append(np.repeat(ends + longest - len(values), len(columns)))
            offsets.append(self._rows(offsets_of(self.anchor, values, ends, self.lookback), beside, len(columns), 0))
            scales.append(self._rows(self._scales(values, ends), beside, len(columns), 1))
            begin += len(values) * len(columns)
        return Windows(
            np.concatenate(steps),
            np.concatenate(starts),
            self.lookback,
            origins=np.concatenate(times),
            offsets=_joined(offsets),
            scales=_joined(scales),
        )

    def targets(self, series: Sequence[tuple[Floats, Floats | None]], origins: Sequence[Origins]) -> Floats:
        """Return what follows each window, (n_windows, reach), or (n_windows, reach * n_targets) of several in one."""
        width = series[0][0].shape[1]
        per_origin, n_columns = (1, self.reach * width) if self.multivariate else (width, self.reach)
        # Filled series by series: beside the windows, which stay lazy, this is the largest array of a fit.
        targets = np.empty((per_origin * sum(len(ends) for ends in origins), n_columns))
        begin = 0
        for (values, _), ends in zip(series, origins, strict=True):
            ahead = values[ends[:, None] + 1 + np.arange(self.reach)] - self._levels(values, ends)
            scales = self._scales(values, ends)
            ahead = ahead if scales is None else ahead / scales[:, None]
            rows = ahead if self.multivariate else ahead.swapaxes(1, 2)
            end = begin + per_origin * len(ends)
            targets[begin:end] = rows.reshape(-1, n_columns)
            begin = end
        return targets

    def forecasts(
        self, outputs: Floats, series: Sequence[tuple[Floats, Floats | None]], origins: Sequence[Origins]
    ) -> list[Floats]:
        """Return the forecasts (n_origins, reach, n_targets) of each series that the `outputs` of its windows tell."""
        found, begin = [], 0
        for (values, _), ends in zip(series, origins, strict=True):
            n_targets = values.shape[1]
            width = n_targets if self.multivariate else 1
            count = len(ends) * n_targets // width
            by_window = outputs[begin : begin + count].reshape(len(ends), -1, self.reach, width)
            own: Floats = by_window.swapaxes(1, 2).reshape(len(ends), self.reach, n_targets)
            scales = self._scales(values, ends)
            own = own if scales is None else own * scales[:, None]
            found.append(own + self._levels(values, ends))
            begin += count
        return found

    def _levels(self, values: Floats, ends: Origins) -> Floats:
        return level_of(self.anchor, values, ends, (self.lookback, self.reach), self.seasons)

    def _scales(self, values: Floats, ends: Origins) -> Floats | None:
        """Return the standard deviation of each window, (n_windows, n_targets); 1 where a window is constant."""
        if not self.per_window:
            return None
        views = sliding_window_view(values, self.lookback, axis=0)
        firsts = ends - self.lookback + 1
        parts = [views[firsts[i : i + CHUNK]] for i in range(0, len(ends), CHUNK)]
        deviation = np.concatenate([part.std(axis=2) for part in parts])
        size = np.concatenate([np.abs(part).max(axis=2) for part in parts])
        return np.where(deviation > 1e-9 * size, deviation, 1.0)

    def _beside(self, covariates: Floats | None, n_steps: int) -> Floats:
        """Return what stands beside the series: known-future columns as lead channels, the others as they are."""
        if covariates is None:
            return np.empty((n_steps, 0))
        rows = np.arange(n_steps)
        leads = [
            covariates[np.minimum(rows + lead, len(covariates) - 1)][:, self.future]
            for lead in range(self.reach, 0, -self.lookback)
        ]
        return np.concatenate([*leads, covariates[:n_steps, self.past]], axis=1)

    def _rows(self, values: Floats | None, beside: Floats, n_columns: int, neutral: float) -> Floats | None:
        """Return what belongs to each window and channel; `neutral` for those that stand beside the series."""
        if values is None:
            return None
        rows = values.reshape(len(values) * n_columns, -1)
        return np.concatenate([rows, np.full((len(rows), beside.shape[1]), neutral)], axis=1)


def _joined(parts: list[Floats | None]) -> Floats | None:
    kept = [part for part in parts if part is not None]
    return np.concatenate(kept) if kept else None
