"""The fuzzer runs, is the same each time, and finds nothing in a few hundred files; `make fuzz` tries a million."""

import subprocess
import sys
from pathlib import Path

import pytest

FUZZER = Path(__file__).parent / "fuzz.py"


@pytest.mark.slow
def test_a_few_hundred_changed_files_break_no_rule(tmp_path):
    command = [sys.executable, str(FUZZER), "--count", "600", "--folder", str(tmp_path / "found")]
    runs = [subprocess.run(command, capture_output=True, text=True, check=False) for _ in range(2)]
    assert runs[0].returncode == 0, runs[0].stdout
    assert "600 files in" in runs[0].stdout
    assert ": 0 broke a rule" in runs[0].stdout
    # The last line tells the seconds.
    assert runs[0].stdout.splitlines()[:-1] == runs[1].stdout.splitlines()[:-1]
    assert list((tmp_path / "found").iterdir()) == []
