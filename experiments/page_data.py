"""What open pages fetch: points of charts, older log lines, images. What the runs table fetches: table_views.py.

Apart from /api, so that its rate limits bind programs and never the dashboard.
"""

from __future__ import annotations

import orjson
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe

from experiments.http.files import media_response
from experiments.logs import log_tail
from experiments.queries.charts import chart_answer
from experiments.views import LOG_LINES, run_from
from runicorn.errors import InvalidInput

#: A chart is at most this many pixels wide, and M4 gives up to four points a bucket.
MAX_POINTS = 4000
MAX_METRICS = 100
MAX_LOG_LINES = 5000


@require_safe
def chart_data(request: HttpRequest, run_id: str) -> HttpResponse:
    """Points of each ``metric`` in the steps ``first`` to ``last``, thinned to ``points``, as parallel arrays."""
    run = run_from(request, run_id)
    points = min(max(integer_in(request.GET.get("points", "1000"), "points"), 4), MAX_POINTS)
    first, last = (integer_in(request.GET[name], name) if name in request.GET else None for name in ("first", "last"))
    names = request.GET.getlist("metric")[:MAX_METRICS]
    answer = chart_answer(run, names, max_points=points, first_step=first, last_step=last)
    return _json(orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY))


@require_safe
def log_page(request: HttpRequest, run_id: str) -> HttpResponse:
    """The ``lines`` whole lines that end before the byte ``before`` of the log."""
    run = run_from(request, run_id)
    lines = min(max(integer_in(request.GET.get("lines", str(LOG_LINES)), "lines"), 1), MAX_LOG_LINES)
    before = request.GET.get("before")
    page = log_tail(run, lines=lines, before_offset=None if before is None else integer_in(before, "before"))
    return _json(orjson.dumps({"lines": page.lines, "start": page.start_offset, "end": page.end_offset}))


@require_safe
def media_file(request: HttpRequest, run_id: str, name: str) -> HttpResponseBase:
    """The file ``name`` of the run's media folder. Raises NotFound."""
    return media_response(request, run_from(request, run_id), name)


def integer_in(text: str, name: str) -> int:
    """The whole number that the parameter ``name`` says. Raises InvalidInput."""
    try:
        return int(text)
    except ValueError as error:
        raise InvalidInput(f"The parameter {name} is {text!r}; give a whole number.") from error


def _json(content: bytes) -> HttpResponse:
    return HttpResponse(content, content_type="application/json", headers={"Cache-Control": "no-store"})
