"""Arrays behind each other in one member: what is told of them, and each as it was."""

import numpy as np
import pytest

from tsrnn import _stacks
from tsrnn._stacks import Stored

ROWS = [np.arange(6.0).reshape(3, 2), np.empty((0, 2)), 10 + np.arange(4.0).reshape(2, 2)]


def flat(parts, order):
    return np.concatenate([part.reshape(-1, order=order) for part in parts])


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("parts", [ROWS, ROWS[:1] * 3, [np.arange(3), np.arange(1)]], ids=["uneven", "even", "flat"])
def test_each_part_is_cut_out_as_it_was(parts, order):
    parts = [np.asarray(part, order=order) for part in parts]
    stored = _stacks.told_of(parts, stacked=True)
    assert stored.n_parts == len(parts)
    assert stored.nbytes == sum(part.nbytes for part in parts)
    values = flat(parts, stored.order)
    for number, part in enumerate(parts):
        found = stored.cut(values, number)
        assert (found.tolist(), found.shape, found.dtype) == (part.tolist(), part.shape, part.dtype)
        assert (found.flags.c_contiguous, found.flags.f_contiguous) == (
            part.flags.c_contiguous,
            part.flags.f_contiguous,
        )
        assert np.shares_memory(found, values) == (found.size > 0)


def test_equal_lengths_are_one_number():
    assert _stacks.told_of(ROWS[:1] * 3, stacked=True) == Stored("<f8", (9, 2), "C", 3)
    assert _stacks.told_of(ROWS, stacked=True) == Stored("<f8", (5, 2), "C", [3, 0, 2])
    assert _stacks.told_of([ROWS[1]] * 2, stacked=True).lengths == [0, 0]


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_one_array_has_no_lengths(shape):
    values = np.asfortranarray(np.arange(np.prod(shape, dtype=int), dtype=np.float64).reshape(shape))
    stored = _stacks.told_of([values], stacked=False)
    assert (stored.lengths, stored.n_parts, stored.part(0)) == (None, 1, stored)
    np.testing.assert_array_equal(stored.cut(values.reshape(-1, order="F"), 0), values)


def test_what_is_told_is_read_again():
    for stored in (_stacks.told_of(ROWS, stacked=True), _stacks.told_of(ROWS[:1], stacked=False)):
        told = {**vars(stored), "shape": list(stored.shape), "sha256": ""}
        assert _stacks.read(told) == stored
