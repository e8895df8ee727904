"""The folds of a walk over time: over one series, or over a panel on the axis of time that its series share."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api.types import is_integer_dtype
from sklearn.utils import indexable

from tsrnn._base_forecaster import BaseForecaster
from tsrnn._panels import is_panel, panel_form, same_series, split
from tsrnn._series import form_of, read_index
from tsrnn._validation import invalid_parameter

OWNER = "backtest"

Fold = tuple[int, range, range]
"""Number, training block and test block, both on the common axis."""


@dataclass(frozen=True)
class Piece:
    """What one fold asks of one series: its rows `test`, forecast from the end of its rows `train`."""

    fold: int
    name: Hashable
    train: range
    test: range

    @property
    def reach(self) -> int:
        """Steps from the origin to the last test row."""
        return self.test[-1] - self.train[-1]


@dataclass(frozen=True)
class Member:
    """One series of those that are walked over.

    Parameters
    ----------
    X, y : array-like
        Its covariates or features and its rows; without `y`, X is the series.
    places : array of shape (n_steps,)
        Where each of its rows lies on the common axis.
    index : pandas.Index or None
        The stamps of its rows.
    """

    X: Any
    y: Any
    places: NDArray[np.int64]
    index: pd.Index | None

    @property
    def target(self) -> Any:
        """The series."""
        return self.X if self.y is None else self.y

    def rows(self, block: range) -> range:
        """Return its rows within a block of the common axis."""
        low, high = np.searchsorted(self.places, [block.start, block.stop])
        return range(int(low), int(high))


@dataclass(frozen=True)
class Walk:
    """Series on a common axis of time, and the folds on it.

    Parameters
    ----------
    members : dict of Member
        The series by their names; None is the name of one that stands alone.
    axis : pandas.Index
        The stamps; numbers where the series have none in common.
    folds : list of Fold
        In the order of time.
    least : int
        Training rows that a series of a panel needs; a fold leaves out those with fewer.
    """

    members: dict[Hashable, Member]
    axis: pd.Index
    folds: list[Fold]
    least: int

    @property
    def is_panel(self) -> bool:
        """Whether there are several series."""
        return None not in self.members

    @property
    def targets(self) -> list[Any]:
        """The names of the targets, the same of each series."""
        first = next(iter(self.members.values())).target
        return form_of(first if hasattr(first, "shape") else np.asarray(first)).names

    @property
    def labels(self) -> list[Any]:
        """What a table calls each target of each series, the targets of one series together."""
        names, targets = list(self.members), self.targets
        if not self.is_panel:
            return targets
        return names if len(targets) == 1 else [(name, target) for name in names for target in targets]

    def values(self, name: Hashable) -> NDArray[np.float64]:
        """Return a series, (n_steps, n_targets)."""
        member = self.members[name]
        return np.asarray(member.target, dtype=np.float64).reshape(len(member.places), -1)

    def known(self, train: range) -> dict[Hashable, range]:
        """Return the rows of each series in a training block; those with too few are left out."""
        rows = {name: member.rows(train) for name, member in self.members.items()}
        return {name: own for name, own in rows.items() if len(own) >= self.least}

    def pieces(self, fold: Fold) -> list[Piece]:
        """Return what a fold asks of each series that it does not leave out."""
        number, train, test = fold
        pieces = [Piece(number, name, own, self.members[name].rows(test)) for name, own in self.known(train).items()]
        return [piece for piece in pieces if len(piece.test)]

    def arguments(self, rows: dict[Hashable, range]) -> tuple[Any, ...]:
        """Return these rows as a fit takes them: (X,) or (X, y), each of one series or a dict of them."""
        members = {name: self.members[name] for name in rows}
        X = {name: _cut(member.X, rows[name]) for name, member in members.items()}
        y = {name: _cut(member.y, rows[name]) for name, member in members.items()}
        given = (X,) if all(member.y is None for member in members.values()) else (X, y)
        return given if self.is_panel else tuple(part[None] for part in given)


def read_walk(X: Any, y: Any, cv: Any, least: int = 1) -> Walk:
    """Return the series, alone or of a panel, and their folds, each with training rows before its test rows."""
    if is_panel(X if y is None else y):
        members, axis = _together(X, y)
        splits = cv.split(pd.Series(0.0, index=axis))
    else:
        members, axis, least = *_alone(X, y), 1
        splits = cv.split(members[None].X, members[None].y)
    folds = [_fold(number, np.asarray(train), np.asarray(test)) for number, (train, test) in enumerate(splits)]
    return Walk(members, axis, folds, least)


def least_rows(estimator: Any) -> int:
    """Return how many rows of a series of a panel a fit of `estimator` needs."""
    try:
        return max(1, int(getattr(estimator, "_least_rows", 1)))
    except (TypeError, ValueError):  # a parameter that the fit refuses, in its own words
        return 1


def check_lengths(estimator: Any, walk: Walk) -> None:
    """Raise where folds are too short for the `horizon` of a forecaster, or for its `lookback` on one series."""
    horizon: Any = getattr(estimator, "horizon", None)
    lookback: Any = getattr(estimator, "lookback", None)  # a naive rule has none
    if not (isinstance(estimator, BaseForecaster) and isinstance(horizon, int | np.integer)):
        return
    has_lookback = isinstance(lookback, int | np.integer) and not walk.is_panel
    for number, train, test in walk.folds:
        if horizon > len(test):
            raise ValueError(
                f"{OWNER}: horizon={horizon} exceeds the {len(test)} test rows of fold {number}. "
                "Raise `test_size`, or lower `horizon`."
            )
        if has_lookback and len(train) < lookback + horizon:
            raise ValueError(
                f"{OWNER}: fold {number} has {len(train)} training rows; lookback={lookback} and horizon={horizon} "
                f"need at least {lookback + horizon}. Use fewer splits, or lower one of them."
            )


def check_panel(estimator: Any, X: Any, y: Any) -> None:
    """Raise if X or y is a panel and `estimator` cannot learn from one."""
    if is_panel(X if y is None else y) and not isinstance(estimator, BaseForecaster):
        remedy = "Search first (with rows of a MultiIndex), or wrap the regressor in a Forecaster."
        raise invalid_parameter(OWNER, "estimator", "a forecaster, for a panel", estimator, remedy)


def _fold(number: int, train: NDArray[Any], test: NDArray[Any]) -> Fold:
    """Return a fold as two blocks, which take no memory however many rows they have."""
    if len(train) == 0 or len(test) == 0:
        raise ValueError(f"{OWNER}: fold {number} has {len(train)} training and {len(test)} test rows.")
    for name, rows in (("training", train), ("test", test)):
        if (np.diff(rows) != 1).any():
            raise ValueError(f"{OWNER}: the {name} rows of fold {number} are not consecutive. Use WalkForwardSplit.")
    if test[0] <= train[-1]:
        raise ValueError(
            f"{OWNER}: the test rows of fold {number} begin at row {test[0]}, before the training rows end at row "
            f"{train[-1]}. Use WalkForwardSplit."
        )
    return number, *(range(int(rows[0]), int(rows[-1]) + 1) for rows in (train, test))  # type: ignore[return-value]


def _alone(X: Any, y: Any) -> tuple[dict[Hashable, Member], pd.Index]:
    if is_panel(X):
        panel_form(OWNER, X)
        raise TypeError(f"{OWNER}: X holds several series, y one. Give y the index of X.")
    X, y = indexable(X, y)
    places = np.arange(_n_rows(X if y is None else y))
    index = next((data.index for data in (y, X) if isinstance(data, pd.Series | pd.DataFrame)), None)
    return {None: Member(X, y, places, index)}, pd.RangeIndex(len(places)) if index is None else index


def _n_rows(data: Any) -> int:
    """Return the number of rows; of what is no rows 0, which the splitter refuses in its own words."""
    return 0 if data is None else data.shape[0] if hasattr(data, "shape") else len(data)


def _together(X: Any, y: Any) -> tuple[dict[Hashable, Member], pd.Index]:
    """Return the series of a panel on the axis of all their stamps; those that are only numbered end together."""
    panel_form(OWNER, X if y is None else y)
    targets = split(OWNER, X if y is None else y, "X" if y is None else "y")
    beside = dict.fromkeys(targets) if y is None or X is None else split(OWNER, X, "X")
    same_series(OWNER, beside, targets)
    indices = {name: _index_of(name, beside[name], target) for name, target in targets.items()}
    axis = _axis([index for index in indices.values() if index is not None])
    numbers = pd.RangeIndex(max(len(target) for target in targets.values()))
    members: dict[Hashable, Member] = {}
    for name, target in targets.items():
        index = indices[name]
        if axis is None or index is None:
            places = np.arange(len(numbers) - len(target), len(numbers))
        else:
            places = axis.get_indexer(index).astype(np.int64)
        first, second = (target, None) if y is None else (beside[name], target)
        members[name] = Member(first, second, places, index)
    return members, numbers if axis is None else axis


def _index_of(name: Hashable, beside: Any, target: Any) -> pd.Index | None:
    """Return the stamps of a series of a panel, or of what stands beside it."""
    if beside is not None and len(beside) != len(target):
        sizes = [len(beside), len(target)]
        raise ValueError(f"{OWNER}: X and y have inconsistent numbers of samples {sizes} in the series {name!r}.")
    stamped = next((data for data in (target, beside) if isinstance(data, pd.Series | pd.DataFrame)), target)
    return read_index(f"{OWNER}: series {name!r}", stamped)


def _axis(indices: list[pd.Index]) -> pd.Index | None:
    """Return all stamps in the order of time, once each; None if they are no moments, but numbers of rows."""
    if all(is_integer_dtype(index.dtype) for index in indices):
        return None
    if len({_zone(index) for index in indices}) > 1 and all(_zone(index) for index in indices):
        indices = [index.tz_convert("UTC") for index in indices if isinstance(index, pd.DatetimeIndex)]
    first, *others = indices
    axis = first.append(others)
    if axis.dtype == object:
        kinds = sorted({str(index.dtype) for index in indices})
        raise TypeError(
            f"{OWNER}: the series of a panel must have stamps of one kind, for folds in time; got {kinds}. Convert "
            "them, or pass arrays."
        )
    return axis.unique().sort_values()


def _zone(index: pd.Index) -> str:
    """Return the time zone of stamps, "" for none."""
    return str(getattr(index, "tz", None) or "")


def _cut(data: Any, rows: range) -> Any:
    """Return consecutive rows of an array or a pandas object; None for None."""
    if data is None:
        return None
    part = slice(rows.start, rows.stop)
    return data.iloc[part] if hasattr(data, "iloc") else data[part]
