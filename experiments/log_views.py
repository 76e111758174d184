"""The log of a run, as its open page fetches it: any part of it, and what a search finds."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from experiments.access import run_directory
from experiments.logs.pages import LogFile, LogPage, open_log
from experiments.logs.search import log_pattern, search_log
from experiments.page_data import integer_in, json_answer, number_in
from experiments.views import LOG_LINES, run_from
from runicorn.errors import InvalidInput
from runicorn.storage import layout

MAX_LINES = 2000


@require_safe
def log_page(request: HttpRequest, run_id: str) -> HttpResponse:
    """Lines of the log ``file``: the last ones, or where one of ``before``, ``after``, ``at``, ``line``, ``time`` says.

    While the lines of a long file are still being counted, a question by their number is answered with ``counted``, the
    bytes done so far, and is to be asked again.
    """
    count = min(max(integer_in(request.GET.get("lines", str(LOG_LINES)), "lines"), 1), MAX_LINES)
    with open_log(run_directory(run_from(request, run_id)), _file_in(request)) as log:
        page = _page(log, request, count)
        answer = page or {"counted": log.counted, "size": log.size}
    return json_answer(request, answer)


def _page(log: LogFile, request: HttpRequest, count: int) -> LogPage | None:
    asked = request.GET
    if "before" in asked:
        return log.before(_offset_in(request, "before"), count)
    if "after" in asked:
        until = _offset_in(request, "until") if "until" in asked else None
        return log.after(_offset_in(request, "after"), count, until=until)
    if "at" in asked:
        return log.around(_offset_in(request, "at"), count)
    if "number" in asked:
        return log.numbered(_offset_in(request, "number"), count)
    if "line" in asked:
        return log.line(_offset_in(request, "line"), count)
    if "time" in asked:
        return log.time(number_in(asked["time"], "time"), count)
    return log.last(count)


@require_safe
def log_search(request: HttpRequest, run_id: str) -> HttpResponse:
    """Lines from the byte ``from`` on in which ``q`` is found; ``regex=1`` takes it for a regular expression."""
    pattern = log_pattern(
        request.GET.get("q", ""), is_regex=request.GET.get("regex") == "1", match_case=request.GET.get("case") == "1"
    )
    start = _offset_in(request, "from") if "from" in request.GET else 0
    run_dir = run_directory(run_from(request, run_id))
    return json_answer(request, search_log(run_dir, _file_in(request), pattern, start=start))


def _file_in(request: HttpRequest) -> str:
    return request.GET.get("file") or layout.LOGS


def _offset_in(request: HttpRequest, name: str) -> int:
    value = integer_in(request.GET[name], name)
    if not 0 <= value < 2**63:
        raise InvalidInput(f"The parameter {name} is {value}; give a number from 0.")
    return value
