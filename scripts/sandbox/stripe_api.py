"""The calls of Stripe's API that the service makes."""

import asyncio
import secrets
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from . import stripe_objects as make
from .bank import Bank
from .store import Json, Store
from .wire import (
    StripeProblem,
    decode,
    expanded,
    fingerprint,
    invalid,
    listing,
    missing,
    refuse_unknown,
    whole,
)

Call = Callable[[Bank, Request, Json], Json]

# What the smallest charge is, in minor units; other currencies are converted first, which the sandbox does not do.
# https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
_MINIMUM = {"usd": 50, "eur": 50, "gbp": 30, "chf": 50, "dkk": 250, "sek": 300, "nok": 300, "huf": 17500, "jpy": 50}
_MANAGED_REFUSES = ("automatic_tax", "tax_id_collection", "invoice_creation", "billing_address_collection")
_SHORTEST, _LONGEST = 30 * 60, 24 * 3600  # seconds that a payment page may stay open

_SESSION_PARAMS = (
    "mode",
    "client_reference_id",
    "line_items",
    "success_url",
    "cancel_url",
    "metadata",
    "payment_intent_data",
    "allow_promotion_codes",
    "discounts",
    "customer",
    "customer_email",
    "customer_creation",
    "customer_update",
    "automatic_tax",
    "managed_payments",
    "tax_id_collection",
    "invoice_creation",
    "consent_collection",
    "expires_at",
    "locale",
    "billing_address_collection",
)


def call(method: str, path: str, answer: Call, permission: str) -> Route:
    """A route that speaks Stripe's wire format around one answer; `permission` is what a restricted key needs."""

    async def endpoint(request: Request) -> Response:
        bank: Bank = request.app.state.bank
        body = (await request.body()).decode()
        params = decode(body or request.url.query)
        key = request.headers.get("idempotency-key")
        if (outage := await _outage(request)) is not None:
            return outage
        try:
            _authenticate(request)
            restricted = "rk_test_" in request.headers["authorization"]
            for needed in (permission, *_permissions_to_expand(params)):
                if not bank.allows(needed, restricted=restricted):
                    raise StripeProblem(
                        403,
                        "invalid_request_error",
                        f"The provided key does not have the required permissions for this endpoint. Having the "
                        f"'{needed}' permission would allow this request to continue.",
                    )
            kept = _repeated(bank.store, key, request.url.path, body) if method == "POST" and key else None
            if kept is None:
                thing = answer(bank, request, params)
                kept = {"status": 200, "body": expanded(bank.store, thing, _expansions(params))}
        except StripeProblem as problem:
            kept = {"status": problem.status, "body": problem.body}
        if method == "POST" and key and kept["status"] != 400:
            # Answers to requests that were carried out are kept; a refused parameter may be corrected and sent again.
            bank.store.idempotency[key] = {**kept, "of": fingerprint(request.url.path, body)}
        bank.store.save()
        return JSONResponse(kept["body"], kept["status"], headers={"Request-Id": f"req_{secrets.token_hex(7)}"})

    return Route(path, endpoint, methods=[method])


_TO_EXPAND = {
    "payment_intent": "rak_payment_intent_read",
    "latest_charge": "rak_charge_read",
    "coupon": "rak_coupon_read",
    "invoice": "rak_invoice_read",
    "customer": "rak_customer_read",
}


def _permissions_to_expand(params: Json) -> list[str]:
    """What reading the expanded objects needs beyond the call itself."""
    names = {name for path in _expansions(params) for name in path.split(".")}
    return [needed for name, needed in _TO_EXPAND.items() if name in names]


async def _outage(request: Request) -> Response | None:
    """Fails or delays a request, where the dashboard asked for an outage."""
    outage: Json = request.app.state.outage
    if outage.get("left", 0) <= 0:
        return None
    outage["left"] -= 1
    if outage.get("seconds"):
        await asyncio.sleep(float(outage["seconds"]))
    if not outage.get("status"):
        return None
    error = {"type": "api_error", "message": "An unknown error occurred."}
    return JSONResponse({"error": error}, int(outage["status"]))


def _authenticate(request: Request) -> None:
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or not key.startswith(("sk_test_", "rk_test_")):
        raise StripeProblem(401, "invalid_request_error", "Invalid API Key provided.")
    if "stripe-version" not in request.headers:
        raise invalid("The sandbox wants every call to pin its Stripe-Version.")


def _repeated(store: Store, key: str, path: str, body: str) -> Json | None:
    kept = store.idempotency.get(key)
    if kept is not None and kept["of"] != fingerprint(path, body):
        raise StripeProblem(
            400,
            "idempotency_error",
            f"Keys for idempotent requests can only be used with the same parameters they were first used with: {key}",
        )
    return kept


def _expansions(params: Json) -> list[str]:
    value = params.get("expand", [])
    return value if isinstance(value, list) else [str(value)]


def create_session(bank: Bank, request: Request, params: Json) -> Json:
    """POST /v1/checkout/sessions."""
    refuse_unknown(params, _SESSION_PARAMS)
    if params.get("mode") != "payment":
        raise invalid("The sandbox knows payment mode only.", param="mode")
    if "discounts" in params and "allow_promotion_codes" in params:
        raise invalid("You may only specify one of these parameters: allow_promotion_codes, discounts.")
    items = params.get("line_items")
    if not isinstance(items, list) or not items:
        raise invalid("You must provide line_items.", param="line_items")
    if "customer" in params:
        if bank.store.get("customer", params["customer"]) is None:
            raise missing("customer", params["customer"], param="customer", status=400)
        for name in ("customer_email", "customer_creation"):
            if name in params:
                raise invalid(f"You may only specify one of these parameters: customer, {name}.")
        update = params.get("customer_update", {})
        if _is_on(params, "automatic_tax", by_default=False) and update.get("address") != "auto":
            raise invalid(
                "Automatic tax calculation in Checkout requires a valid address on the Customer. Add a valid address "
                "to the Customer or set 'customer_update[address]' to 'auto'.",
                code="customer_tax_location_invalid",
            )
        if _is_on(params, "tax_id_collection", by_default=False) and update.get("name") != "auto":
            raise invalid(
                "Tax ID collection requires updating business name on the customer. To enable tax ID collection for an "
                "existing customer, please set `customer_update[name]` to `auto`."
            )
    currency = str(items[0]["price_data"].get("currency", ""))
    _check_times(bank.store, params)
    managed = _is_on(params, "managed_payments", by_default=True)
    if managed:
        for name in _MANAGED_REFUSES:
            if name in params:
                raise invalid(
                    f"Unsupported parameter: {name}. Managed Payments, which is enabled by default on your account, "
                    "handles this parameter for you."
                )
    lines, total = [], 0
    for number, item in enumerate(items):
        price = item["price_data"]
        total += whole(price, "unit_amount") * whole(item, "quantity", least=1)
        product = bank.store.get("product", str(price.get("product")))
        if product is None:
            raise missing(
                "product", str(price.get("product")), param=f"line_items[{number}][price_data][product]", status=400
            )
        if not product["active"]:
            raise invalid(
                f"The product {product['id']} is marked as inactive, and thus no new prices can be used with it.",
                code="product_inactive",
                param=f"line_items[{number}][price_data][product]",
            )
        if managed and product["tax_code"] is None:
            raise invalid(f"Invalid line_items[{number}]: the product tax code is missing.")
        if _is_on(params, "automatic_tax", by_default=False) and "tax_behavior" not in price:
            raise invalid(f"Invalid line_items[{number}]: the price needs a tax_behavior.")
        lines.append(make.line_item(item, product, currency=currency))
    codes = [bank.promotion(str(each.get("promotion_code"))) for each in params.get("discounts", [])]
    for code in codes:
        applies_to = bank.store.objects[code["promotion"]["coupon"]].get("applies_to")
        if applies_to and not {line["price"]["product"] for line in lines} & set(applies_to["products"]):
            raise invalid(
                "This promotion code cannot be redeemed: it does not apply to anything in this order.",
                param="discounts[0][promotion_code]",
            )
        if (refusal := bank.refusal_of(code, params.get("customer"))) is not None:
            raise invalid(refusal, param="discounts[0][promotion_code]")
        is_guest = "customer" not in params and params.get("customer_creation") != "always"
        if code["restrictions"]["first_time_transaction"] and is_guest:
            raise invalid(
                "This promotion code is restricted to first-time customers, and a guest is none.",
                param="discounts[0][promotion_code]",
            )
    session = make.session(bank.store, params, amount=total, currency=currency, page=bank.page)
    bank.store.line_items[session["id"]] = lines
    bank.store.intent_metadata[session["id"]] = params.get("payment_intent_data", {}).get("metadata", {})
    for code in codes:
        bank.redeem(session, code)
    _check_amount(session["amount_total"], currency)
    return bank.store.add(session)


def _is_on(params: Json, name: str, *, by_default: bool) -> bool:
    """Whether a feature is on; a new account has Managed Payments on where the field is left out."""
    return bool(params[name].get("enabled") == "true") if name in params else by_default


def _check_times(store: Store, params: Json) -> None:
    if "expires_at" not in params:
        return
    ahead = int(params["expires_at"]) - store.now()
    if ahead < _SHORTEST:
        raise invalid("The `expires_at` timestamp must be at least 30 minutes from now.", param="expires_at")
    if ahead > _LONGEST:
        raise invalid("The `expires_at` timestamp must be less than 24 hours from now.", param="expires_at")


def _check_amount(total: int, currency: str) -> None:
    if 0 < total < _MINIMUM.get(currency, 1):
        raise invalid(
            f"The Checkout Session's total amount due must add up to at least {_MINIMUM[currency]} {currency}.",
            code="amount_too_small",
        )
    if total > 99_999_999:
        raise invalid("Amount must be no more than 999,999.99.", code="amount_too_large")
    step = 10 if currency in ("bhd", "jod", "kwd", "omr", "tnd") else 100 if currency in ("isk", "ugx") else 1
    if total % step:
        raise invalid(
            f"Invalid amount: amounts in {currency} must be multiples of {step}.", code="parameter_invalid_integer"
        )


def retrieve(kind: str) -> Call:
    """GET /v1/…/{id}."""

    def answer(bank: Bank, request: Request, params: Json) -> Json:
        refuse_unknown(params, ())
        name = request.path_params["id"]
        thing = bank.store.get(kind, name)
        if thing is None:
            raise missing(kind, name)
        return thing

    return answer


def list_of(kind: str, url: str, *filters: str) -> Call:
    """GET /v1/… with the filters we use."""

    def answer(bank: Bank, request: Request, params: Json) -> Json:
        refuse_unknown(params, ("limit", "starting_after", "created", *filters))
        found = bank.store.all(kind)
        if "created" in params:
            found = [thing for thing in found if thing["created"] >= whole(params["created"], "gte")]
        for name in filters:
            if name in params:
                found = [thing for thing in found if str(thing.get(name)).lower() == str(params[name]).lower()]
        if "starting_after" in params:
            ids = [thing["id"] for thing in found]
            found = found[ids.index(params["starting_after"]) + 1 :]
        return listing(found, url, limit=int(params.get("limit", 10)))

    return answer


def create_product(bank: Bank, request: Request, params: Json) -> Json:
    """POST /v1/products."""
    refuse_unknown(params, ("id", "name", "description", "metadata", "tax_code"))
    if "name" not in params:
        raise invalid("Missing required param: name.", code="parameter_missing", param="name")
    if bank.store.get("product", params["id"]):
        raise invalid("Product already exists.", code="resource_already_exists", param="id")
    return bank.store.add(make.product(params, now=bank.store.now()))


def update_product(bank: Bank, request: Request, params: Json) -> Json:
    """POST /v1/products/{id}."""
    refuse_unknown(params, ("name", "active", "description", "metadata", "tax_code"))
    product = bank.store.get("product", request.path_params["id"])
    if product is None:
        raise missing("product", request.path_params["id"])
    product.update({name: value == "true" if name == "active" else value for name, value in params.items()})
    return product


def create_customer(bank: Bank, request: Request, params: Json) -> Json:
    """POST /v1/customers."""
    refuse_unknown(params, ("email", "name", "metadata"))
    return bank.store.add(make.customer(params, now=bank.store.now()))


def update_customer(bank: Bank, request: Request, params: Json) -> Json:
    """POST /v1/customers/{id}."""
    refuse_unknown(params, ("email", "name", "metadata"))
    customer = bank.store.get("customer", request.path_params["id"])
    if customer is None:
        raise missing("customer", request.path_params["id"])
    customer.update(params)
    return customer


def create_refund(bank: Bank, request: Request, params: Json) -> Json:
    """POST /v1/refunds."""
    refuse_unknown(params, ("payment_intent", "amount", "metadata", "reason"))
    amount = whole(params, "amount", least=1) if "amount" in params else None
    return bank.refund(params["payment_intent"], amount=amount, metadata=params.get("metadata"))


def expire_session(bank: Bank, request: Request, params: Json) -> Json:
    """POST /v1/checkout/sessions/{id}/expire."""
    session = bank.store.get("checkout.session", request.path_params["id"])
    if session is None:
        raise missing("checkout.session", request.path_params["id"])
    bank.expire(session)
    return session


def create_endpoint(bank: Bank, request: Request, params: Json) -> Json:
    """POST /v1/webhook_endpoints."""
    refuse_unknown(params, ("url", "enabled_events", "api_version", "description"))
    return bank.store.add(make.webhook_endpoint(bank.store, params, secret=f"whsec_{secrets.token_hex(16)}"))


routes = [
    call("POST", "/v1/products", create_product, "rak_product_write"),
    call("POST", "/v1/products/{id}", update_product, "rak_product_write"),
    call("POST", "/v1/checkout/sessions", create_session, "rak_checkout_session_write"),
    call(
        "GET",
        "/v1/checkout/sessions",
        list_of("checkout.session", "/v1/checkout/sessions", "payment_intent"),
        "rak_checkout_session_write",
    ),
    call("GET", "/v1/checkout/sessions/{id}", retrieve("checkout.session"), "rak_checkout_session_write"),
    call("POST", "/v1/checkout/sessions/{id}/expire", expire_session, "rak_checkout_session_write"),
    call("GET", "/v1/payment_intents/{id}", retrieve("payment_intent"), "rak_payment_intent_read"),
    call("GET", "/v1/charges/{id}", retrieve("charge"), "rak_charge_read"),
    call("POST", "/v1/customers", create_customer, "rak_customer_write"),
    call("POST", "/v1/customers/{id}", update_customer, "rak_customer_write"),
    call("GET", "/v1/invoices/{id}", retrieve("invoice"), "rak_invoice_read"),
    call("POST", "/v1/refunds", create_refund, "rak_charge_write"),
    call("GET", "/v1/refunds", list_of("refund", "/v1/refunds", "payment_intent", "charge"), "rak_charge_read"),
    call("GET", "/v1/disputes", list_of("dispute", "/v1/disputes", "payment_intent", "charge"), "rak_dispute_read"),
    call(
        "GET",
        "/v1/promotion_codes",
        list_of("promotion_code", "/v1/promotion_codes", "code", "active"),
        "rak_promotion_code_read",
    ),
    call("GET", "/v1/events", list_of("event", "/v1/events", "type"), "rak_event_read"),
    call("GET", "/v1/events/{id}", retrieve("event"), "rak_event_read"),
    call("POST", "/v1/webhook_endpoints", create_endpoint, "rak_webhook_read"),
    call("GET", "/v1/webhook_endpoints", list_of("webhook_endpoint", "/v1/webhook_endpoints"), "rak_webhook_read"),
]
