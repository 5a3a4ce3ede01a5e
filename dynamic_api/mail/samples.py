"""Every letter, filled with samples, so that the creator sees them before a customer does."""

from collections.abc import Mapping
from datetime import UTC, datetime

from dynamic_api.mail import messages
from dynamic_api.mail.messages import Letter
from dynamic_api.models import Gift, Order
from sitegen import urls
from sitegen.catalog.model import Site

_NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
_TOKEN = "#token=sample"  # noqa: S105 - opens nothing


def sample_letters(site: Site, title: str, site_url: str) -> Mapping[str, Letter]:
    """By the name the outbox has for them; variants carry a suffix."""
    order, free = _order(), _order(total_amount=0, receipt_url=None)
    present, gift = _order(is_gift=True, owner_email="fran@example.com"), _gift()
    claim_url, library_url = f"{site_url}{urls.CLAIM}{_TOKEN}", f"{site_url}{urls.LIBRARY}"
    return {
        "receipt": messages.receipt(site, order, title, claim_url=None, library_url=library_url),
        "receipt-guest": messages.receipt(site, order, title, claim_url=claim_url, library_url=library_url),
        "receipt-free": messages.receipt(site, free, title, claim_url=claim_url, library_url=library_url),
        "claim": messages.claim(site, order, title, claim_url=claim_url),
        "refunded": messages.refunded(site, order, title),
        "gift_undeliverable": messages.gift_undeliverable(site, present, gift, title),
        "refunded-gift": messages.refunded(site, present, title),
        "payment_failed": messages.payment_failed(site, order, title, course_url=f"{site_url}{urls.COURSES}"),
        "access_ended": messages.access_ended(site, order, title),
        "access_ended-gift": messages.access_ended(site, present, title),
        "gift": messages.gift(site, present, gift, title, claim_url=claim_url),
        "gift_confirmation": messages.gift_confirmation(
            site, present, gift, title, gifts_url=f"{site_url}{urls.GIFTS}", deliver_on="on January 31, 2026"
        ),
        **_account_letters(site, site_url, library_url),
    }


def _account_letters(site: Site, site_url: str, library_url: str) -> dict[str, Letter]:
    return {
        "welcome": messages.welcome(site, name="Ann", library_url=library_url),
        "sign_in": messages.sign_in(site, url=f"{site_url}{urls.SIGN_IN_LINK}{_TOKEN}", code="123456"),
        "sign_up": messages.sign_up(site, url=f"{site_url}{urls.WELCOME}{_TOKEN}"),
        "reset": messages.reset(site, url=f"{site_url}{urls.RESET}{_TOKEN}"),
        "new_email": messages.new_email(site, url=f"{site_url}{urls.NEW_EMAIL}{_TOKEN}"),
        "new_email-taken": messages.address_taken(site, sign_in_url=f"{site_url}{urls.SIGN_IN}"),
        "password_cleared": messages.password_cleared(site, reset_url=f"{site_url}{urls.RESET}"),
        "email_changed": messages.email_changed(site, new_address="ann@new.example.com"),
    }


def _order(**change: object) -> Order:
    values: dict[str, object] = {
        "public_id": "ord_0123456789abcdef01234567",
        "email": "ann@example.com",
        "owner_email": "ann@example.com",
        "is_gift": False,
        "state": "paid",
        "amount": 4900,
        "currency": "EUR",
        "total_amount": 4900,
        "refunded_amount": 4900,
        "total_currency": "EUR",
        "receipt_url": "https://pay.stripe.com/receipts/sample",
        "created_at": _NOW,
    }
    return Order(**{**values, **change})


def _gift() -> Gift:
    return Gift(
        recipient_name="Fran",
        sender_name="Ann",
        message="For your new oven, and for slow Sundays.\nHappy birthday!",
        deliver_at=_NOW,
    )
