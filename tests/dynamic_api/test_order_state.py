"""The table of order_state, row by row."""

import pytest

from dynamic_api.core.states import OrderState
from dynamic_api.gateways.payment_facts import DisputeFact, PaymentFacts, RefundFact
from dynamic_api.orders.state import PAID_STATES, is_lost, order_state


def facts(
    session: str,
    payment: str,
    intent: str | None,
    disputes: tuple[str | DisputeFact, ...] = (),
    refunds: tuple[RefundFact, ...] = (),
) -> PaymentFacts:
    """A payment of 100. A dispute that is only named is about all of it."""
    return PaymentFacts(
        session_id="cs",
        order_id="ord",
        livemode=False,
        session_status=session,
        payment_status=payment,
        payment_intent_status=intent,
        captured_amount=100,
        disputes=tuple(DisputeFact(each, 100) if isinstance(each, str) else each for each in disputes),
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
    # An inquiry moves no money.
    (facts("complete", "paid", "succeeded", ("warning_needs_response",)), "paid"),
    (facts("complete", "paid", "succeeded", ("warning_under_review",), (PART,)), "partially_refunded"),
    # A part is a part, whoever took it, and counts once it is decided.
    (facts("complete", "paid", "succeeded", (DisputeFact("needs_response", 40, -40),)), "paid"),
    (facts("complete", "paid", "succeeded", (DisputeFact("lost", 40, -40),)), "partially_refunded"),
    (facts("complete", "paid", "succeeded", (DisputeFact("lost", 60, -60),), (PART,)), "refunded"),
    (facts("complete", "paid", "succeeded", (DisputeFact("under_review", 60, -60),), (PART,)), "disputed"),
    # A prevented dispute, and an appeal, are judged by where the money is.
    (facts("complete", "paid", "succeeded", (DisputeFact("prevented", 100),)), "paid"),
    (facts("complete", "paid", "succeeded", (DisputeFact("prevented", 100, -93),)), "refunded"),
    (facts("complete", "paid", "succeeded", (DisputeFact("prevented", 100, 0),)), "paid"),
    (facts("complete", "paid", "succeeded", (DisputeFact("appeal_under_review", 100, -100),)), "refunded"),
    (facts("complete", "paid", "succeeded", (DisputeFact("lost", 100, 0),)), "paid"),
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
