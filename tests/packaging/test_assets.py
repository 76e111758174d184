"""What `make assets` builds and the pages load."""

from __future__ import annotations

import pytest
from django.contrib.staticfiles import finders

LIBRARIES = [
    "vendor/tabler/tabler.min.css",
    "vendor/tabler/tabler.min.js",
    "vendor/tabler/icons.svg",
    "vendor/htmx/htmx.min.js",
    "vendor/uplot/uPlot.esm.js",
    "vendor/uplot/uPlot.min.css",
]


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_browser_library_that_pages_load_is_built(name):
    assert finders.find(name), "run `make assets`"


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_browser_library_points_to_no_source_map_that_is_not_there(name):
    path = finders.find(name)

    with open(path, "rb") as file:
        assert b"sourceMappingURL" not in file.read()[-500:]
