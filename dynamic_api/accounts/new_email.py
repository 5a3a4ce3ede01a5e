"""A change of address: proven at the new one, told to the old one."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.accounts.addresses import email_key
from dynamic_api.accounts.mailed_links import Purpose, bring_what_waits, close_links, open_link
from dynamic_api.accounts.users import find_user
from dynamic_api.audit import Action, record
from dynamic_api.database import Database
from dynamic_api.errors import LinkInvalid
from dynamic_api.jobs.outbox import enqueue_mail
from dynamic_api.models import OneTimeLink, User
from dynamic_api.tokens import hash_token


async def ask_for_new_email(db: AsyncSession, user: User, email: str, *, now: datetime) -> None:
    """Mail a link to the new address; nothing changes until it is used."""
    identity = f"new_email.{user.id}.{hash_token(email_key(email))[:16]}.{now:%Y%m%d%H%M}"
    await enqueue_mail(
        db, "new_email", identity, now=now, user_id=user.id, email=email.strip(), asked_at=now.isoformat()
    )


async def change_email(database: Database, token: str, *, now: datetime) -> User:
    """Use the link up: the account has the new address, and the old one is told. Raises LinkInvalid."""
    async with database.transaction() as db:
        link = await open_link(db, Purpose.NEW_EMAIL, token, now)
        user = await db.get(User, link.user_id) if link.user_id is not None else None
        if user is None or link.email is None or await find_user(db, link.email) is not None:
            raise LinkInvalid
        old = user.email
        user.email, user.email_key = link.email, email_key(link.email)
        user.email_verified_at = user.updated_at = now
        await close_links(db, OneTimeLink.user_id == user.id, now=now)  # they went to the old address
        record(
            db, Action.EMAIL_CHANGED, at=now, actor=f"user:{user.id}", user_id=user.id, source=old, target=user.email
        )
        identity = f"email_changed.{link.id}"
        await enqueue_mail(db, "email_changed", identity, now=now, email=old, new_email=user.email)
        await db.flush()
        await bring_what_waits(db, user, now)
    return user
