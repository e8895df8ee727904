"""Checks of what comes in, and the wording of every error.

Every message follows one template: who refuses, which parameter, what it must be, what it was, and the remedy.
"""

import contextlib
import difflib
import itertools
import math
import numbers
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.validation import check_array


class InvalidParameterError(ValueError, TypeError):
    """A parameter has a type or a value that it must not have."""


class TrainingDivergedError(ArithmeticError):
    """The training loss became infinite or not a number."""


class ModelSaveError(TypeError):
    """An estimator holds something that a file must not hold, such as a function."""


class ModelFileError(ValueError):
    """A file is not one that `save` wrote: cut, changed, or made by somebody else.

    Parameters
    ----------
    path : str
        The file.
    reason : str
        What is wrong with it, and with which of its members.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"


class ModelVersionError(ModelFileError):
    """A file was written by a newer version than this one."""


def name_of(owner: object) -> str:
    """Return the name that an error gives to `owner`: a class name, or the string itself."""
    return owner if isinstance(owner, str) else type(owner).__name__


def invalid_parameter(
    owner: object, parameter: str, constraint: str, value: object, remedy: str = ""
) -> InvalidParameterError:
    """Return the error that says what `parameter` of `owner` must be, and what it was."""
    message = f"{name_of(owner)}: `{parameter}` must be {constraint}; got {value!r}."
    return InvalidParameterError(f"{message} {remedy}".rstrip())


def check_int(owner: object, parameter: str, value: object, *, minimum: int, remedy: str = "") -> int:
    """Return `value` as an int; raise unless it is an integer (no bool) of at least `minimum`."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < minimum:
        raise invalid_parameter(owner, parameter, f"an integer >= {minimum}", value, remedy)
    return int(value)


def check_real(
    owner: object,
    parameter: str,
    value: object,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    closed: str = "neither",
) -> float:
    """Return `value` as a float; raise unless it is a finite number between `low` and `high`.

    `closed` says which ends belong to the interval: "left", "right", "both" or "neither".
    """
    left, right = closed in {"left", "both"}, closed in {"right", "both"}
    interval = f"{'[' if left else '('}{low:g}, {high:g}{']' if right else ')'}"
    if not isinstance(value, numbers.Real) or isinstance(value, bool) or not math.isfinite(float(value)):
        raise invalid_parameter(owner, parameter, f"a number in {interval}", value)
    number = float(value)
    above = number >= low if left else number > low
    below = number <= high if right else number < high
    if not (above and below):
        raise invalid_parameter(owner, parameter, f"a number in {interval}", value)
    return number


def check_bool(owner: object, parameter: str, value: object) -> bool:
    """Return `value` as a bool; raise unless it is one."""
    if not isinstance(value, bool | np.bool_):
        raise invalid_parameter(owner, parameter, "True or False", value)
    return bool(value)


def check_option(owner: object, parameter: str, value: object, options: Sequence[Any]) -> Any:
    """Return `value`; raise unless it is one of `options`, with the nearest one as a suggestion."""
    if any(value is option or (type(value) is type(option) and value == option) for option in options):
        return value
    names = [option for option in options if isinstance(option, str)]
    near = difflib.get_close_matches(str(value), names, n=1)
    remedy = f"Did you mean {near[0]!r}?" if near else ""
    raise invalid_parameter(owner, parameter, f"one of {list(options)}", value, remedy)


@contextlib.contextmanager
def kept_whole(estimator: object) -> Iterator[None]:
    """Put all attributes of `estimator` back when a fit fails on its way, so that the fit before it still works."""
    before = vars(estimator).copy()
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def check_columns(owner: object, frame: pd.DataFrame) -> None:
    """Raise unless the columns of `frame` are unique, have one type of name, and can be read as plain numbers."""
    names = frame.columns
    repeated = names[names.duplicated()]
    if len(repeated):
        raise ValueError(f"{name_of(owner)}: duplicate column {repeated[0]!r}. Rename or drop one of them.")
    kinds = {type(name).__name__ for name in names}
    if "str" in kinds and len(kinds) > 1:
        raise TypeError(
            f"{name_of(owner)}: feature names only support names that are all strings; got {sorted(kinds)}. "
            "Pass `frame.rename(columns=str)`."
        )
    for name, dtype in zip(names, frame.dtypes, strict=True):
        check_dtype(owner, f"column {name!r}", dtype)


def check_dtype(owner: object, what: str, dtype: Any) -> None:
    """Raise if the `dtype` of `what` is a time, a category or text, which numpy may silently turn into numbers."""
    kind = getattr(dtype, "kind", None)
    if kind == "M" or isinstance(dtype, pd.PeriodDtype):
        raise TypeError(f"{name_of(owner)}: {what} is {dtype}, a datetime. Pass it as the index.")
    if kind == "m" or isinstance(dtype, pd.CategoricalDtype | pd.IntervalDtype):
        raise TypeError(f"{name_of(owner)}: {what} is {dtype}. Turn it into numbers first.")
    if kind in {"U", "S"} or isinstance(dtype, pd.StringDtype):
        raise ValueError(f"{name_of(owner)}: {what} is text ({dtype}), not numeric. Convert it with `pd.to_numeric`.")


def check_numeric(owner: object, data: Any, what: str) -> None:
    """Raise unless `data`, an array, Series or DataFrame called `what`, has a type that can be read as plain numbers.

    What the values themselves are is left to scikit-learn's checks.
    """
    if data is None:
        raise ValueError(f"{name_of(owner)}: {what} must be array-like; got None.")
    if isinstance(data, pd.DataFrame):
        check_columns(owner, data)
        return
    dtype = getattr(data, "dtype", None)
    if not hasattr(dtype, "kind"):  # a list, or the container of another library
        dtype = np.asarray(data).dtype
    named = isinstance(data, pd.Series) and data.name is not None
    check_dtype(owner, f"column {data.name!r}" if named else f"Input {what}", dtype)


def is_finite(values: NDArray[Any]) -> bool:
    """Return whether no entry of `values` is NaN or infinite; one sum tells it, unless the sum itself overflows."""
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(np.sum(values)) or np.isfinite(values).all())


def count_axes(data: Any) -> int:
    """Return the number of axes of an array-like."""
    shape = getattr(data, "shape", None)
    return int(np.asarray(data).ndim) if shape is None else len(shape)


def check_finite(owner: object, values: NDArray[Any], what: str, columns: Iterable[object] | None = None) -> None:
    """Raise a ValueError that names the first NaN or infinite entry of `values`, an array called `what`."""
    if is_finite(values):
        return
    where = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
    too_large = f"infinity or a value too large for dtype({str(values.dtype)!r})"
    problem = "NaN" if np.isnan(values[where]) else too_large
    names = None if columns is None else list(columns)
    place = f"row {where[0]}"
    if len(where) > 1:
        place += f", column {names[where[-1]]!r}" if names else f", column {where[-1]}"
    raise ValueError(
        f"{name_of(owner)}: Input {what} contains {problem} (first at {place}). "
        "Fill or drop such rows first, e.g. with pandas' `interpolate`."
    )


def check_rows(
    owner: object, X: Any, what: str = "X", dtype: Any = np.float64, *, missing: bool = False
) -> NDArray[Any]:
    """Return the rows `X` (n_steps, n_features), or (n_steps,) for one feature, as a finite 2-D array.

    With `missing`, values may be NaN. `dtype` is a type, or a list of them: the data keep theirs if it is in the list
    and get the first one otherwise. Raises `TypeError` for sparse data and for columns of times or categories,
    `ValueError` for missing, infinite, complex or textual values, for no rows and for other than one or two dimensions.
    """
    if X is None:
        raise ValueError(f"{name_of(owner)}: {what} must be array-like of shape (n_steps, n_features); got None.")
    check_numeric(owner, X, what)
    columns: Iterable[object] | None = None
    if isinstance(X, pd.Series):
        X = X.to_frame()
    if isinstance(X, pd.DataFrame):
        columns = X.columns
    elif count_axes(X) == 1:
        X = np.asarray(X).reshape(-1, 1)
    with np.errstate(over="ignore"):
        rows = check_array(X, dtype=dtype, ensure_all_finite=False, estimator=name_of(owner), input_name=what)
    check_finite(owner, np.where(np.isnan(rows), 0, rows) if missing else rows, what, columns)
    return rows  # type: ignore[no-any-return]


def check_memory(
    owner: object,
    n_bytes: int,
    what: str = "this array",
    remedy: str = "Keep the windows lazy, or lower `lookback` or the number of windows.",
) -> None:
    """Raise a MemoryError with an estimate when the `n_bytes` that `what` would take are more than this machine has."""
    try:
        limit = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):  # a system that does not tell
        return
    if n_bytes > limit:
        raise MemoryError(
            f"{name_of(owner)}: {what} would take {n_bytes / 2**30:.1f} GiB; the machine has "
            f"{limit / 2**30:.1f} GiB. {remedy}"
        )


def check_levels(owner: object, parameter: str, levels: Any) -> tuple[float, ...]:
    """Return levels of quantiles as a tuple; raise unless they rise between 0 and 1."""
    constraint = "a sequence of rising numbers in (0, 1)"
    if isinstance(levels, str) or not hasattr(levels, "__len__") or len(levels) == 0:
        raise invalid_parameter(owner, parameter, constraint, levels)
    checked = tuple(check_real(owner, parameter, level, low=0, high=1) for level in levels)
    if any(later <= earlier for earlier, later in itertools.pairwise(checked)):
        raise invalid_parameter(owner, parameter, constraint, levels)
    return checked
