"""What open pages fetch: points of charts, older log lines, images. What the runs table fetches: table_views.py.

Apart from /api, so that its rate limits bind programs and never the dashboard.
"""

from __future__ import annotations

import gzip

import orjson
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe

from experiments.http.files import media_response, run_file_response
from experiments.logs import log_tail
from experiments.metrics.reduce import MIN_POINTS
from experiments.queries.charts import chart_answer
from experiments.queries.lines import STEP, LineQuestion
from experiments.views import LOG_LINES, run_from
from runicorn.errors import InvalidInput

#: A chart is at most this many pixels wide, and M4 gives up to four points a bucket.
MAX_POINTS = 4000
MAX_METRICS = 100
MAX_LOG_LINES = 5000
COMPRESS_FROM_BYTES = 20_000
#: Higher levels save a tenth and take three times as long.
COMPRESS_LEVEL = 3


@require_safe
def chart_data(request: HttpRequest, run_id: str) -> HttpResponse:
    """The lines of each ``metric`` over ``x``, from ``first`` to ``last``, thinned to ``points``, ``smooth``-ed."""
    answer = chart_answer([run_from(request, run_id)], metrics_in(request), line_question_in(request, points=1000))
    return json_answer(request, answer)


def metrics_in(request: HttpRequest) -> list[str]:
    return list(dict.fromkeys(request.GET.getlist("metric")))[:MAX_METRICS]


def line_question_in(request: HttpRequest, *, points: int) -> LineQuestion:
    """What the address asks of lines. points: of each, unless it says. Raises InvalidInput."""
    asked = integer_in(request.GET.get("points", str(points)), "points")
    first, last = (_number_in(request.GET[name], name) if name in request.GET else None for name in ("first", "last"))
    return LineQuestion(
        x=request.GET.get("x") or STEP,
        max_points=min(max(asked, MIN_POINTS), MAX_POINTS),
        first=first,
        last=last,
        smoothing=_number_in(request.GET.get("smooth") or "0", "smooth"),
    )


@require_safe
def log_page(request: HttpRequest, run_id: str) -> HttpResponse:
    """The ``lines`` whole lines that end before the byte ``before`` of the log."""
    run = run_from(request, run_id)
    lines = min(max(integer_in(request.GET.get("lines", str(LOG_LINES)), "lines"), 1), MAX_LOG_LINES)
    before = request.GET.get("before")
    page = log_tail(run, lines=lines, before_offset=None if before is None else integer_in(before, "before"))
    return json_answer(request, {"lines": page.lines, "start": page.start_offset, "end": page.end_offset})


@require_safe
def media_file(request: HttpRequest, run_id: str, name: str) -> HttpResponseBase:
    """The file ``name`` of the run's media folder. Raises NotFound."""
    return media_response(request, run_from(request, run_id), name)


@require_safe
def run_file(request: HttpRequest, run_id: str, path: str) -> HttpResponseBase:
    """Any file of the run, for saving. Raises NotFound."""
    return run_file_response(request, run_from(request, run_id), path)


def integer_in(text: str, name: str) -> int:
    """The whole number that the parameter ``name`` says. Raises InvalidInput."""
    try:
        return int(text)
    except ValueError as error:
        raise InvalidInput(f"The parameter {name} is {text!r}; give a whole number.") from error


def _number_in(text: str, name: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InvalidInput(f"The parameter {name} is {text!r}; give a number.") from error


def json_answer(request: HttpRequest, answer: object) -> HttpResponse:
    """Large answers are compressed where the browser takes it: points of many runs are a tenth of their size then."""
    content = orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)
    headers = {"Cache-Control": "no-store", "Vary": "Accept-Encoding"}
    if len(content) > COMPRESS_FROM_BYTES and "gzip" in request.headers.get("Accept-Encoding", ""):
        content = gzip.compress(content, compresslevel=COMPRESS_LEVEL)
        headers["Content-Encoding"] = "gzip"
    return HttpResponse(content, content_type="application/json", headers=headers)
