"""Full disks, too many links, sources that change or are no files: what log_artifact does then."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

import runicorn as rn
from runicorn.artifacts import Artifact, ArtifactStorage
from runicorn.artifacts.places import ArtifactPlace
from runicorn.artifacts.verifying import verify
from runicorn.errors import InvalidInput, VersionNotStored
from tests.runicorn.artifacts.conftest import pool_files
from tests.training_scripts import run_script

#: More than ext4 allows one file (65,000).
MANY_LINKS = 70_000


def test_a_full_disk_is_said_and_leaves_nothing(root: Path, tmp_path: Path):
    (tmp_path / "w.bin").write_bytes(os.urandom(8 * 1024 * 1024))

    done = run_script(
        f"""
        import resource
        from runicorn.errors import VersionNotStored
        run = rn.init(project="p", capture_env=False, console=False)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024 * 1024, 1024 * 1024))
        try:
            run.log_artifact(rn.Artifact("net").add_file({str(tmp_path / "w.bin")!r}))
        except RuntimeError as error:
            assert isinstance(error, VersionNotStored)
            print(error)
        """,
        root=root,
    )

    assert "No version of net can be stored" in done.stdout
    assert os.strerror(errno.EFBIG) in done.stdout
    home = root / "artifacts/model/net"
    assert list(home.iterdir()) == []
    assert ArtifactStorage(root).list_artifacts() == []


def test_a_content_with_all_the_links_it_may_have_starts_again(
    root: Path, tmp_path: Path, place: ArtifactPlace, log: Callable[..., int]
):
    log({"w": b"often"})
    (first,) = pool_files(root)
    links = tmp_path / "links"
    links.mkdir()
    try:
        for number in range(MANY_LINKS):
            os.link(first, links / str(number))
    except OSError as error:
        assert error.errno == errno.EMLINK  # noqa: PT017 - the loop is meant to end so
    else:
        pytest.skip("this file system has no limit of links within reach")

    assert log({"w": b"often"}) == 2
    assert log({"w": b"often"}) == 3

    inodes = [(place.home / f"v{version}/files/w").stat().st_ino for version in (1, 2, 3)]
    assert inodes[0] != inodes[1] == inodes[2]
    assert pool_files(root)[0].stat().st_ino == inodes[1]
    assert verify(root).is_clean


def test_a_cut_content_in_the_pool_is_not_shared_but_mended(root: Path, place: ArtifactPlace, log: Callable[..., int]):
    log({"w": b"whole"})
    (content,) = pool_files(root)
    content.unlink()
    content.write_bytes(b"wh")

    log({"w": b"whole"})

    assert (place.home / "v2/files/w").read_bytes() == b"whole"
    assert [path.read_bytes() for path in pool_files(root)] == [b"whole"]


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.symlink_to("/dev/zero")], ids=["pipe", "device"])
def test_what_is_no_regular_file_is_refused(root: Path, tmp_path: Path, make: Callable[[Path], None]):
    source = tmp_path / "odd"
    make(source)

    with pytest.raises(InvalidInput, match="not a regular file"):
        ArtifactStorage(root).save_artifact(Artifact("net"), "run", [(source, "odd")], [])
    assert ArtifactStorage(root).list_artifacts() == []


def test_a_source_that_is_gone_is_the_callers_error(run: rn.Run, tmp_path: Path):
    source = tmp_path / "w.bin"
    source.write_bytes(b"w")
    artifact = rn.Artifact("net").add_file(source)
    source.unlink()

    with pytest.raises(FileNotFoundError) as raised:
        run.log_artifact(artifact)
    assert not isinstance(raised.value, VersionNotStored)


def test_names_that_differ_in_case_or_normal_form_are_different_files(
    root: Path, log: Callable[..., int], place: ArtifactPlace
):
    log({"W": b"1", "w": b"2", "u\u0308": b"3", "ü": b"4", "模型.bin": b"5", "a b\n": b"6"})

    assert verify(root).is_clean
    assert verify(root).files == 6


def test_an_unreadable_folder_is_not_stored_without_its_files(tmp_path: Path):
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    folder = tmp_path / "data" / "closed"
    folder.mkdir(parents=True)
    folder.chmod(0)

    with pytest.raises(PermissionError):
        Artifact("set", "dataset").add_dir(tmp_path / "data")


def test_hostile_names_and_paths_are_refused_before_a_folder_is_made(root: Path):
    for name in ("..", "a/b", "", "x" * 101, "con\x00", ".hidden", "a:b"):
        with pytest.raises(ValueError):
            Artifact(name)
    for path in ("/etc/passwd", "../x", "a/../../x", "C:/x", "C:x", "\\\\host\\share", "", ".", "a\x00b"):
        with pytest.raises(ValueError):
            ArtifactStorage(root).save_artifact(Artifact("net"), "run", [(__file__, path)], [])
    assert not root.exists()
