"""The root logger as AWS's Python runtime sets it up: to standard output, with the request id in each line.

``logging`` itself is loaded only when the app or a dependency does so.
Source: https://docs.aws.amazon.com/lambda/latest/dg/python-logging.html
"""

from __future__ import annotations

import os
import sys
from typing import Any

_request_id = ""
_install: Any = None


def begin(request_id: str) -> None:
    """Tags what is logged from here on with ``request_id``, and applies the log settings of the environment."""
    global _request_id
    _request_id = request_id
    if _install is not None:
        _install()


def prepare() -> None:
    """Gives the root logger its handler, if ``logging`` is loaded; called once, before the app's own modules run."""
    global _install
    if _install is not None or "logging" not in sys.modules:
        return
    import json
    import logging
    import time

    class Text(logging.Formatter):
        converter = time.gmtime

    class Json(logging.Formatter):
        converter = time.gmtime

        def format(self, record: logging.LogRecord) -> str:
            members: dict[str, Any] = {
                "timestamp": self.formatTime(record, "%Y-%m-%dT%H:%M:%SZ"),
                "level": record.levelname,
                "message": record.getMessage(),
                "logger": record.name,
                "requestId": _request_id,
            }
            if record.exc_info and record.exc_info[0]:
                members["errorType"] = record.exc_info[0].__name__
                members["errorMessage"] = str(record.exc_info[1])
                members["stackTrace"] = self.formatException(record.exc_info).splitlines()
            return json.dumps(members, ensure_ascii=False, default=str)

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            record.aws_request_id = _request_id
            try:
                sys.stdout.write(self.format(record) + "\n")
            except Exception:
                self.handleError(record)

    text = Text("[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S")
    handler = Handler()
    handler.setFormatter(text)
    logging.getLogger().addHandler(handler)

    def install() -> None:
        if os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON":
            handler.setFormatter(Json())
            level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "")
            if level:
                logging.getLogger().setLevel({"TRACE": "DEBUG", "FATAL": "CRITICAL"}.get(level, level))

    _install = install
