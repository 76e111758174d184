"""Runs the demo's training scripts, some at a time, each in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress

import click

from runicorn.cli.supervisor import CHILD_SCRIPT
from runicorn.demo.plan import JOBS, LIVE

#: Beside the live run; they mostly sleep, so that a machine of two cores stays responsive.
PARALLEL_JOBS = 3
POLL_S = 0.1
LIVE_NUMBER = -1


@click.command("demo-conductor", hidden=True)
def command() -> None:
    """Train everything of the plan. RUNICORN_DIR says where the runs are written."""
    click.echo(f"Training {len(JOBS) + 1} small models.")
    live = _start(LIVE_NUMBER)
    waiting, running = list(range(len(JOBS))), dict[int, subprocess.Popen[bytes]]()
    while waiting or running:
        while waiting and len(running) < PARALLEL_JOBS:
            number = waiting.pop(0)
            running[number] = _start(number)
        for number, process in list(running.items()):
            if process.poll() is not None:
                del running[number]
                _report(number, process.returncode)
        time.sleep(POLL_S)
    click.echo("The short ones are done; one goes on training for some minutes.")
    _report(LIVE_NUMBER, live.wait())
    click.echo("All models are trained. Ctrl-C stops the viewer.")


def _start(number: int) -> subprocess.Popen[bytes]:
    # A process that ends this one ends them too: their standard input is our pipe.
    # One thread each: a small matrix is not worth several, and there are several scripts.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, str(CHILD_SCRIPT), "demo-train", str(number)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,  # the viewer shows what they print
        stderr=subprocess.DEVNULL,
        env=environment,
    )


def _report(number: int, code: int) -> None:
    """Say so if a script ended otherwise than planned."""
    job = LIVE if number == LIVE_NUMBER else JOBS[number]
    if (code != 0) != job.fails:
        with suppress(OSError):  # nobody may be reading any more
            click.echo(f"The training of {job.dataset}/{job.experiment} ended with exit code {code}.", err=True)
