"""A second web process of a storage root is refused, unless both count in Redis; those of other roots are not."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.command_line import RunningCommand, runicorn, running, running_viewer, wait_until
from tests.databases import fresh_database
from tests.shared_redis import shared_redis

SERVE = ("serve", "--port", "0", "--storage", "root")


def started(web: RunningCommand) -> RunningCommand:
    web.wait_for("Storage root: ")
    return web


def test_a_second_web_process_is_refused_with_what_to_do_and_the_first_goes_on(tmp_path):
    with running(*SERVE, folder=tmp_path) as first:
        started(first)

        done = runicorn(*SERVE, folder=tmp_path)

        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"Error: Another web process serves {tmp_path / 'root'}")
        assert "or set RUNICORN_REDIS_URL" in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert first.answers()


def test_a_second_viewer_of_a_root_ends_with_that_message(tmp_path):
    with running_viewer("--storage", "root", folder=tmp_path) as first:
        with running("viewer", "--port", "0", "--storage", "root", folder=tmp_path) as second:
            second.wait_for("Error: Another web process serves")

            assert second.process.wait(10) == 1
        assert first.answers()


def test_one_that_counts_for_itself_and_one_that_counts_in_redis_refuse_each_other(tmp_path):
    with shared_redis(tmp_path) as url:
        with running(*SERVE, folder=tmp_path) as alone:
            started(alone)
            beside = runicorn(*SERVE, folder=tmp_path, RUNICORN_REDIS_URL=url)
        with running(*SERVE, folder=tmp_path, RUNICORN_REDIS_URL=url) as sharing:
            started(sharing)
            alone_beside = runicorn(*SERVE, folder=tmp_path)

    assert (beside.returncode, alone_beside.returncode) == (1, 1)
    assert "A web process without RUNICORN_REDIS_URL serves" in beside.stderr
    assert "Another web process serves" in alone_beside.stderr


def test_viewers_of_two_roots_run_side_by_side(tmp_path):
    with (
        running_viewer("--storage", "first", folder=tmp_path) as first,
        running_viewer("--storage", "second", folder=tmp_path) as second,
    ):
        assert first.answers()
        assert second.answers()


def by_signal(web: RunningCommand) -> None:
    web.stop(signal.SIGTERM)


def by_force(web: RunningCommand) -> None:
    web.stop(signal.SIGKILL)


@pytest.mark.parametrize("end", [by_signal, by_force])
def test_one_that_starts_while_its_predecessor_ends_waits_for_it(tmp_path: Path, end: Callable[[RunningCommand], None]):
    with running(*SERVE, folder=tmp_path) as first:
        started(first)
        with running(*SERVE, folder=tmp_path) as second:
            time.sleep(2)  # it takes one to load, and then waits
            assert second.output == ""

            end(first)

            wait_until(lambda: "Storage root: " in second.output, second.describe)
            assert second.answers()


@pytest.fixture
def database() -> Iterator[str]:
    with fresh_database(is_migrated=False) as url:
        yield url


def test_two_hosts_with_one_database_refuse_each_other_too(tmp_path, database):
    """Each with folders of its own, so that they meet in nothing but PostgreSQL."""
    ana, bob = tmp_path / "ana", tmp_path / "bob"
    ana.mkdir()
    bob.mkdir()
    command = ("serve", "--port", "0", "--storage", str(tmp_path / "root"))
    with shared_redis(ana) as url, shared_redis(bob):
        with running(*command, folder=ana, RUNICORN_DATABASE_URL=database) as first:
            started(first)
            alone = runicorn(*command, folder=bob, RUNICORN_DATABASE_URL=database)
        redis = {"RUNICORN_DATABASE_URL": database, "RUNICORN_REDIS_URL": url}
        with running(*command, folder=ana, **redis) as first, running(*command, folder=bob, **redis) as second:
            started(first)
            started(second)

    assert alone.returncode == 1
    assert "Another web process serves" in alone.stderr
