"""docs/design/0019-artifacts.md names every file and key that the library writes below artifacts/."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from runicorn.artifacts.curation import StageMove, move_stage
from runicorn.artifacts.evaluations import Evaluation, record_evaluation
from runicorn.artifacts.places import ArtifactPlace
from runicorn.artifacts.removal import delete_version

PAGE = (Path(__file__).parents[3] / "docs/design/0019-artifacts.md").read_text("utf-8")


def keys_in(value: object) -> Iterator[str]:
    """Every key of a document, but for those of the user's own objects."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            if key not in ("metadata", "metrics", "metrics_summary", "aliases"):
                yield from keys_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys_in(inner)


def test_every_file_and_key_is_on_the_page(root: Path, place: ArtifactPlace, log: Callable[..., int]):
    log({"w": b"w"})
    move_stage(place, 1, StageMove("staging"), at=1.0)
    record_evaluation(place, 1, Evaluation({"acc": 1.0}, "passed", 1.0))
    delete_version(place, 1, by="user", at=2.0)

    documents = [path for path in root.rglob("*") if path.suffix == ".json" or path.name == ".deleted"]
    assert len(documents) == 5
    words = {word for span in re.findall(r"`+([^`]+)`+", PAGE) for word in re.findall(r"[\w.]+", span)}
    for path in documents:
        assert path.name in PAGE or path.parent.name == "evaluations"
        assert set(keys_in(json.loads(path.read_text()))) - words == set(), path.name
