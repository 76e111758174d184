"""What open pages fetch: fresh rows of the table, points of charts, older log lines, images.

Apart from /api, so that its rate limits bind programs and never the dashboard.
"""

from __future__ import annotations

import time

import orjson
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from experiments.http.files import media_response
from experiments.logs import log_tail
from experiments.queries.charts import chart_answer
from experiments.queries.run_table import RunFilter, changed_rows, count_newer
from experiments.queries.shell import page_shell
from experiments.views import LOG_LINES, run_from
from runicorn.errors import InvalidInput

#: A chart is at most this many pixels wide, and M4 gives up to four points a bucket.
MAX_POINTS = 4000
MAX_METRICS = 100
MAX_LOG_LINES = 5000


@require_safe
def run_rows(request: HttpRequest) -> HttpResponse:
    """Fresh rows for ``keys`` (row keys with commas); X-Newer-Runs counts the runs after the row key ``newest``."""
    keys = [_integer(text, "keys") for text in request.GET.get("keys", "").split(",") if text]
    newest = _integer(request.GET.get("newest", "0"), "newest")
    context = {"rows": changed_rows(keys), "shell": page_shell(now=time.time())}
    answer = render(request, "experiments/_run_rows.html", context)
    answer["X-Newer-Runs"] = str(count_newer(RunFilter.from_query(request.GET), newest_key=newest))
    return answer


@require_safe
def chart_data(request: HttpRequest, run_id: str) -> HttpResponse:
    """Points of each ``metric`` in the steps ``first`` to ``last``, thinned to ``points``, as parallel arrays."""
    run = run_from(request, run_id)
    points = min(max(_integer(request.GET.get("points", "1000"), "points"), 4), MAX_POINTS)
    first, last = (_integer(request.GET[name], name) if name in request.GET else None for name in ("first", "last"))
    names = request.GET.getlist("metric")[:MAX_METRICS]
    answer = chart_answer(run, names, max_points=points, first_step=first, last_step=last)
    return _json(orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY))


@require_safe
def log_page(request: HttpRequest, run_id: str) -> HttpResponse:
    """The ``lines`` whole lines that end before the byte ``before`` of the log."""
    run = run_from(request, run_id)
    lines = min(max(_integer(request.GET.get("lines", str(LOG_LINES)), "lines"), 1), MAX_LOG_LINES)
    before = request.GET.get("before")
    page = log_tail(run, lines=lines, before_offset=None if before is None else _integer(before, "before"))
    return _json(orjson.dumps({"lines": page.lines, "start": page.start_offset, "end": page.end_offset}))


@require_safe
def media_file(request: HttpRequest, run_id: str, name: str) -> HttpResponseBase:
    """The file ``name`` of the run's media folder. Raises NotFound."""
    return media_response(request, run_from(request, run_id), name)


def _integer(text: str, name: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise InvalidInput(f"The parameter {name} is {text!r}; give a whole number.") from error


def _json(content: bytes) -> HttpResponse:
    return HttpResponse(content, content_type="application/json", headers={"Cache-Control": "no-store"})
