"""Names that rows give by number, and their numbers.

Names are never removed: what was seen once stays true until the index is made anew, or the transaction that added it
failed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from experiments.mirror import write
from experiments.models import MetricKey, ValueKey

#: SQLite takes 999 parameters everywhere.
NAMES_A_QUERY = 900


class InternedKeys:
    def __init__(self) -> None:
        self._metrics: dict[str, int] = {}
        self._values: dict[tuple[str, str], int] = {}

    def of_metrics(self, names: Iterable[str]) -> dict[str, int]:
        """MetricKey.pk by name; what is missing is added."""
        names = list(names)
        missing = [name for name in names if name not in self._metrics]
        for start in range(0, len(missing), NAMES_A_QUERY):
            some = missing[start : start + NAMES_A_QUERY]
            known = MetricKey.objects.filter(name__in=some).values_list("name", "pk")
            self._metrics.update(known)
            if new := [name for name in some if name not in self._metrics]:
                self._metrics.update(write.add_keys(new))
        return {name: self._metrics[name] for name in names}

    def of_values(self, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
        """ValueKey.pk by area and name; what is missing is added."""
        missing = sorted(key for key in wanted if key not in self._values)
        for start in range(0, len(missing), NAMES_A_QUERY):
            some = missing[start : start + NAMES_A_QUERY]
            ValueKey.objects.bulk_create([ValueKey(area=area, name=name) for area, name in some], ignore_conflicts=True)
            rows = ValueKey.objects.filter(name__in={name for _, name in some}).values_list("area", "name", "pk")
            self._values.update({(area, name): pk for area, name, pk in rows})
        return {key: self._values[key] for key in wanted}
