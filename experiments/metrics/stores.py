"""What a process keeps of a run's metric arrays: stores that cover a list of blocks and grow at their end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from experiments.metrics.block_format import Axes, Column, Kind, Scalar

#: Stands for "this record does not have the key", beside the numbers of Kind.
ABSENT = 255

Dtype = TypeVar("Dtype", bound=np.generic)


class Growing(Generic[Dtype]):
    """An array that grows at its end without moving: views taken earlier stay valid and never change."""

    def __init__(self, start: npt.NDArray[Dtype]) -> None:
        self._buffer = start
        self._length = len(start)

    def extend(self, parts: Sequence[npt.NDArray[Dtype]]) -> None:
        end = self._length + sum(map(len, parts))
        if end > len(self._buffer):
            spare = end // 8 if self._length else 0  # what is read once whole rarely grows
            buffer = np.empty(end + spare, self._buffer.dtype)
            buffer[: self._length] = self.view()
            self._buffer = buffer
        np.concatenate(parts, out=self._buffer[self._length : end])
        self._length = end

    def view(self) -> npt.NDArray[Dtype]:
        return self._buffer[: self._length]

    def cut(self, length: int) -> Growing[Dtype]:
        """A new one of the first ``length`` elements. It has no room to grow: what follows here is not touched."""
        return Growing(self._buffer[:length])

    @property
    def nbytes(self) -> int:
        return self._buffer.nbytes


def _codes(names: Iterable[Scalar], known: dict[Any, int]) -> list[int]:
    """The number of each name in ``known``, which learns new ones."""
    return [known.setdefault(name, len(known)) for name in names]


@dataclass
class AxesStore:
    """The axes of the blocks ``pks``."""

    pks: list[int] = field(default_factory=list)
    steps: Growing[np.int64] = field(default_factory=lambda: Growing(np.empty(0, np.int64)))
    times: Growing[np.float64] = field(default_factory=lambda: Growing(np.empty(0, np.float64)))
    stages: Growing[np.int32] = field(default_factory=lambda: Growing(np.empty(0, np.int32)))
    stage_codes: dict[str, int] = field(default_factory=dict)

    def cut(self, block_count: int, record_count: int) -> AxesStore:
        arrays = (self.steps.cut(record_count), self.times.cut(record_count), self.stages.cut(record_count))
        return AxesStore(self.pks[:block_count], *arrays, dict(self.stage_codes))

    def extend(self, pks: Sequence[int], parts: Sequence[Axes]) -> None:
        # code -1 (none) picks the last
        codes = [np.array([*_codes(part.stage_names, self.stage_codes), -1], np.int32) for part in parts]
        self.stages.extend([code[part.stages] for code, part in zip(codes, parts, strict=True)])
        self.steps.extend([part.steps for part in parts])
        self.times.extend([part.times for part in parts])
        self.pks += pks

    @property
    def nbytes(self) -> int:
        return self.steps.nbytes + self.times.nbytes + self.stages.nbytes


@dataclass
class ColumnStore:
    """One key's cells in the blocks ``pks``."""

    pks: list[int] = field(default_factory=list)
    values: Growing[np.float64] = field(default_factory=lambda: Growing(np.empty(0, np.float64)))
    kinds: Growing[np.uint8] = field(default_factory=lambda: Growing(np.empty(0, np.uint8)))
    text_codes: dict[Scalar, int] = field(default_factory=dict)

    def cut(self, block_count: int, record_count: int) -> ColumnStore:
        arrays = self.values.cut(record_count), self.kinds.cut(record_count)
        return ColumnStore(self.pks[:block_count], *arrays, dict(self.text_codes))

    def extend(self, pks: Sequence[int], parts: Sequence[tuple[Column | None, int]]) -> None:
        """parts: a block's column, or None if it has no such key; its record count."""
        dense = [_dense(column, count, self.text_codes) for column, count in parts]
        self.values.extend([values for values, _ in dense])
        self.kinds.extend([kinds for _, kinds in dense])
        self.pks += pks

    @property
    def nbytes(self) -> int:
        return self.values.nbytes + self.kinds.nbytes + 100 * len(self.text_codes)


@dataclass
class KeyStore:
    """Which keys each of the blocks ``pks`` has."""

    pks: list[int] = field(default_factory=list)
    keys: list[frozenset[int]] = field(default_factory=list)

    def cut(self, block_count: int, record_count: int) -> KeyStore:
        return KeyStore(self.pks[:block_count], self.keys[:block_count])

    def extend(self, pks: Sequence[int], parts: Sequence[frozenset[int]]) -> None:
        self.keys += parts
        self.pks += pks

    @property
    def nbytes(self) -> int:
        return 1000 + 60 * sum(map(len, self.keys))


def _dense(
    column: Column | None, count: int, text_codes: dict[Scalar, int]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.uint8]]:
    """A block's column spread over all its records; texts renumbered into those of the run."""
    if column is None:
        return np.full(count, np.nan), np.full(count, ABSENT, np.uint8)
    values = column.values
    uniform = isinstance(column.kinds, Kind)
    kinds = np.full(len(values), column.kinds, np.uint8) if uniform else np.asarray(column.kinds)
    if column.texts:
        codes = np.array(_codes(column.texts, text_codes), np.float64)
        is_text = kinds == Kind.TEXT
        values = values.copy()
        values[is_text] = codes[values[is_text].astype(np.intp)]
    if column.present is None:
        return values, kinds
    all_values, all_kinds = np.full(count, np.nan), np.full(count, ABSENT, np.uint8)
    all_values[column.present] = values
    all_kinds[column.present] = kinds
    return all_values, all_kinds
