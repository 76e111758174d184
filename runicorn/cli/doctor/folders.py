"""The storage root and the user's own folders. Nothing here creates one."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import filelock

from runicorn import config
from runicorn.cli.doctor.findings import Finding, error, ok, warning
from runicorn.storage.filesystems import is_on_network

#: Less is full soon: a run of images writes that in minutes.
SCARCE_BYTES = 1024**3
#: Less may be too little for the next write of a database.
FULL_BYTES = 100 * 1024**2
MEBIBYTE = 1024**2


def storage_root(root: Path) -> Iterator[Finding]:
    """Whether runs can be read and written there."""
    if not root.exists():
        yield warning(
            "storage root",
            f"{root} does not exist yet; the first run or viewer creates it.",
            "If runs should be there: name their folder with --storage, RUNICORN_DIR or `runicorn config`.",
        )
        return
    if not root.is_dir():
        yield error("storage root", f"{root} is no folder.", "Name a folder with --storage or RUNICORN_DIR.")
        return
    if not os.access(root, os.R_OK | os.X_OK):
        yield error("storage root", f"{root} may not be read.", f"Change its permissions: chmod u+rx '{root}'.")
        return
    place = " (on a network disk)" if is_on_network(root) else ""
    if os.access(root, os.W_OK):
        yield ok("storage root", f"{root}{place} can be read and written.")
        yield _locks(root)
    else:
        yield warning(
            "storage root",
            f"{root}{place} can be read but not written: runs are shown, but not made, tagged or deleted.",
            "Change its permissions, or mount it for writing.",
        )
    yield _free_space("storage root", root)


def _locks(root: Path) -> Finding:
    """Whether a second one is refused what a first one holds; leaves nothing behind."""
    descriptor, name = tempfile.mkstemp(prefix=".doctor-", suffix=".lock", dir=root)
    os.close(descriptor)
    try:
        with filelock.FileLock(name, timeout=0):
            filelock.FileLock(name, timeout=0, is_singleton=False).acquire()
    except filelock.Timeout:
        return ok("locks", "Locks work in the storage root.")
    except (OSError, NotImplementedError) as problem:
        reason = f"{root} has no locks ({problem})"
    else:
        reason = f"Locks in {root} keep nobody out"
    finally:
        Path(name).unlink(missing_ok=True)
    return warning(
        "locks",
        f"{reason}: of two changes of one run in the same instant, one may be lost.",
        "Mount the network disk with locks (NFS: without `nolock`), or let one person at a time change a run.",
    )


def _free_space(subject: str, folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    if free >= SCARCE_BYTES:
        return ok(subject, f"{free // MEBIBYTE:,} MiB are free.")
    finding = error if free < FULL_BYTES else warning
    return finding(subject, f"Only {free // MEBIBYTE:,} MiB are free on the disk of {folder}.", "Free some space.")


def private_folders() -> Iterator[Finding]:
    """The user's configuration, data and cache: theirs alone, and databases not on a network disk."""
    data = config.named_data_dir()
    yield from _private("configuration", config.user_config_dir(), variable="XDG_CONFIG_HOME")
    yield from _private("data", data, variable="XDG_DATA_HOME")
    yield from _private("cache", config.named_cache_dir(), variable="XDG_CACHE_HOME")
    if is_on_network(data):
        yield warning(
            "data",
            f"{data} lies on a network disk, where the database of accounts may be damaged by its locks.",
            "Set XDG_DATA_HOME to a folder on a local disk.",
        )
    yield from _secret_key(data / "secret_key")


def _private(subject: str, folder: Path, *, variable: str) -> Iterator[Finding]:
    if not folder.exists():
        yield from _not_there_yet(subject, folder, variable)
        return
    if not folder.is_dir():
        yield error(subject, f"{folder} is no folder.", f"Delete it, or set {variable} to another place.")
        return
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield error(subject, f"{folder} may not be read and written.", f"chmod u+rwx '{folder}', or set {variable}.")
        return
    status = folder.stat()
    if sys.platform != "win32" and status.st_uid != os.getuid():
        yield error(
            subject, f"{folder} belongs to somebody else.", f"Set {variable} to a folder of yours, or `chown` it."
        )
    elif sys.platform != "win32" and status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        yield error(subject, f"Others may write to {folder}.", f"chmod 700 '{folder}'")
    elif sys.platform != "win32" and status.st_mode & 0o077:
        yield warning(subject, f"Others may look into {folder}.", f"chmod 700 '{folder}'")
    else:
        yield ok(subject, f"{folder} is yours alone.")
    if shutil.disk_usage(folder).free < SCARCE_BYTES:
        yield _free_space(subject, folder)


def _not_there_yet(subject: str, folder: Path, variable: str) -> Iterator[Finding]:
    parent = next(parent for parent in folder.parents if parent.exists())
    if parent.is_dir() and os.access(parent, os.W_OK | os.X_OK):
        yield ok(subject, f"{folder} is not there yet; it is made when it is needed.")
    else:
        yield error(
            subject,
            f"{folder} cannot be made: {parent} may not be written.",
            f"Set {variable} to a folder that may, or change the permissions of {parent}.",
        )


def _secret_key(file: Path) -> Iterator[Finding]:
    if not file.exists():
        return
    if not file.is_file() or not file.read_bytes().strip():
        yield error("secret key", f"{file} holds no key.", "Delete it; the next start makes a new one.")
    elif sys.platform != "win32" and file.stat().st_mode & 0o077:
        yield error(
            "secret key",
            f"Others may read {file}, by which sessions are signed.",
            f"chmod 600 '{file}', or delete it (everybody logs in anew).",
        )
    else:
        yield ok("secret key", f"{file} is yours alone.")
