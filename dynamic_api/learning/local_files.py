"""Serves files and pictures of this machine to anyone with a signed link; the web and the phone share it."""

import re

from starlette.responses import FileResponse, Response

from dynamic_api.core.errors import RangeNotSatisfiable, ResourceForbidden, ResourceNotFound, SignatureInvalid
from dynamic_api.gateways.storage import LocalStorage, attachment
from dynamic_api.learning.access import open_resource, owns_course
from dynamic_api.learning.downloads import check_signature
from dynamic_api.learning.drafts import is_valid
from dynamic_api.learning.pictures import STEP
from dynamic_api.web.requests import Request
from sitegen.catalog.manifest import drafts_folder, private_folder

_RANGE = re.compile(r"bytes=(?P<first>\d{1,15})?-(?P<last>\d{1,15})?(,\s*\d{0,15}-\d{0,15})*")


async def send_local_file(request: Request) -> Response:
    """The file, if the link is valid and the learner it names may still have it."""
    service = request.service
    user_id = check_signature(service.settings, request.scope["path"], dict(request.query_params), now=service.clock())
    resource = await open_resource(service, user_id, request.path_params["resource"])
    definition, storage = resource.definition, service.gateways.storage
    path = storage.path(definition.key) if isinstance(storage, LocalStorage) else None
    if path is None:
        raise ResourceNotFound
    _check_range(request, path.stat().st_size)
    headers = {
        "Content-Disposition": attachment(definition.name, definition.key),
        "Cache-Control": "private, no-store",
    }
    return FileResponse(path, media_type=definition.type, headers=headers)


async def send_picture(request: Request) -> Response:
    """The picture, if the address is ours and the learner it names still owns the course."""
    service, name = request.service, request.path_params["name"]
    user_id = check_signature(service.settings, request.scope["path"], dict(request.query_params), now=service.clock())
    course = service.catalog.current.course_by_id(request.path_params["course"])
    path = private_folder(service.settings.manifest) / name
    if course is None or name not in course.pictures or not path.is_file():
        raise ResourceNotFound
    if not await owns_course(service, user_id, course.id):
        raise ResourceForbidden
    return FileResponse(path, headers={"Cache-Control": f"private, max-age={int(STEP.total_seconds())}"})


async def send_draft(request: Request) -> Response:
    """A page of a draft, or a picture on it, for whoever has a link that has not ended."""
    service, course, name = request.service, request.path_params["course"], request.path_params["name"]
    until, signature = request.path_params["until"], request.path_params["signature"]
    if not is_valid(service.settings, course, until, signature, now=service.clock()):
        raise SignatureInvalid
    folder = drafts_folder(service.settings.manifest) / course
    path = folder / name
    if name.startswith(".") or path.parent != folder or not path.is_file():
        raise ResourceNotFound
    return FileResponse(path, headers={"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex"})


def _check_range(request: Request, size: int) -> None:
    """Ignore malformed Range headers (RFC 9110, 14.2); answer 416 in our error format when a range starts past the
    end. Raises RangeNotSatisfiable."""
    header = request.headers.get("range")
    if header is None:
        return
    found = _RANGE.fullmatch(header)
    first, last = (found["first"], found["last"]) if found else (None, None)
    if not found or (first is None and last is None) or (first and last and int(last) < int(first)):
        request.scope["headers"] = [each for each in request.scope["headers"] if each[0] != b"range"]
    elif first is not None and int(first) >= size:
        raise RangeNotSatisfiable(size)
