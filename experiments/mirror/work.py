"""How a mirror divides what it has to do: into turns that end, and into transactions that are short."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")

#: Items written in one transaction at most, however little each weighs [100 new runs of 10 metrics: 20 ms].
BATCH_ITEMS = 100


def take(backlog: dict[Item, Any], seconds: float) -> Iterator[Item]:
    """Take from the backlog, oldest first, until the time is over; at least one."""
    deadline = time.monotonic() + seconds
    while backlog:
        item = next(iter(backlog))
        del backlog[item]
        yield item
        if time.monotonic() > deadline:
            return


class Sweep(Generic[Item]):
    """An endless round through what is known, a little at a time: finds what nothing pointed at."""

    def __init__(self) -> None:
        self._round: Iterator[Item] = iter(())

    def take(self, known: Mapping[Item, Any], seconds: float) -> Iterator[Item]:
        """The next of the round that are known still, until the time is over; one round at most."""
        deadline = time.monotonic() + seconds
        for _ in range(len(known)):
            item = next(self._round, None)
            if item is None:
                self._round = iter(list(known))
                item = next(self._round, None)
            if item is not None and item in known:
                yield item
            if time.monotonic() > deadline:
                return


def batches(items: Iterable[Item], *, weight: Callable[[Item], int], most: int) -> Iterator[list[Item]]:
    """Group items so that writing a group takes about 20 ms: once one weighs ``most`` together, or has BATCH_ITEMS."""
    batch: list[Item] = []
    total = 0
    for item in items:
        batch.append(item)
        total += weight(item)
        if total >= most or len(batch) >= BATCH_ITEMS:
            yield batch
            batch, total = [], 0
    if batch:
        yield batch
