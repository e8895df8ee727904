"""What the errors of a forecast still hold: structure over time, bias, changing spread."""

from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from tsrnn._validation import check_int, check_real, check_rows

__all__ = ["residual_diagnostics"]

Floats: TypeAlias = NDArray[np.float64]

_COLUMNS = ["step", "series", "y_true", "y_pred"]


def residual_diagnostics(residuals: Any, *, step: int = 1, n_lags: int = 10, level: float = 0.05) -> pd.DataFrame:
    """Test the residuals of a forecast for autocorrelation, bias and changing spread.

    Parameters
    ----------
    residuals : DataFrame, or array-like of shape (n_steps,) or (n_steps, n_targets)
        The table of `backtest`, whose residuals y_true - y_pred at `step` are taken for each series in the order of
        the folds; or residuals in the order of time. At least 2 * `n_lags` + 2 of each series.
    step : int, default=1
        Steps after the origin, at least 1. Beyond 1, forecasts that overlap have correlated errors even if they are as
        good as can be. With an array, the step at which its residuals were made.
    n_lags : int, default=10
        Lags of the tests for autocorrelation and changing spread, at least 1; two seasons, if there is one.
    level : float, default=0.05
        The p-value, above 0 and below 1, under which a verdict says that something was found.

    Returns
    -------
    DataFrame
        Rows for each series and test; statistic (no unit), p_value, and a verdict in words.

    Raises
    ------
    InvalidParameterError
        If `step`, `n_lags` or `level` is outside its range.
    ValueError
        If there are too few residuals or they are constant, or values are missing, or a table has no such step.

    Notes
    -----
    autocorrelation: Ljung and Box's test of the first `n_lags` autocorrelations [1]_. bias: the mean by its standard
    error, which allows for autocorrelation [2]_ up to lag ``max(step - 1, int(4 * (n / 100) ** (2 / 9)))``.
    heteroscedasticity: Engle's test whether squared residuals, about their mean, follow from the `n_lags` before [3]_.
    One test in twenty finds something by chance at the default level.

    References
    ----------
    .. [1] G. M. Ljung, G. E. P. Box (1978). On a measure of lack of fit in time series models. Biometrika 65(2),
       297-303. doi:10.1093/biomet/65.2.297.
    .. [2] W. K. Newey, K. D. West (1987). A simple, positive semi-definite, heteroskedasticity and autocorrelation
       consistent covariance matrix. Econometrica 55(3), 703-708. doi:10.2307/1913610.
    .. [3] R. F. Engle (1982). Autoregressive conditional heteroscedasticity with estimates of the variance of United
       Kingdom inflation. Econometrica 50(4), 987-1007. doi:10.2307/1912773.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn import residual_diagnostics
    >>> noise = np.random.default_rng(0).normal(size=200)
    >>> residual_diagnostics(noise + 1.0)["verdict"].loc[0, "bias"]
    'biased: the truth is higher by 1.02 on average'
    """
    owner = "residual_diagnostics"
    check_int(owner, "step", step, minimum=1)
    check_int(owner, "n_lags", n_lags, minimum=1)
    check_real(owner, "level", level, low=0, high=1)
    tables = {}
    for name, values in _by_series(owner, residuals, step).items():
        _check_residuals(owner, name, values, n_lags)
        tables[name] = _tests(values, step, n_lags, level)
    rows = [(name, test, *row) for name, table in tables.items() for test, row in table.items()]
    index = pd.MultiIndex.from_tuples([row[:2] for row in rows], names=["series", "test"])
    return pd.DataFrame([row[2:] for row in rows], index=index, columns=["statistic", "p_value", "verdict"])


def _by_series(owner: str, residuals: Any, step: int) -> dict[Any, Floats]:
    """Return the residuals of each series in the order of time."""
    if not (isinstance(residuals, pd.DataFrame) and set(_COLUMNS) <= set(residuals.columns)):
        rows = check_rows(owner, residuals, "residuals")
        names = residuals.columns if isinstance(residuals, pd.DataFrame) else range(rows.shape[1])
        return dict(zip(names, rows.T, strict=True))
    chosen = residuals[residuals["step"] == step]
    if chosen.empty:
        steps = sorted(set(residuals["step"]))
        raise ValueError(f"{owner}: the table has no step {step}; its steps go from {steps[0]} to {steps[-1]}.")
    errors = check_rows(owner, chosen["y_true"] - chosen["y_pred"], "residuals")[:, 0]
    groups = chosen.groupby("series", sort=False).indices
    return {name: errors[rows] for name, rows in groups.items()}


def _check_residuals(owner: str, name: Any, values: Floats, n_lags: int) -> None:
    if len(values) <= 2 * n_lags + 1:
        raise ValueError(
            f"{owner}: series {name!r} has {len(values)} residuals; n_lags={n_lags} needs at least {2 * n_lags + 2}. "
            "Forecast from more origins, or lower `n_lags`."
        )
    if np.ptp(values) <= 1e-13 * np.abs(values).max():
        raise ValueError(
            f"{owner}: the residuals of series {name!r} are constant, {values[0]:g}: there is nothing to test."
        )


def _tests(values: Floats, step: int, n_lags: int, level: float) -> dict[str, tuple[float, float, str]]:
    """Return statistic, p-value and verdict of each test."""
    from statsmodels.regression.linear_model import OLS
    from statsmodels.stats.diagnostic import acorr_ljungbox

    box = acorr_ljungbox(values, lags=[n_lags]).iloc[0]
    lags = max(step - 1, int(4 * (len(values) / 100) ** (2 / 9)))
    mean = OLS(values, np.ones(len(values))).fit(cov_type="HAC", cov_kwds={"maxlags": lags}, use_t=True)
    arch = _share_explained((values - values.mean()) ** 2, n_lags) * (len(values) - n_lags)
    side = "higher" if values.mean() > 0 else "lower"
    found = {
        "autocorrelation": (
            float(box["lb_stat"]),
            float(box["lb_pvalue"]),
            "autocorrelated: earlier errors tell of later ones; try a longer lookback or more inputs",
        ),
        "bias": (
            float(mean.tvalues[0]),
            float(mean.pvalues[0]),
            f"biased: the truth is {side} by {abs(values.mean()):.3g} on average",
        ),
        "heteroscedasticity": (
            arch,
            float(stats.chi2.sf(arch, n_lags)),
            "spread changes: large errors follow large ones; intervals of one width are too wide or too narrow in turn",
        ),
    }
    return {
        test: (value, p, words if p < level else f"no {test} found at the level {level:g}")
        for test, (value, p, words) in found.items()
    }


def _share_explained(squares: Floats, n_lags: int) -> float:
    """Return R^2 of a regression of `squares` on the `n_lags` values before each; 0 where they are all the same."""
    from statsmodels.regression.linear_model import OLS

    if np.ptp(squares) <= 1e-12 * squares.max():
        return 0.0
    # (n_steps - n_lags, n_lags + 1), each row in the order of time: what goes before, and the value.
    rows = np.lib.stride_tricks.sliding_window_view(squares, n_lags + 1)
    inputs = np.column_stack([np.ones(len(rows)), rows[:, :-1]])
    return float(OLS(rows[:, -1], inputs).fit().rsquared)
