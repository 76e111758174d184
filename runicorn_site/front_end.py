"""Another front end in place of our pages: any static build that talks to /api. docs/design/0017-front-end-swap.md."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from typing import BinaryIO

from csp.constants import NONE, SELF, UNSAFE_INLINE
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe
from servestatic.media_types import MediaTypes

from experiments.http.files import FileIdentity, file_answer
from runicorn.errors import OutsideRoot, StorageDamaged
from runicorn.storage.paths import open_regular

INDEX = "index.html"
#: Below these lies what stays ours: a file of the build that happens to lie there is served, its page never.
OURS = frozenset({"admin", "api", "dashboard", "docs", "i18n", "jsi18n", "live", "redoc", "set-up", "static"})
#: A page larger than that has no inline script of its own.
_MAX_INDEX_BYTES = 4 * 1024 * 1024
_TYPES = MediaTypes()
_UNKNOWN_TYPE = "application/octet-stream"

#: Scripts come from the build alone; those inside its index.html are allowed by what they are (``_inline_scripts``).
#: Libraries of components write style elements, so styles are free. A build whose VITE_API_BASE calls this machine by
#: another of its names reaches it.
POLICY = {
    "default-src": [SELF],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:", "blob:"],
    "font-src": [SELF, "data:"],
    "worker-src": [SELF, "blob:"],
    "connect-src": [
        SELF,
        *(f"{scheme}://{name}:*" for scheme in ("http", "ws") for name in ("localhost", "127.0.0.1")),
    ],
    "object-src": [NONE],
    "base-uri": [SELF],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
}


@require_safe
@ensure_csrf_cookie  # where people log in, the build sends it back with what it changes
def front_end(request: HttpRequest, name: str) -> HttpResponseBase:
    """A file of the build, or its index.html for an address that only its scripts know."""
    file = _opened(name)
    if file is None:
        if not _is_deep_link(request, name):
            raise Http404
        name, file = INDEX, _opened(INDEX)
        if file is None:
            raise Http404
    scripts = _inline_scripts_of(file) if name == INDEX else ()
    answer = file_answer(request, file, FileIdentity.of(file), content_type=_content_type(name))
    answer._csp_config = POLICY | {"script-src": [SELF, *scripts]}  # type: ignore[attr-defined]
    return answer


def _folder() -> Path:
    folder = settings.RUNICORN_FRONT_END
    assert folder is not None  # else there is no address that leads here
    return folder


def _opened(name: str) -> BinaryIO | None:
    """A file of the build; None for what is none, and for hidden ones, which a build has by accident (.env, .git)."""
    if any(part.startswith(".") for part in name.split("/")):
        return None
    try:
        return open_regular(_folder(), name)
    except (OSError, OutsideRoot, StorageDamaged):
        return None


def _is_deep_link(request: HttpRequest, name: str) -> bool:
    """Whether to show the page. A script or picture that is missing is missing: a page in its place would confuse."""
    if name.partition("/")[0] in OURS:
        return False
    return "text/html" in request.headers.get("Accept", "") or _TYPES.get_type(name) == _UNKNOWN_TYPE


def _content_type(name: str) -> str:
    kind = _TYPES.get_type(name)
    is_text = kind.startswith("text/") or kind.endswith(("/javascript", "/json"))
    return f"{kind}; charset=utf-8" if is_text else kind


def _inline_scripts_of(file: BinaryIO) -> tuple[str, ...]:
    return _inline_scripts(_folder() / INDEX, FileIdentity.of(file).etag)


@lru_cache(maxsize=2)
def _inline_scripts(path: Path, _version: str) -> tuple[str, ...]:
    """The sources that allow the scripts inside a page, each by its digest."""
    with path.open("rb") as file:
        text = file.read(_MAX_INDEX_BYTES).decode("utf-8", "replace")
    parser = _ScriptFinder()
    parser.feed(text.replace("\r\n", "\n"))  # as browsers read it, before they take the digest
    parser.close()
    digests = (hashlib.sha256(script.encode()).digest() for script in parser.scripts)
    return tuple(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)


class _ScriptFinder(HTMLParser):
    """Collects the text of the scripts that are written inside a page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.scripts: list[str] = []
        self._is_inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_inside = tag == "script" and "src" not in dict(attrs)
        if self._is_inside:
            self.scripts.append("")

    def handle_data(self, data: str) -> None:
        if self._is_inside:
            self.scripts[-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._is_inside = False
