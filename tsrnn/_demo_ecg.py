"""The job ``tsrnn demo ecg``: an electrocardiogram 250 ms ahead, and the heartbeats that no forecast expects."""

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.signal import find_peaks
from sklearn.linear_model import Ridge
from sklearn.metrics import root_mean_squared_error
from sklearn.neighbors import KNeighborsRegressor

from tsrnn._base_forecaster import Origins
from tsrnn._demos import choose, printed, run_models, side_by_side, write
from tsrnn._series import Floats
from tsrnn.anomalies import ForecastAnomalyDetector
from tsrnn.baselines import NaiveForecaster, WindowAverageForecaster
from tsrnn.datasets import load_ecg
from tsrnn.evaluation import backtest
from tsrnn.forecasting import Forecaster
from tsrnn.model_selection import WalkForwardSplit
from tsrnn.regressors import GRURegressor

TRAIN, VALIDATION = 180, 210  # seconds at which they end; the rest is the test

HERTZ = 120
PAST, AHEAD = 2 * HERTZ, HERTZ // 4
HIDDEN_SIZES = [32, 64]
NETWORK: dict[str, Any] = {
    "segment_length": 15,
    "learning_rate": 0.003,
    "epochs": 12,
    "batch_size": 128,
    "schedule": "cosine",
    "random_state": 0,
}

# At 15 Hz the narrow spike of every beat is levelled, and what is left is the wide shape in which beats differ.
SLOW_HERTZ = 15
# Of the rows before the test. They hold premature beats as well, so this is no rate of false alarms alone.
RATE = 0.15
WATCHER: dict[str, Any] = {"hidden_size": 16, "epochs": 30, "schedule": "cosine", "random_state": 0}
BEFORE, AFTER = 0.2, 0.35  # seconds about its peak within which a beat is marked


class WindowMedianForecaster(WindowAverageForecaster):
    """Forecast that every step equals the median of the last `window` values."""

    def _rule(self, values: Floats, origins: Origins, ahead: Origins) -> Floats:
        windows = np.lib.stride_tricks.sliding_window_view(values, self.window, axis=0)
        medians = np.median(windows[origins + 1 - self.window], axis=-1)
        return np.repeat(medians[:, None], len(ahead), axis=1)


def run(folder: Path) -> pd.DataFrame:
    """Forecast an electrocardiogram and mark beats in it; write the files into `folder` and return the scores."""
    ecg = load_ecg()
    heart = averaged(ecg, HERTZ)
    length, about = len(heart) / HERTZ, f"{ecg.attrs['record']}, lead {ecg.attrs['lead']}"
    print(f"{length:.0f} s of an electrocardiogram ({about}), averaged to {HERTZ} samples a second.")
    print(f"Chosen on {TRAIN} to {VALIDATION} s by networks fitted before, then fitted on all before {VALIDATION} s.")
    print(f"Test: every {1000 * AHEAD // HERTZ} ms since then, a forecast of the next {1000 * AHEAD // HERTZ} ms.\n")
    print("Search over the hidden size, RMSE (mV) of the seconds of validation:\n")
    models = {"network": search(heart), **RULES}
    known = float(heart[: TRAIN * HERTZ].std(ddof=0))
    tables, scores = run_models(models, partial(walk_forward, series=heart), partial(score, unit=known))
    print("\nErrors of the test; nRMSE is in units of the standard deviation of the training:\n")
    print(printed(scores, {"RMSE (mV)": "{:.3f}", "nRMSE": "{:.3f}"}), "\n")
    beats = mark(ecg)
    report(ecg, beats)
    forecasts = side_by_side("ecg", tables).round(4).rename_axis("seconds")
    files = {"scores.csv": scores.round(4), "forecast.csv": forecasts, "beats.csv": beats}
    write(folder, files, partial(draw, ecg=ecg, forecasts=forecasts, beats=beats))
    return scores


def averaged(ecg: pd.Series, hertz: int) -> pd.Series:
    """Return the means of the samples of each 1 / `hertz` seconds."""
    together = int(ecg.attrs["sampling_rate_hz"]) // hertz
    whole = ecg.to_numpy()[: len(ecg) // together * together]
    return pd.Series(whole.reshape(-1, together).mean(axis=1), name=ecg.name)


RULES: dict[str, Any] = {
    "neighbours": Forecaster(KNeighborsRegressor(25), lookback=PAST, horizon=AHEAD, anchor="mean", stride=4),
    "ridge": Forecaster(Ridge(), lookback=PAST, horizon=AHEAD, anchor="mean", stride=4),
    "window median": WindowMedianForecaster(PAST, horizon=AHEAD),
    "naive": NaiveForecaster(AHEAD),
}


def search(heart: pd.Series) -> Forecaster:
    """Return the network whose hidden size forecasts the seconds of validation best."""
    before_test = heart[: VALIDATION * HERTZ]
    candidates = {
        f"{size} units": Forecaster(
            GRURegressor(size, **NETWORK), lookback=PAST, horizon=AHEAD, anchor="mean", stride=2
        )
        for size in HIDDEN_SIZES
    }
    found: Forecaster = choose("ecg", candidates, lambda model: rmse(walk_forward(model, before_test, TRAIN)))
    return found


def walk_forward(model: Any, series: pd.Series, first: int = VALIDATION) -> pd.DataFrame:
    """Return the forecasts of `model`, fitted before the second `first`, one behind the other from then on."""
    cv = WalkForwardSplit(n_splits=(len(series) - first * HERTZ) // AHEAD, test_size=AHEAD)
    table = backtest(model, series, cv=cv, refit=False, progress=False)
    return table.assign(time=(table["time"] / HERTZ).round(4))


def rmse(table: pd.DataFrame) -> float:
    """Return the root of the mean squared error of a backtest, in mV."""
    return float(root_mean_squared_error(table["y_true"], table["y_pred"]))


def score(table: pd.DataFrame, unit: float) -> dict[str, float]:
    """Return the scores of a backtest."""
    return {"RMSE (mV)": rmse(table), "nRMSE": rmse(table) / unit}


# --- the beats that no forecast expects ---

WATCHERS: dict[str, Any] = {
    "network": Forecaster(GRURegressor(**WATCHER), lookback=8, horizon=4, anchor="mean"),
    "ridge": Forecaster(Ridge(), lookback=8, horizon=4, anchor="mean"),
    "naive": NaiveForecaster(4),
}


def mark(ecg: pd.Series) -> pd.DataFrame:
    """Return a row for each beat of the test: the second of its peak, and whether each model's errors mark it."""
    slow = averaged(ecg, SLOW_HERTZ)
    known, new = slow[: VALIDATION * SLOW_HERTZ], slow[VALIDATION * SLOW_HERTZ :]
    seconds = peaks(ecg)
    seconds = seconds[seconds >= VALIDATION]
    beats = pd.DataFrame({"seconds": seconds})
    for name, forecaster in WATCHERS.items():
        odd = ForecastAnomalyDetector(forecaster, false_alarm_rate=RATE).fit(known).predict(new) == -1
        rows = (odd[odd].index.to_numpy() + 0.5) / SLOW_HERTZ
        after = rows[:, None] - seconds
        beats[name] = ((after >= -BEFORE) & (after <= AFTER)).any(axis=0)
    return beats.set_index("seconds").round(4)


def peaks(ecg: pd.Series) -> NDArray[np.float64]:
    """Return the seconds of the peaks of all beats: they rise by 0.6 mV or more and lie 0.25 s apart or more."""
    rate = ecg.attrs["sampling_rate_hz"]
    found, _ = find_peaks(ecg.to_numpy(), prominence=0.6, distance=rate // 4)
    return np.asarray(found / rate)


def shapes(ecg: pd.Series, seconds: pd.Index) -> pd.DataFrame:
    """Return a row for each beat, from 0.3 s before its peak to 0.5 s after it, relative to its own median."""
    rate = ecg.attrs["sampling_rate_hz"]
    about = np.arange(-3 * rate // 10, rate // 2)
    middle = np.rint(seconds.to_numpy() * rate).astype(int)
    inside = middle + about[-1] < len(ecg)
    rows = pd.DataFrame(ecg.to_numpy()[middle[inside, None] + about], index=seconds[inside], columns=about / rate)
    return rows.sub(rows.median(axis=1), axis=0)


def report(ecg: pd.Series, beats: pd.DataFrame) -> None:
    """Print how many beats are marked, and how they differ from the others."""
    lowest = shapes(ecg, beats.index).loc[:, 0.0:].min(axis=1)
    rows = {}
    for name in beats.columns:
        marked = beats[name].reindex(lowest.index)
        means = {"lowest (mV)": lowest[marked].mean(), "others (mV)": lowest[~marked].mean()}
        rows[name] = {"marked": beats[name].sum(), **means}
    print(
        f"Unexpected beats: those of the {len(beats)} of the test that forecasts at {SLOW_HERTZ} Hz miss by more than"
    )
    print(f"{1 - RATE:.0%} of the rows before it; the lowest value after their peaks, and after those of the others:\n")
    table = pd.DataFrame(rows).T.rename_axis("model")
    formats = {"marked": "{:.0f}", "lowest (mV)": "{:.2f}", "others (mV)": "{:.2f}"}
    print(printed(table, formats), "\n")
    print("This record has many premature ventricular beats. No labels of beats come with these data, so the marks")
    print("were not compared with a cardiologist's reading.\n")


# --- the picture ---


def draw(figure: Any, ecg: pd.Series, forecasts: pd.DataFrame, beats: pd.DataFrame) -> None:
    """Draw some forecasts above; below, the beats that are marked, and their mean beside that of the others."""
    above, below = figure.add_gridspec(2, 1, hspace=0.05)
    draw_forecasts(figure.add_subplot(above), forecasts)
    left, right = below.subgridspec(1, 2, width_ratios=[3, 1])
    draw_marks(figure.add_subplot(left), ecg, beats["network"])
    draw_shapes(figure.add_subplot(right), ecg, beats["network"])


def draw_forecasts(ax: Any, forecasts: pd.DataFrame, first: float = 285.0, last: float = 291.0) -> None:
    """Draw six seconds of the test, the first of them that of an origin; each forecast is a line of its own."""
    shown = forecasts.loc[first:last]
    ax.plot(shown.index, shown["ecg"], color="0.35", lw=1.2, ls=(0, (2, 1)), label="truth")
    for name, color, width in (("ridge", "C1", 1.0), ("network", "C0", 1.6)):
        for row in range(0, len(shown), AHEAD):
            part = shown[name].iloc[row : row + AHEAD]
            ax.plot(part.index, part, color=color, lw=width, label=None if row else name)
    reach = 1000 * AHEAD // HERTZ
    dress(ax, f"An electrocardiogram: every {reach} ms, a forecast of the next {reach} ms")
    ax.legend(frameon=False, ncols=3, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.1)


def dress(ax: Any, title: str) -> None:
    """Give an axis of seconds and millivolts its words."""
    ax.set_title(title, loc="left")
    ax.set_xlabel("s")
    ax.set_ylabel("mV")
    ax.spines[["top", "right"]].set_visible(False)
    ax.margins(x=0.01)


def draw_marks(ax: Any, ecg: pd.Series, marked: pd.Series, first: float = 270.0, last: float = 285.0) -> None:
    """Draw fifteen seconds of the test, and the beats in them that are marked."""
    seconds = ecg.index / ecg.attrs["sampling_rate_hz"]
    shown = (seconds >= first) & (seconds < last)
    ax.plot(seconds[shown], ecg[shown], color="0.35", lw=0.9)
    for peak in marked[marked].loc[first:last].index:
        ax.axvspan(peak - BEFORE, peak + AFTER, color="C3", alpha=0.25, lw=0)
    dress(ax, "Beats that the forecasts did not expect")


def draw_shapes(ax: Any, ecg: pd.Series, marked: pd.Series) -> None:
    """Draw the mean of the marked beats, and that of the others."""
    rows = shapes(ecg, marked.index)
    for flag, color, name in ((True, "C3", "marked"), (False, "0.35", "others")):
        mean = rows[marked.reindex(rows.index) == flag].mean()
        ax.plot(mean.index, mean, color=color, lw=1.6, label=name)
    dress(ax, "Their mean")
    ax.legend(frameon=False)
