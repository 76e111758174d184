"""`runicorn demo`: the viewer, and something to see in it."""

from __future__ import annotations

import click
from click.core import ParameterSource

from runicorn import config
from runicorn.cli import processes
from runicorn.cli.addresses import Address, free_address
from runicorn.cli.options import DEFAULT_HOST, DEFAULT_PORT, storage_option
from runicorn.cli.supervisor import ChildSpec, Supervisor
from runicorn.errors import PortTaken

DEMO_FOLDER = "demo"


@click.command("demo")
@click.option("--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True)
@storage_option
@click.pass_context
def command(ctx: click.Context, *, port: int, storage: str | None) -> int:
    """Train a few small models with numpy and show them while they train.

    The runs go into a folder of their own among the user's data, or where --storage says.
    """
    explicit = storage if storage is not None else ctx.obj
    root = config.resolve_storage_root(explicit if explicit is not None else config.user_data_dir() / DEMO_FOLDER)
    address = _address(port, is_chosen=ctx.get_parameter_source("port") is not ParameterSource.DEFAULT)

    def on_ready() -> None:
        click.echo(f"Runicorn viewer at {address.url}")
        click.echo(f"Storage root: {root}")

    return Supervisor(
        [*processes.viewer_specs(address, no_auth=False), ChildSpec("demo", ["demo-conductor"], once=True)],
        environment=processes.environment_for(str(root), address=address),
        is_ready=lambda: processes.answers(address),
        on_ready=on_ready,
    ).run()


def _address(port: int, *, is_chosen: bool) -> Address:
    """A port that the user named must be free; instead of the usual one any free one will do."""
    try:
        return free_address(DEFAULT_HOST, port)
    except PortTaken:
        if is_chosen:
            raise
        return free_address(DEFAULT_HOST, 0)
