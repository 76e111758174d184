"""A run's life: start, log, finish. The files it writes are described in docs/design/0002-run-directories.md."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import partial
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any

from runicorn import active
from runicorn.best_metric import BestMetric
from runicorn.config import console_capture_enabled, resolve_storage_root, strict_mode
from runicorn.console import capture_for, release
from runicorn.environment_thread import capture_in_background
from runicorn.errors import InvalidInput, RunicornError
from runicorn.exits import exit_hooks
from runicorn.guard import Guard
from runicorn.heartbeat import Heartbeat
from runicorn.log_file import LogFile
from runicorn.run_config import RunConfig, as_parameters, plain_config
from runicorn.run_directory import open_run, set_ended, set_running
from runicorn.run_request import check_request
from runicorn.run_summary import merge_summary, read_summary
from runicorn.storage import layout
from runicorn.storage.append import AppendFile
from runicorn.storage.documents import touch_runs_folder, write_document
from runicorn.storage.events import (
    ALERT,
    ALERT_LEVELS,
    ATTEMPT,
    IMAGE,
    METRICS,
    STEP_MAX,
    STEP_MIN,
    encode_event,
    metric_points,
)
from runicorn.storage.layout import RunStatus

TYPE_CHECKING = False
if TYPE_CHECKING:
    from runicorn.artifacts import Artifact, ArtifactMetadata, ArtifactStorage, ArtifactType

END_STATUSES = (RunStatus.FINISHED.value, RunStatus.FAILED.value, RunStatus.INTERRUPTED.value)
_BEST_VALUE_KEYS = ("best_metric_value", "best_metric_step")

_time = time.time


class Run:
    """One execution of a script, and its directory. The parameters are those of ``runicorn.init``.

    May be used by several threads, and by forked children. Logging does not raise into the training, whatever is
    logged and whatever the disk does: losses are warned about once per kind, counted, and reported by ``finish``.
    As a context manager it ends ``failed`` if the block raises and ``interrupted`` on Ctrl-C.
    """

    def __init__(
        self,
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
    ) -> None:
        capture_console = console and console_capture_enabled()
        self._guard = Guard(strict=strict_mode())
        parameters = as_parameters(config)
        self.storage_root: Path = resolve_storage_root(None if storage is None else os.fspath(storage))
        request = check_request(
            root=self.storage_root,
            project=project,
            name=name,
            run_id=run_id,
            resume=resume,
            tags=tags,
            notes=notes,
            group=group,
            config=plain_config(parameters),
        )
        opened = open_run(request, now=_time())
        self.run_dir: Path = opened.run_dir
        self.id: str = opened.run_dir.name
        self.project: str = opened.project
        self.name: str = opened.name
        self.config = RunConfig({**opened.config, **parameters}, save=self._save_config)
        self.joined: bool = opened.joined
        self._pid = os.getpid()
        self._finished = False
        self._steps = count(opened.first_step + 1)
        self._best: BestMetric | None = None
        self._events_path = self.run_dir / opened.events_name
        self._append = AppendFile(self._events_path, self._lost_record).append
        self._logs = LogFile(self.run_dir / opened.logs_name, lost=self._lost_text)
        self._heartbeat = Heartbeat(
            self.run_dir,
            attempt=opened.attempt,
            leads=not opened.joined,
            guard=self._guard,
            took_over=lambda: set_running(self.run_dir, at=_time()),
        )
        if opened.resumed:
            self._begin_attempt(opened.attempt, opened.first_step)
        self._heartbeat.start()
        exit_hooks.watch(self)
        if capture_env and not opened.joined:
            exit_hooks.await_at_exit(capture_in_background(self.run_dir, guard=self._guard))
        capture_for(self, self._logs.append if capture_console else None, failed=self._guard.report_bug)

    @property
    def runs_dir(self) -> Path:
        return self.run_dir.parent

    @property
    def experiment_dir(self) -> Path:
        return self.runs_dir.parent

    @property
    def project_dir(self) -> Path:
        return self.experiment_dir.parent

    @property
    def media_dir(self) -> Path:
        return self.run_dir / layout.MEDIA_DIR

    def __repr__(self) -> str:
        return f"<Run {self.project}/{self.name}/{self.id}>"

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.finish(_status_after(error).value)

    def log(
        self, data: Mapping[str, Any] | None = None, *, step: Any = None, stage: Any = None, **metrics: Any
    ) -> None:
        """Store one record of metrics: numbers of Python, numpy or torch, or any other JSON value.

        data: a dict of metrics, to which keyword arguments are added.
        step: signed 64-bit integer; without it the one before plus 1 (the first is 1). stage: a word such as
        ``"train"``. Keys ``step``, ``global_step`` and ``time`` among the metrics are ignored. On return the record
        is with the operating system: it survives the death of this process. Raises RuntimeError after ``finish``.
        """
        now = _time()
        if self._finished:
            raise self._is_finished()
        try:
            number = next(self._steps) if step is None else self._set_step(step)
            if data is None:
                record = {"global_step": number, "time": now, **metrics}
            else:
                record = {"global_step": number, "time": now, **data, **metrics}
            record["global_step"] = number
            record["time"] = now
            if "step" in record:
                del record["step"]
            if stage is not None:
                record["stage"] = stage
            self._append(encode_event({"ts": now, "type": METRICS, "data": record}, self._dropped))
            if self._best is not None and self._best.name in record:
                self._best.see(record[self._best.name], number)
        except Exception as error:  # noqa: BLE001 - the guard of the training
            self._report_failed_log(data, error)

    def log_text(self, text: object) -> None:
        """Append a line to the run's log: the time of day, then ``text``. Raises RuntimeError after ``finish``."""
        if self._finished:
            raise self._is_finished()
        try:
            self._logs.append(str(text))
        except Exception as error:  # noqa: BLE001 - the guard of the training
            self._guard.report_bug(error)

    def alert(self, title: object, text: object = "", level: str = "info") -> None:
        """Note that something happened which people should see: on the run's page, and among the newest of all runs.

        level: ``info``, ``warning`` or ``error``; another one is warned about once and counts as ``info``. On return
        the alert is with the operating system, as a record of ``log`` is. Raises RuntimeError after ``finish``.
        """
        if self._finished:
            raise self._is_finished()
        now = _time()
        try:
            if level not in ALERT_LEVELS:
                expected = ", ".join(ALERT_LEVELS)
                self._guard.report("alert levels", f"level={level!r} is none of {expected}; the alert counts as info.")
                level = "info"
            data = {"title": str(title), "text": str(text), "level": level}
            self._append(encode_event({"ts": now, "type": ALERT, "data": data}, self._dropped))
        except Exception as error:  # noqa: BLE001 - the guard of the training
            self._guard.report_bug(error)

    def log_image(
        self,
        key: str,
        image: Any,
        step: int | None = None,
        caption: str | None = None,
        format: str = "png",
        quality: int = 90,
    ) -> str:
        """Store an image; returns its path relative to the run directory, "" if it could not be stored.

        image: PIL image; array of shape (H, W), (H, W, C) or (C, H, W), floats in 0-1 or 0-255; the bytes of an
        image file; or its path. step: recorded as given. quality: 1-100, for lossy formats.
        Raises FileNotFoundError for a path that does not exist, and RuntimeError after ``finish`` or if Pillow,
        which PIL images and arrays need, is missing.
        """
        if self._finished:
            raise self._is_finished()
        from runicorn.media import encode_image, media_name, write_media  # not at the top: few runs log images

        now = _time()
        try:
            content, extension = encode_image(image, format=format, quality=quality)
        except (FileNotFoundError, RuntimeError):
            raise
        except Exception as error:  # noqa: BLE001 - the guard of the training; encoders raise many kinds
            self._guard.report("images", f"The image {key!r} cannot be stored: {error}", error)
            return ""
        name = media_name(str(key), extension, now=now)
        data = {"key": str(key), "path": name, "step": step, "caption": caption}
        try:
            write_media(self.run_dir, name, content)
            self._append(encode_event({"ts": now, "type": IMAGE, "data": data}, self._dropped))
        except OSError as error:
            self._guard.report("images", f"The image {key!r} cannot be stored: {error}", error)
            return ""
        return name

    @property
    def artifact_storage(self) -> ArtifactStorage:
        """The artifacts of the storage root."""
        from runicorn.artifacts import get_artifact_storage  # not at the top: many runs have no artifacts

        return get_artifact_storage(self.storage_root)

    def log_artifact(self, artifact: Artifact, *, skip_unchanged: bool = False) -> int:
        """Store an artifact's files as its next version, and that this run made it; returns the number.

        ``artifact`` is that version afterwards. skip_unchanged: if the latest version has the same files and
        references, return its number, and store nothing.

        Unlike the other calls this one raises, for nobody should believe that a model is stored that is not:
        InvalidInput (a ValueError) if nothing is staged, VersionNotStored (a RuntimeError) if the disk refuses,
        Conflict if the artifact is locked for a minute, RuntimeError after ``finish``. No part of a version stays.
        """
        if self._finished:
            raise self._is_finished()
        from runicorn.artifacts.run_records import record_created

        version = self.artifact_storage.save_artifact(
            artifact,
            self.id,
            artifact.staged_files(),
            artifact.staged_references(),
            skip_unchanged=skip_unchanged,
        )
        self._record_artifact(record_created, artifact)
        return version

    def use_artifact(self, spec: str, type: str | ArtifactType | None = None) -> Artifact:
        """The version that ``name:v3``, ``name:3``, ``name:latest`` or ``name:<alias>`` names; this run used it.

        type: search only this type; without it types are searched in the order model, dataset, config, code, custom.
        Raises InvalidInput (a ValueError) for another form, ArtifactNotFound and VersionNotFound (both
        FileNotFoundErrors), AliasNotFound (a ValueError), RuntimeError after ``finish``.
        """
        if self._finished:
            raise self._is_finished()
        from runicorn.artifacts.names import parse_spec
        from runicorn.artifacts.run_records import record_used

        artifact = self.artifact_storage.open_artifact(*parse_spec(spec), type)
        self._record_artifact(partial(record_used, at=_time()), artifact)
        return artifact

    def _record_artifact(self, record: Callable[[Path, ArtifactMetadata], None], artifact: Artifact) -> None:
        """Write into the run which version it made or used; that the version is there does not depend on it."""
        metadata = artifact.get_metadata()
        assert metadata is not None
        try:
            record(self.run_dir, metadata)
        except (OSError, RunicornError) as error:
            self._guard.report("artifact records", f"{artifact.full_name} is not in the run's record: {error}", error)

    def summary(self, update: Any) -> None:
        """Merge the dict ``update`` into summary.json; later values win. Raises RuntimeError after ``finish``."""
        if self._finished:
            raise self._is_finished()
        self._merge_summary(update)

    def set_primary_metric(self, metric_name: str, mode: str = "max") -> None:
        """Keep the best value of a metric from now on: the largest (``max``) or the smallest (``min``).

        NaN and infinities do not count. Calling it again starts anew.
        Raises InvalidInput (a ValueError) for another mode, RuntimeError after ``finish``.
        """
        if self._finished:
            raise self._is_finished()
        self._best = BestMetric(metric_name, mode)
        self._merge_summary(self._best.summary(), without=_BEST_VALUE_KEYS)

    def finish(self, status: str = "finished") -> None:
        """End the run: writes the best value, the status and the end time. A second call does nothing.

        status: ``finished``, ``failed`` or ``interrupted``. In a forked child, and where another process leads the
        run, only this process's part ends. Raises InvalidInput (a ValueError) for another status.
        """
        if status not in END_STATUSES:
            raise InvalidInput(f"A run cannot end as {status!r}; choose one of {', '.join(END_STATUSES)}.")
        if self._finished:
            return
        active.deactivate(self)
        release(self)
        if os.getpid() == self._pid:
            self._heartbeat.stop()
            self._write_end(RunStatus(status))
        self._finished = True
        # lets go of the descriptors; a thread that is just logging still gets its record in
        self._append = self._append_late
        self._logs = LogFile(self._logs.path, lost=self._lost_text)
        exit_hooks.unwatch(self)
        self._guard.report_total(self.id)

    def hand_over(self) -> None:
        """Leave the run's end to another object of this process that resumed it (a notebook's cell run again)."""
        self._heartbeat.stop()
        exit_hooks.unwatch(self)

    def event_bytes(self) -> int:
        """The size of the file of events this process writes."""
        try:
            return self._events_path.stat().st_size
        except FileNotFoundError:
            return 0

    def _begin_attempt(self, attempt: int, step: int) -> None:
        """Mark in the events that a resumed run goes on, and take over the best value it had."""
        now = _time()
        self._append(
            encode_event({"ts": now, "type": ATTEMPT, "data": {"attempt": attempt, "step": step}}, self._dropped)
        )
        try:
            summary = read_summary(self.run_dir)
            best = BestMetric(summary.get("best_metric_name", ""), summary.get("best_metric_mode", "max"))
            for earlier_step, value in metric_points(self.run_dir, best.name):
                best.see(value, earlier_step)
            self._best = best
        except InvalidInput:
            return  # no primary metric was set before
        except (OSError, RunicornError) as error:
            self._guard.report("best values", f"The best value so far of run {self.id} is unknown: {error}", error)

    def _set_step(self, step: Any) -> int:
        """The step of a record that names one; the next automatic one comes after it."""
        number = step
        if type(step) is not int:
            try:
                number = int(step)
            except (TypeError, ValueError, OverflowError, RuntimeError):
                number = None
        if number is None or not STEP_MIN <= number <= STEP_MAX:
            self._guard.report("steps", f"step={step!r} is no 64-bit integer; the record got the next step.")
            return next(self._steps)
        self._steps = count(number + 1) if number < STEP_MAX else count(STEP_MAX, 0)
        return int(number)

    def _report_failed_log(self, data: object, error: Exception) -> None:
        if data is None or isinstance(data, Mapping):
            self._guard.report_bug(error)
        else:
            self._guard.report("records", f"log() takes a dict of metrics, not {data!r}.")

    def _write_end(self, status: RunStatus) -> None:
        """Write summary and status, unless another living process leads the run."""
        try:
            if not self._heartbeat.leads:
                self._heartbeat.beat()  # the leader may have died in the meantime
            if self._heartbeat.leads:
                if self._best is not None:
                    self._merge_summary(self._best.summary())
                set_ended(self.run_dir, status, at=_time())
            touch_runs_folder(self.run_dir)
        except OSError as error:
            message = f"The end of run {self.id} cannot be written to {self.run_dir}: {error.strerror}."
            self._guard.report("end states", message, error)

    def _merge_summary(self, update: Any, *, without: tuple[str, ...] = ()) -> None:
        if not isinstance(update, Mapping):
            self._guard.report("summaries", f"summary() takes a dict, not {update!r}.")
            return
        try:
            merge_summary(self.run_dir, update, without=without, dropped=self._dropped)
        except (OSError, RunicornError) as error:
            self._guard.report("summaries", f"{self.run_dir / layout.SUMMARY} cannot be written: {error}", error)

    def _save_config(self, config: dict[str, Any]) -> None:
        try:
            write_document(self.run_dir / layout.CONFIG, config)
        except OSError as error:
            self._guard.report("configs", f"{self.run_dir / layout.CONFIG} cannot be written: {error}", error)
        touch_runs_folder(self.run_dir)

    def _append_late(self, line: bytes) -> bool:
        return AppendFile(self._events_path, self._lost_record).append(line)

    def _dropped(self, key: str, kind: str) -> None:
        self._guard.report("values", f"The value of {key!r} was left out: JSON cannot hold {kind}.")

    def _lost_record(self, error: OSError) -> None:
        self._guard.report("records", f"{self._events_path} cannot be written: {error.strerror}.", error)

    def _lost_text(self, error: OSError) -> None:
        self._guard.report("log lines", f"{self._logs.path} cannot be written: {error.strerror}.", error)

    def _is_finished(self) -> RuntimeError:
        return RuntimeError(f"Run {self.id} is finished; call runicorn.init() to start another or resume it.")


def _status_after(error: BaseException | None) -> RunStatus:
    """How a run ends whose block was left by ``error``."""
    if error is None or isinstance(error, GeneratorExit):
        return RunStatus.FINISHED
    if isinstance(error, SystemExit):
        return RunStatus.FINISHED if error.code in (None, 0) else RunStatus.FAILED
    return RunStatus.INTERRUPTED if isinstance(error, KeyboardInterrupt) else RunStatus.FAILED
