"""Links to files: signed, valid for minutes, handed out only after checking access, each one recorded."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from dynamic_api.catalog.courses import CatalogResource
from dynamic_api.core.audit import Action, by_user, record
from dynamic_api.core.errors import SignatureInvalid
from dynamic_api.core.settings import Settings
from dynamic_api.core.signed_links import sign_link
from dynamic_api.gateways.storage import LocalStorage
from dynamic_api.learning.access import open_resource
from dynamic_api.service import Service


@dataclass(frozen=True)
class DownloadLink:
    """Opens one file for anyone who has it, until `expires_at`."""

    resource: CatalogResource
    url: str
    expires_at: datetime


async def download_link(service: Service, user_id: int, resource_id: int, *, path: str) -> DownloadLink:
    """A link for somebody who may download. `path` is the service's own address for files on local disk.

    Raises ResourceNotFound, ResourceForbidden.
    """
    settings, storage, now = service.settings, service.gateways.storage, service.clock()
    resource = await open_resource(service, user_id, resource_id)
    definition, seconds = resource.definition, settings.download_seconds
    expires = (now + timedelta(seconds=seconds)).replace(microsecond=0)
    async with service.database.transaction() as db:
        record(
            db,
            Action.DOWNLOAD_LINK_ISSUED,
            at=now,
            actor=by_user(user_id),
            user_id=user_id,
            course_id=resource.course_id,
            resource=definition.id,
        )
    if isinstance(storage, LocalStorage):
        query = f"expires={int(expires.timestamp())}&user={user_id}"
        return DownloadLink(resource, f"{path}?{query}&signature={sign_link(settings, path, query)}", expires)
    url = storage.link(definition.key, name=definition.name, media_type=definition.type, seconds=seconds)
    return DownloadLink(resource, url, expires)


def check_signature(settings: Settings, path: str, query: dict[str, str], *, now: datetime) -> int:
    """The user a link was made for. The signature covers path and query, not host or scheme, which proxies change.

    Raises SignatureInvalid.
    """
    try:
        expires, user_id = int(query["expires"]), int(query["user"])
        signature = query["signature"]
    except (KeyError, ValueError):
        raise SignatureInvalid from None
    expected = sign_link(settings, path, f"expires={expires}&user={user_id}")
    exact = set(query) == {"expires", "user", "signature"}
    if not exact or not hmac.compare_digest(signature.encode(), expected.encode()) or now.timestamp() >= expires:
        raise SignatureInvalid
    return user_id
