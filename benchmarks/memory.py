"""Memory of windows: 1,000,000 steps of 8 features, L=200 (6.4 GB as an array).

python -m benchmarks.memory
"""

import os
import threading
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from sklearn.preprocessing import StandardScaler

from benchmarks import jobs
from tsrnn import GRURegressor, SequenceScaler, WindowTransformer, make_windows


class Peak:
    """The greatest memory of this process while it is open, above what it was at the start."""

    def __enter__(self) -> "Peak":
        self.start = self.most = jobs.resident_mb()
        self.open = True
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()
        return self

    def _watch(self) -> None:
        while self.open:
            self.most = max(self.most, jobs.resident_mb())
            time.sleep(0.002)

    def __exit__(self, *error) -> None:
        self.most = max(self.most, jobs.resident_mb())
        self.open = False
        self.thread.join()

    @property
    def mb(self) -> float:
        return self.most - self.start


def main() -> None:
    from tsrnn import programs  # noqa: F401 - the libraries count before

    rows = np.random.default_rng(0).normal(size=(1_000_000, 8)).astype(np.float32)
    target = rows[:, 0].copy()
    windows, targets = make_windows(rows[:300], target[:300], lookback=200)
    warm = GRURegressor(4, epochs=1, jit_compile=False).fit(windows, targets[:, 0])
    base = jobs.resident_mb()
    with Peak() as making:
        windows, targets = make_windows(rows, target, lookback=200)
        transformed = WindowTransformer(200).fit(rows).transform(rows)
    print(f"{windows!r}: {windows.nbytes / 1e9:.1f} GB as an array")
    jobs.verdict("making Windows and transforming", making.mb, 100, at_least=False, unit="MB")
    del transformed
    with Peak() as scaling:
        scaled = SequenceScaler(StandardScaler()).fit_transform(windows)
    print(f"scaling them: {scaling.mb:.0f} MB (two more copies of the rows)")
    del scaled
    with Peak() as training:
        GRURegressor(32, segment_length=10, epochs=1, batch_size=256).fit(windows[::10], targets[::10, 0])
    above = training.most - base
    jobs.verdict("one epoch on every 10th window", above, 600, at_least=False, unit="MB")
    del warm


if __name__ == "__main__":
    main()
