"""Headers that keep a browser from doing with our answers what they are not meant for; on every answer."""

from __future__ import annotations

from typing import Any

#: The content policy is django-csp's, since some pages have one of their own.
HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"permissions-policy": b"camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class SecurityHeaders:
    """ASGI: adds what an answer does not have by itself. Around the static files as well, which Django never sees."""

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_with_headers(message: Any) -> None:
            if message["type"] == "http.response.start":
                own = list(message.get("headers", ()))
                names = {name.lower() for name, _ in own}
                added = [(name, value) for name, value in HEADERS.items() if name not in names]
                message = {**message, "headers": own + added}
            await send(message)

        await self._application(scope, receive, send_with_headers)
