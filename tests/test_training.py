"""The epoch loop: steps, weights of samples, rates, early stopping, callbacks, and what happens when a fit fails."""

import math
import pickle

import numpy as np
import pytest
from estimators import assert_close, make, same
from sklearn.base import clone

from tsrnn import GRURegressor, TrainingDivergedError, make_windows, programs, training
from tsrnn.losses import Loss
from tsrnn.networks import Architecture
from tsrnn.training import Recipe

pytestmark = pytest.mark.usefixtures("own_caches")

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

# Keras reads a variable of its own in a way that numpy 2 deprecates.
callbacks_read_the_rate = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SERIES = np.sin(np.arange(60) * 0.7) + 0.01 * np.arange(60)
X, Y = make_windows(SERIES.astype(np.float32), lookback=4)
Y = Y[:, 0]
DESCENT = {"optimizer": "sgd", "clipping": None, "batch_size": 64}


# --- what an epoch sees ---


def test_every_epoch_sees_every_sample_once_in_a_new_order(monkeypatch):
    orders, order = [], training.Run._order
    monkeypatch.setattr(training.Run, "_order", lambda run: orders.append(order(run).numpy()) or order(run))
    make(batch_size=15, epochs=2).fit(X, Y)
    assert [found.shape for found in orders] == [(4, 16)] * 2  # an even batch, for two shards
    for found in orders:
        assert (found[:, 15] < 0).all()
        assert (found[3, 11:] < 0).all()
        assert (found >= -56).all()
        assert len(set(found[found < 0])) == 8  # other samples, lest the statistics of a batch be those of one
        assert sorted(found[found >= 0]) == list(range(56))
    assert not np.array_equal(*orders)
    assert not np.array_equal(np.sort(orders[0], axis=1), np.sort(orders[1], axis=1))


def test_dropout_is_drawn_anew_in_every_step():
    """A network of one unit has two losses, with and without it; 256 steps have their mean."""
    x, y = np.ones((256, 4, 1)), np.zeros(256)
    model = make(**{**DESCENT, "batch_size": 1}, hidden_size=1, learning_rate=1e-30, epochs=1, dropout=0.5).fit(x, y)
    losses = np.array([0, (2 * model.predict(x)[0]) ** 2])  # what is not dropped counts twice
    assert losses.std() > 0.01
    assert abs(model.history_["loss"][0] - losses.mean()) < 5 * losses.std() / np.sqrt(256)


# --- weights of samples ---


def test_a_sample_of_weight_zero_changes_nothing():
    x, y, weights = np.asarray(X).copy(), Y.copy(), np.linspace(0.5, 2, len(Y))
    weights[[0, 7, 30]] = 0
    x[[0, 7, 30]], y[[0, 7, 30]] = 1e6, -1e9
    kept = weights > 0
    one, other = make().fit(x, y, weights), make().fit(x[kept], y[kept], weights[kept])
    assert same(one, other)
    np.testing.assert_array_equal(one.target_mean_, other.target_mean_)


def test_a_weight_of_two_is_a_sample_twice():
    twice = np.arange(len(Y)) % 3 == 0
    weighted = make(batch_size=128, epochs=5).fit(X, Y, 1.0 + twice)
    rows = np.concatenate([np.arange(len(Y)), np.flatnonzero(twice)])
    repeated = make(batch_size=128, epochs=5).fit(X[rows], Y[rows])
    plain = make(batch_size=128, epochs=5).fit(X, Y)
    np.testing.assert_allclose(weighted.predict(X), repeated.predict(X), rtol=1e-4)
    assert not np.allclose(weighted.predict(X), plain.predict(X), rtol=1e-3)


def test_only_the_ratio_of_weights_counts():
    weights = np.linspace(0.5, 2, len(Y))
    expected = make().fit(X, Y, weights)
    for factor in (2.0**-500, 2.0**500):
        assert same(make().fit(X, Y, weights * factor), expected)


def test_weights_that_fall_below_float32_train():
    decaying = 0.01 ** np.arange(len(Y))[::-1]  # down to 1e-110: whole batches of nothing in float32
    assert np.isfinite(make().fit(X, Y, decaying).history_["loss"]).all()


# --- rates ---


def test_the_cosine_falls_over_all_steps():
    """Windows that are all alike make the order of the batches irrelevant."""
    x, y = np.repeat(np.asarray(X[:1]), 64, axis=0), np.r_[np.zeros(32), np.ones(32)]
    x[32:] += 1
    half = {**DESCENT, "learning_rate": 0.5}
    decayed = make(**half, schedule="cosine", epochs=3).fit(x, y)
    rates = [0.5, 0.5 * 0.5 * (1 + math.cos(math.pi / 3)), 0.5 * 0.5 * (1 + math.cos(2 * math.pi / 3))]
    assert list(decayed.history_["learning_rate"]) == pytest.approx(rates, rel=1e-12)
    by_hand = make(**half, warm_start=True, epochs=1)
    for rate in rates:
        by_hand.set_params(learning_rate=rate).fit(x, y)
    assert_close(decayed.weights_[0], by_hand.weights_[0])
    assert not np.allclose(decayed.weights_[0][0], make(**half, epochs=3).fit(x, y).weights_[0][0], atol=1e-3)


def test_the_cosine_falls_within_an_epoch():
    """With twelve times the same window, three batches of four are three epochs of one batch."""
    x, y = np.ones((12, 4, 1)), np.zeros(12)
    values = {**DESCENT, "learning_rate": 0.5}
    steps, epochs, level = (
        make(**{**values, "schedule": schedule, "epochs": count, "batch_size": size}).fit(x, y).weights_[0]
        for schedule, count, size in [("cosine", 1, 4), ("cosine", 3, 12), (None, 1, 4)]
    )
    assert_close(steps, epochs)
    assert not np.allclose(steps[0], level[0], atol=1e-3)


@pytest.mark.fault("F9")
def test_the_history_has_the_mean_norm_of_the_gradient_before_clipping():
    """At a rate of nothing, every epoch has the gradients of the first weights."""
    still = {**DESCENT, "learning_rate": 1e-30, "batch_size": 56}
    norms = [
        make(**{**still, "clipping": clipping}).fit(X, Y).history_["gradient_norm"]
        for clipping in (None, 1e-3, ("value", 1e-3))
    ]
    stepped = make(**{**DESCENT, "learning_rate": 1.0}, epochs=1)
    start = clone(stepped).set_params(learning_rate=1e-30).fit(X, Y).weights_[0]
    step = np.concatenate([np.ravel(b - a) for a, b in zip(start, stepped.fit(X, Y).weights_[0], strict=True)])
    for found in norms:
        assert list(found) == pytest.approx([np.linalg.norm(step)] * 2, rel=1e-5)


def test_a_plateau_halves_the_rate_after_three_epochs_without_a_better_loss():
    """With a rate that changes no weight, the loss of the first epoch stays the best."""
    still = {**DESCENT, "learning_rate": 1e-30, "epochs": 8}
    flat = make(**still, schedule="plateau").fit(X, Y).history_["learning_rate"]
    np.testing.assert_allclose(flat, 1e-30 / 2.0 ** np.array([0, 0, 0, 0, 1, 1, 1, 2]), rtol=1e-6)
    falling = make(**{**still, "learning_rate": 0.01}, schedule="plateau").fit(X, Y).history_
    assert (np.diff(falling["loss"]) < 0).all()
    assert (falling["learning_rate"] == 0.01).all()


def test_xla_is_chosen_by_the_work_alone():
    recipe = Recipe(Loss("mse"), "adam", 0.01, None, ("norm", 1.0), epochs=10, batch_size=8, jit_compile="auto")
    architecture = Architecture("GRU", 12, 1, 1, n_layers=2, bidirectional=True, segment_length=3)
    n_cell_steps = 2 * 2 * 12 // 3
    for n_windows, n_batches in ((16, 2), (17, 3)):
        work = 10 * n_batches * n_cell_steps
        assert training.pays_off(recipe, architecture, n_windows, work)
        assert not training.pays_off(recipe, architecture, n_windows, work + 1)


def test_a_short_fit_is_not_compiled_because_the_program_happens_to_be(monkeypatch):
    monkeypatch.setattr(programs, "_compilations", iter(range(1, 9)))
    compiled, chosen, plain = (make(GRURegressor, jit_compile=how, epochs=9).fit(X, Y) for how in (True, "auto", False))
    assert same(chosen, plain)
    assert not same(compiled, plain)
    assert_close(compiled.weights_[0], plain.weights_[0], atol=1e-5)


# --- early stopping ---


class Seen(Exception):
    """Holds what the engine was given to train on and to watch."""


def parts_of(monkeypatch, model, windows, targets):
    """The (training, watched) samples of a fit."""

    def stop(_architecture, _recipe, samples, *_):
        raise Seen(samples)

    with monkeypatch.context() as patch:
        patch.setattr(training, "fit", stop)
        with pytest.raises(Seen) as caught:
            model.fit(windows, targets)
    return caught.value.args[0]


@pytest.mark.parametrize(("horizon", "left_out"), [(1, 0), (3, 2)])
def test_early_stopping_watches_the_last_windows_behind_a_gap(monkeypatch, horizon, left_out):
    """Two series whose values are the numbers of their rows, in any order."""
    windows, targets = make_windows([np.arange(40.0), np.arange(25.0)], lookback=4, horizon=horizon)
    order = np.random.default_rng(0).permutation(len(windows))
    model = make(early_stopping=5, validation_fraction=0.2)
    trained, watched = parts_of(monkeypatch, model, windows[order], np.squeeze(targets[order]))
    first = np.sort(windows.origins)[-round(0.2 * len(windows))]
    assert watched.windows.origins.min() == first
    assert sorted(watched.windows.origins) == sorted(o for o in windows.origins if o >= first)
    assert sorted(trained.windows.origins) == sorted(o for o in windows.origins if o + left_out < first)
    for part in (trained, watched):
        rows = np.rint(part.targets * targets.std(axis=0) + targets.mean(axis=0))
        np.testing.assert_array_equal(rows, part.windows.origins[:, None] + 1 + np.arange(horizon))
    shared = {o + 1 + h for o in trained.windows.origins for h in range(horizon)} & {*range(int(first) + 1, 40)}
    assert not shared


def test_the_gap_may_leave_nothing():
    windows, targets = make_windows(np.arange(20.0), lookback=4, horizon=8)
    model = make(early_stopping=5, validation_fraction=0.3)
    with pytest.raises(ValueError, match=r"0.3 holds out 3 of 9 windows, which leaves 0 to train on"):
        model.fit(windows, targets)
    assert not hasattr(model, "weights_")


def test_every_member_keeps_the_weights_of_its_best_epoch():
    noise, weights = np.random.default_rng(0).normal(size=len(Y)), np.linspace(1, 3, len(Y))
    model = make(GRURegressor, early_stopping=3, validation_fraction=0.25, n_members=2, epochs=60)
    model.set_params(learning_rate=0.05).fit(X, noise, weights)
    watched, truth, mean = X[-14:], noise[-14:], np.average(noise, weights=weights)
    assert model.target_mean_ == pytest.approx(mean)
    for member, history in model.history_.groupby("member"):
        best = history["val_loss"].idxmin()
        assert history["epoch"][best] < 60 - 3
        assert history["epoch"].max() == history["epoch"][best] + 3
        alone = pickle.loads(pickle.dumps(model))
        alone.weights_ = [model.weights_[member]]
        errors = (alone.predict(watched) - truth) / model.target_scale_
        loss = np.average(errors**2, weights=weights[-14:])
        assert loss == pytest.approx(history["val_loss"][best], rel=1e-5)
        assert loss < history["val_loss"].iloc[-1] * 0.999
    assert model.n_iter_ == model.history_["epoch"].max()
    first = model.history_[model.history_["member"] == 0]
    assert model.best_epoch_ == first["epoch"][first["val_loss"].idxmin()]


# --- going on ---


def test_a_warm_start_begins_where_the_last_fit_ended():
    still = {**DESCENT, "learning_rate": 1e-30, "random_state": 1}
    model = make(epochs=1).fit(X, Y)
    cold, warm = clone(model).set_params(**still).fit(X, Y), pickle.loads(pickle.dumps(model))
    warm.set_params(**still, warm_start=True).fit(X, Y)
    assert same(warm, model)
    assert not same(cold, model)
    warm.set_params(hidden_size=4).fit(X, Y)
    assert warm.weights_[0][0].shape == (1, 4)  # another network begins anew


@pytest.mark.parametrize("optimizer", ["adam", "rmsprop"])
def test_partial_fits_go_on_with_the_optimizer(optimizer):
    """As many as a fit has epochs are that fit, but for the order in which a single batch is summed."""
    values = {"optimizer": optimizer, "learning_rate": 0.01, "batch_size": 64, "epochs": 6}
    whole, parts = make(**values).fit(X, Y), make(**values)
    for _ in range(6):
        parts.partial_fit(X, Y)
    assert_close(parts.weights_[0], whole.weights_[0], atol=1e-5)
    assert list(parts.history_["epoch"]) == [1, 2, 3, 4, 5, 6]
    assert (parts.n_iter_, parts.best_epoch_) == (6, 6)
    assert list(parts.history_["loss"]) == pytest.approx(list(whole.history_["loss"]), rel=1e-4)
    anew = make(**values).fit(X, Y).partial_fit(X, Y)  # a fit leaves no optimizer behind
    assert anew.n_iter_ == 7


def test_every_partial_fit_draws_anew():
    model = make(**DESCENT, dropout=0.5, learning_rate=1e-30)
    for _ in range(3):
        model.partial_fit(X, Y)
    assert len(set(model.history_["loss"])) == 3
    again = clone(model)
    for _ in range(3):
        again.partial_fit(X, Y)
    assert list(again.history_["loss"]) == list(model.history_["loss"])


def test_a_partial_fit_of_another_network_is_refused():
    model = make().partial_fit(X, Y)
    for name, value in {"hidden_size": 5, "n_members": 2, "cell_options": {"use_bias": False}}.items():
        changed = pickle.loads(pickle.dumps(model)).set_params(**{name: value})
        with pytest.raises(ValueError, match=f"partial_fit goes on with the fitted network, but \\['{name}'\\]"):
            changed.partial_fit(X, Y)
        assert same(changed, model)
    other_optimizer = model.set_params(optimizer="sgd").partial_fit(X, Y)
    assert other_optimizer.n_iter_ == 2


# --- callbacks ---


class Recorder(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.events = []

    def on_train_begin(self, logs=None):
        assert self.model.optimizer is not None
        self.events.append(("train begins", logs, dict(self.params)))

    def on_epoch_begin(self, epoch, logs=None):
        self.events.append(("begin", epoch, logs))

    def on_epoch_end(self, epoch, logs=None):
        self.events.append(("end", epoch, sorted(logs), logs["loss"], logs["val_loss"]))

    def on_train_end(self, logs=None):
        self.events.append(("train ends", sorted(logs)))


def test_callbacks_are_called_at_their_moments():
    recorder = Recorder()
    model = make(callbacks=[recorder], early_stopping=5, batch_size=20).fit(X, Y)
    keys = ["gradient_norm", "learning_rate", "loss", "seconds", "val_loss"]
    losses = model.history_[["loss", "val_loss"]].to_numpy().tolist()
    assert recorder.events == [
        ("train begins", {}, {"epochs": 2, "steps": 3, "verbose": 0}),
        ("begin", 0, {}), ("end", 0, keys, *losses[0]),
        ("begin", 1, {}), ("end", 1, keys, *losses[1]),
        ("train ends", keys),
    ]  # fmt: skip
    assert recorder.model is None
    pickle.dumps(model)


def test_lambda_callbacks_get_their_logs():
    seen = []
    callback = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: seen.append((epoch, logs)),
        on_train_begin=lambda logs: seen.append(logs),
        on_train_end=lambda logs: seen.append(logs["loss"]),
    )
    model = make(callbacks=[callback], epochs=1).fit(X, Y)
    assert seen == [{}, (0, {}), model.history_["loss"][0]]


@callbacks_read_the_rate
def test_callbacks_change_the_rate_that_is_used():
    scheduler = keras.callbacks.LearningRateScheduler(lambda epoch, _: [0.25, 0.125][epoch])
    scheduled = make(**DESCENT, learning_rate=9.0, callbacks=[scheduler]).fit(X, Y)
    assert list(scheduled.history_["learning_rate"]) == [0.25, 0.125]
    by_hand = make(**DESCENT, learning_rate=0.25, epochs=1).fit(X, Y)
    by_hand.set_params(learning_rate=0.125, warm_start=True).fit(X, Y)
    assert_close(scheduled.weights_[0], by_hand.weights_[0])
    plateau = keras.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.5, patience=1, min_delta=1e9)
    reduced = make(learning_rate=0.5, epochs=4, callbacks=[plateau]).fit(X, Y)
    assert list(reduced.history_["learning_rate"]) == [0.5, 0.5, 0.25, 0.125]
    assert make(learning_rate=0.5).fit(X, Y).history_["learning_rate"].eq(0.5).all()


def test_a_callback_stops_this_fit_and_no_other():
    stop = keras.callbacks.EarlyStopping(monitor="loss", patience=1, min_delta=1e9, restore_best_weights=True)
    stopped = make(epochs=9, callbacks=[stop], learning_rate=0.1).fit(X, Y)
    assert stopped.n_iter_ == 2
    assert same(stopped, make(epochs=1, learning_rate=0.1).fit(X, Y))  # the first epoch was the best
    assert make(epochs=3, callbacks=[Silent()]).fit(X, Y).n_iter_ == 3
    assert make(epochs=3).fit(X, Y).n_iter_ == 3


class Silent(keras.callbacks.Callback):
    pass


class Interrupting(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        if epoch == 1 and logs:
            raise KeyboardInterrupt("by the user")


# --- fits that fail ---

STEEP = {"kernel_regularizer": keras.regularizers.L2(1000)}


@pytest.mark.parametrize("early_stopping", [None, 5])
@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        (
            {**DESCENT, "learning_rate": 1e6, "epochs": 50},
            TrainingDivergedError,
            r"The loss became (inf|nan) in epoch \d+, batch 1 of 1, at learning_rate=1e\+06 \(last finite epoch loss: "
            r".*\)\. Lower `learning_rate`, set `clipping`, or scale the inputs",
        ),
        (
            {**DESCENT, "learning_rate": 1e38, "epochs": 1, "cell_options": STEEP},
            TrainingDivergedError,
            r"A weight became infinite in epoch 1, batch 1 of 1, at learning_rate=1e\+38",
        ),
        ({"callbacks": [Interrupting()]}, KeyboardInterrupt, "by the user"),
    ],
    ids=["loss", "weights", "interrupt"],
)
@pytest.mark.fault("F4", "F8", "F9")
def test_a_fit_that_fails_leaves_the_fit_before_and_the_program_clean(values, error, message, early_stopping):
    model = make(GRURegressor, early_stopping=early_stopping).fit(X, 40 * Y)
    before, parameters = {**vars(model)}, model.get_params()
    with pytest.raises(error, match=message):
        model.set_params(**values).fit(X[:50], Y[:50])
    after = vars(model.set_params(**parameters))
    assert after.keys() == before.keys()
    assert all(after[name] is before[name] for name in before)
    pickle.dumps(clone(make(**values)))
    pickle.dumps(model.set_params(**values))
    assert same(make(GRURegressor, early_stopping=early_stopping).fit(X, 40 * Y), model)


@callbacks_read_the_rate
def test_callbacks_change_no_history(tmp_path):
    callbacks = [keras.callbacks.ReduceLROnPlateau(monitor="loss"), keras.callbacks.CSVLogger(tmp_path / "log.csv")]
    callbacks.append(keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras", monitor="loss"))
    model = make(schedule="cosine", callbacks=callbacks).fit(X, Y)
    assert {path.name for path in tmp_path.iterdir()} == {"log.csv", "1.keras", "2.keras"}
    assert model.history_["learning_rate"].tolist() == pytest.approx([0.001, 0.0005])


def normalised(shape, n_outputs):
    window = keras.Input(shape)
    x = keras.layers.BatchNormalization(momentum=0.9)(window)
    return keras.Model(window, keras.layers.Dense(n_outputs)(keras.layers.Flatten()(x)))


def test_what_fills_a_batch_does_not_bend_its_statistics():
    rows = np.random.default_rng(0).normal(size=(40, 4))
    rows[0] += 10
    model = make(build_network=normalised, epochs=60, batch_size=64).fit(rows, rows[:, 0])
    mean, variance = model.weights_[0][-2:]
    assert abs(mean.item() - rows.mean()) < 0.15
    assert abs(variance.item() / rows.var() - 1) < 0.15
