"""What fits and predictions must give back: memory, threads, open files."""

import mmap
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from benchmarks import leaks

ROOT = Path(__file__).parents[1]

WORK = """
import numpy as np
from benchmarks import leaks
from tsrnn import Forecaster, make_windows

series = leaks.SERIES[:150]
X, y = make_windows(series, lookback=24)
window = np.asarray(X[:1])
model = leaks.network(compiled={compiled})
print(*leaks.growth(lambda: model.fit(X, y[:, 0]), 20, 10))
print(*leaks.growth(lambda: model.predict(window), 300, 200))
if not {compiled}:
    forecaster = Forecaster(model, lookback=24, horizon=6)
    print(*leaks.growth(lambda: forecaster.fit(series), 20, 10))
    print(*leaks.growth(forecaster.predict, 300, 200))
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="memory and threads are read from /proc")
@pytest.mark.parametrize("compiled", [False, True])
def test_fits_and_predictions_leave_nothing_behind(compiled):
    code = WORK.format(compiled=compiled)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    grown = [tuple(map(float, line.split())) for line in done.stdout.splitlines()]
    assert len(grown) == (2 if compiled else 4)
    assert [(threads, files) for _, threads, files in grown] == [(0, 0)] * len(grown)
    assert max(memory for memory, _, _ in grown) < 1


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="memory and threads are read from /proc")
def test_what_is_kept_is_seen():
    kept, end = [], threading.Event()

    def keep():
        kept.append(mmap.mmap(-1, 2**20))  # never from what earlier tests have given back
        kept[-1].write(b"x" * 2**20)
        kept.append(Path(__file__).open())  # noqa: SIM115
        kept.append(threading.Thread(target=end.wait, daemon=True))
        kept[-1].start()

    memory, threads, files = leaks.growth(keep, 30, 2)
    end.set()
    for each in kept:
        if isinstance(each, threading.Thread):
            each.join()
        else:
            each.close()
    assert (threads, files) == (30, 30)
    assert memory > 25
