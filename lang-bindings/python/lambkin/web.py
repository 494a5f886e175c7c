"""The ``wasi:http/incoming-handler`` export over a WSGI or ASGI app, and the request and response both are given.

Bodies are streamed both ways; nothing here holds a whole body.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any

from componentize_py_types import Err, Ok
from wit_world import exports
from wit_world.imports import types as http
from wit_world.imports.streams import InputStream, OutputStream, StreamError_Closed

from . import log
from .snapshot import App

CHUNK = 64 * 1024
"""How many bytes of a request's body are read at once."""

_METHODS = {
    http.Method_Get: "GET",
    http.Method_Head: "HEAD",
    http.Method_Post: "POST",
    http.Method_Put: "PUT",
    http.Method_Delete: "DELETE",
    http.Method_Connect: "CONNECT",
    http.Method_Options: "OPTIONS",
    http.Method_Trace: "TRACE",
    http.Method_Patch: "PATCH",
}

# A connection's own headers: the host's to send, and refused by `wasi:http`.
_HOP_BY_HOP = frozenset((b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade", b"http2-settings"))


class Request:
    """A request: its head as text and bytes, its body as a stream."""

    def __init__(self, incoming: http.IncomingRequest) -> None:
        method = incoming.method()
        self.method: str = _METHODS.get(type(method)) or method.value  # type: ignore[union-attr]
        self.path, _, self.query = (incoming.path_with_query() or "/").partition("?")
        self.path = self.path or "/"
        scheme = incoming.scheme()
        self.scheme = "http" if isinstance(scheme, http.Scheme_Http) else "https"
        self.headers: list[tuple[str, bytes]] = []
        with incoming.headers() as fields:
            self.headers = [(name.lower(), bytes(value)) for name, value in fields.entries()]
        authority = incoming.authority() or self.header("host") or "localhost"
        if all(name != "host" for name, _ in self.headers):
            self.headers.append(("host", authority.encode("latin-1")))
        self.host, _, port = authority.rpartition(":") if _has_port(authority) else (authority, "", "")
        self.port = int(port) if port else (80 if self.scheme == "http" else 443)
        self.client = (self.header("x-forwarded-for") or "").rpartition(",")[2].strip() or None
        self._incoming = incoming
        self._body: http.IncomingBody | None = None
        self._stream: InputStream | None = None
        self._ended = False

    def header(self, name: str) -> str | None:
        """The first value of a header, by its lower-case name."""
        for found, value in self.headers:
            if found == name:
                return value.decode("latin-1")
        return None

    def read(self, size: int = CHUNK) -> bytes:
        """Waits for up to ``size`` bytes of the body; empty at its end."""
        if self._ended:
            return b""
        if self._stream is None:
            self._body = self._incoming.consume()
            self._stream = self._body.stream()
        try:
            while True:
                chunk = self._stream.blocking_read(size)
                if chunk:
                    return bytes(chunk)
        except Err as error:
            self.close()
            if isinstance(error.value, StreamError_Closed):
                return b""
            raise OSError("the request's body broke off") from None

    def close(self) -> None:
        """Gives up what is left of the body."""
        self._ended = True
        if self._stream is not None:
            self._stream.__exit__(None, None, None)
            self._stream = None
        if self._body is not None:
            http.IncomingBody.finish(self._body).__exit__(None, None, None)
            self._body = None


class Response:
    """A response in the making: the head once, then the body in chunks."""

    def __init__(self, outparam: http.ResponseOutparam, *, without_body: bool) -> None:
        self._outparam = outparam
        self._without_body = without_body
        self._body: http.OutgoingBody | None = None
        self._stream: OutputStream | None = None
        self.started = False
        self.abandoned = False
        """Whether the client reads no further."""

    def start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """Sends the status and the headers."""
        self._without_body = self._without_body or status in (204, 304) or status < 200
        kept = []
        for name, value in headers:
            lower = name.lower()
            if lower in _HOP_BY_HOP or (self._without_body and lower == b"content-length"):
                continue
            kept.append((lower.decode("latin-1"), value))
        try:
            fields = http.Fields.from_list(kept)
        except Err as error:
            raise ValueError(f"a response header is not valid: {error.value} in {kept!r}") from None
        outgoing = http.OutgoingResponse(fields)
        try:
            outgoing.set_status_code(status)
        except Err:
            raise ValueError(f"{status} is not a response status") from None
        self._body = outgoing.body()
        self.started = True
        http.ResponseOutparam.set(self._outparam, Ok(outgoing))
        self._stream = self._body.write()

    def write(self, chunk: bytes) -> None:
        """Sends a part of the body, as fast as the client takes it."""
        if self._stream is None or self._without_body or not chunk:
            return
        if self.abandoned:
            raise OSError("the client went away")
        rest = memoryview(chunk)
        try:
            while rest:
                room = self._stream.check_write()
                if room == 0:
                    with self._stream.subscribe() as ready:
                        ready.block()
                    continue
                self._stream.write(bytes(rest[:room]))
                rest = rest[room:]
            self._stream.flush()
        except Err:
            # A client that knows the length leaves with the last byte: it has all that it wants.
            self.abandoned = True
            if rest:
                raise OSError("the client went away") from None

    def finish(self) -> None:
        """Ends the body."""
        if self._stream is None or self._body is None:
            return
        try:
            if not self.abandoned:
                self._stream.blocking_flush()
        except Err:
            self.abandoned = True
        self._stream.__exit__(None, None, None)
        self._stream = None
        if self.abandoned:
            self._body.__exit__(None, None, None)
            return
        try:
            http.OutgoingBody.finish(self._body, None)
        except Err as error:
            raise OSError(f"the response's body is not what its headers say: {error.value}") from None


def export(app: App) -> type:
    """The class that componentize-py looks for, bound to ``app``."""

    class IncomingHandler(exports.IncomingHandler):
        def handle(self, request: http.IncomingRequest, response_out: http.ResponseOutparam) -> None:
            try:
                _answer(app, Request(request), response_out)
            finally:
                sys.stdout.flush()
                sys.stderr.flush()

    return IncomingHandler


def _answer(app: App, request: Request, outparam: http.ResponseOutparam) -> None:
    log.begin(request.header("x-lambkin-request-id") or "")
    response = Response(outparam, without_body=request.method == "HEAD")
    try:
        target = app.handler()
        gateway(target)(target, request, response)
        response.finish()
    except BaseException as error:
        if isinstance(error, MemoryError):
            raise  # Ends the instance: the host knows the bound that was reached, and says so.
        if response.abandoned:
            response.finish()  # Nobody is left to be told.
            return
        if response.started:
            raise  # The client has part of an answer: only breaking off tells it that the rest is missing.
        _report(error)
        response.start(500, [(b"content-type", b"text/plain; charset=utf-8")])
        response.write(b"Internal Server Error")
        response.finish()
    finally:
        request.close()


def gateway(target: Any) -> Callable[[Any, Request, Response], None]:
    """Which of the two conventions ``target`` follows, as the function that serves a request by it."""
    if is_asgi(target):
        from . import asgi

        return asgi.serve
    from . import wsgi

    return wsgi.serve


def is_asgi(target: Any) -> bool:
    """An ASGI app is a coroutine function of three arguments; a WSGI app takes two."""
    call = target if inspect.isroutine(target) else getattr(target, "__call__", target)
    if inspect.iscoroutinefunction(call):
        return True
    try:
        parameters = inspect.signature(target).parameters.values()
    except (TypeError, ValueError):
        return False
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    required = [one for one in parameters if one.kind in kinds and one.default is inspect.Parameter.empty]
    return len(required) == 3


def _report(error: BaseException) -> None:
    import traceback

    sys.stderr.write("".join(traceback.format_exception(error)))


def _has_port(authority: str) -> bool:
    return authority.rpartition(":")[2].isdigit() and not authority.endswith("]")
