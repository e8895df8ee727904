"""The command line: ``tsrnn demo energy``, also ``python -m tsrnn demo energy``."""

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the job that `arguments` name; return the exit status."""
    parser = argparse.ArgumentParser(prog="tsrnn", description="Recurrent networks for time series.")
    commands = parser.add_subparsers(required=True, metavar="command")
    demo = commands.add_parser("demo", help="a whole job on real data: search, forecast, table, picture")
    demo.add_argument("job", choices=["energy"], help="energy: tomorrow's electricity demand, half-hour by half-hour")
    demo.add_argument("--output", type=Path, default=None, help="folder for the files (default: demo-JOB)")
    chosen = parser.parse_args(arguments)
    with quiet():
        from tsrnn import _demos, programs  # noqa: F401 - TensorFlow's start-up notes come with this import

    getattr(_demos, chosen.job)(chosen.output or Path(f"demo-{chosen.job}"))
    return 0


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep what compiled libraries write to this process's standard error out of sight."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


if __name__ == "__main__":
    sys.exit(main())
