"""Hands out files of this machine, for whoever holds a signed link; the web and the phone share it."""

import re

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from dynamic_api.errors import RangeNotSatisfiable, ResourceNotFound
from dynamic_api.gateways.storage import LocalStorage, attachment
from dynamic_api.learning.access import open_resource
from dynamic_api.learning.downloads import check_signature
from dynamic_api.service import Service


async def send_local_file(request: Request, service: Service) -> Response:
    """The file, if the link is good and the learner it names may still have it."""
    user_id = check_signature(service.settings, request.url.path, dict(request.query_params), now=service.clock())
    async with service.database.reading() as db:
        resource = await open_resource(db, service.catalog.current, user_id, request.path_params["resource"])
    storage = service.gateways.storage
    path = storage.path(resource.file.key) if isinstance(storage, LocalStorage) else None
    if path is None:
        raise ResourceNotFound
    _check_range(request, path.stat().st_size)
    headers = {
        "Content-Disposition": attachment(resource.file.name, resource.file.key),
        "Cache-Control": "private, no-store",
    }
    return FileResponse(path, media_type=resource.file.type, headers=headers)


_RANGE = re.compile(r"bytes=(?P<first>\d{1,15})?-(?P<last>\d{1,15})?(,\s*\d{0,15}-\d{0,15})*")


def _check_range(request: Request, size: int) -> None:
    """A range nobody can read is no range (RFC 9110, 14.2); one behind the end is refused in our own shape."""
    header = request.headers.get("range")
    if header is None:
        return
    found = _RANGE.fullmatch(header)
    first, last = (found["first"], found["last"]) if found else (None, None)
    if not found or (first is None and last is None) or (first and last and int(last) < int(first)):
        request.scope["headers"] = [each for each in request.scope["headers"] if each[0] != b"range"]
    elif first is not None and int(first) >= size:
        raise RangeNotSatisfiable(size)
