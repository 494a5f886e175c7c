"""An ``asyncio`` event loop for a component: timers, tasks and the sockets of ``lambkin.sockets``, no threads.

A component has one thread, so work meant for a thread pool runs where it stands.
"""

from __future__ import annotations

import asyncio
import selectors
import sys
from collections.abc import Callable, Coroutine
from typing import Any


class Loop(asyncio.selector_events.BaseSelectorEventLoop):
    """``asyncio``'s own loop, without the pipe by which another thread would wake it."""

    def __init__(self) -> None:
        super().__init__(selectors.PollSelector())

    def _make_self_pipe(self) -> None:
        pass

    def _close_self_pipe(self) -> None:
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
