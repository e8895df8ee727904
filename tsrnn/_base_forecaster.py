"""The face that every forecaster has: series in, forecast out, with the index rules; a subclass fills in the rule."""

from copy import copy
from dataclasses import replace
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.metrics import r2_score
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from tsrnn._distributions import Reader, point
from tsrnn._intervals import IntervalMixin, until
from tsrnn._panels import Track, panel_form, split
from tsrnn._reading import Origins, ReaderMixin
from tsrnn._series import Floats, read_index, read_rows, same_steps, steps_left_out
from tsrnn._time_axis import check_time_axis, continue_axis
from tsrnn._validation import check_int, invalid_parameter, name_of

__all__ = ["BaseForecaster", "Origins"]


class BaseForecaster(IntervalMixin, ReaderMixin, RegressorMixin, BaseEstimator):
    """Base of the forecasters.

    A subclass has the attribute `horizon`, the property `_needed` and two methods: ``_learn(values, covariates)``,
    which fits on the known rows, and ``_forecast(values, covariates, origins)``, which returns
    (n_origins, horizon, n_targets) from the rows up to each origin and no later ones. Known-future covariates have rows
    beyond `values`. Of a panel, every series is then learnt alone; a subclass that learns from all of them at once
    overrides ``_learn_tracks`` and ``_forecast_tracks``.
    """

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn from a series.

        Parameters
        ----------
        X : array-like of shape (n_steps,), (n_steps, n_targets) or (n_steps, n_covariates), or a panel of such
            Alone, the series itself; with `y`, the covariates, row by row with it (a DataFrame without columns, or
            None, for none). A panel is a dict of series, or rows with a MultiIndex (series, time); they may have
            different lengths.
        y : array-like of shape (n_steps,) or (n_steps, n_targets), or a panel of such, default=None
            The series to forecast.

        Returns
        -------
        self
        """
        before = self.__dict__.copy()
        try:
            self._copy = self._memory = None
            self._fit_tracks = {}
            self._tracks = self._read_known(X, y)
            self._learn_tracks(list(self._tracks.values()))
            self._fit_tracks, self._is_foreign = self._tracks, False
            self._parameters = {name: _kept(value) for name, value in self.get_params(deep=False).items()}
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise
        return self

    def predict(self, X: Any = None) -> Any:
        """Forecast the steps that follow the known series.

        Parameters
        ----------
        X : array-like of shape (n_steps, n_covariates), or a panel of such, default=None
            The covariates of the steps to forecast, one row a step; more rows than `horizon` roll the forecast
            forward. Without covariates in `fit`, only its length and index count. None: the next `horizon` steps.

        Returns
        -------
        Series, DataFrame or ndarray of shape (n_steps,) or (n_steps, n_targets), or a panel of such
            In the form and the units of the series seen in `fit`, with the index that continues it.
        """
        ahead = self._told(X)
        dressed = {name: self._form.dress(values, index) for name, (values, index, _) in ahead.items()}
        return dressed[None] if self._panel is None else self._panel.dress(dressed)

    def _told(self, X: Any, read: Reader = point) -> dict[Any, tuple[Floats, pd.Index, int]]:
        """Return the forecast of each series, (n_steps, n_targets[, n_values]), its index, and the steps before it."""
        fitted = self._as_fitted()
        parts = fitted._split_future(X)
        forecasts: dict[Any, Floats] = {}
        steps = {name: fitted._read_future(fitted._tracks[name], part) for name, part in parts.items()}
        for reach in {skip + count for count, skip, _ in steps.values()}:
            same = [name for name, (count, skip, _) in steps.items() if skip + count == reach]
            tracks = [_continued(fitted._tracks[name], steps[name][2]) for name in same]
            origins = [np.array([len(track.target) - 1]) for track in tracks]
            forecasts |= dict(zip(same, fitted._roll(tracks, origins, reach, read), strict=True))
        return {
            name: (forecasts[name][0, skip:], continue_axis(fitted._index_of(name), count, skip, owner=self), skip)
            for name, (count, skip, _) in steps.items()
        }

    def update(self, X: Any, y: Any = None) -> Self:
        """Extend the known past by rows that follow it, without refitting; `X` and `y` as in `fit`."""
        check_is_fitted(self)
        extended = {}
        for name, (covariates, target) in self._split_known(X, y).items():
            if name not in self._tracks:
                raise ValueError(
                    f"{name_of(self)}: the series {name!r} is not known. `with_history` forecasts other series."
                )
            extended[name] = self._extended(self._tracks[name], *self._read(covariates, target))
        self._tracks = {**self._tracks, **extended}
        self._remember_index()
        return self

    def with_history(self, X: Any, y: Any = None) -> Self:
        """Return a copy of this fitted forecaster that knows another past, without refitting.

        Parameters
        ----------
        X, y
            As in `fit`: one series or a panel, known to the fit or not, with the same targets and covariates.

        Returns
        -------
        self's class
            What it forecasts follows the given rows. What is learnt of each series alone, such as its scale, is learnt
            from them.
        """
        other = copy(self._as_fitted())
        other._panel = panel_form(self, X if y is None else y)
        read = {name: self._read(*parts) for name, parts in other._split_known(X, y).items()}
        other._tracks = {name: Track(name, *rows) for name, rows in read.items()}
        other._is_foreign, other._memory = True, None
        for track in other._tracks.values():
            other._learn_track(track)
        other._remember_index()
        return other

    def predict_origins(self, X: Any, y: Any = None, *, origins: Any, n_steps: int | None = None) -> Any:
        """Forecast from several origins of one series, or of each series of a panel, at once, without refitting.

        Parameters
        ----------
        X : array-like of shape (n_steps_known, ...), or a panel of such
            The series, or the covariates with `y`, as in `fit`; covariates reach as far as the last forecast.
        y : array-like of shape (n_steps_known,) or (n_steps_known, n_targets), or a panel of such, default=None
            The series.
        origins : array-like of int, shape (n_origins,), or a dict of such
            Row numbers of the last step that each forecast may know; of a panel, those of each series by its name.
        n_steps : int, default=None
            Steps forecast from each origin. None: `horizon`.

        Returns
        -------
        ndarray of shape (n_origins, n_steps, n_targets), or a dict of such
            In the units of the series; row h - 1 of an origin is the forecast h steps after it.

        Notes
        -----
        A series that `fit` has seen, alone or by this name in its panel, keeps what was learnt of it, such as its
        scale; of any other one that is learnt from its rows up to its first origin.
        """
        return self._from_origins(X, y, origins, n_steps)

    def _from_origins(self, X: Any, y: Any, origins: Any, n_steps: int | None, read: Reader = point) -> Any:
        """Return (n_origins, n_steps, n_targets[, n_values]), or a dict of such."""
        fitted = self._as_fitted()
        n_steps = fitted.horizon if n_steps is None else check_int(self, "n_steps", n_steps, minimum=1)
        fitted._panel = panel_form(self, X if y is None else y)
        parts = fitted._split_known(X, y)
        asked = {None: origins} if fitted._panel is None else origins
        if not isinstance(asked, dict) or asked.keys() != parts.keys():
            raise invalid_parameter(self, "origins", "a dict of row numbers by the names of the series", origins)
        tracks = {name: Track(name, *fitted._read(*part)) for name, part in parts.items()}
        rows = {name: fitted._check_origins(asked[name], len(tracks[name].target), n_steps) for name in tracks}
        for name, track in tracks.items():
            track.learnt = fitted._learnt_of(track, int(rows[name].min()) + 1)
        found = fitted._roll(list(tracks.values()), [rows[name] for name in tracks], n_steps, read)
        return found[0] if fitted._panel is None else dict(zip(tracks, found, strict=True))

    def _learnt_of(self, track: Track, end: int) -> Any:
        """Return what the fit has learnt of a series; of one that it has not seen, what its rows before `end` tell."""
        if track.name in self._tracks:
            return self._tracks[track.name].learnt
        past = replace(
            track, target=track.target[:end], covariates=None if track.covariates is None else track.covariates[:end]
        )
        self._learn_track(past)
        return past.learnt

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return R^2 of the forecast of the rows of `y` (of `X`, the series itself, without `y`)."""
        fitted, truth, what = self._as_fitted(), *((X, "X") if y is None else (y, "y"))
        if self._panel is not None:
            return self._score_panel(X, y, sample_weight)
        fitted._check_targets(read_rows(self, truth, what)[2])
        if X is None or y is None:
            index = truth.index if isinstance(truth, pd.Series | pd.DataFrame) else None
            X = np.empty((len(truth), 0)) if index is None else pd.DataFrame(index=index)
        forecast = self.predict(X)
        if y is not None:
            same_steps(self, read_index(self, X), read_index(self, y), (len(X), len(y)))
        return float(r2_score(truth, forecast, sample_weight=sample_weight))

    def _score_panel(self, X: Any, y: Any, sample_weight: Any) -> float:
        truths = split(self, X if y is None else y, "X" if y is None else "y")
        if X is None or y is None:
            X = {name: pd.DataFrame(index=rows.index) for name, rows in truths.items()}
        forecasts = split(self, self.predict(X), "X")
        pairs = [(np.asarray(rows), np.asarray(forecasts[name])) for name, rows in truths.items()]
        truth, forecast = (np.concatenate(parts) for parts in zip(*pairs, strict=True))
        return float(r2_score(truth, forecast, sample_weight=sample_weight))

    def _learn(self, values: Floats, covariates: Floats | None) -> None:
        raise NotImplementedError

    def _forecast(self, values: Floats, covariates: Floats | None, origins: Origins) -> Floats:
        raise NotImplementedError

    def _learn_tracks(self, tracks: list[Track]) -> None:
        """Learn from all series: here, from each one alone."""
        for track in tracks:
            self._learn_track(track)

    def _learn_track(self, track: Track) -> None:
        """Learn what belongs to one series alone: here, all that this forecaster learns."""
        model = self if self._panel is None else copy(self)
        model._learn(track.target, track.covariates)
        track.learnt = copy(model)
        del track.learnt._tracks
        track.learnt._fit_tracks = {}

    def _forecast_tracks(self, tracks: list[Track], origins: list[Origins], read: Reader) -> list[Floats]:  # noqa: ARG002
        """Return (n_origins, `_reach`, n_targets) of each series; of several values, with an axis for them behind."""
        return [
            track.learnt._forecast(track.target, track.covariates, rows)
            for track, rows in zip(tracks, origins, strict=True)
        ]

    def _can_forecast(self, track: Track, origins: Origins) -> Any:  # noqa: ARG002
        """Return a key to those `origins` from which a forecast can be made: here, all."""
        return slice(None)

    @property
    def _least_rows(self) -> int:
        """Rows of a series that a fit needs."""
        return self._needed

    @property
    def _reach(self) -> int:
        """Steps forecast in one go."""
        return self.horizon

    def _as_fitted(self) -> Self:
        """Return this forecaster with the parameters of its fit, whatever `set_params` has changed since."""
        check_is_fitted(self)
        fitted = copy(self)
        fitted.__dict__.update(self._parameters)
        return fitted

    def _roll(self, tracks: list[Track], origins: list[Origins], n_steps: int, read: Reader = point) -> list[Floats]:
        """Return (n_origins, n_steps, n_targets[, n_values]) of each series, in one batch where one go reaches as far.

        Otherwise forecasts stand in for the past, and covariates end with the last step.
        """
        if n_steps == self._reach or (n_steps < self._reach and not self._future_columns):
            return [forecast[:, :n_steps] for forecast in self._forecast_tracks(tracks, origins, read)]
        if n_steps > self._reach and read is not point:
            raise ValueError(
                f"{name_of(self)}: {n_steps} steps are asked for, but beyond {self._reach_words} only "
                'method="conformal" and "adaptive" tell how uncertain they are. Use one of them, or raise `horizon`.'
            )
        if n_steps > self._reach and self._past_columns:
            raise ValueError(
                f"{name_of(self)}: {n_steps} steps are asked for, but beyond {self._reach_words} the past "
                f"covariates {list(self.past_covariates)} are not known. Raise `horizon`, or forecast fewer steps."
            )
        pieces = [
            self._cut(track, int(origin), n_steps)
            for track, rows in zip(tracks, origins, strict=True)
            for origin in rows
        ]
        done = []
        for _ in range(0, n_steps, self._reach):
            ends = [np.array([len(piece.target) - 1]) for piece in pieces]
            done.append(np.concatenate(self._forecast_tracks(pieces, ends, read)))
            pieces = (
                pieces
                if read is not point
                else [
                    replace(piece, target=np.concatenate([piece.target, ahead]))
                    for piece, ahead in zip(pieces, done[-1], strict=True)
                ]
            )
        counts = np.cumsum([len(rows) for rows in origins])[:-1]
        return np.split(np.concatenate(done, axis=1)[:, :n_steps], counts)

    @property
    def _reach_words(self) -> str:
        return f"horizon={self.horizon}"

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.target_tags.required = False
        return tags

    def _cut(self, track: Track, origin: int, n_steps: int) -> Track:
        """Return what a forecast of `n_steps` steps from `origin` may know of a series."""
        return replace(
            track, target=track.target[: origin + 1], covariates=until(track.covariates, origin + 1 + n_steps)
        )

    def _extended(self, track: Track, values: Floats, covariates: Floats | None, index: pd.Index | None) -> Track:
        """Return a series with rows that follow it."""
        known = pd.RangeIndex(len(track.target)) if track.index is None else track.index
        left_out = steps_left_out(self, known, index, "the new series")
        if left_out:
            raise ValueError(
                f"{name_of(self)}: {left_out} steps are missing between the known series, which ends at "
                f"{known[-1]}, and the new rows. Pass them as well."
            )
        stamps = check_time_axis(self, known.append(continue_axis(known, len(values), owner=self)))
        both = None
        if track.covariates is not None and covariates is not None:
            both = np.concatenate([track.covariates, covariates])
        return replace(track, target=np.concatenate([track.target, values]), covariates=both, index=stamps)


def _kept(value: Any) -> Any:
    """Return a parameter as it is, of an estimator a clone: `set_params` may change what belongs to it."""
    return clone(value) if hasattr(value, "get_params") and not isinstance(value, type) else value


def _continued(track: Track, future: Floats) -> Track:
    """Return a series with the covariates of its future."""
    if track.covariates is None:
        return track
    return replace(track, covariates=np.concatenate([track.covariates, future]))
