"""A run's metric records as arrays: loaded from its blocks, kept between requests, extended when the run grows.

What is kept for a run covers a list of blocks. Blocks are written once and their primary keys never used again, so a
list that begins with the same keys holds the same records: a live run's next request reads only the blocks that are
new, and when small blocks were merged into a larger one, only from there on (docs/design/0004-metric-reading.md).
"""

from __future__ import annotations

import itertools
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from experiments.metrics import block_format
from experiments.metrics.block_format import Axes, Blob, Kind, Scalar
from experiments.metrics.cache import ByteBoundedCache
from experiments.metrics.stores import AxesStore, ColumnStore, KeyStore
from experiments.models import MetricBlock, MetricColumn
from runicorn.errors import Conflict

#: Of all runs together. A run of 1,000,000 records needs 20 MB for its axes and 9 MB a metric.
CACHE_BYTES = 256 * 2**20
#: How often the blocks may be merged under a reader before it gives up.
_ATTEMPTS = 5
#: Places in the cache beside the primary keys of MetricKey, which begin at 1.
_AXES, _KEYS = 0, -1

Store = TypeVar("Store", AxesStore, ColumnStore, KeyStore)

_cache: ByteBoundedCache[AxesStore | ColumnStore | KeyStore] = ByteBoundedCache(CACHE_BYTES)
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
    columns: by MetricKey.pk, n records each.
    """

    steps: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    stages: npt.NDArray[np.int32]
    stage_names: tuple[str, ...]
    columns: dict[int, DenseColumn]

    def __len__(self) -> int:
        return len(self.steps)


class _Block(NamedTuple):
    pk: int
    first_record: int
    record_count: int


def load_run(run_pk: int, *, key_pks: Collection[int] | None = None) -> RunArrays:
    """A run's axes, and its columns of ``key_pks`` (None: all it has). A key the run does not have is an absent column.

    Raises Conflict if the run's blocks are being rewritten again and again meanwhile.
    """
    with _locks[run_pk % len(_locks)]:
        for _ in range(_ATTEMPTS):
            arrays = _try_load(run_pk, key_pks)
            if arrays is not None:
                return arrays
    raise Conflict(f"The metrics of run number {run_pk} are being rewritten; try again in a moment.")


def cache_figures() -> dict[str, object]:
    """How the cache of decoded arrays does, as ``/api/health`` gives it. size, max_size: bytes."""
    asked = _cache.hits + _cache.misses
    return {
        "enabled": True,
        "hit_rate": f"{100 * _cache.hits / asked if asked else 0.0:.1f}%",
        "hits": _cache.hits,
        "misses": _cache.misses,
        "size": _cache.total_bytes,
        "max_size": _cache.max_bytes,
    }


def clear_cache() -> None:
    """Forget everything that was read. For when primary keys begin again: tests that roll back, a new index file."""
    _cache.clear()


def _try_load(run_pk: int, key_pks: Collection[int] | None) -> RunArrays | None:
    """One attempt; None if blocks that were listed are gone by the time they are read."""
    listed = MetricBlock.objects.filter(run_id=run_pk).order_by("first_record")
    blocks = [_Block(*row) for row in listed.values_list("pk", "first_record", "record_count")]
    axes = _held(run_pk, _AXES, AxesStore, blocks)
    new_axes = _read_axes(run_pk, blocks[len(axes.pks) :])
    columns = _columns_of_all_keys(run_pk, blocks) if key_pks is None else _columns_of(run_pk, blocks, key_pks)
    if new_axes is None or columns is None:
        return None
    _grow(run_pk, _AXES, axes, blocks, new_axes)
    return RunArrays(
        steps=axes.steps.view(),
        times=axes.times.view(),
        stages=axes.stages.view(),
        stage_names=tuple(axes.stage_codes),
        columns={
            key: DenseColumn(store.values.view(), store.kinds.view(), tuple(store.text_codes))
            for key, store in columns.items()
        },
    )


def _columns_of(run_pk: int, blocks: list[_Block], key_pks: Collection[int]) -> dict[int, ColumnStore] | None:
    stores = {key: _held(run_pk, key, ColumnStore, blocks) for key in key_pks}
    start = min((len(store.pks) for store in stores.values()), default=len(blocks))
    read = _read_columns(run_pk, blocks[start:], key_pks)
    return None if read is None else _grow_columns(run_pk, blocks, stores, start, read)


def _columns_of_all_keys(run_pk: int, blocks: list[_Block]) -> dict[int, ColumnStore] | None:
    keys = _held(run_pk, _KEYS, KeyStore, blocks)
    known = frozenset().union(*keys.keys)
    stores = {key: _held(run_pk, key, ColumnStore, blocks) for key in known}
    start = min([len(keys.pks), *(len(store.pks) for store in stores.values())])
    read = _read_columns(run_pk, blocks[start:], None)
    if read is None:
        return None
    met = [frozenset(columns) for columns in read]
    _grow(run_pk, _KEYS, keys, blocks, met[len(keys.pks) - start :])
    for key in frozenset().union(*met) - known:
        stores[key] = _absent_before(blocks[:start])
    return _grow_columns(run_pk, blocks, stores, start, read)


def _grow_columns(
    run_pk: int,
    blocks: list[_Block],
    stores: dict[int, ColumnStore],
    start: int,
    read: list[dict[int, Blob]],
) -> dict[int, ColumnStore]:
    """Bring every store up to the last block. read: the columns of the blocks from ``start`` on."""
    for key, store in stores.items():
        held = len(store.pks)
        parts = []
        for block, columns in zip(blocks[held:], read[held - start :], strict=True):
            column = columns.get(key)
            count = block.record_count
            parts.append((None if column is None else block_format.decode_column(column, count), count))
        _grow(run_pk, key, store, blocks, parts)
    return stores


def _absent_before(blocks: list[_Block]) -> ColumnStore:
    store = ColumnStore()
    if blocks:
        store.extend([block.pk for block in blocks], [(None, block.record_count) for block in blocks])
    return store


def _held(run_pk: int, place: int, kind: Callable[[], Store], blocks: list[_Block]) -> Store:
    """What the cache has of these blocks, cut to the part that still holds; empty if nothing."""
    store = _cache.get((run_pk, place))
    if store is None:
        return kind()
    pairs = zip(store.pks, blocks, strict=False)
    same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1].pk, pairs))
    if same < len(store.pks):
        store = store.cut(same, sum(block.record_count for block in blocks[:same]))
    return store  # type: ignore[return-value]


def _grow(run_pk: int, place: int, store: Store, blocks: list[_Block], parts: Sequence[object]) -> None:
    """Append what was read of the blocks the store does not cover yet, and keep it."""
    if parts:
        store.extend([block.pk for block in blocks[len(store.pks) :]], parts)  # type: ignore[arg-type]
    _cache.put((run_pk, place), store)


def _read_axes(run_pk: int, blocks: list[_Block]) -> list[Axes] | None:
    """The axes of these blocks, a run's last ones; None if one of them is gone."""
    if not blocks:
        return []
    rows = MetricBlock.objects.filter(run_id=run_pk, first_record__gte=blocks[0].first_record)
    found = dict(rows.values_list("pk", "axes"))
    if any(block.pk not in found for block in blocks):
        return None
    return [block_format.decode_axes(found[block.pk], block.record_count) for block in blocks]


def _read_columns(run_pk: int, blocks: list[_Block], key_pks: Collection[int] | None) -> list[dict[int, Blob]] | None:
    """The encoded columns of these blocks, a run's last ones, by key; None if one of the blocks is gone."""
    if not blocks:
        return []
    start = blocks[0].first_record
    of_large = MetricColumn.objects.filter(block__run_id=run_pk, block__first_record__gte=start)
    if key_pks is not None:
        of_large = of_large.filter(key_id__in=key_pks)
    found: dict[int, dict[int, Blob]] = defaultdict(dict)
    for block_pk, key, column in of_large.values_list("block_id", "key_id", "column"):
        found[block_pk][key] = column
    # read second: a block that is still there had all its columns a moment ago
    of_small = MetricBlock.objects.filter(run_id=run_pk, first_record__gte=start).values_list("pk", "columns")
    packed = dict(of_small)
    if any(block.pk not in packed for block in blocks):
        return None
    for pk, columns in packed.items():
        if columns is not None:
            found[pk].update(block_format.unpack_columns(columns, key_pks))
    return [found[block.pk] for block in blocks]
