"""docs/logging.md and docs/artifacts.md: their examples run, and they name every parameter, call and variable."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

import runicorn as rn
from runicorn import config
from tests.training_scripts import document, run_script

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = DOCS / "logging.md"
ARTIFACTS = DOCS / "artifacts.md"
EXAMPLES = [
    example
    for guide in (GUIDE, ARTIFACTS)
    for example in re.findall(r"```python\n(.*?)```", guide.read_text("utf-8"), re.DOTALL)
]


@pytest.mark.parametrize("code", EXAMPLES)
def test_an_example_runs_and_its_runs_are_finished(root, code):
    run_script(code, root=root)

    for run_dir in root.glob("*/*/runs/*"):
        assert document(run_dir, "status.json")["status"] == "finished"


def test_every_parameter_of_init_is_explained():
    explained = set(re.findall(r"`(\w+)`", GUIDE.read_text("utf-8")))

    assert set(inspect.signature(rn.init).parameters) - explained == set()


def test_every_way_to_add_to_an_artifact_is_explained():
    text = ARTIFACTS.read_text("utf-8")
    calls = {name for name in dir(rn.Artifact) if name.startswith("add_")}

    assert calls == set(re.findall(r"add_\w+", text))
    for call in calls - {"add_tags", "add_metadata"}:
        parameters = set(inspect.signature(getattr(rn.Artifact, call)).parameters) - {"self"}
        assert parameters <= set(re.findall(r"\w+", text)), call


def test_every_variable_the_library_reads_is_explained():
    text = GUIDE.read_text("utf-8")

    for name in (config.DIR_VARIABLE, config.CONSOLE_VARIABLE, config.STRICT_VARIABLE):
        assert f"`{name}`" in text


def test_init_and_the_constructor_of_a_run_take_the_same():
    def parameters(function):
        found = inspect.signature(function).parameters.values()
        return [(one.name, one.kind, one.default) for one in found if one.name != "self"]

    assert parameters(rn.init) == parameters(rn.Run.__init__)
    assert [name for name, _, _ in parameters(rn.init)] == [
        *("project", "storage", "run_id", "name", "capture_env"),
        *("config", "tags", "notes", "group", "resume", "console"),
    ]
