"""Fitted networks in the formats of other runtimes; imported when something is exported only."""

from pathlib import Path
from typing import Any

from tsrnn._backend import keras, tf

__all__ = ["averaged", "to_onnx", "to_saved_model", "to_tflite"]


def averaged(models: list[keras.Model]) -> keras.Model:
    """Return one model whose output is the mean of those of `models`."""
    if len(models) == 1:
        return models[0]
    first = models[0].inputs[0]
    window = keras.Input(first.shape[1:], name="window")
    named = [keras.Model(model.inputs[0], model.outputs[0], name=f"member_{i}") for i, model in enumerate(models)]
    outputs = keras.layers.Average(name="mean")([member(window) for member in named])
    return keras.Model(window, outputs, name="members")


def to_saved_model(model: keras.Model, path: Path) -> None:
    """Write the folder `path`, whose function `serve` takes windows (batch, lookback, n_features)."""
    model.export(str(path), format="tf_saved_model", verbose=False)


def to_onnx(model: keras.Model, path: Path) -> None:
    """Write the file `path`, for any number of windows."""
    try:
        import onnx
        import tf2onnx
    except ImportError as error:
        raise ImportError("to_onnx needs the exporter. Install it: pip install 'tsrnn[onnx]'") from error
    del onnx, tf2onnx
    windows = tf.TensorSpec((None, *model.inputs[0].shape[1:]), tf.float32, name="window")
    model.export(str(path), format="onnx", verbose=False, input_signature=[windows])


def to_tflite(model: keras.Model, path: Path) -> None:
    """Write the file `path`, for one window at a time: the loop over its steps needs a fixed shape."""
    trainable = [tf.constant(v.numpy()) for v in model.trainable_variables]
    others = [tf.constant(v.numpy()) for v in model.non_trainable_variables]
    window = tf.TensorSpec((1, *model.inputs[0].shape[1:]), tf.float32, name="window")

    def predict(x: Any) -> Any:  # weights as constants: the runtime can read no variable inside a loop
        return model.stateless_call(trainable, others, x, training=False)[0]

    graph = tf.function(predict, input_signature=[window], autograph=False).get_concrete_function()
    path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([graph]).convert())
