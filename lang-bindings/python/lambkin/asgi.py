"""Serves a request by ASGI, with the lifespan protocol around it.

Source: https://asgi.readthedocs.io/en/latest/specs/
"""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import unquote_to_bytes

from . import event_loop
from .wsgi import Request, Response

Message = dict[str, Any]
App = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]

_VERSION = {"version": "3.0", "spec_version": "2.4"}


def serve(app: App, request: Request, response: Response) -> None:
    """Runs ``app`` for one request, in an event loop of its own."""
    event_loop.run(_serve(app, request, response))


def scope(request: Request, state: dict[str, Any]) -> Message:
    """The connection scope of an HTTP request."""
    return {
        "type": "http",
        "asgi": _VERSION,
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.scheme,
        "path": unquote_to_bytes(request.path).decode("utf-8", "replace"),
        "raw_path": request.path.encode("latin-1"),
        "query_string": request.query.encode("latin-1"),
        "root_path": "",
        "headers": [(name.encode("latin-1"), value) for name, value in request.headers],
        "server": (request.host, request.port),
        "client": (request.client, 0) if request.client else None,
        "state": state,
    }


async def _serve(app: App, request: Request, response: Response) -> None:
    lifespan = Lifespan(app)
    await lifespan.start()
    try:
        exchange = Exchange(request, response)
        await exchange.run(app, dict(lifespan.state))
    finally:
        await lifespan.stop()


class Exchange:
    """The two callables of a request: its body in, the response out."""

    def __init__(self, request: Request, response: Response) -> None:
        self._request = request
        self._response = response
        self._body_ended = False
        self._over = asyncio.Event()
        self._head: tuple[int, list[tuple[bytes, bytes]]] | None = None

    async def receive(self) -> Message:
        if not self._body_ended:
            chunk = self._request.read()
            self._body_ended = not chunk
            return {"type": "http.request", "body": chunk, "more_body": bool(chunk)}
        # Whoever waits here waits for the client to leave; that is not seen before the response ends.
        await self._over.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            if self._head is not None:
                raise RuntimeError("the app sent http.response.start twice")
            self._head = (message["status"], [(bytes(name), bytes(value)) for name, value in message.get("headers", ())])
        elif kind == "http.response.body":
            self._send_body(message)
            await asyncio.sleep(0)
        else:
            raise RuntimeError(f"the app sent {kind}, which is not part of a response")

    def _send_body(self, message: Message) -> None:
        if self._head is None:
            raise RuntimeError("the app sent http.response.body before http.response.start")
        if self._over.is_set():
            raise RuntimeError("the app sent http.response.body after the last one")
        if not self._response.started:
            self._response.start(*self._head)
        self._response.write(message.get("body", b""))
        if not message.get("more_body", False):
            self._over.set()

    async def run(self, app: App, state: dict[str, Any]) -> None:
        """Lets ``app`` answer. What it raises after a whole response, as Starlette does, is for the log only."""
        try:
            await app(scope(self._request, state), self.receive, self.send)
        except MemoryError:
            raise
        except Exception as error:
            if not self._over.is_set():
                raise
            sys.stderr.write("".join(traceback.format_exception(error)))
        if not self._over.is_set():
            raise RuntimeError("the app returned without completing its response")


class Lifespan:
    """Tells the app that it starts and stops; an app that does not take part is left alone."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._to_app: asyncio.Queue[Message] = asyncio.Queue()
        self._from_app: asyncio.Queue[Message] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self.state: dict[str, Any] = {}

    async def start(self) -> None:
        self._task = asyncio.ensure_future(self._run())
        message = await self._exchange("startup")
        if message is None:
            self._task = None
        elif message["type"] == "lifespan.startup.failed":
            raise RuntimeError(f"the app's start-up failed: {message.get('message', '')}")

    async def stop(self) -> None:
        if self._task is not None:
            await self._exchange("shutdown")
            self._task.cancel()

    async def _run(self) -> None:
        await self._app(
            {"type": "lifespan", "asgi": _VERSION, "state": self.state}, self._to_app.get, self._from_app.put
        )

    async def _exchange(self, event: str) -> Message | None:
        """Sends one event and waits for its answer; None when the app ended instead."""
        assert self._task is not None
        await self._to_app.put({"type": f"lifespan.{event}"})
        answer = asyncio.ensure_future(self._from_app.get())
        await asyncio.wait((answer, self._task), return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        answer.cancel()
        if not self._task.cancelled():
            self._task.exception()
        return None
