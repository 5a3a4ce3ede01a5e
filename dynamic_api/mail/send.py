"""The job `mail.send`: make the letter as things stand now, and hand it to the mail server.

Links are made here and not when the job was written: the outbox must not hold what opens a purchase.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiosmtplib

from dynamic_api.accounts.privacy import NOBODY
from dynamic_api.jobs.worker import GiveUp
from dynamic_api.mail.account_letters import ACCOUNT_LETTERS
from dynamic_api.mail.envelope import envelope
from dynamic_api.mail.messages import Letter
from dynamic_api.mail.order_letters import ORDER_LETTERS, mark_gift_delivered, mark_gift_undeliverable
from dynamic_api.service import Service

Payload = dict[str, Any]
# What to say to whom; no letter where things have changed since it was asked for.
Writer = Callable[[Service, Payload], Awaitable[tuple[str, Letter] | None]]
WRITERS: Mapping[str, Writer] = {**ORDER_LETTERS, **ACCOUNT_LETTERS}


async def send_job(service: Service, payload: Payload) -> None:
    """Raises what the mail server raises; a refusal for good ends the job."""
    name = str(payload["message"])
    if name not in WRITERS:
        raise GiveUp(f"there is no message called {name}")
    written = await WRITERS[name](service, payload)
    if written is None or written[0].endswith(f"@{NOBODY}"):
        return
    to, letter = written
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
            if name == "gift":
                await mark_gift_undeliverable(service, int(payload["order_id"]))
            raise GiveUp(f"the mail server refuses this address: {error.recipients[0].message}") from error
        raise
    if name == "gift":
        await mark_gift_delivered(service, int(payload["order_id"]))
