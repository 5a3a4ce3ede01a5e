"""Stripe: everything we ask of it.

Pinned to one API version, so that Stripe's changes arrive when we choose. Every write has an idempotency key.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import stripe

from dynamic_api.core.settings import Settings
from dynamic_api.gateways.checkout_page import CheckoutRequest, Params, session_params
from dynamic_api.gateways.payment_errors import (
    CustomerMissing,
    PaymentsMisconfigured,
    PaymentsUnavailable,
    code_refusal,
    failure,
    is_about_customer,
    is_about_product,
)
from dynamic_api.gateways.payment_facts import (
    LINE,
    CodeFacts,
    EventFacts,
    PaymentFacts,
    PaymentList,
    ReferencePage,
    code_facts,
    order_id_of,
    payment_facts,
    payment_reference,
    session_reference,
)
from dynamic_api.gateways.signatures import read_signed_event

API_VERSION = "2026-10-28.endive"
TIMEOUT = 10  # seconds for one request
PATIENCE = 10  # seconds that somebody who pressed a button waits for all of them
PAGE = 100  # the most Stripe lists at once


@dataclass(frozen=True)
class CheckoutPage:
    """A payment page that was made."""

    session_id: str
    url: str
    livemode: bool


class Payments:
    """The Stripe account of this installation."""

    def __init__(
        self, settings: Settings, *, timeout: float = TIMEOUT, page: int = PAGE, patience: float = PATIENCE
    ) -> None:
        self.page, self.patience = page, patience
        self._settings, self._secrets = settings, settings.stripe_webhook_secrets
        key = settings.stripe_secret_key.get_secret_value()
        # A key says whether it moves real money: https://docs.stripe.com/keys
        self.livemode = "_live_" in key
        self._products: dict[str, str] = {}  # names as Stripe has them, so that they are not written again
        self._customers: dict[str, str] = {}  # their addresses, likewise
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

        Raises CodeTaken, CodeTooLarge, CustomerMissing, PaymentsUnavailable.
        """
        try:
            await self._keep_products(request, attempt=1)
            try:
                session = await self._create_session(request, attempt=1)
            except stripe.InvalidRequestError as error:
                if (refusal := code_refusal(error, has_code=request.promotion_code_id is not None)) is not None:
                    raise refusal from error
                if is_about_customer(error):
                    self._customers.pop(request.customer or "", None)
                    raise CustomerMissing from error
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
        return await self._client.v1.checkout.sessions.create_async(
            session_params(request, self._settings),  # type: ignore[arg-type]
            options={"idempotency_key": f"checkout-{request.order_id}-{request.customer or 'guest'}-{attempt}"},
        )

    async def _keep_products(self, request: CheckoutRequest, *, attempt: int) -> None:
        for line in request.lines:
            if self._products.get(line.product_id) != line.product_name:
                key = f"{request.order_id}-{line.product_id}-{attempt}"
                await self._keep_product(line.product_id, line.product_name, key=key)

    async def keep_products(self, names: Mapping[str, str]) -> None:
        """Make products, or bring their names up to date; `names` by id. Raises PaymentsUnavailable."""
        try:
            for product, name in names.items():
                await self._keep_product(product, name, key=secrets.token_hex(8))
        except stripe.StripeError as error:
            raise self._failed(error) from error

    async def _keep_product(self, product: str, name: str, *, key: str) -> None:
        """Make the product, or bring its name up to date and put it on sale again."""
        about: Params = {"name": name, "tax_code": self._settings.tax_code}
        try:
            await self._client.v1.products.create_async(
                {"id": product, **about},  # type: ignore[typeddict-item]
                options={"idempotency_key": f"product-{key}"},
            )
        except stripe.InvalidRequestError as error:
            if error.code != "resource_already_exists":
                raise
            about["active"] = True
            await self._client.v1.products.update_async(product, about)  # type: ignore[arg-type]
        self._products[product] = name

    async def keep_customer(self, known: str | None, email: str, *, key: str) -> str | None:
        """The customer that an account is at Stripe: made at its first purchase, its address kept in step.

        One customer for all purchases is what lets Stripe tell a first one. None where our key may not write
        customers; the operator is told, and the sale goes on without. Raises PaymentsUnavailable.
        """
        if known is not None and self._customers.get(known) == email:
            return known
        about: Params = {"email": email}
        try:
            if known is not None and not await self._update_customer(known, about):
                known = None
            if known is None:
                made = await self._client.v1.customers.create_async(
                    about,  # type: ignore[arg-type]
                    options={"idempotency_key": key},
                )
                known = made.id
        except stripe.PermissionError as error:
            self._failed(error)
            return None
        except stripe.StripeError as error:
            raise self._failed(error) from error
        self._customers[known] = email
        return known

    async def _update_customer(self, known: str, about: Params) -> bool:
        """False where it was deleted in the dashboard, or made in the other mode."""
        try:
            await self._client.v1.customers.update_async(known, about)  # type: ignore[arg-type]
        except stripe.InvalidRequestError as error:
            if error.code != "resource_missing":
                raise
            return False
        return True

    async def refund(self, payment_intent_id: str, *, amount: int, line: int | None, key: str) -> None:
        """Give money back, for a line of the order where one is named. Raises PaymentsUnavailable."""
        params: Params = {"payment_intent": payment_intent_id, "amount": amount}
        if line is not None:
            params["metadata"] = {LINE: str(line)}
        try:
            await self._client.v1.refunds.create_async(
                params,  # type: ignore[arg-type]
                options={"idempotency_key": key},
            )
        except stripe.StripeError as error:
            raise self._failed(error) from error

    async def invoice_address(self, invoice_id: str) -> str | None:
        """Where an invoice can be read and printed now; None while Stripe writes it. Raises PaymentsUnavailable."""
        try:
            invoice = await self._client.v1.invoices.retrieve_async(invoice_id)
        except stripe.StripeError as error:
            raise self._failed(error) from error
        return invoice.invoice_pdf or invoice.hosted_invoice_url

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
        """The event of a webhook that Stripe signed for us. Raises SignatureMismatch."""
        return read_signed_event(body, signature, [secret.get_secret_value() for secret in self._secrets])

    def _failed(self, error: stripe.StripeError) -> PaymentsUnavailable:
        """The error as ours; remembered where the operator has something to fix."""
        ours = failure(error)
        if isinstance(ours, PaymentsMisconfigured):
            self.problem = str(ours)
        return ours
