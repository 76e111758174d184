"""Which bytes of a file a request wants: the headers Range and If-Range (RFC 9110, sections 13.1.5 and 14.2).

Read here and not by what the dependencies have: servestatic's function takes ``bytes=5-2`` and ``bytes=-0`` for what
they are not, Twisted's is private to its own files, and Django knows no ranges.
"""

from __future__ import annotations

import re

from django.http import HttpRequest
from django.utils.http import parse_http_date_safe

#: One range of bytes. More than 18 digits are no size of a file.
_ONE_RANGE = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))", re.IGNORECASE)


def asked_range(request: HttpRequest, *, size: int, etag: str, modified_s: int) -> range | None:
    """The places of the bytes to answer with; None: all, with 200; an empty range: none of them exist, 416.

    size: of the file. etag, modified_s (Unix seconds): of the file as it is, which If-Range is compared with.
    All are given also where several ranges, another unit or nonsense is asked for, and if the file is empty: some
    clients send a range with every request.
    """
    # section 14.2: of no other method
    if request.method != "GET" or not size or not _is_still_it(request, etag=etag, modified_s=modified_s):
        return None
    found = _ONE_RANGE.fullmatch(request.headers.get("Range", ""))
    if found is None:
        return None
    first, last, suffix = found.groups()
    if suffix is not None:
        return range(max(0, size - int(suffix)), size)
    if not last:
        return range(int(first), size)
    return None if int(last) < int(first) else range(int(first), min(int(last) + 1, size))


def _is_still_it(request: HttpRequest, *, etag: str, modified_s: int) -> bool:
    """Whether the file is the one of which the client has a part, if it asks; by a strong ETag, or its exact date."""
    condition = request.headers.get("If-Range")
    if condition is None:
        return True
    if '"' in condition:
        return condition == etag
    return parse_http_date_safe(condition) == modified_s
