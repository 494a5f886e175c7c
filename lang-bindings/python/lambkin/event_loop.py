"""An ``asyncio`` event loop for a component: timers and tasks, no sockets, no threads.

A component has one thread and no file descriptor to wait on, so work meant for a thread pool runs where it stands.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any


class _Clock:
    """Stands where a selector would: there is nothing to wait for but the next timer."""

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("every task waits for something that cannot happen: no timer is set and no other task can run")
        if timeout > 0:
            time.sleep(timeout)
        return []


class Loop(asyncio.base_events.BaseEventLoop):
    """``asyncio``'s own loop over a clock."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = _Clock()

    def _process_events(self, events: list[Any]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass

    def run_in_executor(self, executor: Any, function: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        future = self.create_future()
        try:
            future.set_result(function(*arguments))
        except Exception as error:
            future.set_exception(error)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:
        pass


def run(awaitable: Any) -> Any:
    """Waits for ``awaitable`` in a loop of its own."""
    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(_as_coroutine(awaitable))


def prepare() -> None:
    """Makes the loop the one that ``asyncio.run`` uses, and keeps anyio on the one thread there is."""
    asyncio.unix_events._DefaultEventLoopPolicy._loop_factory = Loop  # type: ignore[attr-defined]
    backend = sys.modules.get("anyio._backends._asyncio")
    if backend is not None:
        backend.AsyncIOBackend.run_sync_in_worker_thread = classmethod(_run_here)


async def _run_here(_backend: Any, function: Callable[..., Any], arguments: tuple[Any, ...], **_options: Any) -> Any:
    await asyncio.sleep(0)
    return function(*arguments)


def _as_coroutine(awaitable: Any) -> Coroutine[Any, Any, Any]:
    if asyncio.iscoroutine(awaitable):
        return awaitable

    async def wait() -> Any:
        return await awaitable

    return wait()
