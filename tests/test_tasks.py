"""Small versions of the tasks that one architecture learns and another cannot; at size in `benchmarks.tasks`."""

import dataclasses

import numpy as np
import pytest

from benchmarks.tasks import TASKS, is_solved, score_of

pytestmark = pytest.mark.slow

SMALL = {
    "adding, 100 steps": ({"steps": 30}, 1000, 25),
    "delay of 10 steps": ({"steps": 16, "lag": 5}, 1000, 30),
    "parity": ({"steps": 12}, 1000, 25),
    "palindrome": ({"steps": 10}, 1000, 25),
    "marked value": ({"steps": 60}, 1500, 10),
    "motif in noise": ({"steps": 48}, 1500, 10),
    "spikes": ({}, 2000, 40),
}
"""Of each task: the samples' sizes, how many there are to train on, epochs."""
LEFT_OUT = {"LSTM", "GRU, transformer"}
"""These solve their task as well, at twice the time."""


@pytest.mark.parametrize("name", TASKS)
def test_the_first_variant_solves_the_task_and_the_one_that_lacks_something_does_not(name):
    sizes, n_train, epochs = SMALL[name]
    task = dataclasses.replace(TASKS[name], sizes=sizes)
    variants = [variant for variant in task.variants if variant not in LEFT_OUT]
    scores = {
        v: score_of(task, v, n_train, 500, epochs=epochs, jit_compile=False)[0] for v in (variants[0], variants[-1])
    }
    first, last = scores.values()
    assert is_solved(task, first), scores
    assert np.isnan(last) or not is_solved(task, last), scores
