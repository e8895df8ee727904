"""Load changed files by the million: `make fuzz`, or `python tests/fuzz.py --count 100000 --jobs 2 --seed 1`.

Whatever stands in a file, `load` raises `ModelFileError` or returns an estimator whose numbers are what they may be. It
imports, opens and runs nothing, warns of versions alone, and takes neither long nor much memory. Input i of a seed is
always the same; what breaks a rule is written into a folder, and `--only i` makes it again.
"""

import argparse
import contextlib
import importlib
import io
import random
import resource
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
import zoneinfo
from collections import Counter
from pathlib import Path

import numpy as np
from mutations import Base, changed
from saved import GOLDEN, MONTHS, SERIES, VALUES, forecaster
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from tsrnn import (
    CalendarFeatures,
    Differencer,
    ForecastAnomalyDetector,
    ModelFileError,
    NaiveForecaster,
    SeasonalNaiveForecaster,
    save,
)
from tsrnn.persistence import load_from

SECONDS = 10
"""The longest that one file may take."""

MEMORY = 2**30
"""Bytes that all files may take beyond what the process has at the start."""

FORBIDDEN = (
    "import", "open", "exec", "compile", "code.", "marshal", "pickle", "subprocess", "os.", "pty", "socket", "urllib",
    "http", "ftplib", "ctypes", "shutil", "tempfile", "glob", "webbrowser", "sqlite3", "mmap", "builtins.input",
    "cpython.run", "sys.add", "sys.set", "setopencodehook", "gc.", "signal",
)  # fmt: skip
"""The beginnings of the events that Python's audit tells of and that loading has no part in."""

LOGARITHM = FunctionTransformer(np.log1p, np.expm1)
SMALL = {f"s{number}": SERIES[: 9 + number] for number in range(5)}
BASES = {
    "naive": lambda: NaiveForecaster().fit(VALUES[:5]),
    "stamps": lambda: SeasonalNaiveForecaster(2).fit(SERIES[:6]),
    "periods": lambda: NaiveForecaster().fit(MONTHS[:5]),
    "rows": lambda: NaiveForecaster().fit(SMALL),
    "panel": lambda: forecaster(Ridge(), lookback=2, target_transformer=LOGARITHM).fit(SMALL),
    "linear": lambda: make_pipeline(StandardScaler(), Ridge()).fit(VALUES[:20].reshape(5, 4), VALUES[:5]),
    "forecaster": lambda: forecaster(Ridge(), lookback=2, anchor="linear").fit(SERIES[:12]),
    "calendar": lambda: CalendarFeatures(holidays="GB").fit(SERIES[:5].to_frame()),
    "detector": lambda: ForecastAnomalyDetector(SeasonalNaiveForecaster(2), false_alarm_rate=0.2).fit(SERIES[:40]),
    "differences": lambda: Differencer(2).fit(SERIES[:5].to_frame()),
}
GOLDEN_BASES = ["1-network", "1-classifier"]
WEIGHTS = [6, 5, 3, 6, 2, 3, 2, 2, 2, 3, 1, 1]
"""How often each base is changed: mostly those that are quick to load."""


class BreachError(Exception):
    """What must not happen while a file is loaded; the argument tells what did."""


class SlowError(BaseException):
    """A file takes too long; nothing that catches exceptions may stop it."""


class Watch:
    """The audit hook: once added it stays, so that it can be switched on and off."""

    def __init__(self) -> None:
        self.on = False
        self.seen: list[str] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple) -> None:
        if self.on and event.startswith(FORBIDDEN) and not is_of_zones(event, arguments):
            self.seen.append(f"{event} {arguments!r:.200}")


def is_of_zones(event: str, arguments: tuple) -> bool:
    """Whether an event is the reading of the database of time zones, which a file may name one of."""
    what = str(arguments[0]) if arguments else ""
    if event == "import":
        return what.startswith("tzdata") or "tzdata" in str(arguments[1])
    return event in ("open", "exec", "marshal.loads", "os.listdir", "os.scandir") and (
        "zoneinfo" in what or "tzdata" in what
    )


def bases() -> list[Base]:
    """Return the files to be changed, in the order of `WEIGHTS`."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        for make in BASES.values():
            path = Path(folder) / "model.tsrnn"
            save(make(), path)
            found.append(Base(path))
    return found + [Base(GOLDEN / f"{name}.tsrnn") for name in GOLDEN_BASES]


def try_one(content: bytes, watch: Watch, predicts: bool) -> str:
    """Load one file and return what came of it; raise for what must not."""
    watch.seen.clear()
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            watch.on = True
            estimator = load_from(io.BytesIO(content), "fuzz", 2**31)
    except ModelFileError:
        return "refused"
    finally:
        watch.on = False
        if watch.seen:
            raise BreachError(f"while loading: {watch.seen}")
    others = [str(each.message) for each in warned if not str(each.message).startswith("load: the file was written")]
    if others:
        raise BreachError(f"it warns: {others[0]}")
    check_numbers(estimator, set())
    return ask(estimator) if predicts else "loaded"


def check_numbers(value, seen: set[int]) -> None:
    """Raise for an array that holds infinity, or what is no flag; go through all that an estimator is made of."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "f" and np.isinf(value).any():
            raise BreachError("an array holds infinity")
        if value.dtype.kind == "b" and value.view(np.uint8).max(initial=0) > 1:
            raise BreachError("an array holds flags that are neither 0 nor 1")
        return
    if id(value) in seen:
        return
    seen.add(id(value))
    parts = value if isinstance(value, list | tuple) else value.values() if isinstance(value, dict) else ()
    for part in parts:
        check_numbers(part, seen)
    if type(value).__module__.startswith(("tsrnn", "sklearn")) and hasattr(value, "__dict__"):
        check_numbers(vars(value), seen)


QUESTIONS = {
    "Pipeline": lambda pipeline: pipeline.predict(VALUES[:8].reshape(2, 4)),
    "Differencer": lambda differencer: differencer.transform(SERIES[:5].to_frame()),
    "ForecastAnomalyDetector": lambda detector: detector.predict(SERIES[-3:]),
}


def ask(estimator) -> str:
    """Let an estimator answer; a file may hold numbers that no forecast can be made of, which an error must say."""
    question = QUESTIONS.get(type(estimator).__name__)
    if question is None and not hasattr(estimator, "_tracks"):
        return "loaded"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            estimator.predict() if question is None else question(estimator)
    except (ValueError, TypeError, MemoryError) as error:
        return f"asked: {type(error).__name__}"
    return "asked: answered"


def stop(*_) -> None:
    raise SlowError


def limit_memory() -> None:
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, resource.RLIM_INFINITY))


def run(numbers, seed: int, folder: Path) -> Counter:
    """Try the inputs of these numbers; print what broke a rule and keep it in `folder`."""
    made, watch, found = bases(), Watch(), Counter()
    for base in made:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ask(load_from(io.BytesIO(base.content), "base", 2**31))  # what libraries import late
    for package in {name.rpartition("/")[0] for name in zoneinfo.available_timezones()}:
        with contextlib.suppress(ImportError):
            importlib.import_module(".".join(["tzdata.zoneinfo", *filter(None, package.split("/"))]))
    limit_memory()
    signal.signal(signal.SIGALRM, stop)
    for number in numbers:
        chance = random.Random(seed * 2**40 + number)
        how, content = changed(chance, made, WEIGHTS)
        try:
            signal.setitimer(signal.ITIMER_REAL, SECONDS)
            result = try_one(content, watch, predicts=chance.random() < 0.3)
        except (Exception, SlowError) as error:  # noqa: BLE001 - any is a find
            result = "FOUND"
            (folder / f"{seed}-{number}.tsrnn").write_bytes(content)
            where = traceback.extract_tb(error.__traceback__)[-1]
            told = f"{type(error).__name__}: {error!s:.300} ({Path(where.filename).name}:{where.lineno})"
            print(f"{seed}-{number} {how}: {told}", flush=True)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        found[how, result] += 1
    return found


def report(found: Counter, seconds: float) -> None:
    for how in sorted({how for how, _ in found}):
        results = {result: count for (each, result), count in sorted(found.items()) if each == how}
        print(f"{how:18} {sum(results.values()):9,}  {', '.join(f'{name} {n:,}' for name, n in results.items())}")
    total, bad = found.total(), sum(count for (_, result), count in found.items() if result == "FOUND")
    print(f"{total:,} files in {seconds:,.0f} s: {bad} broke a rule", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="the number of the first input")
    parser.add_argument("--only", type=int, help="try one input alone")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "tsrnn-fuzz")
    told = parser.parse_args()
    told.folder.mkdir(exist_ok=True)
    began = time.perf_counter()
    if told.jobs == 1:
        numbers = range(told.first, told.first + told.count) if told.only is None else [told.only]
        found = run(numbers, told.seed, told.folder)
        report(found, time.perf_counter() - began)
        return int(any(result == "FOUND" for _, result in found))
    share = -(-told.count // told.jobs)
    command = [sys.executable, __file__, "--seed", str(told.seed), "--folder", str(told.folder)]
    workers = [
        subprocess.Popen([*command, "--first", str(first), "--count", str(min(share, told.count - first))])
        for first in range(0, told.count, share)
    ]
    return max(worker.wait() for worker in workers)


if __name__ == "__main__":
    sys.exit(main())
