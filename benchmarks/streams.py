"""Streams: milliseconds for each sample of an electrocardiogram at 360 Hz, and whether they say what batches say.

python -m benchmarks.streams
"""

import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks import jobs
from tsrnn import Forecaster, GRURegressor, load_ecg, make_windows

LOOKBACK, N_SAMPLES = 240, 1500


def timed(observe, samples: np.ndarray) -> tuple[list, float]:
    """The answers to each sample, and the median of the milliseconds that one took."""
    answers, times = [], []
    for sample in samples:
        began = time.perf_counter()
        answers.append(observe(sample))
        times.append(1e3 * (time.perf_counter() - began))
    return answers, statistics.median(times)


def show(name: str, answers: np.ndarray, expected: np.ndarray, milliseconds: float) -> None:
    distance = float(np.abs(answers - expected).max() / np.abs(expected).max())
    jobs.verdict(f"{name}: a sample", milliseconds, 1, at_least=False, unit="ms")
    print(f"  greatest difference from one batch, relative to the greatest prediction: {distance:.1e}")


def main() -> None:
    ecg = load_ecg().to_numpy()
    train, samples = ecg[:40_000], ecg[40_000 : 40_000 + N_SAMPLES]
    windows, targets = make_windows(train, lookback=LOOKBACK)
    asked, _ = make_windows(np.append(samples, 0), lookback=LOOKBACK)

    segments = GRURegressor(32, segment_length=12, epochs=2, random_state=0).fit(windows[::8], targets[::8, 0])
    answers, milliseconds = timed(segments.stream().observe, samples)
    show(
        "window of 240 samples in segments of 12",
        np.ravel(answers[LOOKBACK - 1 :]),
        segments.predict(asked),
        milliseconds,
    )

    steps = GRURegressor(32, epochs=1, random_state=0).fit(windows[::64], targets[::64, 0])
    answers, milliseconds = timed(steps.stream("state").observe, samples)
    show("state", np.array([answers[LOOKBACK - 1][0]]), steps.predict(asked[:1]), milliseconds)

    forecaster = Forecaster(segments, lookback=LOOKBACK, horizon=1, stride=8).fit(train)
    answers, milliseconds = timed(forecaster.stream().observe, samples)
    origins = np.arange(len(train), len(train) + N_SAMPLES)
    expected = forecaster.predict_origins(np.concatenate([train, samples]), origins=origins)[:, 0, 0]
    show("forecaster", np.ravel(answers), expected, milliseconds)


if __name__ == "__main__":
    main()
