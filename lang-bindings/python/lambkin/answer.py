"""What a Lambda function's answer and failure look like as text: the rules of AWS's Python runtime.

Source: https://docs.aws.amazon.com/lambda/latest/dg/python-handler.html and python-exceptions.html
"""

from __future__ import annotations

import json
import math
import os
import sys
from types import TracebackType
from typing import Any, NamedTuple


class Failure(NamedTuple):
    """A failed invocation in the shape of Lambda's error object."""

    error_type: str
    error_message: str
    stack_trace: list[str]


class MarshalError(Exception):
    """The handler's answer cannot be written as JSON."""


def encode(value: Any) -> str:
    """The answer's JSON text; text stays unescaped and ``Decimal`` becomes a number, as on Lambda."""
    numbers: dict[str, str] = {}
    token = ""

    def replace(other: Any) -> Any:
        nonlocal token
        decimal = sys.modules.get("decimal")
        if decimal is None or not isinstance(other, decimal.Decimal):
            raise TypeError(f"Object of type {type(other).__name__} is not JSON serializable")
        if other.is_nan():
            return math.nan
        token = token or os.urandom(16).hex()
        placeholder = f"{token}.{len(numbers)}"
        numbers[placeholder] = str(other)
        return placeholder

    try:
        text = json.dumps(value, ensure_ascii=False, default=replace)
    except (TypeError, ValueError, RecursionError) as error:
        raise MarshalError(f"Unable to marshal response: {error}") from error
    for placeholder, digits in numbers.items():
        text = text.replace(f'"{placeholder}"', digits)
    return text


def failure(error: BaseException, sources: dict[str, list[str]]) -> Failure:
    """What Lambda's caller learns of ``error``; ``sources`` holds the lines of the app's own files."""
    if isinstance(error, MarshalError):
        return Failure("Runtime.MarshalError", str(error), [])
    if isinstance(error, SystemExit):
        return Failure("Runtime.ExitError", _exit_message(error.code), frames(error.__traceback__, sources))
    return Failure(type(error).__name__, _message(error), frames(error.__traceback__, sources))


def frames(trace: TracebackType | None, sources: dict[str, list[str]]) -> list[str]:
    """One line a frame, innermost first, without the adapter's own."""
    lines: list[str] = []
    while trace is not None:
        code = trace.tb_frame.f_code
        if not trace.tb_frame.f_globals.get("__name__", "").startswith("lambkin."):
            line = f'File "{code.co_filename}", line {trace.tb_lineno}, in {code.co_name}'
            source = sources.get(code.co_filename, ())
            if 0 < trace.tb_lineno <= len(source):
                line += f": {source[trace.tb_lineno - 1].strip()}"
            lines.append(line)
        trace = trace.tb_next
    lines.reverse()
    return lines


def _message(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return f"<{type(error).__name__} cannot be shown>"


def _exit_message(code: Any) -> str:
    if code is None or code == 0:
        return "Runtime exited without providing a reason"
    if isinstance(code, int):
        return f"Runtime exited with error: exit status {code}"
    return f"Runtime exited with error: {code}"
