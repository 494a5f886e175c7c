"""Files in S3, in the folders that the component's manifest grants it.

::

    from lambkin import files

    photo = files.get("incoming", "a.png")
    files.put("incoming", "b.png", photo.data, content_type=photo.content_type)
    url = files.get_url("incoming", "b.png", expires_in=300)
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import NamedTuple

from wit_world.imports import files as host

from .capability import CapabilityError, call, encoded

_HOUR = 3600


class FilesError(CapabilityError):
    """A call that was not done; its code is ``not-found`` when there is no such file."""


class File(NamedTuple):
    """A file that was read."""

    data: bytes
    content_type: str | None
    etag: str


class Entry(NamedTuple):
    """A file in a listing."""

    path: str
    size: int
    etag: str
    last_modified: datetime


class Page(NamedTuple):
    """A part of a listing, and where the next one begins."""

    entries: list[Entry]
    next: str | None


class Form(NamedTuple):
    """A form: post the fields, then the file as the field ``file``, as ``multipart/form-data``."""

    url: str
    fields: dict[str, str]


def get(folder: str, path: str) -> File:
    """Reads a whole file."""
    found = call(FilesError, host.get, folder, path)
    return File(found.data, found.content_type, found.etag)


def put(folder: str, path: str, data: str | bytes, *, content_type: str | None = None) -> str:
    """Writes a file, over the one that is there, and returns its ETag."""
    return call(FilesError, host.put, folder, path, encoded(data), content_type)


def entries(folder: str, prefix: str = "", *, after: str | None = None) -> Page:
    """Lists files whose paths begin with ``prefix``, at most 1000; ``after`` is the ``next`` of the page before."""
    page = call(FilesError, host.entries, folder, prefix, after)
    found = [Entry(one.path, one.size, one.etag, datetime.fromtimestamp(one.last_modified_ms / 1000, timezone.utc)) for one in page.entries]
    return Page(found, page.next)


def delete(folder: str, path: str) -> None:
    """Deletes a file; one that is not there is no error."""
    call(FilesError, host.delete, folder, path)


def get_url(folder: str, path: str, *, expires_in: int = _HOUR) -> str:
    """A URL from which anyone may read the file for so many seconds, and never longer than the function's credentials last."""
    return call(FilesError, host.get_url, folder, path, expires_in)


def put_url(folder: str, path: str, *, expires_in: int = _HOUR, content_type: str | None = None) -> str:
    """A URL to which anyone may PUT the file, with this content type when one is given."""
    return call(FilesError, host.put_url, folder, path, expires_in, content_type)


def post_form(
    folder: str, path: str, *, expires_in: int = _HOUR, min_bytes: int = 0, max_bytes: int = 5 << 30, content_type: str | None = None
) -> Form:
    """A form by which a browser may upload the file, within bounds."""
    form = call(FilesError, host.post_form, folder, path, host.Upload(expires_in, min_bytes, max_bytes, content_type))
    return Form(form.url, dict(form.fields))
