"""What the documents say about commands, flags, variables, addresses, errors, limits and examples is true."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from experiments.http.errors import problem_from
from runicorn.cli import COMMANDS, _group
from runicorn.errors import PortTaken, RunicornError
from runicorn.rate_limits.model import BUILT_IN, STANDARD
from tests.command_line import user_environment
from tests.served_addresses import served_operations, served_sockets

CHECKOUT = Path(__file__).resolve().parents[2]
READMES = [CHECKOUT / "README.md", CHECKOUT / "docs" / "README.zh.md"]
#: Records a training script's environment, which is not the same as being controlled by it.
CAPTURES = ("runicorn/environment.py", "runicorn/environment_probes.py")
API = (CHECKOUT / "docs" / "api.md").read_text(encoding="utf-8")
GUIDE = (CHECKOUT / "docs" / "commands.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_guide_has_each_command_with_each_of_its_flags(name):
    section = next(part for part in GUIDE.split("\n## ") if name in part.splitlines()[0].split(", "))

    command = _group.get_command(click.Context(_group), name)

    assert command is not None
    for parameter in visible(command):
        assert f"`{parameter.opts[0]}" in section, f"{name} {parameter.opts[0]}"


def test_the_guide_has_no_flag_that_no_command_takes():
    taken = {"--storage", "--help"}
    for name in COMMANDS:
        command = _group.get_command(click.Context(_group), name)
        assert command is not None
        taken |= {option for parameter in visible(command) for option in (*parameter.opts, *parameter.secondary_opts)}

    assert set(re.findall(r"--[a-z][a-z-]*", GUIDE)) <= taken


def visible(command: click.Command) -> list[click.Option]:
    return [option for option in command.params if isinstance(option, click.Option) and not option.hidden]


#: The only modules that read the environment.
READERS = (
    "runicorn/config.py",
    "runicorn_site/environment.py",
    "tests/components.py",
    "tests/contract/test_random_requests.py",
)


def test_the_guide_names_exactly_the_variables_that_are_read():
    sources = [(CHECKOUT / name).read_text(encoding="utf-8") for name in READERS]

    read = {variable for source in sources for variable in re.findall(r'"(RUNICORN_[A-Z_]+)"', source)}

    assert set(re.findall(r"`(RUNICORN_[A-Z_]+)`", GUIDE)) == read


def test_nothing_else_of_the_library_and_the_viewer_reads_the_environment():
    packages = [
        path
        for name in ("runicorn", "experiments", "artifacts", "sync", "runicorn_site")
        for path in (CHECKOUT / name).rglob("*.py")
    ]

    readers = {
        str(path.relative_to(CHECKOUT))
        for path in packages
        if re.search(r"os\.getenv|environ(\.get\(|\[[^\]]+\](?! =))", path.read_text(encoding="utf-8"))
    }

    assert readers <= {*READERS, *CAPTURES}


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_the_training_script_of_the_readme_runs(readme, tmp_path):
    (script,) = re.findall(r"```python\n(.*?)```", readme.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "train.py").write_text(script)

    subprocess.run([sys.executable, "train.py"], cwd=tmp_path, env=user_environment(tmp_path), check=True)

    (status,) = (tmp_path / ".runicorn" / "digits" / "baseline" / "runs").glob("*/status.json")
    assert '"finished"' in status.read_text()


def test_both_readmes_show_the_same_commands_and_code():
    blocks = [re.findall(r"```(.*?)```", readme.read_text(encoding="utf-8"), re.DOTALL) for readme in READMES]

    english, chinese = [[re.sub(r"# .*", "", block) for block in each] for each in blocks]

    assert english == chinese


@pytest.mark.parametrize(
    "document", [*READMES, *sorted((CHECKOUT / "docs").glob("**/*.md"))], ids=lambda path: path.name
)
def test_a_link_to_another_file_leads_to_one(document):
    for link in re.findall(r"\]\(([^)#]+)", document.read_text(encoding="utf-8")):
        if "://" not in link:
            assert (document.parent / link).exists(), link


@pytest.mark.parametrize("note", sorted((CHECKOUT / "docs" / "design").glob("*.md")), ids=lambda path: path.name)
def test_a_test_that_a_note_names_with_its_file_is_there(note):
    for file, name in re.findall(r"`([\w/]+\.py)::(\w+)`", note.read_text(encoding="utf-8")):
        source = (CHECKOUT / "tests" / file).read_text(encoding="utf-8")
        assert re.search(rf"^ *(async )?def {name}\(", source, re.MULTILINE), f"{file}::{name}"


def rows(heading: str) -> list[list[str]]:
    """The cells of the tables below a heading of the API's page, without the rows that name the columns."""
    (section,) = [part for part in API.split("\n## ") if part.startswith(f"{heading}\n")]
    lines = [line for line in section.splitlines() if line.startswith("| ") and not line.startswith("| `error_code`")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


ROUTES = [(row[0].strip("`"), row[1].strip("`"), row[3].strip("`")) for row in rows("Routes")[1:]]


def test_the_table_of_routes_has_exactly_what_is_served():
    documented = [(method, path) for method, path, _ in ROUTES]

    assert sorted(documented) == sorted([*served_operations(), *(("WS", path) for path in served_sockets())])


@pytest.mark.parametrize(("method", "path", "file"), ROUTES)
def test_a_route_is_asked_for_in_the_test_file_that_the_table_names(method: str, path: str, file: str):
    text = (CHECKOUT / file).read_text(encoding="utf-8")
    # where the path has {run_id}, a test has an id or a placeholder of its own
    parts = [re.sub(r"\\{\w+\\}", lambda _: r"[^/?\s]+", re.escape(part)) for part in path.split("/")]
    calls = {"GET": r"\bget\(", "WS": r"\bconnect\("}.get(method, rf"\b{method.lower()}\(|\"{method}\"")

    assert re.search("/".join(parts) + r"""[?"'{]""", text)
    assert re.search(calls, text)


def test_the_table_of_error_codes_has_every_error_that_an_answer_can_have():
    documented = {code.strip("`"): int(status) for code, status, _ in rows("Errors") if code.startswith("`")}

    # the base class is raised nowhere, and a port is taken before there is a server
    raised = {error.code: problem_from(error("")).status for error in subclasses(RunicornError) - {PortTaken}}
    assert documented == raised


def subclasses(error: type[RunicornError]) -> set[type[RunicornError]]:
    return {found for child in error.__subclasses__() for found in {child, *subclasses(child)}}


#: Limits of routes that come with SSH sync.
LATER = {"unified/connect", "ssh/connect", "remote/connect", "unified/listdir", "unified/configure_mode"}


def test_a_built_in_limit_is_for_a_path_that_is_served():
    paths = {path for _, path in served_operations()}

    idle = {rule.prefix for rule in BUILT_IN if not any(rule.covers(path) for path in paths)}

    assert idle <= {f"/api/{path}" for path in LATER}


def test_the_table_of_limits_has_the_built_in_ones_of_what_is_served():
    paths = {path for _, path in served_operations()}

    documented = {
        (name, int(limit), prefix)
        for name, limit, routes in rows("Rate limits")[1:]
        for prefix in re.findall("`(.+?)`", routes) or [""]
    }
    built_in = {
        (rule.description, rule.limit.max_requests, rule.prefix)
        for rule in BUILT_IN
        if any(rule.covers(path) for path in paths)
    }

    assert documented == built_in | {("standard", STANDARD.max_requests, "")}
    assert {rule.limit.window_seconds for rule in BUILT_IN} == {60}
