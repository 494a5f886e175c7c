"""A web handler for componentize-py on the bindings that it makes of `wasi:http`'s own world `proxy`."""

from componentize_py_types import Err, Ok
from wit_world import exports
from wit_world.imports.types import (
    Fields,
    IncomingBody,
    IncomingRequest,
    Method_Get,
    OutgoingBody,
    OutgoingResponse,
    ResponseOutparam,
)
from wit_world.imports.streams import StreamError_Closed

TEXT = [("content-type", b"text/plain")]
BINARY = [("content-type", b"application/octet-stream")]
TEAPOT = [("x-short", b"stout"), ("set-cookie", b"one=1"), ("set-cookie", b"two=2; Path=/")]


class IncomingHandler(exports.IncomingHandler):
    def handle(self, request: IncomingRequest, response_out: ResponseOutparam) -> None:
        target = request.path_with_query() or ""
        match target.partition("?")[0]:
            case "/echo":
                respond(response_out, 200, BINARY, read(request))
            case "/teapot":
                respond(response_out, 418, TEAPOT, b"short and stout")
            case _:
                method = "GET" if isinstance(request.method(), Method_Get) else "?"
                client = request.headers().get("x-client")[0].decode()
                respond(response_out, 200, TEXT, f"{method} {target} {client}".encode())


def read(request: IncomingRequest) -> bytes:
    body = request.consume()
    content = bytearray()
    with body.stream() as stream:
        try:
            while True:
                content += stream.blocking_read(64 * 1024)
        except Err as error:
            if not isinstance(error.value, StreamError_Closed):
                raise
    IncomingBody.finish(body)
    return bytes(content)


def respond(response_out, status: int, headers, content: bytes) -> None:
    response = OutgoingResponse(Fields.from_list(headers))
    response.set_status_code(status)
    body = response.body()
    ResponseOutparam.set(response_out, Ok(response))
    with body.write() as stream:
        # `blocking_write_and_flush` takes 4096 bytes at most.
        for start in range(0, len(content), 4096):
            stream.blocking_write_and_flush(content[start : start + 4096])
    OutgoingBody.finish(body, None)
