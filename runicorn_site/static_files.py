"""Static files of the packages, answered before Django is asked: no thread, no middleware, no collectstatic."""

from __future__ import annotations

from typing import Any

from django.contrib.staticfiles import finders
from servestatic import ServeStaticASGI

#: Seconds a browser may keep a file without asking. Files change with an upgrade only, and then by ETag.
MAX_AGE_S = 60


class StaticFiles:
    """ASGI: serve what the static file finders know below ``prefix``, hand everything else on to ``application``."""

    def __init__(self, application: Any, *, prefix: str) -> None:
        self._files = ServeStaticASGI(
            application,
            max_age=MAX_AGE_S,
            # a foreign page has no business with them, and the API is open by a rule of its own
            allow_all_origins=False,
        )
        for finder in finders.get_finders():
            for storage in getattr(finder, "storages", {}).values():
                self._files.add_files(storage.location, prefix=f"{prefix}{getattr(storage, 'prefix', None) or ''}")

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._files(scope, receive, send)
