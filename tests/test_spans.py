"""Lengths of time as rows: those a whole number of spans before the last one."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsrnn._spans import rows_apart

DAYS = pd.date_range("2024-01-01", periods=9, freq="D")
CALENDAR_DAY = pd.DateOffset(days=1)


@pytest.mark.parametrize(
    ("chosen", "size", "expected"),
    [
        (range(9), pd.Timedelta("2D"), [0, 2, 4, 6, 8]),
        (range(8), pd.Timedelta("2D"), [1, 3, 5, 7]),
        (range(9), pd.Timedelta("8D"), [0, 8]),
        (range(9), pd.Timedelta("9D"), [8]),
        ([0, 1, 3, 4, 6], pd.Timedelta("2D"), [0, 3, 4]),
        ([5], pd.Timedelta("2D"), [0]),
        (range(9), 3 * CALENDAR_DAY, [2, 5, 8]),
    ],
)
def test_rows_are_counted_back_from_the_last_one(chosen, size, expected):
    rows = rows_apart(DAYS[list(chosen)], size)
    assert rows.dtype == np.int64
    assert rows.tolist() == expected


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("2024-04-01 05:00+02:00", ["30T05:00+01:00", "31T05:00+02:00", "01T05:00+02:00"]),
        # An hour that the clocks leave out is 24 hours after that of the day before; of one shown twice, the first
        # counts, but for the last row.
        ("2024-04-01 02:00+02:00", ["30T02:00+01:00", "31T03:00+02:00", "01T02:00+02:00"]),
        ("2024-10-28 02:00+01:00", ["26T02:00+02:00", "27T02:00+02:00", "28T02:00+01:00"]),
        ("2024-10-27 02:00+02:00", ["25T02:00+02:00", "26T02:00+02:00", "27T02:00+02:00"]),
        ("2024-10-27 02:00+01:00", ["25T02:00+02:00", "26T02:00+02:00", "27T02:00+01:00"]),
    ],
)
def test_days_are_those_of_the_wall_clock_and_24_hours_are_exact(end, expected):
    last = pd.Timestamp(end).tz_convert("Europe/Berlin")
    index = pd.date_range(last - pd.Timedelta("60h"), last, freq="h")
    assert [stamp.isoformat(timespec="minutes")[8:] for stamp in index[rows_apart(index, CALENDAR_DAY)]] == expected
    assert rows_apart(index, pd.Timedelta("24h")).tolist() == [12, 36, 60]


@pytest.mark.parametrize("size", [CALENDAR_DAY, pd.offsets.Day()])
def test_midnights_that_the_clocks_leave_out(size):
    index = pd.date_range("2024-04-24 00:00", "2024-04-28 00:00", freq="h", tz="Africa/Cairo")
    midnights = [f"{stamp:%d %H:%M}" for stamp in index[rows_apart(index, size)]]
    assert midnights == ["24 00:00", "25 00:00", "26 01:00", "27 00:00", "28 00:00"]


@given(st.sets(st.integers(0, 60), min_size=1), st.integers(1, 20))
@settings(deadline=None)
def test_rows_of_an_irregular_index_are_whole_spans_apart(hours, size):
    index = pd.Timestamp("2024-01-01") + pd.to_timedelta(sorted(hours), unit="h")
    expected = [row for row, hour in enumerate(sorted(hours)) if (max(hours) - hour) % size == 0]
    assert rows_apart(index, pd.Timedelta(hours=size)).tolist() == expected
