"""Names of files in the pool that have to do with chunks."""

from __future__ import annotations

import os
import re
from pathlib import Path

from runicorn.errors import StorageDamaged
from runicorn.storage.digests import Digest
from runicorn.storage.documents import sync_folder

PACKS_DIR = "packs"
#: Held by whoever compacts or collects; means nothing at rest.
LOCK = "chunks.lock"
PACK_SUFFIX = ".pack"
INDEX_SUFFIX = ".idx"
RECIPE_SUFFIX = ".recipe"
#: Packs and their indexes are never written again. Windows would neither remove nor replace such a file.
READ_ONLY = 0o666 if os.name == "nt" else 0o444

BLOB_FOLDER = re.compile(r"[0-9a-f]{2}")
PACK_FILE = re.compile(r"([0-9a-f]{64})\.(?:pack|idx)")
RECIPE_FILE = re.compile(r"([0-9a-f]{64})\.recipe")
#: What a writer that died leaves. Each is written under such a name first.
TEMPORARY_FILE = re.compile(r"\.(?:[0-9a-f]{64}\.(?:recipe|idx)\.)?[0-9a-f]{8}(?:\.pack)?\.tmp")


def recipe_name(digest: Digest) -> str:
    """The recipe of a blob, from the pool's folder."""
    return f"{digest[:2]}/{digest}{RECIPE_SUFFIX}"


def pack_name(pack: Digest) -> str:
    return f"{PACKS_DIR}/{pack}{PACK_SUFFIX}"


def index_name(pack: Digest) -> str:
    return f"{PACKS_DIR}/{pack}{INDEX_SUFFIX}"


def make_folder(pool: Path, name: str) -> Path:
    """The folder ``name`` of the pool, made durably if it is missing.

    Raises StorageDamaged if it is something else: a link might lead out of the pool. Raises OSError.
    """
    folder = pool / name
    try:
        folder.mkdir()
    except FileExistsError:
        if os.path.islink(folder) or not folder.is_dir():
            raise StorageDamaged(f"{folder} is not a folder.") from None
    else:
        sync_folder(pool)
    return folder
