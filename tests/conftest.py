"""Every test runs with folders of its own: nothing of the user's configuration, cache or runs is read or written."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import tempfile
from pathlib import Path

#: Before Django's settings are read, which happens below.
SESSION_FOLDER = Path(tempfile.mkdtemp(prefix="runicorn-tests-"))

for _variable, _name in {
    "XDG_CACHE_HOME": "cache",
    "XDG_CONFIG_HOME": "config",
    "XDG_DATA_HOME": "data",
    "RUNICORN_DIR": "root",
}.items():
    os.environ[_variable] = str(SESSION_FOLDER / _name)
for _variable in ("RUNICORN_HOST", "RUNICORN_NO_AUTH", "RUNICORN_CONSOLE", "RUNICORN_STRICT"):
    os.environ.pop(_variable, None)

# A suite that runs in the background of a shell ignores Ctrl-C, and so would every process that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The library's own tests also run where no Django is installed.
if importlib.util.find_spec("django") is not None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "runicorn_site.settings"
    import django

    django.setup()


def pytest_unconfigure() -> None:
    shutil.rmtree(SESSION_FOLDER, ignore_errors=True)
