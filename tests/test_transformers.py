"""WindowTransformer and SequenceScaler: every row with its past, in a Pipeline, and nothing of the future."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler
from sklearn.utils import get_tags

from tsrnn import InvalidParameterError, SequenceScaler, Windows, WindowTransformer, make_windows
from tsrnn.model_selection import WalkForwardSplit

few = st.integers(1, 7)


def windows_by_hand(rows, lookback):
    """Return the window that ends at each of `rows`, filled at the edge, as float32."""
    rows = np.asarray(rows).tolist()
    ends = range(len(rows))
    cut = [[rows[max(i, 0)] for i in range(end - lookback + 1, end + 1)] for end in ends]
    return np.array(cut, dtype=np.float32)


def frame(n, index=None, seed=0):
    rows = np.random.default_rng(seed).normal(size=(n, 2)).cumsum(axis=0) + 50
    return pd.DataFrame(rows, index=index, columns=["load", "heat"])


def assert_same(windows, expected):
    np.testing.assert_array_equal(np.asarray(windows), expected, strict=True)


# --- the windows of the rows ---


@given(st.integers(1, 30), st.integers(1, 12), st.integers(1, 3), st.integers(0, 2**32 - 1))
@settings(max_examples=300, deadline=None)
def test_row_t_gets_the_window_that_ends_at_t(n, lookback, n_features, seed):
    rows = np.random.default_rng(seed).normal(size=(n, n_features))
    transformer = WindowTransformer(lookback)
    windows = transformer.fit_transform(rows)
    assert isinstance(windows, Windows)
    assert windows.shape == (n, lookback, n_features)
    assert_same(windows, windows_by_hand(rows, lookback))
    assert_same(transformer.transform(rows), windows_by_hand(rows, lookback))
    assert_same(transformer.context_, rows[max(0, n - lookback + 1) :].astype(np.float32))


def test_the_rows_are_stored_once():
    rows = np.zeros((200_000, 4), dtype=np.float32)
    transformer = WindowTransformer(lookback=500).fit(rows)
    tracemalloc.start()
    windows = transformer.transform(rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert windows.nbytes == 500 * rows.nbytes
    assert peak < 3 * rows.nbytes


# --- the past of new rows ---

INDEXES = {
    "hours": pd.date_range("2024-03-30", periods=60, freq="h"),
    "hours of a zone in which the clocks go forward": pd.date_range(
        "2024-03-30", periods=60, freq="h", tz="Europe/Madrid"
    ),
    "days of a zone in which the clocks go back": pd.date_range("2024-10-01", periods=60, tz="Europe/Madrid"),
    "month ends": pd.date_range("2000-01-31", periods=60, freq="ME"),
    "days without a freq": pd.DatetimeIndex(pd.date_range("2024-01-01", periods=60).to_numpy()),
    "days of a zone whose clocks leave out midnight": pd.date_range("2018-10-10", periods=60).tz_localize(
        "America/Sao_Paulo", nonexistent="shift_forward"
    ),
    "periods": pd.period_range("2001", periods=60, freq="Q"),
    "every other period": pd.period_range("2001", periods=120, freq="M")[::2],
    "a range": pd.RangeIndex(60),
    "a range of step 5": pd.RangeIndex(100, 400, 5),
    "integers": pd.Index(np.arange(7, 67)),
}


@pytest.mark.parametrize("kind", INDEXES)
@given(fitted=st.integers(2, 30), new=st.integers(1, 30), lookback=st.integers(1, 12))
@settings(max_examples=40, deadline=None)
def test_rows_that_follow_the_fitted_ones_have_them_as_their_past(kind, fitted, new, lookback):
    X = frame(fitted + new, INDEXES[kind][: fitted + new])
    transformer = WindowTransformer(lookback).fit(X[:fitted])
    assert_same(transformer.transform(X[fitted:]), windows_by_hand(X, lookback)[fitted:])
    assert_same(transformer.transform(X[:fitted]), windows_by_hand(X[:fitted], lookback))


@pytest.mark.parametrize("kind", INDEXES)
@pytest.mark.parametrize("skip", [-2, -1, 1, 2])
def test_rows_that_begin_elsewhere_are_padded(kind, skip):
    X = frame(60, INDEXES[kind])
    new = X[20 + skip : 30]
    windows = WindowTransformer(4).fit(X[:20]).transform(new)
    assert_same(windows, windows_by_hand(new, 4))


FOLLOWING = pd.date_range("2024-01-21", periods=10)
STRANGERS = {
    "another step": pd.date_range("2024-01-21", periods=10, freq="h"),
    "periods": FOLLOWING.to_period("D"),
    "integers": pd.RangeIndex(20, 30),
    "no index of time": pd.Index(list("abcdefghij")),
    "a hole inside": FOLLOWING[:5].append(FOLLOWING[5:] + pd.Timedelta(days=1)),
}


@pytest.mark.parametrize("kind", STRANGERS)
def test_an_index_that_proves_nothing_is_padded(kind):
    transformer = WindowTransformer(4).fit(frame(20, pd.date_range("2024-01-01", periods=20)))
    new = frame(10, STRANGERS[kind], seed=1)
    assert_same(transformer.transform(new), windows_by_hand(new, 4))
    plain = new.set_axis(FOLLOWING, axis=0)
    assert not np.array_equal(np.asarray(transformer.transform(plain))[0], windows_by_hand(new, 4)[0])


def test_trading_days_are_no_proof_of_what_follows():
    index = pd.bdate_range("2024-01-01", periods=30).delete(11)
    X = frame(29, index)
    transformer = WindowTransformer(4).fit(X[:20])
    assert transformer.context_index_ is None
    assert_same(transformer.transform(X[20:]), windows_by_hand(X[20:], 4))


def test_one_stamp_without_a_frequency_is_no_proof_either():
    X = frame(5, pd.DatetimeIndex(pd.date_range("2024-01-01", periods=5).to_numpy()))
    transformer = WindowTransformer(4).fit(X[:1])
    assert_same(transformer.transform(X[1:]), windows_by_hand(X[1:], 4))


@pytest.mark.parametrize("kind", ["array", "hours"])
def test_the_context_can_be_forced_and_forbidden(kind):
    X = frame(30, INDEXES["hours"][:30])
    whole, padded = windows_by_hand(X, 5)[20:], windows_by_hand(X[20:], 5)
    X = X.to_numpy() if kind == "array" else X
    for context, expected in [("auto", padded if kind == "array" else whole), ("fit", whole), ("none", padded)]:
        transformer = WindowTransformer(5, context=context)
        assert_same(transformer.fit_transform(X[:20]), windows_by_hand(X[:20], 5))
        assert_same(transformer.transform(X[20:]), expected)


def test_stamps_of_another_zone_are_compared_in_utc():
    X = frame(60, INDEXES["hours of a zone in which the clocks go forward"])
    transformer = WindowTransformer(6).fit(X[:20])
    assert_same(transformer.transform(X[20:].tz_convert("UTC")), windows_by_hand(X, 6)[20:])
    with pytest.raises(TypeError, match=r"WindowTransformer: .* with and without a time zone cannot be compared"):
        transformer.transform(X[20:].tz_localize(None))


# --- in walk-forward folds ---


class Recorder(RegressorMixin, BaseEstimator):
    """Keep what it is fitted on and what it is to predict."""

    def fit(self, X, y):
        self.fitted_, self.level_ = X, float(np.mean(y))
        return self

    def predict(self, X):
        self.asked_ = X
        return np.full(len(X), self.level_)


LOOKBACK = 6
PIPELINES = {
    "windows alone": lambda: make_pipeline(WindowTransformer(LOOKBACK), Recorder()),
    "scaler with pandas output": lambda: make_pipeline(
        StandardScaler().set_output(transform="pandas"), WindowTransformer(LOOKBACK), Recorder()
    ),
    "pandas output for the whole pipeline": lambda: make_pipeline(
        StandardScaler(), WindowTransformer(LOOKBACK), Recorder()
    ).set_output(transform="pandas"),
}


@pytest.mark.parametrize("kind", ["hours", "days of a zone in which the clocks go back", "periods"])
@pytest.mark.parametrize("steps", PIPELINES)
@pytest.mark.parametrize("longest", [None, 17])
def test_the_first_windows_of_a_test_fold_hold_the_training_rows_before_them(kind, steps, longest):
    X = frame(60, INDEXES[kind])
    cv = WalkForwardSplit(n_splits=4, test_size=8, max_train_size=longest)
    scores = cross_validate(PIPELINES[steps](), X, X["load"], cv=cv, return_estimator=True)
    for fitted, (train, test) in zip(scores["estimator"], cv.split(X), strict=True):
        known = X.iloc[train[0] : test[-1] + 1]
        if len(fitted) == 3:
            scaler = StandardScaler().fit(X.iloc[train])
            known = pd.DataFrame(scaler.transform(known), index=known.index)
        windows = windows_by_hand(known, LOOKBACK)
        assert_same(fitted[-1].fitted_, windows[: len(train)])
        assert_same(fitted[-1].asked_, windows[len(train) :])


def test_windows_first_and_scaled_after():
    X = frame(60, INDEXES["hours"])
    cv = WalkForwardSplit(n_splits=4, test_size=8)
    pipe = make_pipeline(WindowTransformer(LOOKBACK), SequenceScaler(), Recorder())
    scores = cross_validate(pipe, X, X["load"], cv=cv, return_estimator=True)
    for fitted, (train, test) in zip(scores["estimator"], cv.split(X), strict=True):
        padded = np.vstack([X.iloc[[0] * (LOOKBACK - 1)], X.iloc[train]])
        scaled = StandardScaler().fit(padded).transform(X.iloc[: test[-1] + 1].to_numpy())
        windows = fitted[-1].asked_
        assert isinstance(windows, Windows)
        np.testing.assert_allclose(windows, windows_by_hand(scaled, LOOKBACK)[test], rtol=0, atol=1e-5)


def test_a_zone_in_which_the_clocks_change_gives_the_windows_of_utc():
    for start in ("2024-03-30", "2024-10-26"):
        local = frame(60, pd.date_range(start, periods=60, freq="h", tz="Europe/Madrid"))
        for cut in range(15, 40):
            windows = WindowTransformer(7).fit(local[:cut]).transform(local[cut:])
            utc = local.tz_convert("UTC")
            assert_same(windows, np.asarray(WindowTransformer(7).fit(utc[:cut]).transform(utc[cut:])))
            assert_same(windows, windows_by_hand(local, 7)[cut:])


# --- as scikit-learn's transformers ---

BOTH = [WindowTransformer(lookback=3), SequenceScaler()]


@pytest.mark.parametrize("container", ["default", "pandas", "polars"])
@pytest.mark.parametrize("transformer", BOTH, ids=str)
def test_output_containers_are_accepted_and_windows_stay_windows(transformer, container):
    X = frame(9) if isinstance(transformer, WindowTransformer) else make_windows(frame(9), lookback=2)[0]
    chosen = clone(transformer).set_output(transform=container)
    assert isinstance(chosen.fit_transform(X), Windows)
    with sklearn.config_context(transform_output=container):
        assert isinstance(clone(transformer).fit_transform(X), Windows)


def test_clones_keep_the_parameters_and_nothing_else():
    fitted = WindowTransformer(7, context="fit").fit(frame(9))
    assert clone(fitted).get_params() == {"lookback": 7, "pad": "edge", "context": "fit"}
    with pytest.raises(NotFittedError):
        clone(fitted).transform(frame(9))


def test_columns_are_known_by_their_names():
    X = frame(9)
    for transformer in (WindowTransformer(3).fit(X), SequenceScaler().fit(X)):
        assert transformer.n_features_in_ == 2
        assert transformer.feature_names_in_.tolist() == ["load", "heat"]
        with pytest.raises(ValueError, match=r"feature names should match.*\n.*same order"):
            transformer.transform(X[["heat", "load"]])


def test_names_are_forgotten_by_a_fit_on_samples_without():
    sequences = SequenceScaler().fit(frame(9)).fit(np.zeros((4, 3, 5)))
    assert not hasattr(sequences, "feature_names_in_")
    assert sequences.n_features_in_ == 5
    assert get_tags(sequences).input_tags.three_d_array


def test_parameters_set_after_fit_wait_for_the_next_fit():
    X = frame(9)
    transformer = WindowTransformer(3).fit(X)
    for lookback in (2, 5):
        assert transformer.set_params(lookback=lookback).transform(X).lookback == 3
    assert transformer.fit_transform(X).lookback == 5
    with pytest.raises(InvalidParameterError, match=r"WindowTransformer: `context` must be one of .* 'fit'"):
        transformer.set_params(context="fitt").transform(X)


@pytest.mark.parametrize("transformer", BOTH, ids=str)
def test_a_fit_that_fails_leaves_the_fit_before(transformer):
    X = frame(9)
    transformer = clone(transformer)
    with pytest.raises(ValueError, match="NaN"):
        transformer.fit(X.assign(wind=np.nan))
    with pytest.raises(NotFittedError):
        transformer.transform(X)
    transformer.fit(X)
    state, before = dict(vars(transformer)), np.asarray(transformer.transform(X))
    with pytest.raises(ValueError, match="NaN"):
        transformer.fit(frame(9).assign(wind=np.nan))
    assert vars(transformer) == state
    assert_same(transformer.transform(X), before)


# --- SequenceScaler ---

SCALERS = [StandardScaler(), MinMaxScaler(), RobustScaler()]


@pytest.fixture
def rows():
    return (np.random.default_rng(0).normal(size=(80, 3)) * [1, 10, 100] + [0, 50, 1000]).astype(np.float32)


@pytest.mark.parametrize("scaler", SCALERS, ids=str)
def test_the_steps_of_an_array_are_scaled_as_rows(rows, scaler):
    X, new = rows[:60].reshape(10, 6, 3), rows[60:78].reshape(3, 6, 3)
    sequences = SequenceScaler(scaler).fit(X)
    expected = clone(scaler).fit(rows[:60])
    assert_same(sequences.transform(X), expected.transform(rows[:60]).reshape(10, 6, 3))
    assert_same(sequences.transform(new), expected.transform(rows[60:78]).reshape(3, 6, 3))
    assert (sequences.n_features_in_, vars(scaler)) == (3, vars(clone(scaler)))


@pytest.mark.parametrize("scaler", [None, *SCALERS], ids=str)
def test_windows_are_scaled_as_their_rows_before_they_are_cut(rows, scaler):
    windows, _ = make_windows([rows[:30], rows[30:]], lookback=5, horizon=2)
    sequences = SequenceScaler(scaler)
    scaled = sequences.fit_transform(windows)
    seen = np.vstack([rows[:28], rows[30:78]])
    expected = clone(scaler or StandardScaler()).fit(seen).transform(rows)
    assert isinstance(scaled, Windows)
    assert_same(scaled, np.asarray(make_windows([expected[:30], expected[30:]], lookback=5, horizon=2)[0]))
    assert scaled.origins.tolist() == windows.origins.tolist()


def test_rows_that_no_window_holds_do_not_count(rows):
    windows, _ = make_windows(rows, lookback=5)
    sequences = SequenceScaler().fit(windows[10:20])
    np.testing.assert_array_equal(sequences.scaler_.mean_, StandardScaler().fit(rows[10:24]).mean_)
    spoilt = rows.copy()
    spoilt[:10], spoilt[24:] = np.inf, np.nan
    unseen = Windows(spoilt, windows.starts, 5)[10:20]
    assert_same(SequenceScaler().fit_transform(unseen), np.asarray(sequences.transform(windows[10:20])))


def test_scaling_a_million_steps_stays_lazy():
    steps = np.ones((1_000_000, 2), dtype=np.float32)
    windows = Windows(steps, np.arange(999_801), 200)
    tracemalloc.start()
    scaled = SequenceScaler().fit_transform(windows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert scaled.nbytes == 200 * steps.nbytes - 199 * 200 * 8
    assert peak < 10 * steps.nbytes


@pytest.mark.parametrize("scaler", SCALERS, ids=str)
@pytest.mark.parametrize("form", ["array", "windows", "2-D"])
def test_the_inverse_restores_the_samples(rows, scaler, form):
    X = {"array": rows[:60].reshape(10, 6, 3), "windows": make_windows(rows, lookback=5)[0], "2-D": rows[:, :2]}[form]
    sequences = SequenceScaler(scaler).fit(X)
    scaled = sequences.transform(X)
    restored = sequences.inverse_transform(scaled)
    assert type(restored) is type(X)
    assert restored.dtype == np.float32
    assert abs(np.asarray(scaled) - np.asarray(X)).max() > 1
    np.testing.assert_allclose(np.asarray(restored), np.asarray(X), rtol=1e-5, atol=1e-6)


def test_rows_of_a_table_are_sequences_of_one_feature(rows):
    X = rows[:, :2]
    expected = StandardScaler().fit(X.reshape(-1, 1)).transform(X.reshape(-1, 1)).reshape(X.shape)
    for table in (X, pd.DataFrame(X, columns=["a", "b"]), X.tolist()):
        assert_same(SequenceScaler().fit_transform(table), expected)


def test_offsets_are_taken_away_before_scaling(rows):
    offsets = np.random.default_rng(1).normal(size=(70, 3)) * 30
    windows = Windows(rows, np.arange(70), 6, offsets=offsets)
    sequences = SequenceScaler().fit(windows)
    assert_same(sequences.transform(windows), SequenceScaler().fit_transform(np.asarray(windows)))
    assert_same(sequences.transform(windows[5:9]), np.asarray(sequences.transform(windows))[5:9])


def test_samples_of_other_shapes_are_refused(rows):
    sequences = SequenceScaler().fit(rows[:60].reshape(10, 6, 3))
    with pytest.raises(ValueError, match="X has 2 features, but SequenceScaler is expecting 3 features"):
        sequences.transform(np.zeros((4, 6, 2)))
    with pytest.raises(ValueError, match=r"SequenceScaler: X has windows of length 5, .* fitted on .* length 6"):
        sequences.inverse_transform(np.zeros((4, 5, 3)))


class NearestWindow(RegressorMixin, BaseEstimator):
    """Predict the target of the nearest window: scales matter to it."""

    def fit(self, X, y):
        self.known_, self.targets_ = np.asarray(X).reshape(len(X), -1), np.asarray(y)
        return self

    def predict(self, X):
        asked = np.asarray(X).reshape(len(X), -1)
        return self.targets_[((asked[:, None] - self.known_) ** 2).sum(axis=2).argmin(axis=1)]


def test_a_grid_search_over_windows_and_scalers():
    X = frame(60, INDEXES["hours"])
    y, cv = X["load"].shift(-1, fill_value=50.0), WalkForwardSplit(n_splits=3, test_size=10)
    pipe = make_pipeline(WindowTransformer(), SequenceScaler(), NearestWindow())
    grid = {"windowtransformer__lookback": [2, 6], "sequencescaler__scaler": [StandardScaler(), MinMaxScaler()]}
    search = GridSearchCV(pipe, grid, cv=cv, error_score="raise").fit(X, y)
    table = search.cv_results_
    assert len(set(table["mean_test_score"])) == 4
    for lookback, scaler, score in zip(
        table["param_windowtransformer__lookback"], table["param_sequencescaler__scaler"], table["mean_test_score"],
        strict=True,
    ):  # fmt: skip
        by_hand = []
        for train, test in cv.split(X):
            filled = np.float32(np.vstack([X.iloc[[0] * (lookback - 1)], X.iloc[train]]))
            rows = clone(scaler).fit(filled).transform(np.float32(X))
            windows = windows_by_hand(rows, lookback)
            model = NearestWindow().fit(windows[train], y.iloc[train])
            by_hand.append(model.score(windows[test], y.iloc[test]))
        assert score == pytest.approx(np.mean(by_hand), rel=1e-9)
