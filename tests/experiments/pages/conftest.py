"""Pages over run directories that the mirror has just indexed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from experiments.mirror.loop import mirror_once
from experiments.mirror.runs import RunsMirror
from experiments.models import StorageRoot

NOW = 1_800_000_000.0


@pytest.fixture
def root_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


@pytest.fixture
def index(root_dir: Path) -> Callable[[], None]:
    """Bring the index in step with ``root_dir``."""
    mirror = RunsMirror()

    def run() -> None:
        root, _ = StorageRoot.objects.get_or_create(key=StorageRoot.LOCAL, defaults={"path": str(root_dir)})
        while mirror_once([mirror], root, now=NOW):
            pass

    return run


@pytest.fixture
def page(client: Client) -> Callable[..., str]:
    """The HTML of an address that must answer 200. fragment: ask as htmx does."""

    def get(address: str, *, fragment: bool = False, language: str = "en") -> str:
        headers = {"Accept-Language": language} | ({"HX-Request": "true"} if fragment else {})
        response = client.get(address, headers=headers)
        assert response.status_code == 200, (address, response.status_code)
        return response.content.decode()

    return get


def without_tokens(html: str) -> str:
    """The page without the tokens of its forms, which are new each time."""
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", html)


def text_of(html: str) -> str:
    """What a reader sees: without tags, blanks folded."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).strip()
