"""A WSGI app that calls a server while its module is loaded, and again for each request."""

import os
import urllib.request

ORIGIN = os.environ.get("ORIGIN", "http://127.0.0.1:9")
FIRST = urllib.request.urlopen(f"{ORIGIN}/size", b"lamb").read()


def application(environ, start_response):
    start_response("200 OK", [("content-type", "text/plain")])
    with urllib.request.urlopen(f"{ORIGIN}/size", environ["wsgi.input"].read()) as response:
        yield FIRST + b" " + response.read()
