"""Links to files: signed, for minutes, handed out only after asking for access, each one recorded."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.audit import Action, record
from dynamic_api.catalog import LiveResource
from dynamic_api.config import Settings
from dynamic_api.errors import SignatureInvalid
from dynamic_api.gateways.storage import LocalStorage, Storage


@dataclass(frozen=True)
class DownloadLink:
    """Opens one file for whoever has it, until `expires_at`."""

    url: str
    expires_at: datetime


def download_link(
    db: AsyncSession,
    settings: Settings,
    storage: Storage,
    resource: LiveResource,
    user_id: int,
    *,
    path: str,
    now: datetime,
    actor: str,
) -> DownloadLink:
    """A link for somebody who may download. `path` is the service's own address for files on local disk."""
    file, seconds = resource.file, settings.download_seconds
    expires = (now + timedelta(seconds=seconds)).replace(microsecond=0)
    record(
        db,
        Action.DOWNLOAD_LINK_ISSUED,
        at=now,
        actor=actor,
        user_id=user_id,
        course_id=resource.course_id,
        resource=file.id,
    )
    if isinstance(storage, LocalStorage):
        query = f"expires={int(expires.timestamp())}&user={user_id}"
        return DownloadLink(f"{path}?{query}&signature={_sign(settings, path, query)}", expires)
    url = storage.link(file.key, name=file.name, media_type=file.type, seconds=seconds)
    return DownloadLink(url, expires)


def check_signature(settings: Settings, path: str, query: dict[str, str], *, now: datetime) -> int:
    """The user a link was made for. The signature covers path and query, not host or scheme, which proxies change.

    Raises SignatureInvalid.
    """
    try:
        expires, user_id = int(query["expires"]), int(query["user"])
        signature = query["signature"]
    except (KeyError, ValueError):
        raise SignatureInvalid from None
    expected = _sign(settings, path, f"expires={expires}&user={user_id}")
    exact = set(query) == {"expires", "user", "signature"}
    if not exact or not hmac.compare_digest(signature.encode(), expected.encode()) or now.timestamp() >= expires:
        raise SignatureInvalid
    return user_id


def _sign(settings: Settings, path: str, query: str) -> str:
    key = hashlib.sha256(b"download link:" + settings.secret_key.reveal().encode()).digest()
    return hmac.new(key, f"{path}?{query}".encode(), hashlib.sha256).hexdigest()
