"""A thousand origins in one backtest, and a panel of 414 series in one buffer.

python -m benchmarks.origins
"""

import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from benchmarks import jobs
from benchmarks.memory import Peak
from tsrnn import Forecaster, GRURegressor, WalkForwardSplit, backtest

LOOKBACK, HORIZON, N_ORIGINS = 168, 24, 1000


class Timed(GRURegressor):
    """A network that notes how long its fits took, so that they can be taken off."""

    seconds: list[float] = []  # noqa: RUF012

    def fit(self, X, y, sample_weight=None):
        began = time.perf_counter()
        fitted = super().fit(X, y, sample_weight)
        self.seconds.append(time.perf_counter() - began)
        return fitted


def thousand_origins() -> None:
    """Without its fit, the backtest should take little longer than the network alone on the same windows."""
    values = jobs.series(20_000).astype(np.float64)
    cv = WalkForwardSplit(N_ORIGINS, test_size=HORIZON, stride=6)
    forecaster = Forecaster(Timed(64, epochs=2, random_state=0), lookback=LOOKBACK, horizon=HORIZON, stride=8)
    origins = [int(train[-1]) for train, _ in cv.split(values)]
    fitted = Forecaster(**forecaster.get_params(deep=False)).fit(values[: origins[0] + 1])
    standard = (values - values.mean()) / values.std()
    windows = np.stack([standard[origin + 1 - LOOKBACK : origin + 1, None] for origin in origins])
    works = {
        "backtest": lambda: backtest(forecaster, values, cv=cv, refit=False, progress=False),
        "predict_origins": lambda: fitted.predict_origins(values, origins=origins),
        "network": lambda: fitted.regressor_.predict(windows),
    }
    for work in works.values():
        work()
    Timed.seconds.clear()
    taken = jobs.alternating(works, 5)
    taken["backtest"] = [whole - fit for whole, fit in zip(taken["backtest"], Timed.seconds, strict=True)]
    print(", ".join(f"{name} {1e3 * float(np.median(times)):.0f} ms" for name, times in taken.items()))
    for name in ("network", "predict_origins"):
        what = f"{N_ORIGINS:,} origins: backtest without its fit / {name}"
        jobs.verdict(what, jobs.ratio(taken, "backtest", name), 5, at_least=False)


def panel_in_one_buffer() -> None:
    """As many series as M4 has hourly ones, and of their lengths."""
    lengths = np.random.default_rng(0).integers(700, 961, size=414)
    whole = jobs.series(int(lengths.sum())).astype(np.float64)
    panel = dict(enumerate(np.split(whole, np.cumsum(lengths)[:-1])))
    for lookback in (LOOKBACK, 2 * LOOKBACK):
        network = GRURegressor(32, segment_length=24, epochs=1, batch_size=256, random_state=0)
        forecaster = Forecaster(network, lookback=lookback, horizon=HORIZON)
        forecaster.fit(panel)  # compiled, so that what the compiler keeps does not count
        with Peak() as training:
            forecaster.fit(panel)
        n_windows = int((lengths - lookback - HORIZON + 1).sum())
        array, targets = (round(n_windows * size / 2**20) for size in (4 * lookback, 8 * HORIZON))
        print(
            f"L={lookback}: {len(panel)} series, {whole.nbytes / 2**20:.1f} MB; {n_windows:,} windows of float32 would "
            f"be {array} MB; their targets are {targets} MB"
        )
        jobs.verdict("the most memory of a fit, targets included", training.mb, array, at_least=False, unit="MB")


def main() -> None:
    thousand_origins()
    panel_in_one_buffer()


if __name__ == "__main__":
    main()
