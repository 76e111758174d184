"""The index as a file: its locks lie beside it, and it is emptied by deleting it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.db import connections

from runicorn_site.process_lock import FileProcessLock, ProcessLock

#: What SQLite keeps beside a database file.
SUFFIXES = ("", "-wal", "-shm", "-journal")


class SqliteIndex:
    def __init__(self) -> None:
        self.place = str(_file("index"))

    def require_usable(self) -> None:
        """Where the files cannot be made, the settings have said so."""

    def migration_lock(self, database: str) -> ProcessLock:
        return FileProcessLock(_file(database).with_name(f"{database}.migrate.lock"))

    def mirror_lock(self) -> ProcessLock:
        return FileProcessLock(_file("index").with_name("index.mirror.lock"))

    def claim(self) -> None:
        """Every storage root has a file of its own."""

    @contextmanager
    def emptied(self) -> Iterator[None]:
        """Inside there is no index; the caller makes a new one."""
        connections["index"].close()
        for suffix in SUFFIXES:
            with suppress(FileNotFoundError):
                Path(f"{self.place}{suffix}").unlink()
        yield

    def identity(self) -> object:
        """Another value after the index was replaced, by us or by hand; an inode stays taken while we hold it open.

        SQLite would go on reading and writing the deleted file for ever, without an error.
        """
        try:
            found = _file("index").stat()
        except FileNotFoundError:
            return None
        return found.st_dev, found.st_ino


def _file(database: str) -> Path:
    return Path(connections[database].settings_dict["NAME"])
