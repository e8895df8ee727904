"""A grid search: hidden size 16/32/64 x 5 walk-forward folds, 4,000 steps, L=48, 5 epochs; against Keras per fit.

    python -m benchmarks.search [LSTM GRU]

Both search in a new process each time, compilation included, imports not.
"""

import statistics
import subprocess
import sys

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import tsrnn
from benchmarks import jobs

BARS = {"LSTM": 3.0, "GRU": 4.0}
REPETITIONS = 3
LOOKBACK, EPOCHS, BATCH = 48, 5, 64


class KerasRegressor(RegressorMixin, BaseEstimator):
    """A Keras model built for each fit, as a hand-written wrapper does it."""

    def __init__(self, cell: str = "LSTM", hidden_size: int = 32) -> None:
        self.cell = cell
        self.hidden_size = hidden_size

    def fit(self, X, y):
        self.model_ = jobs.keras_model(self.cell, LOOKBACK, 1, self.hidden_size)
        self.model_.fit(np.asarray(X), y, epochs=EPOCHS, batch_size=BATCH, verbose=0)
        return self

    def predict(self, X):
        return self.model_.predict(np.asarray(X), verbose=0)[:, 0]


def search(maker: str, cell: str) -> GridSearchCV:
    """Search for the hidden size that best forecasts the next step."""
    values = jobs.series(4001).astype(np.float64)
    X, y = values[:-1, None], values[1:]
    if maker == "tsrnn":
        regressor = getattr(tsrnn, f"{cell}Regressor")(epochs=EPOCHS, batch_size=BATCH, random_state=0)
    else:
        regressor = KerasRegressor(cell)
    pipe = make_pipeline(StandardScaler(), tsrnn.WindowTransformer(LOOKBACK), regressor)
    step = pipe.steps[-1][0]
    grid = {f"{step}__hidden_size": [16, 32, 64]}
    return GridSearchCV(pipe, grid, cv=tsrnn.WalkForwardSplit(n_splits=5)).fit(X, y)


def measured(maker: str, cell: str) -> float:
    """Seconds of one search in a new process."""
    code = (
        "import os; os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'\n"
        "import keras, tensorflow, tsrnn\n"
        "from benchmarks import jobs, search\n"
        "from tsrnn import programs\n"
        f"print(jobs.seconds(lambda: search.search({maker!r}, {cell!r})))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def main() -> None:
    for cell in sys.argv[1:] or ["LSTM", "GRU"]:
        taken = {"keras": [], "tsrnn": []}
        for _ in range(REPETITIONS):
            for maker in taken:
                taken[maker].append(measured(maker, cell))
        for maker, times in taken.items():
            print(f"{cell} {maker}: {', '.join(f'{t:.1f}' for t in times)} s, median {statistics.median(times):.1f} s")
        jobs.verdict(f"{cell}: search, Keras / tsrnn", jobs.ratio(taken, "keras", "tsrnn"), BARS[cell])


if __name__ == "__main__":
    main()
