"""What a fitted regressor says beside its prediction: its quantiles, its standard deviation, its members."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import Pipeline

from tsrnn._validation import invalid_parameter, name_of

Floats: TypeAlias = NDArray[np.float64]
Reader: TypeAlias = Callable[[Any, Any], Floats]
"""Of a fitted regressor and samples, its values (n_values, n_samples, ...)."""

NEEDED = {
    "quantile": 'a network with loss="quantile"',
    "gaussian": 'a network with loss="gaussian", or another regressor whose `predict` takes `return_std`',
    "ensemble": "a network with n_members >= 2",
}


def point(regressor: Any, X: Any) -> Floats:
    """Return the prediction, as the only value."""
    return np.asarray(regressor.predict(X), dtype=np.float64)[None]


def reader(owner: object, method: str, levels: Sequence[float]) -> Reader:
    """Return what reads the values of `method`: quantiles at `levels`, or one deviation less, the centre, one more."""

    def read(regressor: Any, X: Any) -> Floats:
        if isinstance(regressor, MultiOutputRegressor):
            return np.stack([read(each, X) for each in regressor.estimators_], axis=-1)
        final, samples = _last_step(regressor, X)
        if not _tells(final, method):
            remedy = f'{name_of(final)} tells nothing of it. Use "conformal" or "adaptive".'
            raise invalid_parameter(owner, "method", f"what the regressor tells, {NEEDED[method]}", method, remedy)
        if method == "quantile":
            return np.moveaxis(np.asarray(final.predict_quantiles(samples, levels), dtype=np.float64), -1, 0)
        if method == "gaussian":
            centre, deviation = final.predict(samples, return_std=True)
        else:
            members = final.predict_members(samples)
            centre, deviation = members.mean(axis=0), members.std(axis=0)
        return np.stack([centre - deviation, centre, centre + deviation])

    return read


def _last_step(regressor: Any, X: Any) -> tuple[Any, Any]:
    """Return the regressor itself behind a search and a Pipeline, and the samples that it sees."""
    regressor = getattr(regressor, "best_estimator_", regressor)
    if isinstance(regressor, Pipeline):
        return _last_step(regressor[-1], regressor[:-1].transform(X) if len(regressor) > 1 else X)
    return regressor, X


def _tells(regressor: Any, method: str) -> bool:
    if method == "gaussian":
        return "return_std" in inspect.signature(regressor.predict).parameters
    if method == "ensemble":
        return hasattr(regressor, "predict_members") and regressor.n_members >= 2
    return hasattr(regressor, "predict_quantiles")
