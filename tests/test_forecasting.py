"""Forecaster: what its regressor sees and learns, what comes back and with which stamps, how it behaves in a search."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import BaggingRegressor, HistGradientBoostingRegressor, RandomForestRegressor, StackingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neighbors import KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from tsrnn import (
    Forecaster,
    GRURegressor,
    InvalidParameterError,
    LSTMRegressor,
    SequenceScaler,
    WalkForwardSplit,
)

ANCHORS = [None, "last", "mean", "seasonal", "linear"]
L, H, SEASON = 6, 4, 3


class Recorder(RegressorMixin, BaseEstimator):
    """Keeps what it is given; all it predicts is `answer`, plus the number of the output."""

    def __init__(self, answer=0.5, lazy=True):
        self.answer = answer
        self.lazy = lazy

    def fit(self, X, y):
        self.X_, self.y_, self.seen_ = X, np.asarray(y), []
        return self

    def predict(self, X):
        self.seen_.append(np.asarray(X))
        outputs = np.arange(self.y_[:1].size)
        return np.tile(self.answer + outputs, (len(X), 1)) if outputs.size > 1 else np.full(len(X), self.answer)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = self.lazy
        tags.target_tags.multi_output = True
        return tags


def walk(n=60, k=None, seed=0):
    """Return a random walk of n steps, or k of them of different scales."""
    steps = np.random.default_rng(seed).normal(size=(n, k or 1)).cumsum(axis=0)
    return steps[:, 0] if k is None else steps * 10.0 ** np.arange(k)


def daily(values, start="2024-01-01", **options):
    kind = pd.Series if np.ndim(values) == 1 else pd.DataFrame
    return kind(values, index=pd.date_range(start, periods=len(values), freq="D"), **options)


def recorded(*args, y=None, answer=0.5, **parameters):
    """Return a Forecaster without a scaler that was fitted around a Recorder."""
    parameters = {"lookback": L, "horizon": H, "scaler": None, "anchor": None, **parameters}
    return Forecaster(Recorder(answer), **parameters).fit(*args, y)


def by_hand(anchor, values, origin):
    """Return the window that ends at `origin`, less its anchor, and what is added back to each step ahead."""
    window = values[origin - L + 1 : origin + 1]
    if anchor is None:
        return window, np.zeros(H)
    if anchor == "mean":
        return window - sum(window) / L, np.full(H, sum(window) / L)
    if anchor == "seasonal":
        return window - window[-1], np.array([*window[-SEASON:], *window[-SEASON:]])[:H]
    return window - window[-1], np.full(H, window[-1])


# Anchors and scalers


@pytest.mark.parametrize("anchor", ANCHORS[:-1])
def test_what_an_anchor_subtracts_and_adds_back(anchor):
    values = walk()
    forecaster = recorded(values, anchor=anchor, season_length=SEASON)
    origins = range(L - 1, len(values) - H)
    windows, levels = zip(*[by_hand(anchor, values, origin) for origin in origins], strict=True)
    np.testing.assert_allclose(np.asarray(forecaster.regressor_.X_)[..., 0], windows, atol=1e-12)
    ahead = [values[origin + 1 : origin + 1 + H] for origin in origins]
    np.testing.assert_allclose(forecaster.regressor_.y_, np.subtract(ahead, levels), atol=1e-12)
    window, level = by_hand(anchor, values, len(values) - 1)
    np.testing.assert_allclose(forecaster.predict(), level + 0.5 + np.arange(H), atol=1e-12)
    np.testing.assert_allclose(forecaster.regressor_.seen_[-1][0, :, 0], window, atol=1e-12)


def held_out_error(alpha, windows, targets):
    """Return what ridge, fitted on the first four fifths of the windows, errs on the others."""
    late = np.arange(len(windows)) > 0.8 * (len(windows) - 1)
    ridge = Ridge(alpha=alpha).fit(windows[~late], targets[~late])
    return ((ridge.predict(windows[late]) - targets[late]) ** 2).mean()


@pytest.mark.parametrize(("chunk", "seed"), [(4096, 0), (50, 0), (4096, 3)])
def test_the_linear_anchor_is_ridge_on_windows_relative_to_their_last_value(chunk, seed, monkeypatch):
    monkeypatch.setattr("tsrnn._anchors.CHUNK", chunk)
    values = walk(300, seed=seed) + 1000
    forecaster = recorded(values, anchor="linear")
    pairs = [by_hand("last", values, origin) for origin in range(L - 1, len(values) - H)]
    windows = np.array([window for window, _ in pairs])
    ahead = [values[origin + 1 : origin + 1 + H] for origin in range(L - 1, len(values) - H)]
    targets = ahead - np.array([level for _, level in pairs])
    errors = [held_out_error(alpha, windows, targets) for alpha in (1, 10, 100, 1000)]
    ridge = Ridge(alpha=(1, 10, 100, 1000)[int(np.argmin(errors))]).fit(windows, targets)
    remainder = targets - ridge.predict(windows)
    np.testing.assert_allclose(forecaster.regressor_.y_, remainder, atol=1e-8)
    window, level = by_hand("last", values, len(values) - 1)
    expected = level + ridge.predict(window[None])[0] + 0.5 + np.arange(H)
    np.testing.assert_allclose(forecaster.predict(), expected, atol=1e-8)


def test_the_linear_anchor_bears_covariates_at_a_high_level():
    X, y = walk(304, 2, seed=1) + 1e9, walk(300)
    forecast = recorded(X[:300], y=y, anchor="linear", answer=0.0).predict(X[300:])
    centred = recorded(X[:300] - 1e9, y=y, anchor="linear", answer=0.0).predict(X[300:] - 1e9)
    np.testing.assert_allclose(forecast, centred, atol=1e-4)


@pytest.mark.parametrize("multivariate", [False, True])
@pytest.mark.parametrize("anchor", ANCHORS)
def test_a_constant_added_to_the_series_is_added_to_its_forecast(anchor, multivariate):
    values = walk(k=2)
    shift = np.array([50.0, -3000.0])
    forecaster = Forecaster(
        Ridge(), lookback=L, horizon=H, anchor=anchor, season_length=SEASON, multivariate=multivariate
    )
    expected = forecaster.fit(values).predict() + shift
    np.testing.assert_allclose(forecaster.fit(values + shift).predict(), expected, rtol=1e-8)


def test_the_season_must_fit_into_the_window():
    for season in (None, 0, L + 1, 2.0):
        with pytest.raises(ValueError, match=r"^Forecaster: `season_length` must be"):
            Forecaster(Ridge(), lookback=L, anchor="seasonal", season_length=season).fit(walk())
    sawtooth = np.tile([1.0, 5.0, 2.0], 9)
    forecaster = Forecaster(Ridge(), lookback=SEASON, horizon=H, anchor="seasonal", season_length=SEASON)
    np.testing.assert_allclose(forecaster.fit(sawtooth).predict(), [1.0, 5.0, 2.0, 1.0], atol=1e-9)


def test_every_series_has_a_scaler_of_its_own_fitted_on_the_training_rows():
    values = walk(k=2)
    X = walk(70, seed=1)[:, None]
    forecaster = recorded(X[:40], y=values[:40], scaler="standard", answer=3.0)
    for scaler, column in zip(forecaster.scalers_, values[:40].T, strict=True):
        assert scaler.mean_ == pytest.approx(column.mean())
        assert scaler.scale_ == pytest.approx(column.std())
    mean, std = values[:40].mean(axis=0), values[:40].std(axis=0)
    windows = np.asarray(forecaster.regressor_.X_)
    np.testing.assert_allclose(windows[:2, :, 0].T, ((values - mean) / std)[:L])
    np.testing.assert_allclose(windows[0, :, 1], ((X[:, 0] - X[:40].mean()) / X[:40].std())[H : H + L])
    np.testing.assert_allclose(forecaster.predict(X[40 : 40 + H]), mean + std * (3.0 + np.arange(H)[:, None]))
    forecaster.update(X[40:60], values[40:])
    forecaster.predict(X[60:64])
    np.testing.assert_allclose(forecaster.regressor_.seen_[-1][:, :, 0].T, ((values - mean) / std)[-L:])


def test_a_scaler_that_is_passed_is_cloned():
    scaler = MinMaxScaler((0, 2))
    values = walk(k=2)
    forecaster = recorded(values, scaler=scaler)
    assert not hasattr(scaler, "scale_")
    low, high = values.min(axis=0), values.max(axis=0)
    np.testing.assert_allclose(forecaster.predict(), low + (high - low) / 2 * (0.5 + np.arange(H)[:, None]))


def test_a_scaler_may_answer_in_frames():
    X, y = walk(64, 2, seed=1), walk()
    plain, frames = (
        Forecaster(Ridge(), lookback=L, horizon=H, scaler=scaler).fit(X[:60], y).predict(X[60:])
        for scaler in (StandardScaler(), StandardScaler().set_output(transform="pandas"))
    )
    np.testing.assert_array_equal(frames, plain)


def test_parts_that_are_no_estimators_are_named():
    for wrong in (3, StandardScaler, "minmax"):
        with pytest.raises(InvalidParameterError, match=r"^Forecaster: `scaler` must be "):
            Forecaster(Ridge(), lookback=L, scaler=wrong).fit(walk())
    for wrong in (3, Ridge, StandardScaler(), None):
        with pytest.raises(InvalidParameterError, match=r"^Forecaster: `regressor` must be a scikit-learn regressor"):
            Forecaster(wrong, lookback=L).fit(walk())


# What the regressor sees


@pytest.mark.parametrize(("stride", "n"), [(1, 20), (3, 20), (3, 21), (100, 20), (1, L + H)])
def test_windows_begin_stride_steps_apart(stride, n):
    values = np.arange(float(n))
    seen = recorded(values, stride=stride).regressor_
    first = np.arange(n - L - H, -1, -stride)[::-1]
    np.testing.assert_array_equal(np.asarray(seen.X_)[..., 0], first[:, None] + np.arange(L))
    np.testing.assert_array_equal(seen.y_, first[:, None] + L + np.arange(H))


@pytest.mark.parametrize(("lookback", "horizon"), [(6, 4), (3, 3), (2, 5), (1, 3), (4, 9)])
def test_a_window_shows_known_future_covariates_up_to_the_last_forecast_step(lookback, horizon):
    y, X = np.arange(30.0), 1000.0 + np.arange(40)[:, None]
    forecaster = recorded(X[:30], y=y, lookback=lookback, horizon=horizon)
    windows = np.asarray(forecaster.regressor_.X_)
    forecaster.predict(X[30 : 30 + horizon])
    for origin, window in [
        *zip(range(lookback - 1, 30 - horizon), windows, strict=True),
        (29, *forecaster.regressor_.seen_[-1]),
    ]:
        np.testing.assert_array_equal(window[:, 0], y[origin - lookback + 1 : origin + 1])
        shown = 1000 + np.arange(origin + 1, origin + horizon + 1)
        assert set(shown) <= set(window[:, 1:].ravel())
        assert window[:, 1:].max() == shown[-1]
        np.testing.assert_array_equal(window[:, 1], shown[-1] - np.arange(lookback)[::-1])


@pytest.mark.parametrize("anchor", [None, "last"])
def test_past_covariates_enter_as_they_are_and_future_ones_as_leads(anchor):
    """The anchor is that of the series alone."""
    y = np.arange(30.0)
    X = pd.DataFrame({"wind": 100.0 + np.arange(40), "day": 1000.0 + np.arange(40)})
    forecaster = recorded(X[:30], y=y, past_covariates=["wind"], anchor=anchor)

    def shown(first):
        return np.arange(L)[:, None] + [1.0 - L if anchor else first, first + 1000 + H, first + 100]

    np.testing.assert_array_equal(forecaster.regressor_.X_[2], shown(2))
    for future in (X[30 : 30 + H], X[["day"]][30 : 30 + H]):
        forecaster.predict(future)
        np.testing.assert_array_equal(forecaster.regressor_.seen_[-1][0], shown(30 - L))


def test_fewer_steps_than_the_horizon_take_the_covariates_to_stay():
    X, y = walk(70, 2), walk()
    forecaster = Forecaster(Ridge(), lookback=L, horizon=H).fit(X[:60], y)
    stays = np.concatenate([X[60:62], X[[61, 61]]])
    np.testing.assert_array_equal(forecaster.predict(X[60:62]), forecaster.predict(stays)[:2])


def test_regressors_of_rows_get_each_window_as_one_row():
    values, X = walk(), walk(60, 1, seed=1)
    forecaster = Forecaster(Recorder(lazy=False), lookback=L, horizon=H, scaler=None, anchor=None).fit(X, values)
    expected = np.asarray(recorded(X, y=values).regressor_.X_).reshape(-1, 2 * L)
    assert isinstance(forecaster.regressor_.X_, np.ndarray)
    np.testing.assert_array_equal(forecaster.regressor_.X_, expected)


def test_one_global_network_sees_every_target_as_a_series_of_its_own():
    n, values = 20, np.arange(20.0)[:, None] + [0.0, 100.0, 200.0]
    forecaster = recorded(values, y=None)
    seen = forecaster.regressor_.X_
    origins = np.arange(L - 1, n - H)
    assert seen.shape == (3 * len(origins), L, 1)
    np.testing.assert_array_equal(seen.origins, np.repeat(origins, 3))
    np.testing.assert_array_equal(np.asarray(seen)[3:6, -1, 0], [L, 100 + L, 200 + L])
    np.testing.assert_array_equal(forecaster.regressor_.y_[3:6, 0], np.array([0, 100, 200]) + L + 1)
    np.testing.assert_array_equal(forecaster.predict(), np.repeat(0.5 + np.arange(H)[:, None], 3, axis=1))


def test_a_multivariate_network_has_all_targets_in_and_out():
    n, values = 20, np.arange(20.0)[:, None] + [0.0, 100.0, 200.0]
    forecaster = recorded(walk(n, 1), y=values, multivariate=True)
    seen = forecaster.regressor_
    assert seen.X_.shape == (n - L - H + 1, L, 4)
    np.testing.assert_array_equal(np.asarray(seen.X_)[1, :, :3], values[1 : 1 + L])
    np.testing.assert_array_equal(seen.y_[1], values[1 + L : 1 + L + H].ravel())
    np.testing.assert_array_equal(forecaster.predict(walk(H, 1)), 0.5 + np.arange(3 * H).reshape(H, 3))


@pytest.mark.parametrize("multivariate", [False, True])
@pytest.mark.parametrize("anchor", ["last", "mean", "linear"])
def test_each_target_gets_its_own_forecast(multivariate, anchor):
    lines = np.arange(50.0)[:, None] * [1.0, -2.0, 30.0] + [5.0, 0.0, 7.0]
    parameters = {"anchor": anchor, "multivariate": multivariate, "scaler": None}
    forecaster = Forecaster(LinearRegression(), lookback=L, horizon=H, **parameters).fit(lines[:40])
    np.testing.assert_allclose(forecaster.predict(np.zeros((10, 0))), lines[40:], atol=1e-2)
    batch = forecaster.predict_origins(lines, origins=[20, 44, 30])
    np.testing.assert_allclose(batch, [lines[o + 1 : o + 1 + H] for o in (20, 44, 30)], atol=1e-2)


def test_a_covariate_that_is_the_series_itself_is_refused():
    X = daily(walk(60, 2), columns=["a", "load"])
    for y in (X["load"], X[["a", "load"]]):
        with pytest.raises(ValueError, match=r"the known-future covariate '\w+' is the series itself.*past_covariates"):
            recorded(X, y=y)
    assert recorded(X, y=X["load"], past_covariates=["load"]).n_features_in_ == 2


# Any regressor

NETWORK = {"hidden_size": 4, "epochs": 2, "jit_compile": False, "random_state": 0}

REGRESSORS = {
    "ridge": Ridge(),
    "neighbours": KNeighborsRegressor(3),
    "boosting": HistGradientBoostingRegressor(max_iter=2, max_leaf_nodes=3),
    "pipeline": make_pipeline(StandardScaler(), Ridge()),
    "pipeline with nothing first": make_pipeline("passthrough", Ridge()),
    "pipeline of one output": make_pipeline(
        StandardScaler(), HistGradientBoostingRegressor(max_iter=2, max_leaf_nodes=3)
    ),
    "transformed target": TransformedTargetRegressor(Ridge(), transformer=StandardScaler()),
    "transformed target of trees": TransformedTargetRegressor(RandomForestRegressor(3, random_state=0)),
    "bagged trees": BaggingRegressor(RandomForestRegressor(2, random_state=0), 2, random_state=0),
    "forests, one for each step": MultiOutputRegressor(RandomForestRegressor(2, random_state=0)),
    "search": GridSearchCV(Ridge(), {"alpha": [0.1, 10.0]}, cv=WalkForwardSplit(2)),
    "search of forests": GridSearchCV(RandomForestRegressor(2, random_state=0), {"max_depth": [1, 2]}, cv=2),
    "network": LSTMRegressor(**NETWORK),
    "scaled network": make_pipeline(SequenceScaler(), GRURegressor(**NETWORK)),
    "transformed target of a network": TransformedTargetRegressor(
        GRURegressor(**NETWORK), transformer=StandardScaler()
    ),
}


@pytest.mark.parametrize("regressor", REGRESSORS.values(), ids=REGRESSORS.keys())
def test_any_regressor_forecasts(regressor):
    """What it forecasts is what the regressor itself predicts for the last window, put back into the units of y."""
    X, y = walk(64, 1, seed=1), walk() * 7
    forecaster = Forecaster(regressor, lookback=L, horizon=H).fit(X[:60], y)
    forecast = forecaster.predict(X[60:])
    seen = recorded(X[:60], y=y, anchor="last", scaler="standard")
    seen.predict(X[60:])
    (window,) = seen.regressor_.seen_
    samples = np.asarray(seen.regressor_.X_)
    if not re.search("GRU|LSTM", repr(regressor)):
        samples, window = samples.reshape(len(samples), -1), window.reshape(1, -1)
    one_output = "HistGradientBoosting" in repr(regressor) or isinstance(regressor, BaggingRegressor)
    alone = MultiOutputRegressor(regressor) if one_output else clone(regressor)
    alone.fit(samples, seen.regressor_.y_)
    expected = y[-1] + y.std() * np.ravel(alone.predict(window))
    np.testing.assert_allclose(forecast, expected, rtol=1e-5)
    assert np.std(forecast) > 0


def test_a_stack_of_regressors_forecasts_one_step():
    stack = StackingRegressor([("ridge", Ridge()), ("neighbours", KNeighborsRegressor(3))])
    assert Forecaster(stack, lookback=L).fit(walk()).predict().shape == (1,)


def test_a_search_in_a_forecaster_is_run_once_for_all_steps_ahead():
    for regressor in (REGRESSORS["search"], make_pipeline(StandardScaler(), REGRESSORS["search"])):
        fitted = Forecaster(regressor, lookback=L, horizon=H).fit(walk()).regressor_
        assert type(fitted) is type(regressor)


# As an estimator


def test_fit_clones_the_regressor():
    regressor = Ridge()
    assert recorded(walk(), y=None).regressor_ is not regressor
    Forecaster(regressor, lookback=L).fit(walk())
    assert not hasattr(regressor, "coef_")


def test_a_series_alone_in_a_grid_search():
    y = daily(np.tile([0.0, 1.0, 5.0, 2.0], 20) + walk(80) / 50, name="load")
    search = GridSearchCV(
        Forecaster(Ridge(), lookback=2, horizon=2, anchor=None),
        {"lookback": [1, 4], "regressor__alpha": [1e-3, 1e4], "anchor": ["last", None]},
        cv=WalkForwardSplit(3, test_size=4),
        error_score="raise",
    ).fit(y)
    assert search.best_params_["lookback"] == 4
    assert search.best_params_["regressor__alpha"] == 1e-3
    folds = WalkForwardSplit(3, test_size=4).split(y)
    best = Forecaster(Ridge(1e-3), lookback=4, horizon=2, anchor=search.best_params_["anchor"])
    for number, (train, test) in enumerate(folds):
        score = clone(best).fit(y.iloc[train]).score(y.iloc[test])
        assert search.cv_results_[f"split{number}_test_score"][search.best_index_] == score
    pd.testing.assert_series_equal(search.best_estimator_.predict(), best.fit(y).predict())


@pytest.mark.parametrize(("kind", "gap"), [("pandas", 0), ("pandas", 2), ("numpy", 0)])
def test_covariates_in_a_search_and_in_cross_validation(kind, gap):
    """Across a gap, for which the covariates are missing, the stamps alone have to say how far it reaches."""
    X, y = daily(walk(90, 2, seed=1), columns=["a", "b"]), daily(walk(90))
    y += 3 * X["a"]
    X = X[[]] if gap else X
    X, y = (X, y) if kind == "pandas" else (X.to_numpy(), y.to_numpy())
    cv = WalkForwardSplit(3, test_size=6, gap=gap)
    forecaster = Forecaster(Ridge(), lookback=L, horizon=3)
    search = GridSearchCV(forecaster, {"regressor__alpha": [0.01, 1e6]}, cv=cv, error_score="raise").fit(X, y)
    scores = cross_val_score(forecaster.set_params(regressor__alpha=0.01), X, y, cv=cv, error_score="raise")
    np.testing.assert_array_equal([search.cv_results_[f"split{i}_test_score"][0] for i in range(3)], scores)
    for (train, test), score in zip(cv.split(X, y), scores, strict=True):
        known, new = slice(0, len(train)), slice(test[0], test[-1] + 1)
        forecast = forecaster.fit(X[known], y[known]).predict(X[new])
        assert r2_score(y[new], forecast) == pytest.approx(score, rel=1e-9)
    errors = cross_val_score(forecaster, X, y, cv=cv, scoring="neg_mean_absolute_error", error_score="raise")
    assert errors[-1] == pytest.approx(-np.mean(np.abs(forecast - y[new])), rel=1e-9)


def test_score_is_r2_with_weights():
    y = daily(walk(70), name="load")
    forecaster = Forecaster(Ridge(), lookback=L, horizon=H).fit(y[:60])
    forecast, weights = forecaster.predict(np.zeros(10)), np.arange(10.0)
    assert forecaster.score(y[60:]) == r2_score(y[60:], forecast)
    assert forecaster.score(y[60:].to_numpy()) == r2_score(y[60:], forecast)
    assert forecaster.score(y[60:].to_frame(), y[60:], weights) == r2_score(y[60:], forecast, sample_weight=weights)
    assert forecaster.score(y[63:]) == r2_score(y[63:], forecast[3:])
    both = daily(walk(70, 2), columns=["a", "b"])
    assert forecaster.fit(both[:60]).score(both[60:]) == r2_score(both[60:], forecaster.predict(np.zeros(10)))


@pytest.mark.parametrize("kind", ["frames", "arrays", "Fortran", "read-only"])
def test_the_input_is_never_changed(kind):
    X, y = walk(64, 2, seed=1), walk(k=2)
    if kind == "frames":
        X, y = daily(X, columns=["a", "b"]), daily(y, columns=["c", "d"])
    elif kind == "Fortran":
        X, y = np.asfortranarray(X), np.asfortranarray(y)
    elif kind == "read-only":
        X.flags.writeable = y.flags.writeable = False
    before = pickle.dumps((X, y))
    for anchor in ANCHORS:
        forecaster = Forecaster(Ridge(), lookback=L, horizon=H, anchor=anchor, season_length=2, past_covariates=())
        forecaster.fit(X[:50], y[:50]).update(X[50:60], y[50:]).predict(X[60:])
        forecaster.predict_origins(X[:60], y, origins=[20, 50])
    assert pickle.dumps((X, y)) == before


def test_a_refit_that_fails_keeps_the_fit_before():
    y = daily(walk(), name="load")
    forecaster = Forecaster(Ridge(), lookback=L, horizon=H).fit(y)
    expected = forecaster.predict()
    for wrong in (y[:5], daily(walk(60, 2)).to_numpy() * np.nan, "text", y[::-1]):
        with pytest.raises(ValueError, match=r"^Forecaster: "):
            forecaster.fit(wrong)
        pd.testing.assert_series_equal(forecaster.predict(), expected)
    fresh = Forecaster(Ridge(), lookback=100)
    with pytest.raises(ValueError, match=r"need at least 101"):
        fresh.fit(y)
    with pytest.raises(NotFittedError):
        fresh.predict()
    assert vars(fresh).keys() == fresh.get_params(deep=False).keys()
