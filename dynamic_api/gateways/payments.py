"""Stripe: everything we ask of it.

Pinned to one API version, so that Stripe's changes arrive when we choose. Every write has an idempotency key.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import stripe

from dynamic_api.core.settings import Settings, Tax
from dynamic_api.gateways.payment_errors import (
    PaymentsMisconfigured,
    PaymentsUnavailable,
    code_refusal,
    failure,
    is_about_product,
)
from dynamic_api.gateways.payment_facts import (
    INSTALLATION,
    ORDER,
    CodeFacts,
    EventFacts,
    PaymentFacts,
    PaymentList,
    ReferencePage,
    code_facts,
    order_id_of,
    payment_facts,
    payment_reference,
    read_event_facts,
    session_reference,
)

API_VERSION = "2026-10-28.endive"
TIMEOUT = 10  # seconds
LONGEST_SIGNATURE = 2000  # letters of a header; Stripe's has one signature for each secret that is valid now
PAGE = 100  # the most Stripe lists at once

Params = dict[str, Any]  # Any: each call takes a TypedDict of its own with the same keys


class SignatureMismatch(Exception):
    """A webhook body that is not accepted; the message says why, for the operator's log and nobody else."""


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
    expires_at: datetime
    promotion_code_id: str | None = None
    choose_code: bool = True


@dataclass(frozen=True)
class CheckoutPage:
    """A payment page that was made."""

    session_id: str
    url: str
    livemode: bool


class Payments:
    """The Stripe account of this installation."""

    def __init__(self, settings: Settings, *, timeout: float = TIMEOUT, page: int = PAGE) -> None:
        self.page = page
        self._secrets = settings.stripe_webhook_secrets
        self._options = _checkout_options(settings)
        key = settings.stripe_secret_key.get_secret_value()
        # A key says whether it moves real money: https://docs.stripe.com/keys
        self.livemode = "_live_" in key
        self._tax, self._tax_code, self._tax_behavior = settings.tax, settings.tax_code, settings.tax_behavior
        self._products: dict[str, str] = {}  # names as Stripe has them, so that they are not written again
        self.problem: str | None = None  # what the operator has to fix; None once Stripe answers again
        self._http = stripe.HTTPXClient(timeout=timeout)
        # A client object makes no retries unless told (the module's default is not applied to it).
        self._client = stripe.StripeClient(
            key,
            stripe_version=API_VERSION,
            base_addresses={"api": settings.stripe_api_base},
            max_network_retries=2,
            http_client=self._http,
        )

    async def close(self) -> None:
        """Close connections."""
        await self._http.close_async()  # type: ignore[no-untyped-call]

    async def open_checkout(self, request: CheckoutRequest) -> CheckoutPage:
        """Make the payment page; the same one for the same order, however often.

        Raises CodeTaken, CodeTooLarge, PaymentsUnavailable.
        """
        try:
            await self._keep_products(request, attempt=1)
            try:
                session = await self._create_session(request, attempt=1)
            except stripe.InvalidRequestError as error:
                if (refusal := code_refusal(error, has_code=request.promotion_code_id is not None)) is not None:
                    raise refusal from error
                if not is_about_product(error):
                    raise
                # Stripe may repeat a refusal to a used key, so the retry has its own.
                for line in request.lines:
                    self._products.pop(line.product_id, None)
                await self._keep_products(request, attempt=2)
                session = await self._create_session(request, attempt=2)
        except stripe.StripeError as error:
            raise self._failed(error) from error
        self.problem = None
        if not session.url:
            raise PaymentsUnavailable("Stripe made a session without an address")
        return CheckoutPage(session.id, session.url, bool(session.livemode))

    async def _create_session(self, request: CheckoutRequest, *, attempt: int) -> stripe.checkout.Session:
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
                        **({} if self._tax is Tax.OFF else {"tax_behavior": self._tax_behavior.value}),
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
        params |= self._options
        # Stripe takes one of the two, never both.
        if request.promotion_code_id:
            params["discounts"] = [{"promotion_code": request.promotion_code_id}]
        elif request.choose_code:
            params["allow_promotion_codes"] = True
        if "discounts" in params or "allow_promotion_codes" in params:
            # Without a customer, Stripe cannot tell a first purchase and refuses codes for first purchases.
            # https://docs.stripe.com/payments/checkout/discounts
            params["customer_creation"] = "always"
        if request.email:
            params["customer_email"] = request.email
        return await self._client.v1.checkout.sessions.create_async(
            params,  # type: ignore[arg-type]
            options={"idempotency_key": f"checkout-{request.order_id}-{attempt}"},
        )

    async def _keep_products(self, request: CheckoutRequest, *, attempt: int) -> None:
        for line in request.lines:
            if self._products.get(line.product_id) != line.product_name:
                await self._keep_product(line, key=f"{request.order_id}-{line.product_id}-{attempt}")

    async def _keep_product(self, line: CheckoutLine, *, key: str) -> None:
        """Make the product, or bring its name up to date and put it on sale again."""
        about: Params = {"name": line.product_name, "tax_code": self._tax_code}
        try:
            await self._client.v1.products.create_async(
                {"id": line.product_id, **about},  # type: ignore[typeddict-item]
                options={"idempotency_key": f"product-{key}"},
            )
        except stripe.InvalidRequestError as error:
            if error.code != "resource_already_exists":
                raise
            about["active"] = True
            await self._client.v1.products.update_async(line.product_id, about)  # type: ignore[arg-type]
        self._products[line.product_id] = line.product_name

    async def close_checkout(self, session_id: str) -> None:
        """Close a payment page; nothing happens when it is closed already. Raises PaymentsUnavailable."""
        try:
            await self._client.v1.checkout.sessions.expire_async(session_id)
        except stripe.InvalidRequestError:
            return  # it is complete or expired already
        except stripe.StripeError as error:
            raise self._failed(error) from error

    async def facts(self, session_id: str) -> PaymentFacts:
        """Ask Stripe for everything about one session. Raises PaymentsUnavailable."""
        try:
            session = await self._client.v1.checkout.sessions.retrieve_async(
                session_id, {"expand": ["payment_intent.latest_charge", "line_items"]}
            )
            intent = session.payment_intent
            if not isinstance(intent, stripe.PaymentIntent):
                return payment_facts(session)
            refunds = await self._client.v1.refunds.list_async({"payment_intent": intent.id, "limit": PAGE})
            disputes = await self._client.v1.disputes.list_async({"payment_intent": intent.id, "limit": PAGE})
            return payment_facts(session, intent, refunds.data, disputes.data)
        except stripe.StripeError as error:
            raise self._failed(error) from error

    async def codes(self, typed: str) -> list[CodeFacts]:
        """Every promotion code with this text, in upper or lower case. Raises PaymentsUnavailable."""
        params: Params = {"code": typed, "limit": 20, "expand": ["data.promotion.coupon.applies_to"]}
        try:
            found = await self._client.v1.promotion_codes.list_async(params)  # type: ignore[arg-type]
        except stripe.StripeError as error:
            raise self._failed(error) from error
        return [code_facts(code) for code in found.data]

    async def session_of(self, payment_intent_id: str) -> tuple[str, str | None] | None:
        """The session a payment came from, and the order it names. Raises PaymentsUnavailable."""
        try:
            found = await self._client.v1.checkout.sessions.list_async({"payment_intent": payment_intent_id})
        except stripe.StripeError as error:
            raise self._failed(error) from error
        for session in found.data:
            return session.id, order_id_of(session)
        return None

    async def list_references(self, kind: PaymentList, since: datetime, *, after: str | None = None) -> ReferencePage:
        """A page of what was created since then, newest first; `after` is the end of the page before.

        Raises PaymentsUnavailable.
        """
        params: Params = {"created": {"gte": int(since.timestamp())}, "limit": self.page}
        if after is not None:
            params["starting_after"] = after
        api = self._client.v1
        try:
            if kind is PaymentList.SESSIONS:
                sessions = await api.checkout.sessions.list_async(params)  # type: ignore[arg-type]
                references = tuple(session_reference(each) for each in sessions.data)
                last = sessions.data[-1].id if sessions.has_more else None
            elif kind is PaymentList.REFUNDS:
                refunds = await api.refunds.list_async(params)  # type: ignore[arg-type]
                references = tuple(payment_reference(each) for each in refunds.data)
                last = refunds.data[-1].id if refunds.has_more else None
            else:
                disputes = await api.disputes.list_async(params)  # type: ignore[arg-type]
                references = tuple(payment_reference(each) for each in disputes.data)
                last = disputes.data[-1].id if disputes.has_more else None
        except stripe.StripeError as error:
            raise self._failed(error) from error
        return ReferencePage(references, last)

    def read_event(self, body: bytes, signature: str) -> EventFacts:
        """Verify a webhook on its raw body with any of our secrets. Raises SignatureMismatch.

        https://docs.stripe.com/webhooks#verify-official-libraries
        """
        text = body.decode("utf-8", "replace")
        secrets = [secret.get_secret_value() for secret in self._secrets]
        # Each attempt hashes the whole body, so that a stranger's costs one for each secret.
        signed_with = next((each for each in secrets if _is_signed(text, signature, each, within=None)), None)
        if signed_with is None:
            raise SignatureMismatch("no secret of this installation signed it: COURSEWRIGHT_STRIPE_WEBHOOK_SECRETS")
        if not _is_signed(text, signature, signed_with, within=stripe.Webhook.DEFAULT_TOLERANCE):
            raise SignatureMismatch(
                "it was signed too long ago: the clock of this machine is wrong, or somebody repeats an old event"
            )
        try:
            return read_event_facts(json.loads(text))
        except (ValueError, KeyError, TypeError):
            raise SignatureMismatch(
                "the body is signed and has no data: the endpoint sends thin events; choose snapshots in Stripe"
            ) from None

    def _failed(self, error: stripe.StripeError) -> PaymentsUnavailable:
        """The error as ours; remembered where the operator has something to fix."""
        ours = failure(error)
        if isinstance(ours, PaymentsMisconfigured):
            self.problem = str(ours)
        return ours


def _is_signed(text: str, signature: str, secret: str, *, within: int | None) -> bool:
    """Whether this secret signed it, within so many seconds."""
    if len(signature) > LONGEST_SIGNATURE:
        return False
    try:
        stripe.WebhookSignature.verify_header(text, signature, secret, within)
    except stripe.SignatureVerificationError:
        return False
    return True


def _checkout_options(settings: Settings) -> Params:
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
