"""Many nodes of one structure, written once: what differs from row to row stands in columns.

``{"rows": [n, template]}`` stands for a JSON list of n nodes. In row i of the template, ``{"each": k}`` is entry i of
the manifest's column k, and ``{"from": [start, step]}`` the integer start + i * step.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

FEWEST = 4
"""Rows that are worth a template: fewer are easier to read when they are written out."""

MOST_NODES = 2**21
"""Nodes that all rows of a file may stand for; those of a Forecaster's 10,000 series are 720,000."""

HOLES = ("each", "from")


class Fold:
    """Nodes put together as they come, so that all of them never stand in memory."""

    def __init__(self, node: Any) -> None:
        self.count = 1
        self._first = node if _keys(node) is None else type(node)()
        self._parts = {key: Fold(node[key]) for key in _keys(node) or ()}
        self._keys = _keys(node)
        self._each: list[Any] | None = None

    def add(self, node: Any) -> None:
        """Take one more row."""
        if self._each is None and not self._has_structure_of(node):
            self._each, self._parts = [self._row(number) for number in range(self.count)], {}
        if self._each is not None:
            self._each.append(node)
        for key, part in self._parts.items():
            part.add(node[key])
        self.count += 1

    def node(self, column: Callable[[list[Any]], int]) -> Any:
        """Return what stands for the rows: a list of them if they have nothing in common."""
        return self._each if self._each is not None else {"rows": [self.count, self._template(column)]}

    def _has_structure_of(self, node: Any) -> bool:
        keys = _keys(node)
        same = repr(node) == repr(self._first) if keys is None else type(node) is type(self._first)
        return keys == self._keys and same

    def _row(self, number: int) -> Any:
        if self._each is not None:
            return self._each[number]
        return self._made(lambda part: part._row(number))

    def _template(self, column: Callable[[list[Any]], int]) -> Any:
        if self._each is None:
            return self._made(lambda part: part._template(column))
        run = _run(self._each)
        return {"each": column(self._each)} if run is None else {"from": run}

    def _made(self, of: "Callable[[Fold], Any]") -> Any:
        if self._keys is None:
            return self._first
        parts = {key: of(part) for key, part in self._parts.items()}
        return parts if isinstance(self._first, dict) else list(parts.values())


def _keys(node: Any) -> list[Any] | None:
    """Return the keys of what a node is made of; None for a plain one."""
    if isinstance(node, dict):
        return list(node)
    return list(range(len(node))) if isinstance(node, list) else None


def _run(values: list[Any]) -> list[int] | None:
    """Return the start and the step of integers that are evenly apart."""
    if not all(type(value) is int for value in values):
        return None
    step = values[1] - values[0]
    even = all(after - before == step for before, after in itertools.pairwise(values))
    return [values[0], step] if even else None


def size_of(count: Any, template: Any, columns: Sequence[Sequence[Any]]) -> int | None:
    """Return how many nodes rows stand for; None if they cannot be made."""
    if type(count) is not int or not 0 < count <= MOST_NODES:
        return None
    nodes, waiting = 0, [template]
    while waiting:
        node = waiting.pop()
        nodes += 1
        hole = _hole(node)
        if hole is not None:
            if not _can_fill(hole, node[hole], count, columns):
                return None
        elif isinstance(node, dict):
            if "rows" in node:
                return None
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
    return nodes * count


def _hole(node: Any) -> str | None:
    return next((name for name in HOLES if name in node), None) if isinstance(node, dict) and len(node) == 1 else None


def _can_fill(hole: str, told: Any, count: int, columns: Sequence[Sequence[Any]]) -> bool:
    if hole == "each":
        return type(told) is int and 0 <= told < len(columns) and len(columns[told]) == count
    return isinstance(told, list) and len(told) == 2 and all(type(part) is int and abs(part) < 2**31 for part in told)


def are_columns(columns: Any) -> bool:
    """Return whether the columns of a manifest are lists of nodes that stand for no further rows."""
    if not isinstance(columns, list) or not all(isinstance(column, list) for column in columns):
        return False
    waiting = [entry for column in columns for entry in column if isinstance(entry, list | dict)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict) and ("rows" in node or _hole(node)):
            return False
        waiting += [
            part for part in (node.values() if isinstance(node, dict) else node) if isinstance(part, list | dict)
        ]
    return True


def expand(told: Any, columns: Sequence[Sequence[Any]]) -> Iterator[Any]:
    """Yield the nodes of a checked ``[n, template]``, one at a time."""
    count, template = told
    for number in range(count):
        yield _filled(template, number, columns)


def _filled(node: Any, number: int, columns: Sequence[Sequence[Any]]) -> Any:
    if isinstance(node, list):
        return [_filled(part, number, columns) for part in node]
    if not isinstance(node, dict):
        return node
    if len(node) == 1:
        if "each" in node:
            return columns[node["each"]][number]
        if "from" in node:
            start, step = node["from"]
            return start + number * step
    return {key: _filled(part, number, columns) for key, part in node.items()}
