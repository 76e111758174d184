"""The server itself: health, the dead-process rule, graphics cards."""

from __future__ import annotations

import time
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments.accounts.identity import is_known
from experiments.api.describe import Command, describe
from experiments.api.schemas import system as schemas
from experiments.gpu import gpu_telemetry
from experiments.http.envelope import command_response
from experiments.http.errors import Problem, problem_response
from experiments.metrics.arrays import cache_figures
from experiments.queries.roots import local_root_path
from experiments.services.status import check_status
from runicorn import __version__

#: The reference that this API follows.
API_VERSION = "0.4.1"


class Health(APIView):
    """Strangers, where there is a login, learn that the server is there and nothing else."""

    @describe("getHealth", "Whether the server is well", tag="System", answer=schemas.Health)
    def get(self, request: Request) -> Response:
        if not is_known(request):
            return Response({"status": "ok"})
        return Response(
            {
                "status": "ok",
                "version": __version__,
                "api_version": API_VERSION,
                "timestamp": time.time(),
                "storage": str(local_root_path()),
                "cache": cache_figures(),
            }
        )


class StatusCheckView(APIView):
    """Running runs whose process has died become failed."""

    @describe("checkStatus", "Find runs that died", tag="System", answer=Command(schemas.StatusCheck))
    def post(self, request: Request) -> Response:
        check = check_status(at=time.time())
        message = f"Checked {check.checked} running experiments, updated {check.updated} statuses"
        return command_response({"checked": check.checked, "updated": check.updated}, message=message)


class GpuTelemetry(APIView):
    @describe("getGpuTelemetry", "Graphics cards", tag="System", answer=schemas.GpuTelemetry)
    def get(self, request: Request) -> Response:
        return Response(gpu_telemetry())


@csrf_exempt  # the answer is the same for every method
def unknown_endpoint(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Whatever else lies below /api: the error shape, never a page."""
    return problem_response(request, Problem(HTTPStatus.NOT_FOUND, "Not Found"))
