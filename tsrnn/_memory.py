"""What a network takes of memory: estimated before it is taken, and told in numbers where it was not there.

Imported, with TensorFlow behind it, at the first fit or predict only.
"""

import contextlib
from collections.abc import Iterator

from tsrnn._backend import tf
from tsrnn._validation import check_memory
from tsrnn.networks import Architecture

__all__ = ["bytes_of_a_step", "memory_told"]

GATES = {"SimpleRNN": 1, "LSTM": 4, "GRU": 3}
REMEDY = "Lower `batch_size`, `hidden_size`, or the windows' length."


def bytes_of_a_step(architecture: Architecture, batch: int, *, trains: bool) -> int:
    """Return the bytes that a prediction of a batch of windows, or a training step on it, takes at least.

    Counted are, in float32, the windows and the weights of the recurrent layers; to train, also the gates and states of
    every step between two cuts of `truncation`, which the gradient needs, and three more times the weights: those that
    they begin with, the gradient, and what the optimizer keeps. Of a network of the user's own only the windows are
    known.
    """
    a = architecture
    windows = batch * a.lookback * a.n_features
    if a.build_network is not None:
        return 4 * windows
    gates = GATES[a.cell]
    steps = min(a.n_segments, a.truncation or a.n_segments)
    states = batch * steps * a.n_layers * a.width * (gates + 1)
    as_they_are = a.convolution is None and a.segment_length == 1
    inputs = a.n_features * as_they_are + (a.n_layers - 1) * a.width
    weights = gates * a.width * (inputs + a.n_layers * a.hidden_size)
    return 4 * (windows + states + 4 * weights if trains else windows + weights)


@contextlib.contextmanager
def memory_told(architecture: Architecture, batch: int, *, trains: bool = False) -> Iterator[None]:
    """Raise a MemoryError with an estimate for what the machine cannot hold, and where TensorFlow runs out of memory.

    The first is found before anything is taken: a system that lends more memory than it has ends the process later.
    """
    own = architecture.build_network is not None
    owner = "a network of one's own" if own else f"{architecture.cell} of {architecture.hidden_size} units"
    n_bytes = bytes_of_a_step(architecture, batch, trains=trains)
    sizes = f"a batch of {batch} windows of {architecture.lookback} steps and {architecture.n_features} features"
    check_memory(owner, n_bytes, sizes, REMEDY)
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise MemoryError(
            f"{owner}: TensorFlow ran out of memory; {sizes} takes at least {n_bytes / 2**30:.3g} GiB. {REMEDY}"
        ) from error
