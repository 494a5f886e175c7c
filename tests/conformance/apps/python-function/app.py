"""The conformance cases as an AWS Lambda handler for HTTP API events, payload format 2.0."""

import base64
import json
import os
import random
import sys
import time
from urllib.parse import parse_qs


def lambda_handler(event, context):
    path = event["rawPath"]
    if path.startswith("/items/"):
        return answer({"id": event["pathParameters"]["id"]})
    method = event["requestContext"]["http"]["method"]
    case = CASES.get((method, path)) or CASES.get(path)
    return case(event, context) if case else answer({"error": "not found"}, 404)


def answer(value, status=200):
    return {"statusCode": status, "headers": {"content-type": "application/json"}, "body": json.dumps(value)}


def text(body):
    return {"statusCode": 200, "headers": {"content-type": "text/plain"}, "body": body}


def body_of(event):
    body = event.get("body") or ""
    return base64.b64decode(body) if event.get("isBase64Encoded") else body.encode()


def query_of(event, name):
    return parse_qs(event.get("rawQueryString", ""), keep_blank_values=True)[name][0]


def echo(event, context):
    return answer(
        {
            "method": event["requestContext"]["http"]["method"],
            "path": event["rawPath"],
            "query": event.get("rawQueryString", ""),
            "header": event["headers"].get("x-echo"),
            "body": base64.b64encode(body_of(event)).decode(),
        }
    )


def binary(event, context):
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/octet-stream"},
        "body": base64.b64encode(body_of(event)).decode(),
        "isBase64Encoded": True,
    }


def cookies(event, context):
    names = sorted(cookie.split("=", 1)[0] for cookie in event.get("cookies", []))
    return {
        "statusCode": 200,
        "headers": {"content-type": "text/plain", "x-multi": "one,two"},
        "cookies": [f"seen={'.'.join(names)}", "second=2; Path=/"],
        "body": "ok",
    }


def total(event, context):
    try:
        items = json.loads(body_of(event))["items"]
    except ValueError:
        return answer({"error": "invalid json"}, 400)
    return answer({"count": len(items), "total": sum(item["price"] * item["qty"] for item in items)})


def throw(event, context):
    raise RuntimeError("boom")


def plain_text(event, context):
    return "plain text"


def status(event, context):
    return {"statusCode": 418, "headers": {"x-short": "stout"}, "body": ""}


def environment(event, context):
    return answer({"greeting": os.environ["GREETING"]})


def log(event, context):
    number = query_of(event, "n")
    print(f"out: {number}")
    print(f"err: {number}", file=sys.stderr)
    return answer({"logged": number})


def spin(event, context):
    while True:
        pass


def oom(event, context):
    hoard = []
    while True:
        hoard.append(bytearray(1024 * 1024))


def large_in(event, context):
    return answer({"length": len(body_of(event))})


def large_out(event, context):
    return text("x" * int(query_of(event, "size")))


def unicode(event, context):
    return answer({"greeting": f"Grüße, {query_of(event, 'name')} 世界 🐑"})


def chance(event, context):
    return answer({"random": random.random(), "now": int(time.time() * 1000)})


def sleep(event, context):
    milliseconds = int(query_of(event, "ms"))
    time.sleep(milliseconds / 1000)
    return answer({"slept": milliseconds})


def about(event, context):
    return answer(
        {
            "requestId": context.aws_request_id,
            "functionName": context.function_name,
            "remaining": context.get_remaining_time_in_millis(),
        }
    )


CASES = {
    "/echo": echo,
    ("POST", "/binary"): binary,
    ("GET", "/cookies"): cookies,
    ("POST", "/json"): total,
    ("GET", "/throw"): throw,
    ("GET", "/text"): plain_text,
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
