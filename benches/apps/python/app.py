"""The same file runs on CPython's Lambda client and as a Lambkin component."""

import json


def lambda_handler(event, context):
    path = event["rawPath"]
    answer = transform(json.loads(event["body"])) if path == "/transform" else greeting(event)
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "body": json.dumps(answer),
    }


def greeting(event):
    return {"message": f"Hello, {event['pathParameters']['name']}!", "path": event["rawPath"]}


def transform(orders):
    lines = [
        {
            "id": order["id"],
            "customer": order["customer"].upper(),
            "total": order["cents"] * order["quantity"],
            "tags": order["tags"][::-1],
            "note": order["note"],
        }
        for order in orders
    ]
    return sorted(lines, key=lambda line: (-line["total"], line["id"]))
