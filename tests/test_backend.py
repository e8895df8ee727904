"""Without TensorFlow, or with another backend of Keras: what needs a network says what to do, all else works."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from saved import GOLDEN

pytestmark = pytest.mark.fault("F14")

ROOT = Path(__file__).parents[1]

WITHOUT_NETWORKS = """
import sys, types, tempfile, pathlib
{prepare}
import numpy as np
from sklearn.linear_model import Ridge
import tsrnn

rows = np.sin(np.arange(40.0))
windows, targets = tsrnn.make_windows(rows, lookback=4)
assert tsrnn.WindowTransformer(4).fit_transform(rows[:, None]).shape == (40, 4, 1)
assert len(list(tsrnn.WalkForwardSplit(3).split(rows))) == 3
forecaster = tsrnn.Forecaster(Ridge(), lookback=4).fit(rows)
table = tsrnn.backtest(forecaster, rows, cv=tsrnn.WalkForwardSplit(2), progress=False)
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / "forecaster"
    tsrnn.save(forecaster, path)
    assert tsrnn.load(path).predict() == forecaster.predict()
    network = tsrnn.load({golden!r})
    windows = np.ones((2, 6, 1))
    calls = {{
        "fit": lambda: tsrnn.LSTMRegressor(2).fit(windows, [0.0, 1.0]),
        "fit of a classifier": lambda: tsrnn.GRUClassifier(2).fit(windows, [0, 1]),
        "partial_fit": lambda: network.partial_fit(windows, np.ones((2, 2))),
        "predict": lambda: network.predict(windows),
        "influence": lambda: network.influence(windows),
        "model_": lambda: network.model_,
        "to_onnx": lambda: network.to_onnx(path),
        "stream": lambda: tsrnn.load({golden!r}).set_params(bidirectional=False).stream(),
    }}
    for name, call in calls.items():
        try:
            call()
        except ImportError as error:
            print(name, "|", error)
"""

MISSING = r"tsrnn: fitting and predicting with networks need TensorFlow and Keras; got .*: pip install tensorflow keras"
OTHER = "tsrnn: Keras' backend must be 'tensorflow'; got 'jax'. Unset the environment variable KERAS_BACKEND "
FAKE = "sys.modules['keras'] = types.SimpleNamespace(config=types.SimpleNamespace(backend=lambda: 'jax'))"
CASES = {
    "no TensorFlow": ("sys.modules['tensorflow'] = None", {}, MISSING),
    "KERAS_BACKEND=jax": ("", {"KERAS_BACKEND": "jax"}, OTHER),
    "no Keras": ("sys.modules['keras'] = None", {}, MISSING),
    "another backend of Keras already": (FAKE, {}, OTHER),
}
SLOW = {"no Keras", "another backend of Keras already"}


@pytest.mark.parametrize("case", [pytest.param(case, marks=[pytest.mark.slow] * (case in SLOW)) for case in CASES])
def test_only_networks_need_tensorflow_and_say_so(case):
    prepare, environment, words = CASES[case]
    code = WITHOUT_NETWORKS.format(prepare=prepare, golden=str(GOLDEN / "1-network.tsrnn"))
    env = {**os.environ, **environment, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False, env=env
    )
    assert done.returncode == 0, done.stderr
    told = dict(line.split(" | ", 1) for line in done.stdout.splitlines())
    calls = ["fit", "fit of a classifier", "partial_fit", "predict", "influence", "model_", "to_onnx", "stream"]
    assert list(told) == calls
    for text in told.values():
        assert re.match(words, text)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["", "tensorflow"])
def test_an_empty_choice_is_the_default(backend):
    code = "from tsrnn import _backend; print(_backend.keras.config.backend())"
    env = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert done.stdout.strip() == "tensorflow"
