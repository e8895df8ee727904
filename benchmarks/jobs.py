"""The work that the benchmarks share, and peers written by hand as somebody would write them today."""

import gc
import statistics
import time
from pathlib import Path

import numpy as np

from tsrnn import make_windows


def series(n_steps: int) -> np.ndarray:
    """An hourly series with a day, a week and noise."""
    t = np.arange(n_steps)
    noise = np.random.default_rng(0).normal(0, 0.5, n_steps)
    return (10 + 3 * np.sin(2 * np.pi * t / 24) + 1.5 * np.sin(2 * np.pi * t / 168) + noise).astype(np.float32)


def standardised(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / values.std()


def materialised(values: np.ndarray, lookback: int, horizon: int) -> tuple[np.ndarray, np.ndarray]:
    """All windows as one array, and their targets."""
    windows, targets = make_windows(values, lookback=lookback, horizon=horizon)
    return np.asarray(windows), np.ascontiguousarray(targets)


def keras_model(cell: str, lookback: int, horizon: int, hidden_size: int):
    import keras

    model = keras.Sequential(
        [
            keras.Input((lookback, 1)),
            getattr(keras.layers, cell)(hidden_size),
            keras.layers.Dense(horizon),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse")
    return model


def keras_fit(cell: str, values: np.ndarray, lookback: int, horizon: int, hidden_size: int, epochs: int, batch: int):
    """What the Keras guides show: windows as an array, a Sequential model, ``model.fit``."""
    X, y = materialised(standardised(values), lookback, horizon)
    model = keras_model(cell, lookback, horizon, hidden_size)
    model.fit(X, y, epochs=epochs, batch_size=batch, verbose=0)
    return model


def torch_fit(cell: str, values: np.ndarray, lookback: int, horizon: int, hidden_size: int, epochs: int, batch: int):
    """A plain PyTorch loop over shuffled windows."""
    import torch

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell = getattr(torch.nn, {"SimpleRNN": "RNN"}.get(cell, cell))(1, hidden_size, batch_first=True)
            self.out = torch.nn.Linear(hidden_size, horizon)

        def forward(self, x):
            return self.out(self.cell(x)[0][:, -1])

    X, y = (torch.from_numpy(a) for a in materialised(standardised(values), lookback, horizon))
    net = Net()
    optimizer = torch.optim.Adam(net.parameters(), 1e-3)
    for _ in range(epochs):
        order = torch.randperm(len(X))
        for rows in order.split(batch):
            optimizer.zero_grad()
            loss = torch.nn.functional.mse_loss(net(X[rows]), y[rows])
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimizer.step()
    return net


def tsrnn_fit(cell: str, values: np.ndarray, lookback: int, horizon: int, hidden_size: int, epochs: int, batch: int):
    """The same with this package."""
    import tsrnn

    regressor = getattr(tsrnn, f"{cell}Regressor")(hidden_size, epochs=epochs, batch_size=batch, random_state=0)
    X, y = make_windows(standardised(values), lookback=lookback, horizon=horizon)
    return regressor.fit(X, y)


def seconds(work, *arguments) -> float:
    gc.collect()
    began = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - began


def alternating(works: dict, repetitions: int) -> dict[str, list[float]]:
    """Seconds of each of `works`, taken in turn so that a slow minute falls on all."""
    taken = {name: [] for name in works}
    for _ in range(repetitions):
        for name, work in works.items():
            taken[name].append(seconds(work))
    return taken


def ratio(taken: dict[str, list[float]], slow: str, fast: str) -> float:
    """The median over the repetitions of how many times `slow` takes as long as `fast`."""
    return statistics.median(a / b for a, b in zip(taken[slow], taken[fast], strict=True))


def resident_mb() -> float:
    """Memory of this process now, in MB (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20


def peak_mb() -> float:
    """Most memory that this process has held, in MB (Linux); not that of its parent, as `getrusage` tells it."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def verdict(what: str, value: float, bar: float, *, at_least: bool = True, unit: str = "x") -> None:
    met = value >= bar if at_least else value <= bar
    sign = ">=" if at_least else "<="
    print(f"{what:58} {value:8.2f} {unit:3} bar {sign} {bar:g} {unit:3} {'met' if met else 'MISSED'}", flush=True)


def put(page: str, mark: str, lines: list[str]) -> None:
    """Replace the rows of the table behind ``<!-- mark -->`` in ``docs/page.md``."""
    path = Path(__file__).parents[1] / "docs" / f"{page}.md"
    text = path.read_text(encoding="utf-8")
    head_end = text.index("|---", text.index(f"<!-- {mark} -->"))
    first = text.index("\n", head_end) + 1
    end = text.find("\n\n", first - 1)  # a table without rows ends with its head
    path.write_text(text[:first] + "\n".join(lines) + (text[end:] if end >= 0 else "\n"), encoding="utf-8")
