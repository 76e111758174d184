"""Following the logs of runs: one reader a run, shared by all who follow it, each with a place of its own.

A follower pulls: it is woken when there is more and takes the next chunk behind its own place, mostly one that the
reader has just read, else from the file. So a slow one holds up nobody, and nobody misses or repeats a line.
Lives on the event loop; files are read in threads of its own. Rules: docs/design/0006-live.md.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from runicorn.errors import RunicornError, UnreadableDocument
from runicorn.storage import layout, log_text
from runicorn.storage.documents import read_document
from runicorn.storage.log_text import Chunk, LogState

logger = logging.getLogger(__name__)

#: How often the file of a running run is looked at, and that of any other.
RUNNING_INTERVAL_S = 0.1
IDLE_INTERVAL_S = 2.0
#: How often new files and the run's status are looked for.
DISCOVERY_INTERVAL_S = 2.0
#: What the reader keeps for followers that are a little behind; others read the file themselves.
CACHE_CHUNKS = 16

Result = TypeVar("Result")
# Apart from the requests' threads: a hanging network disk must not stop pages.
_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="logs")


@dataclass
class _LogFile:
    """One log file as its reader last saw it. Changed on the event loop only."""

    state: LogState
    recent: dict[int, Chunk] = field(default_factory=dict)

    def advance(self, state: LogState, chunk: Chunk | None) -> bool:
        """Take over what a look found; whether followers have something to do."""
        changed = state.generation != self.state.generation or state.end != self.state.end
        if state.generation != self.state.generation:
            self.recent.clear()
        self.state = state
        if chunk is not None:
            self.recent[chunk.start] = chunk
            if len(self.recent) > CACHE_CHUNKS:
                del self.recent[next(iter(self.recent))]
        return changed


class RunLog:
    """The log files of one run directory and those who follow them."""

    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        self.files: dict[str, _LogFile] = {}
        #: Why the log cannot be read (a link that leads out of the root, a FIFO); followers are told and let go.
        self.problem: str | None = None
        self._is_running = False
        self._wakers: set[asyncio.Event] = set()
        self._first_look = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def followed(self) -> AsyncIterator[Follower]:
        """A follower whose first place is the end of what is there now. The last to leave stops the reader."""
        waker = asyncio.Event()
        self._wakers.add(waker)
        if self._task is None:
            self._task = asyncio.create_task(self._read())
        try:
            await self._first_look.wait()
            yield Follower(self, waker)
        finally:
            self._wakers.discard(waker)
            if not self._wakers and self._task is not None:
                self._task.cancel()
                self._task = None
                self._first_look.clear()
                self.files.clear()
                _followed.pop(self.run_dir, None)

    async def _read(self) -> None:
        discovered_at = float("-inf")
        while self.problem is None:
            clock = time.monotonic()
            try:
                if clock - discovered_at >= DISCOVERY_INTERVAL_S:
                    discovered_at = clock
                    await self._discover()
                has_more = await self._look(clock)
            except (OSError, RunicornError) as error:
                has_more = self._give_up(str(error))
            except Exception:
                logger.exception("The log of %s is no longer followed, because of a bug.", self.run_dir)
                has_more = self._give_up("The log cannot be followed; the viewer's own log says why.")
            self._first_look.set()
            if not has_more:
                await asyncio.sleep(RUNNING_INTERVAL_S if self._is_running else IDLE_INTERVAL_S)

    def _give_up(self, reason: str) -> bool:
        self.problem = reason
        self._wake()
        return False

    async def _discover(self) -> None:
        names, self._is_running = await in_thread(_names_and_status, self.run_dir)
        for name in names:
            if name not in self.files:
                # a file that appears while we watch is new from its first byte on
                known = LogState() if self._first_look.is_set() else await in_thread(_end_or_start, self.run_dir, name)
                self.files[name] = _LogFile(known)
                self._wake()

    async def _look(self, clock: float) -> bool:
        """Read on in every file; whether some had more than one chunk."""
        looks = await in_thread(_look, self.run_dir, {name: file.state for name, file in self.files.items()}, clock)
        has_more = False
        for name, (state, chunk) in looks.items():
            if self.files[name].advance(state, chunk):
                self._wake()
            has_more = has_more or chunk is not None
        return has_more

    def _wake(self) -> None:
        for waker in self._wakers:
            waker.set()


class Follower:
    """One listener's place in the log files of a run, and up to where they are read."""

    def __init__(self, log: RunLog, waker: asyncio.Event) -> None:
        self._log = log
        self._waker = waker
        self._places = {name: (file.state.generation, file.state.end) for name, file in log.files.items()}

    @property
    def has_files(self) -> bool:
        return bool(self._log.files)

    @property
    def problem(self) -> str | None:
        return self._log.problem

    async def replay(self, count: int) -> tuple[list[str], bool]:
        """The last ``count`` lines of what was there when we came, file by file, and whether there were more."""
        lines: list[str] = []
        is_cut = False
        for name, (_, end) in self._places.items():
            chunk, more = await in_thread(_last_lines, self._log.run_dir, name, end, count)
            lines += chunk.lines
            is_cut = is_cut or more
        return lines[len(lines) - count :] if len(lines) > count else lines, is_cut or len(lines) > count

    @property
    def ends(self) -> dict[str, tuple[str, int]]:
        """Up to where each file is read: which file it is (a new name if it was written anew), and the offset."""
        return {
            name: (_token(file.state), file.state.end)
            for name, file in self._log.files.items()
            if file.state.identity != LogState().identity
        }

    async def change(self) -> None:
        """Return when a file has grown, was written anew or appeared, or when the log has become unreadable."""
        await self._waker.wait()
        self._waker.clear()

    async def next_lines(self) -> list[str]:
        """The next lines of any file, as soon as there are some; an empty list if the log has become unreadable.

        Lines of one file come in order and each once. Those of several files come as they are found.
        """
        while True:
            self._waker.clear()
            for name, file in list(self._log.files.items()):
                lines = await self._advance(name, file)
                if lines:
                    return lines
            if self.problem is not None:
                return []
            await self._waker.wait()

    async def _advance(self, name: str, file: _LogFile) -> list[str]:
        generation, offset = self._places.get(name, (file.state.generation, 0))
        if generation != file.state.generation:  # the file was written anew
            generation, offset = file.state.generation, 0
        while offset < file.state.end and generation == file.state.generation:
            chunk = file.recent.get(offset)
            if chunk is None:
                chunk = await in_thread(_between, self._log.run_dir, name, file.state, offset)
            if chunk is None:
                break  # replaced meanwhile: the reader is about to notice
            offset = chunk.end
            self._places[name] = generation, offset
            if chunk.lines:
                return chunk.lines
        self._places[name] = generation, offset
        return []


_followed: dict[Path, RunLog] = {}


def run_log(run_dir: Path) -> RunLog:
    """The one RunLog of a directory in this process; made when the first follower comes."""
    return _followed.setdefault(run_dir, RunLog(run_dir))


async def in_thread(function: Callable[..., Result], *arguments: object) -> Result:
    """Run blocking file work in the threads for logs."""
    return await asyncio.get_running_loop().run_in_executor(_threads, function, *arguments)


def _token(state: LogState) -> str:
    return "{:x}-{:x}-{}".format(*state.identity, state.generation)


def _names_and_status(run_dir: Path) -> tuple[list[str], bool]:
    # the file and not the index: it is the truth, and costs no database connection a thread
    try:
        status = (read_document(run_dir, layout.STATUS) or {}).get("status")
    except UnreadableDocument:
        status = None
    return log_text.log_files(run_dir), status == layout.RunStatus.RUNNING


def _end_or_start(run_dir: Path, name: str) -> LogState:
    try:
        return log_text.state_at_end(run_dir, name)
    except FileNotFoundError:
        return LogState()


def _look(run_dir: Path, states: dict[str, LogState], clock: float) -> dict[str, tuple[LogState, Chunk | None]]:
    """Those files that changed, with the chunk that was read of each. A file that was removed stays as it was."""
    changed = {}
    for name, state in states.items():
        try:
            status = (run_dir / name).stat()
            if (status.st_size, status.st_mtime_ns) != (state.end, state.modified_ns):
                changed[name] = log_text.read_on(run_dir, name, state, clock=clock)
        except FileNotFoundError:
            continue
    return changed


def _between(run_dir: Path, name: str, state: LogState, start: int) -> Chunk | None:
    try:
        return log_text.read_between(run_dir, name, state.identity, start=start, end=state.end)
    except FileNotFoundError:
        return None


def _last_lines(run_dir: Path, name: str, end: int, count: int) -> tuple[Chunk, bool]:
    try:
        return log_text.last_lines(run_dir, name, end=end, count=count)
    except FileNotFoundError:
        return Chunk(0, 0, []), False
