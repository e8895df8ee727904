"""What a file says of an estimator: a tree of nodes of a closed set, which a table allows or not.

A node is what JSON can say: null, true, "text", 3 and 0.5 stand for themselves, everything else is an object with one
key, its tag: ``{"tuple": [1, 2]}``, ``{"array": 0}``, ``{"object": ["Chain", {"steps": ...}]}``.
"""

import datetime
import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsrnn import _index_nodes, _rows
from tsrnn._index_nodes import UnfitError
from tsrnn._stacks import DTYPES, Stored

FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: getattr(np, name)
    for name in ("log", "exp", "log1p", "expm1", "log2", "exp2", "log10", "sqrt", "square", "cbrt", "arcsinh", "sinh")
}
"""The functions that a `FunctionTransformer` may have in a file: they are numpy's, and do nothing but compute."""


@dataclass(frozen=True)
class Kind:
    """What a node may be, in words and as a check of the node."""

    text: str
    fits: Callable[[Any, "Checker"], bool]


@dataclass(frozen=True)
class Spec:
    """A class that a file may hold, and what each of its attributes may be.

    `always` are attributes without which there is no object, `state` those that a fit adds, `needed` those of them that
    must be there where the first of them is; where it is not, `left_out` are not written. `forgotten` are never
    written. `defaults` stand in for attributes that another version does not have. `check` looks at how the attributes
    agree, `agrees` at the object that has been made; both raise `UnfitError`.
    """

    cls: type
    always: Mapping[str, Kind]
    state: Mapping[str, Kind] = field(default_factory=dict)
    needed: Sequence[str] = ()
    left_out: Sequence[str] = ()
    forgotten: Sequence[str] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    check: "Callable[[dict[str, Any], Checker], None] | None" = None
    agrees: Callable[[Any], None] | None = None


Table = Mapping[str, Spec]
_Made = TypeVar("_Made")


class Checker:
    """A walk over a tree that raises `UnfitError` where it is not what the table allows.

    It collects which arrays are referred to, and which of the members may hold no missing values.
    """

    def __init__(self, table: Table, arrays: Sequence[Stored], columns: Sequence[Sequence[Any]] = ()) -> None:
        self.table, self.arrays, self.columns = table, arrays, columns
        self.used = [bytearray(stored.n_parts) for stored in arrays]
        self.whole: set[int] = set()
        self.made: list[Any] = []
        """What the `Decoder` will have made by now: the class of an object, of a list or dict in rows its check."""
        self._room = _rows.MOST_NODES

    def items(self, told: Any) -> Iterable[Any] | None:
        """Return the nodes of a list that is written out or in rows; None for anything else."""
        if isinstance(told, list):
            return told
        rows = content(told, "rows")
        size = _rows.size_of(rows[0], rows[1], self.columns) if isinstance(rows, list) and len(rows) == 2 else None
        if size is None:
            return None
        self._room -= size
        if self._room < 0:
            raise UnfitError(f"manifest.json has rows of more than {_rows.MOST_NODES:,} nodes")
        return _rows.expand(rows, self.columns)

    def is_again(self, node: Any, names: Any) -> bool:
        """Return whether a node stands for something that was made before and is one of `names`."""
        number = content(node, "again")
        return is_int(number) and 0 <= number < len(self.made) and self.made[number] in names

    def object(self, node: Any, names: Sequence[str]) -> bool:
        """Return whether `node` is an object of one of the classes; raise if its attributes are not theirs."""
        if self.is_again(node, names):
            return True
        told = content(node, "object")
        if not (isinstance(told, list) and len(told) == 2 and told[0] in names and isinstance(told[1], dict)):
            return False
        name, attributes = told
        spec = self.table[name]
        kinds = {**spec.always, **spec.state}
        for attribute, part in attributes.items():
            if attribute not in kinds:
                raise UnfitError(f"{name} has no attribute {attribute!r} in a file")
            if not kinds[attribute].fits(part, self):
                raise UnfitError(f"{name}: `{attribute}` must be {kinds[attribute].text}; got {str(part)[:80]}")
        _check_complete(name, spec, attributes)
        if spec.check is not None:
            spec.check(attributes, self)
        self.made.append(name)
        return True

    def array(self, node: Any, *, whole: bool) -> Stored | None:
        """Return what the manifest says of the array that `node` refers to; None if it refers to none."""
        number, part = place_of(content(node, "array"))
        if not (is_int(number) and 0 <= number < len(self.arrays)):
            return None
        stored: Stored = self.arrays[number]
        if not (is_int(part) and 0 <= part < stored.n_parts):
            return None
        self.used[number][part] = 1
        if whole:
            self.whole.add(number)
        return stored.part(part)


def _check_complete(name: str, spec: Spec, attributes: Mapping[str, Any]) -> None:
    """Raise if an attribute is missing that an object of the class has."""
    missing = [part for part in spec.always if part not in attributes and part not in spec.defaults]
    if spec.needed and spec.needed[0] in attributes:
        missing += [part for part in spec.needed if part not in attributes]
    if missing:
        raise UnfitError(f"{name} has no `{missing[0]}`")


class Encoder:
    """From values to nodes; arrays and columns are collected, each once."""

    def __init__(self, table: Table, refuse: Callable[[str, str, Any], NoReturn]) -> None:
        self.members: list[list[NDArray[Any]]] = []
        """The arrays of each member."""
        self.stacks: dict[Any, int] = {}
        """The members that hold those of many rows, by what these have in common."""
        self.columns: list[list[Any]] = []
        self._column_numbers: dict[str, int] = {}
        self._places: dict[Any, Any] = {}
        self._made: dict[int, int] = {}
        self._in_rows = False
        self._alive: list[Any] = []
        """What stands in memory that is known by its address: once freed, the address would be another array's."""
        self._names = {spec.cls: name for name, spec in table.items()}
        self._table, self._refuse = table, refuse
        self._owner, self._attribute = "", ""

    def node(self, value: Any) -> Any:
        """Return the node of a value."""
        if value is None or type(value) in (bool, int, str):
            return value
        if isinstance(value, float) and type(value) is float:
            return value if math.isfinite(value) else {"float": str(value)}
        return {"again": self._made[id(value)]} if id(value) in self._made else self._part(value)

    def _part(self, value: Any) -> Any:
        """Return the node of a value that does not stand for itself, and is met for the first time."""
        if type(value) in self._names:
            return self._object(value)
        for kind, encode in self._encoders:
            if isinstance(value, kind):
                return encode(self, value)
        for name, function in FUNCTIONS.items():
            if value is function:
                return {"function": name}
        return self._refuse(self._owner, self._attribute, value)

    def array(self, values: NDArray[Any]) -> dict[str, Any]:
        """Return the node of an array of numbers, or of text."""
        if values.dtype.kind in "UO":
            return self._texts(values)
        dtype = values.dtype.newbyteorder("<")
        if dtype.str not in DTYPES:
            self._refuse(self._owner, self._attribute, values)
        return self._numbered(values, (values.ctypes.data, dtype.str, values.shape, values.strides))

    def unchanging(self, values: NDArray[Any]) -> dict[str, Any]:
        """Return the node of the numbers of an index: as nothing changes them, equal ones are stored once."""
        return self._numbered(values, (values.dtype.str, hashlib.sha256(values.tobytes()).digest()))

    def _numbered(self, values: NDArray[Any], place: Any) -> dict[str, Any]:
        if place not in self._places:
            dtype = values.dtype.newbyteorder("<")
            self._alive.append(values)
            # What is neither C nor Fortran order is computed with as a copy in C order, so that one keeps the bits.
            kept = values if values.flags.f_contiguous else np.ascontiguousarray(values)
            self._places[place] = self._placed(kept.astype(dtype, copy=False))
        return {"array": self._places[place]}

    def _placed(self, values: NDArray[Any]) -> Any:
        """Return where an array goes: into a member of its own, or behind its like of the rows before."""
        if not self._in_rows or values.ndim == 0:
            self.members.append([values])
            return len(self.members) - 1
        alike = (self._owner, self._attribute, values.dtype.str, values.flags.c_contiguous, values.shape[1:])
        if alike not in self.stacks:
            self.stacks[alike] = len(self.members)
            self.members.append([])
        number = self.stacks[alike]
        self.members[number].append(values)
        return [number, len(self.members[number]) - 1]

    def _items(self, value: Any, values: Sequence[Any], encode: Callable[[Any], Any]) -> Any:
        """Return the nodes of the items of a list or dict: of many objects or arrays as rows."""
        if self._in_rows or len(values) < _rows.FEWEST or not self._are_alike(value):
            return [encode(part) for part in values]
        self._in_rows = True
        fold = _rows.Fold(encode(values[0]))
        for part in values[1:]:
            fold.add(encode(part))
        self._in_rows = False
        node = fold.node(self._column)
        if isinstance(node, dict):
            self._made[id(value)] = len(self._made)
        return node

    def _are_alike(self, value: Any) -> bool:
        parts = value.values() if isinstance(value, dict) else value
        types = {type(part) for part in parts}
        beside = [list, np.ndarray] if isinstance(value, dict) else []
        return all(cls in self._names or cls in beside or issubclass(cls, pd.Index) for cls in types)

    def _column(self, values: list[Any]) -> int:
        """Return the number of a column; equal ones are stored once."""
        text = json.dumps(values)
        if text not in self._column_numbers:
            self._column_numbers[text] = len(self.columns)
            self.columns.append(values)
        return self._column_numbers[text]

    def _object(self, value: Any) -> dict[str, Any]:
        name = self._names[type(value)]
        spec, attributes = self._table[name], {}
        before = self._owner, self._attribute
        left_out = spec.left_out if spec.needed and spec.needed[0] not in vars(value) else ()
        for attribute, part in vars(value).items():
            if attribute in left_out or attribute in spec.forgotten:
                continue
            self._owner, self._attribute = name, attribute
            if attribute not in spec.always and attribute not in spec.state:
                self._refuse(name, attribute, part)
            attributes[attribute] = self.node(part)
        self._owner, self._attribute = before
        self._made[id(value)] = len(self._made)
        return {"object": [name, attributes]}

    def _texts(self, values: NDArray[Any]) -> dict[str, Any]:
        texts = values.tolist()
        if values.ndim != 1 or not all(isinstance(text, str) for text in texts):
            self._refuse(self._owner, self._attribute, values)
        return {"texts": [values.dtype.newbyteorder("<").str, [str(text) for text in texts]]}

    def _number(self, value: np.generic) -> Any:
        if isinstance(value, np.str_):
            return str(value)
        if value.dtype.newbyteorder("<").str not in DTYPES or not np.isfinite(value):
            self._refuse(self._owner, self._attribute, value)
        return {"number": [value.dtype.name, value.item()]}

    def _index(self, value: pd.Index) -> dict[str, Any]:
        node = _index_nodes.encode(value, self)
        if node is None:
            self._refuse(self._owner, self._attribute, value)
        return {"index": node}

    def _frame(self, value: pd.DataFrame) -> dict[str, Any]:
        columns = [self.node(value.iloc[:, number].to_numpy()) for number in range(value.shape[1])]
        return {"frame": [self.node(value.columns), self.node(value.index), columns]}

    def _pair(self, pair: tuple[Any, Any]) -> list[Any]:
        return [self.node(part) for part in pair]

    _encoders: Sequence[tuple[Any, Callable[["Encoder", Any], Any]]] = (
        (np.generic, _number),
        (np.ndarray, array),
        (tuple, lambda self, value: {"tuple": [self.node(part) for part in value]}),
        (list, lambda self, value: {"list": self._items(value, value, self.node)}),
        ((set, frozenset), lambda self, value: {"set": [self.node(part) for part in sorted(value, key=repr)]}),
        (dict, lambda self, value: {"dict": self._items(value, list(value.items()), self._pair)}),
        (pd.Timestamp, lambda self, value: self._refuse(self._owner, self._attribute, value)),
        (pd.Timedelta, lambda _, value: {"span": [value.unit, int(value.asm8.astype(np.int64))]}),
        (datetime.datetime, lambda self, value: self._refuse(self._owner, self._attribute, value)),
        (datetime.date, lambda _, value: {"date": value.isoformat()}),
        (pd.Index, _index),
        (pd.DataFrame, _frame),
    )


class Decoder:
    """From checked nodes to values."""

    def __init__(
        self,
        table: Table,
        arrays: Sequence[tuple[Stored, NDArray[Any]]] = (),
        columns: Sequence[Sequence[Any]] = (),
    ) -> None:
        self._table, self._arrays, self._columns = table, arrays, columns
        self._made: list[Any] = []
        self._indices: dict[str, Any] = {}

    def value(self, node: Any) -> Any:
        """Return the value of a node."""
        if not isinstance(node, dict):
            return node
        ((tag, told),) = node.items()
        return self._decoders[tag](self, told)

    def array(self, told: Any) -> NDArray[Any]:
        """Return an array that was read: what stands in one member is views of it."""
        number, part = place_of(told)
        stored, values = self._arrays[number]
        found: NDArray[Any] = stored.cut(values, part)
        return found

    def _object(self, told: Any) -> Any:
        name, attributes = told
        spec = self._table[name]
        made: Any = object.__new__(spec.cls)
        # One by one, the objects of a class share the names of their attributes: a series takes half the memory.
        for attribute, part in attributes.items():
            object.__setattr__(made, attribute, self.value(part))
        for attribute, value in spec.defaults.items():
            if attribute not in attributes:
                object.__setattr__(made, attribute, value)
        if spec.agrees is not None:
            spec.agrees(made)
        self._made.append(made)
        return made

    def _index(self, told: Any) -> Any:
        """Return an index: as nothing changes it, equal ones are one."""
        text = json.dumps(told)
        if text not in self._indices:
            self._indices[text] = _index_nodes.decode(told, self)
        return self._indices[text]

    def _frame(self, told: Any) -> pd.DataFrame:
        columns, index, parts = told
        frame = pd.DataFrame(dict(enumerate(self.value(part) for part in parts)), index=self.value(index))
        frame.columns = self.value(columns)
        return frame

    def _listed(self, told: Any) -> list[Any]:
        return self._kept(told, [self.value(part) for part in self._items(told)])

    def _mapped(self, told: Any) -> dict[Any, Any]:
        return self._kept(told, {self.value(key): self.value(part) for key, part in self._items(told)})

    def _items(self, told: Any) -> Iterable[Any]:
        return told if isinstance(told, list) else _rows.expand(told["rows"], self._columns)

    def _kept(self, told: Any, made: _Made) -> _Made:
        if isinstance(told, dict):
            self._made.append(made)
        return made

    _decoders: Mapping[str, Callable[["Decoder", Any], Any]] = {
        "float": lambda _, told: float(told),
        "number": lambda _, told: np.dtype(told[0]).type(told[1]),
        "date": lambda _, told: datetime.date.fromisoformat(told),
        "span": lambda _, told: pd.Timedelta(np.timedelta64(told[1], told[0])),
        "function": lambda _, told: FUNCTIONS[told],
        "tuple": lambda self, told: tuple(self._listed(told)),
        "list": _listed,
        "set": lambda self, told: set(self._listed(told)),
        "dict": _mapped,
        "array": array,
        "texts": lambda _, told: np.array(told[1], dtype=told[0]),
        "index": _index,
        "frame": _frame,
        "object": _object,
        "again": lambda self, told: self._made[told],
    }


def content(node: Any, tag: str) -> Any:
    """Return what stands behind the tag of a node; None if it has another one."""
    return node[tag] if isinstance(node, dict) and len(node) == 1 and tag in node else None


def place_of(told: Any) -> tuple[Any, Any]:
    """Return the member that an array stands in, and which of its arrays it is."""
    return (told[0], told[1]) if isinstance(told, list) and len(told) == 2 else (told, 0)


def is_int(node: Any) -> bool:
    """Return whether a node is an integer of 64 bits."""
    return type(node) is int and -(2**63) <= node < 2**63
