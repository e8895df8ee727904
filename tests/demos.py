"""How the tests of the command line run a demo."""

import contextlib
import io
import struct
from pathlib import Path
from typing import NamedTuple

from tsrnn.__main__ import main


class Run(NamedTuple):
    status: int
    folder: Path
    here: Path
    printed: str
    progress: str


def run_demo(job, folder, here, monkeypatch):
    """Run a demo in the folder `here` and return what it left and said."""
    monkeypatch.chdir(here)
    printed, progress = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(progress):
        status = main(["demo", job, "--output", str(folder)])
    return Run(status, folder, here, printed.getvalue(), progress.getvalue())


def assert_is_picture(path):
    content = path.read_bytes()
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", content[16:24]) == (1210, 770)
    assert content[-8:-4] == b"IEND"
