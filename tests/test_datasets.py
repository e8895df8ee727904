"""The packaged series: values, index, units, and that they reach somebody who installs the wheel."""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pandas as pd
import pytest

from tsrnn import datasets

ROOT = Path(__file__).parents[1]
LOADERS = [datasets.load_electricity_demand, datasets.load_sp500, datasets.load_ecg]


def test_electricity_demand_values_and_index():
    demand = datasets.load_electricity_demand()
    assert demand.name == "demand"
    assert demand.dtype == "float64"
    assert demand.notna().all()
    expected = pd.date_range("2000-06-05 00:00", "2000-08-27 23:30", freq="30min", name="time")
    pd.testing.assert_index_equal(demand.index, expected, exact=False)
    assert demand.index.freqstr == "30min"
    # The first and last values as the R package forecast prints them (`taylor`).
    assert demand.iloc[:3].tolist() == [22262, 21756, 22247]
    assert demand.iloc[-1] == 23132
    # Of all half days up to two weeks, the value of a week ago is the nearest.
    lags = {lag: demand.autocorr(lag) for lag in range(24, 673, 24)}
    assert max(lags, key=lags.__getitem__) == 336


def test_sp500_values_and_index():
    prices = datasets.load_sp500()
    assert prices.shape == (5031, 6)
    assert prices.columns.tolist() == ["open", "high", "low", "close", "adj_close", "volume"]
    assert prices.dtypes.astype(str).tolist() == ["float64"] * 5 + ["int64"]
    assert prices.index.name == "time"
    assert prices.index.freq is None
    assert prices.index.is_monotonic_increasing
    assert prices.index.is_unique
    assert prices.index.day_of_week.max() == 4
    assert [str(prices.index[i].date()) for i in (0, -1)] == ["1999-01-04", "2018-12-31"]
    assert prices.notna().all(axis=None)
    assert (prices["high"] >= prices[["open", "close", "low"]].max(axis=1)).all()
    assert (prices["low"] <= prices[["open", "close"]].min(axis=1)).all()
    assert (prices["adj_close"] == prices["close"]).all()
    assert prices["close"].iloc[-1] == 2506.850098


def test_ecg_values_and_index():
    ecg = datasets.load_ecg()
    assert ecg.name == "ecg"
    assert ecg.dtype == "float64"
    pd.testing.assert_index_equal(ecg.index, pd.RangeIndex(108000, name="sample"))
    # The values that SciPy documents for scipy.datasets.electrocardiogram, in mV.
    assert ecg.iloc[:3].tolist() == pytest.approx([-0.245, -0.215, -0.185], abs=1e-12)
    assert ecg.iloc[-3:].tolist() == pytest.approx([-0.405, -0.395, -0.385], abs=1e-12)
    assert ecg.mean() == pytest.approx(-0.16510875, abs=1e-9)
    assert ecg.std(ddof=0) == pytest.approx(0.5992473991177294, abs=1e-12)


def test_units_say_what_the_numbers_are():
    assert datasets.load_electricity_demand().attrs["unit"] == "MW"
    ecg = datasets.load_ecg()
    assert (ecg.attrs["unit"], ecg.attrs["sampling_rate_hz"], ecg.attrs["start"]) == ("mV", 360, "0:19:35")
    prices = datasets.load_sp500()
    assert set(prices.attrs["units"]) == set(prices.columns)
    assert prices.attrs["units"]["adj_close"] == "index points"
    assert prices.attrs["units"]["volume"] == "shares"


@pytest.mark.parametrize("load", LOADERS)
def test_attrs_name_sampling_source_and_licence(load):
    attrs = load().attrs
    assert all(attrs[key] for key in ("sampling", "source", "licence"))


@pytest.mark.parametrize("load", LOADERS)
def test_each_call_gives_data_of_its_own(load):
    first = load()
    kept = first.copy()
    first.iloc[:] = 0
    first.attrs.clear()
    again = load()
    assert again.equals(kept)
    assert again.attrs


def test_every_file_is_listed_with_its_checksum():
    readme = (ROOT / "datasets" / "README.md").read_text(encoding="utf-8")
    for path in (ROOT / "datasets").glob("*.gz"):
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        assert f"    {sha256}  {path.name}\n" in readme
        assert datasets._SHA256[path.name] == sha256


@pytest.mark.parametrize("load", LOADERS)
def test_a_damaged_file_is_refused_by_name(load, tmp_path, monkeypatch):
    for path in (ROOT / "datasets").glob("*.gz"):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        (tmp_path / path.name).write_bytes(content)
    monkeypatch.setattr(datasets, "_FOLDERS", (tmp_path,))
    with pytest.raises(OSError, match=rf"^{load.__name__}: `.*\.csv\.gz` must have the sha256 \w+; got \w+\."):
        load()


@pytest.mark.parametrize("load", LOADERS)
def test_a_missing_file_is_named(load, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "_FOLDERS", (tmp_path / "one", tmp_path / "two"))
    with pytest.raises(FileNotFoundError, match=rf"^{load.__name__}: `\w+\.csv\.gz` must lie in .*one or .*two; got"):
        load()


LOAD_ALL = """
import pathlib, sys
import tsrnn
from tsrnn import datasets
home = pathlib.Path(sys.prefix).resolve()
assert home in pathlib.Path(tsrnn.__file__).resolve().parents, tsrnn.__file__
assert home in datasets._packaged_file("test", "sp500_daily.csv.gz").resolve().parents
print(len(datasets.load_electricity_demand()), len(datasets.load_sp500()), len(datasets.load_ecg()))
"""


def run(*command, cwd):
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run([*map(str, command)], cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy, so that nothing is written into the repository."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "LICENSE", "README.md"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, source)
    for name in ("tsrnn", "datasets"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", "dist", cwd=source)
    (built,) = (source / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def fresh_python(wheel, tmp_path_factory):
    """A new environment with the wheel, which borrows the dependencies of this one."""
    home = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", "--without-pip", home, cwd=home)
    python = home / sysconfig.get_path("scripts", "venv", {"base": ""}).lstrip(os.sep) / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel, cwd=home)
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=home).strip())
    # Such a folder comes after the environment's own, and its .pth files, thus an editable tsrnn, are not followed.
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return python


def test_the_wheel_brings_the_data(fresh_python, tmp_path):
    assert run(fresh_python, "-c", LOAD_ALL, cwd=tmp_path).split() == ["4032", "5031", "108000"]
