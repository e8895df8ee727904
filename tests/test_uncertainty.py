"""Intervals and quantiles of what a regressor tells of each window: by hand, in all forms, and how often they hold."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from tests.estimators import make
from tsrnn import Forecaster, GRURegressor, InvalidParameterError, NaiveForecaster, WalkForwardSplit, backtest

L, H = 5, 3
METHODS = ["quantile", "gaussian", "ensemble"]
RNG = np.random.default_rng(0)
WALK = pd.Series(RNG.normal(size=160).cumsum(), index=pd.date_range("2024-01-01", periods=160, freq="D"), name="load")


class Teller(RegressorMixin, BaseEstimator):
    """Forecasts the mean of a window; its deviation is the distance of the last value from the first, plus a half."""

    n_members = 2

    def fit(self, X, y):  # noqa: ARG002
        self.n_outputs_ = np.shape(y)[1] if np.ndim(y) == 2 else 1
        return self

    def predict(self, X, return_std=False):
        centre = np.repeat(X.mean(axis=1)[:, None], self.n_outputs_, axis=1)
        deviation = np.repeat(0.5 + np.abs(X[:, :1] - X[:, -1:]), self.n_outputs_, axis=1)
        return (centre, deviation) if return_std else centre

    def predict_quantiles(self, X, quantiles):
        centre, deviation = self.predict(X, return_std=True)
        return centre[..., None] + deviation[..., None] * norm.ppf(quantiles)

    def predict_members(self, X):
        centre, deviation = self.predict(X, return_std=True)
        return np.stack([centre - deviation, centre + deviation])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def teller(**values):
    return Forecaster(**{"regressor": Teller(), "lookback": L, "horizon": H, "scaler": None, "anchor": None, **values})


def windows_and_truth():
    """Return the windows of the last quarter's origins, the last one of all behind them, and the truth."""
    values, first = WALK.to_numpy(), 120
    origins = np.arange(first - 1, 160 - H)
    windows = np.array([values[o - L + 1 : o + 1] for o in [*origins, 159]])
    return windows, np.array([values[o + 1 : o + 1 + H] for o in origins])


def told(windows, level=None):
    """Return centre and deviation, or a quantile, (n_windows, 1)."""
    centre, deviation = windows.mean(axis=1)[:, None], 0.5 + np.abs(windows[:, :1] - windows[:, -1:])
    return (centre, deviation) if level is None else centre + deviation * norm.ppf(level)


def rank(scores, coverage):
    return np.sort(scores, axis=0)[int(np.ceil((len(scores) + 1) * coverage)) - 1]


@pytest.mark.parametrize("method", METHODS)
def test_intervals_by_hand(method):
    windows, truth = windows_and_truth()
    centre, unit = told(windows)
    if method == "quantile":
        low, high, unit = told(windows, 0.1), told(windows, 0.9), np.ones_like(unit)
    else:
        low = high = centre
    if method == "ensemble":
        unit = np.sqrt(unit**2 + ((truth - centre[:-1]) ** 2).mean(axis=0))
    unit = np.broadcast_to(unit, (len(windows), H))
    width = rank(np.maximum(low[:-1] - truth, truth - high[:-1]) / unit[:-1], 0.8)
    found = teller().fit(WALK).predict_interval(coverage=0.8, method=method)
    np.testing.assert_allclose(found["lower"], low[-1] - width * unit[-1])
    np.testing.assert_allclose(found["upper"], high[-1] + width * unit[-1])


@pytest.mark.parametrize("method", ["conformal", *METHODS])
def test_quantiles_by_hand(method):
    windows, truth = windows_and_truth()
    centre, unit = told(windows)
    found = teller().fit(WALK).predict_quantiles(quantiles=(0.2, 0.5, 0.9), method=method)
    assert list(found.columns) == [0.2, 0.5, 0.9]
    if method in ("conformal", "quantile"):
        unit = np.ones_like(unit)
    if method == "ensemble":
        unit = np.sqrt(unit**2 + ((truth - centre[:-1]) ** 2).mean(axis=0))
    unit, count = np.broadcast_to(unit, (len(windows), H)), len(truth)
    for level in (0.2, 0.5, 0.9):
        base = told(windows, level) if method == "quantile" else centre
        errors = np.sort((truth - base[:-1]) / unit[:-1], axis=0)
        ranks = {0.2: [int(np.floor((count + 1) * 0.2))], 0.9: [int(np.ceil((count + 1) * 0.9))]}
        middle = [int(np.floor((count + 1) / 2)), int(np.ceil((count + 1) / 2))]
        shift = np.mean([errors[number - 1] for number in ranks.get(level, middle)], axis=0)
        np.testing.assert_allclose(found[level], base[-1] + shift * unit[-1])


@pytest.mark.parametrize("method", ["conformal", *METHODS])
def test_quantiles_never_cross(method):
    levels = np.linspace(0.05, 0.95, 19)
    for seed in range(20):
        series = np.random.default_rng(seed).normal(size=120).cumsum()
        found = teller().fit(series).predict_quantiles(quantiles=levels, method=method)
        assert found.shape == (H, 1, 19)
        assert (np.diff(found, axis=-1) >= 0).all()


def test_quantiles_that_would_cross_are_put_in_order():
    class Crossing(Teller):
        def predict_quantiles(self, X, quantiles):  # the more uncertain a window, the more they cross
            return super().predict_quantiles(X, quantiles)[..., ::-1]

    fitted = teller(regressor=Crossing()).fit(WALK)
    jump = pd.Series([60.0], index=pd.date_range("2024-06-09", periods=1, freq="D"))
    fitted.predict_quantiles(method="quantile")
    fitted.update(jump)
    assert (np.diff(fitted.predict_quantiles(method="quantile"), axis=1) >= 0).all()
    bounds = fitted.predict_interval(method="quantile")
    assert (bounds["lower"] <= bounds["upper"]).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "options", [{"anchor": "linear"}, {"anchor": "last"}, {"scale": "window"}, {"scaler": "standard"}]
)
def test_bounds_are_in_the_units_of_the_series(method, options):
    plain = teller(**options).fit(WALK).predict_interval(method=method)
    scaled = teller(**options).fit(1000 * WALK - 5).predict_interval(method=method)
    if options in ({"scale": "window"}, {"scaler": "standard"}):  # the teller's half is in units of the window
        np.testing.assert_allclose(scaled, 1000 * plain - 5, rtol=1e-6)
    else:
        assert (scaled["upper"] - scaled["lower"] > 100 * (plain["upper"] - plain["lower"])).all()


def test_quantiles_go_through_a_transformer():
    levels = FunctionTransformer(np.exp, np.log, check_inverse=False)
    series = np.log(WALK - WALK.min() + 1)
    logs = teller(target_transformer=levels).fit(series).predict_quantiles(method="quantile")
    windows, truth = windows_and_truth()
    windows, truth = windows - WALK.min() + 1, truth - WALK.min() + 1
    base = np.log(told(windows, 0.9))
    shift = rank(np.log(truth) - base[:-1], 0.9)
    np.testing.assert_allclose(logs[0.9], base[-1] + shift)


def test_the_forms():
    both = pd.DataFrame({"a": WALK, "b": -2 * WALK})
    found = teller().fit(both).predict_quantiles(quantiles=[0.1, 0.9], method="gaussian")
    assert list(found.columns) == [("a", 0.1), ("a", 0.9), ("b", 0.1), ("b", 0.9)]
    assert teller().fit(both.to_numpy()).predict_quantiles(method="quantile").shape == (H, 2, 3)
    panel = teller().fit({"x": WALK, "y": WALK[:100]}).predict_interval(method="quantile")
    assert list(panel) == ["x", "y"]
    alone = teller().fit(WALK).predict_interval(method="quantile")
    pd.testing.assert_frame_equal(panel["x"], alone)
    joint = teller(multivariate=True).fit(both).predict_interval(method="gaussian")
    assert list(joint.columns) == [("a", "lower"), ("a", "upper"), ("b", "lower"), ("b", "upper")]


def test_what_a_window_tells_makes_intervals_hold_where_it_is_uncertain():
    """The noise is ten times as strong on every other day, which a covariate says."""
    rng = np.random.default_rng(3)
    loud = (np.arange(1600) % 2).astype(float)
    series = rng.normal(size=1600) * np.where(loud, 10.0, 1.0)

    class Knowing(Teller):
        def predict(self, X, return_std=False):
            centre, deviation = np.zeros((len(X), 1)), np.where(X[:, -1:] > 0.5, 10.0, 1.0)
            return (centre, deviation) if return_std else centre

    forecaster = Forecaster(Knowing(), lookback=2, horizon=1, scaler=None, anchor=None)
    cv = WalkForwardSplit(n_splits=400, test_size=1)
    held = {}
    for method in ("conformal", "gaussian", "quantile"):
        table = backtest(
            forecaster, loud[:, None], series, cv=cv, refit=False, coverage=0.8, method=method, progress=False
        )
        inside = table["y_true"].between(table["lower"], table["upper"])
        held[method] = inside.groupby(loud[-400:]).mean()
    assert held["conformal"][0] > 0.98
    assert held["conformal"][1] < 0.7
    for method in ("gaussian", "quantile"):
        np.testing.assert_allclose(held[method], 0.8, atol=0.08)


NETWORKS = {
    "quantile": {"loss": "quantile", "quantiles": (0.05, 0.5, 0.95)},
    "gaussian": {"loss": "gaussian"},
    "ensemble": {"n_members": 2},
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("anchor", ["last", "linear"])
def test_networks_tell(method, anchor):
    network = make(GRURegressor, hidden_size=3, epochs=2, **NETWORKS[method])
    fitted = Forecaster(network, lookback=L, horizon=H, anchor=anchor).fit(WALK)
    bounds = fitted.predict_interval(method=method)
    assert (bounds["lower"] < bounds["upper"]).all()
    before = np.ptp(bounds, axis=1)
    jump = pd.Series([WALK.iloc[-1] + 40], index=pd.date_range("2024-06-09", periods=1, freq="D"))
    fitted.update(jump)
    after = np.ptp(fitted.predict_interval(method=method), axis=1)
    assert not np.allclose(before, after, rtol=1e-3)  # a window like no other has intervals of its own


def test_the_regressor_may_stand_in_a_pipeline_or_a_search():
    plain = teller(regressor=make_pipeline(StandardScaler(), Teller())).fit(WALK)
    assert np.isfinite(plain.predict_interval(method="quantile")).all(axis=None)
    assert np.isfinite(plain.predict_interval(method="gaussian")).all(axis=None)
    search = GridSearchCV(Teller(), {}, cv=2)
    searched = teller(regressor=search).fit(WALK).predict_interval(method="quantile")
    pd.testing.assert_frame_equal(searched, teller().fit(WALK).predict_interval(method="quantile"))
    process = Forecaster(GaussianProcessRegressor(alpha=0.1, optimizer=None), lookback=L, horizon=H).fit(WALK)
    assert np.isfinite(process.predict_interval(method="gaussian")).all(axis=None)


def test_a_stride_of_days_is_judged_by_its_days():
    """At noon the series is wild, at midnight it is calm; who forecasts at midnight is told of midnights."""
    hours = pd.date_range("2024-01-01", periods=24 * 60, freq="h")
    rng = np.random.default_rng(5)
    series = pd.Series(rng.normal(size=len(hours)) * np.where(hours.hour == 0, 0.01, 5.0), index=hours)
    daily = Forecaster(Ridge(), lookback=3, horizon=1, anchor=None, stride="1D").fit(series)
    hourly = Forecaster(Ridge(), lookback=3, horizon=1, anchor=None).fit(series)
    widths = [np.ptp(model.predict_interval(coverage=0.8)) for model in (daily, hourly)]
    assert widths[0] < 0.2 * widths[1]
    _, firsts = daily._copy
    assert hours[firsts[None] - 1].hour == 23


WRONG = [
    (lambda: NaiveForecaster().fit(WALK).predict_interval(method="quantile"), "`method` must be one of"),
    (
        lambda: Forecaster(Ridge(), lookback=L).fit(WALK).predict_interval(method="quantile"),
        "Ridge tells nothing of it",
    ),
    (lambda: Forecaster(Ridge(), lookback=L).fit(WALK).predict_interval(method="gaussian"), "takes `return_std`"),
    (lambda: teller().fit(WALK).predict_quantiles(method="adaptive"), "`method` must be one of"),
    (lambda: teller().fit(WALK).predict_quantiles(quantiles=[0.9, 0.1]), "`quantiles` must be a sequence of rising"),
    (lambda: teller().fit(WALK).predict_quantiles(quantiles=[0.0, 0.5]), "`quantiles` must be a number"),
]


@pytest.mark.parametrize(("call", "words"), WRONG, ids=range(len(WRONG)))
def test_what_is_wrong_is_said(call, words):
    with pytest.raises(InvalidParameterError, match=words):
        call()


def test_what_cannot_be_told_is_said():
    fitted = teller().fit(WALK)
    with pytest.raises(ValueError, match="needs at least 199 residuals"):
        fitted.predict_quantiles(quantiles=[0.005, 0.5])
    rows = pd.DataFrame(index=pd.date_range("2024-06-09", periods=H + 1, freq="D"))
    with pytest.raises(ValueError, match='beyond horizon=3 only method="conformal" and "adaptive" tell'):
        fitted.predict_interval(rows, method="quantile")
    network = make(GRURegressor, hidden_size=2, epochs=1)
    with pytest.raises(InvalidParameterError, match="a network with n_members >= 2"):
        Forecaster(network, lookback=L).fit(WALK).predict_interval(method="ensemble")
    with pytest.raises(ValueError, match="needs a network fitted with loss='quantile'"):
        Forecaster(network, lookback=L).fit(WALK).predict_interval(method="quantile")
