"""Several runs side by side: what differs, what that makes of their names, which are the same but for the seed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from experiments.models import MetricSeries, Run, RunValue, ValueKey
from experiments.queries.run_documents import environment_of
from experiments.queries.runs import find_runs_by_id
from experiments.query_language.fields import Field, Vocabulary, run_expression

MAX_RUNS = 200
#: Drawn until the reader asks for more.
SHOWN_AT_FIRST = 10
MAX_METRICS = 2000
#: Differing keys in a run's label; more are in the table.
LABEL_KEYS = 3
#: Values of one config that are compared; longer texts are cut in labels.
LABEL_CHARS = 24
#: Packages and the like; a reader looks for few of them.
MAX_ENVIRONMENT_ROWS = 1000
#: ``group=`` of runs that differ in nothing but their seed.
SEEDS = "seeds"


def is_seed(area: str, name: str) -> bool:
    """Whether a key only says how a run was shuffled."""
    return area == "config" and name.rpartition(".")[2].casefold().endswith("seed")


@dataclass(frozen=True)
class Difference:
    """A config or summary key that not all of the runs agree on. texts: by Run.pk; runs without it are left out."""

    area: str
    name: str
    texts: Mapping[int, str]
    numbers: Mapping[int, float | None]
    differs: bool

    @property
    def is_seed(self) -> bool:
        return is_seed(self.area, self.name)


@dataclass(frozen=True)
class Comparison:
    """runs: in the order asked for. missing: ids that no run has. differences: by area, config first, then name."""

    runs: list[Run]
    missing: list[str]
    values: list[Difference]
    labels: Mapping[int, str] = field(default_factory=dict)

    @property
    def differences(self) -> list[Difference]:
        return [one for one in self.values if one.differs]


def comparison_of(run_ids: Sequence[str]) -> Comparison:
    """The first MAX_RUNS of these runs, compared."""
    runs, missing = compared_runs(run_ids)
    values = _values([run.pk for run in runs])
    return Comparison(
        runs=runs,
        missing=missing,
        values=values,
        labels=_labels(runs, [one for one in values if one.differs and one.area == "config"]),
    )


def compared_runs(run_ids: Sequence[str]) -> tuple[list[Run], list[str]]:
    """The first MAX_RUNS of these runs, and the ids that no run has."""
    wanted = list(dict.fromkeys(run_ids))[:MAX_RUNS]
    found = find_runs_by_id(wanted)
    runs = [found[run_id] for run_id in wanted if run_id in found]
    return runs, [run_id for run_id in wanted if run_id not in found]


def _values(keys: Sequence[int]) -> list[Difference]:
    texts: dict[int, dict[int, str]] = {}
    numbers: dict[int, dict[int, float | None]] = {}
    for run, key, text, number in RunValue.objects.filter(run_id__in=keys).values_list(
        "run_id", "key_id", "text", "number"
    ):
        texts.setdefault(key, {})[run] = text
        numbers.setdefault(key, {})[run] = number
    names = ValueKey.objects.in_bulk(list(texts))
    found = [
        Difference(names[key].area, names[key].name, of, numbers[key], _differ(of, keys)) for key, of in texts.items()
    ]
    return sorted(found, key=lambda one: (one.area, one.name))


def _labels(runs: Sequence[Run], differences: Sequence[Difference]) -> dict[int, str]:
    """A run's name if people gave it one, else what its config differs in, else its id."""
    chosen = _telling(runs, differences)
    labels = {}
    for run in runs:
        said = [f"{one.name.rpartition('.')[2]}={_short(one.texts[run.pk])}" for one in chosen if run.pk in one.texts]
        labels[run.pk] = run.display_name or " ".join(said) or run.run_id
    return labels


def _telling(runs: Sequence[Run], differences: Sequence[Difference]) -> list[Difference]:
    """The few keys that tell most runs apart: each adds most to those before it, a seed only if no other does."""
    chosen: list[Difference] = []
    told: dict[int, tuple[str | None, ...]] = {run.pk: () for run in runs}
    left = list(differences)
    while left and len(chosen) < LABEL_KEYS:
        with_each = [{pk: (*said, one.texts.get(pk)) for pk, said in told.items()} for one in left]
        gains = [(len(set(said.values())), not one.is_seed) for one, said in zip(left, with_each, strict=True)]
        best = max(range(len(left)), key=lambda place: (gains[place], -place))
        if gains[best][0] <= len(set(told.values())):
            break
        told = with_each[best]
        chosen.append(left.pop(best))
    return sorted(chosen, key=lambda one: one.is_seed)


def _short(text: str) -> str:
    return text if len(text) <= LABEL_CHARS else f"{text[: LABEL_CHARS - 1]}…"


def seed_groups(compared: Comparison) -> dict[int, str]:
    """By Run.pk what its config says but for seeds, where not all runs agree; empty if no two runs say the same."""
    others = [one for one in compared.differences if one.area == "config" and not one.is_seed]
    seeds = [one for one in compared.differences if one.is_seed]
    said = {
        run.pk: " ".join(f"{one.name}={_short(one.texts[run.pk])}" for one in others if run.pk in one.texts)
        for run in compared.runs
    }
    has_pairs = len(set(said.values())) < len(said)
    return {pk: text or _common_name(compared.runs) for pk, text in said.items()} if seeds and has_pairs else {}


def _common_name(runs: Sequence[Run]) -> str:
    names = {run.name for run in runs}
    return names.pop() or "" if len(names) == 1 else ""


def groups_by(compared: Comparison, fields: Sequence[Field], *, now: float) -> dict[int, str]:
    """By Run.pk what these fields say of it, as one text."""
    words = Vocabulary.of(fields, now=now)
    keys = [run.pk for run in compared.runs]
    said: dict[int, list[str]] = {key: [] for key in keys}
    for named in fields:
        of_runs = _texts(named, keys, words, compared)
        for key in keys:
            said[key].append(f"{named.name}={of_runs.get(key, '–')}")
    return {key: " ".join(texts) for key, texts in said.items()}


def _texts(named: Field, keys: Sequence[int], words: Vocabulary, compared: Comparison) -> Mapping[int, str]:
    if named.area in ValueKey.Area.values:
        found = (one.texts for one in compared.values if (one.area, one.name) == (named.area, named.name))
        return next(found, {})
    rows = Run.objects.filter(pk__in=keys).annotate(asked=run_expression(named.name, words))
    return {key: str(value) for key, value in rows.values_list("pk", "asked") if value is not None}


def compared_metrics(runs: Iterable[Run]) -> dict[str, list[str]]:
    """The metrics that any of the runs has, by what stands before the first slash ('' for none), each sorted."""
    names = MetricSeries.objects.filter(run__in=list(runs)).order_by("key__name").values_list("key__name", flat=True)
    sections: dict[str, list[str]] = {}
    for name in names.distinct()[:MAX_METRICS]:
        sections.setdefault(name.partition("/")[0] if "/" in name else "", []).append(name)
    return dict(sorted(sections.items()))


@dataclass(frozen=True)
class TableCell:
    """text: None where a run has no value. delta: a number's difference to the baseline's."""

    text: str | None
    number: float | None = None
    delta: float | None = None
    differs: bool = False


@dataclass(frozen=True)
class TableRow:
    area: str
    name: str
    cells: list[TableCell]


def environment_rows(compared: Comparison, *, baseline: Run | None, everything: bool) -> list[TableRow]:
    """What the runs recorded of their machines, packages and code, from their files; as ``table_rows``."""
    said: dict[str, dict[int, str]] = {}
    for run in compared.runs:
        for name, text in _environment_texts(environment_of(run) or {}).items():
            said.setdefault(name, {})[run.pk] = text
    keys = [run.pk for run in compared.runs]
    shown = [(name, texts) for name, texts in sorted(said.items()) if everything or _differ(texts, keys)]
    return [_row("environment", name, keys, texts, {}, baseline) for name, texts in shown[:MAX_ENVIRONMENT_ROWS]]


def _environment_texts(environment: Mapping[str, Any]) -> dict[str, str]:
    """Values by dotted name; a package's version by its name."""
    texts: dict[str, str] = {}
    for key, value in environment.items():
        if key in ("pip_packages", "conda_packages") and isinstance(value, list):
            pairs = (str(package).partition("==") for package in value)
            texts |= {f"{key}.{name}": version or "✓" for name, _, version in pairs}
        elif isinstance(value, Mapping):
            texts |= {f"{key}.{inner}": str(one) for inner, one in value.items()}
        else:
            texts[key] = str(value)
    return texts


def _differ(texts: Mapping[int, str], keys: Sequence[int]) -> bool:
    return len(texts) < len(keys) or len(set(texts.values())) > 1


def table_rows(compared: Comparison, *, baseline: Run | None, everything: bool) -> list[TableRow]:
    """Config, summary and the last value of each metric, a column a run; only what differs unless ``everything``.

    baseline: the run with which the others are compared; differences are shown to it.
    """
    keys = [run.pk for run in compared.runs]
    rows = [
        _row(one.area, one.name, keys, one.texts, one.numbers, baseline)
        for one in compared.values
        if everything or one.differs
    ]
    metrics: dict[str, dict[int, float | None]] = {}
    series = MetricSeries.objects.filter(run__in=keys, last_value__isnull=False).order_by("key__name")
    for run, name, value in series.values_list("run_id", "key__name", "last_value"):
        metrics.setdefault(name, {})[run] = value
    for name, values in list(metrics.items())[:MAX_METRICS]:
        if everything or len(values) < len(keys) or len(set(values.values())) > 1:
            texts = {key: repr(value) for key, value in values.items()}
            rows.append(_row("metrics", name, keys, texts, values, baseline))
    return rows


def _row(
    area: str,
    name: str,
    keys: Sequence[int],
    texts: Mapping[int, str],
    numbers: Mapping[int, float | None],
    baseline: Run | None,
) -> TableRow:
    base_text = texts.get(baseline.pk) if baseline else None
    base = numbers.get(baseline.pk) if baseline else None
    cells = []
    for key in keys:
        number = numbers.get(key)
        delta = number - base if number is not None and base is not None and baseline and key != baseline.pk else None
        differs = baseline is not None and texts.get(key) != base_text
        cells.append(TableCell(texts.get(key), number, delta, differs))
    return TableRow(area, name, cells)
