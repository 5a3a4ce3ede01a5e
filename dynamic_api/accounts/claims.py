"""A guest's purchase finds its owner: by the mailed link, or in the browser that bought."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.accounts.addresses import email_key
from dynamic_api.accounts.mailed_links import bring_what_waits, close_links, prove_address
from dynamic_api.accounts.passwords import Passwords
from dynamic_api.accounts.throttle import Throttle
from dynamic_api.accounts.users import (
    check_new_account,
    check_password,
    create_user,
    find_user,
)
from dynamic_api.audit import Action, record
from dynamic_api.checkout.gifts import is_delivered
from dynamic_api.checkout.opens import opens
from dynamic_api.checkout.reconcile import locked_order, settle_access
from dynamic_api.database import Database
from dynamic_api.errors import ClaimLinkInvalid, InvalidCredentials, OrderNotClaimable
from dynamic_api.jobs.outbox import enqueue, enqueue_mail
from dynamic_api.models import OneTimeLink, Order, User
from dynamic_api.service import Service
from dynamic_api.tokens import hash_token, is_public_id, make_token

LIFE = timedelta(days=7)


@dataclass(frozen=True)
class Claimant:
    """What somebody gives to make a purchase theirs: their session, or a name and a password."""

    user: User | None
    name: str
    password: str
    address: str  # of the network, for the throttle


@dataclass(frozen=True)
class Waiting:
    """A purchase that waits for its owner."""

    order: Order
    has_account: bool


async def is_claimable(db: AsyncSession, order: Order) -> bool:
    """Whether an order may find an owner now."""
    return order.user_id is None and await opens(db, order)


async def is_claimable_by_buyer(db: AsyncSession, order: Order) -> bool:
    """Whether the buyer may be that owner: a gift opens by the recipient's mail alone."""
    return not order.is_gift and await is_claimable(db, order)


async def issue_claim_link(db: AsyncSession, order: Order, *, now: datetime) -> str:
    """A new link's token, valid for LIFE. Of all links of an order one can be used, once.

    Earlier links stay good until then: a mail that was sent twice must not contain a dead one.
    """
    token = make_token()
    db.add(
        OneTimeLink(
            token_hash=hash_token(token), purpose="claim", order_id=order.id, created_at=now, expires_at=now + LIFE
        )
    )
    record(db, Action.CLAIM_LINK_ISSUED, at=now, actor="system", order_id=order.id, course_id=order.course_id)
    return token


async def look_at_link(db: AsyncSession, token: str, *, now: datetime) -> Waiting:
    """What a link would give, without using it up. Raises ClaimLinkInvalid."""
    order = await _order_of_link(db, token, now)
    return Waiting(order, has_account=await has_account(db, order))


async def has_account(db: AsyncSession, order: Order) -> bool:
    """Whether the address this is for has an account whose owner has proven it."""
    user = await find_user(db, order.owner_email or "")
    return user is not None and user.email_verified_at is not None


async def claim_by_link(
    database: Database, passwords: Passwords, throttle: Throttle, token: str, claimant: Claimant, *, now: datetime
) -> tuple[Order, User]:
    """Use the link up. It came by mail, so it proves the address.

    Raises ClaimLinkInvalid, ValidationFailed, InvalidCredentials; the link then still works.
    """
    async with database.reading() as db:
        waiting = await look_at_link(db, token, now=now)
    password_hash = await _password_hash(database, passwords, throttle, waiting.order, claimant, proven=True)
    async with database.transaction() as db:
        order = await locked_order(db, (await _order_of_link(db, token, now)).id)
        if not await is_claimable(db, order):
            raise ClaimLinkInvalid
        user = await _owner(db, order, claimant, password_hash, proven=True, now=now)
        await _attach(db, order, user, now=now, by="link")
        if user.email_verified_at is not None and user.email_key == order.owner_email_key:
            await db.flush()
            await bring_what_waits(db, user, now)
    return order, user


async def claim_by_browser(
    database: Database,
    passwords: Passwords,
    throttle: Throttle,
    public_id: str,
    browser: str,
    claimant: Claimant,
    *,
    now: datetime,
) -> tuple[Order, User]:
    """In the browser that bought. The address is not proven by this, so the account begins unverified.

    Raises OrderNotClaimable, ValidationFailed, InvalidCredentials.
    """
    async with database.reading() as db:
        order = await order_of_browser(db, public_id, browser)
        if order is None or not await is_claimable_by_buyer(db, order):
            raise OrderNotClaimable
    password_hash = await _password_hash(database, passwords, throttle, order, claimant, proven=False)
    async with database.transaction() as db:
        order = await locked_order(db, order.id)
        if not await is_claimable(db, order):
            raise OrderNotClaimable
        user = await _owner(db, order, claimant, password_hash, proven=False, now=now)
        await _attach(db, order, user, now=now, by="browser")
    return order, user


async def order_of_browser(db: AsyncSession, public_id: str, browser: str) -> Order | None:
    """The order, if this browser began it."""
    if not is_public_id(public_id):
        return None
    return await db.scalar(select(Order).where(Order.public_id == public_id, Order.browser_hash == hash_token(browser)))


async def ask_for_links_again(db: AsyncSession, email: str, *, now: datetime) -> None:
    """Have new links mailed; what waits is looked up by the worker, so that the answer takes the same time for all."""
    identity = f"{hash_token(email_key(email))[:16]}.{now:%Y%m%d%H%M}"
    await enqueue(db, "claims.reissue", f"reissue:{identity}", {"email": email.strip()}, now=now)


async def reissue_job(service: Service, payload: dict[str, Any]) -> None:
    """The job `claims.reissue`."""
    async with service.database.transaction() as db:
        await send_links_again(db, str(payload["email"]), now=service.clock())


async def send_links_again(db: AsyncSession, email: str, *, now: datetime) -> None:
    """Mail a new link for everything that waits for this address."""
    waiting = select(Order).where(Order.owner_email_key == email_key(email), Order.user_id.is_(None))
    for order in await db.scalars(waiting):
        # A gift whose day has not come stays a surprise.
        if await is_claimable(db, order) and (not order.is_gift or await is_delivered(db, order)):
            await enqueue_mail(db, "claim", f"claim.{order.public_id}.{now:%Y%m%d%H%M}", now=now, order_id=order.id)


async def _order_of_link(db: AsyncSession, token: str, now: datetime) -> Order:
    link = await db.scalar(
        select(OneTimeLink).where(
            OneTimeLink.token_hash == hash_token(token),
            OneTimeLink.purpose == "claim",
            OneTimeLink.used_at.is_(None),
            OneTimeLink.expires_at > now,
        )
    )
    order = await db.get(Order, link.order_id) if link else None
    if order is None or not await is_claimable(db, order):
        raise ClaimLinkInvalid
    return order


async def _password_hash(
    database: Database, passwords: Passwords, throttle: Throttle, order: Order, claimant: Claimant, *, proven: bool
) -> str | None:
    """Check or make the password outside the transaction: it takes a while. None for somebody who has an account."""
    if claimant.user is not None:
        return None
    async with database.reading() as db:
        existing = await find_user(db, order.owner_email or "")
    if existing is not None and (existing.email_verified_at is not None or not proven):
        try:
            await check_password(
                database,
                passwords,
                throttle,
                email=existing.email,
                password=claimant.password,
                address=claimant.address,
            )
        except InvalidCredentials:
            message = "There is an account with this address, and its password is another."
            raise InvalidCredentials(message) from None
        return None
    check_new_account(name=claimant.name, password=claimant.password, email=order.owner_email or "")
    return await passwords.hash(claimant.password)


async def _owner(
    db: AsyncSession, order: Order, claimant: Claimant, password_hash: str | None, *, proven: bool, now: datetime
) -> User:
    if claimant.user is not None:
        return await db.get_one(User, claimant.user.id)
    existing = await find_user(db, order.owner_email or "")
    if existing is not None:
        if password_hash is not None:
            if not proven or existing.email_verified_at is not None:
                raise OrderNotClaimable  # the account came into being while the password was being hashed
            existing.name = claimant.name.strip()
            await prove_address(db, existing, password_hash=password_hash, now=now)
        return existing
    if password_hash is None or order.owner_email is None:
        raise OrderNotClaimable
    return await create_user(
        db,
        email=order.owner_email,
        name=claimant.name,
        password_hash=password_hash,
        verified=proven,
        now=now,
        actor="guest",
    )


async def _attach(db: AsyncSession, order: Order, user: User, *, now: datetime, by: str) -> None:
    order.user_id = user.id
    if not order.is_gift and order.buyer_id is None:
        order.buyer_id = user.id
    order.revision += 1
    await close_links(db, OneTimeLink.order_id == order.id, now=now)
    record(
        db,
        Action.ORDER_CLAIMED,
        at=now,
        actor=f"user:{user.id}",
        user_id=user.id,
        order_id=order.id,
        course_id=order.course_id,
        by=by,
    )
    await settle_access(db, order, now=now, actor=f"user:{user.id}")
