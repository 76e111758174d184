"""Whatever is compacted in whatever order comes out as it went in, at each place."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

pytest.importorskip("pyfastcdc")
pytest.importorskip("hypothesis")

from hypothesis import given, settings
from hypothesis import strategies as st

from runicorn.artifacts.chunks import ChunkStore
from runicorn.storage.digests import digest_of
from tests.chunk_stores import KB, compact, random_content, read

#: Pieces that contents are made of, so that they share some: seed and size.
_PIECES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 90 * KB)), max_size=6)


@settings(max_examples=60, deadline=None)
@given(versions=st.lists(_PIECES, min_size=1, max_size=5))
def test_every_version_comes_out_as_it_went_in(versions: list[list[tuple[int, int]]]):
    contents = [b"".join(random_content(size, seed=seed) for seed, size in pieces) for pieces in versions]
    with tempfile.TemporaryDirectory() as folder:
        compact(Path(folder), contents)

        assert [read(Path(folder), digest_of(content)) for content in contents] == contents


@settings(max_examples=60, deadline=None)
@given(
    pieces=_PIECES,
    steps=st.lists(st.tuples(st.integers(-5, 400 * KB), st.sampled_from([0, 1, 2]), st.integers(-1, 300 * KB))),
)
def test_seeking_and_reading_is_as_in_a_plain_file(pieces, steps):
    content = b"".join(random_content(size, seed=seed) for seed, size in pieces)
    with tempfile.TemporaryDirectory() as folder:
        (blob,) = compact(Path(folder), [content])
        plain = Path(folder) / "plain"
        plain.write_bytes(content)

        with ChunkStore(Path(folder)).open(blob.digest) as ours, open(plain, "rb") as theirs:
            for offset, whence, count in steps:
                if whence == 0:
                    offset = max(offset, 0)
                elif offset + theirs.tell() < 0 or whence == 2:
                    offset, whence = 0, 2
                assert ours.seek(offset, whence) == theirs.seek(offset, whence)
                assert ours.read(count) == theirs.read(count)
                assert ours.tell() == theirs.tell()
