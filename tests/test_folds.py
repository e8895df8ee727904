"""Backtests of panels: folds in common time, one fit for all series, and which series a fold leaves out."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold

from tsrnn import (
    DriftForecaster,
    ETSForecaster,
    Forecaster,
    GRURegressor,
    InvalidParameterError,
    NaiveForecaster,
    SeasonalNaiveForecaster,
    WalkForwardSplit,
    backtest,
)

L, H = 4, 2
DAYS = pd.date_range("2024-01-01", periods=60, freq="D")
CV = WalkForwardSplit(3, test_size=4)  # tests rows 48-51, 52-55 and 56-59 of the axis


def walk(first, last, seed, **options):
    values = 10 * seed + np.random.default_rng(seed).normal(size=last - first).cumsum()
    return pd.Series(values, index=DAYS[first:last], name="load", **options)


# "late" has 3 rows before the first fold's test block, 7 before the second's; "gone" ends within the second's.
PANEL = {"all": walk(0, 60, 1), "late": walk(45, 60, 2), "gone": walk(10, 54, 3)}


def ridge(**options):
    return Forecaster(**{"regressor": Ridge(), "lookback": L, "horizon": H, **options})


def run(*args, **options):
    return backtest(*args, progress=False, **options)


class Logger(RegressorMixin, BaseEstimator):
    """Notes how many windows each fit and each predict gets, and forecasts the last value of each."""

    fits: list = []  # noqa: RUF012
    asked: list = []  # noqa: RUF012

    def fit(self, X, y):  # noqa: ARG002
        self.fits.append(len(X))
        return self

    def predict(self, X):
        self.asked.append(len(X))
        return X[:, -1]


@pytest.fixture
def log():
    Logger.fits, Logger.asked = [], []
    return Logger


def by_hand(forecaster, cv, least):
    """Return the forecasts of all test rows, series by series within a fold, each fold fitted on its own."""
    parts = []
    for train, test in cv.split(pd.Series(0.0, DAYS)):
        past = {name: rows[rows.index <= DAYS[train[-1]]] for name, rows in PANEL.items()}
        past = {name: rows for name, rows in past.items() if len(rows) >= least}
        ahead = {name: rows[rows.index.isin(DAYS[test])] for name, rows in PANEL.items() if name in past}
        ahead = {name: pd.DataFrame(index=rows.index) for name, rows in ahead.items() if len(rows)}
        answers = forecaster.fit(past).predict(ahead)
        parts += [answers[name] for name in ahead]
    return pd.concat(parts)


# The table


def test_the_table_by_hand():
    panel = {"a": pd.Series([1.0, 2, 4, 8], DAYS[:4]), "b": pd.Series([10.0, 30, 50], DAYS[1:4])}
    table = run(NaiveForecaster(), panel, cv=WalkForwardSplit(2, test_size=1))
    expected = pd.DataFrame(
        {
            "fold": [0, 0, 1, 1],
            "origin": DAYS[[1, 1, 2, 2]],
            "time": DAYS[[2, 2, 3, 3]],
            "step": [1] * 4,
            "series": ["a", "b"] * 2,
            "y_true": [4.0, 30.0, 8.0, 50.0],
            "y_pred": [2.0, 10.0, 4.0, 30.0],
        }
    )
    pd.testing.assert_frame_equal(table, expected)
    rows = pd.concat(panel, names=["plant", "day"])
    pd.testing.assert_frame_equal(run(NaiveForecaster(), rows, cv=WalkForwardSplit(2, test_size=1)), expected)


@pytest.mark.parametrize("anchor", ["last", "mean", "linear", None])
def test_each_fold_fits_all_series_and_forecasts_each(anchor):
    forecaster = ridge(anchor=anchor)
    table = run(forecaster, PANEL, cv=CV)
    expected = by_hand(forecaster, CV, L + H)
    assert table["time"].tolist() == expected.index.tolist()
    np.testing.assert_allclose(table["y_pred"], expected, rtol=1e-9)
    truth = [PANEL[name][time] for name, time in zip(table["series"], table["time"], strict=True)]
    np.testing.assert_array_equal(table["y_true"], truth)
    steps = (table["time"] - table["origin"]) // pd.Timedelta("1D")
    np.testing.assert_array_equal(table["step"], steps)


def test_which_series_a_fold_leaves_out():
    """Those with too few rows to learn from, and those that have ended; a rule needs fewer rows."""

    def counts(forecaster):
        return run(forecaster, PANEL, cv=CV).groupby("fold")["series"].value_counts().to_dict()

    both = {(1, "all"): 4, (1, "late"): 4, (1, "gone"): 2, (2, "all"): 4, (2, "late"): 4}
    assert counts(ridge()) == {(0, "all"): 4, (0, "gone"): 4, **both}
    assert counts(NaiveForecaster()) == {(0, "all"): 4, (0, "late"): 4, (0, "gone"): 4, **both}
    assert counts(SeasonalNaiveForecaster(7)) == counts(ridge())
    assert (1, "late") not in counts(SeasonalNaiveForecaster(8))
    assert (1, "late") in counts(ridge(lookback=5))
    assert (1, "late") not in counts(ridge(lookback=6))


def test_the_order_of_the_series_is_theirs():
    table = run(NaiveForecaster(), PANEL, cv=CV)
    other = run(NaiveForecaster(), dict(reversed(PANEL.items())), cv=CV)
    assert other["series"].drop_duplicates().tolist() == ["gone", "late", "all"]
    keys = ["fold", "series", "time"]
    pd.testing.assert_frame_equal(
        other.sort_values(keys, ignore_index=True), table.sort_values(keys, ignore_index=True)
    )


def test_one_fit_and_one_batch_for_all_series(log):
    forecaster = ridge(regressor=Logger(), horizon=1, anchor=None, scaler=None)
    panel = {**PANEL, "gone": walk(10, 60, 3)}
    run(forecaster, panel, cv=WalkForwardSplit(3, test_size=1, stride=2), refit=False)
    windows = [55 - L, 10 - L, 45 - L]
    assert log.fits == [sum(windows)]
    assert log.asked == [9]


@pytest.mark.parametrize("refit", [False, 2])
def test_without_a_refit_a_series_unknown_to_the_fit_is_scaled_by_its_own_past(refit):
    table = run(ridge(), PANEL, cv=CV, refit=refit)
    model = ridge().fit({name: PANEL[name][: DAYS[47]] for name in ("all", "gone")})
    late = table[(table["series"] == "late") & (table["fold"] == 1)]["y_pred"]
    alone = model.with_history(PANEL["late"][: DAYS[51]])
    np.testing.assert_allclose(late, alone.predict(pd.DataFrame(index=DAYS[52:56])), rtol=1e-9)
    known = table[(table["series"] == "all") & (table["fold"] == 1)]["y_pred"]
    model.update({"all": PANEL["all"][DAYS[48] : DAYS[51]]})
    np.testing.assert_allclose(known, model.predict({"all": pd.DataFrame(index=DAYS[52:56])})["all"], rtol=1e-9)


def test_spans_of_time_and_sliding_windows():
    cv = WalkForwardSplit(2, test_size="3D", gap="2D", max_train_size="20D")
    table = run(ridge(regressor=LinearRegression(), scaler=None), PANEL, cv=cv)
    assert table["time"].drop_duplicates().tolist() == DAYS[54:60].tolist()
    assert table.groupby("fold")["step"].agg(["min", "max"]).to_numpy().tolist() == [[3, 5], [3, 5]]
    past = {
        "all": PANEL["all"][DAYS[35] : DAYS[54]],
        "late": PANEL["late"][: DAYS[54]],
        "gone": PANEL["gone"][DAYS[35] :],
    }
    model = ridge(regressor=LinearRegression(), scaler=None).fit(past)
    expected = model.predict({"late": pd.DataFrame(index=DAYS[57:60])})["late"]
    np.testing.assert_allclose(table[(table["fold"] == 1) & (table["series"] == "late")]["y_pred"], expected, rtol=1e-9)


def test_a_sliding_window_is_all_that_a_rule_knows():
    table = run(DriftForecaster(), PANEL, cv=WalkForwardSplit(1, test_size=1, max_train_size=10))
    for name, forecast in zip(table["series"], table["y_pred"], strict=True):
        known = PANEL[name][DAYS[49] : DAYS[58]].to_numpy()
        assert forecast == pytest.approx(known[-1] + (known[-1] - known[0]) / (len(known) - 1))


def test_series_without_moments_end_together():
    """Arrays, and integers: in M4, say, every series is numbered from its own begin."""
    arrays = {name: PANEL[name].to_numpy() for name in ("all", "late")}
    table = run(ridge(), arrays, cv=CV)
    stamped = run(ridge(), {name: PANEL[name] for name in arrays}, cv=CV)
    np.testing.assert_array_equal(table["y_pred"], stamped["y_pred"])
    late = table[table["series"] == "late"]
    assert late["time"].tolist() == list(range(7, 15))
    assert late["origin"].tolist() == [6] * 4 + [10] * 4
    numbered = {name: pd.Series(values, pd.RangeIndex(1, len(values) + 1)) for name, values in arrays.items()}
    shifted = run(ridge(), pd.concat(numbered), cv=CV)
    np.testing.assert_array_equal(shifted["time"], table["time"] + 1)
    pd.testing.assert_frame_equal(shifted.drop(columns=["origin", "time"]), table.drop(columns=["origin", "time"]))


def test_zones_and_kinds_of_stamps():
    zoned = {"a": PANEL["all"].tz_localize("UTC"), "b": PANEL["late"].tz_localize("UTC").tz_convert("Asia/Tokyo")}
    table = run(NaiveForecaster(), zoned, cv=WalkForwardSplit(1, test_size=1))
    assert table["time"].tolist() == [DAYS[-1].tz_localize("UTC")] * 2
    months = pd.period_range("2020-01", periods=60, freq="M")
    periods = {"a": PANEL["all"].set_axis(months), "b": PANEL["late"].set_axis(months[45:])}
    table = run(ridge(), periods, cv=WalkForwardSplit(2, test_size=4))
    assert table["time"].dtype == months.dtype
    np.testing.assert_array_equal(
        table["y_pred"],
        run(ridge(), {"a": PANEL["all"], "b": PANEL["late"]}, cv=WalkForwardSplit(2, test_size=4))["y_pred"],
    )
    for other in (PANEL["late"].tz_localize("UTC"), PANEL["late"].reset_index(drop=True), periods["b"]):
        with pytest.raises(TypeError, match=r"^backtest: the series of a panel must have stamps of one kind"):
            run(NaiveForecaster(), {"a": PANEL["all"], "b": other}, cv=CV)


def test_several_targets_are_named_with_their_series():
    panel = {name: pd.DataFrame({"x": rows, "y": -rows}) for name, rows in PANEL.items()}
    table = run(NaiveForecaster(), panel, cv=CV)
    assert table["series"].tolist()[:2] == [("all", "x"), ("all", "y")]
    assert set(table["series"]) == {(name, target) for name in PANEL for target in "xy"}
    alone = run(NaiveForecaster(), PANEL, cv=CV)
    of_x = table[[label[1] == "x" for label in table["series"]]]
    np.testing.assert_array_equal(of_x["y_pred"], alone["y_pred"])
    np.testing.assert_array_equal(of_x["time"], alone["time"])


@pytest.mark.parametrize("refit", [True, False])
def test_covariates_of_a_panel(refit):
    X = {name: pd.DataFrame({"next": rows.shift(-1, fill_value=0.0)}) for name, rows in PANEL.items()}
    moved = {name: pd.Series(rows["next"].shift(1, fill_value=0.0), name="load") for name, rows in X.items()}
    forecaster = ridge(regressor=LinearRegression(), horizon=1, anchor=None, scaler=None)
    known = {name: pd.DataFrame({"same": rows + 1}) for name, rows in moved.items()}
    table = run(forecaster, known, moved, cv=CV, refit=refit)
    np.testing.assert_allclose(table["y_pred"], table["y_true"], rtol=1e-6, atol=1e-6)
    assert len(table) == len(run(forecaster, moved, cv=CV))
    arrays = run(forecaster, known, {name: rows.to_numpy() for name, rows in moved.items()}, cv=CV, refit=refit)
    pd.testing.assert_frame_equal(arrays, table)
    rows = run(forecaster, pd.concat(known), pd.concat(moved), cv=CV, refit=refit)
    pd.testing.assert_frame_equal(rows, table)


@pytest.mark.parametrize("refit", [True, False])
def test_bounds_are_those_of_each_series(refit):
    cv = WalkForwardSplit(2, test_size=2)
    panel = {"small": walk(0, 60, 1), "large": 1000 * walk(0, 60, 2), "late": walk(30, 60, 4)}
    table = run(ridge(), panel, cv=cv, coverage=0.7, refit=refit)
    model = ridge().fit({name: rows[: DAYS[55]] for name, rows in panel.items()})
    for name, rows in table[table["fold"] == 0].groupby("series"):
        bounds = model.predict_interval(coverage=0.7)[name]
        np.testing.assert_allclose(rows[["lower", "upper"]], bounds, rtol=1e-9)
    if not refit:
        width = (table["upper"] - table["lower"]).to_numpy().reshape(2, -1)
        np.testing.assert_allclose(*width)


@pytest.mark.parametrize("end", [60, 26])
def test_bounds_of_a_series_unknown_to_the_fit(end):
    """Of what the fit's own copy missed in that series; whether or not a series of the fit is forecast itself."""
    panel = {"old": walk(0, end, 1), "late": walk(22, 60, 2)}
    cv = WalkForwardSplit(2, test_size=2, stride=32)  # the first fold is fitted on 26 rows, 4 of them late's
    table = run(ridge(), panel, cv=cv, coverage=0.6, refit=False)
    model = ridge().fit({"old": panel["old"][: DAYS[25]]})
    model.predict_interval(coverage=0.6)
    bounds = model.with_history(panel["late"][: DAYS[57]]).predict_interval(coverage=0.6)
    late = table[table["series"] == "late"]
    assert late["fold"].tolist() == [1, 1]
    np.testing.assert_allclose(late[["lower", "upper"]], bounds, rtol=1e-9)


def test_a_network_and_a_model_of_statsmodels():
    network = GRURegressor(4, epochs=1, random_state=0, jit_compile=False)
    table = run(ridge(regressor=network), PANEL, cv=WalkForwardSplit(2, test_size=2), refit=False)
    assert table.groupby("fold")["series"].nunique().tolist() == [2, 2]
    assert np.isfinite(table["y_pred"]).all()
    table = run(
        ETSForecaster(trend="add"), {"a": PANEL["all"], "b": PANEL["gone"]}, cv=WalkForwardSplit(1, test_size=8)
    )
    expected = ETSForecaster(horizon=2, trend="add").fit(PANEL["gone"][: DAYS[51]]).predict()
    np.testing.assert_allclose(table[table["series"] == "b"]["y_pred"], expected)


# Many origins of many series


def test_predict_origins_of_a_panel():
    model = ridge().fit({name: PANEL[name][: DAYS[47]] for name in ("all", "gone")})
    origins = {"all": [50, 20], "late": [8], "gone": [30]}
    answers = model.predict_origins(PANEL, origins=origins, n_steps=3)
    assert {name: answer.shape for name, answer in answers.items()} == {
        "all": (2, 3, 1),
        "late": (1, 3, 1),
        "gone": (1, 3, 1),
    }
    np.testing.assert_allclose(answers["late"], model.predict_origins(PANEL["late"], origins=[8], n_steps=3), rtol=1e-9)
    # What the fit has learnt of a series does not depend on the origins asked for.
    later = model.predict_origins({"all": PANEL["all"]}, origins={"all": [50]}, n_steps=3)["all"]
    np.testing.assert_array_equal(answers["all"][0], later[0])
    from_here = ridge().fit(PANEL["all"])
    np.testing.assert_array_equal(
        from_here.predict_origins({"x": PANEL["all"]}, origins={"x": [59]})["x"],
        from_here.with_history({"x": PANEL["all"]}).predict()["x"].to_numpy()[None, :, None],
    )
    for wrong in ([8], {"all": [50]}, {"all": [5], "late": [8], "other": [30]}):
        with pytest.raises(InvalidParameterError, match=r"`origins` must be a dict of row numbers by the names"):
            model.predict_origins(PANEL, origins=wrong)


# The splitter on rows of a panel


@pytest.mark.parametrize("cv", [CV, WalkForwardSplit(3, test_size="4D"), WalkForwardSplit(2, test_size=3, gap=2)])
def test_the_splitter_cuts_the_rows_of_a_panel_in_time(cv):
    panel = dict(reversed(PANEL.items()))  # the moments of the first series are not the first ones
    rows = pd.concat(panel)
    folds = list(cv.split(rows))
    for (train, test), (first, second) in zip(folds, cv.split(pd.Series(0.0, DAYS)), strict=True):
        for own, block in ((train, first), (test, second)):
            kept = {name: part[part.index.isin(DAYS[block])] for name, part in panel.items()}
            pd.testing.assert_series_equal(rows.iloc[own], pd.concat(kept))
    for data in ((None, rows), (rows.to_frame(), rows.to_numpy())):
        for one, other in zip(cv.split(*data), folds, strict=True):
            np.testing.assert_array_equal(np.concatenate(one), np.concatenate(other))
    every = WalkForwardSplit(None, test_size=4)
    assert every.get_n_splits(rows) == len(list(every.split(rows))) == 14


def test_numbered_rows_of_a_panel_end_together():
    panel = {"long": pd.Series(np.arange(8.0)), "short": pd.Series(np.arange(3.0))}
    ((train, test),) = WalkForwardSplit(1, test_size=2).split(pd.concat(panel))
    assert train.tolist() == [0, 1, 2, 3, 4, 5, 8]
    assert test.tolist() == [6, 7, 9, 10]
    with pytest.raises(
        TypeError, match=r"^WalkForwardSplit: a dict of series has no row numbers. Pass rows with a Multi"
    ):
        WalkForwardSplit(2).split(panel)


def test_a_search_over_a_panel():
    rows = pd.concat({name: PANEL[name] for name in ("all", "late")})
    cv = WalkForwardSplit(2, test_size=2)
    search = GridSearchCV(ridge(), {"anchor": ["last", None]}, cv=cv, error_score="raise").fit(rows)
    for number, last in enumerate((55, 57)):
        past, test = (
            rows[rows.index.isin(DAYS[: last + 1], level=1)],
            rows[rows.index.isin(DAYS[last + 1 :][:2], level=1)],
        )
        for candidate, anchor in enumerate(["last", None]):
            expected = ridge(anchor=anchor).fit(past).score(test)
            assert search.cv_results_[f"split{number}_test_score"][candidate] == pytest.approx(expected)


# What is refused


def test_what_is_wrong_with_a_panel_is_said():
    with pytest.raises(InvalidParameterError, match=r"^backtest: `estimator` must be a forecaster, for a panel; got R"):
        run(Ridge(), {"a": np.zeros((30, 1))}, {"a": np.zeros(30)}, cv=CV)
    with pytest.raises(InvalidParameterError, match=r"must be a forecaster, for a panel; got GridSearchCV"):
        run(GridSearchCV(ridge(), {"anchor": [None]}), PANEL, cv=CV)
    with pytest.raises(
        ValueError, match=r"^backtest: no series of the panel has the 55 training rows that fold 0 needs"
    ):
        run(ridge(lookback=53), PANEL, cv=CV)
    early = {"all": PANEL["all"][:40], "late": PANEL["late"]}
    with pytest.raises(ValueError, match=r"^backtest: no series of the panel has a test row behind 20 training rows"):
        run(ridge(lookback=18), early, cv=WalkForwardSplit(1, test_size=4))
    with pytest.raises(ValueError, match=r"^backtest: horizon=5 exceeds the 4 test rows of fold 0"):
        run(ridge(horizon=5), PANEL, cv=CV)
    with pytest.raises(
        ValueError, match=r"^backtest: the test rows of fold 0 begin at row 0, before the training rows"
    ):
        run(ridge(), PANEL, cv=KFold(3))
    with pytest.raises(
        ValueError, match=r"^backtest: X and y must hold the same series; 'gone' is in one of them only"
    ):
        run(ridge(), {name: PANEL[name].to_frame() for name in ("all", "late")}, PANEL, cv=CV)
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples \[59, 60\] in the series 'all'"):
        run(ridge(), {"all": PANEL["all"].to_frame()[1:]}, {"all": PANEL["all"]}, cv=CV)
    with pytest.raises(ValueError, match=r"^backtest: series 'all': the index is not regular at row 3"):
        run(ridge(), {"all": PANEL["all"].drop(DAYS[3])}, cv=CV)
    with pytest.raises(InvalidParameterError, match=r"neither X nor y has a DatetimeIndex"):
        run(ridge(), {"all": PANEL["all"].to_numpy()}, cv=WalkForwardSplit(2, test_size="1D"))
    with pytest.raises(ValueError, match=r"the last quarter of the series 'gone' gives 7\."):
        run(ridge(), PANEL, cv=CV, coverage=0.9)
    with pytest.raises(InvalidParameterError, match=r"^Forecaster: `lookback` must be an integer >= 1; got 'x'"):
        run(ridge(lookback="x"), PANEL, cv=CV)
