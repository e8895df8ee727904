"""How often intervals hold that say 80 and 95 %: on test rows that neither the fit nor the calibration has seen.

    python -m benchmarks.intervals [task ...] [--write]

A network of each task is fitted once, and its intervals, calibrated on the rows of the fit, are made from every origin
of the protocol in `benchmarks.accuracy_tasks`. Needs the data beside the project. ``--write`` puts the rows of all
tasks into docs/benchmarks.md.
"""

import itertools
import sys

import numpy as np

from benchmarks.accuracy_tasks import DATA, TASKS, TEST, TRAIN, VALIDATION, days_of
from benchmarks.jobs import put, verdict
from tsrnn import (
    WalkForwardSplit,
    fetch_ett,
    fetch_pjm,
    fetch_victoria_electricity,
    interval_coverage,
    interval_score,
)


def etth1() -> tuple[tuple, object]:
    table = fetch_ett("ETTh1", data_home=DATA).iloc[:TEST]
    scaled = (table - table.iloc[:TRAIN].mean()) / table.iloc[:TRAIN].std(ddof=0)
    return (scaled,), WalkForwardSplit(TEST - VALIDATION - 96 + 1, test_size=96, stride=1)


def victoria() -> tuple[tuple, object]:
    table = fetch_victoria_electricity(data_home=DATA)
    X = days_of(table.index).assign(holiday=table["holiday"].astype(float))
    return (X, table["demand"]), WalkForwardSplit(365, test_size=48, stride="1D")


def aep() -> tuple[tuple, object]:
    load = fetch_pjm("AEP", data_home=DATA)["2013-01-01":"2018-08-01"]
    return (days_of(load.index, ("US", "OH")), load), WalkForwardSplit(578, test_size=24)


SERIES = {"etth1-96": etth1, "victoria": victoria, "aep": aep}


def main() -> None:
    if not DATA.is_dir():
        sys.exit("The data are not here: ../shared/data beside the project. Nothing was measured.")
    rows = []
    for name in [word for word in sys.argv[1:] if word != "--write"] or SERIES:
        known, cv = SERIES[name]()
        network, *_ = TASKS[name]("test").networks.values()
        folds = list(cv.split(known[-1]))
        origins, n_steps = [train[-1] for train, _ in folds], len(folds[0][1])
        model = network(0).fit(*(rows.iloc[: origins[0] + 1] for rows in known))
        truth = np.stack([known[-1].to_numpy().reshape(len(known[-1]), -1)[test] for _, test in folds])
        forecasts = model.predict_origins(*known, origins=origins)
        for coverage, method in itertools.product((0.8, 0.95), ("conformal", "adaptive")):
            # What `backtest(refit=False, coverage=...)` does, with one fit for all.
            if method == "adaptive":
                bounds = model._walked(None, forecasts, truth, np.array(origins), coverage)
            else:
                bounds = model._calibrated(None, n_steps, coverage, method)(forecasts)
            three = [part.ravel() for part in (truth, bounds[..., 0], bounds[..., 1])]
            inside, score = interval_coverage(*three), interval_score(*three, coverage=coverage)
            width = np.ptp(bounds, axis=-1).mean()
            rows.append(f"| {name} | {method} | {coverage:.0%} | {inside:.1%} | {width:.4g} | {score:.4g} |")
            print(f"{name} {coverage:.0%}, {method}: mean width {width:.4g}, interval score {score:.4g}")
            off = 100 * abs(inside - coverage)
            verdict(f"{name}, {method}: {inside:.1%} held", off, 2, at_least=False, unit="points off")
    if "--write" in sys.argv:
        put("benchmarks", "intervals", rows)


if __name__ == "__main__":
    main()
