"""Electrocardiograms of PhysioNet with the labels of their beats, from files that the user makes."""

import hashlib
import zipfile
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsrnn._download import data_folder
from tsrnn._validation import check_bool, check_option

__all__ = ["fetch_mitbih"]

# Of the arrays, not of a file: each program that writes an npz compresses it in its own way.
_SHA256 = {
    100: "93acf6658e5795734db2e1e2eae62fc9b6e4fa77a5c3f56d0d8ed92a84d0bd5f",
    103: "c3be9d6f2a6cf938dc15262e9638a8cf6576bba56863fe84aee927a7e97014ec",
    106: "d490affc6d6447a60faec277a767ed4560d7f3add570341a75a49bc20d846100",
}
_BYTES = 2_000_000


def fetch_mitbih(
    record: int = 100, *, data_home: Any = None, download_if_missing: bool = True
) -> tuple[pd.Series, pd.Series]:
    """Read half an hour of an electrocardiogram with the cardiologists' labels, from a file that you make.

    Lead MLII of a record of the MIT-BIH Arrhythmia Database. PhysioNet publishes it in a format of its own, so nothing
    can be downloaded as it is; a missing file raises an error that says how to make it::

        step          0        1        2     ...   360    ...   649999
        time (s)      0      1/360    2/360   ...    1     ...   1805.55

    Parameters
    ----------
    record : {100, 103, 106}, default=100
        The number of the record: few premature beats, two, and many of the ventricles.
    data_home : str or path, default=None
        Folder that holds the data. None: the user's cache, as pooch finds it.
    download_if_missing : bool, default=True
        As in the other loaders; there is no file to be downloaded.

    Returns
    -------
    ecg : pandas.Series of shape (650000,)
        Voltage in mV, float64. The index "sample" is a RangeIndex, because 1/360 s is not a whole number of
        nanoseconds. `attrs` holds `unit`, `sampling_rate_hz`, `sampling`, `record`, `lead`, `source` and `licence`.
    labels : pandas.Series of shape (n_labels,)
        The symbols of the annotations, such as "N", a normal beat, and "V", a premature one of the ventricles; the
        index "sample" says where in `ecg`.

    Raises
    ------
    InvalidParameterError
        For a parameter outside its range.
    FileNotFoundError
        If the file is missing.
    OSError
        If it is damaged, larger than it should be, or the sha256 of its arrays is not the one on record.
    ImportError
        If `data_home` is None and pooch is not installed.

    Notes
    -----
    The file holds the units of the analogue-to-digital converter; mV = (adu - 1024) / 200. The checksum is that of the
    bytes of "adu" (int16), "ann_sample" (int32), both little-endian, and "ann_symbol" (ASCII) behind each other.

    References
    ----------
    G. B. Moody, R. G. Mark (2001). The impact of the MIT-BIH Arrhythmia Database. IEEE Engineering in Medicine and
    Biology 20(3), 45-50. https://doi.org/10.1109/51.932724. The database, https://doi.org/10.13026/C2F305.

    Examples
    --------
    >>> from tsrnn import fetch_mitbih
    >>> ecg, labels = fetch_mitbih(106)  # doctest: +SKIP
    >>> len(ecg), int((labels == "V").sum())  # doctest: +SKIP
    (650000, 520)
    """
    owner = "fetch_mitbih"
    check_option(owner, "record", record, list(_SHA256))
    check_bool(owner, "download_if_missing", download_if_missing)
    path = data_folder(owner, data_home) / "ecg_mitbih_mlii" / f"mitdb_{record}_MLII.npz"
    if not path.is_file():
        raise FileNotFoundError(_how_to_make(record, path))
    adu, samples, symbols = _read_npz(path)
    found = hashlib.sha256(adu.tobytes() + samples.tobytes() + "".join(symbols).encode()).hexdigest()
    if found != _SHA256[record]:
        raise OSError(f"{owner}: the arrays of `{path}` must have the sha256 {_SHA256[record]}; got {found}.")
    ecg = pd.Series((adu - 1024.0) / 200, name="ecg").rename_axis("sample")
    labels = pd.Series(symbols.astype(object), index=pd.Index(samples.astype(np.int64), name="sample"), name="label")
    about: dict[Hashable, Any] = {
        "sampling_rate_hz": 360,
        "sampling": "360 Hz",
        "record": f"MIT-BIH Arrhythmia Database, {record}",
        "lead": "MLII",
        "source": "PhysioNet, mitdb 1.0.0; Moody and Mark (2001), doi:10.13026/C2F305",
        "licence": "Open Data Commons Attribution v1.0 (PhysioNet)",
    }
    ecg.attrs = {"unit": "mV", **about}
    labels.attrs = {"unit": "symbols of PhysioNet's annotations", **about}
    return ecg, labels


def _how_to_make(record: int, path: Path) -> str:
    return (
        f"fetch_mitbih: `{path}` must be a file; got none. No source publishes it in this form. Make it with wfdb "
        f"(pip install 'tsrnn[ecg]') from https://physionet.org/content/mitdb/1.0.0/: "
        f"record = wfdb.rdrecord('{record}', pn_dir='mitdb', physical=False); "
        f"marks = wfdb.rdann('{record}', 'atr', pn_dir='mitdb'); "
        "np.savez_compressed(path, adu=record.d_signal[:, record.sig_name.index('MLII')].astype('int16'), "
        "ann_sample=marks.sample.astype('int32'), ann_symbol=np.array(marks.symbol)). "
        f"The sha256 of these arrays, behind each other, is {_SHA256[record]}."
    )


def _read_npz(path: Path) -> tuple[NDArray[np.int16], NDArray[np.int32], NDArray[np.str_]]:
    """Return the samples, the places of the labels and the labels; nothing that could run code is read."""
    try:
        with zipfile.ZipFile(path) as archive:
            n_bytes = sum(member.file_size for member in archive.infolist())
        if n_bytes > _BYTES:
            raise OSError(f"fetch_mitbih: `{path}` must hold at most {_BYTES} bytes; got {n_bytes}.")
        with np.load(path, allow_pickle=False) as arrays:
            return arrays["adu"].astype("<i2"), arrays["ann_sample"].astype("<i4"), arrays["ann_symbol"].astype(str)
    except (KeyError, ValueError, zipfile.BadZipFile) as error:
        raise OSError(f"fetch_mitbih: `{path}` is damaged: {error}. Make it again.") from error
