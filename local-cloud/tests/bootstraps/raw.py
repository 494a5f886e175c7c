"""A runtime client of our own for what AWS's Python client does not do: streaming, threads, and rude calls.

The event's `do` says how to answer. One thread per invocation that the sandbox may take at once.
"""

import base64
import http.client
import json
import os
import socket
import threading

HOST, PORT = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
BASE = "/2018-06-01/runtime"
NUL = b"\0" * 8


def call(method, path, body=None, headers=None):
    connection = http.client.HTTPConnection(HOST, int(PORT))
    connection.request(method, path, body, headers or {})
    response = connection.getresponse()
    return response.status, dict((name.lower(), value) for name, value in response.getheaders()), response.read()


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def stream(request_id, prelude, event):
    """Streams raw HTTP/1.1 so that trailers are real ones."""
    kind = "application/vnd.awslambda.http-integration-response" if prelude else "text/event-stream"
    connection = socket.create_connection((HOST, int(PORT)))
    connection.sendall(
        f"POST {BASE}/invocation/{request_id}/response HTTP/1.1\r\nHost: {HOST}:{PORT}\r\n"
        f"Lambda-Runtime-Function-Response-Mode: streaming\r\nContent-Type: {kind}\r\n"
        "Trailer: Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body\r\n"
        "Transfer-Encoding: chunked\r\n\r\n".encode()
    )
    if prelude:
        head = json.dumps(prelude).encode()
        # In two pieces, so that whoever reads the prelude has to put it together.
        connection.sendall(chunk(head[:5]) + chunk(head[5:] + NUL + b"first,"))
    else:
        connection.sendall(chunk(b"first,"))
    if event.get("gate"):
        # The rest is sent only when the test has read what came so far.
        with socket.create_connection(("127.0.0.1", event["gate"])) as gate:
            gate.recv(1)
    end = event.get("end", "complete")
    if end == "crash":
        os._exit(3)
    if end == "hang":
        threading.Event().wait()
    connection.sendall(chunk(b"second"))
    if end == "error":
        body = base64.b64encode(json.dumps({"errorType": "Boom", "errorMessage": "mid-stream"}).encode()).decode()
        connection.sendall(
            f"0\r\nLambda-Runtime-Function-Error-Type: Function.Boom\r\nLambda-Runtime-Function-Error-Body: {body}\r\n\r\n".encode()
        )
    else:
        connection.sendall(b"0\r\n\r\n")
    connection.recv(4096)
    connection.close()


def probe(request_id):
    """What the Runtime API says to calls it should refuse, as an answer of its own."""
    found = {}

    def note(name, answer):
        status, _, body = answer
        found[name] = [status, json.loads(body or b"null")]

    path = f"{BASE}/invocation/{request_id}"
    note("unknown id", call("POST", f"{BASE}/invocation/none/response", "{}"))
    note("stale", call("POST", f"{path}/response", "{}", {"Lambda-Runtime-Invocation-Id": "another"}))
    note("no such call", call("GET", f"{BASE}/nothing"))
    note("events", call("POST", "/2020-01-01/extension/register", '{"events":["INVOKE"]}', {"Lambda-Extension-Name": "e"}))
    note("next", call("GET", f"{BASE}/invocation/next"))
    status, headers, _ = call("POST", "/2020-01-01/extension/register", '{"events":[]}', {"Lambda-Extension-Name": "e"})
    found["extension"] = [status, "lambda-extension-identifier" in headers]
    found["ping"] = call("GET", "/2018-06-01/ping")[2].decode()
    return found


def answer(request_id, headers, event):
    path = f"{BASE}/invocation/{request_id}"
    do = event.get("do", "http" if "rawPath" in event else "echo")
    if do == "http":
        end = event["rawPath"].strip("/") or "complete"
        gate = event.get("queryStringParameters", {}).get("gate")
        prelude = {"statusCode": 202, "headers": {"x-a": "1"}, "cookies": ["c=1", "d=2"]}
        stream(request_id, prelude, {"end": end, "gate": int(gate) if gate else None})
    elif do == "stream":
        stream(request_id, event.get("prelude"), event)
    elif do == "mode":
        found = call("POST", f"{path}/response", "{}", {"Lambda-Runtime-Function-Response-Mode": "sideways"})
        print(f"mode {found[0]} {found[2].decode()}", flush=True)
    elif do == "twice":
        first = call("POST", f"{path}/response", '"first"')[0]
        second = call("POST", f"{path}/response", '"second"')
        print(f"twice {first} {second[0]} {second[2].decode()}", flush=True)
    elif do == "too large":
        found = call("POST", f"{path}/response", b"x" * event["size"])
        print(f"too large {found[0]} {found[2].decode()}", flush=True)
    elif do == "error":
        call("POST", f"{path}/error", '{"errorMessage":"m"}', {"Lambda-Runtime-Function-Error-Type": "Function.Named"})
    elif do == "cut off":
        connection = socket.create_connection((HOST, int(PORT)))
        connection.sendall(f"POST {path}/response HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nhalf".encode())
        connection.close()
    elif do == "probe":
        call("POST", f"{path}/response", json.dumps(probe(request_id)))
    elif do == "headers":
        call("POST", f"{path}/response", json.dumps(headers))
    elif do == "meet":
        with socket.create_connection(("127.0.0.1", event["port"])) as meeting:
            meeting.sendall(f"{os.getpid()}\n".encode())
            meeting.recv(1)
        call("POST", f"{path}/response", json.dumps({"pid": os.getpid()}))
    else:
        call("POST", f"{path}/response", json.dumps(event))


def work():
    while True:
        status, headers, body = call("GET", f"{BASE}/invocation/next")
        if status == 200:
            answer(headers["lambda-runtime-aws-request-id"], headers, json.loads(body))


for _ in range(int(os.environ.get("AWS_LAMBDA_MAX_CONCURRENCY", "1"))):
    threading.Thread(target=work).start()
