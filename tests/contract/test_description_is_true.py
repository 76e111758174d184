"""Every operation of the description, asked of a real server over real data: the answers are as described."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api_description import check, document, operations
from tests.components import fixtures
from tests.run_directories import write_json
from tests.server import ViewerServer, running_server
from tests.training_scripts import run_script

#: A run of the 0.4.1 fixture, and one that the library of this checkout writes below.
OLD, NEW = "20261123_065528_999992", "{new}"
UNKNOWN = "20250101_000000_0000aa"
TRAINING = """
from PIL import Image
run = rn.init(project="vision", name="vit", config={"lr": 0.1, "nested": {"deep": [1, None]}}, tags=["baseline"])
rn.set_primary_metric("top1", mode="max")
for step in range(30):
    rn.log({"loss": 1 / (step + 1), "top1": step / 30, "odd": float("nan"), "note": "x", "ok": True, "stage": "warmup"})
rn.log_image("grid", Image.new("RGB", (8, 8)), caption="eight by eight")
rn.log_text("a line")
rn.summary({"top1": 0.97, "infinite": float("inf")})
rn.finish()
print(run.id)
"""


@dataclass(frozen=True)
class Case:
    """One request and the status that it gets. In ``path``, ``{new}`` stands for the run that the library wrote."""

    operation: str
    path: str
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


FOREIGN = {"Origin": "https://elsewhere.example"}
CASES = [
    Case("getHealth", "/api/health"),
    Case("getHealth", "/api/health", 400, headers={"Host": "elsewhere.example"}),
    Case("getGpuTelemetry", "/api/gpu/telemetry"),
    Case("listRuns", "/api/runs"),
    Case("listRuns", "/api/runs?project=vision&status=finished,failed&limit=2&offset=1"),
    Case("listRuns", "/api/runs?root=nope", 404),
    Case("listRuns", "/api/runs?limit=x", 400),
    Case("listRuns", "/api/runs", 401, headers={"Authorization": "Bearer rcn_unknown"}),
    Case("getRun", f"/api/runs/{OLD}"),
    Case("getRun", f"/api/runs/{NEW}"),
    Case("getRun", "/api/runs/nope", 404),
    Case("getRunProgress", f"/api/runs/{NEW}/progress"),
    Case("getRunProgress", "/api/runs/nope/progress", 404),
    Case("getMetricsByStep", f"/api/runs/{OLD}/metrics_step"),
    Case("getMetricsByStep", f"/api/runs/{NEW}/metrics_step?downsample=10"),
    Case("getMetricsByStep", f"/api/runs/{NEW}/metrics_step?downsample=1", 400),
    Case("getMetricsByStep", "/api/runs/nope/metrics_step", 404),
    Case("getMetricsByTime", f"/api/runs/{NEW}/metrics"),
    Case("getMetricsByTime", f"/api/runs/{NEW}/metrics?downsample=10"),
    Case("getMetricsByTime", f"/api/runs/{NEW}/metrics?downsample=x", 400),
    Case("getMetricsByTime", "/api/runs/nope/metrics", 404),
    Case("getRunArtifacts", f"/api/runs/{OLD}/artifacts"),
    Case("getRunArtifacts", f"/api/runs/{NEW}/artifacts"),
    Case("getRunArtifacts", "/api/runs/nope/artifacts", 404),
    Case("listArtifacts", "/api/artifacts?include_deleted=true&limit=5"),
    Case("listArtifacts", "/api/artifacts?limit=x", 400),
    Case("listArtifacts", "/api/artifacts?root=nope", 404),
    Case("getArtifactStats", "/api/artifacts/stats"),
    Case("getArtifactStats", "/api/artifacts/stats?root=%00", 400),
    Case("getArtifactStats", "/api/artifacts/stats?root=nope", 404),
    Case("listVersions", "/api/artifacts/digits-sgd/versions"),
    Case("listVersions", "/api/artifacts/nope/versions", 404),
    Case("getVersion", "/api/artifacts/digits-sgd/v2?type=model"),
    Case("getVersion", "/api/artifacts/digits-sgd/v99", 404),
    Case("listFiles", "/api/artifacts/digits-sgd/v4/files"),
    Case("listFiles", "/api/artifacts/digits-sgd/v99/files", 404),
    Case("getFile", "/api/artifacts/digits-sgd/v2/files/model/clf.npz"),
    Case("getFile", "/api/artifacts/digits-sgd/v2/files/model/clf.npz", 206, headers={"Range": "bytes=0-9"}),
    Case("getFile", "/api/artifacts/digits-sgd/v2/files/model/clf.npz", 416, headers={"Range": "bytes=9999-"}),
    Case("getFile", "/api/artifacts/digits-sgd/v2/files/nope", 404),
    Case("downloadVersion", "/api/artifacts/digits-sgd/v2/download"),
    Case("downloadVersion", "/api/artifacts/nope/v1/download", 404),
    Case("getLineage", "/api/artifacts/digits-sgd/v2/lineage"),
    Case("getLineage", "/api/artifacts/digits-sgd/v2/lineage?max_depth=x", 400),
    Case("getLineage", "/api/artifacts/digits-sgd/v99/lineage", 404),
    Case("getTrainingMetrics", "/api/artifacts/digits-sgd/training-metrics?version=2"),
    Case("getTrainingMetrics", "/api/artifacts/digits-sgd/training-metrics?version=x", 400),
    Case("getTrainingMetrics", "/api/artifacts/nope/training-metrics", 404),
    Case("getPerformanceHistory", "/api/artifacts/digits-sgd/performance-history"),
    Case("getPerformanceHistory", "/api/artifacts/digits-sgd/performance-history?metric_name=%00", 400),
    Case("getPerformanceHistory", "/api/artifacts/nope/performance-history", 404),
    *(
        case
        for operation, path, body in (
            ("setAlias", "/api/artifacts/{}/v2/alias", {"alias": "described"}),
            ("tagVersion", "/api/artifacts/{}/v2/tags", {"tags": ["described"]}),
            ("promoteVersion", "/api/artifacts/{}/v3/promote", {"to_stage": "archived"}),
            ("evaluateVersion", "/api/artifacts/{}/v2/evaluate", {"metrics": {"top1": 0.5}, "status": "passed"}),
            ("removeAlias", "/api/artifacts/{}/aliases/described", None),
            ("deleteVersion", "/api/artifacts/{}/v1", None),
            ("restoreVersion", "/api/artifacts/{}/v1/restore", None),
        )
        for case in (
            Case(operation, path.format("digits-sgd"), body=body),
            Case(operation, path.format("nope"), 404, body=body),
            Case(operation, path.format("digits-sgd"), 403, body=body, headers=FOREIGN),
            *([] if body is None else [Case(operation, path.format("digits-sgd"), 400, body={})]),
        )
    ),
    Case("deleteVersion", "/api/artifacts/digits-sgd/v1?permanent=x", 400),
    Case("deleteVersion", "/api/artifacts/digits-sgd/v1?permanent=true"),
    Case("listEvaluations", "/api/artifacts/digits-sgd/evaluations"),
    Case("listEvaluations", "/api/artifacts/digits-sgd/evaluations?version=x", 400),
    Case("listEvaluations", "/api/artifacts/nope/evaluations", 404),
    Case("getRunEnvironment", f"/api/environment/{NEW}"),
    Case("getRunEnvironment", "/api/environment/20261123_070000_bare00"),
    Case("getRunEnvironment", "/api/environment/nope", 404),
    Case("listRunImages", f"/api/runs/{NEW}/media"),
    Case("listRunImages", "/api/runs/nope/media", 404),
    Case("getRunMedia", f"/api/runs/{NEW}/media/{{image}}"),
    Case("getRunMedia", f"/api/runs/{NEW}/media/other.bin"),
    Case("getRunMedia", f"/api/runs/{NEW}/media/{{image}}", 206, headers={"Range": "bytes=1-9"}),
    Case("getRunMedia", f"/api/runs/{NEW}/media/other.bin", 206, headers={"Range": "bytes=0-"}),
    Case("getRunMedia", f"/api/runs/{NEW}/media/other.bin", 416, headers={"Range": "bytes=1-"}),
    Case("getRunMedia", f"/api/runs/{NEW}/media/nope.png", 404),
    Case("listProjects", "/api/projects"),
    Case("listProjects", "/api/projects?root=nope", 404),
    Case("listExperimentNames", "/api/projects/vision/names"),
    Case("listExperimentNames", "/api/projects/vision/names?root=nope", 404),
    Case("listExperimentRuns", "/api/projects/vision/names/vit/runs"),
    Case("listExperimentRuns", "/api/projects/vision/names/vit/runs?root=nope", 404),
    Case("searchRuns", "/api/v2/experiments?include_deleted=true&per_page=5"),
    Case("searchRuns", "/api/v2/experiments?project=vision&search=vit&tags=baseline&order_by=best_metric_value"),
    Case("searchRuns", "/api/v2/experiments?order_by=secret", 400),
    Case("searchRuns", "/api/v2/experiments?root=nope", 404),
    Case("getMetricsFast", f"/api/v2/experiments/{NEW}/metrics/fast"),
    Case("getMetricsFast", f"/api/v2/experiments/{NEW}/metrics/fast?metric_names=loss,nope&downsample=4&step_range=2:"),
    Case("getMetricsFast", f"/api/v2/experiments/{NEW}/metrics/fast?step_range=2", 400),
    Case("getMetricsFast", "/api/v2/experiments/nope/metrics/fast", 404),
    Case("getExperiment", f"/api/v2/experiments/{OLD}"),
    Case("getExperiment", f"/api/v2/experiments/{NEW}"),
    Case("getExperiment", "/api/v2/experiments/nope", 404),
    Case("queryMetrics", "/api/v2/metrics/query", body={"run_ids": [OLD, NEW], "downsample": 10, "step_range": "2:"}),
    Case("queryMetrics", "/api/v2/metrics/query", 400, body={"run_ids": []}),
    Case("queryMetrics", "/api/v2/metrics/query", 403, body={"run_ids": [OLD]}, headers=FOREIGN),
    Case("queryMetrics", "/api/v2/metrics/query", 404, body={"run_ids": [UNKNOWN]}),
    Case("batchDelete", "/api/v2/experiments/batch-delete", body={"exp_ids": [UNKNOWN], "reason": "old"}),
    Case("batchDelete", "/api/v2/experiments/batch-delete", 400, body={"exp_ids": []}),
    Case("batchDelete", "/api/v2/experiments/batch-delete", 403, body={"exp_ids": [UNKNOWN]}, headers=FOREIGN),
    Case("getAnalyticsSummary", "/api/v2/analytics/summary"),
    Case("getAnalyticsSummary", "/api/v2/analytics/summary?root=nope", 404),
    Case("getAnalyticsOverview", "/api/v2/analytics/overview"),
    Case("getAnalyticsOverview", "/api/v2/analytics/overview?root=nope", 404),
    Case("getProjectFigures", "/api/v2/analytics/projects?days=36500"),
    Case("getProjectFigures", "/api/v2/analytics/projects?days=x", 400),
    Case("getProjectFigures", "/api/v2/analytics/projects?root=nope", 404),
    Case("getPerformanceTrends", "/api/v2/analytics/performance-trends?metric_name=top1&project=vision&days=36500"),
    Case("getPerformanceTrends", "/api/v2/analytics/performance-trends?metric_name=nope"),
    Case("getPerformanceTrends", "/api/v2/analytics/performance-trends", 400),
    Case("getPerformanceTrends", "/api/v2/analytics/performance-trends?metric_name=a&root=nope", 404),
    Case("getIndexHealth", "/api/v2/analytics/health"),
    Case("getConfig", "/api/config"),
    Case("changeConfig", "/api/config", body={"user_root_dir": "{root}"}),
    Case("changeConfig", "/api/config", 400, body={"cache": 1}),
    Case("changeConfig", "/api/config", 403, body={"user_root": "{root}"}, headers=FOREIGN),
    Case("setUserRoot", "/api/config/user_root_dir", body={"path": "{root}"}),
    Case("setUserRoot", "/api/config/user_root_dir", 400, body={"path": "relative"}),
    Case("setUserRoot", "/api/config/user_root_dir", 403, body={"path": "{root}"}, headers=FOREIGN),
    Case(
        "saveColumnWidths",
        "/api/config/column-widths",
        body={"table": "runs", "size": "1x1", "widths": {"name": 90}, "window_width": 1, "window_height": None},
    ),
    Case("saveColumnWidths", "/api/config/column-widths", 400, body={"table": "runs"}),
    Case("saveColumnWidths", "/api/config/column-widths", 403, body={}, headers=FOREIGN),
    Case("getColumnWidths", "/api/config/column-widths?table=runs&size=1x1"),
    Case("getColumnWidths", "/api/config/column-widths?table=runs", 400),
    Case("resetColumnWidths", "/api/config/column-widths?table=runs"),
    Case("resetColumnWidths", "/api/config/column-widths", 400),
    Case("resetColumnWidths", "/api/config/column-widths?table=runs", 403, headers=FOREIGN),
    Case("saveSshConnection", "/api/config/ssh_connections", body={"host": "gpu1", "username": "ana"}),
    Case(
        "saveSshConnection",
        "/api/config/ssh_connections",
        body={"host": "gpu2", "username": "ana", "private_key_path": "~/k", "remember_password": True},
    ),
    Case("saveSshConnection", "/api/config/ssh_connections", 400, body={"host": "gpu1"}),
    Case("saveSshConnection", "/api/config/ssh_connections", 403, body={}, headers=FOREIGN),
    Case("listSshConnections", "/api/config/ssh_connections"),
    Case("getSshConnection", "/api/config/ssh_connections/ana@gpu2:22@ana/details"),
    Case("getSshConnection", "/api/config/ssh_connections/nope/details", 404),
    Case("deleteSshConnection", "/api/config/ssh_connections/gpu2:22@ana"),
    Case("deleteSshConnection", "/api/config/ssh_connections/nope", 404),
    Case("deleteSshConnection", "/api/config/ssh_connections/nope", 403, headers=FOREIGN),
    Case("checkStatus", "/api/status/check"),
    Case("checkStatus", "/api/status/check", 403, headers=FOREIGN),
    Case("tagRun", "/api/experiments/tag", body={"run_id": NEW, "tags": ["best"], "description": "d", "pinned": True}),
    Case("tagRun", "/api/experiments/tag", 400, body={"tags": ["best"]}),
    Case("tagRun", "/api/experiments/tag", 403, body={"run_id": NEW}, headers=FOREIGN),
    Case("tagRun", "/api/experiments/tag", 404, body={"run_id": UNKNOWN}),
    Case("searchCuratedRuns", "/api/experiments/search?tags=best&text=VIT&archived=no"),
    Case("searchCuratedRuns", "/api/experiments/search?limit=x", 400),
    Case("searchCuratedRuns", "/api/experiments/search?root=nope", 404),
    Case("removeRuns", "/api/experiments/delete", body={"run_ids": [NEW, UNKNOWN]}),
    Case("removeRuns", "/api/experiments/delete", 400, body={"run_ids": []}),
    Case("removeRuns", "/api/experiments/delete", 403, body={"run_ids": [NEW]}, headers=FOREIGN),
    # the recycle bin, from the first step to the last
    Case("softDeleteRuns", "/api/runs/soft-delete", body={"run_ids": [NEW, UNKNOWN]}),
    Case("softDeleteRuns", "/api/runs/soft-delete", 400, body={"run_ids": []}),
    Case("softDeleteRuns", "/api/runs/soft-delete", 403, body={"run_ids": [NEW]}, headers=FOREIGN),
    Case("listDeletedRuns", "/api/recycle-bin"),
    Case("listDeletedRuns", "/api/recycle-bin?root=nope", 404),
    Case("restoreRuns", "/api/recycle-bin/restore", body={"run_ids": [NEW, UNKNOWN]}),
    Case("restoreRuns", "/api/recycle-bin/restore", 400, body={"run_ids": [1]}),
    Case("restoreRuns", "/api/recycle-bin/restore", 403, body={"run_ids": [NEW]}, headers=FOREIGN),
    Case("emptyRecycleBin", "/api/recycle-bin/empty", body={"confirm": True}),
    Case("emptyRecycleBin", "/api/recycle-bin/empty", 400, body={"confirm": 1}),
    Case("emptyRecycleBin", "/api/recycle-bin/empty", 403, body={"confirm": True}, headers=FOREIGN),
]
#: Statuses that no case can bring about: files that cannot be read, and a lock that is held for seconds.
NOT_ASKED_FOR = {409, 429, 500}


@dataclass(frozen=True)
class Filled:
    """A server over a root of 0.4.1, and the names of what the library wrote into it."""

    server: ViewerServer
    new: str
    image: str

    def __call__(self, value: Any) -> Any:
        """The path or body with the placeholders filled in."""
        text = json.dumps(value).replace("{new}", self.new).replace("{image}", self.image)
        text = text.replace("{root}", str(self.server.storage))
        return json.loads(text)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    folder = tmp_path_factory.mktemp("description")
    with tarfile.open(fixtures() / "storage-0.4.1.tar.gz") as archive:
        archive.extractall(folder, filter="data")
    (folder / "storage-0.4.1").rename(folder / "root")
    new = run_script(TRAINING, root=folder / "root").stdout.split()[-1]
    runs = folder / "root" / "vision" / "vit" / "runs"
    (image,) = (runs / new / "media").iterdir()
    (runs / new / "media" / "other.bin").write_bytes(b"\0")
    _write_bare_run(runs / "20261123_070000_bare00")
    with running_server(folder) as server:
        server.scan()
        yield Filled(server, new, image.name)


def _write_bare_run(run_dir: Path) -> None:
    """A run that recorded nothing but its start."""
    run_dir.mkdir()
    write_json(run_dir / "status.json", {"status": "running"})


def test_each_answer_is_as_described(filled: Filled):
    wrong = []
    with httpx.Client(base_url=filled.server.url, timeout=60) as client:
        for case in CASES:
            method, _, _ = operations()[case.operation]
            answer = client.request(method, filled(case.path), json=filled(case.body), headers=case.headers)
            if answer.status_code != case.status:
                wrong.append(f"{case.path} answered {answer.status_code}: {answer.text[:200]}")
            try:
                check(answer)
            except AssertionError as error:
                wrong.append(str(error))

    assert wrong == []


def test_each_described_success_and_refusal_is_asked_for():
    described = {
        (name, int(status)) for name, (_, _, operation) in operations().items() for status in operation["responses"]
    }
    asked = {(case.operation, case.status) for case in CASES}
    # one case is enough for what is the same for all of them
    shared = {(name, 400) for name, _ in described if not _takes_input(name)} | {(name, 401) for name, _ in described}

    missing = described - asked - shared

    assert {(name, status) for name, status in missing if status not in NOT_ASKED_FOR} == set()


def _takes_input(name: str) -> bool:
    _, _, operation = operations()[name]
    names = {parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "query"}
    return "requestBody" in operation or bool(names - {"root", "path", "type"})


@pytest.fixture
def description_says(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """The schemas of the description, to change them for one test."""
    schemas = document()["components"]["schemas"]
    before = json.dumps(schemas)
    yield schemas
    schemas.clear()
    schemas.update(json.loads(before))


def test_an_answer_that_parts_ways_with_its_description_is_noticed(filled: Filled, description_says: dict[str, Any]):
    answer = httpx.get(f"{filled.server.url}/api/health")
    check(answer)

    health = description_says["Health"]
    undocumented = health["properties"].pop("version")
    with pytest.raises(AssertionError, match="version"):
        check(answer)

    health["properties"] |= {"version": undocumented, "mood": {"type": "string"}}
    health["required"].append("mood")
    with pytest.raises(AssertionError, match="mood"):
        check(answer)

    health["required"].remove("mood")
    health["properties"]["timestamp"] = {"type": "string"}
    with pytest.raises(AssertionError, match="timestamp"):
        check(answer)
