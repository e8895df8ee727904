"""What an estimator takes as samples: every accepted form becomes `Windows`, checked once, at the edge."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils.validation import check_array, validate_data

from tsrnn._validation import check_finite, check_numeric, check_rows, count_axes, is_finite, name_of
from tsrnn.windows import Windows


def as_windows(estimator: Any, X: Any, *, reset: bool) -> Windows:
    """Return the samples `X` of `estimator` as finite float32 `Windows`, checked against what it was fitted on.

    `X` is `Windows`, an array (n_samples, lookback, n_features), or an array (n_samples, lookback) in which each row
    is one sequence of a single feature. Nothing is copied but for a change of type. A list of arrays (length,
    n_features) or (length,) of different lengths is padded. With `reset`, the estimator's `n_features_in_`,
    `feature_names_in_` and `input_shape_` are set; otherwise they are compared.
    """
    varying = vary(X) or (not reset and estimator._varying and isinstance(X, list | tuple) and len(X) > 0)
    if varying:
        X = _padded(estimator, X, None if reset else estimator.input_shape_[0])
    if reset:
        estimator._varying = varying
    if isinstance(X, Windows):
        windows = _finite_windows(estimator, X)
        _check_shape(estimator, windows, reset=reset)
        return windows
    check_numeric(estimator, X, "X")
    n_axes = count_axes(X)
    samples = _check_2d(estimator, X, reset=reset) if n_axes <= 2 else _check_3d(estimator, X, n_axes)
    shape = samples.shape if samples.ndim == 3 else (*samples.shape, 1)
    count, lookback, n_features = shape
    steps = np.ascontiguousarray(samples).reshape(count * lookback, n_features)
    windows = Windows(steps, np.arange(count) * lookback, lookback, origins=np.arange(count))
    _check_shape(estimator, windows, reset=reset, n_axes=samples.ndim)
    return windows


def vary(X: Any) -> bool:
    """Return whether `X` is a list of arrays of different lengths."""
    if not isinstance(X, list | tuple) or len(X) == 0 or not all(hasattr(part, "shape") for part in X):
        return False
    return len({part.shape[:1] for part in X}) > 1


def _padded(estimator: Any, sequences: Any, lookback: int | None) -> NDArray[np.float64]:
    """Return sequences as windows (n_samples, lookback, n_features), `lookback` the greatest length unless given.

    A shorter sequence is continued backwards with its first step; of a longer one the last steps count.
    """
    owner = name_of(estimator)
    rows = [check_rows(estimator, sequence, f"X[{number}]") for number, sequence in enumerate(sequences)]
    if len({part.shape[1] for part in rows}) > 1:
        raise ValueError(f"{owner}: all sequences must have the same features; got {[part.shape for part in rows]}.")
    lookback = lookback or max(len(part) for part in rows)
    ends = [part[-lookback:] for part in rows]
    return np.stack([np.pad(part, ((lookback - len(part), 0), (0, 0)), mode="edge") for part in ends])


def _finite_windows(estimator: Any, X: Windows) -> Windows:
    if len(X) == 0:
        raise ValueError(
            f"Found array with 0 sample(s) (shape={X.shape}) while a minimum of 1 is required by {name_of(estimator)}."
        )
    with np.errstate(over="ignore"):
        steps = X.steps.astype(np.float32, copy=False)
    if not is_finite(steps):
        check_finite(estimator, steps[X.covered()], "X")
    if X.offsets is not None:
        check_finite(estimator, X.offsets, "X, its offsets,")
    if X.scales is not None:
        check_finite(estimator, X.scales, "X, its scales,")
    return Windows(steps, X.starts, X.lookback, origins=X._origins, offsets=X.offsets, scales=X.scales)


def _check_2d(estimator: Any, X: Any, *, reset: bool) -> NDArray[np.float32]:
    columns = X.columns if isinstance(X, pd.DataFrame) else None
    with np.errstate(over="ignore"):
        samples = validate_data(estimator, X, reset=reset, dtype=np.float32, ensure_all_finite=False)
    check_finite(estimator, samples, "X", columns)
    return samples  # type: ignore[no-any-return]


def _check_3d(estimator: Any, X: Any, n_axes: int) -> NDArray[np.float32]:
    if n_axes > 3:
        raise ValueError(
            f"{name_of(estimator)}: expected a 2-D or 3-D array (n_samples, lookback, n_features); "
            f"got a {n_axes}-D one of shape {np.shape(X)}."
        )
    with np.errstate(over="ignore"):
        samples = check_array(
            X, dtype=np.float32, allow_nd=True, ensure_all_finite=False, estimator=name_of(estimator), input_name="X"
        )
    if 0 in samples.shape[1:]:
        raise ValueError(
            f"Found array with 0 feature(s) (shape={samples.shape}) while a minimum of 1 is required "
            f"by {name_of(estimator)}."
        )
    check_finite(estimator, samples, "X")
    return samples  # type: ignore[no-any-return]


def _check_shape(estimator: Any, windows: Windows, *, reset: bool, n_axes: int = 3) -> None:
    """Set or compare the shape of one sample; 2-D samples are counted by scikit-learn's own check."""
    _, lookback, n_features = windows.shape
    if reset:
        estimator.input_shape_ = (lookback, n_features)
        if n_axes == 3:
            estimator.n_features_in_ = n_features
            vars(estimator).pop("feature_names_in_", None)
        return
    fitted_lookback, fitted_features = estimator.input_shape_
    if n_features != fitted_features:
        raise ValueError(
            f"X has {n_features} features, but {name_of(estimator)} is expecting {fitted_features} features as input."
        )
    if lookback != fitted_lookback:
        raise ValueError(
            f"{name_of(estimator)}: X has windows of length {lookback}, but it was fitted on windows of length "
            f"{fitted_lookback}. Cut the windows with lookback={fitted_lookback}."
        )
