"""Sends three messages at once, and waits for one among the dead letters. Usage: queues.py ENDPOINT."""

import sys

import boto3

sqs = boto3.client(
    "sqs",
    endpoint_url=sys.argv[1],
    aws_access_key_id="local",
    aws_secret_access_key="local-secret",
    region_name="us-east-1",
)
orders = sqs.get_queue_url(QueueName="orders")["QueueUrl"]
entries = [{"Id": body, "MessageBody": body} for body in ("good", "shy", "poison")]
assert len(sqs.send_message_batch(QueueUrl=orders, Entries=entries)["Successful"]) == 3
lost = sqs.get_queue_url(QueueName="lost-orders")["QueueUrl"]
messages = []
while not messages:
    messages = sqs.receive_message(QueueUrl=lost, WaitTimeSeconds=20).get("Messages", [])
print(" ".join(message["Body"] for message in messages))
