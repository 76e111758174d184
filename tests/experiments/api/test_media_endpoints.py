from __future__ import annotations

import json
import os
from pathlib import Path

import httpx
import pytest

from tests.run_directories import CREATED_AT, write_run
from tests.server import ViewerServer

RUN = "20250114_153045_ae2001"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 2000


@pytest.fixture(scope="module")
def media(server: ViewerServer) -> Path:
    """The media folder of a run that logged two images; the folder holds more."""
    run_dir = write_run(server.storage, f"media/vit/runs/{RUN}")
    folder = run_dir / "media"
    folder.mkdir()
    (folder / "1_a_val grid.png").write_bytes(PNG)
    (folder / "2_b_x.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    (folder / "page.html").write_text("<script>alert(1)</script>")
    os.symlink(run_dir / "meta.json", folder / "link.png")
    os.symlink("/etc/passwd", folder / "passwd.png")
    os.mkfifo(folder / "fifo.png")
    (folder / "folder.png").mkdir()
    events = [
        {"key": "val grid", "path": "media/1_a_val grid.png", "step": 40, "caption": None},
        {"key": "drawing", "path": "media/2_b_x.svg", "step": None, "caption": "a <b>"},
        {"key": "stray", "path": "meta.json", "step": 1, "caption": None},
    ]
    lines = [json.dumps({"ts": CREATED_AT + n, "type": "image", "data": event}) for n, event in enumerate(events)]
    (run_dir / "events.jsonl").write_text("\n".join(lines) + "\n")
    server.scan()
    return folder


@pytest.mark.usefixtures("media")
def test_images_are_listed_in_log_order_with_an_address_that_works(api: httpx.Client):
    images = api.get(f"/api/runs/{RUN}/media").json()["images"]

    assert images[0] == {
        "key": "val grid",
        "path": "media/1_a_val grid.png",
        "step": 40,
        "caption": None,
        "ts": CREATED_AT,
        "url": f"/api/runs/{RUN}/media/1_a_val%20grid.png",
    }
    assert [image["key"] for image in images][:2] == ["val grid", "drawing"]
    assert api.get(images[0]["url"]).content == PNG


@pytest.mark.usefixtures("media")
def test_an_image_is_shown_in_place_and_anything_that_could_run_is_saved(api: httpx.Client):
    def headers(name: str) -> tuple[str, str, str]:
        answer = api.get(f"/api/runs/{RUN}/media/{name}")
        assert answer.status_code == 200
        kind, disposition = answer.headers["Content-Type"], answer.headers["Content-Disposition"]
        return kind, disposition.partition(";")[0], answer.headers["X-Content-Type-Options"]

    assert headers("1_a_val%20grid.png") == ("image/png", "inline", "nosniff")
    assert headers("2_b_x.svg") == ("application/octet-stream", "attachment", "nosniff")
    assert headers("page.html") == ("application/octet-stream", "attachment", "nosniff")


OUTSIDE = ["link.png", "passwd.png", "fifo.png", "folder.png", "nope.png", "..%2fmeta.json", "%2e%2e/meta.json"]


@pytest.mark.usefixtures("media")
@pytest.mark.parametrize("name", [*OUTSIDE, "..%5cmeta.json", "%00", "/etc/passwd", "%2fetc%2fpasswd", "x" * 3000])
def test_nothing_but_regular_files_inside_the_folder_is_served(api: httpx.Client, name: str):
    answer = api.get(f"/api/runs/{RUN}/media/{name}")

    assert answer.status_code == 404
    assert "root:" not in answer.text


@pytest.mark.usefixtures("media")
def test_an_unchanged_file_is_not_sent_again(api: httpx.Client):
    address = f"/api/runs/{RUN}/media/1_a_val%20grid.png"
    first = api.get(address)

    by_tag = api.get(address, headers={"If-None-Match": first.headers["ETag"]})
    by_date = api.get(address, headers={"If-Modified-Since": first.headers["Last-Modified"]})
    other = api.get(address, headers={"If-None-Match": '"other"'})

    assert (by_tag.status_code, by_tag.content) == (304, b"")
    assert by_date.status_code == 304
    assert (other.status_code, other.content) == (200, PNG)
    assert int(first.headers["Content-Length"]) == len(PNG)


@pytest.mark.usefixtures("media")
def test_a_head_request_gives_the_size_only(api: httpx.Client):
    answer = api.head(f"/api/runs/{RUN}/media/1_a_val%20grid.png")

    assert (answer.headers["Content-Length"], answer.content) == (str(len(PNG)), b"")
    assert api.get("/api/health").status_code == 200


def test_unknown_runs_have_no_media(api: httpx.Client):
    assert api.get("/api/runs/nope/media").status_code == 404
    assert api.get("/api/runs/nope/media/a.png").status_code == 404
