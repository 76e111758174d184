"""What an expression says, as a tree of these and nothing else."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Path:
    """A field as it was written: ``metrics.val_acc.max`` has three parts. position: of its first character, from 1."""

    parts: tuple[str, ...]
    position: int


@dataclass(frozen=True)
class Text:
    text: str


@dataclass(frozen=True)
class Number:
    value: float


@dataclass(frozen=True)
class Span:
    """A length of time. seconds: what ``2h30m`` comes to."""

    seconds: float


@dataclass(frozen=True)
class Moment:
    """A moment as it was written, to be read in the time zone of whoever wrote it: ``2026-11-01 14:00``."""

    text: str


@dataclass(frozen=True)
class Ago:
    """So many seconds before the question is asked."""

    seconds: float


@dataclass(frozen=True)
class Nothing:
    """``null``: no value."""


Literal = Nothing | Text | Number | Span | Moment | Ago


@dataclass(frozen=True)
class Value:
    """A literal and where it stands."""

    literal: Literal
    position: int


@dataclass(frozen=True)
class Comparison:
    """operator: one of ``= != < <= > >= ~ !~``."""

    path: Path
    operator: str
    value: Value


@dataclass(frozen=True)
class Membership:
    path: Path
    values: tuple[Value, ...]


@dataclass(frozen=True)
class Has:
    path: Path
    value: Value


@dataclass(frozen=True)
class Words:
    """All of these occur in what people call the run: name, project, id, description, tags."""

    words: tuple[str, ...]


@dataclass(frozen=True)
class And:
    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Or:
    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Not:
    part: Node


Node = Comparison | Membership | Has | Words | And | Or | Not
