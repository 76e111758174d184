"""Putting extents together: what lies side by side in a pack becomes one."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from runicorn.artifacts.chunks.recipe import Extent

_Pack = TypeVar("_Pack", bound=Hashable)
_Other = TypeVar("_Other", bound=Hashable)


class ExtentList(Generic[_Pack]):
    """The extents of a blob as they are found, one after the other. Packs are numbered as they come."""

    def __init__(self) -> None:
        self.size = 0
        self.extents: list[Extent] = []
        self._numbers: dict[_Pack, int] = {}

    @property
    def packs(self) -> tuple[_Pack, ...]:
        return tuple(self._numbers)

    def add(self, pack: _Pack, offset: int, length: int) -> None:
        """offset, length: in bytes."""
        number = self._numbers.setdefault(pack, len(self._numbers))
        last = self.extents[-1] if self.extents else None
        if last is not None and last.pack == number and last.offset + last.length == offset:
            self.extents[-1] = Extent(number, last.offset, last.length + length)
        else:
            self.extents.append(Extent(number, offset, length))
        self.size += length

    def moved(self, move: Callable[[_Pack, int], tuple[_Other, int]]) -> ExtentList[_Other]:
        """The same with each extent's pack and offset replaced."""
        result: ExtentList[_Other] = ExtentList()
        packs = self.packs
        for extent in self.extents:
            pack, offset = move(packs[extent.pack], extent.offset)
            result.add(pack, offset, extent.length)
        return result
