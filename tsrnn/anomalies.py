"""Rows of a series that a forecaster did not expect, with the face of a scikit-learn outlier detector."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, OutlierMixin, clone
from sklearn.utils.validation import check_is_fitted

from tsrnn._base_forecaster import BaseForecaster, Origins
from tsrnn._panels import Track
from tsrnn._series import Floats
from tsrnn._time_axis import steps_after
from tsrnn._validation import check_real, invalid_parameter, kept_whole, name_of

__all__ = ["ForecastAnomalyDetector"]

BLOCK = 16384
"""Origins forecast at once: flat windows of all would need as much memory as the series times `lookback`."""


class ForecastAnomalyDetector(OutlierMixin, BaseEstimator):
    """Find the rows of a series that forecasts from the rows before them have missed by more than they usually do.

    ::

        step       0   1   2   3   4   5   6   7
        window     [───────L=4──────]                  origin = 4: what was known
        row 5                          1               error of step 1
        row 6                          [─2─]           error of the mean of steps 1 and 2
        row 7                          [───3───]       error of the mean of steps 1 to 3 (H=3)

    Each row is judged with the last 1, 2, ..., `horizon` rows up to itself, each time by a forecast from the row before
    them: one row for a spike, several for a shape that is odd as a whole.

    Parameters
    ----------
    forecaster : forecaster
        Any forecaster of this package, such as `Forecaster(GRURegressor(), lookback=..., horizon=...)`; it is cloned.
        `horizon` is the length of the longest shape looked for; 1 finds small spikes best.
    false_alarm_rate : float, default=0.01
        Fraction of normal rows that are to be called anomalies, in (0, 1).

    Attributes
    ----------
    forecaster_ : forecaster
        The clone, fitted on all rows.
    scale_ : ndarray of shape (horizon, n_targets)
        Error of the mean of the first 1, ..., `horizon` steps that a fraction `false_alarm_rate` of the calibrating
        rows exceeds, in units of the series. Of a panel, a dict of such.
    offset_ : float
        Score below which a row is an anomaly.
    neutral_score_ : float
        Score of the rows that no forecast reaches, the median of those that set `offset_`.
    n_calibration_ : int
        Rows whose scores set `offset_`.
    n_features_in_ : int
        Covariates.

    Raises
    ------
    InvalidParameterError
        In `fit`, for a parameter outside its range.
    ValueError
        For too few rows for so low a rate, and for what `forecaster` refuses.

    Notes
    -----
    With e(t, j) = y(t) - the forecast of y(t) from row t - j, the score of row t is minus the greatest, over
    w = 1, ..., `horizon` and the targets, of abs(mean of e(t - w + j, j) for j = 1, ..., w) / `scale_[w - 1]`.

    Means, and tails in place of standard deviations, are what finds a wide shape among steep ones: of the ventricular
    beats of the MIT-BIH record 106, at 90 Hz, ridge (lookback=27, horizon=16) found nine in ten at a rate of 0.001 of
    rows; the errors of the single steps, put together in the same way, found one in thirty, because normal beats are
    the steeper ones.

    `fit` learns from normal rows: anomalies among them teach the forecaster and raise the threshold. A copy of the
    forecaster is fitted on the first three quarters of the rows. The last quarter, which it has not seen, is halved:
    the first half gives `scale_`, the second one the threshold, the score of rank ceil((n + sqrt(`horizon`))
    (1 - `false_alarm_rate`)) of n from the most normal one. For horizon=1 and exchangeable errors a normal row passes
    it with a probability of at most `false_alarm_rate` (split-conformal). Rows judged together err alike, so that
    alarms come in runs: the rate is that of rows in the long run, not that of events, and n rows tell less than n
    independent ones would. With the root of `horizon`, simulated autoregressions gave 0.9 to 1.2 times the rate asked
    for. `fit` needs 8 sqrt(`horizon`) (1 / `false_alarm_rate` - 1) rows.

    Rows that directly continue those of the fit, as their index proves, are forecast from these as well. Of all others,
    arrays included, the first rows have no full past: those that no forecast reaches get `neutral_score_`, and so does
    a row whose value is missing; the `horizon` - 1 rows after them are judged with fewer steps. Rows scored are not
    learnt or remembered; ``detector.forecaster_.update(rows)`` makes them a past that others can continue.

    ETS, Theta, STL and SARIMAX know the states of their own series only: with them, score rows that continue the fit,
    or that begin with its first row.

    An anomaly is part of the means of the `horizon` - 1 rows after it, and stands in the windows of the `lookback` rows
    after it, which makes their forecasts worse: an alarm outlasts its cause. After spikes of six standard deviations of
    the noise, half of the 8 rows in whose windows they stood were alarms in an autoregression (lookback=8, horizon=12),
    a twelfth of the 30 in a noisy sine (lookback=30), and later ones as many as asked for. A short lookback recovers
    sooner.

    No value of the series, and no past covariate, changes the score of a row before it. Covariates that are known in
    the future are used up to `horizon` - 1 rows ahead, and taken to stay as they are after the last row.

    References
    ----------
    Malhotra, Vig, Shroff & Agarwal (2015), Long short term memory networks for anomaly detection in time series, ESANN:
    several forecasts of each row. Laxhammar & Falkman (2010), doi:10.1145/1833280.1833287: conformal anomaly detection.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn import ForecastAnomalyDetector, SeasonalNaiveForecaster
    >>> series = np.tile([0.0, 1.0, 2.0, 1.0], 50) + np.random.default_rng(0).normal(scale=0.1, size=200)
    >>> detector = ForecastAnomalyDetector(SeasonalNaiveForecaster(season_length=4), false_alarm_rate=0.05).fit(series)
    >>> detector.predict([0.0, 1.0, 2.0, 1.0, 0.0, 1.0, 5.0, 1.0])
    array([ 1,  1,  1,  1,  1,  1, -1,  1])
    """

    def __init__(self, forecaster: Any, *, false_alarm_rate: float = 0.01) -> None:
        self.forecaster = forecaster
        self.false_alarm_rate = false_alarm_rate

    def fit(self, X: Any, y: Any = None) -> Self:
        """Learn the forecaster, and how much it misses normal rows.

        Parameters
        ----------
        X : array-like of shape (n_steps,), (n_steps, n_targets) or (n_steps, n_covariates), or a panel of such
            Alone, the series itself; with `y`, the covariates, as for the forecaster.
        y : array-like of shape (n_steps,) or (n_steps, n_targets), or a panel of such, default=None
            The series.

        Returns
        -------
        self
        """
        rate = check_real(self, "false_alarm_rate", self.false_alarm_rate, low=0, high=1)
        if not isinstance(self.forecaster, BaseForecaster):
            raise invalid_parameter(self, "forecaster", "a forecaster of this package", self.forecaster)
        with kept_whole(self):
            self.forecaster_ = clone(self.forecaster).fit(X, y)
            self.n_features_in_ = self.forecaster_.n_features_in_
            self._calibrate(rate)
        return self

    def score_samples(self, X: Any, y: Any = None) -> Any:
        """Return how normal each row is: minus its greatest error, in units of what such errors usually do not exceed.

        Parameters
        ----------
        X, y
            As in `fit`: the series, or its covariates and the series.

        Returns
        -------
        ndarray of shape (n_steps,) or Series, or a panel of such
            Higher is more normal; about -1 and less is rare. A Series, with their index, for rows that have one.
        """
        check_is_fitted(self)
        model = self.forecaster_._as_fitted()
        scores = {}
        for name, parts in model._split_known(X, y).items():
            if name not in model._tracks:
                raise ValueError(f"{name_of(self)}: the series {name!r} is not known. Pass series of the fit.")
            new = Track(name, *model._read(*parts))
            track, first = self._with_past(model, new)
            ratios = _ratios(model, track, first - model.horizon, self._scales[name])[first:]
            values = np.where(np.isnan(ratios), self.neutral_score_, -ratios)
            scores[name] = values if new.index is None else pd.Series(values, index=new.index, name="score")
        return self._dress(X if y is None else y, scores)

    def decision_function(self, X: Any, y: Any = None) -> Any:
        """Return `score_samples` less `offset_`: negative for anomalies; `X`, `y` and the form as there."""
        scores = self.score_samples(X, y)
        if isinstance(scores, dict):
            return {name: each - self.offset_ for name, each in scores.items()}
        return scores - self.offset_

    def predict(self, X: Any, y: Any = None) -> Any:
        """Return -1 for anomalies and 1 for other rows; `X`, `y` and the form as in `score_samples`."""
        decisions = self.decision_function(X, y)
        if isinstance(decisions, dict):
            return {name: _signs(each) for name, each in decisions.items()}
        return _signs(decisions)

    def fit_predict(self, X: Any, y: Any = None) -> Any:
        """Fit, and predict the same rows: those that the forecaster learnt from are missed by less than others.

        `X`, `y` and the form as in `score_samples`. The first rows, without a full past, are called normal.
        """
        return self.fit(X, y).predict(X, y)

    def _calibrate(self, rate: float) -> None:
        """Set the scales from the first half of the rows that the copy has not seen, the threshold from the second."""
        model = self.forecaster_
        self._scales, ratios = {}, []
        for name in model._tracks:
            fresh, track, first = model._as_copied(name)
            middle = (first + len(track.target)) // 2
            earlier = replace(track, target=track.target[:middle])
            errors = [each for _, each in _errors(fresh, earlier, first - 1)]
            tails = _tails(np.concatenate(errors), rate) if errors else np.full(1, np.nan)
            # Where the forecaster misses nothing, rounding alone must be no anomaly.
            self._scales[name] = np.maximum(tails, 1e-12 * (np.nanmax(np.abs(track.target)) or 1.0))
            start = max(first - 1, middle - model.horizon)
            ratios.append(_ratios(fresh, track, start, self._scales[name])[middle:])
        pooled = np.concatenate(ratios)
        pooled = np.sort(pooled[~np.isnan(pooled)])
        self.n_calibration_ = len(pooled)
        self.offset_ = -float(pooled[self._rank(len(pooled), rate) - 1])
        self.neutral_score_ = -float(np.median(pooled))
        self.scale_: Any = self._scales[None] if model._panel is None else self._scales

    def _rank(self, count: int, rate: float) -> int:
        """Return which of `count` sorted ratios is the threshold.

        Rows that share origins err alike: runs of them, as long as simulated series told, count as one.
        """
        horizon = int(self.forecaster_.horizon)
        rank = math.ceil((count + math.sqrt(horizon)) * (1 - rate) - 1e-9)
        if rank > count:
            needed = math.ceil(math.sqrt(horizon) * (1 / rate - 1) - 1e-9)
            raise ValueError(
                f"{name_of(self)}: false_alarm_rate={rate:g} and horizon={horizon} need at least {needed} rows in the "
                f"last eighth of the series; it has {count}. Raise the rate, or pass a longer series."
            )
        return rank

    def _with_past(self, model: BaseForecaster, new: Track) -> tuple[Track, int]:
        """Return the rows behind the known ones where they directly continue them, and the number of the first one."""
        known = model._tracks[new.name]
        if known.index is None or new.index is None or steps_after(known.index, new.index, owner=self) != 1:
            return replace(new, learnt=known.learnt), 0
        return model._extended(known, new.target, new.covariates, new.index), len(known.target)

    def _dress(self, data: Any, scores: dict[Any, Any]) -> Any:
        """Return the scores of each series in the form of `data`."""
        if None in scores:
            return scores[None]
        return scores if isinstance(data, dict) else pd.concat(scores, names=data.index.names).reindex(data.index)


def _errors(model: BaseForecaster, track: Track, start: int) -> Iterator[tuple[Origins, Floats]]:
    """Yield some origins from `start` on, and the errors (n_origins, horizon, n_targets) of the mean of their steps.

    Errors of steps behind the last row, and behind a missing value, are NaN.
    """
    origins = np.arange(max(model._needed - 1, start), len(track.target) - 1)
    origins = origins[model._can_forecast(track, origins)]
    beyond = np.full((model.horizon, model.n_targets_), np.nan)
    target, steps = np.concatenate([track.target, beyond]), np.arange(1, model.horizon + 1)
    if track.covariates is not None:  # the last forecasts reach behind them
        after = np.repeat(track.covariates[-1:], model.horizon, axis=0)
        track = replace(track, covariates=np.concatenate([track.covariates, after]))
    for rows in (origins[i : i + BLOCK] for i in range(0, len(origins), BLOCK)):
        missed = target[rows[:, None] + steps] - model._roll([track], [rows], model.horizon)[0]
        yield rows, np.cumsum(missed, axis=1) / steps[:, None]


def _ratios(model: BaseForecaster, track: Track, start: int, scale: Floats) -> Floats:
    """Return the greatest error of each row (n_steps,) in units of `scale`; NaN where nothing is forecast."""
    greatest = np.full(len(track.target) + model.horizon, np.nan)
    for origins, errors in _errors(model, track, start):
        ratios = np.fmax.reduce(np.abs(errors) / scale, axis=2)
        for steps, each in enumerate(ratios.T, start=1):
            greatest[origins + steps] = np.fmax(greatest[origins + steps], each)
    return greatest[: len(track.target)]


def _tails(errors: Floats, rate: float) -> Floats:
    """Return what a fraction `rate` of abs(errors) (n_origins, ...) exceeds; NaN where all are missing."""
    ordered = np.sort(np.abs(errors), axis=0)  # NaN comes last
    counts = np.isfinite(ordered).sum(axis=0)
    ranks = np.minimum(np.ceil((counts + 1) * (1 - rate)), counts).astype(np.int64)
    tails: Floats = np.take_along_axis(ordered, np.maximum(ranks - 1, 0)[None], axis=0)[0]
    return tails


def _signs(decisions: Any) -> Any:
    signs = np.where(decisions < 0, -1, 1)
    return pd.Series(signs, index=decisions.index, name="anomaly") if isinstance(decisions, pd.Series) else signs
