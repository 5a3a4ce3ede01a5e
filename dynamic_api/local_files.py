"""Hands out files of this machine, for whoever holds a signed link; the web and the phone share it."""

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from dynamic_api.errors import ResourceNotFound
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
    headers = {
        "Content-Disposition": attachment(resource.file.name, resource.file.key),
        "Cache-Control": "private, no-store",
    }
    return FileResponse(path, media_type=resource.file.type, headers=headers)
