"""Accounts: made, and signed in to."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.accounts.addresses import email_key
from dynamic_api.accounts.passwords import Passwords, password_faults
from dynamic_api.accounts.throttle import SIGN_IN_FAILURES, SIGN_IN_FAILURES_DAILY, SIGN_INS_BY_ADDRESS, Throttle
from dynamic_api.audit import Action, record
from dynamic_api.database import Database
from dynamic_api.errors import InvalidCredentials, ValidationFailed
from dynamic_api.jobs.outbox import enqueue_mail
from dynamic_api.models import User


async def find_user(db: AsyncSession, email: str) -> User | None:
    """The account of an address, compared normalised."""
    return await db.scalar(select(User).where(User.email_key == email_key(email)))


async def check_password(
    database: Database, passwords: Passwords, throttle: Throttle, *, email: str, password: str, address: str
) -> User:
    """The account that this address and password open. Raises InvalidCredentials, RateLimited.

    Equal wording and equal work for known and unknown addresses (OWASP, Authentication cheat sheet).
    """
    who = (email_key(email), address)
    # Counted before the password is looked at: whatever arrives meanwhile is counted too.
    throttle.hit(SIGN_INS_BY_ADDRESS, address)
    throttle.hit(SIGN_IN_FAILURES, *who)
    throttle.hit(SIGN_IN_FAILURES_DAILY, email_key(email))
    async with database.reading() as db:
        user = await find_user(db, email)
    if not await passwords.matches(user.password_hash if user else None, password) or user is None:
        raise InvalidCredentials
    throttle.forget(SIGN_IN_FAILURES, *who)
    throttle.forget(SIGN_IN_FAILURES_DAILY, email_key(email))
    if user.password_hash is not None and passwords.is_dated(user.password_hash):
        user = await _hash_anew(database, user, await passwords.hash(password))
    return user


async def _hash_anew(database: Database, user: User, password_hash: str) -> User:
    """The same password under today's parameters; this is the only moment it is known."""
    async with database.transaction() as db:
        fresh = await db.get_one(User, user.id, with_for_update=True)
        if fresh.password_hash == user.password_hash:
            fresh.password_hash = password_hash
    return fresh


async def still_their_password(db: AsyncSession, user: User) -> User:
    """Between the check of a password and what it opens, it may have been replaced; held until the transaction ends.

    Raises InvalidCredentials.
    """
    current = await db.get(User, user.id, populate_existing=True, with_for_update=True)
    if current is None or current.password_hash != user.password_hash:
        raise InvalidCredentials
    return current


def check_new_account(*, name: str, password: str, email: str) -> None:
    """Raises ValidationFailed with a sentence for each field that will not do."""
    details = {}
    if not name.strip():
        details["name"] = ["Please tell us your name."]
    if faults := password_faults(password, email=email):
        details["password"] = faults
    if details:
        raise ValidationFailed(details=details)


async def create_user(
    db: AsyncSession, *, email: str, name: str, password_hash: str, verified: bool, now: datetime, actor: str
) -> User:
    """A new account, and a welcome to it; `verified` when its address was proven by a mailed link."""
    user = User(
        email=email.strip(),
        email_key=email_key(email),
        name=name.strip(),
        password_hash=password_hash,
        email_verified_at=now if verified else None,
        created_at=now,
        updated_at=now,
    )
    db.add(user)
    await db.flush()
    record(db, Action.ACCOUNT_CREATED, at=now, actor=actor, user_id=user.id, verified=verified)
    await enqueue_mail(db, "welcome", f"welcome.{user.id}", now=now, user_id=user.id)
    return user
