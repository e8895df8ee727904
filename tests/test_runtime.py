"""What TensorFlow and Keras share within a process: here the threads; forks and globals are in test_programs.py."""

from types import SimpleNamespace

import pytest

from tsrnn import _runtime


class Pools:
    """TensorFlow's settings of threads; they are fixed once it has begun to work."""

    def __init__(self, begun=False, intra=0):
        self.begun, self.intra, self.inter = begun, intra, 0

    def get_intra_op_parallelism_threads(self):
        return self.intra

    def set_intra_op_parallelism_threads(self, count):
        if self.begun:
            raise RuntimeError("Intra op parallelism cannot be modified after initialization.")
        self.intra = count

    def set_inter_op_parallelism_threads(self, count):
        self.inter = count


CASES = {
    "a worker's share": ({"OMP_NUM_THREADS": "3"}, Pools(), (3, 3)),
    "no share": ({}, Pools(), (0, 0)),
    "no number": ({"OMP_NUM_THREADS": "4,2"}, Pools(), (0, 0)),
    "none at all": ({"OMP_NUM_THREADS": "0"}, Pools(), (0, 0)),
    "set for TensorFlow": ({"OMP_NUM_THREADS": "3", "TF_NUM_INTRAOP_THREADS": "2"}, Pools(), (0, 0)),
    "set by a call": ({"OMP_NUM_THREADS": "3"}, Pools(intra=5), (5, 0)),
    "already at work": ({"OMP_NUM_THREADS": "3"}, Pools(begun=True), (0, 0)),
}


@pytest.mark.parametrize("case", CASES)
def test_tensorflow_takes_the_threads_of_the_others(case, monkeypatch):
    environment, pools, expected = CASES[case]
    monkeypatch.setattr(_runtime, "tf", SimpleNamespace(config=SimpleNamespace(threading=pools)))
    monkeypatch.setattr(_runtime.os, "environ", environment)
    _runtime.cap_threads()
    assert (pools.intra, pools.inter) == expected
