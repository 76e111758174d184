"""GET /api/artifacts/{name}/v{version}/download: a zip archive that is made while it is sent."""

from __future__ import annotations

import io
import itertools
import random
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from artifacts.http import zips
from runicorn.artifacts.models import FileEntry, ReferenceEntry
from runicorn.storage.digests import digest_of
from tests.artifacts.api.conftest import read_all
from tests.artifacts.stored import log_version, place_of
from tests.server import ViewerServer

MIB = 1024 * 1024
_counter = itertools.count()
FILES = {
    "weights/model.bin": random.Random(7).randbytes(3 * MIB + 5),
    "权重/说明.txt": "你好".encode(),
    "empty": b"",
    "deep/er/and/deeper.json": b"{}",
}


@pytest.fixture
def name(server: ViewerServer) -> str:
    return f"zipped-{next(_counter)}"


def test_the_archive_holds_every_file_as_it_is(server: ViewerServer, api: httpx.Client, name: str, tmp_path: Path):
    log_version(server.storage, FILES, name=name)
    server.scan()

    answer = api.get(f"/api/artifacts/{name}/v1/download")

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/zip")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}-v1.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert {info.filename: archive.read(info) for info in archive.infolist()} == FILES
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        assert {info.external_attr >> 16 for info in archive.infolist()} == {0o644}
    (tmp_path / "a.zip").write_bytes(answer.content)
    # another reader than the module that wrote it
    subprocess.run([sys.executable, "-m", "zipfile", "-t", "a.zip"], cwd=tmp_path, check=True, capture_output=True)


def test_a_version_without_files_is_an_empty_archive(server: ViewerServer, api: httpx.Client, name: str):
    log_version(server.storage, {}, name=name, references=[ReferenceEntry("s3://bucket/raw")])
    server.scan()

    answer = api.get(f"/api/artifacts/{name}/v1/download")

    assert zipfile.ZipFile(io.BytesIO(answer.content)).namelist() == []


@pytest.mark.parametrize("damage", ["changed", "gone"])
def test_an_archive_with_a_damaged_file_breaks_off(server: ViewerServer, name: str, damage: str):
    log_version(server.storage, FILES, name=name)
    server.scan()
    path = place_of(server.storage, name).home / "v1" / "files" / "weights/model.bin"
    path.chmod(0o644)
    if damage == "changed":
        path.write_bytes(b"\0" * len(FILES["weights/model.bin"]))
    else:
        path.unlink()

    got, is_whole = read_all(f"{server.url}/api/artifacts/{name}/v1/download")

    assert not is_whole
    with pytest.raises(zipfile.BadZipFile):
        zipfile.ZipFile(io.BytesIO(got))


def test_a_large_archive_costs_no_memory_and_no_temporary_file(server: ViewerServer, name: str, tmp_path: Path):
    log_version(server.storage, {"w": b"\0" * (300 * MIB)}, name=name)
    server.scan()
    process = psutil.Process(server.pid)
    before, most, size = process.memory_info().rss, 0, 0
    temporary = f"{tempfile.gettempdir()}/{tempfile.gettempprefix()}"

    with httpx.stream("GET", f"{server.url}/api/artifacts/{name}/v1/download", timeout=60) as answer:
        for piece in answer.iter_raw():
            size += len(piece)
            most = max(most, process.memory_info().rss)
            assert not [file.path for file in process.open_files() if file.path.startswith(temporary)]

    assert size > 300 * MIB
    assert most - before < 50 * MIB


class _Zeros(io.RawIOBase):
    """So many zero bytes, without a disk that holds them."""

    def __init__(self, size: int) -> None:
        self._left = size

    def read(self, size: int = -1) -> bytes:
        size = min(size, self._left)
        self._left -= size
        return b"\0" * size


def test_a_member_beyond_4_gib_has_sizes_of_64_bits(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Without the bytes of such a file: its size is promised, and the archive is told so before it ends."""
    entry = FileEntry("huge", 5 * 1024 * MIB, digest_of(b""), 1e9)
    monkeypatch.setattr(zips, "open_file", lambda place, version, entry: _Zeros(MIB))

    pieces: Iterator[bytes] = zips.zip_pieces(place_of(tmp_path), 1, [entry])

    header = next(pieces)
    assert header[:4] == b"PK\x03\x04"
    assert int.from_bytes(header[4:6], "little") == 45  # the version of zip that has zip64
    assert int.from_bytes(header[28:30], "little") == 20  # an extra field of two 64-bit sizes


def test_pieces_are_of_bounded_size(tmp_path: Path):
    log_version(tmp_path, FILES)
    place = place_of(tmp_path)
    entries = [FileEntry(path, len(content), digest_of(content), 1e9) for path, content in FILES.items()]

    sizes = [len(piece) for piece in zips.zip_pieces(place, 1, entries)]

    assert max(sizes) == 256 * 1024
    assert min(sizes[:-1]) == 256 * 1024
