"""The regressors as scikit-learn sees them."""

import copy
import math
import pickle
import pickletools

import keras
import numpy as np
import pandas as pd
import pytest
from estimators import make, same
from sklearn.base import clone
from sklearn.exceptions import DataConversionWarning
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit, cross_val_score
from sklearn.pipeline import make_pipeline

from tsrnn import (
    GRURegressor,
    InvalidParameterError,
    LSTMRegressor,
    SequenceScaler,
    SimpleRNNRegressor,
    Windows,
    WindowTransformer,
    make_windows,
    training,
)

pytestmark = pytest.mark.usefixtures("own_caches")


class Silent(keras.callbacks.Callback):
    """Does nothing, and equals its copies."""

    def __eq__(self, other):
        return type(self) is type(other)

    __hash__ = None


REGRESSORS = [SimpleRNNRegressor, LSTMRegressor, GRURegressor]
every_regressor = pytest.mark.parametrize("regressor", REGRESSORS)

SERIES = (np.sin(np.arange(60) * 0.7) + 0.01 * np.arange(60)).astype(np.float32)
X, Y = make_windows(SERIES, lookback=4)
Y = Y[:, 0].astype(np.float64)


# --- parameters ---

OTHERS = {
    "hidden_size": 5, "n_layers": 2, "bidirectional": True, "convolution": (3, 2), "between_layers": "residual",
    "dropout": 0.25, "recurrent_dropout": 0.125, "truncation": 3, "attention": "additive", "segment_length": 2,
    "decoder": "parallel", "cell_options": {"use_bias": True}, "build_network": math.dist,
    "loss": "huber", "quantiles": (0.2, 0.8), "optimizer": "adamw", "learning_rate": 0.5,
    "schedule": "cosine", "clipping": None,
    "epochs": 3, "batch_size": 7, "early_stopping": 4, "validation_fraction": 0.3,
    "n_members": 2, "warm_start": True, "random_state": 11, "callbacks": [Silent()], "jit_compile": True,
    "checkpoint": "a folder",
}  # fmt: skip

ALONGSIDE = {"validation_fraction": {"early_stopping": 5}, "quantiles": {"loss": "quantile"}}
"""What a parameter needs beside it to have an effect."""


@every_regressor
def test_every_parameter_is_kept(regressor):
    defaults = regressor().get_params()
    assert defaults.keys() == OTHERS.keys()
    assert [name for name in OTHERS if OTHERS[name] == defaults[name]] == []
    for made in (regressor(**OTHERS), clone(regressor(**OTHERS)), regressor().set_params(**OTHERS)):
        assert made.get_params() == OTHERS
    assert copy.deepcopy(regressor(**OTHERS)).get_params() == OTHERS


class Given(Exception):
    """Holds what the engine was given."""


@pytest.mark.parametrize("name", [name for name in OTHERS if name not in {"n_members", "warm_start", "checkpoint"}])
def test_every_parameter_reaches_the_engine(name, monkeypatch):
    def stop(architecture, recipe, samples, start, rng, callbacks):
        counts = [part and len(part.windows) for part in samples]
        raise Given(architecture.key, recipe, counts, start, rng.random(), callbacks)

    def given(**values):
        watching = ALONGSIDE.get(name, {})
        with pytest.raises(Given) as caught:
            make(**watching, **values).fit(*make_windows(SERIES, lookback=4, horizon=2))
        return caught.value.args

    monkeypatch.setattr(training, "fit", stop)
    monkeypatch.setattr(training, "initial_weights", lambda _, rng: rng.random())
    assert given() == given()
    assert given(**{name: OTHERS[name]}) != given()


def test_parameters_set_after_a_fit_wait_for_the_next():
    model = make(LSTMRegressor).fit(X, Y)
    before = model.predict(X)
    options = {"activation": "tanh"}
    model.set_params(hidden_size=9, n_layers=2, n_members=3, loss="mae", cell_options=options, jit_compile=True)
    np.testing.assert_array_equal(model.predict(X), before)
    model.set_params(**{**make().get_params(), "cell_options": options}).fit(X, Y)
    before = model.predict(X)
    options["activation"] = "relu"
    np.testing.assert_array_equal(model.predict(X), before)


ANY = r"one of \['adam', 'adamw', 'rmsprop', 'sgd'\]"
RISING = r"a sequence of rising numbers in \(0, 1\)"
PAIR = r"\(filters, kernel_size\), two integers >= 1, or None"
RATE = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
WRONG = [
    *[({name: 0}, "an integer >= 1; got 0") for name in ("hidden_size", "n_layers", "segment_length", "truncation",
      "epochs", "batch_size", "n_members")],
    *[({name: 1}, "True or False; got 1") for name in ("bidirectional", "warm_start")],
    *[({name: 1.0}, r"a number in \[0, 1\); got 1.0") for name in ("dropout", "recurrent_dropout")],
    ({"early_stopping": True}, "an integer >= 1; got True. It is the number of epochs without a better validation"),
    ({"validation_fraction": 0}, r"a number in \(0, 1\); got 0"),
    ({"convolution": 3}, PAIR + "; got 3"),
    ({"convolution": (3, 2, 1)}, PAIR),
    ({"convolution": (3, 0)}, "an integer >= 1; got 0"),
    ({"attention": "adittive"}, "one of .*'transformer', None.; got 'adittive'. Did you mean 'additive'?"),
    ({"between_layers": "resid"}, "one of .*; got 'resid'. Did you mean 'residual'"),
    ({"between_layers": ["residual", {}]}, "one of .*'layer_norm'.; got {}"),
    ({"cell_options": 3}, "a dict or None; got 3"),
    ({"cell_options": {"units": 3}}, r"without \['units'\], which are not free; got {'units': 3}"),
    ({"callbacks": [print]}, r"a list of Keras callbacks or None; got \[<built-in function print>\]"),
    ({"build_network": 3}, "a callable or None; got 3"),
    ({"decoder": "seq"}, "one of .'dense', 'parallel', 'recurrent', 'sequence', 'attention'.; got 'seq'"),
    ({"segment_length": 3}, "a divisor of the windows' length 4; got 3"),
    ({"segment_length": 2, "decoder": "parallel"}, 'a divisor of the 1 outputs for decoder="parallel"; got 2. Choose'),
    ({"loss": "mes"}, "one of .*'gaussian'.; got 'mes'. Did you mean 'mse'"),
    ({"quantiles": (), "loss": "quantile"}, RISING),
    ({"quantiles": 0.5, "loss": "quantile"}, RISING),
    ({"quantiles": (0.5, 0.5), "loss": "quantile"}, RISING),
    ({"quantiles": (0.5, 1), "loss": "quantile"}, r"a number in \(0, 1\); got 1"),
    ({"optimizer": "adm"}, ANY + "; got 'adm'. Did you mean 'adam'"),
    ({"optimizer": keras.optimizers.Adam}, ANY + "; got <class"),
    ({"learning_rate": 0}, r"a number in \(0, inf\); got 0"),
    ({"learning_rate": type(RATE)}, r"a number in \(0, inf\); got <class"),
    ({"schedule": "cos"}, "one of .'cosine', 'plateau', None.; got 'cos'"),
    ({"schedule": "cosine", "learning_rate": RATE}, "None when `learning_rate` is itself a schedule; got 'cos.*Drop"),
    ({"clipping": "norm"}, r"a number in \(0, inf\); got 'norm'"),
    ({"clipping": ("size", 1)}, "one of .'norm', 'value'.; got 'size'"),
    ({"clipping": ["value", 0]}, r"a number in \(0, inf\); got 0"),
    ({"random_state": -1}, "an integer >= 0; got -1"),
    ({"callbacks": 3}, "a list of Keras callbacks or None; got 3"),
    ({"jit_compile": 1}, "one of .True, False, 'auto'.; got 1"),
]  # fmt: skip


@pytest.mark.parametrize(("values", "words"), WRONG, ids=lambda part: str(part)[:40])
def test_a_wrong_parameter_is_refused_in_fit(values, words):
    model = make(**values)
    with pytest.raises(InvalidParameterError, match=f"^SimpleRNNRegressor: `{next(iter(values))}` must be {words}"):
        model.fit(X, Y)
    assert not hasattr(model, "weights_")


# --- samples and targets ---


@pytest.mark.parametrize("n_features", [1, 2])
def test_windows_and_arrays_are_the_same_samples(n_features):
    rows = np.random.default_rng(0).normal(size=(40, n_features)).astype(np.float32)
    windows = Windows(rows, np.arange(36), 4, offsets=rows[3:39])
    y = rows[4:, 0]
    model = make(GRURegressor).fit(windows, y)
    forms = [windows, np.asarray(windows), np.asarray(windows).tolist()]
    if n_features == 1:
        forms += [np.asarray(windows)[..., 0], pd.DataFrame(np.asarray(windows)[..., 0])]
    for form in forms:
        again = make(GRURegressor).fit(form, y)
        assert same(again, model)
        assert again.input_shape_ == (4, n_features)
        np.testing.assert_array_equal(again.predict(form), model.predict(windows))
    np.testing.assert_array_equal(model.predict(forms[1]), model.predict(windows))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, int])
def test_predictions_are_float64_of_the_shape_of_y(dtype):
    y = (10 * Y).astype(dtype)
    one = make().fit(X, y).predict(X)
    assert (one.shape, one.dtype) == ((len(X),), np.float64)
    two = make().fit(X, np.column_stack([y, -y])).predict(X[:5])
    assert (two.shape, two.dtype) == ((5, 2), np.float64)


def test_a_column_is_told_and_taken_for_a_vector():
    model = make().fit(X, Y)
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed when a 1d array was expected"):
        column = make().fit(X, Y[:, None])
    assert column.predict(X).shape == (len(X),)
    assert same(column, model)


def test_several_outputs_are_learnt_each_in_its_units():
    targets = np.column_stack([Y, 1e6 - 1e3 * Y, np.full(len(Y), 7.0)])
    model = make(GRURegressor, hidden_size=8, epochs=80, learning_rate=0.03).fit(X, targets)
    assert model.n_outputs_ == 3
    np.testing.assert_allclose(model.target_mean_, targets.mean(axis=0))
    np.testing.assert_allclose(model.target_scale_, [Y.std(), 1e3 * Y.std(), 1])
    errors = np.sqrt(np.mean((model.predict(X) - targets) ** 2, axis=0)) / model.target_scale_
    assert np.all(errors < 0.3), errors


@pytest.mark.parametrize(("scale", "offset"), [(1e25, 0), (1, 1e6), (1e200, 0), (1e-200, 0), (1e-3, -1e9)])
def test_no_scale_of_y_breaks_the_training(scale, offset):
    plain = make(epochs=5).fit(X, Y)
    model = make(epochs=5).fit(X, scale * Y + offset)
    inside = (model.predict(X) - offset) / scale
    np.testing.assert_allclose(inside, plain.predict(X), rtol=0, atol=1e-4)


@pytest.mark.parametrize("value", [0.0, 3.0, -1e6, 0.1])
def test_a_constant_is_predicted(value):
    model = make(epochs=30, learning_rate=0.02).fit(X, np.full(len(Y), value))
    assert model.target_scale_ == [1]
    assert np.isfinite(model.history_["loss"]).all()
    np.testing.assert_allclose(model.predict(X), value, rtol=0, atol=0.2)


# --- what a fit leaves behind ---


@pytest.mark.parametrize(
    ("regressor", "expected"),
    [
        (SimpleRNNRegressor, 5 * (2 + 5) + 5),
        (LSTMRegressor, 4 * (5 * (2 + 5) + 5)),
        (GRURegressor, 3 * (5 * (2 + 5) + 2 * 5)),
    ],
)
def test_the_number_of_parameters(regressor, expected):
    x, y = np.zeros((8, 4, 2)), np.zeros((8, 3))
    y[::2] = 1
    model = make(regressor, hidden_size=5, epochs=1).fit(x, y)
    assert model.n_parameters_ == expected + (5 * 3 + 3) == sum(w.size for w in model.weights_[0])


def test_the_history():
    history = make(early_stopping=5, n_members=2, epochs=3).fit(X, Y).history_
    assert list(history.columns) == ["member", "epoch", "loss", "val_loss", "learning_rate", "gradient_norm", "seconds"]
    assert list(history["member"]) == [0, 0, 0, 1, 1, 1]
    assert list(history["epoch"]) == [1, 2, 3] * 2
    assert history["learning_rate"].eq(0.001).all()
    assert history["seconds"].gt(0).all()
    plain = make(epochs=3).fit(X, Y)
    assert list(plain.history_.columns) == ["member", "epoch", "loss", "learning_rate", "gradient_norm", "seconds"]
    assert (plain.n_iter_, plain.best_epoch_) == (3, 3)


def test_the_keras_model_predicts_the_same():
    targets = np.column_stack([1e6 + Y, -1e-3 * Y])
    model = make(LSTMRegressor, bidirectional=True, segment_length=2).fit(X, targets)
    keras_model = model.model_
    assert keras_model.input_shape == (None, 4, 1)
    np.testing.assert_allclose(np.asarray(keras_model(np.asarray(X))), model.predict(X), rtol=1e-5)
    keras_model.set_weights([np.zeros_like(w) for w in keras_model.get_weights()])
    np.testing.assert_allclose(np.asarray(model.model_(np.asarray(X))), model.predict(X), rtol=1e-5)


def test_a_fitted_regressor_holds_no_keras_object():
    model = make(dropout=0.1, n_members=2, early_stopping=5).fit(X, Y)
    model.partial_fit(X, Y).predict(X)
    modules = {str(argument).split(".")[0] for _, argument, _ in pickletools.genops(pickle.dumps(model)) if argument}
    assert "tsrnn" in modules
    assert not modules & {"keras", "tensorflow", "tensorflow_backend"}


@pytest.mark.parametrize(
    "copied", [lambda model: pickle.loads(pickle.dumps(model)), copy.deepcopy], ids=["pickle", "deepcopy"]
)
def test_copies_predict_the_same_and_stand_alone(copied):
    model = make(GRURegressor).fit(X, Y)
    expected, other = model.predict(X), copied(model)
    np.testing.assert_array_equal(other.predict(X), expected)
    other.fit(X, -Y)
    np.testing.assert_array_equal(model.predict(X), expected)
    other.weights_[0][0][:] = 0
    np.testing.assert_array_equal(model.predict(X), expected)


# --- randomness ---


def test_an_int_is_a_seed():
    models = [make(random_state=seed, dropout=0.1).fit(X, Y) for seed in (1, 1, 2)]
    assert same(models[0], models[1])
    assert not same(models[0], models[2])
    assert same(make(random_state=2**70).fit(X, Y), make(random_state=2**70).fit(X, Y))


def test_none_is_another_seed_in_every_fit():
    model = make(random_state=None)
    assert not same(clone(model).fit(X, Y), clone(model).fit(X, Y))


def test_a_random_state_moves_on():
    def fits():
        model = make(random_state=np.random.RandomState(3))
        return [copy.deepcopy(model.fit(X, Y)) for _ in range(2)]

    first, second = fits()
    assert not same(first, second)
    for one, other in zip(fits(), (first, second), strict=True):
        assert same(one, other)


def test_members_differ_and_are_averaged():
    model = make(n_members=3).fit(X, Y)
    alone = []
    for weights in model.weights_:
        member = copy.deepcopy(model)
        member.weights_ = [weights]
        alone.append(member.predict(X))
    assert len({prediction.tobytes() for prediction in alone}) == 3
    np.testing.assert_allclose(model.predict(X), np.mean(alone, axis=0), rtol=1e-12)
    assert same(make(n_members=1).fit(X, Y), member_of(model, 0))


def member_of(model, number):
    member = copy.deepcopy(model)
    member.weights_ = [model.weights_[number]]
    return member


# --- in company ---


def test_a_search_over_sizes_in_a_pipeline():
    series = SERIES[:, None]
    pipe = make_pipeline(SequenceScaler(), WindowTransformer(lookback=4), make(LSTMRegressor, learning_rate=0.05))
    search = GridSearchCV(pipe, {"lstmregressor__hidden_size": [2, 6]}, cv=TimeSeriesSplit(2), error_score="raise")
    search.fit(series[:-1], SERIES[1:])
    scores = search.cv_results_["mean_test_score"]
    assert scores[0] != scores[1]
    best = search.best_estimator_[-1]
    assert best.weights_[0][1].shape == (search.best_params_["lstmregressor__hidden_size"], 4 * best.hidden_size)
    assert search.predict(series).shape == (60,)


def test_a_score_of_every_fold():
    scores = cross_val_score(make(epochs=40, learning_rate=0.05), X, Y, cv=TimeSeriesSplit(3))
    assert scores.shape == (3,)
    assert scores[-1] > 0.5


VARIANTS = {
    "additive attention": {"attention": "additive"},
    "transformer": {"dropout": 0.2, "attention": "transformer"},
    "convolution": {"convolution": (3, 2)},
    **{f"{decoder} decoder": {"decoder": decoder} for decoder in ("parallel", "recurrent", "sequence", "attention")},
    "segments": {"decoder": "parallel", "segment_length": 2},
    "between layers": {"n_layers": 2, "between_layers": ["residual", "layer_norm"]},
    "truncation": {"truncation": 2},
    "quantiles": {"loss": "quantile"},
    "gaussian": {"loss": "gaussian"},
    "schedule": {"learning_rate": RATE},
    "clipping": {"clipping": ("value", 0.01)},
    "optimizer": {"optimizer": keras.optimizers.SGD(0.001, momentum=0.9, nesterov=True)},
}


@pytest.mark.slow
@pytest.mark.parametrize("values", VARIANTS.values(), ids=VARIANTS)
def test_every_variant_in_company(values):
    samples, targets = make_windows(SERIES, lookback=4, horizon=4)
    model = make(GRURegressor, **values).fit(samples, targets)
    without = make(GRURegressor, **dict(list(values.items())[:-1])).fit(samples, targets)
    assert not np.array_equal(model.predict(samples), without.predict(samples))
    assert same(clone(model).fit(samples, targets), model)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(samples), model.predict(samples))
    assert same(again.fit(samples, targets), model)
    search = GridSearchCV(clone(model), {"hidden_size": [2, 3]}, cv=TimeSeriesSplit(2), error_score="raise")
    search.fit(np.asarray(samples), targets)
    assert np.ptp(search.cv_results_["mean_test_score"]) > 0
    assert search.best_estimator_.hidden_size == search.best_params_["hidden_size"]
