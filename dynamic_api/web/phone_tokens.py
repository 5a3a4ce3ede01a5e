"""Bearer tokens of phones: opaque, hashed, with a device name, an expiry, and abilities that routes check."""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.core.audit import Action, by_user, record
from dynamic_api.core.models import AccessToken, User
from dynamic_api.core.tokens import hash_token, make_token

PREFIX = "cwm_"
LIFETIME = timedelta(days=365)


class Ability(StrEnum):
    """What a token may be used for."""

    READ = "mobile:read"
    PROGRESS = "mobile:progress:write"
    AUTH = "mobile:auth"


ALL = " ".join(Ability)


async def issue_phone_token(db: AsyncSession, user: User, *, device_name: str, now: datetime) -> str:
    """A token with every ability. It is shown this once."""
    token = make_token(PREFIX)
    db.add(
        AccessToken(
            token_hash=hash_token(token),
            user_id=user.id,
            device_name=device_name,
            abilities=ALL,
            created_at=now,
            last_used_at=now,
            expires_at=now + LIFETIME,
        )
    )
    record(db, Action.TOKEN_ISSUED, at=now, actor=by_user(user.id), user_id=user.id, device=device_name)
    return token


async def revoke_phone_token(db: AsyncSession, token_id: int) -> None:
    """Sign one phone out."""
    await db.execute(delete(AccessToken).where(AccessToken.id == token_id))


async def revoke_phone_tokens(db: AsyncSession, user_id: int) -> None:
    """Sign every phone of a user out."""
    await db.execute(delete(AccessToken).where(AccessToken.user_id == user_id))
