"""What turns the values of one series into those that a network sees, and its forecasts back."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Chain:
    """Transformers of one series, fitted one after the other.

    A transformer with a `lag` takes differences: its forecasts are added to what was known before them, and the rows
    that have nothing `lag` steps before them are no differences.
    """

    steps: list[Any]

    @classmethod
    def fit(cls, transformers: list[Any], values: Floats) -> Self:
        """Fit clones of `transformers` on `values` (n_steps,), those that are not missing."""
        fitted, skip = [], 0
        for transformer in transformers:
            known = values[skip:]
            fitted.append(clone(transformer).fit(known[~np.isnan(known), None]))
            values = _forward(fitted[-1], values)
            skip += lag_of(transformer)
        return cls(fitted)

    @property
    def skip(self) -> int:
        """Rows at the beginning of the series that are no differences."""
        return sum(lag_of(step) for step in self.steps)

    def stages(self, values: Floats) -> list[Floats]:
        """Return `values` (n_steps,) before each step and, last, behind all of them."""
        stages = [values]
        for step in self.steps:
            stages.append(_forward(step, stages[-1]))
        return stages

    def back(self, forecasts: Floats, stages: list[Floats], origins: NDArray[np.int64]) -> Floats:
        """Return forecasts (n_origins, n_steps) made from the last of `stages` in the units of the first."""
        for step, known in zip(reversed(self.steps), reversed(stages[:-1]), strict=True):
            if lag_of(step):
                forecasts = _summed(forecasts, known, origins, lag_of(step))
            elif _is_plain(step):
                forecasts = forecasts * step.scale_ + step.mean_
            else:
                forecasts = _column(step.inverse_transform(forecasts.reshape(-1, 1))).reshape(forecasts.shape)
        return forecasts


def steps_of(transformer: Any) -> list[Any]:
    """Return the transformers of a Pipeline, or the one that it is; none for None."""
    if isinstance(transformer, Pipeline):
        return [step for _, step in transformer.steps if step not in (None, "passthrough")]
    return [] if transformer is None else [transformer]


def lag_of(transformer: Any) -> int:
    """Return how many steps back a transformer takes its differences; 0 if it takes none."""
    return int(getattr(transformer, "lag", 0))


def _is_plain(step: Any) -> bool:
    """Return whether a step is scikit-learn's StandardScaler: its checks take 0.15 ms a call, its sums nothing."""
    return type(step) is StandardScaler and step.with_mean and step.with_std


def _forward(step: Any, values: Floats) -> Floats:
    return (values - step.mean_) / step.scale_ if _is_plain(step) else _column(step.transform(values[:, None]))


def _summed(differences: Floats, known: Floats, origins: NDArray[np.int64], lag: int) -> Floats:
    """Return the values whose differences to those `lag` steps before them are given."""
    values = np.empty_like(differences)
    for step in range(differences.shape[1]):
        before = known[origins + 1 + step - lag] if step < lag else values[:, step - lag]
        values[:, step] = before + differences[:, step]
    return values


def _column(values: Any) -> Floats:
    return np.asarray(values, dtype=np.float64).reshape(-1)
