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
assert len(answer["ResponseMetadata"]["RequestId"]) == 36
assert json.loads(invoke({"do": "echo"}, Qualifier="$LATEST")["Payload"].read()) == {"do": "echo"}
answer = invoke({}, InvocationType="DryRun")
assert answer["StatusCode"] == 204 and answer["Payload"].read() == b""

refused("ResourceNotFoundException", 404, lambda: invoke({}, "nobody"))
refused("ResourceNotFoundException", 404, lambda: invoke({}, Qualifier="7"))
refused("ResourceNotFoundException", 404, lambda: invoke({}, "tested:live"))
refused("InvalidParameterValueException", 400, lambda: invoke({}, "tested:$LATEST", Qualifier="7"))
refused("InvalidParameterValueException", 400, lambda: invoke({}, InvocationType="Later"))
refused("InvalidRequestContentException", 400, lambda: client.invoke(FunctionName="tested", Payload=b"{"))
refused("RequestTooLargeException", 413, lambda: invoke({"do": "echo", "text": "x" * (6 << 20)}))
refused("RequestTooLargeException", 413, lambda: invoke({"text": "x" * (1 << 20)}, InvocationType="Event"))


def streamed(event, **arguments):
    answer = client.invoke_with_response_stream(FunctionName="streaming", Payload=json.dumps(event), **arguments)
    assert answer["StatusCode"] == 200 and answer["ExecutedVersion"] == "$LATEST", answer
    assert answer["ResponseStreamContentType"] == "application/vnd.amazon.eventstream", answer
    events = list(answer["EventStream"])
    assert [list(event) for event in events[-1:]] == [["InvokeComplete"]], events
    return [event["PayloadChunk"]["Payload"] for event in events[:-1]], events[-1]["InvokeComplete"]


assert streamed({"do": "stream"}) == ([b"first,", b"second"], {})
pieces, complete = streamed({"do": "stream", "end": "error"}, LogType="Tail")
assert pieces == [b"first,", b"second"], pieces
assert complete["ErrorCode"] == "Function.Boom", complete
assert json.loads(complete["ErrorDetails"]) == {"errorType": "Boom", "errorMessage": "mid-stream"}
assert "\tStatus: error\tError Type: Function.Boom" in base64.b64decode(complete["LogResult"]).decode()
pieces, complete = streamed({"do": "stream", "end": "crash"})
assert (pieces, complete["ErrorCode"]) == ([b"first,"], "Runtime.TruncatedResponse"), complete
pieces, complete = streamed({"do": "stream", "end": "hang"})
assert (pieces, complete["ErrorCode"]) == ([b"first,"], "Sandbox.Timedout"), complete
assert json.loads(complete["ErrorDetails"])["errorMessage"].endswith("Error: Task timed out after 2.00 seconds")
assert streamed({"do": "echo"}) == ([b'{"do": "echo"}'], {})
pieces, complete = streamed({"do": "error"}, LogType="Tail")
assert (pieces, complete["ErrorCode"]) == ([], "Unhandled") and complete["ErrorDetails"] == '{"errorMessage":"m"}'
assert "END RequestId: " in base64.b64decode(complete["LogResult"]).decode()
answer = client.invoke(FunctionName="streaming", Payload=b'{"do": "stream"}', LogType="Tail")
assert answer["Payload"].read() == b"first,second" and "REPORT " in base64.b64decode(answer["LogResult"]).decode()
refused(
    "ResourceNotFoundException",
    404,
    lambda: client.invoke_with_response_stream(FunctionName="nobody", Payload=b"{}"),
)

configuration = client.get_function_configuration(FunctionName="tested")
assert (configuration["MemorySize"], configuration["Timeout"], configuration["State"]) == (128, 20, "Active")
assert {function["FunctionName"] for function in client.list_functions()["Functions"]} == {"tested", "streaming"}

config = client.get_function_event_invoke_config(FunctionName="tested")
assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (2, 21600), config
config = client.put_function_event_invoke_config(
    FunctionName="tested",
    MaximumRetryAttempts=1,
    DestinationConfig={"OnFailure": {"Destination": configuration["FunctionArn"]}},
)
assert config["DestinationConfig"]["OnFailure"] == {"Destination": configuration["FunctionArn"]}, config
config = client.update_function_event_invoke_config(FunctionName="tested", MaximumEventAgeInSeconds=60)
assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (1, 60), config
client.delete_function_event_invoke_config(FunctionName="tested")
assert client.get_function_event_invoke_config(FunctionName="tested")["MaximumRetryAttempts"] == 2
refused(
    "InvalidParameterValueException",
    400,
    lambda: client.put_function_event_invoke_config(
        FunctionName="tested",
        DestinationConfig={"OnFailure": {"Destination": "arn:aws:lambda:us-east-1:000000000000:function:nobody"}},
    ),
)

client.put_function_concurrency(FunctionName="tested", ReservedConcurrentExecutions=0)
assert client.get_function_concurrency(FunctionName="tested")["ReservedConcurrentExecutions"] == 0
try:
    invoke({"do": "echo"})
    raise AssertionError("it was let in")
except client.exceptions.TooManyRequestsException as error:
    response = error.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 429, response
    assert response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded", response
    assert response["Error"]["Message"] == "Rate Exceeded." and response["Type"] == "User", response
    assert response["retryAfterSeconds"] == "1", response
client.delete_function_concurrency(FunctionName="tested")
assert json.loads(invoke({"do": "echo"})["Payload"].read()) == {"do": "echo"}
print("every check passed")
