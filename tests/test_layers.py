"""Attention, transformer block, dropout and heads as Keras layers."""

import numpy as np
import pytest

from tsrnn._layers import AdditiveAttention, Dropout, PositiveScale, RisingQuantiles, Transformer

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

STEPS, SIZE = 5, 4


def states(rng, count=3):
    return rng.normal(size=(count, STEPS, SIZE)).astype(np.float32)


def randomised(layer, rng):
    for variable in layer.trainable_variables:
        variable.assign(rng.normal(scale=0.5, size=variable.shape))


# --- additive attention ---


def test_without_a_score_the_context_is_the_mean_of_the_states():
    rng = np.random.default_rng(0)
    layer, s, query = AdditiveAttention(SIZE), states(rng), rng.normal(size=(3, 2)).astype(np.float32)
    layer.build([s.shape, query.shape])
    randomised(layer, rng)
    layer.score.kernel.assign(np.zeros((SIZE, 1)))
    context = np.concatenate([s.mean(axis=1), query], axis=1)
    expected = np.tanh(context @ np.asarray(layer.answer.kernel) + np.asarray(layer.answer.bias))
    np.testing.assert_allclose(layer([s, query]), expected, rtol=0, atol=1e-6)


def test_a_state_that_is_scored_far_above_all_others_is_the_context():
    """The score asks for a first number above zero; one state has it."""
    s, query = -np.ones((2, STEPS, SIZE), dtype=np.float32), np.zeros((2, 2), dtype=np.float32)
    s[0, 1], s[1, 4] = [1, 0.1, 0.2, 0.3], [1, 0.4, 0.5, 0.6]
    layer = AdditiveAttention(SIZE)
    layer.build([s.shape, query.shape])
    layer.of_states.kernel.assign(np.diag([10.0, 0, 0, 0]))
    layer.score.kernel.assign([[50.0], [0], [0], [0]])
    layer.answer.kernel.assign(np.eye(SIZE + 2, SIZE))
    np.testing.assert_allclose(layer([s, query]), np.tanh([s[0, 1], s[1, 4]]), rtol=0, atol=1e-6)


# --- transformer ---


@pytest.mark.parametrize("n_heads", [1, 4])
@pytest.mark.parametrize("causal", [True, False])
def test_a_step_sees_no_later_one_in_a_causal_block(n_heads, causal):
    rng = np.random.default_rng(0)
    layer, s = Transformer(n_heads, causal=causal), states(rng)
    before = np.asarray(layer(s))
    for t in range(STEPS):
        other = s.copy()
        other[:, t] += [1, -1, 2, 0.5]  # what is the same for all numbers, the norm takes away
        changed = (np.asarray(layer(other)) != before).any(axis=2)
        assert changed[:, t:].all()
        assert changed[:, :t].any() == (not causal and t > 0)


def test_a_transformer_gives_normalised_states():
    layer = Transformer(4, causal=True)
    found = np.asarray(layer(10 * states(np.random.default_rng(0))))
    np.testing.assert_allclose(found.mean(axis=2), 0, atol=1e-6)
    np.testing.assert_allclose(found.std(axis=2), 1, atol=0.01)


def test_a_transformer_drops_in_training_alone():
    s = states(np.random.default_rng(0))
    layer = Transformer(1, causal=True, dropout=0.5)
    drawn = [np.asarray(layer(s, training=True)) for _ in range(2)]
    assert not np.allclose(*drawn)
    np.testing.assert_array_equal(layer(s), layer(s))
    same = Transformer(1, causal=True)
    same.build(s.shape)
    np.testing.assert_array_equal(same(s, training=True), same(s))


# --- dropout ---


def test_dropout_keeps_the_expected_value():
    layer = Dropout(0.3)
    ones = np.ones((1000, 64), dtype=np.float32)
    dropped = np.asarray(layer(ones, training=True))
    assert set(np.unique(dropped)) == {np.float32(0), np.float32(1 / 0.7)}
    assert np.mean(dropped == 0) == pytest.approx(0.3, abs=0.01)  # 5 standard errors
    np.testing.assert_array_equal(layer(ones, training=False), ones)


# --- heads ---


def test_quantiles_never_cross():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(200, 2, 5)) * 10.0 ** rng.integers(-3, 5, size=(200, 2, 5))
    found = np.asarray(RisingQuantiles()(values.astype(np.float32)))
    assert np.isfinite(found).all()
    assert (np.diff(found, axis=2) >= 0).all()
    np.testing.assert_array_equal(found[..., 0], values[..., 0].astype(np.float32))


def test_quantiles_rise_by_what_is_above_zero():
    found = RisingQuantiles()(np.array([[[-2.0, 0, 1000, -1000]]], dtype=np.float32))
    np.testing.assert_allclose(found, [[[-2, -2 + np.log(2), 998 + np.log(2), 998 + np.log(2)]]], rtol=1e-6)
    only = np.array([[[3.0], [-4.0]]], dtype=np.float32)
    np.testing.assert_array_equal(RisingQuantiles()(only), only)


@pytest.mark.parametrize("value", [-1e30, -1e4, 0, 1e4, 1e30])
def test_a_standard_deviation_is_above_zero(value):
    with tf.GradientTape() as tape:
        variable = tf.Variable([[[value, value]]], dtype=tf.float32)
        found = PositiveScale()(variable)
    mean, deviation = np.asarray(found)[0, 0]
    assert mean == np.float32(value)
    assert deviation == pytest.approx(1e-3 + np.logaddexp(0, value), rel=1e-6)
    assert np.isfinite(np.asarray(tape.gradient(found, variable))).all()


# --- configuration ---


@pytest.mark.parametrize(
    "layer",
    [
        AdditiveAttention(3), Transformer(2, causal=False, dropout=0.25), Dropout(0.3), RisingQuantiles(),
        PositiveScale(),
    ],
    ids=lambda layer: type(layer).__name__,
)  # fmt: skip
def test_a_layer_is_known_by_its_configuration(layer):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()


def test_a_transformer_is_restored_with_its_arguments():
    again = Transformer.from_config(Transformer(2, causal=False, dropout=0.25).get_config())
    assert (again.n_heads, again.causal, again.rate) == (2, False, 0.25)
