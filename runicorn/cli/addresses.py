"""Where the web process listens: checked before anything is started."""

from __future__ import annotations

import errno
import ipaddress
import socket
from dataclasses import dataclass

from runicorn.errors import InvalidInput, PortTaken


@dataclass(frozen=True)
class Address:
    """A host as the user wrote it, the IP address it means, and a port."""

    host: str
    ip: str
    port: int

    @property
    def reachable_ip(self) -> str:
        """Where a program on this machine finds it: an address of all interfaces is reached by loopback."""
        if ipaddress.ip_address(self.ip).is_unspecified:
            return "::1" if ":" in self.ip else "127.0.0.1"
        return self.ip

    @property
    def url(self) -> str:
        """What to open in a browser on this machine."""
        host = self.host if self.ip == self.reachable_ip else self.reachable_ip
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        return ipaddress.ip_address(self.ip).is_loopback


def free_address(host: str, port: int) -> Address:
    """Bind ``host`` and ``port`` once to see that it can be done, and let go again. Port 0 picks a free one.

    Raises PortTaken if something listens there, InvalidInput if the address is not this machine's or not allowed.
    """
    ip, family = _resolve(host)
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows: SO_REUSEADDR there means sharing
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:  # a port of a viewer that ended a moment ago is free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ip, port))
            probe.listen(1)
        except OSError as error:
            raise _explained(error, host, port) from error
        return Address(host, ip, probe.getsockname()[1])


def _resolve(host: str) -> tuple[str, socket.AddressFamily]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise InvalidInput(f"The host {host!r} has no address; use 127.0.0.1.") from error
    # "localhost" means both; IPv4 is what a browser tries when the other is not there
    found.sort(key=lambda entry: entry[0] != socket.AF_INET)
    family, _type, _protocol, _name, address = found[0]
    return str(address[0]), family


def _explained(error: OSError, host: str, port: int) -> PortTaken | InvalidInput:
    if error.errno == errno.EADDRINUSE or getattr(error, "winerror", None) == 10013:
        return PortTaken(
            f"Port {port} on {host} is in use. Stop the program that listens there (perhaps another viewer), "
            f"or choose another port with --port."
        )
    if error.errno == errno.EACCES:
        return InvalidInput(f"This user may not listen on port {port}; choose one above 1023 with --port.")
    if error.errno == errno.EADDRNOTAVAIL:
        return InvalidInput(f"The address {host} does not belong to this machine; use 127.0.0.1.")
    return InvalidInput(f"Cannot listen on {host} port {port}: {error.strerror}.")


def reach_notice(address: Address, *, no_auth: bool) -> str | None:
    """What to print for an address that others can reach; None for loopback."""
    if address.is_loopback:
        return None
    place = f"{address.host} port {address.port}"
    if no_auth:
        return f"Warning: no login. Everyone who can reach {place} can see and change all runs."
    return (
        f"Everybody who reaches {place} has to log in. Passwords cross the network as they are typed: beyond a network "
        f"that you trust, put a proxy with TLS in front (docs/server.md)."
    )
