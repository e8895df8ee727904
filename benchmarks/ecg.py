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

from benchmarks.jobs import verdict
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


def show_ecg200() -> None:
    (X, y), (X_test, y_test) = ecg200("TRAIN"), ecg200("TEST")
    for name, model in {"1 nearest neighbour": KNeighborsClassifier(1), "logistic": LogisticRegression()}.items():
        print(f"  {name:30} {model.fit(X, y).score(X_test, y_test):.3f}")
    scores, began = [], time.perf_counter()
    for seed in SEEDS:
        scores.append(GRUClassifier(**ECG200, random_state=seed).fit(X, y).score(X_test, y_test))
    seconds = (time.perf_counter() - began) / len(scores)
    print(f"  {'network, each seed':30} {', '.join(f'{s:.2f}' for s in scores)}   {seconds:.1f} s a seed")
    verdict("ECG200: mean accuracy of 5 seeds", float(np.mean(scores)), 0.88, unit="")


def show_beats() -> None:
    X, y, seconds = beats(106)
    end = 1805.6  # of the record, in seconds
    train, test = seconds < 0.6 * end, seconds >= 0.7 * end
    print(f"  record 106: {train.sum()} beats to train on, {(y[train] == 'V').sum()} of them ventricular; {test.sum()} "
          f"to test, {(y[test] == 'V').sum()} ventricular")  # fmt: skip
    naive = f1_score(y[test], np.full(test.sum(), "V"), pos_label="V")
    print(f"  {'all called ventricular: F1':30} {naive:.3f}")
    linear = LogisticRegression(max_iter=2000, class_weight="balanced").fit(X[train], y[train])
    print(f"  {'logistic: F1':30} {f1_score(y[test], linear.predict(X[test]), pos_label='V'):.3f}")
    scores = []
    for seed in SEEDS:
        model = GRUClassifier(**BEATS, random_state=seed).fit(X[train], y[train])
        scores.append(f1_score(y[test], model.predict(X[test]), pos_label="V"))
    print(f"  {'network, each seed: F1':30} {', '.join(f'{s:.3f}' for s in scores)}")
    verdict("record 106: mean F1 of the ventricular class, 5 seeds", float(np.mean(scores)), 0.97, unit="")
    for record in (100, 103):
        X_other, y_other, _ = beats(record)
        said = model.predict(X_other)
        print(
            f"  across, record {record}: {(y_other == 'V').sum()} of {len(y_other)} beats are ventricular; "
            f"{(said == 'V').sum()} called so, {((said == 'V') & (y_other == 'V')).sum()} of them rightly"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--choose", action="store_true", help="cross-validate the settings of ECG200 first")
    if not DATA.is_dir():
        sys.exit("The data are not here: ../shared/data beside the project. Nothing was measured.")
    if parser.parse_args().choose:
        print("ECG200, accuracy by cross-validation of the training half:")
        show_choice()
    print("ECG200:")
    show_ecg200()
    print("MIT-BIH beats:")
    show_beats()


if __name__ == "__main__":
    main()
