from __future__ import annotations

import pytest

import runicorn as rn


@pytest.fixture(autouse=True)
def root(tmp_path, monkeypatch):
    """A storage root of the test's own. What goes wrong in the library raises; the run left active is finished."""
    folder = tmp_path / "root"
    monkeypatch.setenv("RUNICORN_DIR", str(folder))
    monkeypatch.setenv("RUNICORN_STRICT", "1")
    yield folder
    if rn.get_active_run() is not None:
        rn.finish()


@pytest.fixture
def forgiving(monkeypatch):
    """As users run it: what goes wrong is warned about and counted."""
    monkeypatch.delenv("RUNICORN_STRICT")


@pytest.fixture
def run(root):
    """A run that captures nothing around it."""
    return rn.init(project="vision", name="vit", capture_env=False, console=False)
