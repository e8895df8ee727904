"""The command line: the energy demo's files and words, what it says without matplotlib, and wrong arguments."""

import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from demos import assert_is_picture, run_demo
from sklearn.linear_model import Ridge
from sklearn.metrics import mean_absolute_error, mean_absolute_percentage_error

from tsrnn import Forecaster, _demo_ecg, _demo_energy, _demo_stock, load_electricity_demand
from tsrnn.__main__ import main, quiet

DAY, WEEK, TEST = 48, 336, 14 * 48
MODELS = ["network", "ridge", "daily naive", "weekly naive"]

# A bound that only a process as long as a whole test run reaches; the demo does not depend on it.
pytestmark = pytest.mark.filterwarnings("ignore:This process has compiled:RuntimeWarning")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The whole demo, with one short epoch where it takes thirty."""
    here = tmp_path_factory.mktemp("here")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(
            _demo_energy, "NETWORK", _demo_energy.NETWORK | {"epochs": 1, "n_members": 1, "batch_size": 512}
        )
        return run_demo("energy", tmp_path_factory.mktemp("there") / "new" / "folder", here, monkeypatch)


@pytest.fixture(scope="module")
def demand():
    return load_electricity_demand()


@pytest.fixture(scope="module")
def forecasts(demo):
    return pd.read_csv(demo.folder / "forecast.csv", index_col="time", parse_dates=["time"])


@pytest.fixture(scope="module")
def scores(demo):
    return pd.read_csv(demo.folder / "scores.csv", index_col="model")


def test_it_writes_three_files_and_nothing_elsewhere(demo):
    assert demo.status == 0
    assert sorted(path.name for path in demo.folder.iterdir()) == ["forecast.csv", "forecast.png", "scores.csv"]
    assert list(demo.here.iterdir()) == []


def test_the_picture_is_a_png(demo):
    assert_is_picture(demo.folder / "forecast.png")


def test_the_forecasts_are_those_of_the_test_days_and_of_tomorrow(forecasts, demand):
    assert list(forecasts.columns) == ["demand", *MODELS]
    assert forecasts.index.equals(pd.date_range(demand.index[-TEST], periods=TEST + DAY, freq="30min", name="time"))
    tested, tomorrow = forecasts[:TEST], forecasts[TEST:]
    np.testing.assert_array_equal(tested["demand"], demand[-TEST:])
    assert tested.notna().all(axis=None)
    assert tomorrow["network"].notna().all()
    assert tomorrow.drop(columns="network").isna().all(axis=None)
    assert forecasts["network"].between(15_000, 45_000).all()
    assert (tested["network"] - tested["ridge"]).abs().mean() > 10


def test_the_naive_forecasts_are_the_data_of_a_day_and_a_week_before(forecasts, demand):
    np.testing.assert_array_equal(forecasts["daily naive"][:TEST], demand[-TEST - DAY : -DAY])
    np.testing.assert_array_equal(forecasts["weekly naive"][:TEST], demand[-TEST - WEEK : -WEEK])


def test_the_scores_are_those_of_the_forecasts(scores, forecasts):
    assert list(scores.index) == MODELS
    assert list(scores.columns) == ["MAE (MW)", "MAPE (%)", "MASE", "seconds"]
    tested = forecasts[:TEST]
    for model in MODELS:
        errors = mean_absolute_error(tested["demand"], tested[model])
        shares = 100 * mean_absolute_percentage_error(tested["demand"], tested[model])
        assert scores.loc[model, "MAE (MW)"] == pytest.approx(errors, abs=0.05)  # the file holds one decimal
        assert scores.loc[model, "MAPE (%)"] == pytest.approx(shares, abs=0.001)
    assert (scores["seconds"] >= 0).all()


def test_the_known_scores(scores):
    assert round(scores.loc["weekly naive", "MAPE (%)"], 3) == 1.726
    assert round(scores.loc["ridge", "MAPE (%)"], 3) == 1.157


def test_mase_is_relative_to_the_weekly_rule_on_the_weeks_before(scores, demand):
    known = demand.to_numpy()[:-TEST]
    unit = np.abs(known[WEEK:] - known[:-WEEK]).mean()
    np.testing.assert_allclose(scores["MASE"], scores["MAE (MW)"] / unit, atol=1e-4)


def test_it_prints_the_search_the_table_and_the_folder(demo, scores):
    candidates = re.findall(r"^ +(GRU|LSTM) +(\d+) units +(\d+) MW$", demo.printed, flags=re.MULTILINE)
    assert sorted(candidate[:2] for candidate in candidates) == [
        ("GRU", "32"), ("GRU", "64"), ("LSTM", "32"), ("LSTM", "64"),
    ]  # fmt: skip
    errors = [int(candidate[2]) for candidate in candidates]
    assert errors == sorted(errors)
    for model in MODELS:
        (row,) = re.findall(rf"^{model} +(\S+) +(\S+) +(\S+) +\S+ *$", demo.printed, flags=re.MULTILINE)
        np.testing.assert_allclose([float(value) for value in row], scores.loc[model][:3], atol=0.006)
    assert "4,032 half-hours of electricity demand, 05 Jun 2000 to 27 Aug 2000." in demo.printed
    assert re.search(r"Tomorrow, 28 Aug 2000: \d\d,\d{3} to \d\d,\d{3} MW\.", demo.printed)
    assert f"Written to {demo.folder}: scores.csv, forecast.csv, forecast.png" in demo.printed


def test_it_shows_how_far_the_search_is(demo):
    assert "search: 100%" in demo.progress
    assert "16/16" in demo.progress


def test_without_matplotlib_it_says_how_to_install_it(tmp_path, monkeypatch):
    here = tmp_path / "here"
    here.mkdir()
    ridge = Forecaster(Ridge(), lookback=WEEK, horizon=DAY)
    monkeypatch.setattr(_demo_energy, "search", lambda _: (ridge, 0.0))
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
    run = run_demo("energy", tmp_path / "there", here, monkeypatch)
    assert run.status == 0
    assert "No picture: it needs matplotlib. Install it: pip install 'tsrnn[plot]'" in run.printed
    assert f"Written to {run.folder}: scores.csv, forecast.csv\n" in run.printed
    assert sorted(path.name for path in run.folder.iterdir()) == ["forecast.csv", "scores.csv"]
    assert list(here.iterdir()) == []


@pytest.mark.parametrize("job", [_demo_energy, _demo_stock, _demo_ecg], ids=["energy", "stock", "ecg"])
def test_each_job_runs_alone_and_gives_its_name_to_the_folder(job, monkeypatch):
    folders = []
    for other in (_demo_energy, _demo_stock, _demo_ecg):
        monkeypatch.setattr(other, "run", folders.append if other is job else pytest.fail)
    name = job.__name__.removeprefix("tsrnn._demo_")
    assert main(["demo", name]) == 0
    assert folders == [Path(f"demo-{name}")]


WRONG = [
    [],
    ["demo"],
    ["forecast"],
    ["demo", "weather"],
    ["demo", "energy", "now"],
    ["demo", "energy", "--output"],
    ["demo", "energy", "--epochs", "3"],
]


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_wrong_arguments_are_answered_with_the_usage(arguments, monkeypatch, capsys):
    monkeypatch.setattr(_demo_energy, "run", pytest.fail)
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("usage: tsrnn")
    assert "error: " in err


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--help"], "demo"),
        (["demo", "--help"], "energy:"),
        (["demo", "--help"], "stock:"),
        (["demo", "--help"], "ecg:"),
    ],
)
def test_help(arguments, word, capsys):
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 0
    assert word in capsys.readouterr().out


def test_it_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "tsrnn", "demo", "weather"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("usage: tsrnn")


def test_it_is_installed_as_a_command():
    (command,) = importlib.metadata.entry_points(group="console_scripts", name="tsrnn")
    assert command.load() is main


def test_quiet_hides_what_compiled_libraries_write(capfd):
    with quiet():
        os.write(2, b"hidden\n")
    os.write(2, b"seen\n")
    with pytest.raises(KeyError), quiet():
        raise KeyError
    os.write(2, b"seen again\n")
    assert capfd.readouterr().err == "seen\nseen again\n"
