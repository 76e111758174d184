"""What the disk answers, as the error that callers expect."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runicorn.errors import RunicornError, StorageDamaged


@contextmanager
def damage_reported(path: Path) -> Iterator[None]:
    """Raises StorageDamaged for an OSError. path: what to name if that names nothing."""
    try:
        yield
    except RunicornError:  # some of ours are OSErrors, too
        raise
    except OSError as error:
        raise StorageDamaged(f"{error.filename or path}: {error.strerror}.") from error
