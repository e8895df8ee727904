"""Real series that come with the package, with source, licence, unit and checksum.

Each loader returns a pandas object whose `attrs` say what it is; each file's sha256 is checked whenever it is read.
"""

import hashlib
import io
from pathlib import Path

import pandas as pd

__all__ = ["load_ecg", "load_electricity_demand", "load_sp500"]

_SHA256 = {
    "ecg_mitbih_208.csv.gz": "2e5d47f333dd1b9d60ef8ac5734be37ef2a8f959bf4e299de6e87cb97d8d1f5f",
    "electricity_demand_gb.csv.gz": "968db8181d2b143e63cd89fe461c09ee3e5eb3220f4569064946c58622bc4c4b",
    "sp500_daily.csv.gz": "d0c5b1c5458bece793bdc779bedf633e0c93510392ae84015ab9bf61beb299c6",
}

# An installed package carries the files inside itself; in a source checkout they lie beside it.
_FOLDERS = (Path(__file__).parent / "_datasets", Path(__file__).parents[1] / "datasets")


def _packaged_file(owner: str, name: str) -> Path:
    """Return the path of the packaged file `name`."""
    for folder in _FOLDERS:
        if (folder / name).is_file():
            return folder / name
    looked = " or ".join(str(folder) for folder in _FOLDERS)
    raise FileNotFoundError(f"{owner}: `{name}` must lie in {looked}; got no such file. Install tsrnn again.")


def _checked_bytes(owner: str, path: Path, sha256: str) -> bytes:
    """Return what `path` holds, once its checksum is known to be right."""
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise OSError(f"{owner}: `{path}` must have the sha256 {sha256}; got {found}. Install tsrnn again.")
    return content


def _read_packaged(owner: str, name: str, time: str | None = None) -> pd.DataFrame:
    """Return the packaged table `name`, with its column `time`, where there is one, as the index."""
    content = _checked_bytes(owner, _packaged_file(owner, name), _SHA256[name])
    parse_dates = [time] if time else False
    return pd.read_csv(io.BytesIO(content), compression="gzip", index_col=time, parse_dates=parse_dates)


def load_electricity_demand() -> pd.Series:
    """Load the electricity demand of England and Wales, twelve weeks of summer 2000.

    Half-hourly, with a daily season of 48 steps and a weekly season of 336 steps::

        step          0      1      2    ...   47      48    ...  4031
        time        00:00  00:30  01:00  ...  23:30   00:00  ...  23:30
                    Mon 5 June                      | Tue 6 June    | Sun 27 August

    Returns
    -------
    demand : pandas.Series of shape (4032,)
        Demand in MW, float64. The index "time" is local clock time without a zone and has the frequency "30min"; no
        change of the clock falls into the period. `attrs` holds `unit`, `sampling`, `source` and `licence`.

    Raises
    ------
    FileNotFoundError
        If the packaged file is missing.
    OSError
        If its sha256 is not the one on record.

    Notes
    -----
    The data were taken from the package pmdarima 2.1.1 (`load_taylor`), licence MIT, and were given to the public by
    James W. Taylor.

    References
    ----------
    J. W. Taylor (2003). Short-term electricity demand forecasting using double seasonal exponential smoothing. Journal
    of the Operational Research Society 54(8), 799-805. https://doi.org/10.1057/palgrave.jors.2601589. The series.

    Examples
    --------
    >>> from tsrnn.datasets import load_electricity_demand
    >>> demand = load_electricity_demand()
    >>> demand.head(3)
    time
    2000-06-05 00:00:00    22262.0
    2000-06-05 00:30:00    21756.0
    2000-06-05 01:00:00    22247.0
    Freq: 30min, Name: demand, dtype: float64
    >>> demand.attrs["unit"]
    'MW'
    """
    table = _read_packaged("load_electricity_demand", "electricity_demand_gb.csv.gz", time="time")
    demand = table["demand_mw"].astype("float64").rename("demand")
    demand.index = pd.DatetimeIndex(demand.index, freq="30min")
    demand.attrs = {
        "unit": "MW",
        "sampling": "half-hourly, local clock time of Great Britain",
        "source": "pmdarima 2.1.1, load_taylor; J. W. Taylor (2003), doi:10.1057/palgrave.jors.2601589",
        "licence": "MIT (package)",
    }
    return demand


def load_sp500() -> pd.DataFrame:
    """Load the daily S&P 500 index of 1999 to 2018.

    One row is one trading day, so the index has gaps at weekends and holidays and no frequency::

        step         0      1      2      3      4      5    ...
        time        Mon    Tue    Wed    Thu    Fri    Mon   ...   from 1999-01-04 to 2018-12-31

    Returns
    -------
    prices : pandas.DataFrame of shape (5031, 6)
        The columns "open", "high", "low", "close" and "adj_close" in index points, float64, and "volume" in shares,
        int64. The index "time" holds the trading days. `attrs` holds `units` (one per column), `sampling`, `source` and
        `licence`.

    Raises
    ------
    FileNotFoundError
        If the packaged file is missing.
    OSError
        If its sha256 is not the one on record.

    Notes
    -----
    The data were taken from the package arch 8.0.0 (`arch.data.sp500`), licence NCSA, by Kevin Sheppard and others.
    An index pays no dividend and is never split: "adj_close" equals "close".

    References
    ----------
    K. Sheppard and others. arch: autoregressive conditional heteroskedasticity models in Python.
    https://doi.org/10.5281/zenodo.593254. The table.

    Examples
    --------
    >>> from tsrnn.datasets import load_sp500
    >>> prices = load_sp500()
    >>> prices["close"].head(3).round(2)
    time
    1999-01-04    1228.10
    1999-01-05    1244.78
    1999-01-06    1272.34
    Name: close, dtype: float64
    >>> prices.attrs["units"]["close"]
    'index points'
    """
    table = _read_packaged("load_sp500", "sp500_daily.csv.gz", time="date")
    prices = table.astype(dict.fromkeys(table.columns.drop("volume"), "float64"))
    prices.index = pd.DatetimeIndex(prices.index, name="time")
    prices.attrs = {
        "units": {name: "shares" if name == "volume" else "index points" for name in prices.columns},
        "sampling": "trading days",
        "source": "arch 8.0.0, arch.data.sp500, doi:10.5281/zenodo.593254",
        "licence": "NCSA (package)",
    }
    return prices


def load_ecg() -> pd.Series:
    """Load five minutes of an electrocardiogram with many premature ventricular beats.

    Lead MLII of record 208 of the MIT-BIH Arrhythmia Database, 360 samples a second::

        step          0        1        2     ...   360    ...   107999
        time (s)      0      1/360    2/360   ...    1     ...   299.997      after 19 min 35 s of the record

    Returns
    -------
    ecg : pandas.Series of shape (108000,)
        Voltage in mV, float64. The index "sample" is a RangeIndex, because 1/360 s is not a whole number of
        nanoseconds; sample / 360 is the time in seconds. `attrs` holds `unit`, `sampling_rate_hz`, `sampling`, `start`
        (of the excerpt in the record, h:min:s), `record`, `lead`, `source` and `licence`.

    Raises
    ------
    FileNotFoundError
        If the packaged file is missing.
    OSError
        If its sha256 is not the one on record.

    Notes
    -----
    The file holds the units of the analogue-to-digital converter; mV = (adc - 1024) / 200. The data were taken from
    the package scipy 1.11.4 (`scipy.misc.electrocardiogram`), licence BSD-3-Clause; PhysioNet gives them under the Open
    Data Commons Attribution licence v1.0.

    References
    ----------
    G. B. Moody, R. G. Mark (2001). The impact of the MIT-BIH Arrhythmia Database. IEEE Engineering in Medicine and
    Biology 20(3), 45-50. https://doi.org/10.1109/51.932724. The record, https://doi.org/10.13026/C2F305.

    A. L. Goldberger and others (2000). PhysioBank, PhysioToolkit, and PhysioNet. Circulation 101(23), e215-e220.
    https://doi.org/10.1161/01.CIR.101.23.e215. Where the database is kept.

    Examples
    --------
    >>> from tsrnn.datasets import load_ecg
    >>> ecg = load_ecg()
    >>> ecg.head(3)
    sample
    0   -0.245
    1   -0.215
    2   -0.185
    Name: ecg, dtype: float64
    >>> len(ecg) / ecg.attrs["sampling_rate_hz"]
    300.0
    """
    table = _read_packaged("load_ecg", "ecg_mitbih_208.csv.gz")
    ecg = ((table["adc"] - 1024) / 200).rename("ecg").rename_axis("sample")
    ecg.attrs = {
        "unit": "mV",
        "sampling_rate_hz": 360,
        "sampling": "360 Hz",
        "start": "0:19:35",
        "record": "MIT-BIH Arrhythmia Database, 208",
        "lead": "MLII",
        "source": "scipy 1.11.4, scipy.misc.electrocardiogram; Moody and Mark (2001), doi:10.13026/C2F305",
        "licence": "BSD-3-Clause (package); Open Data Commons Attribution v1.0 (PhysioNet)",
    }
    return ecg
