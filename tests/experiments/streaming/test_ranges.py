"""Parts of files: what a Range header gets, and downloads that go on where they broke off."""

from __future__ import annotations

import os
import random
import re
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.experiments.streaming.readers import MIB, asked, open_files, wait_until
from tests.run_directories import write_run
from tests.server import ViewerServer, running_server

RUN = "20250302_101500_0range"
SIZE = 1000
#: Larger than what the server and the kernel hold of an answer that nobody reads.
LONG = 32 * MIB + 12_345


@dataclass(frozen=True)
class Files:
    """The media folder of a run, and where it is served."""

    server: ViewerServer
    folder: Path

    def add(self, name: str, content: bytes) -> str:
        """The address of a new file."""
        (self.folder / name).write_bytes(content)
        return self.address(name)

    @staticmethod
    def address(name: str) -> str:
        return f"/api/runs/{RUN}/media/{name}"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Files]:
    with running_server(tmp_path_factory.mktemp("ranges")) as server:
        run_dir = write_run(server.storage, f"big/files/runs/{RUN}")
        (run_dir / "media").mkdir()
        server.scan()
        files = Files(server, run_dir / "media")
        files.add("bytes.bin", CONTENT)
        files.add("empty.bin", b"")
        yield files


CONTENT = random.Random(3).randbytes(SIZE)


@pytest.fixture
def client(files: Files) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=files.server.url, timeout=30) as client:
        yield client


PARTS = {
    "bytes=0-0": (0, 0),
    "bytes=0-499": (0, 499),
    "bytes=500-": (500, 999),
    "bytes=999-": (999, 999),
    "bytes=-1": (999, 999),
    "bytes=-400": (600, 999),
    "bytes=-5000": (0, 999),
    "bytes=990-5000": (990, 999),
    "BYTES=5-6": (5, 6),
}


@pytest.mark.parametrize(("asked_for", "places"), PARTS.items())
def test_a_range_gets_these_bytes_and_no_others(client: httpx.Client, asked_for: str, places: tuple[int, int]):
    first, last = places

    answer = client.get(Files.address("bytes.bin"), headers={"Range": asked_for})

    assert (answer.status_code, answer.content) == (206, CONTENT[first : last + 1])
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert answer.headers["Content-Length"] == str(last - first + 1)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="bytes.bin"'


@pytest.mark.parametrize("asked_for", ["bytes=1000-", "bytes=1000-2000", "bytes=-0", "bytes=999999999999999-"])
def test_a_range_outside_of_the_file_is_a_416_that_tells_the_size(files: Files, client: httpx.Client, asked_for: str):
    answer = client.get(Files.address("bytes.bin"), headers={"Range": asked_for})

    assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{SIZE}")
    assert answer.json() == {"detail": "The file has 1,000 bytes, and none of those that were asked for."}
    assert "Content-Disposition" not in answer.headers
    assert open_files(files.server, "bytes.bin") == 0


NONSENSE = [
    "bytes=5-2",
    "bytes= 5-6",
    "bytes=",
    "bytes=-",
    "bytes=a-b",
    "bytes=+1-3",
    "bytes=1_0-20",
    "bytes=--5",
    "bytes=1-2-3",
]


@pytest.mark.parametrize(
    "asked_for", [*NONSENSE, "items=0-5", "0-5", "bytes=0-1,5-6", "bytes=0-,-1", "bytes=" + "9" * 19]
)
def test_several_ranges_other_units_and_nonsense_get_the_whole_file(client: httpx.Client, asked_for: str):
    answer = client.get(Files.address("bytes.bin"), headers={"Range": asked_for})

    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert "Content-Range" not in answer.headers


def test_an_empty_file_is_whole_whatever_is_asked_for(client: httpx.Client):
    answer = client.get(Files.address("empty.bin"), headers={"Range": "bytes=0-1023"})

    assert (answer.status_code, answer.content, answer.headers["Content-Length"]) == (200, b"", "0")


def test_a_head_request_tells_that_there_are_ranges_and_has_none(client: httpx.Client):
    answer = client.head(Files.address("bytes.bin"), headers={"Range": "bytes=0-9"})

    assert (answer.status_code, answer.headers["Content-Length"]) == (200, str(SIZE))
    assert answer.headers["Accept-Ranges"] == "bytes"


def test_a_part_is_given_only_of_the_file_that_the_client_knows(client: httpx.Client):
    whole = client.get(Files.address("bytes.bin"))
    etag, date = whole.headers["ETag"], whole.headers["Last-Modified"]

    def status(condition: str) -> int:
        headers = {"Range": "bytes=0-9", "If-Range": condition}
        return client.get(Files.address("bytes.bin"), headers=headers).status_code

    assert [status(condition) for condition in (etag, date)] == [206, 206]
    others = ('"other"', f"W/{etag}", etag.strip('"'), "Sun, 02 Mar 2025 10:15:00 GMT", "yesterday", "*")
    assert {status(condition) for condition in others} == {200}


def test_a_known_file_is_not_sent_and_a_changed_one_is_refused_before_a_range_counts(client: httpx.Client):
    etag = client.get(Files.address("bytes.bin")).headers["ETag"]

    known = client.get(Files.address("bytes.bin"), headers={"Range": "bytes=5000-", "If-None-Match": etag})
    changed = client.get(Files.address("bytes.bin"), headers={"Range": "bytes=0-9", "If-Match": '"other"'})

    assert (known.status_code, known.content) == (304, b"")
    assert (changed.status_code, changed.content) == (412, b"")


def read_body(client: socket.socket, *, enough: int = 1 << 40) -> tuple[str, bytes]:
    """The head of an answer, and what follows it: until there is enough, or the connection ends."""
    received = bytearray()
    with suppress(ConnectionResetError):
        while len(received) < enough and (chunk := client.recv(1 << 16)):
            received += chunk
    head, _, body = bytes(received).partition(b"\r\n\r\n")
    return head.decode("latin-1"), body


def test_a_download_that_broke_off_goes_on_where_it_was(files: Files, client: httpx.Client):
    content = random.Random(4).randbytes(LONG)
    address = files.add("long.bin", content)
    with asked(files.server, address) as broken:
        head, begin = read_body(broken, enough=5_000_000)
    (etag,) = re.findall(r"(?i)^etag: (.+?)\r?$", head, re.MULTILINE)

    rest = client.get(address, headers={"Range": f"bytes={len(begin)}-", "If-Range": etag})

    assert rest.status_code == 206
    assert begin + rest.content == content


def test_a_file_that_was_replaced_meanwhile_comes_whole(files: Files, client: httpx.Client):
    address = files.add("weights.bin", b"a" * 5000)
    etag = client.get(address).headers["ETag"]
    files.add("new.bin", b"b" * 5000)
    os.replace(files.folder / "new.bin", files.folder / "weights.bin")

    answer = client.get(address, headers={"Range": "bytes=2000-", "If-Range": etag})

    assert (answer.status_code, answer.content) == (200, b"b" * 5000)


def test_a_file_that_grows_while_it_is_sent_has_the_length_that_was_promised(files: Files):
    content = random.Random(5).randbytes(LONG)
    address = files.add("growing.bin", content)
    with asked(files.server, address) as client:
        wait_until(lambda: open_files(files.server, "growing.bin") == 1, "the download begins")
        with (files.folder / "growing.bin").open("ab") as file:
            file.write(b"later" * 1000)
        client.sendall(b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        _, body = read_body(client)

    assert body[:LONG] == content
    assert body[LONG:].startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_file_that_shrinks_while_it_is_sent_ends_the_connection(files: Files):
    address = files.add("shrinking.bin", bytes(LONG))
    with asked(files.server, address) as client:
        wait_until(lambda: open_files(files.server, "shrinking.bin") == 1, "the download begins")
        os.truncate(files.folder / "shrinking.bin", MIB)
        _, body = read_body(client)

    assert len(body) < LONG
    wait_until(lambda: open_files(files.server, "shrinking.bin") == 0, "the file is closed")
    assert "bytes are missing" in files.server.log.read_text()


def test_a_foreign_page_may_ask_for_parts_and_read_what_it_got(client: httpx.Client):
    origin = {"Origin": "https://elsewhere.example"}

    allowed = client.options(Files.address("bytes.bin"), headers=origin).headers["Access-Control-Allow-Headers"]
    exposed = client.get(Files.address("bytes.bin"), headers=origin).headers["Access-Control-Expose-Headers"]

    assert {"Range", "If-Range", "If-None-Match"} <= set(allowed.split(", "))
    assert {"Accept-Ranges", "Content-Range", "ETag"} <= set(exposed.split(", "))
