"""The networks against `reference`, an implementation of their formulas in numpy."""

import itertools

import numpy as np
import pytest
import reference

import tsrnn
from tsrnn import GRURegressor, SimpleRNNRegressor, Windows, programs
from tsrnn.networks import Architecture
from tsrnn.programs import Network, Program, Settings

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

LOOKBACK, FEATURES, OUTPUTS, SIZE = 6, 2, 4, 5
VARIANTS = {
    "single": {},
    "bidirectional": {"bidirectional": True},
    "two layers": {"n_layers": 2},
    "two bidirectional layers": {"n_layers": 2, "bidirectional": True},
    "segments": {"segment_length": 3},
    "segments and parallel decoder": {"segment_length": 2, "decoder": "parallel"},
    "everything": {"n_layers": 2, "bidirectional": True, "segment_length": 2, "decoder": "parallel"},
}
COMPILED = ["single", "two bidirectional layers", "segments and parallel decoder"]  # half a second for each cell
CELLS = ["SimpleRNN", "LSTM", "GRU"]
every_cell = pytest.mark.parametrize("cell", CELLS)


@pytest.fixture(autouse=True)
def own_caches(monkeypatch):
    """Programs of these tests count for no others, against the bound on XLA programs least of all."""
    monkeypatch.setattr(programs, "_networks", programs.Cache(64))
    monkeypatch.setattr(programs, "_programs", programs.Cache(64))
    monkeypatch.setattr(programs, "_compilations", itertools.count(1))


def architecture(cell, **values):
    return Architecture(cell, LOOKBACK, FEATURES, OUTPUTS, **{"hidden_size": SIZE, **values})


def random_weights(network, rng):
    """Every weight at random, biases and positions as well: with one constant for all, a swap of gates hides."""
    return [rng.normal(scale=0.4, size=v.shape).astype(np.float32) for v in network.variables]


def windows_of(samples):
    count, lookback, features = samples.shape
    return Windows(samples.reshape(-1, features), np.arange(count) * lookback, lookback)


def samples(rng, count):
    return rng.normal(size=(count, LOOKBACK, FEATURES)).astype(np.float32)


def regressor(cell, **values):
    defaults = {"hidden_size": SIZE, "epochs": 1, "random_state": 0, "jit_compile": False}
    return getattr(tsrnn, f"{cell}Regressor")(**{**defaults, **values})


# --- golden numbers ---


@every_cell
@pytest.mark.parametrize("variant", VARIANTS)
def test_predictions_are_those_of_the_formulas(cell, variant):
    rng = np.random.default_rng(CELLS.index(cell))
    network = Network(architecture(cell, **VARIANTS[variant]))
    weights, x = random_weights(network, rng), samples(rng, 19)
    expected = reference.network(cell, x, weights, **VARIANTS[variant])
    assert expected.std() > 0.1
    for compiled in (False, True) if variant in COMPILED else (False,):
        found = network.predict(weights, windows_of(x), compiled=compiled)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


@every_cell
def test_the_compiled_step_has_the_outputs_and_gradients_of_the_formulas(cell):
    rng = np.random.default_rng(CELLS.index(cell))
    values = VARIANTS["everything"]
    network = Network(architecture(cell, **values, hidden_size=2))
    weights, x = random_weights(network, rng), samples(rng, 4)
    variables, key = [tf.constant(w) for w in weights], tf.zeros(2, tf.int64)
    program = programs.program_of(network.architecture, Settings("mse", "sgd", None, 8), compiled=True)

    def step(targets, sample_weights):
        arguments = (tf.constant(part, tf.float32) for part in (x, targets, sample_weights, 1 / sum(sample_weights)))
        found, gradients, _ = program._gradient(*arguments, key, variables)
        return float(found), [np.asarray(g) for g in gradients]

    outputs = reference.network(cell, x, weights, **values)
    for one in np.eye(4):  # the Euclidean distance of one window's outputs from the formulas'
        assert np.sqrt(OUTPUTS * step(outputs, one)[0]) <= 1e-6

    targets, sample_weights = rng.normal(size=(4, OUTPUTS)), np.array([1, 2, 0.5, 3])

    def loss(w):
        return reference.loss("mse", reference.network(cell, x, w, **values), targets, sample_weights)

    found, gradients = step(targets, sample_weights)
    assert found == pytest.approx(loss(weights), rel=1e-6)
    for gradient, expected in zip(gradients, reference.gradients(loss, weights), strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-6)


# --- what tells one network from another ---


def key(**cell_options):
    return architecture("LSTM", cell_options=cell_options).key


def activation_of(factor):
    def activation(x):
        return factor * x

    return activation


def test_cell_options_count_by_their_content():
    assert key(activation="relu", use_bias=False) == key(use_bias=False, activation="relu")
    assert key(kernel_constraint=keras.constraints.MaxNorm(2)) == key(kernel_constraint=keras.constraints.MaxNorm(2))
    function = activation_of(2)
    assert key(activation=function) == key(activation=function)
    assert hash(key(activation=function, kernel_constraint=keras.constraints.MaxNorm(2))) is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"activation": "relu"}),
        ({"activation": "relu"}, {"activation": "tanh"}),
        ({"activation": "relu"}, {"recurrent_activation": "relu"}),
        ({"kernel_constraint": keras.constraints.MaxNorm(2)}, {"kernel_constraint": keras.constraints.MaxNorm(3)}),
        ({"kernel_regularizer": keras.regularizers.L1(0.1)}, {"kernel_regularizer": keras.regularizers.L2(0.1)}),
        ({"activation": activation_of(1)}, {"activation": activation_of(2)}),
    ],
    ids=["none", "activation", "which activation", "constraint", "regularizer", "function"],
)
def test_other_cell_options_are_another_network(one, other):
    assert key(**one) != key(**other)


def test_every_value_counts():
    base = architecture("LSTM")
    others = {
        "cell": "GRU", "lookback": 12, "n_features": 3, "n_outputs": 6, "hidden_size": 6, "n_layers": 2,
        "bidirectional": True, "dropout": 0.1, "recurrent_dropout": 0.1, "segment_length": 2, "decoder": "parallel",
        "build_network": len, "cell_options": {"use_bias": False},
    }  # fmt: skip
    assert set(others) == set(vars(base))
    keys = {base.key} | {Architecture(**{**vars(base), name: value}).key for name, value in others.items()}
    assert len(keys) == len(others) + 1


def test_functions_of_one_name_are_not_confused():
    x, y = samples(np.random.default_rng(0), 8), np.arange(8.0)
    fits = [regressor("SimpleRNN", cell_options={"activation": activation_of(f)}).fit(x, y) for f in (0.1, 0.9)]
    first, second = (fit.predict(x) for fit in fits)
    assert not np.allclose(first, second)


# --- cell options ---


def test_the_activation_reaches_the_cell():
    rng = np.random.default_rng(0)
    network = Network(architecture("SimpleRNN", cell_options={"activation": "relu"}))
    weights, x = random_weights(network, rng), samples(rng, 3)
    kernel, recurrent, bias, *decoder = weights
    h = np.zeros((3, SIZE))
    for t in range(LOOKBACK):
        h = np.maximum(x[:, t] @ kernel + h @ recurrent + bias, 0)
    expected = reference.dense_decoder([h], decoder)
    np.testing.assert_allclose(network.predict(weights, windows_of(x), compiled=False), expected, rtol=0, atol=1e-6)


def test_a_constraint_holds_after_training():
    x, y = samples(np.random.default_rng(0), 8), np.arange(8.0)
    limits = []
    for options in ({}, {"kernel_constraint": keras.constraints.MaxNorm(0.1)}):
        fitted = regressor("SimpleRNN", bidirectional=True, cell_options=options, epochs=3).fit(x, y)
        kernels = fitted.weights_[0][:6:3]
        limits.append(max(np.linalg.norm(kernel, axis=0).max() for kernel in kernels))
    assert limits[0] > 0.5
    assert limits[1] <= 0.1 + 1e-6


def test_a_regularizer_adds_its_gradient_once():
    """Both shards of a batch know the weights; the penalty must still count once."""
    x, y = samples(np.random.default_rng(0), 8), np.arange(8.0)
    settings = {"optimizer": "sgd", "learning_rate": 0.1, "clipping": None, "batch_size": 8}
    penalty = {"kernel_regularizer": keras.regularizers.L2(0.5)}
    plain, penalised = (
        regressor("GRU", cell_options=options, **settings).fit(x, y).weights_[0] for options in ({}, penalty)
    )
    rng = np.random.default_rng([0, 0])
    start = Network(Architecture("GRU", LOOKBACK, FEATURES, 1, hidden_size=SIZE)).initial_weights(rng)
    np.testing.assert_allclose(penalised[0] - plain[0], -0.1 * 2 * 0.5 * start[0], rtol=0, atol=1e-6)
    for one, other in zip(penalised[1:], plain[1:], strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-6)


def test_an_unknown_option_is_named():
    with pytest.raises(ValueError, match="activaton"):
        regressor("LSTM", cell_options={"activaton": "relu"}).fit(np.zeros((4, 3)), np.arange(4.0))


# --- dropout ---


def test_dropout_keeps_the_expected_value():
    layer = programs.networks.Dropout(0.3)
    ones = np.ones((1000, 64), dtype=np.float32)
    dropped = np.asarray(layer(ones, training=True))
    assert set(np.unique(dropped)) == {np.float32(0), np.float32(1 / 0.7)}
    assert np.mean(dropped == 0) == pytest.approx(0.3, abs=0.01)  # 5 standard errors
    np.testing.assert_array_equal(layer(ones, training=False), ones)


@pytest.mark.parametrize(("cell", "kind"), [("GRU", "dropout"), *((cell, "recurrent_dropout") for cell in CELLS)])
def test_dropout_is_drawn_from_the_key_in_training_and_never_in_predictions(cell, kind):
    rng = np.random.default_rng(0)
    network = Network(architecture(cell, **{kind: 0.5}))
    weights, x = random_weights(network, rng), samples(rng, 8)
    program = Program(network, Settings("mse", "sgd", None, 8), compiled=False)
    y, variables = tf.zeros((8, OUTPUTS)), [tf.constant(w) for w in weights]

    def loss(*key):
        found, _, _ = program._gradient(
            tf.constant(x), y, tf.ones(8), tf.constant(1 / 8), tf.constant(key, tf.int64), variables
        )
        return float(found)

    losses = [loss(0, 0), loss(0, 1), loss(7, 0)]
    assert losses == [loss(0, 0), loss(0, 1), loss(7, 0)]
    assert len(set(losses)) == 3
    expected = reference.network(cell, x, weights)
    np.testing.assert_allclose(network.predict(weights, windows_of(x), compiled=False), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("n_layers", "places"), [(1, 1), (3, 3)])
def test_dropout_stands_behind_every_layer(n_layers, places):
    model = Network(architecture("GRU", n_layers=n_layers, dropout=0.2)).model
    assert sum(isinstance(layer, keras.layers.Dropout) for layer in model.layers) == places


# --- the user's own network ---


def averaging(input_shape, n_outputs):
    window = keras.Input(input_shape)
    states = keras.layers.GRU(3)(window)
    return keras.Model(window, keras.layers.Dense(n_outputs, use_bias=False)(keras.layers.BatchNormalization()(states)))


def test_a_network_of_ones_own_is_trained_and_used():
    x, y = samples(np.random.default_rng(0), 40), np.arange(80.0).reshape(40, 2)
    fitted = GRURegressor(build_network=averaging, epochs=5, learning_rate=0.05, random_state=0, jit_compile=False)
    fitted.fit(x, y)
    # GRU kernel, recurrent kernel and biases; scale and shift; the map out of 3 states; two moving statistics
    assert [w.shape for w in fitted.weights_[0]] == [(2, 9), (3, 9), (2, 9), (3,), (3,), (3, 2), (3,), (3,)]
    assert fitted.n_parameters_ == 18 + 27 + 18 + 6 + 6
    assert fitted.history_["loss"].iloc[-1] < fitted.history_["loss"].iloc[0]
    *cell, scale, shift, out, mean, variance = fitted.weights_[0]
    assert np.all(mean != 0)
    assert np.all(variance != 1)
    states = reference.layer("GRU", x, cell)[1][0]
    scaled = ((states - mean) / np.sqrt(variance + 1e-3) * scale + shift) @ out
    expected = scaled * fitted.target_scale_ + fitted.target_mean_
    np.testing.assert_allclose(fitted.predict(x), expected, rtol=1e-5)


def test_the_weights_of_ones_own_network_come_from_the_seed():
    x, y = samples(np.random.default_rng(0), 8), np.arange(8.0)
    fits = [GRURegressor(build_network=averaging, epochs=1, random_state=s, jit_compile=False) for s in (0, 1, 0)]
    first, second, third = (fit.fit(x, y).predict(x) for fit in fits)
    assert not np.allclose(first, second)
    np.testing.assert_array_equal(first, third)


def test_a_sequential_network_of_ones_own():
    def build(shape, n_outputs):
        return keras.Sequential([keras.Input(shape), keras.layers.GRU(2), keras.layers.Dense(n_outputs)])

    x, y = samples(np.random.default_rng(0), 8), np.arange(8.0)
    fitted = GRURegressor(build_network=build, epochs=1, random_state=0, jit_compile=False).fit(x, y)
    np.testing.assert_allclose(np.asarray(fitted.model_(x))[:, 0], fitted.predict(x), rtol=1e-5)


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda _, n: keras.layers.Dense(n), TypeError, "must return a keras.Model; got Dense"),
        (lambda _, __: None, TypeError, "must return a keras.Model; got NoneType"),
        (
            lambda shape, n: averaging(shape, n + 1),
            ValueError,
            r"from \(batch, 6, 2\) to \(batch, 1\); got one from \(None, 6, 2\) to \(None, 2\)",
        ),
        (
            lambda shape, n: averaging((shape[0] + 1, shape[1]), n),
            ValueError,
            r"to \(batch, 1\); got one from \(None, 7, 2\)",
        ),
        (lambda _, n: keras.Sequential([keras.layers.GRU(2), keras.layers.Dense(n)]), ValueError, "knows its shapes"),
    ],
)
def test_a_network_of_the_wrong_type_or_shape_is_refused(build, error, message):
    with pytest.raises(error, match=message) as caught:
        SimpleRNNRegressor(build_network=build).fit(np.zeros((8, LOOKBACK, FEATURES)), np.arange(8.0))
    assert str(caught.value).startswith("`build_network`")
