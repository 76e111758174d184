"""What a script prints, copied to its run's log.

The ``write`` of ``sys.stdout`` and ``sys.stderr`` is wrapped: the original is called first and what it returns or
raises is the caller's; what goes wrong in the copy is swallowed and counted. Descriptors are left alone, so output
of C code and of child processes is not seen.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import Any

#: Text without a line's end that is kept back at most; more becomes a line.
PENDING_MAX_CHARS = 64 * 1024

#: In the thread that is copying a print just now: what is printed then is a warning of ours.
_copying = threading.local()


class LineAssembler:
    """Makes whole lines of pieces of text, and of a progress bar that redraws itself its last state."""

    def __init__(self, emit: Callable[[str], None]) -> None:
        self._emit = emit
        self._pending = ""

    def feed(self, text: str) -> None:
        if "\n" not in text:  # most of what print() writes: its arguments and blanks one by one
            self._keep(self._pending + text)
            return
        *lines, rest = (self._pending + text).split("\n")
        self._pending = ""
        for line in lines:
            self._emit_line(line)
        self._keep(rest)

    def flush(self) -> None:
        """Emit the line that has no end yet, if there is one."""
        line, self._pending = self._pending, ""
        if line.strip():
            self._emit_line(line)

    def _keep(self, pending: str) -> None:
        # the leading return remembers that this line was redrawn
        self._pending = "\r" + last_state(pending) if "\r" in pending else pending
        if len(self._pending) > PENDING_MAX_CHARS:
            self.flush()

    def _emit_line(self, line: str) -> None:
        if "\r" in line:
            line = last_state(line).rstrip()
            if not line:
                return  # a bar that erased itself
        self._emit(line)


def last_state(text: str) -> str:
    """What a terminal line shows after ``text`` with carriage returns; a trailing one is kept for what follows."""
    ended = text.endswith("\r")
    shown = next((piece for piece in reversed(text.split("\r")) if piece), "")
    return shown + "\r" if ended and shown else shown


class _Stream:
    """One wrapped stream."""

    def __init__(self, stream: Any, emit: Callable[[str], None], failed: Callable[[Exception], None]) -> None:
        self._stream = stream
        self._previous = stream.__dict__.get("write")  # somebody else's wrapper of the same kind
        self._original = stream.write
        self._emit = emit
        self._failed = failed
        self._lines = LineAssembler(self._emit_line)
        self._lock = threading.RLock()
        self._active = True
        stream.write = self.write

    def write(self, text: str, /) -> Any:
        result = self._original(text)
        if self._active:
            with self._lock:
                try:
                    self._lines.feed(text)
                except Exception as error:  # noqa: BLE001 - the script's print must not fail by our mistake
                    self._failed(error)
        return result

    def restore(self) -> None:
        """Stop copying. Somebody who wrapped the stream after us keeps a write that only passes on."""
        if self._active:
            with self._lock:
                self._lines.flush()
        self.deactivate()
        if self._stream.__dict__.get("write") != self.write:
            return
        if self._previous is None:
            del self._stream.write
        else:
            self._stream.write = self._previous

    def deactivate(self) -> None:
        """Copy nothing more. Takes no lock: in a forked child another thread may hold it for ever."""
        self._active = False

    def _emit_line(self, line: str) -> None:
        if getattr(_copying, "now", False):
            return
        _copying.now = True
        try:
            self._emit(line)
        except Exception as error:  # noqa: BLE001 - the script's print must not fail by our mistake
            self._failed(error)
        finally:
            _copying.now = False


class ConsoleCapture:
    """Copies both streams, line by line, until ``stop``.

    emit: given each whole line, from whichever thread prints. failed: told what went wrong in the copying.
    """

    def __init__(self, emit: Callable[[str], None], *, failed: Callable[[Exception], None]) -> None:
        self._streams = []
        for stream in {id(stream): stream for stream in (sys.stdout, sys.stderr)}.values():
            # a stream made in C or with slots takes no new write, and pythonw has no streams at all
            if hasattr(stream, "write") and hasattr(stream, "__dict__"):
                self._streams.append(_Stream(stream, emit, failed))

    def stop(self) -> None:
        for stream in self._streams:
            stream.restore()
        self._streams = []

    def deactivate(self) -> None:
        """In a forked child: what it prints is not its parent's output."""
        for stream in self._streams:
            stream.deactivate()


_owner: object = None
_capture: ConsoleCapture | None = None


def _deactivate_in_child() -> None:
    if _capture is not None:
        _capture.deactivate()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_deactivate_in_child)


def capture_for(owner: object, emit: Callable[[str], None] | None, *, failed: Callable[[Exception], None]) -> None:
    """Let ``owner`` have the console from now on; whoever had it before gets nothing more. emit: None for silence."""
    global _owner, _capture
    release(_owner)
    _owner = owner
    _capture = None if emit is None else ConsoleCapture(emit, failed=failed)


def release(owner: object) -> None:
    """Stop capturing, if ``owner`` has the console."""
    global _owner, _capture
    if owner is not _owner:
        return
    capture, _owner, _capture = _capture, None, None
    if capture is not None:
        capture.stop()
