"""All benchmarks, one after the other: ``python -m benchmarks``."""

import subprocess
import sys

for name in [
    "latency",
    "memory",
    "fit",
    "search",
    "streams",
    "origins",
    "architectures",
    "tasks",
    "ecg",
    "accuracy",
    "intervals",
]:
    print(f"\n== {name}", flush=True)
    subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)
