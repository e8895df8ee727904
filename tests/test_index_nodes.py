"""Indices of pandas in files: each comes back as it was, or is refused when it is saved."""

import datetime
import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tsrnn import _stacks
from tsrnn._node_kinds import INDEX
from tsrnn._tree import Checker, Decoder, Encoder

ZONES = [None, "UTC", "Europe/Madrid", "America/St_Johns", "+05:30", datetime.timezone(-datetime.timedelta(hours=3))]
FREQUENCIES = ["h", "15min", "D", "3D", "B", "W-SUN", "MS", "ME", "QS-FEB", "YE-MAR", "s", "250ms", "SMS", "WOM-2TUE"]
PERIODS = ["M", "Q-JAN", "Y-MAR", "W-TUE", "2h", "D", "s", "15min"]


class RefusedError(Exception):
    pass


def refuse(*_):
    raise RefusedError


def again(index):
    """What comes back of an index, or None if a file cannot hold it."""
    encoder = Encoder({}, refuse)
    try:
        node = json.loads(json.dumps(encoder.node(index)))
    except RefusedError:
        return None
    stored = [_stacks.told_of(parts, stacked=False) for parts in encoder.members]
    if not INDEX.fits(node, Checker({}, stored)):  # `save` checks what it writes
        return None
    arrays = [(told, parts[0].copy()) for told, parts in zip(stored, encoder.members, strict=True)]
    return Decoder({}, arrays).value(node)


def assert_same(found, index):
    pd.testing.assert_index_equal(found, index, exact=True)
    assert type(found) is type(index)
    assert str(found.dtype) == str(index.dtype)
    assert getattr(found, "freq", None) == getattr(index, "freq", None)
    assert repr(found.name) == repr(index.name)


NAMES = st.one_of(
    st.none(),
    st.text(max_size=3),
    st.integers(),
    st.tuples(st.text(max_size=2), st.integers(0, 3)),
    st.sampled_from([True, 0.5, np.int64(3), datetime.date(2024, 1, 1), ("a", 0.5), (), pd.NaT]),
)


@st.composite
def stamps(draw):
    freq = draw(st.sampled_from(FREQUENCIES))
    index = pd.date_range(
        draw(st.datetimes(datetime.datetime(1950, 1, 1), datetime.datetime(2080, 1, 1))).replace(microsecond=0),
        periods=draw(st.integers(0, 6)),
        freq=freq,
        tz="UTC",
        unit=draw(st.sampled_from(["ms", "us", "ns"])),
    )
    zone, how = draw(st.sampled_from(ZONES)), draw(st.integers(0, 5))
    index = index.tz_convert(zone)
    if how == 0:
        index = pd.DatetimeIndex(list(index)) if len(index) else index
    if how == 1:
        index = index[::-2]
    if how == 2 and len(index):
        index = index.insert(1, pd.NaT)
    return index.normalize() if how == 3 else index.as_unit("s") if how == 4 and freq != "250ms" else index


PLAIN = st.one_of(
    st.builds(
        pd.RangeIndex, st.integers(-(10**12), 10**12), st.integers(-(10**12), 10**12), st.sampled_from([1, 3, -2])
    ),
    st.builds(
        lambda values, dtype: pd.Index(np.array(values, dtype=dtype)),
        st.lists(st.integers(0, 127), max_size=5),
        st.sampled_from(["i1", "u1", "i2", "u4", "i8", "u8", "f8", "f4", "?", "m8[ns]", "M8[s]"]),
    ),
    st.builds(
        lambda start, count, freq: pd.period_range(start, periods=count, freq=freq),
        st.dates(datetime.date(1950, 1, 1)).filter(lambda day: day.year < 2200),
        st.integers(0, 5),
        st.sampled_from(PERIODS),
    ),
    st.builds(
        lambda texts, dtype: pd.Index(texts, dtype=dtype),
        st.lists(st.one_of(st.text(max_size=3), st.none()), max_size=4),
        st.sampled_from(["object", "str", "category", "string"]),
    ),
    st.just(pd.Index([1, "a", None])),
    st.just(pd.MultiIndex.from_product([["a"], [1, 2]])),
    st.just(pd.interval_range(0, 3)),
    st.just(pd.PeriodIndex(["2024-01", None], freq="M")),
    st.just(pd.timedelta_range("1h", periods=3)),
    st.just(pd.Index([2**63], dtype="uint64")),
    st.just(pd.Index(["\ud800", "ä", "\x00"], dtype="object")),
)


@pytest.mark.filterwarnings("ignore:Discarding nonzero nanoseconds")
def check(index, name):
    index = index.rename([name] * index.nlevels if index.nlevels > 1 else name)
    found = again(index)
    if found is not None:
        assert_same(found, index)


@given(st.one_of(stamps(), PLAIN), NAMES)
def test_an_index_comes_back_or_is_refused(index, name):
    check(index, name)


@pytest.mark.slow
@settings(max_examples=3_000, deadline=None, derandomize=True)
@given(st.one_of(stamps(), PLAIN), NAMES)
def test_of_many_indices_each_comes_back_or_is_refused(index, name):
    check(index, name)


HELD = [
    pd.RangeIndex(0),
    pd.RangeIndex(9, -5, -2, name=("a", 1)),
    pd.Index([3, 1, 2], dtype="u2", name=7),
    pd.Index(["a", ""], dtype="str"),
    pd.Index(["a", ""], dtype="object"),
    pd.period_range("2024-01", periods=3, freq="Q-NOV", name="quarter"),
    *(pd.date_range("2024-03-30", periods=4, freq=freq, tz="Europe/Madrid") for freq in ("h", "D", "B", "W-SUN", "MS")),
    pd.date_range("2024-03-30", periods=4, freq="h", tz="UTC", unit="s"),
    pd.DatetimeIndex(["2024-01-01", None, "1970-01-01"]),
]


@pytest.mark.parametrize("index", HELD, ids=range(len(HELD)))
def test_what_forecasters_have_is_held(index):
    found = again(index)
    assert found is not None
    assert_same(found, index)


def test_the_order_of_bytes_and_the_text_of_numpy_are_not_kept():
    found = again(pd.Index(np.arange(3, dtype=">i4"), name=np.str_("x")))
    assert_same(found, pd.Index(np.arange(3, dtype="<i4"), name="x"))


@pytest.mark.parametrize(
    "index",
    [
        pd.Index([0.5]),
        pd.Index([True]),
        pd.Index(["a", None], dtype="object"),
        pd.CategoricalIndex(["a"]),
        pd.MultiIndex.from_product([["a"], [1]]),
        pd.date_range("2024-01-01", periods=3, freq=pd.offsets.CustomBusinessDay(holidays=["2024-01-02"])),
        pd.RangeIndex(3, name=0.5),
    ],
    ids=["float", "flag", "missing text", "category", "levels", "own calendar", "odd name"],
)
def test_what_no_file_holds_is_refused(index):
    assert again(index) is None
