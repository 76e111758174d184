"""The web process's entry point: pages and API over HTTP, live streams over WebSockets, files of the packages.

Why requests borrow their thread: docs/design/0005-web-process.md.
"""

from __future__ import annotations

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "runicorn_site.settings")

import django

django.setup(set_prefix=False)

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402

from experiments.accounts.sockets import SocketAccess  # noqa: E402
from experiments.http.clients import TrustedProxies  # noqa: E402
from experiments.http.handler import RequestHandler  # noqa: E402
from experiments.http.security_headers import SecurityHeaders  # noqa: E402
from experiments.routing import websocket_urlpatterns  # noqa: E402
from runicorn_site import urls  # noqa: E402, F401 (views are loaded and found wanting now, not by the first request)
from runicorn_site.static_files import StaticFiles  # noqa: E402

#: How long a thread may keep the interpreter once another wants it. The default, 5 ms, is what the event loop waits for
#: a thread that builds a long list, several times a request; measured in docs/design/0005-web-process.md.
SWITCH_INTERVAL_S = 0.0005

sys.setswitchinterval(SWITCH_INTERVAL_S)

application = TrustedProxies(
    ProtocolTypeRouter(
        {
            "http": SecurityHeaders(StaticFiles(RequestHandler(), prefix=settings.STATIC_URL)),
            "websocket": SocketAccess(URLRouter(websocket_urlpatterns)),
        }
    ),
    settings.RUNICORN_TRUSTED_PROXIES,
)
