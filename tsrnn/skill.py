"""One forecast against another: how much better it is, and whether that can be chance."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from tsrnn._outputs import Floats
from tsrnn._validation import check_finite, check_int, check_rows
from tsrnn.metrics import mean_absolute_scaled_error, symmetric_mean_absolute_percentage_error

__all__ = ["DieboldMarianoResult", "diebold_mariano", "overall_weighted_average", "skill_score"]


class DieboldMarianoResult(NamedTuple):
    """What `diebold_mariano` returns.

    Parameters
    ----------
    statistic : float
        The mean difference of the losses by its standard error; below 0, the first forecast has the smaller losses.
    p_value : float
        The probability of a statistic at least as far from 0 if both forecasts were equally good.

    Examples
    --------
    >>> DieboldMarianoResult(-2.5, 0.02).p_value
    0.02
    """

    statistic: float
    p_value: float


def skill_score(error: ArrayLike, reference: ArrayLike) -> float | Floats:
    """Share of a reference's error that a forecast avoids: 1 - error / reference.

    Parameters
    ----------
    error : array-like
        The forecast's error, such as its mean absolute error; at least 0.
    reference : array-like
        The reference's error by the same measure on the same steps, such as that of a naive rule; above 0.

    Returns
    -------
    float or ndarray
        1 for a perfect forecast, 0 for one as good as the reference, below 0 for a worse one; no unit.

    Raises
    ------
    ValueError
        If an error is missing, infinite or negative, or a reference is 0.

    References
    ----------
    .. [1] A. H. Murphy (1988). Skill scores based on the mean square error and their relationships to the correlation
       coefficient. Monthly Weather Review 116(12), 2417-2424.
       doi:10.1175/1520-0493(1988)116<2417:SSBOTM>2.0.CO;2. The definition, for any measure that is 0 at best.

    Examples
    --------
    >>> from tsrnn import skill_score
    >>> skill_score(3.0, reference=4.0)
    0.25
    """
    owner = "skill_score"
    own, other = np.asarray(error, dtype=np.float64), np.asarray(reference, dtype=np.float64)
    for name, values in (("error", own), ("reference", other)):
        check_finite(owner, np.atleast_1d(values), name)
    if (own < 0).any() or (other <= 0).any():
        raise ValueError(
            f"{owner}: `error` must not be below 0, and `reference` must be above it; got {error!r} and {reference!r}. "
            "Pass measures that are 0 at best, such as MAE, and a reference that errs."
        )
    skill = 1 - own / other
    return float(skill) if skill.ndim == 0 else skill


def overall_weighted_average(
    y_true: ArrayLike, y_pred: ArrayLike, *, y_reference: ArrayLike, y_train: ArrayLike, season_length: int = 1
) -> float:
    r"""Mean of sMAPE and MASE, each in units of a reference forecast's (OWA): the measure of the M4 competition.

    Parameters
    ----------
    y_true : array-like of shape (n_steps,) or (n_steps, n_outputs)
        What was observed.
    y_pred : array-like of shape (n_steps,) or (n_steps, n_outputs)
        What was forecast.
    y_reference : array-like of shape (n_steps,) or (n_steps, n_outputs)
        What the reference forecast: in M4 "Naive 2", the last value after seasonal adjustment.
    y_train : array-like of shape (n_train_steps,) or (n_train_steps, n_outputs)
        The training series in the order of time, in the same unit; more than `season_length` steps.
    season_length : int, default=1
        Steps in a season, at least 1, for MASE; in M4 24 for hourly series.

    Returns
    -------
    float
        At least 0, without a unit; 0 is perfect, and 1 as good as the reference.

    Raises
    ------
    InvalidParameterError
        If `season_length` is not an integer of at least 1.
    ValueError
        If shapes differ, values are missing or infinite, `y_train` is too short or repeats itself, or the reference is
        perfect.

    See Also
    --------
    mean_absolute_scaled_error, symmetric_mean_absolute_percentage_error : The two measures.

    Notes
    -----
    As in M4, both measures are averaged over the outputs before they are divided:

    .. math:: \frac{1}{2} \left( \frac{\overline{\mathrm{sMAPE}}}{\overline{\mathrm{sMAPE}}_{ref}}
              + \frac{\overline{\mathrm{MASE}}}{\overline{\mathrm{MASE}}_{ref}} \right).

    References
    ----------
    .. [1] S. Makridakis, E. Spiliotis, V. Assimakopoulos (2020). The M4 Competition: 100,000 time series and 61
       forecasting methods. International Journal of Forecasting 36(1), 54-74. doi:10.1016/j.ijforecast.2019.04.014.
       The definition.

    Examples
    --------
    Absolute errors 1 and 1 against 2 and 2: MASE is half the reference's. sMAPE is (2/3 + 2/7) / 2 against
    (2 + 2/3) / 2 with the signs as they are:

    >>> from tsrnn import overall_weighted_average
    >>> value = overall_weighted_average([2, 4], [1, 3], y_reference=[0, 2], y_train=[1, 3, 2])
    >>> round(value, 6) == round((0.5 + (2 / 3 + 2 / 7) / (2 + 2 / 3)) / 2, 6)
    True
    """
    owner = "overall_weighted_average"
    smapes = [symmetric_mean_absolute_percentage_error(y_true, pred) for pred in (y_pred, y_reference)]
    mases = [
        mean_absolute_scaled_error(y_true, pred, y_train=y_train, season_length=season_length)
        for pred in (y_pred, y_reference)
    ]
    for name, (_, reference) in (("sMAPE", smapes), ("MASE", mases)):
        if reference == 0:
            raise ValueError(f"{owner}: the {name} of `y_reference` is 0. Take a reference forecast that errs.")
    return float(smapes[0] / smapes[1] + mases[0] / mases[1]) / 2


def diebold_mariano(losses: ArrayLike, reference_losses: ArrayLike, *, horizon: int = 1) -> DieboldMarianoResult:
    r"""Test whether two forecasts of one series are equally good, with the correction for small samples.

    Parameters
    ----------
    losses : array-like of shape (n_origins,)
        The forecast's loss from each origin, in the order of time: absolute or squared errors, or their mean over the
        steps of an origin.
    reference_losses : array-like of shape (n_origins,)
        The reference's losses from the same origins.
    horizon : int, default=1
        Origins whose forecasts reach over the same steps, at least 1: for forecasts h steps ahead from every step, h;
        for forecasts that do not overlap, 1. Fewer than `n_origins`.

    Returns
    -------
    DieboldMarianoResult
        `statistic`, below 0 where the forecast has the smaller losses, and the two-sided `p_value`.

    Raises
    ------
    InvalidParameterError
        If `horizon` is not an integer of at least 1.
    ValueError
        If lengths differ, losses are missing or infinite, or there are no more origins than `horizon`.

    Notes
    -----
    With the differences :math:`d` of the losses, their mean :math:`\bar d`, their autocovariances
    :math:`\hat\gamma_k`, :math:`n` origins and horizon :math:`h`, Student's t with :math:`n - 1` degrees of freedom for

    .. math:: \sqrt{\frac{n + 1 - 2 h + h (h - 1) / n}{n}} \; \bar d
              \Big/ \sqrt{\frac{1}{n} \Big( \hat\gamma_0 + 2 \sum_{k=1}^{h-1} \hat\gamma_k \Big)}.

    Where that variance is not positive, which happens with few origins, the autocovariances are weighted by
    :math:`1 - k / h` [3]_. Losses that never differ have statistic 0 and p-value 1.

    References
    ----------
    .. [1] F. X. Diebold, R. S. Mariano (1995). Comparing predictive accuracy. Journal of Business & Economic Statistics
       13(3), 253-263. doi:10.1080/07350015.1995.10524599. The test.
    .. [2] D. Harvey, S. Leybourne, P. Newbold (1997). Testing the equality of prediction mean squared errors.
       International Journal of Forecasting 13(2), 281-291. doi:10.1016/S0169-2070(96)00719-4. The correction.
    .. [3] W. K. Newey, K. D. West (1987). A simple, positive semi-definite, heteroskedasticity and autocorrelation
       consistent covariance matrix. Econometrica 55(3), 703-708. doi:10.2307/1913610. The weights.

    Examples
    --------
    >>> from tsrnn import diebold_mariano
    >>> result = diebold_mariano([1.0, 2, 1, 2], [2.0, 4, 2, 4])  # differences -1, -2, -1, -2
    >>> round(result.statistic, 3), round(result.p_value, 3)
    (-5.196, 0.014)
    """
    owner = "diebold_mariano"
    lags = check_int(owner, "horizon", horizon, minimum=1)
    own, other = (_check_losses(owner, *pair) for pair in ((losses, "losses"), (reference_losses, "reference_losses")))
    if len(own) != len(other):
        raise ValueError(
            f"{owner}: `losses` and `reference_losses` must be of the same origins; got {len(own)} and {len(other)}."
        )
    n = len(own)
    if n <= lags:
        raise ValueError(f"{owner}: {n} origins; horizon={lags} needs at least {lags + 1}. Forecast from more origins.")
    differences = own - other
    mean, variance = float(differences.mean()), _variance_of_mean(differences, lags)
    if variance <= 0:
        return DieboldMarianoResult(float(np.copysign(np.inf, mean)), 0.0) if mean else DieboldMarianoResult(0.0, 1.0)
    statistic = mean / np.sqrt(variance) * np.sqrt((n + 1 - 2 * lags + lags * (lags - 1) / n) / n)
    return DieboldMarianoResult(float(statistic), float(2 * stats.t.sf(abs(statistic), n - 1)))


def _variance_of_mean(differences: Floats, lags: int) -> float:
    """Return the variance of the mean of a series whose autocovariances end before `lags`."""
    n = len(differences)
    centred = differences - differences.mean()
    covariances = np.array([centred[k:] @ centred[: n - k] for k in range(lags)]) / n
    # Below this share of the values, the spread is their rounding.
    if covariances[0] <= (1e-13 * np.abs(differences).max()) ** 2:
        return 0.0
    twice = np.where(np.arange(lags) == 0, 1, 2)
    variance = float(twice @ covariances)
    return (variance if variance > 0 else float(twice * (1 - np.arange(lags) / lags) @ covariances)) / n


def _check_losses(owner: str, losses: ArrayLike, name: str) -> Floats:
    values = check_rows(owner, losses, name)
    if values.shape[1] != 1:
        raise ValueError(
            f"{owner}: `{name}` must be of shape (n_origins,); got {np.shape(losses)}. Average over steps and series."
        )
    column: Floats = values[:, 0]
    return column
