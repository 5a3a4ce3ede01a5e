"""The whole schema on one page. Constraints carry the rules; code only explains them."""

from datetime import datetime
from typing import NewType

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, composite, mapped_column

from dynamic_api.core.columns import AMOUNT, UTCDateTime, enum_text, one_of
from dynamic_api.core.emails import Email
from dynamic_api.core.states import JobState, LinkPurpose, OrderState, ProgressStatus
from dynamic_api.core.tokens import PublicOrderId

OrderId = NewType("OrderId", int)  # the row's number; never leaves the service
Json = dict[str, object]


class Base(DeclarativeBase):
    """Names constraints, so that migrations can find them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: UTCDateTime, Json: JSON}  # noqa: RUF012 - read by SQLAlchemy


class User(Base):
    """A learner."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    email_spelling: Mapped[str] = mapped_column("email", String(254))
    email_key: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    password_hash: Mapped[str | None] = mapped_column(String(200))
    email_verified_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    email: Mapped[Email] = composite("email_spelling", "email_key")


class WebSession(Base):
    """A signed-in browser."""

    __tablename__ = "web_sessions"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    user_agent: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]
    last_seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]


class AccessToken(Base):
    """A signed-in phone."""

    __tablename__ = "access_tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    device_name: Mapped[str] = mapped_column(String(120))
    abilities: Mapped[str] = mapped_column(String(200))
    created_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    expires_at: Mapped[datetime]


class Installation(Base):
    """This installation; one row. `livemode`: whether its key moves real money, None before the first start."""

    __tablename__ = "installation"

    id: Mapped[int] = mapped_column(primary_key=True)
    livemode: Mapped[bool | None]

    __table_args__ = (CheckConstraint("id = 1", name="single"),)


class CatalogState(Base):
    """The manifest that the catalogue's tables were last brought in line with; one row.

    `site` and `redirects` are its parts that belong to no course, as JSON.
    """

    __tablename__ = "catalog_state"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(String(64))
    synced_at: Mapped[datetime]
    built_at: Mapped[datetime | None]
    committed_at: Mapped[datetime | None]
    commit: Mapped[str | None] = mapped_column(String(64))
    site: Mapped[str | None] = mapped_column(Text)
    redirects: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (CheckConstraint("id = 1", name="single"),)


class CatalogRow(Base):
    """Something the course files name: an integer id that outlives renames, and whether the files still name it."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    digest: Mapped[str] = mapped_column(String(64))
    updated_at: Mapped[datetime]
    archived_at: Mapped[datetime | None]


class Course(CatalogRow):
    """A course. `lessons_version` counts the changes of its set of open lessons.

    `definition` is its newest compiled form that owners could watch, as JSON. A course that the files no longer
    have, or hide, is served to its owners from it.
    """

    __tablename__ = "courses"

    slug: Mapped[str] = mapped_column(String(64), index=True)
    title: Mapped[str] = mapped_column(String(300))
    published: Mapped[bool]
    partial_refund_keeps_access: Mapped[bool]
    lessons_version: Mapped[int] = mapped_column(default=1, server_default="1")
    definition: Mapped[str | None] = mapped_column(Text)


class Module(CatalogRow):
    """A module."""

    __tablename__ = "modules"

    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"), index=True)


class Lesson(CatalogRow):
    """A lesson. `required`: it was published, and the files do not say that it is retired; it counts for completion."""

    __tablename__ = "lessons"

    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"), index=True)
    slug: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(300))
    published: Mapped[bool]
    required: Mapped[bool] = mapped_column(server_default=false())
    added_at: Mapped[datetime]


class Resource(CatalogRow):
    """A file."""

    __tablename__ = "resources"

    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"), index=True)


class Order(Base):
    """One attempt to buy one course. Only `reconcile_order` moves it; `revision` counts every change.

    The buyer pays, the owner gets the course. The two differ only for gifts.
    """

    __tablename__ = "orders"

    id: Mapped[OrderId] = mapped_column(Integer, primary_key=True)
    public_id: Mapped[PublicOrderId] = mapped_column(String(40), unique=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"), index=True)
    buyer_id: Mapped[int | None] = mapped_column(ForeignKey("users.id"), index=True)
    buyer_email_spelling: Mapped[str | None] = mapped_column("email", String(254))
    buyer_email_key: Mapped[str | None] = mapped_column("email_key", String(254), index=True)
    owner_id: Mapped[int | None] = mapped_column("user_id", ForeignKey("users.id"), index=True)
    owner_email_spelling: Mapped[str | None] = mapped_column("owner_email", String(254))
    owner_email_key: Mapped[str | None] = mapped_column(String(254), index=True)
    is_gift: Mapped[bool] = mapped_column(default=False, server_default=false())
    # Stripe's id of the code that was typed into our own box.
    promotion_code_id: Mapped[str | None] = mapped_column(String(100))
    state: Mapped[OrderState] = mapped_column(enum_text(OrderState, 20))
    amount: Mapped[int] = mapped_column(AMOUNT)
    currency: Mapped[str] = mapped_column(String(3))
    total_amount: Mapped[int | None] = mapped_column(AMOUNT)
    total_currency: Mapped[str | None] = mapped_column(String(3))
    refunded_amount: Mapped[int] = mapped_column(AMOUNT, default=0)
    # A bank debit that was ordered and has not arrived; the state stays pending meanwhile.
    is_processing: Mapped[bool] = mapped_column("under_way", default=False)
    browser_hash: Mapped[str | None] = mapped_column(String(64), index=True)
    session_id: Mapped[str | None] = mapped_column(String(100), unique=True)
    checkout_url: Mapped[str | None] = mapped_column(Text)
    payment_intent_id: Mapped[str | None] = mapped_column(String(100), unique=True)
    receipt_url: Mapped[str | None] = mapped_column(Text)
    livemode: Mapped[bool | None]  # real money or test money; None where no payment is involved
    revision: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    refunded_at: Mapped[datetime | None]
    # The operator revoked it before it had an owner; with an owner, the entitlement is revoked instead.
    withdrawn_at: Mapped[datetime | None]
    reconciled_at: Mapped[datetime | None]

    buyer_email: Mapped[Email | None] = composite("buyer_email_spelling", "buyer_email_key")
    owner_email: Mapped[Email | None] = composite("owner_email_spelling", "owner_email_key")

    __table_args__ = (
        one_of("state", OrderState),
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("refunded_amount >= 0", name="refunded_amount"),
        CheckConstraint("NOT is_gift OR owner_email_key IS NOT NULL", name="gift_has_recipient"),
    )


class Gift(Base):
    """What only gifts have: the words, and the moment of delivery. The recipient's address is the order's owner."""

    __tablename__ = "gifts"

    order_id: Mapped[OrderId] = mapped_column(ForeignKey("orders.id"), primary_key=True)
    recipient_name: Mapped[str] = mapped_column(String(120))
    sender_name: Mapped[str] = mapped_column(String(120))
    message: Mapped[str] = mapped_column(Text)
    deliver_at: Mapped[datetime]
    delivered_at: Mapped[datetime | None] = mapped_column(index=True)
    undeliverable_at: Mapped[datetime | None]  # the mail server refused the address permanently


class Entitlement(Base):
    """What one source granted one learner. Any row that is not revoked gives access to the course."""

    __tablename__ = "entitlements"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"), index=True)
    source: Mapped[str] = mapped_column(String(60))
    order_id: Mapped[OrderId | None] = mapped_column(ForeignKey("orders.id"), index=True)
    granted_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(String(200))

    __table_args__ = (
        UniqueConstraint("user_id", "course_id", "source"),
        Index("ix_entitlements_live", "user_id", "course_id", "revoked_at"),
    )


class OneTimeLink(Base):
    """An emailed link that does one thing once."""

    __tablename__ = "one_time_links"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    purpose: Mapped[LinkPurpose] = mapped_column(enum_text(LinkPurpose, 20))
    order_id: Mapped[OrderId | None] = mapped_column(ForeignKey("orders.id"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    email_spelling: Mapped[str | None] = mapped_column("email", String(254))
    email_key: Mapped[str | None] = mapped_column(String(254), index=True)
    # A sign-in email has six digits beside its link; wrong attempts are counted here, to survive a restart.
    code_hash: Mapped[str | None] = mapped_column(String(64))
    code_attempts: Mapped[int] = mapped_column("code_tries", default=0, server_default="0")
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]

    email: Mapped[Email | None] = composite("email_spelling", "email_key")

    __table_args__ = (one_of("purpose", LinkPurpose),)


class WebhookEvent(Base):
    """Every event Stripe sent us, as it came."""

    __tablename__ = "webhook_events"

    id: Mapped[str] = mapped_column(String(100), primary_key=True)
    type: Mapped[str] = mapped_column(String(100), index=True)
    livemode: Mapped[bool]
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


class Progress(Base):
    """How far a learner is in a lesson. `percent` falls only when the learner marks the lesson as not complete."""

    __tablename__ = "progress"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    lesson_id: Mapped[int] = mapped_column(ForeignKey("lessons.id"), primary_key=True)
    status: Mapped[ProgressStatus] = mapped_column(enum_text(ProgressStatus, 20))
    position_seconds: Mapped[int] = mapped_column(default=0)
    duration_seconds: Mapped[int | None]
    percent: Mapped[int] = mapped_column(default=0)
    # False after "not complete", until the learner has been before the completion threshold again.
    auto_complete: Mapped[bool] = mapped_column(default=True)
    # When the newest heartbeat that moved the position was sent.
    positioned_at: Mapped[datetime | None]
    last_viewed_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]

    __table_args__ = (
        one_of("status", ProgressStatus),
        CheckConstraint("percent BETWEEN 0 AND 100", name="percent"),
        CheckConstraint("position_seconds >= 0", name="position"),
        # A learner's rows lie beside each other on disk: the library and every course read them in one stretch.
        {"sqlite_with_rowid": False},
    )


class CourseProgress(Base):
    """What a library shows of a course, kept by the progress writer so that it costs one row to read.

    `completed_lessons` is right while `lessons_version` is the course's; after the course changed, it is counted anew.
    """

    __tablename__ = "course_progress"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"), primary_key=True)
    last_lesson_id: Mapped[int | None] = mapped_column(ForeignKey("lessons.id"))  # the lesson that was viewed last
    completed_lessons: Mapped[int]
    lessons_version: Mapped[int]
    completed_at: Mapped[datetime | None]  # every lesson was complete once; never taken back

    __table_args__ = ({"sqlite_with_rowid": False},)
