from __future__ import annotations

from urllib.parse import quote

import httpx
import pytest

from tests.run_directories import CREATED_AT, write_run
from tests.server import ViewerServer


def test_a_run_is_described_with_the_documented_fields(server: ViewerServer, api: httpx.Client):
    run_dir = write_run(
        server.storage,
        "details/vit/runs/20250114_153045_d00001",
        meta={"created_at": CREATED_AT, "hostname": "gpu1"},
        status={"started_at": CREATED_AT, "ended_at": CREATED_AT + 60, "status": "failed", "exit_reason": "oom"},
        summary={
            "best_metric_value": 0.5,
            "best_metric_name": "top1",
            "best_metric_step": 3,
            "best_metric_mode": "max",
        },
    )
    server.scan()

    run = api.get("/api/runs/20250114_153045_d00001").json()

    expected = {
        "id": "20250114_153045_d00001",
        "status": "failed",
        "pid": 4411,
        "run_dir": str(run_dir),
        "project": "details",
        "name": "vit",
        "logs": f"{run_dir}/logs.txt",
        "metrics": f"{run_dir}/events.jsonl",
        "metrics_step": f"{run_dir}/events.jsonl",
        "artifacts_created_count": 0,
        "artifacts_used_count": 0,
        "created_time": CREATED_AT,
        "created_at": CREATED_AT,
        "started_at": CREATED_AT,
        "ended_at": CREATED_AT + 60,
        "exit_reason": "oom",
        "hostname": "gpu1",
        "best_metric_step": 3,
        "root": "local",
        "path": "details/vit/runs/20250114_153045_d00001",
        "also_in": [],
    }
    assert run | expected == run
    assert run["summary"]["best_metric_mode"] == "max"


@pytest.mark.parametrize("run_id", ["my run", "实验 1", "a%b", "a#b", "ünï.cödé", "20241225_090000_xyz789"])
def test_any_folder_name_is_an_id(server: ViewerServer, api: httpx.Client, run_id: str):
    write_run(server.storage, f"names/vit/runs/{run_id}")
    server.scan()

    answer = api.get(f"/api/runs/{quote(run_id)}")

    assert answer.json()["id"] == run_id


def test_an_unknown_or_absurd_id_is_a_404(api: httpx.Client):
    for run_id in ("nope", "x" * 5000, "..%2f..%2fetc", "%00", "a%20b"):
        answer = api.get(f"/api/runs/{run_id}")

        assert answer.status_code == 404, run_id
        assert isinstance(answer.json()["detail"], str)
    assert api.get("/api/runs/nope").json()["detail"] == "Run not found"


def test_of_two_folders_with_one_id_the_livelier_is_meant_and_both_are_reachable(
    server: ViewerServer, api: httpx.Client
):
    old, new = ("twins/old/runs/20250114_153045_d00002", "twins/new/runs/20250114_153045_d00002")
    write_run(server.storage, old, status={"ended_at": CREATED_AT + 1})
    write_run(server.storage, new, status={"ended_at": CREATED_AT + 2})
    server.scan()
    server.run_python(
        "from experiments.models import Run\n"
        f"Run.objects.filter(path={old!r}).update(last_sign_at=1.0)\n"
        f"Run.objects.filter(path={new!r}).update(last_sign_at=2.0)\n"
    )

    default = api.get("/api/runs/20250114_153045_d00002").json()
    chosen = api.get("/api/runs/20250114_153045_d00002", params={"path": old}).json()

    assert (default["path"], default["also_in"]) == (new, [{"root": "local", "path": old}])
    assert (chosen["path"], chosen["also_in"]) == (old, [{"root": "local", "path": new}])


def test_the_local_root_comes_first_and_root_chooses_another(server: ViewerServer, api: httpx.Client):
    write_run(server.storage, "roots/vit/runs/20250114_153045_d00003")
    server.scan()
    server.run_python(
        "from experiments.models import Run, StorageRoot\n"
        'root, _ = StorageRoot.objects.get_or_create(key="gpu1", defaults={"path": "/mnt/gpu1"})\n'
        'Run.objects.create(root=root, path="roots/vit/runs/20250114_153045_d00003", run_id="20250114_153045_d00003",\n'
        '    status="running", created_at=1, updated_at=9e9, last_sign_at=9e9)\n'
    )

    default = api.get("/api/runs/20250114_153045_d00003").json()
    other = api.get("/api/runs/20250114_153045_d00003", params={"root": "gpu1"}).json()
    server.run_python('from experiments.models import StorageRoot; StorageRoot.objects.filter(key="gpu1").delete()')

    assert (default["root"], default["also_in"][0]["root"]) == ("local", "gpu1")
    assert (other["root"], other["status"], other["run_dir"][:9]) == ("gpu1", "running", "/mnt/gpu1")


def test_progress_gives_the_real_status(server: ViewerServer, api: httpx.Client):
    write_run(server.storage, "progress/vit/runs/20250114_153045_d00004", status={"status": "interrupted"})
    server.scan()

    answer = api.get("/api/runs/20250114_153045_d00004/progress").json()

    assert answer == {"available": False, "status": "interrupted"}
    assert api.get("/api/runs/nope/progress").status_code == 404


def test_numbers_and_texts_that_json_can_hardly_carry_do_not_break_the_answer(server: ViewerServer, api: httpx.Client):
    run_dir = write_run(server.storage, "odd/vit/runs/20250114_153045_d00005")
    (run_dir / "summary.json").write_text(
        '{"loss": NaN, "big": 123456789012345678901234567890, "huge": 1' + "0" * 400 + "}"
    )
    server.scan()

    summary = api.get("/api/runs/20250114_153045_d00005").json()["summary"]

    assert summary == {"loss": None, "big": 1.2345678901234568e29, "huge": None}
