"""Which names artifacts and aliases may have, and what a spec such as ``vit-s:production`` means."""

from __future__ import annotations

import re
from enum import Enum

from runicorn.errors import InvalidInput, InvalidName, OutsideRoot
from runicorn.storage.layout import ARTIFACT_ENUM_PREFIX, ARTIFACT_TYPES

NAME_MAX_CHARS = 100
#: The alias that is ours to move: the newest version that is not deleted.
LATEST = "latest"
#: Windows refuses longer paths of files.
_WINDOWS_PATH_MAX_CHARS = 240

_VERSION = re.compile(r"[vV]?([0-9]{1,9})")
_ALIAS_LIKE_VERSION = re.compile(r"v?[0-9]+")
_FORBIDDEN = re.compile(r'[/\\:*?"<>|\x00-\x1f\x7f]')


class ArtifactType(str, Enum):
    """What an artifact holds; the value is the name of its folder."""

    MODEL = "model"
    DATASET = "dataset"
    CONFIG = "config"
    CODE = "code"
    CUSTOM = "custom"

    def __str__(self) -> str:
        return self.value


def parse_type(value: object) -> str:
    """The type that ``value`` names: a member, its word, or ``ArtifactType.MODEL`` as 0.4 wrote it.

    Raises InvalidInput (a ValueError) for another.
    """
    word = value.value if isinstance(value, ArtifactType) else value
    if isinstance(word, str) and word.startswith(ARTIFACT_ENUM_PREFIX):
        word = word.removeprefix(ARTIFACT_ENUM_PREFIX).lower()
    if word not in ARTIFACT_TYPES:
        raise InvalidInput(f"{value!r} is no type of artifact; choose one of {', '.join(ARTIFACT_TYPES)}.")
    return str(word)


def check_artifact_name(name: object) -> str:
    """Return ``name`` if an artifact may have it. Raises InvalidName (a ValueError) otherwise."""
    if not isinstance(name, str) or not name.strip():
        raise InvalidName("The artifact name is empty; give it a name.")
    reason = None
    if len(name) > NAME_MAX_CHARS:
        reason = f"is longer than {NAME_MAX_CHARS} characters"
    elif name.startswith("."):
        reason = "begins with a dot"
    elif name != name.strip() or name.endswith("."):
        reason = "begins or ends with a blank, or ends with a dot"
    elif _FORBIDDEN.search(name):
        reason = 'contains one of / \\ : * ? " < > | or a control character'
    elif not _is_utf8(name):
        reason = "is not valid Unicode"
    if reason:
        raise InvalidName(f"The artifact name {name!r} {reason}; choose another name.")
    return name


def check_alias(alias: object) -> str:
    """Return ``alias`` if people may set it. Raises InvalidName (a ValueError) otherwise."""
    if not isinstance(alias, str) or not alias:
        raise InvalidName("The alias is empty; give it a name.")
    reason = None
    if alias == LATEST:
        reason = "always names the newest version"
    elif _ALIAS_LIKE_VERSION.fullmatch(alias.lower()):
        reason = "looks like a version"
    elif len(alias) > NAME_MAX_CHARS:
        reason = f"is longer than {NAME_MAX_CHARS} characters"
    elif _FORBIDDEN.search(alias) or any(char.isspace() for char in alias) or not _is_utf8(alias):
        reason = 'contains a blank or one of / \\ : * ? " < > |'
    if reason:
        raise InvalidName(f"The alias {alias!r} {reason}; choose another name.")
    return alias


def parse_spec(spec: object) -> tuple[str, int | str]:
    """Name, and version or alias, of ``name:v3``, ``name:3`` or ``name:alias``.

    Raises InvalidInput (a ValueError) if there is no colon or one side is empty, and for version 0.
    """
    name, colon, wanted = spec.rpartition(":") if isinstance(spec, str) else ("", "", "")
    if not colon or not name or not wanted:
        raise InvalidInput(f"{spec!r} names no version; write name:v1, name:1 or name:alias.")
    version = _VERSION.fullmatch(wanted)
    if version is None:
        return name, wanted
    if int(version[1]) < 1:
        raise InvalidInput(f"{spec!r} names no version; versions start at v1.")
    return name, int(version[1])


def check_inner_path(path: object) -> str:
    """A file's path inside an artifact: relative, forward slashes, nothing that leads out or that Windows refuses.

    Raises OutsideRoot (a ValueError) otherwise.
    """
    posix = path.replace("\\", "/") if isinstance(path, str) else ""
    parts = [part for part in posix.split("/") if part not in ("", ".")]
    if (
        not parts
        or posix.startswith("/")
        or posix[1:2] == ":"  # a drive
        or ".." in parts
        or "\x00" in posix
        or not _is_utf8(posix)
    ):
        raise OutsideRoot(f"{path!r} is no path inside an artifact; use a relative one without '..'.")
    return "/".join(parts)


def is_too_long_for_windows(path: str) -> bool:
    return len(path) > _WINDOWS_PATH_MAX_CHARS


def _is_utf8(text: str) -> bool:
    """File names of other encodings hold surrogates, which no document can."""
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
