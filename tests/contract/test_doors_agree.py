"""V1, V2, the pages and the admin say the same of a run at once, through whichever door it was changed.

The doors are the four that people and programs have to a viewer, and the files themselves, which the library changes
on any machine and the mirror then reads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import Client

from runicorn.storage import curation, recycle
from runicorn.storage.curation import Edit
from tests.experiments.admin.pages import IDENTITY, PATH, Tick, address_of, choose, confirm, listed
from tests.experiments.mirror.conftest import NOW, mirror, root, root_dir, tick  # noqa: F401
from tests.run_directories import RUN_ID, write_run

# not in one transaction: a streamed answer closes its connection to PostgreSQL when it ends
pytestmark = pytest.mark.django_db(databases=["default", "index"], transaction=True)

OTHER_ID = "20250114_153045_a1b2c4"


@dataclass
class Doors:
    """What a door needs to change the run: the one in the middle, not the other."""

    client: Client
    storage: Path
    tick: Tick

    @property
    def run_dir(self) -> Path:
        return self.storage / PATH

    def call(self, method: str, address: str, **body: Any) -> None:
        """The API is asked, and says that it is done."""
        answer = self.client.generic(method, address, json.dumps(body), content_type="application/json")
        assert answer.status_code == 200, answer.content

    def send(self, address: str, **fields: str) -> str:
        """The form of a page is sent; the page that follows."""
        answer = self.client.post(address, fields, follow=True)
        assert answer.status_code == 200, answer
        return answer.content.decode()

    def edit(self, **fields: Any) -> None:
        curation.change(self.run_dir, Edit(**fields), root=self.storage, by="ada", at=NOW)
        self.tick()


Door = Callable[[Doors], Any]


@pytest.fixture
def doors(admin_client: Client, root_dir: Path, tick: Tick) -> Doors:  # noqa: F811
    """A run that is there, and another that no door is to touch."""
    for path in (PATH, f"nlp/bert/runs/{OTHER_ID}"):
        write_run(root_dir, path, meta={"tags": ["first"]})
    tick()
    return Doors(admin_client, root_dir, tick)


def purge_on_the_page(doors: Doors) -> None:
    asked = doors.send("/recycle-bin/purge", run=IDENTITY)
    named = re.search('name="runs" value="([^"]+)"', asked)
    assert named, asked
    doors.send("/recycle-bin/purge", runs=unescape(named[1]), confirmed="1")


def purge_in_the_library(doors: Doors) -> None:
    recycle.purge(doors.run_dir)
    doors.tick()


def mark_in_the_library(doors: Doors) -> None:
    recycle.mark_deleted(doors.run_dir, reason="user_deleted", original_status="finished", at=NOW)
    doors.tick()


def restore_in_the_library(doors: Doors) -> None:
    recycle.restore(doors.run_dir)
    doors.tick()


TAG: dict[str, Door] = {
    "V1": lambda doors: doors.call("POST", "/api/experiments/tag", run_id=RUN_ID, tags=["好"]),
    "admin": lambda doors: confirm(doors.client, choose(doors.client, "add_tags", IDENTITY), tags="好"),
    "library": lambda doors: doors.edit(add_tags=["好"]),
}
DESCRIBE: dict[str, Door] = {
    "V1": lambda doors: doors.call("POST", "/api/experiments/tag", run_id=RUN_ID, description="of March"),
    "admin": lambda doors: confirm(doors.client, choose(doors.client, "describe", IDENTITY), description="of March"),
    "library": lambda doors: doors.edit(description="of March"),
}
ARCHIVE: dict[str, Door] = {
    "V1": lambda doors: doors.call("POST", "/api/experiments/tag", run_id=RUN_ID, archived=True),
    "admin": lambda doors: choose(doors.client, "archive", IDENTITY),
    "library": lambda doors: doors.edit(archived=True),
}
PIN: dict[str, Door] = {
    "V1": lambda doors: doors.call("POST", "/api/experiments/tag", run_id=RUN_ID, pinned=True),
    "admin": lambda doors: choose(doors.client, "pin", IDENTITY),
    "library": lambda doors: doors.edit(pinned=True),
}
DELETE: dict[str, Door] = {
    "V1": lambda doors: doors.call("POST", "/api/runs/soft-delete", run_ids=[RUN_ID]),
    "V2": lambda doors: doors.call("POST", "/api/v2/experiments/batch-delete", exp_ids=[RUN_ID]),
    "admin": lambda doors: choose(doors.client, "move_to_recycle_bin", IDENTITY),
    "library": mark_in_the_library,
}
RESTORE: dict[str, Door] = {
    "V1": lambda doors: doors.call("POST", "/api/recycle-bin/restore", run_ids=[RUN_ID]),
    "page": lambda doors: doors.send("/recycle-bin/restore", run=IDENTITY),
    "admin": lambda doors: choose(doors.client, "restore", IDENTITY, query="?deleted=yes"),
    "library": restore_in_the_library,
}
PURGE: dict[str, Door] = {
    "V1, the bin": lambda doors: doors.call("POST", "/api/recycle-bin/empty", confirm=True),
    "V1, the run": lambda doors: doors.call("DELETE", "/api/experiments/delete", run_ids=[RUN_ID], force=True),
    "page": purge_on_the_page,
    "admin": lambda doors: confirm(doors.client, choose(doors.client, "purge", IDENTITY, query="?deleted=yes")),
    "library": purge_in_the_library,
}


def through(doors: dict[str, Door]) -> Any:
    return pytest.mark.parametrize("change", doors.values(), ids=doors.keys())


@through(TAG)
def test_a_tag(doors: Doors, change: Door):
    change(doors)

    client = doors.client
    assert document(client, f"/api/runs/{RUN_ID}")["tags"] == ["first", "好"]
    assert document(client, f"/api/v2/experiments/{RUN_ID}")["experiment"]["tags"] == ["first", "好"]
    for items in ("/api/runs", "/api/experiments/search", "/api/v2/experiments"):
        assert item_of(client, items)["tags"] == ["first", "好"], items
    for found in ("/api/experiments/search?tags=好", "/api/v2/experiments?tags=好"):
        assert ids_in(client, found) == [RUN_ID], found
    assert rows_of(client, "/runs?filter=tags has 好") == [RUN_ID]
    assert listed(client, "?tag=好") == [RUN_ID]
    assert "好" in html(client, f"/runs/{RUN_ID}/overview")


@through(DESCRIBE)
def test_a_description(doors: Doors, change: Door):
    change(doors)

    assert item_of(doors.client, "/api/experiments/search")["description"] == "of March"
    assert ids_in(doors.client, "/api/experiments/search?text=March") == [RUN_ID]
    assert "of March" in html(doors.client, f"/runs/{RUN_ID}/overview")
    assert "of March" in html(doors.client, address_of(doors.client))


@through(ARCHIVE)
def test_an_archived_run(doors: Doors, change: Door):
    change(doors)

    assert ids_in(doors.client, "/api/experiments/search") == [OTHER_ID]
    assert ids_in(doors.client, "/api/experiments/search?archived=true") == [RUN_ID]
    assert (listed(doors.client, "?archived=yes"), listed(doors.client, "?archived=no")) == ([RUN_ID], [OTHER_ID])


@through(PIN)
def test_a_pinned_run(doors: Doors, change: Door):
    change(doors)

    assert item_of(doors.client, "/api/experiments/search")["pinned"] is True
    assert listed(doors.client, "?pinned=yes") == [RUN_ID]


@through(DELETE)
def test_a_run_in_the_recycle_bin(doors: Doors, change: Door):
    change(doors)

    assert places_of(doors) == IN_THE_BIN


@through(RESTORE)
def test_a_run_brought_back(doors: Doors, change: Door):
    mark_in_the_library(doors)

    change(doors)

    assert places_of(doors) == THERE


@through(PURGE)
def test_a_run_deleted_for_ever(doors: Doors, change: Door):
    mark_in_the_library(doors)

    change(doors)

    assert not doors.run_dir.exists()
    assert places_of(doors) == GONE


#: Where the run is, by each reader: among those that are there, in the recycle bin, found by its id, counted.
THERE = {
    "V1 list": True,
    "V1 search": True,
    "V1 recycle bin": False,
    "V1 details": 200,
    "V1 projects": {"nlp": 1, "vision": 1},
    "V2 list": True,
    "V2 details": 200,
    "V2 counts": (2, 0),
    "page of runs": True,
    "page of the run": 200,
    "page of the recycle bin": False,
    "admin": True,
    "admin, recycle bin": False,
}
IN_THE_BIN = THERE | {
    "V1 list": False,
    "V1 search": False,
    "V1 recycle bin": True,
    "V1 details": 404,
    "V1 projects": {"nlp": 1},
    "V2 list": False,
    "V2 details": 404,
    "V2 counts": (1, 1),
    "page of runs": False,
    "page of the run": 404,
    "page of the recycle bin": True,
    "admin": False,
    "admin, recycle bin": True,
}
GONE = IN_THE_BIN | {
    "V1 recycle bin": False,
    "V2 counts": (1, 0),
    "page of the recycle bin": False,
    "admin, recycle bin": False,
}


def places_of(doors: Doors) -> dict[str, Any]:
    client = doors.client
    projects, summary = document(client, "/api/projects"), document(client, "/api/v2/analytics/summary")
    return {
        "V1 list": RUN_ID in ids_in(client, "/api/runs"),
        "V1 search": RUN_ID in ids_in(client, "/api/experiments/search"),
        "V1 recycle bin": RUN_ID in ids_in(client, "/api/recycle-bin"),
        "V1 details": client.get(f"/api/runs/{RUN_ID}").status_code,
        "V1 projects": {project["name"]: project["experiment_count"] for project in projects["details"]},
        "V2 list": RUN_ID in ids_in(client, "/api/v2/experiments"),
        "V2 details": client.get(f"/api/v2/experiments/{RUN_ID}").status_code,
        "V2 counts": (summary["active_experiments"], summary["deleted_experiments"]),
        "page of runs": RUN_ID in rows_of(client, "/runs"),
        "page of the run": client.get(f"/runs/{RUN_ID}").status_code,
        "page of the recycle bin": RUN_ID in html(client, "/recycle-bin"),
        "admin": RUN_ID in listed(client, "?deleted=no"),
        "admin, recycle bin": RUN_ID in listed(client, "?deleted=yes"),
    }


def items_in(client: Client, address: str) -> list[Any]:
    answer = document(client, address)
    items = answer if isinstance(answer, list) else answer.get("experiments", answer.get("deleted_runs"))
    assert isinstance(items, list), answer
    return items


def ids_in(client: Client, address: str) -> list[str]:
    return [item["id"] for item in items_in(client, address)]


def item_of(client: Client, address: str) -> Any:
    (item,) = (item for item in items_in(client, address) if item["id"] == RUN_ID)
    return item


def document(client: Client, address: str) -> Any:
    answer = client.get(address)
    assert answer.status_code == 200, answer
    return json.loads(async_to_sync(_streamed)(answer) if answer.streaming else answer.content)


async def _streamed(answer: Any) -> bytes:
    return b"".join([piece async for piece in answer.streaming_content])


def html(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer
    return answer.content.decode()


def rows_of(client: Client, address: str) -> list[str]:
    """The runs that the page of runs lists."""
    page = html(client, address)
    return [run_id for run_id in (RUN_ID, OTHER_ID) if f'href="/runs/{run_id}' in page]
