"""What a script may ask ``init`` for."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from runicorn.errors import InvalidInput
from runicorn.storage import layout

RESUME_MODES = ("allow", "must", "never")


class RunRequest(NamedTuple):
    """What a script asked ``init`` for, checked.

    name, run_id: None if the script gave none. additions: what goes to meta.json as it is (tags, notes, group).
    """

    root: Path
    project: str
    name: str | None
    run_id: str | None
    resume: str
    additions: dict[str, Any]
    config: dict[str, Any]


def check_request(
    *,
    root: Path,
    project: object,
    name: object,
    run_id: object,
    resume: object,
    tags: object,
    notes: object,
    group: object,
    config: dict[str, Any],
) -> RunRequest:
    """The request if a run may be opened so. Raises InvalidInput (InvalidName for names and ids)."""
    if resume not in RESUME_MODES:
        raise InvalidInput(f"resume is {resume!r}; choose one of {', '.join(RESUME_MODES)}.")
    if resume == "must" and run_id is None:
        raise InvalidInput("resume='must' needs the run_id of the run to continue.")
    additions: dict[str, Any] = {}
    if tags is not None:
        additions["tags"] = _checked_tags(tags)
    for key, value in (("notes", notes), ("group", group)):
        if value is not None and not isinstance(value, str):
            raise InvalidInput(f"{key} is {value!r}; give a text.")
        if value is not None:
            additions[key] = value
    return RunRequest(
        root=root,
        project=layout.check_name("project", project),
        name=None if name is None else layout.check_name("experiment", name),
        run_id=None if run_id is None else layout.check_run_id(run_id),
        resume=str(resume),
        additions=additions,
        config=config,
    )


def _checked_tags(tags: object) -> list[str]:
    values = (
        [tags] if isinstance(tags, str) else list(tags) if isinstance(tags, (list, tuple, set, frozenset)) else None
    )
    if values is None or not all(isinstance(tag, str) and tag.strip() for tag in values):
        raise InvalidInput(f"tags is {tags!r}; give a list of texts.")
    return list(dict.fromkeys(str(tag) for tag in values))
