"""find_seasons and suggest_lookback: what is there is found, and noise is no season."""

import numpy as np
import pandas as pd
import pytest

from tsrnn import InvalidParameterError, find_seasons, load_electricity_demand, load_sp500, suggest_lookback

SEEDS = range(40)


def sine(period, n=1200):
    return np.sin(2 * np.pi * np.arange(n) / period)


def noise(seed, n=600):
    return np.random.default_rng(seed).normal(size=n)


def autoregression(phi, seed, n=600):
    """x_t = phi x_(t-1) + noise; a random walk for phi = 1."""
    steps = noise(seed, n + 200)
    values = np.zeros(n + 200)
    for t in range(1, n + 200):
        values[t] = phi * values[t - 1] + steps[t]
    return values[200:]


def share_without_season(make):
    return np.mean([find_seasons(make(seed)) == [] for seed in SEEDS])


# --- what is there ---


def test_demand_has_a_day_and_a_week():
    demand = load_electricity_demand()
    assert find_seasons(demand) == [48, 336]
    assert suggest_lookback(demand) == 336
    assert find_seasons(demand.resample("h").mean()) == [24, 168]
    assert find_seasons(demand, max_lag=100) == [48]
    assert suggest_lookback(demand, max_lag=100) == 48


@pytest.mark.parametrize("period", [3, 4, 7, 12, 20, 24, 52, 100])
def test_a_sine(period):
    assert find_seasons(sine(period)) == [period]
    assert find_seasons(sine(period) + 0.3 * noise(period, 1200)) == [period]


def test_alternating_values():
    assert find_seasons(np.arange(100) % 2) == [2]


def test_any_shape_that_repeats():
    shape = noise(7, 30)
    assert find_seasons(np.tile(shape, 12)) == [30]


@pytest.mark.parametrize("trend", ["none", "line", "parabola", "random walk"])
def test_a_trend_does_not_hide_a_season(trend):
    time = np.arange(300) / 300
    trends = {"none": 0 * time, "line": 50 * time, "parabola": 50 * time**2, "random walk": noise(1, 300).cumsum()}
    assert find_seasons(3 * sine(12, 300) + trends[trend] + 0.1 * noise(2, 300)) == [12]


def test_a_season_under_as_much_noise_as_signal():
    for seed in range(10):
        assert find_seasons(sine(20, 2000) + noise(seed, 2000)) == [20]


def test_a_shorter_season_inside_a_longer_one():
    hours = np.arange(24 * 7 * 12)
    weekend = hours // 24 % 7 >= 5
    assert find_seasons(sine(24, len(hours)) - 0.8 * weekend + 0.2 * noise(3, len(hours))) == [24, 168]


def test_the_longest_season_is_within_reach():
    assert find_seasons(sine(50), max_lag=50) == [50]
    assert find_seasons(sine(50), max_lag=49) == []
    pulses = {period: (np.arange(450) % period == 60) + 0.01 * noise(5, 450) for period in (150, 151)}
    assert find_seasons(pulses[150]) == [150]
    assert find_seasons(pulses[151]) == []
    assert find_seasons(pulses[151], max_lag=151) == [151]


# --- what is not there ---


@pytest.mark.parametrize("phi", [0, 0.5, 0.9, 0.99, 1, -0.5])
def test_no_season_in_what_has_none(phi):
    assert share_without_season(lambda seed: autoregression(phi, seed)) >= 0.9


def test_the_sp500_has_no_season():
    assert find_seasons(load_sp500()["close"]) == []


@pytest.mark.parametrize("values", [np.ones(50), np.arange(50.0), 1e9 + 0.1 * np.arange(50), np.zeros(9)])
def test_a_straight_line_has_no_season(values):
    assert find_seasons(values) == []
    assert suggest_lookback(values) == 1


# --- the lookback ---


@pytest.mark.parametrize(("period", "lookback"), [(7, 28), (12, 24), (20, 40), (24, 24), (48, 48), (100, 100)])
def test_whole_seasons_of_24_steps_or_more(period, lookback):
    assert suggest_lookback(sine(period)) == lookback


@pytest.mark.parametrize(("n", "lookback"), [(40, 7), (50, 14), (70, 21), (90, 28)])
def test_no_more_than_a_third_of_the_series(n, lookback):
    assert find_seasons(np.tile(noise(5, 7), 20)[:n]) == [7]
    assert suggest_lookback(np.tile(noise(5, 7), 20)[:n]) == lookback


def test_without_a_season_the_order_of_the_autoregression():
    orders = {phi: [suggest_lookback(autoregression(phi, seed)) for seed in SEEDS] for phi in (0, 0.5, 0.9, 1)}
    for values in orders.values():
        assert np.median(values) == 1
        assert np.mean(np.array(values) <= 2) >= 0.9
    second = []
    for seed in SEEDS:
        steps, values = noise(seed), np.zeros(600)
        for t in range(2, 600):
            values[t] = 0.5 * values[t - 1] + 0.3 * values[t - 2] + steps[t]
        second.append(suggest_lookback(values))
    assert np.median(second) == 2
    fourth = [noise(seed, 604)[4:] + 0.9 * noise(seed, 604)[:-4] for seed in SEEDS]
    assert np.median([suggest_lookback(values) for values in fourth]) >= 4


def test_the_answers_are_plain_integers():
    assert type(suggest_lookback(sine(20))) is int
    assert type(suggest_lookback(noise(0))) is int
    assert [type(season) for season in find_seasons(sine(20))] == [int]


# --- what comes in ---


def test_any_container_unit_and_level():
    values = sine(20) + 0.2 * noise(0, 1200)
    stamps = pd.date_range("2026-01-01", periods=1200, freq="h")
    for same in (list(values), values[:, None], pd.Series(values, stamps), pd.DataFrame({"load": values}, stamps)):
        assert find_seasons(same) == [20]
    for scale in (1e-200, 1e-3, 1e9, 1e300):
        assert find_seasons(scale * values) == [20]
    assert find_seasons(1000 + values) == [20]
    assert find_seasons(-values) == [20]


def test_the_series_is_left_as_it_is():
    values = sine(20)
    kept = values.copy()
    suggest_lookback(values)
    np.testing.assert_array_equal(values, kept)


@pytest.mark.parametrize("function", [find_seasons, suggest_lookback])
@pytest.mark.parametrize(
    ("series", "parameters", "error", "message"),
    [
        (np.zeros((20, 2)), {}, ValueError, "the series must have one column; got 2"),
        (np.zeros(7), {}, ValueError, "the series must have at least 8 steps; got 7"),
        ([1.0] * 20 + [np.nan], {}, ValueError, r"Input series contains NaN \(first at row 20"),
        (None, {}, ValueError, "series must be array-like"),
        (pd.Series(range(20), range(20, 0, -1)), {}, ValueError, "the index is not increasing"),
        (sine(20), {"max_lag": 1}, InvalidParameterError, "`max_lag` must be an integer >= 2; got 1"),
        (sine(20), {"max_lag": 20.0}, InvalidParameterError, "`max_lag` must be an integer >= 2; got 20.0"),
        (sine(20), {"max_lag": 601}, InvalidParameterError, "`max_lag` must be at most 600, half of the series"),
    ],
)
def test_bad_input_is_refused_by_name(function, series, parameters, error, message):
    with pytest.raises(error, match=message):
        function(series, **parameters)


@pytest.mark.parametrize("n", range(8, 20))
def test_short_series(n):
    assert suggest_lookback(noise(n, n)) >= 1
    assert suggest_lookback(noise(n, n), max_lag=n // 2) >= 1


def test_ripples_on_the_way_to_a_peak_do_not_stand_for_it():
    found = [find_seasons(sine(400, 6000) + 0.7 * noise(seed, 6000)) for seed in range(12)]
    assert np.abs(np.array(found) - 400).mean() <= 1.5


def test_differences_of_noise_make_no_season():
    found = [find_seasons(sine(24, 60) + 0.2 * noise(seed, 60)) for seed in SEEDS]
    assert min([season for seasons in found for season in seasons], default=24) > 3
