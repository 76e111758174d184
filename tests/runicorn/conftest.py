from __future__ import annotations

import pytest

import runicorn as rn
from runicorn.heartbeat import Heartbeat


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    """A storage root of the test's own. What goes wrong in the library raises; the run left active is finished.

    Runs left open that are not the active one beat no longer: 15 s later their beat would fall into another test.
    """
    beating = []
    start = Heartbeat.start

    def start_and_note(heartbeat):
        beating.append(heartbeat)
        start(heartbeat)

    monkeypatch.setattr(Heartbeat, "start", start_and_note)
    folder = tmp_path / "root"
    monkeypatch.setenv("RUNICORN_DIR", str(folder))
    monkeypatch.setenv("RUNICORN_STRICT", "1")
    yield folder
    if rn.get_active_run() is not None:
        rn.finish()
    for heartbeat in beating:
        heartbeat.stop()


@pytest.fixture
def forgiving(monkeypatch):
    """As users run it: what goes wrong is warned about and counted."""
    monkeypatch.delenv("RUNICORN_STRICT")


@pytest.fixture
def run(root):
    """A run that captures nothing around it."""
    return rn.init(project="vision", name="vit", capture_env=False, console=False)
