"""Stripe's answers as plain facts: everything the rest of the service knows of a payment."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import stripe

# Names of what we write into metadata at Stripe.
ORDER = "coursewright_order"
INSTALLATION = "coursewright_installation"
LINE = "coursewright_line"


@dataclass(frozen=True)
class RefundFact:
    """A refund, as Stripe has it now. `line` counts from 1, where our own command made it for one line of the order."""

    amount: int
    status: str
    line: int | None = None


@dataclass(frozen=True)
class DisputeFact:
    """A dispute, as Stripe has it now. `amount` in minor units of the payment; `moved` sums its balance transactions.

    `moved` is negative while the bank has the money, 0 when it gave it back, None when nothing was moved yet. It is in
    the currency of the account, so that only its sign says anything.
    """

    status: str
    amount: int
    moved: int | None = None


@dataclass(frozen=True)
class LineFact:
    """A line of a payment page: what was charged for a product, after discounts and with taxes."""

    product_id: str
    total_amount: int


@dataclass(frozen=True)
class PaymentFacts:
    """Everything Stripe knows of one Checkout Session, at one moment. Amounts in minor units."""

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
    invoice_id: str | None = None
    captured_amount: int = 0
    refunds: tuple[RefundFact, ...] = ()
    disputes: tuple[DisputeFact, ...] = ()
    paid_at: datetime | None = None
    lines: tuple[LineFact, ...] = ()


@dataclass(frozen=True)
class CodeFacts:
    """A promotion code with its coupon's restrictions. `minimum` in minor units."""

    id: str
    active: bool
    expires_at: datetime | None
    redemptions_left: int | None
    products: tuple[str, ...]
    currency: str | None
    minimum: int | None
    minimum_currency: str | None
    first_purchase_only: bool
    customer: str | None = None  # the only one who may use it


class PaymentList(StrEnum):
    """What Stripe can list by the moment of its creation."""

    SESSIONS = "sessions"
    REFUNDS = "refunds"
    DISPUTES = "disputes"


@dataclass(frozen=True)
class PaymentReference:
    """An entry of a list: a session, or the payment that a refund or a dispute is about."""

    session_id: str | None
    payment_intent_id: str | None
    order_id: str | None = None
    is_paid: bool | None = None
    is_expired: bool | None = None


@dataclass(frozen=True)
class ReferencePage:
    """One page of a list. `next_after` is where the next page begins, None on the last."""

    references: tuple[PaymentReference, ...]
    next_after: str | None


@dataclass(frozen=True)
class EventFacts:
    """A verified event: a hint about which payment to look at."""

    id: str
    type: str
    livemode: bool
    object_id: str
    session_id: str | None
    payment_intent_id: str | None


def read_event_facts(event: Mapping[str, object]) -> EventFacts:
    """What an event, verified or stored, says about which payment to look at. Raises KeyError for other shapes."""
    data = event["data"]
    subject = data["object"] if isinstance(data, Mapping) else None
    if not isinstance(subject, Mapping):
        raise KeyError("data.object")
    is_session = subject.get("object") == "checkout.session"
    intent = subject.get("id" if subject.get("object") == "payment_intent" else "payment_intent")
    return EventFacts(
        id=str(event["id"]),
        type=str(event["type"]),
        livemode=bool(event["livemode"]),
        object_id=str(subject.get("id")),
        session_id=str(subject["id"]) if is_session else None,
        payment_intent_id=intent if isinstance(intent, str) else None,
    )


def session_reference(session: stripe.checkout.Session) -> PaymentReference:
    """A session's entry in Stripe's list."""
    return PaymentReference(
        session.id,
        _id_of(session.payment_intent),
        order_id_of(session),
        is_paid=session.payment_status in ("paid", "no_payment_required"),
        is_expired=session.status == "expired",
    )


def payment_reference(subject: stripe.Refund | stripe.Dispute) -> PaymentReference:
    """The payment that a refund or a dispute is about."""
    return PaymentReference(None, _id_of(subject.payment_intent))


def _id_of(thing: str | stripe.PaymentIntent | stripe.Invoice | stripe.Customer | None) -> str | None:
    return thing if thing is None or isinstance(thing, str) else thing.id


def order_id_of(session: stripe.checkout.Session) -> str | None:
    """Our public order id, which we gave the session; None for sessions that something else made."""
    metadata = session.metadata
    return metadata[ORDER] if metadata and ORDER in metadata else None


def code_facts(code: stripe.PromotionCode) -> CodeFacts:
    """A promotion code, with its coupon expanded."""
    coupon, rules = code.promotion.coupon, code.restrictions
    if not isinstance(coupon, stripe.Coupon):
        raise TypeError("the coupon must be expanded")
    left = [each.max_redemptions - each.times_redeemed for each in (code, coupon) if each.max_redemptions is not None]
    applies_to = coupon.applies_to if "applies_to" in coupon else None
    return CodeFacts(
        id=code.id,
        active=bool(code.active and coupon.valid),
        expires_at=datetime.fromtimestamp(code.expires_at, UTC) if code.expires_at else None,
        redemptions_left=min(left) if left else None,
        products=tuple(applies_to.products) if applies_to else (),
        currency=coupon.currency.upper() if coupon.currency else None,
        minimum=rules.minimum_amount,
        minimum_currency=rules.minimum_amount_currency.upper() if rules.minimum_amount_currency else None,
        first_purchase_only=bool(rules.first_time_transaction),
        customer=_id_of(code.customer),
    )


def _refund_fact(refund: stripe.Refund) -> RefundFact:
    metadata = refund.metadata
    line = metadata[LINE] if metadata and LINE in metadata else ""
    return RefundFact(refund.amount, refund.status or "pending", int(line) if line.isdecimal() else None)


def _line_facts(session: stripe.checkout.Session) -> Iterator[LineFact]:
    for line in session.line_items.data if session.line_items else ():
        product = line.price.product if line.price else None
        if product is not None:
            yield LineFact(product if isinstance(product, str) else product.id, line.amount_total)


def _dispute_fact(dispute: stripe.Dispute, charge: stripe.Charge | None) -> DisputeFact:
    """In another currency than the payment's, an amount cannot be compared: it then counts as the whole payment."""
    amount = dispute.amount
    if charge is not None and dispute.currency != charge.currency:
        amount = charge.amount_captured
    transactions = dispute.balance_transactions
    return DisputeFact(dispute.status, amount, sum(each.amount for each in transactions) if transactions else None)


def payment_facts(
    session: stripe.checkout.Session,
    intent: stripe.PaymentIntent | None = None,
    refunds: Sequence[stripe.Refund] = (),
    disputes: Sequence[stripe.Dispute] = (),
) -> PaymentFacts:
    """All of Stripe's objects about one payment, as one value."""
    charge = intent.latest_charge if intent is not None else None
    if not isinstance(charge, stripe.Charge):
        charge = None
    details = session.customer_details
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
        receipt_url=charge.receipt_url if charge else None,
        invoice_id=_id_of(session.invoice),
        captured_amount=charge.amount_captured if charge else 0,
        refunds=tuple(_refund_fact(refund) for refund in refunds),
        disputes=tuple(_dispute_fact(dispute, charge) for dispute in disputes),
        paid_at=datetime.fromtimestamp(charge.created, UTC) if charge and charge.paid else None,
        lines=tuple(_line_facts(session)),
    )
