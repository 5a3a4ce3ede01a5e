"""The job `mail.send`: make the letter as things stand now, and hand it to the mail server.

Links are made here and not when the job was written: the outbox must not hold what opens a purchase.
"""

from typing import Any

import aiosmtplib

from dynamic_api.accounts.claims import is_claimable, issue_claim_link
from dynamic_api.accounts.mailed_links import Purpose, issue_link, issue_sign_up_link
from dynamic_api.accounts.privacy import NOBODY
from dynamic_api.checkout.order_state import OrderState
from dynamic_api.jobs.worker import GiveUp
from dynamic_api.mail import messages
from dynamic_api.mail.envelope import envelope
from dynamic_api.models import Course, Order, User
from dynamic_api.service import Service
from sitegen import urls


async def send_job(service: Service, payload: dict[str, Any]) -> None:
    """Raises what the mail server raises; a refusal for good ends the job."""
    if "email" in payload:
        to, letter = await _letter_to_address(service, str(payload["email"]))
    elif "user_id" in payload:
        to, letter = await _letter_to_user(service, str(payload["message"]), int(payload["user_id"]))
    else:
        to, letter = await _letter_about_order(service, str(payload["message"]), int(payload["order_id"]))
    if letter is None or to is None or to.endswith(f"@{NOBODY}"):
        return
    message = envelope(
        letter,
        site=service.catalog.current.site,
        site_url=service.settings.site_url,
        sender=service.gateways.mailer.sender,
        to=to,
        message_id=str(payload["id"]),
        now=service.clock(),
    )
    try:
        await service.gateways.mailer.send(message)
    except aiosmtplib.SMTPRecipientsRefused as error:
        if all(refusal.code >= 500 for refusal in error.recipients):
            raise GiveUp(f"the mail server refuses this address: {error.recipients[0].message}") from error
        raise


async def _letter_to_user(service: Service, name: str, user_id: int) -> tuple[str | None, messages.Letter | None]:
    async with service.database.transaction() as db:
        user = await db.get(User, user_id)
        if user is None:
            return None, None  # the account was deleted meanwhile
        token = await issue_link(db, Purpose(name), user, now=service.clock())
    site, site_url = service.catalog.current.site, service.settings.site_url
    if name == Purpose.RESET:
        return user.email, messages.reset(site, url=f"{site_url}{urls.RESET}#token={token}")
    return user.email, messages.sign_in(site, url=f"{site_url}{urls.SIGN_IN_LINK}#token={token}")


async def _letter_to_address(service: Service, email: str) -> tuple[str | None, messages.Letter | None]:
    async with service.database.transaction() as db:
        token = await issue_sign_up_link(db, email, now=service.clock())
    url = f"{service.settings.site_url}{urls.WELCOME}#token={token}"
    return email, messages.sign_up(service.catalog.current.site, url=url)


async def _letter_about_order(service: Service, name: str, order_id: int) -> tuple[str | None, messages.Letter | None]:
    async with service.database.reading() as db:
        order = await db.get_one(Order, order_id)
        course = await db.get_one(Course, order.course_id)
    return order.email, await _letter(service, name, order, course)


async def _letter(service: Service, name: str, order: Order, course: Course) -> messages.Letter | None:
    site, site_url = service.catalog.current.site, service.settings.site_url
    if name == "refunded":
        return messages.refunded(site, order, course.title)
    if name == "payment_failed":
        return messages.payment_failed(site, order, course.title, course_url=site_url + urls.course(course.slug))
    if not OrderState(order.state).gives_access:
        return None  # disputed or refunded before this was sent; what follows has mails of its own
    claim_url = await _claim_url(service, order) if is_claimable(order) else None
    if name == "receipt":
        library = site_url + urls.LIBRARY
        return messages.receipt(site, order, course.title, claim_url=claim_url, library_url=library)
    if name == "claim":
        return messages.claim(site, order, course.title, claim_url=claim_url) if claim_url else None
    raise GiveUp(f"there is no message called {name}")


async def _claim_url(service: Service, order: Order) -> str:
    async with service.database.transaction() as db:
        token = await issue_claim_link(db, await db.get_one(Order, order.id), now=service.clock())
    # Behind the #: the token never reaches a log, a proxy or a referrer.
    return f"{service.settings.site_url}{urls.CLAIM}#token={token}"
