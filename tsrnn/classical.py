"""Classical statistical models with the face of a Forecaster, estimated by statsmodels."""

from typing import Any

import numpy as np
import pandas as pd

from tsrnn._base_forecaster import Origins
from tsrnn._series import Floats
from tsrnn._statsmodels import (
    FROM_FIRST_ROW,
    HORIZON,
    MAX_ITER,
    MODEL,
    StatisticalForecaster,
    at,
    check_counts,
    estimated,
    ets_model,
    keep_means_only,
    levels_ahead,
)
from tsrnn._validation import check_bool, check_int, check_option, invalid_parameter, name_of

__all__ = ["ETSForecaster", "SARIMAXForecaster", "STLForecaster", "ThetaForecaster"]


class ETSForecaster(StatisticalForecaster):
    __doc__ = MODEL.format(
        summary="Exponential smoothing with error, trend and season (ETS).",
        origins=FROM_FIRST_ROW,
        parameters="""error : {"add", "mul"}, default="add"
        Whether errors add to the level or multiply it; "mul", here and below, needs a positive series.
    trend : {"add", "mul", None}, default=None
        How the trend joins the level.
    seasonal : {"add", "mul", None}, default=None
        How the season joins the level.
    season_length : int, default=None
        Steps in a season, at least 2; needed with `seasonal`.
    damped_trend : bool, default=False
        Whether the trend levels off.
    """
        + HORIZON
        + "\n    "
        + MAX_ITER,
        errors=" or, for a multiplicative part, not positive",
        notes="All origins are forecast in one pass over the series. Covariates are accepted and not used.",
        references="""Hyndman, Koehler, Ord & Snyder (2008), Forecasting with Exponential Smoothing,
    doi:10.1007/978-3-540-71918-2: the state space form, its estimation by likelihood and the forecasts from it.""",
        example=""">>> import numpy as np
    >>> series = np.tile([10.0, 20, 30], 6) + np.arange(18)
    >>> model = ETSForecaster(trend="add", seasonal="add", season_length=3, horizon=3)
    >>> model.fit(series).predict().round(2)
    array([28., 39., 50.])""",
    )

    def __init__(
        self,
        error: str = "add",
        trend: str | None = None,
        seasonal: str | None = None,
        *,
        season_length: int | None = None,
        damped_trend: bool = False,
        horizon: int = 1,
        max_iter: int = 1000,
    ) -> None:
        self.error = error
        self.trend = trend
        self.seasonal = seasonal
        self.season_length = season_length
        self.damped_trend = damped_trend
        self.horizon = horizon
        self.max_iter = max_iter

    @property
    def _needed(self) -> int:
        # statsmodels' first guess of the states takes as many.
        season = self.season_length if self.seasonal and self.season_length else 0
        return max(10 + 2 * (season // 2), 2 * season)

    def _check_model(self) -> None:
        check_option(self, "error", self.error, ["add", "mul"])
        check_option(self, "trend", self.trend, ["add", "mul", None])
        check_option(self, "seasonal", self.seasonal, ["add", "mul", None])
        check_bool(self, "damped_trend", self.damped_trend)
        if self.damped_trend and self.trend is None:
            raise invalid_parameter(self, "damped_trend", "False without a trend", True)
        if self.seasonal is not None:
            check_int(self, "season_length", self.season_length, minimum=2)
        check_int(self, "max_iter", self.max_iter, minimum=1)

    def _model(self, column: Floats) -> Any:
        if "mul" in (self.error, self.trend, self.seasonal) and (column <= 0).any():
            raise ValueError(
                f"{name_of(self)}: the series is not above 0 at row {int((column <= 0).argmax())}; a multiplicative "
                'part needs a positive series. Take "add" instead.'
            )
        season = self.season_length if self.seasonal else None
        return ets_model(column, self.error, self.trend, self.damped_trend, (self.seasonal, season))

    def _estimate(self, column: Floats, covariates: Floats | None) -> "pd.Series[float]":
        return estimated(self._model(column), maxiter=self.max_iter)

    def _ahead(self, params: "pd.Series[float]", column: Floats, covariates: Floats | None, origins: Origins) -> Floats:
        states = np.asarray(self._model(column).smooth(params.to_numpy()).states).reshape(len(column), -1)
        forecasts = levels_ahead(states, params.get("damping_trend", 1.0), self.trend, origins, self.horizon)
        if self.seasonal is None:
            return forecasts
        season: int = self.season_length  # type: ignore[assignment]
        # The state one season before the step: it is the last of its kind that the origin knows.
        seasons = states[origins[:, None] + 1 - season + np.arange(self.horizon) % season, -1]
        return with_season(forecasts, seasons, self.seasonal == "mul")


class ThetaForecaster(StatisticalForecaster):
    __doc__ = MODEL.format(
        summary="Theta: half the linear trend added to simple exponential smoothing.",
        origins="""For a later origin the estimates (trend, smoothing and season) stay
    as they are, and only the smoothed level goes on from the first row to the origin: rows passed to `predict_origins`
    begin with the first row of the fit.""",
        parameters="""season_length : int, default=None
        Steps in a season, at least 2. Where a test at 10 % finds the season in a series, it is taken out by classical
        decomposition (multiplicative for a positive series) and put back into the forecast. None: no season.
    """
        + HORIZON,
        errors="",
        notes="All origins are forecast in one pass over the series. Covariates are accepted and not used.",
        references="""Assimakopoulos & Nikolopoulos (2000), doi:10.1016/S0169-2070(00)00066-2: the method.

    Hyndman & Billah (2003), doi:10.1016/S0169-2070(01)00143-1: that it is exponential smoothing with a drift.""",
        example=""">>> ThetaForecaster(horizon=3).fit([1.0, 2, 3, 4, 5, 6, 7, 8, 9, 10]).predict().round(1)
    array([10.5, 11. , 11.5])""",
    )

    def __init__(self, season_length: int | None = None, horizon: int = 1) -> None:
        self.season_length = season_length
        self.horizon = horizon

    @property
    def _needed(self) -> int:
        return 2 * self.season_length if self.season_length else 3

    def _check_model(self) -> None:
        if self.season_length is not None:
            check_int(self, "season_length", self.season_length, minimum=2)

    def _estimate(self, column: Floats, covariates: Floats | None) -> "pd.Series[float]":
        from statsmodels.tsa.forecasting.theta import ThetaModel

        season = self.season_length or 1
        model = ThetaModel(column, period=season, deseasonalize=season > 1)
        fitted = model.fit()
        names = [f"seasonal.{i}" for i in range(season)]
        # The components begin with the step after the series.
        seasonal: Floats = np.roll(np.asarray(fitted.forecast_components(season)["seasonal"]), len(column) % season)
        multiplies = not model.method.startswith("add")
        adjusted = without_season(column, seasonal, multiplies)
        # statsmodels' own slope is wrong where what is left without the season is constant.
        slope = np.polyfit(np.arange(len(column)), adjusted, 1)[0]
        values = [slope, fitted.params["alpha"], float(multiplies), *seasonal]
        return pd.Series(values, ["b0", "alpha", "multiplicative", *names])

    def _ahead(self, params: "pd.Series[float]", column: Floats, covariates: Floats | None, origins: Origins) -> Floats:
        from scipy.signal import lfilter

        seasonal, multiplies = np.asarray(params.iloc[3:]), bool(params["multiplicative"])
        adjusted = without_season(column, seasonal, multiplies)
        alpha, drift = params["alpha"], params["b0"]
        level, _ = lfilter([alpha], [1.0, alpha - 1.0], adjusted, zi=[(1.0 - alpha) * adjusted[0]])
        steps = np.arange(self.horizon, dtype=np.float64) + np.zeros((len(origins), 1))
        if alpha > 0:
            steps += (1.0 - (1.0 - alpha) ** (origins[:, None] + 1)) / alpha
        forecasts: Floats = level[origins][:, None] + drift * steps / 2
        ahead = seasonal[(origins[:, None] + 1 + np.arange(self.horizon)) % len(seasonal)]
        return with_season(forecasts, ahead, multiplies)


class STLForecaster(StatisticalForecaster):
    __doc__ = MODEL.format(
        summary="Seasonal decomposition by loess (STL): the season repeats itself, the rest is smoothed exponentially.",
        origins="""For a later origin the decomposition is made anew from the rows up to
    it; the estimates of the exponential smoothing stay as they are. Rows passed to `predict_origins` begin with the
    first row of the fit.""",
        parameters="""season_length : int, default=24
        Steps in a season, at least 2.
    trend : {"add", None}, default=None
        The trend of the exponential smoothing.
    damped_trend : bool, default=False
        Whether the trend levels off.
    robust : bool, default=False
        Whether the decomposition gives outliers less weight; some ten times slower.
    """
        + HORIZON
        + "\n    "
        + MAX_ITER,
        errors="",
        notes="""Every origin costs a decomposition of all rows up to it, some 20 ms for 3,000. Covariates are accepted
    and not used.""",
        references="""Cleveland, Cleveland, McRae & Terpenning (1990), STL: a seasonal-trend decomposition procedure
    based on loess, Journal of Official Statistics 6(1), 3-73: the decomposition.

    Hyndman & Athanasopoulos (2021), Forecasting: Principles and Practice, 3rd ed., section 5.7: the forecast.""",
        example=""">>> import numpy as np
    >>> series = np.tile([10.0, 20, 30], 6) + np.arange(18) % 2
    >>> STLForecaster(season_length=3, horizon=3).fit(series).predict().round(1)
    array([10.7, 20.2, 30.6])""",
    )

    def __init__(
        self,
        season_length: int = 24,
        trend: str | None = None,
        *,
        damped_trend: bool = False,
        robust: bool = False,
        horizon: int = 1,
        max_iter: int = 1000,
    ) -> None:
        self.season_length = season_length
        self.trend = trend
        self.damped_trend = damped_trend
        self.robust = robust
        self.horizon = horizon
        self.max_iter = max_iter

    @property
    def _needed(self) -> int:
        return max(10, 2 * self.season_length)

    def _check_model(self) -> None:
        check_int(self, "season_length", self.season_length, minimum=2)
        check_option(self, "trend", self.trend, ["add", None])
        check_bool(self, "damped_trend", self.damped_trend)
        check_bool(self, "robust", self.robust)
        if self.damped_trend and self.trend is None:
            raise invalid_parameter(self, "damped_trend", "False without a trend", True)
        check_int(self, "max_iter", self.max_iter, minimum=1)

    def _season(self, column: Floats) -> Floats:
        from statsmodels.tsa.seasonal import STL

        length = self.season_length
        # The smooth parts are computed at every tenth step of their windows, and lines drawn between, as R's stl does:
        # 3 times as fast for a season of 24 and 3,000 steps, 34 times for 336.
        jumps = {"trend_jump": 1 + length // 5, "low_pass_jump": 1 + length // 10}
        season: Floats = np.asarray(STL(column, period=length, robust=self.robust, **jumps).fit().seasonal)
        return season

    def _estimate(self, column: Floats, covariates: Floats | None) -> "pd.Series[float]":
        adjusted = column - self._season(column)
        return estimated(ets_model(adjusted, "add", self.trend, self.damped_trend), maxiter=self.max_iter)

    def _ahead(self, params: "pd.Series[float]", column: Floats, covariates: Floats | None, origins: Origins) -> Floats:
        return np.stack([self._from_end(params, column[: origin + 1]) for origin in origins])

    def _from_end(self, params: "pd.Series[float]", column: Floats) -> Floats:
        """Return (horizon,), the forecast from the end of `column`."""
        season = self._season(column)
        model = ets_model(column - season, "add", self.trend, self.damped_trend)
        states = np.asarray(model.smooth(params.to_numpy()).states).reshape(len(column), -1)
        last = np.array([len(column) - 1])
        rest = levels_ahead(states, params.get("damping_trend", 1.0), self.trend, last, self.horizon)[0]
        forecast: Floats = rest + np.resize(season[-self.season_length :], self.horizon)
        return forecast


class SARIMAXForecaster(StatisticalForecaster):
    __doc__ = MODEL.format(
        summary="Seasonal ARIMA with covariates: a regression whose errors are a seasonal ARIMA process.",
        origins=FROM_FIRST_ROW,
        parameters="""order : tuple of int, default=(1, 1, 1)
        Autoregressive lags, differences and moving-average lags, (p, d, q).
    seasonal_order : tuple of int, default=(0, 0, 0, 0)
        The same for the season, and the steps in it, (P, D, Q, season_length).
    trend : {"n", "c", "t", "ct"}, default="n"
        Nothing, a constant, a slope or both. Without differences, a series whose mean is not 0 needs "c".
    """
        + HORIZON
        + "\n    "
        + MAX_ITER.replace("1000", "200"),
        errors="",
        notes="""Covariates are known in the future. All origins are forecast from one pass of the Kalman filter, which
    costs O(n_steps * k ** 3) for k = d + D * season_length + max(p + P * season_length, q + Q * season_length + 1)
    states: a long season is slow.""",
        references="""Box & Jenkins (1970), Time Series Analysis: Forecasting and Control: the model.

    Durbin & Koopman (2012), doi:10.1093/acprof:oso/9780199641178.001.0001: the state space form and the filter.""",
        example=""">>> import numpy as np
    >>> series = np.random.default_rng(0).normal(size=200).cumsum()
    >>> model = SARIMAXForecaster(order=(0, 1, 0), horizon=2).fit(series)
    >>> bool(np.allclose(model.predict(), series[-1]))  # a random walk stays where it is
    True""",
    )

    def __init__(
        self,
        order: tuple[int, int, int] = (1, 1, 1),
        seasonal_order: tuple[int, int, int, int] = (0, 0, 0, 0),
        *,
        trend: str = "n",
        horizon: int = 1,
        max_iter: int = 200,
    ) -> None:
        self.order = order
        self.seasonal_order = seasonal_order
        self.trend = trend
        self.horizon = horizon
        self.max_iter = max_iter

    @property
    def _needed(self) -> int:
        (p, d, q), (p_season, d_season, q_season, season) = self.order, self.seasonal_order
        return 2 + d + max(p, q) + season * (d_season + max(p_season, q_season))

    def _check_model(self) -> None:
        for name, length in (("order", 3), ("seasonal_order", 4)):
            check_counts(self, name, getattr(self, name), length)
        if any(self.seasonal_order[:3]) and self.seasonal_order[3] < 2:
            raise invalid_parameter(self, "seasonal_order", "(P, D, Q, season_length >= 2)", self.seasonal_order)
        check_option(self, "trend", self.trend, ["n", "c", "t", "ct"])
        check_int(self, "max_iter", self.max_iter, minimum=1)

    def _start(self, covariates: Floats | None) -> None:
        spread = np.ones(0) if covariates is None else covariates.std(axis=0)
        self._covariate_scales = np.where(spread > 0, spread, 1.0)

    def _model(self, column: Floats, covariates: Floats | None) -> Any:
        from statsmodels.tsa.statespace.sarimax import SARIMAX

        exog = None if covariates is None else covariates[: len(column)] / self._covariate_scales
        return SARIMAX(column, exog, order=self.order, seasonal_order=self.seasonal_order, trend=self.trend)

    def _estimate(self, column: Floats, covariates: Floats | None) -> "pd.Series[float]":
        return estimated(self._model(column, covariates), maxiter=self.max_iter, low_memory=True)

    def _ahead(self, params: "pd.Series[float]", column: Floats, covariates: Floats | None, origins: Origins) -> Floats:
        model = self._model(np.append(column, np.full(self.horizon, np.nan)), covariates)
        keep_means_only(model.ssm)
        means = model.filter(params.to_numpy(), return_ssm=True).predicted_state
        transition, design = model.ssm["transition"], model.ssm["design"]
        drift = model.ssm["state_intercept"].reshape(len(transition), -1)
        offset = model.ssm["obs_intercept"].reshape(1, -1)
        state, forecasts = means[:, origins + 1], []
        for step in origins + 1 + np.arange(self.horizon)[:, None]:
            forecasts.append((design @ state + at(offset, step))[0])
            state = transition @ state + at(drift, step)
        return np.stack(forecasts, axis=1)


def with_season(forecasts: Floats, seasons: Floats, multiplies: bool) -> Floats:
    """Return `forecasts` (n_origins, horizon) with their `seasons`."""
    return forecasts * seasons if multiplies else forecasts + seasons


def without_season(column: Floats, seasonal: Floats, multiplies: bool) -> Floats:
    """Return `column` without its season, which begins with its first row."""
    season = np.resize(seasonal, len(column))
    return column / season if multiplies else column - season
