"""How the values of compared runs relate: what parallel coordinates and a scatter draw, an axis a key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from experiments.models import Run
from experiments.queries.compare import Comparison, TableRow, is_seed, table_rows

#: Axes that can be chosen; of more the first ones, config before summary before metrics.
MAX_AXES = 300
#: Parallel axes that are drawn until somebody chooses: hyper-parameters, then what the runs are judged by.
FIRST_AXES = 6


@dataclass(frozen=True)
class Axis:
    """One key of the runs. values: in the order of the runs, numbers or texts; None where a run has none.

    is_number: whether all values are numbers; texts stand on their axis in order.
    """

    key: str
    area: str
    name: str
    is_number: bool
    values: list[float | str | None]


def axes_of(compared: Comparison) -> list[Axis]:
    """Whatever the runs differ in: config, summary and the last value of each metric."""
    rows = table_rows(compared, baseline=None, everything=False)
    return [_axis(row) for row in sorted(rows, key=lambda row: _ORDER[row.area])[:MAX_AXES]]


_ORDER = {"config": 0, "summary": 1, "metrics": 2}


def _axis(row: TableRow) -> Axis:
    said = [cell for cell in row.cells if cell.text is not None]
    is_number = all(cell.number is not None for cell in said)
    values = [cell.number if is_number else cell.text for cell in row.cells]
    return Axis(f"{row.area}.{row.name}", row.area, row.name, is_number, values)


def first_axes(axes: Sequence[Axis], runs: Sequence[Run]) -> list[Axis]:
    """A few that tell most: the first config keys but seeds, and the metric that most runs call their best."""
    judged = _judging_metric(axes, runs)
    config = [axis for axis in axes if axis.area == "config" and not is_seed(axis.area, axis.name)]
    others = [axis for axis in axes if axis.area != "config" and axis is not judged]
    last = [judged] if judged else others[:1]
    return [*config[: FIRST_AXES - len(last)], *last]


def chosen_axes(axes: Sequence[Axis], keys: Sequence[str], runs: Sequence[Run]) -> list[Axis]:
    """The axes of these keys in that order; the first ones if none of them is there."""
    by_key = {axis.key: axis for axis in axes}
    return [by_key[key] for key in dict.fromkeys(keys) if key in by_key] or first_axes(axes, runs)


def _judging_metric(axes: Sequence[Axis], runs: Sequence[Run]) -> Axis | None:
    names = [f"metrics.{run.best_metric_name}" for run in runs if run.best_metric_name]
    wanted = max(set(names), key=names.count) if names else ""
    return next((axis for axis in axes if axis.key == wanted), None)


def scatter_axes(axes: Sequence[Axis], x: str, y: str, runs: Sequence[Run]) -> list[Axis]:
    """The two axes; by default the first key that is a number, over what the runs are judged by."""
    if not axes:
        return []
    by_key = {axis.key: axis for axis in axes}
    first = [axis for axis in first_axes(axes, runs) if axis.is_number] or axes
    return [by_key.get(x, first[0]), by_key.get(y, first[-1])]


def for_script(axes: Sequence[Axis]) -> list[dict[str, Any]]:
    """What the drawing needs: a name, whether it is a number, a value a run."""
    return [{"name": axis.name, "is_number": axis.is_number, "values": axis.values} for axis in axes]
