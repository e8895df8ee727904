"""Public series that are too large, or not free enough, to come with the package: fetched from their source.

Each loader looks into a folder, downloads what is missing (with pooch, which is optional), checks the sha256 of what
was published, and returns pandas objects whose `attrs` say what they are.
"""

import io
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tsrnn._download import read_published
from tsrnn._published import FILES
from tsrnn._validation import check_option

__all__ = [
    "fetch_ett",
    "fetch_exchange_rates",
    "fetch_m4_hourly",
    "fetch_pjm",
    "fetch_valencia_air",
    "fetch_victoria_electricity",
]


def _read_table(owner: str, name: str, home: Any, download: Any, **options: Any) -> pd.DataFrame:
    """Return the table of the published file `name`, read with pandas' `options`."""
    file = FILES[name]
    content = read_published(owner, file, home, download)
    compression: Any = "gzip" if file.url.endswith(".gz") else None
    table: pd.DataFrame = pd.read_csv(io.BytesIO(content), compression=compression, **options)
    return table


def _regular(index: pd.Index, freq: str) -> pd.DatetimeIndex:
    """Return the stamps of `index` with their name and their step, which pandas checks."""
    return pd.DatetimeIndex(index, freq=freq, name="time")


def fetch_ett(variant: str = "ETTh1", *, data_home: Any = None, download_if_missing: bool = True) -> pd.DataFrame:
    """Fetch the hourly loads and the oil temperature of an electricity transformer, July 2016 to June 2018.

    ::

        step            0       ...    8640      ...    11520      ...   14400    ...   17419
        time       2016-07-01        2017-06-26       2017-10-24       2018-02-21      2018-06-26 19:00
        usual split  | train          | validation     | test           | not used

    Parameters
    ----------
    variant : {"ETTh1"}, default="ETTh1"
        Which transformer and sampling; the one whose checksum is on record.
    data_home : str or path, default=None
        Folder that holds the data, or gets them. None: the user's cache, as pooch finds it.
    download_if_missing : bool, default=True
        Whether a missing file may be downloaded (2.6 MB).

    Returns
    -------
    loads : pandas.DataFrame of shape (17420, 7)
        The high, middle and low useful and useless loads "HUFL", "HULL", "MUFL", "MULL", "LUFL", "LULL" and the oil
        temperature "OT", the usual target; the source names no units. The index "time" has the frequency "h" and no
        zone. `attrs` holds `units`, `sampling`, `source` and `licence`.

    Raises
    ------
    InvalidParameterError
        For a parameter outside its range.
    FileNotFoundError
        If the file is missing and must not be downloaded.
    OSError
        If it cannot be downloaded, is larger than it should be, or its sha256 is not the one on record.
    ImportError
        If pooch is needed and not installed.

    References
    ----------
    H. Zhou and others (2021). Informer: beyond efficient transformer for long sequence time-series forecasting.
    Proceedings of AAAI 35(12), 11106-11115. https://doi.org/10.1609/aaai.v35i12.17325. The data and the usual split.

    Examples
    --------
    >>> from tsrnn import fetch_ett
    >>> fetch_ett()["OT"].head(2).round(3)  # doctest: +SKIP
    time
    2016-07-01 00:00:00    30.531
    2016-07-01 01:00:00    27.787
    Freq: h, Name: OT, dtype: float64
    """
    check_option("fetch_ett", "variant", variant, ["ETTh1"])
    options = {"index_col": "date", "parse_dates": ["date"]}
    loads = _read_table("fetch_ett", variant, data_home, download_if_missing, **options)
    loads.index = _regular(loads.index, "h")
    loads.attrs = {
        "units": {name: "temperature, as recorded" if name == "OT" else "load, as recorded" for name in loads.columns},
        "sampling": "hourly",
        "source": "github.com/zhouhaoyi/ETDataset, ETT-small/ETTh1.csv; Zhou and others (2021)",
        "licence": "CC BY-ND 4.0",
    }
    return loads


def fetch_m4_hourly(*, data_home: Any = None, download_if_missing: bool = True) -> tuple[pd.Series, pd.Series]:
    """Fetch the 414 hourly series of the M4 competition, as training and test parts.

    ::

        step       0   1   ...   699  700  ...  747            series of 748 steps, such as H1
        part       [──── train ────]  [── test ──]             48 steps ahead; the others have 960 + 48

    Parameters
    ----------
    data_home : str or path, default=None
        Folder that holds the data, or gets them. None: the user's cache, as pooch finds it.
    download_if_missing : bool, default=True
        Whether missing files may be downloaded (2.5 MB in two files).

    Returns
    -------
    train, test : pandas.Series of shape (353500,) and (19872,)
        Values of various units, float64. The index has the levels "series", from "H1" to "H414", and "step", which
        counts from 0 in each series and goes on in the test part; take one with ``train.xs("H1")``. `attrs` holds
        `unit`, `sampling`, `source` and `licence`.

    Raises
    ------
    InvalidParameterError
        For a parameter outside its range.
    FileNotFoundError
        If a file is missing and must not be downloaded.
    OSError
        If one cannot be downloaded, is larger than it should be, or its sha256 is not the one on record.
    ImportError
        If pooch is needed and not installed.

    References
    ----------
    S. Makridakis, E. Spiliotis, V. Assimakopoulos (2020). The M4 Competition: 100,000 time series and 61 forecasting
    methods. International Journal of Forecasting 36(1), 54-74. https://doi.org/10.1016/j.ijforecast.2019.04.014.

    Examples
    --------
    >>> from tsrnn import fetch_m4_hourly
    >>> train, test = fetch_m4_hourly()  # doctest: +SKIP
    >>> test.xs("H1").head(2)  # doctest: +SKIP
    step
    700    619.0
    701    565.0
    Name: value, dtype: float64
    """
    tables = [
        _read_table("fetch_m4_hourly", name, data_home, download_if_missing, index_col=0).astype("float64")
        for name in ("M4 train", "M4 test")
    ]
    names = pd.Index(tables[0].index, name="series")
    lengths = tables[0].notna().sum(axis=1).to_numpy()
    train = _long(names, tables[0].to_numpy(), lengths, np.zeros_like(lengths))
    test = _long(names, tables[1].loc[names].to_numpy(), np.full_like(lengths, 48), lengths)
    return train, test


def _long(
    names: pd.Index, values: NDArray[np.float64], lengths: NDArray[np.int64], first: NDArray[np.int64]
) -> pd.Series:
    """Return the first `lengths` of each row of `values` below each other, their steps counted from `first`."""
    steps = np.concatenate([np.arange(start, start + n) for start, n in zip(first, lengths, strict=True)])
    index = pd.MultiIndex.from_arrays([names.repeat(lengths), steps], names=["series", "step"])
    known = np.arange(values.shape[1]) < lengths[:, None]
    series = pd.Series(values[known], index=index, name="value")
    series.attrs = {
        "unit": "various",
        "sampling": "hourly",
        "source": "github.com/Mcompetitions/M4-methods, Dataset; Makridakis and others (2020)",
        "licence": "none stated at the source",
    }
    return series


def fetch_victoria_electricity(*, data_home: Any = None, download_if_missing: bool = True) -> pd.DataFrame:
    """Fetch the half-hourly electricity demand of Victoria, Australia, 2012 to 2014, with the temperature.

    ::

        step           0               ...     35088            ...    52607
        local time   2012-01-01 00:00       2014-01-01 00:00        2014-12-31 23:30

    Parameters
    ----------
    data_home : str or path, default=None
        Folder that holds the data, or gets them. None: the user's cache, as pooch finds it.
    download_if_missing : bool, default=True
        Whether a missing file may be downloaded (2.9 MB).

    Returns
    -------
    table : pandas.DataFrame of shape (52608, 3)
        The columns "demand" in MWh (as the source says), "temperature" of Melbourne in °C, and "holiday", bool. The
        index "time" is local time in the zone "Australia/Melbourne" with the frequency "30min". `attrs` holds
        `units`, `sampling`, `source` and `licence`.

    Raises
    ------
    InvalidParameterError
        For a parameter outside its range.
    FileNotFoundError
        If the file is missing and must not be downloaded.
    OSError
        If it cannot be downloaded, is larger than it should be, or its sha256 is not the one on record.
    ImportError
        If pooch is needed and not installed.

    References
    ----------
    M. O'Hara-Wild, R. Hyndman, E. Wang, R. Godahewa (2022). tsibbledata: diverse datasets for 'tsibble'.
    https://tsibbledata.tidyverts.org/reference/vic_elec.html. The table, from the Australian energy market operator.

    Examples
    --------
    >>> from tsrnn import fetch_victoria_electricity
    >>> fetch_victoria_electricity()["demand"].head(2).round(1)  # doctest: +SKIP
    time
    2012-01-01 00:00:00+11:00    4382.8
    2012-01-01 00:30:00+11:00    4263.4
    Freq: 30min, Name: demand, dtype: float64
    """
    options = {"index_col": "Time", "parse_dates": ["Time"]}
    table = _read_table("fetch_victoria_electricity", "victoria", data_home, download_if_missing, **options)
    table = table[["Demand", "Temperature", "Holiday"]].rename(columns=str.lower)
    table.index = _regular(table.index, "30min").tz_convert("Australia/Melbourne")
    table.attrs = {
        "units": {"demand": "MWh, as the source says", "temperature": "°C", "holiday": "bool"},
        "sampling": "half-hourly, local time of Victoria",
        "source": "github.com/skforecast/skforecast-datasets, vic_electricity.csv; tsibbledata, vic_elec",
        "licence": "BSD-3-Clause (repository); GPL-3 (tsibbledata)",
    }
    return table


def fetch_pjm(zone: str = "AEP", *, data_home: Any = None, download_if_missing: bool = True) -> pd.Series:
    """Fetch the hourly electricity load of a region of the PJM grid in the east of the United States.

    ::

        local clock   01:00   02:00   03:00   04:00     on the night on which the clocks go forward
        load            a       b    (b+d)/2    d       the missing hour is filled

    Parameters
    ----------
    zone : {"AEP", "PJME"}, default="AEP"
        American Electric Power, from 2004-10-01, or PJM East, from 2002-01-01; both to 2018-08-03.
    data_home : str or path, default=None
        Folder that holds the data, or gets them. None: the user's cache, as pooch finds it.
    download_if_missing : bool, default=True
        Whether a missing file may be downloaded (4.1 MB at most).

    Returns
    -------
    load : pandas.Series of shape (121296,) or (145392,)
        Load in MW, float64. The index "time" is local clock time without a zone at the end of each hour, with the
        frequency "h". `attrs` holds `unit`, `sampling`, `source`, `licence`, and `n_averaged` and `n_filled`, the
        hours that were given twice, whose mean is taken, and those that were missing, linearly interpolated.

    Raises
    ------
    InvalidParameterError
        For a parameter outside its range.
    FileNotFoundError
        If the file is missing and must not be downloaded.
    OSError
        If it cannot be downloaded, is larger than it should be, or its sha256 is not the one on record.
    ImportError
        If pooch is needed and not installed.

    Examples
    --------
    >>> from tsrnn import fetch_pjm
    >>> load = fetch_pjm("AEP")  # doctest: +SKIP
    >>> len(load), load.attrs["n_averaged"], load.attrs["n_filled"]  # doctest: +SKIP
    (121296, 4, 27)
    """
    check_option("fetch_pjm", "zone", zone, ["AEP", "PJME"])
    options = {"index_col": "Datetime", "parse_dates": ["Datetime"]}
    rows = _read_table("fetch_pjm", zone, data_home, download_if_missing, **options)[f"{zone}_MW"]
    hours = rows.groupby(level=0).mean().asfreq("h")
    load = hours.interpolate().rename("load").rename_axis("time")
    load.attrs = {
        "unit": "MW",
        "sampling": "hourly, local clock time at the end of the hour",
        "n_averaged": int(rows.index.duplicated().sum()),
        "n_filled": int(hours.isna().sum()),
        "source": f"github.com/panambY/Hourly_Energy_Consumption, data/{zone}_hourly.csv; PJM Interconnection",
        "licence": "GPL-3 (repository)",
    }
    return load


def fetch_exchange_rates(*, data_home: Any = None, download_if_missing: bool = True) -> pd.DataFrame:
    """Fetch the daily exchange rates of eight countries, 1990 to 2016.

    ::

        step      0   1   2   ...   7587      the days have no dates at the source: steps are counted

    Parameters
    ----------
    data_home : str or path, default=None
        Folder that holds the data, or gets them. None: the user's cache, as pooch finds it.
    download_if_missing : bool, default=True
        Whether a missing file may be downloaded (0.2 MB).

    Returns
    -------
    rates : pandas.DataFrame of shape (7588, 8)
        Exchange rates as the source gives them, float64, one column for each country. The index "step" is a RangeIndex:
        neither calendar days nor working days from 1990 on end in 2016. `attrs` holds `units`, `sampling`, `source`
        and `licence`.

    Raises
    ------
    InvalidParameterError
        For a parameter outside its range.
    FileNotFoundError
        If the file is missing and must not be downloaded.
    OSError
        If it cannot be downloaded, is larger than it should be, or its sha256 is not the one on record.
    ImportError
        If pooch is needed and not installed.

    References
    ----------
    G. Lai, W.-C. Chang, Y. Yang, H. Liu (2018). Modeling long- and short-term temporal patterns with deep neural
    networks. Proceedings of SIGIR, 95-104. https://doi.org/10.1145/3209978.3210006. The data.

    Examples
    --------
    >>> from tsrnn import fetch_exchange_rates
    >>> fetch_exchange_rates()["Britain"].head(2)  # doctest: +SKIP
    step
    0    1.611
    1    1.610
    Name: Britain, dtype: float64
    """
    countries = ["Australia", "Britain", "Canada", "Switzerland", "China", "Japan", "New Zealand", "Singapore"]
    options = {"header": None, "names": countries}
    rates = _read_table("fetch_exchange_rates", "exchange_rate", data_home, download_if_missing, **options)
    rates = rates.rename_axis("step")
    rates.attrs = {
        "units": dict.fromkeys(countries, "exchange rate, as in the source"),
        "sampling": "daily",
        "source": "github.com/laiguokun/multivariate-time-series-data, exchange_rate; Lai and others (2018)",
        "licence": "none stated at the source",
    }
    return rates


def fetch_valencia_air(*, data_home: Any = None, download_if_missing: bool = True) -> pd.DataFrame:
    """Fetch the hourly air pollutants and wind of Valencia, Avinguda de França, 2019 to 2023.

    ::

        step         0          ...    43823
        time    2019-01-01 00:00    2023-12-31 23:00      missing values were interpolated at the source

    Parameters
    ----------
    data_home : str or path, default=None
        Folder that holds the data, or gets them. None: the user's cache, as pooch finds it.
    download_if_missing : bool, default=True
        Whether a missing file may be downloaded (3.0 MB).

    Returns
    -------
    air : pandas.DataFrame of shape (43824, 10)
        The pollutants "so2", "co", "no", "no2", "pm10", "nox", "o3" and "pm2.5" in µg/m³ ("co" in mg/m³), the wind's
        speed "veloc." in m/s and direction "direc." in degrees, float64. The index "time" has the frequency "h" and no
        zone. `attrs` holds `units`, `sampling`, `source` and `licence`.

    Raises
    ------
    InvalidParameterError
        For a parameter outside its range.
    FileNotFoundError
        If the file is missing and must not be downloaded.
    OSError
        If it cannot be downloaded, is larger than it should be, or its sha256 is not the one on record.
    ImportError
        If pooch is needed and not installed.

    References
    ----------
    Generalitat Valenciana, Red de Vigilancia y Control de la Contaminación Atmosférica, station 46250047.
    https://mediambient.gva.es/es/web/calidad-ambiental/datos-historicos. Where the measurements come from.

    Examples
    --------
    >>> from tsrnn import fetch_valencia_air
    >>> fetch_valencia_air()["o3"].head(2)  # doctest: +SKIP
    time
    2019-01-01 00:00:00    16.0
    2019-01-01 01:00:00     6.0
    Freq: h, Name: o3, dtype: float64
    """
    options = {"index_col": "datetime", "parse_dates": ["datetime"]}
    air = _read_table("fetch_valencia_air", "valencia", data_home, download_if_missing, **options)
    air.index = _regular(air.index, "h")
    others = {"co": "mg/m³", "veloc.": "m/s", "direc.": "degrees"}
    air.attrs = {
        "units": {name: others.get(name, "µg/m³") for name in air.columns},
        "sampling": "hourly",
        "source": "github.com/skforecast/skforecast-datasets, air_quality_valencia_no_missing.csv; mediambient.gva.es",
        "licence": "BSD-3-Clause (repository)",
    }
    return air
