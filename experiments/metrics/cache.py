"""A cache of decoded metric arrays, bounded in bytes, one for each process."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Generic, Protocol, TypeVar


class Sized(Protocol):
    @property
    def nbytes(self) -> int: ...


Item = TypeVar("Item", bound=Sized)


class ByteBoundedCache(Generic[Item]):
    """Keeps what was used last, up to ``max_bytes``. Safe to use from several threads.

    An item larger than the bound is not kept at all: its reader has it, nobody else pays for it.
    """

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._items: OrderedDict[tuple[int, int], tuple[Item, int]] = OrderedDict()
        self._total_bytes = 0
        self._lock = threading.Lock()
        self.hits = 0
        self.misses = 0

    def get(self, key: tuple[int, int]) -> Item | None:
        with self._lock:
            found = self._items.get(key)
            if found is None:
                self.misses += 1
                return None
            self.hits += 1
            self._items.move_to_end(key)
            return found[0]

    def put(self, key: tuple[int, int], item: Item) -> None:
        """Store or replace; an item that grew is put again so that its new size counts."""
        size = item.nbytes
        with self._lock:
            _, old_size = self._items.pop(key, (None, 0))
            self._total_bytes -= old_size
            if size > self.max_bytes:
                return
            self._items[key] = (item, size)
            self._total_bytes += size
            while self._total_bytes > self.max_bytes:
                _, (_, dropped) = self._items.popitem(last=False)
                self._total_bytes -= dropped

    def clear(self) -> None:
        with self._lock:
            self._items.clear()
            self._total_bytes = 0

    @property
    def total_bytes(self) -> int:
        return self._total_bytes
