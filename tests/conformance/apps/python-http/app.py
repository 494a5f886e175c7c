"""The conformance cases as a WSGI app, with nothing but the standard library."""

import base64
import json
import os
import random
import sys
import time
from urllib.parse import parse_qs


def app(environ, start_response):
    path = environ["PATH_INFO"]
    if path.startswith("/items/"):
        status, headers, body = answer({"id": path.removeprefix("/items/").encode("latin-1").decode()})
    else:
        case = CASES.get((environ["REQUEST_METHOD"], path)) or CASES.get(path)
        status, headers, body = case(environ) if case else answer({"error": "not found"}, "404 Not Found")
    start_response(status, headers)
    return body


def answer(value, status="200 OK"):
    return status, [("content-type", "application/json")], [json.dumps(value).encode()]


def text(body):
    return "200 OK", [("content-type", "text/plain")], [body]


def query_of(environ, name):
    return parse_qs(environ["QUERY_STRING"], keep_blank_values=True)[name][0]


def header_of(environ, name):
    value = environ.get(name)
    return None if value is None else value.encode("latin-1").decode()


def chunks_of(environ):
    while chunk := environ["wsgi.input"].read(64 * 1024):
        yield chunk


def echo(environ):
    return answer(
        {
            "method": environ["REQUEST_METHOD"],
            "path": environ["PATH_INFO"],
            "query": environ["QUERY_STRING"],
            "header": header_of(environ, "HTTP_X_ECHO"),
            "body": base64.b64encode(environ["wsgi.input"].read()).decode(),
        }
    )


def binary(environ):
    return "200 OK", [("content-type", "application/octet-stream")], chunks_of(environ)


def cookies(environ):
    names = sorted(cookie.strip().split("=", 1)[0] for cookie in environ["HTTP_COOKIE"].split(";"))
    headers = [
        ("content-type", "text/plain"),
        ("set-cookie", f"seen={'.'.join(names)}"),
        ("set-cookie", "second=2; Path=/"),
        ("x-multi", "one"),
        ("x-multi", "two"),
    ]
    return "200 OK", headers, [b"ok"]


def total(environ):
    try:
        items = json.loads(environ["wsgi.input"].read())["items"]
    except ValueError:
        return answer({"error": "invalid json"}, "400 Bad Request")
    return answer({"count": len(items), "total": sum(item["price"] * item["qty"] for item in items)})


def throw(environ):
    raise RuntimeError("boom")


def status(environ):
    return "418 I'm a teapot", [("x-short", "stout")], []


def environment(environ):
    return answer({"greeting": os.environ["GREETING"]})


def log(environ):
    number = query_of(environ, "n")
    print(f"out: {number}")
    print(f"err: {number}", file=sys.stderr)
    return answer({"logged": number})


def spin(environ):
    while True:
        pass


def oom(environ):
    hoard = []
    while True:
        hoard.append(bytearray(1024 * 1024))


def large_in(environ):
    return answer({"length": sum(map(len, chunks_of(environ)))})


def large_out(environ):
    return text(b"x" * int(query_of(environ, "size")))


def unicode(environ):
    return answer({"greeting": f"Grüße, {query_of(environ, 'name')} 世界 🐑"})


def chance(environ):
    return answer({"random": random.random(), "now": int(time.time() * 1000)})


def sleep(environ):
    milliseconds = int(query_of(environ, "ms"))
    time.sleep(milliseconds / 1000)
    return answer({"slept": milliseconds})


def about(environ):
    return answer({"requestId": environ["HTTP_X_LAMBKIN_REQUEST_ID"]})


CASES = {
    "/echo": echo,
    ("POST", "/binary"): binary,
    ("GET", "/cookies"): cookies,
    ("POST", "/json"): total,
    ("GET", "/throw"): throw,
    ("GET", "/text"): lambda environ: text(b"plain text"),
    ("GET", "/status"): status,
    ("GET", "/env"): environment,
    ("GET", "/log"): log,
    ("GET", "/spin"): spin,
    ("GET", "/oom"): oom,
    ("POST", "/large"): large_in,
    ("GET", "/large"): large_out,
    ("GET", "/unicode"): unicode,
    ("GET", "/random"): chance,
    ("GET", "/sleep"): sleep,
    ("GET", "/context"): about,
}
