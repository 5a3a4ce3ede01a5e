"""Where somebody is signed in, seen and ended."""

from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.clock import timestamp
from dynamic_api.models import AccessToken, WebSession
from dynamic_api.tokens import hash_token

# A session is named by the beginning of its token's hash, which opens nothing.
_NAME = 16


_BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)


def browser_name(user_agent: str) -> str:
    """“Firefox on Windows”, as well as a User-Agent header says it."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "A browser")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
    return f"{browser} on {system}" if system else browser


async def devices_of(db: AsyncSession, user_id: int, *, current: str) -> dict[str, list[dict[str, Any]]]:
    """Browsers and phones, the newest first. `current` is the token of the browser that asks."""
    sessions = await db.scalars(
        select(WebSession).where(WebSession.user_id == user_id).order_by(WebSession.last_seen_at.desc())
    )
    phones = await db.scalars(select(AccessToken).where(AccessToken.user_id == user_id).order_by(AccessToken.id.desc()))
    return {
        "browsers": [
            {
                "id": row.token_hash[:_NAME],
                "name": browser_name(row.user_agent),
                "since": timestamp(row.created_at),
                "last_seen_at": timestamp(row.last_seen_at),
                "current": row.token_hash == hash_token(current),
            }
            for row in sessions
        ],
        "phones": [
            {
                "id": str(row.id),
                "name": row.device_name,
                "since": timestamp(row.created_at),
                "last_seen_at": timestamp(row.last_used_at),
                "current": False,
            }
            for row in phones
        ],
    }


async def end_browser(db: AsyncSession, user_id: int, name: str) -> None:
    """Sign one browser out; nothing happens where it is out already."""
    if len(name) == _NAME:
        own = WebSession.user_id == user_id
        await db.execute(delete(WebSession).where(own, WebSession.token_hash.startswith(name, autoescape=True)))


async def end_phone(db: AsyncSession, user_id: int, name: str) -> None:
    """Sign one phone out; nothing happens where it is out already."""
    if name.isdigit() and len(name) < 10:
        await db.execute(delete(AccessToken).where(AccessToken.user_id == user_id, AccessToken.id == int(name)))
