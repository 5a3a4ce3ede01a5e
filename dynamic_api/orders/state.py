"""An order's state, from what Stripe says. Pure."""

from dynamic_api.core.states import OrderState
from dynamic_api.gateways.payment_facts import PaymentFacts

_PAID = ("paid", "no_payment_required")
_DISPUTE_WON = ("won", "warning_closed", "prevented")
_DISPUTE_LOST = ("lost",)
_REFUND_FAILED = ("failed", "canceled")

# States in which what was bought may be used; see also `access.grants_access`.
PAID_STATES = (OrderState.PAID, OrderState.PARTIALLY_REFUNDED)
# States in which no money has arrived. In all others it did, though it may have gone back since.
UNPAID_STATES = (OrderState.PENDING, OrderState.FAILED, OrderState.EXPIRED)


def refunded_amount(facts: PaymentFacts) -> int:
    """What was refunded, or is on its way back; failed refunds do not count."""
    return sum(refund.amount for refund in facts.refunds if refund.status not in _REFUND_FAILED)


def is_lost(facts: PaymentFacts) -> bool:
    """Whether the buyer's bank took the money back, instead of us refunding it."""
    return any(dispute in _DISPUTE_LOST for dispute in facts.disputes) and (
        refunded_amount(facts) < facts.captured_amount
    )


def order_state(facts: PaymentFacts) -> OrderState:
    """The state that Stripe's objects amount to, whatever was known before.

    | session  | payment_status          | intent           | disputes | refunded | state              |
    |----------|-------------------------|------------------|----------|----------|--------------------|
    | expired  | unpaid                  | any              | any      | any      | expired            |
    | open     | unpaid                  | any              | any      | any      | pending            |
    | complete | unpaid                  | processing       | any      | any      | pending            |
    | complete | unpaid                  | canceled, needs… | any      | any      | failed             |
    | any      | paid                    | any              | lost     | any      | refunded           |
    | any      | paid                    | any              | any      | all      | refunded           |
    | any      | paid                    | any              | open     | less     | disputed           |
    | any      | paid                    | any              | none/won | some     | partially_refunded |
    | any      | paid                    | any              | none/won | none     | paid               |
    | any      | no_payment_required     | none             | none     | none     | paid               |

    https://docs.stripe.com/checkout/fulfillment, https://docs.stripe.com/disputes/how-disputes-work
    """
    if facts.payment_status not in _PAID:
        return _unpaid(facts)
    if is_lost(facts):
        return OrderState.REFUNDED
    refunded = refunded_amount(facts)
    if refunded and refunded >= facts.captured_amount:
        return OrderState.REFUNDED
    if any(dispute not in _DISPUTE_WON for dispute in facts.disputes):
        return OrderState.DISPUTED
    return OrderState.PARTIALLY_REFUNDED if refunded else OrderState.PAID


def _unpaid(facts: PaymentFacts) -> OrderState:
    if facts.session_status == "expired":
        return OrderState.EXPIRED
    # A delayed method (a bank debit) leaves the session complete and unpaid, and its payment processing.
    if facts.session_status == "complete" and facts.payment_intent_status in ("canceled", "requires_payment_method"):
        return OrderState.FAILED
    return OrderState.PENDING
