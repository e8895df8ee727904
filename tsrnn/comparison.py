"""Several models beside the naive rules on the same folds: which errs least, and whether that can be chance."""

import os
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsrnn._checkpoints import check_folder
from tsrnn._folds import Walk, read_walk
from tsrnn._validation import check_int, check_option, invalid_parameter
from tsrnn.baselines import DriftForecaster, NaiveForecaster, SeasonalNaiveForecaster
from tsrnn.evaluation import backtest
from tsrnn.interval_metrics import interval_coverage, interval_score
from tsrnn.skill import diebold_mariano

__all__ = ["Comparison", "compare"]

Floats: TypeAlias = NDArray[np.float64]

COLLAPSED = 0.1
"""Below this share of the truth's moves from origin to origin, forecasts are taken for one and the same."""

ECHO = 0.3
"""Below this share of the truth's distance from the last known value, forecasts are taken for that value."""

NO_BETTER = 0.99
"""From this share of the naive rule's error on, an echo has nothing to show for what it adds."""

MEMORY = 0.2
"""The autocorrelation from which a good model's forecasts would be seen to move: they gain 2 % of the error by it."""

FEWEST_ORIGINS = 3
"""Origins from which on the moves between them are looked at."""

MOST = 0.5
"""The share of the series that must be so for a hint."""


@dataclass(frozen=True, repr=False)
class Comparison:
    """What `compare` returns; shown as its scores.

    Parameters
    ----------
    scores : DataFrame
        A row for each model and naive rule, the smallest error first; the columns as `compare` says.
    tables : dict of str to DataFrame
        The table of `backtest` for each.

    Examples
    --------
    >>> scores = pd.DataFrame({"mae": [1.0, 2.0]}, index=["naive", "drift"])
    >>> Comparison(scores, {})
           mae
    naive  1.0
    drift  2.0
    """

    scores: pd.DataFrame
    tables: dict[str, pd.DataFrame]

    def __repr__(self) -> str:
        return repr(self.scores)

    def _repr_html_(self) -> str:
        return str(self.scores.to_html())


def compare(
    models: Mapping[str, Any],
    X: Any,
    y: Any = None,
    *,
    cv: Any,
    refit: bool | int = True,
    coverage: float | None = None,
    n_jobs: int | None = None,
    metric: str = "mae",
    season_length: int | None = None,
    progress: bool = True,
    checkpoint: str | os.PathLike[str] | None = None,
) -> Comparison:
    """Backtest several models and the naive rules on the same folds.

    Parameters
    ----------
    models : dict of str to estimator
        What `backtest` takes, by name; no name may be that of a rule: "naive", "drift", "seasonal naive".
    X : array-like of shape (n_steps,) or (n_steps, n_columns), or a panel of such
        Alone, the series itself (forecasters only); with `y`, the covariates or features of each row.
    y : array-like of shape (n_steps,) or (n_steps, n_targets), or a panel of such, default=None
        The series.
    cv : splitter
        Such as `WalkForwardSplit`; the folds of every model.
    refit : bool or int, default=True
        As in `backtest`.
    coverage : float, default=None
        As in `backtest`: the probability of intervals, which the naive rules get as well. None: no intervals.
    n_jobs : int, default=None
        Fits run at once, as in joblib.
    metric : {"mae", "rmse"}, default="mae"
        The error by which the rows are sorted, and of which skill and p-value are made.
    season_length : int, default=None
        Steps in a season: adds the seasonal naive rule, and is the season of MASE. None: no season.
    progress : bool, default=True
        Whether to show a progress bar over the fits of each model.
    checkpoint : str or path, default=None
        As in `backtest`: a folder from which an interrupted comparison goes on. None: nothing is kept.

    Returns
    -------
    Comparison
        `scores`, a row for each model and rule, with MAE and RMSE (in the unit of the series, over all rows of the
        table), MASE (mean over the series, without a unit), skill (1 - error / error of the best naive rule), p_value
        (of equal losses with the best naive rule; missing for that rule itself, and with too few origins) and seconds
        (of the whole backtest); with `coverage`, also coverage (the share of the rows inside of their interval) and
        interval score (in the unit of the series, less is better); `tables`, the tables of `backtest`.

    Raises
    ------
    InvalidParameterError
        `models`, `metric`, `season_length` or `checkpoint` is not what it must be.
    ValueError
        As `backtest` does.

    Warns
    -----
    UserWarning
        Hints that forecasts of a model hardly differ from origin to origin, or from the last value known, on a series
        whose past tells more than that. On white noise and random walks, where such forecasts are best, there is none.

    Notes
    -----
    MASE is scaled by the rule's error on the training rows of the first fold. The p-value is `diebold_mariano`'s, with
    a loss for each origin, the mean over its steps and series, and `horizon` the number of origins whose test rows
    overlap. It is not corrected for the number of models, nor for the choice of the best rule.

    The naive rules take no missing values: fill the series first. With `coverage`, every series of a panel that a model
    or rule forecasts must be long enough for its residuals.

    A model with a long lookback may leave out series of a panel that others forecast. All scores are over those folds
    of those series that every model and rule has forecast; the tables are whole. MASE of a panel has a scale for each
    series, of the first such fold, and leaves out the series whose training rows repeat themselves.

    The hints, from three origins on: forecasts have collapsed when at no step they move 10 % as far from origin to
    origin as the truth does, although the truth less its mean at each step has an autocorrelation of 0.2 or more (at
    lag 1 or `season_length`), or although the truth itself has and the forecasts are flat. They echo when they move
    less than 30 % as far from the last known value as the truth does and their MAE is 99 % of the naive rule's or more,
    although the changes of the series have such an autocorrelation.

    References
    ----------
    Diebold & Mariano (1995), doi:10.1080/07350015.1995.10524599, and Harvey, Leybourne & Newbold (1997),
    doi:10.1016/S0169-2070(96)00719-4: the test.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import Ridge
    >>> from tsrnn import Forecaster, WalkForwardSplit, compare
    >>> series = np.sin(np.arange(120) * 0.5)
    >>> ridge = Forecaster(Ridge(1e-6), lookback=4, horizon=3)
    >>> result = compare({"ridge": ridge}, series, cv=WalkForwardSplit(8, test_size=3), progress=False)
    >>> list(result.scores.index), bool(result.scores.loc["ridge", "p_value"] < 0.01)
    (['ridge', 'naive', 'drift'], True)
    """
    rules = _rules(season_length)
    _check_models(models, rules)
    check_option("compare", "metric", metric, ["mae", "rmse"])
    check_folder("compare", checkpoint)
    options = {"cv": cv, "refit": refit, "coverage": coverage, "n_jobs": n_jobs, "progress": progress}
    options["checkpoint"] = checkpoint
    tables, seconds = {}, {}
    for name, model in {**rules, **models}.items():
        known = (X, y) if name in models else (X,) if y is None else (_without_columns(X), y)
        begin = time.perf_counter()
        tables[name] = backtest(model, *known, **options)
        seconds[name] = time.perf_counter() - begin
    walk = read_walk(X, y, cv)
    same = _common(tables) if walk.is_panel else tables
    scores = _scores(same, list(rules), metric, _overlap(walk, same["naive"]))
    scores.insert(2, "MASE", _scaled(same, walk, season_length or 1))
    if coverage is not None:
        scores = scores.join(_of_intervals(same, coverage))
    scores["seconds"] = pd.Series(seconds)
    for name in models:
        _hint(name, same[name], same["naive"], {1, season_length or 1})
    return Comparison(scores, {name: tables[name] for name in scores.index})


def _without_columns(X: Any) -> Any:
    """Return the index of X alone, which is all that the naive rules take of it."""
    if isinstance(X, dict):
        return {name: _without_columns(part) for name, part in X.items()}
    return pd.DataFrame(index=X.index) if isinstance(X, pd.Series | pd.DataFrame) else None


def _rules(season_length: int | None) -> dict[str, Any]:
    """Return the naive rules by name."""
    rules: dict[str, Any] = {"naive": NaiveForecaster(), "drift": DriftForecaster()}
    if season_length is not None:
        season = check_int("compare", "season_length", season_length, minimum=1)
        rules["seasonal naive"] = SeasonalNaiveForecaster(season)
    return rules


def _check_models(models: Any, rules: dict[str, Any]) -> None:
    if not isinstance(models, Mapping) or not models or not all(isinstance(name, str) for name in models):
        raise invalid_parameter("compare", "models", "a dict of models by name, at least one", models)
    taken = [name for name in models if name in rules]
    if taken:
        raise ValueError(
            f"compare: {taken[0]!r} is the name of a naive rule, which is compared anyway. Rename the model."
        )


def _common(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the rows of a panel that all tables have: one model may need more of a series than another."""
    keys = {name: pd.Series(list(zip(table["fold"], table["series"], strict=True))) for name, table in tables.items()}
    common = set.intersection(*(set(own) for own in keys.values()))
    return {name: table[keys[name].isin(common)].reset_index(drop=True) for name, table in tables.items()}


def _errors(table: pd.DataFrame) -> Floats:
    return np.asarray(table["y_true"] - table["y_pred"], dtype=np.float64)


def _scores(tables: dict[str, pd.DataFrame], rules: list[str], metric: str, overlap: int) -> pd.DataFrame:
    """Return the errors, skills and p-values, the smallest error first."""
    errors = {name: _errors(table) for name, table in tables.items()}
    scores = pd.DataFrame(
        {
            "MAE": {name: np.abs(error).mean() for name, error in errors.items()},
            "RMSE": {name: np.sqrt((error**2).mean()) for name, error in errors.items()},
        }
    )
    scores = scores.sort_values(metric.upper(), kind="stable")
    best = str(scores.loc[rules, metric.upper()].idxmin())
    reference = float(scores.loc[best, metric.upper()])  # type: ignore[arg-type]
    # A rule without error leaves no skill to speak of.
    scores["skill"] = 1 - scores[metric.upper()] / reference if reference > 0 else np.nan
    losses = {name: _losses(tables[name], errors[name], metric) for name in tables}
    scores["p_value"] = [_p_value(losses[str(name)], losses[best], overlap, name == best) for name in scores.index]
    return scores


def _losses(table: pd.DataFrame, errors: Floats, metric: str) -> Floats:
    """Return (n_origins,), the mean loss from each origin."""
    rows = pd.Series(np.abs(errors) if metric == "mae" else errors**2)
    return np.asarray(rows.groupby(table["fold"].to_numpy()).mean(), dtype=np.float64)


def _overlap(walk: Walk, table: pd.DataFrame) -> int:
    """Return the most origins, one after the other, whose test rows overlap."""
    folds = [walk.folds[number] for number in table["fold"].unique()]
    origins = np.array([train[-1] for _, train, _ in folds])
    return max(int(((origins >= train[-1]) & (origins < test[-1])).sum()) for _, train, test in folds)


def _p_value(losses: Floats, reference: Floats, overlap: int, is_reference: bool) -> float:
    if is_reference or len(losses) <= overlap:
        return float("nan")
    return diebold_mariano(losses, reference, horizon=overlap).p_value


def _scaled(tables: dict[str, pd.DataFrame], walk: Walk, season_length: int) -> "pd.Series[float]":
    """Return MASE of every model, the mean over the series; missing where the naive rule has no error.

    Of a panel, the series on which it has none are left out.
    """
    reference = tables["naive"]
    codes = np.arange(len(reference)) % len(walk.labels)
    if walk.is_panel:
        number_of = {label: number for number, label in enumerate(walk.labels)}
        codes = np.array([number_of[label] for label in reference["series"]])
    present, firsts = np.unique(codes, return_index=True)
    folds = reference["fold"].to_numpy()[firsts]
    scales = np.array([_scale(walk, *pair, season_length) for pair in zip(present, folds, strict=True)])
    usable = scales != 0
    if not usable.any() or not (walk.is_panel or usable.all()):
        return pd.Series(np.nan, index=list(tables))
    counts = np.bincount(codes)[present][usable]
    shares = {}
    for name, table in tables.items():
        totals = np.bincount(codes, weights=np.abs(_errors(table)))[present][usable]
        shares[name] = float((totals / counts / scales[usable]).mean())
    return pd.Series(shares)


def _scale(walk: Walk, code: int, fold: int, season_length: int) -> float:
    """Return the mean error of the naive rule on the training rows of a fold; 0 with too few."""
    number, column = divmod(int(code), len(walk.targets))
    name = list(walk.members)[number]
    train = walk.members[name].rows(walk.folds[fold][1])
    values = walk.values(name)[train.start : train.stop, column]
    changes = np.abs(values[season_length:] - values[:-season_length])
    return float(changes.mean()) if len(changes) else 0.0


def _of_intervals(tables: dict[str, pd.DataFrame], coverage: float) -> pd.DataFrame:
    """Return the share of the rows inside of the intervals, and the interval score."""
    bounds = {name: [table[column] for column in ("y_true", "lower", "upper")] for name, table in tables.items()}
    return pd.DataFrame(
        {
            "coverage": {name: interval_coverage(*three) for name, three in bounds.items()},
            "interval score": {name: interval_score(*three, coverage=coverage) for name, three in bounds.items()},
        }
    )


def _hint(name: str, table: pd.DataFrame, naive: pd.DataFrame, lags: set[int]) -> None:
    """Warn of forecasts that are always the same, or the last known value, where the past tells more."""
    moves = _moves(table)
    if moves < COLLAPSED and _past_tells(table, lags):
        _warn(
            f"the forecasts of {name!r} are nearly the same from every origin (they move {moves:.1%} as far as the "
            "truth does), although the series depends on its past; look at its scaling, learning rate and training."
        )
        return
    # The naive rule's forecasts are the last known values.
    distance = np.abs(_errors(naive)).mean()
    share = np.abs(table["y_pred"].to_numpy() - naive["y_pred"].to_numpy()).mean() / distance if distance else 1.0
    no_better = np.abs(_errors(table)).mean() > NO_BETTER * distance
    if share < ECHO and no_better and _remembers(table, lags, changes=True):
        _warn(
            f"the forecasts of {name!r} nearly repeat the last known value (they move {share:.0%} as far from it as "
            "the truth does) and err as much, although the changes of the series depend on those before; try a longer "
            "lookback, a seasonal anchor or more training."
        )


def _warn(words: str) -> None:
    warnings.warn(f"compare: {words}", UserWarning, stacklevel=4)


def _moves(table: pd.DataFrame) -> float:
    """Return how far forecasts move from origin to origin, at the step where they move most, as a share of the truth.

    One step is enough: the forecasts of a good model, too, may come to rest many steps ahead. The median over the
    series is taken; 1 where there are too few origins to tell.
    """
    if table["fold"].nunique() < FEWEST_ORIGINS:
        return 1.0
    by_step = [table["series"], table["step"]]
    squares = table.groupby(["series", "step"])[["y_pred", "y_true"]].diff() ** 2
    means = squares.groupby(by_step).mean().groupby("series")
    forecast, truth = means["y_pred"].max(), means["y_true"].mean()
    return float(np.sqrt((forecast[truth > 0] / truth[truth > 0]).median())) if (truth > 0).any() else 1.0


def _past_tells(table: pd.DataFrame, lags: set[int]) -> bool:
    """Return whether the best forecast would move from origin to origin, or at least from step to step.

    What the steps have in common over all origins, such as the hours of a day, may well be forecast the same each time.
    """
    steps = table.groupby(["series", "step"])
    if _remembers(table.assign(y_true=table["y_true"] - steps["y_true"].transform("mean")), lags):
        return True
    profile = steps["y_pred"].mean().groupby("series").std(ddof=0)
    flat = (profile < COLLAPSED * table.groupby("series")["y_true"].std()).mean() >= MOST
    return bool(flat) and _remembers(table, lags)


def _remembers(table: pd.DataFrame, lags: set[int], *, changes: bool = False) -> bool:
    """Return whether the truth, or its changes, are correlated with earlier ones at one of the lags."""
    rows = table.drop_duplicates(["series", "time"]).sort_values("time", kind="stable")
    found = []
    for _, truth in rows.groupby("series")["y_true"]:
        values = np.diff(truth) if changes else truth.to_numpy()
        noise = max(MEMORY, 3 / np.sqrt(max(len(values), 1)))
        found.append(max(_autocorrelation(values, lag) for lag in lags) > noise)
    return bool(np.mean(found) >= MOST)


def _autocorrelation(values: Floats, lag: int) -> float:
    """Return the absolute autocorrelation at `lag`; 0 where there is none."""
    centred = values - values.mean() if len(values) else values
    total = float(centred @ centred)
    return abs(float(centred[lag:] @ centred[:-lag])) / total if total > 0 and lag < len(values) else 0.0
