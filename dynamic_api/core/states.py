"""The states that rows can be in, as the database stores them."""

from enum import StrEnum


class OrderState(StrEnum):
    """What Stripe's objects amount to for one order; see `orders/state.py`."""

    PENDING = "pending"
    PAID = "paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    FAILED = "failed"
    EXPIRED = "expired"
    DISPUTED = "disputed"


class JobState(StrEnum):
    """Where a job is on its way. A dead job was given up and waits for the operator."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


class LinkPurpose(StrEnum):
    """What an emailed link does."""

    CLAIM = "claim"
    SIGN_IN = "sign_in"
    RESET = "reset"
    SIGN_UP = "sign_up"
    NEW_EMAIL = "new_email"


class ProgressStatus(StrEnum):
    """How far a learner is in a lesson that was opened."""

    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
