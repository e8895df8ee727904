"""Changes of saved files, from single bits to whole parts of the manifest, by a random generator."""

import hashlib
import io
import json
import random
import struct
from pathlib import Path

from saved import parts_of

from tsrnn import _zip_file

TAGS = [
    "float", "number", "date", "span", "function", "tuple", "list", "set", "dict", "array", "texts", "index", "frame",
    "object", "again", "rows", "each", "from",
]  # fmt: skip
WORDS = [
    "", "\x00", "nan", "inf", "os.system", "__class__", "__dict__", "builtins.eval", "../../etc/passwd", "int64",
    "float64", "<f8", "<U9", "|O", "log", "D", "h", "W-SUN", "UTC", "Europe/Berlin", "Africa/Abidjan", "Asia", "ns",
    "Ridge", "Track", "Chain", "Form", "NaiveForecaster", "Pipeline", "2024-02-30", "\ud800", "GB", "last", "linear",
]  # fmt: skip
NUMBERS = [
    0, 1, -1, 2, 3, 7, 255, 2**31 - 1, 2**31, 2**53, 2**63 - 1, 2**63, -(2**63), 2**64, 10**40, 0.0, -0.0, 0.5, 1.0,
    1e300, -1e308, 5e-324, 1e-9,
]  # fmt: skip
FLOATS = [0.0, -0.0, float("nan"), float("inf"), -float("inf"), 1e308, -1e308, 5e-324, 1.0, -1.0]
DTYPES = ["<f2", "<f4", "<f8", "<i2", "<i4", "<i8", "<u2", "<u4", "<u8", "|b1", "|i1", "|u1", ">f8", "|O", "<M8[ns]"]


class Base:
    """A whole file: its bytes, its manifest as text, and its arrays."""

    def __init__(self, path: Path) -> None:
        self.content = path.read_bytes()
        manifest, self.arrays = parts_of(path)
        self.text = json.dumps(manifest)


def changed(chance: random.Random, bases: list[Base], weights: list[int]) -> tuple[str, bytes]:
    """Return one changed file and the name of what was done."""
    (base,) = chance.choices(bases, weights)
    (how,) = chance.choices(list(CHANGES), [share for share, _ in CHANGES.values()])
    return how, CHANGES[how][1](chance, base, bases)


def zipped(text: str | bytes, arrays: list) -> bytes:
    """Return a file whose container is right, whatever stands in it."""
    content = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
    members = [("manifest.json", content), *((f"{i}.bin", part) for i, part in enumerate(arrays))]
    file = io.BytesIO()
    _zip_file._write_members(file, [(name, [memoryview(part)]) for name, part in members])
    return file.getvalue()


# --- bytes ---


def change_bytes(chance: random.Random, content: bytes, other: bytes) -> bytes:
    """Return the content with one change of its bytes."""
    size, place = len(content), chance.randrange(len(content) + 1)
    end = min(size, place + chance.choice([1, 1, 2, 4, 8, 46, 300]))
    begin = chance.randrange(len(other))
    options = [
        lambda: content[:place] + bytes([content[place % size] ^ 1 << chance.randrange(8)]) + content[place + 1 :],
        lambda: content[:place] + chance.randbytes(end - place) + content[end:],
        lambda: content[:place] + content[end:],
        lambda: content[:place] + content[place:end] * 2 + content[end:],
        lambda: content[:place] + other[begin : begin + end - place] + content[end:],
        lambda: content[:place] + other[begin:],
        lambda: content[:place],
        lambda: content[:place] + chance.choice([b"\0", b"\xff" * 4, b"PK\5\6", b"PK\1\2"]) + content[end:],
    ]
    return chance.choice(options)()


def raw(chance: random.Random, base: Base, bases: list[Base]) -> bytes:
    """Change bytes anywhere."""
    content = base.content
    for _ in range(chance.choice([1, 1, 1, 2, 5])):
        content = change_bytes(chance, content, chance.choice(bases).content) or b"\0"
    return content


def fields(chance: random.Random, base: Base, _: list[Base]) -> bytes:
    """Change one number in the directory of the members."""
    content = bytearray(base.content)
    begin = struct.unpack_from("<L", content, len(content) - 6)[0]
    place = chance.randrange(begin, len(content) - 3)
    value = chance.choice([0, 1, len(content), begin, 2**16 - 1, 2**31, 2**32 - 1, chance.getrandbits(32)])
    struct.pack_into("<L", content, place, value)
    return bytes(content)


def text(chance: random.Random, base: Base, bases: list[Base]) -> bytes:
    """Change bytes of the manifest, in a container that agrees with it."""
    content = base.text.encode()
    for _ in range(chance.choice([1, 1, 2, 3])):
        content = change_bytes(chance, content, chance.choice(bases).text.encode()) or b"\0"
    return zipped(content, base.arrays)


def contents(chance: random.Random, base: Base, _: list[Base]) -> bytes:
    """Change values of arrays, whose checksums agree with them."""
    manifest, arrays = json.loads(base.text), [bytearray(part) for part in base.arrays]
    for _ in range(chance.choice([1, 1, 3])):
        number = chance.randrange(len(arrays)) if arrays else None
        if number is None or not arrays[number]:
            continue
        part, told = arrays[number], manifest["arrays"][number]
        width = int(told["dtype"][2:])
        place = width * chance.randrange(len(part) // width)
        special = told["dtype"] == "<f8" and chance.random() < 0.7
        part[place : place + width] = (
            struct.pack("<d", chance.choice(FLOATS)) if special else chance.choice([b"\xff", b"\0", b"\x80"]) * width
        )
        told["sha256"] = hashlib.sha256(part).hexdigest()
    return zipped(json.dumps(manifest), arrays)


# --- the manifest ---


def places(node, found: list) -> list:
    """Return all (container, key) pairs below a node."""
    for key, part in list(node.items() if isinstance(node, dict) else enumerate(node)):
        found.append((node, key))
        if isinstance(part, dict | list):
            places(part, found)
    return found


def invented(chance: random.Random, depth: int = 0):
    """Return a node that may or may not make sense."""
    kind = chance.randrange(8 if depth < 3 else 4)
    if kind < 4:
        return chance.choice([None, chance.random() < 0.5, chance.choice(NUMBERS), chance.choice(WORDS)])
    inner = [invented(chance, depth + 1) for _ in range(chance.choice([0, 1, 1, 2, 3]))]
    return inner if kind == 4 else {chance.choice(TAGS): inner if kind < 7 else invented(chance, depth + 1)}


def nearby(chance: random.Random, value):
    """Return a plain value that is a little different from another."""
    if type(value) is int:
        return chance.choice([value + 1, value - 1, -value, value * 2, float(value), str(value), value + 2**32])
    if isinstance(value, str):
        return chance.choice([value + "x", value[:-1], value.upper(), [value], None, value + value])
    return chance.choice([not value, 1 if value else 0, str(value), invented(chance)])


def stands(container, key) -> bool:
    """Return whether a place is there still."""
    return key in container if isinstance(container, dict) else key < len(container)


def edit(chance: random.Random, below: list, others: list) -> None:
    """Change one place of a manifest."""
    container, key = chance.choice(below)
    if not stands(container, key):
        return
    value, how = container[key], chance.randrange(9)
    if how == 0 and isinstance(container, dict):
        container[chance.choice([chance.choice(WORDS), chance.choice(TAGS), key + "_"])] = container.pop(key)
    elif how == 1 and isinstance(container, list):
        container.insert(key, chance.choice([value, invented(chance)]))
    elif how == 2:
        del container[key]
    elif how < 5:
        source, place = chance.choice(others if how == 3 else below)
        # As text, so that no part stands within itself.
        container[key] = json.loads(json.dumps(source[place])) if stands(source, place) else None
    elif how < 7 and not isinstance(value, dict | list):
        container[key] = nearby(chance, value)
    else:
        container[key] = invented(chance)


def tree(chance: random.Random, base: Base, bases: list[Base]) -> bytes:
    """Change the estimator or the columns."""
    manifest = json.loads(base.text)
    others = places(json.loads(chance.choice(bases).text)["estimator"], [])
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        edit(chance, places({name: manifest[name] for name in ("estimator", "columns")}, []), others)
    return zipped(json.dumps(manifest), base.arrays)


def emptied(told: dict, part: bytearray) -> None:
    """Make an array one without rows."""
    part.clear()
    shape = told.get("shape") or []
    told |= {"shape": [0, *shape[1:]] if isinstance(shape, list) else [0], "sha256": hashlib.sha256(b"").hexdigest()}


def arrays(chance: random.Random, base: Base, bases: list[Base]) -> bytes:
    """Change what the manifest tells of arrays, and sometimes the arrays as well."""
    manifest, parts = json.loads(base.text), [bytearray(part) for part in base.arrays]
    for _ in range(chance.choice([1, 1, 2])):
        number = chance.randrange(len(parts)) if parts else len(parts)
        if number >= len(manifest["arrays"]) or not isinstance(manifest["arrays"][number], dict):
            continue
        told, part = manifest["arrays"][number], parts[number]
        sizes = [0, 1, 2, 5, len(part) // 8, 2**40]
        below = places(manifest["arrays"], [])
        others = places(json.loads(chance.choice(bases).text)["arrays"], []) or below
        options = [
            lambda told=told: told.update(dtype=chance.choice(DTYPES)),
            lambda told=told, sizes=sizes: told.update(shape=chance.choices(sizes, k=chance.randrange(4))),
            lambda told=told: told.update(lengths=chance.choice([None, 1, 0, 2, [1] * chance.randrange(9)])),
            lambda told=told: told.update(order=chance.choice(["C", "F", "A", None])),
            lambda below=below, others=others: edit(chance, below, others),
            lambda told=told, part=part: emptied(told, part),
            lambda number=number: (manifest["arrays"].pop(number), parts.pop(number)),
        ]
        chance.choice(options)()
    return zipped(json.dumps(manifest), parts)


CHANGES = {
    "bytes": (15, raw),
    "directory": (5, fields),
    "text": (15, text),
    "values": (10, contents),
    "tree": (45, tree),
    "arrays": (10, arrays),
}
"""How a file is changed, each with its share."""
