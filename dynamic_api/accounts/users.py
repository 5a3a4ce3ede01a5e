"""Accounts: created, and opened with a password."""

import contextlib
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.core.audit import Action, record
from dynamic_api.core.emails import Email
from dynamic_api.core.errors import Busy, InvalidCredentials, RateLimited, SignInsLimited, ValidationFailed
from dynamic_api.core.messages import Welcome, queue_message
from dynamic_api.core.models import User
from dynamic_api.core.passwords import password_faults
from dynamic_api.core.throttle import SIGN_IN_FAILURES, SIGN_IN_FAILURES_DAILY, SIGN_INS_BY_IP, Limits
from dynamic_api.service import Service

# Rows that name the account may be written meanwhile: only the account itself is locked.
LOCKED = {"key_share": True}


async def find_user(db: AsyncSession, email: Email, *, lock: bool = False) -> User | None:
    """The account of an address; locked until the transaction ends, where asked."""
    found = select(User).where(User.email_key == email.key)
    if lock:
        found = found.with_for_update(key_share=True).execution_options(populate_existing=True)
    return await db.scalar(found)


async def check_password(service: Service, email: Email, password: str, *, client_ip: str) -> User:
    """The account that this address and password open. Raises InvalidCredentials, RateLimited.

    The same message and the same work for known and unknown addresses (OWASP, Authentication cheat sheet).
    """
    throttle, passwords = service.throttle, service.passwords
    # Counted before the password is checked, so that attempts arriving meanwhile are counted too.
    try:
        await throttle.hit(SIGN_INS_BY_IP, client_ip)
        await throttle.hit(SIGN_IN_FAILURES, email.key, client_ip)
        if not await throttle.knows(email.key, client_ip):
            await throttle.hit(SIGN_IN_FAILURES_DAILY, email.key)
    except RateLimited as refused:
        raise SignInsLimited(refused.retry_after) from None
    async with service.database.reading() as db:
        user = await find_user(db, email)
    try:
        is_right = await passwords.matches(user.password_hash if user else None, password)
    except Busy:  # not looked at, so not a failure
        await throttle.undo(SIGN_INS_BY_IP, client_ip)
        await throttle.undo(SIGN_IN_FAILURES, email.key, client_ip)
        if not await throttle.knows(email.key, client_ip):
            await throttle.undo(SIGN_IN_FAILURES_DAILY, email.key)
        raise
    if user is None or not is_right:
        raise InvalidCredentials
    await throttle.undo(SIGN_INS_BY_IP, client_ip)
    await forgive_failures(throttle, email, client_ip)
    if user.password_hash is not None and passwords.is_outdated(user.password_hash):
        with contextlib.suppress(Busy):  # another time will do
            user = await _rehash(service, user, await passwords.hash(password))
    return user


async def forgive_failures(throttle: Limits, email: Email, client_ip: str) -> None:
    """Somebody proved here who they are: by a password, or by an email."""
    await throttle.forget(SIGN_IN_FAILURES, email.key, client_ip)
    await throttle.forget(SIGN_IN_FAILURES_DAILY, email.key)
    await throttle.remember(email.key, client_ip)


async def _rehash(service: Service, user: User, password_hash: str) -> User:
    """The same password with today's parameters; this is the only moment at which it is known."""
    async with service.database.transaction() as db:
        fresh = await db.get_one(User, user.id, with_for_update=True)
        if fresh.password_hash == user.password_hash:
            fresh.password_hash = password_hash
    return fresh


async def lock_user_if_password_unchanged(db: AsyncSession, user: User) -> User:
    """Lock the user's row until the transaction ends. Raises InvalidCredentials if the password changed since it was
    verified."""
    current = await db.get(User, user.id, populate_existing=True, with_for_update=LOCKED)
    if current is None or current.password_hash != user.password_hash:
        raise InvalidCredentials
    return current


def check_new_account(*, name: str, password: str, email: Email | None) -> None:
    """Raises ValidationFailed with a sentence for each field that cannot be used."""
    details = {}
    if not name.strip():
        details["name"] = ["Please enter your name."]
    if faults := password_faults(password, email=email.spelling if email else ""):
        details["password"] = faults
    if details:
        raise ValidationFailed(details=details)


async def create_user(
    db: AsyncSession,
    *,
    email: Email,
    name: str,
    password_hash: str,
    verified: bool,
    now: datetime,
    actor: str,
    device: str | None = None,
    browser_hash: str | None = None,
) -> User:
    """A new account, and a welcome email. `verified` when a link sent to its address was used.

    `device` and `browser_hash` say where the password was set.
    """
    user = User(
        email=email,
        name=name.strip(),
        password_hash=password_hash,
        password_set_at=now,
        password_device=device,
        password_browser_hash=browser_hash,
        email_verified_at=now if verified else None,
        created_at=now,
        updated_at=now,
    )
    db.add(user)
    await db.flush()
    record(db, Action.ACCOUNT_CREATED, at=now, actor=actor, user_id=user.id, verified=verified)
    await queue_message(db, Welcome.to(user), now=now)
    return user
