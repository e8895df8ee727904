"""One fit: 8,000 steps, L=96, H=24, hidden 64, batch 64, 5 epochs; against Keras `model.fit` and a PyTorch loop.

    python -m benchmarks.fit [LSTM GRU]

First fits run in processes of their own, compilation included, imports not; the others alternate in one process.
"""

import importlib.util
import statistics
import subprocess
import sys
from functools import partial

from benchmarks import jobs

SHAPE = {"lookback": 96, "horizon": 24, "hidden_size": 64, "epochs": 5, "batch": 64}
BARS = {"LSTM": (2.0, 2.5, 1.0), "GRU": (3.5, 4.5, 2.5)}
REPETITIONS = 3


def first_fit(maker: str, cell: str) -> float:
    """Seconds of the first fit in a new process, after the imports."""
    code = (
        "import os; os.environ['TF_CPP_MIN_LOG_LEVEL'] = '3'\n"
        "import keras, tensorflow, tsrnn, sklearn.base\n"
        "from benchmarks import fit, jobs\n"
        "from tsrnn import programs\n"
        "values = jobs.series(8000)\n"
        f"print(jobs.seconds(lambda: jobs.{maker}_fit({cell!r}, values, **fit.SHAPE)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def main() -> None:
    cells = sys.argv[1:] or ["LSTM", "GRU"]
    values = jobs.series(8000)
    for cell in cells:
        first = {"keras": [], "tsrnn": []}
        for _ in range(REPETITIONS):
            for maker in first:
                first[maker].append(first_fit(maker, cell))
        makers = ["keras", "tsrnn"] + (["torch"] if importlib.util.find_spec("torch") else [])
        works = {maker: partial(getattr(jobs, f"{maker}_fit"), cell, values, **SHAPE) for maker in makers}
        works["tsrnn"]()
        taken = jobs.alternating(works, REPETITIONS)
        for name, times in taken.items():
            print(f"{cell} {name}: {', '.join(f'{t:.2f}' for t in times)} s")
        print(f"{cell} first fits: " + ", ".join(f"{m} {statistics.median(t):.2f} s" for m, t in first.items()))
        bars = BARS[cell]
        jobs.verdict(f"{cell}: first fit, Keras / tsrnn", jobs.ratio(first, "keras", "tsrnn"), bars[0])
        jobs.verdict(f"{cell}: further fits, Keras / tsrnn", jobs.ratio(taken, "keras", "tsrnn"), bars[1])
        if "torch" in taken:
            jobs.verdict(f"{cell}: further fits, PyTorch / tsrnn", jobs.ratio(taken, "torch", "tsrnn"), bars[2])
        before = jobs.resident_mb()
        for _ in range(15):
            works["tsrnn"]()
        grown = jobs.resident_mb() - before
        jobs.verdict(f"{cell}: growth over 15 further fits", grown, 5, at_least=False, unit="MB")


if __name__ == "__main__":
    main()
