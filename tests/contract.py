"""scikit-learn's contract, whole: every check on every kind of estimator, and a table of what ran.

python tests/contract.py [NAME ...]

A check that scikit-learn would skip counts as failed, so that nothing passes by not running.
"""

import math
import os
import sys
import time
import warnings
import zlib
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

if __name__ == "__main__":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # scikit-learn skips check_array_api_input unless this is set before scipy is imported.
    os.environ["SCIPY_ARRAY_API"] = "1"

import numpy as np
import pandas as pd
from contract_extras import EXTRAS
from sklearn.exceptions import SkipTestWarning
from sklearn.linear_model import Ridge
from sklearn.utils import estimator_checks

import tsrnn
from tsrnn import CalendarFeatures, GRURegressor, SimpleRNNRegressor


class SegmentedRegressor(GRURegressor):
    """A GRURegressor with `segment_length`, or the part of it that divides the checks' windows of odd lengths."""

    def _network_values(self, windows: Any) -> Any:
        asked = self.segment_length
        self.segment_length = math.gcd(asked, windows.lookback)
        try:
            return super()._network_values(windows)
        finally:
            self.segment_length = asked


class StampedCalendar(CalendarFeatures):
    """CalendarFeatures, which read an index only, of arrays: equal rows have equal stamps."""

    def fit(self, X, y=None):
        return super().fit(stamped(self, X), y)

    def transform(self, X):
        return super().transform(stamped(self, X))


def stamped(owner, X):
    if isinstance(X, pd.DataFrame):
        return X
    rows = estimator_checks._enforce_estimator_tags_X(owner, np.asarray(X, dtype=np.float64))
    hours = [zlib.crc32(np.ascontiguousarray(row)) % 20_000 for row in rows]
    return pd.DataFrame(rows, index=pd.Timestamp("2024-01-01") + pd.to_timedelta(hours, unit="h"))


# Small, without compilation, and such that the order in which a batch is summed stays below the 1e-7 that
# scikit-learn grants to weights instead of repetitions, by half or more: batches hold all of the 27 samples of that
# check in one, few steps are taken, and where the cells do not contract, members average the rounding out.
ADAM = {"hidden_size": 8, "batch_size": 28, "jit_compile": False, "random_state": 0}
SGD = {**ADAM, "optimizer": "sgd"}
SIMPLE = {**SGD, "hidden_size": 16, "learning_rate": 0.1, "epochs": 2, "n_members": 12}
CLASSES = {**SGD, "hidden_size": 4}

PADDING = "A window holds the rows that come before its own, and what the first rows lack is filled."
DIFFERENCES = "A difference is taken to the row before: rows have an order."
SERIES = "Rows are steps in time: their order is what is learnt."
COVARIATE = "One axis is one covariate."
IN_ORDER = {"check_methods_sample_order_invariance": SERIES, "check_methods_subset_invariance": SERIES}
STEPS = {
    "check_fit1d": COVARIATE,
    "check_fit2d_predict1d": COVARIATE,
    "check_regressor_data_not_an_array": "The rows of a DataFrame have their place in time: none of the fit is ahead.",
}
TOO_SHORT = {"check_fit2d_1sample": "The error for one row speaks of steps."}
WITHOUT_INDEX = "Only the index of X is read: what has none, sparse or not, is refused for that."
CALENDAR = {
    "check_estimator_sparse_tag": WITHOUT_INDEX,
    "check_estimator_sparse_array": WITHOUT_INDEX,
    "check_estimator_sparse_matrix": WITHOUT_INDEX,
    "check_transformer_general": "Only the index of X is read: the number of its columns does not matter.",
    "check_transformer_preserve_dtypes": "The result is a DataFrame, which has one type for each column.",
}
RULE = {"check_regressors_train": "The rule does not read the covariates that the check predicts from."}
ITERATIONS = {
    "check_non_transformer_estimators_n_iter": "`max_iter` bounds one search for each target: no single count."
}


@dataclass
class Case:
    """An estimator, the checks it must fail and why, and the number of scikit-learn's checks that must run."""

    estimator: Any
    least: int
    expected: dict[str, str] = field(default_factory=dict)


def _networks() -> dict[str, Case]:
    lstm, gru, simple = tsrnn.LSTMRegressor, GRURegressor, SimpleRNNRegressor
    both, few = {"bidirectional": True}, {**CLASSES, "hidden_size": 2}
    regressors = {
        "SimpleRNNRegressor": simple(**SIMPLE),
        "SimpleRNNRegressor, bidirectional": simple(**{**SIMPLE, "hidden_size": 8, "n_members": 8}, **both),
        "LSTMRegressor": lstm(**ADAM, learning_rate=0.05, epochs=14),
        "LSTMRegressor, bidirectional": lstm(
            **{**ADAM, "hidden_size": 16}, learning_rate=0.05, epochs=8, n_members=2, **both
        ),
        "GRURegressor": gru(**ADAM, learning_rate=0.02, epochs=25),
        "GRURegressor, bidirectional": gru(**ADAM, learning_rate=0.05, epochs=14, n_members=2, **both),
        "GRURegressor, segments": SegmentedRegressor(**ADAM, learning_rate=0.05, epochs=12, segment_length=2),
        "SimpleRNNRegressor, quantiles": simple(**{**SIMPLE, "learning_rate": 0.2, "epochs": 4}, loss="quantile"),
    }
    classifiers = {
        "SimpleRNNClassifier": tsrnn.SimpleRNNClassifier(**few, learning_rate=0.3, epochs=4, n_members=12),
        "LSTMClassifier": tsrnn.LSTMClassifier(**CLASSES, learning_rate=0.4, epochs=6, n_members=6),
        "GRUClassifier": tsrnn.GRUClassifier(**CLASSES, learning_rate=0.3, epochs=4, n_members=6),
        "GRUClassifier, bidirectional": tsrnn.GRUClassifier(
            **CLASSES, learning_rate=0.3, epochs=4, n_members=6, **both
        ),
    }
    return {name: Case(model, 60) for name, model in regressors.items()} | {
        name: Case(model, 62) for name, model in classifiers.items()
    }


def _others() -> dict[str, Case]:
    order = ("check_methods_sample_order_invariance", "check_methods_subset_invariance")
    window, series = tsrnn.WindowTransformer, {**IN_ORDER, **STEPS, **TOO_SHORT}
    itself = {"check_regressors_no_decision_function": "Its covariate is the series itself, which is refused."}
    return {
        "WindowTransformer": Case(window(3), 47, dict.fromkeys(order, PADDING)),
        "WindowTransformer, no past": Case(window(1), 47),
        "SequenceScaler": Case(tsrnn.SequenceScaler(), 47),
        "Differencer": Case(tsrnn.Differencer(), 46, dict.fromkeys(order, DIFFERENCES)),
        "CalendarFeatures": Case(StampedCalendar(["hour", "weekday"]), 39, CALENDAR),
        "Forecaster": Case(tsrnn.Forecaster(Ridge(), lookback=2, anchor=None), 52, {**series, **itself}),
        "NaiveForecaster": Case(tsrnn.NaiveForecaster(), 52, {**STEPS, **RULE}),
        "SeasonalNaiveForecaster": Case(tsrnn.SeasonalNaiveForecaster(2), 52, {**STEPS, **RULE, **TOO_SHORT}),
        "DriftForecaster": Case(tsrnn.DriftForecaster(), 52, {**series, **RULE}),
        "WindowAverageForecaster": Case(tsrnn.WindowAverageForecaster(3), 52, {**STEPS, **RULE, **TOO_SHORT}),
        "ThetaForecaster": Case(tsrnn.ThetaForecaster(), 52, {**series, **RULE}),
        "ETSForecaster": Case(tsrnn.ETSForecaster(), 52, {**STEPS, **RULE, **TOO_SHORT, **ITERATIONS}),
    }


NETWORKS, OTHERS = _networks(), _others()
CASES = NETWORKS | OTHERS


@dataclass
class Outcome:
    """What became of the checks of one case."""

    ran: int
    passed: int
    xfailed: int
    seconds: float
    cpu_seconds: float
    faults: list[str]

    def row(self, name: str) -> str:
        return f"{name:34} {self.ran:4} {self.passed:6} {self.xfailed:17} {self.seconds:8.1f} {self.cpu_seconds:8.1f}"


def run(case: Case) -> Outcome:
    """Run all checks, scikit-learn's and the extra ones, and list what is not as it must be."""
    began = time.perf_counter(), time.process_time()
    with warnings.catch_warnings(), mock.patch.object(estimator_checks, "get_namespace", numpy_by_one_name):
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", SkipTestWarning)  # a skipped check, or a skipped estimator, is a fault below
        # scikit-learn's check of get_feature_names_out fits on a frame and transforms an array, and the reverse.
        warnings.filterwarnings("ignore", "X (has|does not have valid) feature names", UserWarning)
        return outcome_of(case, began)


def outcome_of(case: Case, began: tuple[float, float]) -> Outcome:
    found = estimator_checks.check_estimator(
        case.estimator, on_skip=None, on_fail=None, expected_failed_checks=case.expected
    )
    faults = [
        f"{each['check_name']}: {each['exception']!r}" for each in found if each["status"] in ("failed", "skipped")
    ]
    xfailed = [each["check_name"] for each in found if each["status"] == "xfail"]
    faults += [f"{name}: expected to fail, but passed" for name in case.expected if name not in xfailed]
    if len(found) < case.least:
        faults.append(f"{len(found)} checks ran, at least {case.least} must")
    extras = [check for check in EXTRAS if check.applies(case.estimator)]
    faults += [fault for check in extras for fault in check.faults(case.estimator)]
    ran = len(found) + len(extras)
    seconds = time.perf_counter() - began[0], time.process_time() - began[1]
    return Outcome(ran, ran - len(xfailed) - len(faults), len(xfailed), *seconds, faults)


_get_namespace = estimator_checks.get_namespace


def numpy_by_one_name(*arrays: Any, **options: Any) -> Any:
    """Return the namespace of arrays: numpy, which is that of `Windows`, under the name that scikit-learn gives it."""
    found, is_array = _get_namespace(*arrays, **options)
    return (_get_namespace(np.zeros(1))[0], is_array) if found is np else (found, is_array)


def main(names: list[str]) -> int:
    unknown = set(names) - set(CASES)
    if unknown:
        raise SystemExit(f"No such case: {sorted(unknown)}. There are {list(CASES)}.")
    print(f"{'':34} {'run':>4} {'passed':>6} {'expected failures':>17} {'seconds':>8} {'of CPU':>8}")
    failed = 0
    for name in names or CASES:
        outcome = run(CASES[name])
        print(outcome.row(name), flush=True)
        for fault in outcome.faults:
            failed += 1
            print(f"    FAILED {fault[:600]}", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
