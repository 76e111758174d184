"""Which bytes of which packs recipes still need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from runicorn.artifacts.chunks.recipe import read_recipe
from runicorn.errors import NotFound, StorageDamaged
from runicorn.storage.digests import Digest


class LiveBytes:
    """A set of bytes of one pack, as ranges."""

    def __init__(self) -> None:
        self._ranges: list[tuple[int, int]] = []
        self._merge_at = 1000

    def add(self, begin: int, end: int) -> None:
        self._ranges.append((begin, end))
        if len(self._ranges) > self._merge_at:  # versions name mostly the same
            self._merge_at = 1000 + 2 * len(self.ranges())

    def ranges(self) -> list[tuple[int, int]]:
        """Begin and end of each, ascending, none touching the next."""
        merged: list[tuple[int, int]] = []
        for begin, end in sorted(self._ranges):
            if merged and begin <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(merged[-1][1], end))
            else:
                merged.append((begin, end))
        self._ranges = merged
        return merged

    def count(self) -> int:
        return sum(end - begin for begin, end in self.ranges())


@dataclass
class Needs:
    """What some blobs need.

    users: the blobs of each pack. problems: of recipes that cannot be read; what those need is not in here.
    """

    live: dict[Digest, LiveBytes] = field(default_factory=dict)
    users: dict[Digest, list[Digest]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def live_in(self, pack: Digest) -> int:
        """Bytes of the pack that are needed."""
        return self.live[pack].count() if pack in self.live else 0


def needs_of(pool: Path, digests: Iterable[Digest]) -> Needs:
    """What the blobs with recipes need."""
    needs = Needs()
    for digest in digests:
        try:
            recipe = read_recipe(pool, digest)
        except NotFound:
            continue
        except StorageDamaged as error:
            needs.problems.append(str(error))
            continue
        for pack in recipe.packs:
            needs.live.setdefault(pack, LiveBytes())
            needs.users.setdefault(pack, []).append(digest)
        for extent in recipe.extents:
            needs.live[recipe.packs[extent.pack]].add(extent.offset, extent.offset + extent.length)
    return needs
