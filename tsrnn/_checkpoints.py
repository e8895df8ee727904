"""Results kept in a folder, each under the name of all that it follows from, so that an interrupted run can go on."""

import contextlib
import hashlib
import importlib.metadata
import os
import tempfile
import zipfile
from pathlib import Path
from pickle import PicklingError
from typing import Any

import joblib
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsrnn._validation import invalid_parameter

Arrays = dict[str, NDArray[Any]]

PACKAGES = ["tsrnn", "keras", "tensorflow", "scikit-learn", "numpy"]
"""What a result may change with: with another version, it is computed again."""


class NamelessError(Exception):
    """Nothing in a part could tell it from another one in the next process."""


class Checkpoint:
    """A folder with a file for each result: arrays by their names, which hold numbers and nothing that could be run."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)

    def read(self, key: str) -> Arrays | None:
        """Return the result of a key; None if there is none, or its file is damaged."""
        try:
            with self._path(key).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                return dict(arrays)
        except (FileNotFoundError, ValueError, EOFError, zipfile.BadZipFile):
            return None

    def write(self, key: str, arrays: Arrays) -> None:
        """Keep a result; its file appears whole or not at all, whoever else writes the same."""
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=self.folder, prefix=".", suffix=".part")
        try:
            with os.fdopen(handle, "wb") as file:
                np.savez(file, **arrays)  # type: ignore[arg-type]
            Path(part).replace(self._path(key))
        except BaseException:
            with contextlib.suppress(OSError):
                Path(part).unlink()
            raise

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.npz"


def check_folder(owner: object, folder: Any) -> None:
    """Raise unless the parameter `checkpoint` of `owner` is a path, or None."""
    if not (folder is None or isinstance(folder, str | os.PathLike)) or folder == "":
        raise invalid_parameter(owner, "checkpoint", "the path of a folder or None", folder)


def key_of(*parts: Any) -> str:
    """Return the name of what follows from `parts`, and from the versions of the libraries, the same in every process.

    Raises
    ------
    NamelessError
        A part is, or holds, a function without a name, or what cannot be pickled. Other functions count by their names.
    """
    found = hashlib.sha256()
    try:
        for part in (*map(_version, PACKAGES), *parts):
            _add(found, part)
    except (PicklingError, TypeError) as error:
        raise NamelessError(str(error)) from error
    return found.hexdigest()


def _add(found: Any, part: Any) -> None:
    """Feed a part; the memory that arrays and frames are laid out in does not count, only what they hold."""
    if isinstance(part, dict):
        part = [list(part), *part.values()]
    if isinstance(part, list | tuple):
        found.update(f"<{type(part).__name__} {len(part)}>".encode())
        for one in part:
            _add(found, one)
    elif isinstance(part, pd.DataFrame | pd.Series | pd.Index):
        _add_pandas(found, part)
    elif isinstance(part, np.ndarray) and part.dtype.kind in "biuf":
        found.update(f"<array {part.dtype.str} {part.shape}>".encode())
        found.update(np.ascontiguousarray(part))
    else:
        found.update(f"<{type(part).__name__} {joblib.hash(part)}>".encode())


def _add_pandas(found: Any, part: pd.DataFrame | pd.Series | pd.Index) -> None:
    """Feed names, types and values; the type of stamps tells their zone, which no number does."""
    if isinstance(part, pd.MultiIndex):
        told: list[Any] = [list(part.names), *map(str, part.dtypes)]
    elif isinstance(part, pd.DataFrame):
        told = [list(part.columns), *map(str, part.dtypes), part.index]
    else:
        told = [part.name, str(part.dtype), *([part.index] if isinstance(part, pd.Series) else [])]
    _add(found, [type(part).__name__, *told])
    _add(found, pd.util.hash_pandas_object(part, index=False).to_numpy())


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "unknown"
