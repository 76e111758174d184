"""A script killed while it logs an artifact leaves the version whole or not at all, and the next one works.

The script is killed by itself, with SIGKILL, just before each step that changes the disk, one after the other, and
then at random moments of a long copy.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from runicorn.artifacts import ArtifactStorage
from runicorn.artifacts.places import ArtifactPlace
from runicorn.artifacts.reading import download
from tests.training_scripts import run_script, start_script, wait_for_line

#: For each point a forked child logs a version and is killed there. It ends when a child gets through.
KILLED_AT_EACH_STEP = """
import os, signal, sys
from pathlib import Path
from runicorn.artifacts import Artifact, ArtifactStorage

CHANGES = {"open", "os.link", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.utime"}
storage = ArtifactStorage(ROOT)
sources = [(Path(ROOT).parent / "sources" / name, name) for name in ("large.bin", "small.bin", "sub/same.bin")]

def killed_at(point):
    left = point
    def hook(event, arguments):
        nonlocal left
        if event in CHANGES:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)
    storage.save_artifact(Artifact("net"), f"killed-at-{point}", sources, [])

point = 0
while True:
    point += 1
    child = os.fork()
    if child == 0:
        killed_at(point)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if not os.WIFSIGNALED(status):
        assert os.waitstatus_to_exitcode(status) == 0
        break
    assert os.WTERMSIG(status) == signal.SIGKILL
    # whoever comes next is neither stopped nor given the same number
    sources[0][0].write_bytes(point.to_bytes(4, "big") + sources[0][0].read_bytes()[4:])
    storage.save_artifact(Artifact("net"), f"after-{point}", sources, [])
print(point - 1)
"""

LOGS_FOR_EVER = """
from runicorn.artifacts import Artifact, ArtifactStorage
storage = ArtifactStorage(ROOT)
source = ROOT + "/../sources/large.bin"
print("begun", flush=True)
while True:
    with open(source, "r+b") as file:
        content = bytearray(file.read(8)); content[0] = (content[0] + 1) % 256
        file.seek(0); file.write(content)
    storage.save_artifact(Artifact("net"), "for-ever", [(source, "large.bin"), (source, "again.bin")], [])
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    sources = tmp_path / "sources"
    (sources / "sub").mkdir(parents=True)
    (sources / "large.bin").write_bytes(random.Random(1).randbytes(5 * 1024 * 1024))
    (sources / "small.bin").write_bytes(b"small")
    (sources / "sub/same.bin").write_bytes(b"small")
    return tmp_path / "root"


def whole_versions(root: Path, tmp_path: Path) -> list[int]:
    """The versions that anybody sees; each is read, and every file verified."""
    place = ArtifactPlace(root, "model", "net")
    storage = ArtifactStorage(root)
    versions = [info.version for info in storage.list_versions("net")]
    for version in versions:
        metadata, manifest = storage.load_artifact("net", "model", version)
        assert metadata.version == version
        assert manifest.total_files == metadata.num_files
        download(place, version, manifest, tmp_path / "copy" / str(version))
    listed = json.loads((place.home / "versions.json").read_text())
    assert [info["version"] for info in listed["versions"]] == versions
    assert listed["aliases"] == {"latest": versions[-1]}
    return versions


def test_killed_before_each_step(root: Path, tmp_path: Path):
    done = run_script(f"ROOT = {str(root)!r}\n" + KILLED_AT_EACH_STEP, root=root)

    points = int(done.stdout)
    assert points >= 30
    versions = whole_versions(root, tmp_path)
    by_run = {
        ArtifactStorage(root).load_artifact("net", "model", version)[0].created_by_run: version for version in versions
    }
    # each that came after a killed one is there, under a number of its own
    assert {f"after-{point}" for point in range(1, points + 1)} <= set(by_run)
    assert len(by_run) == len(versions)
    assert versions == list(range(1, len(versions) + 1))


def test_killed_at_any_moment(root: Path, tmp_path: Path):
    moments = random.Random(2)
    for _ in range(10):
        script = start_script(f"ROOT = {str(root)!r}\n" + LOGS_FOR_EVER, root=root)
        try:
            wait_for_line(script, "begun")
            time.sleep(moments.uniform(0.0, 0.15))
        finally:
            script.send_signal(signal.SIGKILL)
            script.communicate()

    (tmp_path / "sources/large.bin").write_bytes(b"whole again")
    done: subprocess.CompletedProcess[str] = run_script(
        f"""
        from runicorn.artifacts import Artifact, ArtifactStorage
        source = {str(tmp_path / "sources/large.bin")!r}
        print(ArtifactStorage({str(root)!r}).save_artifact(Artifact("net"), "last", [(source, "large.bin")], []))
        """,
        root=root,
    )

    assert int(done.stdout) == whole_versions(root, tmp_path)[-1]
