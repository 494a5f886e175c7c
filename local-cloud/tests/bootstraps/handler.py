"""A function on AWS's own Python runtime client that does what its event asks for."""

import os
import signal
import socket
import subprocess
import sys
import time

INITS = os.path.join(os.environ["SCRATCH"], "inits")
with open(INITS, "a", encoding="utf-8") as file:
    file.write(f"{os.getpid()}\n")
with open(INITS, encoding="utf-8") as file:
    INIT = len(file.readlines())

plan = os.environ.get("INIT_PLAN", "")
if plan == "raise" or (plan == "raise once" and INIT == 1):
    raise RuntimeError("no init today")
if plan == "exit" or (plan == "exit once" and INIT == 1):
    print("leaving", flush=True)
    os._exit(7)
if plan == "hang":
    signal.pause()

COUNT = 0


def echo(event, context):
    return event


def fail(event, context):
    raise ValueError("boom")


def leave(event, context):
    print("last words", flush=True)
    os._exit(event["code"])


def die(event, context):
    os.kill(os.getpid(), signal.SIGKILL)


def wait(event, context):
    time.sleep(3600)


def large(event, context):
    return "x" * event["size"]


def speak(event, context):
    print(f"out {event['text']}", flush=True)
    print(f"err {event['text']}", file=sys.stderr, flush=True)
    return None


def who(event, context):
    global COUNT
    COUNT += 1
    return {"pid": os.getpid(), "count": COUNT, "inits": INIT}


def meet(event, context):
    """Tells the test that it is here and waits to be let go."""
    with socket.create_connection(("127.0.0.1", event["port"])) as connection:
        connection.sendall(f"{os.getpid()}\n".encode())
        connection.recv(1)
    return {"pid": os.getpid()}


def work(event, context):
    time.sleep(0.005)
    print(f"working on {event['n']}", flush=True)
    return {"n": event["n"], "pid": os.getpid()}


def spawn(event, context):
    child = subprocess.Popen(["sleep", "3600"])
    return {"pid": os.getpid(), "child": child.pid}


def explain(event, context):
    client = context.client_context
    return {
        "request_id": context.aws_request_id,
        "arn": context.invoked_function_arn,
        "name": context.function_name,
        "memory": context.memory_limit_in_mb,
        "remaining": context.get_remaining_time_in_millis(),
        "tenant": getattr(context, "tenant_id", None),
        "custom": client.custom if client else None,
        "trace": os.environ.get("_X_AMZN_TRACE_ID"),
        "environment": dict(os.environ),
        "cwd": os.getcwd(),
    }


def http(event, context):
    """Behind a gateway: the path says what to do."""
    path = event.get("rawPath") or event["path"]
    if path == "/fail":
        raise ValueError("boom")
    if path == "/malformed":
        return {"statusCode": "not a number"}
    if path == "/exactly":
        return __import__("json").loads(event["body"])
    if path == "/plain":
        return {"any": "json"}
    if path == "/wait":
        time.sleep(3600)
    if path == "/cors":
        theirs = {"access-control-allow-origin": "*", "access-control-max-age": "1", "x-count": "7"}
        return {"statusCode": 200, "headers": theirs, "body": "shared"}
    if path == "/cookies":
        return {
            "statusCode": 201,
            "headers": {"x-one": "1", "content-length": "999", "connection": "close"},
            "cookies": ["a=1", "b=2; Path=/"],
            "body": "aGk=",
            "isBase64Encoded": True,
        }
    return {"statusCode": 200, "headers": {"content-type": "application/json"}, "body": __import__("json").dumps(event)}


def record(event):
    """A destination: says what it is told."""
    print("record " + __import__("json").dumps(event), flush=True)


def authorize(event, context):
    """Before a route: the token says what to answer."""
    global COUNT
    COUNT += 1
    headers = {name.lower(): value for name, value in event.get("headers", {}).items()}
    token = event.get("authorizationToken") or headers.get("authorization", "")
    if token == "raise":
        raise RuntimeError("Unauthorized")
    if token == "break":
        raise ValueError("boom")
    if token == "nonsense":
        return {"hello": "there"}
    told = {"count": COUNT, "token": token}
    if token == "echo":
        told["event"] = __import__("json").dumps(event)
    if token.startswith("simple"):
        return {"isAuthorized": token != "simple no", "context": {**told, "list": [1, {"a": 2}]}}
    effect = "Deny" if token == "deny" else "Allow"
    resource = "arn:aws:execute-api:*/GET/*" if token == "get" else "*"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    answer = {"principalId": "user-1", "policyDocument": policy, "context": told}
    if token.startswith("key "):
        answer["usageIdentifierKey"] = token.removeprefix("key ")
    return answer


def handler(event, context):
    if isinstance(event, dict) and ("routeArn" in event or "methodArn" in event):
        return authorize(event, context)
    if isinstance(event, dict) and "condition" in event.get("requestContext", {}):
        return record(event)
    if isinstance(event, dict) and "requestContext" in event:
        return http(event, context)
    return globals()[event["do"]](event, context)
