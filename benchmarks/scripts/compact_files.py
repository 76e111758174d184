"""Compacts files one after the other, as versions of one artifact, and reads the last one back.

Arguments: pool (an existing folder), files. Prints one JSON object: seconds for hashlib's SHA-256 of all files, for
compacting them, for hashing the last, and for reading that back and hashing it, and by how much the memory's peak
exceeds that of a bare interpreter, in MiB.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path


def peak_mib() -> float:
    """Of this process; getrusage would tell that of its parent. Linux only."""
    (kib,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(kib) / 1024


BARE_MIB = peak_mib()

from runicorn.artifacts.chunks import ChunkStore  # noqa: E402 - weighed, too
from runicorn.storage.digests import Digest, hash_file  # noqa: E402


def main() -> None:
    store, files = ChunkStore(Path(sys.argv[1])), [Path(name) for name in sys.argv[2:]]
    digests: list[Digest] = []

    def compact_all() -> None:
        with store.compacting() as compactor:
            for digest, file in zip(digests, files, strict=True):
                compactor.compact(digest, file)

    figures = {
        "hashing_s": seconds(lambda: digests.extend(map(digest_of, files))),
        "compacting_s": seconds(compact_all),
        "hashing_last_s": seconds(lambda: digest_of(files[-1])),
        "reading_last_s": seconds(lambda: store.check(digests[-1], size=files[-1].stat().st_size)),
        "peak_mib": peak_mib() - BARE_MIB,
    }
    print(json.dumps(figures))


def seconds(action: Callable[[], object]) -> float:
    begin = time.perf_counter()
    action()
    return time.perf_counter() - begin


def digest_of(path: Path) -> Digest:
    with open(path, "rb", buffering=0) as file:
        return hash_file(file)[0]  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
