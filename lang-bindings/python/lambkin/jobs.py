"""Work that goes on after the answer: components of the app that are started and not waited for.

A component may start those that ``jobs = ["..."]`` in its manifest's grants names; Lambda runs them asynchronously.
"""

from __future__ import annotations

import json
from typing import Any

from wit_world.imports import jobs

from .capability import CapabilityError, call


class JobsError(CapabilityError):
    """A job that was not started."""


def start(component: str, event: Any = None) -> str:
    """Starts a component with an event, anything that has a JSON form, and returns the job's id: the request id of its invocation."""
    return call(JobsError, jobs.start, component, json.dumps({} if event is None else event))
