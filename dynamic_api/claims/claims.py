"""A guest's purchase finds its owner: by the emailed link, or in the browser that bought."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.accounts.links import close_links, verify_email
from dynamic_api.accounts.proof import everything
from dynamic_api.accounts.users import check_new_account, check_password, create_user, find_user
from dynamic_api.core.audit import GUEST, SYSTEM, Action, by_user, record
from dynamic_api.core.emails import Email
from dynamic_api.core.errors import ClaimLinkInvalid, InvalidCredentials, OrderNotClaimable
from dynamic_api.core.messages import ClaimLink, minute, queue_message
from dynamic_api.core.models import OneTimeLink, Order, OrderId, User
from dynamic_api.core.outbox import Job, enqueue
from dynamic_api.core.states import LinkPurpose
from dynamic_api.core.tokens import hash_token, make_token, parse_public_order_id
from dynamic_api.orders.access import grants_access
from dynamic_api.orders.attach import attach_waiting_orders
from dynamic_api.orders.gifts import is_delivered
from dynamic_api.orders.reconcile import lock_order, settle_access
from dynamic_api.service import Service
from sitegen.catalog.words import Sentence

LIFETIME = timedelta(days=7)


@dataclass(frozen=True)
class SendClaimLinks(Job):
    """Email a new link for everything that waits for an address."""

    kind = "claims.reissue"

    email: str


@dataclass(frozen=True)
class Claimant:
    """What somebody gives to claim a purchase: their session, or a name and a password."""

    user_id: int | None
    name: str
    password: str
    client_ip: str
    device: str  # “Firefox on Windows”


@dataclass(frozen=True)
class WaitingOrder:
    """A purchase that waits for its owner."""

    order: Order
    has_account: bool


async def is_claimable(db: AsyncSession, order: Order) -> bool:
    """Whether an order may find an owner now."""
    return order.owner_id is None and await grants_access(db, order)


async def is_claimable_by_buyer(db: AsyncSession, order: Order) -> bool:
    """Whether the buyer may be that owner: only its recipient's email opens a gift."""
    return not order.is_gift and await is_claimable(db, order)


def is_buyers(order: Order, email_key: str) -> bool:
    """Whether a signed-in person may take a guest's purchase by the browser alone: only with the buyer's address.

    At a shared computer, the next person to sign in is somebody else. The emailed link proves who it is for.
    """
    return order.owner_id is None and order.buyer_email_key in (None, email_key)


async def issue_claim_link(db: AsyncSession, order: Order, *, now: datetime) -> str:
    """A new link's token, valid for LIFETIME. Of all links of an order one can be used, once.

    Earlier links work until then: an email that was sent twice must not contain a dead one.
    """
    token = make_token()
    db.add(
        OneTimeLink(
            token_hash=hash_token(token),
            purpose=LinkPurpose.CLAIM,
            order_id=order.id,
            created_at=now,
            expires_at=now + LIFETIME,
        )
    )
    record(db, Action.CLAIM_LINK_ISSUED, at=now, actor=SYSTEM, order_id=order.id)
    return token


async def view_claim_link(db: AsyncSession, token: str, *, now: datetime) -> WaitingOrder:
    """What a link would give, without using it. Raises ClaimLinkInvalid."""
    order = await db.get_one(Order, await _order_of_link(db, token, now))
    if not await is_claimable(db, order):
        raise ClaimLinkInvalid
    return WaitingOrder(order, has_account=await has_account(db, order))


async def has_account(db: AsyncSession, order: Order) -> bool:
    """Whether the address this is for has an account whose owner has proven it."""
    user = await _account_of(db, order)
    return user is not None and user.email_verified_at is not None


async def claim_by_link(service: Service, token: str, claimant: Claimant) -> User:
    """Use the link. It came by email, so it proves the address.

    Raises ClaimLinkInvalid, ValidationFailed, InvalidCredentials; the link then still works.
    """
    async with service.database.reading() as db:
        waiting = await view_claim_link(db, token, now=service.clock())
    password_hash = await _password_hash(service, waiting.order, claimant, proven=True)
    now = service.clock()
    async with service.database.transaction() as db:
        order = await lock_order(db, await _order_of_link(db, token, now))
        if not await is_claimable(db, order):
            raise ClaimLinkInvalid
        user = await _owner(db, order, claimant, password_hash, proven=True, now=now)
        await _claim(db, order, user, now=now, by="link")
        if user.email_verified_at is not None and user.email_key == order.owner_email_key:
            await db.flush()
            await attach_waiting_orders(db, user, now=now)
    return user


async def claim_by_browser(service: Service, public_id: str, browser: str, claimant: Claimant) -> User:
    """In the browser that bought. This does not prove the address, so the account begins unverified.

    Raises OrderNotClaimable, ValidationFailed, InvalidCredentials.
    """
    async with service.database.reading() as db:
        order = await order_of_browser(db, public_id, browser)
        if order is None or not await is_claimable_by_buyer(db, order):
            raise OrderNotClaimable
        if claimant.user_id is not None:
            learner = await db.get_one(User, claimant.user_id)
            if not is_buyers(order, learner.email_key):
                raise OrderNotClaimable(
                    Sentence("This was bought with another email address. Open it with the link sent there.")
                )
    password_hash = await _password_hash(service, order, claimant, proven=False)
    now = service.clock()
    async with service.database.transaction() as db:
        order = await lock_order(db, order.id)
        if not await is_claimable(db, order):
            raise OrderNotClaimable
        user = await _owner(db, order, claimant, password_hash, proven=False, browser=browser, now=now)
        await _claim(db, order, user, now=now, by="browser")
    return user


async def order_of_browser(db: AsyncSession, public_id: str, browser: str) -> Order | None:
    """The order, if this browser began it."""
    order_id = parse_public_order_id(public_id)
    if order_id is None:
        return None
    return await db.scalar(select(Order).where(Order.public_id == order_id, Order.browser_hash == hash_token(browser)))


async def request_claim_links(db: AsyncSession, email: Email, *, now: datetime) -> None:
    """Have new links emailed. The worker looks up what waits, so that the answer takes the same time for everybody."""
    key = f"reissue:{hash_token(email.key)[:16]}.{minute(now)}"
    await enqueue(db, SendClaimLinks(email.spelling), key, now=now)


async def send_claim_links(service: Service, job: SendClaimLinks) -> None:
    """The job `claims.reissue`."""
    now, email = service.clock(), Email.lookup(job.email)
    async with service.database.transaction() as db:
        waiting = select(Order).where(Order.owner_email_key == email.key, Order.owner_id.is_(None))
        for order in await db.scalars(waiting):
            # A gift whose day has not come stays a surprise.
            if await is_claimable(db, order) and (not order.is_gift or await is_delivered(db, order)):
                await queue_message(db, ClaimLink.about(order, minute(now)), now=now)


async def _order_of_link(db: AsyncSession, token: str, now: datetime) -> OrderId:
    order_id = await db.scalar(
        select(OneTimeLink.order_id).where(
            OneTimeLink.token_hash == hash_token(token),
            OneTimeLink.purpose == LinkPurpose.CLAIM,
            OneTimeLink.used_at.is_(None),
            OneTimeLink.expires_at > now,
        )
    )
    if order_id is None:
        raise ClaimLinkInvalid
    return order_id


async def _account_of(db: AsyncSession, order: Order) -> User | None:
    return await find_user(db, order.owner_email) if order.owner_email else None


async def _password_hash(service: Service, order: Order, claimant: Claimant, *, proven: bool) -> str | None:
    """Verify or hash the password outside the transaction, since that takes a while. None for an existing account."""
    if claimant.user_id is not None:
        return None
    async with service.database.reading() as db:
        existing = await _account_of(db, order)
    if existing is not None and (existing.email_verified_at is not None or not proven):
        try:
            await check_password(service, existing.email, claimant.password, client_ip=claimant.client_ip)
        except InvalidCredentials:
            message = "An account with this address already exists, and that isn’t its password."
            raise InvalidCredentials(message) from None
        return None
    if existing is not None and await service.passwords.matches(existing.password_hash, claimant.password):
        return existing.password_hash  # they set it themselves, before their address was proven
    check_new_account(name=claimant.name, password=claimant.password, email=order.owner_email)
    return await service.passwords.hash(claimant.password)


async def _owner(
    db: AsyncSession,
    order: Order,
    claimant: Claimant,
    password_hash: str | None,
    *,
    proven: bool,
    browser: str = "",
    now: datetime,
) -> User:
    if claimant.user_id is not None:
        return await db.get_one(User, claimant.user_id)
    existing = await _account_of(db, order)
    if existing is not None:
        if password_hash is not None:
            if not proven or existing.email_verified_at is not None:
                raise OrderNotClaimable  # the account was created while the password was being hashed
            existing.name = claimant.name.strip() or existing.name
            is_known = password_hash == existing.password_hash
            keep = await everything(db, existing) if is_known else frozenset()
            await verify_email(db, existing, password_hash=password_hash, keep=keep, now=now)
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
        actor=GUEST,
        device=claimant.device,
        browser_hash=hash_token(browser) if browser else None,
    )


async def _claim(db: AsyncSession, order: Order, user: User, *, now: datetime, by: str) -> None:
    order.owner_id = user.id
    if not order.is_gift and order.buyer_id is None:
        order.buyer_id = user.id
    order.revision += 1
    await close_links(db, OneTimeLink.order_id == order.id, now=now)
    record(
        db,
        Action.ORDER_CLAIMED,
        at=now,
        actor=by_user(user.id),
        user_id=user.id,
        order_id=order.id,
        by=by,
    )
    await settle_access(db, order, now=now, actor=by_user(user.id))
