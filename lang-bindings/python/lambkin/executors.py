"""Thread pools in a component, which has one thread."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from concurrent.futures import Future


def prepare() -> None:
    """Lets ``ThreadPoolExecutor`` run what it is given at once, in order: results stay right, without parallelism."""
    threads = sys.modules.get("concurrent.futures.thread")
    if threads is None:
        return
    from concurrent.futures import Future

    def submit(self: Any, function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        if self._shutdown:
            raise RuntimeError("cannot schedule new futures after shutdown")
        future: Future[Any] = Future()
        future.set_running_or_notify_cancel()
        try:
            future.set_result(function(*arguments, **named))
        except BaseException as error:
            future.set_exception(error)
        return future

    threads.ThreadPoolExecutor.submit = submit
