"""Walk-forward evaluation: what a model would have forecast, fold by fold."""

import os
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.base import clone
from tqdm import tqdm

from tsrnn._base_forecaster import BaseForecaster
from tsrnn._checkpoints import Checkpoint, NamelessError, check_folder, key_of
from tsrnn._distributions import Reader, point
from tsrnn._folds import Fold, Piece, Walk, check_lengths, check_panel, least_rows, read_walk
from tsrnn._intervals import middle
from tsrnn._validation import check_bool, check_int, check_option, check_real, invalid_parameter

__all__ = ["backtest"]

Answer: TypeAlias = tuple[Piece, dict[str, NDArray[np.float64]]]
"""What was asked of a series in a fold, and the columns that answer it, each (n_test, n_targets)."""


@dataclass(frozen=True)
class Work:
    """What a backtest has to do.

    Parameters
    ----------
    estimator : estimator
        Cloned for every fit.
    walk : Walk
        The series and the folds.
    groups : list of list of Fold
        The folds that share a fit.
    intervals : (float, str) or None
        The coverage of intervals to make, and their method.
    """

    estimator: Any
    walk: Walk
    groups: list[list[Fold]]
    intervals: tuple[float, str] | None

    def pieces(self, number: int) -> list[Piece]:
        """Return what a group of folds asks of the series."""
        return [piece for fold in self.groups[number] for piece in self.walk.pieces(fold)]


def backtest(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    cv: Any,
    refit: bool | int = True,
    coverage: float | None = None,
    method: str = "conformal",
    n_jobs: int | None = None,
    progress: bool = True,
    checkpoint: str | os.PathLike[str] | None = None,
) -> pd.DataFrame:
    """Forecast the test rows of every fold from the training rows before them.

    ::

        fold 0   [── train ──][test]
        fold 1   [──── train ─────][test]          expanding; sliding with max_train_size
        fold 2   [────── train ────────][test]

    The folds of a panel are cut in time: every series knows its rows up to the same moment. One fit learns from all::

        series a [────── train ─────────][test]
        series b        [──── train ────][te]        ends early
        series c                     [──]            too few rows to learn from: left out of this fold

    Parameters
    ----------
    estimator : Forecaster, baseline, or any scikit-learn regressor or Pipeline
        Cloned for every fit, so no fold starts from another one's weights. A search over a forecaster is fitted anew
        with each fold, and its best forecaster evaluated.
    X : array-like of shape (n_steps,) or (n_steps, n_columns), or a panel of such
        Alone, the series itself (forecasters only); with `y`, the covariates or features of each row. A panel, for a
        forecaster, is a dict of series, or rows with a MultiIndex (series, time); they may begin, and end, at different
        moments.
    y : array-like of shape (n_steps,) or (n_steps, n_targets), or a panel of such, default=None
        The series.
    cv : splitter
        Such as `WalkForwardSplit`: its test rows must be consecutive, and lie after the training rows. Of a panel, its
        rows are the moments for which any series has a value.
    refit : bool or int, default=True
        True: fit for every fold; an integer k: for every k-th fold; False: for the first one only. Without a fit, later
        folds still know all rows up to their training's end. With False all origins are forecast in one batch.
    coverage : float, default=None
        Of a forecaster, the probability of intervals to make beside its forecasts, in (0, 1), calibrated on the
        training rows of its fit alone. None: no intervals.
    method : str, default="conformal"
        How intervals are made, as in `predict_interval`. "adaptive" follows the walk: the values up to an origin have
        moved its intervals, those after the fit included.
    n_jobs : int, default=None
        Fits run at once, as in joblib.
    progress : bool, default=True
        Whether to show a progress bar over the fits.
    checkpoint : str or path, default=None
        A folder in which the forecasts of every fit are kept as soon as they are made. The same backtest, called again
        after an interruption, reads them and goes on. None: nothing is kept.

    Returns
    -------
    DataFrame
        A row for each test step and series: fold, origin (stamp of the last step known), time (stamp of the step), step
        (steps after the origin), series (its name), y_true, y_pred; lower and upper with `coverage`. Stamps are row
        numbers where there is no index. Of a panel, `series` is the name in the panel, or, with several targets, the
        pair (name, target).

    Raises
    ------
    InvalidParameterError
        `estimator`, `cv`, `refit`, `coverage`, `method`, `progress` or `checkpoint` is not what it must be.
    ValueError
        A fold's test rows are not consecutive or not after its training rows, or it is too short: for `lookback` and
        `horizon` of a forecaster, or with fewer test rows than `horizon`. No series of a panel is long enough for a
        fold's fit, or one is too short for its intervals.
    TypeError
        The stamps of a panel's series are of several kinds.

    Notes
    -----
    A fold of a panel leaves out, of its fit and of its table, the series that have fewer training rows than a fit needs
    (`lookback` + `horizon` for a `Forecaster`, a season for the seasonal naive rule), and of its table those that end
    before its test rows. Without a refit, the scale of a series that the fit has not seen is learnt from its rows up to
    its first origin, and so are its intervals.

    Dates and periods are moments; integers, and the rows of arrays, are not. A panel without moments is taken to end at
    one moment, whatever numbers its series have: as in M4, where each is numbered from its own begin. If the numbers
    are those of a common clock and series end at different ones, give them dates or periods: a fold would otherwise
    learn from what comes after its test rows in another series.

    What `checkpoint` keeps counts for the same data, folds, parameters and versions of the libraries; also with
    `random_state=None`. Functions among the parameters count by their names: empty the folder after editing one. An
    estimator's own `checkpoint` keeps the network besides; that one serves searches.

    `n_jobs` works on several machines: ``with joblib.parallel_config("dask"): backtest(...)``. The forecasts kept are
    written by the process that calls.

    A Pipeline predicts its test rows together with the training rows before them, so that windows that reach back over
    the fold's edge hold the real past whatever the index.

    Examples
    --------
    >>> import numpy as np
    >>> from tsrnn import NaiveForecaster, WalkForwardSplit
    >>> cv = WalkForwardSplit(n_splits=2, test_size=1)
    >>> backtest(NaiveForecaster(), np.array([1.0, 2, 4, 7]), cv=cv, progress=False)
       fold  origin  time  step  series  y_true  y_pred
    0     0       1     2     1       0     4.0     2.0
    1     1       2     3     1       0     7.0     4.0
    """
    check_bool("backtest", "progress", progress)
    check_folder("backtest", checkpoint)
    is_forecaster = _check_estimator(estimator, y)
    if coverage is not None:
        check_real("backtest", "coverage", coverage, low=0, high=1)
        if not is_forecaster:
            raise invalid_parameter(
                "backtest", "coverage", "None for a regressor of rows", coverage, "Use a Forecaster."
            )
        check_option("backtest", "method", method, getattr(estimator, "estimator", estimator)._methods)
    if isinstance(cv, str | type) or not hasattr(cv, "split"):
        raise invalid_parameter("backtest", "cv", "a splitter such as WalkForwardSplit", cv)
    check_panel(estimator, X, y)
    walk = read_walk(X, y, cv, least_rows(estimator))
    check_lengths(estimator, walk)
    work = Work(estimator, walk, list(_groups(walk.folds, refit)), None if coverage is None else (coverage, method))
    kept = None if checkpoint is None else Kept(work, checkpoint)
    done = tqdm(_run(work, kept, n_jobs), total=len(work.groups), desc="backtest", unit="fit", disable=not progress)
    answers = [answer for _, group in sorted(done, key=lambda each: each[0]) for answer in group]
    if not answers:
        raise ValueError(
            f"backtest: no series of the panel has a test row behind {walk.least} training rows in any fold. Use fewer "
            "splits, or a shorter lookback or horizon."
        )
    return _table(walk, answers)


def _check_estimator(estimator: Any, y: Any) -> bool:
    """Return whether `estimator` is a forecaster; raise unless folds of rows, or of a series, can be given to it."""
    searched = hasattr(estimator, "refit") and isinstance(getattr(estimator, "estimator", None), BaseForecaster)
    is_forecaster = isinstance(estimator, BaseForecaster) or searched
    usable = hasattr(estimator, "fit") and hasattr(estimator, "get_params") and not isinstance(estimator, type)
    if not usable or (
        not is_forecaster and any(isinstance(part, BaseForecaster) for part in estimator.get_params().values())
    ):
        constraint = "a forecaster, a search over one or a regressor of rows"
        remedy = "Transform inside of a forecaster: `Forecaster(make_pipeline(..., regressor))`."
        raise invalid_parameter("backtest", "estimator", constraint, estimator, remedy)
    if y is None and not is_forecaster:
        raise ValueError("backtest: pass X and y; only a forecaster takes the series alone.")
    return is_forecaster


def _groups(folds: list[Fold], refit: bool | int) -> Iterator[list[Fold]]:
    """Yield the folds that share a fit, the fitted one first."""
    if isinstance(refit, bool | np.bool_):
        size = 1 if refit else len(folds)
    else:
        try:
            size = check_int("backtest", "refit", refit, minimum=1)
        except ValueError as error:
            raise invalid_parameter("backtest", "refit", "True, False or an integer >= 1", refit) from error
    for first in range(0, len(folds), size):
        yield folds[first : first + size]


def _run(work: Work, kept: "Kept | None", n_jobs: int | None) -> Iterator[tuple[int, list[Answer]]]:
    """Yield the number of each group and its answers, as they come: first those that are kept, then the others."""
    waiting = []
    for number in range(len(work.groups)):
        found = None if kept is None else kept.read(number)
        if found is None:
            waiting.append(number)
        else:
            yield number, found
    parallel = Parallel(n_jobs=n_jobs, return_as="generator_unordered")
    for number, answers in parallel(delayed(_forecast_group)(work, number) for number in waiting):
        if kept is not None:
            kept.write(number, answers)
        yield number, answers


class Kept:
    """The answers that are kept in a folder from one call of a backtest to the next.

    Raises
    ------
    InvalidParameterError
        The estimator holds a function without a name: nothing could tell it from another one.
    """

    def __init__(self, work: Work, folder: str | os.PathLike[str]) -> None:
        self._work, self._checkpoint = work, Checkpoint(folder)
        members = {name: [member.X, member.y, member.index] for name, member in work.walk.members.items()}
        try:
            self._key = key_of("backtest", clone(work.estimator), members, work.walk.least, work.intervals)
        except NamelessError as error:
            constraint = "None for an estimator that holds what cannot be pickled, such as a lambda"
            raise invalid_parameter("backtest", "checkpoint", constraint, folder) from error

    def read(self, number: int) -> list[Answer] | None:
        """Return the answers of a group of folds; None if there are none."""
        arrays = self._checkpoint.read(self._key_of(number))
        if arrays is None:
            return None
        columns: list[dict[str, NDArray[np.float64]]] = [{} for _ in self._work.pieces(number)]
        for name, values in arrays.items():
            piece, column = name.split(" ")
            columns[int(piece)][column] = values
        return list(zip(self._work.pieces(number), columns, strict=True))

    def write(self, number: int, answers: list[Answer]) -> None:
        """Keep the answers of a group of folds."""
        arrays = {f"{place} {name}": part for place, (_, own) in enumerate(answers) for name, part in own.items()}
        self._checkpoint.write(self._key_of(number), arrays)

    def _key_of(self, number: int) -> str:
        return key_of(self._key, self._work.groups[number])


def _forecast_group(work: Work, number: int) -> tuple[int, list[Answer]]:
    """Return the number of a group, and the predictions of each of its pieces, each (n_test, n_targets)."""
    walk, group = work.walk, work.groups[number]
    model, pieces = _fitted(work.estimator, walk, group[0]), work.pieces(number)
    if not isinstance(model, BaseForecaster):
        return number, list(zip(pieces, _from_rows(model, walk, pieces), strict=True))
    begin = group[0][1].start
    forecasts = _from_origins(model, walk, begin, pieces)
    columns = [{"y_pred": forecast[-len(piece.test) :]} for piece, forecast in zip(pieces, forecasts, strict=True)]
    if work.intervals is not None:
        coverage, method = work.intervals
        told = forecasts
        if (read := model._reader(method, middle(coverage))) is not point:
            told = _from_origins(model, walk, begin, pieces, read)
        for column, bounds in zip(columns, _bounds(model, walk, pieces, told, work.intervals), strict=True):
            column |= {"lower": bounds[..., 0], "upper": bounds[..., 1]}
    return number, list(zip(pieces, columns, strict=True))


def _fitted(estimator: Any, walk: Walk, fold: Fold) -> Any:
    """Return a new model, fitted on a fold's training rows."""
    number, train, _ = fold
    model, known = clone(estimator), walk.known(train)
    if not known:
        raise ValueError(
            f"backtest: no series of the panel has the {walk.least} training rows that fold {number} needs. Use fewer "
            "splits, or a shorter lookback or horizon."
        )
    try:
        model.fit(*walk.arguments(known))
    except Exception as error:
        error.add_note(f"backtest: in the fit for fold {number}, training rows {train[0]} to {train[-1]}.")
        raise
    return getattr(model, "best_estimator_", model)


def _from_origins(
    model: BaseForecaster, walk: Walk, begin: int, pieces: list[Piece], read: Reader = point
) -> list[NDArray[np.float64]]:
    """Forecast all pieces of one reach in one batch; each knows its series up to the end of its training rows.

    Each forecast is (reach, n_targets[, n_values]), from its origin to the last test row.
    """
    found: dict[tuple[int, Hashable], NDArray[np.float64]] = {}
    for n_steps in sorted({piece.reach for piece in pieces}):
        same: dict[Hashable, list[Piece]] = {}
        for piece in pieces:
            if piece.reach == n_steps:
                same.setdefault(piece.name, []).append(piece)
        known = {}
        for name, own in same.items():
            end = max(piece.test.stop for piece in own)
            known[name] = range(int(np.searchsorted(walk.members[name].places, begin)), end)
        origins = {name: [piece.train[-1] - known[name].start for piece in own] for name, own in same.items()}
        given = origins if walk.is_panel else origins[None]
        X, y = (*walk.arguments(known), None)[:2]
        values = model._from_origins(X, y, given, n_steps, read)
        for name, own in same.items():
            for piece, value in zip(own, values[name] if walk.is_panel else values, strict=True):
                found[piece.fold, name] = value
    return [found[piece.fold, piece.name] for piece in pieces]


def _from_rows(model: Any, walk: Walk, pieces: list[Piece]) -> list[dict[str, NDArray[np.float64]]]:
    """Predict all rows from the first training row to the last test row, and keep the test rows."""
    rows = range(pieces[0].train[0], max(piece.test.stop for piece in pieces))
    predicted = np.asarray(model.predict(walk.arguments({None: rows})[0]), dtype=np.float64)
    predicted = predicted.reshape(len(predicted), -1)
    return [{"y_pred": predicted[piece.test.start - rows.start : piece.test.stop - rows.start]} for piece in pieces]


def _bounds(
    model: BaseForecaster,
    walk: Walk,
    pieces: list[Piece],
    told: list[NDArray[np.float64]],
    intervals: tuple[float, str],
) -> list[NDArray[np.float64]]:
    """Return the bounds of each piece (n_test, n_targets, 2), calibrated on the rows of the fit.

    Those of a series unknown to the fit are calibrated on its rows up to its first origin.
    """
    coverage, method = intervals
    same: dict[tuple[Hashable, int], list[int]] = {}
    for number, piece in enumerate(pieces):
        same.setdefault((piece.name, piece.reach), []).append(number)
    found: dict[int, NDArray[np.float64]] = {}
    model._copy = model._fitted_copy()  # before histories unknown to the fit share it
    for (name, reach), numbers in same.items():
        first = pieces[numbers[0]].train
        knowing = model if name in model._tracks else model.with_history(*walk.arguments({name: first}))
        own = np.stack([told[number] for number in numbers])
        if method == "adaptive":
            origins = np.array([pieces[number].train[-1] for number in numbers])
            truth = walk.values(name)[origins[:, None] + 1 + np.arange(reach)]
            bounds = knowing._walked(name, own, truth, origins, coverage)
        else:
            bounds = knowing._calibrated(name, reach, coverage, method)(own)
        found |= {number: each[-len(pieces[number].test) :] for number, each in zip(numbers, bounds, strict=True)}
    return [found[number] for number in range(len(pieces))]


def _table(walk: Walk, answers: list[Answer]) -> pd.DataFrame:
    """Return a row for each test step and series; made at once, as there may be thousands of folds."""
    pieces, width = [piece for piece, _ in answers], len(walk.targets)
    truth = {name: walk.values(name) for name in walk.members}
    begins = {name: number * width for number, name in enumerate(walk.members)}
    labels = pd.Index(walk.labels, dtype=object, tupleize_cols=False)
    counts = [len(piece.test) * width for piece in pieces]
    rows = np.repeat(np.concatenate([np.arange(piece.test.start, piece.test.stop) for piece in pieces]), width)
    origins = np.repeat([piece.train[-1] for piece in pieces], counts)
    codes = np.repeat([begins[piece.name] for piece in pieces], counts) + np.arange(len(rows)) % width
    columns = {
        "fold": np.repeat([piece.fold for piece in pieces], counts),
        "origin": _stamps(walk, pieces, counts, origins),
        "time": _stamps(walk, pieces, counts, rows),
        "step": rows - origins,
        "series": labels[codes],
        "y_true": np.concatenate([truth[piece.name][piece.test.start : piece.test.stop].ravel() for piece in pieces]),
    }
    for column in answers[0][1]:
        columns[column] = np.concatenate([np.ravel(values[column]) for _, values in answers])
    return pd.DataFrame(columns).infer_objects()


def _stamps(walk: Walk, pieces: list[Piece], counts: list[int], rows: NDArray[np.int64]) -> Any:
    """Return the stamps of rows of the series; what each series calls them itself, where they share no axis."""
    if not walk.is_panel:
        return walk.axis[rows]
    numbered = isinstance(walk.axis, pd.RangeIndex)
    parts = []
    for piece, own in zip(pieces, np.split(rows, np.cumsum(counts)[:-1]), strict=True):
        member = walk.members[piece.name]
        called = np.arange(len(member.places)) if member.index is None else member.index.to_numpy()
        parts.append(called[own] if numbered else member.places[own])
    return np.concatenate(parts) if numbered else walk.axis[np.concatenate(parts)]
