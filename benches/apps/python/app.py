"""The same file runs on CPython's Lambda client and as a Lambkin component."""

import json


def lambda_handler(event, context):
    name = event["pathParameters"]["name"]
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "body": json.dumps({"message": f"Hello, {name}!", "path": event["rawPath"]}),
    }
