"""Series in, forecast out: a meta-estimator that makes a forecaster of any scikit-learn regressor."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.multioutput import MultiOutputRegressor
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted

from tsrnn._anchors import LinearMap, flat
from tsrnn._base_forecaster import BaseForecaster
from tsrnn._chains import Chain, lag_of, steps_of
from tsrnn._distributions import NEEDED, Reader, point
from tsrnn._framing import Framing
from tsrnn._gaps import POLICIES, around_gaps, complete, cut, filled
from tsrnn._intervals import PLAIN
from tsrnn._kinds import is_estimator, predicts_several, takes_windows, weight_name
from tsrnn._panels import Track
from tsrnn._reading import Origins
from tsrnn._series import Floats
from tsrnn._spans import Size, Span, read_span, rows_apart
from tsrnn._validation import check_bool, check_int, check_option, check_real, invalid_parameter, name_of
from tsrnn.forecast_streams import ForecastStream
from tsrnn.windows import Windows

__all__ = ["Forecaster"]

ANCHORS = ["last", "seasonal", "mean", "linear", None]


class Forecaster(BaseForecaster):
    """Forecast a series with any scikit-learn regressor on its windows.

    ::

        step      0   1   2   3   4   5   6   7
        window        [───────L=4──────]                 origin = 4, the last step known
        forecast (H=2)                      5   6        both at once (direct strategy)

    Parameters
    ----------
    regressor : regressor
        Any scikit-learn regressor or Pipeline of one; it is cloned. Those that declare 3-D input, as the recurrent ones
        do, get `Windows`, the others each window as one flat row. One that predicts a single number only is fitted
        once for each step ahead.
    lookback : int, default=24
        Time steps in a window.
    horizon : int, default=1
        Steps forecast ahead at once.
    strategy : {"direct", "recursive"}, default="direct"
        "direct": all steps of the horizon at once; "recursive": one step after the other, each forecast standing in for
        the value that the next one is made from.
    anchor : {"last", "seasonal", "mean", "linear"}, default="last"
        What is subtracted from each window and added back to its forecast: the window's last value, the values one
        season before the forecast steps (the window itself is then relative to its last value), the window's mean, or
        the forecast of a ridge regression on the windows, whose remainder the regressor learns. None: nothing.
    season_length : int or several, default=None
        Steps in a season, at most `lookback`; needed for the anchor "seasonal". Of several, such as a day and a week,
        the anchor is the mean of what each tells.
    scale : {"window"}, default=None
        "window": each window and its target are divided by the window's standard deviation. None: they are not.
    scaler : transformer or "standard", default="standard"
        Fitted on each series (and the covariates) of the training rows and cloned for it; "standard" is
        `StandardScaler`. None: no scaling.
    target_transformer : transformer, default=None
        Fitted on each series of the training rows, before the scaler, and inverted behind it: a logarithm
        (`FunctionTransformer`), Box-Cox (`PowerTransformer`), differences (`Differencer`), or a Pipeline of such.
    past_covariates : sequence of column names, default=()
        Columns of X that are not known in the future, such as a measurement; all others are.
    static_covariates : sequence of column names, default=()
        Columns of X that never change within a series of a panel, such as a size; of the future they need not be given.
    missing : {"error", "interpolate", "drop"}, default="error"
        What missing values of the series do: raise; be filled on a straight line, after the last known value with that
        value, so that nothing is filled with what came later; or drop the training windows that have any.
    multivariate : bool, default=False
        For several targets: False trains one global network over all of them, each a series of its own; True one with
        all of them in and out.
    stride : int or offset, default=1
        Steps from one training window to the next, back from the last one. An offset such as "1D", of a series with
        stamps, is counted back from the last row, days by the wall clock and periods by their begin: what forecasts at
        midnight learns from midnights alone. Moments between two rows are left out.
    half_life : float, default=None
        Steps after which a training window counts half as much as the latest. None: all count the same.

    Attributes
    ----------
    regressor_ : regressor
        The fitted clone.
    scalers_ : list of transformer
        The fitted scaler of each target; empty without a scaler. Of a panel, a dict of such lists.
    index_ : pandas.Index
        Stamps of the known rows; a RangeIndex for arrays. Of a panel, a dict of such.
    n_missing_ : int
        Values of the series that were missing in `fit`.
    n_dropped_ : int
        Training windows left out because something in them, or in their target, was missing.
    n_targets_ : int
        Series forecast.
    n_features_in_ : int
        Covariates.
    feature_names_in_ : ndarray of str, shape (n_features_in_,)
        Their names, when all are strings.

    Raises
    ------
    InvalidParameterError
        In `fit`, for a parameter outside its range.
    ValueError
        For a series shorter than lookback + horizon, an index that is unsorted, has duplicates or is irregular, or
        covariates that do not fit the series.
    TypeError
        For an index that is no time axis.

    Notes
    -----
    Known-future covariates enter the window as lead channels: beside the series at step t stands the covariate at step
    t + horizon (and, where the window is shorter than the horizon, at t + horizon - lookback and so on), so that the
    window of an origin shows them up to the last step forecast. When fewer steps than `horizon` are asked for, the
    covariates after them are taken to stay as they are.

    Forecasts beyond `horizon` roll forward: forecast values stand in for the past.

    A panel (several series of any lengths, as a dict or with a MultiIndex) trains one regressor on the windows of all,
    which share one buffer; each series has a scaler of its own. Series that `fit` has not seen are forecast from their
    own past by `with_history`.

    References
    ----------
    Taieb, Bontempi, Atiya & Sorjamaa (2012), doi:10.1016/j.eswa.2012.01.039: the direct strategy.
    Lin et al. (2023), SegRNN, doi:10.48550/arXiv.2308.11200: the window relative to its last value.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn.linear_model import LinearRegression
    >>> days = pd.date_range("2026-01-01", periods=8, freq="D")
    >>> series = pd.Series([1.0, 2, 3, 4, 5, 6, 7, 8], index=days, name="level")
    >>> Forecaster(LinearRegression(), lookback=3, horizon=2).fit(series).predict().round(6)
    2026-01-09     9.0
    2026-01-10    10.0
    Freq: D, Name: level, dtype: float64
    """

    def __init__(
        self,
        regressor: Any,
        *,
        lookback: int = 24,
        horizon: int = 1,
        strategy: str = "direct",
        anchor: str | None = "last",
        season_length: int | Sequence[int] | None = None,
        scale: str | None = None,
        scaler: Any = "standard",
        target_transformer: Any = None,
        past_covariates: Any = (),
        static_covariates: Any = (),
        missing: str = "error",
        multivariate: bool = False,
        stride: int | Span = 1,
        half_life: float | None = None,
    ) -> None:
        self.regressor = regressor
        self.lookback = lookback
        self.horizon = horizon
        self.strategy = strategy
        self.anchor = anchor
        self.season_length = season_length
        self.scale = scale
        self.scaler = scaler
        self.target_transformer = target_transformer
        self.past_covariates = past_covariates
        self.static_covariates = static_covariates
        self.missing = missing
        self.multivariate = multivariate
        self.stride = stride
        self.half_life = half_life

    _methods: ClassVar = [*PLAIN, *NEEDED]

    @property
    def _needed(self) -> int:
        return self.lookback + sum(lag_of(step) for step in steps_of(self.target_transformer))

    @property
    def _least_rows(self) -> int:
        return self._needed + self._reach

    @property
    def _reach(self) -> int:
        return 1 if self.strategy == "recursive" else self.horizon

    @property
    def _reach_words(self) -> str:
        return 'the first step of strategy="recursive"' if self.strategy == "recursive" else super()._reach_words

    def _learn_tracks(self, tracks: list[Track]) -> None:
        self._check_parameters()
        for track in tracks:
            self._check_length(track)
            self._check_covariates(track)
            self._learn_track(track)
        self._learn_covariates(tracks)
        scalers = {
            track.name: [chain.steps[-1] for chain in track.learnt if self.scaler is not None] for track in tracks
        }
        self.scalers_: Any = scalers[None] if self._panel is None else scalers
        self._framing = Framing(
            lookback=self.lookback,
            reach=self._reach,
            anchor=self.anchor,
            seasons=self._seasons,
            per_window=self.scale == "window",
            multivariate=self.multivariate,
            future=self._future_columns,
            past=self._past_columns + self._static_columns,
        )
        self.n_missing_ = sum(int(np.isnan(track.target).sum()) for track in tracks)
        self.n_dropped_ = 0
        series = [(_last(self._stages(track)), self._scaled_covariates(track)) for track in tracks]
        origins = [self._origins_to_learn(track, values) for track, (values, _) in zip(tracks, series, strict=True)]
        windows, targets = self._framing.windows(series, origins), self._framing.targets(series, origins)
        if self.anchor == "linear":
            self._linear = LinearMap().fit(windows, targets)
            targets = targets - self._linear.predict(windows)
        self._fit_regressor(windows, targets)

    def _fit_regressor(self, windows: Windows, targets: Floats) -> None:
        regressor = clone(self.regressor)
        if targets.shape[1] > 1 and not predicts_several(regressor):
            regressor = MultiOutputRegressor(regressor)
        self._lazy = takes_windows(self.regressor)
        y = targets[:, 0] if targets.shape[1] == 1 else targets
        weights = {}
        if self.half_life is not None:
            age = windows.origins.max() - windows.origins
            weights = {weight_name(regressor): 0.5 ** (age / self.half_life)}
        self.regressor_ = regressor.fit(windows if self._lazy else flat(windows), y, **weights)

    def _learn_track(self, track: Track) -> None:
        """Fit the transformers of one series, each of its targets alone."""
        scaler = StandardScaler() if isinstance(self.scaler, str) else self.scaler
        transformers = steps_of(self.target_transformer) + ([] if scaler is None else [scaler])
        track.learnt = [Chain.fit(transformers, values) for values in filled(track.target, self.missing).T]

    def _learn_covariates(self, tracks: list[Track]) -> None:
        """Fit the scaler of the covariates of all series together."""
        known = [track.covariates for track in tracks if track.covariates is not None]
        self._covariate_scaler = None
        if known and self.scaler is not None:
            scaler = StandardScaler() if isinstance(self.scaler, str) else self.scaler
            self._covariate_scaler = clone(scaler).fit(np.concatenate(known))

    def _stages(self, track: Track) -> list[list[Floats]]:
        """Return each target of a series before and behind each of its transformers."""
        target = filled(track.target, self.missing)
        return [chain.stages(values) for chain, values in zip(track.learnt, target.T, strict=True)]

    def _scaled_covariates(self, track: Track) -> Floats | None:
        scaler = self._covariate_scaler
        if track.covariates is None or scaler is None:
            return track.covariates
        return np.asarray(scaler.transform(track.covariates), dtype=np.float64)

    def _origins_to_learn(self, track: Track, values: Floats) -> Origins:
        """Return the origins of the windows to learn from: those with a past and a target that nothing lacks."""
        first = max(chain.skip for chain in track.learnt) + self.lookback - 1
        origins = self._strided(track, first, len(values) - 1 - self._reach)
        if len(origins) == 0:
            raise ValueError(
                f"{name_of(self)}: stride={self.stride!r} leaves no window{of_series(track)} whose target is known. "
                "Its moments must be those of rows; lower it, or pass a longer series."
            )
        whole = complete(values, origins, self.lookback, self._reach)
        self.n_dropped_ += int((~whole).sum())
        if not whole.any():
            raise ValueError(
                f"{name_of(self)}: no window of {self.lookback} steps and its {self._reach} target steps is complete"
                f'{of_series(track)}. Pass more values, or missing="interpolate".'
            )
        return origins[whole]

    def _strided(self, track: Track, first: int, last: int) -> Origins:
        """Return the origins from `first` to `last` that `stride` leaves."""
        stride = self._stride_of(track)
        if isinstance(stride, int):
            return np.arange(last, first - 1, -stride)[::-1]
        rows = self._rows_like_the_last(track)
        return rows[(rows >= first) & (rows <= last)]

    def _stride_of(self, track: Track) -> Size:
        return read_span(self, "stride", self.stride, _times_of(track))

    def _rows_like_the_last(self, track: Track) -> Origins:
        """Return the rows that an offset as `stride` leaves; all without one."""
        stride, times = self._stride_of(track), _times_of(track)
        if times is None or isinstance(stride, int):
            return super()._rows_like_the_last(track)
        return rows_apart(times[: len(track.target)], stride)

    def _forecast_tracks(self, tracks: list[Track], origins: list[Origins], read: Reader) -> list[Floats]:
        if self.missing != "interpolate":
            return self._forecast_known(tracks, origins, read)
        jobs = around_gaps(tracks, origins, self._needed, self._reach)
        done = self._forecast_known([track for _, _, track, _ in jobs], [rows for *_, rows in jobs], read)
        answers = [np.empty((len(rows), *done[0].shape[1:])) for rows in origins]
        for (i, chosen, _, _), forecast in zip(jobs, done, strict=True):
            answers[i][chosen] = forecast
        return answers

    def _forecast_known(self, tracks: list[Track], origins: list[Origins], read: Reader) -> list[Floats]:
        stages = [self._stages(track) for track in tracks]
        series = [(_last(own), self._scaled_covariates(track)) for own, track in zip(stages, tracks, strict=True)]
        for track, (values, _), rows in zip(tracks, series, origins, strict=True):
            self._check_complete(track, values, rows)
        windows = self._framing.windows(series, origins)
        told = read(self.regressor_, windows if self._lazy else flat(windows))
        outputs = told.reshape(len(told), len(windows), -1)
        if self.anchor == "linear":
            outputs = outputs + self._linear.predict(windows)
        each = [self._in_units(value, tracks, stages, series, origins) for value in outputs]
        if read is point:
            return each[0]
        # A transformer that falls has turned their order round.
        return [np.sort(np.stack(values, axis=-1), axis=-1) for values in zip(*each, strict=True)]

    def _in_units(self, outputs: Floats, tracks: Any, stages: Any, series: Any, origins: Any) -> list[Floats]:
        """Return what the outputs of all windows tell of each series, in its units."""
        found = self._framing.forecasts(outputs, series, origins)
        return [
            np.stack([chain.back(ahead[..., j], own[j], rows) for j, chain in enumerate(track.learnt)], axis=-1)
            for track, own, ahead, rows in zip(tracks, stages, found, origins, strict=True)
        ]

    def stream(self) -> ForecastStream:
        """Return a `ForecastStream`, which goes on from here with one step of the series at a time."""
        check_is_fitted(self)
        return ForecastStream(self)

    def _can_forecast(self, track: Track, origins: Origins) -> Any:
        lacking = track.target if self.missing == "drop" else np.zeros((len(track.target), 1))
        return complete(lacking, origins, self._needed, 0)

    def _cut(self, track: Track, origin: int, n_steps: int) -> Track:
        return cut(track, origin, self._needed, n_steps, self.missing)

    def _check_complete(self, track: Track, values: Floats, origins: Origins) -> None:
        whole = complete(values, origins, self.lookback, 0)
        if not whole.all():
            raise ValueError(
                f"{name_of(self)}: the {self.lookback} steps up to row {origins[~whole][0]}{of_series(track)} "
                'have missing values, and missing="drop" leaves nothing to forecast from. Use missing="interpolate".'
            )

    @property
    def _seasons(self) -> tuple[int, ...]:
        """The seasons of the anchor "seasonal"; 1 where none is given."""
        given = self.season_length
        return (1,) if given is None else tuple(given) if np.iterable(given) else (given,)

    def _check_parameters(self) -> None:
        for name in ["lookback", "horizon"]:
            check_int(self, name, getattr(self, name), minimum=1)
        check_option(self, "strategy", self.strategy, ["direct", "recursive"])
        check_option(self, "anchor", self.anchor, ANCHORS)
        check_option(self, "scale", self.scale, ["window", None])
        check_option(self, "missing", self.missing, POLICIES)
        check_bool(self, "multivariate", self.multivariate)
        self._check_seasons()
        self._check_parts()
        if self.strategy == "recursive" and self._past_columns:
            constraint = 'empty for strategy="recursive", to which they are not known after one step'
            raise invalid_parameter(self, "past_covariates", constraint, self.past_covariates)
        if self.half_life is not None:
            check_real(self, "half_life", self.half_life, low=0)

    def _check_seasons(self) -> None:
        if self.season_length is not None:
            for season in self._seasons or (None,):
                check_int(self, "season_length", season, minimum=1)
        if self.anchor == "seasonal" and (self.season_length is None or max(self._seasons) > self.lookback):
            constraint = f'integers from 1 to lookback={self.lookback} for anchor="seasonal"'
            raise invalid_parameter(self, "season_length", constraint, self.season_length)

    def _check_parts(self) -> None:
        if not (self.scaler is None or self.scaler == "standard" or is_estimator(self.scaler, "transform")):
            raise invalid_parameter(self, "scaler", 'a scikit-learn transformer, "standard" or None', self.scaler)
        transformer = self.target_transformer
        if not (transformer is None or is_estimator(transformer, "inverse_transform")):
            constraint = "a transformer with an inverse_transform, or None"
            raise invalid_parameter(self, "target_transformer", constraint, transformer)
        # A StackingRegressor shows its `predict` only when it is fitted.
        if not (is_estimator(self.regressor, "predict") or is_estimator(self.regressor, "final_estimator")):
            raise invalid_parameter(self, "regressor", "a scikit-learn regressor", self.regressor)

    def _check_length(self, track: Track) -> None:
        needed = self._least_rows
        if len(track.target) < needed:
            raise ValueError(
                f"{name_of(self)}: the series{of_series(track, ' ')} has {len(track.target)} steps; "
                f"lookback={self.lookback} and horizon={self.horizon} need at least {needed}. Pass a longer series, or "
                "lower one of them."
            )

    def _check_covariates(self, track: Track) -> None:
        """Raise when a known-future covariate is the series itself, or when a static one is not."""
        if track.covariates is None:
            return
        for number in self._future_columns:
            if any(np.array_equal(track.covariates[:, number], column) for column in track.target.T):
                raise ValueError(
                    f"{name_of(self)}: the known-future covariate {self._columns[number]!r} is the series itself. "
                    "Leave it out of X (`fit(series)` alone forecasts a series from its past), or name it in "
                    "`past_covariates`."
                )
        for number in self._static_columns:
            if np.ptp(track.covariates[:, number]) > 0:
                raise ValueError(
                    f"{name_of(self)}: the static covariate {self._columns[number]!r} changes within the "
                    f"series{of_series(track, ' ')}. Take it out of `static_covariates`."
                )


def _times_of(track: Track) -> pd.DatetimeIndex | None:
    """Return the stamps of a series, of periods their begin; None without any."""
    index = track.index.to_timestamp() if isinstance(track.index, pd.PeriodIndex) else track.index
    return index if isinstance(index, pd.DatetimeIndex) else None


def of_series(track: Track, before: str = " of the series ") -> str:
    """Return the words that name a series of a panel; none for a series alone."""
    return "" if track.name is None else f"{before}{track.name!r}"


def _last(stages: list[list[Floats]]) -> Floats:
    """Return each target behind all of its transformers, (n_steps, n_targets)."""
    return np.stack([own[-1] for own in stages], axis=1)
