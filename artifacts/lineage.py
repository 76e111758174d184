"""How lineage names a version: by a text, so that one column finds it whether the version is there or not."""

from __future__ import annotations

import re
from typing import NamedTuple

from runicorn.artifacts.names import check_artifact_name
from runicorn.errors import InvalidName
from runicorn.storage.layout import ARTIFACT_TYPES

#: The largest number that a version may have.
MAX_NUMBER = 10**9 - 1
_SUBJECT = re.compile(r"([a-z]+)/(.+):v([0-9]+)")


class Subject(NamedTuple):
    """A version, of one storage root."""

    type: str
    name: str
    number: int

    def __str__(self) -> str:
        return f"{self.type}/{self.name}:v{self.number}"


def subject_of(type_: str | None, name: str, number: int | None) -> str:
    """The text of a subject; empty if no version can be meant."""
    if type_ not in ARTIFACT_TYPES or number is None or not 0 < number <= MAX_NUMBER:
        return ""
    try:
        check_artifact_name(name)
    except InvalidName:
        return ""
    return str(Subject(type_, name, number))


def parse_subject(text: str) -> Subject:
    """What ``subject_of`` wrote."""
    found = _SUBJECT.fullmatch(text)
    assert found is not None, text
    return Subject(found[1], found[2], int(found[3]))
