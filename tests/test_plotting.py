"""ForecastDisplay: the lines are the data, with their names, on the axes that were given."""

import sys

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.dates import ConciseDateFormatter, date2num

from tsrnn import ForecastDisplay, SeasonalNaiveForecaster, WalkForwardSplit, backtest


@pytest.fixture(autouse=True)
def no_screen():
    mpl.use("agg")
    yield
    plt.close("all")


def daily(first, last, name=None):
    """Random values of the days numbered `first` to `last` - 1."""
    days = pd.date_range("2024-01-01", periods=last, freq="D")[first:]
    return pd.Series(np.random.default_rng(first).normal(size=len(days)), index=days, name=name)


def lines_of(display):
    """The drawn lines by label, as (x, y); those without a label left out."""
    lines = {line.get_label(): line for line in display.ax_.lines if not line.get_label().startswith("_")}
    return {label: (line.get_xdata(orig=False), line.get_ydata(orig=False)) for label, line in lines.items()}


def assert_line(line, series):
    x, y = line
    stamps = series.index
    np.testing.assert_allclose(x, date2num(stamps) if isinstance(stamps, pd.DatetimeIndex) else stamps, rtol=1e-12)
    np.testing.assert_array_equal(y, series)


def legend_of(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_the_lines_are_history_truth_and_forecast():
    history, forecast, truth = daily(0, 10), daily(10, 13, "tomorrow"), daily(10, 13)
    display = ForecastDisplay(history, forecast, truth, unit="MW").plot()
    lines = lines_of(display)
    assert list(lines) == legend_of(display) == ["history", "truth", "tomorrow"]
    assert_line(lines["history"], history)
    assert_line(lines["truth"], truth)
    assert_line(lines["tomorrow"], forecast)
    assert display.ax_.get_ylabel() == "MW"


def test_without_truth_none_is_drawn():
    display = ForecastDisplay(daily(0, 5), daily(5, 7)).plot()
    assert list(lines_of(display)) == legend_of(display) == ["history", "forecast"]
    assert display.ax_.get_ylabel() == ""


def test_each_column_of_a_forecast_is_a_line_of_its_own_colour():
    forecast = pd.DataFrame({"network": daily(5, 8), "ridge": daily(5, 8) + 1})
    display = ForecastDisplay(daily(0, 5), forecast).plot()
    lines = lines_of(display)
    assert list(lines) == ["history", "network", "ridge"]
    for name in forecast:
        assert_line(lines[name], forecast[name])
    colours = {line.get_color() for line in display.ax_.lines}
    assert len(colours) == len(display.ax_.lines)


def test_a_line_marks_where_the_forecast_begins():
    history, forecast = daily(0, 5), daily(5, 8)
    display = ForecastDisplay(history, forecast).plot()
    (mark,) = (line for line in display.ax_.lines if line.get_label().startswith("_"))
    assert list(mark.get_xdata(orig=False)) == [date2num(forecast.index[0])] * 2


def test_without_history_nothing_marks_the_begin():
    forecast = daily(0, 3)
    display = ForecastDisplay(forecast.iloc[:0], forecast).plot()
    assert len(display.ax_.lines) == 2


def test_dates_are_written_short():
    assert isinstance(
        ForecastDisplay(daily(0, 5), daily(5, 8)).plot().ax_.xaxis.get_major_formatter(), ConciseDateFormatter
    )


def test_numbered_rows():
    history = pd.Series([1.0, 2.0, 3.0])
    forecast = pd.Series([4.0, 5.0], index=pd.RangeIndex(3, 5))
    display = ForecastDisplay(history, forecast).plot()
    lines = lines_of(display)
    assert_line(lines["history"], history)
    assert_line(lines["forecast"], forecast)
    assert not isinstance(display.ax_.xaxis.get_major_formatter(), ConciseDateFormatter)


def test_it_draws_on_the_axes_that_are_given():
    figure, (left, right) = plt.subplots(1, 2)
    display = ForecastDisplay(daily(0, 5), daily(5, 8)).plot(right)
    assert display.ax_ is right
    assert display.figure_ is figure
    assert len(left.lines) == 0
    assert len(plt.get_fignums()) == 1


def test_without_axes_it_makes_a_figure():
    display = ForecastDisplay(daily(0, 5), daily(5, 8))
    assert display.plot() is display
    assert plt.fignum_exists(display.figure_.number)
    first = display.ax_
    assert display.plot().ax_ is not first


def test_drawing_changes_none_of_the_data():
    history, forecast, truth = daily(0, 5), daily(5, 8, "f"), daily(5, 8, "t")
    copies = history.copy(), forecast.copy(), truth.copy()
    ForecastDisplay(history, forecast, truth).plot()
    for series, copy in zip((history, forecast, truth), copies, strict=True):
        pd.testing.assert_series_equal(series, copy)


def table_of(series, cv):
    return backtest(SeasonalNaiveForecaster(season_length=2, horizon=3), series, cv=cv, progress=False)


def test_from_backtest():
    series = daily(0, 20)
    table = table_of(series, WalkForwardSplit(n_splits=2, test_size=3))
    display = ForecastDisplay.from_backtest(table, history=series[10:14], unit="mV").plot()
    lines = lines_of(display)
    assert list(lines) == ["history", "truth", "forecast"]
    assert_line(lines["history"], series[10:14])
    assert_line(lines["truth"], series[14:])
    assert_line(lines["forecast"], table.set_index("time")["y_pred"])
    assert display.ax_.get_ylabel() == "mV"


def test_from_backtest_keeps_the_last_forecast_of_each_stamp():
    series = daily(0, 20)
    table = table_of(series, WalkForwardSplit(n_splits=3, test_size=3, stride=1))
    assert table["time"].duplicated().sum() == 4
    lines = lines_of(ForecastDisplay.from_backtest(table).plot())
    # Folds forecast days 15-17, 16-18 and 17-19: 15 comes from the first, 16 from the second, the rest from the last.
    expected = pd.concat(
        [table[table["fold"] == fold][["time", "y_pred"]][:rows] for fold, rows in enumerate([1, 1, 3])]
    )
    assert_line(lines["forecast"], expected.set_index("time")["y_pred"])
    assert_line(lines["truth"], series[15:])
    assert_line(lines["history"], series[:0])


def test_from_backtest_draws_in_the_order_of_time():
    table = table_of(daily(0, 20), WalkForwardSplit(n_splits=2, test_size=3))
    lines = lines_of(ForecastDisplay.from_backtest(table[::-1]).plot())
    assert_line(lines["forecast"], table.set_index("time")["y_pred"])


def test_without_matplotlib_the_error_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(
        ImportError, match=r"^ForecastDisplay: plots need matplotlib\. Install it: pip install 'tsrnn\[plot\]'$"
    ):
        ForecastDisplay(daily(0, 5), daily(5, 8)).plot()
