"""The whole schema on one page. Constraints carry the rules; code only explains them."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UTCDateTime(TypeDecorator[datetime]):
    """Moments in UTC: SQLite would hand them back without a zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse moments without a zone: they mean something else on another machine."""
        if value is not None and value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """In UTC, whatever the driver says."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Names for constraints, so that migrations can find them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UTCDateTime, dict[str, Any]: JSON}  # noqa: RUF012 - read by SQLAlchemy


def _one_of(column: str, *values: str) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(repr(value) for value in values)})", name=column)


class User(Base):
    """A learner. `email_key` is the address as it is compared; `email` as it was typed."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    email_verified_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class WebSession(Base):
    """A browser that is signed in."""

    __tablename__ = "web_sessions"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    user_agent: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class AccessToken(Base):
    """A phone that is signed in."""

    __tablename__ = "access_tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    device_name: Mapped[str] = mapped_column(String(120))
    abilities: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]


class CatalogState(Base):
    """Which manifest the tables below were last brought in step with; one row."""

    __tablename__ = "catalog_state"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(String(64))
    synced_at: Mapped[datetime]

    __table_args__ = (CheckConstraint("id = 1", name="single"),)


class CatalogRow(Base):
    """A thing of the catalogue: an id that outlives renames, and whether the files still name it."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    digest: Mapped[str] = mapped_column(String(64))
    updated_at: Mapped[datetime]
    archived_at: Mapped[datetime | None]


class Course(CatalogRow):
    """A course."""

    __tablename__ = "courses"

    slug: Mapped[str] = mapped_column(String(64), index=True)
    title: Mapped[str] = mapped_column(String(300))
    published: Mapped[bool]
    partial_refund_keeps_access: Mapped[bool]


class Module(CatalogRow):
    """A module."""

    __tablename__ = "modules"

    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"), index=True)


class Lesson(CatalogRow):
    """A lesson."""

    __tablename__ = "lessons"

    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"), index=True)
    slug: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(300))
    published: Mapped[bool]
    added_at: Mapped[datetime]


class Resource(CatalogRow):
    """A file."""

    __tablename__ = "resources"

    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"), index=True)


class Order(Base):
    """One attempt to buy one course. Moves only by `reconcile_order`; `revision` counts its looks at Stripe.

    `buyer_id` and `email` are who pays; `user_id` and `owner_email` are whom the course is for. The two differ for
    gifts alone.
    """

    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"), index=True)
    buyer_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    email: Mapped[str | None] = mapped_column(String(254))
    email_key: Mapped[str | None] = mapped_column(String(254), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    owner_email: Mapped[str | None] = mapped_column(String(254))
    owner_email_key: Mapped[str | None] = mapped_column(String(254), index=True)
    is_gift: Mapped[bool] = mapped_column(default=False, server_default=false())
    # Stripe's id of the code that was typed into our own box.
    promotion_code_id: Mapped[str | None] = mapped_column(String(100))
    state: Mapped[str] = mapped_column(String(20))
    amount: Mapped[int]
    currency: Mapped[str] = mapped_column(String(3))
    total_amount: Mapped[int | None]
    total_currency: Mapped[str | None] = mapped_column(String(3))
    refunded_amount: Mapped[int] = mapped_column(default=0)
    # A bank debit that was ordered and has not arrived; the state is pending meanwhile.
    under_way: Mapped[bool] = mapped_column(default=False)
    browser_hash: Mapped[str | None] = mapped_column(String(64), index=True)
    session_id: Mapped[str | None] = mapped_column(String(100), unique=True)
    checkout_url: Mapped[str | None] = mapped_column(Text)
    payment_intent_id: Mapped[str | None] = mapped_column(String(100), unique=True)
    receipt_url: Mapped[str | None] = mapped_column(Text)
    revision: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    refunded_at: Mapped[datetime | None]
    # The operator took it back while it had no owner; what has one is ended in the ledger of access.
    withdrawn_at: Mapped[datetime | None]
    reconciled_at: Mapped[datetime | None]

    __table_args__ = (
        _one_of("state", "pending", "paid", "partially_refunded", "refunded", "failed", "expired", "disputed"),
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("refunded_amount >= 0", name="refunded_amount"),
        CheckConstraint("NOT is_gift OR owner_email_key IS NOT NULL", name="gift_has_recipient"),
    )


class Gift(Base):
    """What belongs to an order that is a gift: words, and the moment it is handed over. The address is the order's."""

    __tablename__ = "gifts"

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    recipient_name: Mapped[str] = mapped_column(String(120))
    sender_name: Mapped[str] = mapped_column(String(120))
    message: Mapped[str] = mapped_column(Text)
    deliver_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None] = mapped_column(index=True)
    undeliverable_at: Mapped[datetime | None]  # the mail server refused the address for good


class Entitlement(Base):
    """The ledger of access: what one source gave one learner. Any row that is not revoked opens the course."""

    __tablename__ = "entitlements"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"), index=True)
    source: Mapped[str] = mapped_column(String(60))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"), index=True)
    granted_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(String(200))

    __table_args__ = (
        UniqueConstraint("user_id", "course_id", "source"),
        Index("ix_entitlements_live", "user_id", "course_id", "revoked_at"),
    )


class OneTimeLink(Base):
    """A mailed link that does one thing once."""

    __tablename__ = "one_time_links"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    purpose: Mapped[str] = mapped_column(String(20))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    email: Mapped[str | None] = mapped_column(String(254))
    # A sign-in mail has six digits beside its link; wrong tries are counted here, so that they outlive a restart.
    code_hash: Mapped[str | None] = mapped_column(String(64))
    code_tries: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    __table_args__ = (_one_of("purpose", "claim", "sign_in", "reset", "sign_up", "new_email"),)


class WebhookEvent(Base):
    """Every event Stripe ever told us, as it came."""

    __tablename__ = "webhook_events"

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    type: Mapped[str] = mapped_column(String(100), index=True)
    livemode: Mapped[bool]
    payload: Mapped[str] = mapped_column(Text)
    received_at: Mapped[datetime]
    handled_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(String(200))


class Job(Base):
    """What must happen later. `key` makes a repeat a no-op; `lease` belongs to the worker that holds it."""

    __tablename__ = "jobs"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(60))
    key: Mapped[str] = mapped_column(String(200), unique=True)
    payload: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(10))
    attempts: Mapped[int] = mapped_column(default=0)
    run_at: Mapped[datetime]
    lease: Mapped[str | None] = mapped_column(String(40))
    # When it was first due: a job is given up so long after this, and a gift may wait for its day.
    due_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    last_error: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        _one_of("state", "waiting", "running", "done", "dead"),
        Index("ix_jobs_due", "state", "run_at"),
    )


class AuditEntry(Base):
    """Who did what to whom, written in the transaction that did it."""

    __tablename__ = "audit_log"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    action: Mapped[str] = mapped_column(String(60), index=True)
    actor: Mapped[str] = mapped_column(String(120))
    user_id: Mapped[int | None] = mapped_column(index=True)
    course_id: Mapped[int | None]
    order_id: Mapped[int | None] = mapped_column(index=True)
    details: Mapped[dict[str, Any]]


class Progress(Base):
    """Where a learner is in a lesson. `percent` never falls, but by "not complete"."""

    __tablename__ = "progress"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    lesson_id: Mapped[int] = mapped_column(ForeignKey("lessons.id"), primary_key=True)
    status: Mapped[str] = mapped_column(String(20))
    position_seconds: Mapped[int] = mapped_column(default=0)
    duration_seconds: Mapped[int | None]
    percent: Mapped[int] = mapped_column(default=0)
    # False after "not complete", until the learner has been before the threshold again.
    auto_complete: Mapped[bool] = mapped_column(default=True)
    opened_at: Mapped[datetime]
    beaten_at: Mapped[datetime | None]
    last_viewed_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]

    __table_args__ = (
        _one_of("status", "in_progress", "completed"),
        CheckConstraint("percent BETWEEN 0 AND 100", name="percent"),
        CheckConstraint("position_seconds >= 0", name="position"),
    )


class CourseCompletion(Base):
    """Every lesson there was, completed. Lessons that are added later take nothing away."""

    __tablename__ = "course_completions"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"), primary_key=True)
    completed_at: Mapped[datetime]
