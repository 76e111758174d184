"""Clients that read slowly or never: they cost little, hold up nobody, and lose nothing."""

from __future__ import annotations

import hashlib
import json
import struct
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import httpx
import psutil
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.experiments.streaming.readers import (
    MIB,
    asked,
    at_rest,
    open_files,
    opened_socket,
    posted,
    read_to_end,
    read_until,
    resident,
    sparse_media,
    wait_until,
)
from tests.run_directories import write_run
from tests.server import ViewerServer, running_server

#: What a stuck client may cost the web process.
ALLOWED = 50 * MIB
BIG = 400 * MIB
JSON = {"Content-Type": "application/json"}
#: As the shipped ones, but sooner, and in the same order: a socket that nobody reads would count as an answer that
#: nobody reads, and as silent, if it was not full before.
LIMITS = {
    "full_socket_s": 2.5,
    "full_answer_s": 4.0,
    "ping_s": 0.5,
    "silent_socket_s": 4.0,
    "refused_body_s": 0.5,
    "watch_s": 0.1,
}


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerServer]:
    """For clients that shall be given up; a busy machine may be too slow for it."""
    folder = tmp_path_factory.mktemp("hasty")
    with running_server(folder, TEST_LIMITS=json.dumps(LIMITS)) as server:
        httpx.get(f"{server.url}/api/runs")  # what the first request loads is not what is measured
        yield server


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerServer]:
    """With the limits as shipped."""
    with running_server(tmp_path_factory.mktemp("patient")) as server:
        httpx.get(f"{server.url}/api/runs")
        yield server


def test_a_download_that_nobody_reads_is_not_kept_in_memory(patient: ViewerServer):
    address = sparse_media(patient, "20250302_101500_00big1", BIG)
    before = resident(patient)

    with asked(patient, address):
        wait_until(lambda: open_files(patient, "big.bin") == 1, "the download begins")

        assert at_rest(patient.pid) - before < ALLOWED
        assert open_files(patient, "big.bin") == 1


def test_a_slow_reader_gets_every_byte(patient: ViewerServer):
    size = 20 * MIB + 12_345
    address = sparse_media(patient, "20250302_101500_00slow", size)
    expected = hashlib.sha256(b"begin" + bytes(size - 8) + b"end").hexdigest()

    with asked(patient, address) as client:
        received = client.recv(4096)
        while b"\r\n\r\n" not in received:
            received += client.recv(4096)
        body = received.partition(b"\r\n\r\n")[2]
        digest, count, piece = hashlib.sha256(body), len(body), 0
        while count < size:
            chunk = client.recv(64 * 1024)
            digest.update(chunk)
            count, piece = count + len(chunk), piece + 1
            if piece % 20 == 0:
                time.sleep(0.01)

    assert (count, digest.hexdigest()) == (size, expected)


TABLE = "20250302_101500_000tab"
READERS = 10


@pytest.fixture(scope="module")
def table(patient: ViewerServer) -> int:
    """The number of rows by step of a run, some of which have two records. Its answers have 9 MB and more."""
    records = [
        {"global_step": step - (step % 100 == 99), **{f"metric_{n}": step * 0.1 for n in range(20)}}
        for step in range(20_000)
    ]
    write_run(patient.storage, f"big/table/runs/{TABLE}", records=records)
    patient.scan()
    return len({record["global_step"] for record in records})


@pytest.mark.parametrize("address", [f"/api/runs/{TABLE}/metrics_step", f"/api/runs/{TABLE}/metrics"])
def test_tables_that_nobody_reads_are_not_made(patient: ViewerServer, table: int, address: str):
    httpx.get(f"{patient.url}{address}", timeout=60)  # reads the arrays, which all requests share
    before = resident(patient)

    with ExitStack() as stack:
        clients = [stack.enter_context(asked(patient, address)) for _ in range(READERS)]
        for client in clients:
            assert client.recv(8) == b"HTTP/1.1"

        assert at_rest(patient.pid) - before < ALLOWED
        whole = httpx.get(f"{patient.url}{address}", timeout=60).json()
    assert len(whole["rows"]) == (table if address.endswith("step") else 20_000)


def test_series_that_nobody_reads_are_not_made(patient: ViewerServer, table: int):
    query = json.dumps({"run_ids": [TABLE]}).encode()
    httpx.post(f"{patient.url}/api/v2/metrics/query", content=query, headers=JSON, timeout=60)
    before = resident(patient)

    with ExitStack() as stack:
        clients = [stack.enter_context(posted(patient, "/api/v2/metrics/query", query)) for _ in range(READERS)]
        for client in clients:
            assert client.recv(8) == b"HTTP/1.1"

        assert at_rest(patient.pid) - before < ALLOWED


def test_a_client_that_leaves_in_the_middle_frees_its_file(patient: ViewerServer):
    address = sparse_media(patient, "20250302_101500_0leave", BIG)
    with ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(asked(patient, address))
        wait_until(lambda: open_files(patient, "big.bin") >= 10, "the downloads begin")

    wait_until(lambda: open_files(patient, "big.bin") == 0, "the files are closed")


def test_a_client_that_never_reads_is_given_up_in_the_end(hasty: ViewerServer):
    address = sparse_media(hasty, "20250302_101500_giveup", BIG)

    with asked(hasty, address):
        wait_until(lambda: open_files(hasty, "big.bin") == 1, "the download begins")
        wait_until(lambda: open_files(hasty, "big.bin") == 0, "the client is given up")


def test_others_are_answered_at_once_while_many_are_stuck(patient: ViewerServer):
    address = sparse_media(patient, "20250302_101500_0stuck", BIG)
    with httpx.Client(base_url=patient.url) as other, ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(asked(patient, address))
        wait_until(lambda: open_files(patient, "big.bin") == 40, "the downloads begin")

        answers = [other.get("/api/v2/experiments") for _ in range(20)]

    assert {answer.status_code for answer in answers} == {200}
    assert max(answer.elapsed.total_seconds() for answer in answers) < 2


def test_a_keepalive_connection_goes_on_after_a_long_answer_and_a_head(patient: ViewerServer):
    address = sparse_media(patient, "20250302_101500_0keep0", 3 * MIB)
    with httpx.Client(base_url=patient.url) as client:
        assert len(client.get(address).content) == 3 * MIB
        assert client.head(address).headers["Content-Length"] == str(3 * MIB)
        assert client.get("/api/health").json()["status"] == "ok"


def test_pipelined_requests_are_answered_in_order(patient: ViewerServer):
    address = sparse_media(patient, "20250302_101500_0pipe0", 2 * MIB)
    with asked(patient, address) as client:
        client.sendall(b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        received = read_to_end(client)

    head, _, rest = received.partition(b"\r\n\r\n")
    assert b" 200 " in head.splitlines()[0]
    assert rest[: 2 * MIB].endswith(b"end")
    assert b'"status":"ok"' in rest[2 * MIB :]


def short_log(server: ViewerServer, run_id: str) -> str:
    """The path of the log of a running run. What is to be long is added while it is followed: replay has limits."""
    run_dir = write_run(server.storage, f"big/logs/runs/{run_id}", status={"status": "running"})
    (run_dir / "logs.txt").write_text("first\n")
    server.scan()
    return str(run_dir / "logs.txt")


def append_lines(path: str, count: int, *, start: int = 0) -> None:
    with open(path, "a", encoding="utf-8") as log:
        log.writelines(f"line {number:09d} {'x' * 1000}\n" for number in range(start, start + count))


def test_a_log_that_nobody_reads_is_not_kept_in_memory(patient: ViewerServer):
    log = short_log(patient, "20250302_101500_0logs0")
    with opened_socket(patient, "/api/runs/20250302_101500_0logs0/logs/ws") as client:
        read_until(client, b"first")
        before = resident(patient)
        append_lines(log, 200_000)

        assert at_rest(patient.pid) - before < ALLOWED


def frames(data: bytes) -> list[tuple[int, bytes]]:
    """Opcode and payload of the whole frames of a server."""
    found, at = [], 0
    while len(data) - at >= 2:
        size, head = data[at + 1], 2
        if size >= 126:
            head = 4 if size == 126 else 10
            (size,) = struct.unpack_from(">H" if head == 4 else ">Q", data, at + 2)
        if len(data) - at < head + size:
            break
        found.append((data[at] & 15, data[at + head : at + head + size]))
        at += head + size
    return found


def test_a_socket_that_stays_full_is_closed_and_the_client_goes_on_where_it_was(hasty: ViewerServer):
    run_id = "20250302_101500_0full0"
    log = short_log(hasty, run_id)
    with opened_socket(hasty, f"/api/runs/{run_id}/logs/ws") as client:
        received = read_until(client, b"first")
        append_lines(log, 5_000)
        # nothing shows it but what must not be read; what is on its way may be taken for as long again
        time.sleep(LIMITS["full_socket_s"] + 0.8)
        received += read_to_end(client)  # the client does not say good-bye

    sent = frames(received)
    assert sent[-1][0] == 8
    assert struct.unpack(">H", sent[-1][1][:2]) == (1013,)
    lines = [payload.decode() for opcode, payload in sent if opcode == 1]
    place = sum(len(line) + 1 for line in lines)
    while len(lines) < 5_001:
        page = httpx.get(f"{hasty.url}/runs/{run_id}/logs.json?after={place}").json()
        lines += page["lines"]
        place = page["end"]
    assert lines == ["first", *(f"line {number:09d} {'x' * 1000}" for number in range(5_000))]


def test_a_reader_of_a_log_is_not_held_up_by_one_that_is_stuck(patient: ViewerServer):
    run_id = "20250302_101500_0other"
    log = short_log(patient, run_id)
    with (
        opened_socket(patient, f"/api/runs/{run_id}/logs/ws"),
        connect(f"{patient.ws_url}/api/runs/{run_id}/logs/ws", max_size=None) as reader,
    ):
        assert reader.recv(timeout=10) == "first"
        append_lines(log, 5_000)
        received = [reader.recv(timeout=10) for _ in range(5_000)]

    assert received[-1].startswith("line 000004999")


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(patient: ViewerServer):
    with asked(patient, "/api/health") as client:
        client.sendall(
            b"POST /api/runs/soft-delete HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: 10000000000\r\n\r\n{"
        )
        received = read_until(client, b'bytes."}')

    assert b" 413 " in received
    assert b'"detail": "The request body is larger than 16,777,216 bytes."' in received


def test_a_chunked_body_is_counted(hasty: ViewerServer):
    before = resident(hasty)
    with asked(hasty, "/api/health") as client:
        client.sendall(
            b"POST /api/runs/soft-delete HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n"
        )
        piece = b"%x\r\n" % MIB + bytes(MIB) + b"\r\n"
        deadline = time.monotonic() + 30
        with suppress(OSError):  # the server lets go some seconds after its answer
            while time.monotonic() < deadline:
                client.sendall(piece)

        assert time.monotonic() < deadline
    assert resident(hasty) - before < ALLOWED


def test_a_large_message_of_a_client_ends_its_socket_and_no_other(patient: ViewerServer):
    with connect(f"{patient.ws_url}/live/ws") as other, connect(f"{patient.ws_url}/live/ws") as client:
        client.send("x" * 300_000)
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=10)
        other.send('{"subscribe": "*"}')
        assert json.loads(other.recv(timeout=10))["type"] == "subscribed"


def test_a_client_that_is_silent_is_let_go(hasty: ViewerServer):
    """It answers no ping, as one whose machine lost its network."""
    count = len(psutil.Process(hasty.pid).net_connections())
    with opened_socket(hasty, "/live/ws"):
        wait_until(lambda: len(psutil.Process(hasty.pid).net_connections()) > count, "the socket is open")
        wait_until(
            lambda: len(psutil.Process(hasty.pid).net_connections()) <= count, "the socket is let go", timeout_s=40
        )
