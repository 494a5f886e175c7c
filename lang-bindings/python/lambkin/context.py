"""The ``context`` argument of a Lambda handler, with the attributes that AWS documents.

Source: https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
"""

from __future__ import annotations

import json
import time
from typing import Any, Protocol


class _Function(Protocol):
    name: str
    version: str
    invoked_arn: str
    memory_mb: int
    log_group: str
    log_stream: str


class Invocation(Protocol):
    """What the host tells about one invocation: the ``context`` record of ``lambkin:function``."""

    request_id: str
    deadline_ms: int
    trace_id: str | None
    app: str
    alias: str
    release: str
    component: str
    tenant: str | None
    function: _Function
    client_context: str | None
    identity: str | None
    environment: list[tuple[str, str]]


class CognitoIdentity:
    """The Amazon Cognito identity that authorised the call; both members are None without one."""

    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")

    def __init__(self, members: dict[str, Any]) -> None:
        self.cognito_identity_id: str | None = members.get("cognitoIdentityId")
        self.cognito_identity_pool_id: str | None = members.get("cognitoIdentityPoolId")

    def __repr__(self) -> str:
        return (
            f"CognitoIdentity(cognito_identity_id={self.cognito_identity_id!r}, "
            f"cognito_identity_pool_id={self.cognito_identity_pool_id!r})"
        )


class Client:
    """The mobile application that made the call."""

    __slots__ = ("app_package_name", "app_title", "app_version_code", "app_version_name", "installation_id")

    def __init__(self, members: dict[str, Any]) -> None:
        for name in self.__slots__:
            setattr(self, name, members.get(name))


class ClientContext:
    """What a mobile SDK sent about itself."""

    __slots__ = ("client", "custom", "env")

    def __init__(self, members: dict[str, Any]) -> None:
        client = members.get("client")
        self.client: Client | None = Client(client) if isinstance(client, dict) else None
        self.custom: dict[str, Any] | None = members.get("custom")
        self.env: dict[str, Any] | None = members.get("env")


class Context:
    """One invocation, as a Lambda handler sees it."""

    aws_request_id: str
    """Lambda's request id, a UUID."""
    function_name: str
    function_version: str
    invoked_function_arn: str
    memory_limit_in_mb: str
    """Configured memory in MiB, as decimal digits: AWS passes a string."""
    log_group_name: str
    log_stream_name: str
    identity: CognitoIdentity
    client_context: ClientContext | None
    tenant_id: str | None
    app: str
    """The Lambkin app that the invocation was routed to; AWS has no such member, nor the next three."""
    alias: str
    release: str
    component: str

    def __init__(self, invocation: Invocation) -> None:
        function = invocation.function
        self.aws_request_id = invocation.request_id
        self.function_name = function.name
        self.function_version = function.version
        self.invoked_function_arn = function.invoked_arn
        self.memory_limit_in_mb = str(function.memory_mb)
        self.log_group_name = function.log_group
        self.log_stream_name = function.log_stream
        self.identity = CognitoIdentity(_members(invocation.identity))
        client = invocation.client_context
        self.client_context = ClientContext(_members(client)) if client else None
        self.tenant_id = invocation.tenant
        self.app = invocation.app
        self.alias = invocation.alias
        self.release = invocation.release
        self.component = invocation.component
        self._epoch_deadline_time_in_ms = invocation.deadline_ms

    def get_remaining_time_in_millis(self) -> int:
        """How many milliseconds are left before the invocation times out, never below 0."""
        return max(self._epoch_deadline_time_in_ms - int(time.time() * 1000), 0)

    def log(self, message: object) -> None:
        """Writes ``message`` to the log as it is."""
        print(message)

    def __repr__(self) -> str:
        return f"Context(aws_request_id={self.aws_request_id!r}, function_name={self.function_name!r})"


def _members(text: str | None) -> dict[str, Any]:
    """The members of a JSON object; an empty mapping for anything else, as a client may send what it likes."""
    if not text:
        return {}
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
