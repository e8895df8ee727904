"""All benchmarks, one after the other: ``python -m benchmarks``."""

import subprocess
import sys

FAST = ["latency", "memory", "loading", "leaks", "fit", "search", "streams", "origins"]
LONG = ["architectures", "tasks", "ecg", "accuracy", "intervals"]

for name in FAST + LONG:
    print(f"\n== {name}", flush=True)
    subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)
