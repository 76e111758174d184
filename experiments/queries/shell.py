"""What the frame around every page needs."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from experiments.models import Change, Problem


@dataclass(frozen=True)
class Shell:
    """now: Unix seconds by the server's clock. change_number: of the newest change of the index.

    To be read before anything else of the page: the open page then asks for all changes after that number, and none
    that happened while the page was made or on its way is missed.
    """

    now: float
    change_number: int
    problem_count: int


def page_shell(*, now: float) -> Shell:
    newest = Change.objects.order_by("-pk").values_list("pk", flat=True).first()
    return Shell(now=now, change_number=newest or 0, problem_count=visible_problems().count())


def visible_problems() -> QuerySet[Problem]:
    """The problems of roots that are switched on."""
    return Problem.objects.filter(root__enabled=True).order_by("root", "path")
