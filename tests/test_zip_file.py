"""The container: one layout, read as strictly as it is written, and written whole or not at all."""

import errno
import io
import os
import random
import signal
import struct
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest
from saved import SERIES, VALUES, bits, parts_of

from tsrnn import ModelFileError, NaiveForecaster, SeasonalNaiveForecaster, _zip_file, load, save

SOURCE = Path(_zip_file.__file__)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bytes of a small file."""
    path = tmp_path_factory.mktemp("zip") / "model.tsrnn"
    save(NaiveForecaster().fit(SERIES[:5]), path)
    return path.read_bytes()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.tsrnn"


def names_in(folder):
    return [each.name for each in folder.iterdir()]


def refused(path, content, words=""):
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=words) as caught:
        load(path)
    return caught.value


def is_refused(path, content):
    """Whether a file is refused; nothing but the one error may come out."""
    path.write_bytes(content)
    try:
        load(path)
    except ModelFileError:
        return True
    return False


def test_it_is_a_zip_that_others_read(whole):
    with zipfile.ZipFile(io.BytesIO(whole)) as file:
        assert file.testzip() is None
        assert file.namelist()[:2] == ["manifest.json", "0.bin"]
        assert {info.compress_type for info in file.infolist()} == {zipfile.ZIP_STORED}


@pytest.mark.fault("F6")
def test_every_changed_byte_is_seen(whole, path):
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1 << place % 8
        assert is_refused(path, changed), place


@pytest.mark.slow
@pytest.mark.fault("F6")
def test_every_changed_bit_is_seen(whole, path):
    for place in range(8 * len(whole)):
        changed = bytearray(whole)
        changed[place // 8] ^= 1 << place % 8
        assert is_refused(path, changed), place


@pytest.mark.fault("F6")
def test_every_cut_is_seen(whole, path):
    for length in range(0, len(whole), 3):
        assert is_refused(path, whole[:length]), length
        assert is_refused(path, whole[length + 1 :]), length


@pytest.mark.parametrize("more", [b"\0", b"\0" * 100, b"PK\5\6", b"PK\3\4" * 50])
@pytest.mark.fault("F6")
def test_padding_is_seen(whole, path, more):
    assert is_refused(path, whole + more)
    assert is_refused(path, more + whole)


@pytest.mark.parametrize("content", [b"", b"PK\5\6" + bytes(18), b"{}" * 100, b"\x80\x04\x95" + bytes(200)])
@pytest.mark.fault("F6")
def test_other_files_are_refused(path, content):
    refused(path, content, "it has .* bytes|does not end as a model does")


def rezipped(whole, change=lambda info: info, extra=(), **options):
    """The same members, written by the standard library."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as source, zipfile.ZipFile(target, "w", **options) as file:
        for info in source.infolist():
            content = source.read(info)
            info.compress_type = file.compression
            file.writestr(change(info), content)
        for name in extra:
            file.writestr(zipfile.ZipInfo(name), b"more")
    return target.getvalue()


def linked(info):
    info.create_system, info.external_attr = 3, 0o120777 << 16
    return info


def renamed(name):
    def change(info):
        info.filename = name if info.filename == "0.bin" else info.filename
        return info

    return change


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"compression": zipfile.ZIP_DEFLATED}, "manifest.json is compressed"),
        ({"change": linked}, "manifest.json is listed as no plain file"),
        ({"change": renamed("../0.bin")}, r"a member '\.\./0\.bin' where 0\.bin belongs"),
        ({"change": renamed("/etc/passwd")}, "a member '/etc/passwd'"),
        ({"change": renamed("manifest.json")}, "a member 'manifest.json' where 0.bin belongs"),
        ({"extra": ["run.py"]}, "a member 'run.py'"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.fault("F6")
def test_other_layouts_are_refused_by_name(whole, path, options, words):
    refused(path, rezipped(whole, **options), words)


def patched(whole, number, field, value):
    """The file with one field of the directory's entry `number` set, in the entry's own header as well."""
    content = bytearray(whole)
    begin = struct.unpack_from("<L", content, len(content) - 6)[0]
    for _ in range(number):
        begin += 46 + struct.unpack_from("<H", content, begin + 28)[0]
    place, code = {"flags": (8, "<H"), "packed": (20, "<L"), "size": (24, "<L"), "offset": (42, "<L")}[field]
    struct.pack_into(code, content, begin + place, value)
    return content


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("flags", 1, "0.bin is encrypted"),
        ("flags", 8, "0.bin is marked"),
        ("size", 2**31, "0.bin is marked"),
        ("offset", 0, "0.bin is listed as no plain file, or overlaps"),
    ],
)
@pytest.mark.fault("F6")
def test_entries_that_lie_are_refused(whole, path, field, value, words):
    refused(path, patched(whole, 1, field, value), words)


@pytest.mark.fault("F6")
def test_a_bomb_is_refused_before_memory_is_taken(whole, path):
    content = patched(patched(whole, 1, "size", 2**31), 1, "packed", 2**31)
    refused(path, content, "tells other sizes|listed")


# --- writing ---


def test_a_file_takes_the_place_of_another(path):
    save(NaiveForecaster().fit(VALUES), path)
    save(SeasonalNaiveForecaster(3).fit(VALUES), path)
    assert isinstance(load(path), SeasonalNaiveForecaster)
    assert names_in(path.parent) == [path.name]


@pytest.mark.fault("F6")
def test_a_link_stays_a_link(path, tmp_path):
    link = tmp_path / "link.tsrnn"
    link.symlink_to(path)
    save(NaiveForecaster().fit(VALUES), link)
    assert link.is_symlink()
    assert load(path).predict() == VALUES[-1]


@pytest.mark.parametrize("function", ["fsync", "write", "replace"])
@pytest.mark.fault("F2")
def test_a_full_disk_leaves_what_was_there(path, whole, monkeypatch, function):
    path.write_bytes(whole)

    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    if function == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    elif function == "write":
        monkeypatch.setattr(_zip_file, "_write_members", full)
    else:
        monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match=r"writing [\d,]+ bytes") as caught:
        save(SeasonalNaiveForecaster(3).fit(VALUES), path)
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(path))
    assert path.read_bytes() == whole
    assert names_in(path.parent) == [path.name]


@pytest.mark.fault("F4")
def test_an_interrupt_leaves_what_was_there(path, whole, monkeypatch):
    path.write_bytes(whole)
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        save(NaiveForecaster().fit(VALUES), path)
    assert path.read_bytes() == whole
    assert names_in(path.parent) == [path.name]


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none.*model"):
        save(NaiveForecaster().fit(VALUES), tmp_path / "none" / "model.tsrnn")


def test_the_file_and_its_folder_reach_the_disk(path, monkeypatch):
    synced = []
    own = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (synced.append(os.fstat(handle).st_mode & 0o170000), own(handle)))
    save(NaiveForecaster().fit(VALUES), path)
    assert synced == [0o100000, 0o040000]


@pytest.mark.fault("F1")
def test_what_a_killed_writer_left_is_removed_and_what_another_writes_is_not(path):
    begin = _zip_file._begin_of_parts(path)
    stale, live = (path.parent / f"{begin}{digit * 16}.part" for digit in "01")
    others = path.parent / f"{_zip_file._begin_of_parts(path.with_name('other'))}{'2' * 16}.part"
    for part in (stale, live, others):
        part.write_bytes(b"part")
    with live.open("rb") as file:
        assert _zip_file._lock(file, wait=True)
        save(NaiveForecaster().fit(VALUES), path)
    assert sorted(names_in(path.parent)) == sorted([path.name, live.name, others.name])


@pytest.mark.fault("F3")
def test_of_two_writers_the_last_one_wins(path):
    models = [NaiveForecaster(number).fit(VALUES) for number in (1, 2)]

    def write(model):
        for _ in range(20):
            save(model, path)

    threads = [threading.Thread(target=write, args=[model]) for model in models]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        if path.exists():
            assert bits(load(path).predict()) in [bits(model.predict()) for model in models]
    assert names_in(path.parent) == [path.name]


WRITER = """
import importlib.util, itertools, pathlib, sys
spec = importlib.util.spec_from_file_location("_zip_file", sys.argv[1])
module = importlib.util.module_from_spec(spec)
sys.modules["_zip_file"] = module
spec.loader.exec_module(module)
files = []
for path in sys.argv[3:]:
    with open(path, "rb") as file:
        entries = module.read_directory(file, pathlib.Path(path).stat().st_size)
        contents = [bytearray(entry.size) for entry in entries]
        for entry, content in zip(entries, contents):
            module.read_into(file, entry, content)
    files.append([(entry.name, [memoryview(content)]) for entry, content in zip(entries, contents)])
print("ready", flush=True)
for members in itertools.cycle(files):
    module.write(pathlib.Path(sys.argv[2]), members)
"""


def kill_writers(folder, trials):
    """Kill a process that writes two files in turns; return how often a part of one was left."""
    path, left = folder / "model.tsrnn", 0
    sources = [folder / "one", folder / "other"]
    for source, model in zip(sources, (NaiveForecaster(), SeasonalNaiveForecaster(3)), strict=True):
        save(model.fit(VALUES.repeat(2000)), source)
    save(NaiveForecaster().fit(VALUES), path)
    wholes = [whole.read_bytes() for whole in (*sources, path)]
    clock = random.Random(0)
    for _ in range(trials):
        command = [sys.executable, "-c", WRITER, str(SOURCE), str(path), *map(str, sources)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
            writer.stdout.readline()
            time.sleep(clock.uniform(0, 0.05))
            writer.send_signal(signal.SIGKILL)
        assert path.read_bytes() in wholes
        left += len(list(folder.glob(".*.part")))
        save(NaiveForecaster().fit(VALUES), path)
        assert list(folder.glob(".*.part")) == []
    return left


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL here")
@pytest.mark.fault("F1")
def test_no_file_is_half_written_when_its_writer_is_killed(tmp_path):
    kill_writers(tmp_path, 5)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL here")
@pytest.mark.fault("F1")
def test_of_200_kills_none_leaves_half_a_file(tmp_path):
    assert kill_writers(tmp_path, 200) > 50


def test_parts_are_what_was_written(whole, path):
    path.write_bytes(whole)
    manifest, contents = parts_of(path)
    assert len(contents) == len(manifest["arrays"]) == 2
