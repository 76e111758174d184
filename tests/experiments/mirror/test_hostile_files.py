"""Torn, broken, hostile and huge files: each becomes a problem that names it, and changes nothing else."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from experiments.mirror.loop import mirror_once
from experiments.mirror.runs import RunsMirror
from experiments.models import Media, MetricKey, MetricSeries, Problem, Run, StorageRoot
from runicorn.storage import json_text
from runicorn.storage.documents import MAX_DOCUMENT_BYTES
from tests.experiments.mirror.conftest import NOW
from tests.run_directories import RUN_ID, log_records, write_run

pytestmark = pytest.mark.django_db(databases=["index"])

GOOD_LINE = '{"ts": 1.0, "type": "metrics", "data": {"global_step": 7, "time": 1.0, "loss": 0.5}}\n'

#: What is in a document, and what its problem says.
BROKEN_DOCUMENTS = {
    "empty": (b"", "not valid JSON"),
    "torn": (b'{"status": "runn', "not valid JSON"),
    "binary": (bytes(range(256)), "not valid JSON"),
    "a list": (b"[1, 2]", "holds no JSON object"),
    "deep": (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "not valid JSON"),
    "deeper than we write": (b'{"a":' * 300 + b"1" + b"}" * 300, "nested deeper"),
    "deeper than we can walk": (b'{"a":' * 900 + b"1" + b"}" * 900, "nested deeper"),
    "deep with a bare NaN": (b'{"x": NaN, "a":' + b"[" * 5000 + b"]" * 5000 + b"}", "nested deeper"),
    "lone surrogate": (b'{"project": "\\ud800"}', None),
    "huge integer": (b'{"created_at": ' + b"9" * 5000 + b"}", None),
    "huge": (b'{"a": "' + b"x" * MAX_DOCUMENT_BYTES + b'"}', "is larger than"),
}

#: A line of an events file, and whether it counts as unreadable.
BROKEN_LINES = {
    "not JSON": (b"loss=0.5", True),
    "binary": (b"\x00\xff\xfe\x80", True),
    "a number": (b"17", True),
    "two objects": (b'{"a": 1}, {"b": 2}', True),
    "deep": (b'{"a":' * 5000 + b"1" + b"}" * 5000, True),
    "5 MB": (b'{"ts": 1, "type": "metrics", "data": {"x": "' + b"y" * 5_000_000 + b'"}}', True),
    "an unknown type": (b'{"ts": 1, "type": "hologram", "data": {}}', False),
    "blank": (b"   ", False),
    "data that is no object": (b'{"ts": 1, "type": "metrics", "data": [1]}', False),
    "a step that is no number": (b'{"ts": 1, "type": "metrics", "data": {"global_step": "x", "loss": 1}}', False),
    "a step beyond 64 bits": (b'{"ts": 1, "type": "metrics", "data": {"global_step": 1e300, "loss": 1}}', False),
    "an integer of 400 digits": (b'{"ts":1,"type":"metrics","data":{"loss":' + b"9" * 400 + b',"x":NaN}}', False),
    "nested values": (b'{"ts": 1, "type": "metrics", "data": {"global_step": 1, "h": {"a": [1]}}}', False),
    "NUL in a name": (b'{"ts": 1, "type": "metrics", "data": {"global_step": 1, "a\\u0000b": 1}}', False),
}


@pytest.mark.parametrize("name", BROKEN_DOCUMENTS)
@pytest.mark.parametrize("document", ["meta.json", "status.json", "summary.json", "curation.json", "config.json"])
def test_a_broken_document_is_a_problem_and_its_run_and_the_others_stay(
    name: str, document: str, root_dir: Path, tick: Callable[[], None]
):
    content, reason = BROKEN_DOCUMENTS[name]
    run_dir = write_run(root_dir, records=[{"global_step": 1, "loss": 1.0}])
    (run_dir / document).write_bytes(content)
    write_run(root_dir, "vision/vit/runs/other")

    tick()

    assert {run.run_id for run in Run.objects.all()} == {RUN_ID, "other"}
    assert Run.objects.get(run_id=RUN_ID).record_count == 1
    problems = dict(Problem.objects.values_list("path", "reason"))
    if reason is not None:
        assert reason in problems.pop(f"vision/vit/runs/{RUN_ID}/{document}")
    assert (run_dir / document).read_bytes() == content


@pytest.mark.parametrize("name", BROKEN_LINES)
def test_a_broken_line_is_passed_over_and_its_neighbours_are_read(name: str, root_dir: Path, tick: Callable[[], None]):
    line, is_problem = BROKEN_LINES[name]
    run_dir = write_run(root_dir)
    (run_dir / "events.jsonl").write_bytes(GOOD_LINE.encode() + line + b"\n" + GOOD_LINE.encode())

    tick()

    loss = MetricSeries.objects.get(key__name="loss")
    assert loss.count >= 2
    assert loss.first_step == loss.last_step == 7
    assert Problem.objects.filter(path__endswith="events.jsonl").exists() is is_problem


def test_a_line_of_gigabytes_is_passed_over_in_turns_with_other_runs(
    root: StorageRoot, root_dir: Path, mirror: RunsMirror, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("experiments.mirror.events.SKIP_BYTES", 256 * 1024)
    run_dir = write_run(root_dir)
    (run_dir / "events.jsonl").write_bytes(GOOD_LINE.encode() + b"\0" * 9_000_000 + b"\n" + GOOD_LINE.encode())
    write_run(root_dir, "vision/vit/runs/other")

    assert mirror_once([mirror], root, now=NOW), "there is more"
    assert Run.objects.count() == 2
    assert MetricSeries.objects.get(key__name="loss").count == 1
    while mirror_once([mirror], root, now=NOW):
        pass

    assert MetricSeries.objects.get(key__name="loss").count == 2
    assert Problem.objects.get().reason.startswith("1 line(s)")


def test_a_problem_disappears_when_the_file_is_mended(root_dir: Path, tick: Callable[[], None]):
    run_dir = write_run(root_dir)
    (run_dir / "summary.json").write_text("{", encoding="utf-8")
    tick()
    assert Problem.objects.count() == 1

    (run_dir / "summary.json").write_text('{"acc": 0.5}', encoding="utf-8")
    tick()

    assert not Problem.objects.exists()
    assert Run.objects.get().detail.summary == {"acc": 0.5}


def test_html_in_names_is_kept_as_text(root_dir: Path, tick: Callable[[], None]):
    write_run(root_dir, "<b>p/<script>alert(1)<|script>/runs/x", summary={"<i>": "<img onerror=x>"})

    tick()

    run = Run.objects.get()
    assert (run.project, run.name) == ("<b>p", "<script>alert(1)<|script>")


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
@pytest.mark.parametrize("document", ["meta.json", "events.jsonl"])
def test_what_is_no_regular_file_inside_the_run_is_never_read(
    kind: str, document: str, root_dir: Path, tmp_path: Path, tick: Callable[[], None]
):
    outside = tmp_path / "secret"
    outside.write_text('{"project": "stolen", "type": "metrics"}\n' + GOOD_LINE, encoding="utf-8")
    run_dir = write_run(root_dir)
    target = run_dir / document
    target.unlink(missing_ok=True)
    if kind == "link":
        target.symlink_to(outside)
    elif kind == "fifo":
        os.mkfifo(target)
    else:
        target.mkdir()

    tick()

    run = Run.objects.get()
    assert (run.project, run.record_count) == ("vision", 0)
    assert Problem.objects.filter(path=f"vision/vit/runs/{RUN_ID}/{document}").exists()


def test_a_link_to_a_folder_is_not_followed_but_listed(root_dir: Path, tmp_path: Path, tick: Callable[[], None]):
    write_run(tmp_path / "elsewhere")
    (root_dir / "linked").symlink_to(tmp_path / "elsewhere" / "vision")
    (root_dir / "loop").symlink_to(root_dir)

    tick()

    assert not Run.objects.exists()
    assert set(Problem.objects.values_list("path", flat=True)) == {"linked", "loop"}


def test_two_directories_with_one_id_both_stay_and_are_a_problem(root_dir: Path, tick: Callable[[], None]):
    write_run(root_dir, f"a/x/runs/{RUN_ID}")
    write_run(root_dir, f"b/x/runs/{RUN_ID}")

    tick()

    assert list(Run.objects.order_by("path").values_list("project", flat=True)) == ["a", "b"]
    problem = Problem.objects.get()
    assert problem.path == f"b/x/runs/{RUN_ID}"
    assert f"a/x/runs/{RUN_ID}" in problem.reason


@pytest.mark.parametrize("name", ["meta.json", "summary.json", "events.jsonl"])
@pytest.mark.parametrize("reason", [errno.EACCES, errno.EIO, errno.ESTALE], ids=errno.errorcode.__getitem__)
def test_an_unreadable_file_is_a_problem_and_its_run_and_the_others_stay(
    name: str, reason: int, root_dir: Path, tick: Callable[[], None], monkeypatch: pytest.MonkeyPatch
):
    # not by its permissions: root may read everything
    unreadable = write_run(root_dir, summary={"acc": 0.5}, records=[{"global_step": 1, "loss": 1.0}]) / name
    write_run(root_dir, "vision/vit/runs/other", records=[{"global_step": 1, "loss": 1.0}])
    really_open = os.open

    def refuse(path: str | Path, *arguments: Any, **options: Any) -> int:
        if str(path) == str(unreadable):
            raise OSError(reason, os.strerror(reason), str(path))
        return really_open(path, *arguments, **options)

    monkeypatch.setattr(os, "open", refuse)

    tick()

    assert dict(Run.objects.values_list("run_id", "record_count")) == {RUN_ID: name != "events.jsonl", "other": 1}
    problem = Problem.objects.get()
    assert problem.path == f"vision/vit/runs/{RUN_ID}/{name}"
    assert os.strerror(reason) in problem.reason


def test_too_many_metric_names_are_cut_and_said(
    root_dir: Path, tick: Callable[[], None], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("experiments.mirror.apply.MAX_KEYS_PER_RUN", 10)
    run_dir = write_run(root_dir, records=[{"global_step": 1, "loss": 1.0}])
    tick()
    log_records(run_dir, [{"global_step": 2, "loss": 0.5, **{f"k{index}": 1.0 for index in range(50)}}])

    tick()

    assert MetricSeries.objects.count() == 10
    assert MetricSeries.objects.get(key__name="loss").count == 2
    assert "More than 10 metric names" in Problem.objects.get().reason


def test_long_metric_names_are_cut(root_dir: Path, tick: Callable[[], None]):
    write_run(root_dir, records=[{"global_step": 1, "n" * 10_000: 1.0}])

    tick()

    assert len(MetricKey.objects.get().name) == 500


def test_an_image_event_with_a_path_outside_is_kept_as_text_only(root_dir: Path, tick: Callable[[], None]):
    run_dir = write_run(root_dir)
    event = {"ts": 1.0, "type": "image", "data": {"key": "k", "path": "../../../../etc/passwd", "step": 1}}
    (run_dir / "events.jsonl").write_text(json.dumps(event) + "\n", encoding="utf-8")

    tick()

    assert Media.objects.get().path == "../../../../etc/passwd"


def test_nothing_in_the_root_is_changed_by_indexing(root_dir: Path, tick: Callable[[], None]):
    run_dir = write_run(root_dir, status={"status": "running"}, records=[{"global_step": 1, "loss": 1.0}])
    before = {path: (path.stat().st_mtime_ns, path.is_dir() or path.read_bytes()) for path in root_dir.rglob("*")}

    tick()

    assert run_dir.is_dir()
    after = {path: (path.stat().st_mtime_ns, path.is_dir() or path.read_bytes()) for path in root_dir.rglob("*")}
    assert after == before


def test_the_depth_limit_is_below_what_python_can_parse():
    with pytest.raises(ValueError, match="nested deeper"):
        json_text.loads(b'{"x": NaN, "a": ' + b"[" * 300 + b"]" * 300 + b"}")
