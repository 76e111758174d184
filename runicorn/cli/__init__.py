"""The `runicorn` command. One module a subcommand, imported when it is called."""

from __future__ import annotations

import importlib
import sys

import click

from runicorn import __version__
from runicorn.errors import RunicornError

#: The version of the REST API and of the on-disk format that this program is compatible with.
API_VERSION = "0.4.1"
#: Ended by Ctrl-C, as shells count it.
EXIT_INTERRUPTED = 130

#: Subcommand to its module; the function there is called ``command``.
COMMANDS = {
    "viewer": "runicorn.cli.viewer",
    "serve": "runicorn.cli.serve",
    "mirror": "runicorn.cli.mirror",
    "reindex": "runicorn.cli.reindex",
    "config": "runicorn.cli.config",
    "artifacts": "runicorn.cli.artifacts",
    "rate-limit": "runicorn.cli.rate_limit",
    "doctor": "runicorn.cli.doctor",
    "demo": "runicorn.cli.demo",
}
#: Called by our own processes only.
HIDDEN_COMMANDS = {
    "demo-conductor": "runicorn.demo.conductor",
    "demo-prepare": "runicorn.demo.prepare",
    "demo-train": "runicorn.demo.train",
}


class _LazyGroup(click.Group):
    """Knows its subcommands by name and imports a module only when it is needed: `runicorn config` loads no server."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        module = COMMANDS.get(name) or HIDDEN_COMMANDS.get(name)
        if module is None:
            return None
        command: click.Command = importlib.import_module(module).command
        return command


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="runicorn", message=f"%(prog)s %(version)s (API {API_VERSION})")
@click.option("--storage", metavar="PATH", help="The storage root; may also follow the command.")
@click.pass_context
def _group(ctx: click.Context, storage: str | None) -> None:
    """Track experiments in plain folders, and watch them in a browser."""
    ctx.obj = storage


def main() -> None:
    """Run the command line and exit: 0 success, 1 failure, 2 bad arguments, 130 interrupted."""
    try:
        code = _group.main(prog_name="runicorn", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except RunicornError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(EXIT_INTERRUPTED)
    sys.exit(code if isinstance(code, int) else 0)
