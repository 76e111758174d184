"""The colours of runs: one by its id, or the one that somebody chose, which curation.json names."""

from __future__ import annotations

import zlib

#: By their place in the style sheet (``--run-0`` and so on), as they look on a light ground.
COLORS = (
    "blue", "orange", "green", "pink", "amber", "sky", "olive", "grey", "navy", "brown", "forest", "plum",
)  # fmt: skip


def color_number(run_id: str, chosen: str | None) -> int:
    """Which of COLORS is a run's: ``chosen`` if it is one of them, else one that depends on nothing but its id."""
    return COLORS.index(chosen) if chosen in COLORS else zlib.crc32(run_id.encode()) % len(COLORS)
