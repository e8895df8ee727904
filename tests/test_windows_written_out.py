"""Windows: every refusal in full, and what memory and keys are told apart by."""

import numpy as np
import pandas as pd
import pytest

from tsrnn import Windows, WindowTransformer, _validation, make_windows

ROWS = np.arange(9.0)[:, None]
NAN = np.array([0.0] * 8 + [np.nan])
KEYS = "Windows: the key must be an integer, a slice, or a 1-D array of integers or booleans; got {}. "
KEYS += "Index `np.asarray(windows)` for more."
LONGER = "Pass a longer series, or lower lookback, gap or horizon."
FILL = "Fill or drop such rows first, e.g. with pandas' `interpolate`."


def frame(name):
    return pd.DataFrame({name: range(9)})


def cut(X, y=None, **sizes):
    return lambda: make_windows(X, y, **{"lookback": 2, **sizes})


def key(value):
    return lambda: make_windows(ROWS, lookback=2)[0][value]


def windows(steps=ROWS, starts=(0,), lookback=2, **more):
    return lambda: Windows(steps, list(starts), lookback, **more)


def fitted(X=ROWS, **parameters):
    return lambda: WindowTransformer(**parameters).fit(X)


REFUSALS = [
    (cut(ROWS, lookback=0), "make_windows: `lookback` must be an integer >= 1; got 0."),
    (cut(ROWS, horizon=0), "make_windows: `horizon` must be an integer >= 1; got 0."),
    (cut(ROWS, gap=-1), "make_windows: `gap` must be an integer >= 0; got -1."),
    (cut(ROWS, stride=0), "make_windows: `stride` must be an integer >= 1; got 0."),
    (
        cut(ROWS, gap=4, horizon=4),
        f"make_windows: need >= 10 rows for one window and its target, got 9 in series 0. {LONGER}",
    ),
    (
        cut([ROWS, ROWS[:3]], gap=1),
        f"make_windows: need >= 4 rows for one window and its target, got 3 in series 1. {LONGER}",
    ),
    (cut(ROWS, ROWS[1:]), "make_windows: X and y have inconsistent numbers of samples [9, 8] in series 0."),
    (
        cut([ROWS, ROWS[:5]], [ROWS, ROWS[:6]]),
        "make_windows: X and y have inconsistent numbers of samples [5, 6] in series 1.",
    ),
    (cut([ROWS, ROWS], [ROWS]), "make_windows: X holds 2 series and y 1. Pass one y for each X."),
    (cut(NAN), f"make_windows: Input X contains NaN (first at row 8, column 0). {FILL}"),
    (cut(ROWS, NAN), f"make_windows: Input y contains NaN (first at row 8, column 0). {FILL}"),
    (cut(None), "make_windows: X must be array-like of shape (n_steps, n_features); got None."),
    (cut([]), "Found array with 0 sample(s) (shape=(0, 1)) while a minimum of 1 is required by make_windows."),
    (
        cut(frame("a").iloc[::-1]),
        "make_windows: the index is not increasing at row 1: 7 follows 8. Sort the rows first, with `sort_index()`.",
    ),
    (
        cut([ROWS, np.c_[ROWS, ROWS]]),
        "make_windows: all series in X must have the same columns; series 0 has 1, series 1 has 2.",
    ),
    (
        cut([ROWS] * 2, [frame("a"), frame("b")]),
        "make_windows: all series in y must have the same columns; series 0 has ['a'], series 1 has ['b'].",
    ),
    (
        cut(pd.concat({"s": frame("a")})),
        "make_windows: the index has 2 levels; windows would run from one series into the next. Pass the series one by "
        "one, e.g. with `X.xs(key)`.",
    ),
    *((key(value), KEYS.format(repr(value))) for value in ("a", 0.5, True, None, [[1]], [0.5], ["b"])),
    (windows(ROWS[:, 0]), "Windows: `steps` must be 2-D (n_steps, n_features); got (9,)."),
    (windows(starts=[3, 8]), "Windows: `starts` must be between 0 and 7 for 9 steps and lookback=2; got (3, 8)."),
    (windows(starts=[-1, 7]), "Windows: `starts` must be between 0 and 7 for 9 steps and lookback=2; got (-1, 7)."),
    (windows(starts=[0.5]), "Windows: `starts` must be a 1-D array of integers; got [0.5]."),
    (windows(starts=[[1]]), "Windows: `starts` must be a 1-D array of integers; got [[1]]."),
    (windows(origins=[0.5]), "Windows: `origins` must be a 1-D array of integers; got [0.5]."),
    (windows(origins=[1, 2]), "Windows: `origins` must be of shape (1,), one for each start; got (2,)."),
    (windows(offsets=[1]), "Windows: `offsets` must be of shape (1, 1); got (1,)."),
    (windows(scales=[[1, 2]]), "Windows: `scales` must be of shape (1, 1); got (1, 2)."),
    (windows(lookback=0), "Windows: `lookback` must be an integer >= 1; got 0."),
    (
        lambda: windows()().__array__(copy=False),
        "Windows: an array of overlapping windows cannot be made without a copy.",
    ),
    (fitted(lookback=0), "WindowTransformer: `lookback` must be an integer >= 1; got 0."),
    (fitted(pad="zero"), "WindowTransformer: `pad` must be one of ['edge']; got 'zero'."),
    (fitted(context="all"), "WindowTransformer: `context` must be one of ['auto', 'fit', 'none']; got 'all'."),
    (fitted(NAN[:, None]), f"WindowTransformer: Input X contains NaN (first at row 8, column 0). {FILL}"),
    (
        fitted(pd.DataFrame({"a": NAN})),
        f"WindowTransformer: Input X contains NaN (first at row 8, column 'a'). {FILL}",
    ),
    (
        fitted(pd.DataFrame({"a": pd.date_range("2024-01-01", periods=9, unit="ns")})),
        "WindowTransformer: column 'a' is datetime64[ns], a datetime. Pass it as the index.",
    ),
    (
        fitted(np.array([["x"]] * 4)),
        "WindowTransformer: Input X is text (<U1), not numeric. Convert it with `pd.to_numeric`.",
    ),
    (
        fitted(frame("a").iloc[::-1]),
        "WindowTransformer: the index is not increasing at row 1: 7 follows 8. Sort the rows first, with "
        "`sort_index()`.",
    ),
]


@pytest.mark.parametrize("number", range(len(REFUSALS)))
def test_refusals_in_full(number):
    call, words = REFUSALS[number]
    with pytest.raises((ValueError, TypeError, IndexError)) as error:
        call()
    assert str(error.value) == words


def test_a_context_that_was_changed_is_refused_at_transform():
    fitted_one = WindowTransformer(2).fit(ROWS).set_params(context="all")
    with pytest.raises(ValueError, match=r"^WindowTransformer: `context` must be one of .*; got 'all'\.$"):
        fitted_one.transform(ROWS)


def test_the_memory_of_an_array_is_asked_for_in_its_own_name(monkeypatch):
    monkeypatch.setattr(_validation.os, "sysconf", {"SC_PAGE_SIZE": 2**20, "SC_PHYS_PAGES": 1}.__getitem__)
    made = windows(np.zeros((2**17 + 1, 1)), range(2**17), 1)()
    assert np.asarray(made[: 2**17]).nbytes == 2**20
    with pytest.raises(MemoryError, match=r"^Windows: this array would take 0\.0 GiB; the machine has 0\.0 GiB\. Keep"):
        np.asarray(windows(np.zeros((2**17 + 1, 1)), range(2**17 + 1), 1)())


def test_keys_of_all_integer_types_select():
    made = windows(starts=range(8))()
    for dtype in ("int8", "uint8", "int64", "uint64"):
        assert made[np.array(2, dtype=dtype)][0, 0] == 2
        assert made[np.array([2, 5], dtype=dtype)].starts.tolist() == [2, 5]
    assert made[np.arange(8) > 5].starts.tolist() == [6, 7]
    assert made[[]].shape == (0, 2, 1)
    assert made[()].starts.tolist() == made[...].starts.tolist() == list(range(8))


def test_numbers_of_numpy_in_a_list_are_one_series():
    assert make_windows([np.float64(value) for value in range(5)], lookback=2)[0].shape == (3, 2, 1)
    assert make_windows((np.arange(5.0), np.arange(4.0)), lookback=2)[0].shape == (5, 2, 1)


def test_several_series_of_targets_are_not_copied_when_they_are_one():
    targets = np.arange(9.0)[:, None]
    cut_alone = make_windows([ROWS], [targets], lookback=2)[1]
    np.testing.assert_array_equal(cut_alone[..., 0], np.arange(2.0, 9)[:, None])
    assert windows(scales=[[2.0]], offsets=[[1.0]])()[0].tolist() == [[-0.5], [0.0]]


def test_an_index_of_text_has_no_time_to_go_on_with():
    rows = pd.DataFrame({"x": range(4)}, index=list("abcd"))
    fitted_one = WindowTransformer(2).fit(pd.DataFrame({"x": range(4)}))
    assert fitted_one.context_index_.tolist() == [0, 1, 2, 3]
    assert np.asarray(fitted_one.transform(rows))[0].tolist() == [[0], [0]]
    assert WindowTransformer(2).fit(rows).context_index_ is None
    alone = WindowTransformer(1).fit(pd.DataFrame({"x": range(4)}))
    assert len(alone.context_) == 0
    later = pd.DataFrame({"x": range(2)}, index=[4, 5])
    assert np.asarray(alone.transform(later))[:, 0].tolist() == [[0], [1]]


def test_an_array_has_no_time_to_go_on_with():
    fitted_one = WindowTransformer(2).fit(pd.DataFrame(ROWS))
    assert np.asarray(fitted_one.transform(ROWS[:2] + 20))[..., 0].tolist() == [[20, 20], [20, 21]]
    later = pd.DataFrame(ROWS[:2] + 20, index=[9, 10])
    assert np.asarray(fitted_one.transform(later))[..., 0].tolist() == [[8, 20], [20, 21]]


@pytest.mark.parametrize("starts", [[0, 3], []])
def test_an_array_has_the_type_that_is_asked_for(starts):
    made = Windows(ROWS, np.array(starts, dtype=int), 2)
    assert made.__array__().dtype == np.float64
    assert made.__array__(np.float32).dtype == np.float32
    assert made.__array__(np.float32).shape == (len(starts), 2, 1)


def test_what_a_transformer_is_without_parameters():
    assert WindowTransformer().get_params() == {"lookback": 24, "pad": "edge", "context": "auto"}
    assert WindowTransformer().__sklearn_tags__().transformer_tags.preserves_dtype == ["float32"]
    assert len(WindowTransformer(1).fit(pd.DataFrame({"x": range(9)})).context_index_) == 4
