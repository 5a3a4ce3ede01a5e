"""The table of `money_of_lines`, row by row: what money that goes back means for each line of an order."""

import pytest

from dynamic_api.core.states import OrderState
from dynamic_api.gateways.payment_facts import DisputeFact, LineFact, PaymentFacts, RefundFact
from dynamic_api.orders.lines import money_of_lines

BREAD, BOOK = LineFact("bread", 60), LineFact("book", 40)


def paid(
    *refunds: RefundFact, disputes: tuple[DisputeFact, ...] = (), lines: tuple[LineFact, ...] = (BREAD, BOOK)
) -> PaymentFacts:
    total = sum(line.total_amount for line in lines)
    return PaymentFacts(
        "cs", "ord", False, "complete", "paid", total_amount=total, captured_amount=total,
        refunds=refunds, disputes=disputes, lines=lines,
    )  # fmt: skip


def back(amount: int, line: int | None = None, status: str = "succeeded") -> RefundFact:
    return RefundFact(amount, status, line)


@pytest.mark.parametrize(
    ("facts", "states", "returned"),
    [
        (paid(), "paid paid", (0, 0)),
        (paid(back(100)), "refunded refunded", (60, 40)),
        (paid(back(60)), "refunded paid", (60, 0)),
        (paid(back(40)), "paid refunded", (0, 40)),
        (paid(back(40), back(60)), "refunded refunded", (60, 40)),
        (paid(back(40), back(60, status="failed")), "paid refunded", (0, 40)),
        # No line cost this much: the whole order became cheaper.
        (paid(back(10)), "partially_refunded partially_refunded", (0, 0)),
        (paid(back(10), back(40)), "partially_refunded refunded", (0, 40)),
        # Our own command says which line it meant.
        (paid(back(40, line=1)), "partially_refunded paid", (40, 0)),
        (paid(back(20, line=2), back(20)), "paid refunded", (0, 40)),
        (paid(back(20, line=2), back(20, line=2)), "paid refunded", (0, 40)),
        (paid(back(60, line=7)), "refunded paid", (60, 0)),
        (paid(back(30, line=1), back(60, line=1)), "refunded paid", (60, 0)),
        (paid(back(60, line=0)), "refunded paid", (60, 0)),
        (paid(back(20, line=2), lines=(BREAD, LineFact("book", 0))), "paid paid", (0, 0)),
        (paid(back(55, line=2)), "paid refunded", (0, 40)),
        # Of two lines at one price, nobody can say which was meant.
        (paid(back(60), lines=(BREAD, LineFact("book", 60))), "partially_refunded partially_refunded", (0, 0)),
        (paid(back(60), back(60), lines=(BREAD, LineFact("book", 60))), "refunded refunded", (60, 60)),
        # Banks
        (paid(disputes=(DisputeFact("needs_response", 100, -100),)), "disputed disputed", (0, 0)),
        (paid(disputes=(DisputeFact("needs_response", 40, -40),)), "paid disputed", (0, 0)),
        (paid(disputes=(DisputeFact("lost", 40, -40),)), "paid refunded", (0, 40)),
        (paid(disputes=(DisputeFact("won", 40, 0),)), "paid paid", (0, 0)),
        (paid(back(60), disputes=(DisputeFact("under_review", 40, -40),)), "refunded disputed", (60, 0)),
        (paid(disputes=(DisputeFact("needs_response", 10, -10),)), "paid paid", (0, 0)),
        # One line is the order.
        (paid(back(10), lines=(BREAD,)), "partially_refunded", (10,)),
        (paid(back(10), back(50), lines=(BREAD,)), "refunded", (60,)),
        (paid(disputes=(DisputeFact("needs_response", 10, -10),), lines=(BREAD,)), "paid", (0,)),
        # What a code made free costs nothing, and ends with the rest of the order only.
        (paid(back(60), lines=(BREAD, LineFact("book", 0))), "refunded refunded", (60, 0)),
        (paid(back(20), lines=(BREAD, LineFact("book", 0))), "partially_refunded partially_refunded", (0, 0)),
    ],
)
def test_money_of_lines(facts: PaymentFacts, states: str, returned: tuple[int, ...]) -> None:
    products = [line.product_id for line in facts.lines]
    found = money_of_lines(facts, products)
    assert [line.state for line in found] == [OrderState(each) for each in states.split()]
    assert tuple(line.returned for line in found) == returned
    assert [line.total for line in found] == [line.total_amount for line in facts.lines]
    backwards = PaymentFacts(**(vars(facts) | {"refunds": facts.refunds[::-1]}))
    assert money_of_lines(backwards, products) == found


@pytest.mark.parametrize(("status", "payment"), [("open", "unpaid"), ("expired", "unpaid")])
def test_nothing_is_paid_for_a_line_before_the_order_is(status: str, payment: str) -> None:
    facts = PaymentFacts("cs", "ord", False, status, payment, total_amount=100, lines=(BREAD, BOOK))
    expected = OrderState.PENDING if status == "open" else OrderState.EXPIRED
    assert {line.state for line in money_of_lines(facts, ["bread", "book"])} == {expected}


def test_a_line_of_before_lines_were_kept_has_the_orders_total() -> None:
    [line] = money_of_lines(paid(back(60), lines=(BREAD,)), [None])
    assert (line.total, line.returned, line.state) == (60, 60, OrderState.REFUNDED)


def test_a_line_that_stripe_does_not_know_is_paid_with_its_order() -> None:
    known, unknown = money_of_lines(paid(back(60)), ["bread", "something else"])
    assert (known.state, known.total) == (OrderState.REFUNDED, 60)
    assert (unknown.state, unknown.total) == (OrderState.PAID, None)
    assert {line.state for line in money_of_lines(paid(back(100)), ["bread", "else"])} == {OrderState.REFUNDED}
