"""Saved SSH connections (section G of the reference)."""

from __future__ import annotations

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from experiments.api.describe import NOT_FOUND, Command, describe
from experiments.http.envelope import command_response
from runicorn.errors import NotFound
from sync.api import schemas
from sync.api.serializers import ConnectionBody, connection_item, parse_connection
from sync.queries import find_connection, saved_connections
from sync.services import delete_connection, import_connections_once, save_connection

SAVED = "SSH connection saved successfully"
NOT_KEPT = "passwords and keys are not kept yet, so they are asked for at each connection"


class SavedConnections(APIView):
    """Saved SSH connections, without secrets."""

    @describe("listSshConnections", "Saved connections", tag="Configuration", answer=schemas.SavedConnections)
    def get(self, request: Request) -> Response:
        import_connections_once(at=timezone.now())
        return Response({"connections": [connection_item(connection) for connection in saved_connections()]})

    @describe(
        "saveSshConnection",
        "Save a connection",
        tag="Configuration",
        body=ConnectionBody,
        answer=Command(schemas.ConnectionSaved),
    )
    def post(self, request: Request) -> Response:
        details, wants_secrets_kept = parse_connection(request.data)
        import_connections_once(at=timezone.now())
        connection = save_connection(details, at=timezone.now())
        message = f"{SAVED}; {NOT_KEPT}" if wants_secrets_kept else SAVED
        return command_response({"key": connection.key, "remember_password": False}, message=message)


class SavedConnection(APIView):
    @describe("deleteSshConnection", "Forget a connection", tag="Configuration", answer=Command(), errors=NOT_FOUND)
    def delete(self, request: Request, key: str) -> Response:
        import_connections_once(at=timezone.now())
        delete_connection(key)
        return command_response({}, message="SSH connection deleted successfully")


class ConnectionDetails(APIView):
    @describe(
        "getSshConnection",
        "One saved connection",
        tag="Configuration",
        answer=schemas.ConnectionDetails,
        errors=NOT_FOUND,
    )
    def get(self, request: Request, key: str) -> Response:
        import_connections_once(at=timezone.now())
        connection = find_connection(key)
        if connection is None:
            raise NotFound(f"Connection not found: {key}")  # the reference's words
        return Response({"ok": True, "connection": connection_item(connection)})
