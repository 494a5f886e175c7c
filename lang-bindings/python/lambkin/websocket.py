"""The clients of the app's WebSocket API.

A component that its manifest grants ``websocket = true`` may send to them in any invocation::

    from lambkin import websocket

    try:
        websocket.send(connection_id, json.dumps({"state": "done"}))
    except websocket.WebSocketError as error:
        if error.code != "gone":
            raise
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import NamedTuple

from wit_world.imports import connections

from .capability import CapabilityError, call, encoded


class WebSocketError(CapabilityError):
    """A call that was not done; its code is ``gone`` when the client has left."""


class Connection(NamedTuple):
    """What API Gateway knows of a connection."""

    connected_at: datetime
    last_active_at: datetime
    source_ip: str
    user_agent: str | None


def send(connection_id: str, message: str | bytes) -> None:
    """Sends a message of at most 128 KiB, which arrives as text."""
    call(WebSocketError, connections.send, connection_id, encoded(message))


def close(connection_id: str) -> None:
    """Closes a connection; its ``$disconnect`` route is called."""
    call(WebSocketError, connections.close, connection_id)


def info(connection_id: str) -> Connection:
    """Tells when a connection was opened and last used, and by whom."""
    found = call(WebSocketError, connections.info, connection_id)
    return Connection(_time(found.connected_at_ms), _time(found.last_active_at_ms), found.source_ip, found.user_agent)


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc)
