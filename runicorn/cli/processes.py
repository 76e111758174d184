"""The processes of the viewer: what they are given, and when they answer."""

from __future__ import annotations

import http.client
import importlib
import os
from types import ModuleType

from runicorn.cli import own_packages
from runicorn.cli.addresses import Address
from runicorn.cli.supervisor import ChildSpec
from runicorn.config import DIR_VARIABLE

#: Named and not imported: this package knows no Django.
SITE_PROCESSES = "runicorn_site.processes"
HEALTH_TIMEOUT_S = 2.0


def site_processes() -> ModuleType:
    """The viewer's side of a command, with our own packages put first. Loads Django."""
    own_packages.put_first()
    return importlib.import_module(SITE_PROCESSES)


def new_start_id() -> str:
    """What tells one start of the viewer from others: a switch of the storage root holds as long as that."""
    return os.urandom(8).hex()


def set_environment(
    root: str, *, address: Address | None = None, no_auth: bool = False, follows_user_root: bool = False
) -> None:
    """Tell the settings of this process and of its children what the command line said."""
    variables = environment_for(root, address=address, no_auth=no_auth, follows_user_root=follows_user_root)
    os.environ.update(variables)


def environment_for(
    root: str,
    *,
    address: Address | None = None,
    no_auth: bool = False,
    start_id: str | None = None,
    follows_user_root: bool = False,
) -> dict[str, str]:
    """This process's environment with the variables that ``runicorn_site.environment`` lists.

    follows_user_root: whether neither --storage nor RUNICORN_DIR named ``root``. A child keeps what its parent knew.
    """
    variables = {**os.environ, DIR_VARIABLE: root, "RUNICORN_NO_AUTH": "1" if no_auth else "0"}
    if follows_user_root:
        variables["RUNICORN_FOLLOWS_USER_ROOT"] = "1"
    if start_id is not None:
        variables["RUNICORN_START_ID"] = start_id
    if address is not None:
        variables["RUNICORN_HOST"] = address.host
    return variables


def viewer_specs(address: Address, *, no_auth: bool) -> list[ChildSpec]:
    """The children of a viewer."""
    web = ["serve", "--supervised", "--host", address.host, "--port", str(address.port)]
    return [
        ChildSpec("web", [*web, "--no-auth"] if no_auth else web),
        ChildSpec("mirror", ["mirror"]),
    ]


def answers(address: Address) -> bool:
    """Whether the web process answers a health check now."""
    connection = http.client.HTTPConnection(address.reachable_ip, address.port, timeout=HEALTH_TIMEOUT_S)
    try:
        connection.request("GET", "/api/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
