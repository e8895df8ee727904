"""The classifiers as scikit-learn sees them."""

import copy
import pickle

import estimators
import numpy as np
import pytest
from estimators import same
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import compute_sample_weight

from tsrnn import (
    GRUClassifier,
    InvalidParameterError,
    LSTMClassifier,
    SimpleRNNClassifier,
    Windows,
    WindowTransformer,
    training,
)
from tsrnn.model_selection import WalkForwardSplit

pytestmark = pytest.mark.usefixtures("own_caches")

CLASSIFIERS = [SimpleRNNClassifier, LSTMClassifier, GRUClassifier]
every_classifier = pytest.mark.parametrize("classifier", CLASSIFIERS)

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)).astype(np.float32)
Y = np.digitize(X[:, -1], [-0.4, 0.4])  # three classes: the last value is low, middle or high
NAMES = np.array(["low", "middle", "high"])


def make(classifier=SimpleRNNClassifier, **values):
    return estimators.make(classifier, **values)


# --- classes and probabilities ---


def test_probabilities_are_the_softmax_of_the_outputs():
    model = make(GRUClassifier).fit(X, Y)
    weights, bias = model.weights_[0][-2:]
    probabilities = model.predict_proba(X)
    logs = np.log(probabilities)
    assert (probabilities.shape, probabilities.dtype) == ((60, 3), np.float64)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
    assert (weights.shape, bias.shape) == ((3, 3), (3,))
    shifted = copy.deepcopy(model)
    shifted.weights_[0][-1] = bias + np.array([1, 0, 0], dtype=np.float32)
    odds = np.log(shifted.predict_proba(X)) - logs
    np.testing.assert_allclose(odds[:, 0] - odds[:, 1], 1, rtol=1e-5)
    np.testing.assert_allclose(odds[:, 2] - odds[:, 1], 0, rtol=0, atol=1e-5)


def test_large_outputs_do_not_overflow():
    model = make().fit(X, Y)
    model.weights_[0][-1] = np.array([1e30, 0, -1e30], dtype=np.float32)
    np.testing.assert_array_equal(model.predict_proba(X), np.tile([1.0, 0, 0], (60, 1)))


@pytest.mark.parametrize(
    "values", [NAMES, np.array([7, -2, 30]), np.array([0.0, 1.0, 2.0]), NAMES.astype(object)], ids=str
)
def test_classes_keep_their_names_and_type(values):
    labels = values[Y]
    model = make().fit(X, labels)
    assert model.classes_.dtype == values.dtype
    np.testing.assert_array_equal(model.classes_, np.unique(values))
    found = model.predict(X)
    assert found.dtype == values.dtype
    np.testing.assert_array_equal(found, model.classes_[model.predict_proba(X).argmax(axis=1)])


def test_truth_values_are_classes():
    model = make(epochs=40, learning_rate=0.05).fit(X, X[:, -1] > 0)
    assert model.classes_.tolist() == [False, True]
    assert model.predict(X).dtype == bool
    assert model.score(X, X[:, -1] > 0) > 0.9


def test_one_class_only():
    model = make(early_stopping=2, class_weight="balanced").fit(X, np.full(60, "a"))
    assert model.n_outputs_ == 1
    np.testing.assert_array_equal(model.predict_proba(X), np.ones((60, 1)))
    assert set(model.predict(X)) == {"a"}


@every_classifier
def test_three_classes_are_learnt(classifier):
    samples = np.random.default_rng(1).normal(size=(400, 4))
    labels = NAMES[np.digitize(samples[:, -1], [-0.4, 0.4])]
    model = make(classifier, hidden_size=8, epochs=30, learning_rate=0.03).fit(samples[:200], labels[:200])
    assert model.score(samples[200:], labels[200:]) > 0.9


def test_the_loss_is_the_cross_entropy():
    model = make(learning_rate=1e-12, batch_size=60, epochs=1).fit(X, Y)
    expected = -np.log(model.predict_proba(X)[np.arange(60), Y]).mean()
    assert model.history_["loss"][0] == pytest.approx(expected, rel=1e-5)


# --- weights ---


@pytest.mark.parametrize("class_weight", [{"low": 3.0, "middle": 0.5, "high": 1.0}, "balanced"])
def test_class_weights_are_weights_of_their_samples(class_weight):
    labels = NAMES[Y]
    own = compute_sample_weight(class_weight, labels)
    weighted = make(class_weight=class_weight).fit(X, labels)
    assert same(weighted, make().fit(X, labels, own))
    assert not same(weighted, make().fit(X, labels))
    more = np.linspace(1, 2, 60)
    assert same(make(class_weight=class_weight).fit(X, labels, more), make().fit(X, labels, own * more))


def test_a_sample_of_weight_zero_is_not_there():
    weights = (np.arange(60) < 45).astype(float)
    assert same(make().fit(X, Y, weights), make().fit(X[:45], Y[:45]))


# --- early stopping ---


def held_out(monkeypatch, samples, labels, **values):
    """Return the last steps and the classes of the samples to train on, and of those to watch."""
    found = []

    def stop(_architecture, _recipe, parts, *_):
        found.extend((np.asarray(part.windows)[:, -1, 0], part.targets.argmax(axis=1)) for part in parts)
        raise InterruptedError

    with monkeypatch.context() as patch:
        patch.setattr(training, "fit", stop)
        with pytest.raises(InterruptedError):
            make(early_stopping=2, **values).fit(samples, labels)
    return found


@pytest.mark.parametrize("form", [np.asarray, list, lambda x: [x[0, 1:], *x[1:]]], ids=["array", "list", "lengths"])
def test_a_part_of_each_class_is_held_out(monkeypatch, form):
    labels = np.repeat([0, 1, 2], [30, 20, 10])
    samples = np.tile(np.arange(60.0)[:, None], 4)
    (train, train_labels), (watched, watched_labels) = held_out(
        monkeypatch, form(samples), labels, validation_fraction=0.2
    )
    assert np.bincount(watched_labels).tolist() == [6, 4, 2]
    assert np.bincount(train_labels).tolist() == [24, 16, 8]
    assert sorted([*train, *watched]) == list(range(60))
    np.testing.assert_array_equal(labels[watched.astype(int)], watched_labels)
    assert np.diff(watched[:6]).max() > 1


def test_the_part_held_out_follows_the_seed(monkeypatch):
    def watched(seed):
        return held_out(monkeypatch, X, Y, validation_fraction=0.3, random_state=seed)[1][0].tolist()

    assert watched(1) == watched(1) != watched(2)
    one, other = (np.random.RandomState(1) for _ in range(2))
    assert watched(one) == watched(other) != watched(one)
    assert watched(None) != watched(None)


def test_of_windows_the_last_in_time_are_held_out(monkeypatch):
    windows = Windows(np.arange(43.0)[:, None], np.arange(40), 4)
    (train, _), (watched, _) = held_out(monkeypatch, windows, np.arange(40) % 2, validation_fraction=0.25)
    assert train.tolist() == list(range(3, 33))
    assert watched.tolist() == list(range(33, 43))


def test_early_stopping_keeps_the_best_epoch():
    model = make(early_stopping=2, epochs=60, learning_rate=0.3, validation_fraction=0.3).fit(X, RNG.permutation(Y))
    losses = model.history_["val_loss"]
    assert model.n_iter_ < 60
    assert model.best_epoch_ == losses.idxmin() + 1 == model.n_iter_ - 2


def test_too_few_samples_to_hold_any_out():
    with pytest.raises(ValueError, match=r"^SimpleRNNClassifier: early stopping .* holds out 0 of 8 windows"):
        make(early_stopping=2).fit(X[:8], np.arange(8))


def test_one_sample_of_each_class_at_least_is_held_out():
    model = make(early_stopping=2)
    model._ordered = False
    targets = np.eye(4)[np.arange(12) % 3]
    train, watched = model._held_out(training.Samples(None, targets, np.ones(12)))
    assert watched.sum() == 3
    assert (targets[watched].sum(axis=0) == [1, 1, 1, 0]).all()
    assert (train == ~watched).all()


# --- partial_fit ---


def test_partial_fit_learns_classes_as_they_come():
    model = make().partial_fit(X[Y == 0], NAMES[Y[Y == 0]], classes=NAMES)
    assert model.classes_.tolist() == ["high", "low", "middle"]
    model.partial_fit(X[Y > 0], NAMES[Y[Y > 0]]).partial_fit(X, NAMES[Y], classes=NAMES[::-1])
    assert model.n_iter_ == 3
    assert model.predict_proba(X).shape == (60, 3)
    again = make().partial_fit(X, NAMES[Y])
    assert again.classes_.tolist() == ["high", "low", "middle"]


def test_partial_fit_after_fit_keeps_the_classes():
    model = make().fit(X, NAMES[Y])
    before = model.predict_proba(X)
    model.partial_fit(X[Y == 1], NAMES[Y[Y == 1]])
    assert model.classes_.tolist() == ["high", "low", "middle"]
    assert not np.array_equal(model.predict_proba(X), before)
    model.fit(X, Y)
    assert model.classes_.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("labels", "classes", "words"),
    [
        (np.where(Y > 0, "sideways", "low"), None, "y holds the class 'sideways', .* Pass `classes` to the first"),
        (Y, None, "y holds the class 0, which is not among those it was fitted on"),
        (NAMES[Y], ["low", "high"], r"classes=\['low', 'high'\] are not those .* \['high', 'low', 'middle'\]. Call"),
    ],
)
def test_a_class_that_was_not_there_before_is_refused(labels, classes, words):
    model = make().fit(X, NAMES[Y])
    before = model.predict_proba(X)
    with pytest.raises(ValueError, match="^SimpleRNNClassifier: " + words):
        model.partial_fit(X, labels, classes=classes)
    np.testing.assert_array_equal(model.predict_proba(X), before)


# --- members, copies, Keras ---


def test_members_differ_and_their_probabilities_are_averaged():
    model = make(n_members=3).fit(X, Y)
    alone = []
    for weights in model.weights_:
        member = copy.deepcopy(model)
        member.weights_ = [weights]
        alone.append(member.predict_proba(X))
    assert len({probabilities.tobytes() for probabilities in alone}) == 3
    np.testing.assert_allclose(model.predict_proba(X), np.mean(alone, axis=0), rtol=1e-12)


@every_classifier
def test_the_keras_model_gives_the_probabilities(classifier):
    model = make(classifier).fit(X, NAMES[Y])
    found = np.asarray(model.model_(X[..., None]))
    np.testing.assert_allclose(found, model.predict_proba(X), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    "copied", [lambda model: pickle.loads(pickle.dumps(model)), copy.deepcopy], ids=["pickle", "deepcopy"]
)
def test_copies_predict_the_same(copied):
    model = make(LSTMClassifier, class_weight="balanced").fit(X, NAMES[Y])
    expected = model.predict_proba(X)
    other = copied(model)
    np.testing.assert_array_equal(other.predict_proba(X), expected)
    np.testing.assert_array_equal(other.predict(X), model.predict(X))
    other.fit(X, Y)
    np.testing.assert_array_equal(model.predict_proba(X), expected)


@every_classifier
def test_a_clone_is_fitted_to_the_same_bits(classifier):
    model = make(classifier, class_weight={0: 2.0, 1: 1.0, 2: 1.0}, dropout=0.2, early_stopping=2).fit(X, Y)
    again = clone(model)
    assert again.get_params() == model.get_params()
    assert not hasattr(again, "weights_")
    assert same(again.fit(X, Y), model)


def test_a_search_over_sizes_in_a_pipeline():
    series = np.sin(np.arange(64) * 0.7)[:, None]
    labels = np.where(np.roll(series[:, 0], -1) > 0, "up", "down")
    model = make(LSTMClassifier, learning_rate=0.05, epochs=20)
    pipe = make_pipeline(StandardScaler(), WindowTransformer(lookback=4), model)
    search = GridSearchCV(pipe, {"lstmclassifier__hidden_size": [1, 6]}, cv=WalkForwardSplit(2), error_score="raise")
    search.fit(series, labels)
    assert search.best_params_ == {"lstmclassifier__hidden_size": 6}
    assert search.best_score_ > 0.8
    assert set(search.predict(series)) == {"up", "down"}
    np.testing.assert_allclose(search.predict_proba(series).sum(axis=1), 1)


# --- bad input ---

BAD_TARGETS = {
    "None": (None, "SimpleRNNClassifier requires y to be passed, but the target y is None"),
    "continuous": (X[:, 0], "Unknown label type: continuous"),
    "two columns": (np.c_[Y, Y], "y should be a 1d array"),
    "too short": (Y[:5], r"inconsistent numbers of samples: \[60, 5\]"),
    "not a number": (np.where(Y == 0, np.nan, Y), r"^SimpleRNNClassifier: Input y contains NaN \(first at row"),
    "infinite": (np.where(Y == 0, np.inf, Y), "^SimpleRNNClassifier: Input y contains infinity"),
    "missing": (np.where(np.arange(60) == 3, None, NAMES[Y]), "."),
}


@pytest.mark.parametrize("case", BAD_TARGETS)
def test_bad_targets_are_refused(case):
    labels, words = BAD_TARGETS[case]
    model = make()
    with pytest.raises((ValueError, TypeError), match=words):
        model.fit(X, labels)
    assert not hasattr(model, "classes_")


@pytest.mark.parametrize(
    ("class_weight", "error", "words"),
    [
        ("balance", InvalidParameterError, "`class_weight` must be a dict, \"balanced\" or None; got 'balance'"),
        (np.ones(3), InvalidParameterError, '`class_weight` must be a dict, "balanced" or None; got array'),
        ({0: -1, 1: 1, 2: 1}, InvalidParameterError, r"`class_weight` must be a number in \[0, inf\); got -1"),
        ({0: np.nan, 1: 1, 2: 1}, InvalidParameterError, r"`class_weight` must be a number in \[0, inf\); got nan"),
        ({0: "a", 1: 1, 2: 1}, InvalidParameterError, r"`class_weight` must be a number in \[0, inf\); got 'a'"),
        ({0: 0, 1: 0, 2: 0}, ValueError, "sample_weight and class_weight together are zero for every sample"),
        ({9: 1, 1: 1}, ValueError, r"The classes, \[.*\], are not in class_weight"),
    ],
)
def test_bad_class_weights_are_refused(class_weight, error, words):
    with pytest.raises(error, match=words):
        make(class_weight=class_weight).fit(X, Y)


def test_bad_sample_weights_are_refused():
    with pytest.raises(ValueError, match=r"sample_weight.shape == \(5,\), expected \(60,\)"):
        make().fit(X, Y, np.ones(5))
    with pytest.raises(ValueError, match="sample_weight is zero for every sample"):
        make().partial_fit(X, Y, sample_weight=np.zeros(60))


def test_partial_fit_takes_weights_of_classes_that_are_not_there_yet():
    weights = {0: 1.0, 1: 2.0, 2: 3.0}
    model = make(class_weight=weights).partial_fit(X, Y).partial_fit(X[Y < 2], Y[Y < 2])
    by_hand = make().partial_fit(X, Y, sample_weight=Y + 1.0)
    by_hand.partial_fit(X[Y < 2], Y[Y < 2], sample_weight=Y[Y < 2] + 1.0)
    assert same(model, by_hand)
    with pytest.raises(ValueError, match=r"^SimpleRNNClassifier: partial_fit .* cannot balance the classes"):
        make(class_weight="balanced").partial_fit(X, Y)
