"""The best value of a run's primary metric."""

from __future__ import annotations

import math
import sys
import threading
from typing import Any

from runicorn.errors import InvalidInput
from runicorn.storage.plain import as_number

MODES = ("max", "min")


class BestMetric:
    """Keeps the best finite value of one metric: the first seen, then each that is strictly better."""

    def __init__(self, name: str, mode: str) -> None:
        """Raises InvalidInput for another mode than ``max`` and ``min``."""
        if mode not in MODES:
            raise InvalidInput(f"mode is {mode!r}; choose 'max' or 'min'.")
        if not isinstance(name, str) or not name:
            raise InvalidInput(f"The primary metric is {name!r}; give its name.")
        self.name = name
        self.mode = mode
        self._best: tuple[float, int] | None = None
        # a signal handler may log in the midst of the same thread's see()
        self._lock = threading.RLock()

    def see(self, value: Any, step: int) -> None:
        """Look at one logged value, of whatever type."""
        number = as_number(value)
        if number is None or abs(number) > sys.float_info.max or not self._is_better(number) or math.isnan(number):
            return
        with self._lock:
            if self._is_better(number):
                self._best = (number, step)

    def summary(self) -> dict[str, Any]:
        """The reserved keys of summary.json; the value's and the step's only if a value was seen."""
        keys: dict[str, Any] = {"best_metric_name": self.name, "best_metric_mode": self.mode}
        if self._best is not None:
            keys |= {"best_metric_value": self._best[0], "best_metric_step": self._best[1]}
        return keys

    def _is_better(self, number: float) -> bool:
        if self._best is None:
            return True
        return number > self._best[0] if self.mode == "max" else number < self._best[0]
