"""Browsers that are signed in: an opaque cookie here, a row there."""

from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.audit import Action, record
from dynamic_api.models import User, WebSession
from dynamic_api.tokens import hash_token, make_token

LIFE = timedelta(days=30)
TOUCH = timedelta(hours=1)  # a session's use is written down this often


async def start_session(db: AsyncSession, user: User, *, user_agent: str, now: datetime) -> str:
    """A new session; the token for its cookie. Ids are never taken over from before the sign-in."""
    token = make_token()
    db.add(
        WebSession(
            token_hash=hash_token(token),
            user_id=user.id,
            user_agent=user_agent[:200],
            created_at=now,
            last_seen_at=now,
            expires_at=now + LIFE,
        )
    )
    record(db, Action.SESSION_STARTED, at=now, actor=f"user:{user.id}", user_id=user.id)
    return token


async def session_user(db: AsyncSession, token: str, *, now: datetime) -> tuple[User, WebSession] | None:
    """Who holds this cookie, while it lives."""
    found = await db.execute(
        select(User, WebSession)
        .join(WebSession, WebSession.user_id == User.id)
        .where(WebSession.token_hash == hash_token(token), WebSession.expires_at > now)
    )
    row = found.one_or_none()
    return (row[0], row[1]) if row else None


async def touch_session(db: AsyncSession, token: str, *, now: datetime) -> None:
    """Prolong a session that is in use."""
    session = await db.get(WebSession, hash_token(token))
    if session is not None:
        session.last_seen_at, session.expires_at = now, now + LIFE


async def end_session(db: AsyncSession, token: str) -> None:
    """Sign this browser out."""
    await db.execute(delete(WebSession).where(WebSession.token_hash == hash_token(token)))
