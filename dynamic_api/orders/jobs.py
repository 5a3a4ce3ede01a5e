"""The jobs about orders."""

from dataclasses import dataclass

from dynamic_api.core.models import OrderId
from dynamic_api.core.outbox import Job


@dataclass(frozen=True)
class ReconcileOrder(Job):
    """Bring an order to what Stripe knows."""

    kind = "order.reconcile"

    order_id: OrderId


@dataclass(frozen=True)
class CloseCheckout(Job):
    """Close a payment page on which nobody should pay any more."""

    kind = "checkout.close"

    session_id: str


@dataclass(frozen=True)
class Sweep(Job):
    """Look at one page of one of Stripe's lists; `interval` numbers the stretch of time that this sweep belongs to."""

    kind = "orders.sweep"

    interval: int
    list: str
    after: str | None = None
