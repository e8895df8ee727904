"""The demo of an electrocardiogram: its files, naive forecasts, no look ahead, and which beats it marks."""

import re

import numpy as np
import pandas as pd
import pytest
from demos import assert_is_picture, run_demo
from sklearn.linear_model import Ridge

from tsrnn import Forecaster, NaiveForecaster, _demo_ecg, load_ecg

FIRST, N_TEST, BLOCK = 210 * 120, 90 * 120, 30
MODELS = ["network", "neighbours", "ridge", "window median", "naive"]
SMALL = {"epochs": 1, "batch_size": 1024, "jit_compile": False}

# A bound that only a process as long as a whole test run reaches; the demo does not depend on it.
pytestmark = pytest.mark.filterwarnings("ignore:This process has compiled:RuntimeWarning")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The whole demo, with networks of one short epoch."""
    here = tmp_path_factory.mktemp("here")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(_demo_ecg, "NETWORK", _demo_ecg.NETWORK | SMALL)
        monkeypatch.setattr(_demo_ecg, "HIDDEN_SIZES", [2, 4])
        monkeypatch.setitem(_demo_ecg.WATCHERS, "network", Forecaster(Ridge(), lookback=8, horizon=4))
        return run_demo("ecg", tmp_path_factory.mktemp("there") / "new", here, monkeypatch)


@pytest.fixture(scope="module")
def ecg():
    return load_ecg()


@pytest.fixture(scope="module")
def heart(ecg):
    """The mean of every three samples."""
    return np.array([ecg.to_numpy()[part::3] for part in range(3)]).mean(axis=0)


@pytest.fixture(scope="module")
def forecasts(demo):
    return pd.read_csv(demo.folder / "forecast.csv", index_col="seconds")


@pytest.fixture(scope="module")
def scores(demo):
    return pd.read_csv(demo.folder / "scores.csv", index_col="model")


@pytest.fixture(scope="module")
def beats(demo):
    return pd.read_csv(demo.folder / "beats.csv", index_col="seconds")


def test_it_writes_four_files_and_nothing_elsewhere(demo):
    assert demo.status == 0
    names = ["beats.csv", "forecast.csv", "forecast.png", "scores.csv"]
    assert sorted(path.name for path in demo.folder.iterdir()) == names
    assert list(demo.here.iterdir()) == []
    assert_is_picture(demo.folder / "forecast.png")


def test_the_forecasts_are_those_of_the_last_90_seconds(forecasts, heart):
    assert list(forecasts.columns) == ["ecg", *MODELS]
    np.testing.assert_allclose(forecasts.index, np.arange(FIRST, FIRST + N_TEST) / 120, atol=1e-4)
    np.testing.assert_allclose(forecasts["ecg"], heart[FIRST:], atol=1e-4)
    assert forecasts.notna().all(axis=None)


def test_the_naive_forecasts_repeat_the_last_value_and_the_median_of_two_seconds(forecasts, heart):
    origins = np.arange(FIRST - 1, len(heart) - 1, BLOCK)
    medians = [np.median(heart[origin - 239 : origin + 1]) for origin in origins]
    np.testing.assert_allclose(forecasts["naive"], np.repeat(heart[origins], BLOCK), atol=1e-4)
    np.testing.assert_allclose(forecasts["window median"], np.repeat(medians, BLOCK), atol=1e-4)


def test_the_scores_are_those_of_the_forecasts(scores, forecasts, heart):
    assert list(scores.index) == MODELS
    assert list(scores.columns) == ["RMSE (mV)", "nRMSE", "seconds"]
    roots = np.sqrt((forecasts[MODELS].sub(forecasts["ecg"], axis=0) ** 2).mean())
    np.testing.assert_allclose(scores["RMSE (mV)"], roots, atol=2e-4)
    np.testing.assert_allclose(scores["nRMSE"], roots / heart[: 180 * 120].std(), atol=2e-4)


def test_the_known_scores(scores):
    assert scores["nRMSE"].round(3).drop("network").to_dict() == {
        "neighbours": 0.563, "ridge": 0.640, "window median": 0.707, "naive": 0.851,
    }  # fmt: skip


def test_it_prints_the_search_both_tables_and_the_folder(demo, scores, beats):
    assert "300 s of an electrocardiogram (MIT-BIH Arrhythmia Database, 208, lead MLII)" in demo.printed
    assert re.search(r"^  ecg +2 units \d\.\d+, 4 units \d\.\d+$", demo.printed, flags=re.MULTILINE)
    assert "2/2" in demo.progress
    errors, marks = demo.printed.split("Unexpected beats")
    for model in MODELS:
        (row,) = re.findall(rf"^{model} +(\S+) +(\S+) +\S+ *$", errors, flags=re.MULTILINE)
        np.testing.assert_allclose([float(value) for value in row], scores.loc[model][:2], atol=0.0006)
    for model in beats.columns:
        (row,) = re.findall(rf"^{model} +(\d+) +(-\d\.\d\d) +(-\d\.\d\d) *$", marks, flags=re.MULTILINE)
        assert int(row[0]) == beats[model].sum()
        assert float(row[1]) < float(row[2]) - 0.3  # mV: the marked ones fall further
    assert "No labels of beats come with these data" in marks
    assert f"Written to {demo.folder}: scores.csv, forecast.csv, beats.csv, forecast.png" in marks


def test_the_marked_beats_are_the_wide_ones(beats, ecg):
    """A premature beat of a ventricle is wide: 50 ms after its peak it is still high, and later it falls far."""
    assert list(beats.columns) == ["network", "ridge", "naive"]
    assert beats.index.min() >= 210
    gaps = np.diff(beats.index[beats.index > 214])  # seconds; before, the electrode had lost its hold
    assert gaps.min() > 0.4
    assert gaps.max() < 0.9
    signal, middle = ecg.to_numpy(), np.rint(beats.index.to_numpy() * 360).astype(int)
    width = np.array([signal[peak + 18] - np.median(signal[peak - 72 : peak + 108]) for peak in middle])
    for model in beats.columns:
        marked = beats[model].to_numpy()
        assert 20 < marked.sum() < 70
        assert width[marked].mean() > 0.3 + width[~marked].mean()


def made_ecg(odd):
    """An electrocardiogram of 300 s with a beat every 0.6 s, those at the numbers `odd` wide and with a deep trough."""
    seconds = np.arange(300 * 360) / 360
    signal = 0.01 * np.random.default_rng(0).normal(size=len(seconds))
    for number in range(499):
        after = seconds - 0.6 * (number + 1)
        if number in odd:
            signal += 1.5 * np.exp(-((after / 0.04) ** 2)) - np.exp(-(((after - 0.18) / 0.07) ** 2))
        else:
            signal += 1.5 * np.exp(-((after / 0.01) ** 2))
    ecg = pd.Series(signal, name="ecg")
    ecg.attrs = load_ecg().attrs
    return ecg


def test_odd_beats_among_even_ones_are_marked(monkeypatch):
    odd = set(np.flatnonzero(np.random.default_rng(1).random(499) < 0.2))
    monkeypatch.setattr(_demo_ecg, "WATCHERS", {"naive": NaiveForecaster(4)})
    beats = _demo_ecg.mark(made_ecg(odd))
    numbers = np.rint(beats.index / 0.6).astype(int) - 1
    np.testing.assert_allclose(beats.index, 0.6 * (numbers + 1), atol=0.01)
    np.testing.assert_array_equal(numbers, np.arange(349, 499))
    assert set(numbers[beats["naive"]]) == {number for number in odd if number >= 349}


def test_no_forecast_looks_ahead(ecg):
    heart = _demo_ecg.averaged(ecg, 120)[150 * 120 :].reset_index(drop=True)
    last = 60 * 120 + 20 * BLOCK
    changed = heart.copy()
    changed[last:] += 1.0
    for model in [_demo_ecg.RULES["window median"], _demo_ecg.RULES["naive"], _demo_ecg.RULES["ridge"]]:
        before, after = (_demo_ecg.walk_forward(model, rows, 60)["y_pred"] for rows in (heart, changed))
        np.testing.assert_array_equal(after[: 21 * BLOCK], before[: 21 * BLOCK])
        assert (after[21 * BLOCK :] != before[21 * BLOCK :]).all()


def test_the_search_sees_nothing_of_the_test(monkeypatch, ecg, capsys):
    def ridge(size, **_):
        return Ridge(10.0**size)

    monkeypatch.setattr(_demo_ecg, "HIDDEN_SIZES", [0, 5])
    monkeypatch.setattr(_demo_ecg, "GRURegressor", ridge)
    heart = _demo_ecg.averaged(ecg, 120)
    for rows in (heart, heart.where(heart.index < FIRST, 5.0)):
        _demo_ecg.search(rows)
    first, second = capsys.readouterr().out.splitlines()
    assert first == second


def test_marks_of_beats_do_not_depend_on_what_follows(monkeypatch, ecg):
    monkeypatch.setattr(_demo_ecg, "WATCHERS", {"ridge": _demo_ecg.WATCHERS["ridge"]})
    changed = ecg.copy()
    changed[250 * 360 :] = changed[250 * 360 :].to_numpy()[::-1]
    before, after = (_demo_ecg.mark(rows).loc[:249.0] for rows in (ecg, changed))
    pd.testing.assert_frame_equal(after, before)
    assert before["ridge"].any()
