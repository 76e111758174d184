"""The mirror process: its rounds, and what it does when one fails."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest

from experiments.mirror import loop
from experiments.mirror.loop import run_mirror, trim_feed
from experiments.models import Change, StorageRoot

pytestmark = pytest.mark.django_db(databases=["index"])


class FailingOnce:
    """A mirror whose first scan fails, and which ends the loop with its third."""

    def __init__(self, stop: threading.Event) -> None:
        self.stop, self.scans, self.forgotten = stop, 0, 0

    def scan(self, root: StorageRoot, *, now: float) -> Iterator[list[object]]:
        self.scans += 1
        if self.scans == 1:
            raise OSError("disk on fire")
        if self.scans == 3:
            self.stop.set()
        yield from ()

    def apply(self, root: StorageRoot, updates: list[object], *, now: float) -> None:
        raise AssertionError("nothing to apply")

    def tidy(self, root: StorageRoot, *, now: float) -> Iterator[None]:
        yield from ()

    def is_behind(self, root: StorageRoot) -> bool:
        return False

    def is_live(self, root: StorageRoot, *, now: float) -> bool:
        return True

    def forget(self) -> None:
        self.forgotten += 1


# it lets go of its connection after an error, which would end the transaction that other tests live in
@pytest.mark.django_db(databases=["index"], transaction=True)
def test_an_error_is_logged_and_the_mirror_begins_again_from_the_rows(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(loop, "RETRY_S", 0.01)
    stop = threading.Event()
    mirror = FailingOnce(stop)

    with caplog.at_level(logging.ERROR):
        run_mirror([mirror], stop=stop)

    assert (mirror.scans, mirror.forgotten) == (3, 2), "after the error, and at the end"
    assert "disk on fire" in caplog.text


def test_a_mirror_that_may_not_write_any_more_ends_and_remembers_nothing():
    stop = threading.Event()
    mirror = FailingOnce(stop)
    mirror.scans = 1  # no failure
    answers = iter([True, False])

    run_mirror([mirror], stop=stop, may_write=lambda: next(answers))

    assert not stop.is_set()
    assert (mirror.scans, mirror.forgotten) == (2, 1)


def test_the_feed_is_trimmed_but_for_its_newest_row():
    for at in (1.0, 2.0, 3.0):
        Change.objects.create(kind=Change.Kind.RUN, at=at)

    trim_feed(now=10_000.0)

    assert list(Change.objects.values_list("at", flat=True)) == [3.0]
