"""Every row of the two tables of what can go wrong has a test, and a run that leaves one out is seen."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from rows import TABLES, missing

TESTS = Path(__file__).parent


def marks_of(value):
    """The markers of a test function or a module, those of its parameters as well."""
    own = getattr(value, "pytestmark", [])
    for mark in own if isinstance(own, list) else [own]:
        yield mark
        if mark.name == "parametrize":
            yield from (each for values in mark.args[1] for each in getattr(values, "marks", ()))


def rows_in(module):
    values = [module, *(value for name, value in vars(module).items() if name.startswith("test_"))]
    return [
        (mark.name, row) for value in values for mark in marks_of(value) if mark.name in TABLES for row in mark.args
    ]


def test_every_row_has_a_test_and_every_test_a_row():
    found = []
    for path in sorted(TESTS.glob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if path.stem != "test_every_row" and any(words in text for words in ("mark.fault", "mark.bad_input", "rows(")):
            found += rows_in(importlib.import_module(path.stem))
    assert missing(found) == ([], [])


EXAMPLES = """
import pytest

@pytest.mark.fault("F1")
def test_passes(): pass

@pytest.mark.fault("F2", "F3")
def test_fails(): assert 0

@pytest.mark.fault("F4")
def test_is_skipped(): pytest.skip()

@pytest.fixture
def broken(): assert 0

@pytest.mark.bad_input(5)
def test_ends_in_a_fixture(broken): pass

@pytest.mark.parametrize("row", [pytest.param(row, marks=pytest.mark.bad_input(row)) for row in range(6, 71)])
def test_rows(row): pass

def test_without_a_row(): assert 0
"""


def run(folder, content, numprocesses=0):
    (folder / "test_examples.py").write_text(content, encoding="utf-8")
    plugin = "from rows import Report\ndef pytest_configure(config): config.pluginmanager.register(Report())\n"
    (folder / "conftest.py").write_text(plugin, encoding="utf-8")
    (folder / "pytest.ini").write_text(f"[pytest]\npythonpath = {TESTS}\nmarkers =\n fault\n bad_input\n")
    command = [sys.executable, "-m", "pytest", "-q", f"--numprocesses={numprocesses}", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


@pytest.mark.parametrize("numprocesses", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_a_row_that_is_missing_or_fails_is_told(tmp_path, numprocesses):
    done = run(tmp_path, EXAMPLES, numprocesses)
    lines = done.stdout.splitlines()
    assert done.returncode == 1
    assert "bad input: 65 of 70 rows covered" in lines
    assert "faults: 1 of 20 rows covered" in lines
    assert "68 cases, 2 failures" in lines
    assert {"faults F2: a test fails", "faults F4: no test that passes", "bad input 5: a test fails"} <= set(lines)
    assert "faults F1: a test fails" not in lines
    assert "  F1  killed while it saves                       1 passed" in lines
    assert "  F4  Ctrl-C                                      1 skipped" in lines
    assert "  70  processes and threads                       1 passed" in lines


@pytest.mark.parametrize(("n_faults", "ends"), [(20, 0), (19, 1), (21, 1)])
def test_a_run_fails_where_a_row_is_missing_or_unknown(tmp_path, n_faults, ends):
    rows = [*range(1, 71), *(f"F{number}" for number in range(1, n_faults + 1))]
    tests = [
        f"@pytest.mark.{'fault' if isinstance(row, str) else 'bad_input'}({row!r})\ndef test_{row}(): pass\n"
        for row in rows
    ]
    done = run(tmp_path, "import pytest\n" + "".join(tests))
    assert f"{70 + n_faults} passed" in done.stdout
    assert done.returncode == ends
