"""Small JSON files of record: read with suspicion, written whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from runicorn.errors import OutsideRoot, StorageDamaged, UnreadableDocument
from runicorn.storage import json_text
from runicorn.storage.paths import open_regular

#: A document larger than this is not read: an environment with thousands of packages has 200 KB.
MAX_DOCUMENT_BYTES = 16 * 1024 * 1024


def read_document(folder: Path, name: str, *, max_bytes: int = MAX_DOCUMENT_BYTES) -> dict[str, Any] | None:
    """The JSON object in ``folder/name``, or None if there is no such file.

    Raises UnreadableDocument if it is not a JSON object, too large, nested deeper than json_text.MAX_DEPTH, not a
    regular file, or outside the folder.
    """
    try:
        with open_regular(folder, name) as file:
            # not simply the limit: Python would set aside that much memory for every small file
            text = file.read(min(os.fstat(file.fileno()).st_size, max_bytes) + 1)
    except FileNotFoundError:
        return None
    except (OutsideRoot, StorageDamaged) as error:
        raise UnreadableDocument(str(error)) from error
    except OSError as error:
        raise UnreadableDocument(f"{folder / name} cannot be read: {error.strerror}.") from error
    if len(text) > max_bytes:
        raise UnreadableDocument(f"{folder / name} is larger than {max_bytes} bytes.")
    try:
        value = json_text.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableDocument(f"{folder / name} is not valid JSON: {error}.") from error
    if not isinstance(value, dict):
        raise UnreadableDocument(f"{folder / name} holds no JSON object.")
    # orjson reads 1,024 levels; it writes 254, and functions that call themselves get no further than 500
    if text.count(b"{") + text.count(b"[") > json_text.MAX_DEPTH and json_text.is_too_deep(value):
        raise UnreadableDocument(f"{folder / name} is nested deeper than {json_text.MAX_DEPTH} levels.")
    return value


def write_document(path: Path, value: dict[str, Any], *, mode: int = 0o666) -> None:
    """Replace ``path`` by ``value`` so that a reader or a crash sees the old file or the new one.

    Temporary file in the same folder, fsync, rename, fsync of the folder.
    mode: permissions of the file, before the umask. Raises OSError.
    """
    write_file(path, json_text.dumps_pretty(value), mode=mode)


def write_file(path: Path, content: bytes, *, mode: int = 0o666) -> None:
    """As write_document, for bytes."""
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}.tmp")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` durable. Systems that cannot open folders (Windows) need nothing."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def touch_runs_folder(run_dir: Path) -> None:
    """Tell the mirror, by one mtime, that something in this run changed (it stats the ``runs/`` folders only)."""
    with suppress(OSError):  # a read-only root: the rolling sweep finds the change later
        os.utime(run_dir.parent)
