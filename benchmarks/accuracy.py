"""Public forecasting tasks with their published protocols: naive rules, ridge, published rows and the networks.

    python -m benchmarks.accuracy [task ...] [--seeds 3] [--write]
    python -m benchmarks.accuracy [task ...] --validate

The data lie beside the project, in ``../shared/data``; without them this says so and ends. Scalers and choices see
training and validation rows alone; the test rows are scored once for each seed. ``--write`` puts the rows into
docs/benchmarks.md. ``--validate`` scores, in the validation rows, what the network of each task was chosen from.
"""

import argparse
import sys
import time

import numpy as np

from benchmarks.accuracy_tasks import DATA, TASKS, Scores
from benchmarks.jobs import put


def told(scores: Scores) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in scores.items())


def rows_of(name: str, seeds: range) -> list[str]:
    """Run a task; print and return its rows."""
    task, lines = TASKS[name]("test"), []

    def row(model: str, text: str, seconds: float | None = None) -> None:
        spent = "" if seconds is None else f"{seconds:.0f}"
        print(f"  {name:22} {model:26} {text:44} {spent:>5}{' s' if spent else ''}", flush=True)
        lines.append(f"| {model} | {text} | {spent} |")

    for model, scores in task.published.items():
        row(f"{model}", told(scores))
    for model, rule in task.rules.items():
        began = time.perf_counter()
        row(model, told(task.score(rule)), time.perf_counter() - began)
    network, *_ = task.networks.values()
    found, began = [], time.perf_counter()
    for seed in seeds:
        found.append(task.score(network(seed)))
        print(f"    seed {seed}: {told(found[-1])}", flush=True)
    seconds = (time.perf_counter() - began) / len(found)
    mean = {score: float(np.mean([one[score] for one in found])) for score in found[0]}
    worst = {score: max(one[score] for one in found) for score in task.bars}
    row("**network**, mean", told(mean), seconds)
    row("network, worst of " + str(len(found)), told(worst))
    for score, (must, goal) in task.bars.items():
        verdict = "goal met" if mean[score] <= goal else "met" if mean[score] <= must else "MISSED"
        print(f"  {name}: {score} {mean[score]:.4f}   must {must:g}, goal {goal:g}   {verdict}", flush=True)
    return lines


def validate(name: str) -> None:
    """Print the scores, in the validation rows, of the rules and of the networks that were tried."""
    task = TASKS[name]("validation")
    for model, forecaster in {**task.rules, **{name: make(0) for name, make in task.networks.items()}}.items():
        began = time.perf_counter()
        text = told(task.score(forecaster))
        print(f"  {name:22} {model:40} {text:36} {time.perf_counter() - began:5.0f} s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", help=f"{', '.join(TASKS)}; all of them by default")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="put the rows into docs/benchmarks.md")
    parser.add_argument(
        "--validate", action="store_true", help="score what the networks were chosen from, not the test"
    )
    options = parser.parse_args()
    if not DATA.is_dir():
        sys.exit("The data are not here: ../shared/data beside the project. Nothing was measured.")
    for name in options.tasks or TASKS:
        if options.validate:
            validate(name)
            continue
        lines = rows_of(name, range(options.seeds))
        if options.write:
            put("benchmarks", name, lines)


if __name__ == "__main__":
    main()
