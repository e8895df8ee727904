"""compare: the scores by hand, one set of folds for all, and hints where, and only where, they are due."""

import time

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tsrnn import (
    DriftForecaster,
    Forecaster,
    InvalidParameterError,
    NaiveForecaster,
    SeasonalNaiveForecaster,
    WalkForwardSplit,
    backtest,
    compare,
    diebold_mariano,
    interval_score,
    load_electricity_demand,
    mean_absolute_scaled_error,
)

CV = WalkForwardSplit(12, test_size=6)
RIDGE = Forecaster(Ridge(), lookback=12, horizon=6)
RULES = {"naive": NaiveForecaster(), "drift": DriftForecaster()}


def seasonal(n=200, seed=0):
    t = np.arange(n)
    return 10 * np.sin(2 * np.pi * t / 12) + np.random.default_rng(seed).normal(size=n)


def walk(n=400, k=None, seed=0):
    steps = np.random.default_rng(seed).normal(size=(n, k or 1)).cumsum(axis=0)
    return steps[:, 0] if k is None else steps


def run(models, *data, cv=CV, **options):
    return compare(models, *data, cv=cv, progress=False, **options)


class Echo(RegressorMixin, BaseEstimator):
    """Says that the step to come moves by `move` of what the last one did."""

    def __init__(self, move=0.0):
        self.move = move

    def fit(self, X, y):  # noqa: ARG002
        self.n_outputs_ = 1 if np.ndim(y) == 1 else y.shape[1]
        return self

    def predict(self, X):
        moves = self.move * (X[:, -1:] - X[:, -2:-1])
        return np.repeat(X[:, -1:] + moves, self.n_outputs_, axis=1)


class Profile(NaiveForecaster):
    """The true season of `seasonal`, from every origin."""

    def _rule(self, values, origins, ahead):  # noqa: ARG002
        return 10 * np.sin(2 * np.pi * (origins[:, None, None] + ahead[:, None]) / 12)


def echoing(move=0.0, horizon=6):
    return Forecaster(Echo(move), lookback=2, horizon=horizon, anchor=None, scaler=None)


# The scores


@pytest.mark.parametrize("metric", ["mae", "rmse"])
def test_the_scores_by_hand(metric):
    y = seasonal()
    result = run({"ridge": RIDGE}, y, season_length=12, metric=metric)
    rules = {"naive": NaiveForecaster(), "drift": DriftForecaster(), "seasonal naive": SeasonalNaiveForecaster(12)}
    tables = {name: backtest(model, y, cv=CV, progress=False) for name, model in {"ridge": RIDGE, **rules}.items()}
    train = y[: 200 - 72]
    losses = {}
    for name, table in tables.items():
        pd.testing.assert_frame_equal(result.tables[name], table)
        errors = table["y_true"] - table["y_pred"]
        row = result.scores.loc[name]
        assert row["MAE"] == pytest.approx(mean_absolute_error(table["y_true"], table["y_pred"]), rel=1e-12)
        assert row["RMSE"] == pytest.approx(np.sqrt((errors**2).mean()), rel=1e-12)
        scaled = mean_absolute_scaled_error(table["y_true"], table["y_pred"], y_train=train, season_length=12)
        assert row["MASE"] == pytest.approx(scaled, rel=1e-12)
        losses[name] = (errors.abs() if metric == "mae" else errors**2).to_numpy().reshape(12, 6).mean(axis=1)
        best = result.scores.loc["seasonal naive"]
        assert row["skill"] == pytest.approx(1 - row[metric.upper()] / best[metric.upper()], rel=1e-12)
    for name in ("ridge", "naive", "drift"):
        expected = diebold_mariano(losses[name], losses["seasonal naive"]).p_value
        assert result.scores.loc[name, "p_value"] == pytest.approx(expected, rel=1e-9)
    assert np.isnan(result.scores.loc["seasonal naive", "p_value"])
    assert list(result.scores.columns) == ["MAE", "RMSE", "MASE", "skill", "p_value", "seconds"]
    assert result.scores[metric.upper()].is_monotonic_increasing
    assert list(result.tables) == list(result.scores.index)


def test_the_metric_decides_about_the_order():
    """Often a little wrong, or seldom and far: the order turns between the two measures."""

    class Fixed(RegressorMixin, BaseEstimator):
        def __init__(self, kind):
            self.kind = kind

        def fit(self, X, y):  # noqa: ARG002
            return self

        def predict(self, X):
            return X[:, 0] + (1.0 if self.kind == "often" else np.where(np.arange(len(X)) % 12 == 0, 8.0, 0.0))

    y = seasonal()
    models = {"often": Fixed("often"), "seldom": Fixed("seldom")}
    for metric, first in (("mae", "seldom"), ("rmse", "often")):
        assert run(models, y[:, None], y, metric=metric).scores.index[0] == first


def test_overlapping_origins_are_not_independent():
    y = walk(120)
    folds = [(np.arange(end), np.arange(end, end + 4)) for end in range(60, 110)]

    class Every:
        def split(self, X, y=None):  # noqa: ARG002
            return iter(folds)

    result = run({"ridge": Forecaster(Ridge(), lookback=3, horizon=4)}, y, cv=Every(), refit=False)
    losses = {
        name: np.abs(table["y_true"] - table["y_pred"]).to_numpy().reshape(50, 4).mean(axis=1)
        for name, table in result.tables.items()
    }
    best = result.scores.loc[["naive", "drift"], "MAE"].idxmin()
    for horizon, equal in ((4, True), (1, False), (3, False), (5, False)):
        expected = diebold_mariano(losses["ridge"], losses[best], horizon=horizon).p_value
        assert np.isclose(result.scores.loc["ridge", "p_value"], expected, rtol=1e-9) == equal


def test_with_too_few_origins_there_is_no_p_value():
    result = run({"ridge": RIDGE}, seasonal(), cv=WalkForwardSplit(1, test_size=6))
    assert result.scores["p_value"].isna().all()
    assert result.scores["skill"].notna().all()


def test_several_series_are_scaled_each_by_its_own():
    y = np.column_stack([seasonal(), 1000 * seasonal(seed=1)])
    result = run({"ridge": RIDGE}, pd.DataFrame(y, columns=["a", "b"]))
    table = result.tables["naive"]
    expected = [
        mean_absolute_scaled_error(part["y_true"], part["y_pred"], y_train=y[:128, j])
        for j, (_, part) in enumerate(table.groupby("series"))
    ]
    assert result.scores.loc["naive", "MASE"] == pytest.approx(np.mean(expected), rel=1e-12)


def test_covariates_rows_and_pipelines_share_the_folds():
    hours = pd.date_range("2026-01-01", periods=200, freq="h")
    X = pd.DataFrame({"known": np.roll(seasonal(), -1), "other": walk(200)}, hours)
    y = pd.Series(seasonal(), hours, name="load")
    result = run({"rows": make_pipeline(StandardScaler(), Ridge()), "ridge": RIDGE}, X, y)
    assert set(result.tables) == {"rows", "ridge", "naive", "drift"}
    for table in result.tables.values():
        keys = ["fold", "origin", "time", "step", "series", "y_true"]
        pd.testing.assert_frame_equal(table[keys], result.tables["naive"][keys])
    assert result.tables["naive"]["time"].iloc[-1] == hours[-1]
    result = run({"rows": Ridge()}, X, y.to_numpy())
    assert result.tables["naive"]["time"].equals(result.tables["rows"]["time"])
    assert run({"rows": Ridge()}, X.to_numpy(), y.to_numpy()).scores.loc["rows", "MAE"] > 0


DAYS = pd.date_range("2024-01-01", periods=200, freq="D")
PANEL = {
    "small": pd.Series(seasonal(), DAYS),
    "large": pd.Series(1000 * seasonal(seed=1), DAYS),
    "late": pd.Series(seasonal(60, seed=2), DAYS[140:]),  # its first 12 rows are there when the last 8 folds begin
}


@pytest.mark.parametrize("metric", ["mae", "rmse"])
def test_the_scores_of_a_panel_by_hand(metric):
    """All are scored on what all can forecast: the ridge leaves out a series in the folds that are too early for it."""
    result = run({"ridge": RIDGE}, PANEL, metric=metric, season_length=12)
    starts = 128 + 6 * np.arange(12)
    least = {"naive": 1, "drift": 2, "seasonal naive": 12, "ridge": 18}
    for name, needed in least.items():
        late = result.tables[name].query("series == 'late'")["fold"].unique()
        assert late.tolist() == np.flatnonzero(starts - 140 >= needed).tolist()
    common = (starts - 140 >= 18).argmax()
    losses = {}
    for name, table in result.tables.items():
        rows = table[(table["series"] != "late") | (table["fold"] >= common)]
        errors = rows["y_true"] - rows["y_pred"]
        row = result.scores.loc[name]
        assert row["MAE"] == pytest.approx(errors.abs().mean(), rel=1e-12)
        assert row["RMSE"] == pytest.approx(np.sqrt((errors**2).mean()), rel=1e-12)
        ends = {"small": 128, "large": 128, "late": starts[common] - 140}
        scaled = [
            mean_absolute_scaled_error(
                part["y_true"], part["y_pred"], y_train=PANEL[series][: ends[series]], season_length=12
            )
            for series, part in rows.groupby("series")
        ]
        assert row["MASE"] == pytest.approx(np.mean(scaled), rel=1e-12)
        each = errors.abs() if metric == "mae" else errors**2
        losses[name] = each.groupby(rows["fold"]).mean().to_numpy()
    best = result.scores.loc[["naive", "drift", "seasonal naive"], metric.upper()].idxmin()
    expected = diebold_mariano(losses["ridge"], losses[best]).p_value
    assert result.scores.loc["ridge", "p_value"] == pytest.approx(expected, rel=1e-9)


def test_a_panel_of_arrays_of_rows_and_of_several_targets():
    cv = WalkForwardSplit(4, test_size=6, stride=3)  # blocks that overlap: two origins at a time
    result = run({"ridge": RIDGE}, PANEL, cv=cv)
    arrays = {name: rows.to_numpy() for name, rows in PANEL.items()}
    for other in (arrays, pd.concat(PANEL)):
        scores = run({"ridge": RIDGE}, other, cv=cv).scores
        pd.testing.assert_frame_equal(scores.drop(columns="seconds"), result.scores.drop(columns="seconds"))
    frames = {name: pd.DataFrame({"x": rows, "y": rows}) for name, rows in PANEL.items()}
    several = run({"ridge": RIDGE}, frames, cv=cv).scores
    naive = ["naive", "drift"]
    np.testing.assert_allclose(
        several.loc[naive, ["MAE", "MASE"]], result.scores.loc[naive, ["MAE", "MASE"]], rtol=1e-12
    )
    beside = {name: pd.DataFrame({"even": np.arange(len(rows)) % 2.0}) for name, rows in arrays.items()}
    scores = run({"ridge": RIDGE}, beside, arrays, cv=cv).scores
    pd.testing.assert_frame_equal(
        scores.loc[naive, ["MAE", "MASE"]], result.scores.loc[naive, ["MAE", "MASE"]], check_exact=True
    )


def test_a_series_that_repeats_itself_has_no_share_in_mase():
    flat = {**PANEL, "flat": pd.Series(np.arange(200) % 2 * 1.0, DAYS)}
    with_it = run({"ridge": RIDGE}, flat, season_length=2).scores.loc["naive", "MASE"]
    assert with_it == pytest.approx(run({"ridge": RIDGE}, PANEL, season_length=2).scores.loc["naive", "MASE"])


@pytest.mark.parametrize("data", [seasonal(), {name: PANEL[name] for name in ("small", "large")}])
def test_intervals_in_a_comparison(data):
    result = run({"ridge": RIDGE}, data, coverage=0.6)
    assert list(result.scores.columns) == [
        "MAE", "RMSE", "MASE", "skill", "p_value", "coverage", "interval score", "seconds",
    ]  # fmt: skip
    for name, table in result.tables.items():
        pd.testing.assert_frame_equal(
            table, backtest({"ridge": RIDGE, **RULES}[name], data, cv=CV, coverage=0.6, progress=False)
        )
        inside = (table["lower"] <= table["y_true"]) & (table["y_true"] <= table["upper"])
        assert result.scores.loc[name, "coverage"] == pytest.approx(inside.mean())
        score = interval_score(table["y_true"], table["lower"], table["upper"], coverage=0.6)
        assert result.scores.loc[name, "interval score"] == pytest.approx(score)
    assert "lower" not in run({"ridge": RIDGE}, data).tables["naive"]
    with pytest.raises(InvalidParameterError, match=r"`coverage` must be None for a regressor of rows; got 0.6"):
        run({"rows": Ridge()}, walk(200, 1), walk(200), coverage=0.6)


def test_seconds_are_those_of_the_backtest():
    class Slow(NaiveForecaster):
        def _learn(self, values, covariates):  # noqa: ARG002
            time.sleep(0.02)

    result = run({"slow": Slow()}, walk(100), cv=WalkForwardSplit(5, test_size=6))
    assert 0.1 < result.scores.loc["slow", "seconds"] < 2
    assert result.scores.loc["naive", "seconds"] < result.scores.loc["slow", "seconds"]


def test_a_naive_rule_without_error_leaves_no_skill():
    result = run({"ridge": RIDGE}, np.tile(np.arange(12.0), 20), season_length=12)
    assert result.scores["skill"].isna().all()
    assert result.scores["MASE"].isna().all()


def test_how_a_comparison_looks():
    result = run({"ridge": RIDGE}, seasonal())
    assert repr(result) == repr(result.scores)
    assert result._repr_html_() == result.scores.to_html()


def test_the_bar_goes_to_stderr_only(capsys):
    run({"ridge": RIDGE}, seasonal())
    assert capsys.readouterr() == ("", "")
    compare({"ridge": RIDGE}, seasonal(), cv=CV)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 3  # a bar for the model and for each rule


# The hints

COLLAPSED = r"^compare: the forecasts of 'constant' are nearly the same from every origin \(they move \d\.\d% as far as"
ECHOES = r"^compare: the forecasts of 'echo' nearly repeat the last known value \(they move \d+% as far"


@pytest.mark.parametrize(("values", "refit"), [(seasonal(), True), (seasonal(), False), (walk(), False)])
def test_a_constant_model_is_reported(values, refit):
    constant = Forecaster(DummyRegressor(), lookback=3, horizon=6, anchor=None)
    with pytest.warns(UserWarning, match=COLLAPSED) as caught:
        run({"constant": constant, "ridge": RIDGE}, values, refit=refit)
    assert len(caught) == 1


@pytest.mark.parametrize("refit", [True, False])
def test_a_constant_where_the_season_repeats_itself(refit):
    """What is left of such a series without its season is noise, and a flat forecast is wrong all the same."""
    constant = Forecaster(DummyRegressor(), lookback=12, horizon=12, anchor=None)
    with pytest.warns(UserWarning, match=COLLAPSED):
        run({"constant": constant}, seasonal(), cv=WalkForwardSplit(8, test_size=12), refit=refit)
    # The season alone is the best forecast: the same each time, and rightly so.
    profile = Forecaster(Ridge(1e-3), lookback=12, horizon=12, anchor=None)
    run({"season": profile}, seasonal(), cv=WalkForwardSplit(8, test_size=12), refit=refit)
    run({"season": Profile()}, seasonal(), cv=WalkForwardSplit(8, test_size=12), refit=refit)


@pytest.mark.parametrize("move", [0.0, 0.02])
def test_an_echo_is_reported(move):
    with pytest.warns(UserWarning, match=ECHOES) as caught:
        run({"echo": echoing(move), "ridge": RIDGE}, seasonal())
    assert len(caught) == 1


def test_a_season_that_only_its_own_lag_shows():
    """A week of seven unlike days: changes are correlated at lag 7 and hardly at lag 1."""
    week = np.array([2.0, 5, 2, 11, 12, 5, 0])
    y = np.tile(week, 30) + np.random.default_rng(0).normal(size=210)
    run({"echo": echoing()}, y)  # nobody has said that there is a week
    with pytest.warns(UserWarning, match=ECHOES):
        run({"echo": echoing()}, y, season_length=7)


@pytest.mark.parametrize("seed", range(5))
def test_an_echo_is_best_on_a_random_walk(seed):
    """Nothing is said of an echo, nor of an honest model that comes to the same."""
    honest = Forecaster(Ridge(), lookback=4, horizon=6)
    run({"echo": echoing(), "honest": honest}, walk(seed=seed), cv=WalkForwardSplit(25, test_size=6))


def test_a_small_step_that_pays_is_no_echo():
    """Changes that go on by a quarter: the best forecast moves a quarter as far as the truth, and errs 3 % less."""
    changes = np.random.default_rng(0).normal(size=1200)
    for t in range(1, 1200):
        changes[t] += 0.25 * changes[t - 1]
    cv = WalkForwardSplit(600, test_size=1)
    run({"quarter": echoing(0.25, horizon=1)}, changes.cumsum(), cv=cv, refit=False)
    with pytest.warns(UserWarning, match=ECHOES):
        run({"echo": echoing(horizon=1)}, changes.cumsum(), cv=cv, refit=False)


def test_two_origins_are_too_few_to_tell():
    constant = Forecaster(DummyRegressor(), lookback=3, horizon=6, anchor=None)
    run({"constant": constant}, seasonal(), cv=WalkForwardSplit(2, test_size=48))


@pytest.mark.parametrize("seed", range(5))
def test_a_constant_is_best_on_white_noise(seed):
    noise = np.random.default_rng(seed).normal(size=400)
    constant = Forecaster(DummyRegressor(), lookback=3, horizon=6, anchor=None)
    run({"constant": constant, "ridge": RIDGE}, noise, cv=WalkForwardSplit(25, test_size=6))


def test_forecasts_may_come_to_rest_far_ahead():
    """The best forecast of a stationary series is its mean, many steps ahead."""
    y = np.random.default_rng(0).normal(size=600)
    for t in range(1, 600):
        y[t] += 0.3 * y[t - 1]
    ridge = Forecaster(Ridge(), lookback=1, horizon=24, anchor=None)
    run({"ridge": ridge}, y, cv=WalkForwardSplit(15, test_size=24))


def test_nothing_is_said_of_a_good_model_of_the_bundled_demand():
    demand = load_electricity_demand()
    demand = demand.iloc[:, 0] if isinstance(demand, pd.DataFrame) else demand
    ridge = Forecaster(Ridge(), lookback=336, horizon=48, stride=2)
    result = run({"ridge": ridge}, demand, cv=WalkForwardSplit(10, test_size=48), season_length=336, refit=False)
    assert result.scores.index[0] == "ridge"


# What it refuses


def test_what_is_refused():
    for wrong in ({}, [RIDGE], RIDGE, {1: RIDGE}):
        with pytest.raises(
            InvalidParameterError, match=r"^compare: `models` must be a dict of models by name, at least"
        ):
            run(wrong, seasonal())
    with pytest.raises(ValueError, match=r"^compare: 'naive' is the name of a naive rule.*Rename the model"):
        run({"naive": RIDGE}, seasonal())
    with pytest.raises(InvalidParameterError, match=r"^compare: `metric` must be one of \['mae', 'rmse'\]; got 'mape'"):
        run({"ridge": RIDGE}, seasonal(), metric="mape")
    with pytest.raises(InvalidParameterError, match=r"^compare: `season_length` must be an integer >= 1; got 0"):
        run({"ridge": RIDGE}, seasonal(), season_length=0)
    with pytest.raises(InvalidParameterError, match=r"`cv` must be a splitter"):
        run({"ridge": RIDGE}, seasonal(), cv=3)
