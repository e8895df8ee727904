"""Memory of `save` and `load`: the most that each allocates, as a multiple of the file.

python -m benchmarks.loading
"""

import json
import os
import subprocess
import sys
import tempfile
import tracemalloc
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd
from sklearn.linear_model import Ridge

from benchmarks import jobs
from tsrnn import Forecaster, GRURegressor, NaiveForecaster, _zip_file, make_windows, persistence, save

STAMPS = pd.date_range("2024-01-01", periods=200, freq="h")

CHILD = """
import pathlib, sys, tracemalloc
import tsrnn
try:
    tsrnn.load(sys.argv[1])  # what the libraries import late counts before
except tsrnn.ModelFileError:
    pass
pathlib.Path("/proc/self/clear_refs").write_text("5")
before = [int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS")][0]
if sys.argv[3] == "traced":
    tracemalloc.start()
try:
    tsrnn.load(sys.argv[2])
except tsrnn.ModelFileError:
    pass
peak = [int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")][0]
print(tracemalloc.get_traced_memory()[1] if sys.argv[3] == "traced" else 1024 * (peak - before))
"""


def panel(count: int, longest: int) -> dict[str, pd.Series]:
    """Hourly series of different lengths, three quarters of the longest at least."""
    noise = np.random.default_rng(0).normal(size=(count, longest))
    lengths = [longest - number % (longest // 4) for number in range(count)]
    return {
        f"series {number:05}": pd.Series(noise[number, :length], index=STAMPS[:length])
        for number, length in enumerate(lengths)
    }


def network() -> GRURegressor:
    windows, targets = make_windows(jobs.series(300), lookback=24, horizon=4)
    return GRURegressor(256, n_layers=2, epochs=1, jit_compile=False).fit(windows, targets)


def forecaster(data) -> Forecaster:
    return Forecaster(Ridge(), lookback=6, horizon=2).fit(data)


CASES = {
    "a network of 600,000 weights": network,
    "Forecaster, one series of 1,000,000 steps": lambda: forecaster(jobs.series(1_000_000).astype(float)),
    "Forecaster, 1,000 series of up to 120 steps": lambda: forecaster(panel(1_000, 120)),
    "Forecaster, 10,000 series of up to 120 steps": lambda: forecaster(panel(10_000, 120)),
    "naive rule, 10,000 series of up to 120 steps": lambda: NaiveForecaster(2).fit(panel(10_000, 120)),
}


def hostile(path: Path) -> dict[str, str]:
    """Manifests that ask for as much memory as they can, from one that is whole."""
    save(NaiveForecaster().fit(panel(4, 8)), path)
    with path.open("rb") as file:
        first, *_ = _zip_file.read_directory(file, path.stat().st_size)
        text = bytearray(first.size)
        _zip_file.read_into(file, first, text)
    manifest = json.loads(text)
    track = {"name": None, "target": {"array": [0, 0]}, "covariates": None, "learnt": None}
    track["index"] = {"index": {"range": [0, {"from": [1, 1]}, 1], "name": None}}
    rows = {"rows": [1, [{"from": [1, 1]}, {"object": ["Track", track]}]]}
    rows["rows"][0] = (persistence._rows.MOST_NODES - 1_000) // persistence._rows.size_of(*rows["rows"], [])
    manifest["estimator"]["object"][1]["_tracks"] = {"dict": rows}
    count = persistence.MOST_MARKS
    return {
        "hostile: 1 MB of empty lists": "[" + ",".join(["[]"] * 349_000) + "]",
        "hostile: as many dicts as are read": "[" + ",".join(['{"":0}'] * (count // 2 - 1)) + "]",
        "hostile: as many numbers as are read": "[" + ",".join(f"{1e6 + i:.0f}" for i in range(count - 1)) + "]",
        "hostile: as many rows as are read": json.dumps(manifest),
    }


def write_manifest(path: Path, whole: Path, text: str) -> None:
    """Write the container of `whole` with another manifest."""
    with whole.open("rb") as file:
        entries = _zip_file.read_directory(file, whole.stat().st_size)
        contents = [bytearray(entry.size) for entry in entries]
        for entry, content in zip(entries, contents, strict=True):
            _zip_file.read_into(file, entry, content)
    contents[0] = bytearray(text.encode())
    _zip_file.write(
        path, [(entry.name, [memoryview(content)]) for entry, content in zip(entries, contents, strict=True)]
    )


def most_of_load(tiny: Path, path: Path, how: str) -> int:
    command = [sys.executable, "-c", CHILD, str(tiny), str(path), how]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def report(what: str, tiny: Path, path: Path, saving: float | None) -> None:
    size = path.stat().st_size
    traced, resident = (most_of_load(tiny, path, how) for how in ("traced", "resident"))
    shown = "       " if saving is None else f"{saving / size:6.2f}x"
    print(
        f"{what:46} {size / 1e6:7.2f} MB  save {shown}  load {traced / size:6.2f}x = {traced / 1e6:6.1f} MB "
        f"(resident {resident / 1e6:6.1f} MB)",
        flush=True,
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        tiny, path = Path(folder) / "tiny.tsrnn", Path(folder) / "model.tsrnn"
        save(NaiveForecaster().fit(panel(4, 8)), tiny)
        for what, make in CASES.items():
            fitted = make()
            tracemalloc.start()
            save(fitted, path)
            saving = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            report(what, tiny, path, saving)
        for what, text in hostile(Path(folder) / "whole.tsrnn").items():
            write_manifest(path, Path(folder) / "whole.tsrnn", text)
            report(what, tiny, path, None)


if __name__ == "__main__":
    main()
