"""The append writer: whole lines, whatever the disk and other writers do."""

from __future__ import annotations

import errno
import os

import pytest

from runicorn.storage.append import AppendFile


@pytest.fixture
def lost():
    return []


@pytest.fixture
def file(tmp_path, lost):
    return AppendFile(tmp_path / "events.jsonl", lost.append)


class Disk:
    """Stands in for os.write: each call takes the next plan (bytes to accept, or an errno), then writes for real."""

    def __init__(self, monkeypatch, *plans):
        self._write = os.write
        self._plans = list(plans)
        monkeypatch.setattr("runicorn.storage.append.os.write", self.write)

    def write(self, descriptor, data):
        plan = self._plans.pop(0) if self._plans else len(data)
        if isinstance(plan, OSError):
            raise plan
        return self._write(descriptor, data[:plan])


FULL = OSError(errno.ENOSPC, "No space left on device")


def test_the_file_appears_with_its_first_line(file):
    before = file.path.exists()
    file.append(b"one\n")

    assert not before
    assert file.path.read_bytes() == b"one\n"


def test_the_rest_of_a_short_write_is_written_once_more(file, lost, monkeypatch):
    file.append(b"one\n")
    Disk(monkeypatch, 3)

    file.append(b"second\n")
    file.append(b"three\n")

    assert file.path.read_bytes() == b"one\nsecond\nthree\n"
    assert lost == []


def test_a_record_whose_rest_cannot_be_written_is_the_only_one_lost(file, lost, monkeypatch):
    file.append(b"one\n")
    Disk(monkeypatch, 3, FULL, FULL)

    file.append(b"second\n")
    file.append(b"third\n")
    file.append(b"fourth\n")
    file.append(b"fifth\n")

    assert file.path.read_bytes() == b"one\nsec\nfourth\nfifth\n"
    assert [error.errno for error in lost] == [errno.ENOSPC, errno.ENOSPC]


def test_a_rest_that_is_short_again_is_lost_once_and_the_next_record_stands_alone(file, lost, monkeypatch):
    file.append(b"one\n")
    Disk(monkeypatch, 2, 2)

    file.append(b"second\n")
    file.append(b"third\n")

    assert file.path.read_bytes() == b"one\nseco\nthird\n"
    assert len(lost) == 1


def test_the_first_record_after_a_torn_line_of_an_earlier_writer_begins_a_line(file):
    file.path.write_bytes(b'{"ts":1}\n{"ts":2,"ty')

    file.append(b"next\n")
    file.append(b"after\n")

    assert file.path.read_bytes() == b'{"ts":1}\n{"ts":2,"ty\nnext\nafter\n'


def test_a_short_first_write_after_a_torn_line_is_completed_too(file, lost, monkeypatch):
    file.path.write_bytes(b"torn")
    Disk(monkeypatch, OSError(errno.EBADF, "closed"), 3)

    file.append(b"next\n")

    assert file.path.read_bytes() == b"torn\nnext\n"
    assert lost == []


def test_a_file_on_a_full_disk_is_written_again_once_there_is_space(file, lost, monkeypatch):
    file.append(b"one\n")
    Disk(monkeypatch, FULL)

    file.append(b"two\n")
    file.append(b"three\n")

    assert file.path.read_bytes() == b"one\nthree\n"
    assert len(lost) == 1


def test_a_descriptor_that_somebody_closed_is_opened_again(file, lost):
    file.append(b"one\n")
    os.close(file._descriptor)

    file.append(b"two\n")

    assert file.path.read_bytes() == b"one\ntwo\n"
    assert lost == []


def test_a_folder_that_is_gone_is_a_loss_and_no_exception(tmp_path, lost):
    file = AppendFile(tmp_path / "gone" / "events.jsonl", lost.append)

    file.append(b"one\n")

    assert [error.errno for error in lost] == [errno.ENOENT]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_the_real_full_device_is_a_loss_and_no_exception(lost):
    from pathlib import Path

    AppendFile(Path("/dev/full"), lost.append).append(b"one\n")

    assert [error.errno for error in lost] == [errno.ENOSPC]


def test_the_position_is_the_end_of_the_last_line_also_where_others_write(file):
    file.append(b"one\n")
    other = AppendFile(file.path, lambda error: None)
    other.append(b"from another\n")
    file.append(b"two\n")

    assert file.position() == len(b"one\nfrom another\ntwo\n")


def test_the_descriptor_is_closed_with_the_object(file):
    file.append(b"one\n")
    descriptor = file._descriptor
    same_file = AppendFile(file.path, lambda error: None)
    same_file.append(b"two\n")
    kept = same_file._descriptor

    del same_file

    os.fstat(descriptor)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(kept)
