"""Names of hosts, which stay names: the host resolves them when a request is sent."""

from __future__ import annotations

import _socket
from typing import Any


def getaddrinfo(host: Any, port: Any, family: int = 0, type: int = 0, proto: int = 0, flags: int = 0) -> list[Any]:
    """The one address of a name: the name itself."""
    name = "localhost" if host is None else text(host)
    version = 6 if ":" in name else 4 if _is_v4(name) else 0
    if (flags & _socket.AI_NUMERICHOST and not version) or not name:
        raise _socket.gaierror(_socket.EAI_NONAME, "Name or service not known")
    found = _socket.AF_INET6 if version == 6 else _socket.AF_INET if version == 4 else family or _socket.AF_INET
    if family not in (0, found):
        raise _socket.gaierror(_socket.EAI_FAMILY, "Address family for hostname not supported")
    address: Any = (name, _port(port)) if found == _socket.AF_INET else (name, _port(port), 0, 0)
    return [(found, type or _socket.SOCK_STREAM, proto or _socket.IPPROTO_TCP, "", address)]


def gethostbyname(host: Any) -> str:
    """Only what needs no resolver."""
    name = text(host)
    if name == "localhost":
        return "127.0.0.1"
    if _is_v4(name):
        return name
    raise _socket.gaierror(_socket.EAI_FAIL, f"a component resolves no names, and the host does when a request to {name} is sent")


def gethostbyname_ex(host: Any) -> tuple[str, list[str], list[str]]:
    """As ``gethostbyname``."""
    return text(host), [], [gethostbyname(host)]


def text(host: Any) -> str:
    """A name or an address as text, as it is looked up."""
    return host.decode("ascii") if isinstance(host, (bytes, bytearray)) else str(host).encode("idna").decode("ascii")


def is_address(name: str) -> bool:
    """Whether it is an IP address."""
    return ":" in name or _is_v4(name)


def _is_v4(name: str) -> bool:
    try:
        _socket.inet_pton(_socket.AF_INET, name)
    except OSError:
        return False
    return True


def _port(port: Any) -> int:
    text = port.decode("ascii") if isinstance(port, bytes) else str(port or 0)
    number = int(text) if text.isdecimal() else {"http": 80, "https": 443}.get(text, -1)
    if not 0 <= number <= 0xFFFF:
        raise _socket.gaierror(_socket.EAI_SERVICE, "Servname not supported for ai_socktype")
    return number
