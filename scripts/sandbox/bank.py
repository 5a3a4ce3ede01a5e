"""What happens to money: payments, refunds, disputes, and the events that tell of them."""

from dataclasses import dataclass, field

from . import stripe_objects as make
from .store import Json, Store
from .wire import invalid, missing

DECLINED = {"4000000000000002": "Your card was declined.", "4000000000009995": "Your card has insufficient funds."}


class CardDeclined(Exception):
    """The buyer's bank said no; the page shows why and keeps the form."""


@dataclass
class Bank:
    """One Stripe account. `page` is the address its pages stand at; `emitted` gathers events for delivery."""

    store: Store
    page: str
    emitted: list[Json] = field(default_factory=list)
    granted: frozenset[str] | None = None  # permissions of restricted keys; None: all
    denied: set[str] = field(default_factory=set)  # permissions that any key lacks

    def allows(self, permission: str, *, restricted: bool) -> bool:
        """Whether a key may do this; a permission to write is one to read."""
        if permission in self.denied:
            return False
        if not restricted or self.granted is None:
            return True
        return not self.granted.isdisjoint({permission, permission.replace("_read", "_write")})

    def emit(self, kind: str, thing: Json) -> Json:
        """Tell of something that happened."""
        event = self.store.add(make.event(self.store, kind, thing))
        self.emitted.append(event)
        return event

    def forget_everything(self) -> None:
        """An account as new."""
        self.store.forget_everything()
        self.emitted.clear()
        self.denied.clear()
        self.granted = None
        self.seed()

    def seed(self) -> None:
        """Promotion codes to try: WELCOME20 takes a fifth off, GIFT100 everything; the others have conditions."""
        if self.store.all("promotion_code"):
            return
        for percent in (10, 20, 50, 100):
            self.store.add(make.coupon(f"coupon_{percent}", percent))
        self.store.add(make.coupon("coupon_other", 15, products=["prod_another_shop"]))
        self.store.add(make.promotion_code("WELCOME20", "coupon_20"))
        self.store.add(make.promotion_code("GIFT100", "coupon_100"))
        self.store.add(make.promotion_code("OTHER15", "coupon_other"))
        self.store.add(make.promotion_code("ONCE50", "coupon_50", max_redemptions=1))
        self.store.add(make.promotion_code("FIRST10", "coupon_10", first_time_transaction=True))
        dear = {"minimum_amount": 6000, "minimum_amount_currency": "eur"}
        self.store.add(make.promotion_code("LARGE10", "coupon_10", **dear))
        self.store.add(make.promotion_code("SUMMER20", "coupon_20", expires_at=self.store.now() - 86400))

    def discount(self, session: Json, code: str) -> None:
        """Apply a promotion code to an open session. Raises CardDeclined."""
        promotion = next(
            (each for each in self.store.all("promotion_code") if each["code"].lower() == code.lower()), None
        )
        if session["status"] != "open":
            raise CardDeclined("This payment page is no longer open.")
        if promotion is None or not self._counts(promotion):
            raise CardDeclined("This code is invalid.")
        if (refusal := self.refusal_of(promotion, session["customer"])) is not None:
            raise CardDeclined(refusal)
        self.redeem(session, promotion)

    def redeem(self, session: Json, promotion: Json) -> None:
        """Take off what a code is worth: of every line, or of the products that its coupon names."""
        coupon = self.store.objects[promotion["promotion"]["coupon"]]
        products = (coupon.get("applies_to") or {}).get("products")
        for line in self.store.line_items[session["id"]]:
            is_meant = products is None or line["price"]["product"] in products
            line["amount_discount"] = round(line["amount_subtotal"] * coupon["percent_off"] / 100) if is_meant else 0
            line["amount_total"] = line["amount_subtotal"] - line["amount_discount"]
        taken = sum(line["amount_discount"] for line in self.store.line_items[session["id"]])
        session["amount_total"] = session["amount_subtotal"] - taken
        session["total_details"]["amount_discount"] = taken
        session["discounts"] = [{"coupon": None, "promotion_code": promotion["id"]}]
        self.store.save()

    def refusal_of(self, promotion: Json, customer: str | None) -> str | None:
        """Why this customer, or a guest, may not use a code."""
        if promotion["customer"] not in (None, customer):
            return "This promotion code belongs to another customer."
        bought = customer is not None and any(
            each["customer"] == customer and each["payment_status"] == "paid"
            for each in self.store.all("checkout.session")
        )
        if promotion["restrictions"]["first_time_transaction"] and bought:
            return "This promotion code is restricted to first-time customers."
        return None

    def _counts(self, promotion: Json) -> bool:
        used_up = promotion["max_redemptions"] is not None and (
            promotion["times_redeemed"] >= promotion["max_redemptions"]
        )
        late = promotion["expires_at"] is not None and promotion["expires_at"] <= self.store.now()
        return bool(promotion["active"]) and not used_up and not late

    def promotion(self, name: str) -> Json:
        """A code that can be used, by its id; refused as Stripe refuses one when a session is made."""
        code = self.store.get("promotion_code", name)
        if code is None:
            raise missing("promotion_code", name, param="discounts[0][promotion_code]", status=400)
        if not self._counts(code):
            raise invalid("This promotion code cannot be redeemed.", param="discounts[0][promotion_code]")
        return code

    def _count_redemption(self, session: Json) -> None:
        for discount in session["discounts"]:
            promotion = self.store.objects[discount["promotion_code"]]
            if not self._counts(promotion):
                raise CardDeclined("This promotion code has been used up meanwhile.")
            promotion["times_redeemed"] += 1

    def pay(self, session: Json, *, card: str, email: str, name: str, delayed: bool = False) -> None:
        """The buyer presses Pay. Raises CardDeclined."""
        if session["status"] != "open":
            raise CardDeclined("This payment page is no longer open.")
        session["customer_details"] = {
            "address": None,
            "business_name": None,
            "email": email,
            "individual_name": None,
            "name": name,
            "phone": None,
            "tax_exempt": "none",
            "tax_ids": [],
        }
        if session["amount_total"] == 0:
            self._count_redemption(session)
            session.update(status="complete", payment_status="no_payment_required")
            self.emit("checkout.session.completed", session)
            return
        intent = self._intent_of(session)
        digits = card.replace(" ", "")
        if not delayed and digits in DECLINED:
            intent["last_payment_error"] = {"type": "card_error", "code": "card_declined", "message": DECLINED[digits]}
            self.emit("payment_intent.payment_failed", intent)
            raise CardDeclined(DECLINED[digits])
        if not delayed and not (digits.isdigit() and len(digits) >= 13):
            raise CardDeclined("Your card number is incomplete.")
        self._count_redemption(session)
        session.update(status="complete", payment_intent=intent["id"])
        if delayed:
            intent["status"] = "processing"
            self.emit("payment_intent.processing", intent)
        else:
            self._charge(session, intent, digits[-4:])
        self.emit("checkout.session.completed", session)

    def settle(self, session: Json, *, succeeds: bool) -> None:
        """A delayed payment arrives, or does not."""
        intent = self.store.objects[session["payment_intent"]]
        if succeeds:
            self._charge(session, intent, "3000")
            self.emit("checkout.session.async_payment_succeeded", session)
        else:
            intent["status"] = "requires_payment_method"
            intent["last_payment_error"] = {
                "type": "card_error",
                "code": "debit_failed",
                "message": "The debit failed.",
            }
            self.emit("payment_intent.payment_failed", intent)
            self.emit("checkout.session.async_payment_failed", session)

    def address_of(self, session: Json) -> str | None:
        """The buyer's address, where the session was made with it: they cannot type another."""
        customer = self.store.objects.get(session["customer"] or "", {})
        return session["customer_email"] or customer.get("email")

    def expire(self, session: Json) -> None:
        """The page was left open too long, or was closed for its buyer."""
        if session["status"] != "open":
            raise invalid('Only Checkout Sessions with a status in ["open"] can be expired.')
        session.update(status="expired", url=None)
        self.emit("checkout.session.expired", session)

    def refund(
        self, payment_intent: str, *, amount: int | None, status: str = "succeeded", metadata: Json | None = None
    ) -> Json:
        """Give money back, all that is left unless told how much."""
        charge = self._charge_of(payment_intent)
        left = charge["amount"] - charge["amount_refunded"]
        amount = left if amount is None else amount
        if amount <= 0 or amount > left:
            raise invalid(
                f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
                param="amount",
                code="charge_already_refunded" if left == 0 else None,
            )
        refund = self.store.add(make.refund(self.store, charge, amount=amount, status=status, metadata=metadata or {}))
        self._count_refunds(charge)
        self.emit("refund.created", refund)
        self.emit("charge.refunded", charge)
        return refund

    def fail_refund(self, refund: Json) -> None:
        """The buyer's bank sent the refund back."""
        refund["status"], refund["failure_reason"] = "failed", "expired_or_canceled_card"
        self._count_refunds(self.store.objects[refund["charge"]])
        self.emit("refund.failed", refund)

    def dispute(self, payment_intent: str, *, amount: int | None = None, inquiry: bool = False) -> Json:
        """The buyer complains to their bank, which takes the money meanwhile, or only asks."""
        charge = self._charge_of(payment_intent)
        charge["disputed"] = True
        status = "warning_needs_response" if inquiry else "needs_response"
        dispute = self.store.add(make.dispute(self.store, charge, status=status, amount=amount))
        self.emit("charge.dispute.created", dispute)
        if not inquiry:
            self._move(dispute, -dispute["amount"])
            self.emit("charge.dispute.funds_withdrawn", dispute)
        return dispute

    def close_dispute(self, dispute: Json, *, won: bool) -> None:
        """The bank decides."""
        if dispute["status"].startswith("warning_"):
            dispute["status"] = "warning_closed"
            self.emit("charge.dispute.closed", dispute)
            return
        dispute["status"] = "won" if won else "lost"
        self.emit("charge.dispute.closed", dispute)
        if won:
            self._move(dispute, dispute["amount"])
            self.emit("charge.dispute.funds_reinstated", dispute)

    def prevent_dispute(self, payment_intent: str, *, refunds: bool) -> Json:
        """The card network settles a complaint before it becomes a dispute: with the seller's money, or without."""
        charge = self._charge_of(payment_intent)
        dispute = self.store.add(make.dispute(self.store, charge, status="prevented"))
        if refunds:
            self._move(dispute, -dispute["amount"])
        self.emit("charge.dispute.created", dispute)
        return dispute

    def _move(self, dispute: Json, amount: int) -> None:
        dispute["balance_transactions"].append(make.balance_transaction(self.store, dispute, amount=amount))

    def _intent_of(self, session: Json) -> Json:
        """The payment of a session; made at the first try, kept for the next ones."""
        known = self.store.intents.get(session["id"])
        if known is not None:
            intent = self.store.objects[known]
            intent["amount"] = session["amount_total"]
            return intent
        metadata = self.store.intent_metadata.get(session["id"], {})
        intent = self.store.add(make.payment_intent(self.store, session, metadata=metadata))
        self.store.intents[session["id"]] = intent["id"]
        return intent

    def _charge(self, session: Json, intent: Json, last4: str) -> None:
        details = session["customer_details"]
        charge = make.charge(
            self.store, intent, email=details["email"], name=details["name"], last4=last4, page=self.page
        )
        self.store.add(charge)
        intent.update(
            status="succeeded", amount_received=intent["amount"], latest_charge=charge["id"], last_payment_error=None
        )
        session["payment_status"] = "paid"
        if (session["invoice_creation"] or {}).get("enabled") == "true":
            session["invoice"] = self.store.add(make.invoice(self.store, session, page=self.page))["id"]
        self.emit("charge.succeeded", charge)
        self.emit("payment_intent.succeeded", intent)

    def _charge_of(self, payment_intent: str) -> Json:
        intent = self.store.get("payment_intent", payment_intent)
        if intent is None:
            raise missing("payment_intent", payment_intent, param="payment_intent")
        if intent["latest_charge"] is None:
            raise invalid("This PaymentIntent does not have a successful charge to refund.", param="payment_intent")
        return self.store.objects[intent["latest_charge"]]

    def _count_refunds(self, charge: Json) -> None:
        counted = [
            refund["amount"]
            for refund in self.store.all("refund")
            if refund["charge"] == charge["id"] and refund["status"] not in ("failed", "canceled")
        ]
        charge["amount_refunded"] = sum(counted)
        charge["refunded"] = charge["amount_refunded"] >= charge["amount"]
        self.store.save()
