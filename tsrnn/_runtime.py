"""What TensorFlow and Keras share within a process: their threads, devices, types, and what a fork leaves of them."""

import contextlib
import functools
import os
import random
import threading
from collections.abc import Iterator

from tsrnn._backend import keras, tf

_process = os.getpid()
_globals_lock = threading.RLock()


def cap_threads() -> None:
    """Let TensorFlow have as many threads as the other libraries of this process have.

    joblib's and Dask's workers find their share of the cores in OMP_NUM_THREADS, of which TensorFlow takes no notice:
    each worker would begin as many threads as the machine has cores. What the user has set for TensorFlow stays.
    """
    share, pools = os.environ.get("OMP_NUM_THREADS", ""), tf.config.threading
    named = {"TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"} & set(os.environ)
    if not share.isdigit() or share == "0" or named or pools.get_intra_op_parallelism_threads():
        return
    with contextlib.suppress(RuntimeError):  # the user has already begun to use it
        pools.set_intra_op_parallelism_threads(int(share))
        pools.set_inter_op_parallelism_threads(int(share))


def check_process() -> None:
    """Raise in a forked child, in which TensorFlow's threads are missing and the next call would hang."""
    if os.getpid() != _process:
        raise RuntimeError(
            "tsrnn: this process was forked from one that had already used TensorFlow, and would hang. "
            'Use joblib\'s default "loky", or multiprocessing with the start method "spawn".'
        )


@contextlib.contextmanager
def own_globals() -> Iterator[None]:
    """Build with Python's random generator and Keras' types in a known state; put the user's back after."""
    with _globals_lock:  # two threads at once would put back each other's
        state, policy, floatx = random.getstate(), keras.config.dtype_policy(), keras.config.floatx()
        random.seed(0)
        keras.config.set_floatx("float32")
        keras.config.set_dtype_policy("float32")
        try:
            yield
        finally:
            random.setstate(state)
            keras.config.set_floatx(floatx)
            keras.config.set_dtype_policy(policy)


@functools.cache
def has_gpu() -> bool:
    """Return whether TensorFlow sees a GPU; its memory is then taken as needed, not all at once."""
    devices = tf.config.list_physical_devices("GPU")
    for device in devices:  # pragma: no cover - needs a GPU
        with contextlib.suppress(RuntimeError, ValueError):  # the user has already begun to use it
            tf.config.experimental.set_memory_growth(device, True)
    return bool(devices)


cap_threads()
