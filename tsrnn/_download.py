"""Files that are published elsewhere: found in a folder or downloaded into it, and trusted by their checksum only.

The checksum is that of the bytes which the source publishes. A table may lie in the folder as the gzip of them: gzip
writes the same bytes in many ways, so what it holds is checked.
"""

import gzip
import hashlib
import os
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from tsrnn._validation import check_bool, invalid_parameter


@dataclass(frozen=True)
class Published:
    """A file as its source publishes it, and where it lies below the folder of the data."""

    path: str
    url: str
    sha256: str
    n_bytes: int

    @property
    def packed(self) -> bool:
        """Whether the folder holds the gzip of what is published."""
        return self.path.endswith(".gz") and not self.url.endswith(".gz")


def data_folder(owner: str, data_home: Any) -> Path:
    """Return the folder that holds the data: `data_home`, or this user's cache if it is None."""
    if data_home is None:
        return Path(_pooch(owner).os_cache("tsrnn"))
    if not isinstance(data_home, str | os.PathLike):
        raise invalid_parameter(owner, "data_home", "a path or None", data_home)
    return Path(data_home).expanduser()


def read_published(owner: str, file: Published, data_home: Any, download_if_missing: Any) -> bytes:
    """Return the published bytes of `file`, from the folder of the data, after a download where that is needed.

    Raises
    ------
    FileNotFoundError
        If the file is missing and must not be downloaded.
    OSError
        If it cannot be downloaded, its source redirects from https to http, it is larger than the `n_bytes` on record,
        or it has another checksum.
    ImportError
        If pooch is needed, for the download or for the place of the cache, and not installed.
    """
    download = check_bool(owner, "download_if_missing", download_if_missing)
    path = data_folder(owner, data_home) / file.path
    if not path.is_file():
        if not download:
            form = "the gzip of " if file.packed else ""
            raise FileNotFoundError(
                f"{owner}: `{path}` must be a file; got none. Pass `download_if_missing=True`, or put there {form}"
                f"{file.url}, whose sha256 is {file.sha256}."
            )
        _download(owner, file, path)
    return _checked_content(owner, file, path)


def _checked_content(owner: str, file: Published, path: Path) -> bytes:
    """Return the published bytes that `path` holds; at most one byte more than they should be is unpacked."""
    try:
        with gzip.open(path) if file.packed else path.open("rb") as stream:
            content = stream.read(file.n_bytes + 1)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise OSError(f"{owner}: `{path}` is damaged: {error}. Delete it, to have it downloaded again.") from error
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        raise OSError(
            f"{owner}: the content of `{path}` must have the sha256 {file.sha256}; got {found}. "
            "Delete the file, to have it downloaded again."
        )
    return content


def _download(owner: str, file: Published, path: Path) -> None:
    """Download `file` to `path`, which exists only once its content is whole and right."""
    pooch = _pooch(owner)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        known = {"known_hash": f"sha256:{file.sha256}", "fname": "published"}
        try:
            got = Path(pooch.retrieve(file.url, path=folder, downloader=_bounded(pooch, file.n_bytes), **known))
        except (OSError, ValueError) as error:  # ValueError: another checksum
            raise OSError(
                f"{owner}: {file.url} could not be downloaded: {error}. "
                f"Try again later, or put {'its gzip' if file.packed else 'the file'} at `{path}`."
            ) from error
        if file.packed:
            content = gzip.compress(got.read_bytes(), mtime=0)
            got.write_bytes(content)
        got.replace(path)


class _Bounded:
    """A file to write into that takes no more than `n_bytes`."""

    def __init__(self, stream: Any, n_bytes: int) -> None:
        self._stream = stream
        self._n_bytes = n_bytes
        self._written = 0

    def write(self, chunk: bytes) -> None:
        self._written += len(chunk)
        if self._written > self._n_bytes:
            raise OSError(f"the source sends more than the {self._n_bytes} bytes on record")
        self._stream.write(chunk)

    def flush(self) -> None:
        self._stream.flush()


def _stay_secure(response: Any, *_: Any, **__: Any) -> None:
    """Raise where a source that was asked over https sends one on to an address without it."""
    if response.is_redirect and urlsplit(response.url).scheme == "https":
        target = urljoin(response.url, response.headers["location"])
        if urlsplit(target).scheme != "https":
            raise OSError(f"the source redirects to {target}, which is not https")


def _bounded(pooch: Any, n_bytes: int) -> Any:
    """Return a downloader for pooch that stops as soon as more than `n_bytes` have come, or https is left."""
    # Without a packed transfer the bytes that are counted are those that travel.
    plain = pooch.HTTPDownloader(headers={"Accept-Encoding": "identity"}, hooks={"response": _stay_secure})

    def download(url: str, output_file: Any, pooch: Any) -> None:
        with Path(output_file).open("wb") as stream:
            plain(url, _Bounded(stream, n_bytes), pooch)

    return download


def _pooch(owner: str) -> Any:
    try:
        import pooch
    except ImportError as error:
        raise ImportError(
            f"{owner}: downloads and their cache need pooch. Install it: pip install 'tsrnn[fetch]', or pass the "
            "folder that holds the files as `data_home`."
        ) from error
    return pooch
