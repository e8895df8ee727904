"""The container, field by field: what each one is, and by which words a file is refused that has another."""

import errno
import io
import os
import re
import struct
import zlib
from pathlib import Path

import pytest

from tsrnn import _zip_file
from tsrnn._zip_file import BadZipError, Entry, read_directory, read_into, total_size, write

CONTENTS = [b'{"a": 1}', b"", b"some numbers"]
NAMES = ["manifest.json", "0.bin", "1.bin"]
MEMBERS = [(name, [memoryview(content)]) for name, content in zip(NAMES, CONTENTS, strict=True)]
HEADER, LISTING, END = 30, 46, 22


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("layout") / "model.tsrnn"
    write(path, MEMBERS)
    return path.read_bytes()


def read(content):
    return read_directory(io.BytesIO(content), len(content))


def refused(content, words):
    with pytest.raises(BadZipError, match=f"^{words}$"):
        read(bytes(content))


def ended(content, count, length, begin):
    """Some bytes and a record of the end that tells of `count` members, listed on `length` bytes from `begin` on."""
    return content + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, length, begin, 0)


def begin_of(whole):
    return struct.unpack_from("<L", whole, len(whole) - 6)[0]


def field_of(number):
    """Where the entry `number` of the directory begins, from the directory's begin."""
    return sum(LISTING + len(name) for name in NAMES[:number])


# --- what is written ---


def test_members_and_where_they_stand(whole):
    entries = read(whole)
    assert [entry.name for entry in entries] == NAMES
    assert [entry.size for entry in entries] == [8, 0, 12]
    assert [entry.checksum for entry in entries] == [zlib.crc32(content) for content in CONTENTS]
    assert [entry.begin for entry in entries] == [0, 51, 86]
    assert [entry.end for entry in entries] == [51, 86, 133]
    for entry, content in zip(entries, CONTENTS, strict=True):
        buffer = bytearray(entry.size)
        read_into(io.BytesIO(whole), entry, buffer)
        assert buffer == content


def test_the_first_member_byte_by_byte(whole):
    plain = struct.pack("<5H3L2H", 10, 0, 0, 0, 33, zlib.crc32(CONTENTS[0]), 8, 8, 13, 0)
    assert whole[:51] == b"PK\3\4" + plain + b"manifest.json" + CONTENTS[0]


def test_the_directory_byte_by_byte(whole):
    plain = struct.pack("<6H3L5H2L", 10, 10, 0, 0, 0, 33, zlib.crc32(CONTENTS[2]), 12, 12, 5, 0, 0, 0, 0, 0, 86)
    last = b"PK\1\2" + plain + b"1.bin"
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 3, 3, 161, 133, 0)
    assert whole.endswith(last + end)
    assert len(whole) == 133 + 161 + 22


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_size_is_known_before_it_is_written(count, tmp_path):
    write(tmp_path / "model", MEMBERS[:count])
    assert total_size(MEMBERS[:count]) == (tmp_path / "model").stat().st_size


# --- what is refused ---


def test_the_least_size():
    refused(bytes(97), "it has 97 bytes, too few for a model")
    refused(bytes(98), "it does not end as a model does: it is cut, or something else")


ELSEWHERE = "its directory does not stand where it says"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (ended(bytes(100), 1, 100, 1), ELSEWHERE),
        (ended(bytes(100), 1, 101, 0), ELSEWHERE),
        (ended(bytes(100), 1, 98, 1), ELSEWHERE),
        (ended(bytes(100), 0, 100, 0), ELSEWHERE),
        (ended(bytes(100), 3, 100, 0), ELSEWHERE),
        (ended(bytes(65535 * 46), 65535, 65535 * 46, 0), ELSEWHERE),
        (ended(bytes(65534 * 46), 65534, 65534 * 46, 0), "it holds a member '' where manifest.json belongs"),
        (ended(bytes(92), 2, 92, 0), "it holds a member '' where manifest.json belongs"),
        (ended(bytes(100), 1, 45 + 1, 54), "it holds a member '' where manifest.json belongs"),
    ],
)
def test_the_record_of_the_end(content, words):
    refused(content, words)


def test_more_members_than_the_directory_has(whole):
    listing = read(whole)[0].listing
    assert len(listing) == 59
    words = "the directory ends before the member 0.bin"
    refused(ended(bytes(60) + listing + bytes(45), 2, 104, 60), words)
    refused(ended(bytes(60) + listing + bytes(46), 2, 105, 60), "it holds a member '' where 0.bin belongs")
    refused(ended(bytes(60) + listing + bytes(33), 2, 92, 60), words)


@pytest.mark.parametrize(
    ("number", "place", "code", "value", "words"),
    [
        (1, 8, "<H", 1, "the member 0.bin is encrypted"),
        (1, 8, "<H", 3, "the member 0.bin is encrypted"),
        (1, 8, "<H", 2, "the member 0.bin is marked as something special"),
        (1, 10, "<H", 8, "the member 0.bin is compressed"),
        (2, 20, "<L", 13, "the member 1.bin is marked as something special"),
        (2, 24, "<L", 11, "the member 1.bin is marked as something special"),
        (2, 46, "<c", b"2", "it holds a member '2.bin' where 1.bin belongs"),
        (1, 46, "<c", b"\xff", r"it holds a member '\\\\xff.bin' where 0.bin belongs"),
        (0, 46, "<c", b"M", "it holds a member 'Manifest.json' where manifest.json belongs"),
        *(
            (1, place, "<H", 1, "the member 0.bin is listed as no plain file, or overlaps another one")
            for place in (4, 6, 12, 14, 34, 36, 38, 40, 42)
        ),
        (2, 30, "<H", 1, "the member 1.bin is listed as no plain file, or overlaps another one"),
        (2, 42, "<L", 0, "the member 1.bin is listed as no plain file, or overlaps another one"),
    ],
)
def test_fields_of_the_directory(whole, number, place, code, value, words):
    content = bytearray(whole)
    struct.pack_into(code, content, begin_of(whole) + field_of(number) + place, value)
    refused(content, words)


@pytest.mark.parametrize("place", [4, 6, 8, 20])
def test_fields_of_the_end(whole, place):
    content = bytearray(whole)
    content[len(whole) - END + place] ^= 1
    refused(content, "the directory, behind 1.bin, tells other sizes than the file has")


def test_sizes_that_agree_with_each_other_and_not_with_the_file(whole):
    content = bytearray(whole)
    for place in (20, 24):
        struct.pack_into("<L", content, begin_of(whole) + field_of(2) + place, 13)
    refused(content, "the directory, behind 1.bin, tells other sizes than the file has")


def test_a_directory_with_more_behind_it(whole):
    begin = begin_of(whole)
    refused(ended(whole[:-END] + b"more", 3, 165, begin), "the directory, behind 1.bin, tells other sizes than the .*")
    refused(ended(whole[:begin] + b"more" + whole[begin:-END], 3, 161, begin + 4), "the directory, behind 1.bin, .*")


def test_members_are_read_as_the_directory_tells_of_them(whole):
    entry = read(whole)[2]
    for place in range(86, 133):
        content = bytearray(whole)
        content[place] ^= 1
        words = (
            "the header of the member 1.bin is not that of the directory"
            if place < 86 + HEADER + 5
            else "the member 1.bin has been changed: its checksum does not match"
        )
        with pytest.raises(BadZipError, match=f"^{words}$"):
            read_into(io.BytesIO(content), entry, bytearray(12))
    with pytest.raises(BadZipError, match=r"^the member 1.bin is cut$"):
        read_into(io.BytesIO(whole[:130]), entry, bytearray(12))
    with pytest.raises(BadZipError, match=r"^it ends before it should$"):
        read_into(io.BytesIO(whole[:90]), entry, bytearray(12))


def test_a_member_without_content_must_be_without_a_checksum(whole):
    entry = read(whole)[1]
    read_into(io.BytesIO(whole), entry, bytearray())
    other = Entry(entry.name, 1, 0, 0)
    with pytest.raises(BadZipError, match="its checksum does not match"):
        read_into(io.BytesIO(other.header), other, bytearray())


# --- how it is written ---


def test_an_error_without_a_number_is_told_as_well(tmp_path, monkeypatch):
    def failing(*_):
        raise OSError("out of paper")

    path = tmp_path / "model"
    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(OSError, match=re.escape(f"out of paper (writing {total_size(MEMBERS)} bytes)")) as caught:
        write(path, MEMBERS)
    assert (caught.value.errno, caught.value.filename) == (0, str(path))
    assert list(tmp_path.iterdir()) == []


def test_parts_are_told_apart_by_the_name_of_their_target(tmp_path):
    checksum = f"{zlib.crc32(b'model'):08x}"
    with _zip_file._part_of(tmp_path / "model") as file:
        part = Path(file.name)
        assert re.fullmatch(rf"\.tsrnn-{checksum}-[0-9a-f]{{16}}\.part", part.name)
        assert part.parent == tmp_path
    assert list(tmp_path.iterdir()) == []


def test_a_part_that_was_taken_for_a_stale_one_is_made_anew(tmp_path, monkeypatch):
    own, taken = _zip_file._lock, []

    def lock(file, *, wait):
        if not taken:
            taken.append(file.name)
            Path(file.name).unlink()
        return own(file, wait=wait)

    monkeypatch.setattr(_zip_file, "_lock", lock)
    write(tmp_path / "model", MEMBERS)
    assert (len(taken), [path.name for path in tmp_path.iterdir()]) == (1, ["model"])


@pytest.mark.skipif(_zip_file.fcntl is None, reason="there are no locks here")
def test_locks(tmp_path, monkeypatch):
    path = tmp_path / "part"
    path.write_bytes(b"")
    with path.open("rb") as one, path.open("rb") as other:
        assert _zip_file._lock(one, wait=False)
        assert not _zip_file._lock(other, wait=False)
        assert _zip_file._lock(one, wait=True)

        def without_locks(*_):
            raise OSError(errno.ENOLCK, "No locks available")

        monkeypatch.setattr(_zip_file.fcntl, "flock", without_locks)
        assert _zip_file._lock(one, wait=True)
        assert not _zip_file._lock(one, wait=False)
        monkeypatch.setattr(_zip_file, "fcntl", None)
        assert _zip_file._lock(one, wait=False)


def test_folders_are_not_opened_on_windows(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(os, "open", lambda *arguments: opened.append(arguments))
    with monkeypatch.context() as patch:
        patch.setattr(os, "name", "nt")
        _zip_file._sync_folder(tmp_path)
    assert opened == []
