"""How many logs one address may follow at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from experiments.http.clients import is_loopback
from runicorn.errors import Denied
from runicorn.rate_limits.model import RateLimits


class OpenStreams:
    """Counts the open log streams of each address. Lives on the event loop, so needs no lock."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()

    @contextmanager
    def one_more(self, address: str, limits: RateLimits) -> Iterator[None]:
        """Count a stream while the block runs. Raises Denied if the address has as many as it may; loopback may all."""
        if limits.is_enabled and not is_loopback(address) and self._open[address] >= limits.max_log_streams:
            raise Denied(
                f"The limit of log streams of one address, {limits.max_log_streams}, is reached; close one of them."
            )
        self._open[address] += 1
        try:
            yield
        finally:
            self._open[address] -= 1
            if not self._open[address]:
                del self._open[address]


#: Those of this process.
open_streams = OpenStreams()
