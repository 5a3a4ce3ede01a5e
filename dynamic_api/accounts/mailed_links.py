"""Links that are mailed to somebody who has an account: to sign in, or to choose another password.

Asking for one is answered alike for everybody. A link proves the address, and is used up by a POST.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.accounts.passwords import Passwords, password_faults
from dynamic_api.accounts.users import find_user
from dynamic_api.audit import Action, record
from dynamic_api.checkout.reconcile import settle_access
from dynamic_api.database import Database
from dynamic_api.errors import LinkInvalid, ValidationFailed
from dynamic_api.jobs.outbox import enqueue
from dynamic_api.models import AccessToken, OneTimeLink, Order, User, WebSession
from dynamic_api.tokens import hash_token, make_token


class Purpose(StrEnum):
    """What a link does."""

    SIGN_IN = "sign_in"
    RESET = "reset"


LIFE = timedelta(minutes=30)


async def ask_for_link(db: AsyncSession, purpose: Purpose, email: str, *, now: datetime) -> None:
    """Mail a link, if there is an account; says nothing about whether there is."""
    user = await find_user(db, email)
    if user is not None:
        identity = f"{purpose}.{user.id}.{now:%Y%m%d%H%M}"
        payload = {"message": purpose.value, "user_id": user.id, "id": identity}
        await enqueue(db, "mail.send", f"mail:{identity}", payload, now=now)


async def issue_link(db: AsyncSession, purpose: Purpose, user: User, *, now: datetime) -> str:
    """The token of a new link, good for LIFE, once."""
    token = make_token()
    db.add(
        OneTimeLink(
            token_hash=hash_token(token), purpose=purpose.value, user_id=user.id, created_at=now, expires_at=now + LIFE
        )
    )
    return token


async def sign_in_by_link(database: Database, token: str, *, now: datetime) -> User:
    """Use a sign-in link up. Raises LinkInvalid."""
    async with database.transaction() as db:
        return await _spend(db, Purpose.SIGN_IN, token, now)


async def reset_password(database: Database, passwords: Passwords, token: str, password: str, *, now: datetime) -> User:
    """Use a reset link up: another password, and everybody who was signed in is out.

    Raises LinkInvalid, and ValidationFailed, after which the link still works.
    """
    async with database.reading() as db:
        user = await _holder(db, Purpose.RESET, token, now)
    _check(password, user.email)
    password_hash = await passwords.hash(password)
    async with database.transaction() as db:
        user = await _spend(db, Purpose.RESET, token, now)
        await _replace_password(db, user, password_hash, now=now)
    return user


async def change_password(
    database: Database, passwords: Passwords, user: User, *, password: str, keep_session: str, now: datetime
) -> User:
    """Another password, by somebody whose old one was just checked. Other sessions and all phones are out."""
    _check(password, user.email)
    password_hash = await passwords.hash(password)
    async with database.transaction() as db:
        fresh = await db.get_one(User, user.id)
        await _replace_password(db, fresh, password_hash, now=now, keep_session=keep_session)
    return fresh


def _check(password: str, email: str) -> None:
    if faults := password_faults(password, email=email):
        raise ValidationFailed(details={"password": faults})


async def _replace_password(
    db: AsyncSession, user: User, password_hash: str, *, now: datetime, keep_session: str = ""
) -> None:
    user.password_hash, user.updated_at = password_hash, now
    others = WebSession.token_hash != hash_token(keep_session)
    await db.execute(delete(WebSession).where(WebSession.user_id == user.id, others))
    await db.execute(delete(AccessToken).where(AccessToken.user_id == user.id))
    record(db, Action.PASSWORD_CHANGED, at=now, actor=f"user:{user.id}", user_id=user.id)


async def _holder(db: AsyncSession, purpose: Purpose, token: str, now: datetime) -> User:
    user = await db.scalar(
        select(User)
        .join(OneTimeLink, OneTimeLink.user_id == User.id)
        .where(
            OneTimeLink.token_hash == hash_token(token),
            OneTimeLink.purpose == purpose.value,
            OneTimeLink.used_at.is_(None),
            OneTimeLink.expires_at > now,
        )
    )
    if user is None:
        raise LinkInvalid
    return user


async def _spend(db: AsyncSession, purpose: Purpose, token: str, now: datetime) -> User:
    user = await _holder(db, purpose, token, now)
    spent = await db.execute(
        update(OneTimeLink)
        .where(OneTimeLink.token_hash == hash_token(token), OneTimeLink.used_at.is_(None))
        .values(used_at=now)
        .returning(OneTimeLink.id)
        .execution_options(synchronize_session=False)
    )
    if spent.scalar() is None:
        raise LinkInvalid  # another browser was a moment faster
    if user.email_verified_at is None:
        await _prove_address(db, user, now)
    return user


async def _prove_address(db: AsyncSession, user: User, now: datetime) -> None:
    """The link arrived, so the address is theirs, and with it whatever waits for it."""
    user.email_verified_at = user.updated_at = now
    # Whoever signed in before the proof may have been somebody else.
    await db.execute(delete(WebSession).where(WebSession.user_id == user.id))
    await db.execute(delete(AccessToken).where(AccessToken.user_id == user.id))
    record(db, Action.ACCOUNT_VERIFIED, at=now, actor=f"user:{user.id}", user_id=user.id)
    waiting = select(Order).where(Order.email_key == user.email_key, Order.user_id.is_(None)).with_for_update()
    for order in await db.scalars(waiting):
        order.revision += 1
        await settle_access(db, order, now=now, actor=f"user:{user.id}")
