"""The binary layout of metric blocks: packed little-endian arrays.

Axes of n records: ``int64 steps[n]``, ``float64 times[n]`` (NaN: unknown), ``int32 stages[n]`` (-1: none),
then the UTF-8 JSON array of the stages' names.

A column of n records: one byte of flags, then
    SPARSE  a bitmap of n bits (most significant first): which records have the key; absent: all of them
    MIXED   one byte a present value: its Kind; absent: every value has the kind in the flags
    float64 values[present]; for TEXT the index into the texts
    TEXTS   the UTF-8 JSON array of the texts (strings, integers beyond 2**53: what no float64 holds)

Small blocks pack all columns in one value: ``uint32 count``, then for each ``uint32 key, uint32 size``, then the bytes.
A value of another kind (object, array) is not stored: readers of tables leave nested values out.
Arrays come from numpy (https://numpy.org/doc/stable/reference/routines.io.html); no version byte: the index is
disposable, and a changed layout comes with a migration that empties it.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt
import orjson

SPARSE, MIXED, TEXTS = 0x08, 0x10, 0x20
_KIND_MASK = 0x07
#: Integers up to this size are exact in a float64.
MAX_EXACT_INTEGER = 2**53

Scalar = float | int | bool | str | None
#: What a binary column gives: bytes from SQLite, a memoryview from PostgreSQL.
Blob = bytes | memoryview


class Kind(IntEnum):
    """How a stored float64 is shown again."""

    FLOAT = 0
    INT = 1
    BOOL = 2
    TEXT = 3
    NULL = 4


@dataclass(frozen=True)
class Axes:
    """What every record has. steps: int64 (n,). times: float64 (n,), NaN unknown. stages: int32 (n,), -1 none."""

    steps: npt.NDArray[np.int64]
    times: npt.NDArray[np.float64]
    stages: npt.NDArray[np.int32]
    stage_names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.steps)


@dataclass(frozen=True)
class Column:
    """One key's cells in n records.

    present: bool (n,), or None if every record has the key. kinds: uint8 (m,) of the m present cells, or one for all.
    values: float64 (m,). texts: what cells of kind TEXT index.
    """

    present: npt.NDArray[np.bool_] | None
    kinds: npt.NDArray[np.uint8] | Kind
    values: npt.NDArray[np.float64]
    texts: tuple[Scalar, ...] = ()

    def numbers(self, record_count: int) -> npt.NDArray[np.float64]:
        """float64 (record_count,): the numeric cells (booleans count as 0 and 1); NaN elsewhere."""
        values = self.values
        if not isinstance(self.kinds, Kind):
            values = np.where(self.kinds <= Kind.BOOL, values, np.nan)
        elif self.kinds > Kind.BOOL:
            values = np.full(len(values), np.nan)
        if self.present is None:
            return values
        numbers = np.full(record_count, np.nan)
        numbers[self.present] = values
        return numbers

    def present_mask(self, record_count: int) -> npt.NDArray[np.bool_]:
        """bool (record_count,): which records have the key."""
        return np.ones(record_count, np.bool_) if self.present is None else self.present

    def cells(self) -> list[Scalar]:
        """The m present cells as JSON shows them; non-finite numbers are None."""
        if isinstance(self.kinds, Kind):
            return _cells_of_kind(self.kinds, self.values, self.texts)
        pairs = zip(self.kinds.tolist(), self.values.tolist(), strict=True)
        return [_cell(kind, value, self.texts) for kind, value in pairs]


def _cells_of_kind(kind: Kind, values: npt.NDArray[np.float64], texts: tuple[Scalar, ...]) -> list[Scalar]:
    if kind is Kind.INT:
        return values.astype(np.int64).tolist()  # type: ignore[no-any-return]
    if kind is Kind.FLOAT:
        if np.isfinite(values).all():
            return values.tolist()  # type: ignore[no-any-return]
        return [value if math.isfinite(value) else None for value in values.tolist()]
    return [_cell(kind, value, texts) for value in values.tolist()]


def _cell(kind: int, value: float, texts: tuple[Scalar, ...]) -> Scalar:
    if kind == Kind.FLOAT:
        return value if math.isfinite(value) else None
    if kind == Kind.INT:
        return int(value)
    if kind == Kind.BOOL:
        return bool(value)
    if kind == Kind.TEXT:
        return texts[int(value)]
    return None


def encode_axes(axes: Axes) -> bytes:
    return b"".join(
        (
            axes.steps.astype("<i8", copy=False).tobytes(),
            axes.times.astype("<f8", copy=False).tobytes(),
            axes.stages.astype("<i4", copy=False).tobytes(),
            orjson.dumps(axes.stage_names),
        )
    )


def decode_axes(blob: Blob, record_count: int) -> Axes:
    n = record_count
    return Axes(
        steps=np.frombuffer(blob, "<i8", n),
        times=np.frombuffer(blob, "<f8", n, 8 * n),
        stages=np.frombuffer(blob, "<i4", n, 16 * n),
        stage_names=tuple(orjson.loads(bytes(blob[20 * n :]))),
    )


def build_column(cells: Sequence[Scalar], positions: Sequence[int] | None, record_count: int) -> Column:
    """A column from the cells of the records at ``positions`` (ascending), or of all records if that is None."""
    present = None
    if positions is not None and len(positions) != record_count:
        present = np.zeros(record_count, np.bool_)
        present[positions] = True
    types = set(map(type, cells))
    if types == {float}:
        return Column(present, Kind.FLOAT, np.array(cells, np.float64))
    if types == {int} and -MAX_EXACT_INTEGER <= min(cells) and max(cells) <= MAX_EXACT_INTEGER:  # type: ignore[type-var, operator]
        return Column(present, Kind.INT, np.array(cells, np.float64))
    if types == {float, int} and max(abs(cell) for cell in cells if type(cell) is int) <= MAX_EXACT_INTEGER:
        return _number_column(cells, present)
    return _mixed_column(cells, present)


def _number_column(cells: Sequence[Scalar], present: npt.NDArray[np.bool_] | None) -> Column:
    """Floats among exact integers: a metric that is 1 now and 0.5 then."""
    kinds = np.fromiter((type(cell) is int for cell in cells), np.uint8, len(cells))  # Kind.INT is 1, Kind.FLOAT 0
    return Column(present, kinds, np.array(cells, np.float64))


def _mixed_column(cells: Sequence[Scalar], present: npt.NDArray[np.bool_] | None) -> Column:
    kinds = np.empty(len(cells), np.uint8)
    values = np.empty(len(cells), np.float64)
    texts: dict[Scalar, int] = {}
    for index, cell in enumerate(cells):
        if cell is None:
            kinds[index], values[index] = Kind.NULL, math.nan
        elif cell is True or cell is False:
            kinds[index], values[index] = Kind.BOOL, float(cell)
        elif isinstance(cell, float):
            kinds[index], values[index] = Kind.FLOAT, cell
        elif isinstance(cell, int) and -MAX_EXACT_INTEGER <= cell <= MAX_EXACT_INTEGER:
            kinds[index], values[index] = Kind.INT, float(cell)
        else:
            kinds[index], values[index] = Kind.TEXT, texts.setdefault(cell, len(texts))
    first = int(kinds[0]) if len(kinds) else 0
    return Column(present, Kind(first) if (kinds == first).all() else kinds, values, tuple(texts))


def encode_column(column: Column) -> bytes:
    uniform = isinstance(column.kinds, Kind)
    flags = int(column.kinds) if uniform else 0
    parts = [b""]
    if column.present is not None:
        flags |= SPARSE
        parts.append(np.packbits(column.present).tobytes())
    if not uniform:
        flags |= MIXED
        parts.append(struct.pack("<I", len(column.values)) + np.asarray(column.kinds, np.uint8).tobytes())
    parts.append(column.values.astype("<f8", copy=False).tobytes())
    if column.texts:
        flags |= TEXTS
        parts.append(orjson.dumps(column.texts))
    parts[0] = bytes((flags,))
    return b"".join(parts)


def decode_column(blob: Blob, record_count: int) -> Column:
    flags, at, count = blob[0], 1, record_count
    present: npt.NDArray[np.bool_] | None = None
    kinds: npt.NDArray[np.uint8] | Kind = Kind(flags & _KIND_MASK)
    if flags & SPARSE:
        size = (record_count + 7) // 8
        present = np.unpackbits(np.frombuffer(blob, np.uint8, size, at), count=record_count).view(np.bool_)
        at, count = at + size, int(present.sum())
    if flags & MIXED:
        kinds = np.frombuffer(blob, np.uint8, count, at + 4)
        at += 4 + count
    values = np.frombuffer(blob, "<f8", count, at)
    texts = tuple(orjson.loads(bytes(blob[at + 8 * count :]))) if flags & TEXTS else ()
    return Column(present, kinds, values, texts)


def pack_columns(columns: Mapping[int, bytes]) -> bytes:
    """All columns of a small block in one value, by MetricKey.pk."""
    head = [struct.pack("<I", len(columns))]
    head += [struct.pack("<II", key, len(blob)) for key, blob in columns.items()]
    return b"".join((*head, *columns.values()))


def unpack_columns(packed: Blob, keys: Iterable[int] | None = None) -> dict[int, bytes]:
    """The columns of a small block, or of those only that ``keys`` names, by MetricKey.pk."""
    wanted = None if keys is None else set(keys)
    (count,) = struct.unpack_from("<I", packed)
    at = 4 + 8 * count
    columns = {}
    for key, size in struct.iter_unpack("<II", packed[4:at]):
        if wanted is None or key in wanted:
            columns[key] = bytes(packed[at : at + size])
        at += size
    return columns


def join_axes(parts: Sequence[Axes]) -> Axes:
    """One block's axes after another's; stage codes are renumbered into one list of names."""
    if len(parts) == 1:
        return parts[0]
    names: dict[str, int] = {}
    stages = []
    for part in parts:
        codes = np.array([names.setdefault(name, len(names)) for name in part.stage_names] + [-1], np.int32)
        stages.append(codes[part.stages])  # -1 picks the last
    return Axes(
        steps=np.concatenate([part.steps for part in parts]),
        times=np.concatenate([part.times for part in parts]),
        stages=np.concatenate(stages),
        stage_names=tuple(names),
    )


def join_columns(parts: Sequence[tuple[Column | None, int]]) -> Column:
    """One block's column after another's. parts: (column or None if the block has no such key, its record count)."""
    if len(parts) == 1 and parts[0][0] is not None:
        return parts[0][0]
    texts: dict[Scalar, int] = {}
    values, kinds, present = [], [], []
    for column, count in parts:
        if column is None:
            present.append(np.zeros(count, np.bool_))
            continue
        present.append(column.present_mask(count))
        uniform_kind = isinstance(column.kinds, Kind)
        part_kinds = np.full(len(column.values), column.kinds, np.uint8) if uniform_kind else np.asarray(column.kinds)
        part_values = column.values
        if column.texts:
            codes = np.array([texts.setdefault(text, len(texts)) for text in column.texts], np.float64)
            is_text = part_kinds == Kind.TEXT
            part_values = part_values.copy()
            part_values[is_text] = codes[part_values[is_text].astype(np.int64)]
        kinds.append(part_kinds)
        values.append(part_values)
    all_present = np.concatenate(present)
    all_kinds = np.concatenate(kinds) if kinds else np.empty(0, np.uint8)
    uniform = len(all_kinds) > 0 and bool((all_kinds == all_kinds[0]).all())
    return Column(
        present=None if all_present.all() else all_present,
        kinds=Kind(int(all_kinds[0])) if uniform else all_kinds,
        values=np.concatenate(values) if values else np.empty(0, np.float64),
        texts=tuple(texts),
    )
