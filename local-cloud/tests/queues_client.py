"""Uses queues in the ways that clients have. Usage: queues_client.py ENDPOINT."""

import sys
import time

import boto3
from botocore.exceptions import ClientError

ENDPOINT = sys.argv[1]
sqs = boto3.client(
    "sqs",
    endpoint_url=ENDPOINT,
    aws_access_key_id="any",
    aws_secret_access_key="any",
    region_name="us-east-1",
)


def refused(code, call, **parameters):
    try:
        call(**parameters)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response
        return
    raise AssertionError(f"{code} was expected")


refused("AWS.SimpleQueueService.NonExistentQueue", sqs.get_queue_url, QueueName="orders")
refused("AWS.SimpleQueueService.UnsupportedOperation", sqs.create_queue, QueueName="a.fifo", Attributes={"FifoQueue": "true"})
refused("InvalidParameterValue", sqs.create_queue, QueueName="no name")
url = sqs.create_queue(QueueName="orders", Attributes={"VisibilityTimeout": "60"})["QueueUrl"]
assert url.startswith(ENDPOINT) and url.endswith("/orders"), url
assert sqs.create_queue(QueueName="orders")["QueueUrl"] == url
refused("QueueAlreadyExists", sqs.create_queue, QueueName="orders", Attributes={"VisibilityTimeout": "61"})
assert sqs.list_queues(QueueNamePrefix="ord")["QueueUrls"] == [url]

# boto3 itself compares the checksums of bodies and attributes.
attributes = {
    "till": {"DataType": "Number", "StringValue": "7"},
    "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
}
sent = sqs.send_message(QueueUrl=url, MessageBody="zwei Äpfel", MessageAttributes=attributes)
got = sqs.receive_message(
    QueueUrl=url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"], VisibilityTimeout=0
)["Messages"]
assert [message["MessageId"] for message in got] == [sent["MessageId"]]
assert got[0]["Body"] == "zwei Äpfel" and got[0]["MessageAttributes"] == attributes, got
assert got[0]["Attributes"]["ApproximateReceiveCount"] == "1", got

# It was hidden for no time, so it comes again, with another handle; then it is hidden.
again = sqs.receive_message(QueueUrl=url)["Messages"][0]
assert again["ReceiptHandle"] != got[0]["ReceiptHandle"] and "MessageAttributes" not in again
assert "Messages" not in sqs.receive_message(QueueUrl=url)
counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
assert counts["ApproximateNumberOfMessagesNotVisible"] == "1", counts
assert counts["QueueArn"] == "arn:aws:sqs:us-east-1:000000000000:orders", counts
sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=again["ReceiptHandle"], VisibilityTimeout=0)
refused("ReceiptHandleIsInvalid", sqs.change_message_visibility, QueueUrl=url, ReceiptHandle="?", VisibilityTimeout=0)
last = sqs.receive_message(QueueUrl=url)["Messages"][0]
sqs.delete_message(QueueUrl=url, ReceiptHandle=last["ReceiptHandle"])
assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"] == {
    "ApproximateNumberOfMessages": "0"
}

# A receive waits for what comes later.
sqs.send_message(QueueUrl=url, MessageBody="late", DelaySeconds=1)
begun = time.monotonic()
late = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"][0]
assert late["Body"] == "late" and time.monotonic() - begun > 0.9
sqs.delete_message(QueueUrl=url, ReceiptHandle=late["ReceiptHandle"])

# Batches, whose entries fail one by one.
entries = [{"Id": str(number), "MessageBody": f"item {number}"} for number in range(9)]
answer = sqs.send_message_batch(QueueUrl=url, Entries=[*entries, {"Id": "big", "MessageBody": "x" * (1 << 20 | 1)}])
assert len(answer["Successful"]) == 9 and [one["Id"] for one in answer["Failed"]] == ["big"], answer
got = []
while len(got) < 9:
    got += sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
assert sorted(message["Body"] for message in got) == [entry["MessageBody"] for entry in entries]
handles = [{"Id": message["Body"][-1], "ReceiptHandle": message["ReceiptHandle"]} for message in got]
assert len(sqs.delete_message_batch(QueueUrl=url, Entries=handles)["Successful"]) == 9
twice = [{"Id": "a", "MessageBody": "x"}] * 2
refused("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", sqs.send_message_batch, QueueUrl=url, Entries=twice)
refused("AWS.SimpleQueueService.EmptyBatchRequest", sqs.send_message_batch, QueueUrl=url, Entries=[])

# A number that cannot be is refused, and nothing is lost by it.
sqs.send_message(QueueUrl=url, MessageBody="kept")
refused("InvalidParameterValue", sqs.receive_message, QueueUrl=url, VisibilityTimeout=2**31 - 1)
refused("InvalidParameterValue", sqs.receive_message, QueueUrl=url, WaitTimeSeconds=21)
refused("InvalidParameterValue", sqs.send_message, QueueUrl=url, MessageBody="x", DelaySeconds=901)
refused("InvalidAttributeValue", sqs.set_queue_attributes, QueueUrl=url, Attributes={"VisibilityTimeout": "43201"})
nowhere = '{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:000000000000:nowhere", "maxReceiveCount": 1}'
refused("InvalidParameterValue", sqs.set_queue_attributes, QueueUrl=url, Attributes={"RedrivePolicy": nowhere})
kept = sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)["Messages"][0]
assert kept["Body"] == "kept"
refused("AWS.SimpleQueueService.MessageNotInflight", sqs.change_message_visibility, QueueUrl=url, ReceiptHandle=kept["ReceiptHandle"], VisibilityTimeout=1)
sqs.delete_message(QueueUrl=url, ReceiptHandle=kept["ReceiptHandle"])

# What is received too often goes to the dead letters.
dead = sqs.create_queue(QueueName="dead")["QueueUrl"]
arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
policy = f'{{"deadLetterTargetArn": "{arn}", "maxReceiveCount": 2}}'
sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": policy})
sqs.send_message(QueueUrl=url, MessageBody="poison")
for _ in range(2):
    assert sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)["Messages"]
assert "Messages" not in sqs.receive_message(QueueUrl=url)
assert sqs.receive_message(QueueUrl=dead)["Messages"][0]["Body"] == "poison"

sqs.send_message(QueueUrl=url, MessageBody="waste")
sqs.purge_queue(QueueUrl=url)
assert "Messages" not in sqs.receive_message(QueueUrl=url)
sqs.delete_queue(QueueUrl=dead)
refused("AWS.SimpleQueueService.NonExistentQueue", sqs.send_message, QueueUrl=dead, MessageBody="x")

# Without the queue of its dead letters a queue keeps what it has.
sqs.purge_queue(QueueUrl=url)
sqs.send_message(QueueUrl=url, MessageBody="kept")
for _ in range(4):
    assert sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)["Messages"]
print("done")
