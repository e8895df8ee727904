"""What is felt: the import, one prediction, and the growth of many small fits.

python -m benchmarks.latency
"""

import os
import statistics
import subprocess
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks import jobs
from tsrnn import GRURegressor, LSTMRegressor, make_windows


def import_seconds(statement: str) -> float:
    code = f"import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout)


def importing() -> None:
    peers = "import pandas, sklearn.base, sklearn.pipeline, sklearn.model_selection, sklearn.preprocessing"
    statements = {"tsrnn": "import tsrnn", "peers": peers}
    taken = {name: [] for name in statements}
    for _ in range(9):
        for name, statement in statements.items():
            taken[name].append(import_seconds(statement))
    print(", ".join(f"{name} {statistics.median(times):.2f} s" for name, times in taken.items()))
    jobs.verdict("import tsrnn / pandas and scikit-learn", jobs.ratio(taken, "tsrnn", "peers"), 1.3, at_least=False)


def predicting() -> None:
    for regressor in (LSTMRegressor, GRURegressor):
        for lookback in (24, 96):
            X, y = make_windows(jobs.series(8000), lookback=lookback, horizon=24)
            fitted = regressor(64, epochs=5).fit(X, y)
            window = np.asarray(X[:1])
            fitted.predict(window)
            times = []
            for _ in range(300):
                began = time.perf_counter()
                fitted.predict(window)
                times.append(1e3 * (time.perf_counter() - began))
            name = f"{regressor.__name__}(64), L={lookback}: one window predicted"
            jobs.verdict(name, statistics.median(times), 3, at_least=False, unit="ms")


def main() -> None:
    importing()
    predicting()


if __name__ == "__main__":
    main()
