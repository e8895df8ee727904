"""Every architecture: what it costs beside the same Keras layers, and long windows: python -m benchmarks.architectures

``--write`` puts the table into docs/architectures.md, the scores of ``benchmarks.tasks`` among them.
"""

import argparse
import os
import subprocess
import sys
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks import jobs, tasks
from tsrnn import GRUClassifier, GRURegressor, LSTMRegressor, SimpleRNNRegressor, make_windows

LOOKBACK, HORIZON, HIDDEN, BATCH, EPOCHS, STEPS = 96, 24, 32, 64, 3, 3000


class Row(NamedTuple):
    """One architecture of the table."""

    name: str
    estimator: object
    formula: str
    reference: str


ELMAN = "Elman 1990, [10.1207/s15516709cog1402_1](https://doi.org/10.1207/s15516709cog1402_1)"
SCHUSTER = "Schuster & Paliwal 1997, [10.1109/78.650093](https://doi.org/10.1109/78.650093)"
LSTM = "Hochreiter & Schmidhuber 1997, [10.1162/neco.1997.9.8.1735](https://doi.org/10.1162/neco.1997.9.8.1735)"
GRU = "Cho et al. 2014, [10.3115/v1/D14-1179](https://doi.org/10.3115/v1/D14-1179)"
STACKED = "Graves et al. 2013, [10.1109/ICASSP.2013.6638947](https://doi.org/10.1109/ICASSP.2013.6638947)"
SEGRNN = "Lin et al. 2023, [10.48550/arXiv.2308.11200](https://doi.org/10.48550/arXiv.2308.11200)"
SEQ2SEQ = "Sutskever et al. 2014, [10.48550/arXiv.1409.3215](https://doi.org/10.48550/arXiv.1409.3215)"
ATTENTION = "Bahdanau et al. 2015, [10.48550/arXiv.1409.0473](https://doi.org/10.48550/arXiv.1409.0473)"
VASWANI = "Vaswani et al. 2017, [10.48550/arXiv.1706.03762](https://doi.org/10.48550/arXiv.1706.03762)"
CONVOLUTION = "Karim et al. 2018, [10.1109/ACCESS.2017.2779939](https://doi.org/10.1109/ACCESS.2017.2779939)"
RESIDUAL = "He et al. 2016, [10.1109/CVPR.2016.90](https://doi.org/10.1109/CVPR.2016.90)"
NORM = "Ba et al. 2016, [10.48550/arXiv.1607.06450](https://doi.org/10.48550/arXiv.1607.06450)"
DROPOUT = "Gal & Ghahramani 2016, [10.48550/arXiv.1512.05287](https://doi.org/10.48550/arXiv.1512.05287)"
TRUNCATED = "Williams & Peng 1990, [10.1162/neco.1990.2.4.490](https://doi.org/10.1162/neco.1990.2.4.490)"
QUANTILE = "Koenker & Bassett 1978, [10.2307/1913643](https://doi.org/10.2307/1913643)"
GAUSSIAN = "Nix & Weigend 1994, [10.1109/ICNN.1994.374138](https://doi.org/10.1109/ICNN.1994.374138)"

ROWS = [
    Row("`SimpleRNN`", SimpleRNNRegressor(HIDDEN), "h' = tanh(x W + h U + b)", ELMAN),
    Row("`LSTM`", LSTMRegressor(HIDDEN), "c' = f c + i tanh(x W + h U + b), h' = o tanh(c')", LSTM),
    Row("`GRU`", GRURegressor(HIDDEN), "h' = z h + (1 - z) tanh(x W + r (h U + d) + b)", GRU),
    Row("`bidirectional=True`", GRURegressor(HIDDEN, bidirectional=True), "[h forwards, h backwards]", SCHUSTER),
    Row("`n_layers=2`", GRURegressor(HIDDEN, n_layers=2), "each layer reads the outputs of the one below", STACKED),
    Row(
        '`between_layers="residual"`',
        GRURegressor(HIDDEN, n_layers=2, between_layers="residual"),
        "x + layer(x)",
        RESIDUAL,
    ),
    Row(
        '`between_layers="layer_norm"`',
        GRURegressor(HIDDEN, n_layers=2, between_layers="layer_norm"),
        "(h - mean) / sqrt(variance + 0.001) g + b",
        NORM,
    ),
    Row("`recurrent_dropout=0.2`", GRURegressor(HIDDEN, recurrent_dropout=0.2), "h U, a fifth of h dropped", DROPOUT),
    Row(
        "`convolution=(32, 5)`",
        GRURegressor(HIDDEN, convolution=(32, 5)),
        "relu(sum over k of x_(t-k) W_k + b)",
        CONVOLUTION,
    ),
    Row("`segment_length=12`", GRURegressor(HIDDEN, segment_length=12), "relu(12 steps as one row W + b)", SEGRNN),
    Row(
        '`decoder="parallel"`',
        GRURegressor(HIDDEN, segment_length=12, decoder="parallel"),
        "y_j = cell(position_j, h) V + c, 12 steps at a time",
        SEGRNN,
    ),
    Row('`decoder="recurrent"`', GRURegressor(HIDDEN, decoder="recurrent"), "h' = cell(y, h), y' = h' V + c", SEQ2SEQ),
    Row(
        '`decoder="attention"`',
        GRURegressor(HIDDEN, decoder="attention"),
        "the same with a look back at each step",
        ATTENTION,
    ),
    Row('`decoder="sequence"`', GRURegressor(HIDDEN, decoder="sequence"), "y_t = h_t V + c", ELMAN),
    Row(
        '`attention="additive"`',
        GRURegressor(HIDDEN, attention="additive"),
        "softmax over t of v tanh(h_t W + h_L U + b)",
        ATTENTION,
    ),
    Row(
        '`attention="transformer"`',
        GRURegressor(HIDDEN, attention="transformer"),
        "norm(x + heads(x)), then norm(a + relu(a A + b) B + c)",
        VASWANI,
    ),
    Row("`truncation=24`", GRURegressor(HIDDEN, truncation=24), "no gradient beyond 24 steps", TRUNCATED),
    Row('`loss="quantile"`', GRURegressor(HIDDEN, loss="quantile"), "q_1, q_1 + softplus(d_2), ...", QUANTILE),
    Row('`loss="gaussian"`', GRURegressor(HIDDEN, loss="gaussian"), "mean, softplus(s) + 0.001", GAUSSIAN),
    Row("classifiers", GRUClassifier(HIDDEN), "softmax(h V + c)", GRU),
]  # fmt: skip


def samples(estimator) -> tuple:
    values = jobs.standardised(jobs.series(STEPS))
    X, y = make_windows(values, lookback=LOOKBACK, horizon=HORIZON)
    if isinstance(estimator, GRUClassifier):
        return X, (y.mean(axis=1) > 0).astype(int)
    if getattr(estimator, "decoder", "dense") == "sequence":
        return X, sliding(values)
    return X, y


def sliding(values: np.ndarray) -> np.ndarray:
    """The value of a day later at each step of each window."""
    later = np.lib.stride_tricks.sliding_window_view(values, LOOKBACK)
    return np.ascontiguousarray(later[HORIZON:][: len(values) - LOOKBACK - HORIZON + 1])


def keras_model(estimator):
    """The same layers as a Keras model of its own, compiled with the same loss and clipping."""
    import keras

    from tsrnn import losses

    fitted = estimator.__class__(**{**estimator.get_params(), "epochs": 1, "jit_compile": False})
    X, y = samples(estimator)
    fitted.fit(X[:BATCH], y[:BATCH])
    from tsrnn.networks import Architecture, build

    model = build(Architecture(**fitted._architecture))
    name, quantiles, _ = fitted._loss_values()
    loss = losses.Loss(name, quantiles)
    model.compile(
        optimizer=keras.optimizers.Adam(1e-3, global_clipnorm=1.0),
        loss=lambda truth, said: losses.of_samples(loss, said, truth),
    )
    return model, fitted


def targets_for_keras(fitted, y: np.ndarray) -> np.ndarray:
    if isinstance(fitted, GRUClassifier):
        return np.eye(2, dtype=np.float32)[y]
    return np.asarray(y, dtype=np.float32).reshape(len(y), -1)


def seconds_beside_keras(row: Row, repetitions: int) -> tuple[float, float, int]:
    """Return seconds of a fit (program cached), how many times as long Keras takes, and the number of weights."""
    X, y = samples(row.estimator)
    model, fitted = keras_model(row.estimator)
    arrays, targets = np.asarray(X), targets_for_keras(fitted, y)
    ours = row.estimator.__class__(**{**row.estimator.get_params(), "epochs": EPOCHS, "random_state": 0})
    works = {
        "tsrnn": lambda: ours.fit(X, y),
        "keras": lambda: model.fit(arrays, targets, epochs=EPOCHS, batch_size=BATCH, verbose=0),
    }
    jobs.alternating(works, 1)  # both have compiled
    taken = jobs.alternating(works, repetitions)
    return float(np.median(taken["tsrnn"])), jobs.ratio(taken, "keras", "tsrnn"), ours.n_parameters_


LONG = {
    "whole": {},
    "truncation=100": {"truncation": 100},
    "segment_length=20": {"segment_length": 20},
    "sequence, whole": {"decoder": "sequence"},
    "sequence, truncation=100": {"decoder": "sequence", "truncation": 100},
}


def long_window(name: str) -> None:
    """In a process of its own: milliseconds of a training step on windows of 2,000 steps, and the memory it takes."""
    X, _ = make_windows(np.random.default_rng(0).normal(size=2600), lookback=2000)
    X = X[:192]
    y = np.asarray(X)[:, :, 0] if "sequence" in name else np.asarray(X)[:, -1, 0]
    GRURegressor(64, epochs=1, jit_compile=False).fit(np.zeros((64, 20)), np.arange(64.0))
    before = jobs.peak_mb()
    model = GRURegressor(64, epochs=1, random_state=0, jit_compile=False, **LONG[name])
    model.fit(X, y)
    memory = jobs.peak_mb() - before
    seconds = jobs.seconds(lambda: model.fit(X, y))
    print(f"{1000 * seconds / 3:.0f} {memory:.0f}")


def long_windows() -> list[str]:
    lines = []
    for name in LONG:
        code = f"from benchmarks import architectures as a; a.long_window({name!r})"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        milliseconds, memory = done.stdout.split()
        lines.append(f"| {name} | {milliseconds} | {memory} |")
        print(f"  {name:28} {milliseconds:>6} ms a step   {memory:>6} MB", flush=True)
    return lines


def task_rows() -> list[str]:
    lines = []
    for name, task in tasks.TASKS.items():
        for variant in task.variants:
            score, seconds, n_weights = tasks.score_of(task, variant, task.n_train, task.n_test)
            told = "diverged" if np.isnan(score) else f"{score:.4f}"
            verdict = "yes" if not np.isnan(score) and tasks.is_solved(task, score) else "no"
            lines.append(f"| {name} | {variant} | {task.score} {told} | {verdict} | {n_weights:,} | {seconds:.0f} |")
            print(f"  {name:20} {variant:32} {told:>9} {verdict}", flush=True)
    return lines


def cost_rows(repetitions: int) -> list[str]:
    lines = []
    for row in ROWS:
        seconds, ratio, n_weights = seconds_beside_keras(row, repetitions)
        jobs.verdict(f"{row.name} ({n_weights:,} weights, {seconds:.2f} s): Keras / tsrnn", ratio, 1)
        lines.append(f"| {row.name} | {row.formula} | {row.reference} | {n_weights:,} | {seconds:.2f} | {ratio:.1f} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", help="costs, long-windows, tasks; all of them by default")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/architectures.md")
    parser.add_argument("--repetitions", type=int, default=3)
    options = parser.parse_args()
    tables = {"costs": lambda: cost_rows(options.repetitions), "long-windows": long_windows, "tasks": task_rows}
    for name in options.tables or tables:
        print(f"\n{name}:", flush=True)
        lines = tables[name]()
        if options.write:
            jobs.put("architectures", name, lines)


if __name__ == "__main__":
    main()
