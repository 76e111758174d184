"""What scripts call as ``runicorn.init``, ``runicorn.log`` and so on: a run's methods, for the active run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from runicorn.active import activate, current_run
from runicorn.run import Run


def init(
    project: str = "default",
    storage: str | os.PathLike[str] | None = None,
    run_id: str | None = None,
    name: str | None = None,
    capture_env: bool = True,
    *,
    config: Any = None,
    tags: Any = None,
    notes: str | None = None,
    group: str | None = None,
    resume: str = "allow",
    console: bool = True,
) -> Run:
    """Start a run, or resume one, and make it the active run. Best called with keyword arguments.

    project, name: where it belongs: the project, and the experiment in it. storage: the storage root, see
    ``runicorn.config``. run_id: your own id, or that of a run to resume. capture_env: record packages, git and GPUs,
    in the background. config: parameters, a dict or argparse.Namespace. tags: texts. notes: Markdown. group: a word
    that runs have in common. resume: for a ``run_id`` that exists: "allow", "must" or "never" take it up.
    console: copy what the script prints to the run's log.

    The run ends with the process, by ``finish``, or as a context manager.
    Raises InvalidInput (a ValueError) for names and values that cannot be, Conflict if the run exists and
    ``resume="never"``, RunNotFound if it does not and ``resume="must"``, UnusableRoot if the storage root cannot be
    written. Nothing that is called later raises because of the disk.
    """
    run = Run(
        project,
        storage,
        run_id,
        name,
        capture_env,
        config=config,
        tags=tags,
        notes=notes,
        group=group,
        resume=resume,
        console=console,
    )
    activate(run)
    return run


def get_active_run() -> Run | None:
    """The run that ``log`` and its like write to, or None."""
    return current_run()


def log(data: Mapping[str, Any] | None = None, **kwargs: Any) -> None:
    """Store one record of metrics in the active run: see Run.log. ``step`` and ``stage`` are not metrics."""
    run = current_run()
    if run is None:
        raise _no_run("log")
    run.log(data, **kwargs)


def log_text(text: object) -> None:
    """Append a line to the active run's log: see Run.log_text."""
    run = current_run()
    if run is None:
        raise _no_run("log_text")
    run.log_text(text)


def alert(title: object, text: object = "", level: str = "info") -> None:
    """Note in the active run that something happened which people should see: see Run.alert."""
    run = current_run()
    if run is None:
        raise _no_run("alert")
    run.alert(title, text, level)


def log_image(
    key: str,
    image: Any,
    step: int | None = None,
    caption: str | None = None,
    format: str = "png",
    quality: int = 90,
) -> str:
    """Store an image in the active run; returns its path relative to the run directory: see Run.log_image."""
    run = current_run()
    if run is None:
        raise _no_run("log_image")
    return run.log_image(key, image, step=step, caption=caption, format=format, quality=quality)


def summary(update: Mapping[str, Any]) -> None:
    """Merge ``update`` into the active run's summary: see Run.summary."""
    run = current_run()
    if run is None:
        raise _no_run("summary")
    run.summary(update)


def set_primary_metric(metric_name: str, mode: str = "max") -> None:
    """Keep the best value of a metric of the active run: see Run.set_primary_metric."""
    run = current_run()
    if run is None:
        raise _no_run("set_primary_metric")
    run.set_primary_metric(metric_name, mode)


def finish(status: str = "finished") -> None:
    """End the active run: see Run.finish."""
    run = current_run()
    if run is None:
        raise _no_run("finish")
    run.finish(status)


def _no_run(function: str) -> RuntimeError:
    return RuntimeError(f"runicorn.{function}() has no run to write to; call runicorn.init() first.")
