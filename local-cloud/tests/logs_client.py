"""Checks CloudWatch Logs with boto3. Usage: logs_client.py ENDPOINT."""

import json
import sys
import time

import boto3
from botocore.client import Config
from botocore.exceptions import ClientError

access = {
    "endpoint_url": sys.argv[1],
    "aws_access_key_id": "local",
    "aws_secret_access_key": "local-secret",
    "region_name": "us-east-1",
    "config": Config(retries={"max_attempts": 1}),
}
functions = boto3.client("lambda", **access)
logs = boto3.client("logs", **access)
GROUP = "/aws/lambda/tested"


def speak(text):
    answer = functions.invoke(FunctionName="tested", Payload=json.dumps({"do": "speak", "text": text}))
    return answer["ResponseMetadata"]["RequestId"]


before = int(time.time() * 1000)
first = speak("one")
second = speak("two")

groups = logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/te")["logGroups"]
assert [group["logGroupName"] for group in groups] == [GROUP] and groups[0]["storedBytes"] > 0, groups
assert logs.describe_log_groups(logGroupNamePattern="nobody")["logGroups"] == []
assert len(logs.describe_log_groups()["logGroups"]) == 1

streams = logs.describe_log_streams(logGroupName=GROUP, orderBy="LastEventTime", descending=True)["logStreams"]
assert len(streams) == 1, streams
stream = streams[0]["logStreamName"]
year = time.strftime("%Y/%m/%d/", time.gmtime())
assert stream.startswith(year + "[$LATEST]") and len(stream) == len(year) + 9 + 32, stream
assert before <= streams[0]["firstEventTimestamp"] <= streams[0]["lastEventTimestamp"], streams
assert logs.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix="19")["logStreams"] == []


def messages(**arguments):
    pages = logs.get_paginator("filter_log_events").paginate(logGroupName=GROUP, **arguments)
    return [event["message"] for page in pages for event in page["events"]]


everything = messages()
assert everything[0] == f"START RequestId: {first} Version: $LATEST\n", everything
assert everything[-1].startswith(f"REPORT RequestId: {second}\tDuration: "), everything
assert {"out one\n", "err one\n", "out two\n", "err two\n"} < set(everything)
assert messages(PaginationConfig={"PageSize": 3}) == everything
assert messages(filterPattern="out") == ["out one\n", "out two\n"]
assert messages(filterPattern=f'"{first}" -END -REPORT') == [everything[0]]
assert messages(filterPattern="?one ?two -err") == ["out one\n", "out two\n"]
assert messages(filterPattern='{ $.level = "ERROR" }') == []
assert messages(startTime=int(time.time() * 1000) + 60_000) == []
assert messages(endTime=before - 1) == []
assert messages(startTime=before, logStreamNames=[stream]) == everything
arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{GROUP}:*"
assert len(logs.filter_log_events(logGroupIdentifier=arn)["events"]) == len(everything)
event = logs.filter_log_events(logGroupName=GROUP, limit=1)["events"][0]
assert event["logStreamName"] == stream and len(event["eventId"]) == 56 and event["ingestionTime"] >= before

page = logs.get_log_events(logGroupName=GROUP, logStreamName=stream, startFromHead=True, limit=2)
assert [event["message"] for event in page["events"]] == everything[:2]
read = [event["message"] for event in page["events"]]
while True:
    token = page["nextForwardToken"]
    page = logs.get_log_events(logGroupName=GROUP, logStreamName=stream, nextToken=token, limit=2)
    if page["nextForwardToken"] == token:
        break
    read += [event["message"] for event in page["events"]]
assert read == everything and page["events"] == []
third = speak("three")
page = logs.get_log_events(logGroupName=GROUP, logStreamName=stream, nextToken=token)
assert page["events"][0]["message"] == f"START RequestId: {third} Version: $LATEST\n", page
page = logs.get_log_events(logGroupName=GROUP, logStreamName=stream, limit=1)
assert page["events"][0]["message"].startswith(f"REPORT RequestId: {third}\t"), page
page = logs.get_log_events(logGroupName=GROUP, logStreamName=stream, nextToken=page["nextBackwardToken"], limit=1)
assert page["events"][0]["message"] == f"END RequestId: {third}\n", page


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response
        return
    raise AssertionError(f"{code} did not come")


refused("ResourceNotFoundException", logs.filter_log_events, logGroupName="/aws/lambda/nobody")
refused("ResourceNotFoundException", logs.get_log_events, logGroupName=GROUP, logStreamName="none")
refused("InvalidParameterException", logs.filter_log_events, logGroupName=GROUP, filterPattern="[ip, user]")
refused("InvalidParameterException", logs.filter_log_events, logGroupName=GROUP, nextToken="elsewhere")
refused("UnknownOperationException", logs.create_log_group, logGroupName="mine")
print("every check passed")
