"""Six digits beside the link of a sign-in email, for people who read their email on another device.

Six digits can be guessed, so wrong attempts are counted in the database: five for one email, twenty a day for one
account. After that only the link works. NIST SP 800-63B, 3.1.3 and 3.2.2.
"""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from pydantic import SecretStr
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.accounts.links import issue_link, use_link
from dynamic_api.accounts.proof import Proof
from dynamic_api.accounts.users import find_user
from dynamic_api.core.emails import Email
from dynamic_api.core.errors import CodeInvalid
from dynamic_api.core.models import OneTimeLink, User
from dynamic_api.core.states import LinkPurpose
from dynamic_api.service import Service

ATTEMPTS = 5
ATTEMPTS_A_DAY = 20


async def issue_sign_in_link(db: AsyncSession, secret: SecretStr, user: User, *, now: datetime) -> tuple[str, str]:
    """The token of a new link and the code beside it; each can be used once."""
    code = f"{secrets.randbelow(1_000_000):06}"
    token = issue_link(db, LinkPurpose.SIGN_IN, now=now, user=user, code_hash=_hash(secret, user.id, code))
    return token, code


def _hash(secret: SecretStr, user_id: int, code: str) -> str:
    """Keyed, because a million plain hashes take a second."""
    key = secret.get_secret_value().encode()
    return hmac.new(key, f"sign-in:{user_id}:{code}".encode(), hashlib.sha256).hexdigest()


async def sign_in_by_code(service: Service, email: Email, code: str, proof: Proof) -> User:
    """Use a code. Raises CodeInvalid, alike for wrong codes, expired ones and unknown addresses.

    Raises AccessToDecide, after which the code still works.
    """
    now, secret = service.clock(), service.settings.secret_key
    async with service.database.transaction() as db:  # a wrong attempt is committed, so nothing is raised in here
        user = await find_user(db, email, lock=True)
        link = await _matching(db, secret, user, code, now) if user is not None else None
        if user is not None and link is not None:
            # A mail scanner that clicks on everything may have used the link; the digits were never in its reach.
            user = user if link.used_at is not None else await use_link(db, link, user, proof, now)
            link.code_hash = None
            return user
    raise CodeInvalid


async def _matching(db: AsyncSession, secret: SecretStr, user: User, code: str, now: datetime) -> OneTimeLink | None:
    today = select(func.coalesce(func.sum(OneTimeLink.code_attempts), 0)).where(
        OneTimeLink.user_id == user.id, OneTimeLink.created_at > now - timedelta(days=1)
    )
    if (await db.scalar(today) or 0) >= ATTEMPTS_A_DAY:
        return None
    open_links = await db.scalars(
        select(OneTimeLink)
        .where(
            OneTimeLink.user_id == user.id,
            OneTimeLink.purpose == LinkPurpose.SIGN_IN,
            OneTimeLink.code_hash.is_not(None),
            OneTimeLink.expires_at > now,
            OneTimeLink.code_attempts < ATTEMPTS,
        )
        .with_for_update()
    )
    wanted = _hash(secret, user.id, code)
    for link in open_links:
        if hmac.compare_digest(link.code_hash or "", wanted):
            return link
        link.code_attempts += 1
    return None
