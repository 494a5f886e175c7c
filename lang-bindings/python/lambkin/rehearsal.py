"""Calls the adapter with a handler of its own, before the snapshot is taken.

CPython specializes the instructions that it runs, in place. What every call runs is specialized here, once, instead of in
each instance, which would have to have a page of its own for each function that it calls.
"""

from __future__ import annotations

import json
import os
from typing import Any

from . import function

_CALLS = 16
"""After eight runs at most CPython has specialized an instruction."""

_EVENT = {"path": "/", "headers": {"host": "example.com"}, "cookies": ["a=1"], "list": [True, 1, 2.5, None]}


class _App:
    """The members of an app that the adapter asks for."""

    sources: dict[str, list[str]] = {}

    def handler(self) -> Any:
        return lambda event, context: {"statusCode": 200, "headers": event["headers"], "body": json.dumps(event)}


class _Function:
    name = version = invoked_arn = log_group = log_stream = ""
    memory_mb = 0


class _Invocation:
    """What the host tells of a call, as far as all calls have it."""

    request_id = app = alias = release = component = ""
    trace_id = tenant = client_context = identity = None
    deadline_ms = 0
    function = _Function()
    environment: list[tuple[str, str]] = []


def rehearse() -> None:
    """Leaves the environment and the log as they were."""
    before = dict(os.environ)
    handler = function.export(_App())().handle  # type: ignore[arg-type]
    try:
        for _ in range(_CALLS):
            handler(json.dumps(_EVENT), _Invocation())
    except Exception:
        pass  # The app has put something of its own in the place of what the adapter uses, and that is not ready yet.
    for name in os.environ.keys() - before.keys():
        del os.environ[name]
