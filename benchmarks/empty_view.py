"""An empty asynchronous Django view behind daphne, for calibration: the least that any answer costs here.

Run as a script it serves on a free port, prints the port and ends with its standard input.
"""

from __future__ import annotations

import os
import sys
import threading

from daphne.server import Server  # first: it installs the event loop
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path
from twisted.internet import reactor


async def empty(request: HttpRequest) -> HttpResponse:
    return HttpResponse(b"")


urlpatterns = [path("", empty)]


def main() -> None:
    settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], MIDDLEWARE=[], SECRET_KEY="not secret")
    server = Server(get_asgi_application(), endpoints=["tcp:port=0:interface=127.0.0.1"])
    reactor.callWhenRunning(lambda: reactor.callLater(0, lambda: print(server.listening_addresses[0][1], flush=True)))
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    server.run()


if __name__ == "__main__":
    main()
