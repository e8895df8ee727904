"""What a scikit-learn regressor takes and gives, looked up without fitting it."""

from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags


def weight_name(regressor: Any) -> str:
    """Return the name under which the `fit` of a regressor takes weights of samples."""
    if isinstance(regressor, Pipeline):
        name, step = regressor.steps[-1]
        return f"{name}__{weight_name(step)}"
    return "sample_weight"


def is_estimator(part: Any, method: str) -> bool:
    """Return whether `part` is an object, no class, that can be fitted and has `method`."""
    return not isinstance(part, type) and hasattr(part, "fit") and hasattr(part, method)


def takes_windows(regressor: Any) -> bool:
    """Return whether `regressor` declares 3-D input; of a Pipeline the first step counts, of a search what it wraps."""
    if isinstance(regressor, Pipeline):
        return takes_windows(next(step for _, step in regressor.steps if step not in (None, "passthrough")))
    inner = wrapped(regressor)
    return bool(get_tags(regressor).input_tags.three_d_array) if inner is None else takes_windows(inner)


def predicts_several(regressor: Any) -> bool:
    """Return whether `regressor` predicts several numbers at once; a search does when what it tries does."""
    if isinstance(regressor, Pipeline):
        return predicts_several(regressor.steps[-1][1])
    is_search = hasattr(regressor, "refit") and wrapped(regressor) is not None
    return predicts_several(wrapped(regressor)) if is_search else bool(get_tags(regressor).target_tags.multi_output)


def wrapped(regressor: Any) -> Any:
    """Return the regressor that a search or another meta-estimator wraps; None if it wraps none."""
    parts = (getattr(regressor, name, None) for name in ("estimator", "regressor"))
    return next((part for part in parts if hasattr(part, "fit")), None)
