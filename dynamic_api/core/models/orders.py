"""Tables of what was bought, and what it opens."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ColumnElement, ForeignKey, Index, Integer, String, Text, UniqueConstraint, false
from sqlalchemy.orm import Mapped, composite, mapped_column, relationship

from dynamic_api.core.columns import AMOUNT, enum_text, one_of
from dynamic_api.core.emails import Email
from dynamic_api.core.models.base import Base, OrderId
from dynamic_api.core.states import OrderState
from dynamic_api.core.tokens import PublicOrderId


class OrderLine(Base):
    """One thing that an order sold, and what became of its money; `position` counts from 1.

    `amount` is its price for the whole quantity, `total_amount` what was paid for it after discounts and with taxes.
    The state is the order's, but for money that went back for some lines and not for others: see `orders/lines.py`.
    """

    __tablename__ = "order_lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[OrderId] = mapped_column(ForeignKey("orders.id"))
    position: Mapped[int]
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"), index=True)
    product_id: Mapped[str | None] = mapped_column(String(120))  # Stripe's; None where no payment is involved
    quantity: Mapped[int] = mapped_column(default=1)
    amount: Mapped[int] = mapped_column(AMOUNT)
    currency: Mapped[str] = mapped_column(String(3))
    total_amount: Mapped[int | None] = mapped_column(AMOUNT)
    refunded_amount: Mapped[int] = mapped_column(AMOUNT, default=0)
    state: Mapped[OrderState] = mapped_column(enum_text(OrderState, 20))
    # The operator revoked it before it had an owner; with an owner, the entitlement is revoked instead.
    withdrawn_at: Mapped[datetime | None]

    __table_args__ = (
        one_of("state", OrderState),
        UniqueConstraint("order_id", "position"),
        UniqueConstraint("order_id", "course_id"),
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("amount >= 0", name="amount"),
        CheckConstraint("refunded_amount BETWEEN 0 AND total_amount OR refunded_amount = 0", name="refunded_amount"),
    )


class Order(Base):
    """One attempt to buy what its lines name. Only `reconcile_order` moves it; `revision` counts every change.

    The buyer pays, the owner gets the courses. The two differ only for gifts.
    """

    __tablename__ = "orders"

    id: Mapped[OrderId] = mapped_column(Integer, primary_key=True)
    public_id: Mapped[PublicOrderId] = mapped_column(String(40), unique=True)
    installation: Mapped[str] = mapped_column(String(20))  # the `Installation.key` that sold it
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
    invoice_id: Mapped[str | None] = mapped_column(String(100))  # Stripe's; its links expire, so none is kept
    livemode: Mapped[bool | None]  # real money or test money; None where no payment is involved
    revision: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    paid_at: Mapped[datetime | None]
    refunded_at: Mapped[datetime | None]
    reconciled_at: Mapped[datetime | None]

    lines: Mapped[list[OrderLine]] = relationship(order_by=OrderLine.position, lazy="selectin")
    buyer_email: Mapped[Email | None] = composite("buyer_email_spelling", "buyer_email_key")
    owner_email: Mapped[Email | None] = composite("owner_email_spelling", "owner_email_key")

    @property
    def course_ids(self) -> tuple[int, ...]:
        """What it sold, in the order of its lines."""
        return tuple(line.course_id for line in self.lines)

    def line_of(self, course_id: int) -> OrderLine:
        """The line that sold a course; an order sells each once."""
        return next(line for line in self.lines if line.course_id == course_id)

    @classmethod
    def sells(cls, course_id: int) -> ColumnElement[bool]:
        """Whether an order sells a course, as a condition of a statement."""
        return cls.lines.any(OrderLine.course_id == course_id)

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


class ImportedOrder(Base):
    """An order that came from another platform. `key` is a digest of its name there: an import can be repeated."""

    __tablename__ = "imported_orders"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    order_id: Mapped[OrderId] = mapped_column(ForeignKey("orders.id"), unique=True)
    imported_at: Mapped[datetime]


class Entitlement(Base):
    """What one source granted one learner. Any row that is not revoked gives access to the course."""

    __tablename__ = "entitlements"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"), index=True)
    source: Mapped[str] = mapped_column(String(60))
    line_id: Mapped[int | None] = mapped_column(ForeignKey("order_lines.id"), index=True)
    granted_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    reason: Mapped[str | None] = mapped_column(String(200))

    __table_args__ = (
        UniqueConstraint("user_id", "course_id", "source"),
        Index("ix_entitlements_live", "user_id", "course_id", "revoked_at"),
    )
