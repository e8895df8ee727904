"""Folds: what else has rows, and every refusal in full."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from tsrnn import InvalidParameterError, WalkForwardSplit

DAYS = pd.Series(0.0, index=pd.date_range("2024-01-01", periods=9, freq="D"))


def test_sparse_rows_are_counted():
    cv = WalkForwardSplit(2, test_size=1)
    found = [(train.tolist(), test.tolist()) for train, test in cv.split(sparse.csr_array(np.eye(4)))]
    assert found == [([0, 1], [2]), ([0, 1, 2], [3])]


def message_of(cv, *data):
    with pytest.raises(ValueError, match="WalkForwardSplit") as error:
        cv.split(*data)
    return str(error.value)


def test_too_few_rows_in_full():
    assert message_of(WalkForwardSplit(gap=3), range(3)) == (
        "WalkForwardSplit: 3 rows leave no training row before a test block with "
        "test_size=n_rows // (n_splits + 1) and gap=3. Pass more rows, or lower `test_size` or `gap`."
    )
    assert message_of(WalkForwardSplit(2, test_size="3D", stride=1), DAYS[:3]) == (
        "WalkForwardSplit: 3 rows leave no training row before a test block with "
        "stride=1, test_size='3D' and gap=0. Pass more rows, or lower `test_size` or `gap`."
    )


def test_an_offset_without_stamps_in_full():
    assert message_of(WalkForwardSplit(2, test_size="2D"), range(9)) == (
        "WalkForwardSplit: `test_size` must be an integer >= 1, as neither X nor y has a DatetimeIndex or "
        "PeriodIndex; got '2D'. Give the rows their stamps, e.g. with `X.set_index(...)`."
    )


def test_wrong_numbers_of_folds_in_full():
    with pytest.raises(InvalidParameterError, match=r"^WalkForwardSplit: `n_splits` must be an integer >= 1; got 0\.$"):
        WalkForwardSplit(0).get_n_splits()
    with pytest.raises(
        InvalidParameterError, match=r"^WalkForwardSplit: `n_splits` must be an integer >= 1; got -1\.$"
    ):
        WalkForwardSplit(-1).split(range(9))


def test_a_missing_size_in_full():
    assert message_of(WalkForwardSplit(None), range(9)) == (
        "WalkForwardSplit: `test_size` must be given with n_splits=None; got None."
    )


@pytest.mark.parametrize(("parameter", "least"), [("gap", 0), ("stride", 1), ("test_size", 1), ("max_train_size", 1)])
def test_wrong_sizes_in_full(parameter, least):
    start = f"WalkForwardSplit: `{parameter}` must be an integer >= {least}"
    sizes = {"test_size": 2} | {parameter: "-7D"}
    assert message_of(WalkForwardSplit(2, **sizes), DAYS) == f"{start} or an offset such as '7D'; got '-7D'."
    sizes[parameter] = least - 1
    assert message_of(WalkForwardSplit(2, **sizes), DAYS) == f"{start}; got {least - 1}."
    sizes[parameter] = "7 of them"
    words = message_of(WalkForwardSplit(2, **sizes), DAYS)
    assert words.startswith(f"{start} or an offset such as '7D'; got '7 of them'. pandas says: Invalid frequency: 7 of")


def test_nothing_to_split_in_full():
    with pytest.raises(
        ValueError, match=r"^WalkForwardSplit: X must be array-like of shape \(n_rows, \.\.\.\); got None\.$"
    ):
        WalkForwardSplit(2).split(None)
