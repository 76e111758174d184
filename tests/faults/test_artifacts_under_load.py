"""Versions are logged, compacted, removed and collected at once, in processes of their own; nothing is ever lost."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

import pytest

from runicorn.artifacts.verifying import verify
from tests.training_scripts import start_script

pytest.importorskip("pyfastcdc")

#: How long the processes meet. More seconds, such as 60, are more meetings of the same kind.
SECONDS = float(os.environ.get("RUNICORN_LOAD_S", "5"))

LOOPS = {
    "log": """
    source = ROOT.parent / "sources" / f"{os.getpid()}.bin"
    content = bytearray(os.urandom(1024 * 1024))
    def step(count):
        start = count * 4096 % len(content)
        content[start:start + 4096] = os.urandom(4096)
        # every third is one that was there before, compacted or not
        source.write_bytes(bytes(content) if count % 3 else b"same" * 200_000)
        storage.save_artifact(Artifact(f"net-{count % 2}"), "run", [(source, "w.bin"), (source, "copy.bin")], [])
    """,
    "compact": """
    from runicorn.artifacts.compacting import ColdVersions, compact
    def step(count):
        assert compact(ROOT, ColdVersions(include_latest=count % 2 == 0), at=time.time()).problems == ()
    """,
    "gc": """
    from runicorn.artifacts.garbage import collect_garbage
    def step(count):
        # with two seconds' grace instead of a day's, so that it meets the others as often as can be
        assert collect_garbage(ROOT, at=time.time(), min_age_s=2.0).problems == ()
    """,
    "remove": """
    from runicorn.artifacts.removal import purge_version
    def step(count):
        versions = storage.list_versions("net-0") if any((ROOT / "artifacts").glob("model/net-0/v*")) else []
        if len(versions) > 3:
            in_two_days = time.time() + 2 * 24 * 3600.0
            purge_version(storage.find("net-0"), versions[count % len(versions)].version, at=in_two_days)
        time.sleep(0.2)
    """,
}
SCRIPT = """
import os, time
from pathlib import Path
from runicorn.artifacts import Artifact, ArtifactStorage
from runicorn.errors import Conflict
ROOT = Path({root!r})
storage = ArtifactStorage(ROOT)
{loop}
count, until = 0, time.monotonic() + {seconds}
while time.monotonic() < until:
    try:
        step(count)
    except Conflict:
        pass
    count += 1
print(count)
"""


def test_log_compact_gc_and_removal_at_once(tmp_path: Path):
    root = tmp_path / "root"
    (tmp_path / "sources").mkdir()
    root.mkdir()
    names = ["log", "log", "compact", "gc", "remove"]
    processes = [
        start_script(SCRIPT.format(root=str(root), loop=textwrap.dedent(LOOPS[name]), seconds=SECONDS), root=root)
        for name in names
    ]

    outputs = [process.communicate(timeout=SECONDS + 60) for process in processes]

    assert [process.returncode for process in processes] == [0] * len(names), [errors for _, errors in outputs]
    assert all(int(output) > 1 for output, _ in outputs), outputs
    result = verify(root)
    assert result.is_clean, result.findings
    assert result.versions > 0
