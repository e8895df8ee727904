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
        if path.stem != "test_rows" and any(words in text for words in ("mark.fault", "mark.bad_input", "rows(")):
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


@pytest.mark.parametrize("numprocesses", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_a_row_that_is_missing_or_fails_fails_the_run(tmp_path, numprocesses):
    (tmp_path / "test_examples.py").write_text(EXAMPLES, encoding="utf-8")
    (tmp_path / "conftest.py").write_text(
        "from rows import Report\ndef pytest_configure(config): config.pluginmanager.register(Report())\n"
        "def pytest_addoption(parser): parser.addini('markers_', '')\n",
        encoding="utf-8",
    )
    (tmp_path / "pytest.ini").write_text(f"[pytest]\npythonpath = {TESTS}\nmarkers =\n fault\n bad_input\n")
    command = [sys.executable, "-m", "pytest", "-q", f"--numprocesses={numprocesses}", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    lines = done.stdout.splitlines()
    assert done.returncode == 1
    assert "bad input: 65 of 70 rows covered" in lines
    assert "faults: 1 of 20 rows covered" in lines
    assert "68 cases, 2 failures" in lines
    assert {"faults F2: a test fails", "faults F4: no test that passes", "bad input 5: a test fails"} <= set(lines)
    assert "faults F1: a test fails" not in lines


def test_a_run_that_only_misses_a_row_fails(tmp_path):
    (tmp_path / "test_one.py").write_text("import pytest\n@pytest.mark.fault('F1')\ndef test_one(): pass\n")
    command = [sys.executable, "-m", "pytest", "-q", "--rows", "--rootdir", str(TESTS.parent), str(tmp_path)]
    command += ["-c", str(TESTS.parent / "pyproject.toml"), "--confcutdir", str(TESTS.parent), "-p", "conftest"]
    env = {"PYTHONPATH": f"{TESTS}:{TESTS.parent}", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=TESTS.parent, env=env)
    assert "1 passed" in done.stdout
    assert done.returncode == 1
