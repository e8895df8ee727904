"""Rows, arrays behind each other, and the series of a saved forecaster: limits, one by one."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from tsrnn import _rows, _stacks
from tsrnn._index_nodes import UnfitError
from tsrnn._saved_series import _check_columns, _check_index, check_agreement

MOST, LARGEST = 2**21, 2**31 - 1


@pytest.mark.parametrize(
    ("count", "template", "columns", "size"),
    [
        (1, None, [], 1),
        (MOST, None, [], MOST),
        (4, {"tuple": [{"from": [LARGEST, -LARGEST]}, "a"]}, [], 16),
        (2, [{"each": 1}, {"each": 0}], [[1, 2], [3, 4]], 6),
        (0, None, [], None),
        (-1, None, [], None),
        (MOST + 1, None, [], None),
        (True, None, [], None),
        (1.0, None, [], None),
        (2, {"from": [LARGEST + 1, 0]}, [], None),
        (2, {"from": [0, -LARGEST - 1]}, [], None),
        (2, {"from": [0, 1, 2]}, [], None),
        (2, {"from": [0, True]}, [], None),
        (2, {"from": 0}, [], None),
        (2, {"each": 0}, [[1]], None),
        (2, {"each": 1}, [[1, 2]], None),
        (2, {"each": -1}, [[1, 2]], None),
        (2, {"each": False}, [[1, 2]], None),
        (2, {"list": {"rows": [2, 1]}}, [], None),
        (2, [{"rows": [2, 1], "x": 1}], [], None),
    ],
)
def test_what_rows_stand_for(count, template, columns, size):
    assert _rows.size_of(count, template, columns) == size


@pytest.mark.parametrize(
    ("values", "hole"),
    [
        ([5, 7, 9, 11], {"from": [5, 2]}),
        ([3, 2, 1, 0], {"from": [3, -1]}),
        ([5, 7, 9, 12], {"each": 0}),
        ([0, 1, 2, True], {"each": 0}),
        ([0.0, 1.0, 2.0, 3.0], {"each": 0}),
    ],
)
def test_integers_that_are_evenly_apart(values, hole):
    fold = _rows.Fold({"x": values[0]})
    for value in values[1:]:
        fold.add({"x": value})
    assert fold.node(lambda _: 0) == {"rows": [4, {"x": hole}]}
    assert list(_rows.expand([4, {"x": hole}], [values])) == [{"x": value} for value in values]


@pytest.mark.parametrize(
    ("columns", "fits"),
    [
        ([], True),
        ([[], [1, "a", {"list": [1]}]], True),
        (None, False),
        ([1], False),
        ([[{"each": 0}]], False),
        ([[{"list": [{"from": [0, 1]}]}]], False),
        ([[[{"rows": []}]]], False),
        ([[{"x": {"rows": [1, 2], "y": 3}}]], False),
        ([[{"each": 0, "x": 1}]], True),
        ([[{"rows": [1, 2]}, {"x": [1]}]], False),
    ],
)
def test_columns_stand_for_no_rows(columns, fits):
    assert _rows.are_columns(columns) is fits


# --- arrays behind each other ---

TOLD = {"dtype": "<f8", "shape": [6, 2], "order": "C", "lengths": None, "sha256": ""}


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"shape": []},
        {"shape": [0] * 8},
        {"shape": [2**40 - 1]},
        {"shape": [0, 2], "lengths": []},
        {"shape": [0, 2], "lengths": [0]},
        {"lengths": [6]},
        {"lengths": [1, 0, 5]},
        {"lengths": 6},
        {"lengths": 2},
        {"shape": [1], "lengths": 1},
    ],
)
def test_what_may_be_told_of_a_member(values):
    told = TOLD | values
    stored = _stacks.read(told)
    assert (stored.dtype, [*stored.shape], stored.order, stored.lengths) == (*list(told.values())[:4],)


@pytest.mark.parametrize(
    "values",
    [
        {"dtype": "<f16"},
        {"dtype": ">f8"},
        {"order": "A"},
        {"shape": (6, 2)},
        {"shape": [0] * 9},
        {"shape": [2**40]},
        {"shape": [-1]},
        {"shape": [6.0]},
        {"shape": [True]},
        {"shape": [], "lengths": []},
        {"shape": [], "lengths": 1},
        {"shape": [0, 2], "lengths": 1},
        {"shape": [0, 2], "lengths": 0},
        {"lengths": 4},
        {"lengths": 0},
        {"lengths": -6},
        {"lengths": 6.0},
        {"lengths": [5]},
        {"lengths": [7, -1]},
        {"lengths": [6.0]},
        {"lengths": "6"},
        {"more": 1},
    ],
)
def test_what_no_member_is(values):
    assert _stacks.read(TOLD | values) is None


# --- the index of a forecaster ---

HOLD, INCREASE = "`index_` must hold the series of `_tracks`", "`index_` must increase"
SHORT = "`index_` must have a stamp for each step of the series {!r}"


def track(n_steps):
    return SimpleNamespace(target=np.ones((n_steps, 1)))


def refusal(index, tracks, is_alone):
    try:
        _check_index(index, tracks, is_alone)
    except UnfitError as error:
        return str(error)
    return None


@pytest.mark.parametrize(
    ("numbers", "n_steps", "words"),
    [
        ([1], 1, None),
        ([1, 2], 2, None),
        ([1, 2, 3], 2, None),
        ([2, 1], 2, INCREASE),
        ([1, 1], 2, INCREASE),
        ([1, 2, 2], 3, INCREASE),
        ([2, 2, 3], 3, INCREASE),
        ([1, 2], 3, SHORT),
    ],
)
def test_the_stamps_of_a_series_increase_and_are_enough(numbers, n_steps, words):
    index = pd.Index(numbers)
    found = [refusal(index, {None: track(n_steps)}, True), refusal({"a": index}, {"a": track(n_steps)}, False)]
    assert found == ([words.format(None), words.format("a")] if words else [None, None])


def test_the_series_of_an_index_are_those_that_are_known():
    index, tracks = pd.Index([1, 2]), {"a": track(2), "b": track(2)}
    assert refusal({"a": index, "b": index}, tracks, False) is None
    assert refusal({"a": index, "b": index[::-1]}, tracks, False) == INCREASE
    assert refusal({"a": index, "c": index}, tracks, False) == HOLD
    assert refusal({"a": index}, tracks, False) == HOLD
    assert refusal(index, tracks, False) == HOLD
    assert refusal({None: index}, {None: track(2)}, True) == HOLD


@pytest.mark.parametrize("name", ["_past_columns", "_static_columns", "_future_columns"])
def test_the_columns_of_covariates(name):
    beside = {"_past_columns": [], "_static_columns": [0], "_future_columns": [1]}
    _check_columns(SimpleNamespace(_columns=["a", "b"], **beside | {name: [0, 1]}))
    for column in (2, -1):
        with pytest.raises(UnfitError, match=r"^the columns of covariates must be among `_columns`$"):
            _check_columns(SimpleNamespace(_columns=["a", "b"], **beside | {name: [0, column]}))


def forecaster(kind, names, n_targets, tracks, panel=None):
    form = SimpleNamespace(kind=kind, names=names)
    return SimpleNamespace(_tracks=tracks, _form=form, n_targets_=n_targets, _panel=panel, _parameters={})


@pytest.mark.parametrize(
    ("told", "words"),
    [
        (forecaster("series", ["a"], 1, {}), "a forecaster of one series must know one without a name, and .*"),
        (forecaster("series", ["a"], 1, {"a": 1}), "a forecaster of one series must know one without a name, and .*"),
        (forecaster("series", ["a"], 1, {}, "dict"), "a forecaster of .* and one of a panel some series"),
        (forecaster("frame", ["a"], 2, {None: 1}), "`_form` must have as many names as `n_targets_` says"),
        (forecaster("series", ["a", "b"], 2, {None: 1}), "`_form` must have as many names as `n_targets_` says"),
        (forecaster("vector", ["a", "b"], 2, {None: 1}), "`_form` must have as many names as `n_targets_` says"),
    ],
)
def test_forecasters_whose_parts_do_not_agree(told, words):
    with pytest.raises(UnfitError, match=f"^{words}$"):
        check_agreement(told)
    check_agreement(SimpleNamespace(_form=None))
