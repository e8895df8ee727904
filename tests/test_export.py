"""What is exported predicts what the estimator predicts, in the runtime that it is exported for."""

import sys

import numpy as np
import pytest

from tsrnn import GRUClassifier, GRURegressor, LSTMRegressor, SimpleRNNRegressor

tf = pytest.importorskip("tensorflow")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 12, 3)).astype(np.float32)
Y = 500 + 20 * X[:, -4:, 0]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated"),
    pytest.mark.filterwarnings("ignore:In the future `np.object`:FutureWarning"),  # from inside tf2onnx
]

VARIANTS = {
    "plain": (SimpleRNNRegressor, {}),
    "several members": (LSTMRegressor, {"n_members": 2}),
    "convolution, segments": (GRURegressor, {"convolution": (4, 3), "segment_length": 2, "decoder": "parallel"}),
    "attention decoder, dropout": (LSTMRegressor, {"decoder": "attention", "dropout": 0.1}),
    "transformer": (GRURegressor, {"attention": "transformer", "bidirectional": True, "n_layers": 2}),
    "quantiles": (GRURegressor, {"loss": "quantile"}),
    "classes": (GRUClassifier, {"attention": "additive"}),
}


def fitted(variant):
    cls, values = VARIANTS[variant]
    model = cls(6, epochs=1, random_state=0, jit_compile=False, **values)
    return model.fit(X, Y[:, 0] > 500 if cls is GRUClassifier else Y)


def expected(model):
    if isinstance(model, GRUClassifier):
        return model.predict_proba(X)
    return model.predict_quantiles(X) if model.loss == "quantile" else model.predict(X)


def by_saved_model(model, folder):
    model.to_saved_model(folder / "network")
    loaded = tf.saved_model.load(str(folder / "network"))
    return loaded.serve(X).numpy()


def by_onnx(model, folder):
    onnxruntime = pytest.importorskip("onnxruntime")
    model.to_onnx(folder / "network.onnx")
    session = onnxruntime.InferenceSession(str(folder / "network.onnx"))
    return session.run(None, {session.get_inputs()[0].name: X})[0]


def by_tflite(model, folder):
    model.to_tflite(folder / "network.tflite")
    runtime = tf.lite.Interpreter(str(folder / "network.tflite"))
    runtime.allocate_tensors()
    (given,), (told,) = runtime.get_input_details(), runtime.get_output_details()
    answers = []
    for window in X:
        runtime.set_tensor(given["index"], window[None])
        runtime.invoke()
        answers.append(runtime.get_tensor(told["index"])[0].copy())
    return np.stack(answers)


@pytest.mark.parametrize("runtime", [by_saved_model, by_onnx, by_tflite])
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_exported_network_predicts_the_same(variant, runtime, tmp_path):
    model = fitted(variant)
    np.testing.assert_allclose(runtime(model, tmp_path), expected(model), rtol=3e-6, atol=3e-6)


def test_the_mixture_of_normal_distributions_is_no_network(tmp_path):
    model = LSTMRegressor(4, epochs=1, loss="gaussian", n_members=2, random_state=0, jit_compile=False).fit(X, Y)
    with pytest.raises(ValueError, match=r"mixture of 2 members' normal distributions .* Fit with n_members=1"):
        model.to_saved_model(tmp_path / "network")
    assert not any(tmp_path.iterdir())


def test_the_exporter_is_named_when_it_is_missing(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(ImportError, match=r"pip install 'tsrnn\[onnx\]'"):
        fitted("plain").to_onnx(tmp_path / "network.onnx")
