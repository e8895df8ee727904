"""Heartbeats classified: ECG200 with its official split, and ventricular beats of the MIT-BIH arrhythmia records.

The data lie beside the project, in ``../shared/data``; without them this says so and ends. Settings of ECG200 were
chosen by five-fold cross-validation of its training half (``--choose`` prints it).
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from benchmarks.jobs import put, verdict
from tsrnn import GRUClassifier

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SEEDS = range(5)

ECG200 = {
    "hidden_size": 64,
    "bidirectional": True,
    "segment_length": 8,
    "attention": "additive",
    "dropout": 0.5,
    "learning_rate": 0.003,
    "schedule": "cosine",
    "epochs": 80,
    "batch_size": 16,
    "n_members": 5,
}
CANDIDATES = [
    {},
    {"dropout": 0.3},
    {"attention": None},
    {"bidirectional": False},
    {"segment_length": 4},
    {"convolution": (32, 8)},
    {"hidden_size": 128},
]

BEATS = {
    "hidden_size": 32,
    "segment_length": 4,
    "bidirectional": True,
    "learning_rate": 0.003,
    "schedule": "cosine",
    "epochs": 20,
    "class_weight": "balanced",
}
BEFORE, AFTER, EVERY = 0.4, 0.6, 3
"""Seconds of a beat's window before and after its R peak, and the samples averaged to one (360 to 120 Hz)."""


def ecg200(part: str) -> tuple[np.ndarray, np.ndarray]:
    """Beats (100, 96), each with mean 0 and standard deviation 1, and their classes -1 and 1."""
    rows = np.loadtxt(DATA / "ecg200" / f"ECG200_{part}.txt")
    return rows[:, 1:], rows[:, 0].astype(int)


def beats(record: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Windows (n_beats, lookback) around the normal and ventricular beats of a record, their classes and seconds.

    Each window has its own median removed, in mV.
    """
    with np.load(DATA / "ecg_mitbih_mlii" / f"mitdb_{record}_MLII.npz") as file:
        signal, places, symbols = (file["adu"] - 1024.0) / 200, file["ann_sample"], file["ann_symbol"]
    before, after = int(BEFORE * 360), int(AFTER * 360)
    kept = np.isin(symbols, ["N", "V"]) & (places >= before) & (places + after <= len(signal))
    places, symbols = places[kept], symbols[kept]
    windows = signal[places[:, None] + np.arange(-before, after)]
    windows = windows.reshape(len(windows), -1, EVERY).mean(axis=2)
    return windows - np.median(windows, axis=1, keepdims=True), symbols, places / 360


def show_choice() -> None:
    X, y = ecg200("TRAIN")
    for change in CANDIDATES:
        folds = StratifiedKFold(5, shuffle=True, random_state=0)
        score = cross_val_score(GRUClassifier(**{**ECG200, **change, "random_state": 0}), X, y, cv=folds).mean()
        print(f"  {score:.3f}  {change or 'as chosen'}", flush=True)


def row(task: str, model: str, score: str) -> str:
    print(f"  {task:44} {model:32} {score}", flush=True)
    return f"| {task} | {model} | {score} |"


def ecg200_rows() -> list[str]:
    (X, y), (X_test, y_test) = ecg200("TRAIN"), ecg200("TEST")
    task = "ECG200, accuracy"
    plain = {"1 nearest neighbour": KNeighborsClassifier(1), "logistic regression": LogisticRegression()}
    lines = [row(task, name, f"{model.fit(X, y).score(X_test, y_test):.3f}") for name, model in plain.items()]
    scores, began = [], time.perf_counter()
    for seed in SEEDS:
        scores.append(GRUClassifier(**ECG200, random_state=seed).fit(X, y).score(X_test, y_test))
    print(f"  {(time.perf_counter() - began) / len(scores):.1f} s a seed")
    lines.append(row(task, "GRU, seed by seed", ", ".join(f"{score:.2f}" for score in scores)))
    lines.append(row(task, "GRU, mean", f"{np.mean(scores):.3f}"))
    verdict("ECG200: mean accuracy of 5 seeds", float(np.mean(scores)), 0.88, unit="")
    return lines


def beat_rows() -> list[str]:
    X, y, seconds = beats(106)
    end = 1805.6  # of the record, in seconds
    train, test = seconds < 0.6 * end, seconds >= 0.7 * end
    print(f"  record 106: {train.sum()} beats to train on, {(y[train] == 'V').sum()} of them ventricular; {test.sum()} "
          f"to test, {(y[test] == 'V').sum()} ventricular")  # fmt: skip
    task = "record 106, its last 30 %, ventricular F1"
    linear = LogisticRegression(max_iter=2000, class_weight="balanced").fit(X[train], y[train])
    lines = [
        row(task, "all called ventricular", f"{f1(y[test], np.full(test.sum(), 'V')):.3f}"),
        row(task, "logistic regression", f"{f1(y[test], linear.predict(X[test])):.3f}"),
    ]
    models = [GRUClassifier(**BEATS, random_state=seed).fit(X[train], y[train]) for seed in SEEDS]
    scores = [f1(y[test], model.predict(X[test])) for model in models]
    lines.append(row(task, "GRU, seed by seed", ", ".join(f"{score:.3f}" for score in scores)))
    verdict("record 106: mean F1 of the ventricular class, 5 seeds", float(np.mean(scores)), 0.97, unit="")
    return lines + [line for record in (100, 103) for line in across_rows(record, linear, models)]


def across_rows(record: int, linear: LogisticRegression, models: list[GRUClassifier]) -> list[str]:
    """What the models of record 106 say of another record, from another heart."""
    X, y, _ = beats(record)
    lines = []
    for name, several in {"logistic regression": [linear], "GRU, seed by seed": models}.items():
        said = [model.predict(X) for model in several]
        rightly = ", ".join(f"{((s == 'V') & (y == 'V')).sum()} of {(s == 'V').sum()}" for s in said)
        scores = ", ".join(f"{f1(y, s):.3f}" for s in said)
        task = f"from record 106 to {record} ({(y == 'V').sum()} of {len(y)} beats ventricular), F1"
        lines.append(row(task, name, f"{scores}; called so rightly: {rightly}"))
    return lines


def f1(y: np.ndarray, said: np.ndarray) -> float:
    return float(f1_score(y, said, pos_label="V", zero_division=0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--choose", action="store_true", help="cross-validate the settings of ECG200 first")
    if not DATA.is_dir():
        sys.exit("The data are not here: ../shared/data beside the project. Nothing was measured.")
    parser.add_argument("--write", action="store_true", help="put the table into docs/architectures.md")
    options = parser.parse_args()
    if options.choose:
        print("ECG200, accuracy by cross-validation of the training half:")
        show_choice()
    lines = ecg200_rows() + beat_rows()
    if options.write:
        put("architectures", "ecg", lines)


if __name__ == "__main__":
    main()
