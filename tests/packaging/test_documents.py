"""What the documents say about commands, flags, variables and examples is true."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from runicorn.cli import COMMANDS, _group
from tests.command_line import user_environment

CHECKOUT = Path(__file__).resolve().parents[2]
READMES = [CHECKOUT / "README.md", CHECKOUT / "docs" / "README.zh.md"]
#: Records a training script's environment, which is not the same as being controlled by it.
CAPTURES = ("runicorn/environment.py", "runicorn/environment_probes.py")
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
        taken |= {option for parameter in visible(command) for option in parameter.opts}

    assert set(re.findall(r"--[a-z][a-z-]*", GUIDE)) <= taken


def visible(command: click.Command) -> list[click.Parameter]:
    return [parameter for parameter in command.params if not getattr(parameter, "hidden", False)]


#: The only modules that read the environment.
READERS = ("runicorn/config.py", "runicorn_site/environment.py", "tests/components.py")


def test_the_guide_names_exactly_the_variables_that_are_read():
    sources = [(CHECKOUT / name).read_text(encoding="utf-8") for name in READERS]

    read = {variable for source in sources for variable in re.findall(r'"(RUNICORN_[A-Z_]+)"', source)}

    assert set(re.findall(r"`(RUNICORN_[A-Z_]+)`", GUIDE)) == read


def test_nothing_else_of_the_library_and_the_viewer_reads_the_environment():
    packages = [
        path for name in ("runicorn", "experiments", "runicorn_site") for path in (CHECKOUT / name).rglob("*.py")
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
