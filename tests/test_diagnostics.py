"""Residual diagnostics: the tests by hand, what they find and what they leave alone."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.diagnostic import het_arch

from tsrnn import InvalidParameterError, NaiveForecaster, WalkForwardSplit, backtest, residual_diagnostics

NOISE = np.random.default_rng(0).normal(size=400)


def autoregressive(noise, factor):
    values = noise.copy()
    for t in range(1, len(values)):
        values[t] += factor * values[t - 1]
    return values


def arch(noise):
    values = noise.copy()
    for t in range(1, len(values)):
        values[t] *= np.sqrt(0.3 + 0.7 * values[t - 1] ** 2)
    return values


def found(residuals, **options):
    """The tests that find something."""
    table = residual_diagnostics(residuals, **options)
    return {test for _, test in table.index[table["p_value"] < 0.05]}


def test_noise_is_left_alone():
    table = residual_diagnostics(NOISE)
    assert table.index.tolist() == [(0, "autocorrelation"), (0, "bias"), (0, "heteroscedasticity")]
    assert list(table.columns) == ["statistic", "p_value", "verdict"]
    assert table["verdict"].tolist() == [f"no {test} found at the level 0.05" for _, test in table.index]


def test_each_fault_is_found():
    assert found(autoregressive(NOISE, 0.3)) == {"autocorrelation"}
    assert found(NOISE + 0.3) == {"bias"}
    assert "heteroscedasticity" in found(arch(NOISE))


def test_ljung_box_by_hand():
    values, n = autoregressive(NOISE, 0.2), 400
    centred = values - values.mean()
    correlations = [centred[k:] @ centred[: n - k] / (centred @ centred) for k in (1, 2, 3)]
    statistic = n * (n + 2) * sum(r**2 / (n - k) for k, r in enumerate(correlations, start=1))
    row = residual_diagnostics(values, n_lags=3).loc[(0, "autocorrelation")]
    assert row["statistic"] == pytest.approx(statistic, rel=1e-9)
    assert row["p_value"] == pytest.approx(stats.chi2.sf(statistic, 3), rel=1e-9)


def test_the_bias_allows_for_autocorrelation():
    # Newey and West's variance of the mean by hand, with 5 lags: int(4 * (400 / 100) ** (2 / 9)).
    values, n = autoregressive(NOISE, 0.8), 400
    centred = values - values.mean()
    variance = sum((1 if k == 0 else 2) * (1 - k / 6) * (centred[k:] @ centred[: n - k]) for k in range(6))
    row = residual_diagnostics(values).loc[(0, "bias")]
    assert row["statistic"] == pytest.approx(values.mean() / np.sqrt(variance / n**2), rel=1e-9)
    assert abs(row["statistic"]) < abs(stats.ttest_1samp(values, 0).statistic) / 1.5
    assert row["p_value"] == pytest.approx(2 * stats.t.sf(abs(row["statistic"]), n - 1), rel=1e-9)
    longer = residual_diagnostics(values, step=12).loc[(0, "bias")]
    assert abs(longer["statistic"]) < abs(row["statistic"])


def test_engles_test_is_that_of_statsmodels():
    values = arch(NOISE) + 3.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some versions announce that they will return something else
        expected = het_arch(values - values.mean(), nlags=4)[:2]
    row = residual_diagnostics(values, n_lags=4).loc[(0, "heteroscedasticity")]
    np.testing.assert_allclose(row[["statistic", "p_value"]].astype(float), expected, rtol=1e-7)
    row = residual_diagnostics(np.tile([1.0, -1, -1, 1], 10)).loc[(0, "heteroscedasticity")]
    assert row["p_value"] == 1  # squares that are all the same


def test_bias_is_told_in_the_unit_of_the_series():
    assert residual_diagnostics(NOISE - 100)["verdict"].loc[0, "bias"] == "biased: the truth is lower by 100 on average"


def test_false_alarms_are_as_rare_as_the_level_says():
    draws = np.random.default_rng(1).normal(size=(200, 300))
    alarms = residual_diagnostics(draws)["p_value"] < 0.05
    assert alarms.groupby("test").mean().between(0.01, 0.09).all()


def test_a_table_of_backtest():
    values = pd.DataFrame({"a": NOISE[:200].cumsum(), "b": np.arange(200.0) + NOISE[200:]})
    table = backtest(NaiveForecaster(), values, cv=WalkForwardSplit(40, test_size=4), refit=False, progress=False)
    for step in (1, 3):
        result = residual_diagnostics(table, step=step)
        origins = table["origin"].unique()
        by_hand = {name: (values[name].shift(-step) - values[name])[origins].to_numpy() for name in values}
        pd.testing.assert_frame_equal(result, residual_diagnostics(pd.DataFrame(by_hand), step=step))
    assert residual_diagnostics(table).loc[("b", "bias"), "verdict"].startswith("biased: the truth is higher by 1")


def test_what_is_refused():
    for name, wrong in {"step": 0, "n_lags": 0, "level": 1}.items():
        with pytest.raises(InvalidParameterError, match=rf"^residual_diagnostics: `{name}` must be"):
            residual_diagnostics(NOISE, **{name: wrong})
    with pytest.raises(
        ValueError, match=r"series 0 has 21 residuals; n_lags=10 needs at least 22\. Forecast from more"
    ):
        residual_diagnostics(NOISE[:21])
    assert len(residual_diagnostics(NOISE[:22])) == 3
    with pytest.raises(ValueError, match=r"the residuals of series 0 are constant, 0\.1: there is nothing to test"):
        residual_diagnostics(np.full(50, 0.1))
    with pytest.raises(ValueError, match=r"Input residuals contains NaN"):
        residual_diagnostics(np.append(NOISE, np.nan))
    table = backtest(NaiveForecaster(), NOISE, cv=WalkForwardSplit(30, test_size=2), refit=False, progress=False)
    with pytest.raises(ValueError, match=r"the table has no step 3; its steps go from 1 to 2\."):
        residual_diagnostics(table, step=3)
