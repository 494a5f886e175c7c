"""Calls a server in the ways that libraries do. The event names the case and the server's origin."""

import asyncio
import json
import socket
import ssl
import time
import urllib.error
import urllib.request
from http.client import HTTPConnection, HTTPSConnection
from urllib.parse import urlsplit

import aiohttp
import boto3
import httpx
import requests
import urllib3
from botocore.config import Config


def lambda_handler(event, context):
    return globals()[event["case"]](event["origin"])


def with_urllib(origin):
    with urllib.request.urlopen(f"{origin}/echo?q=1", timeout=5) as response:
        got = json.load(response)
    request = urllib.request.Request(f"{origin}/echo", b"lamb", {"X-Guest": "a", "Content-Type": "text/plain"}, method="PUT")
    with urllib.request.urlopen(request) as response:
        put = json.load(response)
        header = response.headers["X-Server"]
    try:
        urllib.request.urlopen(f"{origin}/status/404")
    except urllib.error.HTTPError as error:
        status = [error.code, error.reason, error.read().decode()]
    return {"got": got, "put": put, "header": header, "status": status}


def with_http_client(origin):
    parts = urlsplit(origin)
    connection = HTTPConnection(parts.hostname, parts.port, timeout=5)
    answers = []
    for number in range(3):
        connection.request("POST", f"/echo?n={number}", body=(piece for piece in (b"one ", b"two")), encode_chunked=True)
        socket_before = connection.sock
        response = connection.getresponse()
        answers.append(json.loads(response.read()))
        assert connection.sock is socket_before, "the connection was not kept"
    connection.request("HEAD", "/echo")
    response = connection.getresponse()
    head = [response.status, response.read().decode(), response.version]
    connection.request("GET", "/status/204")
    response = connection.getresponse()
    empty = [response.status, response.reason, response.read().decode()]
    connection.close()
    return {"answers": answers, "head": head, "empty": empty}


def with_requests(origin):
    session = requests.Session()
    session.headers["X-Guest"] = "session"
    posted = session.post(f"{origin}/echo", json={"lamb": 1}, params={"q": "grün"}, timeout=(3, 5))
    followed = session.get(f"{origin}/redirect")
    zipped = session.get(f"{origin}/gzip")
    missing = session.get(f"{origin}/status/404")
    size = 0
    with session.get(f"{origin}/large", stream=True) as response:
        chunked = response.headers.get("transfer-encoding")
        for chunk in response.iter_content(64 * 1024):
            assert chunk == b"x" * len(chunk)
            size += len(chunk)
    sent = session.post(f"{origin}/size", data=iter([b"y" * 100_000] * 30)).json()
    sized = session.post(f"{origin}/size", data=b"z" * 3_000_000).json()
    return {
        "posted": posted.json(),
        "followed": [followed.url.removeprefix(origin), len(followed.history), followed.json()["method"]],
        "zipped": zipped.json(),
        "missing": [missing.status_code, missing.ok],
        "size": [size, chunked],
        "sent": [sent, sized],
    }


def with_httpx(origin):
    with httpx.Client(base_url=origin, timeout=5) as client:
        posted = client.post("/echo", json={"lamb": 1}, headers={"X-Guest": "httpx"})
        followed = client.get("/redirect", follow_redirects=True)
        with client.stream("GET", "/large") as response:
            size = sum(len(chunk) for chunk in response.iter_bytes())
    return {"posted": posted.json(), "followed": followed.json()["path"], "size": size, "version": posted.http_version}


def with_async_httpx(origin):
    async def ask():
        async with httpx.AsyncClient(base_url=origin, timeout=5) as client:
            # The first is answered only when the second has come.
            first, second = await asyncio.gather(client.get("/meet/first"), client.get("/meet/second"))
            posted = await client.post("/echo", content=b"lamb")
            async with client.stream("GET", "/large") as response:
                size = sum([len(chunk) async for chunk in response.aiter_bytes()])
            return {"met": [first.text, second.text], "posted": posted.json()["body"], "size": size}

    return asyncio.run(ask())


def with_aiohttp(origin):
    async def ask():
        async with aiohttp.ClientSession(origin) as session:

            async def text(path):
                async with session.get(path) as response:
                    return await response.text()

            met = await asyncio.gather(text("/meet/first"), text("/meet/second"))
            async with session.post("/echo", data=b"lamb") as response:
                posted = await response.json(content_type=None)
            async with session.get("/large") as response:
                size = sum([len(chunk) async for chunk in response.content.iter_any()])
            return {"met": met, "posted": posted["body"], "size": size}

    return asyncio.run(ask())


def with_boto3(origin):
    config = Config(region_name="eu-west-1", retries={"max_attempts": 1}, s3={"addressing_style": "path"})
    s3 = boto3.client("s3", endpoint_url=origin, config=config, aws_access_key_id="AKIA", aws_secret_access_key="secret")
    put = s3.put_object(Bucket="farm", Key="lamb.txt", Body=b"wool" * 5000, Metadata={"kind": "sheep"})
    got = s3.get_object(Bucket="farm", Key="lamb.txt")
    body = got["Body"].read()
    try:
        s3.get_object(Bucket="farm", Key="nothing")
    except s3.exceptions.NoSuchKey as error:
        missing = error.response["Error"]["Code"]
    return {"etag": put["ETag"], "size": len(body), "same": body == b"wool" * 5000, "metadata": got["Metadata"], "missing": missing}


def failures(origin):
    """What each library says when the request does not get through; ``origin`` is one that cannot be reached."""
    found = {}
    attempts = {
        "urllib": lambda: urllib.request.urlopen(origin, timeout=5),
        "http.client": lambda: connection_to(origin).request("GET", "/"),
        "requests": lambda: requests.get(origin, timeout=5),
        "httpx": lambda: httpx.get(origin, timeout=5),
        "urllib3": lambda: urllib3.PoolManager(retries=False).request("GET", origin),
        "async": lambda: asyncio.run(get_async(origin)),
        "aiohttp": lambda: asyncio.run(get_aiohttp(origin)),
    }
    for name, attempt in attempts.items():
        try:
            attempt()
        except Exception as error:
            chain = list(causes(error))
            found[name] = {"causes": [type(one).__name__ for one in chain], "texts": " / ".join(map(str, chain))}
    return found


def connection_to(origin):
    kind = HTTPSConnection if origin.startswith("https:") else HTTPConnection
    return kind(urlsplit(origin).netloc, timeout=5)


async def get_async(origin):
    async with httpx.AsyncClient(timeout=5) as client:
        return await client.get(origin)


async def get_aiohttp(origin):
    async with aiohttp.ClientSession() as session, session.get(origin) as response:
        return await response.text()


def causes(error):
    """An error and what it wraps."""
    while isinstance(error, BaseException):
        yield error
        wrapped = [one for one in (*error.args, getattr(error, "reason", None)) if isinstance(one, BaseException)]
        error = wrapped[0] if wrapped else error.__cause__ or error.__context__


def times_out(origin):
    found = {}
    started = time.monotonic()
    for path in ("/never", "/stalls"):
        for name, attempt in {
            "urllib": lambda: urllib.request.urlopen(origin + path, timeout=0.2).read(),
            "requests": lambda: requests.get(origin + path, timeout=(5, 0.2)).content,
            "httpx": lambda: httpx.get(origin + path, timeout=0.2),
            "async": lambda: asyncio.run(patiently(origin + path)),
        }.items():
            try:
                attempt()
            except Exception as error:
                found[name + path] = type(error).__name__
    try:
        urllib.request.urlopen(f"{origin}/cut").read()
    except Exception as error:
        found["cut"] = type(error).__name__
    # Eight of 0.2 seconds, and none that waits for its connect time-out of 5.
    found["waited"] = 1.5 < time.monotonic() - started < 5
    return found


async def patiently(url):
    async with httpx.AsyncClient(timeout=0.2) as client:
        return await client.get(url)


def refused_by_name(origin):
    found = {}
    attempts = {
        "redis": lambda: speak(origin, b"*1\r\n$4\r\nPING\r\n"),
        "mysql": lambda: speak(origin, b""),
        "proxy": lambda: requests.get(origin, proxies={"http": origin}),
        "udp": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("127.0.0.1", 1)),
        "host": lambda: requests.get(origin, headers={"Host": "other.example"}),
        "client certificate": lambda: ssl.create_default_context().load_cert_chain("a.pem"),
        "authorities": lambda: ssl.create_default_context(cafile="/tmp/own.pem"),
        "name": lambda: socket.gethostbyname("shop.example"),
        "server": lambda: socket.create_server(("127.0.0.1", 0)),
    }
    for name, attempt in attempts.items():
        try:
            attempt()
        except Exception as error:
            found[name] = f"{type(error).__name__}: {error}"
    return found


def speak(origin, data):
    parts = urlsplit(origin)
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as connection:
        connection.sendall(data)
        return connection.recv(100).decode()
