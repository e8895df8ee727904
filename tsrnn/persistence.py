"""Fitted estimators in files that can run no code."""

import functools
import hashlib
import importlib.metadata
import json
import math
import os
import warnings
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from tsrnn import _rows, _stacks, _zip_file
from tsrnn._index_nodes import UnfitError
from tsrnn._saved_classes import ESTIMATORS, TABLE
from tsrnn._stacks import Stored
from tsrnn._tree import Checker, Decoder, Encoder
from tsrnn._validation import ModelFileError, ModelSaveError, ModelVersionError, check_int, is_finite, name_of
from tsrnn._zip_file import BadZipError

__all__ = ["load", "save"]

FORMAT = 1

PACKAGES = {"tsrnn": "tsrnn", "keras": "keras", "sklearn": "scikit-learn", "numpy": "numpy", "pandas": "pandas"}
"""The packages whose versions a file tells, and the names that they are installed by."""

MOST_TEXT = 2**20
"""Bytes of the manifest: a Forecaster's 10,000 series of different lengths take 274 kB."""

MOST_MARKS = 2**17
"""Commas and opening brackets of the manifest, each of which may become an object of 200 bytes."""

REMEDIES = {
    "optimizer": "Pass it by name, such as optimizer='adam'.",
    "learning_rate": "Pass a number; `schedule` names a rule.",
    "callbacks": "Call `set_params(callbacks=None)` first: they are not needed to predict.",
    "build_network": "A network of your own is code: `to_saved_model` or `to_onnx` export it.",
    "cell_options": "Name activations, initializers and the like by a text, such as 'glorot_uniform'.",
    "random_state": "Pass an integer or None.",
    "func": "numpy's log, log1p, sqrt and the like can be named.",
    "inverse_func": "numpy's exp, expm1, square and the like can be named.",
}
OTHERWISE = "For files that nobody else can write, there is pickle."


def save(estimator: Any, path: str | os.PathLike[str]) -> None:
    """Write a fitted estimator into a file from which `load` makes it again.

    Parameters
    ----------
    estimator : estimator
        Fitted: a recurrent regressor or classifier, a `Forecaster`, a naive rule, a `ForecastAnomalyDetector`, a
        transformer of this package, or a Pipeline of them and of scikit-learn's scalers and linear models.
    path : str or path
        The file, replaced as a whole or not at all.

    Raises
    ------
    ModelSaveError
        Something in the estimator has no place in a file: a function, a callback, an optimizer or a schedule as an
        object, `build_network`, a `RandomState`, a class that is not named above (those of ETS, Theta, SARIMAX and STL
        are results of statsmodels; a search has `best_estimator_`).
    NotFittedError
        The estimator is not fitted.
    OSError
        The file cannot be written; what was there is left as it was.

    Notes
    -----
    The file is a zip of a JSON text and of plain arrays; docs/format.md describes it byte by byte. It takes as much as
    the arrays do: the weights of a network, and the known past of a forecaster, 8 bytes a value, once more as long as
    three quarters of it when intervals have been asked for.

    References
    ----------
    CVE-2024-3660 and later: models in Keras' own formats ran code when they were loaded, which is why they are not used
    here.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from tsrnn import NaiveForecaster, load, save
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(NaiveForecaster(horizon=2).fit([3.0, 1.0, 2.0]), Path(folder) / "naive.tsrnn")
    ...     load(Path(folder) / "naive.tsrnn").predict()
    array([2., 2.])
    """
    if type(estimator) not in {TABLE[name].cls for name in ESTIMATORS}:
        _refuse("save", "estimator", estimator)
    check_is_fitted(estimator)
    encoder = Encoder(TABLE, _refuse)
    tree = encoder.node(estimator)
    stacked = set(encoder.stacks.values())
    stored = [_stacks.told_of(parts, stacked=number in stacked) for number, parts in enumerate(encoder.members)]
    try:
        checker = _checked(tree, stored, encoder.columns)
        for number, parts in enumerate(encoder.members):
            for values in parts:
                _check_values(checker, number, values)
    except UnfitError as error:
        raise ModelSaveError(f"save: {error}. {OTHERWISE}") from error
    contents = [[_bytes_of(values) for values in parts] for parts in encoder.members]
    arrays = [{**vars(each), "sha256": _sha256(parts)} for each, parts in zip(stored, contents, strict=True)]
    told = {"arrays": arrays, "columns": encoder.columns, "estimator": tree}
    text = _text_of({"format": FORMAT, "versions": _versions(), **told})
    members = [("manifest.json", [memoryview(text)]), *((f"{i}.bin", parts) for i, parts in enumerate(contents))]
    too_large = _is_too_long(text) or _zip_file.total_size(members) > _zip_file.MOST_BYTES
    if too_large or len(members) > _zip_file.MOST_MEMBERS:
        most = "at most 4 GB of arrays, and 1 MB of the names and lengths of series and of all else"
        raise ModelSaveError(f"save: {name_of(estimator)} is too large for one file, {most}.")
    _zip_file.write(Path(path), members)


def load(path: str | os.PathLike[str], *, max_bytes: int = 2**31) -> Any:
    """Return the estimator that `save` wrote into a file; whatever the file holds, none of it is run.

    Parameters
    ----------
    path : str or path
        The file.
    max_bytes : int, default=2147483648
        The largest file to read.

    Returns
    -------
    estimator
        Fitted. Its predictions are those of the one that was saved: to the bit on the same machine with the same
        versions, elsewhere within 1e-6.

    Raises
    ------
    ModelFileError
        The file is not one that `save` wrote, has been changed or cut, or is larger than `max_bytes`.
    ModelVersionError
        It was written by a newer version of this package, in a format that this one does not know.
    FileNotFoundError
        There is no file.

    Warns
    -----
    UserWarning
        It was written with another version of scikit-learn or Keras, in which the same numbers may mean something else.

    Notes
    -----
    Nothing is imported, called or looked up by a name in the file: classes, attributes, and what each attribute may
    be, are a table in this package. Sizes are compared before memory is taken for them, and the shapes of a network's
    weights with its architecture. TensorFlow is imported when a network first predicts. At most, three times the file
    is allocated: 1.0 times for a network or a long series, 2.6 times for 10,000 series of up to 120 steps, each of
    which takes 1.3 kB beside its values; shorter ones take more than their file does. What no `save` wrote can ask
    for 80 MB on top of that before it is refused or loaded. Whoever can write the file still chooses what it predicts.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from tsrnn import ModelFileError, load
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "model.tsrnn"
    ...     _ = path.write_bytes(b"something else")
    ...     try:
    ...         load(path)
    ...     except ModelFileError as error:
    ...         print(error.reason)
    it has 14 bytes, too few for a model
    """
    check_int("load", "max_bytes", max_bytes, minimum=1)
    with Path(path).open("rb") as file:
        return load_from(file, str(path), max_bytes)


def load_from(file: BinaryIO, path: str, max_bytes: int) -> Any:
    """Return what `load` does of an open file, of which errors tell the `path`."""
    try:
        return _load(file, max_bytes)
    except _NewerError as error:
        raise ModelVersionError(path, str(error)) from None
    except (BadZipError, UnfitError) as error:
        raise ModelFileError(path, str(error)) from None
    except RecursionError:
        raise ModelFileError(path, "manifest.json is nested too deeply") from None
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise ModelFileError(path, f"what it holds does not fit together: {error}") from error


class _NewerError(Exception):
    """A file has a newer format; the argument tells the versions."""


def _load(file: BinaryIO, max_bytes: int) -> Any:
    size = file.seek(0, os.SEEK_END)
    if size > max_bytes:
        raise BadZipError(f"it has {size:,} bytes, more than max_bytes={max_bytes:,}")
    first, *entries = _zip_file.read_directory(file, size)
    manifest = _read_manifest(file, first)
    stored = [_array_of(told, number) for number, told in enumerate(manifest["arrays"])]
    if len(stored) != len(entries):
        raise BadZipError(f"it holds {len(entries)} arrays; manifest.json tells of {len(stored)}")
    for each, entry in zip(stored, entries, strict=True):
        if each.nbytes != entry.size:
            raise BadZipError(f"{entry.name} has {entry.size} bytes; manifest.json tells of {each.nbytes}")
    checker = _checked(manifest["estimator"], stored, manifest["columns"])
    arrays = []
    for number, (each, entry) in enumerate(zip(stored, entries, strict=True)):
        values = np.empty(math.prod(each.shape), dtype=each.dtype)
        _zip_file.read_into(file, entry, _bytes_of(values))
        if _sha256([_bytes_of(values)]) != manifest["arrays"][number]["sha256"]:
            raise BadZipError(f"{entry.name} has been changed: its sha256 does not match")
        _check_values(checker, number, values)
        arrays.append((each, values))
    _warn_of_other_versions(manifest["versions"])
    return Decoder(TABLE, arrays, manifest["columns"]).value(manifest["estimator"])


def _read_manifest(file: BinaryIO, entry: _zip_file.Entry) -> dict[str, Any]:
    """Return the manifest, its own keys checked; a newer format is refused before anything else is read."""
    if entry.size > MOST_TEXT:
        raise BadZipError(f"manifest.json has {entry.size:,} bytes; at most {MOST_TEXT:,} are read")
    text = bytearray(entry.size)
    _zip_file.read_into(file, entry, text)
    if _is_too_long(text):
        raise BadZipError(f"manifest.json has more than {MOST_MARKS:,} commas and brackets")
    manifest = _strict_json(text)
    found = manifest.get("format") if isinstance(manifest, dict) else None
    if type(found) is int and found > FORMAT:
        raise _NewerError(
            f"it has format {found}, written by tsrnn {str(manifest.get('versions'))[:200]}; this is tsrnn "
            f"{_version('tsrnn')}, which reads formats up to {FORMAT}. Update tsrnn"
        )
    if (
        type(found) is not int
        or found != FORMAT
        or set(manifest) != {"format", "versions", "arrays", "columns", "estimator"}
    ):
        raise BadZipError("manifest.json must have format 1 and the keys versions, arrays, columns and estimator")
    versions, arrays = manifest["versions"], manifest["arrays"]
    named = isinstance(versions, dict) and set(versions) == set(PACKAGES)
    if not named or not all(isinstance(text, str) and len(text) < 64 for text in versions.values()):
        raise BadZipError(f"manifest.json must tell the versions of {', '.join(PACKAGES)}")
    if not isinstance(arrays, list) or not _rows.are_columns(manifest["columns"]):
        raise BadZipError("manifest.json must list the arrays and the columns")
    return dict(manifest)


def _strict_json(text: bytearray) -> Any:
    hooks: Any = {"object_pairs_hook": _without_repeats, "parse_constant": _no_constant, "parse_float": _finite}
    try:
        return json.loads(text.decode("ascii"), **hooks)
    except ValueError as error:
        raise BadZipError(f"manifest.json is no strict JSON: {error}") from error


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _finite(text: str) -> float:
    value = float(text)
    if not np.isfinite(value):
        raise ValueError(f"{text[:20]} is too large")
    return value


def _array_of(told: Any, number: int) -> Stored:
    """Return what the manifest tells of an array, checked."""
    stored = _stacks.read(told)
    if stored is None:
        raise BadZipError(
            f"{number}.bin: manifest.json tells a dtype, shape, order, lengths or sha256 that no array has"
        )
    return stored


def _checked(tree: Any, stored: list[Stored], columns: list[list[Any]]) -> Checker:
    """Return what a walk over the tree found; raise unless it is an estimator that is fitted."""
    checker = Checker(TABLE, stored, columns)
    if not checker.object(tree, ESTIMATORS):
        raise UnfitError("manifest.json tells of no estimator that a file may hold")
    name, attributes = tree["object"]
    needed = TABLE[name].needed
    if needed and needed[0] not in attributes:
        raise UnfitError(f"the {name} is not fitted")
    for number, used in enumerate(checker.used):
        if not all(used):
            raise UnfitError(f"nothing refers to {number}.bin, or not to all of it")
    return checker


def _check_values(checker: Checker, number: int, values: NDArray[Any]) -> None:
    """Raise for a NaN where no value may be missing, and for what is no number of the type."""
    if values.dtype.kind == "b" and values.size and values.view(np.uint8).max() > 1:
        raise UnfitError(f"{number}.bin holds flags that are neither 0 nor 1")
    if values.dtype.kind != "f" or is_finite(values):
        return
    if number in checker.whole:
        raise UnfitError(f"{number}.bin holds NaN or infinity")
    if np.isinf(values).any():
        raise UnfitError(f"{number}.bin holds infinity")


def _bytes_of(values: NDArray[Any]) -> memoryview:
    """Return the memory of an array as bytes, without a copy."""
    flat = values.reshape(-1, order="C" if values.flags.c_contiguous else "F")
    return flat.view(np.uint8).data


def _sha256(content: list[memoryview]) -> str:
    sha = hashlib.sha256()
    for part in content:
        sha.update(part)
    return sha.hexdigest()


def _text_of(manifest: dict[str, Any]) -> bytes:
    return json.dumps(manifest, separators=(",", ":"), allow_nan=False).encode("ascii")


def _is_too_long(text: bytes | bytearray) -> bool:
    return len(text) > MOST_TEXT or sum(map(text.count, (b",", b"[", b"{"))) > MOST_MARKS


def _versions() -> dict[str, str]:
    return {name: _version(name) for name in PACKAGES}


@functools.cache  # it reads a file
def _version(name: str) -> str:
    try:
        return importlib.metadata.version(PACKAGES[name])
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _warn_of_other_versions(versions: dict[str, str]) -> None:
    """Warn once of versions of scikit-learn and Keras that differ by more than a patch."""
    others = [
        f"{name} {versions[name]} (here {_version(name)})"
        for name in ("sklearn", "keras")
        if versions[name].split(".")[:2] != _version(name).split(".")[:2]
    ]
    if others:
        words = "Compare some predictions, or fit again."
        warnings.warn(f"load: the file was written with {', '.join(others)}. {words}", UserWarning, stacklevel=5)


def _refuse(owner: str, name: str, value: Any) -> NoReturn:
    remedy = REMEDIES.get(name, OTHERWISE)
    if type(value).__module__ in ("tsrnn.classical", "tsrnn._statsmodels"):
        remedy = f"It holds results of statsmodels, which fit in moments: fit it again. {OTHERWISE}"
    elif hasattr(value, "best_estimator_"):
        remedy = "Save its `best_estimator_`."
    shown = repr(value) if len(repr(value)) <= 200 else f"{type(value).__name__} {repr(value)[:150]}..."
    raise ModelSaveError(f"{owner}: `{name}` must be something that a file may hold; got {shown}. {remedy}")
