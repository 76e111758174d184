"""`runicorn config`: the user's own settings."""

from __future__ import annotations

import click

from runicorn import config


@click.command("config")
@click.option("--show", is_flag=True, help="Print the settings; also what happens without a flag.")
@click.option("--set-user-root", metavar="PATH", help="Create a folder and make it the storage root from now on.")
def command(*, show: bool, set_user_root: str | None) -> None:
    """Show or change where runs are stored."""
    if set_user_root is not None:
        click.echo(f"Set user_root_dir to: {config.write_user_root(set_user_root)}")
        click.echo("A running viewer shows it at once, unless it was started with --storage or RUNICORN_DIR.")
        if config.root_in_environment():
            click.echo(f"{config.DIR_VARIABLE} is set here and goes first; unset it to use the folder.", err=True)
    if show or set_user_root is None:
        user_root = config.read_user_config().get("user_root_dir") or "(not set)"
        click.echo(f"Config file   : {config.user_config_dir() / 'config.json'}")
        click.echo(f"user_root_dir : {user_root}")
        if user_root == "(not set)":
            click.echo("Set it with: runicorn config --set-user-root PATH")
