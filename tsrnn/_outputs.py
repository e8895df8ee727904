"""What every measure of a forecast does with its arrays: it reads columns, weights rows and averages outputs."""

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tsrnn._validation import check_finite, check_option, check_rows

Floats: TypeAlias = NDArray[np.float64]


def check_forecast(
    owner: str, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None, name: str = "y_pred"
) -> tuple[Floats, Floats, Floats | None]:
    """Return observations and forecasts, called `name`, as columns of one shape, and the weights of their rows."""
    true, pred = check_rows(owner, y_true, "y_true"), check_rows(owner, y_pred, name)
    if true.shape != pred.shape:
        raise ValueError(
            f"{owner}: y_true and {name} must have the same shape; got {np.shape(y_true)} and {np.shape(y_pred)}."
        )
    weights = None if sample_weight is None else check_weights(owner, "sample_weight", sample_weight, len(true))
    return true, pred, weights


def check_weights(owner: str, parameter: str, values: ArrayLike, n: int) -> Floats:
    """Return `n` weights."""
    weights = np.asarray(values, dtype=np.float64)
    if weights.shape != (n,):
        raise ValueError(f"{owner}: `{parameter}` must hold {n} weights, shape ({n},); got shape {weights.shape}.")
    check_finite(owner, weights, parameter)
    if (weights < 0).any() or not weights.any():
        problem = "a negative weight" if (weights < 0).any() else "only weights of zero"
        raise ValueError(f"{owner}: `{parameter}` holds {problem}. Leave out what should not count.")
    return weights


def average(owner: str, errors: Floats, multioutput: str | ArrayLike) -> float | Floats:
    """Return the errors of the outputs as `multioutput` wants them."""
    if isinstance(multioutput, str):
        check_option(owner, "multioutput", multioutput, ["raw_values", "uniform_average"])
        return errors if multioutput == "raw_values" else float(errors.mean())
    weights = check_weights(owner, "multioutput", multioutput, len(errors))
    return float(np.average(errors, weights=weights))
