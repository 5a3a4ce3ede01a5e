"""The job `mail.send`: write the email as things are now, and pass it to the mail server.

Links are made here and not when the job was written: the outbox must not hold what opens a purchase.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiosmtplib

from dynamic_api.core.emails import Email
from dynamic_api.core.errors import WillNotHeal
from dynamic_api.core.messages import (
    AccessEnded,
    ClaimLink,
    EmailChanged,
    GiftConfirmation,
    GiftDelivery,
    GiftUndeliverable,
    Message,
    NewEmailLink,
    NewsConfirmation,
    OperatorNotice,
    OrderMessage,
    PaidTwice,
    PaidTwiceNotice,
    PasswordCleared,
    PaymentFailed,
    Receipt,
    Refunded,
    ResetLink,
    SignInLink,
    SignUpLink,
    Welcome,
)
from dynamic_api.mail import account_messages, account_texts, order_messages
from dynamic_api.mail.envelope import make_email
from dynamic_api.mail.text import Text
from dynamic_api.newsletter.readers import confirmation_link
from dynamic_api.service import Service


async def operator_notice(service: Service, message: OperatorNotice) -> tuple[Email, Text]:
    """To the school's own address."""
    site = service.catalog.current.site
    return Email.lookup(site.contact_email), account_texts.operator_notice(site, message.sentence)


async def news_confirmation(service: Service, message: NewsConfirmation) -> tuple[Email, Text]:
    """To an address that somebody typed into the form for news."""
    site, email = service.catalog.current.site, Email.lookup(message.email)
    url = confirmation_link(service.settings, service.settings.site_url, email, now=service.clock())
    return email, account_texts.news_confirmation(site, url=url)


# Any: each writer takes the message it stands beside.
Writer = Callable[[Service, Any], Awaitable[tuple[Email, Text] | None]]

WRITERS: Mapping[type[Message], Writer] = {
    Receipt: order_messages.receipt,
    ClaimLink: order_messages.claim,
    Refunded: order_messages.refunded,
    PaidTwice: order_messages.paid_twice,
    PaidTwiceNotice: order_messages.paid_twice_notice,
    OperatorNotice: operator_notice,
    PaymentFailed: order_messages.payment_failed,
    AccessEnded: order_messages.access_ended,
    GiftDelivery: order_messages.gift,
    GiftConfirmation: order_messages.gift_confirmation,
    GiftUndeliverable: order_messages.gift_undeliverable,
    Welcome: account_messages.welcome,
    SignInLink: account_messages.sign_in,
    SignUpLink: account_messages.sign_up,
    ResetLink: account_messages.reset,
    NewsConfirmation: news_confirmation,
    NewEmailLink: account_messages.new_email,
    EmailChanged: account_messages.email_changed,
    PasswordCleared: account_messages.password_cleared,
}


async def send_message(service: Service, message: Message) -> None:
    """Raises what the mail server raises; a permanent rejection ends the job."""
    written = await WRITERS[type(message)](service, message)
    if written is None or written[0].is_deleted:
        return
    to, text = written
    email = make_email(
        text,
        site=await order_messages.site_of(service, message)
        if isinstance(message, OrderMessage)
        else service.catalog.current.site,
        site_url=service.settings.site_url,
        sender=service.gateways.mailer.sender,
        to=to.spelling,
        message_id=message.id,
        now=service.clock(),
    )
    try:
        await service.gateways.mailer.send(email)
    except aiosmtplib.SMTPRecipientsRefused as error:
        if all(refusal.code >= 500 for refusal in error.recipients):
            if isinstance(message, GiftDelivery):
                await order_messages.mark_gift_undeliverable(service, message.order_id)
            raise WillNotHeal(f"the mail server rejects this address: {error.recipients[0].message}") from error
        raise
    if isinstance(message, GiftDelivery):
        await order_messages.mark_gift_delivered(service, message.order_id)
