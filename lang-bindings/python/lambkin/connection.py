"""One connection of an HTTP client: takes the bytes that it writes, and has the bytes that it reads.

Each request is sent on its own by the host, as soon as its head is complete; the body follows as it is written. Nothing here
waits: what cannot go on gives None, and says what to wait for.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable
from typing import Any, Protocol

from . import wire

CHUNK = 64 * 1024
"""How much of a response is read at once."""


class Exchange(Protocol):
    """A request on its way and its response; ``outbound.Exchange`` in a component."""

    def write(self, data: bytes) -> int: ...
    def finish(self) -> None: ...
    def head(self) -> tuple[int, list[tuple[str, bytes]]] | None: ...
    def read(self, size: int) -> bytes | None: ...
    def writable(self) -> Any: ...
    def readable(self) -> Any: ...
    def close(self) -> None: ...


Waits = list[Callable[[], Any]]
"""Things to wait for, each as a pollable to come."""

Open = Callable[["Connection", wire.Head], Exchange]
"""Hands a request to the host."""


class Connection:
    """A connection to ``host`` and ``port``; which origin that is, http or https, is settled by the first bytes."""

    def __init__(self, open_exchange: Open, host: str, port: int, connect_timeout: float | None) -> None:
        self.host = host
        self.port = port
        self.connect_timeout = connect_timeout
        self.scheme = "http"
        self.answered = False
        """Whether a request has been answered before."""
        self.asked_at: float | None = None
        """When the request whose answer is awaited was complete."""
        self._open = open_exchange
        self._pending = b""
        """Bytes of a request that has not begun."""
        self._unsent = b""
        """Bytes of the body that the host has not taken yet."""
        self._out = b""
        self._head: wire.Head | None = None
        self._body: wire.Sized | wire.Chunked | None = None
        self._exchange: Exchange | None = None
        self._answer: wire.Answer | None = None
        self._finished = False
        self._ended = False
        self._failure: OSError | None = None

    @property
    def authority(self) -> str:
        """Host and port as in a URL, the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = 443 if self.scheme == "https" else 80
        return host if self.port == usual else f"{host}:{self.port}"

    def send(self, data: bytes) -> int | None:
        """Takes bytes of a request; None while there is no room for more."""
        if self._ended:
            raise self._failure or BrokenPipeError(errno.EPIPE, "Broken pipe")
        try:
            if self._unsent and not self._write():
                return None
            self._take(data)
        except BrokenPipeError:
            raise  # Not the end: there is an answer to be read.
        except OSError as error:
            self.fail(error)
            raise
        return len(data)

    def receive(self, size: int) -> bytes | None:
        """Up to ``size`` bytes of an answer, none at its end where the connection ends with it; None if there are none yet."""
        while not self._out:
            if self._ended:
                if self._failure is not None:
                    raise self._failure
                return b""
            if self._exchange is None or not self.advance():
                return None
        data, self._out = self._out[:size], self._out[size:]
        return data

    def advance(self) -> bool:
        """Goes on with what can go on: room for a body is used, what has come is readable. Whether anything came."""
        try:
            if self._unsent:
                self._write()
            return self._exchange is None or bool(self._out) or self._fetch(self._exchange)
        except BrokenPipeError:
            return True  # There is an answer, before all of the request has gone.
        except OSError as error:
            self.fail(error)
            return True

    def reach(self) -> bool:
        """Whether it is known if a server was reached, once a request is complete; raises why not."""
        if self._exchange is None or self._answer is not None or self._out or self._ended:
            return True
        if self._body is not None and not self._body.done:
            return True
        try:
            if self._unsent:
                self._write()
            return self._exchange is None or self._fetch(self._exchange)
        except BrokenPipeError:
            return True
        except ConnectionResetError as error:
            self.fail(error)  # Reached, and broken off: for the reader to find.
            return True
        except OSError as error:
            self.fail(error)
            raise

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return self._exchange is None and not self._out and not self._ended

    def readable(self) -> Waits | None:
        """What to wait for until something can be read; None if something can be, nothing if nothing will come."""
        if self._out or self._ended:
            return None
        if self._exchange is None:
            return []
        # An answer comes when all of the request has gone, which is not for the reader to see to.
        return [self._exchange.readable, self._exchange.writable] if self._unsent else [self._exchange.readable]

    def writable(self) -> Waits | None:
        """What to wait for until something can be written; None if something can be."""
        if not self._unsent or self._ended or self._exchange is None:
            return None
        return [self._exchange.writable]

    def fail(self, error: OSError) -> None:
        """Ends the connection; ``error`` is what a reader finds, but the server's hanging up is only an end."""
        self.close()
        if not isinstance(error, HungUp):
            self._failure = error

    def close(self) -> None:
        """Ends the connection."""
        self._ended = True
        self._pending = self._unsent = b""
        self._release()

    def _take(self, data: bytes) -> None:
        if self._body is None or self._body.done:
            self._pending += data
            self._begin()
            return
        mine, rest = self._body.take(data)
        self._unsent += mine
        self._pending += rest
        self._write()

    def _begin(self) -> None:
        """Opens an exchange if none is under way and the next head is complete."""
        if self._exchange is not None or self._ended:
            return
        greeted = wire.take_tls_greeting(self._pending)
        if greeted is not None:
            self._start_tls(*greeted)
        found = wire.take_head(self._pending)
        if found is None:
            return
        self._head, rest = found
        self._pending = b""
        self._check(self._head)
        self._body = wire.body(self._head)
        self._exchange = self._open(self, self._head)
        self._finished = False
        if any(value.lower() == "100-continue" for value in self._head.values("expect")):
            self._out = b"HTTP/1.1 100 Continue\r\n\r\n"
        if rest or self._body.done:
            mine, self._pending = self._body.take(rest)
            self._unsent = mine
            self._write()

    def _start_tls(self, hostname: str, rest: bytes) -> None:
        if self.scheme == "https":
            raise wire.unsupported("TLS inside of TLS")
        if hostname and _normal(hostname) != _normal(self.host):
            raise wire.unsupported(f"the name {hostname} for a connection to {self.host}: connect to the name itself")
        self.scheme, self._pending = "https", rest

    def _check(self, head: wire.Head) -> None:
        """Refuses what would mean something else to the host than it does to the client."""
        if head.method == "CONNECT" or not (head.target.startswith("/") or head.target == "*"):
            raise wire.unsupported("requests through a proxy; the host connects by itself, unset HTTP_PROXY and HTTPS_PROXY")
        usual = ":443" if self.scheme == "https" else ":80"
        for named in head.values("host"):
            if _normal(named.removesuffix(usual)) != _normal(self.authority):
                raise wire.unsupported(f"the header host names {named}, and the connection is to {self.authority}")

    def _write(self) -> bool:
        """Hands the host what it takes of the body; whether that is all there is."""
        exchange, body = self._exchange, self._body
        assert exchange is not None and body is not None
        while self._unsent:
            try:
                count = exchange.write(self._unsent)
            except BrokenPipeError:
                # Whoever stopped listening has said why, or answered early.
                self._unsent, self._finished = b"", True
                if self._head is not None:
                    self._head = self._head._replace(keeps_alive=False)
                if self._fetch(exchange):
                    raise
                return True
            if count == 0:
                return False
            self._unsent = self._unsent[count:]
        if body.done and not self._finished:
            exchange.finish()
            self._finished = True
            self.asked_at = time.monotonic()
        return True

    def _fetch(self, exchange: Exchange) -> bool:
        """Moves what has come into what can be read; whether anything changed."""
        if self._answer is None:
            found = exchange.head()
            if found is None:
                return False
            assert self._head is not None
            self._answer = wire.Answer(self._head, *found)
            self._out += self._answer.head
            self.answered = True
            self.asked_at = None
            if not self._answer.has_body or self._answer.left == 0:
                self._end()
            return True
        data = exchange.read(CHUNK)
        if data is None:
            return False
        if not data and self._answer.left:
            raise HungUp(errno.ECONNRESET, "the response broke off")
        self._out += self._answer.frame(data)
        if not data or self._answer.left == 0:
            self._end()
        return True

    def _end(self) -> None:
        """An answer is complete: the next request may begin."""
        assert self._head is not None
        complete = self._finished
        self._release()
        if complete and self._head.keeps_alive:
            self._begin()
        else:
            self._ended = True

    def _release(self) -> None:
        exchange, self._exchange = self._exchange, None
        self._answer = self._body = None
        if exchange is not None:
            exchange.close()


class HungUp(ConnectionResetError):
    """The server closed the connection where more was to come: clients find an end, and have names for it."""


def _normal(host: str) -> str:
    return host.lower().removesuffix(".")
