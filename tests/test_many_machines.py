"""Searches, backtests and comparisons on a Dask cluster of two worker processes, one of which is killed on the way."""

import logging
import os
import signal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from sklearn.linear_model import Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tsrnn import Forecaster, SimpleRNNRegressor, WalkForwardSplit, WindowTransformer, backtest, compare

pytestmark = pytest.mark.slow

SERIES = pd.Series(
    np.sin(np.arange(200) * 0.3) + np.random.default_rng(0).normal(0, 0.1, 200),
    index=pd.date_range("2024-01-01", periods=200, freq="h"),
    name="load",
)
CV = WalkForwardSplit(6, test_size=10)


def network(**options):
    return SimpleRNNRegressor(2, epochs=1, random_state=0, jit_compile=False, **options)


class Mortal(Ridge):
    """Kills the process that fits it, if it is the first one to write into `grave`."""

    def __init__(self, grave=None, alpha=1.0):
        super().__init__(alpha=alpha)
        self.grave = grave

    def fit(self, X, y, sample_weight=None):
        die_once(self.grave)
        return super().fit(X, y, sample_weight)


class MortalNetwork(SimpleRNNRegressor):
    """A network with the same fate: `checkpoint` names the grave."""

    def fit(self, X, y, sample_weight=None):
        die_once(self.checkpoint)
        return super().fit(X, y, sample_weight)


def die_once(grave):
    if grave is None or os.getpid() == int(Path(grave, "parent").read_text()):
        return
    try:
        with Path(grave, "victim").open("x") as file:
            file.write(str(os.getpid()))
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(scope="module")
def client():
    distributed = pytest.importorskip("dask.distributed")
    settings = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0", "silence_logs": logging.CRITICAL}
    with distributed.LocalCluster(**settings) as cluster, distributed.Client(cluster) as client:
        yield client


@pytest.fixture
def grave(tmp_path, client):
    client.wait_for_workers(2, timeout=60)  # the one killed before has a successor; joblib does not wait for it
    (tmp_path / "parent").write_text(str(os.getpid()))
    return tmp_path


def assert_one_was_killed(grave, client):
    victim = int((grave / "victim").read_text())
    assert victim != os.getpid()
    assert victim not in client.run(os.getpid).values()


def threads_of_tensorflow():
    network().fit(np.ones((9, 3, 1)), np.arange(9.0))
    import tensorflow as tf

    pools = tf.config.threading
    return pools.get_intra_op_parallelism_threads(), pools.get_inter_op_parallelism_threads()


def test_workers_take_no_more_threads_than_their_share(client):
    assert set(client.run(threads_of_tensorflow).values()) == {(1, 1)}


@pytest.mark.parametrize("data", [SERIES, {"a": SERIES, "b": SERIES[30:] * 2}], ids=["series", "panel"])
def test_a_backtest_survives_a_worker(client, grave, data):
    def forecasts(estimator, **options):
        forecaster = Forecaster(estimator, lookback=8, horizon=5)
        return backtest(forecaster, data, cv=CV, coverage=0.8, progress=False, **options)

    with parallel_config("dask"):
        found = forecasts(Mortal(str(grave)), n_jobs=2, checkpoint=grave / "kept")
    assert_one_was_killed(grave, client)
    pd.testing.assert_frame_equal(found, forecasts(Ridge()))
    assert len(list((grave / "kept").iterdir())) == CV.n_splits


def test_a_comparison_survives_a_worker(client, grave):
    def scores(estimator, **options):
        models = {
            "ridge": Forecaster(estimator, lookback=8, horizon=5),
            "network": Forecaster(network(), lookback=4, horizon=5),
        }
        return compare(models, SERIES, cv=CV, progress=False, **options).scores.drop(columns="seconds")

    with parallel_config("dask"):
        found = scores(Mortal(str(grave)), n_jobs=2)
    assert_one_was_killed(grave, client)
    pd.testing.assert_frame_equal(found, scores(Ridge()))


OPTIONS = {"epochs": 1, "random_state": 0, "jit_compile": False}
ROWS = SERIES.to_frame()


def search(regressor, cv, **options):
    pipe = make_pipeline(StandardScaler(), WindowTransformer(lookback=4), regressor)
    grid = {f"{pipe.steps[-1][0]}__hidden_size": [2, 3]}
    return GridSearchCV(pipe, grid, cv=cv, **options).fit(ROWS, SERIES)


def assert_same_search(found, whole):
    for name in ("mean_test_score", "std_test_score", "rank_test_score", "split3_test_score"):
        assert found.cv_results_[name].tobytes() == whole.cv_results_[name].tobytes()
    assert found.predict(ROWS).tobytes() == whole.predict(ROWS).tobytes()


@pytest.mark.usefixtures("client")
def test_a_search_on_two_workers_equals_that_in_one_process():
    with parallel_config("dask"):
        found = search(SimpleRNNRegressor(2, **OPTIONS), CV, n_jobs=2)
    assert_same_search(found, search(SimpleRNNRegressor(2, **OPTIONS), CV))


def test_a_search_survives_a_worker(client, grave):
    folds = list(CV.split(ROWS))
    # What joblib is not told to scatter, it gives to a single worker, with which it dies.
    with parallel_config("dask", scatter=[ROWS, SERIES, *(rows for fold in folds for rows in fold)]):
        found = search(MortalNetwork(2, checkpoint=str(grave), **OPTIONS), folds, n_jobs=2)
    assert_one_was_killed(grave, client)
    assert_same_search(found, search(SimpleRNNRegressor(2, **OPTIONS), CV))
