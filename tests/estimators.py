"""Estimators small enough for tests, and the comparison of two fits."""

import numpy as np

from tsrnn import SimpleRNNRegressor


def make(estimator=SimpleRNNRegressor, **values):
    """Return a new estimator, small, quick and without compilation unless `values` say otherwise."""
    return estimator(
        **{"hidden_size": 3, "epochs": 2, "batch_size": 16, "random_state": 0, "jit_compile": False, **values}
    )


def same(one, other):
    """Return whether the weights of two fits are equal to the bit."""
    pairs = [(a, b) for m, n in zip(one.weights_, other.weights_, strict=True) for a, b in zip(m, n, strict=True)]
    return all(a.tobytes() == b.tobytes() for a, b in pairs)


def assert_close(one, other, atol=1e-6):
    """Assert that two lists of arrays are equal to within `atol`."""
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=atol)


class Foreign:
    """The container of a library that numpy can read and do nothing else with."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype=dtype)

    def __array_function__(self, *_):
        raise TypeError("not an array")
