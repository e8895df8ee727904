"""Measures of prediction intervals: how wide they are, and how often they hold what happens."""

import numpy as np
from numpy.typing import ArrayLike

from tsrnn._outputs import Floats, average, check_forecast
from tsrnn._validation import check_real

__all__ = ["interval_coverage", "interval_score"]


def interval_score(
    y_true: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    *,
    coverage: float,
    sample_weight: ArrayLike | None = None,
    multioutput: str | ArrayLike = "uniform_average",
) -> float | Floats:
    r"""Width of prediction intervals, plus a penalty for what falls outside of them.

    The smallest mean score is that of the true central interval: it pays neither to be too wide nor too narrow.

    Parameters
    ----------
    y_true : array-like of shape (n_steps,) or (n_steps, n_outputs)
        What was observed.
    lower : array-like of shape (n_steps,) or (n_steps, n_outputs)
        Lower ends of the intervals.
    upper : array-like of shape (n_steps,) or (n_steps, n_outputs)
        Upper ends of the intervals, none below its lower end.
    coverage : float
        The share of observations that the intervals are meant to hold, above 0 and below 1.
    sample_weight : array-like of shape (n_steps,), default=None
        Weights of the rows of `y_true`, none below 0. None: all the same.
    multioutput : {"raw_values", "uniform_average"} or array-like of shape (n_outputs,), default="uniform_average"
        One value per output, their mean, or their mean with these weights.

    Returns
    -------
    float or ndarray of shape (n_outputs,)
        The mean score, at least 0, in the unit of `y_true`; less is better.

    Raises
    ------
    InvalidParameterError
        If `coverage` is not between 0 and 1, or `multioutput` is unknown.
    ValueError
        If shapes differ, values are missing or infinite, weights are negative or all zero, or an interval ends below
        its begin.

    See Also
    --------
    interval_coverage : The share that the intervals did hold.

    Notes
    -----
    With :math:`\alpha = 1 - \mathrm{coverage}`, the mean of

    .. math:: (u - l) + \frac{2}{\alpha} \max(l - y, 0) + \frac{2}{\alpha} \max(y - u, 0).

    References
    ----------
    .. [1] T. Gneiting, A. E. Raftery (2007). Strictly proper scoring rules, prediction, and estimation. Journal of the
       American Statistical Association 102(477), 359-378. doi:10.1198/016214506000001437. Equation 43.

    Examples
    --------
    Both intervals are 4 wide; the second observation lies 1 above its interval, which costs 2 / 0.2 = 10:

    >>> from tsrnn import interval_score
    >>> round(interval_score([3, 9], lower=[1, 4], upper=[5, 8], coverage=0.8), 9)
    9.0
    """
    owner = "interval_score"
    share = check_real(owner, "coverage", coverage, low=0, high=1)
    true, low, high, weights = _check_intervals(owner, (y_true, lower, upper), sample_weight)
    outside = np.maximum(low - true, 0) + np.maximum(true - high, 0)
    scores = np.average(high - low + 2 / (1 - share) * outside, axis=0, weights=weights)
    return average(owner, scores, multioutput)


def interval_coverage(
    y_true: ArrayLike,
    lower: ArrayLike,
    upper: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    multioutput: str | ArrayLike = "uniform_average",
) -> float | Floats:
    """Share of the observations that lie in their prediction intervals, ends included.

    Parameters
    ----------
    y_true : array-like of shape (n_steps,) or (n_steps, n_outputs)
        What was observed.
    lower : array-like of shape (n_steps,) or (n_steps, n_outputs)
        Lower ends of the intervals.
    upper : array-like of shape (n_steps,) or (n_steps, n_outputs)
        Upper ends of the intervals, none below its lower end.
    sample_weight : array-like of shape (n_steps,), default=None
        Weights of the rows of `y_true`, none below 0. None: all the same.
    multioutput : {"raw_values", "uniform_average"} or array-like of shape (n_outputs,), default="uniform_average"
        One value per output, their mean, or their mean with these weights.

    Returns
    -------
    float or ndarray of shape (n_outputs,)
        The share, from 0 to 1.

    Raises
    ------
    InvalidParameterError
        If `multioutput` is unknown.
    ValueError
        If shapes differ, values are missing or infinite, weights are negative or all zero, or an interval ends below
        its begin.

    See Also
    --------
    interval_score : A score that also counts how wide they are.

    References
    ----------
    .. [1] P. F. Christoffersen (1998). Evaluating interval forecasts. International Economic Review 39(4), 841-862.
       doi:10.2307/2527341. Unconditional coverage.

    Examples
    --------
    >>> from tsrnn import interval_coverage
    >>> interval_coverage([3, 9, 8, 0], lower=[1, 4, 4, 1], upper=[5, 8, 8, 2])  # the first and the third
    0.5
    """
    owner = "interval_coverage"
    true, low, high, weights = _check_intervals(owner, (y_true, lower, upper), sample_weight)
    inside = (low <= true) & (true <= high)
    return average(owner, np.average(inside.astype(np.float64), axis=0, weights=weights), multioutput)


def _check_intervals(
    owner: str, arrays: tuple[ArrayLike, ArrayLike, ArrayLike], sample_weight: ArrayLike | None
) -> tuple[Floats, Floats, Floats, Floats | None]:
    """Return observations, lower and upper ends as columns of one shape, and the weights of their rows."""
    y_true, lower, upper = arrays
    true, low, weights = check_forecast(owner, y_true, lower, sample_weight, "lower")
    _, high, _ = check_forecast(owner, y_true, upper, None, "upper")
    crossed = np.argwhere(low > high)
    if len(crossed):
        row, column = crossed[0]
        raise ValueError(
            f"{owner}: `lower` exceeds `upper` at row {row}, column {column}: {low[row, column]:g} and "
            f"{high[row, column]:g}. Swap them, or sort the two."
        )
    return true, low, high, weights
