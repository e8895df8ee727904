"""What an attribute may be in a file: kinds of nodes, and how they are put together."""

import datetime
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from tsrnn import _index_nodes
from tsrnn._stacks import DTYPES
from tsrnn._tree import FUNCTIONS, Checker, Kind, content, is_int

Check = Callable[[Any, Checker], bool]


def one_of(*kinds: Kind) -> Kind:
    """Return the kind of what is one of `kinds`."""

    def fits(node: Any, checker: Checker) -> bool:
        count = len(checker.made)
        for kind in kinds:
            if kind.fits(node, checker):
                return True
            del checker.made[count:]  # what did not fit will not be made
        return False

    return Kind(" or ".join(dict.fromkeys(kind.text for kind in kinds)), fits)


def choice(*options: Any) -> Kind:
    """Return the kind of what is one of plain values."""
    text = f"one of {list(options)}"
    return Kind(text, lambda node, _: any(type(node) is type(option) and node == option for option in options))


def listed(kind: Kind, *tags: str) -> Kind:
    """Return the kind of a list (or what `tags` name) of `kind`."""

    def fits(node: Any, checker: Checker) -> bool:
        told = next((content(node, tag) for tag in tags or ("list",) if content(node, tag) is not None), None)
        if not isinstance(told, list) and content(node, "list") is None:
            return checker.is_again(node, [fits])
        return _all_fit(told, kind.fits, fits, checker)

    return Kind(f"a {' or '.join(tags or ('list',))} of {kind.text}", fits)


def _all_fit(told: Any, is_part: Check, is_whole: Check, checker: Checker) -> bool:
    """Return whether a list or dict holds what it may; of rows, note it, as it may be referred to again."""
    parts = checker.items(told)
    if parts is None or not all(is_part(part, checker) for part in parts):
        return False
    if isinstance(told, dict):
        checker.made.append(is_whole)
    return True


def fixed(*kinds: Kind) -> Kind:
    """Return the kind of a tuple with these parts."""

    def fits(node: Any, checker: Checker) -> bool:
        parts = content(node, "tuple")
        return (
            isinstance(parts, list)
            and len(parts) == len(kinds)
            and all(kind.fits(part, checker) for kind, part in zip(kinds, parts, strict=True))
        )

    return Kind(f"a tuple of {', '.join(kind.text for kind in kinds)}", fits)


def mapped(key: Kind, value: Kind) -> Kind:
    """Return the kind of a dict."""

    def is_pair(pair: Any, checker: Checker) -> bool:
        both = isinstance(pair, list) and len(pair) == 2
        return both and key.fits(pair[0], checker) and value.fits(pair[1], checker)

    def fits(node: Any, checker: Checker) -> bool:
        told = content(node, "dict")
        return checker.is_again(node, [fits]) if told is None else _all_fit(told, is_pair, fits, checker)

    return Kind(f"a dict of {value.text}", fits)


def record(fields: Mapping[str, Kind], optional: Collection[str] = ()) -> Kind:
    """Return the kind of a dict that has these keys, the `optional` ones among them or not, and no others."""

    def fits(node: Any, checker: Checker) -> bool:
        pairs = content(node, "dict")
        if not (isinstance(pairs, list) and all(isinstance(pair, list) and len(pair) == 2 for pair in pairs)):
            return False
        names = [pair[0] for pair in pairs]
        if not all(isinstance(name, str) and name in fields for name in names) or len(set(names)) < len(names):
            return False
        complete = set(fields) - set(optional) <= set(names)
        return complete and all(fields[name].fits(part, checker) for name, part in pairs)

    return Kind(f"a dict of {', '.join(fields)} with plain values", fits)


def array(n_axes: Sequence[int] = (0, 1, 2, 3, 4), *, missing: bool = False, kinds: str = "f") -> Kind:
    """Return the kind of an array of finite floats, or other `kinds` of numbers; with `missing`, some may be NaN."""

    def fits(node: Any, checker: Checker) -> bool:
        stored = checker.array(node, whole=not missing)
        return stored is not None and len(stored.shape) in n_axes and stored.dtype[1] in kinds

    return Kind("an array of numbers", fits)


def instance(*names: str) -> Kind:
    """Return the kind of an object of one of the classes of these names in the table."""
    return Kind(" or ".join(names), lambda node, checker: checker.object(node, names))


def _is_number(node: Any) -> bool:
    told = content(node, "number")
    if not (isinstance(told, list) and len(told) == 2 and told[0] in NUMBERS):
        return False
    name, value = told
    if name == "bool":
        return type(value) is bool
    if name.startswith("float"):
        return type(value) is float and math.isfinite(value)
    low, high = NUMBERS[name]
    return type(value) is int and low <= value <= high


def _ranges() -> dict[str, tuple[int, int]]:
    names = {"bool": (0, 1), "float16": (0, 0), "float32": (0, 0), "float64": (0, 0)}
    for bits in (8, 16, 32, 64):
        names[f"int{bits}"] = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
        names[f"uint{bits}"] = 0, 2**bits - 1
    return names


NUMBERS = _ranges()


def _is_date(node: Any) -> bool:
    told = content(node, "date")
    try:
        return isinstance(told, str) and len(told) == 10 and bool(datetime.date.fromisoformat(told))
    except ValueError:
        return False


def _is_plain(node: Any, checker: Checker) -> bool:
    return SCALAR.fits(node, checker) or _PLAIN_PARTS.fits(node, checker)


def _is_texts(node: Any, _: Checker) -> bool:
    told = content(node, "texts")
    if not (isinstance(told, list) and len(told) == 2 and isinstance(told[1], list)):
        return False
    dtype, texts = told
    plain = all(isinstance(text, str) for text in texts)
    longest = max((len(text) for text in texts), default=0) if plain else 0
    # Text of numpy's fixed width takes the width for each: no more than the longest one needs, or a file could ask for
    # any amount of memory.
    return plain and (dtype == "|O" or dtype in {f"<U{longest}", f"<U{max(longest, 1)}"})


def _is_frame(node: Any, checker: Checker) -> bool:
    told = content(node, "frame")
    if not (isinstance(told, list) and len(told) == 3 and isinstance(told[2], list)):
        return False
    columns, index, parts = told
    stored = [checker.array(part, whole=False) for part in parts]
    one_length = {part and part.dtype in DTYPES and part.shape for part in stored}
    return INDEX.fits(columns, checker) and INDEX.fits(index, checker) and len(one_length) == 1 and all(one_length)


NONE = Kind("None", lambda node, _: node is None)
BOOL = Kind("True or False", lambda node, _: type(node) is bool)
INT = Kind("an integer", lambda node, _: is_int(node))
COUNT = Kind("an integer from 0 to 2**48", lambda node, _: type(node) is int and 0 <= node <= 2**48)
FLOAT = Kind("a number", lambda node, _: type(node) is float or is_int(node))
TEXT = Kind("text", lambda node, _: type(node) is str)
NUMBER = Kind("a number", lambda node, _: _is_number(node))
DATE = Kind("a date", lambda node, _: _is_date(node))
FUNCTION = Kind("a function of numpy that a file may name", lambda node, _: content(node, "function") in FUNCTIONS)
ODD_FLOAT = Kind("NaN or infinite", lambda node, _: content(node, "float") in ("nan", "inf", "-inf"))
SPAN = Kind(
    "a pandas Timedelta",
    lambda node, _: (
        isinstance(content(node, "span"), list)
        and len(node["span"]) == 2
        and node["span"][0] in _index_nodes.UNITS
        and is_int(node["span"][1])
    ),
)

INTEGER = one_of(INT, Kind("an integer", lambda node, _: _is_number(node) and "int" in node["number"][0]))
REAL = one_of(FLOAT, NUMBER)
FLAG = one_of(BOOL, Kind("True or False", lambda node, _: _is_number(node) and node["number"][0] == "bool"))
SCALAR = one_of(NONE, BOOL, INT, FLOAT, TEXT, NUMBER)
_PLAIN_PARTS = listed(Kind("plain values", _is_plain), "tuple", "list", "set")
PLAIN = Kind("a plain value (None, a flag, a number, text, or several of them)", _is_plain)
LABEL = one_of(SCALAR, DATE, listed(SCALAR, "tuple"))
"""What names a series or a column."""
TEXTS = Kind("an array of text", _is_texts)
INDEX = Kind("a pandas index", lambda node, checker: _index_nodes.fits(content(node, "index"), checker))
FRAME = Kind("a DataFrame of numbers", _is_frame)
