"""Lambkin for Python: the types that a handler meets.

An existing AWS Lambda handler needs nothing of this package; ``from lambkin import Context`` is there for editors and
type checkers. The other modules are the adapter between a component's exports and Python's own conventions.
"""

from .context import ClientContext, CognitoIdentity, Context

__all__ = ["ClientContext", "CognitoIdentity", "Context"]
