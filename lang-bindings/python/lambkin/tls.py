"""Stands in for ``ssl``, which a component's CPython lacks: the host speaks TLS, and this tells it where a client wants it.

A "handshake" writes one line that ``lambkin.connection`` understands, and what follows stays as it is: the requests of that
connection are https. The host always checks the server's certificate, against Mozilla's authorities and the name connected to;
what a client says beyond that has no effect, unless its effect would be missed.
"""

from __future__ import annotations

import errno
import socket
import sys
from types import ModuleType
from typing import Any, NoReturn

from . import names, wire

_KNOWN_AUTHORITIES = ("/certifi/cacert.pem", "/botocore/cacert.pem")
"""Files that hold the very authorities that the host trusts."""


class SSLError(OSError):
    reason = library = None


class SSLCertVerificationError(SSLError, ValueError):
    verify_code = 0
    verify_message = ""


class SSLWantReadError(SSLError):
    pass


class SSLContext:
    """Takes every setting that loses nothing by being left to the host."""

    def __init__(self, protocol: Any = None, *_arguments: Any, **_named: Any) -> None:
        self.protocol = protocol
        self.check_hostname = True
        self.verify_mode = 2
        self.verify_flags = self.options = 0
        self.minimum_version = self.maximum_version = 0
        self.post_handshake_auth = self.keylog_filename = self.sni_callback = None
        self.sslsocket_class, self.sslobject_class = SSLSocket, SSLObject

    def wrap_socket(self, sock: Any, server_side: bool = False, *_arguments: Any, server_hostname: Any = None, **_named: Any) -> SSLSocket:
        if server_side:
            raise SSLError(errno.EPROTONOSUPPORT, "a component serves no TLS")
        return SSLSocket(sock, self, _name(server_hostname))

    def wrap_bio(
        self, incoming: MemoryBIO, outgoing: MemoryBIO, server_side: bool = False, server_hostname: Any = None, *_: Any
    ) -> SSLObject:
        if server_side:
            raise SSLError(errno.EPROTONOSUPPORT, "a component serves no TLS")
        return SSLObject(incoming, outgoing, self, _name(server_hostname))

    def load_cert_chain(self, *_arguments: Any, **_named: Any) -> NoReturn:
        raise SSLError(errno.EPROTONOSUPPORT, "the host speaks TLS for a component, and has no client certificates")

    def load_verify_locations(self, cafile: Any = None, capath: Any = None, cadata: Any = None) -> None:
        if capath or cadata or (cafile and not str(cafile).endswith(_KNOWN_AUTHORITIES)):
            text = f"the host speaks TLS for a component, and trusts Mozilla's authorities, none of a component's own ({cafile or capath or 'cadata'})"
            raise SSLError(errno.EPROTONOSUPPORT, text)

    def get_ca_certs(self, binary_form: bool = False) -> list[Any]:
        return []

    def cert_store_stats(self) -> dict[str, int]:
        return {"x509": 0, "crl": 0, "x509_ca": 0}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_arguments, **_named: None


class _Verified:
    """What a connection can tell of a server that the host has verified, or will before it sends a request."""

    server_side = False
    session = session_reused = None

    def __init__(self, context: SSLContext, server_hostname: str | None) -> None:
        self.context = context
        self.server_hostname = server_hostname

    def getpeercert(self, binary_form: bool = False) -> dict[str, Any] | None:
        """The names that the certificate is known to be for; the certificate itself stays with the host."""
        if binary_form or not self.server_hostname:
            return None
        is_address = names.is_address(self.server_hostname)
        return {"subjectAltName": (("IP Address" if is_address else "DNS", self.server_hostname),)}

    def version(self) -> str:
        return "TLSv1.3"

    def cipher(self) -> tuple[str, str, int]:
        return ("TLS_AES_256_GCM_SHA384", "TLSv1.3", 256)

    def _nothing(self, *_arguments: Any) -> None:
        return None

    selected_alpn_protocol = selected_npn_protocol = compression = shared_ciphers = get_channel_binding = _nothing


class SSLSocket(_Verified, socket.socket):
    """A connected socket whose requests are https."""

    def __init__(self, plain: Any, context: SSLContext, server_hostname: str | None) -> None:
        timeout = plain.gettimeout()
        connected = plain.connection is not None
        _Verified.__init__(self, context, server_hostname)
        socket.socket.__init__(self, plain.family, plain.type, plain.proto, fileno=plain.fileno())
        plain.detach()
        self.settimeout(timeout)
        if connected:
            self.do_handshake()

    def connect(self, address: Any) -> None:
        super().connect(address)
        self.do_handshake()

    def do_handshake(self, block: bool = False) -> None:
        if not self._greeted:
            self._greeted = True
            socket.socket.sendall(self, wire.tls_greeting(self.server_hostname or ""))

    _greeted = False

    @property
    def _sslobj(self) -> SSLSocket:
        """Where httpcore looks for what was negotiated."""
        return self

    def read(self, size: int = 1024, buffer: Any = None) -> Any:
        return self.recv(size) if buffer is None else self.recv_into(buffer, size)

    def write(self, data: Any) -> int:
        return self.send(data)

    def pending(self) -> int:
        return 0

    def unwrap(self) -> NoReturn:
        raise SSLError(errno.EPROTONOSUPPORT, "a connection of a component that speaks TLS speaks nothing else")


class MemoryBIO:
    """Bytes between a transport and an :class:`SSLObject`."""

    def __init__(self) -> None:
        self._data = b""
        self._ended = False

    @property
    def pending(self) -> int:
        return len(self._data)

    @property
    def eof(self) -> bool:
        return self._ended and not self._data

    def read(self, size: int = -1) -> bytes:
        size = len(self._data) if size < 0 else size
        data, self._data = self._data[:size], self._data[size:]
        return data

    def write(self, data: Any) -> int:
        if self._ended:
            raise SSLError("cannot write() after write_eof()")
        self._data += bytes(data)
        return len(data)

    def write_eof(self) -> None:
        self._ended = True


class SSLObject(_Verified):
    """The same without a socket, for a transport that somebody else reads and writes."""

    def __init__(self, incoming: MemoryBIO, outgoing: MemoryBIO, context: SSLContext, server_hostname: str | None) -> None:
        super().__init__(context, server_hostname)
        self._incoming = incoming
        self._outgoing = outgoing
        self._greeted = False

    def do_handshake(self) -> None:
        if not self._greeted:
            self._greeted = True
            self._outgoing.write(wire.tls_greeting(self.server_hostname or ""))

    def read(self, size: int = 1024, buffer: Any = None) -> Any:
        if not self._incoming.pending and not self._incoming.eof:
            raise SSLWantReadError(2, "The operation did not complete (read)")
        if buffer is None:
            return self._incoming.read(size)
        data = self._incoming.read(min(size or len(buffer), len(buffer)))
        buffer[: len(data)] = data
        return len(data)

    def write(self, data: Any) -> int:
        return self._outgoing.write(data)

    def pending(self) -> int:
        return self._incoming.pending

    def unwrap(self) -> None:
        return None


class _Names:
    """An enumeration of which nobody looks at the values."""

    def __getattr__(self, name: str) -> int:
        if name.startswith("__"):
            raise AttributeError(name)
        return 0


def prepare() -> None:
    """Puts the stand-in where ``import ssl`` finds it, unless there is a real one."""
    try:
        import ssl  # noqa: F401
    except ImportError:
        sys.modules["ssl"] = _module()


def _module() -> ModuleType:
    module = ModuleType("ssl", __doc__)
    members = vars(module)
    for name in ("SSLWantWriteError", "SSLZeroReturnError", "SSLSyscallError", "SSLEOFError"):
        members[name] = type(name, (SSLError,), {})
    for one in (SSLError, SSLCertVerificationError, SSLWantReadError, SSLContext, SSLSocket, SSLObject, MemoryBIO):
        members[one.__name__] = one
    members |= {"CertificateError": SSLCertVerificationError, "create_default_context": _default_context}
    members |= {"_create_default_https_context": _default_context, "_create_unverified_context": SSLContext}
    members |= {name: _Names() for name in ("Purpose", "TLSVersion", "VerifyFlags", "Options", "AlertDescription")}
    members |= {"CERT_NONE": 0, "CERT_OPTIONAL": 1, "CERT_REQUIRED": 2, "VerifyMode": _VerifyMode, "SSL_ERROR_WANT_READ": 2}
    members |= {"HAS_SNI": True, "HAS_ALPN": True, "HAS_NEVER_CHECK_COMMON_NAME": True}
    members |= {"OPENSSL_VERSION": "none", "OPENSSL_VERSION_INFO": (0, 0, 0, 0, 0), "OPENSSL_VERSION_NUMBER": 0}

    def constant(name: str) -> int:
        if name.isupper() or name.startswith(("PROTOCOL_", "OP_NO_")):
            return 0
        raise AttributeError(f"module 'ssl' has no attribute {name!r}")

    members["__getattr__"] = constant
    return module


class _VerifyMode:
    CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED = range(3)


def _default_context(purpose: Any = None, *, cafile: Any = None, capath: Any = None, cadata: Any = None) -> SSLContext:
    context = SSLContext()
    if cafile or capath or cadata:
        context.load_verify_locations(cafile, capath, cadata)
    return context


def _name(hostname: Any) -> str | None:
    return hostname.decode("ascii") if isinstance(hostname, bytes) else hostname
