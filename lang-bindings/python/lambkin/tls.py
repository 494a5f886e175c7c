"""Stands in for ``ssl``, which a component's CPython lacks: what merely imports it works, what opens a connection fails by name.

Outbound requests of a component are the host's to make, TLS included, so there is nothing that a real one could do.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, NoReturn


class SSLError(OSError):
    pass


class SSLCertVerificationError(SSLError, ValueError):
    pass


class SSLContext:
    """Takes every setting and opens nothing."""

    def __init__(self, *_arguments: Any, **_named: Any) -> None:
        self.check_hostname = True
        self.verify_mode = self.verify_flags = self.options = 0

    def wrap_socket(self, *_arguments: Any, **_named: Any) -> NoReturn:
        raise SSLError("a component opens no TLS connection of its own")

    wrap_bio = wrap_socket

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_arguments, **_named: None


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
    for name in ("SSLWantReadError", "SSLWantWriteError", "SSLZeroReturnError", "SSLSyscallError", "SSLEOFError"):
        members[name] = type(name, (SSLError,), {})
    members |= {"SSLError": SSLError, "SSLCertVerificationError": SSLCertVerificationError, "CertificateError": SSLCertVerificationError}
    members |= {"SSLContext": SSLContext, "SSLSocket": type("SSLSocket", (), {}), "SSLObject": type("SSLObject", (), {})}
    members |= {"MemoryBIO": type("MemoryBIO", (), {}), "create_default_context": SSLContext}
    members |= {"_create_default_https_context": SSLContext, "_create_unverified_context": SSLContext}
    members |= {name: _Names() for name in ("Purpose", "TLSVersion", "VerifyMode", "VerifyFlags", "Options", "AlertDescription")}
    members |= {"OPENSSL_VERSION": "none", "OPENSSL_VERSION_INFO": (0, 0, 0, 0, 0), "OPENSSL_VERSION_NUMBER": 0}

    def constant(name: str) -> int:
        if name.isupper() or name.startswith(("PROTOCOL_", "OP_NO_")):
            return 0
        raise AttributeError(f"module 'ssl' has no attribute {name!r}")

    members["__getattr__"] = constant
    return module
