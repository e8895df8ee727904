"""What a Forecaster may do with a series first: strategies, gaps, scales, transformers and weights."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, PowerTransformer, StandardScaler

from tsrnn import Differencer, Forecaster, GRURegressor, InvalidParameterError, WalkForwardSplit, backtest, make_windows

L, H = 6, 4
RNG = np.random.default_rng(0)
WALK = 50 + RNG.normal(size=80).cumsum()
DAYS = pd.date_range("2024-01-01", periods=80, freq="D")


def ridge(**values):
    return Forecaster(**{"regressor": Ridge(), "lookback": L, "horizon": H, **values})


class Recorder(RegressorMixin, BaseEstimator):
    """Keeps the flat windows, the targets and the weights that it is given; forecasts zeros."""

    def fit(self, X, y, sample_weight=None):
        self.X_, self.y_, self.weights_ = X, y.reshape(len(X), -1), sample_weight
        return self

    def predict(self, X):
        self.asked_ = X
        return np.zeros((len(X), self.y_.shape[1]))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags


def seen(series=WALK, **values):
    """Return the recorder of a fit without scaler, which does nothing else to the windows, and the forecaster."""
    options = {"lookback": L, "horizon": H, "scaler": None, "anchor": None}
    forecaster = Forecaster(Recorder(), **{**options, **values}).fit(series)
    return forecaster.regressor_, forecaster


# --- recursive ---


def test_recursive_forecasts_stand_in_for_the_past():
    forecaster = ridge(strategy="recursive", regressor=LinearRegression(), scaler=None).fit(WALK)
    windows, targets = make_windows(WALK, lookback=L)
    windows = np.asarray(windows)[..., 0]
    last = windows[:, -1:]
    one_step = LinearRegression().fit(windows - last, targets - last)
    known = WALK.tolist()
    for _ in range(H):
        window = np.array([known[-L:]])
        known.append((one_step.predict(window - window[:, -1:]) + window[:, -1:]).item())
    np.testing.assert_allclose(forecaster.predict(), known[-H:])
    many = forecaster.predict_origins(WALK, origins=[30, 79, 12])
    np.testing.assert_allclose(many[1, :, 0], known[-H:])
    alone = forecaster.predict_origins(WALK[:31], origins=[30])
    np.testing.assert_allclose(many[0], alone[0])
    np.testing.assert_allclose(forecaster.predict(np.empty((2, 0))), known[80:82])


def test_recursive_forecasts_take_the_covariates_of_each_step():
    X = np.column_stack([np.arange(84) % 7, RNG.normal(size=84)])
    y = 3 * X[:80, 1] + X[:80, 0]
    forecaster = ridge(strategy="recursive", lookback=1, anchor=None, regressor=LinearRegression()).fit(X[:80], y)
    np.testing.assert_allclose(forecaster.predict(X[80:]), 3 * X[80:, 1] + X[80:, 0], atol=1e-8)
    with pytest.raises(InvalidParameterError, match=r'`past_covariates` must be empty for strategy="recursive"'):
        ridge(strategy="recursive", past_covariates=[1]).fit(X[:80], y)


# --- seasons and scales ---


def test_the_anchor_of_several_seasons_is_their_mean():
    recorder, forecaster = seen(anchor="seasonal", season_length=(2, 5))
    origins = np.arange(L - 1, 80 - H)
    ahead = np.arange(H)
    level = (WALK[origins[:, None] - 1 + ahead % 2] + WALK[origins[:, None] - 4 + ahead % 5]) / 2
    np.testing.assert_allclose(recorder.y_, WALK[origins[:, None] + 1 + ahead] - level)
    np.testing.assert_allclose(forecaster.predict(), (WALK[78 + ahead % 2] + WALK[75 + ahead % 5]) / 2)
    for wrong in ((2, 7), (), None, (0,), "day"):
        with pytest.raises(InvalidParameterError, match="`season_length` must be "):
            ridge(anchor="seasonal", season_length=wrong).fit(WALK)


@pytest.mark.parametrize("anchor", [None, "last", "mean"])
def test_windows_in_units_of_their_own_deviation(anchor):
    recorder, forecaster = seen(scale="window", anchor=anchor)
    windows, targets = make_windows(WALK, lookback=L, horizon=H)
    windows = np.asarray(windows)[..., 0]
    own = {"last": windows[:, -1:], "mean": windows.mean(axis=1, keepdims=True)}.get(anchor, 0)
    deviation = windows.std(axis=1, keepdims=True)
    np.testing.assert_allclose(recorder.X_, (windows - own) / deviation)
    np.testing.assert_allclose(recorder.y_, (targets - own) / deviation)
    grown = ridge(scale="window", anchor="last").fit(WALK)
    moved = grown.with_history(1e4 * WALK - 3)
    np.testing.assert_allclose(moved.predict(), 1e4 * grown.predict() - 3)
    assert forecaster.predict().shape == (H,)


def test_forecasts_come_back_from_the_units_of_the_window():
    forecaster = ridge(scale="window", anchor="last", scaler=None).fit(WALK)
    windows, targets = make_windows(WALK, lookback=L, horizon=H)
    windows = np.asarray(windows)[..., 0]
    deviation, last = windows.std(axis=1, keepdims=True), windows[:, -1:]
    by_hand = Ridge().fit((windows - last) / deviation, (targets - last) / deviation)
    own = WALK[None, -L:]
    expected = by_hand.predict((own - own[:, -1:]) / own.std())[0] * own.std() + own[0, -1]
    np.testing.assert_allclose(forecaster.predict(), expected)


def test_a_constant_window_is_not_divided_by_zero():
    series = np.concatenate([np.full(30, 7.0), WALK])
    recorder, _ = seen(series, scale="window", anchor="last")
    assert np.isfinite(recorder.X_).all()
    assert (recorder.X_[0] == 0).all()
    assert ridge(scale="window").fit(WALK).with_history(np.full(20, 3.0)).predict() == pytest.approx(3, abs=3)


def test_covariates_are_in_no_units_of_the_window():
    X = np.arange(84.0)[:, None]
    recorder = Forecaster(Recorder(), lookback=L, horizon=1, scaler=None, scale="window").fit(X[:80], WALK).regressor_
    np.testing.assert_array_equal(recorder.X_[0].reshape(L, 2)[:, 1], np.arange(1.0, 1 + L))


def test_a_network_sees_the_same_windows():
    options = {"lookback": L, "horizon": H, "scale": "window"}
    network = GRURegressor(4, epochs=2, random_state=0, jit_compile=False)
    lazy = Forecaster(network, **options).fit(WALK)
    series, origins = [(StandardScaler().fit_transform(WALK[:, None]), None)], [np.arange(5, 76)]
    windows, targets = lazy._framing.windows(series, origins), lazy._framing.targets(series, origins)
    again = clone(network).fit(np.asarray(windows), targets)
    for a, b in zip(again.weights_[0], lazy.regressor_.weights_[0], strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


# --- transformers of the target ---


@pytest.mark.parametrize(
    "transformer",
    [
        FunctionTransformer(np.log, np.exp),
        PowerTransformer("box-cox", standardize=False),
        Differencer(),
        Differencer(3),
        make_pipeline(FunctionTransformer(np.log, np.exp), Differencer(3), Differencer()),
    ],
    ids=["log", "box-cox", "differences", "seasonal differences", "all"],
)
@pytest.mark.parametrize("strategy", ["direct", "recursive"])
def test_a_transformed_target_comes_back_in_its_units(transformer, strategy):
    """A rule that holds exactly behind the transformer is forecast exactly before it."""
    t = np.arange(80)
    series = np.exp(0.01 * t + 0.2 * np.array([0.0, 1.0, -1.0])[t % 3])
    options = {"regressor": LinearRegression(), "target_transformer": transformer, "strategy": strategy}
    forecaster = ridge(**options, scaler=None, anchor=None).fit(series[:70])
    exact = isinstance(transformer, FunctionTransformer) or hasattr(transformer, "steps")
    np.testing.assert_allclose(forecaster.predict(), series[70:74], rtol=1e-6 if exact else 0.05)
    many = forecaster.predict_origins(series, origins=[60, 69])
    np.testing.assert_allclose(many[1, :, 0], forecaster.predict())
    longer = forecaster.predict(np.empty((10, 0)))
    np.testing.assert_allclose(longer[:H], forecaster.predict())
    np.testing.assert_allclose(longer, series[70:], rtol=1e-5 if exact else 0.2)


def test_differences_are_learnt_from_where_there_are_any():
    recorder, forecaster = seen(target_transformer=Differencer(3))
    windows, targets = make_windows(WALK[3:] - WALK[:-3], lookback=L, horizon=H)
    np.testing.assert_allclose(recorder.X_, np.asarray(windows)[..., 0])
    np.testing.assert_allclose(recorder.y_, targets)
    np.testing.assert_allclose(forecaster.predict(), [*WALK[-3:], WALK[-3]])  # zeros: as one season before
    with pytest.raises(ValueError, match="has 12 steps; lookback=6 and horizon=4 need at least 13"):
        seen(WALK[:12], target_transformer=Differencer(3))


def test_a_transformer_without_an_inverse_is_refused():
    for wrong in (np.log, StandardScaler, "log"):
        with pytest.raises(InvalidParameterError, match="`target_transformer` must be a transformer with an inverse"):
            ridge(target_transformer=wrong).fit(WALK)


# --- missing values ---


def holed(*rows):
    series = WALK.copy()
    series[list(rows)] = np.nan
    return series


def test_missing_values_are_an_error_unless_told():
    with pytest.raises(ValueError, match=r"contains NaN \(first at row 30"):
        ridge().fit(holed(30))


def test_gaps_are_filled_on_a_straight_line():
    series = holed(0, 30, 31)
    forecaster = ridge(missing="interpolate").fit(series)
    filled = pd.Series(series).interpolate(limit_direction="both").to_numpy()
    np.testing.assert_allclose(forecaster.predict(), ridge().fit(filled).predict())
    assert forecaster.n_missing_ == 3
    assert forecaster.n_dropped_ == 0


@pytest.mark.parametrize("n_steps", [H, 2 * H])
def test_no_gap_is_filled_with_what_came_later(n_steps):
    forecaster = ridge(missing="interpolate").fit(WALK)
    series = holed(40, 41, 42)
    many = forecaster.predict_origins(series, origins=[39, 41, 42, 45], n_steps=n_steps)
    for forecast, origin in zip(many, [39, 41, 42, 45], strict=True):
        later = series.copy()
        later[origin + 1 :] = 1e6
        np.testing.assert_array_equal(forecaster.predict_origins(later, origins=[origin], n_steps=n_steps)[0], forecast)
        known = pd.Series(series[: origin + 1]).interpolate(limit_direction="both").to_numpy()
        np.testing.assert_allclose(forecaster.predict_origins(known, origins=[origin], n_steps=n_steps)[0], forecast)


def test_windows_with_gaps_are_dropped_and_counted():
    recorder, forecaster = seen(holed(30, 31), missing="drop")
    windows, targets = make_windows(WALK, lookback=L, horizon=H)
    origins = np.arange(L - 1, 80 - H)
    kept = (origins + H < 30) | (origins - L + 1 > 31)
    np.testing.assert_array_equal(recorder.X_, np.asarray(windows)[kept, :, 0])
    np.testing.assert_array_equal(recorder.y_, targets[kept])
    assert forecaster.n_dropped_ == (~kept).sum() == 11
    assert forecaster.n_missing_ == 2
    assert np.isfinite(forecaster.predict()).all()
    with pytest.raises(ValueError, match='the 6 steps up to row 32 have missing values, and missing="drop"'):
        forecaster.predict_origins(holed(30, 31), origins=[32])
    with pytest.raises(ValueError, match=r"no window of 6 steps and its 4 target steps is complete\. Pass more"):
        seen(holed(*range(0, 80, 9)), missing="drop")


def test_a_network_never_sees_a_gap():
    network = GRURegressor(4, epochs=2, random_state=0, jit_compile=False)
    for policy in ("drop", "interpolate"):
        forecaster = Forecaster(network, lookback=L, horizon=H, missing=policy).fit(pd.Series(holed(30), index=DAYS))
        assert np.isfinite(forecaster.predict()).all()


def test_a_backtest_over_gaps_knows_nothing_of_later_ones():
    cv = WalkForwardSplit(n_splits=4, test_size=H)
    clean = holed(50, 51)
    spoilt = clean.copy()
    spoilt[72:] += 1e6
    tables = [backtest(ridge(missing="interpolate"), y, cv=cv, progress=False) for y in (clean, spoilt)]
    before = tables[0]["time"] < 72
    pd.testing.assert_frame_equal(tables[0][before], tables[1][before])


# --- weights ---


def test_old_windows_count_less():
    recorder, _ = seen(half_life=10)
    weights = recorder.weights_
    assert weights[-1] == 1
    np.testing.assert_allclose(weights[:-10] / weights[10:], 0.5)
    inside = make_pipeline(StandardScaler(), Recorder())
    forecaster = Forecaster(inside, lookback=L, horizon=H, half_life=10).fit(WALK)
    np.testing.assert_allclose(forecaster.regressor_[-1].weights_, weights)
    assert seen()[0].weights_ is None
    with pytest.raises(InvalidParameterError, match="`half_life` must be a number in"):
        ridge(half_life=0).fit(WALK)


def test_wrong_options_are_refused():
    for name, value in {"strategy": "recursiv", "scale": "windows", "missing": "dropp"}.items():
        with pytest.raises(InvalidParameterError, match=f"`{name}` must be one of .*; got '{value}'. Did you mean"):
            ridge(**{name: value}).fit(WALK)


def test_parameters_survive_clone_and_pickle():
    parameters = {"regressor": Ridge(alpha=3.0), "lookback": 7, "horizon": 2, "anchor": "seasonal", "season_length": 5}
    parameters |= {"scaler": MinMaxScaler(), "past_covariates": ("b",), "multivariate": True, "stride": 2}
    parameters |= {"strategy": "direct", "scale": "window", "target_transformer": Differencer(2), "half_life": 9.0}
    parameters |= {"static_covariates": (), "missing": "drop"}
    forecaster = Forecaster(**parameters)
    assert forecaster.get_params(deep=False) == parameters
    assert forecaster.get_params()["regressor__alpha"] == 3.0
    copy = clone(forecaster)
    assert str(copy.get_params()) == str(forecaster.get_params())
    assert copy.regressor is not forecaster.regressor
    assert "season_length=5" in repr(forecaster)
    X = pd.DataFrame(RNG.normal(size=(80, 2)), columns=["a", "b"], index=DAYS)
    forecaster.fit(X[:78], pd.Series(WALK[:78], index=DAYS[:78]))
    again = pickle.loads(pickle.dumps(forecaster))
    pd.testing.assert_series_equal(again.predict(X[78:]), forecaster.predict(X[78:]))


# Strides


def origins_seen(series, **values):
    """Rows at which the windows end, of a series that counts its rows."""
    return seen(series, **values)[0].X_[:, -1]


@pytest.mark.parametrize("kind", ["stamps", "periods"])
@pytest.mark.parametrize(("stride", "hours"), [("1D", 24), (pd.Timedelta(hours=6), 6)])
def test_windows_end_whole_strides_before_the_last_row(stride, hours, kind):
    index = pd.date_range("2024-01-01 05:00", periods=100, freq="h")
    series = pd.Series(np.arange(100.0), index=index if kind == "stamps" else index.to_period())
    expected = np.arange(99, -1, -hours)[::-1]
    np.testing.assert_array_equal(
        origins_seen(series, stride=stride), expected[(expected >= L - 1) & (expected < 100 - H)]
    )


def test_days_apart_are_days_of_the_wall_clock():
    index = pd.date_range("2024-03-25", "2024-04-06", freq="h", tz="Europe/Berlin", inclusive="left")
    series = pd.Series(np.arange(float(len(index))), index=index)
    ends = origins_seen(series, stride="1D")
    assert set(index[ends.astype(int)].hour) == {23}
    assert set(np.diff(ends)) == {23, 24}
    assert set(np.diff(origins_seen(series, stride="24h"))) == {24}
    before_the_gap = series[:"2024-04-05 02:30"]  # there is no 02:00 on the day of the change
    assert list(np.diff(origins_seen(before_the_gap, stride="1D"))) == [24, 24, 24, 24, 24, 23, 24, 24, 24]


def test_a_stride_that_leaves_nothing_is_refused():
    series = pd.Series(np.arange(30.0), index=pd.date_range("2024-01-01", periods=30, freq="h"))
    with pytest.raises(ValueError, match=r"^Forecaster: stride='2D' leaves no window whose target is known\. Its"):
        seen(series, stride="2D")
    with pytest.raises(InvalidParameterError, match=r"`stride` must be an integer >= 1, as neither X nor y has"):
        seen(series.to_numpy(), stride="1D")
    with pytest.raises(InvalidParameterError, match=r"`stride` must be an integer >= 1 or an offset"):
        seen(series, stride="soon")
