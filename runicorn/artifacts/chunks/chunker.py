"""Cutting bytes where their content says so: what is the same in two files is cut the same, wherever it lies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from runicorn.errors import InvalidInput

#: FastCDC 2020 [Xia et al., IEEE TPDS 31(9)] as pyfastcdc and the crate fastcdc have it. Sizes in bytes. Another choice
#: would share nothing with what was stored before. Measured: docs/design/0018-artifact-chunks.md.
AVERAGE_BYTES = 16 * 1024
MIN_BYTES = 4 * 1024
MAX_BYTES = 64 * 1024
NORMALIZATION: Literal[1] = 1
SEED = 0
#: As recipes record it.
CHUNKER: Mapping[str, str | int] = {
    "name": "fastcdc-2020",
    "min_bytes": MIN_BYTES,
    "average_bytes": AVERAGE_BYTES,
    "max_bytes": MAX_BYTES,
    "normalization": NORMALIZATION,
    "seed": SEED,
}


def cut(path: Path) -> Iterator[memoryview]:
    """The chunks of a file, about 20 KiB each; none for an empty one. Each is valid until the next is asked for.

    Raises OSError, and InvalidInput where pyfastcdc is not installed.
    """
    try:
        from pyfastcdc import FastCDC  # training machines do without it
    except ImportError as error:
        raise InvalidInput("Compacting needs pyfastcdc; run 'pip install pyfastcdc'.") from error
    fastcdc = FastCDC(
        AVERAGE_BYTES, min_size=MIN_BYTES, max_size=MAX_BYTES, normalized_chunking=NORMALIZATION, seed=SEED
    )
    with open(path, "rb", buffering=0) as file:
        for chunk in fastcdc.cut_stream(file):
            yield chunk.data
