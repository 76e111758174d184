"""Config, summary and environment as trees that a page can print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

#: What a page prints at most; the file holds the rest, and the page says so.
MAX_CHILDREN = 500
MAX_DEPTH = 12
MAX_TEXT_CHARS = 2000
MAX_OPEN_CHILDREN = 16


@dataclass(frozen=True)
class TreeNode:
    """One key and its value as text, or its children.

    kind: what the text is (text, number, bool, null, list of those), or object or array for what has children.
    """

    key: str
    kind: str
    text: str = ""
    children: list[TreeNode] = field(default_factory=list)
    left_out: int = 0

    @property
    def is_small(self) -> bool:
        """Whether the branch may be open from the start without pushing its neighbours out of sight."""
        return len(self.children) + self.left_out <= MAX_OPEN_CHILDREN


def tree_of(value: Mapping[str, object]) -> list[TreeNode]:
    """The nodes of a JSON object, in the order of the file."""
    return [_node(str(key), child, depth=1) for key, child in list(value.items())[:MAX_CHILDREN]]


def _node(key: str, value: object, *, depth: int) -> TreeNode:
    if isinstance(value, Mapping):
        return _branch(key, "object", list(value.items()), depth=depth)
    if isinstance(value, list):
        if all(not isinstance(item, (Mapping, list)) for item in value) and len(value) <= 16:
            return TreeNode(key, "list", _shortened(", ".join(_leaf(item)[1] for item in value)))
        return _branch(key, "array", list(enumerate(value)), depth=depth)
    kind, text = _leaf(value)
    return TreeNode(key, kind, text)


def _branch(key: str, kind: str, items: Sequence[tuple[object, object]], *, depth: int) -> TreeNode:
    if depth >= MAX_DEPTH:
        return TreeNode(key, kind, left_out=len(items))
    children = [_node(str(name), child, depth=depth + 1) for name, child in items[:MAX_CHILDREN]]
    return TreeNode(key, kind, children=children, left_out=len(items) - len(children))


def _leaf(value: object) -> tuple[str, str]:
    if value is None:
        return "null", "null"
    if isinstance(value, bool):
        return "bool", "true" if value else "false"
    if isinstance(value, (int, float)):
        return "number", repr(value)
    return "text", _shortened(str(value))


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_TEXT_CHARS else text[:MAX_TEXT_CHARS] + "…"
