"""Networks beyond the memory: refused by an estimate before anything is taken, and told in numbers afterwards."""

import math
import tracemalloc

import numpy as np
import pytest
from estimators import make, same

from tsrnn import GRURegressor, LSTMRegressor, _validation, make_windows, programs
from tsrnn._memory import bytes_of_a_step, memory_told
from tsrnn._weight_shapes import weight_shapes
from tsrnn.networks import Architecture

pytestmark = pytest.mark.usefixtures("own_caches")

tf = pytest.importorskip("tensorflow")

X, Y = make_windows(np.sin(np.arange(40, dtype=np.float32)), lookback=4)
Y = Y[:, 0]
PLAIN = {"lookback": 6, "n_features": 5, "n_outputs": 3, "hidden_size": 4}
MEGABYTE = 2**20


def out_of_memory(*_, **__):
    raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor with shape[16,4,3]")


# --- on the GPU, or wherever TensorFlow finds no more ---


@pytest.mark.fault("F10")
@pytest.mark.parametrize("where", ["epoch", "predict", "build", "influence"])
def test_what_tensorflow_finds_too_much_is_a_memory_error_with_sizes(where, monkeypatch):
    model = make(GRURegressor).fit(X, Y)
    before, predicted = model.weights_, model.predict(X)
    program = next(iter(programs._programs._entries.values()))
    with monkeypatch.context() as patch:
        if where == "epoch":
            patch.setattr(program, "epoch", out_of_memory)
        elif where == "build":
            patch.setattr(programs.networks, "build", out_of_memory)
        else:
            patch.setattr(programs.Network, where, out_of_memory)
        batch = {"predict": 8, "influence": 256, "build": 1}.get(where, 16)
        sizes = f"a batch of {batch} windows of 4 steps and 1 features takes at least .* GiB"
        words = (
            f"^GRU of {5 if where == 'build' else 3} units: TensorFlow ran out of memory; {sizes}. Lower `batch_size`"
        )
        with pytest.raises(MemoryError, match=words) as caught:
            {
                "epoch": lambda: model.fit(X, 2 * Y),
                "build": lambda: model.set_params(hidden_size=5).fit(X, Y),
                "predict": lambda: model.predict(X),
                "influence": lambda: model.influence(X),
            }[where]()
    assert isinstance(caught.value.__cause__, tf.errors.ResourceExhaustedError)
    assert model.weights_ is before
    model.set_params(hidden_size=3)
    np.testing.assert_array_equal(model.predict(X), predicted)
    assert same(make(GRURegressor).fit(X, Y), model)  # the next fit is as the one before, in the same program


@pytest.mark.fault("F10")
def test_other_errors_pass():
    with pytest.raises(ZeroDivisionError), memory_told(Architecture("GRU", **PLAIN), 8):
        raise ZeroDivisionError


# --- on the host ---


@pytest.mark.fault("F11")
@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"hidden_size": 10**7},
            r"^LSTM of 10000000 units: a batch of 1 windows of .* would take \d+\.\d GiB; the mach",
        ),
        (
            {"batch_size": 10**12},
            r"^LSTM of 3 units: a batch of 1000000000000 windows of .* would take \d+",
        ),
    ],
    ids=["units", "batch"],
)
def test_a_network_beyond_the_machine_is_refused_before_it_is_made(values, words):
    model = make(LSTMRegressor).fit(X, Y)
    predicted, networks = model.predict(X), len(programs._networks)
    tracemalloc.start()
    try:
        with pytest.raises(MemoryError, match=words + ".*Lower `batch_size`, `hidden_size`"):
            model.set_params(**values).fit(X, Y)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MEGABYTE
    assert len(programs._networks) == networks
    np.testing.assert_array_equal(model.predict(X), predicted)


@pytest.mark.fault("F11")
def test_the_estimate_is_compared_with_the_machine(monkeypatch):
    architecture = Architecture("GRU", **PLAIN)
    needed = bytes_of_a_step(architecture, 32, trains=True)
    for pages, fits in ((needed, True), (needed - 1, False)):
        monkeypatch.setattr(_validation.os, "sysconf", {"SC_PAGE_SIZE": 1, "SC_PHYS_PAGES": pages}.get)
        if fits:
            with memory_told(architecture, 32, trains=True):
                continue
        with pytest.raises(MemoryError), memory_told(architecture, 32, trains=True):
            pytest.fail("it went on")


VARIANTS = [
    {"n_layers": 3, "bidirectional": True},
    {"convolution": (2, 2)},
    {"segment_length": 3, "n_layers": 2},
    {"truncation": 2},
    {"cell_options": {"use_bias": False}},
]


@pytest.mark.fault("F11")
@pytest.mark.parametrize("cell", ["SimpleRNN", "LSTM", "GRU"])
@pytest.mark.parametrize("variant", [{}, *VARIANTS], ids=lambda variant: " ".join(variant) or "plain")
def test_the_estimate_is_no_more_than_there_is_and_no_less_than_half(cell, variant):
    architecture = Architecture(cell, **{**PLAIN, "hidden_size": 16, **variant})
    weights = 4 * sum(math.prod(shape) for shape in weight_shapes(vars(architecture)))
    windows = 4 * 8 * 6 * 5
    assert windows + weights / 2 < bytes_of_a_step(architecture, 8, trains=False) <= windows + weights
    more = bytes_of_a_step(architecture, 8, trains=True) - bytes_of_a_step(architecture, 8, trains=False)
    states = 4 * 8 * architecture.n_segments * architecture.n_layers * architecture.width
    assert more > 3 * weights / 2 + states


def test_of_a_network_of_ones_own_the_windows_are_known():
    architecture = Architecture("GRU", **PLAIN, build_network=len)
    assert bytes_of_a_step(architecture, 8, trains=True) == 4 * 8 * 6 * 5
    with pytest.raises(MemoryError, match=r"^a network of one's own: a batch of .* would take"):
        memory_told(architecture, 2**60).__enter__()


def test_truncation_needs_what_lies_between_two_cuts():
    whole, cut, other = (
        bytes_of_a_step(Architecture("LSTM", **{**PLAIN, "lookback": 600}, truncation=steps), 8, trains=True)
        for steps in (None, 30, 60)
    )
    assert whole - cut == 19 * (other - cut)
