"""Bearer tokens: opaque, hashed, with a device, an end, and abilities that routes check."""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.audit import Action, record
from dynamic_api.models import AccessToken, User
from dynamic_api.tokens import hash_token, make_token

PREFIX = "cwm_"
LIFE = timedelta(days=365)
TOUCH = timedelta(minutes=1)


class Ability(StrEnum):
    """What a token may do."""

    READ = "mobile:read"
    PROGRESS = "mobile:progress:write"
    AUTH = "mobile:auth"


ALL = " ".join(Ability)


async def issue_token(db: AsyncSession, user: User, *, device_name: str, now: datetime) -> str:
    """A token with every ability, shown this once."""
    token = make_token(PREFIX)
    db.add(
        AccessToken(
            token_hash=hash_token(token),
            user_id=user.id,
            device_name=device_name,
            abilities=ALL,
            created_at=now,
            last_used_at=now,
            expires_at=now + LIFE,
        )
    )
    record(db, Action.TOKEN_ISSUED, at=now, actor=f"user:{user.id}", user_id=user.id, device=device_name)
    return token


async def token_user(db: AsyncSession, token: str, *, now: datetime) -> tuple[User, AccessToken] | None:
    """Who holds this token, while it lives."""
    found = await db.execute(
        select(User, AccessToken)
        .join(AccessToken, AccessToken.user_id == User.id)
        .where(AccessToken.token_hash == hash_token(token), AccessToken.expires_at > now)
    )
    row = found.one_or_none()
    return (row[0], row[1]) if row else None


async def revoke_token(db: AsyncSession, token: AccessToken) -> None:
    """This device is out."""
    await db.execute(delete(AccessToken).where(AccessToken.id == token.id))


async def revoke_all(db: AsyncSession, user_id: int) -> None:
    """Every device of the user is out."""
    await db.execute(delete(AccessToken).where(AccessToken.user_id == user_id))
