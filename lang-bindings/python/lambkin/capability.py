"""What ``lambkin.files``, ``lambkin.jobs`` and ``lambkin.websocket`` share: the host's answer is a value or an error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from componentize_py_types import Err

from . import snapshot

_T = TypeVar("_T")


class CapabilityError(Exception):
    """A call that the host did not do."""

    code: str
    """What to tell errors apart by: ``not-granted``, ``not-found``, ``gone``, ``too-large``, ``throttled``, ``invalid``, ``failed``..."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def call(kind: type[CapabilityError], function: Callable[..., _T], *arguments: Any) -> _T:
    """Calls the host; its error is raised as ``kind``."""
    if snapshot.is_being_taken():
        raise kind("failed", f"lambkin.{function.__module__.rpartition('.')[2]} answers invocations alone: call it in the handler")
    try:
        return function(*arguments)
    except Err as refused:
        error = refused.value
        raise kind(error.code.name.lower().replace("_", "-"), error.message) from None


def encoded(data: str | bytes | bytearray | memoryview) -> bytes:
    """The bytes of a text or of anything that has bytes."""
    return data.encode() if isinstance(data, str) else bytes(data)
