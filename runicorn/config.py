"""Where things lie: the storage root and the per-user folders; and the switches set by environment variables.

The library reads the environment here and nowhere else. A value that makes no sense is an error naming its variable.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from runicorn.errors import Conflict, InvalidInput, UnusableRoot
from runicorn.storage.documents import read_document, write_document
from runicorn.storage.filesystems import is_on_network

DIR_VARIABLE = "RUNICORN_DIR"
CONSOLE_VARIABLE = "RUNICORN_CONSOLE"
STRICT_VARIABLE = "RUNICORN_STRICT"
#: The root in the working directory that is used when nothing else is set.
DEFAULT_ROOT_NAME = ".runicorn"
#: The databases, in the folders of what can be rebuilt and of what is kept.
INDEX_NAME = "index.sqlite3"
DEFAULT_DATABASE_NAME = "default.sqlite3"
#: How long a write of the user's configuration waits for another one.
LOCK_TIMEOUT_S = 5.0

#: Outlives a reboot, unlike /tmp on many systems.
_LOCAL_DISK = Path("/var/tmp")
_USER_CONFIG = "config.json"
_USER_ROOT_KEY = "user_root_dir"
_APP = "runicorn" if sys.platform not in ("win32", "darwin") else "Runicorn"
_ON = frozenset({"1", "on", "true", "yes"})
_OFF = frozenset({"0", "off", "false", "no"})


def resolve_storage_root(explicit: str | Path | None = None) -> Path:
    """The storage root, absolute and existing: created with its parents when missing.

    Ranks: ``explicit``, then RUNICORN_DIR, then ``user_root_dir`` of the per-user config.json, then ``./.runicorn``.
    Raises InvalidInput for a blank path, UnusableRoot if the folder cannot be created or entered, and
    UnreadableDocument for a config.json that is not JSON: falling through would scatter runs over other roots.
    """
    return _usable(named_storage_root(explicit))


def root_in_environment() -> bool:
    """Whether RUNICORN_DIR names the storage root."""
    return bool(os.environ.get(DIR_VARIABLE, ""))


def named_storage_root(explicit: str | Path | None = None) -> Path:
    """As resolve_storage_root, but nothing is created and the folder may be missing or unusable."""
    if explicit is not None:
        return _absolute(explicit, "storage")
    from_environment = os.environ.get(DIR_VARIABLE, "")
    if from_environment:
        return _absolute(from_environment, DIR_VARIABLE)
    from_user = user_root()
    if from_user:
        return _absolute(from_user, _USER_ROOT_KEY)
    return Path(os.path.abspath(DEFAULT_ROOT_NAME))


def read_user_config() -> dict[str, Any]:
    """The per-user config.json, or an empty dict if there is none. Raises UnreadableDocument."""
    folder = user_config_dir()
    if not folder.is_dir():
        return {}
    return read_document(folder, _USER_CONFIG) or {}


def user_root() -> str:
    """The storage root that the user stored, as it was written down; empty if none is. Raises UnreadableDocument."""
    stored = read_user_config().get(_USER_ROOT_KEY)
    return stored.strip() if isinstance(stored, str) else ""


def user_config_file() -> Path:
    """The per-user config.json; it may not exist yet."""
    return user_config_dir() / _USER_CONFIG


def write_user_root(path: str | Path) -> Path:
    """Remember ``path`` as the user's storage root, and return it absolute; creates the folder.

    ``~`` and environment variables inside are expanded. Other keys of config.json stay.
    Raises InvalidInput, UnusableRoot, UnreadableDocument, or Conflict if another write held the file for 5 s.
    """
    root = _usable(_absolute(os.path.expandvars(path), "storage root"))
    store_user_root(root)
    return root


def store_user_root(root: Path) -> None:
    """Remember an absolute path as the user's storage root. Raises UnusableRoot, UnreadableDocument, Conflict."""
    # other keys stay: older versions kept the SSH connections in this file
    change_user_document(_USER_CONFIG, lambda document: {**document, _USER_ROOT_KEY: str(root)})


def change_user_document(name: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    """Replace a file of the user's configuration by ``change`` of its content ({} if missing); returns the new one.

    Written whole and for the owner only (0600): some hold secrets. What ``change`` raises leaves the file as it is.
    Raises UnusableRoot, UnreadableDocument, or Conflict if another write held the file for 5 s.
    """
    import filelock  # not at the top: training scripts import this module and never lock

    folder = _writable_config_dir()
    try:
        with filelock.FileLock(folder / f"{name}.lock", timeout=LOCK_TIMEOUT_S):
            document = change(read_document(folder, name) or {})
            write_document(folder / name, document, mode=0o600)
    except filelock.Timeout as error:
        raise Conflict(f"{folder / name} is being changed by another process; try again.") from error
    except OSError as error:
        raise UnusableRoot(f"{folder / name} cannot be written: {error.strerror}; change its permissions.") from error
    return document


def _writable_config_dir() -> Path:
    try:
        return _private_folder(user_config_dir())
    except UnusableRoot:
        return _private_folder(_last_resort())


def user_config_dir() -> Path:
    """The folder of the user's configuration; it may not exist yet."""
    import platformdirs  # not at the top: `import runicorn` stays light

    # roaming: %APPDATA% on Windows, where older versions keep it
    preferred = Path(platformdirs.user_config_dir(_APP, appauthor=False, roaming=True))
    return _last_resort() if not preferred.is_dir() and _last_resort().is_dir() else preferred


def _last_resort() -> Path:
    """Used where the system's own folder cannot be created."""
    return Path(os.path.expanduser("~/.runicorn_config"))


def user_data_dir() -> Path:
    """The folder of the user's databases and keys that must be kept; created, for the owner only."""
    return _private_folder(named_data_dir())


def named_data_dir() -> Path:
    """As user_data_dir, but it may not exist yet."""
    import platformdirs  # not at the top: `import runicorn` stays light

    return Path(platformdirs.user_data_dir(_APP, appauthor=False))


def user_cache_dir() -> Path:
    """The folder of what can be rebuilt; created, for the owner only, and always on local disk.

    Where the cache folder lies on a network file system (NFS homes), a folder below the system's local
    temporary space is used. Raises UnusableRoot if that belongs to somebody else.
    """
    folder, is_shared_place = _named_cache_dir()
    _private_folder(folder)
    if not is_shared_place:
        return folder
    status = folder.lstat()
    if folder.is_symlink() or (sys.platform != "win32" and (status.st_uid != os.getuid() or status.st_mode & 0o077)):
        raise UnusableRoot(
            f"The cache folder {folder} is not yours alone; set XDG_CACHE_HOME to a folder on local disk."
        )
    return folder


def named_cache_dir() -> Path:
    """As user_cache_dir, but it may not exist yet, or not be the user's."""
    return _named_cache_dir()[0]


def _named_cache_dir() -> tuple[Path, bool]:
    """The folder, and whether it lies where everybody may make folders."""
    import tempfile  # not at the top, like platformdirs: `import runicorn` stays light

    import platformdirs

    preferred = Path(platformdirs.user_cache_dir(_APP, appauthor=False))
    if not is_on_network(preferred):
        return preferred, False
    local = _LOCAL_DISK if os.access(_LOCAL_DISK, os.W_OK) else Path(tempfile.gettempdir())
    owner = os.getuid() if sys.platform != "win32" else os.environ.get("USERNAME", "user")
    return local / f"{_APP}-{owner}", True


def index_path(root: Path) -> Path:
    """The index database of one storage root; its folder is created. It may be deleted at any time."""
    return _private_folder(user_cache_dir() / root_digest(root)) / INDEX_NAME


def root_digest(root: Path) -> str:
    """16 hexadecimal digits that tell a storage root from others: of its real path."""
    import hashlib  # not at the top: `import runicorn` stays light

    return hashlib.sha256(os.fsencode(os.path.realpath(root))).hexdigest()[:16]


def default_database_path() -> Path:
    """The database of accounts, sessions and preferences, which must be kept."""
    return user_data_dir() / DEFAULT_DATABASE_NAME


def console_capture_enabled() -> bool:
    """Whether RUNICORN_CONSOLE lets the library record what a script prints (it does unless set to off)."""
    return _switch(CONSOLE_VARIABLE, default=True)


def strict_mode() -> bool:
    """Whether RUNICORN_STRICT makes logging raise what it otherwise warns about and counts (our tests set it)."""
    return _switch(STRICT_VARIABLE, default=False)


def read_variables(names: Iterable[str]) -> dict[str, str]:
    """Those of the named environment variables that are set (what a run records of its environment)."""
    return {name: os.environ[name] for name in names if name in os.environ}


def _switch(variable: str, *, default: bool) -> bool:
    value = os.environ.get(variable, "").strip().lower()
    if not value:
        return default
    if value not in _ON | _OFF:
        raise InvalidInput(f"{variable} is {value!r}; set it to 'on' or 'off'.")
    return value in _ON


def _absolute(path: str | Path, source: str) -> Path:
    text = os.fspath(path)
    if not text.strip() or "\x00" in text:
        raise InvalidInput(f"The path in {source} is {text!r}; name a folder.")
    return Path(os.path.abspath(os.path.expanduser(text)))


def _usable(root: Path) -> Path:
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = "it is a file" if root.exists() else error.strerror
        raise UnusableRoot(f"The storage root {root} cannot be used: {reason}; choose another folder.") from error
    if not os.access(root, os.R_OK | os.X_OK):
        raise UnusableRoot(f"The storage root {root} may not be read; change its permissions or choose another folder.")
    return root


def _private_folder(folder: Path) -> Path:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UnusableRoot(f"The folder {folder} cannot be created: {error.strerror}; change HOME or XDG_*.") from error
    return folder
