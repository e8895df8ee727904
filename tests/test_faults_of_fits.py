"""Faults in a fit, for real: Ctrl-C at any moment, callbacks that fail, killed workers, divergence, no GPU."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import warnings
from pathlib import Path

import joblib
import keras
import numpy as np
import pytest
from estimators import make, same
from joblib.externals.loky.process_executor import TerminatedWorkerError
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import GridSearchCV, KFold, cross_validate

from tsrnn import Forecaster, GRURegressor, LSTMRegressor, TrainingDivergedError, backtest, make_windows
from tsrnn.model_selection import WalkForwardSplit

pytestmark = pytest.mark.usefixtures("own_caches")

ROOT = Path(__file__).parents[1]
SERIES = np.sin(np.arange(60) * 0.7) + 0.01 * np.arange(60)
X, Y = make_windows(SERIES.astype(np.float32), lookback=4)
Y = Y[:, 0]
STEEP = {"kernel_regularizer": keras.regularizers.L2(1000)}


class Own(Exception):
    """An error of the user's."""


class Failing(keras.callbacks.Callback):
    """Fails in the epoch `epoch` at the event `event`, or does what `harm` says."""

    def __init__(self, event="on_epoch_end", harm=None):
        super().__init__()
        self.event, self.harm = event, harm

    def _fail(self, event):
        if event != self.event:
            return
        if self.harm is not None:
            self.harm()
            return
        try:
            raise OSError("the disk of the log is full")
        except OSError as error:
            raise Own("no log") from error

    def on_train_begin(self, logs=None):  # noqa: ARG002
        self._fail("on_train_begin")

    def on_epoch_begin(self, epoch, logs=None):  # noqa: ARG002
        self._fail("on_epoch_begin")

    def on_epoch_end(self, epoch, logs=None):  # noqa: ARG002
        self._fail("on_epoch_end" if epoch else "")

    def on_train_end(self, logs=None):  # noqa: ARG002
        self._fail("on_train_end")


EVENTS = ["on_train_begin", "on_epoch_begin", "on_epoch_end", "on_train_end"]


def is_unfitted(model):
    return vars(model).keys() == model.get_params().keys()


# --- F4: Ctrl-C ---


@pytest.fixture
def heard_interrupts():
    """Python's own answer to the signal, also where a shell has started the tests in the background, without it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.fault("F4")
@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("n_members", [1, 2])
@pytest.mark.usefixtures("heard_interrupts")
def test_an_interrupt_leaves_no_half_fit(event, n_members):
    """The signal itself, raised in the fit; the second member's first one was whole."""

    def interrupt():
        signal.raise_signal(signal.SIGINT)

    values = {"n_members": n_members, "callbacks": [Failing(event, interrupt)]}
    new, fitted = make(GRURegressor, **values), make(GRURegressor).fit(X, Y)
    before = dict(vars(fitted))
    with pytest.raises(KeyboardInterrupt):
        new.fit(X, Y)
    assert is_unfitted(new)
    with pytest.raises(KeyboardInterrupt):
        fitted.set_params(**values).fit(X, 2 * Y)
    fitted.set_params(n_members=1, callbacks=None)
    assert vars(fitted).keys() == before.keys()
    assert all(vars(fitted)[name] is value for name, value in before.items())
    assert same(make(GRURegressor).fit(X, Y), fitted)


INTERRUPTED = """
import json, os, random, signal, sys, threading, time
import numpy as np
from sklearn.base import clone
from estimators import make, same
from tsrnn import GRURegressor, make_windows, programs

signal.signal(signal.SIGINT, signal.default_int_handler)
X, y = make_windows(np.sin(np.arange(60, dtype=np.float32)), lookback=4)
y = y[:, 0]
fitted = make(GRURegressor).fit(X, y)
expected, asked = clone(fitted).fit(X, y), fitted.predict(X)
clock, n_interrupts, worst = random.Random(0), 0, []
for trial in range(int(sys.argv[1])):
    builds = trial % 4 == 0
    if builds:
        programs._networks.clear()
        programs._programs.clear()
    new = make(GRURegressor, epochs=10**6)
    victim = fitted.set_params(epochs=10**6) if trial % 2 else new
    timer = threading.Timer(clock.uniform(0, 1.5 if builds else 0.15), os.kill, (os.getpid(), signal.SIGINT))
    try:
        timer.start()
        victim.fit(X, 2 * y)
    except KeyboardInterrupt:
        n_interrupts += 1
    fitted.set_params(epochs=2)
    assert vars(new).keys() == new.get_params().keys(), trial
    assert same(fitted, expected) and (fitted.predict(X) == asked).all(), trial
    assert same(clone(fitted).fit(X, y), expected), trial
print(json.dumps(n_interrupts))
"""


def in_a_fresh_process(code, *arguments, **environment):
    env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}", **environment}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.fault("F4")
def test_signals_at_any_moment_leave_no_half_fit():
    assert in_a_fresh_process(INTERRUPTED, 24) == 24


# --- F5: callbacks that fail, workers that are killed ---


@pytest.mark.fault("F5")
@pytest.mark.parametrize("event", EVENTS)
def test_an_error_in_a_callback_is_the_users_with_its_cause(event):
    callback = Failing(event)
    fitted = make().fit(X, Y)
    before = fitted.weights_
    with pytest.raises(Own, match=r"^no log$") as caught:
        fitted.set_params(callbacks=[callback]).fit(X, 2 * Y)
    assert isinstance(caught.value.__cause__, OSError)
    assert fitted.weights_ is before
    assert callback.model is None
    assert same(make().fit(X, Y), fitted)


@contextlib.contextmanager
def failing_fits(pattern):
    """Expect scikit-learn's warning of fits that failed; that their scores are missing is told as well."""
    with pytest.warns(FitFailedWarning, match=pattern), warnings.catch_warnings(action="ignore", category=UserWarning):
        yield


@pytest.mark.fault("F5", "F8")
def test_a_candidate_that_diverges_costs_its_own_score_only():
    diverging = {"optimizer": ["sgd"], "clipping": [None], "learning_rate": [0.01, 1e6], "epochs": [30]}
    search = GridSearchCV(make(), diverging, cv=KFold(2), refit=False)
    with failing_fits(r"(?s)2 fits failed.*TrainingDivergedError: The loss became"):
        scores = search.fit(X, Y).cv_results_["mean_test_score"]
    assert np.isfinite(scores[0])
    assert np.isnan(scores[1])
    one = cross_validate(make(optimizer="sgd", clipping=None, learning_rate=0.01, epochs=30), X, Y, cv=KFold(2))
    assert scores[0] == np.mean(one["test_score"])
    with pytest.raises(TrainingDivergedError, match="Lower `learning_rate`"):
        search.set_params(error_score="raise").fit(X, Y)


@pytest.mark.fault("F5")
def test_a_fold_that_fails_is_scored_as_asked():
    failing = make(callbacks=[Failing()])
    candidates = {"callbacks": [None, failing.callbacks]}
    search = GridSearchCV(make(), candidates, cv=[(range(20), range(20, 50))], refit=False, error_score=-9.0)
    with failing_fits(r"(?s)1 fits failed.*no log"):
        search.fit(X, Y)
    assert search.cv_results_["mean_test_score"][1] == -9
    model = Forecaster(failing, lookback=4)
    with pytest.raises(Own, match="no log"):
        backtest(model, SERIES, cv=WalkForwardSplit(2), progress=False)


def dies(parent):
    """Kill the process, unless it is `parent`."""

    def harm():
        if os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)

    return harm


@pytest.mark.slow
@pytest.mark.fault("F5")
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no SIGKILL here")
def test_a_killed_worker_is_told_and_the_next_run_works():
    model = make(LSTMRegressor)
    killed = clone(model).set_params(callbacks=[Failing(harm=dies(os.getpid()))])
    try:
        with pytest.raises(TerminatedWorkerError, match=r"SIGKILL|terminated"):
            cross_validate(killed, X, Y, cv=KFold(2), n_jobs=2)
        found = cross_validate(model, X, Y, cv=KFold(2), n_jobs=2)["test_score"]
    finally:
        joblib.externals.loky.get_reusable_executor().shutdown(wait=True)
    np.testing.assert_array_equal(found, cross_validate(model, X, Y, cv=KFold(2))["test_score"])


# --- F8 and F9: losses that are no numbers, gradients that explode ---


@pytest.mark.fault("F8")
@pytest.mark.parametrize("estimator", [GRURegressor, LSTMRegressor])
def test_a_part_of_a_fit_that_diverges_leaves_the_parts_before(estimator):
    model = make(estimator, optimizer="sgd", clipping=None).partial_fit(X, Y).partial_fit(X, Y)
    before = dict(vars(model))
    with pytest.raises(TrainingDivergedError, match=r"epoch 1, batch \d of 4, at learning_rate=1e\+30 \(last finite"):
        model.set_params(learning_rate=1e30).partial_fit(X, Y)
    model.set_params(learning_rate=before["learning_rate"])
    assert all(vars(model)[name] is value for name, value in before.items())
    other = make(estimator, optimizer="sgd", clipping=None)
    for _ in range(3):
        other.partial_fit(X, Y)
    assert same(model.partial_fit(X, Y), other)


@pytest.mark.fault("F8")
def test_the_epoch_and_the_batch_of_a_loss_that_is_no_number_are_told():
    """The rate of one step is too large: the loss of the next one cannot be computed."""

    class Jump(keras.optimizers.schedules.LearningRateSchedule):
        def __call__(self, step):
            return 1e30 if int(step) == 6 else 1e-3

        def get_config(self):
            return {}

    model = make(optimizer="sgd", clipping=None, learning_rate=Jump(), epochs=9, random_state=None)
    with pytest.raises(
        TrainingDivergedError, match=r"in epoch 2, batch 4 of 4, .*epoch loss: \d\.\d+\)\. Lower"
    ) as caught:
        model.fit(X, Y)
    assert "scale the inputs" in str(caught.value)
    assert is_unfitted(model)


@pytest.mark.fault("F9")
def test_a_gradient_is_clipped_unless_told_otherwise():
    one_step = {"optimizer": "sgd", "epochs": 1, "batch_size": 64, "cell_options": STEEP, "learning_rate": 0.25}
    still = make(**{**one_step, "learning_rate": 1e-30}).fit(X, Y)
    stepped = make(**one_step).fit(X, Y)
    moved = [np.ravel(b - a) for a, b in zip(still.weights_[0], stepped.weights_[0], strict=True)]
    assert stepped.history_["gradient_norm"][0] > 100
    assert np.linalg.norm(np.concatenate(moved)) == pytest.approx(0.25, rel=1e-4)
    far = make(**{**one_step, "clipping": None}).fit(X, Y)
    moved = [np.ravel(b - a) for a, b in zip(still.weights_[0], far.weights_[0], strict=True)]
    assert np.linalg.norm(np.concatenate(moved)) > 25


# --- F12: no GPU ---

WITHOUT_GPU = """
import json, warnings
warnings.simplefilter("error")
import numpy as np
from estimators import make
from tsrnn import GRURegressor, make_windows, programs
X, y = make_windows(np.sin(np.arange(60, dtype=np.float32)), lookback=4)
model = make(GRURegressor, dropout=0.1).fit(X, y[:, 0])
print(json.dumps([programs.has_gpu(), model.predict(X).tolist()]))
"""


@pytest.mark.slow
@pytest.mark.fault("F12")
def test_without_a_gpu_the_processor_computes():
    x, y = make_windows(np.sin(np.arange(60, dtype=np.float32)), lookback=4)
    has_gpu, found = in_a_fresh_process(WITHOUT_GPU, CUDA_VISIBLE_DEVICES="")
    assert not has_gpu
    from tsrnn import programs

    expected = make(GRURegressor, dropout=0.1).fit(x, y[:, 0]).predict(x)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 if programs.has_gpu() else 0)
