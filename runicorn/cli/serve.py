"""`runicorn serve`: the web process alone, for systemd and the like."""

from __future__ import annotations

import click

from runicorn.cli import processes
from runicorn.cli.addresses import check_reach, free_address
from runicorn.cli.options import address_options, chosen_root, storage_option


@click.command("serve")
@address_options
@storage_option
def command(*, host: str, port: int, no_auth: bool, storage: str | None) -> None:
    """Run the web process alone (API, WebSockets, pages); `runicorn mirror` must run beside it."""
    root = chosen_root(storage)
    address = free_address(host, port)
    warning = check_reach(address, no_auth=no_auth)
    if warning:
        click.echo(warning, err=True)
    processes.set_environment(root, address=address, no_auth=no_auth)
    processes.site_processes().serve(ip=address.ip, port=address.port)
