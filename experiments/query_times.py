"""How long the last V2 queries of this process took."""

from __future__ import annotations

import time
from collections import deque

#: Enough for an average that one slow query does not decide, few enough to forget yesterday.
KEPT = 1000

_times_ms: deque[float] = deque(maxlen=KEPT)


def query_time_ms(started: float) -> float:
    """Milliseconds since ``started`` (time.perf_counter), rounded as answers give them; the average counts them."""
    took = round((time.perf_counter() - started) * 1000, 2)
    _times_ms.append(took)
    return took


def average_query_time_ms() -> float:
    """Of the last KEPT queries; 0 before the first."""
    times = list(_times_ms)  # another thread may add one meanwhile
    return round(sum(times) / len(times), 3) if times else 0.0
