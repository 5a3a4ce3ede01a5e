"""A change of email address: proven at the new one, confirmed by the account, announced to the old one.

The link alone moves nothing: somebody might ask for another person's address, wait for their click, and get what was
bought with it. So it must be opened where its account is signed in.
"""

from dynamic_api.accounts.links import close_links, open_link
from dynamic_api.accounts.users import LOCKED, find_user
from dynamic_api.core.audit import Action, by_user, record
from dynamic_api.core.errors import EmailChangeUnconfirmed, LinkInvalid
from dynamic_api.core.messages import EmailChanged, queue_message
from dynamic_api.core.models import OneTimeLink, User
from dynamic_api.core.states import LinkPurpose
from dynamic_api.orders.attach import attach_waiting_orders
from dynamic_api.service import Service


async def change_email(service: Service, token: str, user_id: int | None) -> User:
    """Use the link sent to the new address: the account has it from now on, and the old one is told.

    `user_id` is who is signed in where the link was opened. Raises LinkInvalid, and EmailChangeUnconfirmed, after which
    the link still works.
    """
    now = service.clock()
    async with service.database.transaction() as db:
        link = await open_link(db, LinkPurpose.NEW_EMAIL, token, now)
        user = await db.get(User, link.user_id, with_for_update=LOCKED) if link.user_id is not None else None
        if user is None or link.email is None or await find_user(db, link.email) is not None:
            raise LinkInvalid
        if user.id != user_id:
            raise EmailChangeUnconfirmed
        old = user.email
        user.email = link.email
        user.email_verified_at = user.updated_at = now
        await close_links(db, OneTimeLink.user_id == user.id, now=now)  # they went to the old address
        record(
            db,
            Action.EMAIL_CHANGED,
            at=now,
            actor=by_user(user.id),
            user_id=user.id,
            source=old.spelling,
            target=user.email.spelling,
        )
        message = EmailChanged(id=f"{EmailChanged.name}.{link.id}", email=old.spelling, new_email=user.email.spelling)
        await queue_message(db, message, now=now)
        await db.flush()
        await attach_waiting_orders(db, user, now=now)
    return user
