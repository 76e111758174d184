"""What open pages fetch: points of charts, images, files. For the log: log_views.py; the runs table: table_views.py.

Apart from /api, so that its rate limits bind programs and never the dashboard.
"""

from __future__ import annotations

import gzip

import orjson
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.http import require_safe

from experiments.http.files import media_response, run_file_response
from experiments.metrics.reduce import MIN_POINTS
from experiments.queries.charts import chart_answer
from experiments.queries.lines import STEP, LineQuestion
from experiments.views import run_from
from runicorn.errors import InvalidInput

#: A chart is at most this many pixels wide, and M4 gives up to four points a bucket.
MAX_POINTS = 4000
MAX_METRICS = 100
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
    first, last = (number_in(request.GET[name], name) if name in request.GET else None for name in ("first", "last"))
    return LineQuestion(
        x=request.GET.get("x") or STEP,
        max_points=min(max(asked, MIN_POINTS), MAX_POINTS),
        first=first,
        last=last,
        smoothing=number_in(request.GET.get("smooth") or "0", "smooth"),
    )


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


def number_in(text: str, name: str) -> float:
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
