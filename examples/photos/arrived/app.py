"""S3 tells of an upload: a job looks at it, since that may take longer than S3's event should."""

from urllib.parse import unquote, unquote_plus

from lambkin import jobs


def lambda_handler(event, context):
    for record in event["Records"]:
        path = unquote_plus(record["s3"]["object"]["key"])
        _, connection, name = path.split("/", 2)
        job = jobs.start("measure", {"path": path, "connection": unquote(connection), "name": name})
        print(f"{name}: job {job}")
