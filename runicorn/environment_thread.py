"""Capturing a run's environment beside the training."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from pathlib import Path

from runicorn.guard import Guard


def capture_in_background(run_dir: Path, *, guard: Guard) -> threading.Thread:
    """Write the run's environment.json from a daemon thread, which is returned. The working folder is that of now."""
    working_dir: str | None = None
    with suppress(FileNotFoundError):  # the current folder may have been deleted
        working_dir = os.getcwd()

    def capture() -> None:
        from runicorn.environment import capture_for_run  # not at the top: loads subprocess and shutil

        try:
            capture_for_run(run_dir, working_dir)
        except Exception as error:  # noqa: BLE001 - the top of a thread; the run is worth more than its surroundings
            guard.report("environments", f"The environment of {run_dir.name} could not be captured: {error}.", error)

    thread = threading.Thread(target=capture, name="runicorn-environment", daemon=True)
    thread.start()
    return thread
