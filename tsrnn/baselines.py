"""Naive rules with the face of a Forecaster: what every forecast has to beat.

Ridge on windows, the other bar, needs no rule of its own: ``Forecaster(Ridge(), lookback=..., horizon=...)``.
"""

from copy import copy

import numpy as np

from tsrnn._base_forecaster import BaseForecaster, Origins
from tsrnn._distributions import Reader, point
from tsrnn._panels import Track
from tsrnn._series import Floats
from tsrnn._validation import check_int, name_of

__all__ = ["DriftForecaster", "NaiveForecaster", "SeasonalNaiveForecaster", "WindowAverageForecaster"]

RULE = """{summary}

    Parameters
    ----------
    {parameters}

    Attributes
    ----------
    index_ : pandas.Index
        Stamps of the known rows; a RangeIndex for arrays.
    n_targets_ : int
        Series forecast.

    Raises
    ------
    InvalidParameterError
        In `fit`, for a parameter outside its range.
    ValueError
        For a series of fewer than {needed} steps, or an index that is unsorted, has duplicates or is irregular.

    References
    ----------
    Hyndman & Athanasopoulos (2021), Forecasting: Principles and Practice, 3rd ed., section 5.2: the rule.

    Examples
    --------
    {example}
"""

HORIZON = """horizon : int, default=1
        Steps forecast ahead at once."""


class AnyHorizon:
    """Mixin, before BaseForecaster, of forecasters whose horizon is no part of what they learn.

    Any number of steps is forecast at once: no forecast ever stands in for the past.
    """

    def _roll(self, tracks: list[Track], origins: list[Origins], n_steps: int, read: Reader = point) -> list[Floats]:
        found = []
        for track, rows in zip(tracks, origins, strict=True):
            as_long = copy(track.learnt)
            as_long.horizon = n_steps
            found.append(as_long._forecast(track.target, track.covariates, rows))
        return found


class _Rule(AnyHorizon, BaseForecaster):
    """A rule that needs nothing but the last `_needed` values; covariates are accepted and not used."""

    @property
    def _needed(self) -> int:
        return 1

    def _learn(self, values: Floats, covariates: Floats | None) -> None:
        check_int(self, "horizon", self.horizon, minimum=1)
        self._check_rule()
        if len(values) < self._needed:
            raise ValueError(f"{name_of(self)}: the series has {len(values)} steps; need at least {self._needed}.")

    def _check_rule(self) -> None:
        """Check the parameters beside the horizon; a rule without any has nothing to check."""

    def _forecast(self, values: Floats, covariates: Floats | None, origins: Origins) -> Floats:
        return self._rule(values, origins, np.arange(1, self.horizon + 1))

    def _rule(self, values: Floats, origins: Origins, ahead: Origins) -> Floats:
        raise NotImplementedError


class NaiveForecaster(_Rule):
    __doc__ = RULE.format(
        summary="Forecast that every step equals the last known value.",
        parameters=HORIZON,
        needed=1,
        example=""">>> NaiveForecaster(horizon=2).fit([3.0, 1.0, 2.0]).predict()
    array([2., 2.])""",
    )

    def __init__(self, horizon: int = 1) -> None:
        self.horizon = horizon

    def _rule(self, values: Floats, origins: Origins, ahead: Origins) -> Floats:
        return np.repeat(values[origins][:, None], len(ahead), axis=1)


class SeasonalNaiveForecaster(_Rule):
    __doc__ = RULE.format(
        summary="Forecast that every step equals the value one season before it.",
        parameters="season_length : int, default=1\n        Steps in a season.\n    " + HORIZON,
        needed="`season_length`",
        example=""">>> SeasonalNaiveForecaster(season_length=2, horizon=3).fit([3.0, 1.0, 2.0]).predict()
    array([1., 2., 1.])""",
    )

    def __init__(self, season_length: int = 1, horizon: int = 1) -> None:
        self.season_length = season_length
        self.horizon = horizon

    @property
    def _needed(self) -> int:
        return self.season_length

    def _check_rule(self) -> None:
        check_int(self, "season_length", self.season_length, minimum=1)

    def _rule(self, values: Floats, origins: Origins, ahead: Origins) -> Floats:
        before: Floats = values[origins[:, None] + 1 - self.season_length + (ahead - 1) % self.season_length]
        return before


class DriftForecaster(_Rule):
    __doc__ = RULE.format(
        summary="Forecast the straight line from the first known value through the last one.",
        parameters=HORIZON,
        needed=2,
        example=""">>> DriftForecaster(horizon=2).fit([1.0, 5.0, 3.0]).predict()
    array([4., 5.])""",
    )

    def __init__(self, horizon: int = 1) -> None:
        self.horizon = horizon

    @property
    def _needed(self) -> int:
        return 2

    def _rule(self, values: Floats, origins: Origins, ahead: Origins) -> Floats:
        last = values[origins][:, None]
        slope = (last - values[0]) / origins[:, None, None]
        line: Floats = last + slope * ahead[:, None]
        return line


class WindowAverageForecaster(_Rule):
    __doc__ = RULE.format(
        summary="Forecast that every step equals the mean of the last `window` values.",
        parameters="window : int, default=24\n        Steps in the mean.\n    " + HORIZON,
        needed="`window`",
        example=""">>> WindowAverageForecaster(window=2, horizon=2).fit([3.0, 1.0, 2.0]).predict()
    array([1.5, 1.5])""",
    )

    def __init__(self, window: int = 24, horizon: int = 1) -> None:
        self.window = window
        self.horizon = horizon

    @property
    def _needed(self) -> int:
        return self.window

    def _check_rule(self) -> None:
        check_int(self, "window", self.window, minimum=1)

    def _rule(self, values: Floats, origins: Origins, ahead: Origins) -> Floats:
        # Each mean is summed anew: a running sum would carry rounding, and what comes later, from origin to origin.
        means = np.stack([values[origin + 1 - self.window : origin + 1].mean(axis=0) for origin in origins])
        return np.repeat(means[:, None], len(ahead), axis=1)
