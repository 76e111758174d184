"""`runicorn serve`: the web process alone, for systemd and the like."""

from __future__ import annotations

import click

from runicorn.cli import processes
from runicorn.cli.addresses import check_reach, free_address
from runicorn.cli.options import address_options, chosen_root, storage_option


@click.command("serve")
@address_options
@storage_option
@click.option("--supervised", is_flag=True, hidden=True)
def command(*, host: str, port: int, no_auth: bool, storage: str | None, supervised: bool) -> None:
    """Run the web process alone (API, WebSockets, pages); `runicorn mirror` must run beside it."""
    root = chosen_root(storage)
    address = free_address(host, port)
    warning = check_reach(address, no_auth=no_auth)
    if warning and not supervised:
        click.echo(warning, err=True)

    def on_ready() -> None:
        if not supervised:  # the supervisor says so for all its children
            click.echo(f"Runicorn web process at {address.url}")
            click.echo(f"Storage root: {root}")

    processes.set_environment(root, address=address, no_auth=no_auth)
    processes.site_processes().serve(ip=address.ip, port=address.port, on_ready=on_ready)
