from __future__ import annotations

import itertools

import httpx

from tests.run_directories import CREATED_AT, write_run
from tests.server import ViewerServer

_counter = itertools.count()


def _project() -> str:
    """A project that no other test uses."""
    return f"list-{next(_counter)}"


def test_the_list_gives_the_documented_fields_newest_first(server: ViewerServer, api: httpx.Client):
    project = _project()
    write_run(server.storage, f"{project}/vit/runs/20250101_000000_aaaaaa", meta={"created_at": CREATED_AT})
    write_run(
        server.storage,
        f"{project}/vit/runs/20250102_000000_bbbbbb",
        meta={"created_at": CREATED_AT + 1, "tags": ["baseline"]},
        status={"ended_at": CREATED_AT + 9},
        summary={"best_metric_value": 0.81, "best_metric_name": "top1"},
    )
    server.scan()

    newest, oldest = api.get("/api/runs", params={"project": project}).json()

    assert oldest["id"] == "20250101_000000_aaaaaa"
    assert newest == {
        "id": "20250102_000000_bbbbbb",
        "run_dir": f"{server.storage}/{project}/vit/runs/20250102_000000_bbbbbb",
        "created_time": CREATED_AT + 1,
        "status": "finished",
        "pid": 4411,
        "best_metric_value": 0.81,
        "best_metric_name": "top1",
        "project": project,
        "name": "vit",
        "artifacts_created_count": 0,
        "artifacts_used_count": 0,
        "ended_at": CREATED_AT + 9,
        "tags": ["baseline"],
        "root": "local",
    }


def test_runs_of_one_moment_come_in_the_order_of_their_ids(server: ViewerServer, api: httpx.Client):
    project = _project()
    ids = [f"20250101_00000{n}_aaaaaa" for n in (3, 1, 2)]
    for run_id in ids:
        write_run(server.storage, f"{project}/vit/runs/{run_id}")
    server.scan()

    runs = api.get("/api/runs", params={"project": project}).json()

    assert [run["id"] for run in runs] == sorted(ids)


def test_a_list_longer_than_one_query_is_complete_and_in_order(server: ViewerServer, api: httpx.Client):
    # rows without directories: what is tested is how the list is cut, not how it came about
    project = _project()
    server.run_python(f"""
from experiments.models import Run, StorageRoot
root, _ = StorageRoot.objects.get_or_create(key="gone", defaults={{"path": "/gone", "enabled": True}})
Run.objects.bulk_create(
    Run(root=root, path=f"{project}/x/runs/{{n}}", run_id=f"run-{{n:05}}", project="{project}", status="finished",
        created_at={CREATED_AT} + n // 7, updated_at=0)
    for n in range(6001)
)
""")

    runs = api.get("/api/runs", params={"project": project}).json()
    part = api.get("/api/runs", params={"project": project, "offset": 2400, "limit": 300}).json()

    server.run_python('from experiments.models import StorageRoot; StorageRoot.objects.filter(key="gone").delete()')
    assert [run["id"] for run in runs] == [f"run-{n:05}" for n in sorted(range(6001), key=lambda n: (-(n // 7), n))]
    assert part == runs[2400:2700]


def test_filters_narrow_the_list(server: ViewerServer, api: httpx.Client):
    project = _project()
    write_run(server.storage, f"{project}/vit/runs/20250101_000000_aaaaaa", status={"status": "failed"})
    write_run(server.storage, f"{project}/resnet/runs/20250101_000000_bbbbbb")
    server.scan()

    def ids(**params: object) -> list[str]:
        return [run["id"][-6:] for run in api.get("/api/runs", params={"project": project, **params}).json()]

    assert ids() == ["aaaaaa", "bbbbbb"]
    assert ids(name="resnet") == ["bbbbbb"]
    assert ids(status="failed, interrupted") == ["aaaaaa"]
    assert ids(limit=1) == ["aaaaaa"]
    assert ids(limit=1, offset=1) == ["bbbbbb"]
    assert ids(limit=0) == []
    assert ids(root="local") == ["aaaaaa", "bbbbbb"]


def test_a_bad_filter_is_a_400_with_one_sentence(api: httpx.Client):
    for params in ({"status": "dead"}, {"limit": "-1"}, {"limit": "x"}, {"offset": "99999999999999999999"}):
        answer = api.get("/api/runs", params=params)

        assert answer.status_code == 400, params
        assert isinstance(answer.json()["detail"], str)


def test_an_unknown_root_is_a_404(api: httpx.Client):
    assert api.get("/api/runs", params={"root": "nowhere"}).status_code == 404
    assert api.get("/api/v2/experiments", params={"root": "nowhere"}).status_code == 404
    assert api.get("/api/recycle-bin", params={"root": "nowhere"}).status_code == 404


def test_a_head_request_gets_the_headers_and_leaves_the_connection_usable(api: httpx.Client):
    head = api.head("/api/runs")

    assert (head.status_code, head.content) == (200, b"")
    assert api.get("/api/health").json()["status"] == "ok"
