"""The index rules: what is refused and with which words, how an axis goes on, and where new rows lie on it."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsrnn._time_axis import check_time_axis, continue_axis, steps_after

MADRID = "Europe/Madrid"


def stamps(start, n, freq, tz=None):
    """Return a regular index that has forgotten its frequency, as one read from a file."""
    index = pd.date_range(start, periods=n, freq=freq, tz=tz, name="time")
    return pd.DatetimeIndex(list(index), name="time")


REGULAR = {
    "half-hourly": stamps("2024-01-01", 100, "30min"),
    "half-hourly over both clock changes": stamps("2024-03-30", 48 * 220, "30min", MADRID),
    "hourly in New York": stamps("2024-11-02", 60, "h", "America/New_York"),
    "90 minutes": stamps("2024-01-01", 5, "90min"),
    "daily": stamps("2024-02-27", 5, "D"),
    "local midnight in spring": stamps("2024-03-29", 6, "D", MADRID),
    "local midnight in autumn": stamps("2024-10-25", 6, "D", MADRID),
    "every second local day": stamps("2024-03-28", 6, "2D", MADRID),
    "24 hours in UTC over a clock change": stamps("2024-03-29", 6, "24h", MADRID),
    "business days": stamps("2024-01-01", 30, "B"),
    "business days, local": stamps("2024-03-25", 30, "B", MADRID),
    "weekly": stamps("2024-01-03", 6, "W-WED"),
    "weekly, local": stamps("2024-03-03", 8, "W-SUN", MADRID),
    "month starts": stamps("2023-11-01", 14, "MS"),
    "month starts, 31 days each": stamps("2023-07-01", 3, "MS"),
    "month starts, local": stamps("2024-01-01", 14, "MS", MADRID),
    "month ends": stamps("2023-11-30", 14, "ME"),
    "the 15th of each month": stamps("2024-01-15", 14, pd.DateOffset(months=1)),
    "quarters": stamps("2022-01-01", 9, "QS"),
    "years": stamps("2019-01-01", 7, "YS"),
    "periods of a month": pd.period_range("2024-01", periods=14, freq="M", name="time"),
    "periods of two hours": pd.period_range("2024-01-01", periods=14, freq="2h", name="time"),
    "every third period": pd.period_range("2024-01-01", periods=30, freq="D", name="time")[::3],
    "rows": pd.RangeIndex(20, name="time"),
    "rows with a step": pd.RangeIndex(7, 90, 4, name="time"),
    "plain integers": pd.Index(range(30, 90, 5), name="time"),
    "unsigned integers": pd.Index(np.arange(9, dtype=np.uint8), name="time"),
}
regular = pytest.mark.parametrize("index", REGULAR.values(), ids=REGULAR.keys())


# What is a time axis


@regular
def test_a_regular_index_is_returned_with_its_step(index):
    checked = check_time_axis("F", index)
    assert checked.equals(index)
    assert checked.name == "time"
    if isinstance(index, pd.DatetimeIndex):
        assert checked.dtype == index.dtype
        assert checked.freq is not None
        assert index.freq is None
    elif isinstance(index, pd.PeriodIndex):
        assert checked.dtype == index.dtype
    else:
        assert isinstance(checked, pd.RangeIndex)


@pytest.mark.parametrize(
    ("name", "freq"),
    [
        ("half-hourly over both clock changes", "30min"),
        ("local midnight in spring", "D"),
        ("local midnight in autumn", "D"),
        ("24 hours in UTC over a clock change", "24h"),
        ("business days", "B"),
        ("month starts, 31 days each", "MS"),
        ("weekly, local", "W-SUN"),
    ],
)
def test_the_frequency_that_is_found(name, freq):
    found = check_time_axis("F", REGULAR[name]).freq
    assert found == pd.tseries.frequencies.to_offset(freq)


def test_a_frequency_that_is_set_is_kept():
    index = pd.date_range("2024-01-01", periods=4, freq="B")
    assert check_time_axis("F", index).freq == pd.offsets.BusinessDay()


@pytest.mark.parametrize(
    ("tz", "start"),
    [
        ("America/Santiago", "2024-09-06"),
        ("America/Havana", "2024-11-01"),
        ("Africa/Cairo", "2024-04-24"),
        ("Atlantic/Azores", "2024-03-29"),
    ],
)
def test_a_midnight_that_the_clocks_leave_out_or_repeat(tz, start):
    hours = pd.Series(1, pd.date_range(start, periods=24 * 9, freq="h", tz=tz))
    days = pd.DatetimeIndex(list(hours.groupby(hours.index.date).apply(lambda day: day.index[0])))
    checked = check_time_axis("F", days)
    assert checked.equals(days)
    assert continue_axis(checked[:2], 5).equals(days[2:7])
    assert continue_axis(checked[:3], 5).equals(days[3:8])
    assert steps_after(checked[:2], days[2:]) == 1
    assert steps_after(checked[:2], days[5:]) == 4


def test_days_that_resample_made_over_such_a_midnight():
    hours = pd.Series(1, pd.date_range("2024-09-06", periods=24 * 9, freq="h", tz="America/Santiago"))
    days = hours.resample("D").sum().index
    assert days.freq == "D"
    assert days[2].hour == 1
    assert check_time_axis("F", days) is days
    assert continue_axis(days[:2], 3).equals(days[2:5])


def test_local_noons_and_midnights_are_irregular_over_a_clock_change():
    """A step of a day and a half is no calendar step: it is judged in UTC, as half a day is."""
    wall = pd.date_range("2024-03-25", periods=9, freq="36h")
    check_time_axis("F", wall)
    check_time_axis("F", wall[:4].tz_localize(MADRID))
    with pytest.raises(ValueError, match=r"not regular at row 5: 2024-04-01 12:00:00\+02:00 follows"):
        check_time_axis("F", wall.tz_localize(MADRID))


@pytest.mark.parametrize("index", [index[:n] for index in REGULAR.values() for n in (0, 1)])
def test_no_row_and_one_row_are_allowed(index):
    checked = check_time_axis("F", index)
    assert checked.equals(index)


@pytest.mark.parametrize(
    "index",
    [
        pd.Index(["2024-01-01", "2024-01-02"]),
        pd.Index([0.0, 1.0, 2.0]),
        pd.Index([False, True]),
        pd.Index([pd.Timestamp("2024-01-01"), 3], dtype=object),
        pd.to_timedelta([1, 2, 3], unit="h"),
        pd.CategoricalIndex(["a", "b"]),
        pd.MultiIndex.from_product([["a"], pd.date_range("2024", periods=3)]),
    ],
    ids=lambda index: type(index).__name__,
)
def test_other_kinds_of_index_are_refused(index):
    with pytest.raises(TypeError, match=r"^F: the index must be a DatetimeIndex, PeriodIndex or RangeIndex; got a"):
        check_time_axis("F", index)


def test_the_kind_of_a_refused_index_is_named():
    with pytest.raises(TypeError, match=r"got a MultiIndex\. .*`pd.to_datetime`.*`reset_index\(drop=True\)`"):
        check_time_axis("F", pd.MultiIndex.from_product([["a"], [1, 2]]))
    with pytest.raises(TypeError, match=r"got an index of float64"):
        check_time_axis("F", pd.Index([0.5]))


@regular
def test_a_reversed_index_is_refused(index):
    with pytest.raises(ValueError, match=r"^F: the index is not increasing at row 1: .* follows .*`sort_index\(\)`"):
        check_time_axis("F", index[::-1])


@regular
def test_unsorted_rows_name_the_first_one(index):
    order = np.arange(len(index))
    order[[1, 2]] = order[[2, 1]]
    with pytest.raises(ValueError, match=r"^F: the index is not increasing at row 2: "):
        check_time_axis("F", index[order])


@regular
def test_duplicates_are_counted(index):
    order = np.sort(np.r_[np.arange(len(index)), 0, 0])
    with pytest.raises(ValueError, match=r"^F: the index has 2 duplicates, the first one ") as error:
        check_time_axis("F", index[order])
    assert str(index[0]) in str(error.value)


def test_one_duplicate_is_not_two():
    with pytest.raises(ValueError, match=r"^F: the index has 1 duplicate, the first one 4. Drop or aggregate"):
        check_time_axis("F", pd.Index([3, 4, 4, 5]))


def test_naive_local_time_in_autumn_gets_a_hint():
    local = pd.date_range("2024-10-26", periods=200, freq="30min", tz=MADRID).tz_localize(None)
    with pytest.raises(
        ValueError, match=r"2 duplicates, the first one 2024-10-27 02:00:00\. .*daylight saving"
    ) as error:
        check_time_axis("F", local)
    assert "tz_localize(..., ambiguous='infer')" in str(error.value)


def test_naive_local_time_of_two_years_gets_the_hint_too():
    local = pd.date_range("2023-01-01", "2024-12-31", freq="h", tz=MADRID).tz_localize(None)
    with pytest.raises(ValueError, match=r"2 duplicates.*`tz_localize"):
        check_time_axis("F", local)


@pytest.mark.parametrize("tz", [None, MADRID])
def test_duplicates_of_several_hours_get_no_hint(tz):
    index = pd.date_range("2024-10-26", periods=50, freq="h", tz=tz)
    with pytest.raises(ValueError, match=r"2 duplicates") as error:
        check_time_axis("F", index.append(index[:2]).sort_values())
    assert "tz_localize" not in str(error.value)


def test_naive_local_time_in_spring_gets_a_hint():
    local = pd.date_range("2024-03-30", periods=200, freq="30min", tz=MADRID).tz_localize(None)
    with pytest.raises(
        ValueError, match=r"not regular at row 52: 2024-03-31 03:00:00 follows 2024-03-31 01:30:00"
    ) as error:
        check_time_axis("F", local)
    assert "daylight saving" in str(error.value)


def test_a_localized_index_that_lost_the_repeated_hour_is_irregular():
    index = pd.date_range("2024-10-26", periods=60, freq="h", tz=MADRID)
    with pytest.raises(ValueError, match=r"not regular at row 27: 2024-10-27 03:00:00\+01:00 follows"):
        check_time_axis("F", index.delete(27))


@pytest.mark.parametrize("kind", [pd.DatetimeIndex, pd.PeriodIndex])
def test_nat_names_its_row(kind):
    index = pd.date_range("2024-01-01", periods=6, freq="D").insert(4, pd.NaT).insert(6, pd.NaT)
    index = index if kind is pd.DatetimeIndex else index.to_period("D")
    with pytest.raises(ValueError, match=r"^F: the index has NaT at row 4"):
        check_time_axis("F", index)


@pytest.mark.parametrize("index", [index for index in REGULAR.values() if len(index) > 4])
@pytest.mark.parametrize("row", [1, 2, 3, -2])
def test_a_missing_row_is_named(index, row):
    """The first row after the hole is at fault, wherever the hole is, also in calendar steps of uneven length."""
    row %= len(index)
    with pytest.raises(ValueError, match=f"^F: the index is not regular at row {row}: ") as error:
        check_time_axis("F", index.delete(row))
    message = str(error.value)
    assert f"{index[row + 1]} follows {index[row - 1]}, but the step is" in message
    assert "`asfreq` or `resample`" in message
    assert "`reset_index(drop=True)` (a RangeIndex)" in message
    assert "daylight" not in message


@pytest.mark.parametrize("index", [pd.Index([0, 1, 3]), pd.DatetimeIndex(["2024-01-01", "2024-01-02", "2024-01-04"])])
def test_three_rows_can_be_irregular(index):
    with pytest.raises(ValueError, match="not regular at row 2"):
        check_time_axis("F", index)


def test_trading_days_are_irregular():
    days = pd.bdate_range("2024-12-02", "2025-01-31").drop(["2024-12-25", "2025-01-01", "2025-01-09"])
    with pytest.raises(ValueError, match=r"regular at row 17: 2024-12-26 00:00:00 follows 2024-12-24 .*BusinessDay"):
        check_time_axis("F", days)


@given(st.integers(3, 300), st.integers(1, 3000), st.data())
@settings(max_examples=300, deadline=None)
def test_any_moved_stamp_is_found(n, minutes, data):
    row = data.draw(st.integers(0, n - 1), label="row")
    shift = data.draw(st.integers(1, 60 * minutes - 1), label="seconds")
    index = pd.date_range("2024-01-01", periods=n, freq=f"{minutes}min").to_series()
    index.iloc[row] += pd.Timedelta(seconds=shift)
    with pytest.raises(ValueError, match=r"not regular at row"):
        check_time_axis("F", pd.DatetimeIndex(index))


# How it goes on


@regular
@pytest.mark.parametrize("known", [2, 3, -1])
def test_an_axis_continues_as_it_began(index, known):
    checked = check_time_axis("F", index)
    past = checked[:known]
    assert continue_axis(past, len(index) - len(past)).equals(index[known:])


@regular
def test_the_continuation_keeps_type_zone_name_and_frequency(index):
    checked = check_time_axis("F", index)
    future = continue_axis(checked, 5)
    assert type(future) is type(checked)
    assert future.dtype == checked.dtype
    assert future.name == "time"
    assert len(future) == 5
    assert future[0] > checked[-1]
    if not isinstance(checked, pd.RangeIndex):
        assert future.freq == checked.freq
    assert check_time_axis("F", checked.append(future)).equals(checked.append(future))


@regular
def test_skipping_steps(index):
    checked = check_time_axis("F", index)
    assert continue_axis(checked, 3, skip=4).equals(continue_axis(checked, 7)[4:])
    assert len(continue_axis(checked, 0)) == 0


@pytest.mark.parametrize("unit", ["s", "ns"])
@pytest.mark.parametrize("freq", ["h", "D", "MS"])
def test_the_resolution_of_the_stamps_is_kept(unit, freq):
    index = pd.date_range("2024-01-01", periods=5, freq=freq).as_unit(unit)
    assert continue_axis(check_time_axis("F", index), 3).unit == unit


def test_a_fold_of_a_daily_axis_forecasts_over_the_clock_change():
    past = check_time_axis("F", stamps("2024-03-01", 20, "D", MADRID))
    future = continue_axis(past, 15)
    assert (future.hour == 0).all()
    assert future[-1] == pd.Timestamp("2024-04-04", tz=MADRID)


@given(st.integers(2, 120), st.integers(1, 60), st.integers(0, 9), st.sampled_from(["2024-03-30", "2024-10-26"]))
@settings(max_examples=300, deadline=None)
def test_half_hours_over_a_clock_change_equal_the_result_in_utc(n, ahead, skip, start):
    utc = pd.date_range(start, periods=n, freq="30min", tz="UTC")
    local = check_time_axis("F", pd.DatetimeIndex(list(utc.tz_convert(MADRID))))
    future = continue_axis(local, ahead, skip)
    assert str(future.tz) == MADRID
    assert future.tz_convert("UTC").equals(continue_axis(utc, ahead, skip))


@pytest.mark.parametrize("name", ["daily", "half-hourly", "month starts, local"])
def test_one_stamp_has_no_step_unless_its_frequency_is_set(name):
    one = REGULAR[name][:1]
    checked = check_time_axis("F", one)
    with pytest.raises(ValueError, match=r"^F: One stamp has no step\. .*`index.freq`"):
        continue_axis(checked, 2, owner="F")
    with pytest.raises(ValueError, match=r"^time axis: One stamp has no step"):
        steps_after(checked, one)
    with_freq = check_time_axis("F", REGULAR[name])[:1]
    assert continue_axis(check_time_axis("F", with_freq), 2).equals(REGULAR[name][1:3])


def test_two_stamps_give_the_step_between_them():
    assert continue_axis(check_time_axis("F", pd.DatetimeIndex(["2024-01-01 00:00", "2024-01-01 00:20"])), 1)[
        0
    ] == pd.Timestamp("2024-01-01 00:40")
    assert continue_axis(check_time_axis("F", pd.Index([3, 10])), 2).tolist() == [17, 24]


def test_one_row_whose_type_knows_the_step():
    assert continue_axis(check_time_axis("F", pd.Index([5])), 2).tolist() == [6, 7]
    assert continue_axis(pd.RangeIndex(0, 40, 4)[:1], 2).tolist() == [4, 8]
    assert continue_axis(pd.PeriodIndex(["2024-01"], freq="3M"), 2).astype(str).tolist() == ["2024-04", "2024-07"]


def test_an_axis_without_rows_cannot_be_continued():
    with pytest.raises(ValueError, match=r"^F: an index without rows cannot be continued"):
        continue_axis(pd.RangeIndex(0), 1, owner="F")


# Where new rows lie


@regular
def test_steps_after_counts_from_the_last_known_stamp(index):
    checked = check_time_axis("F", index)
    everything = checked.append(continue_axis(checked, 10))
    for begin in (0, 1, len(index) - 1, len(index), len(index) + 1, len(index) + 6):
        for new in (everything[begin:], everything[begin : begin + 1]):
            assert steps_after(checked, new) == begin - len(index) + 1


@regular
def test_rows_off_the_grid_are_not_known(index):
    checked = check_time_axis("F", index)
    future = continue_axis(checked, 8)
    if isinstance(index, pd.DatetimeIndex):
        assert steps_after(checked, future + pd.Timedelta(seconds=1)) is None
        assert steps_after(checked, future[:1] + pd.Timedelta(seconds=1)) is None
        assert steps_after(checked, future.insert(3, pd.NaT)) is None
        assert steps_after(checked, future.insert(0, pd.NaT)) is None
    assert steps_after(checked, future[::2]) is None
    assert steps_after(checked, future[::-1]) is None
    assert steps_after(checked, future.delete(3)) is None
    assert steps_after(checked, future[:0]) is None
    assert steps_after(checked[:0], future) is None


def test_integers_between_two_steps_are_off_the_grid():
    assert steps_after(pd.RangeIndex(0, 40, 4), pd.Index([42])) is None
    assert steps_after(pd.RangeIndex(0, 40, 4), pd.Index([44])) == 2
    assert steps_after(pd.RangeIndex(4), pd.Index([-2, -1])) == -5


def test_other_kinds_of_index_are_not_known():
    kinds = [
        pd.date_range("2024-01-01", periods=3),
        pd.period_range("2024-01-01", periods=3, freq="D"),
        pd.RangeIndex(3),
    ]
    for known in kinds:
        for new in [*kinds, pd.Index(["a"]), pd.period_range("2024-01", periods=3, freq="M")]:
            if type(known) is not type(new) or known.dtype != new.dtype:
                assert steps_after(known, new) is None


@pytest.mark.parametrize("freq", ["h", "D"])
def test_stamps_with_and_without_a_zone_cannot_be_compared(freq):
    naive = pd.date_range("2024-01-01", periods=3, freq=freq)
    for known, new in [(naive, naive.tz_localize("UTC")), (naive.tz_localize("UTC"), naive)]:
        with pytest.raises(TypeError, match=r"^F: the new index is .*UTC.*with and without a time zone.*`tz_localize`"):
            steps_after(known, new, owner="F")


@pytest.mark.parametrize("freq", ["30min", "D"])
def test_different_zones_are_compared_in_utc(freq):
    known = check_time_axis("F", stamps("2024-03-29", 4, freq, MADRID))
    new = continue_axis(known, 6, skip=2)
    assert steps_after(known, new.tz_convert("Asia/Kolkata")) == 3
    assert steps_after(known, new.tz_convert("UTC")) == 3


def test_stamps_of_another_resolution_are_compared():
    known = pd.date_range("2024-01-01", periods=4, freq="h").as_unit("s")
    new = pd.date_range("2024-01-01 05:00", periods=4, freq="h").as_unit("ns")
    assert steps_after(known, new) == 2
    assert steps_after(known, new + pd.Timedelta(1, unit="ns")) is None


@given(st.integers(2, 40), st.integers(-80, 80), st.integers(1, 30), st.sampled_from(list(REGULAR)))
@settings(max_examples=400, deadline=None)
def test_steps_after_inverts_continue_axis(n, start, length, name):
    grid = check_time_axis("F", REGULAR[name][:200])
    grid = check_time_axis("F", grid.append(continue_axis(grid, 200)))
    known = check_time_axis("F", grid[40 : 40 + n])
    begin = 40 + n - 1 + start
    assert steps_after(known, grid[max(begin, 0) : max(begin, 0) + length]) == max(begin, 0) - (40 + n - 1)
    if start > 0:
        assert continue_axis(known, length, start - 1).equals(grid[begin : begin + length])


def test_stamps_too_far_apart_to_count_are_not_on_the_grid():
    """Both what lies between and what would follow are more than pandas can count."""
    last = pd.Timestamp.max.floor("h")
    late = pd.DatetimeIndex([last - pd.Timedelta("1D"), last])
    assert steps_after(pd.date_range("1969-01-01", periods=2, freq="h", unit="us"), late) is None
    assert steps_after(pd.date_range("2000-01-01", periods=2, freq="2D", unit="us"), late) is None
