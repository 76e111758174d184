"""What the settings take from the environment. A value that makes no sense is an error naming its variable.

The command line sets these for the processes it starts (``runicorn.cli.processes``):

    RUNICORN_DIR       the storage root (read by runicorn.config)
    RUNICORN_HOST      the address the web process is bound to; default 127.0.0.1
    RUNICORN_NO_AUTH   1: bound beyond loopback without login
    RUNICORN_FOLLOWS_USER_ROOT  1: the storage root is the user's configured one, and changes with it
    RUNICORN_START_ID  which start of the viewer a process belongs to; one that is started singly has none

An administrator sets these:

    RUNICORN_ALLOWED_HOSTS     further names under which the server is reached, with commas
    RUNICORN_ALLOWED_ORIGINS   the only foreign origins that may use the API and the sockets, with commas
    RUNICORN_TRUSTED_PROXIES   addresses and networks whose X-Forwarded-For and -Proto are believed, with commas
    RUNICORN_DATABASE_URL      a PostgreSQL database that holds accounts and index instead of two SQLite files
    RUNICORN_FRONTEND_DIST     the build of another front end; also RUNICORN_DESKTOP_FRONTEND, which comes second
    RUNICORN_REDIS_URL         the Redis in which several web processes count together
"""

from __future__ import annotations

import hmac
import ipaddress
import os
import re
import secrets
import socket
from contextlib import suppress
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, urlsplit

import psutil
from django.core.exceptions import ImproperlyConfigured

LOOPBACK_NAMES = ["localhost", "127.0.0.1", "[::1]"]
#: No wildcard: a name that matches everything would let any page in (DNS rebinding).
_HOST_NAME = re.compile(r"[a-z0-9._-]+|\[?[0-9a-f:.]+\]?")
#: What may stand after the ? of a Redis address.
_REDIS_OPTIONS: dict[str, set[str]] = {"redis": set(), "rediss": {"ssl_ca_certs"}, "unix": {"db"}}
_ORIGIN = re.compile(r"https?://[a-z0-9._-]+(:\d{1,5})?|https?://\[[0-9a-f:.]+\](:\d{1,5})?")


def host() -> str:
    """The address the web process is bound to: an IP address or a name."""
    value = os.environ.get("RUNICORN_HOST", "127.0.0.1")
    if not value.strip() or "/" in value:
        raise ImproperlyConfigured(f"RUNICORN_HOST is {value!r}; set it to an address such as 127.0.0.1.")
    return value


def no_auth() -> bool:
    """True if the user opted out of login for an address beyond loopback."""
    return _is_on("RUNICORN_NO_AUTH")


def _is_on(variable: str) -> bool:
    value = os.environ.get(variable, "0")
    if value not in ("0", "1"):
        raise ImproperlyConfigured(f"{variable} is {value!r}; set it to 0 or 1.")
    return value == "1"


def follows_user_root() -> bool:
    """Whether the storage root is what the user stored, or would have: neither --storage nor RUNICORN_DIR named one."""
    return _is_on("RUNICORN_FOLLOWS_USER_ROOT")


def start_id() -> str:
    """What tells this start of the viewer from others; empty if its processes were started singly."""
    return os.environ.get("RUNICORN_START_ID", "")


def allowed_hosts(bound_to: str) -> list[str]:
    """The values of a Host header that are answered: another page's name that resolves to us (DNS rebinding) is not.

    An address of all interfaces allows this machine's names and addresses.
    """
    names = {*LOOPBACK_NAMES, _bracketed(bound_to), *further_hosts()}
    if _is_any_address(bound_to):
        names |= {socket.gethostname(), f"{socket.gethostname()}.local"}
        names |= {
            _bracketed(address.address.partition("%")[0])
            for addresses in psutil.net_if_addrs().values()
            for address in addresses
            if address.family in (socket.AF_INET, socket.AF_INET6)
        }
    return sorted(name.lower() for name in names)


def further_hosts() -> list[str]:
    """Names and addresses under which others reach the server: a name in the DNS, or that of a proxy."""
    hosts = _listed("RUNICORN_ALLOWED_HOSTS")
    for host in hosts:
        if not _HOST_NAME.fullmatch(host):
            raise ImproperlyConfigured(
                f"RUNICORN_ALLOWED_HOSTS has {host!r}; list names or addresses alone: runs.lab.example."
            )
    return [_bracketed(host.strip("[]")) for host in hosts]


def allowed_origins() -> frozenset[str] | None:
    """The foreign origins that may use the API and the sockets. None: any may read."""
    if not os.environ.get("RUNICORN_ALLOWED_ORIGINS"):
        return None
    origins = _listed("RUNICORN_ALLOWED_ORIGINS")
    if origins == ["none"]:
        return frozenset()
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ImproperlyConfigured(
                f"RUNICORN_ALLOWED_ORIGINS has {origin!r}; list origins such as https://lab.example:8080, or none."
            )
    return frozenset(origins)


def trusted_proxies() -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """The networks whose X-Forwarded-For and X-Forwarded-Proto are believed."""
    try:
        return [ipaddress.ip_network(text) for text in _listed("RUNICORN_TRUSTED_PROXIES")]
    except ValueError as error:
        raise ImproperlyConfigured(
            f"RUNICORN_TRUSTED_PROXIES: {error}; list addresses or networks: 127.0.0.1,10.0.0.0/8."
        ) from error


def login_required(bound_to: str) -> bool:
    """Whether everybody has to log in: others can reach us, by the address or through what was configured.

    A proxy or a name in the DNS in front of a loopback address means others as much as another address does.
    """
    reached_by_others = not _is_loopback(bound_to) or bool(further_hosts()) or bool(trusted_proxies())
    return reached_by_others and not no_auth()


def front_end() -> Path | None:
    """The folder of another front end's build."""
    for variable in ("RUNICORN_FRONTEND_DIST", "RUNICORN_DESKTOP_FRONTEND"):
        text = os.environ.get(variable, "").strip()
        if text:
            folder = Path(os.path.abspath(os.path.expanduser(text)))
            if not (folder / "index.html").is_file():
                raise ImproperlyConfigured(
                    f"{variable} is {text!r}, where no index.html lies; name the folder that a build has made (dist)."
                )
            return folder
    return None


def redis_url() -> str | None:
    """The Redis in which several web processes count together. None: there is one, and it counts for itself."""
    text = os.environ.get("RUNICORN_REDIS_URL", "").strip()
    if not text:
        return None
    try:
        reason = _wrong_with_redis(urlsplit(text))
    except ValueError:  # a port that is no number, brackets that do not match
        reason = "has no host and port that make sense"
    if reason:
        # neither the value nor a part of it: a password with an unquoted / or ? is anywhere in it
        raise ImproperlyConfigured(
            f"RUNICORN_REDIS_URL {reason}; set it to redis://HOST:6379/0, rediss://HOST:6379/0 (TLS) or "
            f"unix:///PATH?db=0, and write special characters of a password as %XX."
        )
    return text


def _wrong_with_redis(url: SplitResult) -> str:
    """What is wrong, as the rest of a sentence; empty if nothing is. Raises ValueError for what is no address."""
    options = dict(parse_qsl(url.query, keep_blank_values=True, strict_parsing=True)) if url.query else {}
    if url.scheme not in _REDIS_OPTIONS:
        return "does not begin with redis://, rediss:// or unix://"
    if url.fragment or set(options) - _REDIS_OPTIONS[url.scheme]:
        return "has more than an address (after ? only db with unix, ssl_ca_certs with rediss)"
    if url.scheme == "unix":
        has_place = not url.hostname and len(url.path) > 1
        database = options.get("db", "0")
    else:
        has_place = bool(url.hostname) and url.port != 0
        database = url.path.strip("/") or "0"
    if not has_place:
        return "names no host" if url.scheme != "unix" else "names no socket (three slashes: unix:///run/redis.sock)"
    if not (database.isascii() and database.isdigit()):
        return "has a database that is no number"
    if "ssl_ca_certs" in options and not Path(options["ssl_ca_certs"]).is_file():
        return "names a file with ssl_ca_certs that is not there"
    return ""


def database_url() -> str | None:
    """The address of a PostgreSQL database, unchecked (runicorn_site/database_settings.py); None: SQLite files."""
    return os.environ.get("RUNICORN_DATABASE_URL", "").strip() or None


def _listed(variable: str) -> list[str]:
    return [part.strip().lower() for part in os.environ.get(variable, "").split(",") if part.strip()]


def _is_loopback(host: str) -> bool:
    """Whether only this machine reaches a server bound there. A name that has no address is not trusted to."""
    try:
        addresses = {entry[4][0] for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return False
    return all(ipaddress.ip_address(str(address).partition("%")[0]).is_loopback for address in addresses)


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _is_any_address(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_unspecified
    except ValueError:
        return False


def secret_key(path: Path) -> str:
    """The key that signs cookies, kept in ``path`` for the owner only. Created at the first start."""
    if not path.is_file():
        _create_key(path)
    key = path.read_text(encoding="ascii").strip()
    if not key:
        raise ImproperlyConfigured(f"The key file {path} is empty; delete it and start again.")
    return key


def mark_of(key: str) -> str:
    """16 hexadecimal digits by which those who share the key know what is theirs in a place shared with others."""
    return hmac.digest(key.encode("utf-8"), b"runicorn", "sha256").hex()[:16]


def _create_key(path: Path) -> None:
    """Several processes start at once: each writes a file of its own, and the first to link it wins."""
    own = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(64))
    try:
        with suppress(FileExistsError):
            os.link(own, path)
    finally:
        own.unlink()
