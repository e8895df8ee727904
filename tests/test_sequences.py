"""Sequences of different lengths, and targets at every step."""

import numpy as np
import pandas as pd
import pytest
from estimators import make
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, cross_val_score

from tsrnn import GRUClassifier, GRURegressor, InvalidParameterError, Windows, training

pytestmark = pytest.mark.usefixtures("own_caches")

RNG = np.random.default_rng(0)
LENGTHS = [3, 5, 4, 2, 5, 1, 3, 4]
LISTED = [RNG.normal(size=(length, 2)) for length in LENGTHS]
PADDED = np.stack([np.concatenate([np.repeat(s[:1], 5 - len(s), axis=0), s]) for s in LISTED])
ENDS = np.array([s[-1, 0] for s in LISTED])

X = RNG.normal(size=(40, 6)).astype(np.float32)
SUMS = 100 + 10 * np.cumsum(X, axis=1).astype(np.float64)


# --- lists of sequences ---


@pytest.mark.parametrize("form", [list, tuple, lambda parts: [pd.DataFrame(part) for part in parts]])
def test_a_shorter_sequence_is_continued_backwards(form):
    model, expected = make().fit(form(LISTED), ENDS), make().fit(PADDED, ENDS)
    assert (model.input_shape_, model.n_features_in_) == ((5, 2), 2)
    np.testing.assert_array_equal(model.predict(form(LISTED)), expected.predict(PADDED))
    np.testing.assert_array_equal(model.predict(PADDED), expected.predict(PADDED))
    np.testing.assert_array_equal(model.influence(form(LISTED)), expected.influence(PADDED))
    np.testing.assert_array_equal(
        model.partial_fit(form(LISTED[:4]), ENDS[:4]).predict(PADDED),
        expected.partial_fit(PADDED[:4], ENDS[:4]).predict(PADDED),
    )


def test_sequences_of_one_feature_need_no_second_axis():
    flat = [sequence[:, 0] for sequence in LISTED]
    model = make().fit(flat, ENDS)
    assert (model.input_shape_, model.n_features_in_) == ((5, 1), 1)
    np.testing.assert_array_equal(model.predict(flat), make().fit(PADDED[..., :1], ENDS).predict(PADDED[..., :1]))


def test_a_classifier_takes_sequences():
    labels = np.where(np.arange(8) % 2, "odd", "even")
    expected = make(GRUClassifier).fit(PADDED, labels).predict_proba(PADDED)
    np.testing.assert_array_equal(make(GRUClassifier).fit(LISTED, labels).predict_proba(LISTED), expected)


def test_of_a_longer_sequence_the_last_steps_count():
    model = make().fit(LISTED, ENDS)
    longer = [np.concatenate([RNG.normal(size=(7, 2)), part]) for part in PADDED]
    np.testing.assert_array_equal(model.predict(longer), model.predict(PADDED))
    np.testing.assert_array_equal(model.predict([*longer[:1], LISTED[5]]), model.predict(PADDED[[0, 5]]))


def test_a_list_of_one():
    model = make().fit(LISTED, ENDS)
    for number in (0, 5):
        np.testing.assert_array_equal(model.predict(LISTED[number : number + 1]), model.predict(PADDED)[[number]])
    one = make().fit(LISTED[:1], ENDS[:1])
    assert one.input_shape_ == (3, 2)
    np.testing.assert_allclose(one.predict(LISTED[:1]), ENDS[:1], atol=1)


def test_lengths_may_differ_at_predict_alone():
    model = make().fit([part[-2:] for part in PADDED], ENDS)
    np.testing.assert_array_equal(model.predict(LISTED), model.predict(PADDED[:, -2:]))


def test_a_cross_validation_of_sequences():
    cv, scoring = KFold(2, shuffle=True, random_state=0), "neg_mean_absolute_error"
    scores = cross_val_score(make(), LISTED * 3, np.tile(ENDS, 3), cv=cv, scoring=scoring, error_score="raise")
    expected = cross_val_score(make(), np.tile(PADDED, (3, 1, 1)), np.tile(ENDS, 3), cv=cv, scoring=scoring)
    np.testing.assert_array_equal(scores, expected)


NAN = np.full((2, 2), np.nan)


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (np.zeros((0, 2)), r"0 sample\(s\) \(shape=\(0, 2\)\)"),
        (
            np.zeros((3, 1)),
            r"^SimpleRNNRegressor: all sequences must have the same features; got .*\(3, 1\)",
        ),
        (NAN, r"^SimpleRNNRegressor: Input X\[8\] contains NaN \(first at row 0, column 0\)"),
        (np.zeros((2, 2, 2)), "dim 3"),
        (np.array([["a", "b"]]), r"Input X\[8\] is text"),
    ],
    ids=["empty", "width", "NaN", "3-D", "text"],
)
def test_bad_sequences_are_refused(last, words):
    model = make().fit(LISTED, ENDS)
    for call in (lambda: model.predict([*LISTED, last]), lambda: model.fit([*LISTED, last], np.zeros(9))):
        with pytest.raises(ValueError, match=words):
            call()
    assert model.predict(LISTED).shape == (8,)


def test_other_sequences_than_those_fitted_are_refused():
    model = make().fit(LISTED, ENDS)
    with pytest.raises(ValueError, match="X has 1 features, but SimpleRNNRegressor is expecting 2"):
        model.predict([part[:, 0] for part in LISTED])
    with pytest.raises(ValueError, match="Reshape your data"):
        model.predict([])
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples: \[8, 7\]"):
        model.fit(LISTED, ENDS[:7])


# --- a target at every step ---


@pytest.mark.parametrize("targets", [SUMS, SUMS[..., None], np.stack([SUMS, -1e3 * SUMS], axis=2)], ids=np.shape)
def test_predictions_have_the_shape_of_the_targets(targets):
    model = make(GRURegressor, decoder="sequence").fit(X, targets)
    assert model.n_outputs_ == targets[0].size
    assert model.predict(X).shape == targets.shape
    found = np.asarray(model.model_(X[..., None])).reshape(targets.shape)
    np.testing.assert_allclose(found, model.predict(X), rtol=1e-5)


def test_the_steps_share_one_scale():
    targets = np.stack([SUMS, -1e3 * SUMS], axis=2)
    weights = np.linspace(1, 2, 40)
    model = make(decoder="sequence").fit(X, targets, weights)
    repeated = np.repeat(weights, 6)
    columns = targets.reshape(-1, 2)
    mean = np.average(columns, axis=0, weights=repeated)
    scale = np.sqrt(np.average((columns - mean) ** 2, axis=0, weights=repeated))
    np.testing.assert_allclose(model.target_mean_, np.tile(mean, 6))
    np.testing.assert_allclose(model.target_scale_, np.tile(scale, 6))


def test_sums_are_learnt_and_no_step_sees_a_later_one():
    model = make(GRURegressor, hidden_size=8, epochs=150, learning_rate=0.02, decoder="sequence").fit(X, SUMS)
    before = model.predict(X)
    assert 1 - np.mean((before - SUMS) ** 2) / SUMS.var() > 0.9
    changed = X.copy()
    changed[:, 4:] += 1
    after = model.predict(changed)
    np.testing.assert_array_equal(after[:, :4], before[:, :4])
    assert np.all(np.abs(after[:, 4:] - before[:, 4:]) > 0)


def test_the_targets_of_lists_are_as_long_as_the_longest():
    targets = RNG.normal(size=(8, 5))
    listed, padded = (make(decoder="sequence").fit(x, targets) for x in (LISTED, PADDED))
    np.testing.assert_array_equal(listed.predict(LISTED), padded.predict(PADDED))


def test_sequences_of_targets_of_different_lengths_are_refused():
    with pytest.raises(ValueError, match=r"^SimpleRNNRegressor: y holds sequences of .* Pass 5 targets"):
        make(decoder="sequence").fit(LISTED, [np.arange(len(part)) for part in LISTED])


def test_several_targets_at_every_step_are_scored():
    targets = np.stack([SUMS, SUMS**2], axis=2)
    model = make(decoder="sequence").fit(X, targets)
    each = [r2_score(targets[:, step, k], model.predict(X)[:, step, k]) for step in range(6) for k in range(2)]
    assert model.score(X, targets) == pytest.approx(np.mean(each))
    assert np.isfinite(cross_val_score(model, X, targets, cv=2, error_score="raise")).all()


def test_early_stopping_leaves_out_the_steps_that_two_windows_share(monkeypatch):
    found = []

    def stop(_architecture, _recipe, parts, *_):
        found.extend(part.windows.origins.tolist() for part in parts)
        raise InterruptedError

    monkeypatch.setattr(training, "fit", stop)
    model = make(decoder="sequence", early_stopping=2)
    windows = Windows(X.reshape(-1, 1), np.arange(40), 6, origins=np.arange(40))
    for samples, trained in ((windows, 31), (X, 36)):  # samples of an array share no step
        for targets in (SUMS, np.stack([SUMS] * 7, axis=2)):
            found.clear()
            with pytest.raises(InterruptedError):
                model.fit(samples, targets)
            assert found == [list(range(trained)), [36, 37, 38, 39]]


SHAPES = r"^SimpleRNNRegressor: decoder='sequence' needs y of shape \(n_samples, 6\) or \(n_samples, 6, n_targets\), .*"


@pytest.mark.parametrize("targets", [SUMS[:, 0], SUMS[:, :5], SUMS[:, :1], SUMS[..., None, None]], ids=np.shape)
def test_other_targets_than_one_for_each_step_are_refused(targets):
    with pytest.raises(ValueError, match=SHAPES):
        make(decoder="sequence").fit(X, targets)


def test_other_decoders_and_attention_are_told_apart():
    with pytest.raises(ValueError, match=r"y must have 1 or 2 .* got shape \(40, 6, 1\). .* need decoder='sequence'"):
        make().fit(X, SUMS[..., None])
    words = '`attention` must be "transformer" or None for decoder="sequence"; got \'additive\'. Additive attention'
    with pytest.raises(InvalidParameterError, match=words):
        make(decoder="sequence", attention="additive").fit(X, SUMS)
    model = make(decoder="sequence").fit(X, SUMS)
    with pytest.raises(ValueError, match="y has 12 outputs, but it was fitted on 6"):
        model.partial_fit(X, np.stack([SUMS, SUMS], axis=2))
