from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from experiments.models import Run
from experiments.queries.projects import projects
from tests.factories import make_root, make_run
from tests.run_directories import write_run
from tests.server import ViewerServer, running_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ViewerServer]:
    """Three projects; one whose only run is deleted, and a run that belongs to none."""
    with running_server(tmp_path_factory.mktemp("projects")) as server:
        root = server.storage
        write_run(root, "vision/vit/runs/20250101_000000_aaaaaa", artifacts_created={"artifacts": [{"name": "vit-s"}]})
        write_run(root, "vision/vit/runs/20250101_000000_bbbbbb", meta={"created_at": 2_000_000_000.0})
        write_run(root, "vision/resnet/runs/20250101_000000_cccccc")
        write_run(root, "audio/测试/runs/20250101_000000_dddddd")
        write_run(root, "gone/mlp/runs/20250101_000000_eeeeee")
        (root / "gone/mlp/runs/20250101_000000_eeeeee/.deleted").touch()
        write_run(root, "runs/20250101_000000_000001")
        write_run(root, "runs/speech/ctc/lr2/20250101_000000_ffffff", meta={"path": "speech/ctc/lr2"})
        server.scan()
        yield server


def test_projects_are_listed_by_name_with_their_figures(api: httpx.Client):
    answer = api.get("/api/projects").json()

    runs = api.get("/api/v2/experiments").json()["experiments"]
    newest = {p: max(run["updated_at"] for run in runs if run["project"] == p) for p in ("audio", "speech", "vision")}
    assert answer == {
        "projects": ["audio", "speech", "vision"],
        "details": [
            {"name": "audio", "experiment_count": 1, "latest_update": newest["audio"]},
            {"name": "speech", "experiment_count": 1, "latest_update": newest["speech"]},
            {"name": "vision", "experiment_count": 3, "latest_update": newest["vision"]},
        ],
    }


def test_the_experiments_of_a_project_are_listed_by_name(api: httpx.Client):
    assert api.get("/api/projects/vision/names").json() == {"names": ["resnet", "vit"]}
    assert api.get("/api/projects/audio/names").json() == {"names": ["测试"]}


@pytest.mark.parametrize("project", ["nobody", "gone", "a b%2Fc", "%00", "x" * 5000])
def test_an_unknown_project_has_no_experiments(api: httpx.Client, project: str):
    answer = api.get(f"/api/projects/{project}/names")

    assert (answer.status_code, answer.json()) in [(200, {"names": []}), (404, {"detail": "Not Found"})]


def test_the_runs_of_an_experiment_are_those_of_the_whole_list(api: httpx.Client):
    runs = api.get("/api/projects/vision/names/vit/runs").json()

    assert [run["id"] for run in runs] == ["20250101_000000_bbbbbb", "20250101_000000_aaaaaa"]
    assert [run["artifacts_created_count"] for run in runs] == [0, 1]
    assert runs == api.get("/api/runs", params={"project": "vision", "name": "vit"}).json()


def test_an_experiment_of_an_older_layout_may_have_slashes_in_its_name(api: httpx.Client):
    (name,) = api.get("/api/projects/speech/names").json()["names"]

    assert name == "ctc/lr2"
    for address in ("ctc/lr2", "ctc%2Flr2"):
        (run,) = api.get(f"/api/projects/speech/names/{address}/runs").json()
        assert run["id"] == "20250101_000000_ffffff"


@pytest.mark.parametrize("address", ["projects", "projects/vision/names", "projects/vision/names/vit/runs"])
def test_a_storage_root_can_be_chosen(api: httpx.Client, address: str):
    everywhere = api.get(f"/api/{address}").json()

    assert api.get(f"/api/{address}", params={"root": "local"}).json() == everywhere
    answer = api.get(f"/api/{address}", params={"root": "moon"})
    assert (answer.status_code, answer.json()["detail"]) == (404, "There is no storage root 'moon'.")


@pytest.mark.django_db(databases=["index"])
def test_a_root_that_is_switched_off_shows_no_projects():
    make_run(make_root(), 1, project="here")
    away = make_root("away", path="/data/away", enabled=False)
    make_run(away, 2, project="there")

    assert [figures.name for figures in projects(root=None)] == ["here"]


@pytest.mark.django_db(databases=["index"])
def test_the_figures_take_as_many_queries_for_many_projects_as_for_two(django_assert_num_queries):
    root = make_root()
    for number in range(40):
        make_run(root, number, project=f"project-{number % 20}")

    with django_assert_num_queries(2, using="index"):
        assert len(projects(root=None)) == 20
    assert Run.objects.count() == 40
