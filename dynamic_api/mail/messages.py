"""What we write to people. Each function returns a Letter: paragraphs, and at most one button.

`scripts/coursewright mail` shows every one of them, filled with samples.
"""

from dataclasses import dataclass

from dynamic_api.models import Gift, Order
from sitegen.catalog.model import Site
from sitegen.catalog.money import format_money


@dataclass(frozen=True)
class Button:
    """The one thing a mail asks for."""

    label: str
    url: str


@dataclass(frozen=True)
class Letter:
    """A message before it has an envelope."""

    subject: str
    before: tuple[str, ...]
    button: Button | None = None
    after: tuple[str, ...] = ()
    code: str = ""
    quote: str = ""


_CLAIM_TERMS = (
    "The link works once, for seven days, and is meant for you alone.",
    "If it has run out, the page it opens can send you a new one.",
)


def receipt(site: Site, order: Order, course_title: str, *, claim_url: str | None, library_url: str) -> Letter:
    """The purchase is paid; how to open it. `claim_url` where the purchase waits for its owner."""
    paid = f"Thank you. You have bought “{course_title}” for {_total(order, site)}."
    if not order.total_amount:
        paid = f"“{course_title}” is yours, free of charge."
    details = [f"Order {order.public_id}."]
    if order.receipt_url:
        details.append(f"Your receipt from the payment provider: {order.receipt_url}")
    if claim_url:
        return Letter(
            f"Your course: {course_title}",
            (paid, "One step is left: choose a name and a password, so that the course is with you on every device."),
            Button("Open my course", claim_url),
            (*_CLAIM_TERMS, *details),
        )
    return Letter(
        f"Your course: {course_title}",
        (paid, "It is in your library."),
        Button("Open my library", library_url),
        tuple(details),
    )


def claim(site: Site, order: Order, course_title: str, *, claim_url: str) -> Letter:
    """A new claim link, on request."""
    return Letter(
        f"Your link to {course_title}",
        (f"Here is a new link to “{course_title}”, from {site.name}.",),
        Button("Open my course", claim_url),
        (*_CLAIM_TERMS, f"Order {order.public_id}."),
    )


def refunded(site: Site, order: Order, course_title: str) -> Letter:
    """The money went back, and so did the course."""
    return Letter(
        f"Refunded: {course_title}",
        (
            f"{_refunded(order, site)} for “{course_title}” is on its way back to you. Banks take up to ten days.",
            "Your gift was taken back."
            if order.is_gift
            else "The course is no longer in your library, unless another purchase holds it there.",
        ),
        after=(f"Order {order.public_id}.",),
    )


def payment_failed(site: Site, order: Order, course_title: str, *, course_url: str) -> Letter:
    """A delayed payment did not arrive."""
    return Letter(
        f"The payment did not go through: {course_title}",
        (f"Your bank did not carry out the payment for “{course_title}”. Nothing was charged.",),
        Button("Try again", course_url),
        (f"Order {order.public_id}.",),
    )


def access_ended(site: Site, order: Order, course_title: str) -> Letter:
    """A course went because its payment did: a gift that was refunded, a payment the buyer's bank took back."""
    why = (
        f"“{course_title}”, which somebody gave you, was refunded to whoever bought it."
        if order.is_gift
        else f"The payment for “{course_title}” was taken back by the bank it came from."
    )
    return Letter(
        f"No longer in your library: {course_title}",
        (why, "The course is no longer in your library, unless another purchase holds it there."),
        after=(f"If you think this is a mistake, write to {site.contact_email}.", f"Order {order.public_id}."),
    )


def gift(site: Site, order: Order, gift: Gift, course_title: str, *, claim_url: str) -> Letter:
    """To the recipient, on the day: what it is, from whom, and how to open it."""
    sender = gift.sender_name or "Somebody"
    greeting = f"Hello {gift.recipient_name}," if gift.recipient_name else "Hello,"
    return Letter(
        f"A present for you: {course_title}",
        (greeting, f"{sender} has given you “{course_title}”, a video course by {site.name}."),
        Button("Open my present", claim_url),
        (*_CLAIM_TERMS, f"Order {order.public_id}."),
        quote=gift.message,
    )


def gift_confirmation(
    site: Site, order: Order, gift: Gift, course_title: str, *, gifts_url: str, deliver_on: str
) -> Letter:
    """To the buyer: what was given, to whom, and when it arrives."""
    recipient = f"{gift.recipient_name} ({order.owner_email})" if gift.recipient_name else order.owner_email
    paid = _total(order, site) if order.total_amount else "nothing: it was free of charge"
    details = [f"Order {order.public_id}."]
    if order.receipt_url:
        details.append(f"Your receipt from the payment provider: {order.receipt_url}")
    return Letter(
        f"Your gift: {course_title}",
        (
            f"Thank you. You are giving “{course_title}” to {recipient}. You paid {paid}.",
            f"We write to them {deliver_on}, with a link that opens the course. The course is theirs, and not in your "
            "own library.",
        ),
        Button("See my gifts", gifts_url),
        tuple(details),
        quote=gift.message,
    )


def gift_undeliverable(site: Site, order: Order, gift: Gift, course_title: str) -> Letter:
    """To the buyer: the recipient's address takes no mail."""
    name = gift.recipient_name or "the person it is for"
    return Letter(
        f"Your gift could not be delivered: {course_title}",
        (
            f"We wrote to {order.owner_email} with your gift, “{course_title}”, and the mail was refused: there seems "
            "to be no such address.",
            f"Nothing is lost. Answer this mail, or write to {site.contact_email}, with the right address of {name}.",
        ),
        after=(f"Order {order.public_id}.",),
        quote=gift.message,
    )


def welcome(site: Site, *, name: str, library_url: str) -> Letter:
    """The account is made."""
    return Letter(
        f"Welcome to {site.name}",
        (
            f"Hello {name}, your account is made.",
            "Whatever you buy is in your library, on every device you sign in on, and stays there.",
        ),
        Button("Open my library", library_url),
        (f"Questions? Answer this mail or write to {site.contact_email}.",),
    )


def new_email(site: Site, *, url: str) -> Letter:
    """To the new address: prove that it is yours."""
    return Letter(
        f"Your new address at {site.name}",
        ("You asked to use this address for your account from now on.",),
        Button("Use this address", url),
        (
            "The link works once, for thirty minutes. Until it is used, nothing changes.",
            "If it was not you who asked, you need not do anything.",
        ),
    )


def address_taken(site: Site, *, sign_in_url: str) -> Letter:
    """To an address that somebody wants for an account, and that has one."""
    return Letter(
        f"This address already has an account at {site.name}",
        ("Somebody asked to use this address for another account. It has one already, so nothing was changed.",),
        Button("Sign in", sign_in_url),
        ("If you have two accounts and would like to have one, write to us.",),
    )


def email_changed(site: Site, *, new_address: str) -> Letter:
    """To the old address: it no longer opens the account."""
    return Letter(
        f"Your address at {site.name} was changed",
        (
            f"Your account now uses {new_address}. You no longer sign in with this address.",
            f"If it was not you, write to {site.contact_email} at once: we can put it back.",
        ),
    )


def sign_in(site: Site, *, url: str, code: str) -> Letter:
    """A link or a code, instead of a password."""
    return Letter(
        f"Sign in to {site.name}",
        ("You asked to sign in without a password.",),
        Button("Sign in", url),
        (
            "Link and code work once, for thirty minutes.",
            "Never tell anybody the code: we do not ask for it.",
            "If it was not you who asked, nothing happens unless one of them is used.",
        ),
        code=code,
    )


def sign_up(site: Site, *, url: str) -> Letter:
    """The beginning of an account."""
    return Letter(
        f"Make your account at {site.name}",
        ("One step is left: choose a name and a password.",),
        Button("Make my account", url),
        ("The link works once, for thirty minutes.", "If it was not you who asked, nothing happens unless it is used."),
    )


def reset(site: Site, *, url: str) -> Letter:
    """A link to choose another password."""
    return Letter(
        f"Choose a new password for {site.name}",
        ("You asked to choose a new password.",),
        Button("Choose a new password", url),
        (
            "The link works once, for thirty minutes. Every browser and phone will have to sign in again.",
            "If it was not you who asked, nothing happens unless it is used.",
        ),
    )


def password_cleared(site: Site, *, reset_url: str) -> Letter:
    """The address is proven; a password that was chosen before that no longer works."""
    return Letter(
        f"Choose your password for {site.name} anew",
        (
            "You have just shown that this address is yours, by a link or a code we mailed to it.",
            "A password was chosen for this account before that, perhaps by somebody else, so it no longer works. You "
            "stay signed in where you are.",
        ),
        Button("Choose a password", reset_url),
        ("You can also go on without one, and sign in by mail each time.",),
    )


def _refunded(order: Order, site: Site) -> str:
    return format_money(order.refunded_amount, order.total_currency or order.currency, site.language)


def _total(order: Order, site: Site) -> str:
    amount = order.total_amount if order.total_amount is not None else order.amount
    return format_money(amount, order.total_currency or order.currency, site.language)
