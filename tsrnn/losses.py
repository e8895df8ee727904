"""What is minimised, for each sample; like `networks`, imported at the first fit or predict only.

Outputs are standardised, as the targets are: (batch, n_outputs), or (batch, n_outputs, n_values) for the losses of
distributions.
"""

import math
from typing import Any, NamedTuple

from keras import ops

__all__ = ["Loss", "of_samples"]


class Loss(NamedTuple):
    """A loss by name, and the levels of the quantile loss."""

    name: str
    quantiles: tuple[float, ...] = ()


def of_samples(loss: Loss, outputs: Any, targets: Any) -> Any:
    """Return the loss of each sample, shape (batch,): the mean over its outputs."""
    if loss.name == "cross_entropy":
        return -ops.sum(targets * ops.log_softmax(outputs, axis=1), axis=1)
    if loss.name == "quantile":
        return ops.mean(_pinball(loss.quantiles, targets[..., None] - outputs), axis=(1, 2))
    if loss.name == "gaussian":
        return ops.mean(_negative_log_likelihood(outputs, targets), axis=1)
    return ops.mean(POINT[loss.name](outputs - targets), axis=1)


def _huber(errors: Any) -> Any:
    size = ops.abs(errors)
    return ops.where(size <= 1, 0.5 * ops.square(errors), size - 0.5)


def _log_cosh(errors: Any) -> Any:
    size = ops.abs(errors)
    return size + ops.softplus(-2 * size) - math.log(2)  # log(cosh) itself overflows beyond 89


POINT = {"mse": ops.square, "mae": ops.abs, "huber": _huber, "log_cosh": _log_cosh}


def _pinball(levels: tuple[float, ...], errors: Any) -> Any:
    """Koenker & Bassett (1978), doi:10.2307/1913643."""
    level = ops.convert_to_tensor(levels, dtype=errors.dtype)
    return ops.maximum(level * errors, (level - 1) * errors)


def _negative_log_likelihood(outputs: Any, targets: Any) -> Any:
    """Of a normal distribution; Nix & Weigend (1994), doi:10.1109/ICNN.1994.374138."""
    mean, scale = outputs[..., 0], outputs[..., 1]
    return 0.5 * math.log(2 * math.pi) + ops.log(scale) + 0.5 * ops.square((targets - mean) / scale)
