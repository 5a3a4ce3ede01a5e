"""Proof of an address: what else has access to an account that nobody had proven yet, and what of it stays.

Whoever bought as a guest may set a password before the address is proven, and so may somebody who only typed it. Who
proves the address is asked what stays. Suggested is to keep everything where this very browser set the password, and
nothing otherwise.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from typing_extensions import TypedDict

from dynamic_api.accounts.devices import browser_name
from dynamic_api.core.clock import timestamp
from dynamic_api.core.models import AccessToken, User, WebSession
from sitegen.catalog.words import Sentence

PASSWORD = "password"  # noqa: S105 - a name


class KnownAccess(TypedDict):
    """Something that opens the account, as the page shows it; `keep` is what we suggest."""

    id: str
    name: str
    since: str | None
    keep: bool


@dataclass(frozen=True)
class Proof:
    """The browser that proves an address, and what its owner decided to keep; None: they were not asked yet."""

    browser_hash: str | None = None
    session_hash: str | None = None
    keep: frozenset[str] | None = None


NOTHING_KEPT = Proof(keep=frozenset())


class AccessToDecide(Exception):
    """Whoever proves the address has to say first what else keeps its access."""

    def __init__(self, items: list[KnownAccess]) -> None:
        super().__init__(items)
        self.items = items


async def decided(db: AsyncSession, user: User, proof: Proof) -> frozenset[str]:
    """What keeps its access. Raises AccessToDecide."""
    items = await _known_access(db, user, proof)
    if proof.keep is None and items:
        raise AccessToDecide(items)
    return frozenset(item["id"] for item in items) & (proof.keep or frozenset())


async def everything(db: AsyncSession, user: User) -> frozenset[str]:
    """All of it: for somebody who proves the address and knows the password that was set before."""
    return frozenset(item["id"] for item in await _known_access(db, user, Proof()))


async def end_access(db: AsyncSession, user: User, *, keep: frozenset[str]) -> None:
    """Sign out every browser and phone that is not kept."""
    for token_hash in list(await db.scalars(select(WebSession.token_hash).where(WebSession.user_id == user.id))):
        if _browser_id(token_hash) not in keep:
            await db.execute(delete(WebSession).where(WebSession.token_hash == token_hash))
    for number in list(await db.scalars(select(AccessToken.id).where(AccessToken.user_id == user.id))):
        if _phone_id(number) not in keep:
            await db.execute(delete(AccessToken).where(AccessToken.id == number))


async def _known_access(db: AsyncSession, user: User, proof: Proof) -> list[KnownAccess]:
    keep = user.password_browser_hash is not None and user.password_browser_hash == proof.browser_hash
    items: list[KnownAccess] = []

    def add(name_of: str, name: str, since: datetime | None) -> None:
        items.append({"id": name_of, "name": name, "since": timestamp(since), "keep": keep})

    if user.password_hash is not None:
        where = user.password_device
        name = Sentence("A password, in {browser}", browser=where) if where else Sentence("A password")
        add(PASSWORD, name, user.password_set_at)
    sessions = select(WebSession).where(WebSession.user_id == user.id)
    if proof.session_hash is not None:
        sessions = sessions.where(WebSession.token_hash != proof.session_hash)
    for session in await db.scalars(sessions.order_by(WebSession.created_at)):
        add(
            _browser_id(session.token_hash),
            Sentence("A browser: {name}", name=browser_name(session.user_agent)),
            session.created_at,
        )
    for phone in await db.scalars(select(AccessToken).where(AccessToken.user_id == user.id).order_by(AccessToken.id)):
        add(_phone_id(phone.id), Sentence("A phone: {name}", name=phone.device_name), phone.created_at)
    return items


def _browser_id(token_hash: str) -> str:
    return f"browser:{token_hash[:16]}"


def _phone_id(number: int) -> str:
    return f"phone:{number}"
