"""Talks to a WebSocket API with the `websockets` package and boto3. Usage: websocket_client.py URL ENDPOINT."""

import datetime
import json
import sys

import boto3
from botocore.client import Config
from botocore.exceptions import ClientError
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

URL, ENDPOINT = sys.argv[1:]


def management(secret="local-secret", key="local"):
    return boto3.client(
        "apigatewaymanagementapi",
        endpoint_url=ENDPOINT,
        region_name="eu-central-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        config=Config(retries={"max_attempts": 1}),
    )


def refused(code, status, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response["Error"]["Code"] == code, error.response
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == status, error.response
        return
    raise AssertionError(f"{code} did not come")


api = management()
with connect(URL, subprotocols=["chat.v1", "chat.v2"], user_agent_header="tester/1") as socket:
    assert socket.subprotocol == "chat.v2", socket.subprotocol
    # No route has this key and there is no `$default`: the error says who we are.
    socket.send("hello")
    error = json.loads(socket.recv(timeout=20))
    assert error["message"] == "Forbidden" and error["requestId"], error
    me = error["connectionId"]
    assert len(me) == 16 and me.endswith("="), me

    info = api.get_connection(ConnectionId=me)
    assert info["Identity"] == {"SourceIp": "127.0.0.1", "UserAgent": "tester/1"}, info
    now = datetime.datetime.now(datetime.timezone.utc)
    assert info["ConnectedAt"] <= info["LastActiveAt"] <= now, info

    api.post_to_connection(ConnectionId=me, Data="Grüße 🐑".encode())
    assert socket.recv(timeout=20) == "Grüße 🐑"
    api.post_to_connection(ConnectionId=me, Data=b"\xff\x00")
    assert socket.recv(timeout=20) == b"\xff\x00"
    large = "x" * (128 * 1024)
    api.post_to_connection(ConnectionId=me, Data=large)
    pieces = list(socket.recv_streaming())
    assert "".join(pieces) == large and len(pieces) == 4, [len(piece) for piece in pieces]
    # The handler answers with boto3 while its own invocation lasts.
    socket.send(json.dumps({"action": "post", "endpoint": ENDPOINT, "text": "by the handler"}))
    assert socket.recv(timeout=20) == "posted by the handler"
    socket.ping().wait(5)

    refused("PayloadTooLargeException", 413, api.post_to_connection, ConnectionId=me, Data=large + "x")
    refused("BadRequestException", 400, api.post_to_connection, ConnectionId="someone", Data="x")
    stranger, thief = management(key="nobody"), management(secret="guess")
    refused("UnrecognizedClientException", 403, stranger.post_to_connection, ConnectionId=me, Data="x")
    refused("InvalidSignatureException", 403, thief.delete_connection, ConnectionId=me)

    api.delete_connection(ConnectionId=me)
    try:
        socket.recv(timeout=20)
        raise AssertionError("it is still open")
    except ConnectionClosed as closed:
        assert closed.rcvd.code == 1000, closed
for call, arguments in (
    (api.post_to_connection, {"Data": "x"}),
    (api.get_connection, {}),
    (api.delete_connection, {}),
):
    refused("GoneException", 410, call, ConnectionId=me, **arguments)

try:
    connect(f"{URL}?status=401")
    raise AssertionError("it was let in")
except InvalidStatus as error:
    assert error.response.status_code == 401, error
print("every check passed")
