"""What we write to people. Each function returns a Letter: paragraphs, and at most one button."""

from dataclasses import dataclass

from dynamic_api.models import Order
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
            f"{_total(order, site)} for “{course_title}” is on its way back to you. Banks take up to ten days.",
            "The course is no longer in your library, unless another purchase holds it there.",
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


def sign_in(site: Site, *, url: str) -> Letter:
    """A link instead of a password."""
    return Letter(
        f"Sign in to {site.name}",
        ("You asked for a link to sign in with.",),
        Button("Sign in", url),
        ("It works once, for thirty minutes.", "If it was not you who asked, nothing happens unless it is used."),
    )


def sign_up(site: Site, *, url: str) -> Letter:
    """The beginning of an account."""
    return Letter(
        f"Welcome to {site.name}",
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


def _total(order: Order, site: Site) -> str:
    amount = order.total_amount if order.total_amount is not None else order.amount
    return format_money(amount, order.total_currency or order.currency, site.language)
