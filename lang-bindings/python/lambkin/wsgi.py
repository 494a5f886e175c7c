"""Serves a request by WSGI. Source: https://peps.python.org/pep-3333/"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes


class Request(Protocol):
    """What is needed of a request; ``web.Request`` in a component."""

    method: str
    path: str
    query: str
    scheme: str
    host: str
    port: int
    client: str | None
    headers: list[tuple[str, bytes]]

    def read(self, size: int = ...) -> bytes: ...


class Response(Protocol):
    """What is needed of a response; ``web.Response`` in a component."""

    started: bool

    def start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None: ...
    def write(self, chunk: bytes) -> None: ...


class Body(io.RawIOBase):
    """A request's body as a file, read as it arrives."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._request.read(len(buffer))
        buffer[: len(chunk)] = chunk
        return len(chunk)


def environ(request: Request) -> dict[str, Any]:
    """The environment dictionary of PEP 3333."""
    values: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(request.path).decode("latin-1"),
        "QUERY_STRING": request.query,
        "SERVER_NAME": request.host,
        "SERVER_PORT": str(request.port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": request.scheme,
        "wsgi.input": io.BufferedReader(Body(request), 64 * 1024),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    if request.client:
        values["REMOTE_ADDR"] = request.client
    for name, raw in request.headers:
        key = name.upper().replace("-", "_")
        if "_" in name:
            continue  # `x_y` would pass for `x-y`, which a proxy may have vouched for.
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        value = raw.decode("latin-1")
        if key in values:
            value = values[key] + ("; " if key == "HTTP_COOKIE" else ",") + value
        values[key] = value
    return values


def serve(app: Callable[..., Iterable[bytes]], request: Request, response: Response) -> None:
    """Calls ``app`` and sends what it yields as it comes."""
    head: list[tuple[int, list[tuple[bytes, bytes]]]] = []

    def send(chunk: bytes) -> None:
        if not response.started:
            if not head:
                raise RuntimeError("the app wrote a body before it called start_response")
            response.start(*head[-1])
        response.write(chunk)

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        if exc_info and response.started:
            raise exc_info[1].with_traceback(exc_info[2])
        if head and not exc_info:
            raise RuntimeError("the app called start_response twice")
        encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        head.append((int(status.split(" ", 1)[0]), encoded))
        return send

    chunks = app(environ(request), start_response)
    try:
        for chunk in chunks:
            if chunk:
                send(chunk)
        if not response.started:
            send(b"")
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
