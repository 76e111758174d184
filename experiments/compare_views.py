"""Runs side by side: their charts on one board, and the table of what differs."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from experiments.access import run_directory
from experiments.forms import COLOR_CHOICES
from experiments.logs.pages import log_at_end
from experiments.models import Run
from experiments.page_data import integer_in, json_answer, line_question_in, metrics_in
from experiments.queries.bands import CENTERS, SPREADS, check_band
from experiments.queries.charts import BandQuestion, band_answer, chart_answer
from experiments.queries.compare import (
    SEEDS,
    SHOWN_AT_FIRST,
    Comparison,
    compared_metrics,
    compared_runs,
    comparison_of,
    environment_rows,
    groups_by,
    seed_groups,
    table_rows,
)
from experiments.queries.compared_images import compared_images
from experiments.queries.relations import axes_of, chosen_axes, for_script, scatter_axes
from experiments.queries.runs import RunIdentity
from experiments.queries.shell import page_shell
from experiments.query_language.fields import Field, field_of
from experiments.query_language.parser import parse_path, split_paths
from experiments.views import LOG_LINES, MAX_AXIS_METRICS
from runicorn.storage import layout

#: Points of a line until the reader zooms in: of 100 lines more could not be told apart.
POINTS = 500


@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """The charts of several runs."""
    shell, compared = page_shell(now=time.time()), comparison_of(_run_ids(request))
    sections = compared_metrics(compared.runs)
    seeds = seed_groups(compared)
    frame = _frame(request, compared)
    context = frame | {
        "shell": shell,
        "tab": "charts",
        "sections": sections,
        "axis_metrics": [name for names in sections.values() for name in names][:MAX_AXIS_METRICS],
        "board": {
            "runs": _board_runs(compared),
            "shown": SHOWN_AT_FIRST,
            "baseline": frame["baseline"].pk if frame["baseline"] else None,
        },
        "colors": COLOR_CHOICES,
        "seed_group_count": len(set(seeds.values())),
        "group_fields": [
            Field(one.area, one.name, field_of(parse_path(f"{one.area}.x")).kind)
            for one in compared.differences
            if one.area == "config"
        ],
        "centers": CENTERS,
        "spreads": SPREADS,
    }
    return _page(request, context)


@require_safe
def compare_table(request: HttpRequest) -> HttpResponse:
    """Config, summary and metrics of the runs, those that differ or all."""
    shell, compared = page_shell(now=time.time()), comparison_of(_run_ids(request))
    everything = request.GET.get("all") == "1"
    frame = _frame(request, compared)
    baseline = frame["baseline"]
    context = frame | {
        "shell": shell,
        "tab": "table",
        "everything": everything,
        "rows": table_rows(compared, baseline=baseline, everything=everything)
        + environment_rows(compared, baseline=baseline, everything=everything),
    }
    return _page(request, context)


@require_safe
def compare_parallel(request: HttpRequest) -> HttpResponse:
    """The runs as lines over an axis a key; stretches of the axes choose among them."""
    return _relations(request, "parallel")


@require_safe
def compare_scatter(request: HttpRequest) -> HttpResponse:
    """The runs as points over two keys; a rectangle chooses among them."""
    return _relations(request, "scatter")


def _relations(request: HttpRequest, tab: str) -> HttpResponse:
    shell, compared = page_shell(now=time.time()), comparison_of(_run_ids(request))
    axes = axes_of(compared)
    if tab == "parallel":
        chosen = chosen_axes(axes, request.GET.getlist("axis"), compared.runs)
    else:
        chosen = scatter_axes(axes, request.GET.get("x", ""), request.GET.get("y", ""), compared.runs)
    context = _frame(request, compared) | {
        "shell": shell,
        "tab": tab,
        "axes": axes,
        "chosen": chosen,
        "drawn": {"kind": tab, "axes": for_script(chosen), "runs": _board_runs(compared)},
        "lines": list(zip(compared.runs, zip(*(axis.values for axis in chosen), strict=True), strict=True))
        if chosen
        else [],
    }
    return _page(request, context)


@require_safe
def compare_images(request: HttpRequest) -> HttpResponse:
    """The images of one key at one step, a run beside the other."""
    shell, compared = page_shell(now=time.time()), comparison_of(_run_ids(request))
    step = integer_in(request.GET["step"], "step") if request.GET.get("step") else None
    found = compared_images(compared.runs, key=request.GET.get("key", ""), step=step)
    frame = _frame(request, compared)
    pairs = [pair for pair in zip(frame["runs"], found.images, strict=True) if pair[1] is not None]
    context = frame | {"shell": shell, "tab": "images", "found": found, "pairs": pairs}
    context["without_count"] = len(compared.runs) - len(pairs)
    return _page(request, context)


@require_safe
def compare_logs(request: HttpRequest) -> HttpResponse:
    """The logs of two of the runs, beside each other."""
    shell, compared = page_shell(now=time.time()), comparison_of(_run_ids(request))
    frame = _frame(request, compared)
    by_id = {item["run"].run_id: item for item in frame["runs"]}
    ids = [request.GET.get(side, "") for side in ("left", "right")]
    beside = [by_id.get(run_id) or item for run_id, item in zip(ids, frame["runs"][:2], strict=False)]
    logs = [item | {"log": log_at_end(run_directory(item["run"]), layout.LOGS, lines=LOG_LINES)} for item in beside]
    context = frame | {"shell": shell, "tab": "logs", "logs": logs}
    return _page(request, context)


@require_safe
def compare_data(request: HttpRequest) -> HttpResponse:
    """The lines of each ``metric`` of the runs; with ``group`` a line with a band for each group."""
    question, names, group = line_question_in(request, points=POINTS), metrics_in(request), request.GET.get("group", "")
    if not group:
        return json_answer(request, chart_answer(compared_runs(_run_ids(request))[0], names, question))
    compared = comparison_of(_run_ids(request))
    center, spread = request.GET.get("center") or CENTERS[0], request.GET.get("spread") or SPREADS[0]
    check_band(center, spread)
    with_traces = integer_in(request.GET.get("traces") or "0", "traces") == 1
    bands = BandQuestion(_groups(compared, group), center, spread, with_traces)
    return json_answer(request, band_answer(compared.runs, names, question, bands))


def _page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    tab = context["tab"]
    panel = "relations" if tab in ("parallel", "scatter") else tab
    return render(request, "experiments/compare.html", context | {"panel": f"experiments/_compare_{panel}.html"})


def _groups(compared: Comparison, group: str) -> dict[int, str]:
    if group == SEEDS:
        return seed_groups(compared) or {run.pk: compared.labels[run.pk] for run in compared.runs}
    return groups_by(compared, [field_of(parse_path(path)) for path in split_paths(group)], now=time.time())


def _run_ids(request: HttpRequest) -> list[str]:
    """Those asked for, the baseline first."""
    baseline = request.GET.get("baseline")
    return sorted(filter(None, request.GET.get("runs", "").split(",")), key=lambda run_id: run_id != baseline)


def _frame(request: HttpRequest, compared: Comparison) -> dict[str, Any]:
    """What stands on every tab. query: the runs and the baseline, for links."""
    baseline = next((run for run in compared.runs[:1] if run.run_id == request.GET.get("baseline")), None)
    runs_query = urlencode({"runs": ",".join(run.run_id for run in compared.runs)}, safe=",")
    return {
        "compared": compared,
        "baseline": baseline,
        "runs_query": runs_query,
        "query": f"{runs_query}&{urlencode({'baseline': baseline.run_id})}" if baseline else runs_query,
        "runs": [_with_label(compared, run) for run in compared.runs],
    }


def _with_label(compared: Comparison, run: Run) -> dict[str, Any]:
    return {"run": run, "label": compared.labels[run.pk], "identity": str(RunIdentity.of(run))}


def _board_runs(compared: Comparison) -> list[dict[str, Any]]:
    """For the script: key as in the lines, id, label, colour; of runs with one colour the later ones are dashed."""
    used: dict[int, int] = {}
    board = []
    for run in compared.runs:
        color = run.color_number
        board.append(
            {
                "key": run.pk,
                "id": run.run_id,
                "label": compared.labels[run.pk],
                "color": color,
                "dash": used.get(color, 0),
                "started": run.created_at if run.started_at is None else run.started_at,
            }
        )
        used[color] = used.get(color, 0) + 1
    return board
