"""A row of the table, and the few statistics it needs."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class Row:
    """One measured figure. limit: the most it may be, in ``unit``; None: said for orientation."""

    name: str
    value: float
    unit: str
    limit: float | None = None
    #: What the figure is made of: other percentiles, what it was compared with.
    detail: dict[str, Any] = field(default_factory=dict)
    calibration: dict[str, float] = field(default_factory=dict)
    is_noisy: bool = False

    @property
    def is_met(self) -> bool:
        return self.limit is None or self.value <= self.limit

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"is_met": self.is_met}


def median(samples: Sequence[float]) -> float:
    return statistics.median(samples)


def percentile(samples: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def milliseconds(action: Callable[[], object]) -> float:
    begin = time.perf_counter()
    action()
    return (time.perf_counter() - begin) * 1000


def wait_until(condition: Callable[[], bool], *, timeout_s: float, what: str, every_s: float = 0.02) -> None:
    """Raises TimeoutError naming ``what`` if the condition does not come true."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not happen within {timeout_s:.0f} s.")
        time.sleep(every_s)
