"""Addresses that want news. One is stored when its owner opens the emailed link, and not before."""

import base64
import contextlib
import hmac
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.core.emails import Email, EmailInvalid
from dynamic_api.core.errors import LinkInvalid
from dynamic_api.core.models import NewsReader
from dynamic_api.core.signed_links import HasSecret, sign_link
from sitegen import urls

LIFETIME = timedelta(days=7)


def confirmation_link(settings: HasSecret, site_url: str, email: Email, *, now: datetime) -> str:
    """The link in the email; what follows the # reaches no log."""
    until = int((now + LIFETIME).timestamp())
    name = base64.urlsafe_b64encode(email.spelling.encode()).decode().rstrip("=")
    signature = sign_link(settings, urls.NEWSLETTER_CONFIRM, f"{email.key}&{until}")
    return f"{site_url}{urls.NEWSLETTER_CONFIRM}#token={name}.{until}.{signature}"


def read_confirmation(settings: HasSecret, token: str, *, now: datetime) -> Email:
    """The address of a link that works. Raises LinkInvalid."""
    name, _, rest = token.partition(".")
    until, _, signature = rest.partition(".")
    try:
        email = Email.parse(base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode())
        ends = int(until) if len(until) < 12 else 0
    except (ValueError, EmailInvalid):
        raise LinkInvalid from None
    expected = sign_link(settings, urls.NEWSLETTER_CONFIRM, f"{email.key}&{ends}")
    if not hmac.compare_digest(signature.encode(), expected.encode()) or now.timestamp() > ends:
        raise LinkInvalid
    return email


async def subscribe(db: AsyncSession, email: Email, *, now: datetime) -> None:
    """Remember an address that its owner confirmed; once."""
    with contextlib.suppress(IntegrityError):  # two clicks at once
        async with db.begin_nested():
            if await db.scalar(select(NewsReader.id).where(NewsReader.email_key == email.key)) is None:
                db.add(NewsReader(email=email, confirmed_at=now))


async def unsubscribe(db: AsyncSession, settings: HasSecret, reader_id: int, key: str) -> None:
    """Forget an address. Raises LinkInvalid for a link that we did not make; one that is gone already is no fault."""
    if not hmac.compare_digest(key.encode(), _key(settings, reader_id).encode()):
        raise LinkInvalid
    await db.execute(delete(NewsReader).where(NewsReader.id == reader_id))


def unsubscribe_link(settings: HasSecret, site_url: str, reader_id: int) -> str:
    """For the creator's mail program: a page for people, and one click for mail programs (RFC 8058)."""
    return f"{site_url}/api/newsletter/unsubscribe?reader={reader_id}&key={_key(settings, reader_id)}"


def _key(settings: HasSecret, reader_id: int) -> str:
    return sign_link(settings, "/api/newsletter/unsubscribe", str(reader_id))
