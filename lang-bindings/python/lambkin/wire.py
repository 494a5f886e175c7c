"""HTTP/1.1 as a client writes it to a socket and reads it back: text and framing, nothing is sent from here."""

from __future__ import annotations

import errno
import re
from typing import NamedTuple

_LARGEST_HEAD = 256 * 1024
_REQUEST_LINE = re.compile(rb"([!#-'*+\-.0-9A-Z^_`a-z|~]+) (\S+) HTTP/(\d)\.(\d)")
_TLS = b"\x16lambkin-tls "

_ONLY_HTTP = "a component's sockets carry requests of HTTP/1.1 and nothing else"


class Head(NamedTuple):
    """A request's head."""

    method: str
    target: str
    headers: list[tuple[str, bytes]]
    """Names in lower case."""
    keeps_alive: bool
    """Whether the connection is to serve another request afterwards."""

    def values(self, name: str) -> list[str]:
        """All values of a header."""
        return [value.decode("latin-1") for found, value in self.headers if found == name]


def unsupported(what: str) -> OSError:
    """The error for bytes that are no request which a component can send."""
    return OSError(errno.EPROTONOSUPPORT, f"{_ONLY_HTTP}: {what}")


def tls_greeting(hostname: str) -> bytes:
    """What the stand-in for ``ssl`` writes where a real one would shake hands: the requests that follow are https."""
    return _TLS + hostname.encode("ascii", "replace") + b"\n"


def take_tls_greeting(data: bytes) -> tuple[str, bytes] | None:
    """The name in a greeting at the start of ``data``, and what follows it."""
    if not data.startswith(_TLS):
        return None
    line, end, rest = data.partition(b"\n")
    return (line[len(_TLS) :].decode("ascii"), rest) if end else None


def take_head(data: bytes) -> tuple[Head, bytes] | None:
    """A request's head at the start of ``data`` and what follows it; None while some of it is missing."""
    data = data.lstrip(b"\r\n")
    if not data or _TLS.startswith(data[: len(_TLS)]):
        return None
    line, end, _ = data.partition(b"\r\n")
    found = _REQUEST_LINE.fullmatch(line)
    if end and (found is None or found[3] != b"1"):
        raise unsupported(f"{_shown(line)} begins no such request")
    if not end and (line[:1] not in b"!#$%&'*+-.^_`|~" and not line[:1].isalnum()):
        raise unsupported(f"{_shown(line)} begins no such request")
    text, end, rest = data.partition(b"\r\n\r\n")
    if not end:
        if len(data) > _LARGEST_HEAD:
            raise unsupported("a request's head is too large")
        return None
    assert found is not None
    headers = [_header(one) for one in text.split(b"\r\n")[1:]]
    head = Head(found[1].decode("ascii"), found[2].decode("latin-1"), headers, keeps_alive=False)
    connection = {token.strip().lower() for value in head.values("connection") for token in value.split(",")}
    keeps_alive = "keep-alive" in connection if found[4] == b"0" else "close" not in connection
    return head._replace(keeps_alive=keeps_alive), rest


def _header(line: bytes) -> tuple[str, bytes]:
    name, colon, value = line.partition(b":")
    if not colon:
        raise unsupported(f"{_shown(line)} is no header")
    return name.decode("latin-1").lower(), value.strip(b" \t")


def _shown(line: bytes) -> str:
    return repr(line[:60].decode("latin-1"))


class Sized:
    """A body whose length is known beforehand."""

    def __init__(self, length: int) -> None:
        self._left = length

    @property
    def done(self) -> bool:
        """Whether all of it has been seen."""
        return self._left == 0

    def take(self, data: bytes) -> tuple[bytes, bytes]:
        """What of ``data`` is the body's, and what comes after it."""
        mine, rest = data[: self._left], data[self._left :]
        self._left -= len(mine)
        return mine, rest


class Chunked:
    """A body in chunks. Source: https://www.rfc-editor.org/rfc/rfc9112#section-7.1"""

    def __init__(self) -> None:
        self._line = b""
        self._left = 0
        self._ending = False
        self.done = False

    def take(self, data: bytes) -> tuple[bytes, bytes]:
        """What of ``data`` is the body's, without its framing, and what comes after it."""
        found = bytearray()
        while data and not self.done:
            if self._left:
                piece, data = data[: self._left], data[self._left :]
                self._left -= len(piece)
                found += piece
                continue
            line, end, rest = (self._line + data).partition(b"\n")
            if not end:
                self._line = line
                return bytes(found), b""
            self._line, data = b"", rest
            self._take_line(line.rstrip(b"\r"))
        return bytes(found), data

    def _take_line(self, line: bytes) -> None:
        """A chunk's size, the empty line after a chunk, or, once the last was seen, a trailer or the end."""
        if self._ending:
            self.done = not line
        elif line:
            try:
                self._left = int(line.partition(b";")[0], 16)
            except ValueError:
                raise unsupported(f"{_shown(line)} is no size of a chunk") from None
            self._ending = self._left == 0


def body(head: Head) -> Sized | Chunked:
    """How the body of a request is framed."""
    if any("chunked" in value.lower() for value in head.values("transfer-encoding")):
        return Chunked()
    lengths = head.values("content-length")
    if not lengths:
        return Sized(0)
    if not lengths[0].isdigit():
        raise unsupported(f"{lengths[0]!r} is no content-length")
    return Sized(int(lengths[0]))


_OF_THE_CONNECTION = frozenset(("connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade", "http2-settings"))
"""Headers that belong to one connection: the host has another one to the server, and refuses them."""


def sent_headers(head: Head) -> list[tuple[str, bytes]]:
    """The headers of a request that the host is given; it writes ``host`` itself, and ``expect`` is answered here."""
    return [(name, value) for name, value in head.headers if name not in _OF_THE_CONNECTION and name not in ("host", "expect")]


class Answer:
    """Puts a response into HTTP/1.1 for the client to read."""

    def __init__(self, request: Head, status: int, headers: list[tuple[str, bytes]]) -> None:
        kept = [(name.lower(), value) for name, value in headers if name.lower() not in _OF_THE_CONNECTION]
        lengths = [value for name, value in kept if name == "content-length"]
        self.has_body = request.method != "HEAD" and status not in (204, 304)
        self.left = int(lengths[0]) if self.has_body and lengths and lengths[0].isdigit() else None
        """How many bytes are to come, where that is known; the body is in chunks otherwise."""
        if self.has_body and self.left is None:
            kept = [(name, value) for name, value in kept if name != "content-length"]
            kept.append(("transfer-encoding", b"chunked"))
        if not request.keeps_alive:
            kept.append(("connection", b"close"))
        lines = [f"HTTP/1.1 {status} {_reason(status)}".encode("latin-1")]
        lines += [name.encode("latin-1") + b": " + value for name, value in kept]
        self.head = b"\r\n".join(lines) + b"\r\n\r\n"

    def frame(self, data: bytes) -> bytes:
        """A piece of the body; an empty one is its end."""
        if self.left is None:
            return b"%x\r\n%s\r\n" % (len(data), data)
        self.left -= len(data)
        return data


def _reason(status: int) -> str:
    from http import HTTPStatus

    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
