"""What tests of the admin do to its pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

from django.test import Client

from tests.run_directories import RUN_ID

Tick = Callable[[], None]

PATH = f"vision/vit/runs/{RUN_ID}"
IDENTITY = f"local/{PATH}"
LIST = "/admin/experiments/run/"


def listed(client: Client, query: str = "", *, address: str = LIST) -> list[str]:
    """What the rows of a list are called, in its order."""
    page = client.get(address + query)
    assert page.status_code == 200, page
    return re.findall(r"<a href=[^>]*><code>([^<]+)</code>", page.content.decode())


def address_of(client: Client, run_id: str = RUN_ID) -> str:
    """The address of the run's page, as the list links it."""
    html = client.get(LIST).content.decode()
    return next(part for part in html.split('"') if part.endswith("/change/") and run_id.replace("_", "_5F") in part)


def choose(client: Client, action: str, *identities: str, query: str = "", address: str = LIST) -> Any:
    """Tick the boxes of rows in a list and start an action."""
    data = {"action": action, "index": "0", "select_across": "0", "_selected_action": identities}
    return client.post(address + query, data)


def confirm(client: Client, page: Any, **typed: str) -> Any:
    """Send the form of the page before an action, as the browser would. Gives the list that follows."""
    html = page.content.decode()
    address = unescape(re.search(r'class="ask" method="post" action="([^"]+)"', html)[1])  # type: ignore[index]
    hidden = dict(re.findall(r'<input type="hidden" name="(rows|back)" value="([^"]*)"', html))
    return client.post(address, {name: unescape(value) for name, value in hidden.items()} | typed, follow=True)


def form_of(page: Any) -> dict[str, str]:
    """The fields of a run's page as it shows them, hidden ones too."""
    form = page.context["adminform"].form
    data = {}
    for field in form:
        for name, value in ((field.html_name, field.value()), (field.html_initial_name, field.value())):
            if value is True or (value and value is not True):
                data[name] = "on" if value is True and name == field.html_name else str(value)
            elif name == field.html_initial_name:
                data[name] = "" if value is None else str(value)
            elif not isinstance(value, bool):
                data[name] = ""
    return data


def messages(page: Any) -> list[str]:
    return [str(message) for message in page.context["messages"]]
