"""Arrays in a file: each a member of its own, or several of one kind behind each other in one member."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

DTYPES = [f"<{kind}" for kind in ("f2", "f4", "f8", "i2", "i4", "i8", "u2", "u4", "u8")] + ["|b1", "|i1", "|u1"]

Lengths = int | Sequence[int] | None


@dataclass(frozen=True)
class Stored:
    """A member as the manifest tells of it: the type, shape and order in memory of its values.

    `lengths` are the rows of the arrays that it is made of, one number where all have as many, None where it is one
    array. `shape` counts the rows of all of them.
    """

    dtype: str
    shape: tuple[int, ...]
    order: str
    lengths: Lengths = None

    @property
    def nbytes(self) -> int:
        """Bytes of its values."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize

    @property
    def n_parts(self) -> int:
        """How many arrays it is made of."""
        if isinstance(self.lengths, int):
            return self.shape[0] // self.lengths
        return 1 if self.lengths is None else len(self.lengths)

    def part(self, number: int) -> "Stored":
        """Return what is told of one of its arrays."""
        if self.lengths is None:
            return self
        length = self.lengths if isinstance(self.lengths, int) else self.lengths[number]
        return Stored(self.dtype, (length, *self.shape[1:]), self.order)

    def cut(self, values: NDArray[Any], number: int) -> NDArray[Any]:
        """Return one of its arrays as a view of all of their `values` (n_values,)."""
        part = self.part(number)
        begin = 0 if self.lengths is None else self._first_row(number) * math.prod(self.shape[1:])
        order: Any = self.order
        return values[begin : begin + math.prod(part.shape)].reshape(part.shape, order=order)

    def _first_row(self, number: int) -> int:
        return number * self.lengths if isinstance(self.lengths, int) else int(self._first_rows[number])

    @cached_property
    def _first_rows(self) -> NDArray[np.int64]:
        lengths: Any = self.lengths
        return np.cumsum([0, *lengths])


def told_of(parts: Sequence[NDArray[Any]], *, stacked: bool) -> Stored:
    """Return what the manifest tells of a member made of `parts`, which have one type, order and width."""
    first = parts[0]
    order = "C" if first.flags.c_contiguous else "F"
    if not stacked:
        return Stored(first.dtype.str, first.shape, order)
    lengths = [len(part) for part in parts]
    equal = len(set(lengths)) == 1 and lengths[0] > 0
    return Stored(first.dtype.str, (sum(lengths), *first.shape[1:]), order, lengths[0] if equal else lengths)


def read(told: Any) -> Stored | None:
    """Return what a manifest tells of a member, checked; None for what no member has."""
    if not isinstance(told, dict) or set(told) != {"dtype", "shape", "order", "lengths", "sha256"}:
        return None
    shape, lengths = told["shape"], told["lengths"]
    sizes = isinstance(shape, list) and len(shape) <= 8 and all(_is_size(size) for size in shape)
    if not sizes or told["dtype"] not in DTYPES or told["order"] not in ("C", "F"):
        return None
    return Stored(told["dtype"], tuple(shape), told["order"], lengths) if _add_up(lengths, shape) else None


def _add_up(lengths: Any, shape: list[int]) -> bool:
    """Return whether the rows of the parts are those of the whole."""
    if lengths is None:
        return True
    if isinstance(lengths, list):
        return bool(shape) and all(_is_size(length) for length in lengths) and sum(lengths) == shape[0]
    return bool(shape) and _is_size(lengths) and lengths > 0 and shape[0] > 0 and shape[0] % lengths == 0


def _is_size(size: Any) -> bool:
    return type(size) is int and 0 <= size < 2**40
