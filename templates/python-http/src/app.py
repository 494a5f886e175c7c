"""{{name}}: a WSGI app. Flask, Starlette and other frameworks work as well: list them in requirements.txt."""

import json


def app(environ, start_response):
    path = environ["PATH_INFO"].encode("latin-1").decode()
    if path.startswith("/items/"):
        answer = {"id": path.removeprefix("/items/")}
    else:
        answer = {"message": "Hello from {{name}}!", "path": path}
    start_response("200 OK", [("content-type", "application/json")])
    return [json.dumps(answer).encode()]
