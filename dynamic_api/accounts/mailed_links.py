"""Links that are mailed to somebody who has an account: to sign in, or to choose another password.

Asking for one is answered alike for everybody. A link proves the address, and is used up by a POST.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.accounts.addresses import email_key
from dynamic_api.accounts.passwords import Passwords, password_faults
from dynamic_api.accounts.users import check_new_account, create_user, find_user
from dynamic_api.audit import Action, record
from dynamic_api.checkout.gifts import is_delivered
from dynamic_api.checkout.opens import opens
from dynamic_api.checkout.reconcile import settle_access
from dynamic_api.database import Database
from dynamic_api.errors import LinkInvalid, ValidationFailed
from dynamic_api.jobs.outbox import enqueue_mail
from dynamic_api.models import AccessToken, OneTimeLink, Order, User, WebSession
from dynamic_api.tokens import hash_token, make_token


class Purpose(StrEnum):
    """What a link does."""

    SIGN_IN = "sign_in"
    RESET = "reset"
    SIGN_UP = "sign_up"
    NEW_EMAIL = "new_email"


LIFE = timedelta(minutes=30)


async def ask_for_link(db: AsyncSession, purpose: Purpose, email: str, *, now: datetime) -> None:
    """Have a link mailed. Whether there is an account is looked up when the mail is written: the same work for every
    address here, so that not even the time it takes tells who is a customer.
    """
    identity = f"{purpose}.{hash_token(email_key(email))[:16]}.{now:%Y%m%d%H%M}"
    await enqueue_mail(db, purpose.value, identity, now=now, email=email.strip())


async def sign_up(
    database: Database, passwords: Passwords, token: str, *, name: str, password: str, now: datetime
) -> User:
    """Make the account a sign-up link promises; whatever waits for its address comes with it.

    Raises LinkInvalid, and ValidationFailed, after which the link still works.
    """
    async with database.reading() as db:
        link = await open_link(db, Purpose.SIGN_UP, token, now)
    check_new_account(name=name, password=password, email=link.email or "")
    password_hash = await passwords.hash(password)
    async with database.transaction() as db:
        link = await open_link(db, Purpose.SIGN_UP, token, now)
        link.used_at = now
        if link.email is None or await find_user(db, link.email) is not None:
            raise LinkInvalid  # the account came into being another way
        user = await create_user(
            db, email=link.email, name=name, password_hash=password_hash, verified=True, now=now, actor="guest"
        )
        await bring_what_waits(db, user, now)
    return user


async def open_link(db: AsyncSession, purpose: Purpose, token: str, now: datetime) -> OneTimeLink:
    """A link that was not used and has not run out, held until the transaction ends. Raises LinkInvalid."""
    link = await db.scalar(
        select(OneTimeLink)
        .where(
            OneTimeLink.token_hash == hash_token(token),
            OneTimeLink.purpose == purpose.value,
            OneTimeLink.used_at.is_(None),
            OneTimeLink.expires_at > now,
        )
        .with_for_update()
    )
    if link is None:
        raise LinkInvalid
    return link


def issue_link(
    db: AsyncSession,
    purpose: Purpose,
    *,
    now: datetime,
    user: User | None = None,
    email: str | None = None,
    code_hash: str | None = None,
) -> str:
    """The token of a new link, good for LIFE, once: for an account, for an address, or to give one the other."""
    token = make_token()
    db.add(
        OneTimeLink(
            token_hash=hash_token(token),
            purpose=purpose.value,
            user_id=user.id if user else None,
            email=email,
            code_hash=code_hash,
            created_at=now,
            expires_at=now + LIFE,
        )
    )
    return token


async def close_links(db: AsyncSession, whose: ColumnElement[bool], *, now: datetime) -> None:
    """Whatever was mailed and not used opens nothing any more."""
    await db.execute(
        update(OneTimeLink)
        .where(whose, OneTimeLink.used_at.is_(None))
        .values(used_at=now)
        .execution_options(synchronize_session=False)
    )


async def sign_in_by_link(database: Database, token: str, *, now: datetime) -> User:
    """Use a sign-in link up. Raises LinkInvalid."""
    async with database.transaction() as db:
        return await _spend(db, Purpose.SIGN_IN, token, now)


async def reset_password(database: Database, passwords: Passwords, token: str, password: str, *, now: datetime) -> User:
    """Use a reset link up: another password, and everybody who was signed in is out.

    Raises LinkInvalid, and ValidationFailed, after which the link still works.
    """
    async with database.reading() as db:
        user = await _holder(db, await open_link(db, Purpose.RESET, token, now))
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
    await close_links(db, OneTimeLink.user_id == user.id, now=now)  # whoever asked for them may be whom this shuts out
    others = WebSession.token_hash != hash_token(keep_session)
    await db.execute(delete(WebSession).where(WebSession.user_id == user.id, others))
    await db.execute(delete(AccessToken).where(AccessToken.user_id == user.id))
    record(db, Action.PASSWORD_CHANGED, at=now, actor=f"user:{user.id}", user_id=user.id)


async def _holder(db: AsyncSession, link: OneTimeLink) -> User:
    user = await db.get(User, link.user_id) if link.user_id is not None else None
    if user is None:
        raise LinkInvalid
    return user


async def _spend(db: AsyncSession, purpose: Purpose, token: str, now: datetime) -> User:
    link = await open_link(db, purpose, token, now)
    return await use_up(db, link, await _holder(db, link), now)


async def use_up(db: AsyncSession, link: OneTimeLink, user: User, now: datetime) -> User:
    """A link that arrived at its holder's address works once, and proves the address. Raises LinkInvalid."""
    spent = await db.execute(
        update(OneTimeLink)
        .where(OneTimeLink.id == link.id, OneTimeLink.used_at.is_(None))
        .values(used_at=now)
        .returning(OneTimeLink.id)
        .execution_options(synchronize_session=False)
    )
    if spent.scalar() is None:
        raise LinkInvalid  # another browser was a moment faster
    if user.email_verified_at is None:
        if user.password_hash is not None and link.purpose != Purpose.RESET:
            await enqueue_mail(db, "password_cleared", f"password_cleared.{link.id}", now=now, user_id=user.id)
        await prove_address(db, user, password_hash=None, now=now)
        await bring_what_waits(db, user, now)
    return user


async def prove_address(db: AsyncSession, user: User, *, password_hash: str | None, now: datetime) -> None:
    """Mail arrived, so the address is theirs. Whoever made the account before may have been somebody else: their
    password, their links, and every place where they are signed in end here.
    """
    user.email_verified_at = user.updated_at = now
    user.password_hash = password_hash
    await close_links(db, OneTimeLink.user_id == user.id, now=now)
    await db.execute(delete(WebSession).where(WebSession.user_id == user.id))
    await db.execute(delete(AccessToken).where(AccessToken.user_id == user.id))
    record(db, Action.ACCOUNT_VERIFIED, at=now, actor=f"user:{user.id}", user_id=user.id)


async def bring_what_waits(db: AsyncSession, user: User, now: datetime) -> None:
    """Whatever was bought with this address or given to it, if it is proven; gifts from their day on."""
    if user.email_verified_at is None:
        return
    theirs = or_(
        Order.user_id.is_(None) & (Order.owner_email_key == user.email_key),
        Order.buyer_id.is_(None) & (Order.email_key == user.email_key),
    )
    for order in await db.scalars(select(Order).where(theirs).with_for_update()):
        order.revision += 1
        to_them = order.is_gift and order.user_id is None and order.owner_email_key == user.email_key
        if to_them and await is_delivered(db, order) and await opens(db, order):
            order.user_id = user.id
        await settle_access(db, order, now=now, actor=f"user:{user.id}")
