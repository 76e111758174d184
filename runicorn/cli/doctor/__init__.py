"""`runicorn doctor`: what is wrong with an installation, and what to do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click

from runicorn import config
from runicorn.cli import processes
from runicorn.cli.doctor import folders, machine
from runicorn.cli.doctor.findings import Finding, Level, error, examined
from runicorn.cli.options import DEFAULT_HOST, DEFAULT_PORT, storage_option
from runicorn.errors import RunicornError

EXIT_ERRORS = 1


@click.command("doctor")
@storage_option
@click.option("--host", default=DEFAULT_HOST, show_default=True, help="The address on which the viewer listens.")
@click.option("--port", type=click.IntRange(1, 65535), default=DEFAULT_PORT, show_default=True, help="Its port.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.pass_context
def command(ctx: click.Context, *, storage: str | None, host: str, port: int, as_json: bool) -> int:
    """Say what is wrong with the installation and what to do. Changes nothing."""
    findings = list(_findings(storage if storage is not None else ctx.obj, host, port))
    has_errors = any(finding.level is Level.ERROR for finding in findings)
    if as_json:
        click.echo(json.dumps({"ok": not has_errors, "findings": [asdict(each) for each in findings]}, indent=2))
    else:
        _print(findings)
    return EXIT_ERRORS if has_errors else 0


def _findings(storage: str | None, host: str, port: int) -> Iterator[Finding]:
    yield from examined("versions", machine.versions)
    yield from examined("folders", folders.private_folders)
    yield from examined("rate limits", machine.rate_limits)
    yield from examined("key store", machine.key_store)
    try:
        root = config.named_storage_root(storage)
    except RunicornError as problem:
        yield error("storage root", str(problem), "Name a folder with --storage; `runicorn config` stores it.")
        return
    yield from examined("storage root", lambda: folders.storage_root(root))
    yield from examined("viewer", lambda: _viewer(root, host, port))


def _viewer(root: Path, host: str, port: int) -> Iterator[Finding]:
    findings, is_ours = machine.port(host, port, root)
    yield from findings
    yield from examined("databases", lambda: processes.site_processes().examine(root, is_served=is_ours))


def _print(findings: list[Finding]) -> None:
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        click.echo(f"{finding.level.value:7}  {finding.subject:{width}}  {finding.message}")
        if finding.way_out:
            click.echo(f"{'':7}  {'':{width}}  → {finding.way_out}")
    counts = {level: sum(finding.level is level for finding in findings) for level in Level}
    click.echo(f"{counts[Level.ERROR]} errors, {counts[Level.WARNING]} warnings.")
