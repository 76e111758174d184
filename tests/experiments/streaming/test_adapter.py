"""Where our server takes hold of daphne, Twisted and autobahn: a release that moves a place is noticed here."""

from __future__ import annotations

import inspect

import daphne.http_protocol
import daphne.server
import daphne.ws_protocol
import pytest
from autobahn.twisted.websocket import WebSocketServerProtocol
from twisted.web.http import HTTPChannel


@pytest.mark.parametrize(
    ("owner", "name", "parameters"),
    [
        (daphne.server.Server, "handle_reply", ["self", "protocol", "message"]),
        (daphne.server.Server, "timeout_checker", ["self"]),
        (daphne.server.Server, "protocol_disconnected", ["self", "protocol"]),
        (daphne.server.Server, "kill_all_applications", ["self"]),
        (daphne.http_protocol.WebRequest, "process", ["self"]),
        (daphne.http_protocol.WebRequest, "handle_exception", ["self", "exception"]),
        (daphne.ws_protocol.WebSocketProtocol, "serverSend", ["self", "content", "binary"]),
        (daphne.ws_protocol.WebSocketProtocol, "serverClose", ["self", "code"]),
        (daphne.ws_protocol.WebSocketProtocol, "check_timeouts", ["self"]),
        (daphne.ws_protocol.WebSocketProtocol, "onMessage", ["self", "payload", "isBinary"]),
        (HTTPChannel, "pauseProducing", ["self"]),
        (HTTPChannel, "resumeProducing", ["self"]),
        (HTTPChannel, "allHeadersReceived", ["self"]),
        (WebSocketServerProtocol, "sendCloseFrame", ["self", "code", "reasonUtf8", "isReply"]),
    ],
)
def test_what_we_take_over_is_where_it_was(owner, name, parameters):
    assert list(inspect.signature(getattr(owner, name)).parameters)[: len(parameters)] == parameters


def test_the_server_waits_for_what_we_wait_for():
    assert inspect.iscoroutinefunction(daphne.server.Server.handle_reply)
