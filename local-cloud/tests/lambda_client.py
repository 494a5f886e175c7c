"""Checks the control plane's Invoke with boto3. Usage: lambda_client.py ENDPOINT."""

import base64
import json
import sys

import boto3
from botocore.client import Config
from botocore.exceptions import ClientError

client = boto3.client(
    "lambda",
    endpoint_url=sys.argv[1],
    aws_access_key_id="local",
    aws_secret_access_key="local-secret",
    region_name="eu-central-1",
    config=Config(retries={"max_attempts": 1}),
)


def invoke(event, name="tested", **arguments):
    return client.invoke(FunctionName=name, Payload=json.dumps(event), **arguments)


def refused(code, status, call):
    try:
        call()
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == status, error.response
        return
    raise AssertionError(f"{code} did not come")


answer = invoke({"do": "echo", "text": "Grüße 🐑"})
assert answer["StatusCode"] == 200 and answer["ExecutedVersion"] == "$LATEST"
assert "FunctionError" not in answer and "LogResult" not in answer
assert json.loads(answer["Payload"].read()) == {"do": "echo", "text": "Grüße 🐑"}

answer = invoke({"do": "speak", "text": "hello"}, LogType="Tail")
assert answer["Payload"].read() == b"null"
log = base64.b64decode(answer["LogResult"]).decode()
request_id = answer["ResponseMetadata"]["RequestId"]
for expected in (f"START RequestId: {request_id} Version: $LATEST", "out hello", "err hello", f"REPORT RequestId: {request_id}\tDuration: "):
    assert expected in log, log

answer = invoke({"do": "fail"})
assert answer["StatusCode"] == 200 and answer["FunctionError"] == "Unhandled"
error = json.loads(answer["Payload"].read())
assert (error["errorType"], error["errorMessage"]) == ("ValueError", "boom") and error["stackTrace"]

context = base64.b64encode(json.dumps({"custom": {"colour": "blue"}}).encode()).decode()
answer = invoke({"do": "explain"}, ClientContext=context)
assert json.loads(answer["Payload"].read())["custom"] == {"colour": "blue"}

for name in ("tested:$LATEST", "arn:aws:lambda:eu-central-1:000000000000:function:tested", "000000000000:function:tested"):
    assert json.loads(invoke({"do": "echo"}, name)["Payload"].read()) == {"do": "echo"}, name

answer = invoke({"do": "speak", "text": "asynchronous"}, InvocationType="Event")
assert answer["StatusCode"] == 202 and answer["Payload"].read() == b""
answer = invoke({}, InvocationType="DryRun")
assert answer["StatusCode"] == 204 and answer["Payload"].read() == b""

refused("ResourceNotFoundException", 404, lambda: invoke({}, "nobody"))
refused("InvalidRequestContentException", 400, lambda: client.invoke(FunctionName="tested", Payload=b"{"))
refused("RequestTooLargeException", 413, lambda: invoke({"do": "echo", "text": "x" * (6 << 20)}))
refused("RequestTooLargeException", 413, lambda: invoke({"text": "x" * (1 << 20)}, InvocationType="Event"))
print("every check passed")
