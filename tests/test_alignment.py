"""No off-by-one: what a model is given to learn and to predict, everywhere, equals what plain slices cut by hand.

Every value names its row and column, so that a window or a target in the wrong place differs.
"""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from tsrnn import Forecaster, SequenceScaler, WalkForwardSplit, Windows, WindowTransformer, backtest, make_windows

thorough = settings(max_examples=250, deadline=None)
few, some = st.integers(1, 4), st.integers(1, 12)


class Recorder(RegressorMixin, BaseEstimator):
    """Writes down the samples and targets that it is given, and predicts zeros; all its clones share the book."""

    book: list = []  # noqa: RUF012

    def fit(self, X, y):
        self.shape_ = np.shape(y)[1:]
        self.book.append(("fit", np.asarray(X), np.asarray(y)))
        return self

    def predict(self, X):
        self.book.append(("predict", np.asarray(X), None))
        return np.zeros((len(X), *self.shape_))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.target_tags.multi_output = True
        return tags


def recorded(call):
    """Return what the recorders were given during `call`."""
    Recorder.book = []
    call()
    return Recorder.book


def numbered(n, k=1, start=0):
    """Return n rows of k columns; row t of column j is 1000 j + t."""
    return start + np.arange(float(n))[:, None] + 1000 * np.arange(k)


def daily(values):
    return pd.DataFrame(values, pd.date_range("2024-01-01", periods=len(values), freq="D")).rename(columns=str)


def padded_window(rows, t, lookback):
    """Return the rows t - lookback + 1 to t, the first row for what lies before it."""
    return np.array([rows[max(0, t - back)] for back in reversed(range(lookback))])


# Windows alone


@given(st.lists(st.integers(0, 25), min_size=1, max_size=3), some, few, st.integers(0, 4), st.integers(1, 6), few)
@thorough
def test_make_windows(more, lookback, horizon, gap, stride, k):
    lengths = [lookback + gap + horizon + extra for extra in more]
    X, y = (
        [numbered(n, k, 100 * i) for i, n in enumerate(lengths)],
        [-numbered(n, 2, 100 * i) for i, n in enumerate(lengths)],
    )
    windows, targets = make_windows(X, y, lookback=lookback, horizon=horizon, gap=gap, stride=stride)
    expected, ahead, origins = [], [], []
    for rows, values in zip(X, y, strict=True):
        for first in range(0, len(rows) - lookback - gap - horizon + 1, stride):
            origin = first + lookback - 1
            expected.append(rows[first : origin + 1])
            ahead.append(values[origin + gap + 1 : origin + gap + horizon + 1])
            origins.append(origin)
    assert windows.shape == (len(expected), lookback, k)
    np.testing.assert_array_equal(np.asarray(windows), expected)
    np.testing.assert_array_equal(targets, ahead)
    np.testing.assert_array_equal(windows.origins, origins)


@given(st.integers(1, 40), some, few, st.data())
@thorough
def test_parts_of_windows(n, lookback, k, data):
    rows = numbered(n + lookback - 1, k)
    starts = data.draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=20))
    offsets = -numbered(len(starts), k)
    expected = np.array([rows[s : s + lookback] - offset for s, offset in zip(starts, offsets, strict=True)])
    windows = Windows(rows, starts, lookback, offsets=offsets)
    ends = st.none() | st.integers(-25, 25)
    part = slice(data.draw(ends), data.draw(ends), data.draw(st.sampled_from([None, 1, 2, -1])))
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(starts), max_size=len(starts))))
    picks = data.draw(st.lists(st.integers(-len(starts), len(starts) - 1), max_size=9))
    for key in (part, mask, picks):
        np.testing.assert_array_equal(np.asarray(windows[key]), expected[np.array(key, int) if key is picks else key])
    number = data.draw(st.integers(-len(starts), len(starts) - 1))
    np.testing.assert_array_equal(windows[number], expected[number])
    again = data.draw(st.integers(0, len(windows[mask])))
    np.testing.assert_array_equal(np.asarray(windows[mask][again:]), expected[mask][again:])


# WindowTransformer in a Pipeline


@st.composite
def walks(draw, shortest=2):
    """Return a splitter of walk-forward folds and the number of rows that it splits."""
    test_size, gap, n_splits = draw(st.integers(1, 6)), draw(st.integers(0, 2)), draw(st.integers(1, 3))
    stride, longest = draw(st.none() | st.integers(1, 8)), draw(st.none() | st.integers(shortest, shortest + 12))
    n = (n_splits - 1) * (stride or test_size) + test_size + gap + shortest + draw(st.integers(0, 12))
    return WalkForwardSplit(n_splits, test_size=test_size, gap=gap, stride=stride, max_train_size=longest), n


@given(walks(), some, few, st.booleans())
@thorough
def test_a_pipeline_over_walk_forward_folds(walk, lookback, k, scaled):
    """The first test rows look back on the training rows before them; across a gap, on the first test row alone."""
    cv, n = walk
    X, y = daily(numbered(n, k)), -np.arange(float(n))
    steps = [SequenceScaler(FunctionTransformer())] if scaled else []
    pipeline = make_pipeline(WindowTransformer(lookback), *steps, Recorder())
    for train, test in cv.split(X):
        model = clone(pipeline)
        book = recorded(lambda: model.fit(X.iloc[train], y[train]).predict(X.iloc[test]))  # noqa: B023
        rows = X.to_numpy()
        (_, windows, targets), (_, asked, _) = book
        np.testing.assert_array_equal(windows, [padded_window(rows[train], t, lookback) for t in range(len(train))])
        np.testing.assert_array_equal(targets, y[train])
        known, first = (rows[test], 0) if cv.gap else (rows[train[0] : test[-1] + 1], len(train))
        np.testing.assert_array_equal(asked, [padded_window(known, first + t, lookback) for t in range(len(test))])


# Forecaster


def windows_of(values, covariates, origins, lookback, horizon):
    """Return one window for each origin: the values, beside them each covariate's leads, horizon steps ahead first."""
    windows = []
    for origin in origins:
        rows = range(origin - lookback + 1, origin + 1)
        leads = range(horizon, 0, -lookback)
        windows.append([[*values[row], *(x for lead in leads for x in covariates[row + lead])] for row in rows])
    return np.array(windows)


@given(
    st.tuples(st.integers(0, 25), some, st.integers(1, 7)),
    st.integers(1, 5),
    st.integers(1, 3),
    st.integers(0, 2),
    st.booleans(),
)
@thorough
def test_forecaster(sizes, stride, k, n_covariates, multivariate):
    more, lookback, horizon = sizes
    n = lookback + horizon + more
    y, X = numbered(n, k), -numbered(n + horizon, n_covariates)
    forecaster = Forecaster(
        Recorder(),
        lookback=lookback,
        horizon=horizon,
        stride=stride,
        multivariate=multivariate,
        anchor=None,
        scaler=None,
    )
    rows, future = ((X[:n], y), X[n:]) if n_covariates else ((y,), None)
    (_, windows, targets), (_, asked, _) = recorded(lambda: forecaster.fit(*rows).predict(future))
    origins = range(n - horizon - 1, lookback - 2, -stride)[::-1]
    series = [y] if multivariate else [y[:, [j]] for j in range(k)]
    by_series = [windows_of(values, X, origins, lookback, horizon) for values in series]
    np.testing.assert_array_equal(windows, np.stack(by_series, axis=1).reshape(-1, *by_series[0].shape[1:]))
    ahead = [[values[o + 1 : o + 1 + horizon].ravel() for values in series] for o in origins]
    np.testing.assert_array_equal(targets.reshape(len(windows), -1), np.concatenate(ahead))
    np.testing.assert_array_equal(asked, np.concatenate([windows_of(v, X, [n - 1], lookback, horizon) for v in series]))


# backtest


@given(walks(shortest=13), st.integers(1, 6), st.integers(1, 6), st.sampled_from([True, 2, False]), st.booleans())
@thorough
def test_backtest_of_a_forecaster(walk, lookback, horizon, refit, covariates):
    cv, n = walk
    horizon = min(horizon, cv.test_size)
    y, X = numbered(n), -numbered(n, 2 if covariates else 0)
    forecaster = Forecaster(Recorder(), lookback=lookback, horizon=horizon, anchor=None, scaler=None)
    rows = (X, y) if covariates else (y,)
    book = recorded(lambda: backtest(forecaster, *rows, cv=cv, refit=refit, progress=False))
    folds = list(cv.split(y))
    fits = [entry for entry in book if entry[0] == "fit"]
    fitted = folds[:: {True: 1, False: len(folds)}.get(refit, 2) if isinstance(refit, bool) else refit]
    assert len(fits) == len(fitted)
    for (_, windows, targets), (train, _) in zip(fits, fitted, strict=True):
        origins = range(train[0] + lookback - 1, train[-1] + 1 - horizon)
        np.testing.assert_array_equal(windows, windows_of(y, X, origins, lookback, horizon))
        np.testing.assert_array_equal(
            targets.reshape(len(windows), -1), [y[o + 1 : o + 1 + horizon, 0] for o in origins]
        )
    asked = np.concatenate([entry[1] for entry in book if entry[0] == "predict"])
    expected = []
    size = len(folds) if refit is False else int(refit)
    for first in range(0, len(folds), size):
        group = folds[first : first + size]
        for ahead in range(0, group[0][1][-1] - group[0][0][-1], horizon):
            for train, test in group:
                # Zeros, which the recorder forecasts, stand in for the past; the last covariates for those beyond.
                known, future = np.array(y), np.concatenate([X[: test[-1] + 1], X[[test[-1]] * horizon]])
                known[train[-1] + 1 :] = 0
                expected.append(windows_of(known, future, [train[-1] + ahead], lookback, horizon)[0])
    np.testing.assert_array_equal(asked, expected)


@given(walks(), some, st.sampled_from([True, 2, False]))
@thorough
def test_backtest_of_a_pipeline(walk, lookback, refit):
    """Test rows look back on all rows before them, also across a gap, as far as the fit's training rows reach."""
    cv, n = walk
    X, y = numbered(n, 2), -np.arange(float(n))
    pipeline = make_pipeline(WindowTransformer(lookback), Recorder())
    book = recorded(lambda: backtest(pipeline, X, y, cv=cv, refit=refit, progress=False))
    folds = list(cv.split(X))
    size = len(folds) if refit is False else int(refit)
    assert len(book) == 2 * len(folds[::size])
    for number, (train, _) in enumerate(folds[::size]):
        (_, windows, targets), (_, asked, _) = book[2 * number : 2 * number + 2]
        np.testing.assert_array_equal(windows, [padded_window(X[train], t, lookback) for t in range(len(train))])
        np.testing.assert_array_equal(targets, y[train])
        for _, test in folds[number * size : (number + 1) * size]:
            expected = [padded_window(X[train[0] :], t - train[0], lookback) for t in test]
            np.testing.assert_array_equal(asked[test - train[0]], expected)
