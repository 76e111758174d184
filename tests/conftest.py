"""Every test runs with folders of its own: nothing of the user's configuration, cache or runs is read or written."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.components import suite_is_on_postgresql

#: Before Django's settings are read, which happens below.
SESSION_FOLDER = Path(tempfile.mkdtemp(prefix="runicorn-tests-"))

for _variable, _name in {
    "XDG_CACHE_HOME": "cache",
    "XDG_CONFIG_HOME": "config",
    "XDG_DATA_HOME": "data",
    "RUNICORN_DIR": "root",
}.items():
    os.environ[_variable] = str(SESSION_FOLDER / _name)
_OF_THE_USER = {
    "RUNICORN_HOST",
    "RUNICORN_NO_AUTH",
    "RUNICORN_ALLOWED_HOSTS",
    "RUNICORN_ALLOWED_ORIGINS",
    "RUNICORN_TRUSTED_PROXIES",
    "RUNICORN_DATABASE_URL",
    "RUNICORN_FRONTEND_DIST",
    "RUNICORN_DESKTOP_FRONTEND",
    "RUNICORN_REDIS_URL",
    "RUNICORN_CONSOLE",
    "RUNICORN_STRICT",
}
for _variable in _OF_THE_USER:
    os.environ.pop(_variable, None)

# A suite that runs in the background of a shell ignores Ctrl-C, and so would every process that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The library's own tests also run where no Django is installed.
if importlib.util.find_spec("django") is not None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "runicorn_site.settings"
    import django

    from tests.databases import is_for_both, test_databases
    from tests.server import write_limits

    if suite_is_on_postgresql():
        os.environ["RUNICORN_DATABASE_URL"] = test_databases().own_url
    django.setup()
    # Started with it, a worker of pytest-xdist would read the settings before this file, with the variables of another
    del os.environ["DJANGO_SETTINGS_MODULE"]
    write_limits(SESSION_FOLDER / "config")


if suite_is_on_postgresql():

    def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
        left_out = [item for item in items if not is_for_both(item)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]

    @pytest.fixture(scope="session")
    def django_db_setup(django_db_blocker: Any) -> Iterator[None]:
        """In place of pytest-django's, which makes a database for each alias: both are in one."""
        from django.db import connections

        test_databases().create_own()
        yield
        with django_db_blocker.unblock():
            for connection in connections.all():
                connection.close_pool()


def pytest_unconfigure() -> None:
    if suite_is_on_postgresql():
        test_databases().drop_all()
    shutil.rmtree(SESSION_FOLDER, ignore_errors=True)
