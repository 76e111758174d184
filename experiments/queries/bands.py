"""Several runs as one line with a band: what a group's runs have in common, and how far they spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from experiments.queries.lines import Line
from runicorn.errors import InvalidInput

Numbers = npt.NDArray[np.float64]
CENTERS = ("mean", "median")
SPREADS = ("std", "se", "ci95", "minmax")
#: The 97.5 % quantiles of Student's t for 1 to 30 degrees of freedom; beyond, the normal distribution's is 2 % off at
#: most. Few runs are the usual case, where the normal quantile would promise too much: 12.7 against 1.96 for two.
_T = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131,
    2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
_NORMAL = 1.960


@dataclass(frozen=True)
class Band:
    """x, y, low, high: float64 (k,). counts: int64 (k,), how many runs have a value at each x. run_count: in all."""

    x: Numbers
    y: Numbers
    low: Numbers
    high: Numbers
    counts: npt.NDArray[np.int64]
    run_count: int


def check_band(center: str, spread: str) -> None:
    """Raises InvalidInput."""
    if center not in CENTERS or spread not in SPREADS:
        raise InvalidInput(f"A band is made of {' or '.join(CENTERS)} and one of {', '.join(SPREADS)}.")


def band_of(lines: Sequence[Line], *, center: str, spread: str, max_points: int) -> Band:
    """One band of the lines of a group's runs, which hold every point (smoothed where they are).

    Where the runs have at most ``max_points`` different x in all, those are its places; else as many equal stretches,
    each run being its mean there. A run counts from its first point to its last; in between it is interpolated.
    center: of CENTERS. spread: of SPREADS; ``minmax`` reaches to the lowest and highest single point.
    """
    drawn = [_sorted(line) for line in lines if len(line.x)]
    if not drawn:
        empty = np.empty(0)
        return Band(empty, empty, empty, empty, np.empty(0, np.int64), 0)
    places = _common(drawn, max_points)
    if places is not None:
        values = np.array([np.interp(places, x, y, left=np.nan, right=np.nan) for x, y in drawn])
        lowest, highest = values, values
    else:
        places, values, lowest, highest = _in_stretches(drawn, max_points)
    counts = (~np.isnan(values)).sum(axis=0)
    some = counts > 0
    places, counts = places[some], counts[some]
    values, lowest, highest = values[:, some], lowest[:, some], highest[:, some]
    middle = np.nanmean(values, axis=0) if center == "mean" else np.nanmedian(values, axis=0)
    if spread == "minmax":
        low, high = np.nanmin(lowest, axis=0), np.nanmax(highest, axis=0)
    else:
        reach = _reach(values, counts, spread)
        low, high = middle - reach, middle + reach
    return Band(places, middle, low, high, counts, len(drawn))


def _sorted(line: Line) -> tuple[Numbers, Numbers]:
    """The line's points by x: the smoothed ones if there are some. Of several at one x the last."""
    x, y = (line.smooth_x, line.smooth_y) if len(line.smooth_x) else (line.x, line.y)
    order = np.argsort(x, kind="stable")
    x, y = np.asarray(x, np.float64)[order], y[order]
    is_last = np.append(x[1:] != x[:-1], True)
    return x[is_last], y[is_last]


def _common(drawn: Sequence[tuple[Numbers, Numbers]], max_points: int) -> Numbers | None:
    """Every x that any run has; None if they are too many."""
    if max(len(x) for x, _ in drawn) > max_points:
        return None
    places = np.unique(np.concatenate([x for x, _ in drawn]))
    return places if len(places) <= max_points else None


def _in_stretches(
    drawn: Sequence[tuple[Numbers, Numbers]], stretch_count: int
) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """(middles (k,), means (runs, k), lowest (runs, k), highest (runs, k)); NaN outside of a run's range."""
    first, last = min(x[0] for x, _ in drawn), max(x[-1] for x, _ in drawn)
    edges = np.linspace(first, last, stretch_count + 1)
    middles = (edges[1:] + edges[:-1]) / 2
    means = np.full((len(drawn), stretch_count), np.nan)
    lowest, highest = means.copy(), means.copy()
    for row, (x, y) in enumerate(drawn):
        at = np.clip(np.searchsorted(edges, x, "right") - 1, 0, stretch_count - 1)
        starts = np.flatnonzero(np.append(True, at[1:] != at[:-1]))
        found, counts = at[starts], np.diff(np.append(starts, len(x)))
        of_stretch = np.add.reduceat(y, starts) / counts
        inside = slice(found[0], found[-1] + 1)
        means[row, inside] = np.interp(middles[inside], middles[found], of_stretch)
        lowest[row, found] = np.minimum.reduceat(y, starts)
        highest[row, found] = np.maximum.reduceat(y, starts)
        for extremes in (lowest, highest):  # a stretch without a point is where the line passes
            gaps = np.isnan(extremes[row, inside])
            extremes[row, inside][gaps] = means[row, inside][gaps]
    return middles, means, lowest, highest


def _reach(values: Numbers, counts: npt.NDArray[np.int64], spread: str) -> Numbers:
    """How far the band reaches to either side; 0 where there is one run."""
    deviation = np.zeros(values.shape[1])
    several = counts > 1
    deviation[several] = np.nanstd(values[:, several], axis=0, ddof=1)
    if spread == "std":
        return deviation
    error = deviation / np.sqrt(counts)
    if spread == "se":
        return error
    quantiles = np.array([0.0, *_T, _NORMAL])[np.minimum(counts - 1, len(_T) + 1)]
    return np.asarray(error * quantiles)
