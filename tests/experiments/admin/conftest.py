"""The admin over a storage root of the test's own, asked as a browser does."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User

from tests.experiments.admin.pages import PATH, Tick
from tests.experiments.mirror.conftest import mirror, root, root_dir, tick  # noqa: F401
from tests.run_directories import write_run


@pytest.fixture
def run_dir(root_dir: Path, tick: Tick) -> Path:  # noqa: F811
    """A run with a tag, in the index."""
    run_dir = write_run(root_dir, PATH, meta={"tags": ["first"]})
    tick()
    return run_dir


@pytest.fixture
def ada(db: None) -> User:
    """An account, which is an administrator's."""
    return User.objects.create_user("ada", is_staff=True)
