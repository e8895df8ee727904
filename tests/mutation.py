"""The mutation score of windows, splits and saved files: `make mutation`, or `python tests/mutation.py splits`.

mutmut breaks one expression at a time and runs the tests that call the function it stands in; a mutant that no test
notices has survived. Each group is run in a copy of the checkout, so that no mutant ever lies beside the code, and
with the quick tests of its own modules alone: what only another module's tests would notice counts as missed.

What is mutated: every function and method of the modules named below, texts included. What mutmut leaves out:
module-level tables, decorated functions (here the properties of `Windows`), annotations, f-strings' own words, and the
arguments of `len` and `isinstance`.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import hypothesis
import pytest
from hypothesis import Phase

ROOT = Path(__file__).parents[1]
WORK = ROOT / "build" / "mutation"
# mutmut counts 255, the end of a worker that could not run its tests at all, among the timeouts.
STATUS = {0: "survived", 1: "killed", 3: "killed", 5: "no tests", 33: "no tests", -24: "timeout", 24: "timeout"}
BAR = 0.9
COPIED = ["tsrnn", "tests", "datasets", "docs", "README.md", "CHANGELOG.md", "pyproject.toml"]

GROUPS = {
    "windows": {
        "mutants": [
            "tsrnn.windows.*",
            "tsrnn.transformers.xǁWindowTransformerǁ*",
            "tsrnn.transformers.x__regular_end*",
        ],
        "modules": ["windows", "transformers"],
        "tests": ["windows", "windows_written_out", "transformers"],
    },
    "splits": {
        "mutants": ["tsrnn.*"],
        "modules": ["model_selection", "_spans"],
        "tests": ["model_selection", "spans", "panel_splits", "splits_written_out"],
    },
    "persistence": {
        "mutants": [
            "tsrnn.persistence.*",
            "tsrnn._zip_file.*",
            "tsrnn._tree.*",
            "tsrnn._rows.*",
            "tsrnn._stacks.*",
            "tsrnn._index_nodes.*",
            "tsrnn._weight_shapes.*",
            "tsrnn._saved_series.*",
            # The rest of these three makes tables when it is imported, which is before a mutant is chosen.
            "tsrnn._node_kinds.x_[!_]*",
            "tsrnn._node_kinds.x__is_*",
            "tsrnn._node_kinds.x__all_fit*",
            "tsrnn._saved_classes.x__is_*",
            "tsrnn._saved_networks.x__check*",
            "tsrnn._saved_networks.x__are_weights__*",
            "tsrnn._saved_networks.x__plain__*",
            "tsrnn._saved_networks.x__shape_of__*",
        ],
        "modules": [
            "persistence", "_zip_file", "_tree", "_rows", "_stacks", "_index_nodes", "_node_kinds", "_weight_shapes",
            "_saved_classes", "_saved_networks", "_saved_series",
        ],
        "tests": [
            "persistence", "zip_file", "zip_file_layout", "tree", "rows", "rows_written_out", "stacks", "index_nodes",
            "index_nodes_written_out", "node_kinds", "shapes_written_out", "saved_classes", "saved_networks",
            "saved_series", "manifest", "nodes",
        ],
    },
}  # fmt: skip
# They read the sources, count the calls above them, start other processes, or take thousands of files or series.
LEFT_OUT = ["dangerous", "runs_imports", "its_writer_is_killed", "two_writers", "warns_once"]
LEFT_OUT += ["every_c", "any_amount", "little_memory", "10_000"]
SETTINGS = """
[tool.mutmut]
source_paths = ["tsrnn"]
only_mutate = {modules}
also_copy = ["datasets", "docs", "README.md", "CHANGELOG.md"]
pytest_add_cli_args_test_selection = {tests}
pytest_add_cli_args = [
    "-m", "not slow", "-k", "{left_out}", "-p", "mutation", "--hypothesis-profile=mutation", "--tb=no",
    # They take longer than most tests: the first one collects garbage.
    "-p", "no:unraisableexception", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:pytest_cov",
]
# Nothing that runs tests is forked from.
process_isolation = "forkserver"
timeout_constant = 2.0
timeout_multiplier = 4.0
use_git_change_detection = false
"""


# From here on it is a plugin of pytest, for the tests of mutants: few examples, the same for every mutant, and none
# made smaller, which takes longer than to find it; the quickest tests first; what would start TensorFlow is skipped.
MOST_EXAMPLES = 40


class FewExamples(hypothesis.settings):
    def __init__(self, parent=None, **values):
        super().__init__(parent, **values | {"max_examples": min(values.get("max_examples", 100), MOST_EXAMPLES)})


FewExamples.register_profile(
    "mutation", phases=[Phase.explicit, Phase.generate], derandomize=True, database=None, max_examples=MOST_EXAMPLES
)


class NoEngine:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in ("keras", "tensorflow"):
            pytest.skip("TensorFlow takes seconds to start, in each process anew.")


def pytest_configure():
    hypothesis.settings = FewExamples
    if not any(isinstance(finder, NoEngine) for finder in sys.meta_path):
        sys.meta_path.insert(0, NoEngine())


def pytest_collection_modifyitems(items):
    with contextlib.suppress(FileNotFoundError):
        seconds = json.loads(Path("mutmut-stats.json").read_text())["duration_by_test"]
        items.sort(key=lambda item: seconds.get(item.nodeid, 0))


def set_up(group):
    """Return the folder of a group: a copy of the checkout with the settings of the group."""
    folder = WORK / group
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in COPIED:
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy2
        copy(source, folder / name)
    modules = [f"tsrnn/{name}.py" for name in GROUPS[group]["modules"]]
    tests = [f"tests/test_{name}.py" for name in GROUPS[group]["tests"]]
    with (folder / "pyproject.toml").open("a") as file:
        file.write(
            SETTINGS.format(
                modules=json.dumps(modules),
                tests=json.dumps(tests),
                left_out=" and ".join(f"not {words}" for words in LEFT_OUT),
            )
        )
    return folder


def run(group, children):
    """Let mutmut test the mutants of a group."""
    folder = set_up(group)
    # The order of a set of tests hangs on the hashes of their names.
    environment = os.environ | {"PYTHONHASHSEED": "0", "PYTHONPATH": str(folder / "tests")}
    command = [sys.executable, "-m", "mutmut", "run", f"--max-children={children}", *GROUPS[group]["mutants"]]
    with (folder / "log.txt").open("w") as log:
        subprocess.run(command, cwd=folder, env=environment, stdout=log, stderr=log, check=True)


def results(group):
    """Return the status of each mutant of a group, by its name."""
    found = {}
    for path in sorted((WORK / group / "mutants").rglob("*.meta")):
        codes = json.loads(path.read_text())["exit_code_by_key"]
        found |= {name: STATUS.get(code, f"exit code {code}") for name, code in codes.items() if code is not None}
    return found


def report(group):
    """Print what became of the mutants of a group, and return whether the bar is reached."""
    found = results(group)
    counts = Counter(found.values())
    caught = counts["killed"] + counts["timeout"]
    score = caught / max(len(found), 1)
    missed = len(found) - caught
    print(
        f"{group}: {counts['killed']} killed, {counts['timeout']} timed out, {missed} missed of {len(found)}: "
        f"{score:.1%}"
    )
    for name, status in found.items():
        if status not in ("killed", "timeout"):
            print(f"    {status}: {name}")
    return score >= BAR


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("groups", nargs="*", metavar="group", help=f"of {', '.join(GROUPS)}; none: all")
    parser.add_argument("--children", type=int, default=2, help="mutants tested at a time")
    parser.add_argument("--report", action="store_true", help="only print the last results")
    arguments = parser.parse_args()
    groups = arguments.groups or list(GROUPS)
    if not arguments.report:
        for group in groups:
            run(group, arguments.children)
    sys.exit(len(groups) > sum(report(group) for group in groups))


if __name__ == "__main__":
    main()
