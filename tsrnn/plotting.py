"""Pictures of forecasts, in the manner of scikit-learn's Display classes; matplotlib is optional."""

from typing import Any, Self

import pandas as pd

__all__ = ["ForecastDisplay"]


class ForecastDisplay:
    """Draw the history of a series, its forecast, and the truth where it is known.

    Parameters
    ----------
    history : Series
        The series up to the forecast.
    forecast : Series or DataFrame
        The forecast; each column of a DataFrame is a line with its name.
    truth : Series, default=None
        What came to be, at the forecast's stamps. None: not known yet.
    unit : str, default=""
        Unit of the values, for the axis.

    Attributes
    ----------
    ax_ : matplotlib.axes.Axes
        Where it was drawn.
    figure_ : matplotlib.figure.Figure
        The figure of it.

    Raises
    ------
    ImportError
        In `plot`, when matplotlib is not installed.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("agg")
    >>> import pandas as pd
    >>> days = pd.date_range("2026-01-01", periods=4, freq="D")
    >>> series = pd.Series([1.0, 2.0, 3.0, 4.0], index=days)
    >>> ForecastDisplay(series[:3], series[3:], unit="MW").plot().ax_.get_ylabel()
    'MW'
    """

    def __init__(self, history: Any, forecast: Any, truth: Any = None, *, unit: str = "") -> None:
        self.history = history
        self.forecast = forecast
        self.truth = truth
        self.unit = unit

    @classmethod
    def from_backtest(cls, table: pd.DataFrame, history: Any = None, *, unit: str = "") -> Self:
        """Return the display of a table made by `backtest`, the last forecast of each stamp counting.

        Parameters
        ----------
        table : DataFrame
            As `backtest` returns it, of one series.
        history : Series, default=None
            The series before the first test row. None: nothing is drawn before it.
        unit : str, default=""
            Unit of the values, for the axis.
        """
        rows = table.drop_duplicates("time", keep="last").set_index("time").sort_index()
        before = rows["y_true"].iloc[:0] if history is None else history
        return cls(before, rows["y_pred"].rename("forecast"), rows["y_true"], unit=unit)

    def plot(self, ax: Any = None) -> Self:
        """Draw on `ax`, or on a new figure, and return the display."""
        try:
            import matplotlib.pyplot as plt
            from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
        except ImportError as error:
            raise ImportError(
                "ForecastDisplay: plots need matplotlib. Install it: pip install 'tsrnn[plot]'"
            ) from error
        if ax is None:
            _, ax = plt.subplots(figsize=(10, 4), layout="constrained")
        ax.plot(self.history.index, self.history.to_numpy(), color="0.35", lw=1.2, label="history")
        if self.truth is not None:
            ax.plot(self.truth.index, self.truth.to_numpy(), color="0.35", lw=1.2, ls=(0, (2, 1)), label="truth")
        lines = self.forecast.to_frame() if isinstance(self.forecast, pd.Series) else self.forecast
        for number, name in enumerate(lines.columns):
            ax.plot(lines.index, lines[name].to_numpy(), color=f"C{number}", lw=1.6, label=name or "forecast")
        if len(self.history):
            ax.axvline(lines.index[0], color="0.8", lw=0.8, zorder=0)
        ax.set_ylabel(self.unit)
        ax.legend(frameon=False, ncols=4, loc="lower right", bbox_to_anchor=(1, 1), borderaxespad=0.1)
        ax.spines[["top", "right"]].set_visible(False)
        if isinstance(lines.index, pd.DatetimeIndex):
            locator = AutoDateLocator(minticks=4)
            ax.xaxis.set_major_locator(locator)
            ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))
        self.ax_, self.figure_ = ax, ax.figure
        return self
