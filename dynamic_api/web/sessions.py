"""Signed-in browsers: an opaque cookie there, a row here."""

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from dynamic_api.core.audit import Action, by_user, record
from dynamic_api.core.models import User, WebSession
from dynamic_api.core.tokens import hash_token, make_token
from dynamic_api.web.cookies import SIGNED_IN_HINT, cookies_of
from dynamic_api.web.requests import Request

LIFETIME = timedelta(days=30)  # without a visit
LONGEST_SESSION = timedelta(days=180)  # however often somebody visits


async def start_session(db: AsyncSession, user: User, request: Request, *, now: datetime) -> str:
    """A new session for this browser, in place of the one it may have had; the token for its cookie."""
    await end_session(db, request)
    token = make_token()
    db.add(
        WebSession(
            token_hash=hash_token(token),
            user_id=user.id,
            user_agent=request.headers.get("user-agent", "")[:200],
            created_at=now,
            last_seen_at=now,
            expires_at=now + LIFETIME,
        )
    )
    record(db, Action.SESSION_STARTED, at=now, actor=by_user(user.id), user_id=user.id)
    return token


async def end_session(db: AsyncSession, request: Request) -> None:
    """Sign this browser out, if it is signed in."""
    if token := session_token(request):
        await db.execute(delete(WebSession).where(WebSession.token_hash == hash_token(token)))


def session_token(request: Request) -> str:
    """The token in this browser's session cookie; empty without one."""
    return request.cookie(cookies_of(request.service.settings).session)


def put_session_cookies(response: Response, request: Request, token: str) -> None:
    """The session's cookie, and the hint that the pages' header reads."""
    cookies = cookies_of(request.service.settings)
    cookies.put(response, cookies.session, token, LIFETIME)
    cookies.put(response, SIGNED_IN_HINT, "1", LIFETIME, readable=True)


def remove_session_cookies(response: Response, request: Request) -> None:
    """Have the browser forget both."""
    cookies = cookies_of(request.service.settings)
    cookies.remove(response, cookies.session)
    cookies.remove(response, SIGNED_IN_HINT, readable=True)
