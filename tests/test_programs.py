"""Compiled programs: the same bits in every process and thread, bounded caches, and nothing global changed."""

import gc
import hashlib
import itertools
import os
import random
import signal
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
import pytest
import reference
from estimators import make
from sklearn.base import clone
from sklearn.model_selection import KFold, cross_validate

import tsrnn
from tsrnn import LSTMRegressor, Windows, make_windows, programs
from tsrnn.losses import Loss
from tsrnn.networks import Architecture
from tsrnn.programs import Cache, Network, Program, Settings

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")
config = pytest.importorskip("tensorflow.python.framework.config")

SERIES = np.sin(np.arange(60) * 0.7) + 0.01 * np.arange(60)
X, Y = make_windows(SERIES.astype(np.float32), lookback=4)
Y = Y[:, 0]


REAL_CACHES = programs._networks, programs._programs


@pytest.fixture(autouse=True)
def own_caches(monkeypatch):
    """Empty caches, and a count of XLA programs of one's own."""
    monkeypatch.setattr(programs, "_networks", Cache(32))
    monkeypatch.setattr(programs, "_programs", Cache(32))
    monkeypatch.setattr(programs, "_compilations", itertools.count(1))


def same(one, other):
    """Whether two lists of members' weights are equal to the bit."""
    pairs = zip(itertools.chain(*one), itertools.chain(*other), strict=True)
    return all(a.dtype == b.dtype and a.tobytes() == b.tobytes() for a, b in pairs)


# --- one epoch, by hand ---


def clipped(gradients, clipping):
    """The gradients, a dict of arrays, as `clipping` leaves them, and the norm that they had together."""
    rule, bound = clipping or ("norm", np.inf)
    norm = np.sqrt(sum(np.sum(g**2) for g in gradients.values()))
    if rule == "value":
        return {path: np.maximum(np.minimum(g, bound), -bound) for path, g in gradients.items()}, norm
    return {path: g * min(1, bound / norm) for path, g in gradients.items()}, norm


@pytest.mark.parametrize(
    ("loss", "clipping"), [("mse", ("norm", 0.3)), ("mse", ("value", 0.05)), ("mae", None), ("huber", None)]
)
def test_an_epoch_is_what_the_formulas_say(loss, clipping):
    """Two steps of gradient descent: a batch of four in two shards, and an incomplete one in which a shard is empty."""
    rng = np.random.default_rng(0)
    network = programs.network_of(Architecture("GRU", 3, 2, 2, hidden_size=2))
    program = Program(network, Settings(Loss(loss), "sgd", clipping, 4), compiled=False)
    arrays = [rng.normal(scale=0.5, size=v.shape).astype(np.float32) for v in network.variables]
    x, y = rng.normal(size=(5, 3, 2)).astype(np.float32), (3 * rng.normal(size=(5, 2))).astype(np.float32)
    sample_weights, rates = np.array([1, 2, 0.5, 3, 0.25], dtype=np.float32), np.array([0.1, 0.05], dtype=np.float32)
    program.load(arrays, None)
    series = programs.series_of(Windows(x.reshape(-1, 2), 3 * np.arange(5), 3))
    tensors = [tf.constant(part) for part in (y, sample_weights, [[3, 0, 4, 1], [2, -1, -1, -1]], rates)]
    found, total, norms, steps = program.epoch(series, *tensors, tf.zeros(2, tf.int64))

    weights, expected, expected_norms, changed = reference.by_path(network.variables, arrays), 0.0, 0.0, False
    for numbers, rate in zip([[3, 0, 4, 1], [2]], rates, strict=True):

        def batch_loss(w, rows=numbers):
            outputs = reference.network(network.architecture, x[rows], w)
            return reference.loss(loss, outputs, y[rows], sample_weights[rows])

        gradients = reference.gradients(batch_loss, weights)
        descent, norm = clipped(gradients, clipping)
        changed |= any((descent[path] != gradients[path]).any() for path in weights)
        expected_norms += norm  # of what is not clipped yet
        expected += sample_weights[numbers].sum() * batch_loss(weights)
        weights = {path: w - rate * descent[path] for path, w in weights.items()}
    assert changed == (clipping is not None)
    assert (int(steps), float(total)) == (2, sample_weights.sum())
    assert float(found) == pytest.approx(expected, rel=1e-5)
    assert float(norms) == pytest.approx(expected_norms, rel=1e-5)
    for found, wanted in zip(network.take(), weights.values(), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6)


# --- processes ---

CASES = [
    {"cls": "LSTMRegressor", "dropout": 0.3, "n_members": 2},
    {"cls": "GRURegressor", "optimizer": "rmsprop", "early_stopping": 5, "recurrent_dropout": 0.2},
    {"cls": "SimpleRNNRegressor", "jit_compile": True, "dropout": 0.3, "schedule": "cosine"},
]


def fitted(cls, data=(X, Y), **values):
    return make(getattr(tsrnn, cls), **values).fit(*data)


def digest(case):
    """A fingerprint of the weights and predictions of a case."""
    model = fitted(**case)
    arrays = [*itertools.chain(*model.weights_), model.predict(X)]
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()


def end_of_a_forked_child():
    """How a child ends that is forked after TensorFlow was used: with 40 and one for each call that is refused."""
    model = make().fit(X, Y)
    child = os.fork()
    if child == 0:
        refused = 0
        for call in (lambda: model.predict(X), lambda: model.fit(X, Y), lambda: model.model_):
            try:
                call()
            except RuntimeError as error:
                refused += "was forked" in str(error)
        os._exit(40 + refused)
    for _ in range(600):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.1)
    os.kill(child, signal.SIGKILL)
    return "it hung"


@pytest.fixture(scope="module")
def workers():
    """Fresh processes: each case is the first use of its program in them."""
    with joblib.parallel_config(backend="loky", n_jobs=2):
        yield joblib.Parallel()
    joblib.externals.loky.get_reusable_executor().shutdown(wait=True)


@pytest.fixture(scope="module")
def fresh_digests(workers):
    return workers(joblib.delayed(digest)(case) for case in CASES)


@pytest.mark.parametrize("number", range(len(CASES)))
def test_a_fit_from_the_cache_equals_one_in_a_fresh_process(number, fresh_digests):
    case = CASES[number]
    fitted(**case)
    fitted(**case, random_state=5, learning_rate=0.5)
    fitted(**case, data=(X[:21], -3 * Y[:21]))
    assert len(programs._programs) == 1
    assert digest(case) == fresh_digests[number]


@pytest.mark.bad_input(70)
@pytest.mark.usefixtures("fresh_digests")  # which are made first
def test_70_folds_in_workers_equal_those_in_one_process():
    model = make(LSTMRegressor, dropout=0.2)
    serial, parallel = (cross_validate(model, X, Y, cv=KFold(2), n_jobs=n, return_estimator=True) for n in (1, 2))
    np.testing.assert_array_equal(serial["test_score"], parallel["test_score"])
    for one, other in zip(serial["estimator"], parallel["estimator"], strict=True):
        assert same(one.weights_, other.weights_)


@pytest.mark.bad_input(70)
@pytest.mark.fault("F13")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_70_a_forked_child_is_told_and_does_not_hang(workers):
    assert workers([joblib.delayed(end_of_a_forked_child)()]) == [43]


# --- threads ---


@pytest.mark.bad_input(70)
@pytest.mark.fault("F18")
def test_70_threads_fit_and_predict_what_one_thread_does():
    models = [make(dropout=0.1, random_state=seed).fit(X, Y) for seed in range(3)]
    predictions = [model.predict(X) for model in models]

    def work(number):
        model = models[number % 3]
        again = clone(model).fit(X, Y)
        return same(again.weights_, model.weights_) and np.array_equal(model.predict(X), predictions[number % 3])

    programs._networks.clear()
    programs._programs.clear()
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(8)))


@pytest.mark.fault("F15")
def test_two_networks_built_at_once_put_back_the_users_random_state():
    second_builds, first_is_done = threading.Event(), threading.Event()

    def first(shape, n_outputs):
        second_builds.wait(0.3)
        return own_network(shape, n_outputs)

    def second(shape, n_outputs):
        second_builds.set()
        first_is_done.wait(0.3)
        return own_network(shape, n_outputs)

    def own_network(shape, n_outputs):
        return keras.Sequential([keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(n_outputs)])

    def build(function):
        programs.keras_model(Architecture("GRU", 4, 1, 1, build_network=function), weights, units)
        first_is_done.set()

    weights, units = [np.zeros((4, 1)), np.zeros(1)], ("regression", np.zeros(1), np.ones(1), (1,))
    before = random.getstate()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(build, [first, second]))
    assert random.getstate() == before


# --- predictions ---


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("cell", ["SimpleRNN", "LSTM", "GRU"])
def test_a_prediction_does_not_depend_on_its_neighbours(cell, compiled):
    network = programs.network_of(Architecture(cell, 4, 1, 2, hidden_size=7, bidirectional=True))
    weights = network.initial_weights(np.random.default_rng(0))
    whole = network.predict(weights, X, compiled=compiled)
    order = np.random.default_rng(0).permutation(len(X))
    np.testing.assert_array_equal(network.predict(weights, X[order], compiled=compiled), whole[order])
    for size in (1, 3, 16, 37):
        parts = [network.predict(weights, X[i : i + size], compiled=compiled) for i in range(0, len(X), size)]
        np.testing.assert_array_equal(np.concatenate(parts), whole)


# --- caches ---


def test_a_cache_drops_what_was_used_least_recently():
    cache, made = Cache(2), []

    def get(key):
        return cache.get(key, lambda: made.append(key) or key.upper())

    assert [get(key) for key in "abacbab"] == list("ABACBAB")
    assert made == ["a", "b", "c", "b", "a"]
    assert len(cache) == 2


def test_caches_are_bounded():
    assert [cache.size for cache in REAL_CACHES] == [programs.MAX_PROGRAMS] * 2 == [32, 32]


@pytest.mark.fault("F19")
def test_what_is_evicted_comes_back_to_the_bit(monkeypatch):
    monkeypatch.setattr(programs, "_networks", Cache(1))
    monkeypatch.setattr(programs, "_programs", Cache(1))
    evicted = make(hidden_size=2).fit(X, Y)
    before = evicted.predict(X)
    make(hidden_size=4).fit(X, Y)
    assert len(programs._networks) == len(programs._programs) == 1
    assert Architecture(**evicted._architecture).key not in programs._networks
    np.testing.assert_array_equal(evicted.predict(X), before)
    assert same(clone(evicted).fit(X, Y).weights_, evicted.weights_)


def test_past_the_bound_on_xla_programs_plain_graphs_run(monkeypatch):
    monkeypatch.setattr(programs, "MAX_PROGRAMS", 1)
    make(jit_compile=True).fit(X, Y)
    second = make(jit_compile=True, hidden_size=4)
    with pytest.warns(RuntimeWarning, match="has compiled 1 XLA programs"):
        second.fit(X, Y)
    assert same(second.weights_, make(hidden_size=4).fit(X, Y).weights_)
    make(jit_compile=True, hidden_size=5).fit(X, Y).predict(X)  # it is said once


def test_data_of_other_lengths_and_other_settings_trace_nothing():
    def fit(count, **values):
        return make(**values).fit(X[:count], Y[:count]).predict(X[: count // 2])

    def graphs():
        gc.collect()
        return sum(type(thing).__name__ == "FuncGraph" for thing in gc.get_objects())

    fit(50)
    fit(40)
    before = graphs()
    assert before > 0
    for count in (56, 33, 20, 3):
        fit(count, random_state=count, learning_rate=1 / count, epochs=1, schedule="cosine")
    assert graphs() == before


# --- globals ---


def global_state(folder):
    kind, keys, *rest = np.random.get_state()  # noqa: NPY002 - the user's state, to see that it stays
    return {
        "random": random.getstate(),
        "numpy": (kind, keys.tolist(), rest),
        "determinism": config.is_op_determinism_enabled(),
        "tensorflow": tf.random.get_global_generator().state.numpy().tolist(),
        "keras": (keras.config.floatx(), keras.config.dtype_policy().name, keras.config.image_data_format()),
        "environment": dict(os.environ),
        "warnings": list(warnings.filters),
        "threads": tf.config.threading.get_intra_op_parallelism_threads(),
        "files": sorted(path.name for path in folder.iterdir()),
    }


@pytest.mark.fault("F15")
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras, of its own variable
def test_nothing_global_is_changed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tf.random.set_seed(7)
    first = [float(tf.random.uniform(())) for _ in range(2)]
    tf.random.set_seed(7)
    drawn = [float(tf.random.uniform(()))]
    before = global_state(tmp_path)
    callbacks = [keras.callbacks.LearningRateScheduler(lambda _, rate: rate)]
    model = make(dropout=0.1, n_members=2, early_stopping=5, callbacks=callbacks, random_state=None)
    model.fit(X, Y).predict(X)
    model.model_.count_params()
    assert global_state(tmp_path) == before
    assert [*drawn, float(tf.random.uniform(()))] == first


@pytest.mark.fault("F15")
def test_the_users_types_change_nothing():
    model = make(dropout=0.1)
    expected = model.fit(X, Y).weights_, model.predict(X)
    programs._networks.clear()
    programs._programs.clear()
    before = keras.config.dtype_policy(), keras.config.floatx()
    try:
        keras.config.set_floatx("float64")
        keras.config.set_dtype_policy("mixed_float16")
        assert same(clone(model).fit(X, Y).weights_, expected[0])
        np.testing.assert_array_equal(model.predict(X), expected[1])
        np.testing.assert_allclose(np.asarray(model.model_(np.asarray(X)))[:, 0], expected[1], rtol=1e-5)
    finally:
        keras.config.set_dtype_policy(before[0])
        keras.config.set_floatx(before[1])


def separable(shape, n_outputs):
    window = keras.Input(shape)
    x = keras.layers.SeparableConv1D(2, 2)(window)
    return keras.Model(window, keras.layers.Dense(n_outputs)(keras.layers.Flatten()(x)))


def test_every_random_weight_is_drawn_anew():
    architecture = Architecture("GRU", 4, 1, 1, build_network=separable)
    one, other = (Network(architecture).initial_weights(np.random.default_rng(seed)) for seed in (0, 1))
    differ = [not np.array_equal(a, b) for a, b in zip(one, other, strict=True)]
    assert differ == [True, True, False, True, False]  # depthwise, pointwise, bias; kernel, bias


def test_a_drawn_bias_leaves_the_forget_gate_open():
    options = {"bias_initializer": keras.initializers.RandomNormal(stddev=0.01)}
    weights = Network(Architecture("LSTM", 4, 1, 1, 3, cell_options=options)).initial_weights(np.random.default_rng(0))
    bias = weights[2]
    assert (bias[3:6] == 1).all()
    assert 0 < np.abs(bias[[0, 1, 2, 6]]).min() < np.abs(bias[[0, 1, 2, 6]]).max() < 0.1
