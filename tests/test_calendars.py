"""CalendarFeatures: what the local clock and calendar say, the same for the past and the future."""

import datetime
import math
import pickle
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.pipeline import FeatureUnion, make_pipeline

from tsrnn import CalendarFeatures, Forecaster, InvalidParameterError, load_electricity_demand

NAMES = ["hour", "weekday", "day_of_year", "month"]


def stamps(start="2026-01-05", periods=6, freq="h", tz=None):
    return pd.date_range(start, periods=periods, freq=freq, tz=tz)


def features_of(index, features, **parameters):
    return CalendarFeatures(features, **parameters).fit_transform(pd.DataFrame(index=index))


# --- values ---


def phases_by_hand(stamp):
    """The position of a stamp in each cycle, by Python's own calendar."""
    first = datetime.datetime(stamp.year, 1, 1)
    year = (datetime.datetime(stamp.year + 1, 1, 1) - first).days
    return {
        "hour": (stamp.hour + stamp.minute / 60 + stamp.second / 3600) / 24,
        "weekday": stamp.weekday() / 7,
        "day_of_year": (datetime.datetime(stamp.year, stamp.month, stamp.day) - first).days / year,
        "month": (stamp.month - 1) / 12,
    }


moments = st.datetimes(datetime.datetime(1971, 1, 1), datetime.datetime(2099, 12, 31)).map(
    lambda t: t.replace(microsecond=0)
)


@given(st.lists(moments, min_size=1, max_size=5), st.integers(1, 3))
@settings(max_examples=100, deadline=None)
def test_cyclic_features_by_hand(times, n_harmonics):
    table = features_of(pd.DatetimeIndex(times), NAMES, n_harmonics=n_harmonics)
    expected = {
        f"{name}_{wave.__name__}_{k}": [wave(2 * math.pi * k * phases_by_hand(t)[name]) for t in times]
        for name in NAMES
        for k in range(1, n_harmonics + 1)
        for wave in (math.sin, math.cos)
    }
    assert table.columns.tolist() == list(expected)
    np.testing.assert_allclose(table.to_numpy().T, list(expected.values()), atol=1e-9)


@given(st.lists(moments, min_size=1, max_size=5))
@settings(max_examples=100, deadline=None)
def test_onehot_features_by_hand(times):
    table = features_of(pd.DatetimeIndex(times), NAMES, encoding="onehot")
    for row, t in zip(table.to_numpy(), times, strict=True):
        ones = {name for name, value in zip(table.columns, row, strict=True) if value == 1}
        day = t.timetuple().tm_yday
        assert ones == {f"hour_{t.hour}", f"weekday_{t.weekday()}", f"day_of_year_{day}", f"month_{t.month}"}
        assert set(row) == {0.0, 1.0}
    assert table.shape[1] == 24 + 7 + 366 + 12


def test_the_year_closes_after_365_or_366_days():
    for year in ("2023", "2024"):
        table = features_of(pd.DatetimeIndex([f"{year}-12-31", f"{year}-01-01"]), ["day_of_year"])
        days = 365 + (year == "2024")
        assert table["day_of_year_sin_1"].tolist() == pytest.approx([-math.sin(2 * math.pi / days), 0])


def test_further_harmonics_of_few_values_would_repeat():
    index = pd.date_range("2024-01-01", "2024-12-31")
    table = features_of(index, ["weekday", "month"], n_harmonics=9)
    assert table.columns[-1] == "month_cos_5"
    assert [name for name in table if name.startswith("weekday")][-1] == "weekday_cos_3"
    assert np.linalg.matrix_rank(table.assign(one=1.0)) == table.shape[1] + 1


# --- local time ---


@pytest.mark.parametrize("tz", ["Europe/London", "Australia/Melbourne", "America/St_Johns"])
def test_the_local_clock_counts(tz):
    index = stamps("2026-03-28", 24 * 10, tz=tz)
    table = features_of(index, ["hour", "weekday"], encoding="onehot")
    for i, stamp in enumerate(index):
        assert table[f"hour_{stamp.hour}"].iloc[i] == 1
        assert table[f"weekday_{stamp.weekday()}"].iloc[i] == 1


def test_an_hour_that_comes_twice_has_the_same_features():
    index = stamps("2026-10-25", 4, tz="Europe/London")  # 00:00, 01:00, 01:00, 02:00
    table = features_of(index, ["hour"], n_harmonics=2)
    assert (table.iloc[1] == table.iloc[2]).all()
    assert (table.iloc[2] != table.iloc[3]).any()


def test_a_holiday_is_a_local_day():
    index = stamps("2026-12-24 22:00", 28, tz="America/New_York")
    days = features_of(index, [], holidays=[datetime.date(2026, 12, 25)])["holiday"]
    assert days.tolist() == [0.0] * 2 + [1.0] * 24 + [0.0] * 2


def test_another_zone_than_in_fit_is_refused():
    fitted = CalendarFeatures(["hour"]).fit(stamps(tz="Europe/London"))
    with pytest.raises(ValueError, match=r"^CalendarFeatures: .* time zone Europe/London as in `fit`; got UTC\."):
        fitted.transform(stamps(tz="UTC"))
    with pytest.raises(ValueError, match="got None"):
        fitted.transform(stamps())


def test_periods_count_from_their_start():
    periods = pd.period_range("2026-01-05", periods=30, freq="h")
    table = features_of(periods, NAMES, holidays=["2026-01-06"])
    assert table.index is periods
    pd.testing.assert_frame_equal(
        table.reset_index(drop=True),
        features_of(periods.to_timestamp(), NAMES, holidays=["2026-01-06"]).reset_index(drop=True),
    )


# --- which features ---

BY_STEP = {
    "5min": ["hour", "weekday", "day_of_year"],
    "12h": ["hour", "weekday", "day_of_year"],
    "D": ["weekday", "day_of_year"],
    "B": ["weekday", "day_of_year"],
    "2D": ["weekday", "day_of_year"],
    "W": ["day_of_year"],
    "MS": ["month"],
    "QS": ["month"],
}


@pytest.mark.parametrize("freq", BY_STEP)
@pytest.mark.parametrize("periods", [1, 2, 100])
def test_auto_takes_what_varies(freq, periods):
    index = stamps(periods=periods, freq=freq)
    assert CalendarFeatures().fit(index).features_ == BY_STEP[freq]
    onehot = [name.replace("day_of_year", "month") for name in BY_STEP[freq]]
    assert CalendarFeatures(encoding="onehot").fit(index).features_ == onehot


@pytest.mark.parametrize(
    ("freq", "names"), [("h", BY_STEP["12h"]), ("D", BY_STEP["D"]), ("W", ["day_of_year"]), ("M", ["month"])]
)
@pytest.mark.parametrize("periods", [1, 60])
def test_auto_reads_the_step_of_periods(freq, names, periods):
    assert CalendarFeatures().fit(pd.period_range("2026-01-05", periods=periods, freq=freq)).features_ == names


@pytest.mark.parametrize("start", ["2026-03-28", "2026-10-24"])
def test_days_on_which_the_clocks_change_are_days(start):
    index = stamps(start, 2, "D", tz="Europe/London")
    assert CalendarFeatures().fit(pd.DatetimeIndex(index, freq=None)).features_ == ["weekday", "day_of_year"]


def test_trading_days_need_not_be_regular():
    index = pd.DatetimeIndex(["2026-01-02", "2026-01-05", "2026-01-06", "2026-01-07", "2026-01-09"])
    assert CalendarFeatures().fit(index).features_ == ["weekday", "day_of_year"]
    half_a_day_later = index.append(index[-1:] + pd.Timedelta("12h"))  # the usual step counts
    assert CalendarFeatures().fit(half_a_day_later).features_ == ["weekday", "day_of_year"]


def test_auto_says_so_when_nothing_varies():
    years = stamps(freq="YS")
    with pytest.raises(InvalidParameterError, match=r"at least one feature that varies; got 'auto'\. Name"):
        CalendarFeatures().fit(years)
    assert CalendarFeatures(holidays=["2027-01-01"]).fit_transform(years)["holiday"].sum() == 1


def test_one_stamp_has_no_step():
    one = pd.DatetimeIndex(["2026-01-05 12:00"])
    with pytest.raises(ValueError, match=r"^CalendarFeatures: one stamp has no step. Name the `features`"):
        CalendarFeatures().fit(one)
    assert features_of(one, ["hour"]).shape == (1, 2)


# --- holidays ---


def test_holidays_of_a_country():
    pytest.importorskip("holidays")
    index = pd.date_range("2023-12-20", "2026-01-05")
    found = index[features_of(index, [], holidays="GB")["holiday"] == 1]
    assert {"2023-12-25", "2024-12-25", "2025-12-26", "2026-01-01"} <= set(found.strftime("%Y-%m-%d"))
    assert pd.Timestamp("2025-07-04") not in found
    there = index[features_of(index, [], holidays="US")["holiday"] == 1]
    assert pd.Timestamp("2025-07-04") in there
    fitted = CalendarFeatures([], holidays="GB").fit(index)
    assert fitted.transform(pd.DatetimeIndex(["2031-12-25"]))["holiday"].tolist() == [1.0]


def test_holidays_of_a_subdivision():
    pytest.importorskip("holidays")
    day = pd.DatetimeIndex(["2025-02-12", "2025-12-25"])  # Lincoln's birthday is one of New York, not of all states
    assert features_of(day, [], holidays=("US", "NY"))["holiday"].tolist() == [1.0, 1.0]
    assert features_of(day, [], holidays="US")["holiday"].tolist() == [0.0, 1.0]


WRITTEN = {
    "text": ["2026-01-06", "2026-01-08"],
    "two texts in a tuple": ("2026-01-06", "2026-01-08"),
    "dates": [datetime.date(2026, 1, 6), datetime.date(2026, 1, 8)],
    "stamps within the day": pd.DatetimeIndex(["2026-01-06 07:00", "2026-01-08 23:59"]),
    "stamps of a zone": pd.DatetimeIndex(["2026-01-06", "2026-01-08"], tz="Asia/Tokyo"),
    "numpy": np.array(["2026-01-06", "2026-01-08"], dtype="datetime64[D]"),
    "a Series": pd.Series(pd.to_datetime(["2026-01-06", "2026-01-08"])),
    "a dict by date": {datetime.date(2026, 1, 6): "Epiphany", datetime.date(2026, 1, 8): "another"},
    "an iterator": "iterator",
}


@pytest.mark.parametrize("kind", WRITTEN)
def test_holidays_as_dates_need_no_package(kind, monkeypatch):
    monkeypatch.setitem(sys.modules, "holidays", None)
    dates = iter(WRITTEN["text"]) if kind == "an iterator" else WRITTEN[kind]
    fitted = CalendarFeatures([], holidays=dates).fit(stamps(freq="D"))
    for _ in range(2):
        assert fitted.transform(stamps(freq="D"))["holiday"].tolist() == [0.0, 1.0, 0.0, 1.0, 0.0, 0.0]


def test_no_dates_are_no_holidays():
    assert features_of(stamps(), ["hour"], holidays=[])["holiday"].sum() == 0


def test_a_country_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "holidays", None)
    with pytest.raises(ImportError, match=r"^CalendarFeatures: .*pip install 'tsrnn\[calendar\]', or pass the dates"):
        CalendarFeatures(holidays="GB").fit(stamps())


# --- bad input ---


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"features": ["hour", "wekday"]}, r"`features` must be one of .*Did you mean 'weekday'\?"),
        ({"features": "hour"}, "`features` must be \"auto\" or a sequence of .*; got 'hour'. Put a single one"),
        ({"features": 3}, '`features` must be "auto" or a sequence of .*; got 3'),
        ({"features": ["hour", "hour"]}, "`features` must be a sequence without repeats"),
        ({"features": []}, "`features` must be a sequence of at least one feature that varies"),
        ({"encoding": "one-hot"}, "`encoding` must be one of .*Did you mean 'onehot'"),
        ({"n_harmonics": 0}, "`n_harmonics` must be an integer >= 1; got 0"),
        ({"n_harmonics": 1.0}, "`n_harmonics` must be an integer >= 1; got 1.0"),
        ({"holidays": "2026-12-25"}, "`holidays` must be a country code, .* or a sequence of dates"),
        ({"holidays": 5}, "`holidays` must be a country code"),
        ({"holidays": [1, 2]}, "`holidays` must be a country code"),
        ({"holidays": ["no date"]}, "`holidays` must be a country code"),
        ({"holidays": [pd.NaT]}, "`holidays` must be .* none missing"),
    ],
)
def test_parameters_are_checked(parameters, message):
    with pytest.raises(InvalidParameterError, match=rf"^CalendarFeatures: {message}"):
        CalendarFeatures(**parameters).fit(stamps())


@pytest.mark.parametrize("country", ["XX", ("US", "XX")])
def test_an_unknown_country_is_refused_in_fit(country):
    pytest.importorskip("holidays")
    with pytest.raises(InvalidParameterError, match="`holidays` must be a country that the package holidays knows"):
        CalendarFeatures(holidays=country).fit(stamps())


@pytest.mark.parametrize(
    ("X", "error", "message"),
    [
        (np.zeros((3, 1)), TypeError, "X must have a DatetimeIndex or PeriodIndex; got ndarray"),
        (pd.DataFrame({"a": [1, 2]}), TypeError, "got RangeIndex. Pass a DataFrame with such an index"),
        (["2026-01-01"], TypeError, "got list"),
        (pd.DataFrame(index=stamps(periods=0)), ValueError, r"Found array with 0 sample\(s\)"),
        (pd.DatetimeIndex(["2026-01-01", None]), ValueError, "the index has NaT at row 1"),
    ],
)
def test_what_has_no_stamps_is_refused(X, error, message):
    with pytest.raises(error, match=message):
        CalendarFeatures().fit(X)
    with pytest.raises(error, match=message):
        CalendarFeatures(["hour"]).fit(stamps()).transform(X)


def test_a_failed_fit_leaves_the_former_one():
    fitted = CalendarFeatures(["hour"]).fit(stamps())
    before = fitted.transform(stamps())
    with pytest.raises(TypeError):
        fitted.fit(np.zeros(3))
    pd.testing.assert_frame_equal(fitted.transform(stamps()), before)


# --- a scikit-learn transformer ---


@pytest.mark.parametrize("encoding", ["cyclic", "onehot"])
def test_names_index_and_values_agree(encoding):
    index = stamps(tz="Europe/London")
    fitted = CalendarFeatures(encoding=encoding, holidays=["2026-01-05"]).fit(pd.Series(0, index))
    frame = fitted.transform(pd.DataFrame({"text": list("abcdef")}, index=index))
    assert frame.columns.tolist() == fitted.get_feature_names_out().tolist()
    assert frame.index is index
    assert set(frame.dtypes) == {np.dtype("float64")}
    for same in (index, pd.Series(np.nan, index), pd.DataFrame(index=index)):
        pd.testing.assert_frame_equal(fitted.transform(same), frame)
    pd.testing.assert_frame_equal(pickle.loads(pickle.dumps(fitted)).transform(index), frame)
    pd.testing.assert_frame_equal(clone(fitted).fit_transform(index), frame)
    pd.testing.assert_frame_equal(clone(fitted).set_output(transform="pandas").fit_transform(index), frame)


def test_rows_are_independent_of_each_other():
    index = stamps(periods=200, freq="7h")
    fitted = CalendarFeatures(NAMES, holidays=["2026-01-09"]).fit(index)
    whole = fitted.transform(index)
    order = np.random.default_rng(0).permutation(200)
    pd.testing.assert_frame_equal(fitted.transform(index[order]), whole.iloc[order], check_freq=False)
    pd.testing.assert_frame_equal(fitted.transform(index[7:8]), whole[7:8])


def test_it_must_be_fitted():
    with pytest.raises(NotFittedError):
        CalendarFeatures().transform(stamps())
    with pytest.raises(NotFittedError):
        CalendarFeatures().get_feature_names_out()


def test_in_a_pipeline_and_beside_other_columns():
    index = stamps(periods=24 * 14)
    X = pd.DataFrame({"heat": 1.0}, index=index)
    y = np.where(index.hour < 6, 1.0, 0.0)
    assert make_pipeline(CalendarFeatures(encoding="onehot"), Ridge(1e-6)).fit(X, y).score(X, y) > 0.999
    union = FeatureUnion([("a", CalendarFeatures(["hour"])), ("b", CalendarFeatures(["weekday"]))])
    union.set_output(transform="pandas")
    names = ["a__hour_sin_1", "a__hour_cos_1", "b__weekday_sin_1", "b__weekday_cos_1"]
    assert union.fit_transform(X).columns.tolist() == names
    beside = ColumnTransformer([("time", CalendarFeatures(["hour"]), ["heat"])], remainder="passthrough")
    beside.set_output(transform="pandas")
    assert beside.fit_transform(X).columns.tolist() == ["time__hour_sin_1", "time__hour_cos_1"]


def test_as_known_future_covariates_of_a_forecaster():
    demand = load_electricity_demand()
    calendar = CalendarFeatures(["hour", "weekday"], encoding="onehot")
    known, truth = demand[:-336], demand[-336:]
    X = calendar.fit_transform(pd.DataFrame(index=known.index))
    ahead = calendar.transform(pd.DataFrame(index=truth.index))
    parameters = {"lookback": 48, "horizon": 48}
    told = Forecaster(Ridge(), **parameters).fit(X, known).predict(ahead)
    assert told.index.equals(truth.index)
    # The same with a calendar that says nothing: a constant column.
    mute = Forecaster(Ridge(), **parameters).fit(X[["hour_0"]] * 0, known).predict(ahead[["hour_0"]] * 0)
    assert (told - truth).abs().mean() < 0.6 * (mute - truth).abs().mean()
