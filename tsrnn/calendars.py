"""What the calendar says of a time stamp, as numbers that a model can read and that are known for all the future."""

import datetime
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from tsrnn._time_axis import TimeIndex
from tsrnn._validation import check_int, check_option, invalid_parameter, kept_whole, name_of

__all__ = ["CalendarFeatures"]

_CYCLES = {"hour": 24, "weekday": 7, "day_of_year": 366, "month": 12}
_FIRST = {"hour": 0, "weekday": 0, "day_of_year": 1, "month": 1}
_DAY = pd.Timedelta(days=1)


class CalendarFeatures(TransformerMixin, BaseEstimator):
    """Turn time stamps into the hour of the day, the day of the week, the time of the year, and holidays.

    ::

        stamp       Fri 22:00   Fri 23:00   Sat 00:00   Sat 01:00       local clock time
        hour            22          23           0           1          as sine and cosine: 23 and 0 are neighbours
        weekday          4           4           5           5          0 is Monday

    Parameters
    ----------
    features : sequence of {"hour", "weekday", "day_of_year", "month"} or "auto", default="auto"
        What is read from a stamp. "auto": what varies from step to step of the rows seen in `fit` and is not said by
        another: "hour" for steps shorter than a day, "weekday" shorter than a week, "day_of_year" shorter than 28 days
        and "month" from there on to less than a year; with one-hot encoding "month" in place of "day_of_year".
    encoding : {"cyclic", "onehot"}, default="cyclic"
        "cyclic": the sine and cosine of the position in the cycle; "onehot": one column of 0 and 1 for each hour, day
        of the week, day of the year or month, whether the rows hold it or not.
    n_harmonics : int, default=1
        Pairs of sine and cosine for each feature, with 1, 2, ... periods in the cycle. The weekday has 3 at most and
        the month 5, as further ones would repeat these.
    holidays : str, pair of str, or sequence of dates, default=None
        For a column "holiday", which is 1 if the local day of a stamp is one. A country, such as "GB", or a country
        and its subdivision, such as ("US", "NY"), as the package holidays knows them; or the dates themselves, which
        need no package. None: no such column.

    Attributes
    ----------
    features_ : list of str
        The features in use.
    time_zone_ : str or None
        The zone whose clock counts, that of the rows seen in `fit`; None for stamps without one and for periods.

    Raises
    ------
    InvalidParameterError
        In `fit`, for a parameter outside its range.
    TypeError
        For data without a DatetimeIndex or PeriodIndex.
    ValueError
        For no rows, a missing stamp, a single stamp whose step "auto" cannot know, or a zone other than in `fit`.
    ImportError
        For the holidays of a country, if the package holidays is not installed.

    Notes
    -----
    Only the index is read; a DataFrame need not have a column. The time of the local clock counts: days begin at local
    midnight, and the hour repeats when the clocks go back. A period counts from its start. Minutes and seconds are
    fractions of an hour for the cyclic encoding. February 29 makes the cycle of its year a day longer.

    `fit` learns the list of features and the zone, nothing else, so that rows of the future may be longer or shorter. A
    feature whose cycle is longer than the series, such as the day of the year in a series of twelve weeks, tells the
    trend and misleads beyond it: name the others in `features`.

    Examples
    --------
    >>> import pandas as pd
    >>> hours = pd.date_range("2026-01-02 20:00", periods=3, freq="4h")
    >>> calendar = CalendarFeatures(["hour"], holidays=["2026-01-03"])
    >>> calendar.fit_transform(pd.DataFrame(index=hours)).round(2)
                         hour_sin_1  hour_cos_1  holiday
    2026-01-02 20:00:00       -0.87         0.5      0.0
    2026-01-03 00:00:00        0.00         1.0      1.0
    2026-01-03 04:00:00        0.87         0.5      1.0
    """

    def __init__(
        self, features: Any = "auto", *, encoding: str = "cyclic", n_harmonics: int = 1, holidays: Any = None
    ) -> None:
        self.features = features
        self.encoding = encoding
        self.n_harmonics = n_harmonics
        self.holidays = holidays

    def fit(self, X: Any, y: Any = None) -> Self:
        """Decide which features to give, by the step and the zone of the index of `X`; `y` is ignored."""
        with kept_whole(self):
            check_option(self, "encoding", self.encoding, ["cyclic", "onehot"])
            self._n_harmonics = check_int(self, "n_harmonics", self.n_harmonics, minimum=1)
            index = _index_of(self, X)
            stamps = _clock(index)
            self._holidays = _Holidays(self, self.holidays)
            self._holidays.days_near(stamps)
            self.features_ = self._check_features(index, stamps)
            self.time_zone_ = _zone(index)
        return self

    def transform(self, X: Any) -> pd.DataFrame:
        """Return the features of each row.

        Parameters
        ----------
        X : DataFrame, Series, DatetimeIndex or PeriodIndex of length n_steps
            The stamps, or rows that have them as their index; the values are not read.

        Returns
        -------
        pandas.DataFrame of shape (n_steps, n_features)
            Float64, with the index of `X`; sine and cosine lie between -1 and 1, all others are 0 or 1.
        """
        check_is_fitted(self)
        index = _index_of(self, X)
        self._check_zone(index)
        stamps = _clock(index)
        parts = [self._encode(name, stamps) for name in self.features_]
        days = self._holidays.days_near(stamps)
        if days is not None:
            parts.append(stamps.normalize().isin(days)[:, None].astype(np.float64))
        return pd.DataFrame(np.hstack(parts), index=index, columns=self.get_feature_names_out())

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Return the names of the columns, such as "hour_sin_1" or "weekday_0"; `input_features` is ignored."""
        check_is_fitted(self)
        names = [f"{name}_{part}" for name in self.features_ for part in self._parts(name)]
        return np.array(names + ["holiday"] * (self._holidays.given), dtype=object)

    def _parts(self, name: str) -> list[str]:
        if self.encoding == "cyclic":
            return [f"{wave}_{k}" for k in self._harmonics(name) for wave in ("sin", "cos")]
        return [str(number + _FIRST[name]) for number in range(_CYCLES[name])]

    def _harmonics(self, name: str) -> range:
        return range(1, min(self._n_harmonics, (_CYCLES[name] - 1) // 2) + 1)

    def _encode(self, name: str, stamps: pd.DatetimeIndex) -> NDArray[np.float64]:
        """Return the columns of one feature, (n_steps, n_parts)."""
        if self.encoding == "onehot":
            return np.asarray(_number(name, stamps)[:, None] == np.arange(_CYCLES[name]), dtype=np.float64)
        angles = 2 * np.pi * _phase(name, stamps)[:, None] * np.array(self._harmonics(name))
        return np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(len(stamps), -1)

    def _check_features(self, index: TimeIndex, stamps: pd.DatetimeIndex) -> list[str]:
        options = list(_CYCLES)
        if isinstance(self.features, str):
            if self.features != "auto":
                constraint = f'"auto" or a sequence of {options}'
                raise invalid_parameter(self, "features", constraint, self.features, "Put a single one into a list.")
            names = _varying(_step(self, index, stamps), self.encoding)
        else:
            names = [check_option(self, "features", name, options) for name in self._listed()]
        if len(set(names)) < len(names):
            raise invalid_parameter(self, "features", "a sequence without repeats", self.features)
        if not (names or self._holidays.given):
            raise invalid_parameter(
                self,
                "features",
                "a sequence of at least one feature that varies",
                self.features,
                f"Name some of {options}.",
            )
        return names

    def _listed(self) -> list[Any]:
        try:
            return list(self.features)
        except TypeError:
            constraint = f'"auto" or a sequence of {list(_CYCLES)}'
            raise invalid_parameter(self, "features", constraint, self.features) from None

    def _check_zone(self, index: TimeIndex) -> None:
        zone = _zone(index)
        if zone != self.time_zone_:
            raise ValueError(
                f"{name_of(self)}: the index must have the time zone {self.time_zone_} as in `fit`; got {zone}. "
                "Use `tz_convert`, or `tz_localize` for stamps without a zone: the hour is that of the local clock."
            )

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.no_validation = True  # values are not read
        return tags


class _Holidays:
    """The holidays that a parameter names: of a country, by years, or dates as they are."""

    def __init__(self, owner: object, value: Any) -> None:
        self.given = value is not None
        self._owner = name_of(owner)
        self._value = value
        self._country = _country_of(value)
        self._days = self._read_dates() if self.given and self._country is None else None

    def days_near(self, stamps: pd.DatetimeIndex) -> pd.DatetimeIndex | None:
        """Return the local midnights of all holidays in the years of `stamps`, or more; None without holidays."""
        if self._country is None:
            return self._days
        package = _import_holidays(self._owner)
        country, subdivision = self._country
        years = range(int(stamps.year.min()) - 1, int(stamps.year.max()) + 2)
        try:
            found = package.country_holidays(country, subdiv=subdivision, years=years)
        except NotImplementedError as error:
            constraint = "a country that the package holidays knows, with its subdivision if any"
            raise invalid_parameter(self._owner, "holidays", constraint, self._value, str(error)) from error
        return pd.DatetimeIndex([pd.Timestamp(day) for day in found])

    def _read_dates(self) -> pd.DatetimeIndex:
        try:
            dates = [] if isinstance(self._value, str) else list(self._value)
            if isinstance(self._value, str) or not all(isinstance(d, _DATES) and not pd.isna(d) for d in dates):
                raise TypeError
            days = [pd.Timestamp(date).tz_localize(None).normalize() for date in dates]
        except (TypeError, ValueError):
            constraint = "a country code, a pair of country and subdivision, or a sequence of dates, none missing"
            raise invalid_parameter(self._owner, "holidays", constraint, self._value) from None
        return pd.DatetimeIndex(days)


_DATES = (str, datetime.date, np.datetime64)


def _country_of(value: Any) -> tuple[str, str | None] | None:
    """Return the country and its subdivision that `value` names, None if it names none; dates begin with a digit."""
    if isinstance(value, str) and value.isalpha():
        return value, None
    pair = isinstance(value, tuple) and len(value) == 2 and all(isinstance(part, str) for part in value)
    return (value[0], value[1]) if pair and value[0].isalpha() else None


def _import_holidays(owner: str) -> Any:
    try:
        import holidays
    except ImportError as error:
        raise ImportError(
            f"{owner}: the holidays of a country need the package holidays. Install it: "
            "pip install 'tsrnn[calendar]', or pass the dates."
        ) from error
    return holidays


def _index_of(owner: object, X: Any) -> TimeIndex:
    """Return the checked stamps of `X`."""
    index = X.index if isinstance(X, pd.DataFrame | pd.Series) else X
    if not isinstance(index, TimeIndex):
        raise TypeError(
            f"{name_of(owner)}: X must have a DatetimeIndex or PeriodIndex; got {type(index).__name__}. "
            "Pass a DataFrame with such an index, or the index itself."
        )
    if len(index) == 0:
        raise ValueError(f"{name_of(owner)}: Found array with 0 sample(s) while a minimum of 1 is required.")
    if index.hasnans:
        row = int(np.flatnonzero(index.isna())[0])
        raise ValueError(f"{name_of(owner)}: the index has NaT at row {row}. Drop such rows, or give them a stamp.")
    return index


def _clock(index: TimeIndex) -> pd.DatetimeIndex:
    """Return what the local clock shows, without a zone; for a period, at its start."""
    return index.to_timestamp() if isinstance(index, pd.PeriodIndex) else index.tz_localize(None)


def _zone(index: TimeIndex) -> str | None:
    return None if isinstance(index, pd.PeriodIndex) or index.tz is None else str(index.tz)


def _step(owner: object, index: TimeIndex, stamps: pd.DatetimeIndex) -> pd.Timedelta:
    """Return the usual step of the local clock, or of a single row the one that its index knows."""
    steps = np.sort(np.diff(np.unique(stamps.to_numpy())))
    if len(steps):
        return pd.Timedelta(steps[len(steps) // 2])
    if index.freq is None:
        raise ValueError(
            f"{name_of(owner)}: one stamp has no step. Name the `features`, pass more rows, or set the frequency of "
            "the index (`index.freq`)."
        )
    if isinstance(index, pd.PeriodIndex):
        return (index[0] + index.freq).to_timestamp() - stamps[0]
    return stamps[0] + index.freq - stamps[0]


def _varying(step: pd.Timedelta, encoding: str) -> list[str]:
    """Return the features that vary from `step` to step."""
    shorter_than_a_month = step < 28 * _DAY
    season = "day_of_year" if shorter_than_a_month and encoding == "cyclic" else "month"
    limits = {"hour": _DAY, "weekday": 7 * _DAY, season: 365 * _DAY}
    return [name for name, limit in limits.items() if step < limit]


def _phase(name: str, stamps: pd.DatetimeIndex) -> NDArray[np.float64]:
    """Return the position of each stamp in the cycle of a feature, from 0 to less than 1."""
    if name == "hour":
        return np.asarray((stamps - stamps.normalize()) / _DAY, dtype=np.float64)
    length = 365.0 + np.asarray(stamps.is_leap_year) if name == "day_of_year" else _CYCLES[name]
    return np.asarray(_number(name, stamps) / length, dtype=np.float64)


def _number(name: str, stamps: pd.DatetimeIndex) -> NDArray[np.int64]:
    """Return the whole hour, weekday, day of the year or month of each stamp, counted from 0."""
    attribute = "day_of_week" if name == "weekday" else name
    return np.asarray(getattr(stamps, attribute), dtype=np.int64) - _FIRST[name]
