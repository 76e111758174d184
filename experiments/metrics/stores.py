"""What a process keeps of a run's metrics: arrays that cover a list of blocks and grow at their end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from experiments.metrics.block_format import Axes, Column, Kind

#: Stands for "this record does not have the key", beside the numbers of Kind.
ABSENT = 255

AnyArray = npt.NDArray[Any]


@dataclass
class Store:
    """Arrays of ``record_count`` elements each, joined from the blocks ``pks``; what their codes stand for.

    Behind the elements lies room to write: readers that hold a view never see it before ``commit``, nor afterwards.
    """

    buffers: tuple[AnyArray, ...]
    codes: dict[Any, int] = field(default_factory=dict)
    pks: list[int] = field(default_factory=list)
    record_count: int = 0

    def views(self) -> tuple[AnyArray, ...]:
        return tuple(buffer[: self.record_count] for buffer in self.buffers)

    def room(self, total: int) -> tuple[AnyArray, ...]:
        """The arrays with room for ``total`` elements; write only from ``record_count`` on."""
        if total > len(self.buffers[0]):
            spare = total // 8 if self.record_count else 0  # what is read once whole rarely grows
            self.buffers = tuple(self._moved(buffer, total + spare) for buffer in self.buffers)
        return tuple(buffer[:total] for buffer in self.buffers)

    def _moved(self, buffer: AnyArray, size: int) -> AnyArray:
        larger = np.empty(size, buffer.dtype)
        larger[: self.record_count] = buffer[: self.record_count]
        return larger

    def commit(self, pks: list[int], record_count: int) -> None:
        """What was written into the room counts from now on. pks: of all blocks."""
        self.pks, self.record_count = pks, record_count

    def cut(self, block_count: int, record_count: int) -> Store:
        """A store of the first blocks only. It has no room: what follows in these buffers is not overwritten."""
        buffers = tuple(buffer[:record_count] for buffer in self.buffers)
        return Store(buffers, dict(self.codes), self.pks[:block_count], record_count)

    def code_of(self, names: Iterable[Any]) -> list[int]:
        """The number of each name in this store, which learns new ones."""
        return [self.codes.setdefault(name, len(self.codes)) for name in names]

    @property
    def nbytes(self) -> int:
        return sum(buffer.nbytes for buffer in self.buffers) + 100 * len(self.codes)


@dataclass
class KeyStore:
    """Which keys each of the blocks ``pks`` has."""

    pks: list[int] = field(default_factory=list)
    keys: list[frozenset[int]] = field(default_factory=list)

    def cut(self, block_count: int, record_count: int) -> KeyStore:
        return KeyStore(self.pks[:block_count], self.keys[:block_count])

    @property
    def nbytes(self) -> int:
        return 1000 + 60 * sum(map(len, self.keys))


def step_store() -> Store:
    """For one array, steps: int64."""
    return Store((np.empty(0, np.int64),))


def time_store() -> Store:
    """For times (float64, NaN unknown) and stages (int32, -1 none); codes: the stages' names."""
    return Store((np.empty(0, np.float64), np.empty(0, np.int32)))


def column_store() -> Store:
    """For values (float64) and kinds (uint8, a Kind or ABSENT); codes: the texts."""
    return Store((np.empty(0, np.float64), np.empty(0, np.uint8)))


def write_times(store: Store, axes: Axes, *, start: int, end: int, total: int) -> None:
    """Write a block's times and stages to the places from ``start`` to ``end`` of the store's room."""
    times, stages = store.room(total)
    times[start:end] = axes.times
    codes = np.array([*store.code_of(axes.stage_names), -1], np.int32)
    stages[start:end] = codes[axes.stages]  # code -1 (none) picks the last


def clear_room(store: Store, total: int) -> None:
    """Make the column absent in the room behind its records."""
    values, kinds = store.room(total)
    values[store.record_count :] = np.nan
    kinds[store.record_count :] = ABSENT


def write_column(store: Store, column: Column, *, start: int, end: int, total: int) -> None:
    """Write a block's column into cleared room, spread over all its records; texts get the store's codes."""
    all_values, all_kinds = store.room(total)
    values, kinds = column.values, np.asarray(column.kinds, np.uint8)
    if column.texts:
        codes = np.array(store.code_of(column.texts), np.float64)
        is_text = np.broadcast_to(kinds == Kind.TEXT, values.shape)
        values = values.copy()
        values[is_text] = codes[values[is_text].astype(np.intp)]
    if column.present is None:
        all_values[start:end] = values
        all_kinds[start:end] = kinds
    else:
        all_values[start:end][column.present] = values
        all_kinds[start:end][column.present] = kinds
