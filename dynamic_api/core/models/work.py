"""Tables of this installation, of what Stripe told it, what it must do later, and what was done."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from dynamic_api.core.columns import enum_text, one_of
from dynamic_api.core.models.base import Base, Json, OrderId
from dynamic_api.core.states import JobState


class Installation(Base):
    """This installation; one row. `livemode`: whether its key moves real money, None before the first start.

    `key` names it at Stripe, where other installations may share the account. It is made with the database.
    """

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(20))
    livemode: Mapped[bool | None]

    __table_args__ = (CheckConstraint("id = 1", name="single"),)


class WebhookEvent(Base):
    """Every event Stripe sent us, as it came."""

    __tablename__ = "webhook_events"

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    type: Mapped[str] = mapped_column(String(100), index=True)
    livemode: Mapped[bool]
    # The payment page, and the payment, that it is about.
    session_id: Mapped[str | None] = mapped_column(String(100), index=True)
    payment_intent_id: Mapped[str | None] = mapped_column(String(100), index=True)
    payload: Mapped[str] = mapped_column(Text)
    received_at: Mapped[datetime]
    handled_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(200))


class Job(Base):
    """What must happen later. `key` makes a repeat a no-op; `lease` names the worker that holds the job."""

    __tablename__ = "jobs"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(60))
    key: Mapped[str] = mapped_column(String(200), unique=True)
    payload: Mapped[Json]
    state: Mapped[JobState] = mapped_column(enum_text(JobState, 10))
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    run_at: Mapped[datetime]
    lease: Mapped[str | None] = mapped_column(String(40))
    # When it was first due. Jobs are given up a fixed time after this; a gift's job may be due months later.
    due_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        one_of("state", JobState),
        Index("ix_jobs_due", "state", "run_at"),
    )


class AuditEntry(Base):
    """The audit log: who did what, to which account or order, written in the same transaction."""

    __tablename__ = "audit_log"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    action: Mapped[str] = mapped_column(String(60), index=True)
    actor: Mapped[str] = mapped_column(String(120))
    user_id: Mapped[int | None] = mapped_column(index=True)
    course_id: Mapped[int | None]
    order_id: Mapped[OrderId | None] = mapped_column(Integer, index=True)
    details: Mapped[Json]
