"""Tasks that one architecture learns and another cannot: python -m benchmarks.tasks [name ...]

Each task draws its samples from a seed. Its first variant is the one that should solve it; the others lack something.
Scores are those of fresh samples.
"""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from tsrnn import GRUClassifier, GRURegressor, LSTMRegressor, SimpleRNNRegressor, TrainingDivergedError

Samples = tuple[np.ndarray, np.ndarray]


def adding(count: int, rng: np.random.Generator, steps: int = 100) -> Samples:
    """Two marked numbers of a hundred are to be added (Hochreiter & Schmidhuber 1997)."""
    values = rng.uniform(size=(count, steps))
    marks = np.zeros_like(values)
    for half in (0, 1):
        places = rng.integers(steps // 2, size=count) + half * (steps // 2)
        marks[np.arange(count), places] = 1
    return np.stack([values, marks], axis=2), (values * marks).sum(axis=1)


def delay(count: int, rng: np.random.Generator, steps: int = 40, lag: int = 10) -> Samples:
    """At each step, the value of ten steps before; zero for the first ten."""
    values = rng.normal(size=(count, steps))
    return values, np.pad(values[:, :-lag], ((0, 0), (lag, 0)))


def parity(count: int, rng: np.random.Generator, steps: int = 24) -> Samples:
    """At each step, whether an odd number of ones has come."""
    bits = rng.integers(2, size=(count, steps))
    return bits - 0.5, bits.cumsum(axis=1) % 2


def parity_at_the_end(count: int, rng: np.random.Generator, steps: int = 24) -> Samples:
    """The same, told at the last step alone."""
    bits, odd = parity(count, rng, steps)
    return bits, odd[:, -1]


def palindrome(count: int, rng: np.random.Generator, steps: int = 20) -> Samples:
    """At each step, whether the two bits after it mirror the two before it."""
    bits = rng.integers(2, size=(count, steps))
    padded = np.pad(bits, ((0, 0), (2, 2)), constant_values=2)
    mirrored = (padded[:, 1:-3] == padded[:, 3:-1]) & (padded[:, :-4] == padded[:, 4:])
    return bits - 0.5, mirrored.astype(float)


def marked(count: int, rng: np.random.Generator, steps: int = 150) -> Samples:
    """The one marked value of a long window, somewhere in its first third."""
    values, marks = rng.normal(size=(count, steps)), np.zeros((count, steps))
    places = rng.integers(steps // 3, size=count)
    marks[np.arange(count), places] = 1
    return np.stack([values, marks], axis=2), values[np.arange(count), places]


MOTIF = np.array([0.0, 3.0, -4.0, 4.0, -3.0, 0.0])


def motif(count: int, rng: np.random.Generator, steps: int = 96) -> Samples:
    """Whether a short wiggle is hidden somewhere in noise, or the same one upside down."""
    noise, sign = rng.normal(size=(count, steps)), rng.choice([-1, 1], size=count)
    places = rng.integers(steps - len(MOTIF), size=count)
    noise[np.arange(count)[:, None], places[:, None] + np.arange(len(MOTIF))] += sign[:, None] * MOTIF
    return noise, sign


def spikes(count: int, rng: np.random.Generator, steps: int = 40) -> Samples:
    """The mean of squashed values, one in five hundred a thousand times as large; the variance is 0.0105."""
    values = rng.normal(size=(count, steps)) * np.where(rng.uniform(size=(count, steps)) < 0.002, 1000, 1)
    return values, np.tanh(values).mean(axis=1)


@dataclass
class Task:
    """How a task is drawn, who tries it, and what counts as solved."""

    draw: Callable[..., Samples]
    variants: dict[str, object]
    score: str
    solved: float
    sizes: dict[str, int] = field(default_factory=dict)
    other_draws: dict[str, Callable[..., Samples]] = field(default_factory=dict)
    n_train: int = 4000
    n_test: int = 1000


COMMON = {"learning_rate": 0.003, "schedule": "cosine", "batch_size": 32, "random_state": 0}
AT_EVERY_STEP = {"decoder": "sequence", "epochs": 30, **COMMON}
RELU = {"cell_options": {"activation": "relu"}, "optimizer": "sgd", **COMMON, "learning_rate": 0.05, "epochs": 40}

TASKS = {
    "adding, 100 steps": Task(
        adding,
        {
            "LSTM": LSTMRegressor(48, epochs=40, **COMMON),
            "GRU": GRURegressor(48, epochs=40, **COMMON),
            "SimpleRNN": SimpleRNNRegressor(48, epochs=40, **COMMON),
        },
        "MSE",
        0.01,
    ),
    "delay of 10 steps": Task(
        delay,
        {
            "GRU, sequence": GRURegressor(32, decoder="sequence", epochs=30, **COMMON),
            "the same, truncation=5": GRURegressor(32, decoder="sequence", truncation=5, epochs=30, **COMMON),
        },
        "MSE",
        0.05,
    ),
    "parity": Task(
        parity,
        {
            "GRU, sequence": GRURegressor(16, **AT_EVERY_STEP),
            "GRU, last step alone": GRURegressor(16, epochs=30, **COMMON),
        },
        "accuracy",
        0.99,
        other_draws={"GRU, last step alone": parity_at_the_end},
    ),
    "palindrome": Task(
        palindrome,
        {
            "GRU, two layers, bidirectional": GRURegressor(16, n_layers=2, bidirectional=True, **AT_EVERY_STEP),
            "GRU, two layers": GRURegressor(32, n_layers=2, **AT_EVERY_STEP),
        },
        "accuracy",
        0.99,
    ),
    "marked value": Task(
        marked,
        {
            "GRU, attention": GRURegressor(32, attention="additive", epochs=10, **COMMON),
            "GRU, transformer": GRURegressor(32, attention="transformer", epochs=10, **COMMON),
            "GRU": GRURegressor(32, epochs=10, **COMMON),
        },
        "MSE",
        0.05,
    ),
    "motif in noise": Task(
        motif,
        {
            "GRU, convolution": GRUClassifier(24, convolution=(24, 6), epochs=8, **COMMON),
            "GRU": GRUClassifier(24, epochs=8, **COMMON),
        },
        "accuracy",
        0.95,
    ),
    "spikes": Task(
        spikes,
        {
            "ReLU, clipping=1": SimpleRNNRegressor(16, clipping=1.0, **RELU),
            'ReLU, clipping=("value", 0.1)': SimpleRNNRegressor(16, clipping=("value", 0.1), **RELU),
            "ReLU, no clipping": SimpleRNNRegressor(16, clipping=None, **RELU),
        },
        "MSE",
        0.003,
    ),
}


def score_of(task: Task, variant: str, n_train: int, n_test: int, **changes) -> tuple[float, float, int]:
    """Return the score on fresh samples, the seconds of the fit and the weights; NaN when the fit diverges."""
    draw = task.other_draws.get(variant, task.draw)
    X, y = draw(n_train, np.random.default_rng(1), **task.sizes)
    X_test, y_test = draw(n_test, np.random.default_rng(2), **task.sizes)
    model = task.variants[variant].set_params(**changes)
    began = time.perf_counter()
    try:
        model.fit(X, y)
    except TrainingDivergedError:
        return float("nan"), time.perf_counter() - began, 0
    seconds = time.perf_counter() - began
    said = model.predict(X_test)
    if task.score == "MSE":
        score = np.mean((said - y_test) ** 2) if np.isfinite(said).all() else np.nan
    else:
        score = np.mean((said == y_test) if y_test.dtype.kind == "i" and model.__class__ is GRUClassifier
                        else ((said > 0.5) == (y_test > 0.5)))  # fmt: skip
    return float(score), seconds, model.n_parameters_


def is_solved(task: Task, score: float) -> bool:
    return score <= task.solved if task.score == "MSE" else score >= task.solved


def main() -> None:
    for name in sys.argv[1:] or TASKS:
        task = TASKS[name]
        bar = f"{'<=' if task.score == 'MSE' else '>='} {task.solved:g}"
        print(f"\n{name}: {task.draw.__doc__}\n  {task.score}, solved {bar}", flush=True)
        for variant in task.variants:
            score, seconds, n_weights = score_of(task, variant, task.n_train, task.n_test)
            told = "diverged" if np.isnan(score) else "solved" if is_solved(task, score) else "not solved"
            print(f"  {variant:32} {score:8.4f}  {told:10}  {n_weights:6,} weights  {seconds:6.1f} s", flush=True)


if __name__ == "__main__":
    main()
