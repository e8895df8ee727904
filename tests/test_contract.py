"""scikit-learn's contract: `make contract` runs all of tests/contract.py, the tests the plain kinds of each class."""

import subprocess
import sys
from pathlib import Path

import contract_extras as extras
import numpy as np
import pytest
from contract import NETWORKS, OTHERS, Case, run
from estimators import make
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.linear_model import LinearRegression, Ridge

OFTEN = ["SimpleRNNRegressor", "LSTMRegressor", "GRUClassifier"]
"""A case of each cell and each kind; `make contract` runs the others."""


def run_apart(*names):
    """Run cases in a process of their own, with what scikit-learn wants to be set before scipy is imported."""
    command = [sys.executable, str(Path(__file__).with_name("contract.py")), *names]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)


def assert_passes(*names):
    done = run_apart(*names)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = done.stdout.splitlines()[1:]
    assert len(rows) == len(names), done.stdout
    assert all(row.startswith(name) for row, name in zip(rows, names, strict=True))


@pytest.mark.slow
def test_all_checks_of_transformers_and_forecasters():
    assert_passes(*OTHERS)


@pytest.mark.slow
@pytest.mark.parametrize("name", OFTEN)
def test_all_checks_of_networks(name):
    assert_passes(name)


def test_every_cell_and_kind_is_among_the_cases():
    assert set(OFTEN) <= set(NETWORKS)
    assert not any(case.expected for case in NETWORKS.values())
    assert len(OTHERS["WindowTransformer"].expected) == 2
    models = [case.estimator for case in NETWORKS.values()]
    assert {type(model)._cell for model in models if model.bidirectional} == {"SimpleRNN", "LSTM", "GRU"}
    assert any(model.segment_length > 1 for model in models)
    assert any(getattr(model, "loss", None) == "quantile" for model in models)


LIGHT = """
import sys, tsrnn
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.utils import get_tags

inner = {"Forecaster": Ridge, "ForecastAnomalyDetector": tsrnn.NaiveForecaster}
names = [name for name in tsrnn.__all__ if hasattr(getattr(tsrnn, name), "get_params")]
for name in names:
    made = getattr(tsrnn, name)(*[inner[name]()] if name in inner else [])
    copied = clone(made).set_params(**made.get_params())
    assert repr(copied) == repr(made) and name in repr(made), name
    assert name in made._repr_html_() and {"fit", "get_params"} <= set(dir(made))
    get_tags(made)
print(len(names), sorted({"keras", "tensorflow", "statsmodels"} & set(sys.modules)))
"""


def test_an_estimator_that_is_only_made_and_shown_loads_no_tensorflow():
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=True)
    count, loaded = done.stdout.split(maxsplit=1)
    assert int(count) >= 20
    assert loaded.strip() == "[]"


def test_a_display_builds_no_network(monkeypatch):
    model = make().fit(extras.X, extras.NUMBERS)

    def refuse(*_):
        raise AssertionError("a network is built")

    monkeypatch.setattr(type(model), "_keras_model", refuse)
    with pytest.raises(AssertionError, match="a network is built"):
        _ = model.model_
    assert "weights_" in dir(model)
    assert "weights_" in model._repr_html_()
    assert "model_" not in dir(model)


# --- what the contract must notice ---


class Toy(RegressorMixin, BaseEstimator):
    """A line, with the parameter that the search of the contract walks over."""

    def __init__(self, hidden_size=1):
        self.hidden_size = hidden_size

    def fit(self, X, y, sample_weight=None):
        self.line_ = LinearRegression().fit(X, y, self.weights(sample_weight))
        return self

    def weights(self, given):
        return given

    def predict(self, X):
        return self.line_.predict(X)


class Weightless(Toy):
    def weights(self, given):  # noqa: ARG002
        return None


class Constant(Toy):
    def predict(self, X):
        return np.zeros(len(X))


class Unchecked(Toy):
    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags._skip_test = True
        return tags


class Careless(Toy):
    def __dir__(self):
        return [name for name in object.__dir__(self) if getattr(self, name) is not None]

    @property
    def _median(self):
        raise ValueError("nothing of nothing")


def test_weights_that_are_lost_are_noticed():
    pipeline = extras.check_weights_reach_the_last_step_of_a_pipeline
    search = extras.check_weights_reach_every_fit_and_score_of_a_search
    for check in (pipeline, search):
        check("Toy", Toy())
    with pytest.raises(AssertionError):
        pipeline("Toy", Weightless())


def test_weights_that_a_search_does_not_pass_on_are_noticed(monkeypatch):
    search = extras.check_weights_reach_every_fit_and_score_of_a_search

    class Forgetful(extras.GridSearchCV):
        def fit(self, X, y, sample_weight=None):  # noqa: ARG002
            return super().fit(X, y)

    monkeypatch.setattr(extras, "GridSearchCV", Forgetful)
    with pytest.raises(AssertionError):
        search("Toy", Toy())


def test_constant_predictions_and_displays_that_fail_are_noticed():
    extras.check_predictions_vary("Toy", Toy())
    extras.check_html("Toy", Toy())
    with pytest.raises(AssertionError):
        extras.check_predictions_vary("Constant", Constant())
    with pytest.raises(ValueError, match="nothing of nothing"):
        extras.check_html("Careless", Careless())


def test_checks_that_do_not_run_are_noticed():
    assert "1 checks ran, at least 46 must" in run(Case(Unchecked(), 46)).faults


def test_an_expected_failure_that_passes_is_noticed():
    outcome = run(Case(Ridge(), 40, {"check_estimator_repr": "There is no reason."}))
    assert "check_estimator_repr: expected to fail, but passed" in outcome.faults
    assert not any("check_fit1d" in fault for fault in outcome.faults)
