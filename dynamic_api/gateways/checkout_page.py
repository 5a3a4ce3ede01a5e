"""The payment page: what it is made from, in our words and in Stripe's."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dynamic_api.core.settings import Settings, Tax
from dynamic_api.gateways.payment_facts import INSTALLATION, ORDER

Params = dict[str, Any]  # Any: each call takes a TypedDict of its own with the same keys


@dataclass(frozen=True)
class CheckoutLine:
    """What is sold on a payment page. `unit_amount` in minor units."""

    product_id: str
    product_name: str
    unit_amount: int
    quantity: int


@dataclass(frozen=True)
class CheckoutRequest:
    """What a payment page is made from; up to ten lines, which is how many Stripe tells of at once."""

    order_id: str
    installation: str
    lines: tuple[CheckoutLine, ...]
    currency: str
    success_url: str
    cancel_url: str
    email: str | None
    customer: str | None
    expires_at: datetime
    promotion_code_id: str | None = None
    choose_code: bool = True


def session_params(request: CheckoutRequest, settings: Settings) -> Params:
    """What Stripe is asked for."""
    metadata = {ORDER: request.order_id, INSTALLATION: request.installation}
    params: Params = {
        "mode": "payment",
        "client_reference_id": request.order_id,
        "line_items": [
            {
                "quantity": line.quantity,
                "price_data": {
                    "currency": request.currency.lower(),
                    "unit_amount": line.unit_amount,
                    "product": line.product_id,
                    **({} if settings.tax is Tax.OFF else {"tax_behavior": settings.tax_behavior.value}),
                },
            }
            for line in request.lines
        ],
        "success_url": request.success_url,
        "cancel_url": request.cancel_url,
        "expires_at": int(request.expires_at.timestamp()),
        "metadata": metadata,
        "payment_intent_data": {"metadata": metadata},
    }
    params |= _wanted_options(settings)
    # Stripe takes one of the two, never both.
    if request.promotion_code_id:
        params["discounts"] = [{"promotion_code": request.promotion_code_id}]
    elif request.choose_code:
        params["allow_promotion_codes"] = True
    if request.customer:
        return params | {"customer": request.customer, **_kept_in_step(settings)}
    if "discounts" in params or "allow_promotion_codes" in params:
        # Without a customer, Stripe cannot tell a first purchase and refuses codes for first purchases.
        # https://docs.stripe.com/payments/checkout/discounts
        params["customer_creation"] = "always"
    if request.email:
        params["customer_email"] = request.email
    return params


def _kept_in_step(settings: Settings) -> Params:
    """What Stripe must be allowed to write to a customer before it computes taxes, or takes a tax number, for one."""
    wanted = {"address": settings.tax is Tax.STRIPE or settings.tax_ids, "name": settings.tax_ids}
    update = {name: "auto" for name, is_wanted in wanted.items() if is_wanted}
    return {"customer_update": update} if update else {}


def _wanted_options(settings: Settings) -> Params:
    """What the installation wants on every payment page.

    Both kinds of tax are always said, on or off: an account may have either on by default, and then taxes, or refuses,
    what leaves the field out. Managed Payments refuses the field for the other one.
    https://docs.stripe.com/api/checkout/sessions/create
    """
    taxes: Params = {"managed_payments": {"enabled": settings.tax is Tax.MANAGED}}
    if settings.tax is not Tax.MANAGED:
        taxes["automatic_tax"] = {"enabled": settings.tax is Tax.STRIPE}
    wanted = {
        "tax_id_collection": (settings.tax_ids, {"enabled": True}),
        "invoice_creation": (settings.invoices, {"enabled": True}),
        "consent_collection": (settings.terms_consent, {"terms_of_service": "required"}),
    }
    return taxes | {name: value for name, (on, value) in wanted.items() if on}
