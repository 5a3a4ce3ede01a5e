"""Where somebody is signed in: listed, and signed out."""

from typing import NamedTuple

from sqlalchemy import bindparam, delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from typing_extensions import TypedDict

from dynamic_api.core.models import AccessToken, WebSession
from dynamic_api.core.reader import Query
from dynamic_api.core.sql import timestamp_text
from dynamic_api.core.tokens import hash_token
from dynamic_api.service import Service
from sitegen.catalog.words import Sentence, Words

_NAME_LENGTH = 16  # a session is named by the beginning of its token's hash, which opens nothing

_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


class DeviceAnswer(TypedDict):
    """A browser or a phone."""

    id: str
    name: str
    since: str
    last_seen_at: str | None
    current: bool


class DevicesAnswer(TypedDict):
    """Everything that is signed in, newest first."""

    browsers: list[DeviceAnswer]
    phones: list[DeviceAnswer]


class _Browser(NamedTuple):
    token_hash: str
    user_agent: str
    since: str
    last_seen_at: str


class _Phone(NamedTuple):
    id: int
    device_name: str
    since: str
    last_seen_at: str | None


_BROWSERS_OF = Query(
    select(
        WebSession.token_hash,
        WebSession.user_agent,
        timestamp_text(WebSession.created_at).label("since"),
        timestamp_text(WebSession.last_seen_at).label("last_seen_at"),
    )
    .where(WebSession.user_id == bindparam("user_id"))
    .order_by(WebSession.last_seen_at.desc()),
    _Browser,
)
_PHONES_OF = Query(
    select(
        AccessToken.id,
        AccessToken.device_name,
        timestamp_text(AccessToken.created_at).label("since"),
        timestamp_text(AccessToken.last_used_at).label("last_seen_at"),
    )
    .where(AccessToken.user_id == bindparam("user_id"))
    .order_by(AccessToken.id.desc()),
    _Phone,
)


def browser_name(user_agent: str) -> str:
    """“Firefox on Windows”, as far as a User-Agent header says it."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), Sentence("A browser"))
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
    return Sentence("{browser} on {system}", browser=browser, system=system) if system else browser


async def list_devices(service: Service, user_id: int, *, current: str, words: Words) -> DevicesAnswer:
    """Browsers and phones, newest first, in the words of the school.

    `current` is the session token of the browser that asks.
    """
    browsers = await service.reader.all(_BROWSERS_OF, user_id=user_id)
    phones = await service.reader.all(_PHONES_OF, user_id=user_id)
    return {
        "browsers": [
            {
                "id": row.token_hash[:_NAME_LENGTH],
                "name": words.in_own(browser_name(row.user_agent)),
                "since": row.since,
                "last_seen_at": row.last_seen_at,
                "current": row.token_hash == hash_token(current),
            }
            for row in browsers
        ],
        "phones": [
            {
                "id": str(row.id),
                "name": row.device_name,
                "since": row.since,
                "last_seen_at": row.last_seen_at,
                "current": False,
            }
            for row in phones
        ],
    }


async def sign_out_browser(db: AsyncSession, user_id: int, name: str) -> None:
    """Sign one browser out; nothing happens when it is signed out already."""
    if len(name) == _NAME_LENGTH:
        own = WebSession.user_id == user_id
        await db.execute(delete(WebSession).where(own, WebSession.token_hash.startswith(name, autoescape=True)))


async def sign_out_phone(db: AsyncSession, user_id: int, name: str) -> None:
    """Sign one phone out; nothing happens when it is signed out already."""
    if name.isdigit() and len(name) < 10:
        await db.execute(delete(AccessToken).where(AccessToken.user_id == user_id, AccessToken.id == int(name)))
