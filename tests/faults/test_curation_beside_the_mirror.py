"""People tag a run that trains while the mirror follows it: nothing anybody did is lost, in the file or in the row."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import httpx

from tests.command_line import running_viewer
from tests.run_directories import RUN_ID, log_records, write_json, write_run
from tests.training_scripts import wait_until

PEOPLE, TAGS_EACH = 12, 3
PATH = f"vision/vit/runs/{RUN_ID}"


def test_many_tag_one_run_while_it_trains_and_the_mirror_follows(tmp_path: Path):
    root = tmp_path / "root"
    run_dir = write_run(root, PATH, status={"status": "running"}, meta={"tags": ["first"]})
    failures: list[str] = []
    over = threading.Event()

    def train() -> None:
        step = 0
        while not over.is_set():
            log_records(run_dir, [{"global_step": (step := step + 1), "loss": 1.0}])
            write_json(run_dir / "summary.json", {"step": step})
            run_dir.parent.touch()
            time.sleep(0.01)

    def tag(person: int) -> None:
        with httpx.Client(base_url=viewer.url, timeout=60) as client:
            for number in range(TAGS_EACH):
                body = {"run_id": RUN_ID, "tags": [f"p{person}-{number}"]}
                answer = client.post("/api/experiments/tag", json=body)
                if answer.status_code != 200:
                    failures.append(answer.text)

    with running_viewer("--storage", str(root), folder=tmp_path) as viewer:
        wait_until(lambda: httpx.get(f"{viewer.url}/api/runs/{RUN_ID}").status_code == 200)
        trainer = threading.Thread(target=train)
        people = [threading.Thread(target=tag, args=(person,)) for person in range(PEOPLE)]
        for thread in (trainer, *people):
            thread.start()
        for thread in people:
            thread.join()
        over.set()
        trainer.join()
        time.sleep(2)  # the mirror's next looks; it would have undone something by now
        shown = httpx.get(f"{viewer.url}/api/runs/{RUN_ID}").json()["tags"]
        found = httpx.get(f"{viewer.url}/api/v2/experiments?tags=p0-0,p{PEOPLE - 1}-{TAGS_EACH - 1}").json()["total"]
        output = viewer.output

    assert failures == []
    expected = {"first", *(f"p{person}-{number}" for person in range(PEOPLE) for number in range(TAGS_EACH))}
    in_file = json.loads((run_dir / "curation.json").read_text("utf-8"))["tags"]
    assert set(in_file) == expected
    assert (shown, found) == (in_file, 1)
    assert "Traceback" not in output, output


def test_runs_that_are_purged_under_the_mirror_stay_gone(tmp_path: Path):
    root = tmp_path / "root"
    run_ids = [f"20250114_153045_c{number:05x}" for number in range(60)]
    for run_id in run_ids:
        write_run(root, f"vision/vit/runs/{run_id}", records=[{"global_step": step, "x": 1} for step in range(50)])

    with running_viewer("--storage", str(root), folder=tmp_path) as viewer, httpx.Client(base_url=viewer.url) as client:
        wait_until(lambda: len(client.get("/api/runs").json()) == len(run_ids))
        for first in range(0, len(run_ids), 4):
            some = run_ids[first : first + 4]
            for run_id in run_ids[first + 2 :]:
                write_json(root / f"vision/vit/runs/{run_id}/summary.json", {"round": first})
            (root / "vision/vit/runs").touch()
            answer = client.request("DELETE", "/api/experiments/delete", json={"run_ids": some}, timeout=60)
            assert answer.json()["results"] == dict.fromkeys(some, True)
        time.sleep(2)
        left = client.get("/api/v2/experiments?include_deleted=1").json()["total"]
        output = viewer.output

    assert left == 0
    assert list((root / "vision/vit/runs").iterdir()) == []
    assert "Traceback" not in output, output
