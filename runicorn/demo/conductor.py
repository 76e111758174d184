"""Runs the demo's scripts, each in a process of its own: first the datasets, then training, some at a time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress

import click

from runicorn.cli.supervisor import CHILD_SCRIPT
from runicorn.demo.plan import JOBS

#: Beside the live run; they mostly sleep, so that a machine of two cores stays responsive.
PARALLEL_JOBS = 3
POLL_S = 0.1
LIVE_NUMBER = 0
#: The number of what is no job of the plan.
PREPARATION = -1
#: Less than the supervisor gives us; a script ends its run first, which takes seconds on a busy machine.
STOP_S = 4.0


@click.command("demo-conductor", hidden=True)
def command() -> None:
    """Train everything of the plan. RUNICORN_DIR says where the runs are written."""
    # SystemExit, so that the scripts are told and their runs say "interrupted"
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    running = dict[int, subprocess.Popen[bytes]]()
    try:
        _prepare(running)
        _train_all(running)
    finally:
        _stop(list(running.values()))


def _prepare(running: dict[int, subprocess.Popen[bytes]]) -> None:
    """Make the datasets; without them there is nothing to train. Raises SystemExit with the script's exit code."""
    click.echo("Making two datasets.")
    running[PREPARATION] = process = _start("demo-prepare")
    code = process.wait()
    del running[PREPARATION]
    if code != 0:
        click.echo(f"Making the datasets ended with exit code {code}.", err=True)
        sys.exit(code)


def _train_all(running: dict[int, subprocess.Popen[bytes]]) -> None:
    """Start one job after another, and note in ``running`` which are under way."""
    click.echo(f"Training {len(JOBS)} small models.")
    waiting = list(range(len(JOBS)))
    while waiting or running:
        while waiting and len(running) <= PARALLEL_JOBS:
            number = waiting.pop(0)
            running[number] = _start("demo-train", str(number))
        for number, process in list(running.items()):
            if process.poll() is not None:
                del running[number]
                _report(number, process.returncode)
                if not waiting and list(running) == [LIVE_NUMBER]:
                    click.echo("The short ones are done; one goes on training for some minutes.")
        time.sleep(POLL_S)
    click.echo("All models are trained. Ctrl-C stops the viewer.")


def _stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + STOP_S
    for process in processes:
        with suppress(subprocess.TimeoutExpired):
            process.wait(max(0.0, deadline - time.monotonic()))


def _start(*arguments: str) -> subprocess.Popen[bytes]:
    # A process that ends this one ends them too: their standard input is our pipe.
    # One thread each: a small matrix is not worth several, and there are several scripts.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, str(CHILD_SCRIPT), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,  # the viewer shows what they print
        stderr=subprocess.DEVNULL,
        env=environment,
    )


def _report(number: int, code: int) -> None:
    """Say so if a script ended otherwise than planned."""
    job = JOBS[number]
    if (code != 0) != job.fails:
        with suppress(OSError):  # nobody may be reading any more
            click.echo(f"The training of {job.dataset}/{job.experiment} ended with exit code {code}.", err=True)
