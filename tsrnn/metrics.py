"""Measures of a forecast that scikit-learn does not have.

All take `(n_steps,)` or `(n_steps, n_outputs)`, weight rows and average outputs as scikit-learn's metrics do.
"""

import numpy as np
from numpy.typing import ArrayLike

from tsrnn._outputs import Floats, average, check_forecast
from tsrnn._validation import check_int, check_rows

__all__ = [
    "mean_absolute_scaled_error",
    "root_mean_squared_scaled_error",
    "symmetric_mean_absolute_percentage_error",
]


def mean_absolute_scaled_error(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    y_train: ArrayLike,
    season_length: int = 1,
    sample_weight: ArrayLike | None = None,
    multioutput: str | ArrayLike = "uniform_average",
) -> float | Floats:
    r"""Mean absolute error in units of the error of the (seasonal) naive rule on the training series (MASE).

    Below 1, the forecast errs less than the rule "the same as `season_length` steps ago" did, one season ahead, on the
    training series. It has no unit, and compares series of different scale.

    Parameters
    ----------
    y_true : array-like of shape (n_steps,) or (n_steps, n_outputs)
        What was observed.
    y_pred : array-like of shape (n_steps,) or (n_steps, n_outputs)
        What was forecast.
    y_train : array-like of shape (n_train_steps,) or (n_train_steps, n_outputs)
        The training series in the order of time, in the same unit; more than `season_length` steps.
    season_length : int, default=1
        Steps in a season, at least 1; 1 compares with "the same as one step ago".
    sample_weight : array-like of shape (n_steps,), default=None
        Weights of the rows of `y_true`, none below 0. None: all the same.
    multioutput : {"raw_values", "uniform_average"} or array-like of shape (n_outputs,), default="uniform_average"
        One value per output, their mean, or their mean with these weights.

    Returns
    -------
    float or ndarray of shape (n_outputs,)
        The error, at least 0, without a unit; 0 is perfect.

    Raises
    ------
    ValueError
        If shapes differ, values are missing or infinite, weights are negative or all zero, or `y_train` is too short,
        or so regular that the naive rule has no error on it.
    TypeError
        If `season_length` or `multioutput` has a wrong type.

    See Also
    --------
    root_mean_squared_scaled_error : The same with squared errors, which a few large errors dominate.

    Notes
    -----
    With :math:`n` training steps and season :math:`m`,

    .. math:: \frac{\frac{1}{H} \sum_{h=1}^{H} |y_{n+h} - \hat y_{n+h}|}
              {\frac{1}{n-m} \sum_{t=m+1}^{n} |y_t - y_{t-m}|}.

    References
    ----------
    .. [1] R. J. Hyndman, A. B. Koehler (2006). Another look at measures of forecast accuracy. International Journal of
       Forecasting 22(4), 679-688. doi:10.1016/j.ijforecast.2006.03.001. The definition with m = 1.
    .. [2] S. Makridakis, E. Spiliotis, V. Assimakopoulos (2020). The M4 Competition: 100,000 time series and 61
       forecasting methods. International Journal of Forecasting 36(1), 54-74. doi:10.1016/j.ijforecast.2019.04.014.
       The seasonal scale.

    Examples
    --------
    The naive rule erred by 2, 1 and 3 on the training series, by 2 on average; the forecast by 1 and 2:

    >>> from tsrnn.metrics import mean_absolute_scaled_error
    >>> mean_absolute_scaled_error([5, 8], [4, 10], y_train=[1, 3, 2, 5])
    0.75
    """
    owner = "mean_absolute_scaled_error"
    true, pred, weights = check_forecast(owner, y_true, y_pred, sample_weight)
    changes = _seasonal_changes(owner, y_train, season_length, true.shape[1])
    scale = np.abs(changes).mean(axis=0)
    errors = np.average(np.abs(true - pred), axis=0, weights=weights)
    return average(owner, errors / scale, multioutput)


def root_mean_squared_scaled_error(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    y_train: ArrayLike,
    season_length: int = 1,
    sample_weight: ArrayLike | None = None,
    multioutput: str | ArrayLike = "uniform_average",
) -> float | Floats:
    r"""Root mean squared error in units of that of the (seasonal) naive rule on the training series (RMSSE).

    Parameters
    ----------
    y_true : array-like of shape (n_steps,) or (n_steps, n_outputs)
        What was observed.
    y_pred : array-like of shape (n_steps,) or (n_steps, n_outputs)
        What was forecast.
    y_train : array-like of shape (n_train_steps,) or (n_train_steps, n_outputs)
        The training series in the order of time, in the same unit; more than `season_length` steps.
    season_length : int, default=1
        Steps in a season, at least 1; 1 compares with "the same as one step ago".
    sample_weight : array-like of shape (n_steps,), default=None
        Weights of the rows of `y_true`, none below 0. None: all the same.
    multioutput : {"raw_values", "uniform_average"} or array-like of shape (n_outputs,), default="uniform_average"
        One value per output, their mean, or their mean with these weights.

    Returns
    -------
    float or ndarray of shape (n_outputs,)
        The error, at least 0, without a unit; 0 is perfect.

    Raises
    ------
    ValueError
        If shapes differ, values are missing or infinite, weights are negative or all zero, or `y_train` is too short,
        or so regular that the naive rule has no error on it.
    TypeError
        If `season_length` or `multioutput` has a wrong type.

    See Also
    --------
    mean_absolute_scaled_error : The same with absolute errors.

    Notes
    -----
    With :math:`n` training steps and season :math:`m`,

    .. math:: \sqrt{\frac{\frac{1}{H} \sum_{h=1}^{H} (y_{n+h} - \hat y_{n+h})^2}
              {\frac{1}{n-m} \sum_{t=m+1}^{n} (y_t - y_{t-m})^2}}.

    Each output has its own root; the average over outputs comes after it.

    References
    ----------
    .. [1] R. J. Hyndman, A. B. Koehler (2006). Another look at measures of forecast accuracy. International Journal of
       Forecasting 22(4), 679-688. doi:10.1016/j.ijforecast.2006.03.001. Scaled errors, whose squares are taken here.
    .. [2] S. Makridakis, E. Spiliotis, V. Assimakopoulos (2022). M5 accuracy competition: Results, findings, and
       conclusions. International Journal of Forecasting 38(4), 1346-1364. doi:10.1016/j.ijforecast.2021.11.013. The
       definition with m = 1.

    Examples
    --------
    The naive rule erred by 1 and 2 on the training series, its mean square is 2.5; the forecast by 2 and 4, which
    makes 10, four times as much:

    >>> from tsrnn.metrics import root_mean_squared_scaled_error
    >>> root_mean_squared_scaled_error([5, 9], [3, 5], y_train=[1, 2, 4])
    2.0
    """
    owner = "root_mean_squared_scaled_error"
    true, pred, weights = check_forecast(owner, y_true, y_pred, sample_weight)
    changes = _seasonal_changes(owner, y_train, season_length, true.shape[1])
    scale = np.sqrt((changes**2).mean(axis=0))
    errors = np.sqrt(np.average((true - pred) ** 2, axis=0, weights=weights))
    return average(owner, errors / scale, multioutput)


def symmetric_mean_absolute_percentage_error(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    multioutput: str | ArrayLike = "uniform_average",
) -> float | Floats:
    r"""Mean of absolute errors, each divided by the mean size of observation and forecast (sMAPE), as a fraction.

    Parameters
    ----------
    y_true : array-like of shape (n_steps,) or (n_steps, n_outputs)
        What was observed.
    y_pred : array-like of shape (n_steps,) or (n_steps, n_outputs)
        What was forecast.
    sample_weight : array-like of shape (n_steps,), default=None
        Weights of the rows of `y_true`, none below 0. None: all the same.
    multioutput : {"raw_values", "uniform_average"} or array-like of shape (n_outputs,), default="uniform_average"
        One value per output, their mean, or their mean with these weights.

    Returns
    -------
    float or ndarray of shape (n_outputs,)
        A fraction from 0 (perfect) to 2, as `sklearn.metrics.mean_absolute_percentage_error` returns one: 0.05 is
        what papers print as 5 %.

    Raises
    ------
    ValueError
        If shapes differ, values are missing or infinite, or weights are negative or all zero.
    TypeError
        If `multioutput` has a wrong type.

    Notes
    -----
    .. math:: \frac{1}{H} \sum_{h=1}^{H} \frac{2 \, |y_h - \hat y_h|}{|y_h| + |\hat y_h|}

    A step at which both are 0 counts as 0. A step at which one of them is 0 counts as 2, whatever the other is: for
    series that touch zero, take `mean_absolute_scaled_error`. It is not symmetric either: a forecast that is too low
    costs more than one that is as much too high.

    References
    ----------
    .. [1] S. Makridakis (1993). Accuracy measures: theoretical and practical concerns. International Journal of
       Forecasting 9(4), 527-529. doi:10.1016/0169-2070(93)90079-3. The measure,
       for positive values.
    .. [2] S. Makridakis, E. Spiliotis, V. Assimakopoulos (2020). The M4 Competition: 100,000 time series and 61
       forecasting methods. International Journal of Forecasting 36(1), 54-74. doi:10.1016/j.ijforecast.2019.04.014.
       This form of it, there in percent.

    Examples
    --------
    >>> from tsrnn.metrics import symmetric_mean_absolute_percentage_error
    >>> symmetric_mean_absolute_percentage_error([3, 0], [1, 0])  # (2 * 2 / 4 + 0) / 2
    0.5
    """
    owner = "symmetric_mean_absolute_percentage_error"
    true, pred, weights = check_forecast(owner, y_true, y_pred, sample_weight)
    size = np.abs(true) + np.abs(pred)
    shares = np.divide(2 * np.abs(true - pred), size, out=np.zeros_like(size), where=size > 0)
    return average(owner, np.average(shares, axis=0, weights=weights), multioutput)


def _seasonal_changes(owner: str, y_train: ArrayLike, season_length: int, n_outputs: int) -> Floats:
    """Return the errors of the seasonal naive rule on the training series."""
    season = check_int(owner, "season_length", season_length, minimum=1)
    train = check_rows(owner, y_train, "y_train")
    if train.shape[1] != n_outputs:
        raise ValueError(
            f"{owner}: y_train must have as many outputs as y_true, {n_outputs}; got {train.shape[1]}. "
            "Pass one training series per column."
        )
    if len(train) <= season:
        raise ValueError(
            f"{owner}: y_train has {len(train)} steps; season_length={season} needs at least {season + 1}. "
            "Pass a longer series, or lower `season_length`."
        )
    changes: Floats = train[season:] - train[:-season]
    # Below this share of the values, changes are their rounding.
    constant = np.flatnonzero(np.abs(changes).max(axis=0) <= 1e-13 * np.abs(train).max(axis=0))
    if len(constant):
        raise ValueError(
            f"{owner}: y_train is constant, or repeats itself each season, in column {constant[0]}: the naive rule has "
            "no error to compare with. Use a metric without a scale, such as mean_absolute_error."
        )
    return changes
