"""`runicorn serve`: the web process alone, for systemd and the like."""

from __future__ import annotations

import click

from runicorn.cli import processes
from runicorn.cli.addresses import free_address, reach_notice
from runicorn.cli.options import address_options, chosen_root, root_is_named, storage_option


@click.command("serve")
@address_options
@storage_option
@click.option("--supervised", is_flag=True, hidden=True)
def command(*, host: str, port: int, no_auth: bool, storage: str | None, supervised: bool) -> None:
    """Run the web process alone (API, WebSockets, pages); `runicorn mirror` must run beside it."""
    root = chosen_root(storage)
    address = free_address(host, port)
    notice = reach_notice(address, no_auth=no_auth)
    if notice and not supervised:
        click.echo(notice, err=True)

    def on_ready(set_up_path: str | None) -> None:
        if not supervised:  # the supervisor says so for all its children
            click.echo(f"Runicorn web process at {address.url}")
            click.echo(f"Storage root: {root}")
        if set_up_path is not None:
            click.echo(f"There is no account yet. Make the first one within 24 hours: {address.url}{set_up_path}")
            click.echo("(from another machine with this one's name or address in it)")

    follows = not root_is_named(storage)
    processes.set_environment(root, address=address, no_auth=no_auth, follows_user_root=follows)
    processes.site_processes().serve(ip=address.ip, port=address.port, on_ready=on_ready)
