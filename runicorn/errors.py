"""Every error that Runicorn raises on purpose.

    RunicornError
    ├── NotFound            a named thing does not exist
    │   ├── RunNotFound
    │   ├── ArtifactNotFound   (a FileNotFoundError, too)
    │   ├── VersionNotFound    (a FileNotFoundError and a ValueError, too)
    │   └── AliasNotFound      (a ValueError, too)
    ├── Conflict            somebody else holds or changed it; trying again may work
    │   ├── AmbiguousArtifact
    │   └── PortTaken
    ├── InvalidInput        a value that cannot be accepted as it is
    │   ├── InvalidName     a project, experiment, run id or alias that no folder may have
    │   ├── InvalidFilter   an expression of the query language that is not understood, with the place
    │   └── OutsideRoot     a path that leads out of the folder it belongs to
    ├── Denied              this caller may not do that
    │   └── NotLoggedIn     it is not known who asks: no account, no token, or a token that does not count
    ├── DatabaseUnavailable the database server does not answer; trying again may work
    └── StorageDamaged      a file or folder that cannot be read or written
        ├── UnreadableDocument
        ├── VersionNotStored   (a RuntimeError, too)
        └── UnusableRoot

Code below the edge raises these and knows no HTTP; ``experiments/http/errors.py`` maps them to answers and
``runicorn/cli`` to exit codes.
"""

from __future__ import annotations

from collections.abc import Sequence


class RunicornError(Exception):
    """Base of all errors raised on purpose. The message says what happened, to what, and what to do."""

    code = "RUNICORN_ERROR"


class NotFound(RunicornError):
    """Raised when a named thing does not exist."""

    code = "NOT_FOUND"


class RunNotFound(NotFound):
    """Raised when no run has that id (or it lies in the recycle bin)."""

    code = "RUN_NOT_FOUND"


class ArtifactNotFound(NotFound, FileNotFoundError):
    """Raised when no artifact of that name (and type) has a version."""

    code = "ARTIFACT_NOT_FOUND"


class VersionNotFound(NotFound, FileNotFoundError, ValueError):
    """Raised when the artifact exists and has no such version."""

    code = "VERSION_NOT_FOUND"


class AliasNotFound(NotFound, ValueError):
    """Raised when no version of the artifact has that alias."""

    code = "ALIAS_NOT_FOUND"


class Conflict(RunicornError):
    """Raised when somebody else holds or changed the thing; trying again may work."""

    code = "CONFLICT"


class AmbiguousArtifact(Conflict):
    """Raised when artifacts of several types have the name, and none is chosen."""

    code = "AMBIGUOUS_ARTIFACT"


class PortTaken(Conflict):
    """Raised when the address to listen on is in use."""

    code = "PORT_TAKEN"


class InvalidInput(RunicornError, ValueError):
    """Raised when a value cannot be accepted as it is."""

    code = "INVALID_INPUT"


class InvalidName(InvalidInput):
    """Raised for a project, experiment, run id or alias that no folder may have."""

    code = "INVALID_NAME"


class InvalidFilter(InvalidInput):
    """Raised when an expression of the query language is not understood.

    position: of the character where reading stopped, from 1. expected: what could stand there, in words.
    """

    code = "INVALID_FILTER"

    def __init__(self, message: str, *, position: int = 1, expected: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.position, self.expected = position, tuple(expected)


class OutsideRoot(InvalidInput):
    """Raised when a path leads out of the folder it belongs to."""

    code = "OUTSIDE_ROOT"


class Denied(RunicornError):
    """Raised when this caller may not do that."""

    code = "DENIED"


class NotLoggedIn(Denied):
    """Raised when it is not known who asks: no account, no token, or a token that does not count."""

    code = "NOT_LOGGED_IN"


class DatabaseUnavailable(RunicornError):
    """Raised when the database server cannot be reached; trying again may work."""

    code = "DATABASE_UNAVAILABLE"


class StorageDamaged(RunicornError):
    """Raised when a file or folder cannot be read or written."""

    code = "STORAGE_DAMAGED"


class UnreadableDocument(StorageDamaged):
    """Raised when a JSON file of record exists and cannot be understood."""

    code = "UNREADABLE_DOCUMENT"


class VersionNotStored(StorageDamaged, RuntimeError):
    """Raised when a version of an artifact cannot be written; nothing of it is visible."""

    code = "VERSION_NOT_STORED"


class UnusableRoot(StorageDamaged):
    """Raised when a storage root cannot be created, read or written."""

    code = "UNUSABLE_ROOT"
