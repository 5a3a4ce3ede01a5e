"""Links that are emailed to somebody with an account, or about to have one: to sign in, sign up or reset a password.

A link proves that its holder reads the email of an address. It works once, and only by a POST.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.accounts.proof import NOTHING_KEPT, PASSWORD, Proof, decided, end_access
from dynamic_api.accounts.users import (
    LOCKED,
    check_new_account,
    create_user,
    find_user,
    lock_user_if_password_unchanged,
)
from dynamic_api.core.audit import GUEST, Action, by_user, record
from dynamic_api.core.emails import Email
from dynamic_api.core.errors import LinkInvalid, ValidationFailed
from dynamic_api.core.messages import PasswordCleared, queue_message
from dynamic_api.core.models import OneTimeLink, User
from dynamic_api.core.passwords import password_faults
from dynamic_api.core.states import LinkPurpose
from dynamic_api.core.tokens import hash_token, make_token
from dynamic_api.orders.attach import attach_waiting_orders
from dynamic_api.service import Service

LIFETIME = timedelta(minutes=30)


def issue_link(
    db: AsyncSession,
    purpose: LinkPurpose,
    *,
    now: datetime,
    user: User | None = None,
    email: Email | None = None,
    code_hash: str | None = None,
) -> str:
    """The token of a new link: for an account, for an address, or to give one the other."""
    token = make_token()
    db.add(
        OneTimeLink(
            token_hash=hash_token(token),
            purpose=purpose,
            user_id=user.id if user else None,
            email=email,
            code_hash=code_hash,
            created_at=now,
            expires_at=now + LIFETIME,
        )
    )
    return token


async def open_link(db: AsyncSession, purpose: LinkPurpose, token: str, now: datetime) -> OneTimeLink:
    """A link that was not used and has not expired, locked until the transaction ends. Raises LinkInvalid."""
    link = await db.scalar(
        select(OneTimeLink)
        .where(
            OneTimeLink.token_hash == hash_token(token),
            OneTimeLink.purpose == purpose,
            OneTimeLink.used_at.is_(None),
            OneTimeLink.expires_at > now,
        )
        .with_for_update()
    )
    if link is None:
        raise LinkInvalid
    return link


async def close_links(db: AsyncSession, whose: ColumnElement[bool], *, now: datetime) -> None:
    """Links that were emailed and not used stop working."""
    await db.execute(
        update(OneTimeLink)
        .where(whose, OneTimeLink.used_at.is_(None))
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )
    # The digits beside a link that was used are good for a while; those beside one that is closed are not.
    await db.execute(
        update(OneTimeLink)
        .where(whose, OneTimeLink.code_hash.is_not(None))
        .values(code_hash=None)
        .execution_options(synchronize_session=False)
    )


async def sign_up(service: Service, token: str, *, name: str, password: str) -> User:
    """Create the account a sign-up link promises, with every purchase that waits for its address.

    Raises LinkInvalid, and ValidationFailed, after which the link still works.
    """
    async with service.database.reading() as db:
        link = await open_link(db, LinkPurpose.SIGN_UP, token, service.clock())
    check_new_account(name=name, password=password, email=link.email)
    password_hash = await service.passwords.hash(password)
    now = service.clock()
    async with service.database.transaction() as db:
        link = await open_link(db, LinkPurpose.SIGN_UP, token, now)
        link.used_at = now
        if link.email is None or await find_user(db, link.email) is not None:
            raise LinkInvalid  # the account was created another way
        user = await create_user(
            db, email=link.email, name=name, password_hash=password_hash, verified=True, now=now, actor=GUEST
        )
        await attach_waiting_orders(db, user, now=now)
    return user


async def sign_in_by_link(service: Service, token: str, proof: Proof) -> User:
    """Use a sign-in link. Raises LinkInvalid, and AccessToDecide, after which the link still works."""
    now = service.clock()
    async with service.database.transaction() as db:
        return await _use_link(db, LinkPurpose.SIGN_IN, token, proof, now)


async def reset_password(service: Service, token: str, password: str) -> User:
    """Use a reset link: a new password, and everybody who was signed in is signed out.

    Raises LinkInvalid, and ValidationFailed, after which the link still works.
    """
    async with service.database.reading() as db:
        user = await _holder(db, await open_link(db, LinkPurpose.RESET, token, service.clock()))
    _check_password(password, user)
    password_hash = await service.passwords.hash(password)
    now = service.clock()
    async with service.database.transaction() as db:
        user = await _use_link(db, LinkPurpose.RESET, token, NOTHING_KEPT, now)
        await _replace_password(db, user, password_hash, now=now)
    return user


async def change_password(service: Service, user: User, password: str) -> User:
    """A new password for somebody whose old one was just verified. Every session and all phones are signed out.

    Raises ValidationFailed, InvalidCredentials.
    """
    _check_password(password, user)
    password_hash = await service.passwords.hash(password)
    async with service.database.transaction() as db:
        fresh = await lock_user_if_password_unchanged(db, user)  # an emailed link may have been faster
        await _replace_password(db, fresh, password_hash, now=service.clock())
    return fresh


def _check_password(password: str, user: User) -> None:
    if faults := password_faults(password, email=user.email.spelling):
        raise ValidationFailed(details={"password": faults})


async def _replace_password(db: AsyncSession, user: User, password_hash: str, *, now: datetime) -> None:
    user.password_hash, user.updated_at, user.password_set_at = password_hash, now, now
    user.password_device = user.password_browser_hash = None
    await sign_out_everywhere(db, user, now=now)
    record(db, Action.PASSWORD_CHANGED, at=now, actor=by_user(user.id), user_id=user.id)


async def sign_out_everywhere(
    db: AsyncSession, user: User, *, keep: frozenset[str] = frozenset(), now: datetime
) -> None:
    """End every session and every phone's token that is not kept, and every emailed link.

    Links end too, because they may have been requested by the person who is signed out here.
    """
    await close_links(db, OneTimeLink.user_id == user.id, now=now)
    await end_access(db, user, keep=keep)


async def _holder(db: AsyncSession, link: OneTimeLink) -> User:
    user = None
    if link.user_id is not None:
        user = await db.get(User, link.user_id, with_for_update=LOCKED, populate_existing=True)
    if user is None:
        raise LinkInvalid
    return user


async def _use_link(db: AsyncSession, purpose: LinkPurpose, token: str, proof: Proof, now: datetime) -> User:
    link = await open_link(db, purpose, token, now)
    return await use_link(db, link, await _holder(db, link), proof, now)


async def use_link(db: AsyncSession, link: OneTimeLink, user: User, proof: Proof, now: datetime) -> User:
    """Mark a link as used; it arrived at its holder's address, so it proves that address.

    Raises LinkInvalid, and AccessToDecide before anything is written.
    """
    keep = await decided(db, user, proof) if user.email_verified_at is None else frozenset()
    used = await db.execute(
        update(OneTimeLink)
        .where(OneTimeLink.id == link.id, OneTimeLink.used_at.is_(None))
        .values(used_at=now)
        .returning(OneTimeLink.id)
        .execution_options(synchronize_session=False)
    )
    if used.scalar() is None:
        raise LinkInvalid  # another browser was a moment faster
    if user.email_verified_at is None:
        if user.password_hash is not None and link.purpose is not LinkPurpose.RESET and PASSWORD not in keep:
            await queue_message(db, PasswordCleared.to(user, link.id), now=now)
        await verify_email(db, user, password_hash=user.password_hash if PASSWORD in keep else None, keep=keep, now=now)
        await attach_waiting_orders(db, user, now=now)
    return user


async def verify_email(
    db: AsyncSession, user: User, *, password_hash: str | None, keep: frozenset[str] = frozenset(), now: datetime
) -> None:
    """Mark the address as verified, and sign everybody out who is not kept.

    Somebody else may have created the account before its address was verified. Their links end in any case.
    """
    user.email_verified_at = user.updated_at = now
    if PASSWORD not in keep:
        user.password_set_at = now if password_hash is not None else None
        user.password_device = user.password_browser_hash = None
    user.password_hash = password_hash
    await sign_out_everywhere(db, user, keep=keep, now=now)
    record(db, Action.ACCOUNT_VERIFIED, at=now, actor=by_user(user.id), user_id=user.id)
