"""Walk-forward evaluation: what a model would have forecast, fold by fold."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils import indexable
from sklearn.utils.validation import check_consistent_length
from tqdm import tqdm

from tsrnn._base_forecaster import BaseForecaster
from tsrnn._series import form_of
from tsrnn._validation import check_bool, check_int, check_real, invalid_parameter

__all__ = ["backtest"]

Rows = NDArray[np.int64]
Fold = tuple[int, Rows, Rows]


def backtest(
    estimator: Any,
    X: Any,
    y: Any = None,
    *,
    cv: Any,
    refit: bool | int = True,
    coverage: float | None = None,
    n_jobs: int | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Forecast the test rows of every fold from the training rows before them.

    ::

        fold 0   [── train ──][test]
        fold 1   [──── train ─────][test]          expanding; sliding with max_train_size
        fold 2   [────── train ────────][test]

    Parameters
    ----------
    estimator : Forecaster, baseline, or any scikit-learn regressor or Pipeline
        Cloned for every fit, so no fold starts from another one's weights. A search over a forecaster is fitted anew
        with each fold, and its best forecaster evaluated.
    X : array-like of shape (n_steps,) or (n_steps, n_columns)
        Alone, the series itself (forecasters only); with `y`, the covariates or features of each row.
    y : array-like of shape (n_steps,) or (n_steps, n_targets), default=None
        The series.
    cv : splitter
        Such as `WalkForwardSplit`: its test rows must be consecutive, and lie after the training rows.
    refit : bool or int, default=True
        True: fit for every fold; an integer k: for every k-th fold; False: for the first one only. Without a fit, later
        folds still know all rows up to their training's end. With False all origins are forecast in one batch.
    coverage : float, default=None
        Of a forecaster, the probability of intervals to make beside its forecasts, in (0, 1): conformal ones, of
        residuals on the training rows of its fit alone. None: no intervals.
    n_jobs : int, default=None
        Fits run at once, as in joblib.
    progress : bool, default=True
        Whether to show a progress bar over the fits.

    Returns
    -------
    DataFrame
        A row for each test step and series: fold, origin (stamp of the last step known), time (stamp of the step), step
        (steps after the origin), series (its name), y_true, y_pred; lower and upper with `coverage`. Stamps are row
        numbers where there is no index.

    Raises
    ------
    InvalidParameterError
        `estimator`, `cv`, `refit`, `coverage` or `progress` is not what it must be.
    ValueError
        A fold's test rows are not consecutive or not after its training rows, or it is too short: for `lookback` and
        `horizon` of a forecaster, or with fewer test rows than `horizon`.

    Notes
    -----
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
    is_forecaster = _check_estimator(estimator, y)
    if coverage is not None:
        check_real("backtest", "coverage", coverage, low=0, high=1)
        if not is_forecaster:
            raise invalid_parameter(
                "backtest", "coverage", "None for a regressor of rows", coverage, "Use a Forecaster."
            )
    if isinstance(cv, str | type) or not hasattr(cv, "split"):
        raise invalid_parameter("backtest", "cv", "a splitter such as WalkForwardSplit", cv)
    X, y = indexable(X, y)
    folds = [(number, np.asarray(train), np.asarray(test)) for number, (train, test) in enumerate(cv.split(X, y))]
    for fold in folds:
        _check_fold(estimator, fold)
    groups = list(_groups(folds, refit))
    work = Parallel(n_jobs=n_jobs, return_as="generator")(
        delayed(_forecast_group)(estimator, X, y, group, coverage) for group in groups
    )
    done = tqdm(work, total=len(groups), desc="backtest", unit="fit", disable=not progress)
    predictions = [prediction for group in done for prediction in group]
    return _table(X if y is None else y, X, folds, predictions)


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


def _check_fold(estimator: Any, fold: Fold) -> None:
    number, train, test = fold
    if len(train) == 0 or len(test) == 0:
        raise ValueError(f"backtest: fold {number} has {len(train)} training and {len(test)} test rows.")
    for name, rows in (("training", train), ("test", test)):
        if (np.diff(rows) != 1).any():
            raise ValueError(f"backtest: the {name} rows of fold {number} are not consecutive. Use WalkForwardSplit.")
    if test[0] <= train[-1]:
        raise ValueError(
            f"backtest: the test rows of fold {number} begin at row {test[0]}, before the training rows end at row "
            f"{train[-1]}. Use WalkForwardSplit."
        )
    if isinstance(estimator, BaseForecaster):
        _check_length(estimator, fold)


def _check_length(forecaster: BaseForecaster, fold: Fold) -> None:
    number, train, test = fold
    horizon: Any = forecaster.horizon
    lookback: Any = getattr(forecaster, "lookback", None)  # a naive rule has none
    if isinstance(horizon, int | np.integer) and horizon > len(test):
        raise ValueError(
            f"backtest: horizon={horizon} exceeds the {len(test)} test rows of fold {number}. "
            "Raise `test_size`, or lower `horizon`."
        )
    both = isinstance(horizon, int | np.integer) and isinstance(lookback, int | np.integer)
    if both and len(train) < lookback + horizon:
        raise ValueError(
            f"backtest: fold {number} has {len(train)} training rows; lookback={lookback} and horizon={horizon} need "
            f"at least {lookback + horizon}. Use fewer splits, or lower one of them."
        )


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


def _forecast_group(
    estimator: Any, X: Any, y: Any, group: list[Fold], coverage: float | None
) -> list[dict[str, NDArray[Any]]]:
    """Fit on the first fold's training rows; return each fold's predictions, and bounds, each (n_test, n_targets)."""
    number, train, _ = group[0]
    model = clone(estimator)
    try:
        model.fit(_rows(X, train)) if y is None else model.fit(_rows(X, train), _rows(y, train))
    except Exception as error:
        error.add_note(f"backtest: in the fit for fold {number}, training rows {train[0]} to {train[-1]}.")
        raise
    model = getattr(model, "best_estimator_", model)
    if not isinstance(model, BaseForecaster):
        return [{"y_pred": predicted} for predicted in _from_rows(model, X, group)]
    forecasts = _from_origins(model, X, y, group)
    if coverage is None:
        return [{"y_pred": forecast} for forecast in forecasts]
    reaches = {(int(test[-1] - train[-1]), len(test)) for _, train, test in group}
    zeros = {reach: np.zeros((reach, model.n_targets_)) for reach, _ in reaches}
    widths = {n: model._bounds(None, zeros[reach], coverage, "conformal")[-n:, :, 1] for reach, n in reaches}
    return [{"y_pred": f, "lower": f - widths[len(f)], "upper": f + widths[len(f)]} for f in forecasts]


def _from_origins(model: BaseForecaster, X: Any, y: Any, group: list[Fold]) -> list[NDArray[Any]]:
    """Forecast all folds of one reach in one batch; each knows the series up to the end of its training rows."""
    first = group[0][1][0]
    reach = {number: int(test[-1] - train[-1]) for number, train, test in group}
    forecasts: dict[int, NDArray[Any]] = {}
    for n_steps in sorted(set(reach.values())):
        same = [fold for fold in group if reach[fold[0]] == n_steps]
        known = np.arange(first, max(int(test[-1]) for _, _, test in same) + 1)
        origins = [int(train[-1] - first) for _, train, _ in same]
        arguments = (_rows(X, known),) if y is None else (_rows(X, known), _rows(y, known))
        values = model.predict_origins(*arguments, origins=origins, n_steps=n_steps)
        for (number, _, test), value in zip(same, values, strict=True):
            forecasts[number] = value[-len(test) :]
    return [forecasts[number] for number, _, _ in group]


def _from_rows(model: Any, X: Any, group: list[Fold]) -> list[NDArray[Any]]:
    """Predict all rows from the first training row to the last test row, and keep the test rows."""
    first, last = group[0][1][0], max(int(test[-1]) for _, _, test in group)
    predicted = np.asarray(model.predict(_rows(X, np.arange(first, last + 1))))
    predicted = predicted.reshape(len(predicted), -1)
    return [predicted[test - first] for _, _, test in group]


def _rows(data: Any, rows: Rows) -> Any:
    """Return consecutive rows of an array or a pandas object; None for None."""
    part = slice(int(rows[0]), int(rows[-1]) + 1)
    if data is None:
        return None
    return data.iloc[part] if hasattr(data, "iloc") else data[part]


def _table(y: Any, X: Any, folds: list[Fold], predictions: list[dict[str, NDArray[Any]]]) -> pd.DataFrame:
    check_consistent_length(X, y)
    truth = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
    index = next((data.index for data in (y, X) if isinstance(data, pd.Series | pd.DataFrame)), None)
    times = pd.RangeIndex(len(truth)) if index is None else index
    names = form_of(y if hasattr(y, "shape") else np.asarray(y)).names
    parts = [
        _fold_table(fold, times, names, truth, prediction) for fold, prediction in zip(folds, predictions, strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


def _fold_table(
    fold: Fold, times: pd.Index, names: list[Any], truth: NDArray[Any], prediction: dict[str, NDArray[Any]]
) -> pd.DataFrame:
    number, train, test = fold
    width = len(names)
    rows = np.repeat(test, width)
    series = pd.Index(names, dtype=object, tupleize_cols=False)
    return pd.DataFrame(
        {
            "fold": number,
            "origin": times[np.full(len(rows), train[-1])],
            "time": times[rows],
            "step": rows - train[-1],
            "series": series[np.tile(np.arange(width), len(test))],
            "y_true": truth[test].ravel(),
            **{name: np.asarray(values, dtype=np.float64).ravel() for name, values in prediction.items()},
        }
    ).infer_objects()
