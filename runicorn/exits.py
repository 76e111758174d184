"""How runs end that nobody finishes: at the end of the process, by an exception, by Ctrl-C, by SIGTERM.

Hooks are set while a run is open and taken back afterwards. A hook that somebody else set later keeps calling ours,
which then only passes on.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from runicorn.guard import warn
from runicorn.storage.layout import RunStatus

if TYPE_CHECKING:
    from runicorn.run import Run

#: How long the end of the process waits for the environments that are still being captured.
CAPTURE_WAIT_S = 5.0


class ExitHooks:
    """The open runs of this process and the hooks that close them. One instance a process: ``exit_hooks``."""

    def __init__(self) -> None:
        self._open: dict[int, Run] = {}
        self._captures: list[threading.Thread] = []
        self._outcome = RunStatus.FINISHED
        self._exit_marks: dict[int, int] = {}
        self._previous_excepthook: Callable[..., Any] = sys.excepthook
        self._previous_exit: Callable[..., NoReturn] = sys.exit
        self._installed = False
        self._forking = threading.local()
        atexit.register(self.close_at_exit)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self._hold_sigterm, after_in_parent=self._release_sigterm, after_in_child=self._forget
            )

    def watch(self, run: Run) -> None:
        """Close ``run`` when the process ends, and no longer an earlier object for the same directory."""
        for earlier in list(self._open.values()):
            if earlier.run_dir == run.run_dir and not run.joined:
                earlier.hand_over()
        self._open[id(run)] = run
        if not self._installed:
            self._install()

    def unwatch(self, run: Run) -> None:
        """``run`` is finished."""
        self._open.pop(id(run), None)
        if not self._open and self._installed:
            self._uninstall()

    def await_at_exit(self, capture: threading.Thread) -> None:
        """Give a capture some time to end when the process ends first."""
        self._captures = [thread for thread in self._captures if thread.is_alive()] + [capture]

    def close_at_exit(self) -> None:
        """The process ends in good order, or by an exception that the hook has seen."""
        went_on = any(run.event_bytes() != self._exit_marks.get(id(run)) for run in self._open.values())
        if self._exit_marks and went_on:
            self._outcome = RunStatus.FINISHED  # somebody caught the SystemExit, and the run went on
        self._close(self._outcome)
        deadline = time.monotonic() + CAPTURE_WAIT_S
        for capture in self._captures:
            capture.join(max(0.0, deadline - time.monotonic()))

    def _close(self, status: RunStatus) -> None:
        for run in list(self._open.values()):
            try:
                run.finish(status.value)
            except Exception as error:  # noqa: BLE001 - the others are to be closed all the same
                warn("Run %s could not be closed.", run.id, error=error)

    def _forget(self) -> None:
        """In a forked child: the runs are its parent's to close, and its end is the system's business again."""
        self._open = {}
        self._captures = []
        if self._installed:
            self._uninstall()
        self._release_sigterm()

    def _hold_sigterm(self) -> None:
        """Before a fork: a SIGTERM that reaches the child before it has ``_forget`` run waits until then.

        Our handler would take it, and Python forgets on fork what a handler was to do: ``multiprocessing.Pool`` ends
        its workers by SIGTERM, also those that have just been forked, and would wait for one of them for ever.
        """
        if signal.getsignal(signal.SIGTERM) == self._on_sigterm:
            self._forking.mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def _release_sigterm(self) -> None:
        """After a fork, on both sides, in the thread that forked."""
        mask = self._forking.__dict__.pop("mask", None)
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _install(self) -> None:
        self._outcome = RunStatus.FINISHED
        self._exit_marks = {}
        self._previous_excepthook, sys.excepthook = sys.excepthook, self._on_exception
        self._previous_exit, sys.exit = sys.exit, self._on_exit
        if threading.current_thread() is threading.main_thread() and _handles_sigterm_by_default():
            signal.signal(signal.SIGTERM, self._on_sigterm)
        self._installed = True

    def _uninstall(self) -> None:
        if sys.excepthook == self._on_exception:
            sys.excepthook = self._previous_excepthook
        if sys.exit == self._on_exit:
            sys.exit = self._previous_exit
        in_main_thread = threading.current_thread() is threading.main_thread()
        if in_main_thread and signal.getsignal(signal.SIGTERM) == self._on_sigterm:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self._installed = False

    def _on_exception(self, kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        if not hasattr(sys, "ps1"):  # at an interactive prompt an error ends nothing
            self._exit_marks = {}
            interrupted = issubclass(kind, KeyboardInterrupt)
            self._outcome = RunStatus.INTERRUPTED if interrupted else RunStatus.FAILED
        self._previous_excepthook(kind, error, traceback)

    def _on_exit(self, status: Any = None, /) -> NoReturn:
        """``sys.exit`` with an error ends the run as failed. No hook of Python's sees it, hence the wrapper."""
        if threading.current_thread() is threading.main_thread() and status not in (None, 0):
            self._outcome = RunStatus.FAILED
            self._exit_marks = {key: run.event_bytes() for key, run in self._open.items()}
        self._previous_exit(status)

    def _on_sigterm(self, number: int, frame: FrameType | None) -> None:
        self._close(RunStatus.INTERRUPTED)
        # die of the signal after all: whoever sent it looks at how the process ended
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)


def _handles_sigterm_by_default() -> bool:
    return signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


exit_hooks = ExitHooks()
