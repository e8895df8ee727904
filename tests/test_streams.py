"""Streams: equal to predictions in one batch, and what is kept between two steps."""

import pickle

import numpy as np
import pandas as pd
import pytest
from estimators import make
from sklearn.linear_model import Ridge

from tsrnn import (
    Differencer,
    Forecaster,
    ForecastStream,
    GRURegressor,
    InvalidParameterError,
    LSTMRegressor,
    SimpleRNNRegressor,
    make_windows,
)

pytestmark = pytest.mark.usefixtures("own_caches")

L = 5
RNG = np.random.default_rng(0)
SERIES = (10 + RNG.normal(size=(60, 2)).cumsum(axis=0)).astype(np.float32)
X, Y = make_windows(SERIES, SERIES[:, 0], lookback=L, horizon=2)
EVERY_STEP = np.asarray(X)[:, :, 0]
NORMS = {"between_layers": ["residual", "layer_norm"]}


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"jit_compile": True},
        {"n_members": 2, "loss": "quantile"},
        {"loss": "gaussian", "bidirectional": True},
        {"attention": "additive"},
    ],
    ids=["plain", "compiled", "quantiles of two members", "gaussian, both ways", "attention"],
)
def test_a_window_at_a_time_is_what_predict_says(values):
    model = make(GRURegressor, **values).fit(X, Y)
    stream, expected = model.stream(), model.predict(X)
    answers = [stream.observe(row) for row in SERIES[: L + 20]]
    assert answers[: L - 1] == [None] * (L - 1)
    np.testing.assert_allclose(answers[L - 1 :], expected[:21], atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("cell", "values"),
    [
        (SimpleRNNRegressor, {}),
        (GRURegressor, {"n_layers": 2}),
        (LSTMRegressor, {"n_layers": 2, **NORMS}),
        (GRURegressor, {"loss": "quantile", "n_members": 2}),
    ],
    ids=["one layer", "two layers", "two layers with norms", "quantiles of two members"],
)
def test_a_state_is_that_of_a_full_pass_from_the_start(cell, values):
    model = make(cell, **values).fit(X, Y)
    stream = model.stream("state")
    answers = [stream.observe(row) for row in SERIES[:30]]
    for length in (1, 30):
        longer = pickle.loads(pickle.dumps(model))
        longer._architecture["lookback"], longer.input_shape_ = length, (length, 2)
        expected = longer.predict(SERIES[None, :length])[0]
        np.testing.assert_allclose(answers[length - 1], expected, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("targets", [EVERY_STEP, np.stack([EVERY_STEP, 2 * EVERY_STEP + 1], axis=2)])
def test_a_state_tells_one_step_of_a_sequence(targets):
    model = make(LSTMRegressor, decoder="sequence", **NORMS, n_layers=2).fit(X, targets)
    stream = model.stream("state")
    answers = np.array([stream.observe(row) for row in SERIES[:L]])
    expected = model.predict(X[:1])[0]
    np.testing.assert_allclose(answers.reshape(expected.shape), expected, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("mode", ["window", "state"])
def test_a_snapshot_takes_a_stream_back(mode):
    model = make(LSTMRegressor).fit(X, Y)
    stream = model.stream(mode)
    for row in SERIES[:10]:
        stream.observe(row)
    kept = pickle.loads(pickle.dumps(stream.snapshot()))
    once = [stream.observe(row) for row in SERIES[10:15]]
    again = model.stream(mode).restore(kept)
    np.testing.assert_array_equal([again.observe(row) for row in SERIES[10:15]], once)
    np.testing.assert_array_equal([stream.restore(kept).observe(SERIES[10])], once[:1])
    with pytest.raises(ValueError, match="of another regressor or another mode"):
        model.stream({"window": "state", "state": "window"}[mode]).restore(kept)


def test_a_later_fit_changes_no_stream():
    model = make().fit(X, Y)
    expected, stream = model.predict(X[:1])[0], model.stream()
    model.set_params(hidden_size=4).fit(X, 7 * Y)
    answer = [stream.observe(row) for row in SERIES[:L]][-1]
    np.testing.assert_allclose(answer, expected, rtol=1e-6)


@pytest.mark.parametrize(
    "values",
    [
        {"bidirectional": True},
        {"convolution": (2, 2)},
        {"segment_length": 5},
        {"attention": "transformer"},
        {"decoder": "recurrent"},
    ],
)
def test_a_network_that_looks_around_has_no_state_mode(values):
    with pytest.raises(ValueError, match=r'mode="state" needs a network that goes from step to step'):
        make(**values).fit(X, Y).stream("state")


def test_wrong_steps_and_modes_are_refused():
    model = make().fit(X, Y)
    with pytest.raises(InvalidParameterError, match="`mode` must be one of"):
        model.stream("states")
    for wrong in (1.0, [1, 2, 3], [1, np.nan]):
        with pytest.raises(ValueError, match="`row` must hold 2 finite values"):
            model.stream().observe(wrong)


# --- forecasters ---

WALK = SERIES[:, 0].astype(np.float64)
OPTIONS = {
    "ridge": {"regressor": Ridge()},
    "network": {"regressor": make(GRURegressor)},
    "linear anchor": {"regressor": make(GRURegressor), "anchor": "linear"},
    "window scale": {"regressor": make(GRURegressor), "scale": "window", "anchor": "mean"},
    "recursive": {"regressor": Ridge(), "strategy": "recursive"},
    "differences": {"regressor": Ridge(), "target_transformer": Differencer(3)},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
def test_a_stream_forecasts_what_update_and_predict_do(options):
    forecaster = Forecaster(**{"lookback": L, "horizon": 2, **options}).fit(WALK[:40])
    stream = forecaster.stream()
    kept = stream.snapshot()
    for step in range(40, 46):
        answer = stream.observe(WALK[step])
        expected = forecaster.update(WALK[step : step + 1]).predict()
        np.testing.assert_allclose(answer, expected, rtol=1e-6)
    stream.restore(kept)
    np.testing.assert_array_equal(stream.observe(WALK[40]), ForecastStream(forecaster).restore(kept).observe(WALK[40]))


def test_streams_of_several_targets():
    frame = pd.DataFrame(SERIES)
    forecaster = Forecaster(Ridge(), lookback=L, horizon=2).fit(frame[:40])
    answer = forecaster.stream().observe(SERIES[40])
    np.testing.assert_allclose(answer, forecaster.update(frame[40:41]).predict(), rtol=1e-6)
    with pytest.raises(ValueError, match="`value` must hold 2 finite values"):
        forecaster.stream().observe(3.0)


def test_a_stream_follows_one_series_without_covariates():
    with_covariates = Forecaster(Ridge(), lookback=L).fit(SERIES[:, 1:], WALK)
    panel = Forecaster(Ridge(), lookback=L).fit({"a": WALK})
    for forecaster in (with_covariates, panel):
        with pytest.raises(ValueError, match="follows one series without covariates"):
            forecaster.stream()
