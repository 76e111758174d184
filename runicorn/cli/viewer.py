"""`runicorn viewer`: the whole viewer under one supervisor."""

from __future__ import annotations

import time

import click

from runicorn.cli import own_packages, processes
from runicorn.cli.addresses import free_address, reach_notice
from runicorn.cli.options import address_options, chosen_root, root_is_named, storage_option
from runicorn.cli.reload import SourceWatch
from runicorn.cli.supervisor import Supervisor


@click.command("viewer")
@address_options
@storage_option
@click.option("--reload", is_flag=True, help="Start anew when the source of Runicorn changes (for its developers).")
def command(*, host: str, port: int, no_auth: bool, storage: str | None, reload: bool) -> int:
    """Show the runs of a storage root in a browser."""
    root = chosen_root(storage)
    address = free_address(host, port)
    notice = reach_notice(address, no_auth=no_auth)
    if notice:
        click.echo(notice, err=True)

    def on_ready() -> None:
        click.echo(f"Runicorn viewer at {address.url}")
        click.echo(f"Storage root: {root}")

    watch = SourceWatch(own_packages.source_folders()) if reload else None
    return Supervisor(
        processes.viewer_specs(address, no_auth=no_auth),
        environment=processes.environment_for(
            root,
            address=address,
            no_auth=no_auth,
            start_id=processes.new_start_id(),
            follows_user_root=not root_is_named(storage),
        ),
        is_ready=lambda: processes.answers(address),
        on_ready=on_ready,
        changed=lambda: watch is not None and watch.changed(time.monotonic()),
    ).run()
