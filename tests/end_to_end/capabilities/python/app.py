"""Calls what the event asks for and answers with what came of it."""

from lambkin import files, jobs, websocket
from lambkin.capability import CapabilityError


def put(event):
    return files.put(event["folder"], event["path"], event["text"], content_type=event.get("type"))


def get(event):
    file = files.get(event["folder"], event["path"])
    return {"text": file.data.decode(), "type": file.content_type, "etag": file.etag}


def entries(event):
    page = files.entries(event["folder"], event["path"], after=event.get("after"))
    found = [{"path": one.path, "size": one.size, "recent": one.last_modified.year >= 2026} for one in page.entries]
    return {"entries": found, "next": page.next}


def post_form(event):
    form = files.post_form(
        event["folder"],
        event["path"],
        min_bytes=1,
        max_bytes=event.get("most", 100),
        content_type=event.get("type"),
        expires_in=event.get("seconds", 60),
    )
    return {"url": form.url, "fields": list(form.fields.items())}


def info(event):
    found = websocket.info(event["connection"])
    age = (found.last_active_at - found.connected_at).total_seconds() * 1000
    return {"sourceIp": found.source_ip, "userAgent": found.user_agent, "age": age}


CALLS = {
    "files.put": put,
    "files.get": get,
    "files.list": entries,
    "files.delete": lambda event: files.delete(event["folder"], event["path"]),
    "files.getUrl": lambda event: files.get_url(event["folder"], event["path"], expires_in=event.get("seconds", 60)),
    "files.putUrl": lambda event: files.put_url(
        event["folder"], event["path"], content_type=event.get("type"), expires_in=event.get("seconds", 60)
    ),
    "files.postForm": post_form,
    "jobs.start": lambda event: jobs.start(event["component"], event["event"]),
    "websocket.send": lambda event: websocket.send(event["connection"], event["text"]),
    "websocket.close": lambda event: websocket.close(event["connection"]),
    "websocket.info": info,
}


def lambda_handler(event, context):
    try:
        if event["call"] == "report":  # What a job leaves behind: who it was.
            return {"ok": files.put(event["folder"], event["path"], context.aws_request_id)}
        return {"ok": CALLS[event["call"]](event)}
    except CapabilityError as error:
        return {"error": {"code": error.code, "message": str(error), "name": type(error).__name__}}
