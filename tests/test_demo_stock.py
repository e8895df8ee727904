"""The demo of a stock index: its files, scores known from elsewhere, no look ahead, and what it says of prices."""

import re

import numpy as np
import pandas as pd
import pytest
from demos import assert_is_picture, run_demo
from sklearn.linear_model import Ridge

from tsrnn import Forecaster, GRURegressor, _demo_stock, diebold_mariano, load_sp500

N_TEST = 754
MODELS = {
    "volatility": ["network", "ridge", "HAR", "EWMA", "naive"],
    "price": ["network", "ridge", "drift", "random walk"],
}
SMALL = {"epochs": 1, "n_members": 1, "batch_size": 512, "jit_compile": False}

# A bound that only a process as long as a whole test run reaches; the demo does not depend on it.
pytestmark = pytest.mark.filterwarnings("ignore:This process has compiled:RuntimeWarning")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The whole demo, with one short epoch where it takes fifteen."""
    here = tmp_path_factory.mktemp("here")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(_demo_stock, "NETWORK", _demo_stock.NETWORK | SMALL)
        monkeypatch.setattr(_demo_stock, "HIDDEN_SIZES", [2, 4])
        return run_demo("stock", tmp_path_factory.mktemp("there") / "new", here, monkeypatch)


@pytest.fixture(scope="module")
def prices():
    return load_sp500()


@pytest.fixture(scope="module")
def volatility(prices):
    """Parkinson's estimate, from the textbook: the mean of ln(high / low)^2 / (4 ln 2), here of one day."""
    return np.log(np.sqrt(np.log(prices["high"] / prices["low"]) ** 2 / (4 * np.log(2))))


@pytest.fixture(scope="module", params=["volatility", "price"])
def forecasts(request, demo):
    table = pd.read_csv(demo.folder / f"{request.param}.csv", index_col="time", parse_dates=["time"])
    return request.param, table


@pytest.fixture(scope="module")
def scores(demo):
    return pd.read_csv(demo.folder / "scores.csv", index_col=["series", "model"])


def test_it_writes_four_files_and_nothing_elsewhere(demo):
    assert demo.status == 0
    names = ["forecast.png", "price.csv", "scores.csv", "volatility.csv"]
    assert sorted(path.name for path in demo.folder.iterdir()) == names
    assert list(demo.here.iterdir()) == []
    assert_is_picture(demo.folder / "forecast.png")


def test_the_forecasts_are_those_of_the_test_years(forecasts, prices, volatility):
    name, table = forecasts
    assert list(table.columns) == [name, *MODELS[name]]
    assert table.index.equals(prices.index[prices.index >= "2016-01-01"])
    assert len(table) == N_TEST
    truth = volatility if name == "volatility" else prices["close"]
    np.testing.assert_allclose(table[name], truth[-N_TEST:], atol=0.0051)
    assert table.notna().all(axis=None)


def test_the_naive_forecasts_are_the_data_of_the_day_before(forecasts, prices, volatility):
    name, table = forecasts
    truth, rule = (volatility, "naive") if name == "volatility" else (prices["close"], "random walk")
    np.testing.assert_allclose(table[rule], truth[-N_TEST - 1 : -1], atol=0.0051)


def test_har_is_the_regression_on_a_day_a_week_and_a_month(demo, volatility):
    """By pandas and least squares, on the days before 2016."""
    table = pd.read_csv(demo.folder / "volatility.csv", index_col="time", parse_dates=["time"])
    past = [volatility.rolling(days).mean().shift(1) for days in (1, 5, 22)]
    rows = pd.concat([pd.Series(1.0, volatility.index), *past], axis=1).dropna()
    known = rows.index < "2016-01-01"
    weights, *_ = np.linalg.lstsq(rows[known], volatility[rows.index][known], rcond=None)
    np.testing.assert_allclose(table["HAR"], rows[~known] @ weights, atol=1e-4)


def test_the_scores_are_those_of_the_forecasts(scores, forecasts):
    name, table = forecasts
    own = scores.loc[name]
    assert list(own.index) == MODELS[name]
    assert list(own.columns) == ["RMSE", "ratio", "p-value", "seconds"]
    reference = {"volatility": "HAR", "price": "random walk"}[name]
    squares = table[MODELS[name]].sub(table[name], axis=0) ** 2
    roots = np.sqrt(squares.mean())
    np.testing.assert_allclose(own["RMSE"], roots, rtol=1e-3)
    np.testing.assert_allclose(own["ratio"], roots / roots[reference], rtol=1e-3)
    for model in MODELS[name]:
        if model == reference:
            assert np.isnan(own.loc[model, "p-value"])
        else:
            found = diebold_mariano(squares[model], squares[reference]).p_value
            assert own.loc[model, "p-value"] == pytest.approx(found, abs=0.02)


def test_the_known_scores(scores):
    rounded = scores["RMSE"].round(4)
    assert rounded["volatility", "naive"] == 0.5271
    assert rounded["volatility", "HAR"] == 0.4547
    assert rounded["volatility", "ridge"] == 0.4510
    assert rounded["price", "random walk"] == 20.0823


def test_it_prints_the_search_both_tables_and_the_folder(demo, scores):
    assert "5,031 trading days of the S&P 500 index, 04 Jan 1999 to 31 Dec 2018." in demo.printed
    for name, models in MODELS.items():
        assert re.search(rf"^  {name} +2 units \d+\.\d+, 4 units \d+\.\d+$", demo.printed, flags=re.MULTILINE)
        part = demo.printed.split(f"\n{name.capitalize()}, ")[1]
        for model in models:
            (row,) = re.findall(rf"^{model} +(\d+\.\d+) +(\d+\.\d+) ", part.split("\n\n")[1], flags=re.MULTILINE)
            np.testing.assert_allclose([float(value) for value in row], scores.loc[(name, model)][:2], atol=0.006)
    assert re.search(
        r"after 31 Dec 2018: volatility \d+ % a year, close 2,\d{3} points \(the last one was 2,507\)", demo.printed
    )
    assert f"Written to {demo.folder}: scores.csv, volatility.csv, price.csv, forecast.png" in demo.printed
    assert demo.progress.count("2/2") >= 2


@pytest.mark.parametrize(
    ("ratio", "p_value", "words"),
    [(0.97, 0.01, "better than it"), (1.03, 0.01, "worse than it"), (0.97, 0.3, "no different from it")],
)
def test_what_it_says_of_prices_depends_on_the_scores(ratio, p_value, words, capsys):
    values = [[20 * ratio, ratio, p_value, 1.0], [20.0, 1.0, np.nan, 1.0]]
    columns = ["RMSE", "ratio", "p-value", "seconds"]
    _demo_stock.report("price", pd.DataFrame(values, ["network", "random walk"], columns))
    out = capsys.readouterr().out
    assert f"is {ratio:.3f} times the random walk's, {words} (p-value {p_value:.2f})" in out
    assert "nan" not in out


@pytest.mark.parametrize("name", MODELS)
def test_no_forecast_looks_ahead(name, prices, volatility):
    """What comes after the 100th day of the test changes no forecast of the days up to it."""
    series = volatility if name == "volatility" else prices["close"]
    series = series[series.index >= "2013"]
    last = int((series.index < "2016").sum()) + 99
    changed = series.copy()
    changed.iloc[last:] *= 1.5
    tiny = GRURegressor(2, segment_length=11, random_state=0, **SMALL)
    models = {"network": _demo_stock.network_for(name, 2).set_params(regressor=tiny), **_demo_stock.RULES[name]}
    for model in models.values():
        before, after = (_demo_stock.walk_forward(model, rows, "2016")["y_pred"] for rows in (series, changed))
        np.testing.assert_array_equal(after[:100], before[:100])
        assert not np.array_equal(after[100:], before[100:])


def test_the_search_sees_nothing_of_the_test_years(monkeypatch, volatility, capsys):
    candidates = {2: 1.0, 4: 1e3, 8: 1e6}
    monkeypatch.setattr(_demo_stock, "HIDDEN_SIZES", list(candidates))
    monkeypatch.setattr(_demo_stock, "network_for", lambda _, size: Forecaster(Ridge(candidates[size]), lookback=22))
    changed = volatility.where(volatility.index < "2016", volatility + 1)
    found = [_demo_stock.search("volatility", series).regressor.alpha for series in (volatility, changed)]
    assert found[0] == found[1]
    first, second = capsys.readouterr().out.splitlines()
    assert first == second
    known, n_fit = volatility[volatility.index < "2016"].to_numpy(), int((volatility.index < "2014").sum())
    ridge = Forecaster(Ridge(candidates[2]), lookback=22).fit(known[:n_fit])
    errors = known[n_fit:] - ridge.predict_origins(known, origins=np.arange(n_fit - 1, len(known) - 1))[:, 0, 0]
    assert f" 2 units {np.sqrt((errors**2).mean()):.4g}," in first
