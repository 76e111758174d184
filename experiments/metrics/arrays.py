"""A run's metric records as arrays: loaded from its blocks, kept between requests, extended when the run grows.

What is kept for a run covers a list of blocks. Blocks are written once and their primary keys never used again, so a
list that begins with the same keys holds the same records: a live run's next request reads only the blocks that are
new, and when small blocks were merged into a larger one, only from there on (docs/design/0004-metric-reading.md).
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt
from django.db.models import BinaryField, F, QuerySet
from django.db.models.functions import Substr

from experiments.metrics import block_format
from experiments.metrics.block_format import Kind, Scalar
from experiments.metrics.cache import ByteBoundedCache
from experiments.metrics.stores import (
    KeyStore,
    Store,
    clear_room,
    column_store,
    step_store,
    time_store,
    write_column,
    write_times,
)
from experiments.models import MetricBlock, MetricColumn
from runicorn.errors import Conflict

#: Of all runs together. A run of 1,000,000 records needs 8 MB for its steps, 12 MB for its times, 9 MB a metric.
CACHE_BYTES = 256 * 2**20
#: How often the blocks may be merged under a reader before it gives up.
_ATTEMPTS = 5
#: Places in the cache beside the primary keys of MetricKey, which begin at 1.
_STEPS, _TIMES, _KEYS = 0, -1, -2
#: Binary columns held at once: memory that is used again costs no page faults [1,000,000 records: 60 ms of 140].
_ROWS_AT_ONCE = 2
#: The first array of MetricBlock.axes, without the others.
_STEPS_OF_AXES = Substr("axes", 1, F("record_count") * 8, output_field=BinaryField())

AnyStore = TypeVar("AnyStore", Store, KeyStore)

_cache: ByteBoundedCache[Store | KeyStore] = ByteBoundedCache(CACHE_BYTES)
#: A store is extended by one thread at a time; runs share few locks rather than having one each for ever.
_locks = [threading.Lock() for _ in range(64)]


@dataclass(frozen=True)
class DenseColumn:
    """One key's cells in n records or rows, at the same places as the steps.

    values: float64 (n,), NaN where absent; for Kind.TEXT an index into texts. kinds: uint8 (n,), a Kind or ABSENT.
    """

    values: npt.NDArray[np.float64]
    kinds: npt.NDArray[np.uint8]
    texts: Sequence[Scalar] = ()

    def is_number(self) -> npt.NDArray[np.bool_]:
        """bool (n,): where a number lies, finite or not."""
        return self.kinds <= Kind.BOOL

    def numbers(self) -> npt.NDArray[np.float64]:
        """float64 (n,): the numeric cells (booleans count as 0 and 1); NaN elsewhere."""
        numeric = self.is_number()
        return self.values if numeric.all() else np.where(numeric, self.values, np.nan)

    def take(self, places: npt.NDArray[np.intp] | slice) -> DenseColumn:
        return DenseColumn(self.values[places], self.kinds[places], self.texts)


@dataclass(frozen=True)
class RunArrays:
    """A run's records in the order of its blocks. Treat every array as read-only: other requests hold it too.

    steps: int64 (n,). times: float64 (n,), NaN unknown. stages: int32 (n,), index into stage_names, -1 none.
    columns: by MetricKey.pk, n records each. times and stages are empty if they were not asked for.
    """

    steps: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    stages: npt.NDArray[np.int32]
    stage_names: tuple[str, ...]
    columns: dict[int, DenseColumn]

    def __len__(self) -> int:
        return len(self.steps)


class _Block(NamedTuple):
    """A listed block, and which places its records have in the joined arrays."""

    pk: int
    first_record: int
    start: int
    end: int


class _Replaced(Exception):
    """A listed block is gone: it was merged into another one, or the run is ingested anew."""


def load_run(run_pk: int, *, key_pks: Collection[int] | None = None, with_times: bool = True) -> RunArrays:
    """A run's steps, its columns of ``key_pks`` (None: all it has), and if asked for its times and stages.

    A key that the run does not have is an absent column.
    Raises Conflict if the run's blocks are being rewritten again and again meanwhile.
    """
    with _locks[run_pk % len(_locks)]:
        for _ in range(_ATTEMPTS):
            try:
                return _Reading(run_pk).load(key_pks, with_times=with_times)
            except _Replaced:
                continue
    raise Conflict(f"The metrics of run number {run_pk} are being rewritten; try again in a moment.")


def clear_cache() -> None:
    """Forget everything that was read. For when primary keys begin again: tests that roll back, a new index file."""
    _cache.clear()


def cache_figures() -> dict[str, object]:
    """How the cache of decoded arrays does, as ``/api/health`` gives it. size, max_size: bytes."""
    return {
        "enabled": True,
        "hit_rate": f"{100 * cache_hit_rate():.1f}%",
        "hits": _cache.hits,
        "misses": _cache.misses,
        "size": _cache.total_bytes,
        "max_size": _cache.max_bytes,
    }


def cache_hit_rate() -> float:
    """0 to 1; 0 if nothing was asked for yet."""
    asked = _cache.hits + _cache.misses
    return _cache.hits / asked if asked else 0.0


class _Reading:
    """One attempt to bring what is kept of a run up to its last block; raises _Replaced."""

    def __init__(self, run_pk: int) -> None:
        self.run_pk = run_pk
        listed = MetricBlock.objects.filter(run_id=run_pk).order_by("first_record")
        self.blocks: list[_Block] = []
        self.total = 0
        for pk, first_record, count in listed.values_list("pk", "first_record", "record_count"):
            self.blocks.append(_Block(pk, first_record, self.total, self.total + count))
            self.total += count
        self.pks = [block.pk for block in self.blocks]

    def load(self, key_pks: Collection[int] | None, *, with_times: bool) -> RunArrays:
        steps = self._held(_STEPS, step_store)
        times = self._held(_TIMES, time_store) if with_times else time_store()
        self._read_axes(steps, times if with_times else None)
        columns = self._read_columns(key_pks)
        (step_array,), (time_array, stage_array) = steps.views(), times.views()
        dense = {}
        for key, store in columns.items():
            values, kinds = store.views()
            dense[key] = DenseColumn(values, kinds, tuple(store.codes))
        return RunArrays(step_array, time_array, stage_array, tuple(times.codes), dense)

    def _held(self, place: int, make: Callable[[], AnyStore]) -> AnyStore:
        """What the cache has of these blocks, cut to the part that still holds; empty if nothing."""
        store: Any = _cache.get((self.run_pk, place))
        if store is None:
            return make()
        pairs = zip(store.pks, self.pks, strict=False)
        same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], pairs))
        if same < len(store.pks):
            store = store.cut(same, self.blocks[same - 1].end if same else 0)
        return store  # type: ignore[no-any-return]

    def _keep(self, place: int, store: Store) -> None:
        store.commit(self.pks, self.total)
        _cache.put((self.run_pk, place), store)

    def _read_axes(self, steps: Store, times: Store | None) -> None:
        start = min(len(store.pks) for store in (steps, times) if store is not None)
        only_steps = times is None or len(times.pks) == len(self.blocks)
        blobs = self._blobs(start, _STEPS_OF_AXES if only_steps else F("axes"))
        for index, (block, blob) in enumerate(blobs, start):
            count = block.end - block.start
            if index >= len(steps.pks):
                steps.room(self.total)[0][block.start : block.end] = np.frombuffer(blob, "<i8", count)
            if times is not None and index >= len(times.pks):
                axes = block_format.decode_axes(blob, count)
                write_times(times, axes, start=block.start, end=block.end, total=self.total)
        self._keep(_STEPS, steps)
        if times is not None:
            self._keep(_TIMES, times)

    def _read_columns(self, key_pks: Collection[int] | None) -> dict[int, Store]:
        keys = self._held(_KEYS, KeyStore)
        wanted = frozenset().union(*keys.keys) if key_pks is None else key_pks
        stores = {key: self._held(key, column_store) for key in wanted}
        covered = [len(store.pks) for store in stores.values()]
        if key_pks is None:
            covered.append(len(keys.pks))
        start = min(covered, default=len(self.blocks))
        for store in stores.values():
            clear_room(store, self.total)
        met: list[set[int]] = [set() for _ in self.blocks]
        for index, key, blob in self._columns(start, key_pks):
            block = self.blocks[index]
            met[index].add(key)
            if key not in stores:
                stores[key] = column_store()
                clear_room(stores[key], self.total)
            store = stores[key]
            if index >= len(store.pks):
                column = block_format.decode_column(blob, block.end - block.start)
                write_column(store, column, start=block.start, end=block.end, total=self.total)
        for key, store in stores.items():
            self._keep(key, store)
        if key_pks is None:
            known = [*keys.keys, *map(frozenset, met[len(keys.keys) :])]
            _cache.put((self.run_pk, _KEYS), KeyStore(self.pks, known))
        return stores

    def _columns(self, start: int, key_pks: Collection[int] | None) -> Iterator[tuple[int, int, block_format.Blob]]:
        """(number of the block, key, encoded column) of the blocks from ``start`` on."""
        if start == len(self.blocks):
            return
        number = {block.pk: index for index, block in enumerate(self.blocks)}
        since = self.blocks[start].first_record
        of_large = MetricColumn.objects.filter(block__run_id=self.run_pk, block__first_record__gte=since)
        if key_pks is not None:
            of_large = of_large.filter(key_id__in=key_pks)
        for block_pk, key, blob in of_large.values_list("block_id", "key_id", "column").iterator(_ROWS_AT_ONCE):
            if block_pk in number:  # else it was added a moment ago
                yield number[block_pk], key, blob
        # read second: a block that is still there had all its columns a moment ago
        for index, (_, packed) in enumerate(self._blobs(start, F("columns")), start):
            if packed is not None:
                for key, blob in block_format.unpack_columns(packed, key_pks).items():
                    yield index, key, blob

    def _blobs(self, start: int, what: F | Substr[BinaryField[Any, Any]]) -> Iterator[tuple[_Block, Any]]:
        """Each block from ``start`` on with a binary column; what came after the last listed one is left out."""
        wanted: Sequence[_Block] = self.blocks[start:]
        if not wanted:
            return
        rows: QuerySet[Any] = MetricBlock.objects.filter(run_id=self.run_pk, first_record__gte=wanted[0].first_record)
        found = rows.order_by("first_record").values_list("pk", what).iterator(_ROWS_AT_ONCE)
        for block in wanted:
            pk, blob = next(found, (None, None))
            if pk != block.pk:
                raise _Replaced
            yield block, blob
