"""`runicorn mirror`: the mirror process alone, for systemd and the like."""

from __future__ import annotations

import click

from runicorn.cli import processes
from runicorn.cli.options import chosen_root, root_is_named, storage_option


@click.command("mirror")
@storage_option
def command(*, storage: str | None) -> None:
    """Run the mirror process alone: it keeps the index in step with the run directories."""
    processes.set_environment(chosen_root(storage), follows_user_root=not root_is_named(storage))
    processes.site_processes().mirror()
