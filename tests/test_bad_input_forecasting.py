"""Bad input to forecasters, naive rules and backtest, row by row of the table of what can go wrong.

A case is (row, words, call, error, pattern), as in the table's other half. Whatever is wrong, no global state changes,
no file appears, and every fitted forecaster forecasts what it did before.
"""

import functools
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from bad_input import rows
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge

from tsrnn import (
    DriftForecaster,
    Forecaster,
    InvalidParameterError,
    NaiveForecaster,
    SeasonalNaiveForecaster,
    WalkForwardSplit,
    backtest,
)

N, AHEAD = 20, 2
RNG = np.random.default_rng(0)
X, Y, LATER = RNG.normal(size=(N, 2)), RNG.normal(size=(N, 2)), RNG.normal(size=(N, 2))
HOURS = pd.date_range("2024-01-01", periods=2 * N, freq="h")
FRAME = pd.DataFrame(Y, index=HOURS[:N], columns=["a", "b"])
CV = WalkForwardSplit(2, test_size=2)
run = functools.partial(backtest, progress=False)


def forecaster(**parameters):
    return Forecaster(Ridge(), **{"lookback": 3, "horizon": 2} | parameters)


def later(data):
    """Return `data`, with stamps after the known ones if it has those of the fit."""
    known = isinstance(data, pd.DataFrame) and isinstance(data.index, pd.DatetimeIndex) and data.index.equals(HOURS[:N])
    return data.set_axis(HOURS[N:], axis=0) if known else data


# Who reads a series, targets, or covariates. The forecasters were fitted before, on series and covariates like these.

READ_SERIES = {
    "Forecaster.fit": lambda f, s: f.two.fit(s),
    "Forecaster.update": lambda f, s: f.two.update(later(s)),
    "Forecaster.score": lambda f, s: f.two.score(later(s)),
    "Forecaster.predict_origins": lambda f, s: f.two.predict_origins(s, origins=[9]),
    "NaiveForecaster.fit": lambda f, s: f.naive.fit(s),
    "SeasonalNaiveForecaster.update": lambda f, s: f.seasonal.update(later(s)),
    "DriftForecaster.fit": lambda _, s: DriftForecaster().fit(s),
    "Forecaster in a backtest": lambda f, s: run(f.two, s, cv=CV),
    "NaiveForecaster in a backtest": lambda f, s: run(f.naive, s, cv=CV, refit=False),
}
READ_Y = {
    "Forecaster.fit y": lambda f, y: f.covariates.fit(X, y),
    "Forecaster.update y": lambda f, y: f.covariates.update(X, y),
    "NaiveForecaster.fit y": lambda f, y: f.naive.fit(X, y),
    "Forecaster in a backtest y": lambda f, y: run(f.covariates, X, y, cv=CV),
}
READ_X = {
    "Forecaster.fit X": lambda f, x: f.covariates.fit(x, Y),
    "Forecaster.predict X": lambda f, x: f.covariates.predict(later(x)),
    "Forecaster.update X": lambda f, x: f.covariates.update(later(x), Y),
    "Forecaster.score X": lambda f, x: f.covariates.score(later(x), Y),
    "Forecaster.predict_origins X": lambda f, x: f.covariates.predict_origins(x, Y, origins=[9]),
    "NaiveForecaster.fit X": lambda f, x: f.naive.fit(x, Y),
    "Forecaster in a backtest X": lambda f, x: run(f.covariates, x, Y, cv=CV),
}
READ_ALL = READ_SERIES | READ_Y | READ_X
FITTED = ("update", "score", "predict")


def to_all(readers, row, words, value, error, pattern, only=""):  # noqa: PLR0913
    """Return a case for each of `readers` whose name holds one of `only`: it gets `value`."""
    wanted = (only,) if isinstance(only, str) else only
    return [
        (row, f"{words}: {name}", lambda f, read=read: read(f, value), error,
         pattern.replace("{owner}", name.split(".")[0].split(" ")[0]))
        for name, read in readers.items()
        if any(part in name for part in wanted)
    ]  # fmt: skip


def case(row, words, call, error, pattern):
    return [(row, words, call, error, pattern)]


def spoilt(*values):
    """Return rows with `values` at row 3 and after, in the second column."""
    rows = Y.astype(object if isinstance(values[0], dict | str) else float)
    rows[3 : 3 + len(values), 1] = values
    return rows


def column(row, words, values, error, pattern):
    return to_all(READ_ALL, row, words, FRAME.assign(b=values), error, pattern)


def stamps(row, words, index, error, pattern):
    """Return the cases of an index that is no time axis, for all who read one, `predict` without covariates as well."""
    frame, owner = FRAME.set_axis(index, axis=0), "^({owner}|WalkForwardSplit|backtest): the index "
    cases = to_all(READ_ALL, row, words, frame, error, owner + pattern)
    empty = frame[[]]
    return cases + case(row, f"{words}: no covariates", lambda f: f.two.predict(empty), error, "the index " + pattern)


def parameter(row, name, value, *owners):
    also = " or an offset such as '7D'" if name == "stride" and not isinstance(value, int) else ""
    pattern = f"`{name}` must be an integer >= 1{also}; got {value!r}"
    return [
        (row, f"{name}={value!r}: {type(owner).__name__}", lambda _, owner=owner:
         owner.set_params(**{name: value}).fit(Y), InvalidParameterError, f"^{type(owner).__name__}: {pattern}")
        for owner in owners
    ]  # fmt: skip


def rules():
    return NaiveForecaster(), SeasonalNaiveForecaster(), DriftForecaster()


def local_hours(day):
    """Return local times without their zone, of hours that are regular in it."""
    return pd.date_range(day, periods=N, freq="h", tz="Europe/Madrid").tz_localize(None)


def follows(row, words, start, error, pattern, *, tz=None):
    """Return the cases of rows that begin at `start`, for a series known to 2024-01-01 19:00."""
    index = pd.date_range(start, periods=N, freq="h", tz=tz)
    frame = pd.DataFrame(LATER, index=index, columns=["a", "b"])
    return [
        *case(row, f"{words}: update", lambda f: f.frame.update(frame), error, pattern),
        *case(row, f"{words}: predict", lambda f: f.frame_covariates.predict(frame), error, pattern),
        *case(
            row,
            f"{words}: score",
            lambda f: f.frame_covariates.score(frame, frame.rename(columns=str.upper)),
            error,
            pattern,
        ),
    ]


WHO = "^{owner}: "
FINITE = r" \(first at row 3, column (1|'b')\)\. Fill or drop such rows first"
NO_NUMBER = r"^float\(\) argument must be a string or a (real )?number, not 'dict'"
A_TIME = "(Input [Xy]|column 'b') is (datetime64|period).*, a datetime. Pass it as the index."
NO_TIME = "(Input [Xy]|column 'b') is (timedelta64|category).*Turn it into numbers first"
WORDS = "not numeric. Convert it with `pd.to_numeric`|^could not convert string to float"
TIMES = np.arange(2 * N).astype("datetime64[h]").reshape(N, 2)

CASES = [
    *to_all(READ_SERIES, 1, "None", None, ValueError, "^({owner}|WalkForwardSplit): X must be array-like.*; got None"),
    *case(2, "y None: fitted with covariates", lambda f: f.covariates.update(Y), ValueError,
          r"^Forecaster: fitted with the covariates \[0, 1\]; pass X and y"),
    *case(2, "y None: backtest of a regressor", lambda _: run(Ridge(), X, cv=CV), ValueError,
          "^backtest: pass X and y"),
    *to_all(READ_ALL, 4, "3-D", np.zeros((N, 2, 2)), ValueError, "dim 3, while dim <= 2 is required by {owner}"),
    *to_all(READ_ALL, 4, "4-D", np.zeros((N, 2, 2, 1)), ValueError, "dim 4, while dim <= 2 is required by {owner}"),
    *to_all(READ_ALL, 5, "no rows", Y[:0], ValueError,
            r"0 sample\(s\) \(shape=\(0, 2\)\).* {owner}|^WalkForwardSplit: 0 rows|"
            r"inconsistent numbers of samples: \[(0, 20|20, 0)\]"),
    *to_all(READ_ALL, 6, "no columns", Y[:, :0], ValueError,
            r"0 feature\(s\) \(shape=\(\d+, 0\)\).*minimum of 1 .*{owner}"),
    *to_all(READ_SERIES | READ_Y, 6, "a frame without columns", FRAME[[]], ValueError,
            r"0 feature\(s\) \(shape=\(\d+, 0\)\)"),
    *to_all(READ_ALL, 7, "a sparse matrix", sp.csr_matrix(Y), TypeError, "^Sparse data was passed"),
    *to_all(READ_ALL, 8, "complex", Y + 1j, ValueError, "^Complex data not supported"),
    *to_all(READ_ALL, 10, "objects, one a dict", spoilt({}), TypeError, NO_NUMBER),
    *to_all(READ_ALL, 11, "text", Y.astype(str), ValueError, WHO + "Input [Xy] is text .*not numeric. Convert it with"),
    *to_all(READ_ALL, 11, "objects, one a word", spoilt("a"), ValueError, "^could not convert string to float: 'a'"),
    *column(11, "a column of words", list("abcdefghijklmnopqrst"), ValueError, WORDS),
    *column(12, "a column of times", HOURS[:N], TypeError, WHO + A_TIME),
    *to_all(READ_ALL, 12, "an array of times", TIMES, TypeError, WHO + A_TIME),
    *column(13, "a column of times with a zone", HOURS[:N].tz_localize("UTC"), TypeError, WHO + A_TIME),
    *column(14, "a column of spans", HOURS[:N] - HOURS[0], TypeError, WHO + NO_TIME),
    *column(14, "a column of periods", HOURS[:N].to_period("h"), TypeError, WHO + A_TIME),
    *column(14, "a column of categories", pd.Categorical([1, 2] * 10), TypeError, WHO + NO_TIME),
    *to_all(READ_ALL, 15, "NaN (16: in predict)", spoilt(np.nan), ValueError, WHO + "Input [Xy] contains NaN" + FINITE),
    *column(15, "NaN in a column", spoilt(np.nan)[:, 1], ValueError, WHO + "Input [Xy] contains NaN" + FINITE),
    *to_all(READ_ALL, 17, "inf and -inf", spoilt(np.inf, -np.inf), ValueError,
            WHO + "Input [Xy] contains infinity.*" + FINITE),
    *to_all(READ_Y, 18, "NaN in y", spoilt(np.nan)[:, 1], ValueError, WHO + r"Input y contains NaN \(first at row 3"),
    *column(19, "pd.NA", pd.array([1.0, 2.0, 3.0, None, 5.0] * 4, dtype="Float64"), ValueError,
            "contains NaN" + FINITE),
    *to_all(READ_ALL, 20, "1e39", spoilt(-1e39), ValueError,
            WHO + "Input [Xy] .*a value too large for dtype.'float32'"),
    *to_all(READ_Y, 21, "y too short", Y[:5], ValueError, r"inconsistent numbers of samples:? \[20, 5\]"),
    *to_all(READ_X, 21, "X too short", X[:5], ValueError, r"inconsistent numbers of samples:? \[5, 20\]",
            only=("fit", "update", "origins", "back", "score")),
    *case(23, "score of too many targets", lambda f: f.two.score(LATER[:, [0, 1, 1]]), ValueError,
          "^Forecaster: the series has 3 targets, but it was fitted on 2"),
    *to_all(READ_SERIES, 27, "a target too few", Y[:, 0], ValueError,
            WHO + "the series has 1 targets, but .* fitted on 2", only=FITTED),
    *to_all(READ_Y, 24, "y of words", list("abcdefghijklmnopqrst"), ValueError, WHO + "Input y is text .*not numeric"),
    *to_all(READ_Y, 24, "y of times", HOURS[:N].to_series(), TypeError, WHO + A_TIME),
    *to_all(READ_X, 25, "a column too many", np.c_[X, X], ValueError, "^X has 4 features, but {owner} is expecting 2",
            only=FITTED),
    *case(28, "covariates in another order", lambda f: f.frame_covariates.predict(later(FRAME)[["b", "a"]]), ValueError,
          r"^Forecaster: the feature names should match.* Got \['b', 'a'\], expected \['a', 'b'\]"),
    *case(28, "targets in another order", lambda f: f.frame.update(later(FRAME)[["b", "a"]]), ValueError,
          r"^Forecaster: the names of the series should match.* Got \['b', 'a'\], expected \['a', 'b'\]"),
    *to_all(READ_ALL, 29, "a name twice", FRAME.set_axis(["a", "a"], axis=1), ValueError,
            WHO + "duplicate column 'a'. Rename"),
    *to_all(READ_ALL, 30, "names of two types", FRAME.set_axis(["a", 1], axis=1), TypeError,
            WHO + r"feature names only support names that are all strings; got \['int', 'str'\]"),
    *[c for unfitted in (forecaster(), *rules()) for name, args in {
        "predict": (), "update": (Y,), "score": (Y,), "predict_origins": (Y,)}.items() for c in case(
        31, f"{name} before fit: {type(unfitted).__name__}",
        lambda _, unfitted=unfitted, name=name, args=args: getattr(unfitted, name)(
            *args, **({"origins": [5]} if name == "predict_origins" else {})),
        NotFittedError, f"^This {type(unfitted).__name__} instance is not fitted yet")],
    *case(32, "no rows without covariates", lambda f: f.two.predict(np.empty((0, 1))), ValueError,
          r"0 sample\(s\) \(shape=\(0, 1\)\) while a minimum of 1 is required by Forecaster"),
    *[c for value in (0, -1, 2.5, True, "7", None) for c in (
        *parameter(33, "lookback", value, forecaster()), *parameter(34, "horizon", value, forecaster(), *rules()),
        *parameter(34, "season_length", value, SeasonalNaiveForecaster()))],
    *[c for value in (0, -1, 2.5, True, "7", None) for c in parameter(37, "stride", value, forecaster())],
    *case(35, "far too few rows", lambda f: f.two.fit(Y[:2]), ValueError,
          "^Forecaster: the series has 2 steps; lookback=3 and horizon=2 need at least 5. Pass a longer series"),
    *case(36, "one row too few", lambda f: f.two.fit(Y[:4]), ValueError, "has 4 steps; .* need at least 5"),
    *case(36, "one row too few for a season", lambda _: SeasonalNaiveForecaster(5).fit(Y[:4]), ValueError,
          "has 4 steps; need at least 5"),
    *case(38, "gap=-1", lambda f: run(f.two, Y, cv=WalkForwardSplit(gap=-1)), InvalidParameterError,
          "`gap` must be an integer >= 0; got -1"),
    *case(39, "too many folds", lambda f: run(f.two, Y, cv=WalkForwardSplit(99)), InvalidParameterError,
          "`n_splits` must be at most 19 for 20 rows with .*; got 99. Lower it"),
    *[c for name in ("test_size", "max_train_size") for value in (0, -1) for c in case(
        40, f"{name}={value}", lambda f, name=name, value=value: run(f.two, Y, cv=WalkForwardSplit(2, **{name: value})),
        InvalidParameterError, f"`{name}` must be an integer >= 1.*; got {value}")],
    *case(41, "a test fold below the horizon", lambda f: run(f.two, Y, cv=WalkForwardSplit(2, test_size=1)), ValueError,
          "^backtest: horizon=2 exceeds the 1 test rows of fold 0. Raise `test_size`, or lower `horizon`"),
    *case(42, "a training fold too short", lambda f: run(f.two, Y, cv=WalkForwardSplit(8, test_size=2)), ValueError,
          "^backtest: fold 0 has 4 training rows; lookback=3 and horizon=2 need at least 5. Use fewer splits"),
    *stamps(43, "two rows exchanged", HOURS[[0, 2, 1, *range(3, N)]], ValueError, "is not increasing at row 2: .*Sort"),
    *stamps(43, "periods backwards", HOURS[:N].to_period("h")[::-1], ValueError, "is not increasing at row 1: .* Sort"),
    *stamps(43, "numbers backwards", pd.RangeIndex(N, 0, -1), ValueError, "is not increasing at row 1: 19 follows 20"),
    *stamps(44, "each stamp twice", HOURS[:10].repeat(2), ValueError,
            r"has (10|8) duplicates, the first one 2024-01-01 00:00"),
    *stamps(45, "a missing stamp", HOURS[: N + 1].delete(7), ValueError,
            "is not regular at row 7: .*Regularise the rows"),
    *stamps(46, "NaT", HOURS[: N - 1].append(pd.DatetimeIndex([pd.NaT])), ValueError,
            "has NaT at row 19. Drop such rows"),
    *stamps(47, "local time, clocks back", local_hours("2024-10-27"), ValueError,
            r"has 1 duplicate, the first one 2024-10-27 02:00:00.* `tz_localize\(.*ambiguous='infer'"),
    *stamps(47, "local time, clocks forward", local_hours("2024-03-31"), ValueError,
            r"is not regular at row 2: 2024-03-31 03:00:00 follows 2024-03-31 01:00:00.*name the zone"),
    *follows(49, "stamps with a zone after some without", HOURS[N], TypeError,
             "with and without a time zone", tz="UTC"),
    *follows(50, "a begin in the known series", HOURS[N - 1], ValueError,
             "begins at 2024-01-01 19:00:00, but .* known to"),
    *follows(50, "a begin before the known series", HOURS[0] - pd.Timedelta("3h"), ValueError,
             "begins at 2023-12-31 21"),
    *follows(50, "a begin after a gap", HOURS[N + 1], ValueError, "1 steps"),
    *follows(50, "a begin between two steps", "2024-01-01 20:30", ValueError, "does not continue the known one"),
    *stamps(51, "three levels", pd.MultiIndex.from_product([["a", "b"], ["c"], range(10)]), TypeError,
            "(must be a DatetimeIndex, PeriodIndex or RangeIndex; got a MultiIndex|has 3 levels; a panel has two)"),
    *stamps(51, "words", pd.Index(list("abcdefghijklmnopqrst")), TypeError,
            "must be .* got an index of (str|object). Turn text into stamps"),
    *stamps(51, "numbers with a comma", pd.Index(np.arange(N) / 2), TypeError, "must be .*; got an index of float64"),
]  # fmt: skip


def utc_and_local(_):
    """Return the forecast of local hours over a change of the clocks, in UTC, and that of the hours in UTC."""
    both = []
    for day in ("2024-03-30 20:00", "2024-10-26 20:00"):
        utc = pd.DataFrame(Y, pd.date_range(day, periods=N, freq="h", tz="UTC"), columns=["a", "b"])
        local = forecaster().fit(utc.tz_convert("Europe/Madrid")).predict(later(X)).tz_convert("UTC")
        expected = forecaster().fit(utc).predict(later(X))
        assert local.index.equals(expected.index)
        both.append((local, expected))
    return [local for local, _ in both], [expected for _, expected in both]


def another_zone(_):
    """Return what follows when the new rows have another time zone than the known ones."""
    known, new = FRAME.tz_localize("UTC"), later(FRAME).tz_localize("UTC").tz_convert("Asia/Tokyo")
    fitted = forecaster().fit(known)
    forecast = fitted.predict(new[:5])
    assert forecast.index.equals(HOURS[N : N + 5].tz_localize("UTC"))
    return fitted.update(new).predict(), forecaster().fit(FRAME).update(later(FRAME)).predict()


# What looks bad and works. A call returns two results that must be equal.

WORKS = [
    (3, "a series of one axis", lambda _: (forecaster().fit(Y[:, 0]).predict(),
                                           forecaster().fit(Y[:, [0]]).predict()[:, 0])),
    (3, "a covariate of one axis", lambda _: (forecaster().fit(X[:, 0], Y).predict(X[:2, 0]),
                                              forecaster().fit(X[:, [0]], Y).predict(X[:2, [0]]))),
    (9, "numbers as objects", lambda f: (f.covariates.fit(X.astype(object), Y.astype(object)).predict(X.astype(object)),
                                         forecaster().fit(X, Y).predict(X))),
    (22, "a column of targets", lambda f: (f.covariates.fit(X, Y[:, [0]]).predict(X[:2])[:, 0],
                                           forecaster().fit(X, Y[:, 0]).predict(X[:2]))),
    (33, "numpy integers", lambda f: (forecaster(lookback=np.int64(3), horizon=np.int32(2)).fit(Y).predict(),
                                      f.two.predict())),
    (36, "exactly one window", lambda _: (forecaster(anchor="last", scaler=None).fit(Y[:5, 0]).predict(),
                                          Y[4, 0] + Y[3:5, 0] - Y[2, 0])),
    (37, "a stride beyond the end", lambda _: (forecaster(stride=99, scaler=None).fit(Y[:9]).regressor_.intercept_,
                                               forecaster(stride=4, scaler=None).fit(Y[1:9]).regressor_.intercept_)),
    (48, "local hours over both changes of the clocks", utc_and_local),
    (49, "another time zone", another_zone),
    (52, "a constant series", lambda _: (forecaster().fit(np.full(N, 7.0)).predict(), [7.0, 7.0])),
]  # fmt: skip


@pytest.fixture(scope="module")
def fitted():
    return SimpleNamespace(
        two=forecaster().fit(Y),
        covariates=forecaster().fit(X, Y),
        frame=forecaster().fit(FRAME),
        frame_covariates=forecaster().fit(FRAME, FRAME.rename(columns=str.upper) * 2),
        naive=NaiveForecaster().fit(Y),
        seasonal=SeasonalNaiveForecaster(3).fit(FRAME),
    )


def answers(fitted):
    """Return the bytes that each forecaster forecasts."""
    asked = {"covariates": X[:3], "frame_covariates": later(FRAME)[:3]}
    return {name: np.asarray(each.predict(asked.get(name))).tobytes() for name, each in vars(fitted).items()}


@pytest.mark.parametrize("case", rows(CASES))
def test_bad_input_is_refused(watched, fitted, case):
    _, _, call, error, pattern = case
    with pytest.raises(error, match=pattern):
        call(watched)
    assert answers(watched) == answers(fitted)


@pytest.mark.parametrize("case", rows(WORKS))
def test_odd_input_works(watched, case):
    result, expected = case[2](watched)
    np.testing.assert_allclose(np.asarray(result), np.asarray(expected), rtol=1e-9)
