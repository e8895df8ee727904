"""How long the seasons of a series are, and how many steps a forecaster should therefore look back."""

import statistics
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tsrnn._validation import check_int, check_rows, invalid_parameter
from tsrnn.windows import check_order

__all__ = ["find_seasons", "suggest_lookback"]

Floats = NDArray[np.float64]

_ENOUGH = 24
"""Steps from which on one season is window enough: the default lookback of `Forecaster`."""

_FEWEST = 8
_LEVEL = 0.05
_LEAST_GAIN = 0.02
_LEAST_RETURN = 0.7


def find_seasons(series: Any, *, max_lag: int | None = None) -> list[int]:
    """Return the lengths of the seasons of a series, from its autocorrelation.

    ::

        lag                 0    12    24    36    48    60   ...   168    a series of hours: 24 is the day,
        autocorrelation     1   -.4    .8   -.4    .7   -.4          .9    48 repeats it, 168 is the week

    Parameters
    ----------
    series : Series, one-column DataFrame or array of shape (n_steps,)
        Finite values at regular steps, at least 8.
    max_lag : int, default=None
        Longest season looked for, in steps, at least 2. None: a third of the series, so that a season is seen three
        times.

    Returns
    -------
    list of int
        Lengths in steps, ascending; empty if there are none. The last one is the dominant season.

    Raises
    ------
    InvalidParameterError
        For a `max_lag` below 2 or above half of the series.
    TypeError, ValueError
        For a series that is not one column of finite numbers in order of time, or shorter than 8 steps.

    See Also
    --------
    suggest_lookback : The number of steps that holds whole seasons.

    Notes
    -----
    A season is a lag p at which the autocorrelation r has a peak, the highest value from p - p/3 to p + p/3, with three
    properties.

    - It is significant: above the bound of Bartlett, for a series whose memory ends where r first falls to zero, at the
      level 5 % divided by the number of lags (Bonferroni), and by as much above the lowest r before it.
    - It returns: r is 0.7 or more of the depth of the lowest r from p/3 to 2 p/3. If the series only swings, it fades.
    - It says more than any shorter season: r, corrected for the n - p pairs of values that it is made of, is higher by
      more than the bound, or by more than half of what the shorter one leaves of 1, and by 0.02 at least. Otherwise
      every multiple of a season would be one.

    Noise moves the flat top of a peak: of the lags up to p/8 away that are not significantly lower, the one is taken
    whose first eight multiples, as far as they are looked at, have the highest mean r.

    r is that of the series without its linear trend. If this shows no season, r of the differences between steps is
    looked at, from lag 4 on, which another trend or a random walk does not hide.

    The bound asks for repetitions: a pure sine is found when it is seen about five times, a sharper shape earlier.

    Time and memory grow as n log n: r is computed by fast Fourier transform.

    References
    ----------
    M. S. Bartlett (1946). On the theoretical specification and sampling properties of autocorrelated time-series.
    Supplement to the Journal of the Royal Statistical Society 8(1), 27-41. https://doi.org/10.2307/2983611. The bound.

    Examples
    --------
    >>> from tsrnn import load_electricity_demand
    >>> find_seasons(load_electricity_demand())  # of half-hours: a day and a week
    [48, 336]
    """
    values, longest = _read("find_seasons", series, max_lag)
    if _is_flat(values):
        return []
    # Differences of noise alone make peaks at the lags 2 and 3.
    return _seasons(_detrended(values), longest) or [lag for lag in _seasons(np.diff(values), longest) if lag > 3]


def suggest_lookback(series: Any, *, max_lag: int | None = None) -> int:
    """Return how many steps a forecaster of a series should look back.

    ::

        season       1 [────── 20 ──────] 2 [────── 20 ──────]          a season of 20 steps is short:
        window         [───────────── L=40 ─────────────────]           two of them

    Parameters
    ----------
    series : Series, one-column DataFrame or array of shape (n_steps,)
        Finite values at regular steps, at least 8.
    max_lag : int, default=None
        Longest season looked for, in steps, at least 2. None: a third of the series.

    Returns
    -------
    int
        Steps, at least 1. With a season, the fewest whole dominant seasons (the last of `find_seasons`) that have 24
        steps or more, but no more than a third of the series and one season at least. Without a season, the order of
        the series' autoregression by Schwarz' criterion: 1 for white noise and for a random walk.

    Raises
    ------
    InvalidParameterError
        For a `max_lag` below 2 or above half of the series.
    TypeError, ValueError
        For a series that is not one column of finite numbers in order of time, or shorter than 8 steps.

    See Also
    --------
    find_seasons : The seasons, and how they are found.

    Notes
    -----
    A window of whole seasons holds every phase equally often, and the values one season before each step of a horizon
    up to a season. It is where to begin, not the best of all: a longer one may be better, and `lookback` can be
    searched like any other parameter. The order of the autoregression is looked for up to 10 log10(n) lags, with
    Burg's partial autocorrelations.

    References
    ----------
    G. Schwarz (1978). Estimating the dimension of a model. The Annals of Statistics 6(2), 461-464.
    https://doi.org/10.1214/aos/1176344136. The criterion, n log(variance left) + k log n for the order k.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn import load_electricity_demand
    >>> suggest_lookback(load_electricity_demand())
    336
    >>> suggest_lookback(np.sin(2 * np.pi * np.arange(400) / 20))
    40
    """
    seasons = find_seasons(series, max_lag=max_lag)
    values, longest = _read("suggest_lookback", series, max_lag)
    if not seasons:
        return _order(values, longest)
    dominant = seasons[-1]
    wanted = -(-_ENOUGH // dominant)
    return dominant * max(1, min(wanted, len(values) // 3 // dominant))


def _read(owner: str, series: Any, max_lag: int | None) -> tuple[Floats, int]:
    """Return the checked values (n_steps,) and the longest lag to be looked at."""
    rows = check_rows(owner, series, "series")
    check_order(owner, series)
    if rows.shape[1] != 1:
        raise ValueError(f"{owner}: the series must have one column; got {rows.shape[1]}. Pass them one by one.")
    n = len(rows)
    if n < _FEWEST:
        raise ValueError(f"{owner}: the series must have at least {_FEWEST} steps; got {n}. Pass a longer one.")
    values = rows[:, 0] / max(float(np.abs(rows).max()), np.finfo(np.float64).tiny)  # squares must not overflow
    if max_lag is None:
        return values, n // 3
    if check_int(owner, "max_lag", max_lag, minimum=2) > n // 2:
        raise invalid_parameter(owner, "max_lag", f"at most {n // 2}, half of the series", max_lag)
    return values, int(max_lag)


def _is_flat(values: Floats) -> bool:
    """Say whether the series is a straight line, but for rounding."""
    return bool(np.ptp(_detrended(values)) <= 1e-9 * np.abs(values).max())


def _detrended(values: Floats) -> Floats:
    """Return what a straight line leaves of `values`."""
    time = np.arange(len(values)) - (len(values) - 1) / 2
    centred = values - values.mean()
    return np.asarray(centred - time * (time @ centred) / (time @ time))


def _bound(n_lags: int) -> float:
    """Return how many standard deviations a correlation must have, to be significant among `n_lags`."""
    return statistics.NormalDist().inv_cdf(1 - _LEVEL / n_lags)


def _seasons(values: Floats, longest: int) -> list[int]:
    """Return the lags of the peaks of the autocorrelation that are seasons, ascending."""
    from statsmodels.tsa.stattools import acf

    n = len(values)
    r = np.asarray(acf(values, nlags=longest + 1, fft=True))
    memory = 1 + int(np.argmax(np.append(r[1:] <= 0, True)))
    bound = _bound(longest) * float(np.sqrt((1 + 2 * np.square(r[1 : memory + 1]).sum()) / n))
    corrected = r * n / (n - np.arange(len(r)))
    found: list[int] = []
    most = -np.inf
    for lag in _peaks(r, bound):
        gain = max(min(bound * n / (n - lag), (1 - most) / 2), _LEAST_GAIN)
        if corrected[lag] > most + gain:
            found.append(_refined(corrected, lag, bound))
            most = corrected[lag]
    return found


def _peaks(r: Floats, bound: float) -> list[int]:
    """Return the lags from 2 on at which `r` has a peak: above `bound`, and so much above a lag before."""
    inner = np.arange(2, len(r) - 1)
    rise = r[inner] - np.minimum.accumulate(r[1:])[inner - 2]
    high = inner[(r[inner] > bound) & (rise > bound) & (r[inner] >= r[inner - 1]) & (r[inner] >= r[inner + 1])]
    highest = [int(lag) for lag in high if r[lag] >= r[lag - lag // 3 : lag + lag // 3 + 1].max()]
    # What repeats comes back to its own height; the memory of a series that swings fades.
    return [lag for lag in highest if r[lag] >= -_LEAST_RETURN * r[max(1, lag // 3) : lag - lag // 3].min()]


def _refined(r: Floats, lag: int, bound: float) -> int:
    """Return the lag near a peak whose first multiples have the highest mean `r`: noise moves a flat top a little."""
    near = np.arange(lag - lag // 8, min(lag + lag // 8, len(r) - 2) + 1)
    near = near[r[near] > r[lag] - bound]
    n_multiples = min(8, (len(r) - 1) // int(near[-1]))
    return int(max(near, key=lambda p: (r[p * np.arange(1, n_multiples + 1)].mean(), r[p])))


def _order(values: Floats, longest: int) -> int:
    """Return the order of the autoregression with the least information criterion of Schwarz, at least 1."""
    from statsmodels.tsa.stattools import pacf

    if _is_flat(values):
        return 1
    n, n_lags = len(values), min(longest, int(10 * np.log10(len(values))))
    partial = np.asarray(pacf(values - values.mean(), nlags=n_lags, method="burg"))[1:]
    left = np.cumsum(np.log(np.maximum(1 - np.square(partial), 1e-12)))  # log of the share of the variance
    return 1 + int(np.argmin(n * left + np.arange(1, n_lags + 1) * np.log(n)))
