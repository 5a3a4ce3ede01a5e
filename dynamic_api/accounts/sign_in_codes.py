"""Six digits beside the link of a sign-in mail, for people who read their mail on another device.

Six digits can be guessed, so wrong tries are counted in the database: five for one mail, twenty a day for one
account. After that only the link works. NIST SP 800-63B, 3.1.3 and 3.2.2.
"""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.accounts.mailed_links import Purpose, issue_link, use_up
from dynamic_api.accounts.users import find_user
from dynamic_api.config import Secret
from dynamic_api.database import Database
from dynamic_api.errors import CodeInvalid
from dynamic_api.models import OneTimeLink, User

TRIES = 5
TRIES_A_DAY = 20


async def issue_sign_in_link(db: AsyncSession, secret: Secret, user: User, *, now: datetime) -> tuple[str, str]:
    """The token of a new link and the code beside it; either can be used, once."""
    code = f"{secrets.randbelow(1_000_000):06}"
    token = issue_link(db, Purpose.SIGN_IN, now=now, user=user, code_hash=_hash(secret, user.id, code))
    return token, code


def _hash(secret: Secret, user_id: int, code: str) -> str:
    """Keyed: a million plain hashes are made in a second."""
    return hmac.new(secret.reveal().encode(), f"sign-in:{user_id}:{code}".encode(), hashlib.sha256).hexdigest()


async def sign_in_by_code(database: Database, secret: Secret, email: str, code: str, *, now: datetime) -> User:
    """Use a code up. Raises CodeInvalid, alike for wrong codes, old ones and unknown addresses."""
    async with database.transaction() as db:  # a wrong try is committed, so nothing is raised in here
        user = await find_user(db, email)
        link = await _matching(db, secret, user, code, now) if user is not None else None
        if user is not None and link is not None:
            return await use_up(db, link, user, now)
    raise CodeInvalid


async def _matching(db: AsyncSession, secret: Secret, user: User, code: str, now: datetime) -> OneTimeLink | None:
    today = select(func.coalesce(func.sum(OneTimeLink.code_tries), 0)).where(
        OneTimeLink.user_id == user.id, OneTimeLink.created_at > now - timedelta(days=1)
    )
    if (await db.scalar(today) or 0) >= TRIES_A_DAY:
        return None
    open_links = await db.scalars(
        select(OneTimeLink)
        .where(
            OneTimeLink.user_id == user.id,
            OneTimeLink.purpose == Purpose.SIGN_IN.value,
            OneTimeLink.used_at.is_(None),
            OneTimeLink.expires_at > now,
            OneTimeLink.code_tries < TRIES,
        )
        .with_for_update()
    )
    wanted = _hash(secret, user.id, code)
    for link in open_links:
        if link.code_hash is not None and hmac.compare_digest(link.code_hash, wanted):
            return link
        link.code_tries += 1
    return None
