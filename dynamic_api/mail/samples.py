"""Every message, filled with samples, so that the creator sees them before a customer does."""

from collections.abc import Mapping
from datetime import UTC, datetime

from dynamic_api.core.emails import Email
from dynamic_api.core.models import Gift, Order
from dynamic_api.core.states import OrderState
from dynamic_api.core.tokens import PublicOrderId
from dynamic_api.mail import account_texts, order_texts
from dynamic_api.mail.text import Text
from sitegen import urls
from sitegen.catalog.model import Site

_NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
_EARLIER = PublicOrderId("ord_76543210fedcba9876543210")
_TOKEN = "#token=sample"  # noqa: S105 - opens nothing


def sample_texts(site: Site, title: str, site_url: str) -> Mapping[str, Text]:
    """By the name the outbox has for them; variants carry a suffix."""
    order, free = _order(), _order(total_amount=0, receipt_url=None)
    gift_order = _order(is_gift=True, owner_email=Email.parse("fran@example.com"))
    gift = Gift(
        recipient_name="Fran",
        sender_name="Ann",
        message="For your new oven, and for slow Sundays.\nHappy birthday!",
        deliver_at=_NOW,
    )
    claim_url, library_url = f"{site_url}{urls.CLAIM}{_TOKEN}", f"{site_url}{urls.LIBRARY}"
    return {
        "receipt": order_texts.receipt(site, order, title, claim_url=None, library_url=library_url),
        "receipt-guest": order_texts.receipt(site, order, title, claim_url=claim_url, library_url=library_url),
        "receipt-free": order_texts.receipt(site, free, title, claim_url=claim_url, library_url=library_url),
        "claim": order_texts.claim(site, order, title, claim_url=claim_url),
        "refunded": order_texts.refunded(site, order, title),
        "refunded-gift": order_texts.refunded(site, gift_order, title),
        "paid_twice": order_texts.paid_twice(site, order, _order(public_id=_EARLIER), title),
        "paid_twice_notice": order_texts.paid_twice_notice(site, order, _order(public_id=_EARLIER), title),
        "operator": account_texts.operator_notice(site, "Stripe refuses the key of this installation."),
        "payment_failed": order_texts.payment_failed(site, order, title, course_url=f"{site_url}{urls.COURSES}"),
        "access_ended": order_texts.access_ended(site, order, title),
        "access_ended-gift": order_texts.access_ended(site, gift_order, title),
        "gift": order_texts.gift(site, gift_order, gift, title, claim_url=claim_url),
        "gift_confirmation": order_texts.gift_confirmation(
            site, gift_order, gift, title, gifts_url=f"{site_url}{urls.GIFTS}", day="January 31, 2026"
        ),
        "gift_undeliverable": order_texts.gift_undeliverable(site, gift_order, gift, title),
        "welcome": account_texts.welcome(site, name="Ann", library_url=library_url),
        "news": account_texts.news_confirmation(site, url=f"{site_url}{urls.NEWSLETTER_CONFIRM}{_TOKEN}"),
        "sign_in": account_texts.sign_in(site, url=f"{site_url}{urls.SIGN_IN_LINK}{_TOKEN}", code="123456"),
        "sign_up": account_texts.sign_up(site, url=f"{site_url}{urls.WELCOME}{_TOKEN}"),
        "reset": account_texts.reset(site, url=f"{site_url}{urls.RESET}{_TOKEN}"),
        "new_email": account_texts.new_email(
            site, account="ann@example.com", email="ann@new.example.com", url=f"{site_url}{urls.NEW_EMAIL}{_TOKEN}"
        ),
        "new_email-taken": account_texts.address_taken(site, sign_in_url=f"{site_url}{urls.SIGN_IN}"),
        "email_changed": account_texts.email_changed(site, new_address="ann@new.example.com"),
        "password_cleared": account_texts.password_cleared(site, reset_url=f"{site_url}{urls.RESET}"),
    }


def _order(**change: object) -> Order:
    ann = Email.parse("ann@example.com")
    values: dict[str, object] = {
        "public_id": PublicOrderId("ord_0123456789abcdef01234567"),
        "buyer_email": ann,
        "owner_email": ann,
        "is_gift": False,
        "state": OrderState.PAID,
        "amount": 4900,
        "currency": "EUR",
        "total_amount": 4900,
        "refunded_amount": 4900,
        "total_currency": "EUR",
        "receipt_url": "https://pay.stripe.com/receipts/sample",
        "created_at": _NOW,
    }
    return Order(**values | change)
