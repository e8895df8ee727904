"""Quantiles, Gaussian outputs and influence: what a regressor tells beside one number."""

import copy

import numpy as np
import pytest
from estimators import make

from tsrnn import GRURegressor, LSTMRegressor, programs

pytestmark = pytest.mark.usefixtures("own_caches")

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)).astype(np.float32)
Y = 1000 + 50 * X[:, -1].astype(np.float64)
LEVELS = (0.1, 0.4, 0.9)


def alone(model):
    """Return an estimator for each member."""
    members = [copy.deepcopy(model) for _ in model.weights_]
    for member, weights in zip(members, model.weights_, strict=True):
        member.weights_ = [weights]
    return members


def noisy(count, seed):
    """Return windows and targets whose standard deviation is 20 where the last value is above 0, and 5 elsewhere."""
    rng = np.random.default_rng(seed)
    x = rng.choice([-1.0, 1.0], size=(count, 3))
    scale = np.where(x[:, -1] > 0, 20.0, 5.0)
    return x, 300 + 30 * x[:, 0] + scale * rng.normal(size=count), scale


# --- quantiles ---


@pytest.mark.parametrize("targets", [Y, np.c_[Y, -Y]], ids=["one output", "two outputs"])
@pytest.mark.parametrize("n_members", [1, 2])
def test_quantiles_rise_along_the_last_axis(targets, n_members):
    model = make(loss="quantile", quantiles=LEVELS, n_members=n_members).fit(X, targets)
    found = model.predict_quantiles(X)
    assert found.shape == (*targets.shape, 3)
    assert found.dtype == np.float64
    assert np.all(np.diff(found, axis=-1) > 0)
    np.testing.assert_array_equal(model.predict(X), found[..., 1])
    np.testing.assert_allclose(found, np.mean([one.predict_quantiles(X) for one in alone(model)], axis=0), rtol=1e-12)


@pytest.mark.parametrize(("levels", "nearest"), [((0.5,), 0), ((0.6, 0.9), 0), ([0.05, 0.2, 0.45, 0.6], 2)])
def test_the_quantile_nearest_to_the_median_is_predicted(levels, nearest):
    model = make(loss="quantile", quantiles=levels).fit(X, Y)
    np.testing.assert_array_equal(model.predict(X), model.predict_quantiles(X)[:, nearest])


def test_quantiles_cover_what_they_say():
    x, y, _ = noisy(1200, 0)
    model = make(GRURegressor, hidden_size=6, epochs=30, batch_size=32, learning_rate=0.02, schedule="cosine")
    model.set_params(loss="quantile", quantiles=LEVELS).fit(x, y)
    x, y, scale = noisy(4000, 1)
    found = model.predict_quantiles(x)
    for chosen in (scale == 5, scale == 20):
        below = (y[chosen, None] <= found[chosen]).mean(axis=0)
        np.testing.assert_allclose(below, LEVELS, rtol=0, atol=0.06)


def test_quantiles_set_after_a_fit_wait_for_the_next():
    model = make(loss="quantile", quantiles=LEVELS).fit(X, Y)
    before = model.predict(X)
    model.set_params(quantiles=(0.5, 0.6), loss="mse")
    np.testing.assert_array_equal(model.predict(X), before)
    assert model.predict_quantiles(X).shape == (60, 3)


# --- a mean and a standard deviation ---


@pytest.mark.parametrize("targets", [Y, np.c_[Y, -3 * Y]], ids=["one output", "two outputs"])
def test_mean_and_deviation_are_in_the_units_of_y(targets):
    model = make(loss="gaussian").fit(X, targets)
    scaled = make(loss="gaussian").fit(X, 10 * targets - 7)
    mean, deviation = model.predict(X, return_std=True)
    assert mean.shape == deviation.shape == targets.shape
    assert np.all(deviation > 0)
    np.testing.assert_array_equal(mean, model.predict(X))
    other_mean, other_deviation = scaled.predict(X, return_std=True)
    np.testing.assert_allclose(other_mean, 10 * mean - 7, rtol=1e-4)
    np.testing.assert_allclose(other_deviation, 10 * deviation, rtol=1e-4)


def test_the_deviation_of_the_noise_is_learnt():
    x, y, _ = noisy(600, 0)
    model = make(GRURegressor, hidden_size=6, epochs=40, batch_size=32, learning_rate=0.02, loss="gaussian").fit(x, y)
    x, _, scale = noisy(100, 1)
    mean, deviation = model.predict(x, return_std=True)
    np.testing.assert_allclose(mean, 300 + 30 * x[:, 0], rtol=0, atol=6)
    np.testing.assert_allclose(deviation, scale, rtol=0.2)


def test_the_deviation_of_several_members_is_that_of_their_mixture():
    model = make(loss="gaussian", n_members=2).fit(X, np.c_[Y, -Y])
    (m1, s1), (m2, s2) = (member.predict(X, return_std=True) for member in alone(model))
    mean, deviation = model.predict(X, return_std=True)
    np.testing.assert_allclose(mean, (m1 + m2) / 2, rtol=1e-12)
    np.testing.assert_allclose(deviation**2, (s1**2 + s2**2) / 2 + (m1 - m2) ** 2 / 4, rtol=1e-9)
    assert np.all(np.abs(m1 - m2) > 0)


@pytest.mark.parametrize("loss", ["mse", "mae", "huber", "log_cosh", "quantile", "gaussian"])
def test_what_another_loss_does_not_tell_is_refused(loss):
    model = make(loss=loss, epochs=1).fit(X, Y).set_params(loss="mse")
    calls = {"quantile": model.predict_quantiles, "gaussian": lambda x: model.predict(x, return_std=True)}
    calls.pop(loss, None)
    for needed, call in calls.items():
        words = f"^SimpleRNNRegressor: .* needs a network fitted with loss='{needed}'; .* with loss='{loss}'"
        with pytest.raises(ValueError, match=words):
            call(X)


@pytest.mark.parametrize("decoder", ["dense", "sequence", "recurrent"])
def test_the_keras_model_gives_the_same(decoder):
    targets = np.c_[Y, -Y, 2 * Y, Y + 5]
    quantile = make(loss="quantile", quantiles=LEVELS, decoder=decoder).fit(X, targets)
    found = np.asarray(quantile.model_(X[..., None]))
    np.testing.assert_allclose(found, quantile.predict_quantiles(X), rtol=1e-5)
    gaussian = make(loss="gaussian", decoder=decoder).fit(X, targets)
    found = np.asarray(gaussian.model_(X[..., None]))
    np.testing.assert_allclose(found, np.stack(gaussian.predict(X, return_std=True), axis=-1), rtol=1e-5)


# --- influence ---


@pytest.mark.parametrize("values", [{}, {"loss": "quantile"}, {"n_members": 2}, {"attention": "additive"}], ids=str)
def test_influence_equals_differences(values):
    x = RNG.normal(size=(6, 4, 2)).astype(np.float32)
    y = np.c_[x[:, 0, 0], x[:, -1, 1]].astype(np.float64)
    model = make(LSTMRegressor, **values).fit(x, y)
    members, step, expected = alone(model), 1e-2, np.zeros(4)
    for member in members:
        ask = member.predict_quantiles if values.get("loss") == "quantile" else member.predict
        scale = model.target_scale_ if ask == member.predict else model.target_scale_[:, None]
        for lag in range(4):
            for feature in range(2):
                shift = np.zeros((4, 2))
                shift[3 - lag, feature] = step
                slope = (ask(x + shift) - ask(x - shift)) / (2 * step) / scale
                expected[lag] += np.abs(slope).mean() / (2 * len(members))
    found = model.influence(x)
    assert found.shape == (4,)
    np.testing.assert_allclose(found, expected, rtol=5e-3)


def test_the_last_value_has_the_influence_where_it_is_the_target():
    model = make(GRURegressor, hidden_size=6, epochs=60, learning_rate=0.02).fit(X, Y)
    by_lag = model.influence(X)
    assert by_lag[0] > 5 * by_lag[1:].max()
    first = make(GRURegressor, hidden_size=6, epochs=60, learning_rate=0.02).fit(X, X[:, 0])
    assert np.argmax(first.influence(X)) == 3


def test_influence_does_not_depend_on_how_many_windows_are_asked(monkeypatch):
    model = make().fit(X, Y)
    expected = model.influence(X)
    monkeypatch.setattr(programs, "INFLUENCE_BATCH", 7)
    np.testing.assert_allclose(model.influence(X), expected, rtol=1e-6)
    each = [model.influence(X[i : i + 1]) for i in range(60)]
    np.testing.assert_allclose(np.mean(each, axis=0), expected, rtol=1e-5)


def test_partial_fit_keeps_the_quantiles():
    model = make(loss="quantile", quantiles=LEVELS).fit(X, Y)
    with pytest.raises(ValueError, match=r"partial_fit goes on .* but \['quantiles'\] have been changed"):
        model.set_params(quantiles=(0.2, 0.3, 0.4)).partial_fit(X, Y)
    model.set_params(quantiles=LEVELS).partial_fit(X, Y)
