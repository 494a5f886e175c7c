"""The ``lambkin:function`` export over a Lambda handler, ordinary or ``async def``."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports.lambkin_function_types import FunctionError

from . import answer, log
from .context import Context, Invocation
from .snapshot import App


def export(app: App) -> type:
    """The class that componentize-py looks for, bound to ``app``."""

    class Handler(exports.Handler):
        def handle(self, event: str, context: Invocation) -> str:
            try:
                return _invoke(app, event, context)
            except MemoryError:
                raise  # Ends the instance: the host knows the bound that was reached, and says so.
            except BaseException as error:
                found = answer.failure(error, app.sources)
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
            raise Err(FunctionError(found.error_type, found.error_message, found.stack_trace))

    return Handler


def _invoke(app: App, event: str, invocation: Invocation) -> str:
    _set_environment(invocation)
    log.begin(invocation.request_id)
    handler = app.handler()
    context = Context(invocation)
    result = handler(json.loads(event), context)
    if hasattr(result, "__await__"):
        result = _wait(result)
    return answer.encode(result)


def _wait(awaitable: Any) -> Any:
    from . import event_loop

    return event_loop.run(awaitable)


def _set_environment(invocation: Invocation) -> None:
    """Adds what Lambda sets for every function, and the manifest's environment where the host left it to us.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
    """
    environment = os.environ
    for name, value in invocation.environment:
        if environment.get(name) != value:
            environment[name] = value
    function = invocation.function
    environment.setdefault("AWS_LAMBDA_FUNCTION_NAME", function.name)
    environment.setdefault("AWS_LAMBDA_FUNCTION_VERSION", function.version)
    environment.setdefault("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", str(function.memory_mb))
    environment.setdefault("AWS_LAMBDA_LOG_GROUP_NAME", function.log_group)
    environment.setdefault("AWS_LAMBDA_LOG_STREAM_NAME", function.log_stream)
    if invocation.trace_id:
        environment["_X_AMZN_TRACE_ID"] = invocation.trace_id
