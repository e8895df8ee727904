"""TensorFlow and Keras, found or missed with a remedy: what names either imports this module first.

Imported at the first fit or predict only.
"""

import os
import sys

__all__ = ["keras", "tf"]


def _refuse(chosen: str) -> ImportError:
    return ImportError(
        f"tsrnn: Keras' backend must be 'tensorflow'; got {chosen!r}. Unset the environment variable KERAS_BACKEND "
        "(or `backend` in ~/.keras/keras.json), and start Python again."
    )


# Read before Keras is imported, which fails without a remedy where that backend is not installed.
if "keras" not in sys.modules and os.environ.get("KERAS_BACKEND", "") not in ("", "tensorflow"):
    raise _refuse(os.environ["KERAS_BACKEND"])

try:
    import keras
    import tensorflow as tf
except ImportError as error:
    raise ImportError(
        "tsrnn: fitting and predicting with networks need TensorFlow and Keras; got "
        f"{str(error)!r}. Install them: pip install tensorflow keras"
    ) from error

if keras.config.backend() != "tensorflow":
    raise _refuse(keras.config.backend())
