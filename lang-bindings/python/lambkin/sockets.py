"""Sockets for a component, which has none: they carry HTTP/1.1 by way of the host, and so do all libraries on top of them.

What is here stands where CPython's ``_socket`` and ``select`` do, below ``socket``, ``http.client``, ``ssl`` and ``asyncio``. A
name stays a name: the host resolves it when a request is sent.
"""

from __future__ import annotations

import _socket
import errno
import select
import sys
import time
import weakref
from collections.abc import Callable
from typing import Any, Protocol

from . import names, wire
from .connection import CHUNK, Connection, Exchange, Waits


class Network(Protocol):
    """What carries requests; ``lambkin.outbound`` in a component."""

    def Exchange(self, target: Connection, head: wire.Head) -> Exchange: ...
    def wait(self, waits: Waits, timeout: float | None) -> list[int]: ...


class AtBuild:
    """Stands where the network will be while a component is built: there is none, and the app's modules run again later."""

    def __init__(self) -> None:
        self.asked = False

    def Exchange(self, target: Connection, head: wire.Head) -> Exchange:
        self.asked = True
        raise OSError(errno.ENETDOWN, f"there is no network while the component is built, so {target.authority} cannot be asked")

    def wait(self, waits: Waits, timeout: float | None) -> list[int]:
        time.sleep(timeout or 0)
        return []


network: Network = AtBuild()

_FIRST = 1 << 20
"""Sockets are numbered from here: no file of a component ever is."""

_REACH = 0.25
"""Seconds within which most servers that cannot be reached are known to be so."""

opened: weakref.WeakValueDictionary[int, Socket] = weakref.WeakValueDictionary()
"""Sockets by their numbers."""

_detached: dict[int, Socket] = {}
"""Those that only their numbers are left of."""

_default_timeout: float | None = None


class Socket:
    """What ``socket.socket`` is made of."""

    __slots__ = ("_closed_for_writing", "_connection", "_family", "_number", "_timeout", "_type", "proto")

    def __init__(self, family: int = -1, type: int = -1, proto: int = -1, fileno: int | None = None) -> None:
        self._family = _socket.AF_INET if family == -1 else family
        self._type = _socket.SOCK_STREAM if type == -1 else type & ~(_socket.SOCK_NONBLOCK | _socket.SOCK_CLOEXEC)
        self.proto = max(proto, 0)
        self._timeout = _default_timeout
        self._connection: Connection | None = None
        self._closed_for_writing = False
        self._number = _FIRST
        if fileno is None:
            while self._number in opened:
                self._number += 1
        else:
            other = opened.get(fileno)
            if other is None:
                raise OSError(errno.EBADF, "Bad file descriptor")
            self._number, self._connection = fileno, other._connection
            self._family, self._type, self.proto = other._family, other._type, other.proto
            _detached.pop(fileno, None)
        opened[self._number] = self

    def fileno(self) -> int:
        return self._number

    def close(self) -> None:
        held, self._connection = self._connection, None
        if opened.get(self._number) is self:
            del opened[self._number]
            if held is not None:
                held.close()
        self._number = -1

    def detach(self) -> int:
        number = self._number
        if opened.get(number) is self:
            _detached[number] = _Detached(self._family, self._type, self.proto, number)
        self._number, self._connection = -1, None
        return number

    def connect(self, address: Any) -> None:
        if self._number == -1:
            raise OSError(errno.EBADF, "Bad file descriptor")
        if self._type != _socket.SOCK_STREAM or self._family not in (_socket.AF_INET, _socket.AF_INET6):
            raise wire.unsupported("this is a socket of another kind")
        if self._connection is not None:
            raise OSError(errno.EISCONN, "Transport endpoint is already connected")
        host, port = names.text(address[0]), int(address[1])
        self._connection = Connection(network.Exchange, host, port, self._timeout or None)

    def connect_ex(self, address: Any) -> int:
        try:
            self.connect(address)
        except OSError as error:
            return error.errno or errno.EIO
        return 0

    def send(self, data: Any, flags: int = 0) -> int:
        held = self._connected()
        piece = bytes(memoryview(data).cast("B")[:CHUNK])
        if self._closed_for_writing:
            raise BrokenPipeError(errno.EPIPE, "Broken pipe")
        count = self._try(lambda: held.send(piece), held.writable, None)
        if self._timeout != 0:
            self._reach(held)
        return count

    def sendall(self, data: Any, flags: int = 0) -> None:
        rest = memoryview(data).cast("B")
        while rest:
            rest = rest[self.send(rest) :]

    def recv(self, size: int, flags: int = 0) -> bytes:
        held = self._connected()
        if size == 0:
            return b""
        if self._timeout != 0 and held.idle:
            if held.answered:
                return b""  # As from a server that is tired of waiting for the next request.
            raise wire.unsupported("there is nothing to read before a request is complete")
        return self._try(lambda: held.receive(size), held.readable, held.asked_at)

    def recv_into(self, buffer: Any, size: int = 0, flags: int = 0) -> int:
        view = memoryview(buffer).cast("B")
        data = self.recv(size or len(view), flags)
        view[: len(data)] = data
        return len(data)

    def recvfrom(self, size: int, flags: int = 0) -> tuple[bytes, Any]:
        return self.recv(size, flags), self.getpeername()

    def shutdown(self, how: int) -> None:
        self._connected()
        self._closed_for_writing = self._closed_for_writing or how != _socket.SHUT_RD

    def settimeout(self, timeout: float | None) -> None:
        if timeout is not None and timeout < 0:
            raise ValueError("Timeout value out of range")
        self._timeout = None if timeout is None else float(timeout)

    def gettimeout(self) -> float | None:
        return self._timeout

    timeout = property(gettimeout)
    family = property(lambda self: self._family)
    type = property(lambda self: self._type)

    def setblocking(self, blocking: bool) -> None:
        self._timeout = None if blocking else 0.0

    def getblocking(self) -> bool:
        return self._timeout != 0

    def setsockopt(self, *_: Any) -> None:
        """Options are of connections, which are the host's."""

    def getsockopt(self, level: int, option: int, size: int = 0) -> int | bytes:
        value = self._type if (level, option) == (_socket.SOL_SOCKET, _socket.SO_TYPE) else 0
        return value.to_bytes(size, sys.byteorder) if size else value

    def getpeername(self) -> Any:
        held = self._connected()
        return (held.host, held.port) if self._family == _socket.AF_INET else (held.host, held.port, 0, 0)

    def getsockname(self) -> Any:
        return ("0.0.0.0", 0) if self._family == _socket.AF_INET else ("::", 0, 0, 0)

    @property
    def connection(self) -> Connection | None:
        """What it is connected by."""
        return self._connection

    def _refuse(self, *_arguments: Any, **_named: Any) -> Any:
        raise wire.unsupported("a component connects to others, and nobody to it")

    bind = listen = _accept = sendto = recvfrom_into = _refuse

    def _connected(self) -> Connection:
        if self._number == -1:
            raise OSError(errno.EBADF, "Bad file descriptor")
        if self._connection is None:
            raise OSError(errno.ENOTCONN, "Transport endpoint is not connected")
        return self._connection

    def _try(self, step: Callable[[], Any], waits: Callable[[], Waits | None], since: float | None) -> Any:
        """Repeats ``step`` until it gives something, for as long as this socket may take, counted from ``since`` or now."""
        limit = self._timeout
        deadline = None if limit is None else (since or time.monotonic()) + limit
        while (result := step()) is None:
            if limit == 0:
                raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
            if not _wait_for(waits(), deadline):
                raise TimeoutError("timed out")
        return result

    def _reach(self, held: Connection) -> None:
        """Has a connection that fails fail while the request is written, where clients expect it; what takes longer is the reader's."""
        limit = _REACH if self._timeout is None else min(self._timeout, _REACH)
        deadline = time.monotonic() + limit
        while not held.reach():
            if not _wait_for(held.readable(), deadline):
                return


class _Detached(Socket):
    __slots__ = ("__weakref__",)


def _wait_for(waits: Waits | None, deadline: float | None) -> bool:
    if waits is None:
        return True
    if not waits and deadline is None:
        raise wire.unsupported("there is nothing to read before a request is complete")
    left = None if deadline is None else max(deadline - time.monotonic(), 0)
    return bool(network.wait(waits, left))


def setdefaulttimeout(timeout: float | None) -> None:
    """What new sockets start with."""
    global _default_timeout
    _default_timeout = timeout


def getdefaulttimeout() -> float | None:
    """What new sockets start with."""
    return _default_timeout


def _close(number: int) -> None:
    if number in opened:
        opened[number].close()


def prepare() -> AtBuild:
    """Puts all of this in its place, before ``socket`` is loaded; a network comes with :func:`connect`."""
    if "socket" in sys.modules:
        raise RuntimeError("socket was loaded before lambkin.sockets")
    from . import readiness

    vars(_socket).update(socket=Socket, SocketType=Socket, close=_close)
    vars(_socket).update(setdefaulttimeout=setdefaulttimeout, getdefaulttimeout=getdefaulttimeout)
    vars(_socket).update(getaddrinfo=names.getaddrinfo, gethostbyname=names.gethostbyname, gethostbyname_ex=names.gethostbyname_ex)
    vars(select).update(poll=readiness.Poll, select=readiness.select_files)
    assert isinstance(network, AtBuild)
    return network


def connect(carrier: Network) -> None:
    """Lets requests out, by ``carrier``."""
    global network
    network = carrier
