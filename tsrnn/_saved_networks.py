"""What a file may hold of a recurrent estimator, and how its weights must agree with its architecture."""

import inspect
import math
from functools import partial
from typing import Any

from tsrnn import _node_kinds as kinds
from tsrnn._index_nodes import UnfitError
from tsrnn._node_kinds import array, choice, fixed, listed, mapped, one_of, record
from tsrnn._parameters import BETWEEN_LAYERS, DECODERS, LOSSES, OPTIMIZERS
from tsrnn._tree import Checker, Decoder, Kind, Spec, content
from tsrnn._weight_shapes import weight_shapes
from tsrnn.classifiers import GRUClassifier, LSTMClassifier, SimpleRNNClassifier
from tsrnn.regressors import GRURegressor, LSTMRegressor, SimpleRNNRegressor

COUNT, FLAG, NONE, PLAIN, REAL, TEXT = kinds.COUNT, kinds.FLAG, kinds.NONE, kinds.PLAIN, kinds.REAL, kinds.TEXT

ACTIVATIONS = [
    "elu", "exponential", "gelu", "hard_sigmoid", "hard_tanh", "leaky_relu", "linear", "mish", "relu",
    "relu6", "selu", "sigmoid", "silu", "softmax", "softplus", "softsign", "swish", "tanh",
]  # fmt: skip
INITIALIZERS = [
    "glorot_normal", "glorot_uniform", "he_normal", "he_uniform", "lecun_normal", "lecun_uniform",
    "identity", "ones", "orthogonal", "random_normal", "random_uniform", "truncated_normal", "zeros",
]  # fmt: skip

ACTIVATION, INITIALIZER = choice(*ACTIVATIONS, None), choice(*INITIALIZERS)
PENALTY, BOUND = choice(None, "l1", "l2", "l1_l2"), choice(None, "max_norm", "non_neg", "unit_norm")
CELL_OPTIONS = {
    "activation": ACTIVATION,
    "recurrent_activation": ACTIVATION,
    **dict.fromkeys(["use_bias", "unit_forget_bias", "reset_after", "unroll"], kinds.BOOL),
    **dict.fromkeys(["kernel_initializer", "recurrent_initializer", "bias_initializer"], INITIALIZER),
    **dict.fromkeys([f"{part}_regularizer" for part in ("kernel", "recurrent", "bias", "activity")], PENALTY),
    **dict.fromkeys([f"{part}_constraint" for part in ("kernel", "recurrent", "bias")], BOUND),
    "dropout": kinds.FLOAT,
    "seed": one_of(NONE, kinds.INT),
}
"""Keras makes objects of the names and configurations that it is given here. A file names none but these."""

OPTIONS = record(CELL_OPTIONS, CELL_OPTIONS)

SIZE = Kind("an integer from 1 to 2**31", lambda node, _: type(node) is int and 1 <= node <= 2**31)
HEAD = {"head": choice("point", "quantiles", "gaussian"), "n_values": SIZE}
ARCHITECTURE = {
    "cell": choice("SimpleRNN", "LSTM", "GRU"),
    **dict.fromkeys(["lookback", "n_features", "n_outputs", "hidden_size", "n_layers", "segment_length"], SIZE),
    "bidirectional": kinds.BOOL,
    "convolution": one_of(NONE, fixed(SIZE, SIZE)),
    "between_layers": listed(choice(*BETWEEN_LAYERS), "tuple"),
    **dict.fromkeys(["dropout", "recurrent_dropout"], kinds.FLOAT),
    "truncation": one_of(NONE, SIZE),
    "attention": choice("additive", "transformer", None),
    "decoder": choice(*DECODERS),
    "cell_options": OPTIONS,
    **HEAD,
}
NO_PARTS = Kind("None", lambda node, _: node is None or node in ({"list": []}, {"tuple": []}))
NO_FUNCTION = Kind("None", lambda node, _: node is None)
PARAMETERS = {
    "cell_options": one_of(NONE, OPTIONS),
    "build_network": NO_FUNCTION,
    "callbacks": NO_PARTS,
    "optimizer": choice(*OPTIMIZERS),
    "learning_rate": REAL,
    "class_weight": one_of(choice(None, "balanced"), mapped(kinds.SCALAR, REAL)),
    "random_state": one_of(NONE, kinds.INTEGER),
}
HERE = {"checkpoint": None}
"""What belongs to one machine and stays there: a file from elsewhere must not say where a later fit writes."""


def _are_weights(node: Any) -> bool:
    """Return whether lists of lists are written out: they are looked into."""
    members = content(node, "list")
    return isinstance(members, list) and members != [] and all(isinstance(content(m, "list"), list) for m in members)


WEIGHTS = Kind(
    "a list of the weights of each member",
    lambda node, checker: _are_weights(node) and listed(listed(array(range(5)))).fits(node, checker),
)
SLOTS = listed(listed(array(range(5), kinds="fiu")))
STATE = {
    "weights_": WEIGHTS,
    "_architecture": record(ARCHITECTURE, ["decoder"]),
    "_fitted_loss": fixed(choice(*LOSSES, "cross_entropy"), listed(kinds.FLOAT, "tuple"), record(HEAD)),
    "_optimizer_states": fixed(choice(*OPTIMIZERS), one_of(NONE, SLOTS)),
    "_varying": FLAG,
    "_ordered": FLAG,
    "_predicts_compiled": FLAG,
    "input_shape_": fixed(SIZE, SIZE),
    **dict.fromkeys(["n_features_in_", "n_outputs_", "n_iter_", "best_epoch_", "n_parameters_"], COUNT),
    "feature_names_in_": kinds.TEXTS,
    "history_": kinds.FRAME,
}
OF_REGRESSORS = {
    "_target_shape": listed(COUNT, "tuple"),
    **dict.fromkeys(["target_mean_", "target_scale_"], array([1])),
}
LABELS = one_of(kinds.TEXTS, array([1], kinds="fiub"))
OF_CLASSIFIERS = {"classes_": LABELS, "_new_classes": one_of(LABELS, PLAIN)}


def network_specs() -> dict[str, Spec]:
    """Return what a file may hold of each recurrent estimator, by the name of its class."""
    specs = {}
    for cls in (SimpleRNNRegressor, LSTMRegressor, GRURegressor, SimpleRNNClassifier, LSTMClassifier, GRUClassifier):
        state = STATE | (OF_CLASSIFIERS if cls.__name__.endswith("Classifier") else OF_REGRESSORS)
        own = {name: PARAMETERS.get(name, PLAIN) for name in inspect.signature(cls).parameters if name not in HERE}
        needed = [name for name in state if name not in ("feature_names_in_", "_new_classes")]
        check = partial(_check_network, cls._cell)
        specs[cls.__name__] = Spec(cls, own, state, needed, forgotten=list(HERE), defaults=HERE, check=check)
    return specs


def _check_network(cell: str, attributes: dict[str, Any], checker: Checker) -> None:
    """Raise unless the parts of an estimator of one cell agree, where it is fitted."""
    if "weights_" not in attributes:
        return
    values = {"decoder": "dense", **_plain(attributes["_architecture"])}
    if values["cell"] != cell:
        raise UnfitError(f"the network of a {cell} estimator has the cell {values['cell']!r}")
    _check_sizes(values, attributes)
    _check_targets(values, attributes, checker)
    for member in attributes["weights_"]["list"]:
        _check_weights(values, [checker.array(part, whole=True) for part in member["list"]])


def _plain(node: Any) -> Any:
    """Return the value of a node without arrays and objects."""
    return Decoder({}).value(node)


def _check_sizes(values: dict[str, Any], attributes: dict[str, Any]) -> None:
    length, n_outputs = values["segment_length"], values["n_outputs"]
    _, levels, head = _plain(attributes["_fitted_loss"])
    n_values = {"point": 1, "quantiles": len(levels), "gaussian": 2}[values["head"]]
    unrolled = values["decoder"] in ("parallel", "recurrent", "attention")
    fits = (
        _plain(attributes["input_shape_"]) == (values["lookback"], values["n_features"])
        and attributes["n_outputs_"] == n_outputs
        and head == {"head": values["head"], "n_values": values["n_values"]}
        and values["n_values"] == n_values
        and values["lookback"] % length == 0
        and not (unrolled and n_outputs % length)
        and not (values["decoder"] == "sequence" and n_outputs % (values["lookback"] // length))
    )
    if not fits:
        raise UnfitError("the sizes of a network do not agree with each other")


def _check_targets(values: dict[str, Any], attributes: dict[str, Any], checker: Checker) -> None:
    """Raise unless there is a class, or a mean and a scale, for each output."""
    count = values["n_outputs"]
    if "classes_" in attributes:
        labels = attributes["classes_"]
        known: int | None = len(labels["texts"][1]) if "texts" in labels else _shape_of(labels, checker)[0]
    else:
        shapes = {_shape_of(attributes[name], checker) for name in ("target_mean_", "target_scale_")}
        known = math.prod(_plain(attributes["_target_shape"])) if shapes == {(count,)} else None
    if known != count:
        raise UnfitError(f"a network of {count} outputs does not have as many classes, or means and scales")


def _shape_of(node: Any, checker: Checker) -> tuple[int, ...]:
    stored: Any = checker.array(node, whole=False)
    shape: tuple[int, ...] = stored.shape
    return shape


def _check_weights(values: dict[str, Any], stored: list[Any]) -> None:
    """Raise unless the weights of one member have the shapes that the architecture gives them."""
    # Each layer has weights: a number of layers that the file invents must not become a list of as many shapes.
    expected = weight_shapes(values) if values["n_layers"] <= len(stored) else None
    if [part.shape for part in stored] != expected or any(part.dtype != "<f4" for part in stored):
        raise UnfitError("`weights_` must have the shapes and the type that the architecture gives them")
