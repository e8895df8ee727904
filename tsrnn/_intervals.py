"""What a forecaster says of its uncertainty: intervals, quantiles and paths, calibrated on walk-forward forecasts."""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsrnn._conformal import adaptive_walk, adaptive_widths, conformal_shift, conformal_widths, scores_needed
from tsrnn._distributions import NEEDED, Reader, point, reader
from tsrnn._panels import PanelForm, Track
from tsrnn._series import Floats, Form
from tsrnn._validation import check_int, check_levels, check_option, check_real, name_of

CALIBRATION = 0.25
"""Fraction of the known rows, the last ones, whose forecasts by a fit on those before them are the residuals."""

PLAIN = ["conformal", "adaptive"]
"""Methods for every forecaster; the others need a regressor that tells how uncertain it is."""


class IntervalMixin:
    """Intervals, quantiles and sample paths of a forecaster, calibrated on forecasts that it would have made.

    A copy, fitted on the first three quarters of the rows of the fit, forecasts from every origin after them; the first
    call fits it, and rows that come with `update` add to its residuals.
    """

    horizon: int
    _form: Form
    _panel: PanelForm | None
    _tracks: dict[Any, Track]
    _methods: ClassVar[list[str]] = PLAIN
    _fit_tracks: dict[Any, Track]
    _is_foreign: bool
    _copy: "tuple[Any, dict[Any, int]] | None" = None
    _memory: "dict[Any, tuple[Floats, Floats]] | None" = None

    def predict_interval(self, X: Any = None, *, coverage: float = 0.9, method: str = "conformal") -> Any:
        """Return intervals that hold the steps to come with a given probability, each step by itself.

        Parameters
        ----------
        X : as in `predict`, default=None
            The covariates of the steps to forecast.
        coverage : float, default=0.9
            The probability, in (0, 1).
        method : {"conformal", "adaptive", "quantile", "gaussian", "ensemble"}, default="conformal"
            What the width of an interval follows. "conformal": the walk-forward residuals of each step ahead;
            "adaptive": the same with a level that each value seen so far, those of `update` included, has widened or
            narrowed. Of a `Forecaster` whose regressor tells how uncertain it is, also what it tells of each window:
            "quantile", the quantiles of a network with that loss; "gaussian", its standard deviation (or that of any
            regressor whose `predict` takes `return_std`); "ensemble", the spread of a network's members, on top of the
            variance of the residuals. All are then made as wide as the walk-forward forecasts show that they must be.

        Returns
        -------
        DataFrame (n_steps, 2) or (n_steps, 2 * n_targets), ndarray of shape (n_steps, n_targets, 2), or a panel
            The bounds "lower" and "upper" in the units of the series: the columns of a DataFrame, below the names of
            the targets where the series was a DataFrame; the last axis of an array.

        Raises
        ------
        InvalidParameterError
            `coverage` or `method` is not what it must be, or the regressor does not tell what `method` needs.
        ValueError
            Too few rows for a copy of the forecaster and its residuals, or for so high a coverage; or more steps than
            `horizon` for what a regressor tells.

        References
        ----------
        Vovk, Gammerman & Shafer (2005), doi:10.1007/b106715: split conformal prediction. Gibbs & Candes (2021),
        doi:10.48550/arXiv.2106.00170: adaptive conformal inference. Romano, Patterson & Candes (2019),
        doi:10.48550/arXiv.1905.03222: conformalised quantiles. Lei et al. (2018), doi:10.1080/01621459.2017.1307116:
        residuals in units of a local spread.
        """
        check_real(self, "coverage", coverage, low=0, high=1)
        check_option(self, "method", method, self._methods)
        read = self._reader(method, middle(coverage))
        bounds = {}
        fitted, answers = self._ready(X, read)
        for name, (values, index, skip) in answers.items():
            found = fitted._calibrated(name, skip + len(values), coverage, method, skip)(values)
            bounds[name] = _dressed(self._form, found, index, ["lower", "upper"])
        return bounds[None] if self._panel is None else self._panel.dress(bounds)

    def predict_quantiles(
        self, X: Any = None, *, quantiles: Sequence[float] = (0.1, 0.5, 0.9), method: str = "conformal"
    ) -> Any:
        """Return quantiles of the steps to come, each step by itself; they never cross.

        Parameters
        ----------
        X : as in `predict`, default=None
            The covariates of the steps to forecast.
        quantiles : sequence of rising numbers in (0, 1), default=(0.1, 0.5, 0.9)
            The levels.
        method : {"conformal", "quantile", "gaussian", "ensemble"}, default="conformal"
            As in `predict_interval`: the forecast, or what the regressor tells of each window, is shifted by quantiles
            of the signed walk-forward residuals.

        Returns
        -------
        DataFrame (n_steps, n_quantiles) or (n_steps, n_targets * n_quantiles), ndarray, or a panel
            In the units of the series, the levels as columns of a DataFrame, below the names of the targets where there
            are several; an array is (n_steps, n_targets, n_quantiles).

        Raises
        ------
        InvalidParameterError
            `quantiles` or `method` is not what it must be, or the regressor does not tell what `method` needs.
        ValueError
            Too few rows for a copy of the forecaster and its residuals, or for so extreme a quantile; or more steps
            than `horizon` for what a regressor tells.

        References
        ----------
        Chernozhukov, Fernandez-Val & Galichon (2010), doi:10.3982/ECTA7880: quantiles that cross are put in order.
        """
        levels = check_levels(self, "quantiles", quantiles)
        check_option(self, "method", method, [name for name in self._methods if name != "adaptive"])
        read = self._reader(method, levels)
        found = {}
        fitted, answers = self._ready(X, read)
        for name, (told, index, skip) in answers.items():
            values = _valued(told, method)
            truth, past = (part[:, skip:] for part in fitted._past(name, skip + len(values), method, levels))
            extreme = max(levels, key=lambda level: abs(level - 0.5))
            fitted._check_enough(name, len(truth), max(extreme, 1 - extreme), f"the quantile {extreme:g}")
            noise = _noise(truth, past)
            shifted = np.empty((*values.shape[:2], len(levels)))
            for number, level in enumerate(levels):
                (centre, unit), (then, unit_then) = (_centre(method, v, number, noise) for v in (values, past))
                shifted[..., number] = centre + unit * conformal_shift((truth - then) / unit_then, level)
            found[name] = _dressed(self._form, np.sort(shifted, axis=-1), index, list(levels))
        return found[None] if self._panel is None else self._panel.dress(found)

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
        fitted, answers = self._ready(X, point)
        for name, (centre, _, skip) in answers.items():
            truth, past = (part[:, skip:] for part in fitted._past(name, skip + len(centre), "conformal", ()))
            paths[name] = centre + (truth - past[..., 0])[rng.integers(len(truth), size=n_paths)]
        return paths[None] if self._panel is None else paths

    def _reader(self, method: str, levels: Sequence[float]) -> Reader:
        return reader(self, method, levels) if method in NEEDED else point

    def _ready(self, X: Any, read: Reader) -> tuple[Any, dict[Any, tuple[Floats, pd.Index, int]]]:
        """Return this forecaster with the parameters of its fit and with its copy, made once, and what it tells."""
        fitted = self._as_fitted()  # type: ignore[attr-defined]
        answers = fitted._told(X, read)
        if self._copy is None:
            self._copy = fitted._fitted_copy()
        if self._memory is None:
            self._memory = {}
        fitted._copy, fitted._memory = self._copy, self._memory
        return fitted, answers

    def _calibrated(
        self, name: Any, n_steps: int, coverage: float, method: str, skip: int = 0
    ) -> Callable[[Floats], Floats]:
        """Return what makes bounds (..., n_targets, 2) of what the reader of `method` tells of a series.

        That is of the steps up to `n_steps` ahead without the first `skip`.
        """
        truth, past = (part[:, skip:] for part in self._past(name, n_steps, method, middle(coverage)))
        self._check_enough(name, len(truth), coverage)
        noise = _noise(truth, past)
        (low, unit), (high, _) = (_centre(method, past, end, noise) for end in (0, -1))
        scores = np.maximum(low - truth, truth - high) / unit
        width = (adaptive_widths if method == "adaptive" else conformal_widths)(scores, coverage)

        def bounds(told: Floats) -> Floats:
            values = _valued(told, method)
            (low, unit), (high, _) = (_centre(method, values, end, noise) for end in (0, -1))
            # Quantiles that were too far apart are drawn together, at most until they meet.
            return np.sort(np.stack([low - width * unit, high + width * unit], axis=-1), axis=-1)

        return bounds

    def _walked(self, name: Any, told: Floats, truth: Floats, origins: NDArray[np.int64], coverage: float) -> Floats:
        """Return adaptive bounds (n_origins, n_steps, n_targets, 2), each after the truth known at its origin."""
        then, past = self._past(name, told.shape[1], "adaptive", ())
        self._check_enough(name, len(then), coverage)
        width = adaptive_walk(np.abs(then - past[..., 0]), np.abs(truth - told), origins, coverage)
        return np.stack([told - width, told + width], axis=-1)

    def _past(self, name: Any, n_steps: int, method: str, levels: Sequence[float]) -> tuple[Floats, Floats]:
        """Return the truth (n_origins, n_steps, n_targets) and what the copy told of it from each origin after its fit.

        What it told has a last axis of values. The last answer is remembered until rows come in.
        """
        fresh, track, first = self._as_copied(name)
        asked = (name, n_steps, method, tuple(levels), len(track.target))
        if self._memory and asked in self._memory:
            return self._memory[asked]
        rows = self._rows_like_the_last(track)
        rows = rows[(rows >= max(first, fresh._needed) - 1) & (rows < len(track.target) - n_steps)]
        rows = rows[fresh._can_forecast(track, rows)]
        self._check_some(track, first, n_steps, len(rows))
        told = fresh._roll([track], [rows], n_steps, self._reader(method, levels))[0]
        truth = track.target[rows[:, None] + 1 + np.arange(n_steps)]
        whole = ~np.isnan(truth).any(axis=(1, 2))
        self._check_some(track, first, n_steps, int(whole.sum()))
        answer = truth[whole], _valued(told, method)[whole]
        if self._memory is not None:
            self._memory.clear()
            self._memory[asked] = answer
        return answer

    def _as_copied(self, name: Any) -> tuple[Any, Track, int]:
        """Return the copy, a series with what the copy has learnt of it, and how many of its rows the copy has seen."""
        if self._copy is None:
            self._copy = self._fitted_copy()
        fresh, firsts = self._copy
        track = self._tracks[name]
        if not self._is_foreign:
            return fresh, replace(track, learnt=fresh._tracks[name].learnt), firsts[name]
        first = self._first(track)
        known = replace(track, target=track.target[:first], covariates=until(track.covariates, first))
        fresh._learn_track(known)
        return fresh, replace(track, learnt=known.learnt), first

    def _rows_like_the_last(self, track: Track) -> NDArray[np.int64]:
        """Return the rows from which forecasts like the next one were made: here, all."""
        return np.arange(len(track.target))

    def _first(self, track: Track) -> int:
        """Return how many rows of a series the copy is fitted on."""
        wanted = len(track.target) - round(CALIBRATION * len(track.target))
        ends = self._rows_like_the_last(track) + 1
        return int(ends[min(int(np.searchsorted(ends, wanted)), len(ends) - 1)])

    def _fitted_copy(self) -> tuple[Any, dict[Any, int]]:
        """Return a copy of this forecaster fitted on the first part of the rows of its fit, and the length of that."""
        fresh = copy(self._as_fitted())  # type: ignore[attr-defined]
        fresh._is_foreign = False
        firsts = {name: self._first(track) for name, track in self._fit_tracks.items()}
        fresh._tracks = {
            name: replace(track, target=track.target[: firsts[name]], covariates=until(track.covariates, firsts[name]))
            for name, track in self._fit_tracks.items()
        }
        fresh._fit_tracks = fresh._tracks
        try:
            fresh._learn_tracks(list(fresh._tracks.values()))
        except ValueError as error:
            error.add_note(f"{name_of(self)}: in the fit of a copy on the first three quarters of the known rows.")
            raise
        return fresh, firsts

    def _check_some(self, track: Track, first: int, n_steps: int, count: int) -> None:
        if count == 0:
            raise ValueError(
                f"{name_of(self)}: the last {len(track.target) - first} of {len(track.target)} rows are too few for "
                f"residuals {n_steps} steps ahead. Pass a longer series."
            )

    def _check_enough(self, name: Any, count: int, coverage: float, what: str = "") -> None:
        needed = scores_needed(coverage)
        if count < needed:
            raise ValueError(
                f"{name_of(self)}: {what or f'coverage={coverage:g}'} needs at least {needed} residuals; the last "
                f"quarter of the series{'' if name is None else f' {name!r}'} gives {count}. Ask for less, or pass a "
                "longer series."
            )


def middle(coverage: float) -> tuple[float, float]:
    """Return the quantiles that bound the middle."""
    return (1 - coverage) / 2, (1 + coverage) / 2


def _valued(told: Floats, method: str) -> Floats:
    """Return what a forecaster told with a last axis of values, which a point has none of."""
    return told[..., None] if method in PLAIN else told


def _noise(truth: Floats, past: Floats) -> Floats:
    """Return the mean square of the errors (n_steps, n_targets) of the middle of what was told."""
    noise: Floats = ((truth - past[..., past.shape[-1] // 2]) ** 2).mean(axis=0)
    return noise


def _centre(method: str, values: Floats, number: int, noise: Floats) -> tuple[Floats, Any]:
    """Return what the bound of that number lies about, and the unit of its distance."""
    if method in PLAIN:
        return values[..., 0], 1.0
    if method == "quantile":
        return values[..., number], 1.0
    spread = (values[..., 2] - values[..., 0]) / 2  # the values rise
    unit = np.sqrt(spread**2 + noise) if method == "ensemble" else spread
    return values[..., 1], np.maximum(unit, np.finfo(np.float64).tiny)


def _dressed(form: Form, values: Floats, index: pd.Index, names: list[Any]) -> Any:
    """Return values (n_steps, n_targets, n_names) in the form of the series."""
    if form.kind not in ("series", "frame"):
        return values
    columns = pd.Index(names)
    if form.kind == "frame":
        columns = pd.MultiIndex.from_product([form.names, names])
    return pd.DataFrame(values.reshape(len(values), -1), index=index, columns=columns)


def until(covariates: Floats | None, end: int) -> Floats | None:
    return None if covariates is None else covariates[:end]
