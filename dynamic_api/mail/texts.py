"""What we write to people. Each function returns a Text: paragraphs, and at most one button.

`coursewright messages` shows every one of them, filled with samples.
"""

from dataclasses import dataclass

from dynamic_api.core.models import Gift, Order
from sitegen.catalog.model import Site
from sitegen.catalog.money import format_money


@dataclass(frozen=True)
class Button:
    """The one thing an email asks for."""

    label: str
    url: str


@dataclass(frozen=True)
class Text:
    """An email before it has an envelope."""

    subject: str
    before: tuple[str, ...]
    button: Button | None = None
    after: tuple[str, ...] = ()
    code: str = ""
    quote: str = ""


_CLAIM_TERMS = (
    "This link is personal, works once and expires in 7 days.",
    "If it has expired, the page it opens can send you a new one.",
)
_NOT_YOU = "If this wasn't you, ignore this email."


def receipt(site: Site, order: Order, course_title: str, *, claim_url: str | None, library_url: str) -> Text:
    """The order is paid; how to open the course. `claim_url` when the purchase waits for its owner."""
    thanks = f"Thank you for buying “{course_title}” for {_total(order, site)}."
    if not order.total_amount:
        thanks = f"“{course_title}” is yours, free of charge."
    if claim_url:
        return Text(
            f"Your course: {course_title}",
            (thanks, "One last step: choose a name and a password, so that you can watch on every device."),
            Button("Open my course", claim_url),
            (*_CLAIM_TERMS, *_refund_promise(site, order), *_order_details(order)),
        )
    return Text(
        f"Your course: {course_title}",
        (thanks, "You'll find it in your library."),
        Button("Open my library", library_url),
        (*_refund_promise(site, order), *_order_details(order)),
    )


def claim(site: Site, order: Order, course_title: str, *, claim_url: str) -> Text:
    """A new claim link, on request."""
    return Text(
        f"Your link to {course_title}",
        (f"Here is a new link to “{course_title}”, from {site.name}.",),
        Button("Open my course", claim_url),
        (*_CLAIM_TERMS, f"Order {order.public_id}."),
    )


def refunded(site: Site, order: Order, course_title: str) -> Text:
    """The money is on its way back, and the course is gone."""
    return Text(
        f"Refunded: {course_title}",
        (
            f"We've refunded {_refunded(order, site)} for “{course_title}”. Banks take up to ten days to show it.",
            "Your gift was withdrawn."
            if order.is_gift
            else "The course is no longer in your library, unless another purchase keeps it there.",
        ),
        after=(f"Order {order.public_id}.",),
    )


def paid_twice(site: Site, order: Order, earlier: Order, course_title: str) -> Text:
    """To the buyer: one payment is one too many."""
    return Text(
        f"You paid twice: {course_title}",
        (
            f"You have paid for “{course_title}” twice: {_total(earlier, site)} and {_total(order, site)}.",
            f"Once is enough. {site.name} has been told and can refund one of the payments; the course stays yours. If "
            f"you hear nothing within a few days, write to {site.contact_email}.",
        ),
        after=(f"Orders {earlier.public_id} and {order.public_id}.",),
    )


def paid_twice_notice(site: Site, order: Order, earlier: Order, course_title: str) -> Text:
    """To the operator: who paid twice, and the command that refunds one payment."""
    return Text(
        f"Paid twice: {course_title}",
        (
            f"{order.buyer_email or 'A buyer'} paid twice for “{course_title}”: {_total(earlier, site)} with "
            f"{earlier.public_id}, and {_total(order, site)} with {order.public_id}. They have been told.",
            f"This refunds the second payment and leaves them the course: coursewright refund {order.public_id}",
        ),
    )


def operator_notice(site: Site, sentence: str) -> Text:
    """To the operator: something that only they can mend."""
    return Text(f"{site.name} needs you", (sentence, "You are told of the same thing once a day at most."))


def payment_failed(site: Site, order: Order, course_title: str, *, course_url: str) -> Text:
    """A delayed payment failed."""
    return Text(
        f"Your payment failed: {course_title}",
        (f"Your payment for “{course_title}” failed. You have not been charged.",),
        Button("Try again", course_url),
        (f"Order {order.public_id}.",),
    )


def access_ended(site: Site, order: Order, course_title: str) -> Text:
    """A course is gone because its payment is: a gift was refunded, or the buyer's bank reversed a payment."""
    reason = (
        f"“{course_title}”, which was a gift to you, was refunded to the person who bought it."
        if order.is_gift
        else f"The payment for “{course_title}” was reversed by the bank."
    )
    return Text(
        f"No longer in your library: {course_title}",
        (reason, "The course is no longer in your library, unless another purchase keeps it there."),
        after=(f"If you think this is a mistake, write to {site.contact_email}.", f"Order {order.public_id}."),
    )


def gift(site: Site, order: Order, gift: Gift, course_title: str, *, claim_url: str) -> Text:
    """To the recipient, on the delivery day: the gift, its sender, and how to open it."""
    sender = gift.sender_name or "Somebody"
    greeting = f"Hello {gift.recipient_name}," if gift.recipient_name else "Hello,"
    return Text(
        f"{sender} sent you a gift: {course_title}",
        (greeting, f"{sender} has given you “{course_title}”, a video course by {site.name}."),
        Button("Open your gift", claim_url),
        (*_CLAIM_TERMS, f"Order {order.public_id}."),
        quote=gift.message,
    )


def gift_confirmation(
    site: Site, order: Order, gift: Gift, course_title: str, *, gifts_url: str, delivery: str
) -> Text:
    """To the buyer: the gift, its recipient, and when it arrives. `delivery` reads “today” or “on 31 January 2026”."""
    recipient = f"{gift.recipient_name} ({order.owner_email})" if gift.recipient_name else order.owner_email
    paid = f"You paid {_total(order, site)}." if order.total_amount else "It was free of charge."
    return Text(
        f"Your gift: {course_title}",
        (
            f"Thank you. You're giving “{course_title}” to {recipient}. {paid}",
            f"They will get an email {delivery}, with a link that opens the course. The course is theirs, and not in "
            "your own library.",
        ),
        Button("See my gifts", gifts_url),
        _order_details(order),
        quote=gift.message,
    )


def gift_undeliverable(site: Site, order: Order, gift: Gift, course_title: str) -> Text:
    """To the buyer: the recipient's address accepts no email."""
    name = gift.recipient_name or "the person it is for"
    return Text(
        f"Your gift could not be delivered: {course_title}",
        (
            f"We sent your gift, “{course_title}”, to {order.owner_email}, but the email was rejected: this address "
            "doesn't seem to exist.",
            f"Nothing is lost. Reply to this email, or write to {site.contact_email}, with {name}'s right address.",
        ),
        after=(f"Order {order.public_id}.",),
        quote=gift.message,
    )


def welcome(site: Site, *, name: str, library_url: str) -> Text:
    """The account was created."""
    return Text(
        f"Welcome to {site.name}",
        (
            f"Hello {name}, your account is ready.",
            "Everything you buy is in your library, on every device you sign in on.",
        ),
        Button("Open my library", library_url),
        (f"Questions? Reply to this email or write to {site.contact_email}.",),
    )


def new_email(site: Site, *, account: str, email: str, url: str) -> Text:
    """To the new address: whose account wants it, and the link that proves it."""
    return Text(
        f"Your new email address at {site.name}",
        (f"The account {account} asked to use {email} as its address from now on.",),
        Button("Use this address", url),
        (
            "Open the link in a browser where you are signed in to that account.",
            "It works once and expires in 30 minutes. If that isn't your account, ignore this email: nothing changes.",
        ),
    )


def address_taken(site: Site, *, sign_in_url: str) -> Text:
    """To an address that somebody wants for an account, and that has one already."""
    return Text(
        f"You already have an account at {site.name}",
        ("Somebody asked to use this address for another account. It has an account already, so nothing was changed.",),
        Button("Sign in", sign_in_url),
        ("If you have two accounts and want to merge them, write to us.",),
    )


def email_changed(site: Site, *, new_address: str) -> Text:
    """To the old address: it no longer opens the account."""
    return Text(
        f"Your email address at {site.name} was changed",
        (
            f"Your account now uses {new_address}. You no longer sign in with this address.",
            f"If this wasn't you, write to {site.contact_email} at once: we can change it back.",
        ),
    )


def sign_in(site: Site, *, url: str, code: str) -> Text:
    """A link or a code, instead of a password."""
    return Text(
        f"Sign in to {site.name}",
        ("You asked to sign in without a password.",),
        Button("Sign in", url),
        (
            "The link and the code work once and expire in 30 minutes.",
            "Never share the code with anyone: we will never ask for it.",
            _NOT_YOU,
        ),
        code=code,
    )


def sign_up(site: Site, *, url: str) -> Text:
    """The beginning of an account."""
    return Text(
        f"Create your account at {site.name}",
        ("One last step: choose a name and a password.",),
        Button("Create my account", url),
        ("The link works once and expires in 30 minutes.", _NOT_YOU),
    )


def reset(site: Site, *, url: str) -> Text:
    """A link to choose a new password."""
    return Text(
        f"Choose a new password for {site.name}",
        ("You asked to choose a new password.",),
        Button("Choose a new password", url),
        (
            "The link works once and expires in 30 minutes. Every browser and phone will have to sign in again.",
            _NOT_YOU,
        ),
    )


def password_cleared(site: Site, *, reset_url: str) -> Text:
    """The address is proven; a password that was set before that no longer works."""
    return Text(
        f"Choose a new password for {site.name}",
        (
            "You've just confirmed that this address is yours, with a link or a code from our email.",
            "A password was set for this account before that, perhaps by somebody else, so it no longer works. You "
            "stay signed in on this device.",
        ),
        Button("Choose a password", reset_url),
        ("You can also continue without a password, and sign in by email each time.",),
    )


def _refund_promise(site: Site, order: Order) -> tuple[str, ...]:
    if site.refund_days is None or not order.total_amount:
        return ()
    days = "a day" if site.refund_days == 1 else f"{site.refund_days} days"
    return (f"Not for you? Write to {site.contact_email} within {days}, and you get your money back.",)


def _order_details(order: Order) -> tuple[str, ...]:
    details = [f"Order {order.public_id}."]
    if order.receipt_url:
        details.append(f"Your receipt from the payment provider: {order.receipt_url}")
    return tuple(details)


def _refunded(order: Order, site: Site) -> str:
    return format_money(order.refunded_amount, order.total_currency or order.currency, site.language)


def _total(order: Order, site: Site) -> str:
    amount = order.total_amount if order.total_amount is not None else order.amount
    return format_money(amount, order.total_currency or order.currency, site.language)
