"""Values as nodes and back, one kind at a time: what stands in the text, what comes back, and what is refused."""

import datetime
import json
import math

import numpy as np
import pandas as pd
import pytest

from tsrnn import _node_kinds as kinds
from tsrnn import _stacks
from tsrnn._tree import Checker, Decoder, Encoder, Spec, content, is_int, place_of


class Part:
    pass


class Whole:
    pass


TABLE = {
    "Part": Spec(Part, {"value": kinds.PLAIN}),
    "Whole": Spec(
        Whole,
        {"name": kinds.TEXT, "added": kinds.INT},
        {"state_": kinds.PLAIN, "index_": kinds.PLAIN, "memory_": kinds.PLAIN},
        ["state_"],
        left_out=["index_"],
        forgotten=["memory_"],
        defaults={"added": 3},
    ),
}


class RefusedError(Exception):
    pass


def refuse(*told):
    raise RefusedError(*told)


def made(cls, **attributes):
    estimator = object.__new__(cls)
    vars(estimator).update(attributes)
    return estimator


def encoded(value):
    encoder = Encoder(TABLE, refuse)
    return encoder.node(value), encoder


def decoder_of(encoder):
    stacked = set(encoder.stacks.values())
    stored = [_stacks.told_of(parts, stacked=number in stacked) for number, parts in enumerate(encoder.members)]
    flat = [
        np.concatenate([part.reshape(-1, order=told.order) for part in parts])
        for told, parts in zip(stored, encoder.members, strict=True)
    ]
    return Decoder(TABLE, list(zip(stored, flat, strict=True)), encoder.columns)


def again(value):
    node, encoder = encoded(value)
    return decoder_of(encoder).value(json.loads(json.dumps(node)))


PLAIN = [
    (None, None),
    (True, True),
    (3, 3),
    ("a", "a"),
    (0.5, 0.5),
    (math.inf, {"float": "inf"}),
    (-math.inf, {"float": "-inf"}),
    (np.float32(0.5), {"number": ["float32", 0.5]}),
    (np.float64(0.5), {"number": ["float64", 0.5]}),
    (np.int8(-3), {"number": ["int8", -3]}),
    (np.uint64(2**63), {"number": ["uint64", 2**63]}),
    (np.bool_(True), {"number": ["bool", True]}),
    ((1, "a"), {"tuple": [1, "a"]}),
    ([1, (2,)], {"list": [1, {"tuple": [2]}]}),
    ({"b", "a"}, {"set": ["a", "b"]}),
    ({"b": 1, "a": [2]}, {"dict": [["b", 1], ["a", {"list": [2]}]]}),
    ({(1, 2): None}, {"dict": [[{"tuple": [1, 2]}, None]]}),
    (datetime.date(2024, 2, 29), {"date": "2024-02-29"}),
    (pd.Timedelta("2s").as_unit("ms"), {"span": ["ms", 2000]}),
    (np.log1p, {"function": "log1p"}),
    (np.sinh, {"function": "sinh"}),
]


@pytest.mark.parametrize(("value", "node"), PLAIN)
def test_plain_values(value, node):
    assert encoded(value)[0] == node
    found = again(value)
    assert (type(found), found) == (type(value), value)


def test_values_that_come_back_as_their_like():
    assert math.isnan(again(math.nan))
    assert encoded(math.nan)[0] == {"float": "nan"}
    assert type(again(np.str_("a"))) is str
    assert encoded(np.str_("a"))[0] == "a"
    assert again(frozenset({2, 1})) == {1, 2}
    assert encoded(np.array(0.5).astype(">f8")[()])[0] == {"number": ["float64", 0.5]}
    assert again(pd.Timedelta("2s").as_unit("ms")).unit == "ms"


REFUSED = {
    "a function": len,
    "another function of numpy": np.sin,
    "a complex number": np.complex128(1),
    "a number that is none": np.float32("nan"),
    "an infinite number": np.float64("inf"),
    "a time of numpy": np.datetime64("2024-01-01"),
    "a stamp": pd.Timestamp("2024-01-01"),
    "a time": datetime.datetime(2024, 1, 1),
    "an object": object(),
    "bytes": b"a",
    "complex numbers": np.ones(2, dtype=complex),
    "stamps": np.array(["2024-01-01"], dtype="M8[ns]"),
    "objects": np.array(["a", 1], dtype=object),
    "texts in a table": np.array([["a"]]),
    "one text": np.array("a"),
    "an index of floats": pd.Index([0.5]),
    "an integer of its own": type("Own", (int,), {})(3),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_is_told_with_its_place(name):
    for value in (REFUSED[name], [REFUSED[name]], {"key": (REFUSED[name],)}):
        with pytest.raises(RefusedError) as error:
            encoded(made(Whole, name="a", added=made(Part, value=1), state_=value))
        owner, attribute, found = error.value.args
        assert (owner, attribute) == ("Whole", "state_")
        assert found is REFUSED[name]


# --- arrays ---


def test_arrays_of_numbers_keep_type_order_and_shape():
    table = np.arange(6.0).reshape(2, 3)
    odd = np.arange(24, dtype=np.int16).reshape(2, 3, 4).transpose(1, 0, 2)
    for values in (
        table,
        np.asfortranarray(table),
        table.astype(">f4"),
        np.array(2.5),
        np.arange(3) > 1,
        np.empty((0, 2)),
    ):
        node, encoder = encoded(values)
        assert node == {"array": 0}
        found = again(values)
        assert found.dtype == values.dtype.newbyteorder("<")
        assert (found.flags.c_contiguous, found.flags.f_contiguous) == (
            values.flags.c_contiguous,
            values.flags.f_contiguous,
        )
        np.testing.assert_array_equal(found, values)
        assert len(encoder.members) == 1
    assert again(odd).flags.c_contiguous
    np.testing.assert_array_equal(again(odd), odd)
    strided = np.arange(6.0)[::2]
    np.testing.assert_array_equal(again(strided), strided)


def test_one_array_is_stored_once_and_equal_ones_twice():
    values = np.arange(4.0)
    node, encoder = encoded([values, values, values.copy(), values[1:], values.reshape(2, 2)])
    assert node == {"list": [{"array": number} for number in (0, 0, 1, 2, 3)]}
    assert len(encoder.members) == 4


def test_addresses_of_arrays_that_are_gone_are_not_taken_for_others():
    encoder = Encoder(TABLE, refuse)
    nodes = [encoder.node(np.full(1000, float(number), dtype=">f8")) for number in range(20)]
    assert nodes == [{"array": number} for number in range(20)]
    assert [part[0] for (part,) in encoder.members] == list(range(20))


def test_equal_numbers_of_an_index_are_stored_once():
    encoder = Encoder(TABLE, refuse)
    numbers = [np.arange(4), np.arange(4), np.arange(4, dtype=np.int32), np.arange(5)]
    assert [encoder.unchanging(values) for values in numbers] == [{"array": number} for number in (0, 0, 1, 2)]


@pytest.mark.parametrize("dtype", ["<U3", ">U3", object])
def test_arrays_of_text(dtype):
    values = np.array(["a", "bcd"], dtype=dtype)
    code = "|O" if dtype is object else "<U3"
    assert encoded(values)[0] == {"texts": [code, ["a", "bcd"]]}
    found = again(values)
    assert (found.dtype.str, found.tolist()) == (code, ["a", "bcd"])


# --- pandas ---


def test_frames():
    frame = pd.DataFrame({"a": [1, 2, 3], "b": [0.5, 1.5, np.nan]}, index=pd.RangeIndex(4, 10, 2, name="row"))
    node, encoder = encoded(frame)
    columns, index, parts = node["frame"]
    assert columns["index"]["texts"] == ["a", "b"]
    assert index == {"index": {"range": [4, 10, 2], "name": "row"}}
    assert parts == [{"array": 0}, {"array": 1}]
    assert len(encoder.members) == 2
    pd.testing.assert_frame_equal(again(frame), frame)


def test_columns_of_one_name_stay_two():
    frame = pd.DataFrame(np.arange(4.0).reshape(2, 2), columns=["a", "a"])
    pd.testing.assert_frame_equal(again(frame), frame)


def test_an_index_that_stands_twice_is_one():
    days = pd.date_range("2024-01-01", periods=3)
    first, second, other = again([days, days.copy(), days + pd.Timedelta("1D")])
    assert first is second
    assert not first.equals(other)
    pd.testing.assert_index_equal(first, days)


# --- objects ---


def test_an_object_and_its_attributes():
    value = made(Whole, name="a", added=5, state_=made(Part, value=[1]), index_=7, memory_=8)
    assert encoded(value)[0] == {
        "object": [
            "Whole",
            {"name": "a", "added": 5, "state_": {"object": ["Part", {"value": {"list": [1]}}]}, "index_": 7},
        ]
    }
    found = again(value)
    assert (type(found), type(found.state_)) == (Whole, Part)
    assert (found.name, found.added, found.state_.value, found.index_) == ("a", 5, [1], 7)
    assert not hasattr(found, "memory_")


def test_what_is_left_out_of_what_is_not_fitted():
    assert encoded(made(Whole, name="a", added=5, index_=7, memory_=8))[0] == {
        "object": ["Whole", {"name": "a", "added": 5}]
    }


def test_defaults_of_attributes_that_are_not_told():
    found = Decoder(TABLE).value({"object": ["Whole", {"name": "a"}]})
    assert vars(found) == {"name": "a", "added": 3}
    assert Decoder(TABLE).value({"object": ["Whole", {"added": 4}]}).added == 4


def test_attributes_that_the_table_does_not_have():
    with pytest.raises(RefusedError) as error:
        encoded(made(Part, value=1, more=2))
    assert error.value.args == ("Part", "more", 2)


def test_the_owner_is_that_of_the_attribute_again_after_a_part():
    with pytest.raises(RefusedError) as error:
        encoded(made(Whole, name="a", state_=[made(Part, value=1), len]))
    assert error.value.args == ("Whole", "state_", len)


def test_an_object_that_stands_twice_is_made_once():
    part, other = made(Part, value=1), made(Part, value=1)
    value = made(Whole, name="a", state_=[part, other, part])
    parts = encoded(value)[0]["object"][1]["state_"]["list"]
    assert parts == [{"object": ["Part", {"value": 1}]}, {"object": ["Part", {"value": 1}]}, {"again": 0}]
    first, second, third = again(value).state_
    assert first is third
    assert first is not second


# --- many of a kind ---


def test_objects_of_one_class_stand_in_rows_from_the_fourth_on():
    parts = [made(Part, value=number) for number in range(4)]
    assert "rows" not in encoded(parts[:3])[0]["list"]
    node, encoder = encoded([parts, parts])
    template = {"object": ["Part", {"value": {"from": [0, 1]}}]}
    assert node == {"list": [{"list": {"rows": [4, template]}}, {"again": 4}]}
    assert encoder.columns == []
    first, second = again([parts, parts])
    assert first is second
    assert [part.value for part in first] == [0, 1, 2, 3]


def test_arrays_of_rows_stand_behind_each_other():
    parts = [made(Part, value=np.full((number + 1, 2), float(number))) for number in range(4)]
    node, encoder = encoded(dict(zip("dbca", parts, strict=True)))
    template = [{"each": 0}, {"object": ["Part", {"value": {"array": [0, {"from": [0, 1]}]}}]}]
    assert node == {"dict": {"rows": [4, template]}}
    assert encoder.columns == [["d", "b", "c", "a"]]
    assert len(encoder.members) == 1
    found = again(dict(zip("dbca", parts, strict=True)))
    assert list(found) == list("dbca")
    for number, part in enumerate(found.values()):
        np.testing.assert_array_equal(part.value, parts[number].value)


def test_arrays_of_other_types_orders_and_widths_stand_apart():
    values = [np.ones((2, 2)), np.ones((2, 3)), np.asfortranarray(np.ones((2, 2))), np.ones((2, 2), dtype=np.float32)]
    values += [np.array(1.0), np.array(2.0)]
    encoder = encoded([made(Part, value=part) for part in values])[1]
    assert len(encoder.members) == 6
    assert len(encoder.stacks) == 4


def test_equal_columns_are_stored_once():
    names = ["x", "z", "y", "u"]
    node, encoder = encoded([{name: made(Part, value=name) for name in names}, [made(Part, value=n) for n in names]])
    assert encoder.columns == [names]
    assert ["rows" in part[tag] for part, tag in zip(node["list"], ["dict", "list"], strict=True)] == [True, True]


def test_mixed_parts_are_written_out():
    parts = [made(Part, value=number) for number in range(3)]
    assert isinstance(encoded([*parts, 5])[0]["list"], list)
    assert isinstance(encoded({"a": 1, "b": 2, "c": 3, "d": 4})[0]["dict"], list)
    arrays = [np.ones(2) * number for number in range(4)]
    assert isinstance(encoded(arrays)[0]["list"], list)
    assert isinstance(encoded(dict(zip("abcd", arrays, strict=True)))[0]["dict"], dict)
    days = [pd.RangeIndex(number + 1) for number in range(4)]
    assert isinstance(encoded(days)[0]["list"], dict)
    assert isinstance(encoded(dict(zip("abcd", [[number] for number in range(4)], strict=True)))[0]["dict"], dict)


# --- what nodes are made of ---


def test_the_content_of_a_node():
    assert content({"list": [1]}, "list") == [1]
    assert content({"list": [1]}, "tuple") is None
    assert content({"list": [1], "tuple": []}, "list") is None
    assert content(["list"], "list") is None
    assert content("list", "list") is None


def test_places_of_arrays():
    assert (place_of(3), place_of([3, 1]), place_of([3]), place_of(None)) == ((3, 0), (3, 1), ([3], 0), (None, 0))


def test_integers_have_64_bits():
    assert all(map(is_int, [0, -(2**63), 2**63 - 1]))
    assert not any(map(is_int, [2**63, -(2**63) - 1, True, 1.0, "1", None]))


ROWS = {"rows": [4, {"tuple": [{"each": 0}]}]}


def test_what_was_made_may_be_referred_to():
    checker = Checker(TABLE, [], [[1, 2, 3, 4]])
    kind = kinds.listed(kinds.listed(kinds.INT, "tuple"))
    assert kind.fits({"list": [{"tuple": [1]}]}, checker)
    assert checker.object({"object": ["Part", {"value": 1}]}, ["Part"])
    assert checker.made == ["Part"]
    for number, name, expected in [(0, "Part", True), (0, "Whole", False), (1, "Part", False), (-1, "Part", False)]:
        assert checker.object({"again": number}, [name]) == expected
    for number in (0.0, False, None, "0"):
        assert not checker.is_again({"again": number}, ["Part"])


def test_items_are_lists_or_rows():
    checker = Checker(TABLE, [], [[1, 2, 3, 4]])
    assert checker.items([1, 2]) == [1, 2]
    assert list(checker.items(ROWS)) == [{"tuple": [number]} for number in (1, 2, 3, 4)]
    for told in (
        None,
        {},
        {"rows": 4},
        {"rows": [4]},
        {"rows": [5, {"each": 0}]},
        {"rows": [4, {"each": 1}]},
        {"list": []},
    ):
        assert checker.items(told) is None


def test_each_array_of_a_member_is_told_apart():
    checker = Checker(TABLE, [_stacks.Stored("<f8", (5, 2), "C", [3, 2]), _stacks.Stored("<f8", (4,), "F")])
    assert checker.array({"array": [0, 1]}, whole=False) == _stacks.Stored("<f8", (2, 2), "C")
    assert checker.array({"array": 1}, whole=True) == _stacks.Stored("<f8", (4,), "F")
    assert [list(used) for used in checker.used] == [[0, 1], [1]]
    assert checker.whole == {1}
    for place in ([0, 2], [0, -1], [2, 0], [0, 0.0], 2, -1, [1, 1], None):
        assert checker.array({"array": place}, whole=True) is None
    assert checker.whole == {1}
