"""The answers that the real 0.4.1 gave for a storage root, beside ours for the same root.

Where they differ, the specification says so: every difference stands in DIFFERENCES with its rule, and a rule that
explains nothing any more fails, too. Addresses that come with later parts of the API are not asked for.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import httpx
import pytest

from tests.components import fixtures
from tests.server import ViewerServer, running_server

#: Where the root of the fixture lay when its answers were recorded.
RECORDED_ROOT = "/data/runicorn"
RUN = "20261123_065528_999992"


@dataclass(frozen=True)
class Difference:
    """Answers to ``request`` may differ from the recorded ones at ``place`` (both patterns), because of ``rule``."""

    request: str
    place: str
    rule: str


DIFFERENCES = [
    Difference(
        "GET /api/runs", "order", "newest created_time first instead of grouped by experiment (B, GET /api/runs)"
    ),
    Difference("GET /api/runs", "*.ended_at added", "extra fields allowed (B, GET /api/runs)"),
    Difference("GET /api/runs", "*.tags added", "extra fields allowed (B, GET /api/runs)"),
    Difference("GET /api/runs", "*.root added", "answers carry the root they come from (3, Which root)"),
    Difference("GET /api/runs", "*f8fe11.status changed", "a run of another machine is never failed by guess (R8)"),
    Difference("GET /api/runs/20261123_065541_f8fe11", ".status changed", "as in the list (R8)"),
    Difference("GET /api/projects", ".details added", "chosen beside the documented (D)"),
    Difference("GET /api/projects/*/runs", "*.ended_at added", "as in GET /api/runs (D)"),
    Difference("GET /api/projects/*/runs", "*.tags added", "as in GET /api/runs (D)"),
    Difference("GET /api/projects/*/runs", "*.root added", "as in GET /api/runs (D)"),
    Difference("GET /api/projects/*/runs", "*.artifacts_*_count changed", "real artifact counts (D)"),
    Difference("GET /api/health", ".api_version added", "api_version names the reference (A, health)"),
    Difference("GET /api/health", ".timestamp added", "documented, missing in the original (A, health)"),
    Difference("GET /api/health", ".version changed", "version is ours (3, Version)"),
    Difference("GET /api/health", ".cache.max_size changed", "counted in bytes; ours is another cache"),
    Difference(
        "GET /api/runs/2026*[0-9a-f]", ".* added", "chosen fields beside the documented (B, GET /api/runs/{run_id})"
    ),
    Difference("GET /api/runs/*/metrics", ".columns changed", "time-based table, as documented (C, metrics; R3)"),
    Difference("GET /api/runs/*/metrics", ".rows changed", "one row a record, as documented (C, metrics; R3)"),
    Difference("GET /api/runs/*999992/metrics_step", ".columns changed", "the metric epoch is kept (R4)"),
    Difference("GET /api/runs/*999992/metrics_step", ".rows[[]*[]].epoch added", "the metric epoch is kept (R4)"),
    Difference("GET /api/runs/*/progress", ".status changed", "the real status (R19)"),
    Difference("GET /api/runs/nope", ".error_code added", "optional extra (2)"),
    Difference("GET /api/runs/20250101_000000_aaaaaa", ".error_code added", "optional extra (2)"),
    Difference("GET /api/runs/*/artifacts", ".*.aliases changed", "the aliases map is the truth (storage layout, 8.2)"),
    Difference("GET /api/artifacts*", "[[]*[]].root added", "answers carry the root they come from (3, Which root)"),
    Difference("GET /api/artifacts/*/v2", ".root added", "answers carry the root they come from (3, Which root)"),
    Difference("GET /api/artifacts/*/v2", ".also_in added", "answers carry the root they come from (3, Which root)"),
    Difference("GET /api/artifacts/*/v2", ".lifecycle_stage added", "chosen (H, version)"),
    Difference("GET /api/artifacts/*/v2", ".deleted_at added", "extra fields allowed"),
    Difference("GET /api/artifacts/*/v2", ".manifest_digest changed", "with its prefix, as documented (F21)"),
    Difference("GET /api/artifacts/*/v2", ".aliases changed", "those that point here now (storage layout, 8.2)"),
    Difference("GET /api/artifacts/*/versions", "*.aliases changed", "those that point here now (H, versions)"),
    Difference("GET /api/artifacts/*", ".error_code added", "optional extra (2)"),
    Difference("GET /api/environment/*", ".*.env_variables.PATH changed", "shortened when the answers were recorded"),
    Difference("GET /api/v2/experiments", ".experiments changed", "the original's index never initialises (P1)"),
    Difference("GET /api/v2/experiments", ".total changed", "the original's index never initialises (P1)"),
    Difference("GET /api/v2/*", ".query_time_ms changed", "a duration"),
    Difference("GET /api/v2/*/metrics/fast*", ".columns changed", "the original's index never initialises (P1)"),
    Difference("GET /api/v2/*/metrics/fast*", ".rows changed", "the original's index never initialises (P1)"),
    Difference("GET /api/v2/*/metrics/fast*", ".total_points changed", "the original's index never initialises (P1)"),
    Difference("GET /api/v2/*/metrics/fast*", ".total_rows added", "rows before reduction (I, metrics/fast)"),
    Difference("GET /api/v2/*/metrics/fast*", ".applied_filters.extremes_complete added", "chosen (I, metrics/fast)"),
    Difference("GET /api/recycle-bin", ".deleted_runs changed", "recorded between a deletion and its undoing"),
    Difference("POST * {*", ".ok added", "class C carries ok (1)"),
    Difference("POST * {*", ".data added", "class C carries data (1)"),
    Difference("POST * {*", ".error_code added", "optional extra (2)"),
    Difference("POST /api/status/check", ".ok added", "class C carries ok (1)"),
    Difference("POST /api/status/check", ".data added", "class C carries data (1)"),
    Difference("POST /api/status/check", ".checked changed", "the run of another machine still counts as running (R8)"),
    Difference("POST /api/status/check", ".message changed", "the run of another machine still counts as running (R8)"),
]

#: Addresses of the recorded answers that exist by now; the others come with later parts.
ASKED = [
    "GET /api/runs*",
    "GET /api/projects*",
    "GET /api/environment/*",
    "GET /api/artifacts",
    "GET /api/artifacts[?]type=*",
    "GET /api/artifacts/*/versions",
    "GET /api/artifacts/*/v[0-9]",
    "GET /api/artifacts/*/v[0-9][0-9]",
    "GET /api/artifacts/*/v[0-9]/files",
    "GET /api/health",
    "GET /api/gpu/*",
    "GET /api/v2/experiments",
    "GET /api/v2/*/metrics/fast*",
]
ASKED += ["GET /api/recycle-bin", "POST /api/runs/*", "POST /api/recycle-bin/*", "POST /api/status/check"]
#: Lists that are compared as a whole: what is in them has tests of its own.
WHOLE = {".columns", ".deleted_runs", ".experiments"}


def recorded() -> dict[str, Any]:
    answers: dict[str, Any] = json.loads((fixtures() / "responses-0.4.1.json").read_text(encoding="utf-8"))
    return {
        request: answer
        for request, answer in answers.items()
        if any(fnmatchcase(request, pattern) for pattern in ASKED)
    }


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerServer]:
    folder = tmp_path_factory.mktemp("contract")
    with tarfile.open(fixtures() / "storage-0.4.1.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    (folder / "storage-0.4.1").rename(folder / "root")
    with running_server(folder) as server:
        server.scan()
        yield server


@pytest.fixture(scope="module")
def answers(server: ViewerServer) -> dict[str, tuple[int, Any]]:
    """Our status and body for each recorded request, asked in the recorded order."""
    with httpx.Client(base_url=server.url) as client:
        return {request: _ask(client, request, root=str(server.storage)) for request in recorded()}


def _ask(client: httpx.Client, request: str, *, root: str) -> tuple[int, Any]:
    method, address, *body = request.split(" ", 2)
    answer = client.request(method, address, json=json.loads(body[0]) if body else None)
    return answer.status_code, json.loads(answer.text.replace(root, RECORDED_ROOT))


def test_every_difference_has_a_rule_and_every_rule_a_difference(answers: Mapping[str, tuple[int, Any]]):
    found = [
        (request, place)
        for request, answer in recorded().items()
        for place in _differences(answer["body"], answers[request][1])
    ]

    def explains(rule: Difference, request: str, place: str) -> bool:
        return fnmatchcase(request, rule.request) and fnmatchcase(place, rule.place)

    unexplained = [pair for pair in found if not any(explains(rule, *pair) for rule in DIFFERENCES)]
    idle = [rule for rule in DIFFERENCES if not any(explains(rule, *pair) for pair in found)]
    assert unexplained == []
    assert idle == []


def test_every_status_is_the_recorded_one(answers: Mapping[str, tuple[int, Any]]):
    assert {request: status for request, (status, _) in answers.items()} == {
        request: answer["status"] for request, answer in recorded().items()
    }


def test_the_step_table_holds_exactly_the_recorded_values(answers: Mapping[str, tuple[int, Any]]):
    request = f"GET /api/runs/{RUN}/metrics_step"
    theirs, ours = recorded()[request]["body"], answers[request][1]

    assert [{key: row[key] for key in theirs["columns"]} for row in ours["rows"]] == theirs["rows"]


def _differences(theirs: Any, ours: Any, place: str = "") -> Iterator[str]:
    """Where two answers differ: ``<place> added``, ``missing`` or ``changed``; ``order`` for another order of runs."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key in sorted(theirs.keys() | ours.keys()):
            if key not in ours:
                yield f"{place}.{key} missing"
            elif key not in theirs:
                yield f"{place}.{key} added"
            else:
                yield from _differences(theirs[key], ours[key], f"{place}.{key}")
    elif _are_runs(theirs) and _are_runs(ours) and place not in WHOLE:
        if [run["id"] for run in theirs] != [run["id"] for run in ours]:
            yield "order"
        yield from _differences({run["id"]: run for run in theirs}, {run["id"]: run for run in ours}, place)
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours) and place not in WHOLE:
        for index, (one, other) in enumerate(zip(theirs, ours, strict=True)):
            yield from _differences(one, other, f"{place}[{index}]")
    elif theirs != ours:
        yield f"{place} changed"


def _are_runs(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) and "id" in item for item in value)
