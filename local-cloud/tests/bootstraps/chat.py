"""A chat on AWS's own Python runtime client: each route does what its name says. What comes is written down."""

import json
import os
import time

import boto3

EVENTS = os.path.join(os.environ["SCRATCH"], "events")


def write_down(event):
    with open(EVENTS, "a", encoding="utf-8") as file:
        file.write(json.dumps(event) + "\n")


def connect(event):
    query = event.get("queryStringParameters") or {}
    if "raise" in query:
        raise ValueError("no entry")
    if "nothing" in query:
        return None
    while "gate" in query and not os.path.exists(os.path.join(os.environ["SCRATCH"], query["gate"])):
        time.sleep(0.01)
    answer = {"statusCode": int(query.get("status", 200))}
    offered = event["headers"].get("Sec-WebSocket-Protocol")
    if offered:
        answer["headers"] = {"Sec-WebSocket-Protocol": offered.split(",")[-1].strip()}
    return answer


def authorize(event):
    """Lets in who has a ticket; the ticket says what else happens."""
    ticket = event["queryStringParameters"]["ticket"]
    if ticket == "forged":
        raise Exception("Unauthorized")
    if ticket == "broken":
        return {"isAuthorized": True}
    effect = "Allow" if ticket == "good" else "Deny"
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": event["methodArn"]}
    return {
        "principalId": "ada",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": {"row": 7},
    }


def post(event):
    """Answers over `@connections`, as a backend does."""
    message = json.loads(event["body"])
    client = boto3.client(
        "apigatewaymanagementapi",
        endpoint_url=message["endpoint"],
        region_name="eu-central-1",
        aws_access_key_id="local",
        aws_secret_access_key="local-secret",
    )
    client.post_to_connection(
        ConnectionId=event["requestContext"]["connectionId"], Data=f"posted {message['text']}"
    )
    return {"statusCode": 200, "body": "nobody asked for this"}


def handler(event, context):
    route = event["requestContext"]["routeKey"]
    if event.get("type") == "REQUEST":
        write_down({"authorizer": event})
        return authorize(event)
    if route != "count":
        write_down(event)
    if route == "$connect":
        return connect(event)
    if route == "post":
        return post(event)
    if route == "fail":
        raise ValueError("boom")
    if route == "nothing":
        return None
    if route == "binary":
        return {"statusCode": 200, "body": "AP8=", "isBase64Encoded": True}
    return {"statusCode": 200, "body": event.get("body", "")}
