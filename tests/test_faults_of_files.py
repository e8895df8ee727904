"""Faults around files, for real: full and read-only disks, quotas, processes, bits, locales, clocks, pickles."""

import errno
import json
import os
import pickle
import random
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import sklearn.base
from estimators import make, same
from saved import SERIES, VALUES, bits, forecaster
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.linear_model import Ridge
from test_zip_file import SOURCE, WRITER, names_in

from tsrnn import GRURegressor, ModelFileError, NaiveForecaster, SeasonalNaiveForecaster, load, make_windows, save

ROOT = Path(__file__).parents[1]
LARGE = np.arange(200_000.0)  # 1.6 MB


def answer_of(code, *arguments, **environment):
    """What a fresh process prints, as JSON."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


# --- F2: no room, no right to write ---


def mount(*arguments):
    done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no disk may be mounted here: {done.stderr.strip()}")


@pytest.fixture
def disk(tmp_path):
    """A disk of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if sys.platform != "linux":
        pytest.skip("a small disk is made of Linux' tmpfs")
    mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", folder)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.fault("F2")
def test_a_disk_that_is_full_keeps_the_file_that_was_there(disk):
    path = disk / "model.tsrnn"
    save(NaiveForecaster().fit(VALUES), path)
    before = path.read_bytes()
    with pytest.raises(OSError, match=r"No space left on device \(writing 1,6\d\d,\d\d\d bytes\)") as caught:
        save(NaiveForecaster().fit(LARGE), path)
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(path))
    assert path.read_bytes() == before
    assert names_in(disk) == [path.name]
    save(SeasonalNaiveForecaster(3).fit(VALUES), path)
    assert isinstance(load(path), SeasonalNaiveForecaster)


@pytest.mark.fault("F2")
def test_a_read_only_disk_keeps_the_file_that_was_there(disk):
    path = disk / "model.tsrnn"
    save(NaiveForecaster().fit(VALUES), path)
    before = path.read_bytes()
    mount("-o", "remount,ro", disk)
    with pytest.raises(OSError, match=r"Read-only file system \(writing [\d,]+ bytes\)") as caught:
        save(SeasonalNaiveForecaster(3).fit(VALUES), path)
    assert (caught.value.errno, caught.value.filename) == (errno.EROFS, str(path))
    assert path.read_bytes() == before
    assert names_in(disk) == [path.name]
    assert load(path).predict() == VALUES[-1]


@pytest.mark.fault("F2")
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_keeps_the_file_that_was_there(tmp_path):
    path = tmp_path / "model.tsrnn"
    save(NaiveForecaster().fit(VALUES), path)
    before = path.read_bytes()
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(PermissionError, match=r"\(writing [\d,]+ bytes\)"):
            save(SeasonalNaiveForecaster(3).fit(VALUES), path)
    finally:
        tmp_path.chmod(0o700)
    assert path.read_bytes() == before
    assert names_in(tmp_path) == [path.name]


IN_A_QUOTA = """
import json, pathlib, resource, sys
import numpy as np
from tsrnn import NaiveForecaster, load, save
path = pathlib.Path(sys.argv[1])
save(NaiveForecaster().fit(np.arange(9.0)), path)
before = path.read_bytes()
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    save(NaiveForecaster().fit(np.arange(200_000.0)), path)
except OSError as error:
    found = [error.errno, error.filename, error.strerror]
same = path.read_bytes() == before
names = [each.name for each in path.parent.iterdir()]
save(NaiveForecaster().fit(np.arange(5.0)), path)
print(json.dumps([found, same, names, load(path).predict().tolist()]))
"""


@pytest.mark.fault("F2")
def test_a_quota_keeps_the_file_that_was_there(tmp_path):
    pytest.importorskip("resource")
    path = tmp_path / "model.tsrnn"
    (number, name, words), kept, names, answer = answer_of(IN_A_QUOTA, path)
    assert (number, name) == (errno.EFBIG, str(path))
    assert "(writing 1,6" in words
    assert (kept, names, answer) == (True, [path.name], [4.0])


# --- F3: two processes ---


@pytest.mark.fault("F3")
def test_of_two_processes_that_write_one_path_each_leaves_whole_files(tmp_path):
    path, sources = tmp_path / "model.tsrnn", [tmp_path / "one", tmp_path / "other"]
    for source, value in zip(sources, (1.0, 2.0), strict=True):
        save(NaiveForecaster().fit(np.full(20_000, value)), source)
    seen = []
    command = [sys.executable, "-c", WRITER, str(SOURCE), str(path)]
    writers = [subprocess.Popen([*command, str(source)], stdout=subprocess.PIPE) for source in sources]
    try:
        for writer in writers:
            writer.stdout.readline()
        ends = time.monotonic() + 60
        while (len(seen) < 100 or len(set(seen)) < 2) and time.monotonic() < ends:
            if path.exists():
                seen.append(float(load(path).predict()[0]))
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()
    assert set(seen) == {1.0, 2.0}
    save(NaiveForecaster().fit([3.0]), path)
    assert load(path).predict() == 3
    assert sorted(names_in(tmp_path)) == ["model.tsrnn", "one", "other"]


# --- F6: any byte of a large file ---


@pytest.mark.slow
@pytest.mark.fault("F6")
def test_of_200_changed_bits_of_a_large_file_each_is_seen_and_its_member_named(tmp_path):
    path = tmp_path / "model.tsrnn"
    save(NaiveForecaster().fit(np.arange(1_400_000.0)), path)
    size = path.stat().st_size
    assert size > 10 * 2**20
    draw = random.Random(0)
    with path.open("r+b", buffering=0) as file:
        for place in [draw.randrange(size) for _ in range(200)]:
            file.seek(place)
            byte = file.read(1)[0]
            for value in (byte ^ 1 << draw.randrange(8), byte):
                file.seek(place)
                file.write(bytes([value]))
                if value == byte:
                    break
                with pytest.raises(ModelFileError, match=r"member \d+\.bin|manifest\.json|directory"):
                    load(path)
    assert load(path).predict() == 1_399_999


@pytest.mark.fault("F6")
@pytest.mark.parametrize("kind", ["nothing", "a link to nothing", "a link to another file"])
def test_links_are_followed_and_a_path_that_is_not_there_is_missing(tmp_path, kind):
    path, other = tmp_path / "model.tsrnn", tmp_path / "other"
    if "link" in kind:
        path.symlink_to(other)
    if "file" in kind:
        other.write_bytes(b"PK\3\4" * 100)
    error = ModelFileError if "file" in kind else FileNotFoundError
    with pytest.raises(error, match=r"model\.tsrnn"):
        load(path)


# --- F16: locales, clocks, long paths ---

IN_A_LOCALE = r"""
import json, locale, os, pathlib, sys, warnings
warnings.simplefilter("error")
try:
    locale.setlocale(locale.LC_ALL, "")
except locale.Error:
    pass
import numpy as np
from sklearn.linear_model import Ridge
from tsrnn import CalendarFeatures, Forecaster, LSTMRegressor, backtest, load, make_windows, save, WalkForwardSplit
import pandas as pd
rows = pd.Series(np.sin(np.arange(60.0)), pd.date_range("2024-01-01", periods=60, freq="D", tz="Europe/Istanbul"))
model = Forecaster(Ridge(), lookback=6, horizon=2, anchor="linear").fit(rows)
name = "I\u0131\u0130i-\u5927.tsrnn".encode()
path = pathlib.Path(os.fsdecode(name))
save(model, path)
found = [load(path).predict().tolist()]
found.append(np.asarray(CalendarFeatures(["hour", "weekday"]).fit_transform(rows.to_frame())).tolist())
found.append(backtest(model, rows, cv=WalkForwardSplit(2), progress=False)["y_pred"].tolist())
if sys.argv[1] == "True":
    warnings.simplefilter("default")
    windows, targets = make_windows(rows.to_numpy(), lookback=4)
    network = LSTMRegressor(2, epochs=2, random_state=0, jit_compile=False).fit(windows, targets[:, 0])
    save(network, path)
    found.append(load(path).predict(windows).tolist())
names = [each for each in os.listdir(b".") if each.endswith(b".tsrnn")]
assert names == [name], names
path.unlink()
print(json.dumps(found))
"""
PLAIN = {"LC_ALL": "C", "LANG": "C", "LANGUAGE": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
TURKISH = {"LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "TZ": "Asia/Kathmandu"}


@pytest.mark.fault("F16")
@pytest.mark.parametrize(
    ("environments", "networks"),
    [([PLAIN], False), pytest.param([PLAIN, TURKISH], True, marks=pytest.mark.slow)],
    ids=["plain", "all, with networks"],
)
def test_locales_and_zones_change_nothing(environments, networks, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    usual = answer_of(IN_A_LOCALE, networks)
    assert len(usual) == 3 + networks
    for environment in environments:
        assert answer_of(IN_A_LOCALE, networks, **environment) == usual


@pytest.mark.fault("F16")
def test_a_clock_that_runs_backwards_changes_nothing(tmp_path, monkeypatch):
    windows, targets = make_windows(VALUES, lookback=4)
    path = tmp_path / "model.tsrnn"
    expected = make(GRURegressor, early_stopping=1).fit(windows, targets[:, 0])
    save(expected, path)
    before, clock = path.read_bytes(), iter(range(10**9, 0, -1))
    monkeypatch.setattr(time, "time", lambda: float(next(clock)))
    monkeypatch.setattr(time, "time_ns", lambda: next(clock) * 10**9)
    model = make(GRURegressor, early_stopping=1).fit(windows, targets[:, 0])
    assert same(model, expected)
    assert (model.history_["seconds"] >= 0).all()
    save(expected, path)
    assert path.read_bytes() == before
    assert bits(load(path).predict(windows)) == bits(expected.predict(windows))


@pytest.mark.fault("F16")
def test_a_path_of_many_letters(tmp_path):
    folder = tmp_path.joinpath(*["Größe 大 " + "x" * 50] * 8)
    folder.mkdir(parents=True)
    path = folder / ("y" * 250)
    assert len(str(path)) > 700
    save(NaiveForecaster().fit(VALUES), path)
    save(NaiveForecaster().fit(SERIES), path)
    assert bits(load(path).predict()) == bits(NaiveForecaster().fit(SERIES).predict())
    assert names_in(folder) == [path.name]


# --- F20: pickle ---


@pytest.mark.fault("F20")
def test_a_pickle_of_another_scikit_learn_works_and_warns(monkeypatch):
    fitted = forecaster(Ridge()).fit(SERIES)
    with monkeypatch.context() as patch:
        patch.setattr(sklearn.base, "__version__", "0.1")
        pickled = pickle.dumps(fitted)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loaded = pickle.loads(pickled)
    assert {warning.category for warning in caught} == {InconsistentVersionWarning}
    assert any("Ridge from version 0.1" in str(warning.message) for warning in caught)
    assert bits(loaded.predict()) == bits(fitted.predict())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pickle.loads(pickle.dumps(fitted))


@pytest.mark.fault("F20")
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_every_protocol_of_pickle_keeps_the_bits(protocol):
    windows, targets = make_windows(VALUES, lookback=4)
    for fitted, asked in (
        (make(GRURegressor).fit(windows, targets[:, 0]), [windows]),
        (forecaster(Ridge()).fit(SERIES), []),
    ):
        loaded = pickle.loads(pickle.dumps(fitted, protocol))
        assert bits(loaded.predict(*asked)) == bits(fitted.predict(*asked))


@pytest.mark.fault("F20")
def test_pickle_is_documented_as_unsafe():
    words = " ".join((ROOT / "SECURITY.md").read_text(encoding="utf-8").split())
    assert "`pickle.load`, `joblib.load` and what is built on them run code that the file names" in words
