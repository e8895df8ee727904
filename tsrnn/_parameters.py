"""The checks of what a recurrent estimator is told: its parameters, and how they agree with the shapes."""

import numbers
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_array

from tsrnn._checkpoints import check_folder
from tsrnn._validation import (
    check_bool,
    check_finite,
    check_int,
    check_option,
    check_real,
    invalid_parameter,
    name_of,
)

Floats = NDArray[np.float64]

DECODERS = ["dense", "parallel", "recurrent", "sequence", "attention"]
LOSSES = ["mse", "mae", "huber", "log_cosh", "quantile", "gaussian"]
OPTIMIZERS = ["adam", "adamw", "rmsprop", "sgd"]
BETWEEN_LAYERS = ["residual", "layer_norm"]
RESERVED = {"dtype", "go_backwards", "name", "recurrent_dropout", "return_sequences", "return_state", "stateful"} | {
    "time_major",
    "units",
}
"""Arguments of a recurrent layer that are set by other parameters, or by the engine."""


def check(owner: Any) -> None:
    """Raise unless every parameter of the estimator `owner` is in its range."""
    _check_network(owner)
    _check_training(owner)
    check_int(owner, "n_members", owner.n_members, minimum=1)
    check_bool(owner, "warm_start", owner.warm_start)
    check_option(owner, "jit_compile", owner.jit_compile, [True, False, "auto"])
    listed = owner.callbacks is None or isinstance(owner.callbacks, list | tuple)
    if not (listed and all(hasattr(callback, "set_model") for callback in owner.callbacks or ())):
        raise invalid_parameter(owner, "callbacks", "a list of Keras callbacks or None", owner.callbacks)
    seed = owner.random_state
    if not (seed is None or isinstance(seed, np.random.RandomState)):
        check_int(owner, "random_state", seed, minimum=0)
    check_folder(owner, owner.checkpoint)
    if owner.checkpoint is not None and owner.callbacks:
        constraint = "None with `callbacks`, which nothing calls in a fit that is found again"
        raise invalid_parameter(owner, "checkpoint", constraint, owner.checkpoint)


def _check_network(owner: Any) -> None:
    for name in ["hidden_size", "n_layers", "segment_length"]:
        check_int(owner, name, getattr(owner, name), minimum=1)
    check_bool(owner, "bidirectional", owner.bidirectional)
    for name in ["dropout", "recurrent_dropout"]:
        check_real(owner, name, getattr(owner, name), low=0, high=1, closed="left")
    if owner.convolution is not None:
        _check_convolution(owner)
    if owner.truncation is not None:
        check_int(owner, "truncation", owner.truncation, minimum=1)
    check_option(owner, "attention", owner.attention, ["additive", "transformer", None])
    for name in _listed(owner.between_layers):
        check_option(owner, "between_layers", name, BETWEEN_LAYERS)
    _check_cell_options(owner)
    if not (owner.build_network is None or callable(owner.build_network)):
        raise invalid_parameter(owner, "build_network", "a callable or None", owner.build_network)


def _check_convolution(owner: Any) -> None:
    pair = owner.convolution
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        raise invalid_parameter(owner, "convolution", "(filters, kernel_size), two integers >= 1, or None", pair)
    for value in pair:
        check_int(owner, "convolution", value, minimum=1)


def _check_cell_options(owner: Any) -> None:
    if not (owner.cell_options is None or isinstance(owner.cell_options, dict)):
        raise invalid_parameter(owner, "cell_options", "a dict or None", owner.cell_options)
    taken = sorted(set(owner.cell_options or {}) & RESERVED)
    if taken:
        raise invalid_parameter(owner, "cell_options", f"without {taken}, which are not free", owner.cell_options)


def names(value: Any) -> tuple[Any, ...]:
    """Return the parameter `between_layers` as a tuple in a fixed order, whether it was none, one or several names."""
    return tuple(sorted(set(_listed(value))))


def _listed(value: Any) -> tuple[Any, ...]:
    if value is None:
        return ()
    return tuple(value) if isinstance(value, list | tuple | set) else (value,)


def _check_training(owner: Any) -> None:
    _check_optimizer(owner)
    check_option(owner, "schedule", owner.schedule, ["cosine", "plateau", None])
    clipping(owner)
    for name in ["epochs", "batch_size"]:
        check_int(owner, name, getattr(owner, name), minimum=1)
    if owner.early_stopping is not None:
        remedy = "It is the number of epochs without a better validation loss after which training stops."
        check_int(owner, "early_stopping", owner.early_stopping, minimum=1, remedy=remedy)
    check_real(owner, "validation_fraction", owner.validation_fraction, low=0, high=1)


def _check_optimizer(owner: Any) -> None:
    optimizer, rate = owner.optimizer, owner.learning_rate
    if isinstance(optimizer, type) or not (hasattr(optimizer, "get_config") and hasattr(optimizer, "apply")):
        check_option(owner, "optimizer", optimizer, OPTIMIZERS)
    else:
        _check_optimizer_object(owner, optimizer)
    if isinstance(rate, type) or not (callable(rate) and hasattr(rate, "get_config")):
        check_real(owner, "learning_rate", rate, low=0)
    elif owner.schedule is not None:
        raise invalid_parameter(
            owner, "schedule", "None when `learning_rate` is itself a schedule", owner.schedule, "Drop one of them."
        )


def _check_optimizer_object(owner: Any, optimizer: Any) -> None:
    """Raise for what an optimizer does outside of its `apply`: here it would be left out without a word."""
    told = optimizer.get_config()
    wanted = [name for name in ["use_ema", "loss_scale_factor", "inner_optimizer"] if told.get(name)]
    if getattr(optimizer, "_exclude_from_weight_decay_pattern", None) is not None:
        wanted.append("exclude_from_weight_decay")
    if wanted:
        constraint = f"an optimizer without {', '.join(wanted)}"
        raise invalid_parameter(owner, "optimizer", constraint, optimizer)


def clipping(owner: Any) -> tuple[str, float] | None:
    """Return the estimator's `clipping` as a rule and its bound, or None."""
    value = owner.clipping
    if value is None:
        return None
    rule, bound = value if isinstance(value, list | tuple) and len(value) == 2 else ("norm", value)
    check_option(owner, "clipping", rule, ["norm", "value"])
    return rule, check_real(owner, "clipping", bound, low=0)


def check_shapes(owner: Any, lookback: int) -> None:
    """Raise unless the network's parts fit windows of `lookback` steps and the number of outputs."""
    length, decoder, n_outputs = owner.segment_length, getattr(owner, "decoder", "dense"), owner.n_outputs_
    if lookback % length:
        raise invalid_parameter(owner, "segment_length", f"a divisor of the windows' length {lookback}", length)
    if decoder in ("parallel", "recurrent", "attention") and n_outputs % length:
        raise invalid_parameter(
            owner,
            "segment_length",
            f'a divisor of the {n_outputs} outputs for decoder="{decoder}"',
            length,
            'Choose another one, or decoder="dense".',
        )
    if decoder == "sequence" and owner.attention == "additive":
        raise invalid_parameter(
            owner,
            "attention",
            '"transformer" or None for decoder="sequence"',
            owner.attention,
            "Additive attention gives one answer a window, not one a step.",
        )


def check_weights(owner: object, sample_weight: Any, count: int) -> Floats:
    """Return `sample_weight` as `count` finite weights >= 0, not all of them zero."""
    if sample_weight is None:
        return np.ones(count)
    if isinstance(sample_weight, numbers.Real):
        sample_weight = np.full(count, sample_weight)
    weights = check_array(
        sample_weight, ensure_2d=False, dtype=np.float64, ensure_all_finite=False, input_name="sample_weight"
    )
    check_finite(owner, weights, "sample_weight")
    if weights.shape != (count,):
        raise ValueError(f"{name_of(owner)}: sample_weight.shape == {weights.shape}, expected ({count},).")
    if weights.min() < 0:
        raise ValueError(f"{name_of(owner)}: sample_weight must not be negative; got {weights.min()}.")
    if not weights.any():
        raise ValueError(f"{name_of(owner)}: sample_weight is zero for every sample; at least one weight must be > 0.")
    return weights  # type: ignore[no-any-return]
