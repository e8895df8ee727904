"""What the tables of bad input and of faults share: the world before and after, and cases by their row."""

import contextlib
import os
import random
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import sklearn


def global_state():
    from keras import config

    kind, keys, *rest = np.random.get_state()  # noqa: NPY002
    return {
        "random": random.getstate(),
        "numpy.random": (kind, keys.tobytes(), rest),
        "numpy's handling of errors": np.geterr(),
        "warnings": list(warnings.filters),
        "environment": {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"},
        "keras": (config.floatx(), config.dtype_policy().name, config.image_data_format()),
        "scikit-learn": sklearn.get_config(),
        "working directory": Path.cwd(),
        "files": sorted(Path.cwd().rglob("*")),
    }


@contextlib.contextmanager
def same_world():
    """Assert that what is done inside leaves no trace in the process, its environment or the working directory."""
    before = global_state()
    yield
    after = global_state()
    assert [name for name in before if before[name] != after[name]] == []


def name_of(case):
    return f"{case[0]:02} {case[1]}".replace(" ", "_")


def rows(cases):
    """Return cases, each of which begins with the number of its row and some words, as parameters by that name."""
    repeated = [name for name, count in Counter(map(name_of, cases)).items() if count > 1]
    assert repeated == []
    return [pytest.param(case, id=name_of(case), marks=pytest.mark.bad_input(case[0])) for case in cases]
