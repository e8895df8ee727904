"""What the intervals of a forecaster depend on: its fit and what it knows; not what was asked, or set, before."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.linear_model import BayesianRidge, Ridge
from sklearn.preprocessing import FunctionTransformer

from tsrnn import Forecaster, NaiveForecaster, WalkForwardSplit, backtest
from tsrnn._conformal import adaptive_walk, adaptive_widths

RNG = np.random.default_rng(0)
WALK = pd.Series(RNG.normal(size=200).cumsum(), index=pd.date_range("2024-01-01", periods=200, freq="D"), name="load")


def ridge(**values):
    return Forecaster(**{"regressor": Ridge(), "lookback": 5, "horizon": 12, **values})


@pytest.mark.parametrize("make", [ridge, lambda: NaiveForecaster(12)], ids=["ridge", "naive"])
def test_later_rows_have_the_intervals_of_their_own_steps(make):
    fitted = make().fit(WALK)
    rows = pd.DataFrame(index=pd.date_range("2024-07-19", periods=12, freq="D"))
    for tell in (fitted.predict_interval, fitted.predict_quantiles):
        pd.testing.assert_frame_equal(tell(rows[9:]), tell(rows)[9:])
    paths = [fitted.sample_paths(part, n_paths=5, random_state=0) for part in (rows, rows[9:])]
    np.testing.assert_array_equal(paths[0][:, 9:], paths[1])


def test_a_level_beyond_all_scores_misses_nothing():
    """After a calm time come ever greater errors, then calm again: the width comes down with them."""
    calm = np.abs(np.random.default_rng(1).normal(size=(400, 1, 1)))
    rising = np.linspace(3, 300, 400)[:, None, None]
    after = np.abs(np.random.default_rng(2).normal(size=(2400, 1, 1)))
    assert adaptive_widths(np.concatenate([calm, rising, after]), 0.9).item() < 10


def test_a_walk_of_adaptive_widths_is_a_replay_of_what_was_known():
    rng, origins = np.random.default_rng(3), np.arange(0, 60, 2)
    past, scores = np.abs(rng.normal(size=(50, 3, 2))), np.abs(3 * rng.normal(size=(30, 3, 2)))
    scores[4, 1, 0] = np.nan
    widths = adaptive_walk(past, scores, origins, 0.8)
    for number, origin in enumerate(origins):
        for step, target in np.ndindex(3, 2):
            known = scores[origins + step + 1 <= origin, step, target]
            both = np.concatenate([past[:, step, target], known[~np.isnan(known)]])[:, None, None]
            assert widths[number, step, target] == adaptive_widths(both, 0.8).item()


def test_a_backtest_with_adaptive_intervals_follows_the_walk():
    loud = WALK.copy()
    loud.iloc[150:] += np.random.default_rng(4).normal(scale=20, size=50)
    table = backtest(
        ridge(horizon=1), loud, cv=WalkForwardSplit(50, test_size=1), refit=False, coverage=0.8, method="adaptive",
        progress=False,
    )  # fmt: skip
    widths = (table["upper"] - table["lower"]).to_numpy()
    assert widths[0] < 10
    assert widths[-1] > 2 * widths[0]


def test_the_widths_of_a_walk_come_from_the_errors_before():
    cv = WalkForwardSplit(40, test_size=1)
    table = backtest(ridge(horizon=1), WALK, cv=cv, refit=False, coverage=0.8, method="adaptive", progress=False)
    errors = (table["y_true"] - table["y_pred"]).abs().to_numpy()
    truth, past = ridge(horizon=1).fit(WALK[:160])._past(None, 1, "adaptive", ())
    before = np.abs(truth - past[..., 0]).ravel()
    expected = [adaptive_widths(np.append(before, errors[:k])[:, None, None], 0.8).item() for k in range(40)]
    np.testing.assert_allclose((table["upper"] - table["lower"]) / 2, expected)


def other(n=150):
    return pd.Series(50 + 10 * np.sin(np.arange(n)), index=WALK.index[:n], name="load")


def test_intervals_of_another_history_do_not_depend_on_what_was_asked_before():
    fresh, asked = ridge().fit(WALK), ridge().fit(WALK)
    asked.predict_interval()
    first, second = (model.with_history(other()).predict_interval() for model in (fresh, asked))
    pd.testing.assert_frame_equal(first, second)
    pd.testing.assert_frame_equal(fresh.predict_interval(), asked.predict_interval())


def test_a_newcomer_shorter_than_four_lookbacks_has_intervals():
    panel = ridge(lookback=60, horizon=2).fit({"a": WALK})
    bounds = panel.with_history({"b": other(75)}).predict_interval(coverage=0.5)  # three quarters of it are 56 rows
    assert np.isfinite(bounds["b"]).all(axis=None)


def test_the_copy_learns_from_the_rows_of_the_fit_alone():
    known = ridge().fit(WALK[:100])
    late = known.update(WALK[100:])
    early = ridge().fit(WALK[:100])
    early.predict_interval()
    pd.testing.assert_frame_equal(late.predict_interval(), early.update(WALK[100:]).predict_interval())


@pytest.mark.parametrize("change", [{"regressor__alpha": 1e6}, {"stride": 7}, {"lookback": 9}, {"scaler": None}])
@pytest.mark.parametrize("asked", [True, False])
def test_parameters_set_after_the_fit_wait_for_the_next(change, asked):
    expected = ridge(stride="1D").fit(WALK).predict_interval()
    fitted = ridge(stride="1D").fit(WALK)
    if asked:
        fitted.predict_interval()
    pd.testing.assert_frame_equal(fitted.set_params(**change).predict_interval(), expected)
    assert clone(fitted).get_params()["lookback"] == change.get("lookback", 5)


def test_the_same_question_is_answered_from_memory_until_rows_come_in(monkeypatch):
    fitted = ridge().fit(WALK[:190])
    before = fitted.predict_interval()
    rolls = []
    roll = Forecaster._roll
    monkeypatch.setattr(Forecaster, "_roll", lambda self, *args: rolls.append(1) or roll(self, *args))
    pd.testing.assert_frame_equal(fitted.predict_interval(), before)
    assert len(rolls) == 1
    fitted.update(WALK[190:]).predict_interval()
    assert len(rolls) == 3


def test_gaps_at_many_origins_take_no_more_than_their_windows(monkeypatch):
    from tsrnn import forecasting

    holed = WALK.copy()
    holed.iloc[RNG.choice(np.arange(10, 190), 40, replace=False)] = np.nan
    seen = []
    around = forecasting.around_gaps
    monkeypatch.setattr(forecasting, "around_gaps", lambda *args: seen.append(around(*args)) or seen[-1])
    ridge(missing="interpolate", horizon=2).fit(holed).predict_interval(coverage=0.5)
    short = [len(track.target) for jobs in seen for _, _, track, rows in jobs if len(rows) == 1]
    assert short
    assert max(short) <= 200
    assert sorted(short)[: len(short) // 2] == [5] * (len(short) // 2)


@pytest.mark.parametrize("options", [{}, {"strategy": "recursive"}, {"anchor": "mean"}, {"lookback": 30}])
def test_forecasts_at_gaps_are_those_of_a_series_that_ends_there(options):
    holed = WALK.copy()
    holed.iloc[[*range(3), 60, 61, 62, 63, 64, 65, 66, 100, 102, 150]] = np.nan
    fitted = ridge(missing="interpolate", horizon=3, **options).fit(holed)
    origins = np.arange(55, 180)
    found = fitted.predict_origins(holed, origins=origins)
    for number, origin in enumerate(origins):
        alone = fitted.predict_origins(holed[: origin + 1], origins=[origin])[0]
        np.testing.assert_allclose(found[number], alone, rtol=1e-9)


def test_the_mean_anchor_leaves_out_the_windows_with_gaps_alone():
    holed = WALK.copy()
    holed.iloc[[0, 20]] = np.nan
    fitted = ridge(anchor="mean", missing="drop").fit(holed)
    assert np.isfinite(fitted.predict()).all()
    assert fitted.n_dropped_ == 1 + min(20, 5) + 12


def test_any_regressor_with_a_deviation_tells_of_several_steps():
    fitted = Forecaster(BayesianRidge(), lookback=5, horizon=3).fit(WALK)
    bounds = fitted.predict_interval(method="gaussian")
    assert (bounds["lower"] < bounds["upper"]).all()
    alone = Forecaster(BayesianRidge(), lookback=5, horizon=1).fit(WALK).predict_interval(method="gaussian")
    np.testing.assert_allclose(np.ptp(bounds.iloc[0]), np.ptp(alone.iloc[0]), rtol=0.2)


def test_a_transformer_that_falls_turns_nothing_round():
    falling = FunctionTransformer(np.negative, np.negative, check_inverse=False)
    plain, turned = (
        Forecaster(BayesianRidge(), lookback=5, horizon=3, target_transformer=transformer)
        .fit(WALK)
        .predict_interval(method="gaussian")
        for transformer in (None, falling)
    )
    np.testing.assert_allclose(turned, plain, rtol=1e-6)


def test_the_parameter_that_is_too_extreme_is_named():
    with pytest.raises(ValueError, match=r"the quantile 0\.001 needs at least 999 residuals"):
        ridge().fit(WALK).predict_quantiles(quantiles=(0.001, 0.5))


def test_strides_as_numpy_writes_them():
    hours = pd.Series(RNG.normal(size=300), index=pd.date_range("2024-01-01", periods=300, freq="h"))
    one, two = (ridge(stride=stride).fit(hours).predict() for stride in ("24h", np.timedelta64(1, "D")))
    pd.testing.assert_series_equal(one, two)
