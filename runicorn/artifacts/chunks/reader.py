"""Reading a blob from its packs."""

from __future__ import annotations

import io
import os
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from runicorn.artifacts.chunks.names import pack_name
from runicorn.artifacts.chunks.recipe import Recipe, read_recipe
from runicorn.errors import OutsideRoot, StorageDamaged
from runicorn.storage.digests import Digest
from runicorn.storage.paths import open_regular

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

#: A blob of many versions has many packs; a server has many readers and 1,024 descriptors.
_OPEN_PACKS = 8

_Result = TypeVar("_Result")


class ExtentReader(io.RawIOBase):
    """The bytes of a recipe as a seekable file. For one thread at a time.

    open_pack: the pack's file; FileNotFoundError if it is gone, and then ``renew`` is asked for the recipe that took
    this one's place (gc writes the living part of a pack anew), until that is the same as before.
    Reading raises StorageDamaged for a pack that is gone for good, or shorter than the recipe says.
    """

    def __init__(
        self, pool: Path, recipe: Recipe, open_pack: Callable[[Digest], BinaryIO], renew: Callable[[], Recipe]
    ) -> None:
        self._pool = pool
        self._open_pack = open_pack
        self._renew = renew
        self._files: OrderedDict[Digest, BinaryIO] = OrderedDict()
        self._position = 0
        self._follow(recipe)

    def probe(self) -> None:
        """Look at every pack once, so that what is missing is found before the first byte is given."""
        self._renewing(lambda: [self._pack(pack) for pack in self._recipe.packs])

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._recipe.size}[whence]
        if base + offset < 0:
            raise ValueError(f"{base + offset} lies before the beginning.")
        self._position = base + offset
        return self._position

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fills the buffer unless the blob ends before."""
        view, done = memoryview(buffer).cast("B"), 0
        while done < len(view) and self._position < self._recipe.size:
            count = self._renewing(partial(self._read_piece, view[done:]))
            self._position += count
            done += count
        return done

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()
        super().close()

    def _follow(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._starts = [0, *accumulate(extent.length for extent in recipe.extents)]
        self._ends = recipe.extent_ends()

    def _renewing(self, action: Callable[[], _Result]) -> _Result:
        while True:
            try:
                return action()
            except FileNotFoundError as error:
                recipe = self._renew()
                if recipe.size != self._recipe.size:
                    raise StorageDamaged(
                        f"The recipe of {recipe.digest} has changed its size while it was read."
                    ) from error
                if recipe == self._recipe:  # nobody writes packs anew: it is gone for good
                    raise StorageDamaged(
                        f"{error.filename} is missing; {recipe.digest} cannot be read without it."
                    ) from error
                self._follow(recipe)

    def _read_piece(self, view: memoryview) -> int:
        """Bytes from where we stand, of one extent. Raises FileNotFoundError if its pack is gone."""
        index = bisect_right(self._starts, self._position) - 1
        extent = self._recipe.extents[index]
        within = self._position - self._starts[index]
        pack = self._recipe.packs[extent.pack]
        file = self._pack(pack)
        file.seek(extent.offset + within)
        count: int = file.readinto(view[: extent.length - within])  # type: ignore[attr-defined]  # BinaryIO lacks it
        if count == 0:
            raise StorageDamaged(f"{self._pool / pack_name(pack)} was cut short.")
        return count

    def _pack(self, pack: Digest) -> BinaryIO:
        file = self._files.get(pack)
        if file is None:
            file = self._open_pack(pack)
            size = os.fstat(file.fileno()).st_size
            if size < self._ends[pack]:
                file.close()
                path = self._pool / pack_name(pack)
                raise StorageDamaged(
                    f"{path} has {size} bytes; the recipe of {self._recipe.digest} names byte {self._ends[pack]}."
                )
            self._files[pack] = file
            if len(self._files) > _OPEN_PACKS:
                self._files.popitem(last=False)[1].close()
        self._files.move_to_end(pack)
        return file


def open_blob(pool: Path, digest: Digest) -> ExtentReader:
    """Raises NotFound if the blob has no recipe, StorageDamaged if that or a pack of it cannot be right."""
    reader = ExtentReader(
        pool, read_recipe(pool, digest), lambda pack: open_pack(pool, pack), lambda: read_recipe(pool, digest)
    )
    try:
        reader.probe()
    except BaseException:
        reader.close()
        raise
    return reader


def open_pack(pool: Path, pack: Digest) -> BinaryIO:
    """Raises FileNotFoundError, or StorageDamaged if it is no regular file inside the pool."""
    try:
        return open_regular(pool, pack_name(pack))
    except OutsideRoot as error:
        raise StorageDamaged(str(error)) from error
