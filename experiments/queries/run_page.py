"""What the run page shows: its head, the cards of its charts, its documents, its images; and the problems page."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from django.core.paginator import Page, Paginator

from experiments.models import Alert, Media, MetricSeries, Problem, Run, RunDetail
from experiments.queries.shell import visible_problems
from experiments.queries.shown_runs import ambiguous_ids, run_address, state_of, stopped_at, tags_of, visible_runs
from runicorn.errors import StorageDamaged
from runicorn.storage import layout
from runicorn.storage.documents import read_document

IMAGES_PER_PAGE = 60
PROBLEMS_PER_PAGE = 100
ALERTS_PER_PAGE = 100
#: A run with more metrics than this shows the first ones by name; the others are found by the name filter's URL.
MAX_CARDS = 2000


@dataclass(frozen=True)
class RunLink:
    """A run that a page names, and the query its link needs."""

    run_id: str
    address: str


@dataclass(frozen=True)
class RunHead:
    """What stands above every tab. address: the query that keeps links on this very directory, mostly empty."""

    run: Run
    address: str
    state: str
    started_at: float
    stopped_at: float | None
    tags: tuple[str, ...]
    image_count: int
    alert_count: int
    problems: list[Problem]
    newer: RunLink | None
    older: RunLink | None

    @property
    def title(self) -> str:
        return self.run.display_name or self.run.run_id


@dataclass(frozen=True)
class MetricCard:
    """One metric's card before its chart is drawn."""

    name: str
    count: int
    non_finite_count: int
    last_value: float | None
    last_step: int


@dataclass(frozen=True)
class MetricSection:
    """The cards whose names share what stands before the first slash; '' for names without one."""

    prefix: str
    cards: list[MetricCard]


@dataclass(frozen=True)
class Image:
    """A logged image. name: inside the run's media folder; None for a path elsewhere, which is not served."""

    key: str
    name: str | None
    step: int | None
    caption: str | None


@dataclass(frozen=True)
class ImagePage:
    """One page of a run's images in groups by key."""

    page: Page[Media]
    groups: list[tuple[str, list[Image]]]


@dataclass(frozen=True)
class ProblemRow:
    """A file that could not be used, and the run whose it is."""

    file: str
    reason: str
    seen_at: float
    run: RunLink | None


@dataclass(frozen=True)
class ProblemPage:
    page: Page[Problem]
    rows: list[ProblemRow]


@dataclass(frozen=True)
class GitState:
    """The code that a run began with."""

    commit: str
    branch: str
    message: str
    has_changes: bool


@dataclass(frozen=True)
class Documents:
    """What the overview prints. environment: None if the file is missing or unreadable (then ``damage`` says why)."""

    config: dict[str, Any]
    summary: dict[str, Any]
    notes: str
    environment: dict[str, Any] | None
    packages: list[str]
    damage: str


def run_head(run: Run) -> RunHead:
    """run: loaded with its root."""
    newer, older = _neighbours(run)
    ambiguous = ambiguous_ids({run.run_id} | {beside.run_id for beside in (newer, older) if beside})
    return RunHead(
        run=run,
        address=run_address(run, ambiguous=run.run_id in ambiguous),
        state=state_of(run),
        started_at=run.created_at if run.started_at is None else run.started_at,
        stopped_at=stopped_at(run),
        tags=tags_of(run),
        image_count=run.media.count(),
        alert_count=run.alerts.count(),
        problems=list(run.problems.all()[:PROBLEMS_PER_PAGE]),
        newer=_link(newer, ambiguous),
        older=_link(older, ambiguous),
    )


def metric_sections(run: Run) -> list[MetricSection]:
    """The run's metrics by name, in sections by prefix; those without a prefix come first."""
    columns = ("key__name", "count", "non_finite_count", "last_value", "last_step")
    series = MetricSeries.objects.filter(run=run).order_by("key__name").values_list(*columns)[:MAX_CARDS]
    sections: dict[str, list[MetricCard]] = {}
    for name, *rest in series:
        prefix = name.partition("/")[0] if "/" in name else ""
        sections.setdefault(prefix, []).append(MetricCard(name, *rest))
    return [MetricSection(prefix, sections[prefix]) for prefix in sorted(sections)]


def documents_of(run: Run) -> Documents:
    """The run's config, summary, notes and environment; the last one is read from its file."""
    detail = RunDetail.objects.filter(run=run).only("config", "summary", "notes").first() or RunDetail(run=run)
    environment, damage = None, ""
    try:
        environment = read_document(Path(run.directory), layout.ENVIRONMENT)
    except StorageDamaged as error:
        damage = str(error)
    packages = _texts((environment or {}).get("pip_packages")) + _texts((environment or {}).get("conda_packages"))
    return Documents(
        config=_mapping(detail.config),
        summary=_mapping(detail.summary),
        notes=detail.notes,
        environment=environment,
        packages=sorted(packages, key=str.casefold),
        damage=damage,
    )


def git_state(environment: Mapping[str, Any] | None) -> GitState | None:
    """What the environment says of git; None if it says no commit."""
    said = (environment or {}).get("git_info")
    if not isinstance(said, Mapping) or not said.get("commit"):
        return None
    commit, branch, message = (str(said.get(key) or "") for key in ("commit", "branch", "last_commit_message"))
    return GitState(commit, branch, message, bool(said.get("has_changes")))


def image_page(run: Run, *, page_number: str | None) -> ImagePage:
    """One page of the run's images, by key and step."""
    page = Paginator(run.media.order_by("key", "step", "pk"), IMAGES_PER_PAGE).get_page(page_number)
    groups = groupby((image_of(media) for media in page.object_list), key=attrgetter("key"))
    return ImagePage(page, [(key, list(images)) for key, images in groups])


def alert_page(run: Run, *, page_number: str | None) -> Page[Alert]:
    """One page of the run's alerts, newest first."""
    return Paginator(run.alerts.all(), ALERTS_PER_PAGE).get_page(page_number)


def problem_page(*, page_number: str | None) -> ProblemPage:
    """One page of what the mirror could not use, by path."""
    problems = visible_problems().select_related("root", "run__root")
    page = Paginator(problems, PROBLEMS_PER_PAGE).get_page(page_number)
    ambiguous = ambiguous_ids({problem.run.run_id for problem in page.object_list if problem.run})
    return ProblemPage(page, [_problem_row(problem, ambiguous) for problem in page.object_list])


def _neighbours(run: Run) -> tuple[Run | None, Run | None]:
    """The next newer and the next older run, in the order of the table: newest first, then by id."""
    runs = visible_runs().select_related("root")
    # a range and an exception, not "later or same time and ...": SQLite would sort all runs for that
    newer = runs.filter(created_at__gte=run.created_at).exclude(created_at=run.created_at, run_id__gte=run.run_id)
    older = runs.filter(created_at__lte=run.created_at).exclude(created_at=run.created_at, run_id__lte=run.run_id)
    return newer.order_by("created_at", "-run_id").first(), older.order_by("-created_at", "run_id").first()


def _link(run: Run | None, ambiguous: Collection[str]) -> RunLink | None:
    return None if run is None else RunLink(run.run_id, run_address(run, ambiguous=run.run_id in ambiguous))


def image_of(media: Media) -> Image:
    folder, _, name = media.path.partition("/")
    return Image(media.key, name if folder == layout.MEDIA_DIR else None, media.step, media.caption)


def _problem_row(problem: Problem, ambiguous: Collection[str]) -> ProblemRow:
    file = f"{problem.root.path}/{problem.path}"
    return ProblemRow(file, problem.reason, problem.seen_at, _link(problem.run, ambiguous))


def _mapping(value: object) -> dict[str, Any]:
    """A document that is no object (a hand-made file) is shown under one key rather than lost."""
    return dict(value) if isinstance(value, Mapping) else {"value": value}


def _texts(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else []
