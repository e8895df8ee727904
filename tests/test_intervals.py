"""Intervals and paths: what they are made of, how often they hold, and what they know."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, Ridge

from tsrnn import (
    Forecaster,
    InvalidParameterError,
    NaiveForecaster,
    SeasonalNaiveForecaster,
    WalkForwardSplit,
    backtest,
    load_electricity_demand,
)
from tsrnn._conformal import adaptive_widths, conformal_widths

L, H = 5, 3
RNG = np.random.default_rng(0)
WALK = pd.Series(RNG.normal(size=160).cumsum(), index=pd.date_range("2024-01-01", periods=160, freq="D"), name="load")


def ridge(**values):
    return Forecaster(**{"regressor": Ridge(), "lookback": L, "horizon": H, **values})


def ar(rng, n, spread=1.0):
    """A series with a memory: y' = 0.8 y + noise."""
    values = np.zeros(n)
    for i in range(1, n):
        values[i] = 0.8 * values[i - 1] + spread * rng.normal()
    return values


def by_hand(forecaster, series, n_steps=H):
    """Residuals (n_origins, n_steps) of the last quarter, forecast one after the other by a fit on the rest."""
    first = len(series) - round(0.25 * len(series))
    fresh = forecaster.fit(series[:first])
    rows = []
    for origin in range(first - 1, len(series) - n_steps):
        ahead = fresh.with_history(series[: origin + 1]) if isinstance(forecaster, NaiveForecaster) else fresh
        forecast = ahead.predict_origins(series, origins=[origin], n_steps=n_steps)[0, :, 0]
        rows.append(series[origin + 1 : origin + 1 + n_steps].to_numpy() - forecast)
    return np.array(rows)


@pytest.mark.parametrize("make", [ridge, lambda: NaiveForecaster(horizon=H)], ids=["ridge", "naive"])
@pytest.mark.parametrize("coverage", [0.5, 0.9])
def test_a_bound_is_a_residual_of_the_right_rank(make, coverage):
    residuals = np.sort(np.abs(by_hand(make(), WALK)), axis=0)
    forecaster = make().fit(WALK)
    bounds = forecaster.predict_interval(coverage=coverage)
    rank = int(np.ceil((len(residuals) + 1) * coverage))
    forecast = forecaster.predict()
    np.testing.assert_allclose(bounds["upper"] - forecast, residuals[rank - 1])
    np.testing.assert_allclose(forecast - bounds["lower"], residuals[rank - 1])
    pd.testing.assert_index_equal(bounds.index, forecast.index)


def test_the_forms_of_the_bounds():
    both = pd.DataFrame({"a": WALK, "b": -2 * WALK})
    bounds = ridge().fit(both).predict_interval()
    assert list(bounds.columns) == [("a", "lower"), ("a", "upper"), ("b", "lower"), ("b", "upper")]
    np.testing.assert_allclose(bounds["b"]["upper"], -2 * bounds["a"]["lower"])
    array = ridge().fit(both.to_numpy()).predict_interval()
    np.testing.assert_allclose(array.reshape(H, 4), bounds)
    panel = ridge().fit({"x": WALK, "y": WALK[:100]}).predict_interval()
    assert list(panel) == ["x", "y"]
    assert list(panel["y"].columns) == ["lower", "upper"]
    rows = ridge().fit(pd.concat({"x": WALK, "y": WALK[:100]})).predict_interval()
    np.testing.assert_array_equal(rows.loc["y"], panel["y"])


def test_rolled_steps_have_widths_of_their_own():
    rows = pd.DataFrame(index=pd.date_range("2024-06-09", periods=7, freq="D"))
    forecaster = ridge().fit(WALK)
    bounds = forecaster.predict_interval(rows)
    residuals = np.sort(np.abs(by_hand(ridge(), WALK, 7)), axis=0)
    expected = residuals[int(np.ceil((len(residuals) + 1) * 0.9)) - 1]
    np.testing.assert_allclose((bounds["upper"] - bounds["lower"]) / 2, expected)


@pytest.mark.parametrize("method", ["conformal", "adaptive"])
@pytest.mark.parametrize("coverage", [0.8, 0.95])
def test_intervals_hold_as_often_as_they_say(method, coverage):
    """Of 200 simulated series, within the binomial band that chance leaves once in a thousand."""
    rng, hits, count = np.random.default_rng(1), 0, 200
    for _ in range(count):
        values = ar(rng, 201)
        lower, upper = ridge(horizon=1).fit(values[:200]).predict_interval(coverage=coverage, method=method)[0, 0]
        hits += lower <= values[200] <= upper
    assert abs(hits / count - coverage) < 3.29 * np.sqrt(coverage * (1 - coverage) / count)


def test_adaptive_intervals_follow_a_change():
    rng = np.random.default_rng(2)
    values = np.concatenate([ar(rng, 300), ar(rng, 80, spread=5.0)])
    known = ridge(horizon=1).fit(values[:300])
    known.predict_interval()
    known.update(values[300:])
    widths = {method: np.ptp(known.predict_interval(method=method)) for method in ("conformal", "adaptive")}
    assert widths["adaptive"] > 1.2 * widths["conformal"]


def test_the_adaptive_level_is_replayed():
    scores = np.array([3.0, 1.0, 2.0, 10.0, 11.0, 0.5])[:, None, None]
    level, seen = 0.5, [3.0, 1.0]
    for score in scores[2:, 0, 0]:
        rank = int(np.ceil((len(seen) + 1) * (1 - level) - 1e-9))
        level += 0.02 * (0.5 - (score > sorted(seen)[min(rank, len(seen)) - 1]))
        seen.append(score)
    rank = int(np.ceil((len(seen) + 1) * (1 - level) - 1e-9))
    assert adaptive_widths(scores, 0.5).item() == sorted(seen)[rank - 1]
    assert conformal_widths(scores, 0.5).item() == 3.0  # the 4th of 6


def test_a_copy_is_fitted_once_and_forgotten_with_the_fit():
    forecaster = ridge().fit(WALK)
    before = forecaster.predict_interval()
    fitted = forecaster._copy[0]
    forecaster.update(WALK[-3:].set_axis(pd.date_range("2024-06-09", periods=3, freq="D")))
    forecaster.predict_interval()
    assert forecaster._copy[0] is fitted
    assert fitted.regressor_ is not forecaster.regressor_
    pd.testing.assert_frame_equal(forecaster.fit(WALK).predict_interval(), before)
    assert forecaster._copy[0] is not fitted


def test_paths_are_forecasts_with_whole_walks_of_residuals():
    forecaster = ridge().fit(WALK)
    paths = forecaster.sample_paths(n_paths=40, random_state=0)
    residuals = by_hand(ridge(), WALK)
    walks = paths[:, :, 0] - forecaster.predict().to_numpy()
    assert paths.shape == (40, H, 1)
    assert all(np.isclose(residuals, walk, atol=1e-9).all(axis=1).any() for walk in walks)
    np.testing.assert_array_equal(paths, forecaster.sample_paths(n_paths=40, random_state=0))
    assert not np.array_equal(paths, forecaster.sample_paths(n_paths=40, random_state=1))
    panel = ridge().fit({"x": WALK}).sample_paths(n_paths=2)
    assert panel["x"].shape == (2, H, 1)


@pytest.mark.parametrize("policy", ["interpolate", "drop"])
def test_residuals_around_gaps(policy):
    holed = WALK.copy()
    holed.iloc[[20, 140]] = np.nan
    bounds = ridge(missing=policy).fit(holed).predict_interval()
    assert np.isfinite(bounds.to_numpy()).all()


def test_backtests_with_intervals():
    cv = WalkForwardSplit(n_splits=6, test_size=H)
    table = backtest(ridge(), WALK, cv=cv, coverage=0.8, progress=False)
    plain = backtest(ridge(), WALK, cv=cv, progress=False)
    pd.testing.assert_frame_equal(table[plain.columns], plain)
    for number, (train, _) in enumerate(cv.split(WALK)):
        bounds = ridge().fit(WALK.iloc[train]).predict_interval(coverage=0.8)
        np.testing.assert_allclose(table.loc[table["fold"] == number, ["lower", "upper"]], bounds)
    once = backtest(ridge(), WALK, cv=cv, coverage=0.8, refit=False, progress=False)
    widths = (once["upper"] - once["lower"]).to_numpy().reshape(6, H)
    np.testing.assert_allclose(widths, widths[[0] * 6])


def test_intervals_of_a_backtest_know_nothing_of_what_comes_later():
    cv = WalkForwardSplit(n_splits=4, test_size=H)
    spoilt = WALK.copy()
    spoilt.iloc[-2 * H :] += 1e6
    tables = [backtest(ridge(), y, cv=cv, coverage=0.8, progress=False) for y in (WALK, spoilt)]
    early = tables[0]["fold"] < 2
    pd.testing.assert_frame_equal(tables[0][early], tables[1][early])


@pytest.mark.slow
def test_the_coverage_of_a_day_ahead_backtest():
    demand = load_electricity_demand()
    cv = WalkForwardSplit(n_splits=21, test_size=48)
    forecaster = Forecaster(LinearRegression(), lookback=336, horizon=48)
    table = backtest(forecaster, demand, cv=cv, coverage=0.8, refit=False, progress=False)
    inside = table["y_true"].between(table["lower"], table["upper"]).mean()
    assert 0.7 < inside < 0.95


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ridge().fit(WALK).predict_interval(coverage=1), InvalidParameterError, "`coverage` must be a number"),
        (lambda: ridge().fit(WALK).predict_interval(method="bayes"), InvalidParameterError, "`method` must be one of"),
        (lambda: ridge().fit(WALK).predict_interval(coverage=0.99), ValueError, "needs at least 99 residuals; .* 38"),
        (lambda: ridge().fit(WALK[:10]).predict_interval(), ValueError, "has 8 steps|too few"),
        (lambda: ridge().fit(WALK).sample_paths(n_paths=0), InvalidParameterError, "`n_paths` must be an integer >= 1"),
        (lambda: ridge().predict_interval(), Exception, "not fitted"),
        (
            lambda: backtest(Ridge(), WALK.to_frame(), WALK, cv=WalkForwardSplit(2), coverage=0.9, progress=False),
            InvalidParameterError,
            "`coverage` must be None for a regressor of rows",
        ),
    ],
)
def test_what_is_wrong_is_said(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_seasonal_rule_has_intervals():
    bounds = SeasonalNaiveForecaster(season_length=7, horizon=H).fit(WALK).predict_interval()
    assert (bounds["lower"] < bounds["upper"]).all()
