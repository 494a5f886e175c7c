"""Checks an S3 server with boto3, a client that nobody here wrote. Usage: s3_client.py ENDPOINT [PHASE].

Phase `first` runs every check and leaves a bucket behind, phase `restarted` finds it as it was.
"""

import hashlib
import http.client
import io
import socket
import sys
import threading
import urllib.parse
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.client import Config
from botocore.exceptions import ClientError

ENDPOINT = sys.argv[1]
PHASE = sys.argv[2] if len(sys.argv) > 2 else "first"
MIB = 1 << 20


def client(secret="local-secret", style="path", endpoint=ENDPOINT, key="local"):
    config = Config(s3={"addressing_style": style}, retries={"max_attempts": 1}, max_pool_connections=16)
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        region_name="eu-central-1",
        config=config,
    )


s3 = client()
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def refused(status, code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        found = (error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"])
        # An answer to HEAD, and a 304, have no body that could name the code.
        expected = (status, str(status) if code is None else code)
        assert found == expected, f"{found} instead of {expected}"
        return error.response
    raise AssertionError(f"{call.__name__} was not refused")


def put(key, body=b"x", bucket="things", **arguments):
    return s3.put_object(Bucket=bucket, Key=key, Body=body, **arguments)


def get(key, bucket="things", **arguments):
    return s3.get_object(Bucket=bucket, Key=key, **arguments)


def keys(**arguments):
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="listed", **arguments)
    objects, prefixes = [], []
    for page in pages:
        objects += [entry["Key"] for entry in page.get("Contents", [])]
        prefixes += [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]
    return objects, prefixes


@check
def buckets():
    s3.create_bucket(Bucket="things", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    again = {"Bucket": "things", "CreateBucketConfiguration": {"LocationConstraint": "eu-central-1"}}
    refused(409, "BucketAlreadyOwnedByYou", s3.create_bucket, **again)
    assert "things" in [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]]
    s3.head_bucket(Bucket="things")
    refused(404, None, s3.head_bucket, Bucket="nothing")
    refused(404, "NoSuchBucket", s3.get_object, Bucket="nothing", Key="a")
    refused(404, "NoSuchBucket", s3.list_objects_v2, Bucket="nothing")
    refused(404, "NoSuchBucket", s3.put_object, Bucket="nothing", Key="a", Body=b"a")
    assert s3.get_bucket_location(Bucket="things")["LocationConstraint"] == "eu-central-1"
    refused(400, "InvalidBucketName", s3.create_bucket, Bucket="192.168.0.1", CreateBucketConfiguration=again["CreateBucketConfiguration"])


@check
def a_bucket_with_objects_is_not_deleted():
    s3.create_bucket(Bucket="full", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    put("a", bucket="full")
    refused(409, "BucketNotEmpty", s3.delete_bucket, Bucket="full")
    assert get("a", bucket="full")["Body"].read() == b"x"
    s3.delete_object(Bucket="full", Key="a")
    s3.delete_bucket(Bucket="full")
    refused(404, None, s3.head_bucket, Bucket="full")


@check
def put_and_get():
    body = bytes(range(256)) * 100
    etag = f'"{hashlib.md5(body).hexdigest()}"'
    metadata = {"colour": "blue", "note": "two words"}
    written = put(
        "dir/thing.bin", body, ContentType="application/x-thing", Metadata=metadata, CacheControl="max-age=60",
        ContentDisposition="inline", ContentEncoding="br", ContentLanguage="cs",
    )
    assert written["ETag"] == etag
    read = get("dir/thing.bin")
    assert read["Body"].read() == body
    head = s3.head_object(Bucket="things", Key="dir/thing.bin")
    for answer in (read, head):
        assert answer["ETag"] == etag
        assert answer["ContentLength"] == len(body)
        assert answer["ContentType"] == "application/x-thing"
        assert answer["Metadata"] == metadata
        assert answer["CacheControl"] == "max-age=60"
        assert answer["ContentDisposition"] == "inline"
        assert answer["ContentEncoding"] == "br"
        assert answer["ContentLanguage"] == "cs"
        assert answer["AcceptRanges"] == "bytes"
        assert answer["LastModified"]
    refused(404, "NoSuchKey", get, key="dir/nothing")
    refused(404, None, s3.head_object, Bucket="things", Key="dir/nothing")


@check
def empty_and_large_objects():
    put("empty", b"")
    assert get("empty")["Body"].read() == b""
    assert s3.head_object(Bucket="things", Key="empty")["ContentLength"] == 0
    body = hashlib.sha256(b"seed").digest() * (5 * MIB // 32) + b"tail"
    put("large", body)
    assert get("large")["Body"].read() == body


@check
def any_key_is_possible():
    bodies = {
        key: key.encode()
        for key in ("a", "a/b", "a//b", "a/b/", "a/", "a/../b", "..", "a b+c%20", "ž/世界/🐑", "x" * 1024, "'\"<>&?#")
    }
    for key, body in bodies.items():
        put(key, body)
    for key, body in bodies.items():
        assert get(key)["Body"].read() == body, key
    refused(400, "KeyTooLongError", put, key="x" * 1025)


@check
def ranges():
    body = bytes(range(200)) * 30_000
    put("ranged", body)
    size = len(body)
    for asked, start, end in [
        ("bytes=0-9", 0, 10),
        ("bytes=10-", 10, size),
        ("bytes=-7", size - 7, size),
        (f"bytes=5-{size + 100}", 5, size),
        (f"bytes=-{size + 100}", 0, size),
        (f"bytes={size - 1}-", size - 1, size),
        ("bytes=1000000-4000000", 1_000_000, 4_000_001),
    ]:
        answer = get("ranged", Range=asked)
        assert answer["Body"].read() == body[start:end], asked
        assert answer["ContentRange"] == f"bytes {start}-{end - 1}/{size}", answer["ContentRange"]
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 206
    refused(416, "InvalidRange", get, key="ranged", Range=f"bytes={size}-")


@check
def conditional_reads():
    etag = put("watched", b"one")["ETag"]
    other = '"00000000000000000000000000000000"'
    modified = s3.head_object(Bucket="things", Key="watched")["LastModified"]
    for call in (s3.get_object, s3.head_object):
        target = {"Bucket": "things", "Key": "watched"}
        assert call(**target, IfMatch=etag)["ETag"] == etag
        assert call(**target, IfNoneMatch=other)["ETag"] == etag
        answer = refused(304, None, call, **target, IfNoneMatch=etag)
        assert answer["ResponseMetadata"]["HTTPHeaders"]["etag"] == etag
        refused(304, None, call, **target, IfModifiedSince=modified)
        code = None if call == s3.head_object else "PreconditionFailed"
        refused(412, code, call, **target, IfMatch=other)
        refused(412, code, call, **target, IfUnmodifiedSince="Mon, 01 Jan 2001 00:00:00 GMT")
        assert call(**target, IfModifiedSince="Mon, 01 Jan 2001 00:00:00 GMT")["ETag"] == etag
        assert call(**target, IfUnmodifiedSince=modified)["ETag"] == etag


@check
def conditional_writes():
    etag = put("alias", b"one", IfNoneMatch="*")["ETag"]
    refused(412, "PreconditionFailed", put, key="alias", body=b"two", IfNoneMatch="*")
    second = put("alias", b"two", IfMatch=etag)["ETag"]
    refused(412, "PreconditionFailed", put, key="alias", body=b"three", IfMatch=etag)
    refused(404, "NoSuchKey", put, key="alias-missing", body=b"three", IfMatch=etag)
    assert get("alias")["ETag"] == second


def race(attempts):
    """All at once; how many were let through."""
    ready = threading.Barrier(len(attempts))

    def attempt(arguments):
        ready.wait()
        try:
            put(**arguments)
            return 1
        except ClientError as error:
            assert error.response["Error"]["Code"] == "PreconditionFailed", error
            return 0

    with ThreadPoolExecutor(len(attempts)) as pool:
        return sum(pool.map(attempt, attempts))


@check
def of_many_conditional_writers_one_wins():
    for round_ in range(10):
        key = f"raced/{round_}"
        assert race([{"key": key, "body": b"%d" % n, "IfNoneMatch": "*"} for n in range(8)]) == 1
        etag = s3.head_object(Bucket="things", Key=key)["ETag"]
        assert race([{"key": key, "body": b"more %d" % n, "IfMatch": etag} for n in range(8)]) == 1


@check
def readers_see_whole_objects_while_they_are_replaced():
    bodies = [bytes([n]) * (2 * MIB) for n in range(4)]
    put("replaced", bodies[0])
    stop = threading.Event()

    def write():
        n = 0
        while not stop.is_set():
            put("replaced", bodies[n % 4])
            n += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(25):
            assert get("replaced")["Body"].read() in bodies
    finally:
        stop.set()
        writer.join()


@check
def lists():
    s3.create_bucket(Bucket="listed", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    assert keys() == ([], [])
    names = ["a", "a-b", "a/b", "a/c/d", "a//b", "b/1", "b/2", "c d+e", "é", "z"]
    for name in names:
        put(name, bucket="listed")
    ordered = sorted(names, key=str.encode)
    for size in (1, 2, 3, 1000):
        paged = {"PaginationConfig": {"PageSize": size}}
        assert keys(**paged) == (ordered, []), keys(**paged)
        assert keys(Delimiter="/", **paged) == (["a", "a-b", "c d+e", "z", "é"], ["a/", "b/"])
        assert keys(Delimiter="/", Prefix="a/", **paged) == (["a/b"], ["a//", "a/c/"])
        assert keys(Prefix="a/", **paged) == (["a//b", "a/b", "a/c/d"], [])
        assert keys(StartAfter="b/1", **paged) == (["b/2", "c d+e", "z", "é"], [])
    page = s3.list_objects_v2(Bucket="listed", MaxKeys=3)
    assert (page["KeyCount"], page["IsTruncated"], page["MaxKeys"]) == (3, True, 3)
    entry = page["Contents"][0]
    assert (entry["Size"], entry["ETag"], entry["StorageClass"]) == (1, f'"{hashlib.md5(b"x").hexdigest()}"', "STANDARD")
    refused(400, "InvalidArgument", s3.list_objects_v2, Bucket="listed", ContinuationToken="?")
    old = s3.get_paginator("list_objects").paginate(Bucket="listed", PaginationConfig={"PageSize": 2})
    assert [entry["Key"] for page in old for entry in page["Contents"]] == ordered
    old = s3.get_paginator("list_objects").paginate(Bucket="listed", Delimiter="/", PaginationConfig={"PageSize": 1})
    assert [entry["Prefix"] for page in old for entry in page.get("CommonPrefixes", [])] == ["a/", "b/"]


@check
def deletes():
    put("gone")
    s3.delete_object(Bucket="things", Key="gone")
    refused(404, "NoSuchKey", get, key="gone")
    s3.delete_object(Bucket="things", Key="gone")
    for n in range(5):
        put(f"many/{n}")
    answer = s3.delete_objects(
        Bucket="things", Delete={"Objects": [{"Key": f"many/{n}"} for n in range(4)] + [{"Key": "many/none"}]}
    )
    assert len(answer["Deleted"]) == 5 and not answer.get("Errors")
    listed = s3.list_objects_v2(Bucket="things", Prefix="many/")
    assert [entry["Key"] for entry in listed["Contents"]] == ["many/4"]
    quiet = s3.delete_objects(Bucket="things", Delete={"Objects": [{"Key": "many/4"}], "Quiet": True})
    assert not quiet.get("Deleted")


@check
def copies():
    etag = put("from/ž a", b"copied", ContentType="text/plain", Metadata={"a": "1"})["ETag"]
    source = {"Bucket": "things", "Key": "from/ž a"}
    answer = s3.copy_object(Bucket="things", Key="to", CopySource=source)
    assert answer["CopyObjectResult"]["ETag"] == etag
    copied = get("to")
    assert (copied["Body"].read(), copied["ContentType"], copied["Metadata"]) == (b"copied", "text/plain", {"a": "1"})
    replaced = {"MetadataDirective": "REPLACE", "Metadata": {"b": "2"}, "ContentType": "text/html"}
    s3.copy_object(Bucket="things", Key="to", CopySource={"Bucket": "things", "Key": "to"}, **replaced)
    assert (get("to")["Metadata"], get("to")["ContentType"]) == ({"b": "2"}, "text/html")
    refused(400, "InvalidRequest", s3.copy_object, Bucket="things", Key="to", CopySource={"Bucket": "things", "Key": "to"})
    refused(404, "NoSuchKey", s3.copy_object, Bucket="things", Key="to", CopySource={"Bucket": "things", "Key": "none"})
    refused(412, "PreconditionFailed", s3.copy_object, Bucket="things", Key="to2", CopySource=source, CopySourceIfNoneMatch=etag)


@check
def multipart_uploads():
    parts = [bytes([65 + n]) * (5 * MIB) for n in range(2)] + [b"tail"]
    target = {"Bucket": "things", "Key": "multi/part"}
    upload = s3.create_multipart_upload(**target, ContentType="video/x", Metadata={"a": "1"})["UploadId"]
    refused(404, "NoSuchKey", get, key="multi/part")
    assert [entry["UploadId"] for entry in s3.list_multipart_uploads(Bucket="things")["Uploads"]] == [upload]
    etags = [
        s3.upload_part(**target, UploadId=upload, PartNumber=n, Body=part)["ETag"] for n, part in enumerate(parts, 1)
    ]
    listed = s3.list_parts(**target, UploadId=upload)["Parts"]
    assert [(part["PartNumber"], part["Size"], part["ETag"]) for part in listed] == [
        (n, len(part), etag) for n, (part, etag) in enumerate(zip(parts, etags), 1)
    ]
    named = [{"PartNumber": n, "ETag": etag} for n, etag in enumerate(etags, 1)]
    complete = {**target, "UploadId": upload}
    refused(400, "InvalidPartOrder", s3.complete_multipart_upload, **complete, MultipartUpload={"Parts": named[::-1]})
    wrong = [{"PartNumber": 1, "ETag": etags[1]}]
    refused(400, "InvalidPart", s3.complete_multipart_upload, **complete, MultipartUpload={"Parts": wrong})
    digest = hashlib.md5(b"".join(hashlib.md5(part).digest() for part in parts)).hexdigest()
    answer = s3.complete_multipart_upload(**complete, MultipartUpload={"Parts": named}, IfNoneMatch="*")
    assert answer["ETag"] == f'"{digest}-3"'
    whole = get("multi/part")
    assert whole["Body"].read() == b"".join(parts)
    assert (whole["ContentType"], whole["Metadata"]) == ("video/x", {"a": "1"})
    refused(404, "NoSuchUpload", s3.abort_multipart_upload, **complete)
    second = s3.create_multipart_upload(**target)["UploadId"]
    for n in (1, 2):
        s3.upload_part(**target, UploadId=second, PartNumber=n, Body=b"small")
    small = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in s3.list_parts(**target, UploadId=second)["Parts"]]
    refused(400, "EntityTooSmall", s3.complete_multipart_upload, **target, UploadId=second, MultipartUpload={"Parts": small})
    refused(412, "PreconditionFailed", s3.complete_multipart_upload, **target, UploadId=second, MultipartUpload={"Parts": small[:1]}, IfNoneMatch="*")
    s3.abort_multipart_upload(**target, UploadId=second)
    assert not s3.list_multipart_uploads(Bucket="things").get("Uploads")
    third = s3.create_multipart_upload(Bucket="things", Key="multi/copy")["UploadId"]
    source = {"Bucket": "things", "Key": "multi/part"}
    part = s3.upload_part_copy(Bucket="things", Key="multi/copy", UploadId=third, PartNumber=1, CopySource=source, CopySourceRange="bytes=1-3")
    named = [{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}]
    s3.complete_multipart_upload(Bucket="things", Key="multi/copy", UploadId=third, MultipartUpload={"Parts": named})
    assert get("multi/copy")["Body"].read() == b"AAA"
    s3.upload_fileobj(io.BytesIO(b"".join(parts)), "things", "multi/managed")
    assert get("multi/managed")["Body"].read() == b"".join(parts)


@check
def checksums():
    for algorithm in ("CRC32", "SHA1", "SHA256"):
        written = put("summed", b"summed", ChecksumAlgorithm=algorithm)[f"Checksum{algorithm}"]
        assert get("summed", ChecksumMode="ENABLED")[f"Checksum{algorithm}"] == written
    refused(400, "BadDigest", put, key="summed", body=b"other", ChecksumSHA256="n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg=")
    refused(400, "BadDigest", put, key="summed", body=b"other", ContentMD5="CY9rzUYh03PK3k6DJie09g==")
    assert get("summed")["Body"].read() == b"summed"


@check
def signatures():
    refused(403, "SignatureDoesNotMatch", client(secret="wrong").list_buckets)
    assert client(key="nobody")
    try:
        client(key="nobody").list_buckets()
        raise AssertionError("an unknown key was let in")
    except ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 403, error.response
    put("signed", b"signed")
    url = urllib.parse.urlsplit(s3.generate_presigned_url("get_object", {"Bucket": "things", "Key": "signed"}))
    for path, status in ((f"{url.path}?{url.query}", 200), (url.path, 403), (f"{url.path}?{url.query[:-4]}0000", 403)):
        connection = http.client.HTTPConnection(url.netloc)
        connection.request("GET", path)
        assert connection.getresponse().status == status, path
        connection.close()


@check
def host_style():
    port = urllib.parse.urlsplit(ENDPOINT).port
    original = socket.getaddrinfo
    local = lambda host, *rest, **named: original("127.0.0.1" if host.endswith(".localhost") else host, *rest, **named)
    socket.getaddrinfo = local
    try:
        virtual = client(style="virtual", endpoint=f"http://s3.localhost:{port}")
        virtual.put_object(Bucket="things", Key="hosted/a", Body=b"hosted")
        assert virtual.get_object(Bucket="things", Key="hosted/a")["Body"].read() == b"hosted"
        assert get("hosted/a")["Body"].read() == b"hosted"
        listed = virtual.list_objects_v2(Bucket="things", Prefix="hosted/")["Contents"]
        assert [entry["Key"] for entry in listed] == ["hosted/a"]
    finally:
        socket.getaddrinfo = original


@check
def a_broken_upload_leaves_no_trace():
    put("whole", b"whole")
    url = urllib.parse.urlsplit(s3.generate_presigned_url("put_object", {"Bucket": "things", "Key": "whole"}))
    with socket.create_connection((url.hostname, url.port)) as connection:
        head = f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: 1000\r\n\r\nhalf"
        connection.sendall(head.encode())
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1024)
    assert get("whole")["Body"].read() == b"whole"


def leave_behind():
    s3.create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    put("kept/a", b"kept", bucket="kept", ContentType="text/kept", Metadata={"a": "1"})
    put("kept/removed", bucket="kept")
    s3.delete_object(Bucket="kept", Key="kept/removed")
    upload = s3.create_multipart_upload(Bucket="kept", Key="kept/multi")["UploadId"]
    s3.upload_part(Bucket="kept", Key="kept/multi", UploadId=upload, PartNumber=1, Body=b"part")


def find_again():
    answer = get("kept/a", bucket="kept")
    assert (answer["Body"].read(), answer["ContentType"], answer["Metadata"]) == (b"kept", "text/kept", {"a": "1"})
    assert answer["ETag"] == f'"{hashlib.md5(b"kept").hexdigest()}"'
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket="kept")["Contents"]] == ["kept/a"]
    target = {"Bucket": "kept", "Key": "kept/multi"}
    upload = s3.list_multipart_uploads(Bucket="kept")["Uploads"][0]["UploadId"]
    parts = s3.list_parts(**target, UploadId=upload)["Parts"]
    named = [{"PartNumber": 1, "ETag": parts[0]["ETag"]}]
    s3.complete_multipart_upload(**target, UploadId=upload, MultipartUpload={"Parts": named})
    assert get("kept/multi", bucket="kept")["Body"].read() == b"part"


if PHASE == "restarted":
    find_again()
    print("found everything again")
else:
    for function in CHECKS:
        try:
            function()
        except Exception as error:
            raise SystemExit(f"{function.__name__}: {type(error).__name__}: {error}") from error
    leave_behind()
    print(f"{len(CHECKS)} checks passed")
