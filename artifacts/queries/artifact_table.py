"""What the table of artifacts shows: a page of rows, and the counts beside the types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Count, F, OrderBy, QuerySet
from django.urls import reverse

from artifacts.models import Artifact, ArtifactVersion
from artifacts.queries.artifacts import aliases_of
from artifacts.queries.links import RunLink, ambiguous_names, artifact_address, run_links
from experiments.queries.palette import Offer
from experiments.queries.runs import root_places
from experiments.queries.shown_runs import search_words
from runicorn.artifacts.names import LATEST
from runicorn.errors import InvalidInput
from runicorn.storage.layout import ARTIFACT_TYPES

ARTIFACTS_PER_PAGE = 50
MAX_OFFERS = 5
#: The word of each sort, and the column behind it.
SORTS = {
    "name": "name",
    "type": "type",
    "versions": "version_count",
    "size": "latest_size_bytes",
    "updated": "updated_at",
}


@dataclass(frozen=True)
class ArtifactFilter:
    """The choices in the table's URL. Empty means "all"; ``sort`` begins with ``-`` for descending.

    deleted: also the artifacts of which every version is in the recycle bin.
    """

    type: str = ""
    text: str = ""
    sort: str = "-updated"
    deleted: bool = False

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> ArtifactFilter:
        """Raises InvalidInput for a type or sort key that does not exist."""
        chosen = cls(
            type=query.get("type", ""),
            text=query.get("q", "").strip(),
            sort=query.get("sort") or "-updated",
            deleted=query.get("deleted", "") == "1",
        )
        if chosen.type and chosen.type not in ARTIFACT_TYPES:
            raise InvalidInput(f"The type {chosen.type!r} is unknown; choose one of {', '.join(ARTIFACT_TYPES)}.")
        if chosen.sort.removeprefix("-") not in SORTS:
            raise InvalidInput(f"Artifacts cannot be sorted by {chosen.sort!r}; choose one of {', '.join(SORTS)}.")
        return chosen

    @property
    def is_active(self) -> bool:
        """Whether some artifacts are left out by choice."""
        return bool(self.type or self.text)

    @property
    def shows_newest_first(self) -> bool:
        return self.sort == "-updated"

    def query_string(self, *, page: int = 1, **changes: str | bool) -> str:
        """The URL's query for these choices with ``changes``; what is left at its default is not written."""
        changed = replace(self, **changes)  # type: ignore[arg-type]  # the caller names fields of ours
        pairs = [
            ("type", changed.type),
            ("q", changed.text),
            ("deleted", "1" if changed.deleted else ""),
            ("sort", "" if changed.sort == "-updated" else changed.sort),
            ("page", "" if page == 1 else str(page)),
        ]
        return urlencode([pair for pair in pairs if pair[1]])


@dataclass(frozen=True)
class ArtifactRow:
    """One line of the table. address: the query that tells artifacts of one name apart, mostly empty.

    latest: None if every version is in the recycle bin. aliases: without ``latest``. made_by: the latest version's run.
    """

    name: str
    type: str
    root: str
    address: str
    latest: int | None
    version_count: int
    size_bytes: int
    updated_at: float
    aliases: tuple[tuple[str, int], ...]
    made_by: RunLink | None


@dataclass(frozen=True)
class ArtifactTable:
    """One page of the table and all that is printed around it. counts: by type, '' for all of them.

    shows_roots: whether there is more than one storage root to tell apart.
    """

    choice: ArtifactFilter
    page: Page[Artifact]
    rows: list[ArtifactRow]
    counts: dict[str, int]
    total: int
    shows_roots: bool

    @property
    def pager_start(self) -> str:
        """The URL's query up to the page number."""
        query = self.choice.query_string()
        return f"?{query}&" if query else "?"

    @property
    def deleted_switch(self) -> str:
        """The URL's query that shows, or hides again, what is only in the recycle bin."""
        return self.choice.query_string(deleted=not self.choice.deleted)


def artifact_table(choice: ArtifactFilter, *, page_number: str | int | None) -> ArtifactTable:
    """The page of the table that ``choice`` asks for; a page number beyond the end gives the last page."""
    roots = {pk: place.key for pk, place in root_places().items() if place.enabled}
    found = _matching(replace(choice, type=""), roots)
    by_type = dict(found.values_list("type").annotate(Count("pk")))
    counts = {type_: by_type.get(type_, 0) for type_ in ARTIFACT_TYPES} | {"": sum(by_type.values())}
    shown = found.filter(type=choice.type) if choice.type else found
    paginator = Paginator(shown.defer("marks", "search_text").order_by(*_ordering(choice.sort)), ARTIFACTS_PER_PAGE)
    paginator.count = counts[choice.type]  # known already: the paginator asks no more
    page = paginator.get_page(page_number)
    return ArtifactTable(
        choice=choice,
        page=page,
        rows=_rows(list(page.object_list), roots),
        counts=counts,
        total=counts[choice.type],
        shows_roots=len(roots) > 1,
    )


def offers_of(text: str) -> list[Offer]:
    """For the command palette: the artifacts whose name, tags or description hold each of the words, newest first."""
    roots = {pk: place.key for pk, place in root_places().items() if place.enabled}
    choice = ArtifactFilter(text=text)
    found = list(_matching(choice, roots).defer("marks", "search_text").order_by(*_ordering(choice.sort))[:MAX_OFFERS])
    ambiguous = ambiguous_names({one.name for one in found})
    return [
        Offer(
            one.name,
            one.type,
            reverse("artifact", args=[one.name])
            + artifact_address(one.type, roots[one.root_id], is_ambiguous=one.name in ambiguous),
        )
        for one in found
    ]


def _matching(choice: ArtifactFilter, roots: Iterable[int]) -> QuerySet[Artifact]:
    artifacts = Artifact.objects.filter(root__in=list(roots)).order_by()
    if not choice.deleted:
        artifacts = artifacts.filter(latest_version__isnull=False)
    for word in search_words(choice.text):
        artifacts = artifacts.filter(search_text__contains=word)
    return artifacts


def _ordering(sort: str) -> list[OrderBy | str]:
    """Ends with the newest first, so that equal values keep their order from page to page."""
    descending = sort.startswith("-")
    first = OrderBy(F(SORTS[sort.removeprefix("-")]), descending=descending)
    return [first, "-updated_at", "name", "type", "pk"]


def _rows(artifacts: Sequence[Artifact], roots: Mapping[int, str]) -> list[ArtifactRow]:
    aliases = aliases_of(artifact.pk for artifact in artifacts)
    ambiguous = ambiguous_names({artifact.name for artifact in artifacts})
    makers = _makers([artifact.pk for artifact in artifacts])
    return [
        ArtifactRow(
            name=artifact.name,
            type=artifact.type,
            root=roots[artifact.root_id],
            address=artifact_address(artifact.type, roots[artifact.root_id], is_ambiguous=artifact.name in ambiguous),
            latest=artifact.latest_version,
            version_count=artifact.version_count,
            size_bytes=artifact.latest_size_bytes,
            updated_at=artifact.updated_at,
            aliases=tuple(pair for pair in aliases.get(artifact.pk, {}).items() if pair[0] != LATEST),
            made_by=makers.get(artifact.pk),
        )
        for artifact in artifacts
    ]


def _makers(artifacts: Sequence[int]) -> dict[int, RunLink]:
    """The run that made the latest version, by Artifact.pk; without those that say none."""
    latest = ArtifactVersion.objects.filter(artifact__in=artifacts, number=F("artifact__latest_version"))
    made_by = list(latest.exclude(created_by_run="").values_list("artifact_id", "artifact__root_id", "created_by_run"))
    links = run_links((root, run_id) for _, root, run_id in made_by)
    return {artifact: links[root, run_id] for artifact, root, run_id in made_by}
