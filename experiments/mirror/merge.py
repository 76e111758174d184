"""Merging small blocks into larger ones, so that reading a run never takes more than some dozens of rows.

Blocks grow by tiers: as soon as the newest blocks below a limit (16, 256, 4,096, 65,536 records) hold that many records
together, they become one; so a point is rewritten four times at most before it lies in a block of BLOCK_RECORDS.
When a run has ended, what is left is merged at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import router, transaction

from experiments.metrics.block_format import (
    Axes,
    Column,
    decode_axes,
    decode_column,
    join_axes,
    join_columns,
    unpack_columns,
)
from experiments.mirror import write
from experiments.mirror.events import BLOCK_RECORDS
from experiments.models import MetricBlock, MetricColumn

FANOUT = 16


def merge_blocks(run_key: int, *, run_has_ended: bool) -> bool:
    """Merge one group of this run's blocks, if one is due. Returns whether anything was merged (more may be due)."""
    # first record and count are read for all blocks, arrays only for the group
    sizes = list(
        MetricBlock.objects.filter(run_id=run_key)
        .order_by("first_record")
        .values_list("pk", "first_record", "record_count")
    )
    group = group_to_merge([count for _, _, count in sizes], run_has_ended=run_has_ended)
    if group is None:
        return False
    start, end = group
    keys = [key for key, _, _ in sizes[start:end]]
    joined = _read(keys)
    with transaction.atomic(using=router.db_for_write(MetricBlock)):
        if joined is None or not write.held([run_key]):  # the run was purged meanwhile
            return False
        MetricBlock.objects.filter(pk__in=keys).delete()
        write.add_blocks([(run_key, sizes[start][1], *joined)])
    return True


def group_to_merge(counts: Sequence[int], *, run_has_ended: bool) -> tuple[int, int] | None:
    """Which neighbours become one block: (first index, index behind the last), or None.

    counts: records of each block, oldest first.
    """
    if run_has_ended:
        return _neighbours_that_fit(counts)
    limit = FANOUT
    while limit <= BLOCK_RECORDS:
        start, records = len(counts), 0
        while start and counts[start - 1] < limit:
            start -= 1
            records += counts[start]
        if records >= limit and (group := _neighbours_that_fit(counts[start:])):
            return start + group[0], start + group[1]
        limit *= FANOUT
    return None


def _neighbours_that_fit(counts: Sequence[int]) -> tuple[int, int] | None:
    start = total = 0
    for index, count in enumerate(counts):
        if total + count > BLOCK_RECORDS:
            if index - start > 1:
                return start, index
            start, total = index, 0
        total += count
    return (start, len(counts)) if len(counts) - start > 1 else None


def _read(block_keys: Sequence[int]) -> tuple[Axes, dict[int, Column]] | None:
    """The joined axes and columns of neighbouring blocks; None if they are gone."""
    blocks = MetricBlock.objects.filter(pk__in=block_keys).order_by("first_record")
    rows = MetricColumn.objects.filter(block_id__in=block_keys).values_list("block_id", "key_id", "column")
    apart: dict[int, dict[int, bytes]] = {}
    for block_key, key, column in rows:
        apart.setdefault(block_key, {})[key] = bytes(column)
    axes, parts = [], []
    for block in blocks:
        axes.append(decode_axes(block.axes, block.record_count))
        encoded = apart.get(block.pk, {}) if block.columns is None else unpack_columns(block.columns)
        parts.append(
            ({key: decode_column(blob, block.record_count) for key, blob in encoded.items()}, block.record_count)
        )
    if not axes:
        return None
    keys = dict.fromkeys(key for columns, _ in parts for key in columns)
    return join_axes(axes), {key: join_columns([(columns.get(key), count) for columns, count in parts]) for key in keys}
