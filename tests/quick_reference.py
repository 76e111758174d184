"""The quick reference that this API promises to keep, taken apart into its blocks and tables."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.components import specification

#: The port of every address in the document.
PORT = "23300"
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_TABLE = re.compile(r"^\|.*(?:\n\|.*)+", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6} +(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block, or a table (language ``table``). key: heading, language and, from the second on, its number."""

    key: str
    text: str

    def on_port(self, port: int) -> str:
        """The text for a viewer on another port."""
        return self.text.replace(PORT, str(port))


def blocks() -> dict[str, Block]:
    """All blocks and tables by key, in the document's order."""
    text = (specification() / "quick-reference.zh.md").read_text(encoding="utf-8")
    fenced = [(match.start(), match.end(), match[1] or "text", match[2]) for match in _FENCED.finditer(text)]

    def is_outside(place: int) -> bool:
        return not any(start <= place < end for start, end, _, _ in fenced)

    tables = [(match.start(), match.end(), "table", match[0]) for match in _TABLE.finditer(text)]
    headings = [match for match in _HEADING.finditer(text) if is_outside(match.start())]
    found: dict[str, Block] = {}
    for start, _, language, content in sorted(fenced + [table for table in tables if is_outside(table[0])]):
        heading = [match[1] for match in headings if match.start() < start][-1]
        key = f"{heading}, {language}"
        same = sum(other.rpartition(" #")[0] == key or other == key for other in found)
        key += f" #{same + 1}" if same else ""
        found[key] = Block(key, content)
    return found


@dataclass(frozen=True)
class Call:
    """One request of a list of endpoints. body: None where the list gives none."""

    method: str
    address: str
    body: Any


def calls(text: str) -> Iterator[Call]:
    """The lines ``METHOD address``, each perhaps with a line ``Body: {…}`` behind it."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if not line.startswith("Body: "):
            method, address = line.split()
            body = json.loads(following.removeprefix("Body: ")) if following.startswith("Body: ") else None
            yield Call(method, address, body)


def table_rows(text: str) -> list[list[str]]:
    """The cells of a table below its head."""
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines()[2:]]
