"""Stripe's objects, with the keys of the pinned API version. A test holds each key against the SDK's own types."""

from .store import Json, Store, new_id

API_VERSION = "2026-10-28.endive"


def session(store: Store, params: Json, *, amount: int, currency: str, page: str) -> Json:
    """A Checkout Session that waits for its buyer."""
    name = new_id("cs")
    return {
        "id": name,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "after_expiration": None,
        "allow_promotion_codes": params.get("allow_promotion_codes") == "true" or None,
        "amount_subtotal": amount,
        "amount_total": amount,
        "automatic_tax": {
            "enabled": params.get("automatic_tax", {}).get("enabled") == "true",
            "liability": None,
            "provider": None,
            "status": None,
        },
        "billing_address_collection": None,
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": params.get("consent_collection"),
        "created": store.now(),
        "currency": currency,
        "currency_conversion": None,
        "custom_fields": [],
        "customer": params.get("customer"),
        "customer_creation": params.get("customer_creation", "if_required"),
        "customer_details": None,
        "customer_email": params.get("customer_email"),
        "discounts": [],
        "expires_at": int(params.get("expires_at") or store.now() + 24 * 3600),
        "invoice": None,
        "invoice_creation": params.get("invoice_creation"),
        "livemode": False,
        "locale": None,
        "managed_payments": {"enabled": params.get("managed_payments", {}).get("enabled") == "true"},
        "metadata": params.get("metadata", {}),
        "mode": params["mode"],
        "payment_intent": None,
        "payment_link": None,
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "recovered_from": None,
        "setup_intent": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": None,
        "subscription": None,
        "success_url": params.get("success_url"),
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{page}/c/pay/{name}",
    }


def customer(params: Json, *, now: int) -> Json:
    """A customer."""
    return {
        "id": new_id("cus"),
        "object": "customer",
        "created": now,
        "email": params.get("email"),
        "livemode": False,
        "metadata": params.get("metadata", {}),
        "name": params.get("name"),
    }


def invoice(store: Store, session: Json, *, page: str) -> Json:
    """An invoice for a paid session, written at once."""
    name = new_id("in")
    return {
        "id": name,
        "object": "invoice",
        "created": store.now(),
        "currency": session["currency"],
        "customer": session["customer"],
        "hosted_invoice_url": f"{page}/invoices/{name}",
        "invoice_pdf": f"{page}/invoices/{name}/pdf",
        "livemode": False,
        "number": f"SANDBOX-{len(store.all('invoice')) + 1:04d}",
        "status": "paid",
        "total": session["amount_total"],
    }


def line_item(item: Json, product: Json, *, currency: str) -> Json:
    """One line of a session."""
    amount = int(item["price_data"]["unit_amount"]) * int(item.get("quantity", 1))
    return {
        "id": new_id("li"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": currency,
        "description": product["name"],
        "price": {
            "id": new_id("price"),
            "object": "price",
            "active": False,
            "currency": currency,
            "product": product["id"],
            "type": "one_time",
            "unit_amount": int(item["price_data"]["unit_amount"]),
        },
        "quantity": int(item.get("quantity", 1)),
    }


def payment_intent(store: Store, session: Json, *, metadata: Json) -> Json:
    """The payment of a session; Stripe makes it when the buyer confirms."""
    name = new_id("pi")
    return {
        "id": name,
        "object": "payment_intent",
        "amount": session["amount_total"],
        "amount_capturable": 0,
        "amount_received": 0,
        "application": None,
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "always"},
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": None,
        "confirmation_method": "automatic",
        "created": store.now(),
        "currency": session["currency"],
        "customer": None,
        "description": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": metadata,
        "next_action": None,
        "payment_method": None,
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": None,
        "setup_future_usage": None,
        "shipping": None,
        "statement_descriptor": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }


def charge(store: Store, intent: Json, *, email: str, name: str, last4: str, page: str) -> Json:
    """A charge that went through."""
    identifier = new_id("ch")
    return {
        "id": identifier,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"],
        "amount_refunded": 0,
        "balance_transaction": None,
        "billing_details": {"address": None, "email": email, "name": name, "phone": None, "tax_id": None},
        "captured": True,
        "created": store.now(),
        "currency": intent["currency"],
        "customer": None,
        "description": None,
        "disputed": False,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "outcome": {
            "network_status": "approved_by_network",
            "type": "authorized",
            "seller_message": "Payment complete.",
        },
        "paid": True,
        "payment_intent": intent["id"],
        "payment_method": None,
        "payment_method_details": {"type": "card", "card": {"brand": "visa", "last4": last4}},
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": f"{page}/receipts/{identifier}",
        "refunded": False,
        "review": None,
        "shipping": None,
        "statement_descriptor": None,
        "status": "succeeded",
        "transfer_group": None,
    }


def refund(store: Store, charge: Json, *, amount: int, status: str, metadata: Json) -> Json:
    """Money on its way back."""
    return {
        "id": new_id("re"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": store.now(),
        "currency": charge["currency"],
        "metadata": metadata,
        "payment_intent": charge["payment_intent"],
        "reason": None,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": status,
        "transfer_reversal": None,
    }


def balance_transaction(store: Store, dispute: Json, *, amount: int) -> Json:
    """Money that left the account for a dispute, or came back."""
    return {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "created": store.now(),
        "currency": dispute["currency"],
        "fee": 1500 if amount < 0 else 0,
        "net": amount - (1500 if amount < 0 else 0),
        "reporting_category": "dispute" if amount < 0 else "dispute_reversal",
        "source": dispute["id"],
        "status": "available",
        "type": "adjustment",
    }


def dispute(store: Store, charge: Json, *, status: str, amount: int | None = None) -> Json:
    """A buyer's bank wants the money back, all of it unless told how much."""
    return {
        "id": new_id("du"),
        "object": "dispute",
        "amount": charge["amount"] if amount is None else amount,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": store.now(),
        "currency": charge["currency"],
        "evidence": {},
        "evidence_details": {"due_by": store.now() + 7 * 86400, "has_evidence": False, "past_due": False},
        "is_charge_refundable": False,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": "fraudulent",
        "status": status,
    }


def event(store: Store, kind: str, thing: Json) -> Json:
    """A snapshot of an object, with what happened to it."""
    return {
        "id": new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": store.now(),
        "data": {"object": store.snapshot(thing)},
        "livemode": False,
        "pending_webhooks": 0,
        "request": {"id": None, "idempotency_key": None},
        "type": kind,
    }


def coupon(name: str, percent: int, *, products: list[str] | None = None) -> Json:
    """A discount."""
    return {
        "id": name,
        "object": "coupon",
        "amount_off": None,
        "created": 0,
        "currency": None,
        "duration": "once",
        "duration_in_months": None,
        "livemode": False,
        "max_redemptions": None,
        "metadata": {},
        "name": name,
        "percent_off": float(percent),
        "redeem_by": None,
        "times_redeemed": 0,
        "valid": True,
        # Stripe shows this only where it is expanded; so does the sandbox.
        "applies_to": {"products": products} if products else None,
    }


def promotion_code(code: str, coupon_id: str, **more: object) -> Json:
    """What buyers type to get a discount."""
    restrictions = {
        name: more.pop(name, default)
        for name, default in (
            ("first_time_transaction", False),
            ("minimum_amount", None),
            ("minimum_amount_currency", None),
        )
    }
    return {
        "id": new_id("promo"),
        "object": "promotion_code",
        "active": True,
        "code": code,
        "created": 0,
        "customer": None,
        "expires_at": None,
        "livemode": False,
        "max_redemptions": None,
        "metadata": {},
        "promotion": {"type": "coupon", "coupon": coupon_id},
        "restrictions": restrictions,
        "times_redeemed": 0,
        **more,
    }


def product(params: Json, *, now: int) -> Json:
    """What is sold."""
    return {
        "id": params["id"],
        "object": "product",
        "active": True,
        "created": now,
        "default_price": None,
        "description": params.get("description"),
        "images": [],
        "livemode": False,
        "marketing_features": [],
        "metadata": params.get("metadata", {}),
        "name": params["name"],
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": params.get("tax_code"),
        "unit_label": None,
        "updated": now,
        "url": None,
    }


def webhook_endpoint(store: Store, params: Json, *, secret: str) -> Json:
    """Where events go. The secret is shown this once."""
    return {
        "id": new_id("we"),
        "object": "webhook_endpoint",
        "api_version": params.get("api_version"),
        "application": None,
        "created": store.now(),
        "description": params.get("description"),
        "enabled_events": params["enabled_events"],
        "livemode": False,
        "metadata": {},
        "secret": secret,
        "status": "enabled",
        "url": params["url"],
    }
