"""The classical models against statsmodels' own forecasts, origin by origin, and with the face of every forecaster."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from statsmodels.tsa.exponential_smoothing.ets import ETSModel
from statsmodels.tsa.forecasting.stl import STLForecast
from statsmodels.tsa.forecasting.theta import ThetaModel
from statsmodels.tsa.seasonal import STL
from statsmodels.tsa.statespace.sarimax import SARIMAX

from tsrnn import (
    ETSForecaster,
    InvalidParameterError,
    SARIMAXForecaster,
    STLForecaster,
    ThetaForecaster,
    WalkForwardSplit,
    backtest,
)


def seasonal(n=90, seed=0):
    """Trend, a season of 6 and noise; positive."""
    t = np.arange(n)
    return 40 + 0.2 * t + 8 * np.sin(2 * np.pi * t / 6) + np.random.default_rng(seed).normal(size=n).cumsum() * 0.3


VALUES = seasonal()
X = np.random.default_rng(1).normal(size=(100, 2))
Y = VALUES + X[:90] @ [3.0, -5.0]
MODELS = {
    "ETS": ETSForecaster(trend="add", seasonal="add", season_length=6, horizon=8),
    "Theta": ThetaForecaster(season_length=6, horizon=8),
    "STL": STLForecaster(season_length=6, horizon=8),
    "SARIMAX": SARIMAXForecaster(order=(1, 1, 1), horizon=8),
}
models = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())


# Values

ETS = [
    {"error": error, "trend": trend, "seasonal": season, "damped_trend": damped}
    for error in ("add", "mul")
    for trend in (None, "add", "mul")
    for season in (None, "add", "mul")
    for damped in (False, True)
    if not (damped and trend is None)
]


@pytest.mark.parametrize("options", ETS, ids=lambda options: "-".join(str(value) for value in options.values()))
@pytest.mark.filterwarnings("ignore:ETSForecaster:sklearn.exceptions.ConvergenceWarning")
def test_ets_is_that_of_statsmodels_from_every_origin(options):
    forecaster = ETSForecaster(**options, season_length=6, horizon=8, max_iter=20).fit(VALUES[:70])
    origins = [50, 69, 75, 89]
    (scale,) = forecaster.scales_
    kind = {**options, "seasonal_periods": 6 if options["seasonal"] else None}
    expected = [
        ETSModel(VALUES[: origin + 1] / scale, **kind).smooth(forecaster.params_[0]).forecast(8) * scale
        for origin in origins
    ]
    forecasts = forecaster.predict_origins(VALUES, origins=origins)
    np.testing.assert_allclose(forecasts[..., 0], expected, rtol=1e-9)
    np.testing.assert_allclose(forecaster.predict(), expected[1], rtol=1e-9)


@pytest.mark.parametrize("options", [{}, {"trend": "c", "order": (2, 0, 1)}, {"trend": "ct", "order": (1, 0, 0)}])
@pytest.mark.parametrize("season", [(0, 0, 0, 0), (1, 1, 0, 6)])
@pytest.mark.parametrize("with_covariates", [True, False])
@pytest.mark.filterwarnings("ignore:SARIMAXForecaster:sklearn.exceptions.ConvergenceWarning")
def test_sarimax_is_that_of_statsmodels_from_every_origin(options, season, with_covariates):
    forecaster = SARIMAXForecaster(**options, seasonal_order=season, horizon=8, max_iter=20)
    known = (X[:70], Y[:70]) if with_covariates else (VALUES[:70],)
    forecaster.fit(*known)
    y, spread = known[-1], X[:70].std(axis=0)
    full = Y if with_covariates else VALUES
    exog = X / spread if with_covariates else None
    order = options.get("order", (1, 1, 1))
    for origin in (50, 69, 89):
        model = SARIMAX(
            full[: origin + 1] / y.std(),
            None if exog is None else exog[: origin + 1],
            order=order,
            seasonal_order=season,
            trend=options.get("trend", "n"),
        )
        future = None if exog is None else exog[origin + 1 : origin + 9]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = model.filter(forecaster.params_[0].to_numpy()).forecast(8, exog=future) * y.std()
        rows = (X, np.append(Y, np.zeros(10))) if with_covariates else (VALUES,)
        forecast = forecaster.predict_origins(*rows, origins=[origin])[0, :, 0]
        np.testing.assert_allclose(forecast, expected, rtol=1e-7)


@pytest.mark.parametrize("values", [VALUES[:70], VALUES[:70] - 40, np.random.default_rng(0).normal(size=70)])
@pytest.mark.parametrize("season", [None, 6])
def test_theta_is_that_of_statsmodels(values, season):
    forecaster = ThetaForecaster(season, horizon=8).fit(values)
    expected = ThetaModel(values / values.std(), period=season or 1, deseasonalize=season is not None).fit().forecast(8)
    np.testing.assert_allclose(forecaster.predict(), expected * values.std(), rtol=1e-9)


def test_theta_from_a_later_origin_keeps_its_estimates():
    forecaster = ThetaForecaster(6, horizon=4).fit(VALUES[:70])
    estimates = forecaster.params_[0]
    assert estimates["multiplicative"] == 1
    season = [estimates[f"seasonal.{i}"] for i in range(6)]
    alpha, drift = estimates["alpha"], estimates["b0"]
    values = VALUES / VALUES[:70].std()
    for origin in (40, 69, 80):
        level = values[0] / season[0]
        for t in range(origin + 1):
            level = alpha * values[t] / season[t % 6] + (1 - alpha) * level
        steps = np.arange(4) + (1 - (1 - alpha) ** (origin + 1)) / alpha
        expected = [(level + drift * steps[h] / 2) * season[(origin + 1 + h) % 6] for h in range(4)]
        forecast = forecaster.predict_origins(VALUES, origins=[origin])[0, :, 0]
        np.testing.assert_allclose(forecast, np.array(expected) * VALUES[:70].std(), rtol=1e-9)


@pytest.mark.parametrize("options", [{}, {"trend": "add"}, {"trend": "add", "damped_trend": True}])
def test_stl_is_that_of_statsmodels(options):
    forecaster = STLForecaster(season_length=6, horizon=8, **options).fit(VALUES[:70])
    scaled = VALUES[:70] / forecaster.scales_
    kind = {"error": "add", "trend": None, "damped_trend": False, **options}
    fitted = STLForecast(scaled, ETSModel, model_kwargs=kind, period=6, trend_jump=2).fit(fit_kwargs={"disp": False})
    np.testing.assert_allclose(forecaster.predict(), fitted.forecast(8) * forecaster.scales_, rtol=1e-7)


def test_stl_decomposes_anew_for_a_later_origin_and_keeps_its_estimates():
    forecaster = STLForecaster(season_length=6, robust=True, horizon=8).fit(VALUES[:70])
    estimates = forecaster.params_.copy()
    later = forecaster.predict_origins(VALUES, origins=[69, 85])
    np.testing.assert_array_equal(later[0, :, 0], forecaster.predict())
    pd.testing.assert_frame_equal(forecaster.params_, estimates)
    season = np.asarray(STL(VALUES[:86], period=6, robust=True, trend_jump=2).fit().seasonal)
    smoothed = ETSModel((VALUES[:86] - season) / forecaster.scales_).smooth(estimates[0])
    expected = smoothed.forecast(8) * forecaster.scales_ + np.resize(season[-6:], 8)
    np.testing.assert_allclose(later[1, :, 0], expected, rtol=1e-9)


# What every one of them does


@models
def test_each_series_is_fitted_alone(model):
    both = np.stack([VALUES, seasonal(seed=3) * 1e6], axis=1)
    together = clone(model).fit(both).predict()
    for j in range(2):
        np.testing.assert_array_equal(together[:, j], clone(model).fit(both[:, j]).predict())


@models
def test_nothing_after_an_origin_counts(model):
    fitted = clone(model).fit(VALUES[:70])
    changed = VALUES.copy()
    changed[81:] += 1e6
    origins = [60, 69, 80]
    np.testing.assert_array_equal(
        fitted.predict_origins(changed, origins=[*origins, 89])[:3], fitted.predict_origins(VALUES, origins=origins)
    )


@models
def test_steps_beyond_the_horizon_are_forecast_at_once(model):
    short = clone(model).set_params(horizon=2).fit(VALUES)
    np.testing.assert_array_equal(short.predict(np.empty((8, 0))), clone(model).fit(VALUES).predict())
    np.testing.assert_allclose(short.predict(np.empty((8, 0)))[:2], short.predict(), rtol=1e-12)


@models
def test_new_rows_move_the_origin_and_no_estimate(model):
    fitted = clone(model).fit(VALUES[:70])
    estimates = fitted.params_.copy()
    expected = fitted.predict_origins(VALUES, origins=[79])[0, :, 0]
    np.testing.assert_array_equal(fitted.update(VALUES[70:80]).predict(), expected)
    pd.testing.assert_frame_equal(fitted.params_, estimates)


@models
def test_the_unit_does_not_matter(model):
    forecast = clone(model).fit(VALUES).predict()
    for unit in (2.0**-30, 2.0**30):
        np.testing.assert_allclose(clone(model).fit(VALUES * unit).predict(), forecast * unit, rtol=1e-6)


@models
def test_they_forecast_better_than_the_last_value(model):
    cv = WalkForwardSplit(3, test_size=6)
    model = clone(model).set_params(horizon=6)
    table = backtest(model, VALUES, cv=cv, refit=False, progress=False)
    last = VALUES[[71, 77, 83]].repeat(6)
    error = (table["y_true"] - table["y_pred"]).abs().mean()
    assert error < (table["y_true"] - last).abs().mean()


@models
def test_stamps_forms_pickles_and_clones(model):
    hours = pd.date_range("2026-01-01", periods=90, freq="h", tz="Europe/Madrid")
    series = pd.Series(VALUES, hours, name="load")
    fitted = clone(model).fit(series)
    forecast = fitted.predict()
    assert forecast.name == "load"
    assert forecast.index.equals(pd.date_range(hours[-1] + pd.Timedelta("1h"), periods=8, freq="h"))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).predict(), forecast)
    assert list(fitted.params_.columns) == ["load"]
    assert clone(fitted).get_params() == model.get_params()


@models
@pytest.mark.parametrize("value", [0.0, 5.0])
def test_a_constant_series_goes_on(model, value):
    model = clone(model).set_params(horizon=3)
    np.testing.assert_allclose(model.fit(np.full(30, value)).predict(), value, rtol=1e-3, atol=1e-9)


def test_covariates_are_known_in_the_future():
    fitted = SARIMAXForecaster(order=(1, 1, 0), horizon=4).fit(X[:90], Y)
    steady = fitted.predict(np.zeros((4, 2)))
    np.testing.assert_allclose(fitted.predict(X[90:94]) - steady, X[90:94] @ [3.0, -5.0], rtol=0.1, atol=0.2)
    np.testing.assert_allclose(fitted.predict(X[90:])[:4], fitted.predict(X[90:94]), rtol=1e-9)
    with pytest.raises(ValueError, match=r"^SARIMAXForecaster: the covariates \[0, 1\] are known in the future"):
        fitted.predict()


# What they say and refuse


def test_an_estimation_that_stops_early_is_a_warning():
    for model in (
        ETSForecaster(trend="add", max_iter=1),
        SARIMAXForecaster(order=(2, 1, 2), max_iter=1),
        STLForecaster(6, max_iter=1),
    ):
        words = rf"^{type(model).__name__}: the estimation for series 'load' did not converge; .* Raise `max_iter`, or"
        with pytest.warns(ConvergenceWarning, match=words):
            model.fit(pd.Series(VALUES, name="load"))


def test_a_multiplicative_part_needs_a_positive_series():
    for part in ("error", "trend"):
        with pytest.raises(ValueError, match=r"at row 3; a multiplicative part needs a positive series\. Take \"add\""):
            ETSForecaster(**{part: "mul"}).fit([5.0, 3, 4, -1, 5, 6, 7, 8, 9, 10, 11])


@models
def test_a_series_that_is_too_short(model):
    name, needed = type(model).__name__, model._needed
    with pytest.raises(ValueError, match=rf"^{name}: the series has {needed - 1} steps; need at least {needed}\."):
        clone(model).fit(VALUES[: needed - 1])


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (ETSForecaster(error="none"), r"ETSForecaster: `error` must be one of \['add', 'mul'\]; got 'none'"),
        (ETSForecaster(trend="added"), r"ETSForecaster: `trend` must be one of .*Did you mean 'add'"),
        (ETSForecaster(seasonal="add"), r"ETSForecaster: `season_length` must be an integer >= 2; got None"),
        (ETSForecaster(damped_trend=True), r"ETSForecaster: `damped_trend` must be False without a trend"),
        (ETSForecaster(horizon=0), r"ETSForecaster: `horizon` must be an integer >= 1; got 0"),
        (ETSForecaster(max_iter=0), r"ETSForecaster: `max_iter` must be an integer >= 1; got 0"),
        (ThetaForecaster(1), r"ThetaForecaster: `season_length` must be an integer >= 2; got 1"),
        (STLForecaster(1), r"STLForecaster: `season_length` must be an integer >= 2; got 1"),
        (STLForecaster(6, "mul"), r"STLForecaster: `trend` must be one of \['add', None\]"),
        (STLForecaster(6, damped_trend=True), r"STLForecaster: `damped_trend` must be False without a trend"),
        (STLForecaster(6, robust=1), r"STLForecaster: `robust` must be True or False"),
        (SARIMAXForecaster((1, 1)), r"SARIMAXForecaster: `order` must be a tuple of 3 integers >= 0; got \(1, 1\)"),
        (SARIMAXForecaster((1, -1, 0)), r"`order` must be a tuple of 3 integers >= 0"),
        (SARIMAXForecaster((1, 1, 1), (1, 0, 0)), r"`seasonal_order` must be a tuple of 4 integers >= 0"),
        (SARIMAXForecaster((1, 1, 1), (1, 0, 0, 1)), r"`seasonal_order` must be \(P, D, Q, season_length >= 2\)"),
        (SARIMAXForecaster(trend="add"), r"`trend` must be one of \['n', 'c', 't', 'ct'\]"),
    ],
)
def test_parameters_are_checked_in_fit(model, words):
    with pytest.raises(InvalidParameterError, match=words):
        model.fit(VALUES)
