"""The table of order_state, row by row."""

import pytest

from dynamic_api.core.states import OrderState
from dynamic_api.gateways.payment_facts import PaymentFacts, RefundFact
from dynamic_api.orders.state import PAID_STATES, is_lost, order_state


def facts(
    session: str, payment: str, intent: str | None, disputes: tuple[str, ...] = (), refunds: tuple[RefundFact, ...] = ()
) -> PaymentFacts:
    return PaymentFacts(
        session_id="cs",
        order_id="ord",
        livemode=False,
        session_status=session,
        payment_status=payment,
        payment_intent_status=intent,
        captured_amount=100,
        disputes=disputes,
        refunds=refunds,
    )


PART, REST, ALL = RefundFact(40, "succeeded"), RefundFact(60, "pending"), RefundFact(100, "succeeded")
FAILED = RefundFact(100, "failed")

CASES = [
    (facts("open", "unpaid", None), "pending"),
    (facts("expired", "unpaid", None), "expired"),
    (facts("complete", "unpaid", "processing"), "pending"),
    (facts("complete", "unpaid", "requires_payment_method"), "failed"),
    (facts("complete", "unpaid", "canceled"), "failed"),
    (facts("complete", "paid", "succeeded"), "paid"),
    (facts("complete", "no_payment_required", None), "paid"),
    (facts("complete", "paid", "succeeded", (), (PART,)), "partially_refunded"),
    (facts("complete", "paid", "succeeded", (), (PART, REST)), "refunded"),
    (facts("complete", "paid", "succeeded", (), (ALL,)), "refunded"),
    (facts("complete", "paid", "succeeded", (), (FAILED,)), "paid"),
    (facts("complete", "paid", "succeeded", (), (FAILED, PART)), "partially_refunded"),
    (facts("complete", "paid", "succeeded", ("needs_response",)), "disputed"),
    (facts("complete", "paid", "succeeded", ("under_review",), (PART,)), "disputed"),
    (facts("complete", "paid", "succeeded", ("won",)), "paid"),
    (facts("complete", "paid", "succeeded", ("warning_closed",), (PART,)), "partially_refunded"),
    (facts("complete", "paid", "succeeded", ("lost",)), "refunded"),
    (facts("complete", "paid", "succeeded", ("won", "needs_response")), "disputed"),
    (facts("complete", "paid", "succeeded", ("needs_response",), (ALL,)), "refunded"),
]


@pytest.mark.parametrize(("given", "expected"), CASES)
def test_row(given: PaymentFacts, expected: str) -> None:
    assert order_state(given) == OrderState(expected)


def test_only_paid_money_gives_access() -> None:
    assert set(PAID_STATES) == {OrderState.PAID, OrderState.PARTIALLY_REFUNDED}


def test_money_that_was_refunded_in_full_is_not_lost_to_the_bank() -> None:
    """The buyer then gets our message about the refund, and not the one about their bank."""
    assert is_lost(facts("complete", "paid", "succeeded", ("lost",), (PART,)))
    assert not is_lost(facts("complete", "paid", "succeeded", ("lost",), (ALL,)))
    assert not is_lost(facts("complete", "paid", "succeeded", ("won",)))
