"""What is not given back: memory, threads and open files over fits, predictions and folds, after warm-up.

python -m benchmarks.leaks
"""

import gc
import os
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from sklearn.base import clone

from benchmarks import jobs
from tsrnn import Forecaster, LSTMRegressor, WalkForwardSplit, backtest, make_windows

FITS, PREDICTIONS, FOLDS = 30, 1000, 30
SERIES = jobs.series(600)


def held() -> tuple[float, int, int]:
    """Resident memory in MB, threads, and open files of this process now (Linux)."""
    gc.collect()
    threads, files = (len(list(Path("/proc/self", kind).iterdir())) for kind in ("task", "fd"))
    return jobs.resident_mb(), threads, files


def growth(work: Callable[[], object], times: int, warm_up: int) -> tuple[float, int, int]:
    """How much more is held after `times` calls than before them, after `warm_up` calls."""
    for _ in range(warm_up):
        work()
    before = held()
    for _ in range(times):
        work()
    memory, threads, files = (after - b for after, b in zip(held(), before, strict=True))
    return memory, int(threads), int(files)


def report(what: str, work: Callable[[], object], times: int, warm_up: int) -> None:
    memory, threads, files = growth(work, times, warm_up)
    jobs.verdict(f"{what}, {times} times", memory, 1, at_least=False, unit="MB")
    jobs.verdict(f"{'':4}threads", threads, 0, at_least=False, unit="")
    jobs.verdict(f"{'':4}open files", files, 0, at_least=False, unit="")


def network(*, compiled: bool) -> LSTMRegressor:
    return LSTMRegressor(8, epochs=2, batch_size=64, jit_compile=compiled, random_state=0)


def main() -> None:
    X, y = make_windows(SERIES, lookback=24)
    window = np.asarray(X[:1])
    for name, compiled in (("plain graph", False), ("compiled", True)):
        model = network(compiled=compiled)
        report(f"LSTM, {name}: fit", lambda model=model: model.fit(X, y[:, 0]), FITS, 10)
        report(f"LSTM, {name}: a clone's fit", lambda model=model: clone(model).fit(X, y[:, 0]), FITS, 5)
        report(f"LSTM, {name}: predict", lambda model=model: model.predict(window), PREDICTIONS, 200)
    forecaster = Forecaster(network(compiled=False), lookback=24, horizon=6)
    report("Forecaster: fit", lambda: forecaster.fit(SERIES), FITS, 10)
    report("Forecaster: predict", forecaster.predict, PREDICTIONS, 200)
    cv = WalkForwardSplit(FOLDS // 2, test_size=6)
    report(
        f"backtest of {FOLDS // 2} folds, refitted", lambda: backtest(forecaster, SERIES, cv=cv, progress=False), 2, 2
    )


if __name__ == "__main__":
    main()
