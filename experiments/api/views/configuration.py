"""Section G of the reference: what the server remembers for its users."""

from __future__ import annotations

import time
from http import HTTPStatus

from django.conf import settings
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments.access import account_of
from experiments.accounts.column_widths import column_widths, reset_column_widths, save_column_widths
from experiments.api.configuration_requests import (
    ColumnWidthsBody,
    ColumnWidthsQuery,
    ColumnWidthsResetQuery,
    ConfigurationBody,
    UserRootBody,
    parse_configuration,
    parse_table_layout,
    parse_user_root,
)
from experiments.api.describe import Command, describe
from experiments.api.schemas import configuration as schemas
from experiments.api.views.system import API_VERSION
from experiments.http.envelope import command_response
from experiments.queries.roots import local_root_path
from experiments.services.roots import switch_root
from runicorn import __version__, config


class Configuration(APIView):
    @describe("getConfig", "Where things lie", tag="Configuration", answer=schemas.Configuration)
    def get(self, request: Request) -> Response:
        return Response(
            {
                "user_root_dir": config.user_root(),
                "storage": str(local_root_path()),
                "config_file": str(config.user_config_file()),
                "version": __version__,
                "api_version": API_VERSION,
            }
        )

    @describe(
        "changeConfig",
        "Switch to another storage root",
        tag="Configuration",
        body=ConfigurationBody,
        answer=Command(schemas.UserRoot),
        errors=(HTTPStatus.CONFLICT,),
    )
    def put(self, request: Request) -> Response:
        return _switch(parse_configuration(request.data))


class UserRoot(APIView):
    """Show another storage root from now on, in V1, V2, pages and sockets, and remember it for the user."""

    @describe(
        "setUserRoot",
        "Switch to another storage root",
        tag="Configuration",
        body=UserRootBody,
        answer=Command(schemas.UserRoot),
        errors=(HTTPStatus.CONFLICT,),
    )
    def post(self, request: Request) -> Response:
        return _switch(parse_user_root(request.data))


def _switch(path: str) -> Response:
    root = str(switch_root(path, at=time.time()))
    fields = {"user_root_dir": root, "storage": root}
    if not settings.RUNICORN_FOLLOWS_USER_ROOT:
        fields["notice"] = (
            f"The viewer was started with {settings.RUNICORN_STORAGE_ROOT} (--storage or RUNICORN_DIR), "
            "and shows that again when it is started so again."
        )
    return command_response(fields, message="User root directory updated successfully")


class ColumnWidths(APIView):
    """Widths of a table's columns, for one size of the window: an account's own, or everybody's without a login."""

    @describe(
        "getColumnWidths",
        "Saved column widths",
        tag="Configuration",
        query=ColumnWidthsQuery,
        answer=schemas.ColumnWidths,
    )
    def get(self, request: Request) -> Response:
        wanted = ColumnWidthsQuery.parse(request.query_params)
        return Response({**wanted, "widths": column_widths(account_of(request.user), **wanted)})

    @describe("saveColumnWidths", "Save column widths", tag="Configuration", body=ColumnWidthsBody, answer=Command())
    def post(self, request: Request) -> Response:
        save_column_widths(account_of(request.user), parse_table_layout(request.data), at=timezone.now())
        return command_response({}, message="Column width preferences saved")

    @describe(
        "resetColumnWidths",
        "Forget column widths",
        tag="Configuration",
        query=ColumnWidthsResetQuery,
        answer=Command(),
    )
    def delete(self, request: Request) -> Response:
        wanted = ColumnWidthsResetQuery.parse(request.query_params)
        reset_column_widths(account_of(request.user), table=wanted["table"], size=wanted.get("size"))
        return command_response({}, message="Column width preferences reset")
