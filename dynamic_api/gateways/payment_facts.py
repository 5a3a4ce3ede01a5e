"""Stripe's answers as plain facts: what the rest of the service knows of a payment."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import stripe


@dataclass(frozen=True)
class RefundFact:
    """A refund, as Stripe has it now."""

    amount: int
    status: str


@dataclass(frozen=True)
class PaymentFacts:
    """Everything Stripe knows of one Checkout Session, at one moment."""

    session_id: str
    order_id: str | None
    livemode: bool
    session_status: str
    payment_status: str
    payment_intent_id: str | None = None
    payment_intent_status: str | None = None
    total_amount: int | None = None
    currency: str | None = None
    email: str | None = None
    receipt_url: str | None = None
    captured_amount: int = 0
    refunds: tuple[RefundFact, ...] = field(default=())
    disputes: tuple[str, ...] = field(default=())
    paid_at: datetime | None = None


@dataclass(frozen=True)
class CodeFacts:
    """A promotion code with what its coupon and its restrictions say. `minimum` in minor units."""

    id: str
    active: bool
    expires_at: datetime | None
    times_left: int | None
    products: tuple[str, ...]
    currency: str | None
    minimum: int | None
    minimum_currency: str | None
    first_purchase_only: bool


class PaymentList(StrEnum):
    """What Stripe can list by the moment it was made."""

    SESSIONS = "sessions"
    REFUNDS = "refunds"
    DISPUTES = "disputes"


@dataclass(frozen=True)
class Mark:
    """Where to look: a session, or the payment that a refund or a dispute is about."""

    session_id: str | None
    payment_intent_id: str | None
    order_id: str | None = None
    is_paid: bool | None = None
    is_expired: bool | None = None


@dataclass(frozen=True)
class Listed:
    """One page of a list, and after what the next begins."""

    marks: tuple[Mark, ...]
    next_after: str | None


@dataclass(frozen=True)
class EventFacts:
    """A verified event: a hint about which payment to look at."""

    id: str
    type: str
    livemode: bool
    session_id: str | None
    payment_intent_id: str | None


def read_event_facts(event: Mapping[str, Any]) -> tuple[EventFacts, Mapping[str, Any]]:
    """What an event, verified or stored, says about which payment to look at."""
    thing: Mapping[str, Any] = event["data"]["object"]
    is_session = thing.get("object") == "checkout.session"
    intent = thing.get("payment_intent")
    return (
        EventFacts(
            id=str(event["id"]),
            type=str(event["type"]),
            livemode=bool(event["livemode"]),
            session_id=str(thing["id"]) if is_session else None,
            payment_intent_id=intent if isinstance(intent, str) else None,
        ),
        thing,
    )


def mark_of(thing: Any) -> Mark:
    intent = thing.payment_intent
    intent_id = intent if intent is None or isinstance(intent, str) else intent.id
    if thing.object != "checkout.session":
        return Mark(None, intent_id)
    return Mark(
        thing.id,
        intent_id,
        order_id_of(thing),
        is_paid=thing.payment_status in ("paid", "no_payment_required"),
        is_expired=thing.status == "expired",
    )


def order_id_of(session: Any) -> str | None:
    metadata = session.metadata
    return metadata["coursewright_order"] if metadata and "coursewright_order" in metadata else None


def code_facts(code: Any) -> CodeFacts:
    coupon, rules = code.promotion.coupon, code.restrictions
    left = [each.max_redemptions - each.times_redeemed for each in (code, coupon) if each.max_redemptions is not None]
    applies_to = coupon.applies_to if "applies_to" in coupon else None
    return CodeFacts(
        id=code.id,
        active=bool(code.active and coupon.valid),
        expires_at=datetime.fromtimestamp(code.expires_at, UTC) if code.expires_at else None,
        times_left=min(left) if left else None,
        products=tuple(applies_to.products) if applies_to else (),
        currency=coupon.currency.upper() if coupon.currency else None,
        minimum=rules.minimum_amount,
        minimum_currency=rules.minimum_amount_currency.upper() if rules.minimum_amount_currency else None,
        first_purchase_only=bool(rules.first_time_transaction),
    )


def payment_facts(session: Any, intent: Any, refunds: tuple[Any, ...], disputes: tuple[Any, ...]) -> PaymentFacts:
    charge = intent.latest_charge if intent is not None else None
    details = session.customer_details
    paid_at = None
    if isinstance(charge, stripe.Charge) and charge.paid:
        paid_at = datetime.fromtimestamp(charge.created, UTC)
    return PaymentFacts(
        session_id=session.id,
        order_id=order_id_of(session),
        livemode=bool(session.livemode),
        session_status=session.status or "open",
        payment_status=session.payment_status,
        payment_intent_id=intent.id if intent is not None else None,
        payment_intent_status=intent.status if intent is not None else None,
        total_amount=session.amount_total,
        currency=session.currency.upper() if session.currency else None,
        email=(details.email if details else None) or session.customer_email,
        receipt_url=charge.receipt_url if isinstance(charge, stripe.Charge) else None,
        captured_amount=charge.amount_captured if isinstance(charge, stripe.Charge) else 0,
        refunds=tuple(RefundFact(refund.amount, refund.status or "pending") for refund in refunds),
        disputes=tuple(dispute.status for dispute in disputes),
        paid_at=paid_at,
    )
