"""Indices as nodes: each comes back as it was, and what tells of none is refused."""

import numpy as np
import pandas as pd
import pytest

from tsrnn import _index_nodes
from tsrnn._index_nodes import is_name
from tsrnn._stacks import Stored
from tsrnn._tree import Checker, Decoder, Encoder

BERLIN = pd.date_range("2024-10-26", periods=4, freq="D", tz="Europe/Berlin", name="day")
INDEXES = {
    "range": pd.RangeIndex(5, 85, 2, name="step"),
    "a range back": pd.RangeIndex(3, -1, -1),
    "stamps": pd.date_range("2024-01-01", periods=3, freq="h", unit="ns"),
    "stamps in seconds": pd.DatetimeIndex(["2024-01-01", "2024-01-05"]).as_unit("s"),
    "stamps of a zone": BERLIN,
    "stamps of an offset": pd.DatetimeIndex(["2024-01-01", "2024-01-05"], tz="UTC+02:00"),
    "a week that ends on Wednesday": pd.date_range("2024-01-03", periods=3, freq="W-WED"),
    "steps back": pd.date_range("2024-01-03", periods=3, freq="-2D"),
    "periods": pd.period_range("2018-01", periods=4, freq="M", name=("a", 1)),
    "quarters": pd.period_range("2018-01", periods=4, freq="Q-JAN"),
    "integers": pd.Index([3, 1, 2], name=7),
    "small integers": pd.Index(np.array([3, 1], dtype=np.uint8)),
    "text": pd.Index(["b", "a"], dtype=object, name="label"),
    "none": pd.Index([], dtype=object),
}


def refuse(*_):
    raise AssertionError


def encoded(index):
    """The node of an index, without its tag, and the arrays that it refers to."""
    encoder = Encoder({}, refuse)
    return _index_nodes.encode(index, encoder), [values for (values,) in encoder.members]


def told_of(arrays):
    return [Stored(values.dtype.str, values.shape, "C") for values in arrays]


def checker_of(arrays):
    return Checker({}, told_of(arrays))


@pytest.mark.parametrize("name", INDEXES)
def test_an_index_comes_back_as_it_was(name):
    index = INDEXES[name]
    node, arrays = encoded(index)
    checker = checker_of(arrays)
    assert _index_nodes.fits(node, checker)
    assert ([*map(bytes, checker.used)], checker.whole) == (len(arrays) * [b"\1"], set())
    again = _index_nodes.decode(node, Decoder({}, list(zip(told_of(arrays), arrays, strict=True))))
    assert type(again) is type(index)
    assert (again.dtype, again.name, getattr(again, "freq", None)) == (
        index.dtype,
        index.name,
        getattr(index, "freq", None),
    )
    assert again.equals(index)
    if name == "range":
        assert (again.start, again.stop, again.step) == (5, 85, 2)


OTHERS = {
    "a MultiIndex": pd.MultiIndex.from_product([["a"], [1, 2]]),
    "floats": pd.Index([0.5, 1.0]),
    "spans": pd.to_timedelta(["1h", "2h"]),
    "categories": pd.CategoricalIndex(["a", "b"]),
    "objects": pd.Index(["a", 1], dtype=object),
    "a name that is no plain one": pd.Index(["a"], dtype=object, name=0.5),
    "a zone of a file": pd.DatetimeIndex(["2024-01-01"], tz="dateutil/Europe/Berlin"),
    "days of business with a calendar": pd.date_range(
        "2024-01-01", periods=3, freq=pd.offsets.CDay(holidays=["2024-01-02"])
    ),
    "a step of its own": pd.date_range("2024-01-01", periods=3, freq=pd.DateOffset(days=1)),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_indices_have_no_node(name):
    assert encoded(OTHERS[name])[0] is None


def test_nodes_say_what_the_format_says():
    assert encoded(INDEXES["range"])[0] == {"range": [5, 85, 2], "name": "step"}
    node, arrays = encoded(BERLIN)
    assert node == {"stamps": {"array": 0}, "unit": BERLIN.unit, "zone": "Europe/Berlin", "freq": "D", "name": "day"}
    assert arrays[0].tolist() == BERLIN.asi8.tolist()
    node, arrays = encoded(INDEXES["periods"])
    assert node == {"periods": {"array": 0}, "freq": "M", "name": {"tuple": ["a", 1]}}
    assert arrays[0].tolist() == [576, 577, 578, 579]
    assert encoded(INDEXES["integers"])[0] == {"integers": {"array": 0}, "name": 7}
    assert encoded(INDEXES["text"])[0] == {"texts": ["b", "a"], "dtype": "object", "name": "label"}


def test_equal_indices_are_stored_once():
    encoder = Encoder({}, refuse)
    for index in (BERLIN, BERLIN.copy(), BERLIN + pd.Timedelta("1h"), BERLIN.as_unit("s")):
        _index_nodes.encode(index, encoder)
    assert len(encoder.members) == 3


# --- what a file may say ---

ARRAYS = [
    np.arange(3),
    np.arange(3, dtype=np.int32),
    np.ones(3),
    np.ones((3, 1), dtype=np.int64),
    np.ones(3, dtype=bool),
]
STAMPS = {"stamps": {"array": 0}, "unit": "ns", "zone": None, "freq": None, "name": None}
PERIODS = {"periods": {"array": 0}, "freq": "M", "name": None}
TEXTS = {"texts": ["a"], "dtype": "object", "name": None}
LARGEST = 2**62 - 1


@pytest.mark.parametrize(
    "node",
    [
        {"range": [0, LARGEST, 1], "name": None},
        {"range": [-LARGEST, 0, -LARGEST], "name": 3},
        STAMPS,
        STAMPS | {"unit": "us", "zone": "America/Argentina/Buenos_Aires", "freq": "30min"},
        STAMPS | {"zone": "UTC-11:30", "freq": "W-SUN"},
        PERIODS | {"freq": "Q-DEC"},
        {"integers": {"array": 0}, "name": "a"},
        {"integers": {"array": 1}, "name": {"tuple": ["a", None, 1]}},
        TEXTS,
        TEXTS | {"texts": [], "dtype": "str"},
    ],
)
def test_what_fits(node):
    assert _index_nodes.fits(node, checker_of(ARRAYS))


@pytest.mark.parametrize(
    "node",
    [
        None,
        [],
        {"name": None},
        {"range": [0, 3, 1]},
        {"range": [0, 3, 1], "name": 0.5},
        {"range": [0, 3, 1], "name": None, "freq": None},
        {"range": [0, 3], "name": None},
        {"range": [0, 3, 1, 1], "name": None},
        {"range": [0, 3, 0], "name": None},
        {"range": [0, 3.0, 1], "name": None},
        {"range": [False, 3, 1], "name": None},
        {"range": [0, LARGEST + 1, 1], "name": None},
        {"range": [-LARGEST - 1, 0, 1], "name": None},
        {"range": "031", "name": None},
        *(STAMPS | {"stamps": {"array": number}} for number in (1, 2, 3, 5)),
        *(STAMPS | {"unit": unit} for unit in ("D", "", None, "NS")),
        *(STAMPS | {"zone": zone} for zone in ("", 1, "/etc/passwd", "../x", "dateutil/Europe/Berlin", "a/b/c/d")),
        *(STAMPS | {"freq": freq} for freq in ("", 1, "D D", "W-sun", "1234567890D", "secondly")),
        {name: part for name, part in STAMPS.items() if name != "freq"},
        *(PERIODS | {"freq": freq} for freq in (None, 1, "", "M M")),
        PERIODS | {"periods": {"array": 1}},
        PERIODS | {"zone": None},
        *({"integers": {"array": number}, "name": None} for number in (2, 3, 4, 5)),
        {"integers": None, "name": None},
        {"integers": {"array": 0}, "name": None, "freq": None},
        TEXTS | {"dtype": "int64"},
        TEXTS | {"dtype": None},
        TEXTS | {"texts": ["a", 1]},
        TEXTS | {"texts": "a"},
        TEXTS | {"freq": None},
        {"texts": ["a"], "name": None},
    ],
)  # fmt: skip
def test_what_does_not_fit(node):
    assert not _index_nodes.fits(node, checker_of(ARRAYS))


def test_names_of_indices():
    assert all(map(is_name, [None, "", "a", 3, {"tuple": []}, {"tuple": ["a", {"tuple": [1]}]}]))
    wrong = [0.5, True, [], ["a"], {}, {"tuple": None}, {"tuple": [0.5]}, {"tuple": ["a", 0.5]}, {"list": []}]
    assert not any(map(is_name, [*wrong, {"tuple": [], "list": []}]))
