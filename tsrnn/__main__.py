"""The command line: ``tsrnn demo energy``, ``stock`` or ``ecg``, also ``python -m tsrnn demo energy``."""

import argparse
import contextlib
import importlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

JOBS = {
    "energy": "tomorrow's electricity demand, half-hour by half-hour",
    "stock": "tomorrow's volatility and price of a stock index",
    "ecg": "an electrocardiogram 250 ms ahead, and the beats that no forecast expects",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the job that `arguments` name; return the exit status."""
    parser = argparse.ArgumentParser(prog="tsrnn", description="Recurrent networks for time series.")
    commands = parser.add_subparsers(required=True, metavar="command")
    demo = commands.add_parser("demo", help="a whole job on real data: search, forecast, table, picture")
    demo.add_argument("job", choices=list(JOBS), help="; ".join(f"{job}: {words}" for job, words in JOBS.items()))
    demo.add_argument("--output", type=Path, default=None, help="folder for the files (default: demo-JOB)")
    chosen = parser.parse_args(arguments)
    with quiet():
        from tsrnn import programs  # noqa: F401 - TensorFlow's start-up notes come with this import

        job = importlib.import_module(f"tsrnn._demo_{chosen.job}")
    job.run(chosen.output or Path(f"demo-{chosen.job}"))
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
