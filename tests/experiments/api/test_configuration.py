"""Section G over HTTP: where things lie, and column widths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from runicorn import __version__
from tests.run_directories import write_json
from tests.server import ViewerServer

TABLE = {"table": "runs", "size": "1600x900"}


def save(api: httpx.Client, **body: Any) -> httpx.Response:
    return api.post("/api/config/column-widths", json=body)


def saved(api: httpx.Client, **query: str) -> Any:
    answer = api.get("/api/config/column-widths", params={**TABLE, **query})
    assert answer.status_code == 200, answer.text
    return answer.json()["widths"]


def test_the_configuration_says_where_things_lie(server: ViewerServer, api: httpx.Client):
    file = Path(server.environment["XDG_CONFIG_HOME"]) / "runicorn" / "config.json"
    expected = {
        "user_root_dir": "",
        "storage": str(server.storage),
        "config_file": str(file),
        "version": __version__,
        "api_version": "0.4.1",
    }
    assert api.get("/api/config").json() == expected

    write_json(file, {"user_root_dir": "/data/other"})
    assert api.get("/api/config").json() == {**expected, "user_root_dir": "/data/other"}
    file.unlink()


def _switch(api: httpx.Client, path: Any) -> httpx.Response:
    return api.post("/api/config/user_root_dir", json={"path": path})


@pytest.mark.parametrize("path", ["", "  ", "relative/folder", "./here", "/proc/nobody/may", "/etc/hostname", "a\0b"])
def test_a_path_that_cannot_be_a_root_is_refused(server: ViewerServer, api: httpx.Client, path: str):
    answer = _switch(api, path)

    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("Invalid path: ") or "\0" in path
    assert api.get("/api/config").json()["storage"] == str(server.storage)
    assert api.get("/api/config").json()["user_root_dir"] == ""


@pytest.mark.parametrize("body", [{}, {"path": None}, {"path": 7}, {"path": ["/tmp"]}, []])
def test_a_body_without_a_path_is_refused(api: httpx.Client, body: Any):
    answer = api.post("/api/config/user_root_dir", json=body)

    assert answer.status_code == 400
    assert isinstance(answer.json()["detail"], str)


def test_variables_of_the_server_are_not_looked_up_in_a_path(server: ViewerServer, api: httpx.Client, tmp_path: Path):
    answer = _switch(api, f"{tmp_path}/$XDG_CONFIG_HOME")

    assert answer.json()["storage"] == f"{tmp_path}/$XDG_CONFIG_HOME"
    assert (tmp_path / "$XDG_CONFIG_HOME").is_dir()
    assert _switch(api, str(server.storage)).status_code == 200
    Path(api.get("/api/config").json()["config_file"]).unlink()


def test_widths_are_saved_for_a_table_and_a_size(api: httpx.Client):
    assert saved(api, table="fresh") == {}

    answer = save(api, **TABLE, widths={"name": 220, "状态": 90}, window_width=1600, window_height=900)
    assert answer.json() == {"ok": True, "message": "Column width preferences saved", "data": {}}
    assert api.get("/api/config/column-widths", params=TABLE).json() == {**TABLE, "widths": {"name": 220, "状态": 90}}

    save(api, **TABLE, widths={"name": 100})
    assert saved(api) == {"name": 100}
    assert saved(api, size="800x600") == {}
    assert saved(api, table="artifacts") == {}


def test_widths_are_forgotten_for_one_size_or_for_all(api: httpx.Client):
    for size in ("1x1", "2x2", "3x3"):
        save(api, table="runs", size=size, widths={"name": 1})
    save(api, table="other", size="1x1", widths={"name": 1})

    answer = api.delete("/api/config/column-widths", params={"table": "runs", "size": "1x1"})
    assert answer.json() == {"ok": True, "message": "Column width preferences reset", "data": {}}
    assert [saved(api, size=size) for size in ("1x1", "2x2")] == [{}, {"name": 1}]

    assert api.delete("/api/config/column-widths", params={"table": "runs"}).status_code == 200
    assert [saved(api, size=size) for size in ("2x2", "3x3")] == [{}, {}]
    assert saved(api, table="other", size="1x1") == {"name": 1}


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        None,
        {**TABLE},
        {**TABLE, "widths": [1]},
        {**TABLE, "widths": {"name": "wide"}},
        {**TABLE, "widths": {"name": -1}},
        {**TABLE, "widths": {"name": 10**30}},
        {**TABLE, "widths": {"name": None}},
        {**TABLE, "widths": {"name": {"deep": [1]}}},
        {**TABLE, "widths": {"na\0me": 1}},
        {**TABLE, "widths": {"x" * 101: 1}},
        {**TABLE, "widths": {f"c{number}": 1 for number in range(501)}},
        {**TABLE, "widths": {}, "window_width": 2**31},
        {"table": "x" * 101, "size": "1x1", "widths": {}},
        {"table": "ru\0ns", "size": "1x1", "widths": {}},
        {"table": ["runs"], "size": "1x1", "widths": {}},
    ],
    ids=lambda body: str(body)[:60],
)
def test_widths_that_make_no_sense_are_refused(api: httpx.Client, body: Any):
    answer = api.post("/api/config/column-widths", json=body)

    assert answer.status_code == 400, answer.text
    assert isinstance(answer.json()["detail"], str)


@pytest.mark.parametrize("query", ["", "?table=runs", "?size=1x1", "?table=%00&size=1x1", "?table=&size=1x1"])
def test_both_parameters_are_needed(api: httpx.Client, query: str):
    assert api.get(f"/api/config/column-widths{query}").status_code == 400


def test_forgetting_needs_a_table(api: httpx.Client):
    assert api.delete("/api/config/column-widths").status_code == 400
