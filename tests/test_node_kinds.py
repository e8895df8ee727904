"""Kinds of nodes, one by one: what fits each, and what is just beside it."""

import pytest

from tsrnn import _node_kinds as kinds
from tsrnn._index_nodes import UnfitError
from tsrnn._node_kinds import array, choice, fixed, instance, listed, mapped, one_of, record
from tsrnn._stacks import Stored
from tsrnn._tree import Checker, Kind, Spec

ARRAYS = [
    Stored("<f8", (3,), "C"),
    Stored("<f4", (3, 2), "C"),
    Stored("<i8", (3,), "C"),
    Stored("<f8", (4,), "C"),
    Stored("|b1", (), "C"),
]


class Point:
    pass


class Line:
    pass


TABLE = {"Point": Spec(Point, {"x": kinds.INT}, {"y": kinds.INT}, ["y"]), "Line": Spec(Line, {})}
POINT, LINE = {"object": ["Point", {"x": 1}]}, {"object": ["Line", {}]}


@pytest.fixture
def checker():
    return Checker(TABLE, ARRAYS)


def numbered(name, value):
    return {"number": [name, value]}


def steps(count):
    return {"index": {"range": [0, count, 1], "name": None}}


FITTING = {
    "NONE": [None],
    "BOOL": [True, False],
    "INT": [0, -(2**63), 2**63 - 1],
    "COUNT": [0, 2**48],
    "FLOAT": [0.5, 3, -(2**63)],
    "TEXT": ["", "a"],
    "NUMBER": [
        numbered("bool", True),
        numbered("float16", 0.5),
        numbered("float64", -0.5),
        numbered("int8", -128),
        numbered("int8", 127),
        numbered("uint8", 0),
        numbered("uint8", 255),
        numbered("int16", -(2**15)),
        numbered("int32", 2**31 - 1),
        numbered("int64", -(2**63)),
        numbered("uint16", 2**16 - 1),
        numbered("uint64", 2**64 - 1),
    ],
    "DATE": [{"date": "2024-02-29"}],
    "FUNCTION": [{"function": "log"}],
    "ODD_FLOAT": [{"float": "nan"}, {"float": "inf"}, {"float": "-inf"}],
    "SPAN": [{"span": ["ns", 5]}, {"span": ["s", -(2**63)]}],
    "INTEGER": [7, numbered("int64", 7), numbered("uint8", 7)],
    "REAL": [7, 0.5, numbered("int64", 7), numbered("float32", 0.5)],
    "FLAG": [True, numbered("bool", False)],
    "SCALAR": [None, True, 1, 0.5, "a", numbered("int8", 1)],
    "PLAIN": [None, "a", {"tuple": [1, {"list": ["a"]}]}, {"set": []}, {"list": [numbered("int8", 1)]}],
    "LABEL": [None, "a", {"date": "2024-02-29"}, {"tuple": ["a", 1]}],
    "TEXTS": [
        {"texts": ["<U2", ["a", "bc"]]},
        {"texts": ["|O", ["a"]]},
        {"texts": ["<U1", []]},
        {"texts": ["<U0", []]},
        {"texts": ["<U1", [""]]},
    ],
    "INDEX": [steps(3)],
    "FRAME": [
        {"frame": [{"index": {"integers": {"array": 2}, "name": None}}] * 2 + [[{"array": 0}] * 3]},
        {"frame": [steps(1), steps(3), [{"array": 0}]]},
        {"frame": [steps(2), steps(3), [{"array": 0}, {"array": 0}]]},
    ],
}
BESIDE = {
    "NONE": [0, False, "None", {"list": []}],
    "BOOL": [0, 1, None, "True"],
    "INT": [True, 1.0, "1", None, 2**63, -(2**63) - 1],
    "COUNT": [-1, 2**48 + 1, True, 1.0],
    "FLOAT": [True, "0.5", None, 2**63],
    "TEXT": [None, 1, {"texts": ["|O", ["a"]]}],
    "NUMBER": [
        1,
        {"number": "int8"},
        {"number": ["int8"]},
        {"number": ["int8", 1, 2]},
        numbered("int128", 1),
        numbered("bool", 1),
        numbered("float64", 1),
        numbered("float64", float("inf")),
        numbered("float64", "1"),
        numbered("int8", True),
        numbered("int8", 1.0),
        numbered("int8", 128),
        numbered("int8", -129),
        numbered("uint8", -1),
        numbered("uint8", 256),
        numbered("int16", 2**15),
        numbered("int32", -(2**31) - 1),
        numbered("int64", 2**63),
        numbered("uint16", 2**16),
        numbered("uint32", 2**32),
        numbered("uint64", 2**64),
        numbered("complex128", 1.0),
    ],
    "DATE": ["2024-02-29", {"date": "2024-02-30"}, {"date": "20240229"}, {"date": 20240229}],
    "FUNCTION": ["log", {"function": "sin"}, {"function": "__class__"}, {"float": "log"}],
    "ODD_FLOAT": [{"float": "1.0"}, {"float": "NaN"}, "nan"],
    "SPAN": [
        5,
        {"span": 5},
        {"span": ["ns"]},
        {"span": ["ns", 5, 6]},
        {"span": ["D", 5]},
        {"span": ["ns", 0.5]},
        {"span": ["ns", 2**63]},
    ],
    "INTEGER": [0.5, True, numbered("float64", 7.0), numbered("bool", True)],
    "REAL": [True, "1", None],
    "FLAG": [0, None, numbered("int8", 1)],
    "SCALAR": [{"date": "2024-02-29"}, {"list": []}, {"array": 0}],
    "PLAIN": [{"dict": []}, {"list": [{"array": 0}]}, {"tuple": [{"date": "2024-02-29"}]}, {"tuple": 1}],
    "LABEL": [{"list": ["a"]}, {"tuple": [{"tuple": ["a"]}]}, {"array": 0}],
    "TEXTS": [
        {"texts": ["<U3", ["a", "bc"]]},
        {"texts": ["<U1", ["a", "bc"]]},
        {"texts": ["<U2", []]},
        {"texts": [">U1", ["a"]]},
        {"texts": ["<U1", ["a", 1]]},
        {"texts": ["|O", [1]]},
        {"texts": ["|O", "a"]},
        {"texts": ["|O"]},
        {"texts": ["|O", ["a"], 1]},
        {"texts": "|O"},
        "a",
    ],
    "INDEX": [None, {"index": None}, {"index": {"range": [0, 3, 0], "name": None}}, {"index": {"range": [0, 3, 1]}}],
    "FRAME": [
        {"frame": [steps(0), steps(3), []]},
        {"frame": [steps(1), steps(3), [{"array": 9}]]},
        {"frame": [steps(2), steps(3), [{"array": 0}, {"array": 3}]]},
        {"frame": [steps(2), steps(3), [{"array": 0}, None]]},
        {"frame": [None, steps(3), [{"array": 0}]]},
        {"frame": [steps(1), None, [{"array": 0}]]},
        {"frame": [steps(1), steps(3), {"array": 0}]},
        {"frame": [steps(1), steps(3)]},
        {"frame": [steps(1), steps(3), [{"array": 0}], 1]},
        {"frame": 3},
        None,
    ],
}


@pytest.mark.parametrize("name", FITTING)
def test_what_a_kind_is_and_what_it_is_not(name, checker):
    kind = getattr(kinds, name)
    assert [node for node in FITTING[name] if not kind.fits(node, checker)] == []
    assert [node for node in BESIDE[name] if kind.fits(node, checker)] == []


def test_one_of_several_kinds(checker):
    kind = one_of(kinds.NONE, kinds.TEXT, Kind("None", lambda node, _: node == 0))
    assert kind.text == "None or text"
    assert [node for node in (None, "a", 0, 1, True) if kind.fits(node, checker)] == [None, "a", 0]


def test_a_choice_is_of_one_type_and_one_value(checker):
    kind = choice("a", 1, None)
    assert kind.text == "one of ['a', 1, None]"
    assert [node for node in ("a", 1, None, True, 1.0, "b", 2) if kind.fits(node, checker)] == ["a", 1, None]


def test_a_list_of_one_kind(checker):
    lists, either = listed(kinds.INT), listed(kinds.INT, "tuple", "set")
    assert (lists.text, either.text) == ("a list of an integer", "a tuple or set of an integer")
    nodes = [{"list": []}, {"list": [1, 2]}, {"tuple": [1]}, {"set": [1]}, {"list": [1, "a"]}, {"tuple": ["a"]}, [1]]
    assert [node for node in nodes if lists.fits(node, checker)] == nodes[:2]
    assert [node for node in nodes if either.fits(node, checker)] == nodes[2:4]
    assert not lists.fits({"list": "12"}, checker)


def test_a_tuple_of_fixed_parts(checker):
    kind = fixed(kinds.INT, kinds.TEXT)
    assert kind.text == "a tuple of an integer, text"
    assert kind.fits({"tuple": [1, "a"]}, checker)
    for parts in ([1], [1, "a", 1], ["a", 1], [1, 1], ["a", "a"], "1a", None):
        assert not kind.fits({"tuple": parts}, checker)
    assert not kind.fits({"list": [1, "a"]}, checker)


def test_a_dict_of_one_kind(checker):
    kind = mapped(kinds.TEXT, kinds.INT)
    assert kind.text == "a dict of an integer"
    assert kind.fits({"dict": []}, checker)
    assert kind.fits({"dict": [["a", 1], ["b", 2]]}, checker)
    for pairs in ([["a"]], [["a", 1, 2]], [[1, 1]], [["a", "a"]], [["a", 1], [1, "a"]], ["a1"], {"a": 1}, None):
        assert not kind.fits({"dict": pairs}, checker)
    assert not kind.fits({"list": []}, checker)


def test_a_dict_of_certain_keys(checker):
    kind = record({"a": kinds.INT, "b": kinds.TEXT}, ["b"])
    assert kind.text == "a dict of a, b with plain values"
    assert kind.fits({"dict": [["a", 1]]}, checker)
    assert kind.fits({"dict": [["b", "x"], ["a", 1]]}, checker)
    wrong = [
        [], [["b", "x"]], [["a", "x"]], [["a", 1], ["b", 1]], [["a", 1], ["a", 2]], [["a", 1], ["c", 1]],
        [["a", 1], [None, 1]], [["a", 1], ["b"]], [["a", 1], ["b", "x", 1]], ["a1"], "a", None,
    ]  # fmt: skip
    assert [pairs for pairs in wrong if kind.fits({"dict": pairs}, checker)] == []
    assert not record({"a": kinds.INT, "b": kinds.TEXT}).fits({"dict": [["a", 1]]}, checker)


def test_an_array_of_some_axes_and_some_types(checker):
    assert array().text == "an array of numbers"
    assert [number for number in range(5) if array().fits({"array": number}, checker)] == [0, 1, 3]
    assert [number for number in range(5) if array([1]).fits({"array": number}, checker)] == [0, 3]
    assert [number for number in range(5) if array(kinds="ib").fits({"array": number}, checker)] == [2, 4]
    for node in (0, {"array": 5}, {"array": -1}, {"array": True}, {"array": 0.0}, {"array": None}, None):
        assert not array().fits(node, checker)


def test_parts_are_checked_with_what_the_file_tells(checker):
    kind, node, other = array([1]), {"array": 0}, {"array": 1}
    for whole, made in [
        (one_of(kinds.NONE, kind), lambda part: part),
        (listed(kind), lambda part: {"list": [part]}),
        (fixed(kind), lambda part: {"tuple": [part]}),
        (mapped(kind, kinds.INT), lambda part: {"dict": [[part, 1]]}),
        (mapped(kinds.INT, kind), lambda part: {"dict": [[1, part]]}),
        (record({"a": kind}), lambda part: {"dict": [["a", part]]}),
    ]:
        assert whole.fits(made(node), checker)
        assert not whole.fits(made(other), checker)


def test_rows_may_be_referred_to_again(checker):
    checker.columns = [["a", "b", "c", "d"]]
    rows = {"rows": [4, {"each": 0}]}
    pairs = {"rows": [4, [{"each": 0}, {"from": [0, 1]}]]}
    lists, numbers, dicts = listed(kinds.TEXT), listed(kinds.INT), mapped(kinds.TEXT, kinds.INT)
    assert lists.fits({"list": rows}, checker)
    assert not numbers.fits({"list": rows}, checker)
    assert dicts.fits({"dict": pairs}, checker)
    assert len(checker.made) == 2
    assert [kind.fits({"again": 0}, checker) for kind in (lists, numbers, dicts)] == [True, False, False]
    assert [kind.fits({"again": 1}, checker) for kind in (lists, numbers, dicts)] == [False, False, True]
    assert not lists.fits({"list": {"rows": [5, {"each": 0}]}}, checker)
    assert not lists.fits({"list": {"again": 0}}, checker)
    assert not dicts.fits({"dict": {"again": 1}}, checker)


def test_what_did_not_fit_is_not_made(checker):
    kind = one_of(fixed(instance("Point"), kinds.TEXT), fixed(instance("Point"), kinds.INT))
    assert kind.fits({"tuple": [{"object": ["Point", {"x": 1, "y": 2}]}, 3]}, checker)
    assert checker.made == ["Point"]
    assert not kind.fits({"tuple": [{"object": ["Point", {"x": 1, "y": 2}]}, None]}, checker)
    assert checker.made == ["Point"]


def test_only_arrays_that_may_miss_values_may_miss_them(checker):
    array().fits({"array": 0}, checker)
    array(missing=True).fits({"array": 1}, checker)
    array().fits({"array": 9}, checker)
    kinds.FRAME.fits({"frame": [None, None, [{"array": 3}]]}, checker)
    assert ([bool(used[0]) for used in checker.used], checker.whole) == ([True, True, False, True, False], {0})


def test_objects_of_some_classes(checker):
    kind = instance("Point", "Line")
    assert kind.text == "Point or Line"
    assert kind.fits({"object": ["Point", {"x": 1, "y": 2}]}, checker)
    assert kind.fits(LINE, checker)
    assert not instance("Line").fits({"object": ["Point", {"x": 1, "y": 2}]}, checker)
    for told in ("Point", ["Point"], ["Point", {"x": 1}, 1], ["Point", [["x", 1]]], ["Circle", {}]):
        assert not kind.fits({"object": told}, checker)


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({}, r"Point has no `x`$"),
        ({"y": 2}, r"Point has no `x`$"),
        ({"x": "a"}, r"Point: `x` must be an integer; got a$"),
        ({"x": 1, "y": "b" * 99}, rf"Point: `y` must be an integer; got {'b' * 80}$"),
        ({"x": 1, "z": 2}, r"Point has no attribute 'z' in a file$"),
    ],
)
def test_attributes_of_an_object(checker, attributes, words):
    with pytest.raises(UnfitError, match=f"^{words}"):
        checker.object({"object": ["Point", attributes]}, ["Point"])
