"""The losses against `reference`, where they overflow, and what minimises them."""

import numpy as np
import pytest
import reference

from tsrnn import losses
from tsrnn.losses import Loss

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

LEVELS = (0.1, 0.5, 0.8)
POINT = ["mse", "mae", "huber", "log_cosh"]


def outputs_and_targets(name, rng, count=7):
    """What a network with this loss gives, and what it should have given."""
    targets = 2 * rng.normal(size=(count, 3))
    if name == "cross_entropy":
        return rng.normal(size=(count, 3)), np.eye(3)[rng.integers(3, size=count)]
    if name == "quantile":
        return np.sort(rng.normal(size=(count, 3, len(LEVELS))), axis=2), targets
    if name == "gaussian":
        return np.stack([rng.normal(size=(count, 3)), rng.uniform(0.5, 2, size=(count, 3))], axis=2), targets
    return rng.normal(size=(count, 3)), targets


def of(name):
    return Loss(name, LEVELS if name == "quantile" else ())


def slopes(loss, outputs, targets):
    """The gradient of the sum of the samples' losses by the outputs."""
    with tf.GradientTape() as tape:
        variable = tf.Variable(outputs)
        total = tf.reduce_sum(losses.of_samples(loss, variable, tf.constant(targets, variable.dtype)))
    return np.asarray(tape.gradient(total, variable))


@pytest.mark.parametrize("name", [*POINT, "quantile", "gaussian", "cross_entropy"])
def test_a_loss_is_what_its_formula_says(name):
    outputs, targets = outputs_and_targets(name, np.random.default_rng(0))
    expected = reference.losses(name, outputs, targets, LEVELS)
    assert expected.shape == (7,)
    found = losses.of_samples(of(name), tf.constant(outputs), tf.constant(targets))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13)
    single = losses.of_samples(of(name), outputs.astype(np.float32), targets.astype(np.float32))
    np.testing.assert_allclose(single, expected, rtol=0, atol=2e-6)


@pytest.mark.parametrize("name", [*POINT, "quantile", "gaussian", "cross_entropy"])
def test_a_loss_has_the_slope_of_its_formula(name):
    outputs, targets = outputs_and_targets(name, np.random.default_rng(0))
    found = slopes(of(name), outputs, targets)
    differences = reference.gradients(lambda w: reference.losses(name, w["o"], targets, LEVELS).sum(), {"o": outputs})
    np.testing.assert_allclose(found, differences["o"], rtol=0, atol=1e-8)


@pytest.mark.parametrize("error", [-1e4, 1e4, 1e30])
def test_log_cosh_of_a_large_error_is_its_size(error):
    outputs, targets = np.array([[error]], dtype=np.float32), np.zeros((1, 1), dtype=np.float32)
    found = losses.of_samples(Loss("log_cosh"), outputs, targets)
    assert float(found[0]) == pytest.approx(abs(error) - np.log(2), rel=1e-6)
    assert slopes(Loss("log_cosh"), outputs, targets)[0, 0] == np.sign(error)


def test_log_cosh_of_a_small_error_is_half_its_square():
    errors = np.array([[0], [1e-3], [-1e-3]])
    found = losses.of_samples(Loss("log_cosh"), tf.constant(errors), tf.zeros((3, 1), tf.float64))
    np.testing.assert_allclose(found, errors[:, 0] ** 2 / 2, rtol=0, atol=1e-12)


@pytest.mark.parametrize("level", [0.1, 0.5, 0.85])
def test_the_quantile_loss_is_least_at_the_quantile_of_the_sample(level):
    sample = np.random.default_rng(0).normal(size=101)
    candidates = np.sort(sample)
    targets = np.repeat(sample[:, None], len(candidates), axis=1).T  # (candidate, sample)
    outputs = np.broadcast_to(candidates[:, None, None], (*targets.shape, 1))
    found = np.asarray(losses.of_samples(Loss("quantile", (level,)), tf.constant(outputs), tf.constant(targets)))
    assert candidates[found.argmin()] == np.quantile(sample, level, method="inverted_cdf")


def test_the_gaussian_loss_is_least_at_the_mean_and_standard_deviation():
    sample = np.random.default_rng(0).normal(3, 2, size=50)
    best = np.array([sample.mean(), sample.std()])
    outputs = np.broadcast_to(best, (1, 50, 2)).copy()
    np.testing.assert_allclose(slopes(Loss("gaussian"), outputs, sample[None]).sum(axis=1), 0, atol=1e-13)
    least = float(losses.of_samples(Loss("gaussian"), tf.constant(outputs), tf.constant(sample[None]))[0])
    assert least == pytest.approx(0.5 * np.log(2 * np.pi * np.e * sample.var()), rel=1e-12)
    for step in ([0.1, 0], [-0.1, 0], [0, 0.1], [0, -0.1]):
        assert (
            float(losses.of_samples(Loss("gaussian"), tf.constant(outputs + step), tf.constant(sample[None]))[0])
            > least
        )


@pytest.mark.parametrize("size", [1e4, 1e30])
def test_the_cross_entropy_of_large_outputs_is_finite(size):
    outputs, targets = np.array([[size, 0, 0]], dtype=np.float32), np.eye(3, dtype=np.float32)
    found = losses.of_samples(Loss("cross_entropy"), np.repeat(outputs, 3, axis=0), targets)
    np.testing.assert_allclose(found, [0, size, size], rtol=1e-6)
    assert np.isfinite(slopes(Loss("cross_entropy"), np.repeat(outputs, 3, axis=0), targets)).all()
