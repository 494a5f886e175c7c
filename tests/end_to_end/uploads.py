"""Creates and deletes objects in every way that clients have. Usage: uploads.py ENDPOINT BUCKET."""

import http.client
import io
import sys
import urllib.parse
import uuid

import boto3
from boto3.s3.transfer import TransferConfig

ENDPOINT, BUCKET = sys.argv[1:]
s3 = boto3.client(
    "s3",
    endpoint_url=ENDPOINT,
    aws_access_key_id="local",
    aws_secret_access_key="local-secret",
    region_name="us-east-1",
)


def send(method, url, body, headers=None):
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc)
    connection.request(method, f"{parts.path}?{parts.query}", body, headers or {})
    response = connection.getresponse()
    assert response.status in (200, 204), (response.status, response.read())


def form(fields, content):
    boundary = uuid.uuid4().hex
    lines = []
    for name, value in fields.items():
        lines += [f"--{boundary}", f'Content-Disposition: form-data; name="{name}"', "", value]
    lines += [f"--{boundary}", 'Content-Disposition: form-data; name="file"; filename="a"', "", content]
    lines += [f"--{boundary}--", ""]
    return "\r\n".join(lines).encode(), {"Content-Type": f"multipart/form-data; boundary={boundary}"}


s3.put_object(Bucket=BUCKET, Key="in/put ü.txt", Body=b"1234")
s3.put_object(Bucket=BUCKET, Key="elsewhere/put.txt", Body=b"not told")
parts = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
s3.upload_fileobj(io.BytesIO(b"x" * (6 << 20)), BUCKET, "in/parts.txt", Config=parts)
send("PUT", s3.generate_presigned_url("put_object", {"Bucket": BUCKET, "Key": "in/signed.txt"}), b"12")
post = s3.generate_presigned_post(BUCKET, "in/form.txt")
send("POST", post["url"], *form(post["fields"], "123"))
s3.copy_object(Bucket=BUCKET, Key="in/copy.txt", CopySource={"Bucket": BUCKET, "Key": "in/form.txt"})
s3.delete_object(Bucket=BUCKET, Key="in/copy.txt")
s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "in/form.txt"}]})
