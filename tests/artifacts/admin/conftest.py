"""The admin over artifacts of a storage root of the test's own, which the mirror has just indexed."""

from __future__ import annotations

from tests.artifacts.mirror.conftest import root, root_dir, tick  # noqa: F401
from tests.artifacts.pages.conftest import net  # noqa: F401
from tests.experiments.admin.conftest import ada  # noqa: F401
