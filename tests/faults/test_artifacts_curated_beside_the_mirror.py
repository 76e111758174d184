"""People curate and purge versions that the mirror follows: rows end as the files are, whoever wrote last."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import httpx

from tests.artifacts.stored import log_version, place_of
from tests.command_line import running_viewer
from tests.training_scripts import wait_until

NAMES = [f"net{number}" for number in range(6)]
PEOPLE, ROUNDS = 4, 8


def test_many_curate_the_artifacts_that_the_mirror_follows(tmp_path: Path):
    root = tmp_path / "root"
    for name in NAMES:
        log_version(root, {"weights": name.encode()}, name=name)
    failures: list[str] = []
    over = threading.Event()

    def log_more() -> None:
        while not over.is_set():
            for name in NAMES:
                log_version(root, {"weights": b"the same"}, name=name)
            (root / "artifacts" / "model").touch()

    def curate(person: int) -> None:
        with httpx.Client(base_url=viewer.url, timeout=90) as client:
            for turn in range(ROUNDS):
                name = NAMES[(person + turn) % len(NAMES)]
                version = f"/api/artifacts/{name}/v1"
                answers = [
                    client.post(f"{version}/alias", json={"alias": f"p{person}"}),
                    client.post(f"{version}/alias", json={"alias": f"p{person}-{turn}"}),
                    client.delete(f"/api/artifacts/{name}/aliases/p{person}"),
                ]
                failures.extend(answer.text for answer in answers if answer.status_code != 200)

    with running_viewer("--storage", str(root), folder=tmp_path) as viewer:
        wait_until(lambda: len(httpx.get(f"{viewer.url}/api/artifacts").json()) == len(NAMES))
        threads = [threading.Thread(target=log_more)]
        threads += [threading.Thread(target=curate, args=(person,)) for person in range(PEOPLE)]
        for thread in threads:
            thread.start()
        for thread in threads[1:]:
            thread.join()
        over.set()
        threads[0].join()
        time.sleep(3)  # the mirror's next looks
        shown = {item["name"]: item["aliases"] for item in httpx.get(f"{viewer.url}/api/artifacts").json()}
        output = viewer.output

    assert failures == []
    assert shown == {
        name: json.loads((place_of(root, name).home / "versions.json").read_bytes())["aliases"] for name in NAMES
    }
    assert "Traceback" not in output, output


def test_versions_that_are_purged_under_the_mirror_stay_gone(tmp_path: Path):
    root = tmp_path / "root"
    names = [f"net{number}" for number in range(40)]
    for name in names:
        log_version(root, {f"part{number}": name.encode() for number in range(20)}, name=name)

    with running_viewer("--storage", str(root), folder=tmp_path) as viewer, httpx.Client(base_url=viewer.url) as client:
        wait_until(lambda: len(client.get("/api/artifacts").json()) == len(names))
        for place, name in enumerate(names):
            for later in names[place:]:
                document = place_of(root, later).version_folder(1) / "metadata.json"
                document.write_text(json.dumps({**json.loads(document.read_bytes()), "description": name}))
                document.parent.touch()
            answer = client.delete(f"/api/artifacts/{name}/v1?permanent=true", timeout=90)
            assert answer.status_code == 200, answer.text
        time.sleep(2)
        left = client.get("/api/artifacts").json()
        output = viewer.output

    assert left == []
    assert "Traceback" not in output, output
