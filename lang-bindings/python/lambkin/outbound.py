"""Requests to other services through ``wasi:http/outgoing-handler``, and the waiting for them.

The host resolves names, connects, speaks TLS, and refuses an origin that the manifest does not grant; its reasons become the
exceptions that ``socket`` and ``ssl`` have for them.
"""

from __future__ import annotations

import errno
import socket
import ssl
from typing import Any

from componentize_py_types import Err, Ok
from wit_world.imports import monotonic_clock, outgoing_handler, poll
from wit_world.imports.streams import InputStream, OutputStream, StreamError_Closed

from . import wire
from .connection import Connection, HungUp, Waits

try:
    from wit_world.imports import wasi_http_types as http  # The name where there are other interfaces called `types`.
except ImportError:
    from wit_world.imports import types as http

_METHODS = {
    "GET": http.Method_Get,
    "HEAD": http.Method_Head,
    "POST": http.Method_Post,
    "PUT": http.Method_Put,
    "DELETE": http.Method_Delete,
    "OPTIONS": http.Method_Options,
    "TRACE": http.Method_Trace,
    "PATCH": http.Method_Patch,
}

_LONGEST = 1 << 62
"""Nanoseconds that no invocation lasts."""


def wait(waits: Waits, timeout: float | None) -> list[int]:
    """Waits until one of them is ready, by its place in the list; none when the time is over."""
    pollables = [subscribe() for subscribe in waits]
    if timeout is not None:
        pollables.append(monotonic_clock.subscribe_duration(min(int(timeout * 1e9), _LONGEST)))
    try:
        return [place for place in poll.poll(pollables) if place < len(waits)]
    finally:
        for pollable in pollables:
            _drop(pollable)


class _Held:
    """What an exchange holds at the host, in an order in which it can be given back: children before their parents."""

    def __init__(self) -> None:
        self.sink: OutputStream | None = None
        self.outgoing: http.OutgoingBody | None = None
        self.source: InputStream | None = None
        self.incoming: http.IncomingBody | None = None
        self.response: http.IncomingResponse | None = None
        self.future: http.FutureIncomingResponse | None = None

    def close(self) -> None:
        for name in ("sink", "outgoing", "source", "incoming", "response", "future"):
            one = getattr(self, name)
            setattr(self, name, None)
            if one is not None:
                _drop(one)


_live: set[_Held] = set()
"""Keeps what exchanges hold out of the reach of the garbage collector, which knows nothing of parents and children."""


class Exchange:
    """A request that has been handed to the host, and its response."""

    def __init__(self, target: Connection, head: wire.Head) -> None:
        self.origin = f"{target.scheme}://{target.authority}"
        self._held = held = _Held()
        _live.add(held)
        request = _request(target, head)
        if not wire.body(head).done:
            # Without one, the host would not know in time that nothing follows, and announce chunks.
            held.outgoing = request.body()
            held.sink = held.outgoing.write()
        try:
            held.future = outgoing_handler.handle(request, _options(target))
        except Err as error:
            self.close()
            raise self._explain(error.value) from None

    def write(self, data: bytes) -> int:
        """Hands over as much of the body as there is room for."""
        sink = self._held.sink
        if sink is None:
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")
        try:
            room = sink.check_write()
            if room:
                sink.write(data[:room])
            return min(room, len(data))
        except Err:
            raise BrokenPipeError(errno.EPIPE, "Broken pipe") from None

    def finish(self) -> None:
        """Ends the body."""
        held = self._held
        if held.sink is None or held.outgoing is None:
            return
        _drop(held.sink)
        body, held.sink, held.outgoing = held.outgoing, None, None
        try:
            http.OutgoingBody.finish(body, None)
        except Err as error:
            raise self._explain(error.value) from None

    def head(self) -> tuple[int, list[tuple[str, bytes]]] | None:
        """The response's status and headers, once they are there."""
        held = self._held
        found = held.future.get() if held.future is not None else None
        if found is None:
            return None
        result = found.value
        if not isinstance(result, Ok):
            raise self._explain(result.value)
        held.response = result.value
        with held.response.headers() as fields:
            headers = [(name, bytes(value)) for name, value in fields.entries()]
        held.incoming = held.response.consume()
        held.source = held.incoming.stream()
        return held.response.status(), headers

    def read(self, size: int) -> bytes | None:
        """The next bytes of the response's body, none at its end; None while there are none yet."""
        assert self._held.source is not None
        try:
            return bytes(self._held.source.read(size)) or None
        except Err as error:
            if isinstance(error.value, StreamError_Closed):
                return b""
            code = http.http_error_code(error.value.value)
            raise HungUp(errno.ECONNRESET, "the response broke off") if code is None else self._explain(code) from None

    def writable(self) -> poll.Pollable:
        """Ready when there is room for more of the body."""
        assert self._held.sink is not None
        return self._held.sink.subscribe()

    def readable(self) -> poll.Pollable:
        """Ready when there is something of the response, or of why there is none."""
        held = self._held
        if held.source is not None:
            return held.source.subscribe()
        assert held.future is not None
        return held.future.subscribe()

    def close(self) -> None:
        """Gives up what is left of both bodies."""
        self._held.close()
        _live.discard(self._held)

    __del__ = close

    def _explain(self, code: http.ErrorCode) -> OSError:
        return explain(code, self.origin)


def _request(target: Connection, head: wire.Head) -> http.OutgoingRequest:
    headers = wire.sent_headers(head)
    try:
        fields = http.Fields.from_list(headers)
    except Err as error:
        kind = type(error.value).__name__.removeprefix("HeaderError_")
        raise OSError(errno.EINVAL, f"the host refuses the request's headers ({kind}): {[name for name, _ in headers]}") from None
    request = http.OutgoingRequest(fields)
    method = _METHODS.get(head.method)
    try:
        request.set_method(method() if method is not None else http.Method_Other(head.method))
        request.set_scheme(http.Scheme_Https() if target.scheme == "https" else http.Scheme_Http())
        request.set_authority(target.authority)
        request.set_path_with_query(head.target)
    except Err:
        raise OSError(errno.EINVAL, f"the host refuses {head.method} {target.authority}{head.target}") from None
    return request


def _options(target: Connection) -> http.RequestOptions | None:
    if target.connect_timeout is None:
        return None
    options = http.RequestOptions()
    options.set_connect_timeout(min(int(target.connect_timeout * 1e9), _LONGEST))
    return options


def explain(code: http.ErrorCode, origin: str) -> OSError:
    """A reason of the host's as the exception that Python has for it."""
    name = type(code).__name__.removeprefix("ErrorCode_")
    if name == "HttpRequestDenied":
        hint = f'{origin} is not granted: add "{origin}" to grants.http of the component in lambkin.toml'
        return PermissionError(errno.EACCES, hint)
    if name == "DestinationIpProhibited":
        return PermissionError(errno.EACCES, f"{origin} is not granted: its address is not on the public internet")
    if name in ("DnsError", "DnsTimeout", "DestinationNotFound"):
        return socket.gaierror(socket.EAI_NONAME, f"Name or service not known ({origin})")
    if name in ("DestinationUnavailable", "DestinationIpUnroutable"):
        return OSError(errno.EHOSTUNREACH, f"No route to host ({origin})")
    if name == "ConnectionRefused":
        return ConnectionRefusedError(errno.ECONNREFUSED, f"Connection refused ({origin})")
    if name in ("ConnectionTimeout", "ConnectionReadTimeout", "ConnectionWriteTimeout", "HttpResponseTimeout"):
        return TimeoutError("timed out")
    if name in ("ConnectionTerminated", "HttpResponseIncomplete"):
        return HungUp(errno.ECONNRESET, "Connection reset by peer")
    if name == "TlsCertificateError":
        verification = f"certificate verify failed: the host trusts Mozilla's authorities, and {origin} shows no certificate of theirs"
        return ssl.SSLCertVerificationError(errno.EPROTO, verification)
    detail = getattr(code, "value", None)
    text = name if detail is None else f"{name}: {detail}"
    kind = ssl.SSLError if name.startswith("Tls") else OSError
    return kind(errno.EPROTO, f"{text} ({origin})")


def _drop(resource: Any) -> None:
    resource.__exit__(None, None, None)
