"""The public files on record: where each is published, how large it is, and the sha256 of what is published.

A commit in an address keeps the file as it was. Where the commit is not known, the branch is named, and a changed file
is refused by its checksum.
"""

from tsrnn._download import Published

__all__ = ["FILES"]

_RAW = "https://raw.githubusercontent.com"
_M4 = f"{_RAW}/Mcompetitions/M4-methods"
_PJM = f"{_RAW}/panambY/Hourly_Energy_Consumption/3d9359d970ce534e3d3a81bf70a4d3abc7008b8c/data"
_SKFORECAST = f"{_RAW}/skforecast/skforecast-datasets/main/data"

FILES = {
    "ETTh1": Published(
        "etth1/ETTh1.csv",
        f"{_RAW}/zhouhaoyi/ETDataset/1d16c8f4f943005d613b5bc962e9eeb06058cf07/ETT-small/ETTh1.csv",
        "f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066",
        2_589_657,
    ),
    "exchange_rate": Published(
        "exchange_rate/exchange_rate.txt.gz",
        f"{_RAW}/laiguokun/multivariate-time-series-data/7f402f185cc2435b5e66aed13a3b560ed142e023"
        "/exchange_rate/exchange_rate.txt.gz",
        "6a4fbb561dcdee43f071a83badbeec9223a335552278348656738b556f1c2e9d",
        177_142,
    ),
    "M4 train": Published(
        "m4_hourly/Hourly-train.csv.gz",
        f"{_M4}/d44ad827907d46b2050a47b529cb826be9561163/Dataset/Train/Hourly-train.csv",
        "ea59b7783573c49077a835ab6465c7d66f1474783360f310988a9a737fbca62f",
        2_347_115,
    ),
    "M4 test": Published(
        "m4_hourly/Hourly-test.csv.gz",
        f"{_M4}/fdeb3b173f0305901c073dcc9a36b0d9f9ab537c/Dataset/Test/Hourly-test.csv",
        "71a57fccb15e534d973626ada4fb87febf789e9317715b7cc6dd3b5f90db6f42",
        132_820,
    ),
    "AEP": Published(
        "pjm_hourly/AEP_hourly.csv.gz",
        f"{_PJM}/AEP_hourly.csv",
        "109d122f7b485555c609eecdec2cd5a03172e0a08acd358d863acc93eb452585",
        3_395_509,
    ),
    "PJME": Published(
        "pjm_hourly/PJME_hourly.csv.gz",
        f"{_PJM}/PJME_hourly.csv",
        "4eb2b16d42bf07ec41ab55cb842191594cb69452725a6d3c0991658a628fde84",
        4_070_265,
    ),
    "valencia": Published(
        "air_quality_valencia/air_quality_valencia_no_missing.csv.gz",
        f"{_SKFORECAST}/air_quality_valencia_no_missing.csv",
        "dd3178b394d9a4baf7d0b858ae108724de1e7be54fec6c8384a611429a73bcf5",
        3_018_242,
    ),
    "victoria": Published(
        "vic_electricity/vic_electricity.csv.gz",
        f"{_SKFORECAST}/vic_electricity.csv",
        "6fa81bc3552f8822e984900f727584b82b3f10f41d78a1a0cdda2879a29a122e",
        2_870_159,
    ),
}
