"""The images of several runs side by side: one key, at one step."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import OuterRef, Subquery

from experiments.models import Media, Run
from experiments.queries.run_page import Image, image_of

MAX_STEPS = 2000


@dataclass(frozen=True)
class ComparedImages:
    """keys: of any of the runs. steps: at which any of them has an image of the key, ascending; step: the one shown.

    images: in the order of the runs, the newest of each up to the step; None where a run has none by then.
    """

    keys: list[str]
    key: str
    steps: list[int]
    step: int | None
    images: list[Image | None]

    @property
    def earlier(self) -> int | None:
        return next((step for step in reversed(self.steps) if self.step is not None and step < self.step), None)

    @property
    def later(self) -> int | None:
        return next((step for step in self.steps if self.step is not None and step > self.step), None)


def compared_images(runs: Sequence[Run], *, key: str, step: int | None) -> ComparedImages:
    """The images of ``key`` up to ``step``; of the first key and the last step unless they are given."""
    media = Media.objects.filter(run__in=list(runs))
    keys = list(media.order_by("key").values_list("key", flat=True).distinct())
    shown = key if key in keys else (keys[0] if keys else "")
    found = media.filter(key=shown, step__isnull=False)
    last = found.order_by("-step").values_list("step", flat=True).distinct()[:MAX_STEPS]
    steps = [one for one in reversed(last) if one is not None]
    at = steps[max(0, bisect_right(steps, step) - 1)] if steps and step is not None else (steps[-1] if steps else None)
    shown_by_then = found.filter(step__lte=at) if at is not None else media.filter(key=shown)
    # by the database: a run may have logged ten thousand, of which one is shown
    newest = shown_by_then.filter(run=OuterRef("pk")).order_by("-step", "-pk").values("pk")[:1]
    keys_of_newest = Run.objects.filter(pk__in=[run.pk for run in runs]).values_list(Subquery(newest), flat=True)
    of_runs = {one.run_id: image_of(one) for one in Media.objects.filter(pk__in=list(keys_of_newest))}
    return ComparedImages(keys, shown, steps, at, [of_runs.get(run.pk) for run in runs])
