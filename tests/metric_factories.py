"""Metric blocks made from plain rows, for tests of what reads them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from experiments.metrics import block_format
from experiments.metrics.block_format import Axes
from experiments.models import MetricBlock, MetricColumn, MetricKey, Run, RunDetail, StorageRoot

#: Keys of a record that are axes of its block.
AXES = ("global_step", "time", "stage")
Record = Mapping[str, Any]


def make_metric_run(run_id: str = "20250114_153045_a1b2c3", *, event_files: Sequence[str] = ("events.jsonl",)) -> Run:
    """A running run without metrics in the local root."""
    root, _ = StorageRoot.objects.get_or_create(key=StorageRoot.LOCAL, defaults={"path": "/lab"})
    path = f"vision/vit/runs/{run_id}"
    run = Run.objects.create(root=root, path=path, run_id=run_id, status="running", created_at=1.0, updated_at=1.0)
    RunDetail.objects.create(run=run, event_offsets=dict.fromkeys(event_files, 0))
    return run


def add_block(run: Run, records: Sequence[Record], *, large: bool = False) -> MetricBlock:
    """Append one block with these records. large: its columns are rows of their own.

    A record: global_step, optional time and stage, and cells by metric name.
    """
    names = {name: None for record in records for name in record if name not in AXES}
    columns = {}
    for name in names:
        places = [place for place, record in enumerate(records) if name in record]
        column = block_format.build_column([records[place][name] for place in places], places, len(records))
        key, _ = MetricKey.objects.get_or_create(name=name)
        columns[key.pk] = block_format.encode_column(column)
    block = MetricBlock.objects.create(
        run=run,
        first_record=sum(run.blocks.values_list("record_count", flat=True)),
        record_count=len(records),
        axes=block_format.encode_axes(_axes(records)),
        columns=None if large else block_format.pack_columns(columns),
    )
    if large:
        MetricColumn.objects.bulk_create(
            MetricColumn(block=block, key_id=key, column=column) for key, column in columns.items()
        )
    return block


def merge_blocks(run: Run, *, first: int, count: int) -> MetricBlock:
    """Replace ``count`` of the run's packed blocks, from the ``first`` on, by one large block, as the mirror does."""
    merged = list(run.blocks.order_by("first_record"))[first : first + count]
    axes = block_format.join_axes([block_format.decode_axes(block.axes, block.record_count) for block in merged])
    columns = [block_format.unpack_columns(block.columns) for block in merged]
    parts = {
        key: [
            (
                block_format.decode_column(of_block[key], block.record_count) if key in of_block else None,
                block.record_count,
            )
            for block, of_block in zip(merged, columns, strict=True)
        ]
        for key in {key for of_block in columns for key in of_block}
    }
    MetricBlock.objects.filter(pk__in=[block.pk for block in merged]).delete()
    large = MetricBlock.objects.create(
        run=run,
        first_record=merged[0].first_record,
        record_count=len(axes),
        axes=block_format.encode_axes(axes),
        columns=None,
    )
    for key, of_key in parts.items():
        column = block_format.encode_column(block_format.join_columns(of_key))
        MetricColumn.objects.create(block=large, key_id=key, column=column)
    return large


def _axes(records: Sequence[Record]) -> Axes:
    stages: dict[str, int] = {}
    codes = [
        stages.setdefault(record["stage"], len(stages)) if record.get("stage") is not None else -1 for record in records
    ]
    return Axes(
        steps=np.array([record["global_step"] for record in records], np.int64),
        times=np.array([record.get("time", math.nan) for record in records], np.float64),
        stages=np.array(codes, np.int32),
        stage_names=tuple(stages),
    )
