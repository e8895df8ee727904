"""What a file says of an estimator: a tree of nodes of a closed set, which a table allows or not.

A node is what JSON can say: null, true, "text", 3 and 0.5 stand for themselves, everything else is an object with one
key, its tag: ``{"tuple": [1, 2]}``, ``{"array": 0}``, ``{"object": ["Chain", {"steps": ...}]}``.
"""

import datetime
import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsrnn import _index_nodes
from tsrnn._index_nodes import UnfitError

DTYPES = [f"<{kind}" for kind in ("f2", "f4", "f8", "i2", "i4", "i8", "u2", "u4", "u8")] + ["|b1", "|i1", "|u1"]

FUNCTIONS: dict[str, Callable[..., Any]] = {
    name: getattr(np, name)
    for name in ("log", "exp", "log1p", "expm1", "log2", "exp2", "log10", "sqrt", "square", "cbrt", "arcsinh", "sinh")
}
"""The functions that a `FunctionTransformer` may have in a file: they are numpy's, and do nothing but compute."""


@dataclass(frozen=True)
class Stored:
    """An array as the manifest tells of it: its type, shape and order in memory."""

    dtype: str
    shape: tuple[int, ...]
    order: str

    @property
    def nbytes(self) -> int:
        """Bytes of its values."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize


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
    agree; it raises `UnfitError`.
    """

    cls: type
    always: Mapping[str, Kind]
    state: Mapping[str, Kind] = field(default_factory=dict)
    needed: Sequence[str] = ()
    left_out: Sequence[str] = ()
    forgotten: Sequence[str] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    check: "Callable[[dict[str, Any], Checker], None] | None" = None


Table = Mapping[str, Spec]


class Checker:
    """A walk over a tree that raises `UnfitError` where it is not what the table allows.

    It collects which arrays are referred to, and which of them may hold missing values.
    """

    def __init__(self, table: Table, arrays: Sequence[Stored]) -> None:
        self.table, self.arrays = table, arrays
        self.used: set[int] = set()
        self.whole: set[int] = set()

    def object(self, node: Any, names: Sequence[str]) -> bool:
        """Return whether `node` is an object of one of the classes; raise if its attributes are not theirs."""
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
        missing = [part for part in spec.always if part not in attributes and part not in spec.defaults]
        if spec.needed and spec.needed[0] in attributes:
            missing += [part for part in spec.needed if part not in attributes]
        if missing:
            raise UnfitError(f"{name} has no `{missing[0]}`")
        if spec.check is not None:
            spec.check(attributes, self)
        return True

    def array(self, node: Any, *, whole: bool) -> Stored | None:
        """Return what the manifest says of the array that `node` refers to; None if it refers to none."""
        number: Any = content(node, "array")
        if not (is_int(number) and 0 <= number < len(self.arrays)):
            return None
        self.used.add(number)
        if whole:
            self.whole.add(number)
        stored: Stored = self.arrays[number]
        return stored


class Encoder:
    """From values to nodes; the arrays are collected, each once."""

    def __init__(self, table: Table, refuse: Callable[[str, str, Any], NoReturn]) -> None:
        self.arrays: list[NDArray[Any]] = []
        self._numbers: dict[Any, int] = {}
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
        if place not in self._numbers:
            dtype = values.dtype.newbyteorder("<")
            self._numbers[place] = len(self.arrays)
            self._alive.append(values)
            # What is neither C nor Fortran order is computed with as a copy in C order, so that one keeps the bits.
            kept = values if values.flags.f_contiguous else np.ascontiguousarray(values)
            self.arrays.append(kept.astype(dtype, copy=False))
        return {"array": self._numbers[place]}

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

    _encoders: Sequence[tuple[Any, Callable[["Encoder", Any], Any]]] = (
        (np.generic, _number),
        (np.ndarray, array),
        (tuple, lambda self, value: {"tuple": [self.node(part) for part in value]}),
        (list, lambda self, value: {"list": [self.node(part) for part in value]}),
        ((set, frozenset), lambda self, value: {"set": [self.node(part) for part in sorted(value, key=repr)]}),
        (dict, lambda self, value: {"dict": [[self.node(key), self.node(part)] for key, part in value.items()]}),
        (pd.Timestamp, lambda self, value: self._refuse(self._owner, self._attribute, value)),
        (pd.Timedelta, lambda _, value: {"span": [value.unit, int(value.asm8.astype(np.int64))]}),
        (datetime.datetime, lambda self, value: self._refuse(self._owner, self._attribute, value)),
        (datetime.date, lambda _, value: {"date": value.isoformat()}),
        (pd.Index, _index),
        (pd.DataFrame, _frame),
    )


class Decoder:
    """From checked nodes to values."""

    def __init__(self, table: Table, arrays: Sequence[NDArray[Any]]) -> None:
        self._table, self._arrays = table, arrays

    def value(self, node: Any) -> Any:
        """Return the value of a node."""
        if not isinstance(node, dict):
            return node
        ((tag, told),) = node.items()
        return self._decoders[tag](self, told)

    def array(self, number: int) -> NDArray[Any]:
        """Return an array that was read."""
        return self._arrays[number]

    def _object(self, told: Any) -> Any:
        name, attributes = told
        spec = self._table[name]
        made: Any = object.__new__(spec.cls)
        values = {attribute: self.value(part) for attribute, part in attributes.items()}
        vars(made).update(values)
        vars(made).update({attribute: value for attribute, value in spec.defaults.items() if attribute not in values})
        return made

    def _frame(self, told: Any) -> pd.DataFrame:
        columns, index, parts = told
        frame = pd.DataFrame(dict(enumerate(self.value(part) for part in parts)), index=self.value(index))
        frame.columns = self.value(columns)
        return frame

    def _listed(self, told: Any) -> list[Any]:
        return [self.value(part) for part in told]

    _decoders: Mapping[str, Callable[["Decoder", Any], Any]] = {
        "float": lambda _, told: float(told),
        "number": lambda _, told: np.dtype(told[0]).type(told[1]),
        "date": lambda _, told: datetime.date.fromisoformat(told),
        "span": lambda _, told: pd.Timedelta(np.timedelta64(told[1], told[0])),
        "function": lambda _, told: FUNCTIONS[told],
        "tuple": lambda self, told: tuple(self._listed(told)),
        "list": _listed,
        "set": lambda self, told: set(self._listed(told)),
        "dict": lambda self, told: {self.value(key): self.value(part) for key, part in told},
        "array": array,
        "texts": lambda _, told: np.array(told[1], dtype=told[0]),
        "index": lambda self, told: _index_nodes.decode(told, self),
        "frame": _frame,
        "object": _object,
    }


def content(node: Any, tag: str) -> Any:
    """Return what stands behind the tag of a node; None if it has another one."""
    return node[tag] if isinstance(node, dict) and len(node) == 1 and tag in node else None


def is_int(node: Any) -> bool:
    """Return whether a node is an integer of 64 bits."""
    return type(node) is int and -(2**63) <= node < 2**63
