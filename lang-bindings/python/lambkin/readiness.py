"""``select.poll`` and ``select.select`` over the sockets of a component, and so ``selectors`` and ``asyncio``."""

from __future__ import annotations

import errno
import select
import time
from typing import Any

from . import sockets
from .connection import Waits


class Poll:
    """``select.poll`` over sockets."""

    def __init__(self) -> None:
        self._masks: dict[int, int] = {}

    def register(self, file: Any, mask: int = select.POLLIN | select.POLLPRI | select.POLLOUT) -> None:
        self._masks[_number(file)] = mask

    def modify(self, file: Any, mask: int) -> None:
        if _number(file) not in self._masks:
            raise FileNotFoundError(errno.ENOENT, "No such file or directory")
        self.register(file, mask)

    def unregister(self, file: Any) -> None:
        del self._masks[_number(file)]

    def poll(self, timeout: float | None = None) -> list[tuple[int, int]]:
        """The sockets that are ready, within ``timeout`` milliseconds."""
        deadline = None if timeout is None or timeout < 0 else time.monotonic() + timeout / 1000
        while True:
            states = [(number, bit, waits) for number, mask in self._masks.items() for bit, waits in _states(number, mask)]
            ready: dict[int, int] = {}
            for number, bit, waits in states:
                if waits is None:
                    ready[number] = ready.get(number, 0) | bit
            waiting = [one for _, _, waits in states for one in waits or ()]
            left = None if deadline is None else max(deadline - time.monotonic(), 0)
            if ready:
                return list(ready.items())
            if left is None and not waiting:
                raise RuntimeError("every task waits for something that cannot happen: no timer is set and no other task can run")
            if not _settle(self._masks, waiting, left):
                return []


def _settle(masks: dict[int, int], waiting: Waits, left: float | None) -> bool:
    """Waits, and has what came moved to where it makes a socket ready; whether anything came."""
    if not sockets.network.wait(waiting, left):
        return False
    for number in masks:
        held = sockets.opened[number].connection if number in sockets.opened else None
        if held is not None:
            held.advance()
    return True


def _states(number: int, mask: int) -> list[tuple[int, Waits | None]]:
    if number not in sockets.opened:
        return [(select.POLLNVAL, None)]
    held = sockets.opened[number].connection
    if held is None:
        return [(select.POLLHUP, None)]
    states: list[tuple[int, Waits | None]] = [(select.POLLIN, held.readable())] if mask & select.POLLIN else []
    return states + ([(select.POLLOUT, held.writable())] if mask & select.POLLOUT else [])


def select_files(reading: Any, writing: Any, _exceptional: Any, timeout: float | None = None) -> tuple[list[Any], list[Any], list[Any]]:
    """``select.select`` over sockets."""
    asked = Poll()
    for files, bit in ((reading, select.POLLIN), (writing, select.POLLOUT)):
        for file in files:
            asked.register(file, asked._masks.get(_number(file), 0) | bit)
    ready = dict(asked.poll(None if timeout is None else timeout * 1000))
    return _chosen(reading, ready, select.POLLIN), _chosen(writing, ready, select.POLLOUT), []


def _chosen(files: Any, ready: dict[int, int], bit: int) -> list[Any]:
    return [one for one in files if ready.get(_number(one), 0) & (bit | select.POLLHUP)]


def _number(file: Any) -> int:
    return file if isinstance(file, int) else file.fileno()
