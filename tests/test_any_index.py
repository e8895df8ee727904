"""Whatever index rows have, it is read as a time axis or refused with the words of whom it was given to."""

import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsrnn import NaiveForecaster
from tsrnn._time_axis import check_time_axis, continue_axis, steps_after

ZONES = [
    None,
    "UTC",
    "Europe/Madrid",
    "Australia/Lord_Howe",
    datetime.timezone(datetime.timedelta(hours=5, minutes=45)),
]
FREQUENCIES = ["h", "15min", "D", "2D", "B", "W-SUN", "MS", "3ME", "QS-FEB", "YE-MAR", "ns", "250ms", "SMS", "WOM-2TUE"]
# Not of the other order of bytes, which pandas itself cannot look up.
DTYPES = [
    "i1",
    "u1",
    "i4",
    "i8",
    "u8",
    "f8",
    "?",
    "m8[ns]",
    "M8[s]",
    "Int64",
    "UInt8",
    "Float64",
    "object",
    "category",
]
CASES = st.integers(0, 6)


@st.composite
def stamps(draw):
    """Stamps of a frequency, changed or not."""
    start = draw(st.datetimes(datetime.datetime(1700, 1, 1), datetime.datetime(2250, 1, 1)))
    index = pd.date_range(start, periods=draw(st.integers(0, 8)), freq=draw(st.sampled_from(FREQUENCIES)), tz="UTC")
    index, how = index.tz_convert(draw(st.sampled_from(ZONES))), draw(CASES)
    if how == 0:
        return index[::-1]
    if how == 1 and len(index):
        return index.insert(draw(st.integers(0, len(index))), pd.NaT)
    if how == 2 and len(index) > 3:
        return index.delete(2)
    if how == 3:
        return index.repeat(2)
    if how == 4:
        return pd.DatetimeIndex(list(index)) if len(index) else index
    return index.normalize() if how == 5 else index


@st.composite
def numbers(draw):
    """Numbers, flags and lengths of time, in order or not, of any type."""
    values = draw(st.lists(st.integers(0, 100), max_size=6))
    values = sorted(values) if draw(st.booleans()) else values
    dtype = draw(st.sampled_from(DTYPES))
    whole = np.array(values, dtype=dtype) if dtype[0] in "iu>f?mM" else pd.array(values, dtype=dtype)
    return pd.Index(whole)


OTHERS = st.one_of(
    st.builds(
        lambda start, count, step: pd.RangeIndex(start, start + count * step, step),
        st.integers(-(2**62), 2**62),
        st.integers(0, 5),
        st.sampled_from([1, 7, 2**60, -3]),
    ),
    st.builds(
        lambda start, count, freq: pd.period_range(start, periods=count, freq=freq),
        st.dates(datetime.date(1800, 1, 1), datetime.date(2200, 1, 1)),
        st.integers(0, 6),
        st.sampled_from(["M", "Q-JAN", "Y-MAR", "W-TUE", "2h", "D"]),
    ),
    st.lists(st.one_of(st.none(), st.integers(), st.text(max_size=2), st.dates(), st.floats()), max_size=5).map(
        lambda values: pd.Index(values, dtype=object)
    ),
    st.lists(st.text(max_size=3), max_size=4).map(lambda texts: pd.Index(texts, dtype="str")),
    st.just(pd.MultiIndex.from_product([["a"], [1, 2]])),
    st.just(pd.interval_range(0, 3)),
    st.just(pd.timedelta_range("1h", periods=3)),
    st.just(pd.PeriodIndex(["2024-01", None, "2024-03"], freq="M")),
    st.just(pd.Index([2**63, 2**64 - 1], dtype="uint64")),
    st.just(pd.Index([-(2**63), 2**63 - 1])),
    st.just(pd.Index([1, None, 3], dtype="Int64")),
    st.just(pd.DatetimeIndex([pd.Timestamp.min, pd.Timestamp.max])),
    st.just(pd.DatetimeIndex([pd.Timestamp.max - pd.Timedelta("1D"), pd.Timestamp.max])),
)
INDICES = st.one_of(stamps(), numbers(), OTHERS)


def check(index, other):
    """Read an index, continue it and compare it with another; an error of another type than the two passes through."""
    try:
        axis = check_time_axis("Owner", index)
    except (TypeError, ValueError) as error:
        assert str(error).startswith("Owner: ")  # noqa: PT017 - either outcome is right
        return
    assert len(axis) == len(index)
    assert axis.name == index.name
    assert axis.is_monotonic_increasing
    assert axis.is_unique
    for ask in (lambda: continue_axis(axis, 2, owner="Owner"), lambda: steps_after(axis, other, owner="Owner")):
        try:
            ask()
        except (TypeError, ValueError) as error:
            assert str(error).startswith("Owner: ")  # noqa: PT017


def check_forecast(index):
    """Let a rule forecast a series with this index."""
    series = pd.Series(np.arange(float(len(index))), index=index)
    try:
        forecast = NaiveForecaster(2).fit(series).predict()
    except (TypeError, ValueError) as error:
        assert "NaiveForecaster" in str(error)  # noqa: PT017
    else:
        parts = forecast.values() if isinstance(forecast, dict) else [forecast]
        assert all(len(part) % 2 == 0 for part in parts)


@given(INDICES, INDICES)
def test_an_index_is_read_or_refused_by_name(index, other):
    check(index, other)


@pytest.mark.slow
@settings(max_examples=2_000, deadline=None, derandomize=True)
@given(INDICES, INDICES)
def test_of_many_indices_each_is_read_or_refused_by_name(index, other):
    check(index, other)


@pytest.mark.slow
@settings(max_examples=2_000, deadline=None, derandomize=True)
@given(INDICES)
def test_a_series_with_any_index_is_forecast_or_refused_by_name(index):
    check_forecast(index)
