"""What a forecaster says of its uncertainty: conformal intervals, quantiles and paths from walk-forward residuals."""

import math
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from tsrnn._panels import PanelForm, Track, split
from tsrnn._series import Floats, Form
from tsrnn._validation import check_int, check_option, check_real, name_of

METHODS = ["conformal", "adaptive"]
CALIBRATION = 0.25
"""Fraction of the known rows, the last ones, whose forecasts by a fit on those before them are the residuals."""
RATE = 0.02
"""Step of adaptive conformal inference: how much one miss widens the level of the next interval."""


def conformal_rank(count: int, coverage: float) -> int:
    """Return which of `count` sorted scores covers one more with probability `coverage`; `count` + 1 for none."""
    return math.ceil((count + 1) * coverage - 1e-9)


def conformal_widths(residuals: Floats, coverage: float) -> Floats:
    """Return half the width of the intervals (n_steps, n_targets), from residuals (n_origins, n_steps, n_targets)."""
    rank = conformal_rank(len(residuals), coverage)
    widths: Floats = np.sort(np.abs(residuals), axis=0)[min(rank, len(residuals)) - 1]
    return widths


def adaptive_widths(residuals: Floats, coverage: float) -> Floats:
    """Return half the width of the intervals after each miss so far has widened them, and each hit narrowed them.

    Every step ahead and target has a level of its own, replayed over its residuals in the order of time; the scores
    that a level selects from are those before it (Gibbs & Candes 2021).
    """
    scores, missed = np.abs(residuals), 1 - coverage
    first = max(1, math.ceil(1 / missed))
    flat = scores.reshape(len(scores), -1)
    widths = np.empty(flat.shape[1])
    for number, column in enumerate(flat.T):
        level, ordered = missed, np.sort(column[:first])
        for score in column[first:]:
            level += RATE * (missed - (score > _score_at(ordered, level)))
            ordered = np.insert(ordered, np.searchsorted(ordered, score), score)
        widths[number] = _score_at(ordered, level)
    return widths.reshape(scores.shape[1:])


def _score_at(ordered: Floats, level: float) -> float:
    """Return the score that a new one exceeds with probability `level`; past the ends, the greatest, or none."""
    rank = conformal_rank(len(ordered), 1 - level)
    return 0.0 if rank < 1 else float(ordered[min(rank, len(ordered)) - 1])


class IntervalMixin:
    """Intervals and sample paths of a forecaster, from the residuals of forecasts that it would have made.

    A copy, fitted on the first three quarters of the known rows, forecasts from every origin in the last one; the first
    call fits it, and rows that come with `update` add to its residuals.
    """

    horizon: int
    _form: Form
    _panel: PanelForm | None
    _tracks: dict[Any, Track]
    _copy: "tuple[Any, dict[Any, int]] | None" = None

    def predict_interval(self, X: Any = None, *, coverage: float = 0.9, method: str = "conformal") -> Any:
        """Return intervals that hold the steps to come with a given probability, each step by itself.

        Parameters
        ----------
        X : as in `predict`, default=None
            The covariates of the steps to forecast.
        coverage : float, default=0.9
            The probability, in (0, 1).
        method : {"conformal", "adaptive"}, default="conformal"
            "conformal": as wide, for each step ahead, as that part of the walk-forward residuals; "adaptive": the same
            with a level that each value seen so far, those of `update` included, has widened or narrowed.

        Returns
        -------
        DataFrame (n_steps, 2) or (n_steps, 2 * n_targets), ndarray of shape (n_steps, n_targets, 2), or a panel
            The bounds "lower" and "upper" in the units of the series: the columns of a DataFrame, below the names of
            the targets where there are several; the last axis of an array.

        Raises
        ------
        InvalidParameterError
            `coverage` or `method` is not what it must be.
        ValueError
            Too few rows for a copy of the forecaster and its residuals, or for so high a coverage.

        References
        ----------
        Vovk, Gammerman & Shafer (2005), doi:10.1007/b106715: split conformal prediction. Gibbs & Candes (2021),
        doi:10.48550/arXiv.2106.00170: adaptive conformal inference.
        """
        check_real(self, "coverage", coverage, low=0, high=1)
        check_option(self, "method", method, METHODS)
        bounds = {}
        for name, forecast in self._forecasts(X).items():
            widths = self._widths(name, len(forecast), coverage, method)
            centre = np.asarray(forecast, dtype=np.float64).reshape(widths.shape)
            bounds[name] = self._dress_bounds(forecast, np.stack([centre - widths, centre + widths], axis=-1))
        return bounds[None] if self._panel is None else self._panel.dress(bounds)

    def sample_paths(self, X: Any = None, *, n_paths: int = 100, random_state: Any = None) -> Any:
        """Return paths that the series may take: the forecast plus whole walks of its residuals.

        Parameters
        ----------
        X : as in `predict`, default=None
            The covariates of the steps to forecast.
        n_paths : int, default=100
            Paths to draw.
        random_state : int or None, default=None
            Seed of the draw. None: from the system's entropy.

        Returns
        -------
        ndarray of shape (n_paths, n_steps, n_targets), or a dict of such for a panel
            In the units of the series. Residuals of one origin stay together, so that errors last along a path as they
            did.

        Raises
        ------
        InvalidParameterError
            `n_paths` is no integer >= 1.
        ValueError
            Too few rows for a copy of the forecaster and its residuals.
        """
        check_int(self, "n_paths", n_paths, minimum=1)
        rng, paths = np.random.default_rng(random_state), {}
        for name, forecast in self._forecasts(X).items():
            residuals = self._residuals(name, len(forecast))
            centre = np.asarray(forecast, dtype=np.float64).reshape(residuals.shape[1:])
            paths[name] = centre + residuals[rng.integers(len(residuals), size=n_paths)]
        return paths[None] if self._panel is None else paths

    def _forecasts(self, X: Any) -> dict[Any, Any]:
        """Return the forecast of each series by its name."""
        answer = self.predict(X)  # type: ignore[attr-defined]
        return {None: answer} if self._panel is None else split(self, answer, "X")

    def _widths(self, name: Any, n_steps: int, coverage: float, method: str = "conformal") -> Floats:
        """Return half the width of the intervals of a series, (n_steps, n_targets)."""
        residuals = self._residuals(name, n_steps)
        self._check_enough(name, len(residuals), coverage)
        return (adaptive_widths if method == "adaptive" else conformal_widths)(residuals, coverage)

    def _calibrated(self, name: Any) -> tuple[Any, Track, int]:
        """Return the copy, a series with what the copy has learnt of it, and how many of its rows the copy has seen."""
        if self._copy is None:
            self._copy = self._fitted_copy()
        fresh, firsts = self._copy
        track = self._tracks[name]
        first = firsts.get(name) or _first(track)
        known = replace(track, target=track.target[:first], covariates=_until(track.covariates, first))
        if name in fresh._tracks:
            learnt = fresh._tracks[name].learnt
        else:
            fresh._learn_track(known)
            learnt = known.learnt
        return fresh, replace(track, learnt=learnt), first

    def _residuals(self, name: Any, n_steps: int) -> Floats:
        """Return what the copy missed from each origin after its own fit, in the order of time."""
        fresh, track, first = self._calibrated(name)
        rows = np.arange(first - 1, len(track.target) - n_steps)
        rows = rows[fresh._can_forecast(track, rows)]
        if len(rows) == 0:
            raise ValueError(
                f"{name_of(self)}: the last {len(track.target) - first} of {len(track.target)} rows are too few for "
                f"residuals {n_steps} steps ahead. Pass a longer series."
            )
        forecasts = fresh._roll([track], [rows], n_steps)[0]
        residuals: Floats = track.target[rows[:, None] + 1 + np.arange(n_steps)] - forecasts
        return residuals[~np.isnan(residuals).any(axis=(1, 2))]

    def _fitted_copy(self) -> tuple[Any, dict[Any, int]]:
        """Return a copy of this forecaster fitted on the first part of each series, and the length of that part."""
        fresh = copy(self._as_fitted())  # type: ignore[attr-defined]
        firsts = {name: _first(track) for name, track in self._tracks.items()}
        fresh._tracks = {
            name: replace(track, target=track.target[: firsts[name]], covariates=_until(track.covariates, firsts[name]))
            for name, track in self._tracks.items()
        }
        try:
            fresh._learn_tracks(list(fresh._tracks.values()))
        except ValueError as error:
            error.add_note(f"{name_of(self)}: in the fit of a copy on the first three quarters of the known rows.")
            raise
        return fresh, firsts

    def _check_enough(self, name: Any, count: int, coverage: float) -> None:
        needed = math.ceil(coverage / (1 - coverage) - 1e-9)
        if count < needed:
            raise ValueError(
                f"{name_of(self)}: coverage={coverage:g} needs at least {needed} residuals; the last quarter of the "
                f"series{'' if name is None else f' {name!r}'} gives {count}. Lower it, or pass a longer series."
            )

    def _dress_bounds(self, forecast: Any, bounds: Floats) -> Any:
        """Return bounds (n_steps, n_targets, 2) in the form of the forecast."""
        if not hasattr(forecast, "index"):
            return bounds
        names = ["lower", "upper"]
        columns = pd.Index(names)
        if isinstance(forecast, pd.DataFrame):
            columns = pd.MultiIndex.from_product([forecast.columns, names])
        return pd.DataFrame(bounds.reshape(len(bounds), -1), index=forecast.index, columns=columns)


def _first(track: Track) -> int:
    """Return how many rows of a series the copy is fitted on."""
    return len(track.target) - round(CALIBRATION * len(track.target))


def _until(covariates: Floats | None, end: int) -> Floats | None:
    return None if covariates is None else covariates[:end]
