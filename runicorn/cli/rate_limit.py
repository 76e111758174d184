"""`runicorn rate-limit`: how many requests a client may send to the API."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

import click

from runicorn.cli.options import is_confirmed
from runicorn.errors import InvalidInput
from runicorn.rate_limits import document
from runicorn.rate_limits.model import BUILT_IN, Limit, RateLimits, Rule

NOTHING_CHANGED = 1


@dataclass(frozen=True)
class _Given:
    """What stood on the command line; None where it did not."""

    endpoint: str | None
    max_requests: int | None
    window: int
    burst: int | None
    description: str | None
    enable: bool | None
    log_violations: bool | None
    whitelist_localhost: bool | None
    max_log_streams: int | None
    yes: bool

    def needed_endpoint(self) -> str:
        if self.endpoint is None:
            raise InvalidInput("Say for which path: --endpoint /api/runs.")
        if not self.endpoint.startswith("/"):
            raise InvalidInput(f"The endpoint {self.endpoint!r} does not start with '/'; write it like /api/runs.")
        return self.endpoint.rstrip("/")


def _show(_given: _Given) -> None:
    limits = document.read_limits()
    settings = {
        "enable_rate_limiting": limits.is_enabled,
        "log_violations": limits.log_violations,
        "whitelist_localhost": limits.whitelist_localhost,
        "max_log_streams": limits.max_log_streams,
        "custom_headers": {key: getattr(limits.headers, name) for key, name in document.HEADER_KEYS.items()},
    }
    shown = {
        "default": asdict(limits.default),
        "endpoints": {prefix: _entry(rule) for prefix, rule in limits.user_limits.items()},
        "settings": settings,
        "built_in": [{"endpoint": rule.prefix, "methods": sorted(rule.methods)} | _entry(rule) for rule in BUILT_IN],
    }
    click.echo(json.dumps(shown, indent=2, ensure_ascii=False))


def _entry(rule: Rule) -> dict[str, object]:
    return {**asdict(rule.limit), "description": rule.description}


def _list(_given: _Given) -> None:
    limits = document.read_limits()
    if not limits.is_enabled:
        click.echo("Rate limiting is off; switched on, these hold:")
    lines = [("default", limits.default, "")]
    lines += [(_name(rule), rule.limit, _origin(rule)) for rule in limits.rules]
    width = max(len(name) for name, _, _ in lines)
    for name, limit, origin in lines:
        click.echo(f"{name:{width}}  {limit!s:8}  {origin}".rstrip())


def _name(rule: Rule) -> str:
    return " ".join([rule.prefix or "/", *([f"({', '.join(sorted(rule.methods))})"] if rule.methods else [])])


def _origin(rule: Rule) -> str:
    return f"yours{': ' if rule.description else ''}{rule.description}" if rule.is_users else rule.description


def _get(given: _Given) -> None:
    path = given.needed_endpoint()
    limits = document.read_limits()
    if not limits.is_enabled:
        click.echo("Rate limiting is off; switched on, this holds:")
    for rule in limits.rules_for(path):
        methods = f" for {', '.join(sorted(rule.methods))}" if rule.methods else ""
        click.echo(f"{path or '/'}: {rule.limit}{methods} ({_source(rule, limits)})")


def _source(rule: Rule, limits: RateLimits) -> str:
    if rule.limit is limits.default:
        return "the default"
    return f"{'your' if rule.is_users else 'built-in'} limit of {rule.prefix or '/'}"


def _set(given: _Given) -> None:
    endpoint = given.needed_endpoint()
    if given.max_requests is None:
        raise InvalidInput("Say how many requests: --max-requests 60.")
    entry: document.Document = {"max_requests": given.max_requests, "window_seconds": given.window}
    entry |= {"burst_size": given.burst} if given.burst is not None else {}
    entry |= {"description": given.description} if given.description is not None else {}

    def store(stored: document.Document) -> None:
        endpoints = stored.setdefault("endpoints", {})
        for spelling in _spellings(endpoints, endpoint):
            del endpoints[spelling]
        endpoints[endpoint or "/"] = entry

    document.change_limits(store)
    limit = Limit(given.max_requests, given.window, given.burst)
    click.echo(f"{endpoint or '/'}: {limit}; in force within a second, also in a running viewer.")


def _remove(given: _Given) -> int:
    endpoint = given.needed_endpoint()
    removed: list[str] = []

    def remove(stored: document.Document) -> None:
        endpoints = stored.get("endpoints", {})
        for spelling in _spellings(endpoints, endpoint):
            removed.append(spelling)
            del endpoints[spelling]

    if endpoint in (rule.prefix for rule in document.read_limits().user_limits.values()):
        document.change_limits(remove)
    if not removed:
        click.echo(f"There is no limit of yours for {endpoint or '/'}; `--action list` shows what holds.")
        return NOTHING_CHANGED
    click.echo(f"Removed the limit of {endpoint or '/'}.")
    return 0


def _spellings(endpoints: document.Document, prefix: str) -> list[str]:
    """The entries for a prefix: with and without a slash at its end they mean the same."""
    return [key for key in endpoints if key.rstrip("/") == prefix]


def _settings(given: _Given) -> None:
    given_settings = {
        "enable_rate_limiting": given.enable,
        "log_violations": given.log_violations,
        "whitelist_localhost": given.whitelist_localhost,
        "max_log_streams": given.max_log_streams,
    }
    changes = {key: value for key, value in given_settings.items() if value is not None}
    if changes:
        limits = document.change_limits(lambda stored: stored.setdefault("settings", {}).update(changes))
    else:
        limits = document.read_limits()
    click.echo(f"Rate limiting      : {_on(limits.is_enabled)}")
    click.echo(f"Log of refusals    : {_on(limits.log_violations)}")
    click.echo(f"Localhost exempted : {_on(limits.whitelist_localhost)}")
    click.echo(f"Logs at a time     : {limits.max_log_streams} from one address, but for this machine")


def _on(switch: bool) -> str:
    return "on" if switch else "off"


def _reset(given: _Given) -> int:
    if not is_confirmed(f"Delete {document.limits_file()} and go back to the built-in limits?", yes=given.yes):
        click.echo("Nothing was changed.")
        return NOTHING_CHANGED
    document.forget_limits()
    click.echo("The built-in limits are in force.")
    return 0


def _validate(_given: _Given) -> None:
    file = document.limits_file()
    document.read_limits()
    click.echo(f"{file} is valid." if file.exists() else f"There is no {file}; the built-in limits are in force.")


_ACTIONS: dict[str, Callable[[_Given], int | None]] = {
    "show": _show,
    "list": _list,
    "get": _get,
    "set": _set,
    "remove": _remove,
    "settings": _settings,
    "reset": _reset,
    "validate": _validate,
}


@click.command("rate-limit")
@click.option("--action", type=click.Choice(tuple(_ACTIONS)), default="show", show_default=True)
@click.option("--endpoint", metavar="PATH", help="get, set, remove: a path such as /api/runs, with all below it.")
@click.option("--max-requests", type=int, metavar="N", help="set: how many requests a window.")
@click.option("--window", type=int, metavar="SECONDS", default=60, show_default=True, help="set: how long a window is.")
@click.option("--burst", type=int, metavar="N", help="set: how many requests a second at most.")
@click.option("--description", metavar="TEXT", help="set: what the limit is for.")
@click.option("--enable/--disable", default=None, help="settings: limit requests at all.")
@click.option("--log-violations/--no-log-violations", default=None, help="settings: log whom a limit refuses.")
@click.option("--whitelist-localhost/--no-whitelist-localhost", default=None, help="settings: exempt this machine.")
@click.option("--max-log-streams", type=int, metavar="N", help="settings: logs that one address follows at a time.")
@click.option("--yes", "-y", is_flag=True, help="reset: do not ask.")
def command(*, action: str, **given: object) -> int | None:
    """Show or change how many requests a client may send to the API."""
    return _ACTIONS[action](_Given(**given))  # type: ignore[arg-type]  # as click's options declare them
