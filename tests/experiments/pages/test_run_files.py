"""The files of a run: listed as they lie there, saved by their path, and nothing outside of the directory."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from experiments.queries import run_files
from tests.experiments.pages.conftest import text_of
from tests.run_directories import RUN_ID, write_run

pytestmark = pytest.mark.django_db(databases=["index"], transaction=True)
Page = Callable[..., str]


@pytest.fixture
def run_dir(root_dir: Path, index: Callable[[], None]) -> Path:
    run_dir = write_run(root_dir, config={"lr": 1})
    (run_dir / "media").mkdir()
    (run_dir / "media" / "图 & <b>.png").write_bytes(b"x" * 2048)
    index()
    return run_dir


def test_files_stand_by_folder_with_their_sizes(page: Page, run_dir: Path):
    html = page(f"/runs/{RUN_ID}/files")

    text = text_of(html)
    assert "config.json" in text
    assert text.index("meta.json") < text.index("media/ 1")
    assert "图 &amp; &lt;b&gt;.png 2.00 KB" in text
    assert f'href="/runs/{RUN_ID}/files/media/%E5%9B%BE%20&amp;%20%3Cb%3E.png"' in html


def test_a_link_is_named_and_not_followed(page: Page, client: Client, run_dir: Path, tmp_path: Path):
    secret = tmp_path / "secret"
    secret.write_text("password")
    (run_dir / "out").symlink_to(secret)
    (run_dir / "loop").symlink_to(run_dir)

    text = text_of(page(f"/runs/{RUN_ID}/files"))

    assert "out (link, not followed)" in text
    assert "loop (link, not followed)" in text
    assert client.get(f"/runs/{RUN_ID}/files/out").status_code == 404


async def test_a_file_is_saved_and_never_shown_in_place(async_client, run_dir: Path):
    (run_dir / "page.html").write_text("<script>alert(1)</script>")

    answer = await async_client.get(f"/runs/{RUN_ID}/files/page.html")

    assert answer.status_code == 200
    assert answer["Content-Disposition"] == 'attachment; filename="page.html"'
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("application/octet-stream", "nosniff")
    assert b"".join([piece async for piece in answer]) == b"<script>alert(1)</script>"


@pytest.mark.parametrize("path", ["..%2F..%2Fmeta.json", "%2Fetc%2Fpasswd", "media", "gone", "a/..%2F..%2Fx", "%00"])
def test_no_path_leads_out(client: Client, run_dir: Path, path: str):
    assert client.get(f"/runs/{RUN_ID}/files/{path}").status_code == 404


def test_names_that_are_no_text_are_listed_and_not_linked(page: Page, run_dir: Path):
    Path(os.fsdecode(os.fsencode(run_dir) + b"/bad\xff.bin")).write_bytes(b"1")

    html = page(f"/runs/{RUN_ID}/files")

    assert "bad?.bin" in text_of(html) or "bad\ufffd.bin" in text_of(html)
    assert "files/bad" not in html


def test_thousands_of_files_are_cut_off_and_it_is_said(page: Page, run_dir: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(run_files, "MAX_FILES", 3)

    assert "There are more files" in page(f"/runs/{RUN_ID}/files")


def test_a_directory_that_is_gone_says_so(page: Page, run_dir: Path):
    run_dir.rename(run_dir.with_name("elsewhere"))

    assert "No files" in page(f"/runs/{RUN_ID}/files")
