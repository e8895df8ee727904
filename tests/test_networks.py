"""The networks against `reference`, an implementation of their formulas in numpy."""

import itertools

import numpy as np
import pytest
import reference

import tsrnn
from tsrnn import GRURegressor, SimpleRNNRegressor, Windows, _truncation, networks, programs
from tsrnn.losses import Loss
from tsrnn.networks import Architecture
from tsrnn.programs import Network, Program, Settings

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

LOOKBACK, FEATURES, OUTPUTS, SIZE = 6, 2, 6, 4
BOTH_WAYS = {"bidirectional": True}
STACKED = {"n_layers": 2}
NORMS = {"between_layers": ("layer_norm", "residual")}
QUANTILES = {"head": "quantiles", "n_values": 3}
GAUSSIAN = {"head": "gaussian", "n_values": 2}
VARIANTS = {
    "single": {},
    "bidirectional": BOTH_WAYS,
    "two layers": STACKED,
    "two bidirectional layers": {**STACKED, **BOTH_WAYS},
    "convolution": {"convolution": (3, 3)},
    "convolution of one step": {"convolution": (2, 1)},
    "segments": {"segment_length": 3},
    "residual": {**STACKED, "between_layers": ("residual",)},
    "residual to the window": {"hidden_size": FEATURES, "between_layers": ("residual",)},
    "residual to the window, bidirectional": {"hidden_size": FEATURES // 2, **BOTH_WAYS, **NORMS},
    "normalised": {"n_layers": 3, **NORMS},
    "normalised and bidirectional": {**STACKED, **BOTH_WAYS, **NORMS},
    "additive": {"attention": "additive"},
    "additive, two bidirectional layers": {**STACKED, **BOTH_WAYS, "attention": "additive"},
    "transformer of four heads": {"attention": "transformer", "hidden_size": 4},
    "transformer of one head": {"attention": "transformer", "hidden_size": 3},
    "transformer that looks ahead": {"attention": "transformer", **BOTH_WAYS},
    "parallel": {"decoder": "parallel", "segment_length": 2},
    "recurrent": {"decoder": "recurrent"},
    "recurrent, with segments": {"decoder": "recurrent", "segment_length": 2, **BOTH_WAYS},
    "recurrent behind a transformer": {"decoder": "recurrent", "attention": "transformer"},
    "sequence": {"decoder": "sequence"},
    "sequence behind a transformer": {"decoder": "sequence", **BOTH_WAYS, **NORMS, "attention": "transformer"},
    "attention decoder": {"decoder": "attention"},
    "attention decoder, with segments": {"decoder": "attention", "segment_length": 3, "attention": "additive"},
    "quantiles": QUANTILES,
    "quantiles of segments": {**QUANTILES, "decoder": "recurrent", "segment_length": 2},
    "quantiles of a sequence": {**QUANTILES, "decoder": "sequence"},
    "gaussian": GAUSSIAN,
    "gaussian, parallel": {**GAUSSIAN, "decoder": "parallel"},
    "truncated": {"truncation": 4, **STACKED},
    "truncated, two bidirectional layers": {"truncation": 4, **STACKED, **BOTH_WAYS},
    "truncated sequence": {"truncation": 2, "decoder": "sequence"},
    "truncated bidirectional sequence": {"truncation": 4, "decoder": "sequence", **BOTH_WAYS, **NORMS},
    "truncated segments": {"truncation": 1, "decoder": "attention", "segment_length": 2, **STACKED},
    "everything": {
        **STACKED, **BOTH_WAYS, **NORMS, **QUANTILES, "convolution": (3, 2), "segment_length": 2, "truncation": 2,
        "attention": "transformer", "decoder": "attention",
    },
}  # fmt: skip
COMPILED = ["two bidirectional layers", "additive", "recurrent, with segments", "everything"]
CELLS = ["SimpleRNN", "LSTM", "GRU"]
EVERY_CELL = ["single", "parallel", "recurrent", "attention decoder", "truncated bidirectional sequence"]
EVERY_VARIANT = [*zip(VARIANTS, itertools.cycle(CELLS)), *itertools.product(EVERY_CELL, CELLS)]
every_cell = pytest.mark.parametrize("cell", CELLS)
with_some_cell = pytest.mark.parametrize(("variant", "cell"), dict.fromkeys(EVERY_VARIANT))
every_variant = pytest.mark.parametrize("variant", VARIANTS)


@pytest.fixture(autouse=True)
def own_caches(monkeypatch):
    """Programs of these tests count for no others, against the bound on XLA programs least of all."""
    monkeypatch.setattr(_truncation, "LONGEST_RUN", 4)  # windows of 6 steps are read in runs as longer ones are
    monkeypatch.setattr(programs, "_networks", programs.Cache(64))
    monkeypatch.setattr(programs, "_programs", programs.Cache(64))
    monkeypatch.setattr(programs, "_compilations", itertools.count(1))


@pytest.fixture
def float64():
    """Keras layers in float64."""
    before = keras.config.dtype_policy(), keras.config.floatx()
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_dtype_policy(before[0])
    keras.config.set_floatx(before[1])


def architecture(cell, **values):
    return Architecture(cell, LOOKBACK, FEATURES, OUTPUTS, **{"hidden_size": SIZE, **values})


def random_weights(network, rng):
    """Every weight at random, biases and positions as well: with one constant for all, a swap of gates hides."""
    return [rng.normal(scale=0.5, size=v.shape).astype(np.float32) for v in network.variables]


def windows_of(samples):
    count, lookback, features = samples.shape
    return Windows(samples.reshape(-1, features), np.arange(count) * lookback, lookback)


def samples(rng, count):
    return rng.normal(size=(count, LOOKBACK, FEATURES)).astype(np.float32)


def regressor(cell, **values):
    defaults = {"hidden_size": SIZE, "epochs": 1, "random_state": 0, "jit_compile": False}
    return getattr(tsrnn, f"{cell}Regressor")(**{**defaults, **values})


# --- golden numbers ---


@with_some_cell
def test_predictions_are_those_of_the_formulas(variant, cell):
    rng = np.random.default_rng(CELLS.index(cell))
    network = Network(architecture(cell, **VARIANTS[variant]))
    weights, x = random_weights(network, rng), samples(rng, 19)
    expected = reference.network(network.architecture, x, reference.by_path(network.variables, weights))
    assert expected.std(axis=0).max() > 5e-4
    for compiled in (False, True) if variant in COMPILED else (False,):
        found = network.predict(weights, windows_of(x), compiled=compiled)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def model_in_float64(cell, **values):
    """A model of random weights, these weights by their paths, and three windows."""
    rng = np.random.default_rng(CELLS.index(cell))
    a = architecture(cell, **{"hidden_size": 3, **values})
    model = networks.build(a)
    arrays = [rng.normal(v.name == "gamma", 0.7, size=v.shape) for v in model.trainable_variables]
    for variable, array in zip(model.trainable_variables, arrays, strict=True):
        variable.assign(array)
    return a, model, reference.by_path(model.trainable_variables, arrays), rng.normal(size=(3, LOOKBACK, FEATURES))


def differentiated(model, x, direction):
    """The outputs, and the gradients of their sum weighted with `direction` by the model's weights and the windows."""
    with tf.GradientTape() as tape:
        windows = tf.Variable(x)
        outputs = model(windows)
        total = tf.reduce_sum(outputs * direction)
    *gradients, of_windows = tape.gradient(total, [*(v.value for v in model.trainable_variables), windows])
    return np.asarray(outputs), [np.asarray(g) for g in gradients], np.asarray(of_windows)


@pytest.mark.slow
@every_cell
@every_variant
@pytest.mark.usefixtures("float64")
def test_outputs_in_float64_are_those_of_the_formulas(cell, variant):
    a, model, weights, x = model_in_float64(cell, **VARIANTS[variant])
    # Keras keeps the square root of the heads' size in float32: 1, of sizes that are powers of 4, is exact.
    exact = a.attention != "transformer" or a.width == 4
    np.testing.assert_allclose(model(x), reference.network(a, x, weights), rtol=0, atol=1e-13 if exact else 2e-7)


@pytest.mark.slow
@with_some_cell
@pytest.mark.usefixtures("float64")
def test_gradients_are_the_differences_of_the_formulas(variant, cell):
    """A truncated gradient is that of the formulas with the states held that were handed on."""
    a, model, weights, x = model_in_float64(cell, **VARIANTS[variant])
    direction, held = np.random.default_rng(1).normal(size=model(x).shape), {}
    reference.network(a, x, weights, held)
    assert bool(held) == (a.truncation is not None)
    _, gradients, _ = differentiated(model, x, direction)
    differences = reference.gradients(lambda w: np.sum(direction * reference.network(a, x, w, held)), weights)
    for (path, difference), gradient in zip(differences.items(), gradients, strict=True):
        size = np.linalg.norm(difference)
        assert size > 1e-6 or path.endswith("key/bias"), path  # which adds the same to all scores
        assert np.linalg.norm(gradient - difference) <= 1e-6 * size + 1e-9, path


@pytest.mark.slow
@every_cell
def test_the_compiled_step_has_the_outputs_and_gradients_of_the_formulas(cell):
    rng = np.random.default_rng(CELLS.index(cell))
    network = Network(architecture(cell, **STACKED, **BOTH_WAYS, segment_length=2, decoder="parallel", hidden_size=2))
    weights, x = random_weights(network, rng), samples(rng, 4)
    named = reference.by_path(network.variables, weights)
    variables, key = [tf.constant(w) for w in weights], tf.zeros(2, tf.int64)
    program = programs.program_of(network.architecture, Settings(Loss("mse"), "sgd", None, 8), compiled=True)

    def step(targets, sample_weights):
        arguments = (tf.constant(part, tf.float32) for part in (x, targets, sample_weights, 1 / sum(sample_weights)))
        found, gradients, _ = program._gradient(*arguments, key, variables)
        return float(found), [np.asarray(g) for g in gradients]

    outputs = reference.network(network.architecture, x, named)
    for one in np.eye(4):  # the Euclidean distance of one window's outputs from the formulas'
        assert np.sqrt(OUTPUTS * step(outputs, one)[0]) <= 1e-6

    targets, sample_weights = rng.normal(size=(4, OUTPUTS)), np.array([1, 2, 0.5, 3])

    def loss(w):
        return reference.loss("mse", reference.network(network.architecture, x, w), targets, sample_weights)

    found, gradients = step(targets, sample_weights)
    assert found == pytest.approx(loss(named), rel=1e-6)
    for gradient, expected in zip(gradients, reference.gradients(loss, named).values(), strict=True):
        np.testing.assert_allclose(gradient, expected, rtol=0, atol=1e-6)


@every_variant
def test_initial_weights_come_from_the_generator(variant):
    network = Network(architecture("GRU", **VARIANTS[variant]))
    first, second, again = (network.initial_weights(np.random.default_rng(seed)) for seed in (0, 1, 0))
    for variable, one, other, same in zip(network.variables, first, second, again, strict=True):
        np.testing.assert_array_equal(one, same)
        random = variable.name not in ("bias", "gamma", "beta")
        assert random == (not np.array_equal(one, other)), variable.path


# --- truncation ---


@pytest.mark.parametrize("values", [{}, {"decoder": "sequence", **BOTH_WAYS}, {**STACKED, **BOTH_WAYS}])
@pytest.mark.parametrize("truncation", [LOOKBACK, LOOKBACK + 1])
@pytest.mark.usefixtures("float64")
def test_truncation_behind_the_window_changes_no_bit(values, truncation):
    (_, one, _, x), (_, other, _, _) = (model_in_float64("LSTM", **values, truncation=k) for k in (None, truncation))
    direction = np.random.default_rng(1).normal(size=(3, OUTPUTS))
    for a, b in zip(differentiated(one, x, direction), differentiated(other, x, direction), strict=True):
        for left, right in zip(a, b, strict=True):
            np.testing.assert_array_equal(left, right)


@every_cell
@pytest.mark.parametrize("truncation", [1, 2, 4])
@pytest.mark.parametrize("values", [{}, BOTH_WAYS, {"decoder": "recurrent"}], ids=str)
@pytest.mark.usefixtures("float64")
def test_no_gradient_goes_further_back_than_the_truncation(cell, truncation, values):
    _, model, _, x = model_in_float64(cell, **values, truncation=truncation)
    *_, gradient = differentiated(model, x, np.random.default_rng(1).normal(size=(3, OUTPUTS)))
    near = np.arange(LOOKBACK) >= LOOKBACK - truncation
    if values == BOTH_WAYS:
        near |= near[::-1]
    assert np.all(gradient[:, ~near] == 0)
    assert np.all(gradient[:, near] != 0)


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
        "cell": "GRU", "lookback": 12, "n_features": 3, "n_outputs": 5, "hidden_size": 6, "n_layers": 2,
        "bidirectional": True, "dropout": 0.1, "recurrent_dropout": 0.1, "segment_length": 2, "decoder": "parallel",
        "convolution": (2, 3), "between_layers": ("residual",), "truncation": 3, "attention": "additive",
        "head": "gaussian", "n_values": 2, "build_network": len, "cell_options": {"use_bias": False},
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
    kernel, recurrent, bias, out, shift = weights
    h = np.zeros((3, SIZE))
    for t in range(LOOKBACK):
        h = np.maximum(x[:, t] @ kernel + h @ recurrent + bias, 0)
    expected = h @ out + shift
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


@pytest.mark.parametrize(("cell", "kind"), [("GRU", "dropout"), *((cell, "recurrent_dropout") for cell in CELLS)])
def test_dropout_is_drawn_from_the_key_in_training_and_never_in_predictions(cell, kind):
    rng = np.random.default_rng(0)
    network = Network(architecture(cell, **{kind: 0.5}))
    weights, x = random_weights(network, rng), samples(rng, 8)
    program = Program(network, Settings(Loss("mse"), "sgd", None, 8), compiled=False)
    y, variables = tf.zeros((8, OUTPUTS)), [tf.constant(w) for w in weights]

    def loss(*key):
        found, _, _ = program._gradient(
            tf.constant(x), y, tf.ones(8), tf.constant(1 / 8), tf.constant(key, tf.int64), variables
        )
        return float(found)

    losses = [loss(0, 0), loss(0, 1), loss(7, 0)]
    assert losses == [loss(0, 0), loss(0, 1), loss(7, 0)]
    assert len(set(losses)) == 3
    expected = reference.network(network.architecture, x, reference.by_path(network.variables, weights))
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
