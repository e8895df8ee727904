"""The container: a zip of stored members in one exact layout, written whole or not at all.

Every byte that is not content follows from the names, sizes and checksums of the members. What is read is compared with
what would have been written: no other zip feature has a place to hide in.
"""

import contextlib
import os
import secrets
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

try:
    import fcntl
except ImportError:  # Windows: there, a file that somebody writes cannot be removed anyway
    fcntl = None  # type: ignore[assignment]

LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")

VERSION = 10
"""Of the zip format: stored members need no later one."""

DATE = 33
"""1980-01-01, the first day that a zip knows: a file tells nothing of when it was written."""

MOST_MEMBERS = 2**16 - 2
MOST_BYTES = 2**32 - 2

Member = tuple[str, Sequence[Any]]
"""A name, and the content as buffers, one behind the other."""


class BadZipError(Exception):
    """A file does not have the layout of this module; the argument says where."""


@dataclass(frozen=True)
class Entry:
    """One member as the directory tells of it; its header begins at the byte `begin`."""

    name: str
    checksum: int
    size: int
    begin: int

    @property
    def header(self) -> bytes:
        """What stands before the content."""
        plain = (VERSION, 0, 0, 0, DATE, self.checksum, self.size, self.size, len(self.name), 0)
        return LOCAL.pack(b"PK\3\4", *plain) + self.name.encode("ascii")

    @property
    def listing(self) -> bytes:
        """What stands in the directory."""
        plain = (VERSION, VERSION, 0, 0, 0, DATE, self.checksum, self.size, self.size, len(self.name), 0, 0, 0, 0, 0)
        return CENTRAL.pack(b"PK\1\2", *plain, self.begin) + self.name.encode("ascii")

    @property
    def end(self) -> int:
        """The byte behind the content."""
        return self.begin + LOCAL.size + len(self.name) + self.size


def total_size(members: Sequence[Member]) -> int:
    """Return the bytes of a file with these members."""
    names = sum(len(name) for name, _ in members)
    contents = sum(_size(content) for _, content in members)
    return contents + 2 * names + len(members) * (LOCAL.size + CENTRAL.size) + END.size


def write(path: Path, members: Sequence[Member]) -> None:
    """Write members in place of what `path` was, whole or not at all; an OSError names the path and the bytes."""
    target = Path(os.path.realpath(path))  # a link stays one
    try:
        _remove_stale(target)
        with _part_of(target) as file:
            _write_members(file, members)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(target)
        _sync_folder(target.parent)
    except OSError as error:
        words = f"{error.strerror or error} (writing {total_size(members):,} bytes)"
        raise OSError(error.errno or 0, words, str(path)) from error


def _write_members(file: BinaryIO, members: Sequence[Member]) -> None:
    entries: list[Entry] = []
    for name, content in members:
        begin = entries[-1].end if entries else 0
        checksum = 0
        for part in content:
            checksum = zlib.crc32(part, checksum)
        entry = Entry(name, checksum, _size(content), begin)
        file.write(entry.header)
        file.writelines(content)
        entries.append(entry)
    file.write(_directory(entries))


def _size(content: Sequence[Any]) -> int:
    return sum(int(part.nbytes) for part in content)


def _directory(entries: Sequence[Entry]) -> bytes:
    listing = b"".join(entry.listing for entry in entries)
    count = len(entries)
    return listing + END.pack(b"PK\5\6", 0, 0, count, count, len(listing), entries[-1].end, 0)


@contextlib.contextmanager
def _part_of(target: Path) -> Iterator[BinaryIO]:
    """Give a new file beside `target`, locked as long as it is written, and remove it unless it was renamed."""
    file = _open_part(target)
    part = Path(file.name)
    try:
        with file:
            yield file
    finally:
        part.unlink(missing_ok=True)


def _open_part(target: Path) -> BinaryIO:
    while True:
        part = target.parent / f"{_begin_of_parts(target)}{secrets.token_hex(8)}.part"
        file = part.open("xb")
        _lock(file, wait=True)
        if part.exists():  # another writer may have taken it for a stale one before it was locked
            return file
        file.close()


def _begin_of_parts(target: Path) -> str:
    """Return how the names of parts begin; they tell the target by a checksum, as its own name may be too long."""
    return f".tsrnn-{zlib.crc32(os.fsencode(target.name)):08x}-"


def _lock(file: BinaryIO, *, wait: bool) -> bool:
    """Lock a file, or return False if another process has; a file system without locks counts as unlocked."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError:
        return wait
    return True


def _remove_stale(target: Path) -> None:
    """Remove the parts that writers of the same file left when they were killed."""
    for part in target.parent.glob(f"{_begin_of_parts(target)}*.part"):
        with contextlib.suppress(OSError), part.open("rb") as file:
            if _lock(file, wait=False):
                part.unlink()


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def read_directory(file: BinaryIO, size: int) -> list[Entry]:
    """Return the members of a file of `size` bytes: manifest.json, 0.bin, 1.bin, ..., and nothing beside them."""
    if size < END.size + LOCAL.size + CENTRAL.size:
        raise BadZipError(f"it has {size} bytes, too few for a model")
    last = _at(file, size - END.size, END.size)
    mark, _, _, _, count, length, begin, _ = END.unpack(last)
    if mark != b"PK\5\6":
        raise BadZipError("it does not end as a model does: it is cut, or something else")
    if begin + length + END.size != size or not 0 < count <= MOST_MEMBERS or length < count * CENTRAL.size:
        raise BadZipError("its directory does not stand where it says")
    listing = _at(file, begin, length)
    entries: list[Entry] = []
    places = [0]
    for number in range(count):
        entries.append(_read_entry(listing, places[-1], number, entries))
        places.append(places[-1] + len(entries[-1].listing))
    for entry, place in zip(entries, places, strict=False):
        if listing[place : place + len(entry.listing)] != entry.listing:
            raise BadZipError(f"the member {entry.name} is listed as no plain file, or overlaps another one")
    if _directory(entries) != listing + last or entries[-1].end != begin:
        raise BadZipError(f"the directory, behind {entries[-1].name}, tells other sizes than the file has")
    return entries


def _read_entry(listing: bytes, place: int, number: int, before: list[Entry]) -> Entry:
    expected = f"{number - 1}.bin" if number else "manifest.json"
    if len(listing) < place + CENTRAL.size:
        raise BadZipError(f"the directory ends before the member {expected}")
    fields = CENTRAL.unpack_from(listing, place)
    flags, method, checksum, packed, size = fields[3], fields[4], *fields[7:10]
    name = listing[place + CENTRAL.size :][: fields[10]].decode("ascii", "backslashreplace")
    if name != expected:
        raise BadZipError(f"it holds a member {name!r} where {expected} belongs")
    if flags or method or packed != size:
        kind = "encrypted" if flags & 1 else "compressed" if method else "marked as something special"
        raise BadZipError(f"the member {name} is {kind}")
    return Entry(name, checksum, size, before[-1].end if before else 0)


def read_into(file: BinaryIO, entry: Entry, content: Any) -> None:
    """Fill a buffer of the member's size with its content."""
    if _at(file, entry.begin, len(entry.header)) != entry.header:
        raise BadZipError(f"the header of the member {entry.name} is not that of the directory")
    view = memoryview(content)
    if view.nbytes and file.readinto(view) != view.nbytes:  # type: ignore[attr-defined]
        raise BadZipError(f"the member {entry.name} is cut")
    if zlib.crc32(view) != entry.checksum:
        raise BadZipError(f"the member {entry.name} has been changed: its checksum does not match")


def _at(file: BinaryIO, place: int, count: int) -> bytes:
    file.seek(place)
    found = file.read(count)
    if len(found) != count:
        raise BadZipError("it ends before it should")
    return found
