"""The index of a pandas object as a node: stamps, periods, a range, integers or text."""

import re
from typing import Any

import numpy as np
import pandas as pd

UNITS = ["s", "ms", "us", "ns"]

ZONE = re.compile(r"(?!dateutil/)[A-Za-z][A-Za-z0-9_+-]{0,31}(/[A-Za-z0-9_+-]{1,31}){0,2}|UTC[+-]\d\d:\d\d")
"""A name of the zone database, or an offset: never the path of a file."""

FREQUENCY = re.compile(r"-?\d{0,9}[A-Za-z]{1,5}(-[A-Z]{3})?")
"""An alias of a pandas offset, such as "30min" or "W-SUN"."""

TEXT_TYPES = ["object", "str"]


class UnfitError(Exception):
    """A tree is not what the table allows; the argument says where."""


def encode(index: pd.Index, encoder: Any) -> dict[str, Any] | None:
    """Return what tells an index again, or None for one that no file may hold."""
    told = _told(index, encoder)
    if told is None or not isinstance(index.name, str | int | tuple | None):
        return None
    told["name"] = encoder.node(index.name)
    return told


def _told(index: pd.Index, encoder: Any) -> dict[str, Any] | None:
    if type(index) is pd.RangeIndex:
        return {"range": [index.start, index.stop, index.step]}
    if type(index) is pd.DatetimeIndex:
        return _stamps(index, encoder)
    if type(index) is pd.PeriodIndex:
        periods = {"periods": encoder.unchanging(index.asi8), "freq": index.freqstr}
        return periods if FREQUENCY.fullmatch(index.freqstr) else None
    if type(index) is not pd.Index:
        return None
    if index.dtype.kind in "iu":
        return {"integers": encoder.unchanging(index.to_numpy())}
    texts = index.tolist()
    if str(index.dtype) in TEXT_TYPES and all(isinstance(text, str) for text in texts):
        return {"texts": [str(text) for text in texts], "dtype": str(index.dtype)}
    return None


def _stamps(index: pd.DatetimeIndex, encoder: Any) -> dict[str, Any] | None:
    zone = None if index.tz is None else str(index.tz)
    told = {"stamps": encoder.unchanging(index.asi8), "unit": index.unit, "zone": zone, "freq": index.freqstr}
    try:
        same = are_stamps(told) and _decode_stamps(index.asi8, index.unit, zone, index.freqstr)
    except (ValueError, UnfitError):
        return None
    if same is False or not same.equals(index) or same.freq != index.freq:  # a calendar of one's own
        return None
    return told


def are_stamps(told: dict[str, Any]) -> bool:
    """Return whether the plain parts of a DatetimeIndex are what they may be."""
    zone, freq = told["zone"], told["freq"]
    return (
        told["unit"] in UNITS
        and (zone is None or bool(isinstance(zone, str) and ZONE.fullmatch(zone)))
        and (freq is None or bool(isinstance(freq, str) and FREQUENCY.fullmatch(freq)))
    )


def fits(told: Any, checker: Any) -> bool:
    """Return whether a node is an index."""
    if not isinstance(told, dict) or not is_name(told.get("name", ())):
        return False
    keys = set(told) - {"name"}
    if keys == {"range"}:
        parts = told["range"]
        whole = isinstance(parts, list) and len(parts) == 3 and all(type(part) is int for part in parts)
        return whole and max(map(abs, parts)) < 2**62 and parts[2] != 0
    if keys == {"stamps", "unit", "zone", "freq"}:
        return are_stamps(told) and _is_array(told["stamps"], checker, ["<i8"])
    if keys == {"periods", "freq"}:
        freq = told["freq"]
        named = isinstance(freq, str) and FREQUENCY.fullmatch(freq) is not None
        return named and _is_array(told["periods"], checker, ["<i8"])
    if keys == {"integers"}:
        return _is_array(told["integers"], checker, ["<i8", "<i4", "<i2", "|i1", "<u8", "<u4", "<u2", "|u1"])
    texts = told.get("texts")
    named = keys == {"texts", "dtype"} and told["dtype"] in TEXT_TYPES
    return named and isinstance(texts, list) and all(isinstance(text, str) for text in texts)


def is_name(node: Any) -> bool:
    """Return whether a node is the name of an index: text, an integer, several of them, or nothing."""
    if isinstance(node, dict):
        parts = node.get("tuple") if len(node) == 1 else None
        return isinstance(parts, list) and all(is_name(part) for part in parts)
    return node is None or type(node) in (str, int)


def _is_array(node: Any, checker: Any, dtypes: list[str]) -> bool:
    stored = checker.array(node, whole=False)
    return stored is not None and len(stored.shape) == 1 and stored.dtype in dtypes


def decode(told: dict[str, Any], decoder: Any) -> Any:
    """Return the index of a checked node."""
    name = decoder.value(told["name"])
    if "range" in told:
        start, stop, step = told["range"]
        return pd.RangeIndex(start, stop, step, name=name)
    if "stamps" in told:
        stamps = decoder.value(told["stamps"])
        return _decode_stamps(stamps, told["unit"], told["zone"], told["freq"]).rename(name)
    if "periods" in told:
        periods: Any = pd.PeriodIndex
        return periods.from_ordinals(decoder.value(told["periods"]), freq=told["freq"], name=name)
    if "integers" in told:
        return pd.Index(decoder.value(told["integers"]), name=name)
    return pd.Index(told["texts"], dtype=told["dtype"], name=name)


def _decode_stamps(stamps: Any, unit: str, zone: str | None, freq: str | None) -> Any:
    index: Any = pd.DatetimeIndex(stamps.view(np.dtype(f"M8[{unit}]")))
    try:
        index = index if zone is None else index.tz_localize("UTC").tz_convert(zone)
        _ = index.min(), index.max()
    except (OSError, KeyError) as error:  # "Asia" is a folder of the zone database, which is there or in a package
        raise UnfitError(f"there is no time zone {zone!r}") from error
    except NotImplementedError as error:  # in a zone, pandas knows the years 1 to 9999 alone
        raise UnfitError(f"stamps lie beyond the years that the time zone {zone!r} tells of") from error
    index.freq = freq
    return index
