import asyncio
import contextlib
import io
import unittest

from lambkin import asgi, wsgi


class Request:
    method, path, query, scheme, host, port, client = "POST", "/gr%C3%BC/x", "q=1", "https", "example.com", 443, "192.0.2.1"

    def __init__(self, *chunks):
        self.chunks = list(chunks)
        self.headers = [("cookie", b"a=1"), ("cookie", b"b=2"), ("x-one", b"1"), ("x-one", b"2"), ("x_one", b"3")]

    def read(self, size=65536):
        return self.chunks.pop(0) if self.chunks else b""


class Response:
    def __init__(self):
        self.started, self.status, self.headers, self.chunks = False, None, None, []

    def start(self, status, headers):
        self.started, self.status, self.headers = True, status, headers

    def write(self, chunk):
        if chunk:
            self.chunks.append(chunk)


class Wsgi(unittest.TestCase):
    def serve(self, app, *chunks):
        response = Response()
        wsgi.serve(app, Request(*chunks), response)
        return response

    def test_describes_the_request(self):
        environ = wsgi.environ(Request(b"ab", b"c\n"))
        self.assertEqual(environ["PATH_INFO"].encode("latin-1").decode(), "/grü/x")
        self.assertEqual((environ["HTTP_COOKIE"], environ["HTTP_X_ONE"]), ("a=1; b=2", "1,2"))
        self.assertEqual(environ["wsgi.input"].readline(), b"abc\n")

    def test_sends_chunks_as_they_come_and_closes(self):
        closed = []

        class Body(list):
            def close(self):
                closed.append(True)

        def app(environ, start_response):
            start_response("200 OK", [("X-A", "é")])
            return Body([b"one", b"", b"two"])

        response = self.serve(app)
        self.assertEqual((response.status, response.chunks, closed), (200, [b"one", b"two"], [True]))
        self.assertEqual(response.headers, [(b"X-A", "é".encode("latin-1"))])

    def test_lets_an_error_replace_a_head_that_was_not_sent(self):
        def app(environ, start_response):
            start_response("200 OK", [])
            try:
                raise ValueError
            except ValueError as error:
                start_response("500 Sorry", [], (ValueError, error, None))
            return [b"sorry"]

        self.assertEqual(self.serve(app).status, 500)

    def test_refuses_a_body_without_a_head(self):
        with self.assertRaisesRegex(RuntimeError, "before it called start_response"):
            self.serve(lambda environ, start_response: [b"x"])


class Asgi(unittest.TestCase):
    def serve(self, app, *chunks):
        response = Response()
        asyncio.run(asgi._serve(app, Request(*chunks), response))
        return response

    def test_passes_bodies_and_disconnects_after_the_response(self):
        seen = []

        async def app(scope, receive, send):
            if scope["type"] != "http":
                raise ValueError("no lifespan here")
            self.assertEqual((scope["path"], scope["raw_path"]), ("/grü/x", b"/gr%C3%BC/x"))
            while (message := await receive())["more_body"]:
                seen.append(message["body"])
            await send({"type": "http.response.start", "status": 201, "headers": [(b"a", b"b")]})
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            await send({"type": "http.response.body"})
            seen.append((await receive())["type"])

        response = self.serve(app, b"ab", b"c")
        self.assertEqual((response.status, response.chunks), (201, [b"x"]))
        self.assertEqual(seen, [b"ab", b"c", "http.disconnect"])

    def test_surrounds_the_request_with_the_lifespan(self):
        events = []

        async def app(scope, receive, send):
            if scope["type"] == "lifespan":
                for name in ("startup", "shutdown"):
                    events.append((await receive())["type"])
                    scope["state"]["ready"] = True
                    await send({"type": f"lifespan.{name}.complete"})
                return
            events.append(scope["state"])
            await send({"type": "http.response.start", "status": 204})
            await send({"type": "http.response.body"})

        self.assertEqual(self.serve(app).status, 204)
        self.assertEqual(events, ["lifespan.startup", {"ready": True}, "lifespan.shutdown"])

    def test_keeps_a_whole_response_when_the_app_raises_afterwards(self):
        async def app(scope, receive, send):
            if scope["type"] == "http":
                await send({"type": "http.response.start", "status": 500})
                await send({"type": "http.response.body", "body": b"sorry"})
            raise LookupError("for the log")

        with contextlib.redirect_stderr(io.StringIO()) as log:
            response = self.serve(app)
        self.assertEqual((response.status, response.chunks), (500, [b"sorry"]))
        self.assertIn("LookupError: for the log", log.getvalue())

    def test_fails_without_a_whole_response(self):
        async def app(scope, receive, send):
            if scope["type"] == "http":
                await send({"type": "http.response.start", "status": 200})

        with self.assertRaisesRegex(RuntimeError, "without completing"):
            self.serve(app)


if __name__ == "__main__":
    unittest.main()
