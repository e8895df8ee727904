"""Optimizers by name or as Keras objects, learning rates and clipping; imported at the first fit or predict only."""

from typing import Any

from tsrnn._backend import keras, tf

__all__ = ["clipped", "learning_rate_of", "new_optimizer"]

OPTIMIZERS = {"adam": "Adam", "adamw": "AdamW", "rmsprop": "RMSprop", "sgd": "SGD"}


def new_optimizer(optimizer: Any) -> Any:
    """Return Keras' optimizer of a name, or one like the given; the engine sets its learning rate at every step."""
    if isinstance(optimizer, str):
        return getattr(keras.optimizers, OPTIMIZERS[optimizer])()
    return type(optimizer).from_config({**optimizer.get_config(), "learning_rate": 0.001})


def learning_rate_of(optimizer: Any, learning_rate: Any) -> tuple[Any, float]:
    """Return the schedule that gives the rate of each step, or None, and the rate at the start."""
    # An optimizer's public `learning_rate` is that of the moment, whatever schedule it follows.
    rate = learning_rate if isinstance(optimizer, str) else optimizer._learning_rate
    return (rate, float(rate(0))) if callable(rate) else (None, float(rate))


def clipped(gradients: list[Any], clipping: tuple[str, float] | None, norm: Any) -> list[Any]:
    """Return the gradients within the bounds of `clipping`, a rule and its bound; `norm` is that of all of them."""
    if clipping is None:
        return gradients
    rule, bound = clipping
    if rule == "value":
        return [tf.clip_by_value(g, -bound, bound) for g in gradients]
    shortened, _ = tf.clip_by_global_norm(gradients, bound, use_norm=norm)
    return list(shortened)
