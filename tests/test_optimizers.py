"""Schedules and optimizers that are Keras objects: the rate and the clipping of every step."""

import numpy as np
import pytest
from estimators import assert_close

from tsrnn import InvalidParameterError, SimpleRNNRegressor, make_windows, programs, training

pytestmark = pytest.mark.usefixtures("own_caches")

keras = pytest.importorskip("keras")

SERIES = np.sin(np.arange(60) * 0.7) + 0.01 * np.arange(60)
X, Y = make_windows(SERIES.astype(np.float32), lookback=4)
Y = Y[:, 0]
DESCENT = {"optimizer": "sgd", "clipping": None, "batch_size": 64}


def make(**values):
    defaults = {"hidden_size": 3, "epochs": 2, "random_state": 0, "jit_compile": False}
    return SimpleRNNRegressor(**{**defaults, **values})


def rates_used(monkeypatch, model):
    """The rates that the compiled epochs of a fit were given, one list for each epoch."""
    rates, of_epoch = [], training.Run._rates
    with monkeypatch.context() as patch:
        patch.setattr(training.Run, "_rates", lambda run, epoch: rates.append(of_epoch(run, epoch)) or rates[-1])
        model.fit(X, Y)
    return [list(epoch) for epoch in rates]


def by_hand(rates, **values):
    """The weights after one fit of one epoch, and one batch, for each rate."""
    model = make(**{**DESCENT, **values}, warm_start=True, epochs=1)
    for rate in rates:
        model.set_params(learning_rate=rate).fit(X, Y)
    return model.weights_[0]


def test_a_schedule_gives_the_rate_of_every_step(monkeypatch):
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([0, 3], [0.2, 0.1, 0.05])
    model = make(**{**DESCENT, "batch_size": 20}, learning_rate=schedule)
    assert rates_used(monkeypatch, model) == [pytest.approx([0.2, 0.1, 0.1]), pytest.approx([0.1, 0.05, 0.05])]
    assert list(model.history_["learning_rate"]) == pytest.approx([0.2, 0.1])
    whole = make(**DESCENT, learning_rate=schedule, epochs=5).fit(X, Y)
    assert_close(whole.weights_[0], by_hand([0.2, 0.1, 0.1, 0.1, 0.05]))


@pytest.mark.parametrize(
    ("optimizer", "rates"),
    [
        (lambda: keras.optimizers.SGD(0.3), [0.3, 0.3]),
        (lambda: keras.optimizers.SGD(keras.optimizers.schedules.PiecewiseConstantDecay([0], [0.3, 0.1])), [0.3, 0.1]),
    ],
    ids=["rate", "schedule"],
)
def test_an_optimizer_brings_its_own_rate(optimizer, rates):
    given = {**DESCENT, "optimizer": optimizer(), "learning_rate": 77.0}
    model = make(**given).fit(X, Y)
    assert list(model.history_["learning_rate"]) == pytest.approx(rates)
    assert_close(model.weights_[0], by_hand(rates))


@pytest.mark.parametrize(("own", "clipping"), [("global_clipnorm", 0.05), ("clipvalue", ("value", 0.05))])
def test_an_optimizer_brings_its_own_clipping(own, clipping):
    bound = clipping if own == "global_clipnorm" else clipping[1]
    own_clipping = make(**{**DESCENT, "optimizer": keras.optimizers.SGD(0.5, **{own: bound})}).fit(X, Y)
    assert_close(own_clipping.weights_[0], by_hand([0.5, 0.5], clipping=clipping))
    free = make(**{**DESCENT, "optimizer": keras.optimizers.SGD(0.5)}).fit(X, Y)
    assert not np.allclose(own_clipping.weights_[0][0], free.weights_[0][0], atol=1e-3)


def test_optimizers_count_by_their_content():
    before = len(programs._programs)
    values = [{"learning_rate": 0.3, "momentum": 0.51}, {"learning_rate": 0.3, "momentum": 0.51}]
    first, again = (make(**{**DESCENT, "optimizer": keras.optimizers.SGD(**v)}).fit(X, Y) for v in values)
    assert len(programs._programs) == before + 1
    assert_close(first.weights_[0], again.weights_[0])  # and the momentum of the first fit is gone
    other = make(**{**DESCENT, "optimizer": keras.optimizers.SGD(0.3, momentum=0.9)}).fit(X, Y)
    assert len(programs._programs) == before + 2
    assert not np.allclose(other.weights_[0][0], first.weights_[0][0], atol=1e-4)


def test_partial_fit_goes_on_with_a_schedule():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    model = make(**DESCENT, learning_rate=schedule)
    for _ in range(3):
        model.partial_fit(X, Y)
    assert list(model.history_["learning_rate"]) == pytest.approx([0.1 * 0.5 ** (k / 2) for k in range(3)])
    model.fit(X, Y)
    assert model.history_["learning_rate"][0] == pytest.approx(0.1)


class Halving(keras.optimizers.schedules.LearningRateSchedule):
    """A user's own schedule, which Keras cannot make from its configuration."""

    def __call__(self, step):
        return 0.4 / 2.0**step

    def get_config(self):
        return {}


def test_an_optimizer_may_bring_a_schedule_of_the_users_own():
    model = make(**{**DESCENT, "optimizer": keras.optimizers.SGD(Halving())}).fit(X, Y)
    assert list(model.history_["learning_rate"]) == pytest.approx([0.4, 0.2])


def without_decay():
    optimizer = keras.optimizers.AdamW(0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


@pytest.mark.parametrize(
    ("optimizer", "named"),
    [
        (lambda: keras.optimizers.SGD(0.1, use_ema=True), "use_ema"),
        (lambda: keras.optimizers.SGD(0.1, loss_scale_factor=8.0), "loss_scale_factor"),
        (lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1)), "inner_optimizer"),
        (without_decay, "exclude_from_weight_decay"),
    ],
)
def test_what_an_optimizer_would_do_in_vain_is_refused(optimizer, named):
    with pytest.raises(InvalidParameterError, match=f"`optimizer` must be an optimizer without {named}; got"):
        make(optimizer=optimizer()).fit(X, Y)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_no_callback_sets_the_rate_of_a_schedule():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    setter = keras.callbacks.LearningRateScheduler(lambda *_: 0.01)
    with pytest.raises(ValueError, match=r"^A callback has set the learning rate, but it is a schedule"):
        make(learning_rate=schedule, callbacks=[setter]).fit(X, Y)
    watcher = keras.callbacks.EarlyStopping(monitor="loss")
    make(learning_rate=schedule, callbacks=[watcher]).fit(X, Y)
