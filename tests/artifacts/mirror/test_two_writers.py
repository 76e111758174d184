"""The mirror and services write the same artifacts at once."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from tests.artifacts.stored import log_version
from tests.server import running_server

NAMES = ("first", "second", "third")
TURNS = 40


def test_none_fails_and_none_waits_for_another_for_ever(tmp_path: Path):
    with running_server(tmp_path) as server:
        for name in NAMES:
            log_version(server.storage, {f"part{number}": name.encode() for number in range(5)}, name=name)
        server.scan()

        printed = server.run_python(f"from {__name__} import write_at_once; write_at_once()")

    assert printed.splitlines() == ["3 artifacts with 15 files"]


def write_at_once() -> None:
    """One writes all artifacts again and again, the others remove one and write it again; in a process of its own."""
    from django.db import DatabaseError, connections  # here, where Django is set up

    from artifacts.mirror.looks import ArtifactPart, look_at_artifact
    from artifacts.mirror.tree import ArtifactKey
    from artifacts.mirror.write import write_parts
    from artifacts.models import Artifact, ArtifactFile
    from experiments.models import StorageRoot

    root = StorageRoot.objects.get()
    keys = [ArtifactKey("model", name) for name in NAMES]
    parts = {key: list(look_at_artifact(Path(root.path), key, None)) for key in keys}

    def write(*batches: list[ArtifactPart]) -> None:
        try:
            for _ in range(TURNS):
                for batch in batches:
                    write_parts(root, batch, now=time.time())
        except DatabaseError as error:
            print(error)
        finally:
            connections["index"].close()

    everything = [part for key in keys for part in parts[key]]
    writers = [threading.Thread(target=write, args=(everything,))]
    for key in reversed(keys):
        writers.append(threading.Thread(target=write, args=([ArtifactPart(key, removed=True)], parts[key])))
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    print(f"{Artifact.objects.count()} artifacts with {ArtifactFile.objects.count()} files")
