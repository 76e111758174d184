"""What narrows the admin's lists of artifacts and versions. None of them counts."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from artifacts.templatetags.artifact_pages import STAGE_WORDS, TYPE_WORDS
from experiments.admin.filters import Choices, RecycleBinFilter, RootFilter, RunFilter


class TypeFilter(RunFilter):
    title, parameter_name = _("type"), "type"
    field = "type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return list(TYPE_WORDS.items())

    def matching(self, runs: QuerySet[Any], value: str) -> QuerySet[Any]:
        return runs.filter(**{self.field: value})


class VersionTypeFilter(TypeFilter):
    field = "artifact__type"


class StageFilter(RunFilter):
    title, parameter_name = _("stage"), "stage"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Choices:
        return [(stage, word) for stage, (word, _shape) in STAGE_WORDS.items()]

    def matching(self, runs: QuerySet[Any], value: str) -> QuerySet[Any]:
        return runs.filter(stage=value)


class VersionRootFilter(RootFilter):
    def matching(self, runs: QuerySet[Any], value: str) -> QuerySet[Any]:
        return runs.filter(artifact__root__key=value)


VERSION_FILTERS = (VersionTypeFilter, StageFilter, VersionRootFilter, RecycleBinFilter)
