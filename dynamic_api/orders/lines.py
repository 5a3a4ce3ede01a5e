"""What the money of an order means for each of its lines. Pure.

Stripe knows a payment, its refunds and its disputes, and none of them names what was sold. So:

- What concerns the whole payment concerns every line.
- A refund that our own command made names its line; see `refund.py`.
- Another refund or dispute of exactly what is left of one line and no other, is about that line: a creator who gives
  back the price of one course in Stripe's dashboard means that course.
- Anything else is a reduction of the whole order. It ends no line by itself; each course says whether a partial
  refund ends it.

No rule depends on the order in which refunds were made or told.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from dynamic_api.core.states import OrderState
from dynamic_api.gateways.payment_facts import PaymentFacts
from dynamic_api.orders.state import UNPAID_STATES, is_gone, is_in_doubt, is_lost, is_refunded, order_state


@dataclass
class LineMoney:
    """What was paid for a line, what of it went back, and the state that this amounts to."""

    total: int | None
    returned: int = 0
    in_doubt: int = 0
    by_bank: bool = False  # a dispute took it, not a refund
    state: OrderState = OrderState.PENDING

    @property
    def left(self) -> int:
        """What of it was neither returned nor is disputed."""
        return (self.total or 0) - self.returned - self.in_doubt

    def give_back(self, amount: int) -> None:
        """Count a refund about this line; of more than was paid for it, only that much."""
        self.returned += min(amount, (self.total or 0) - self.returned)


def money_of_lines(facts: PaymentFacts, products: Sequence[str | None]) -> list[LineMoney]:
    """Each line's money, in the order of its lines; `products` are what they are called at Stripe."""
    state = order_state(facts)
    lines = [LineMoney(_total(facts, product, is_only=len(products) == 1)) for product in products]
    if state in UNPAID_STATES:
        for line in lines:
            line.state = state
        return lines
    reduced = _share_out(facts, lines)
    for line in lines:
        if state is OrderState.REFUNDED:
            line.by_bank = line.by_bank or (is_lost(facts) and line.returned < (line.total or 0))
            line.returned = line.total or 0
        line.state = _state(line, state, is_reduced=reduced)
    return lines


def _total(facts: PaymentFacts, product: str | None, *, is_only: bool) -> int | None:
    if is_only:
        return facts.total_amount
    return next((line.total_amount for line in facts.lines if line.product_id == product), None)


def _share_out(facts: PaymentFacts, lines: list[LineMoney]) -> bool:
    """Charge each line with the refunds and disputes about it; true when some of them are about no line."""
    unnamed: list[tuple[int, bool, bool]] = []  # an amount, whether it is in doubt, whether a bank has it
    for refund in facts.refunds:
        if not is_refunded(refund):
            continue
        if refund.line is not None and 0 < refund.line <= len(lines):
            lines[refund.line - 1].give_back(refund.amount)
        else:
            unnamed.append((refund.amount, False, False))
    unnamed += [(dispute.amount, False, True) for dispute in facts.disputes if is_gone(dispute)]
    unnamed += [(dispute.amount, True, True) for dispute in facts.disputes if is_in_doubt(dispute)]
    is_reduced = False
    for amount, in_doubt, by_bank in unnamed:
        meant = lines if len(lines) == 1 else [line for line in lines if line.left == amount]
        if len(meant) != 1:
            is_reduced = is_reduced or not in_doubt
        elif in_doubt:
            meant[0].in_doubt += amount
        else:
            meant[0].give_back(amount)
            meant[0].by_bank = by_bank
    return is_reduced


def _state(line: LineMoney, order: OrderState, *, is_reduced: bool) -> OrderState:
    if order is OrderState.REFUNDED or (line.total and line.returned >= line.total):
        return OrderState.REFUNDED
    if order is OrderState.DISPUTED or (line.in_doubt and line.left == 0):
        return OrderState.DISPUTED
    return OrderState.PARTIALLY_REFUNDED if line.returned or is_reduced else OrderState.PAID
