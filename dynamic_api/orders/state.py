"""An order's state, from what Stripe says. Pure."""

from dynamic_api.core.states import OrderState
from dynamic_api.gateways.payment_facts import DisputeFact, PaymentFacts, RefundFact

_PAID = ("paid", "no_payment_required")
_DISPUTE_OPEN = ("needs_response", "under_review")
_DISPUTE_LOST = ("lost", "appeal_needs_response", "appeal_under_review")  # an appeal is about money that is gone
_REFUND_FAILED = ("failed", "canceled")

# States in which what was bought may be used; see also `access.grants_access`.
PAID_STATES = (OrderState.PAID, OrderState.PARTIALLY_REFUNDED)
# States in which no money has arrived. In all others it did, though it may have gone back since.
UNPAID_STATES = (OrderState.PENDING, OrderState.FAILED, OrderState.EXPIRED)


def returned_amount(facts: PaymentFacts) -> int:
    """What went back to the buyer: refunded, on its way, or taken by the bank for good. Failed refunds do not count."""
    taken = sum(dispute.amount for dispute in facts.disputes if is_gone(dispute))
    return min(_refunded(facts) + taken, facts.captured_amount)


def is_lost(facts: PaymentFacts) -> bool:
    """Whether the buyer's bank took the money back, instead of us refunding it."""
    return any(is_gone(dispute) for dispute in facts.disputes) and _refunded(facts) < facts.captured_amount


def _refunded(facts: PaymentFacts) -> int:
    return sum(refund.amount for refund in facts.refunds if is_refunded(refund))


def is_refunded(refund: RefundFact) -> bool:
    """Whether the money is back, or on its way."""
    return refund.status not in _REFUND_FAILED


def is_in_doubt(dispute: DisputeFact) -> bool:
    """Whether the bank has the money and has not decided. An inquiry moves none."""
    return dispute.status in _DISPUTE_OPEN


def is_gone(dispute: DisputeFact) -> bool:
    """Whether the bank has decided, and has the money. A prevented dispute may have cost it, and may not."""
    if dispute.status == "prevented":
        return dispute.moved is not None and dispute.moved < 0
    return dispute.status in _DISPUTE_LOST and (dispute.moved is None or dispute.moved < 0)


def order_state(facts: PaymentFacts) -> OrderState:
    """The state that Stripe's objects amount to, whatever was known before.

    | session  | payment_status          | intent           | disputes | returned | state              |
    |----------|-------------------------|------------------|----------|----------|--------------------|
    | expired  | unpaid                  | any              | any      | any      | expired            |
    | open     | unpaid                  | any              | any      | any      | pending            |
    | complete | unpaid                  | processing       | any      | any      | pending            |
    | complete | unpaid                  | canceled, needs… | any      | any      | failed             |
    | any      | paid                    | any              | any      | all      | refunded           |
    | any      | paid                    | any              | open     | the rest | disputed           |
    | any      | paid                    | any              | any      | some     | partially_refunded |
    | any      | paid                    | any              | any      | none     | paid               |
    | any      | no_payment_required     | none             | none     | none     | paid               |

    What a bank has taken for good counts as refunded. An inquiry moves no money and changes nothing; an open dispute
    about a part of the payment changes nothing until it is decided.

    https://docs.stripe.com/checkout/fulfillment, https://docs.stripe.com/disputes/how-disputes-work
    """
    if facts.payment_status not in _PAID:
        return _unpaid(facts)
    returned = returned_amount(facts)
    disputed = sum(dispute.amount for dispute in facts.disputes if is_in_doubt(dispute))
    if returned and returned >= facts.captured_amount:
        return OrderState.REFUNDED
    if disputed and returned + disputed >= facts.captured_amount:
        return OrderState.DISPUTED
    return OrderState.PARTIALLY_REFUNDED if returned else OrderState.PAID


def _unpaid(facts: PaymentFacts) -> OrderState:
    if facts.session_status == "expired":
        return OrderState.EXPIRED
    # A delayed method (a bank debit) leaves the session complete and unpaid, and its payment processing.
    if facts.session_status == "complete" and facts.payment_intent_status in ("canceled", "requires_payment_method"):
        return OrderState.FAILED
    return OrderState.PENDING
