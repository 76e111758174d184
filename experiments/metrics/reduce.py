"""Thinning a series or a table without losing its extremes (M4). Pure functions of numpy arrays.

M4 keeps of each bucket the first, the lowest, the highest and the last point. Source: Jugel, Jerzak, Hackenbroich and
Markl, "M4: A Visualization-Oriented Time Series Data Aggregation", VLDB 2014. Buckets here hold equal numbers of
points, not equal stretches of steps; why, and what else was compared: docs/design/0004-metric-reading.md.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]

#: A bucket of M4 keeps up to four points, so fewer cannot be asked for.
MIN_POINTS = 4
#: An answer of one row would have no last row beside its first.
MIN_ROWS = 2


def bucket_bounds(count: int, bucket_count: int) -> Indices:
    """intp (bucket_count + 1,): where each bucket begins, then ``count``. Sizes differ by one, larger ones first."""
    size, larger = divmod(count, bucket_count)
    sizes = np.full(bucket_count, size, np.intp)
    sizes[:larger] += 1
    return np.concatenate((np.zeros(1, np.intp), np.cumsum(sizes)))


def bucket_extremes(values: Floats, bucket_count: int) -> tuple[Indices, Indices]:
    """Where each bucket's lowest and highest finite values lie, the first of equals.

    values: float64 (n,), non-finite ones are passed over. bucket_count: 1 to n.
    Returns (lowest, highest), intp (m,) each, ascending; m < bucket_count if buckets have no finite value.
    """
    finite = np.isfinite(values)
    if finite.all():
        return _find_in_buckets(np.argmin, values, bucket_count), _find_in_buckets(np.argmax, values, bucket_count)
    lowest = _find_in_buckets(np.argmin, np.where(finite, values, np.inf), bucket_count)
    highest = _find_in_buckets(np.argmax, np.where(finite, values, -np.inf), bucket_count)
    # a bucket without a finite value names one that is not
    return lowest[finite[lowest]], highest[finite[highest]]


def _find_in_buckets(find: Callable[..., Indices], values: Floats, bucket_count: int) -> Indices:
    """intp (bucket_count,): where ``find`` (argmin or argmax) points in each bucket. values: float64 (n,), no NaN."""
    size, larger = divmod(len(values), bucket_count)
    split, rest = larger * (size + 1), bucket_count - larger
    of_larger = find(values[:split].reshape(larger, size + 1), axis=1) + np.arange(larger) * (size + 1)
    of_rest = find(values[split:].reshape(rest, size), axis=1) + np.arange(rest) * size + split
    return np.concatenate((of_larger, of_rest))


def m4(values: Floats, *, max_points: int) -> Indices:
    """Which points to draw: per bucket the first, lowest, highest and last.

    values: float64 (n,), finite, in drawing order. max_points: at least MIN_POINTS.
    Returns intp (k,), ascending, k <= max_points; all n points if that many may be kept.
    """
    count = len(values)
    if count <= max_points:
        return np.arange(count)
    bounds = bucket_bounds(count, max_points // MIN_POINTS)
    lowest, highest = bucket_extremes(values, len(bounds) - 1)
    return _distinct(np.concatenate((bounds[:-1], lowest, highest, bounds[1:] - 1)))


def pick_rows(row_count: int, metrics: Sequence[Floats], *, max_rows: int) -> tuple[Indices, bool]:
    """Which rows of a table to answer with, at most ``max_rows``.

    Kept: the first and the last row; while there is room, the rows of each metric's global minimum and maximum;
    then the minima and maxima of buckets; the metrics take turns when not all of them have room in each bucket.
    metrics: float64 (row_count,) each; NaN where a row has no number; one without any takes no turn.
    max_rows: at least MIN_ROWS.
    Returns (intp (k,), ascending; whether every global extreme is among them).
    """
    if row_count <= max_rows:
        return np.arange(row_count), True
    metrics = [values for values in metrics if np.isfinite(values).any()]
    kept = dict.fromkeys((0, row_count - 1))
    extremes = [int(place) for values in metrics for found in bucket_extremes(values, 1) for place in found]
    for place in extremes:
        if len(kept) < max_rows:
            kept[place] = None
    complete = all(place in kept for place in extremes)
    spread = _bucket_rows(metrics, (max_rows - len(kept)) // 2)
    return _distinct(np.concatenate((np.fromiter(kept, np.intp, len(kept)), spread))), complete


def _bucket_rows(metrics: Sequence[Floats], pair_count: int) -> Indices:
    """Rows of the lowest and highest values of up to ``pair_count`` (bucket, metric) pairs, over the whole range."""
    found: list[Indices] = []
    if not metrics or pair_count == 0:
        return np.empty(0, np.intp)
    if pair_count >= len(metrics):
        for values in metrics:
            found += bucket_extremes(values, pair_count // len(metrics))
        return np.concatenate(found)
    bounds = bucket_bounds(len(metrics[0]), pair_count)
    for turn, (start, end) in enumerate(itertools.pairwise(bounds)):
        values = metrics[turn % len(metrics)][start:end]
        found += (places + start for places in bucket_extremes(values, 1))
    return np.concatenate(found)


def _distinct(places: Indices) -> Indices:
    """Each place once, ascending; np.unique would load numpy.ma, 10 ms at the first request."""
    return np.array(sorted(set(places.tolist())), np.intp)
