"""Differences of a series, and their sums."""

import numpy as np
import pandas as pd
import pytest

from tsrnn import Differencer, InvalidParameterError


@pytest.mark.parametrize("lag", [1, 3, 50])
def test_differences_and_back(lag):
    rows = np.random.default_rng(0).normal(size=(40, 2))
    differencer = Differencer(lag).fit(rows)
    differences = differencer.transform(rows)
    np.testing.assert_array_equal(differences[:lag], rows[:lag])
    np.testing.assert_array_equal(differences[lag:], rows[lag:] - rows[:-lag] if lag < 40 else rows[lag:])
    np.testing.assert_allclose(differencer.inverse_transform(differences), rows)


def test_differences_of_a_frame_keep_its_names():
    frame = pd.DataFrame({"a": [1.0, 2.0, 4.0], "b": [0.0, 5.0, 5.0]})
    out = Differencer().set_output(transform="pandas").fit_transform(frame)
    assert out["a"].tolist() == [1, 1, 2]
    assert out["b"].tolist() == [0, 5, 0]
    with pytest.raises(InvalidParameterError, match="`lag` must be an integer >= 1; got 0"):
        Differencer(0).fit(frame)
