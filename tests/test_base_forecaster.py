"""The face of every forecaster: beyond the horizon, with a longer past, its stamps, its forms and its errors."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from tsrnn import Forecaster, InvalidParameterError, NaiveForecaster

ANCHORS = [None, "last", "mean", "seasonal", "linear"]
L, H, SEASON = 6, 4, 3


def walk(n=60, k=None, seed=0):
    """Return a random walk of n steps, or k of them of different scales."""
    steps = np.random.default_rng(seed).normal(size=(n, k or 1)).cumsum(axis=0)
    return steps[:, 0] if k is None else steps * 10.0 ** np.arange(k)


def daily(values, start="2024-01-01", **options):
    kind = pd.Series if np.ndim(values) == 1 else pd.DataFrame
    return kind(values, index=pd.date_range(start, periods=len(values), freq="D"), **options)


# Beyond the horizon, and with a longer past


def ridge(**parameters):
    return Forecaster(Ridge(), **{"lookback": L, "horizon": H, "season_length": SEASON, **parameters})


@pytest.mark.parametrize("k", [None, 2])
@pytest.mark.parametrize("anchor", ANCHORS)
@pytest.mark.parametrize("n_steps", [5, 8, 11])
def test_a_forecast_beyond_the_horizon_rolls_forward(anchor, k, n_steps):
    values = walk(k=k)
    forecaster = ridge(anchor=anchor).fit(values)
    known = values
    while len(known) < len(values) + n_steps:
        known = np.concatenate(
            [known, forecaster.predict_origins(known, origins=[len(known) - 1])[0].reshape(H, *values.shape[1:])]
        )
    np.testing.assert_allclose(forecaster.predict(np.zeros(n_steps)), known[60 : 60 + n_steps], rtol=1e-9)


@pytest.mark.parametrize("n_steps", [5, 8, 11])
def test_it_rolls_forward_with_covariates(n_steps):
    X, y = walk(60 + n_steps, 2), walk()
    forecaster = ridge().fit(X[:60], y)
    last = np.repeat(X[-1:], H, axis=0)
    known = y
    while len(known) < 60 + n_steps:
        past, future = X[: len(known)], np.concatenate([X[len(known) :], last])[:H]
        one = clone(forecaster).fit(X[:60], y)
        known = np.concatenate([known, (one.update(past[60:], known[60:]) if len(known) > 60 else one).predict(future)])
    np.testing.assert_allclose(forecaster.predict(X[60:]), known[60 : 60 + n_steps], rtol=1e-9)


def test_past_covariates_are_not_known_beyond_the_horizon():
    X = pd.DataFrame({"wind": walk(), "day": walk(seed=1)})
    forecaster = ridge(past_covariates=["wind"]).fit(X, walk())
    with pytest.raises(ValueError, match=r"5 steps are asked for, but beyond horizon=4 the past covariates \['wind'\]"):
        forecaster.predict(X[["day"]][:5].set_axis(range(60, 65)))
    with pytest.raises(ValueError, match=r"the covariates \['day'\] are known in the future; pass their rows as X"):
        forecaster.predict()
    assert len(ridge(past_covariates=["wind"]).fit(X[["wind"]], walk()).predict()) == H


@pytest.mark.parametrize("covariates", [False, True])
def test_update_extends_the_past_without_refitting(covariates):
    X, y = walk(70, 2), daily(walk(70), name="load")
    known, new = ((X[:50], y[:50]), (X[50:60], y[50:60])) if covariates else ((y[:50],), (y[50:60],))
    forecaster = ridge().fit(*known)
    fitted, coefficients = forecaster.regressor_, forecaster.regressor_.coef_.copy()
    assert forecaster.update(*new) is forecaster
    assert forecaster.regressor_ is fitted
    np.testing.assert_array_equal(fitted.coef_, coefficients)
    forecast = forecaster.predict(X[60 : 60 + H] if covariates else None)
    whole = (X[:64], y[:64]) if covariates else (y[:60],)
    np.testing.assert_allclose(forecast, forecaster.predict_origins(*whole, origins=[59])[0, :, 0], rtol=1e-12)
    assert forecast.index.equals(y.index[60 : 60 + H])
    assert forecaster.index_.equals(y.index[:60])


def test_update_takes_what_follows_only():
    y = daily(walk(70))
    forecaster = ridge().fit(y[:50])
    with pytest.raises(ValueError, match=r"3 steps are missing between the known series, which ends at 2024-02-19"):
        forecaster.update(y[53:])
    with pytest.raises(
        ValueError, match=r"the new series begins at 2024-02-17 .*, but the series is known to 2024-02-19"
    ):
        forecaster.update(y[47:60])
    with pytest.raises(ValueError, match=r"the series has 2 targets, but it was fitted on 1"):
        forecaster.update(walk(5, 2))
    with pytest.raises(ValueError, match=r"does not continue the known one"):
        forecaster.update(pd.Series(walk(5), index=pd.RangeIndex(50, 55)))
    assert forecaster.predict().index[0] == y.index[50]
    assert forecaster.update(y[50:].to_numpy()).index_.equals(y.index)


@pytest.mark.parametrize("anchor", ANCHORS)
def test_predict_origins_knows_nothing_after_an_origin(anchor):
    values = walk(80, 2)
    forecaster = ridge(anchor=anchor).fit(values[:50])
    for n_steps in (None, 2, 9):
        batch = forecaster.predict_origins(values, origins=[60, L - 1, 79, 49], n_steps=n_steps)
        assert batch.shape == (4, n_steps or H, 2)
        for origin, forecast in zip([60, L - 1, 79, 49], batch, strict=True):
            alone = forecaster.predict_origins(values[: origin + 1], origins=[origin], n_steps=n_steps)
            np.testing.assert_allclose(forecast, alone[0], rtol=1e-9)
        np.testing.assert_allclose(batch[3], forecaster.predict(np.zeros(n_steps or H)), rtol=1e-9)


# Stamps


INDEXES = {
    "hours into summer time": pd.date_range("2024-03-29", periods=60, freq="h", tz="Europe/Madrid", name="t"),
    "hours into winter time": pd.date_range("2024-10-25", periods=60, freq="h", tz="Europe/Madrid", name="t"),
    "local days into summer time": pd.date_range("2024-01-31", periods=60, freq="D", tz="Europe/Madrid", name="t"),
    "months": pd.date_range("2020-01-31", periods=60, freq="ME", name="t"),
    "periods": pd.period_range("2020-01", periods=60, freq="M", name="t"),
    "numbers": pd.RangeIndex(10, 250, 4, name="t"),
}


@pytest.mark.parametrize("index", INDEXES.values(), ids=INDEXES.keys())
def test_the_forecast_continues_the_index(index):
    values = walk()
    forecasts = []
    for known in (values[:49], pd.Series(values, index, name="load")[:49]):
        forecaster = ridge().fit(known)
        forecasts.append((forecaster.predict(), forecaster.predict(np.zeros(11))))
    for (array, series), steps in zip(zip(*forecasts, strict=True), (H, 11), strict=True):
        expected = index[49 : 49 + steps]
        pd.testing.assert_series_equal(series, pd.Series(array, expected, name="load"), check_freq=True)
        assert getattr(series.index, "freq", None) == getattr(expected, "freq", None)


def test_a_local_series_is_forecast_as_the_same_one_in_utc():
    utc = pd.Series(walk(), INDEXES["hours into summer time"].tz_convert("UTC"))
    local = ridge().fit(utc[:49].tz_convert("Europe/Madrid"))
    pd.testing.assert_series_equal(local.predict().tz_convert("UTC"), ridge().fit(utc[:49]).predict(), check_freq=False)
    pd.testing.assert_series_equal(
        local.predict(utc[52:].to_frame()), local.predict(utc[52:].tz_convert("Europe/Madrid").to_frame())
    )


@pytest.mark.parametrize("k", [None, 1, 2])
def test_the_forecast_has_the_form_of_the_series(k):
    values = walk(k=k)
    array = ridge().fit(values).predict()
    assert array.shape == (H,) if k is None else (H, k)
    assert array.dtype == np.float64
    np.testing.assert_array_equal(ridge().fit(values.tolist()).predict(), array)
    np.testing.assert_array_equal(ridge().fit(walk(60, 3), values).predict(walk(H, 3)).shape, array.shape)
    if k is None:
        pd.testing.assert_series_equal(
            ridge().fit(daily(values, name="load")).predict(), daily(array, "2024-03-01", name="load")
        )
        return
    names = ["load", "wind"][:k]
    frame = ridge().fit(daily(values, columns=names)).predict()
    pd.testing.assert_frame_equal(frame, daily(array, "2024-03-01", columns=names))


def test_X_may_begin_after_a_gap_when_no_covariate_is_missing():
    y = daily(walk(70), name="load")
    forecaster = ridge().fit(y[:50])
    later = forecaster.predict(pd.DataFrame(index=y.index[53:58]))
    pd.testing.assert_series_equal(later, forecaster.predict(np.zeros(8))[3:])
    X = daily(walk(70, 1, seed=1), columns=["a"])
    with_covariates = ridge().fit(X[:50], y[:50])
    with pytest.raises(ValueError, match=r"X begins 3 steps after the end of the known series, whose covariates"):
        with_covariates.predict(X[53:58])
    with pytest.raises(ValueError, match=r"X begins at 2024-02-18 .*, but the series is known to 2024-02-19"):
        with_covariates.predict(X[48:58])


def test_the_columns_of_X_are_those_of_fit():
    X, y = daily(walk(70, 2), columns=["a", "b"]), daily(walk(70))
    forecaster = ridge().fit(X[:50], y[:50])
    for wrong in (X[["b", "a"]], X.rename(columns={"b": "c"}), X[["a"]]):
        with pytest.raises(ValueError, match=r"^Forecaster: the feature names should match .*expected \['a', 'b'\]"):
            forecaster.predict(wrong[50:])
    with pytest.raises(ValueError, match=r"^X has 3 features, but Forecaster is expecting 2 features as input"):
        forecaster.predict(walk(3, 3))
    with pytest.raises(ValueError, match=r"`past_covariates` names 'c', which is no column of X; X has \['a', 'b'\]"):
        ridge(past_covariates=["c"]).fit(X, y)


def test_a_frame_without_columns_stands_for_no_covariates():
    y = daily(walk(70), name="load")
    none = pd.DataFrame(index=y.index)
    forecaster = ridge().fit(none[:50], y[:50])
    assert forecaster.n_features_in_ == 0
    pd.testing.assert_series_equal(forecaster.predict(none[50:57]), ridge().fit(y[:50]).predict(none[50:57]))
    pd.testing.assert_series_equal(forecaster.predict(), ridge().fit(None, y[:50]).predict())
    assert forecaster.update(none[50:60], y[50:60]).predict().index[0] == y.index[60]


# What a forecast must not depend on


def test_parameters_set_after_fit_wait_for_the_next_fit():
    forecaster = ridge().fit(walk())
    expected, batch = forecaster.predict(), forecaster.predict_origins(walk(), origins=[30, 40])
    forecaster.set_params(lookback=9, horizon=2, anchor="mean", multivariate=True, regressor__alpha=1e6)
    np.testing.assert_array_equal(forecaster.predict(), expected)
    np.testing.assert_array_equal(forecaster.predict_origins(walk(), origins=[30, 40]), batch)
    assert forecaster.score(walk(4)) == r2_score(walk(4), expected)
    assert len(forecaster.fit(walk()).predict()) == 2


@pytest.mark.parametrize("n_steps", [None, 2, 9])
def test_origins_are_rows_with_a_full_past(n_steps):
    forecaster = ridge().fit(walk())
    for origins in ([L - 2, 20], [20, 60], [-1]):
        with pytest.raises(ValueError, match=r"`origins` must lie between 5 and the last row 59; got "):
            forecaster.predict_origins(walk(), origins=origins, n_steps=n_steps)
    for origins in ([], 20, [20.5], [[20]], [True], None):
        with pytest.raises(InvalidParameterError, match=r"`origins` must be a sequence of row numbers"):
            forecaster.predict_origins(walk(), origins=origins, n_steps=n_steps)
    with pytest.raises(InvalidParameterError, match=r"`n_steps` must be an integer >= 1; got 0"):
        forecaster.predict_origins(walk(), origins=[20], n_steps=0)
    with_covariates = ridge().fit(walk(60, 1, seed=1), walk())
    last = 59 - (n_steps or H)
    with pytest.raises(ValueError, match=f"the forecast from row {last + 1} needs the covariates up to row 60; X ends"):
        with_covariates.predict_origins(walk(60, 1, seed=1), walk(), origins=[20, last + 1], n_steps=n_steps)
    with_covariates.predict_origins(walk(60, 1, seed=1), walk(), origins=[20, last], n_steps=n_steps)


@pytest.mark.parametrize("n_steps", [2, 5, 8])
def test_covariates_after_the_last_step_asked_for_do_not_matter(n_steps):
    """Whether one origin is forecast or several, and however far the rows of X go on."""
    X, y = walk(90, 2, seed=1), walk(90)
    forecaster = ridge().fit(X[:50], y[:50])
    batch = forecaster.predict_origins(X, y, origins=[49, 60, 70], n_steps=n_steps)
    np.testing.assert_array_equal(batch[0, :, 0], forecaster.predict(X[50 : 50 + n_steps]))
    for number, origin in enumerate([49, 60, 70]):
        later = X.copy()
        later[origin + n_steps + 1 :] += 1e6
        again = forecaster.predict_origins(later, y, origins=[49, 60, 70], n_steps=n_steps)
        np.testing.assert_array_equal(again[: number + 1], batch[: number + 1])


# What is refused, or understood after all


def test_the_index_of_X_is_a_time_axis_also_without_covariates():
    forecaster = ridge().fit(daily(walk()))
    later = pd.date_range("2024-03-01", periods=4, freq="D")
    for index, error, words in [
        (
            pd.Index(list("abcd")),
            TypeError,
            "must be a DatetimeIndex, PeriodIndex or RangeIndex; got an index of str|object",
        ),
        (pd.MultiIndex.from_product([["a"], later]), TypeError, "got a MultiIndex"),
        (later[::-1], ValueError, "not increasing at row 1"),
        (later[[0, 1, 1, 2]], ValueError, "1 duplicate, the first one 2024-03-02"),
        (later[[0, 1, 3]], ValueError, "not regular at row 2"),
        (later.insert(2, pd.NaT), ValueError, "NaT at row 2"),
        (later.tz_localize("UTC"), TypeError, "stamps with and without a time zone cannot be compared"),
        (pd.RangeIndex(60, 64), ValueError, "does not continue the known one"),
        (later[::2], ValueError, "does not continue the known one"),
        (later[:0], ValueError, r"0 sample\(s\)"),
    ]:
        with pytest.raises(error, match=words):
            forecaster.predict(pd.DataFrame(index=index))
    with pytest.raises(TypeError, match=r"^Forecaster: X must be array-like, with a row for each step to .*; got 5\."):
        forecaster.predict(5)


def test_names_of_targets_are_compared():
    y = daily(walk(70, 2), columns=["a", "b"])
    forecaster = ridge().fit(y[:60])
    for call in (forecaster.update, forecaster.score, lambda rows: forecaster.predict_origins(rows, origins=[9])):
        with pytest.raises(
            ValueError, match=r"names of the series should match .*Got \['b', 'a'\], expected \['a', 'b'\]"
        ):
            call(y[["b", "a"]][60:])
        with pytest.raises(ValueError, match=r"the series has 1 targets, but it was fitted on 2"):
            call(y[["b"]][60:])
    pd.testing.assert_frame_equal(
        forecaster.update(y[60:]).predict(), ridge().fit(y[:60]).update(y[60:].to_numpy()).predict()
    )


def test_a_series_has_columns():
    none = pd.DataFrame(index=daily(walk()).index)
    for rule in (ridge(), NaiveForecaster()):
        for rows in ((none,), (daily(walk(60, 1)), none)):
            with pytest.raises(
                ValueError, match=r"0 feature\(s\) \(shape=\(60, 0\)\) while a minimum of 1 is required"
            ):
                rule.fit(*rows)


def test_past_covariates_are_a_sequence_of_names():
    X = daily(walk(60, 2, seed=1), columns=["a", "b"])
    for wrong in ("a", 1, None):
        with pytest.raises(InvalidParameterError, match=r"`past_covariates` must be a sequence of column names"):
            ridge(past_covariates=wrong).fit(X, walk())
    expected = ridge(past_covariates=["a"]).fit(X, walk()).predict(walk(H, 2))
    np.testing.assert_array_equal(ridge(past_covariates=pd.Index(["a"])).fit(X, walk()).predict(walk(H, 2)), expected)


@pytest.mark.parametrize("kind", [daily, np.asarray, list])
def test_score_without_covariates(kind):
    y = walk(70)
    forecaster = ridge().fit(kind(y)[:60])
    expected = r2_score(y[60:], forecaster.predict(np.zeros(10)))
    assert forecaster.score(kind(y)[60:]) == expected
    assert forecaster.score(None, kind(y)[60:]) == expected


def test_score_compares_like_with_like():
    X, y = daily(walk(70, 1, seed=1), columns=["a"]), daily(walk(70))
    forecaster = ridge().fit(X[:60], y[:60])
    with pytest.raises(
        ValueError, match=r"index of X differs from that of y at row 0: 2024-03-01 00:00:00 and 2024-03-02"
    ):
        forecaster.score(X[60:65], y[61:66])
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples \[5, 6\]"):
        forecaster.score(X[60:65], y[60:66])


def test_X_and_y_may_have_different_time_zones():
    X, y = daily(walk(60, 1, seed=1), columns=["a"]).tz_localize("UTC"), daily(walk()).tz_localize("UTC")
    expected = ridge().fit(X, y)
    local = ridge().fit(X.tz_convert("Europe/Madrid"), y)
    assert local.index_.equals(y.index)
    np.testing.assert_array_equal(local.regressor_.coef_, expected.regressor_.coef_)
    with pytest.raises(ValueError, match=r"index of X differs from that of y at row 0: 2024-01-01 00:00:00\+01:00 and"):
        ridge().fit(X.tz_localize(None).tz_localize("Europe/Madrid"), y)
    with pytest.raises(ValueError, match=r"index of X differs from that of y at row 0: 2024-01-01 00:00:00 and"):
        ridge().fit(X.tz_localize(None), y)
    with pytest.raises(ValueError, match=r"X has a RangeIndex and y a DatetimeIndex. Give both the same index"):
        ridge().fit(X.reset_index(drop=True), y)
