"""Several series with one forecaster: what it learns from, what comes back, and what it does with others."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import r2_score

from tsrnn import ETSForecaster, Forecaster, GRURegressor, NaiveForecaster, SeasonalNaiveForecaster, make_windows

L, H = 5, 3
RNG = np.random.default_rng(0)
LENGTHS = {"b": 30, "a": 22, "c": 41}
STARTS = {"b": "2024-01-01", "a": "2024-03-01", "c": "2023-05-05"}
WALKS = {
    name: pd.Series(
        100.0 * n + RNG.normal(size=n).cumsum(), index=pd.date_range(STARTS[name], periods=n, freq="D"), name="load"
    )
    for name, n in LENGTHS.items()
}
ROWS = pd.concat(WALKS, names=["plant", "day"])


def ridge(**values):
    return Forecaster(**{"regressor": Ridge(), "lookback": L, "horizon": H, **values})


@pytest.mark.parametrize("anchor", ["last", "mean", "linear", None])
def test_one_regressor_learns_from_the_windows_of_all(anchor):
    forecaster = ridge(anchor=anchor, scaler=None, regressor=LinearRegression()).fit(WALKS)
    windows, targets = make_windows(list(WALKS.values()), lookback=L, horizon=H)
    windows = np.asarray(windows)[..., 0]
    level = {"mean": windows.mean(axis=1), None: np.zeros(len(windows))}.get(anchor, windows[:, -1])[:, None]
    by_hand = LinearRegression().fit(windows - level, targets - level)
    for name, walk in WALKS.items():
        last = walk.to_numpy()[None, -L:]
        own = {"mean": last.mean(), None: 0.0}.get(anchor, last[0, -1])
        expected = by_hand.predict(last - own)[0] + own
        np.testing.assert_allclose(forecaster.predict()[name], expected, rtol=1e-4 if anchor == "linear" else 1e-7)


def test_the_forms_of_a_panel():
    one, other = ridge().fit(WALKS), ridge().fit(ROWS)
    answers = one.predict()
    assert list(answers) == ["b", "a", "c"]
    for name, answer in answers.items():
        follows = pd.date_range(WALKS[name].index[-1], periods=H + 1, freq="D")[1:]
        pd.testing.assert_index_equal(answer.index, follows, check_names=False)
        assert answer.name == "load"
        assert one.index_[name].equals(WALKS[name].index)
    rows = other.predict()
    assert rows.index.names == ["plant", "day"]
    for name, answer in answers.items():
        np.testing.assert_array_equal(rows[name], answer)
    arrays = ridge().fit({name: walk.to_numpy() for name, walk in WALKS.items()}).predict()
    np.testing.assert_array_equal(arrays["c"], answers["c"])
    frame = ridge().fit(ROWS.to_frame().assign(twice=2 * ROWS)).predict()
    assert list(frame.columns) == ["load", "twice"]
    assert frame.index.equals(rows.index)


def test_each_series_has_its_own_scale():
    forecaster = ridge().fit(WALKS)
    for name, walk in WALKS.items():
        (scaler,) = forecaster.scalers_[name]
        assert scaler.mean_[0] == pytest.approx(walk.mean())
    moved = {**WALKS, "a": 1000 * WALKS["a"] - 7}
    again = ridge().fit(moved).predict()
    np.testing.assert_allclose(again["a"], 1000 * forecaster.predict()["a"] - 7)
    np.testing.assert_allclose(again["c"], forecaster.predict()["c"])


def test_a_series_that_was_not_seen_is_forecast_from_its_own_past():
    others = {name: WALKS[name] for name in ("a", "c")}
    forecaster = ridge().fit(others)
    alone = forecaster.with_history(WALKS["b"])
    assert alone.regressor_ is forecaster.regressor_
    pd.testing.assert_index_equal(alone.predict().index, ridge().fit(WALKS["b"]).predict().index)
    moved = forecaster.with_history(3 * WALKS["b"] + 5).predict()
    np.testing.assert_allclose(moved, 3 * alone.predict() + 5)
    both = forecaster.with_history({"b": WALKS["b"], "a": WALKS["a"]}).predict()
    np.testing.assert_array_equal(both["b"], alone.predict())
    np.testing.assert_array_equal(both["a"], forecaster.predict()["a"])
    np.testing.assert_array_equal(forecaster.predict()["c"], ridge().fit(others).predict()["c"])  # left as it was
    origins = forecaster.predict_origins(WALKS["b"], origins=[20])
    np.testing.assert_allclose(origins[0, :, 0], forecaster.with_history(WALKS["b"][:21]).predict())


def test_update_and_score():
    forecaster = ridge().fit({name: walk[:-H] for name, walk in WALKS.items()})
    truth = {name: walk[-H:] for name, walk in WALKS.items()}
    forecast = forecaster.predict()
    expected = r2_score(np.concatenate([*truth.values()]), np.concatenate([*forecast.values()]))
    assert forecaster.score(truth) == pytest.approx(expected)
    assert forecaster.score(None, pd.concat(truth)) == pytest.approx(expected)
    forecaster.update({"c": truth["c"]})
    np.testing.assert_allclose(
        forecaster.predict()["c"],
        Forecaster.predict(pickle.loads(pickle.dumps(forecaster)))["c"],
    )
    assert forecaster.index_["c"].equals(WALKS["c"].index)
    assert forecaster.index_["a"].equals(WALKS["a"].index[:-H])
    with pytest.raises(ValueError, match="the series 'd' is not known"):
        forecaster.update({"d": truth["c"]})


def calendar(index):
    return pd.DataFrame({"weekday": index.day_of_week, "size": 0.0}, index=index, dtype=float)


def test_covariates_of_a_panel():
    X = {name: calendar(walk.index).assign(size=float(len(walk))) for name, walk in WALKS.items()}
    forecaster = ridge(static_covariates=["size"]).fit(X, WALKS)
    future = {name: calendar(pd.date_range(walk.index[-1], periods=H + 1)[1:]) for name, walk in WALKS.items()}
    answer = forecaster.predict(future)
    told = {name: rows.assign(size=float(len(WALKS[name]))) for name, rows in future.items()}
    for name in WALKS:
        np.testing.assert_array_equal(forecaster.predict(told)[name], answer[name])  # static: known from the past
    later = {name: rows.assign(weekday=3.0) for name, rows in future.items()}
    assert not np.allclose(forecaster.predict(later)["a"], answer["a"])
    rows = ridge(static_covariates=["size"]).fit(pd.concat(X), ROWS).predict(pd.concat(future))
    np.testing.assert_array_equal(rows["a"], answer["a"])
    far = pd.date_range(WALKS["a"].index[-1], periods=H + 3)[1:]  # beyond the horizon, where the window holds them
    rolled = [forecaster.predict({"a": calendar(far).assign(size=size)})["a"] for size in (22.0, -5.0)]
    np.testing.assert_array_equal(*rolled)
    short = forecaster.predict({"a": future["a"][:2]})
    assert list(short) == ["a"]
    assert len(short["a"]) == 2
    only = ridge(static_covariates=["size"]).fit({name: rows[["size"]] for name, rows in X.items()}, WALKS)
    assert len(only.predict()["a"]) == H


def test_static_covariates_tell_series_apart():
    flat = {name: pd.Series(np.tile([0.0, 1.0], 20)) for name in ("up", "down")}
    flat["up"] += np.arange(40.0)
    flat["down"] -= np.arange(40.0)
    X = {name: pd.DataFrame({"side": np.full(40, side)}) for name, side in {"up": 1.0, "down": -1.0}.items()}
    options = {"lookback": 1, "horizon": 2, "scaler": None, "regressor": Ridge(alpha=1e-6)}
    told = ridge(**options, static_covariates=["side"]).fit(X, flat).predict()
    assert told["up"].iloc[1] - flat["up"].iloc[-1] == pytest.approx(2, abs=1e-3)
    assert told["down"].iloc[1] - flat["down"].iloc[-1] == pytest.approx(-2, abs=1e-3)
    blind = ridge(**options).fit(flat).predict()
    assert abs(blind["up"].iloc[1] - flat["up"].iloc[-1]) < 1


def test_a_rule_forecasts_each_series_alone():
    answers = SeasonalNaiveForecaster(season_length=7, horizon=H).fit(WALKS).predict()
    for name, walk in WALKS.items():
        np.testing.assert_array_equal(answers[name], walk.to_numpy()[-7 : -7 + H])
    assert NaiveForecaster().fit(ROWS).predict()["c"].iloc[0] == WALKS["c"].iloc[-1]


def test_more_steps_than_the_horizon_roll_each_series():
    forecaster = ridge().fit(WALKS)
    ahead = {name: pd.DataFrame(index=pd.date_range(walk.index[-1], periods=8)[1:]) for name, walk in WALKS.items()}
    answer = forecaster.predict(ahead)
    for name, walk in WALKS.items():
        alone = forecaster.with_history(walk).predict(ahead[name])
        np.testing.assert_allclose(answer[name], alone)
    uneven = forecaster.predict({"a": ahead["a"], "b": ahead["b"][:2]})
    np.testing.assert_array_equal(uneven["a"], answer["a"])
    np.testing.assert_array_equal(uneven["b"], answer["b"][:2])


def test_a_network_learns_from_one_buffer():
    panel = {number: np.sin(np.arange(40 + number) / 3 + number) for number in range(3)}
    network = GRURegressor(4, epochs=2, random_state=0, jit_compile=False, early_stopping=1)
    forecaster = Forecaster(network, lookback=L, horizon=H).fit(panel)
    assert forecaster.regressor_.input_shape_ == (L, 1)
    assert {name: len(answer) for name, answer in forecaster.predict().items()} == {0: H, 1: H, 2: H}


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ridge().fit({}), ValueError, "Forecaster: X holds no series"),
        (lambda: ridge().fit({"a": np.arange(20.0), "b": np.zeros((20, 2))}), ValueError, "all series must have one"),
        (lambda: ridge().fit({"a": np.arange(6.0)}), ValueError, "the series 'a' has 6 steps; .* need at least 8"),
        (lambda: ridge().fit({"a": np.zeros((20, 1))}, WALKS), ValueError, "must hold the same series; 'b' is in one"),
        (lambda: ridge().fit(np.zeros((20, 1)), WALKS), TypeError, "X must hold several series as those of the fit"),
        (lambda: ridge().fit(WALKS).predict({"d": None}), ValueError, "the series 'd' is not known. `with_history`"),
        (lambda: ridge().fit(WALKS).predict(np.zeros((3, 0))), TypeError, "X must hold several series"),
        (lambda: ridge(static_covariates=["x"]).fit(WALKS), ValueError, "`static_covariates` names 'x'"),
        (
            lambda: ridge(static_covariates=["weekday"]).fit(calendar(WALKS["a"].index), WALKS["a"]),
            ValueError,
            "the static covariate 'weekday' changes within the series",
        ),
    ],
)
def test_what_is_wrong_with_a_panel_is_said(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_model_of_statsmodels_forecasts_each_series_alone():
    answers = ETSForecaster(horizon=H, trend="add").fit(WALKS).predict()
    for name, walk in WALKS.items():
        np.testing.assert_allclose(answers[name], ETSForecaster(horizon=H, trend="add").fit(walk).predict())


def test_early_stopping_watches_the_end_of_every_series():
    forecaster = ridge().fit(WALKS)
    series = [(walk.to_numpy()[:, None], None) for walk in WALKS.values()]
    origins = [np.arange(L - 1, len(walk) - H) for walk in WALKS.values()]
    windows = forecaster._framing.windows(series, origins)
    ends = np.split(windows.origins, np.cumsum([len(rows) for rows in origins])[:-1])
    assert {own[-1] for own in ends} == {max(LENGTHS.values()) - H - 1}
    assert all((np.diff(own) == 1).all() for own in ends)
