"""Promotion codes typed into our own box: looked up at Stripe, and refused with a reason people understand.

Stripe counts redemptions when somebody pays, and refuses on its page whoever comes second for the last one.
https://docs.stripe.com/billing/subscriptions/coupons#promotion-codes
"""

from collections.abc import Sequence
from datetime import datetime

from dynamic_api.core.notices import FormRefused, Notice
from dynamic_api.gateways.payment_facts import CodeFacts
from dynamic_api.gateways.payments import Payments
from sitegen.catalog.model import Price

LONGEST = 100


async def find_code(
    payments: Payments,
    typed: str,
    price: Price,
    products: Sequence[str],
    *,
    has_bought: bool,
    customer: str | None,
    now: datetime,
) -> str:
    """Stripe's id of a code that is valid for this purchase. Raises FormRefused, PaymentsUnavailable."""
    codes = await payments.codes(typed.strip()) if len(typed) <= LONGEST else []
    if not codes:
        raise FormRefused(Notice.CODE_UNKNOWN)
    # A code may have been used for several coupons over the years; the one that is still valid decides.
    reasons = []
    for code in codes:
        reason = refusal(code, price, products, has_bought=has_bought, customer=customer, now=now)
        if reason is None:
            return code.id
        reasons.append(reason)
    explained = [reason for reason in reasons if reason is not Notice.CODE_EXPIRED]
    raise FormRefused(explained[0] if explained else Notice.CODE_EXPIRED)


def refusal(
    code: CodeFacts, price: Price, products: Sequence[str], *, has_bought: bool, customer: str | None, now: datetime
) -> Notice | None:
    """Why this code is not accepted, or None. Pure.

    | fact                                            | notice             |
    |-------------------------------------------------|--------------------|
    | inactive, past its last day, or used up         | code-expired       |
    | its coupon names other products, or a currency  | code-other-course  |
    | the price is below its minimum                  | code-minimum       |
    | for first purchases, and this is not one        | code-first-only    |
    | for one customer, and this is somebody else     | code-other-person  |
    """
    if not code.active or (code.expires_at is not None and code.expires_at <= now):
        return Notice.CODE_EXPIRED
    if code.redemptions_left is not None and code.redemptions_left <= 0:
        return Notice.CODE_EXPIRED
    if code.products and not set(code.products) & set(products):
        return Notice.CODE_OTHER_COURSE
    if code.currency is not None and code.currency != price.currency:
        return Notice.CODE_OTHER_COURSE
    if code.minimum is not None and (code.minimum_currency != price.currency or price.amount < code.minimum):
        return Notice.CODE_MINIMUM
    if code.first_purchase_only and has_bought:
        return Notice.CODE_FIRST_ONLY
    if code.customer not in (None, customer):
        return Notice.CODE_OTHER_PERSON
    return None
