"""Stripe: the key, each of its permissions, the webhook endpoint, and the clock. Nothing is made or changed there.

A restricted key answers 403 where a permission is missing (https://docs.stripe.com/keys-best-practices), and 400 or 404
to a request that is allowed and makes no sense, which is what these are.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from dynamic_api.core.settings import Settings
from dynamic_api.doctor.findings import ONE_EACH, Finding, failed, passed, skipped
from dynamic_api.gateways.payments import API_VERSION
from sitegen import urls

_TIMEOUT = 15  # seconds
_MOST_SKEW = 60  # seconds; signatures of webhooks are good for 300
_PERMISSIONS = (
    ("Checkout Sessions", "GET", "/v1/checkout/sessions?limit=1"),
    ("Products", "POST", "/v1/products"),
    ("Customers", "POST", "/v1/customers/cus_none"),
    ("PaymentIntents", "GET", "/v1/payment_intents/pi_none"),
    ("Charges", "GET", "/v1/charges/ch_none"),
    ("Disputes", "GET", "/v1/disputes?limit=1"),
    ("Promotion Codes", "GET", "/v1/promotion_codes?limit=1"),
)
_INVOICES = ("Invoices", "GET", "/v1/invoices/in_none")


async def look_at_stripe(settings: Settings, events: frozenset[str], *, now: datetime) -> AsyncIterator[Finding]:
    """`events` are those that the webhook endpoint has to send."""
    headers = {
        "Authorization": f"Bearer {settings.stripe_secret_key.get_secret_value()}",
        "Stripe-Version": API_VERSION,
    }
    async with httpx.AsyncClient(
        base_url=settings.stripe_api_base, headers=headers, timeout=_TIMEOUT, limits=ONE_EACH
    ) as client:
        try:
            first = await client.get("/v1/checkout/sessions?limit=1")
        except httpx.HTTPError as error:
            yield failed("Stripe", f"cannot be reached: {error or type(error).__name__}", "Check the network.")
            return
        if first.status_code == 401:
            yield failed(
                "Stripe key", "Stripe does not know it", "Set COURSEWRIGHT_STRIPE_SECRET_KEY to a key of yours."
            )
            return
        mode = "live" if "_live_" in settings.stripe_secret_key.get_secret_value() else "test"
        yield passed("Stripe key", f"accepted; it moves {'real' if mode == 'live' else 'test'} money")
        yield _clock(first, now)
        for name, method, path in (*_PERMISSIONS, *([_INVOICES] if settings.invoices else [])):
            answer = await client.request(method, path)
            if answer.status_code == 403:
                remedy = "Add the permission to the key; docs/going-live.md has a link that makes one with all of them."
                yield failed(f"Stripe permission {name}", "the key lacks it", remedy)
            elif answer.status_code >= 500 or answer.status_code == 429:
                yield skipped(f"Stripe permission {name}", f"Stripe answers {answer.status_code}; ask again later")
            else:
                yield passed(f"Stripe permission {name}", "granted")
        yield await _webhook(client, settings, events)


def _clock(answer: httpx.Response, now: datetime) -> Finding:
    try:
        theirs = parsedate_to_datetime(answer.headers["date"])
    except (KeyError, ValueError):
        return skipped("clock", "Stripe's answer has no time")
    skew = abs((now.astimezone(UTC) - theirs).total_seconds())
    if skew > _MOST_SKEW:
        remedy = "Let the machine follow a time server: webhooks and playback need the right time."
        return failed("clock", f"differs from Stripe's by {skew:.0f} seconds", remedy)
    return passed("clock", "agrees with Stripe's")


async def _webhook(client: httpx.AsyncClient, settings: Settings, events: frozenset[str]) -> Finding:
    address = settings.site_url + urls.STRIPE_WEBHOOK
    answer = await client.get("/v1/webhook_endpoints?limit=100")
    if answer.status_code == 403:
        return skipped(
            "Stripe webhook", "this key may not read endpoints; with “Webhook Endpoints: Read” it is looked at"
        )
    if not answer.is_success:
        return skipped("Stripe webhook", f"Stripe answers {answer.status_code}")
    found = next((each for each in answer.json()["data"] if each["url"].rstrip("/") == address), None)
    if found is None:
        return failed("Stripe webhook", f"no endpoint sends to {address}", "Make one; see docs/going-live.md.")
    if found.get("status") != "enabled":
        return failed("Stripe webhook", f"the endpoint is {found.get('status')}", "Enable it in Stripe's dashboard.")
    sent = set(found.get("enabled_events", ()))
    missing = sorted(events - sent) if "*" not in sent else []
    if missing:
        return failed("Stripe webhook", f"it does not send {', '.join(missing)}", "Add these events to the endpoint.")
    if found.get("api_version") not in (None, API_VERSION):
        remedy = f"Make an endpoint with the version {API_VERSION}."
        return failed("Stripe webhook", f"it sends events of version {found['api_version']}", remedy)
    return passed("Stripe webhook", f"{address} gets every event it needs")
