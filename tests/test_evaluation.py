"""backtest: the table by hand, what each fit sees, how often it fits, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from joblib.externals.loky import get_reusable_executor
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV, KFold, TimeSeriesSplit
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tsrnn import (
    Forecaster,
    GRURegressor,
    InvalidParameterError,
    NaiveForecaster,
    SeasonalNaiveForecaster,
    WalkForwardSplit,
    backtest,
)

RIDGE = Forecaster(Ridge(), lookback=4, horizon=2)


class Logger(RegressorMixin, BaseEstimator):
    """Notes the first column of what each fit and each predict gets, and predicts it."""

    fits: list = []  # noqa: RUF012
    asked: list = []  # noqa: RUF012

    def fit(self, X, y):
        self.fits.append((np.asarray(X)[:, 0].astype(int).tolist(), np.asarray(y).astype(int).tolist()))
        self.is_fitted_ = True
        return self

    def predict(self, X):
        self.asked.append(np.asarray(X)[:, 0].astype(int).tolist())
        return np.asarray(X)[:, 0]


@pytest.fixture
def log():
    Logger.fits, Logger.asked = [], []
    return Logger


def walk(n=60, k=None, seed=0):
    steps = np.random.default_rng(seed).normal(size=(n, k or 1)).cumsum(axis=0)
    return steps[:, 0] if k is None else steps


def daily(values, start="2024-01-01", **options):
    kind = pd.Series if np.ndim(values) == 1 else pd.DataFrame
    return kind(values, index=pd.date_range(start, periods=len(values), freq="D"), **options)


def run(*args, **options):
    return backtest(*args, progress=False, **options)


def fold_by_fold(forecaster, cv, y, X=None):
    """Return the forecasts of all test rows, each fold fitted and predicted on its own."""
    parts = []
    for train, test in cv.split(y):
        model = (
            clone(forecaster).fit(y.iloc[train]) if X is None else clone(forecaster).fit(X.iloc[train], y.iloc[train])
        )
        parts.append(model.predict(pd.DataFrame(index=y.index[test]) if X is None else X.iloc[test]))
    return pd.concat(parts)


# The table


def test_the_table_by_hand():
    y = daily([3.0, 5.0, 4.0, 8.0, 6.0, 7.0, 1.0, 2.0], name="load")
    table = run(NaiveForecaster(horizon=2), y, cv=WalkForwardSplit(2, test_size=2, gap=1))
    days = y.index
    expected = pd.DataFrame(
        {
            "fold": [0, 0, 1, 1],
            "origin": days[[2, 2, 4, 4]],
            "time": days[[4, 5, 6, 7]],
            "step": [2, 3, 2, 3],
            "series": ["load"] * 4,
            "y_true": [6.0, 7.0, 1.0, 2.0],
            "y_pred": [4.0, 4.0, 6.0, 6.0],
        }
    )
    pd.testing.assert_frame_equal(table, expected)


@pytest.mark.parametrize("kind", ["frame", "array"])
def test_the_table_of_several_targets_has_a_row_for_each(kind):
    values = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 40.0], [8.0, 80.0]])
    y = daily(values, columns=["a", "b"]) if kind == "frame" else values
    table = run(NaiveForecaster(), y, cv=WalkForwardSplit(1, test_size=2))
    rows = y.index if kind == "frame" else np.arange(4)
    assert table["time"].tolist() == list(rows[[2, 2, 3, 3]])
    assert table["origin"].tolist() == [rows[1]] * 4
    assert table["step"].tolist() == [1, 1, 2, 2]
    assert table["series"].tolist() == (["a", "b"] * 2 if kind == "frame" else [0, 1] * 2)
    assert table["y_true"].tolist() == [4.0, 40.0, 8.0, 80.0]
    assert table["y_pred"].tolist() == [2.0, 20.0, 2.0, 20.0]


@pytest.mark.parametrize("kind", [np.asarray, list, pd.Series, lambda y: y[:, None], lambda y: pd.DataFrame({0: y})])
def test_a_series_without_stamps_has_row_numbers(kind):
    table = run(RIDGE, kind(walk()), cv=WalkForwardSplit(3, test_size=4))
    assert table["time"].tolist() == list(range(48, 60))
    assert table["origin"].tolist() == [47] * 4 + [51] * 4 + [55] * 4
    pd.testing.assert_frame_equal(
        table.drop(columns="series"), run(RIDGE, walk(), cv=WalkForwardSplit(3, test_size=4)).drop(columns="series")
    )


def test_overlapping_folds_have_rows_of_their_own():
    table = run(NaiveForecaster(horizon=3), np.arange(10.0), cv=WalkForwardSplit(3, test_size=3, stride=1))
    assert table["time"].tolist() == [5, 6, 7, 6, 7, 8, 7, 8, 9]
    assert table["fold"].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert table["y_pred"].tolist() == [4.0] * 3 + [5.0] * 3 + [6.0] * 3
    assert table["step"].tolist() == [1, 2, 3] * 3


@pytest.mark.parametrize(
    ("index", "sizes"),
    [
        (pd.date_range("2024-01-01", periods=60, freq="D"), {"test_size": "7D", "gap": "2D"}),
        (pd.date_range("2024-03-30", periods=90, freq="h", tz="Europe/Madrid"), {"test_size": "1D"}),
        (pd.period_range("2020-01", periods=60, freq="M"), {"test_size": pd.DateOffset(months=6)}),
    ],
)
def test_folds_of_spans_of_time(index, sizes):
    y = pd.Series(walk(len(index)), index, name="load")
    cv = WalkForwardSplit(2, **sizes)
    table = run(RIDGE, y, cv=cv)
    expected = fold_by_fold(RIDGE, cv, y)
    assert table["time"].tolist() == expected.index.tolist()
    assert table["time"].dtype == index.dtype == table["origin"].dtype
    np.testing.assert_allclose(table["y_pred"], expected, rtol=1e-9)
    np.testing.assert_array_equal(table["y_true"], y[expected.index])


@pytest.mark.parametrize("gap", [0, 3])
def test_a_forecaster_is_fitted_and_asked_fold_by_fold(gap):
    y, cv = daily(walk(), name="load"), WalkForwardSplit(4, test_size=5, gap=gap, max_train_size=20)
    np.testing.assert_allclose(run(RIDGE, y, cv=cv)["y_pred"], fold_by_fold(RIDGE, cv, y), rtol=1e-9)
    if not gap:
        X = daily(walk(60, 2, seed=1), columns=["a", "b"])
        table = run(RIDGE, X, y, cv=cv)
        np.testing.assert_allclose(table["y_pred"], fold_by_fold(RIDGE, cv, y, X), rtol=1e-9)
        pd.testing.assert_frame_equal(
            run(RIDGE, X, y.to_numpy(), cv=cv).drop(columns="series"), table.drop(columns="series")
        )


# How often it fits, and on which rows

ROWS = np.arange(30)
CV = WalkForwardSplit(5, test_size=3)


@pytest.mark.parametrize(
    ("refit", "last_rows"),
    [(True, [14, 17, 20, 23, 26]), (1, [14, 17, 20, 23, 26]), (2, [14, 20, 26]), (False, [14]), (9, [14])],
)
@pytest.mark.parametrize("sliding", [False, True])
def test_refit_says_which_folds_are_fitted(log, refit, last_rows, sliding):
    cv = WalkForwardSplit(5, test_size=3, max_train_size=10 if sliding else None)
    table = run(Logger(), ROWS[:, None] * 1.0, ROWS * 10.0, cv=cv, refit=refit)
    seen = [list(range(last - 9 if sliding else 0, last + 1)) for last in last_rows]
    assert log.fits == [(rows, [10 * row for row in rows]) for rows in seen]
    assert table["y_pred"].tolist() == list(range(15, 30))


@pytest.mark.parametrize(("refit", "last_rows"), [(True, [14, 17, 20, 23, 26]), (2, [14, 20, 26]), (False, [14])])
def test_a_forecaster_learns_from_the_training_rows_alone(log, refit, last_rows):
    forecaster = Forecaster(Logger(), lookback=2, horizon=1, anchor=None, scaler=None)
    table = run(forecaster, ROWS * 1.0, cv=CV, refit=refit)
    assert log.fits == [(list(range(last - 1)), list(range(2, last + 1))) for last in last_rows]
    rolled = [[origin - 1, origin, origin - 1] for origin in (14, 17, 20, 23, 26)]
    assert table["y_pred"].tolist() == np.concatenate(rolled).tolist()


def test_without_a_refit_all_origins_are_forecast_in_one_batch(log):
    forecaster = Forecaster(Logger(), lookback=2, horizon=1, anchor=None, scaler=None)
    run(forecaster, ROWS * 1.0, cv=WalkForwardSplit(5, test_size=1, stride=3), refit=False)
    assert log.asked == [[15, 18, 21, 24, 27]]


@pytest.mark.parametrize("anchor", [None, "last", "mean", "seasonal", "linear"])
@pytest.mark.parametrize(("test_size", "gap"), [(2, 0), (2, 3), (5, 0)])
def test_without_a_refit_each_fold_is_forecast_from_its_own_origin(anchor, test_size, gap):
    y, X = daily(walk(), name="load"), daily(walk(60, 1, seed=1), columns=["a"])
    forecaster = Forecaster(Ridge(), lookback=4, horizon=2, anchor=anchor, season_length=3)
    cv = WalkForwardSplit(3, test_size=test_size, gap=gap, stride=4)
    for rows in ((y,), (X, y)):
        table = run(forecaster, *rows, cv=cv, refit=False)
        splits = list(cv.split(y))
        model = clone(forecaster).fit(*(part[: len(splits[0][0])] for part in rows))
        for fold, (train, test) in enumerate(splits):
            known = [part[: len(train)] for part in rows]
            one = clone(forecaster).fit(*(part[: len(splits[0][0])] for part in rows))
            one = one.update(*(part[len(splits[0][0]) :] for part in known)) if fold else model
            n_steps = test[-1] - train[-1]
            future = X[train[-1] + 1 : test[-1] + 1] if len(rows) > 1 else np.zeros(n_steps)
            expected = one.predict(future)[-len(test) :]
            np.testing.assert_allclose(table[table["fold"] == fold]["y_pred"], expected, rtol=1e-9)


@pytest.fixture
def worker_processes():
    """The pool that joblib keeps ends here: workers that import TensorFlow in a later test would look like leaks."""
    yield
    get_reusable_executor().shutdown(wait=True)


@pytest.mark.usefixtures("worker_processes")
def test_two_processes_give_the_bits_of_one():
    tables = [run(RIDGE, walk(), cv=WalkForwardSplit(2, test_size=4), n_jobs=n_jobs) for n_jobs in (1, 2)]
    pd.testing.assert_frame_equal(*tables, check_exact=True)


def test_two_threads_give_the_bits_of_one():
    network = GRURegressor(hidden_size=4, epochs=1, jit_compile=False, random_state=0)
    forecaster = Forecaster(network, lookback=4, horizon=2)
    tables = []
    for n_jobs in (1, 2):
        with parallel_config(backend="threading"):
            tables.append(run(forecaster, walk(), cv=WalkForwardSplit(4, test_size=4), n_jobs=n_jobs))
    pd.testing.assert_frame_equal(*tables, check_exact=True)


# What it evaluates


@pytest.mark.parametrize("estimator", [Ridge(), make_pipeline(StandardScaler(), Ridge())], ids=["plain", "pipeline"])
@pytest.mark.parametrize("k", [None, 1, 2])
def test_regressors_and_pipelines_of_rows(estimator, k):
    X, y = walk(60, 3, seed=1), walk(k=k)
    cv = WalkForwardSplit(3, test_size=7, gap=2, max_train_size=25)
    table = run(estimator, X, y, cv=cv)
    expected = [np.ravel(clone(estimator).fit(X[train], y[train]).predict(X[test])) for train, test in cv.split(X)]
    np.testing.assert_allclose(table["y_pred"], np.concatenate(expected), rtol=1e-9)
    np.testing.assert_array_equal(table["y_true"], np.concatenate([np.ravel(y[test]) for _, test in cv.split(X)]))
    assert table["step"].min() == 3
    named = run(estimator, daily(X, columns=list("abc")), y, cv=cv)
    assert named["time"][0] == pd.Timestamp("2024-01-01") + pd.Timedelta(days=int(table["time"][0]))
    np.testing.assert_allclose(named["y_pred"], table["y_pred"], rtol=1e-9)


def test_the_estimator_and_the_data_stay_as_they_are():
    forecaster, X, y = clone(RIDGE), daily(walk(60, 1, seed=1), columns=["a"]), daily(walk(), name="load")
    before = X.copy(), y.copy()
    run(forecaster, X, y, cv=CV, refit=2)
    assert vars(forecaster).keys() == forecaster.get_params(deep=False).keys()
    pd.testing.assert_frame_equal(X, before[0])
    pd.testing.assert_series_equal(y, before[1])


def test_progress_is_written_to_stderr_only(capsys):
    run(RIDGE, walk(), cv=CV)
    assert capsys.readouterr() == ("", "")
    backtest(RIDGE, walk(), cv=CV, refit=2)
    out, err = capsys.readouterr()
    assert out == ""
    assert "backtest: 100%" in err
    assert "3/3" in err


# What it refuses


def test_a_fold_that_is_too_short_is_named():
    with pytest.raises(ValueError, match=r"^backtest: horizon=4 exceeds the 3 test rows of fold 0\. Raise `test_size`"):
        run(Forecaster(Ridge(), lookback=2, horizon=np.int64(4)), walk(30), cv=CV)
    words = r"^backtest: fold 0 has 15 training rows; lookback=14 and horizon=2 need at least 16\. Use fewer splits"
    with pytest.raises(ValueError, match=words):
        run(Forecaster(Ridge(), lookback=14, horizon=2), walk(30), cv=CV)
    assert len(run(Forecaster(Ridge(), lookback=13, horizon=2), walk(30), cv=CV)) == 15


@pytest.mark.parametrize(
    ("cv", "words"),
    [
        (KFold(3), r"the test rows of fold 0 begin at row 0, before the training rows end at row 29"),
        (
            KFold(3, shuffle=True, random_state=0),
            r"the training rows of fold 0 are not consecutive. Use WalkForwardSplit",
        ),
    ],
)
def test_folds_must_walk_forward(cv, words):
    for rows in ((walk(30),), (walk(30, 1), walk(30))):
        with pytest.raises(ValueError, match=words):
            run(NaiveForecaster() if len(rows) == 1 else Ridge(), *rows, cv=cv)


def test_time_series_split_is_a_splitter_too():
    table = run(RIDGE, walk(), cv=TimeSeriesSplit(3, test_size=4))
    pd.testing.assert_frame_equal(table, run(RIDGE, walk(), cv=WalkForwardSplit(3, test_size=4)))


def test_parameters_are_checked():
    for wrong in (0, -1, 1.5, "no", None):
        with pytest.raises(
            InvalidParameterError, match=r"^backtest: `refit` must be True, False or an integer >= 1; got"
        ):
            run(RIDGE, walk(), cv=CV, refit=wrong)
    with pytest.raises(InvalidParameterError, match=r"^backtest: `progress` must be True or False; got 1"):
        backtest(RIDGE, walk(), cv=CV, progress=1)
    with pytest.raises(ValueError, match=r"^backtest: pass X and y; only a forecaster takes the series alone"):
        run(Ridge(), walk(60, 1), cv=CV)
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples: \[50, 60\]"):
        run(RIDGE, walk(50, 1), walk(60), cv=CV)


# What it must not misread


def test_a_search_over_a_forecaster_is_evaluated_as_a_forecaster():
    y = np.tile([0.0, 5.0, 1.0, 2.0, 8.0], 12)
    search = GridSearchCV(
        SeasonalNaiveForecaster(horizon=5), {"season_length": [1, 5]}, cv=WalkForwardSplit(2, test_size=5)
    )
    for rows in ((y,), (walk(60, 1), y), (daily(walk(60, 1)), daily(y))):
        for refit in (True, False):
            table = run(search, *rows, cv=WalkForwardSplit(3, test_size=10), refit=refit)
            np.testing.assert_array_equal(table["y_pred"], table["y_true"])


def test_a_forecaster_inside_something_else_is_refused():
    words = r"^backtest: `estimator` must be a forecaster, a search over one or a regressor of rows; got .*"
    for wrong in (make_pipeline(StandardScaler(), RIDGE), MultiOutputRegressor(RIDGE), Ridge, 3, "ridge", None):
        with pytest.raises(InvalidParameterError, match=words):
            run(wrong, walk(60, 1), walk(), cv=CV)


def test_the_splitter_is_checked():
    for wrong in (5, None, "walk", WalkForwardSplit):
        with pytest.raises(InvalidParameterError, match=r"^backtest: `cv` must be a splitter such as WalkForwardSplit"):
            run(RIDGE, walk(), cv=wrong)


def test_names_of_two_levels():
    y = daily(walk(60, 2), columns=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)]))
    table = run(RIDGE, y, cv=CV)
    assert table["series"].tolist() == [("a", 1), ("b", 2)] * 15
    np.testing.assert_array_equal(table["y_pred"], run(RIDGE, y.to_numpy(), cv=CV)["y_pred"])


def test_an_error_in_a_fold_names_it():
    with pytest.raises(ValueError, match=r"need at least 20") as error:
        run(SeasonalNaiveForecaster(20), walk(30), cv=CV, refit=2)
    assert error.value.__notes__ == ["backtest: in the fit for fold 0, training rows 0 to 14."]
