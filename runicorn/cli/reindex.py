"""`runicorn reindex`: delete the index of a storage root and build it anew."""

from __future__ import annotations

import click

from runicorn.cli import processes
from runicorn.cli.options import chosen_root, storage_option


@click.command("reindex")
@storage_option
def command(*, storage: str | None) -> None:
    """Delete the index of the storage root and build it anew from the run directories, which are only read."""
    root = chosen_root(storage)
    processes.set_environment(root)
    run_count, artifact_count = processes.site_processes().reindex()
    click.echo(f"Indexed {run_count} runs and {artifact_count} artifacts of {root}")
