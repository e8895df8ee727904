"""The public series: values, index, units; and a download is whole, right and not too large, or leaves nothing."""

import contextlib
import dataclasses
import doctest
import gzip
import hashlib
import http.server
import inspect
import io
import sys
import tarfile
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import tsrnn
from tsrnn import InvalidParameterError, _download, _published, physionet
from tsrnn._download import Published, read_published

# The files of the benchmarks lie beside the project, where they lie at all.
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
needs_data = pytest.mark.skipif(not SHARED.is_dir(), reason="no ../shared/data beside the project")

LOADERS = [getattr(tsrnn, name) for name in tsrnn.__all__ if name.startswith("fetch_")]
DOWNLOADERS = [load for load in LOADERS if load is not tsrnn.fetch_mitbih]
CONTENT = b"time,value\n2026-01-01,1.5\n" * 400


def on_record(path, url, content=CONTENT):
    return Published(path, url, hashlib.sha256(content).hexdigest(), len(content))


def files_below(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


# --- what the loaders return ---


def frames_of(value):
    return value if isinstance(value, tuple) else (value,)


@needs_data
@pytest.mark.parametrize("load", LOADERS)
def test_the_files_beside_the_project_need_no_download(load, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    for data in frames_of(load(data_home=SHARED, download_if_missing=False)):
        assert all(data.attrs[key] for key in ("sampling", "source", "licence"))
        units = data.attrs["units"] if isinstance(data, pd.DataFrame) else {data.name: data.attrs["unit"]}
        assert list(units) == (data.columns.tolist() if isinstance(data, pd.DataFrame) else [data.name])
        assert np.asarray(data.notna()).all()
        assert data.index.is_unique
        assert data.index.is_monotonic_increasing or load is tsrnn.fetch_m4_hourly
        assert all(data.index.names)


@needs_data
@pytest.mark.parametrize("load", LOADERS)
def test_the_examples_of_the_loaders(load, monkeypatch):
    monkeypatch.setattr(_download, "data_folder", lambda *_: SHARED)
    monkeypatch.setattr(physionet, "data_folder", lambda *_: SHARED)
    shown = inspect.getdoc(load).replace("# doctest: +SKIP", "")
    examples = doctest.DocTestParser().get_doctest(shown, {}, load.__name__, None, 0)
    results = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(examples)
    assert (results.failed, results.attempted) == (0, len(examples.examples))
    assert results.attempted > 1


@needs_data
def test_victoria_is_local_time():
    table = tsrnn.fetch_victoria_electricity(data_home=SHARED)
    assert str(table.index[35088]) == "2014-01-01 00:00:00+11:00"
    assert table.index.freqstr == "30min"
    holidays = table.index[table["holiday"]]
    assert pd.Timestamp("2014-04-25", tz=table.index.tz) in holidays  # Anzac Day, and only its own hours
    assert pd.Timestamp("2014-04-24 23:30", tz=table.index.tz) not in holidays


@needs_data
@pytest.mark.parametrize(("zone", "n", "filled"), [("AEP", 121296, 27), ("PJME", 145392, 30)])
def test_pjm_is_put_in_order(zone, n, filled):
    load = tsrnn.fetch_pjm(zone, data_home=SHARED)
    assert (len(load), load.index.freqstr) == (n, "h")
    assert (load.attrs["n_averaged"], load.attrs["n_filled"]) == (4, filled)
    rows = pd.read_csv(SHARED / "pjm_hourly" / f"{zone}_hourly.csv.gz", index_col=0, parse_dates=True)[f"{zone}_MW"]
    twice = rows[rows.index.duplicated(keep=False)].groupby(level=0).mean()
    pd.testing.assert_series_equal(load[twice.index], twice, check_names=False, check_freq=False)
    hole = pd.Timestamp("2018-03-11 03:00")
    assert load[hole] == (load[hole - pd.Timedelta("1h")] + load[hole + pd.Timedelta("1h")]) / 2
    once = rows[~rows.index.duplicated(keep=False)]
    assert (load[once.index] == once).all()


@needs_data
def test_m4_series_go_on_in_the_test_part():
    train, test = tsrnn.fetch_m4_hourly(data_home=SHARED)
    lengths = train.groupby(level="series").size()
    assert lengths.value_counts().to_dict() == {960: 245, 700: 169}
    assert set(test.groupby(level="series").size()) == {48}
    for name in ["H1", "H414"]:
        steps = [*train.xs(name).index, *test.xs(name).index]
        assert steps == list(range(lengths[name] + 48))
    # The error of repeating the last value, as the competition's table gives it.
    last = train.groupby(level="series").last().loc[test.index.get_level_values("series")].to_numpy()
    smape = 200 * (test - last).abs() / (test.abs() + np.abs(last))
    assert smape.mean() == pytest.approx(43.003, abs=5e-4)


@needs_data
def test_mitbih_labels_lie_on_the_beats():
    ecg, labels = tsrnn.fetch_mitbih(data_home=SHARED)
    assert labels.value_counts().to_dict() == {"N": 2239, "A": 33, "V": 1, "+": 1}
    beats = labels.index[labels == "N"]
    assert ecg[beats].mean() > ecg.quantile(0.98)
    assert (ecg * 200 + 1024).iloc[0] == pytest.approx(995)


# --- files that are not what they should be ---


@pytest.mark.parametrize("load", LOADERS)
def test_a_missing_file_is_named_with_its_checksum(load, tmp_path):
    wanted = rf"^{load.__name__}: `.*` must be a file; got none\. .*https://.*sha256 (of .* )?is [0-9a-f]{{64}}\.$"
    with pytest.raises(FileNotFoundError, match=wanted):
        load(data_home=tmp_path, download_if_missing=False)
    assert files_below(tmp_path) == []


def test_mitbih_is_never_downloaded(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(FileNotFoundError, match=r"wfdb\.rdrecord\('103', .*c3be9d6f2a6c"):
        tsrnn.fetch_mitbih(103, data_home=tmp_path)


@pytest.mark.parametrize(
    ("load", "parameters", "message"),
    [
        (tsrnn.fetch_ett, {"variant": "ETTh2"}, r"^fetch_ett: `variant` must be one of \['ETTh1'\].*Did you mean"),
        (tsrnn.fetch_pjm, {"zone": "aep"}, "^fetch_pjm: `zone` must be one of"),
        (tsrnn.fetch_mitbih, {"record": "100"}, "^fetch_mitbih: `record` must be one of"),
        (tsrnn.fetch_mitbih, {"download_if_missing": 1}, "`download_if_missing` must be True or False"),
        (tsrnn.fetch_ett, {"data_home": 3}, "^fetch_ett: `data_home` must be a path or None; got 3"),
        (tsrnn.fetch_ett, {"data_home": ".", "download_if_missing": "no"}, "must be True or False; got 'no'"),
    ],
)
def test_parameters_are_checked(load, parameters, message):
    with pytest.raises(InvalidParameterError, match=message):
        load(**parameters)


def test_a_folder_of_the_home_directory(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert _download.data_folder("test", "~/data") == tmp_path / "data"


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("damage", ["another byte", "cut", "longer"])
@pytest.mark.fault("F17")
def test_a_damaged_file_is_refused(tmp_path, packed, damage):
    contents = {"another byte": b"T" + CONTENT[1:], "cut": CONTENT[:-1], "longer": CONTENT + b"more"}
    file = on_record("a.csv.gz" if packed else "a.csv", "http://nowhere.invalid/a.csv")
    path = tmp_path / file.path
    path.write_bytes(gzip.compress(contents[damage]) if packed else contents[damage])
    with pytest.raises(OSError, match=rf"^test: the content of `{path}` must have the sha256 {file.sha256}; got \w+"):
        read_published("test", file, tmp_path, False)


@pytest.mark.parametrize(
    "content",
    [b"no gzip", gzip.compress(CONTENT)[:-20], gzip.compress(CONTENT)[:60] + bytes(40)],
    ids=["no archive", "cut", "overwritten"],
)
@pytest.mark.fault("F17")
def test_a_broken_archive_is_refused(tmp_path, content):
    file = on_record("a.csv.gz", "http://nowhere.invalid/a.csv")
    (tmp_path / "a.csv.gz").write_bytes(content)
    with pytest.raises(OSError, match=r"^test: .*a\.csv\.gz` .*Delete"):
        read_published("test", file, tmp_path, False)


@pytest.mark.fault("F17")
def test_no_more_is_unpacked_than_should_be_there(tmp_path, monkeypatch):
    read = []
    unpack = gzip.GzipFile.read
    monkeypatch.setattr(gzip.GzipFile, "read", lambda self, n=-1: read.append(n) or unpack(self, n))
    file = on_record("a.csv.gz", "http://nowhere.invalid/a.csv")
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(bytes(50_000_000)))
    with pytest.raises(OSError, match="must have the sha256"):
        read_published("test", file, tmp_path, False)
    assert read == [len(CONTENT) + 1]


def npz(path, **arrays):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        np.savez_compressed(stream, **arrays)


GOOD = {"adu": np.zeros(9, np.int16), "ann_sample": np.arange(2, dtype=np.int32), "ann_symbol": np.array(["N", "V"])}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, "the arrays of .* must have the sha256 93ac"),
        ({"adu": np.zeros(1_500_000, np.int16)}, "must hold at most 2000000 bytes; got 30"),
        ({"ann_symbol": np.array([Path], dtype=object)}, "is damaged: .*allow_pickle"),
    ],
)
def test_arrays_of_other_content_are_refused(tmp_path, change, message):
    npz(tmp_path / "ecg_mitbih_mlii" / "mitdb_100_MLII.npz", **GOOD | change)
    with pytest.raises(OSError, match=message):
        tsrnn.fetch_mitbih(data_home=tmp_path)


def test_a_file_of_arrays_made_elsewhere_is_accepted(tmp_path, monkeypatch):
    joined = GOOD["adu"].tobytes() + GOOD["ann_sample"].tobytes() + b"NV"
    monkeypatch.setitem(physionet._SHA256, 100, hashlib.sha256(joined).hexdigest())
    npz(tmp_path / "ecg_mitbih_mlii" / "mitdb_100_MLII.npz", **{**GOOD, "ann_sample": np.arange(2)})
    ecg, labels = tsrnn.fetch_mitbih(data_home=tmp_path)
    assert ecg.tolist() == [-5.12] * 9
    assert labels.to_dict() == {0: "N", 1: "V"}


@pytest.mark.parametrize("content", [b"no archive", b""])
def test_what_is_no_archive_is_refused(tmp_path, content):
    npz(tmp_path / "ecg_mitbih_mlii" / "mitdb_100_MLII.npz")
    (tmp_path / "ecg_mitbih_mlii" / "mitdb_100_MLII.npz").write_bytes(content)
    with pytest.raises(OSError, match="is damaged"):
        tsrnn.fetch_mitbih(data_home=tmp_path)


# --- downloads ---


class Source(http.server.BaseHTTPRequestHandler):
    """What a source may do: answer well, send another content, too much, or too little."""

    def do_GET(self):
        self.server.asked.append((self.path, self.headers["Accept-Encoding"]))
        if self.path == "/gone.csv":
            self.send_error(404)
            return
        contents = {"/other.csv": CONTENT[:-2] + b"9\n", "/endless.csv": CONTENT * 1000, **self.server.contents}
        content = contents.get(self.path, CONTENT)
        self.send_response(200)
        if self.path != "/endless.csv":
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(content[:100] if self.path == "/interrupted.csv" else content)

    def log_message(self, *_):
        pass


@pytest.fixture
def source():
    """The address of a local source, and what it was asked for."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Source) as server:
        server.asked, server.contents = [], {}
        server.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("name", ["folder/a.csv", "folder/a.csv.gz"])
@pytest.mark.fault("F17")
def test_a_missing_file_is_downloaded_once(source, tmp_path, name):
    pytest.importorskip("pooch")
    file = on_record(name, f"{source.address}/a.csv")
    assert [read_published("test", file, tmp_path / "new", True) for _ in range(2)] == [CONTENT, CONTENT]
    assert source.asked == [("/a.csv", "identity")]
    stored = (tmp_path / "new" / name).read_bytes()
    assert (gzip.decompress(stored) if name.endswith(".gz") else stored) == CONTENT
    assert files_below(tmp_path) == [tmp_path / "new" / name]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/other.csv", "hash"),
        ("/endless.csv", f"more than the {len(CONTENT)} bytes on record"),
        ("/interrupted.csv", "100 bytes read"),
        ("/gone.csv", "404"),
    ],
)
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
@pytest.mark.fault("F17")
def test_a_failed_download_leaves_no_file(source, tmp_path, path, message, name):
    pytest.importorskip("pooch")
    file = on_record(name, source.address + path)
    with pytest.raises(OSError, match=rf"(?s)^test: {file.url} could not be downloaded: .*{message}.*Try again"):
        read_published("test", file, tmp_path, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.fault("F17")
def test_too_much_is_not_even_read(source, tmp_path):
    pooch = pytest.importorskip("pooch")
    target = tmp_path / "file"
    with pytest.raises(OSError, match="more than the 50000 bytes"):
        _download._bounded(pooch, 50_000)(f"{source.address}/endless.csv", target, None)
    assert target.stat().st_size <= 50_000


def answering(answers):
    """A transport for requests: (status, location, content) of each address, and what was asked."""
    import requests

    asked = []

    def send(_, request, **__):
        asked.append(request.url)
        status, location, content = answers[request.url]
        response = requests.Response()
        response.status_code, response.url, response.request = status, request.url, request
        response.headers.update({"location": location} if location else {"content-length": str(len(content))})
        response.raw = io.BytesIO(content)
        return response

    return send, asked


@pytest.mark.fault("F17")
@pytest.mark.parametrize("target", ["http://a.invalid/b.csv", "//b.invalid/b.csv", "/b.csv", "ftp://a.invalid/b.csv"])
def test_a_source_that_leaves_https_is_refused(tmp_path, monkeypatch, target):
    """Even one that sends the right content in the end; other redirects are followed."""
    pytest.importorskip("pooch")
    import requests

    whole, secure = (200, None, CONTENT), not target.startswith(("http:", "ftp:"))
    answers = dict.fromkeys(["http://a.invalid/b.csv", "https://b.invalid/b.csv", "https://a.invalid/b.csv"], whole)
    send, asked = answering({**answers, "https://a.invalid/a.csv": (302, target, b"")})
    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", send)
    file = on_record("a.csv", "https://a.invalid/a.csv")
    if secure:
        assert read_published("test", file, tmp_path, True) == CONTENT
        return
    with pytest.raises(OSError, match=rf"could not be downloaded: the source redirects to {target}, which is not htt"):
        read_published("test", file, tmp_path, True)
    assert asked == ["https://a.invalid/a.csv"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.fault("F17")
def test_an_archive_with_ways_out_is_bytes_and_nothing_more(source, tmp_path):
    """Whoever could change what is on record still writes one file, in its place: nothing is unpacked."""
    pytest.importorskip("pooch")
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name in ("../evil", str(tmp_path / "evil"), "inside"):
            archive.addfile(tarfile.TarInfo(name), io.BytesIO())
    source.contents = {"/a.tar.gz": packed.getvalue()}
    wrong = on_record("a/a.tar.gz", f"{source.address}/a.tar.gz")
    with pytest.raises(OSError, match="hash"):
        read_published("test", wrong, tmp_path / "cache", True)
    assert files_below(tmp_path) == []
    right = on_record("a/a.tar.gz", f"{source.address}/a.tar.gz", packed.getvalue())
    assert read_published("test", right, tmp_path / "cache", True) == packed.getvalue()
    assert files_below(tmp_path) == [tmp_path / "cache" / "a" / "a.tar.gz"]


@pytest.mark.fault("F17")
def test_every_path_on_record_stays_in_its_folder():
    for file in _published.FILES.values():
        assert not Path(file.path).is_absolute()
        assert ".." not in Path(file.path).parts
        assert file.url.startswith("https://")


@pytest.mark.fault("F17")
def test_without_a_network_the_source_and_the_path_are_named(tmp_path):
    pytest.importorskip("pooch")
    file = on_record("a.csv.gz", "http://127.0.0.1:9/a.csv")
    with pytest.raises(OSError, match=rf"could not be downloaded: .*put its gzip at `{tmp_path / 'a.csv.gz'}`\.$"):
        read_published("test", file, tmp_path, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("load", DOWNLOADERS)
def test_every_loader_downloads_what_is_on_record(load, tmp_path, monkeypatch):
    asked = []

    def refuse(url, known_hash, **_):
        asked.append((url, known_hash))
        raise OSError("no network")

    pooch = pytest.importorskip("pooch")
    monkeypatch.setattr(pooch, "retrieve", refuse)
    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path / name)
    with pytest.raises(OSError, match=rf"^{load.__name__}: https://.*no network.* at `{tmp_path}/tsrnn/\w+/"):
        load()
    assert asked[0] in [(file.url, f"sha256:{file.sha256}") for file in _published.FILES.values()]


@pytest.mark.parametrize("load", LOADERS)
def test_without_pooch_the_remedy_is_named(load, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(ImportError, match=rf"^{load.__name__}: .*pip install 'tsrnn\[fetch\]'"):
        load()


@needs_data
@pytest.mark.parametrize("name", _published.FILES)
def test_the_files_on_record_are_those_that_were_published(name):
    file = _published.FILES[name]
    longer = dataclasses.replace(file, n_bytes=file.n_bytes + 10)
    assert len(read_published("test", longer, SHARED, False)) == file.n_bytes
    readme = (SHARED / file.path).parent / "README.md"
    stored = hashlib.sha256((SHARED / file.path).read_bytes()).hexdigest()
    assert stored in readme.read_text(encoding="utf-8")
