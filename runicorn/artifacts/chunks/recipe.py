"""Recipes: of which parts of which packs a blob is made. The format: docs/design/0018-artifact-chunks.md."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from runicorn.artifacts.chunks.names import make_folder, recipe_name
from runicorn.errors import NotFound, StorageDamaged, UnreadableDocument
from runicorn.storage.digests import Digest, parse_digest
from runicorn.storage.documents import read_document, write_file

FORMAT = 1
#: A recipe with as many takes 6 MB to write down and 40 MB to hold; documents of up to 16 MiB are read.
MAX_EXTENTS = 200_000
_MAX_BYTES = 2**63 - 1


class Extent(NamedTuple):
    """Bytes of a pack. pack: its place in the recipe's list. offset, length: in bytes, the length at least 1."""

    pack: int
    offset: int
    length: int


@dataclass(frozen=True)
class Recipe:
    """How to put a blob together: the extents one after the other.

    size: of the blob, in bytes. chunker: which algorithm cut it, with which parameters; nobody needs it to read.
    unknown: keys of the file that we do not know.
    """

    digest: Digest
    size: int
    packs: tuple[Digest, ...]
    extents: Sequence[Extent]
    chunker: Mapping[str, Any]
    unknown: Mapping[str, Any] = field(default_factory=dict)

    def extent_ends(self) -> dict[Digest, int]:
        """How many bytes each pack must have at least."""
        ends = dict.fromkeys(self.packs, 0)
        for extent in self.extents:
            pack = self.packs[extent.pack]
            ends[pack] = max(ends[pack], extent.offset + extent.length)
        return ends


def read_recipe(pool: Path, digest: Digest) -> Recipe:
    """Raises NotFound if the blob has none, StorageDamaged if it cannot be right or is of a newer format."""
    name = recipe_name(digest)
    document = read_document(pool, name)
    if document is None:
        raise NotFound(f"{pool / name} does not exist.")
    if document.get("format") != FORMAT:
        raise StorageDamaged(f"{pool / name} has format {document.get('format')!r:.40}; this version reads {FORMAT}.")
    try:
        recipe = _parse(document)
    except ValueError as error:
        raise UnreadableDocument(f"{pool / name} is no recipe: {error}") from error
    if recipe.digest != digest:
        raise UnreadableDocument(f"{pool / name} is no recipe: it is one for {recipe.digest}.")
    return recipe


def write_recipe(pool: Path, recipe: Recipe) -> None:
    """Make the blob readable from its packs, which are durable already. Raises OSError."""
    make_folder(pool, recipe.digest[:2])
    document = {
        **recipe.unknown,
        "format": FORMAT,
        "size": recipe.size,
        "digest": recipe.digest,
        "chunker": recipe.chunker,
        "packs": recipe.packs,
        "extents": recipe.extents,
    }
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    write_file(pool / recipe_name(recipe.digest), text.encode() + b"\n")


_KEYS = {"format", "size", "digest", "chunker", "packs", "extents"}


def _parse(document: Mapping[str, Any]) -> Recipe:
    """Raises ValueError saying what is wrong."""
    packs, extents, chunker = document.get("packs"), document.get("extents"), document.get("chunker")
    if not isinstance(packs, list) or not isinstance(extents, list) or not isinstance(chunker, dict):
        raise ValueError("packs, extents or chunker is missing.")
    if len(extents) > MAX_EXTENTS or len(packs) > len(extents):
        raise ValueError(f"it has {len(packs)} packs and {len(extents)} extents.")
    recipe = Recipe(
        digest=_hexadecimal(document.get("digest")),
        size=_integer(document.get("size"), most=_MAX_BYTES),
        packs=tuple(map(_hexadecimal, packs)),
        extents=[_extent(extent, len(packs)) for extent in extents],
        chunker=chunker,
        unknown={key: value for key, value in document.items() if key not in _KEYS},
    )
    if len(set(recipe.packs)) != len(recipe.packs):
        raise ValueError("it names a pack twice.")
    total = sum(extent.length for extent in recipe.extents)
    if total != recipe.size:
        raise ValueError(f"its extents have {total} bytes, and its size is {recipe.size}.")
    return recipe


def _extent(value: object, pack_count: int) -> Extent:
    if not isinstance(value, list) or len(value) != 3:
        raise ValueError(f"{value!r:.80} is no extent.")
    return Extent(
        pack=_integer(value[0], most=pack_count - 1),
        offset=_integer(value[1], most=_MAX_BYTES),
        length=_integer(value[2], least=1, most=_MAX_BYTES),
    )


def _integer(value: object, *, least: int = 0, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"{value!r:.80} is not an integer from {least} to {most}.")
    return value


def _hexadecimal(value: object) -> Digest:
    digest = parse_digest(value)
    if digest != value:
        raise ValueError(f"{value!r:.80} is not 64 lowercase hex digits.")
    return digest
