"""Gifts, promotion codes of our own box, codes in sign-in mails, and jobs that wait for their day."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from dynamic_api.core import columns

revision: str = "1d52a3ef0875"
down_revision: str | None = "52e059786795"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_OLD_PURPOSES = "purpose IN ('claim', 'sign_in', 'reset', 'sign_up')"
_NEW_PURPOSES = "purpose IN ('claim', 'sign_in', 'reset', 'sign_up', 'new_email')"


def upgrade() -> None:
    """Forwards."""
    op.create_table(
        "gifts",
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("recipient_name", sa.String(length=120), nullable=False),
        sa.Column("sender_name", sa.String(length=120), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("deliver_at", columns.UTCDateTime(timezone=True), nullable=False),
        sa.Column("delivered_at", columns.UTCDateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_gifts_order_id")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_gifts")),
    )
    op.create_index(op.f("ix_gifts_delivered_at"), "gifts", ["delivered_at"])
    with op.batch_alter_table("jobs") as table:
        table.alter_column("created_at", new_column_name="due_at")
    with op.batch_alter_table("one_time_links") as table:
        table.add_column(sa.Column("code_hash", sa.String(length=64), nullable=True))
        table.add_column(sa.Column("code_tries", sa.Integer(), server_default="0", nullable=False))
        table.drop_constraint(op.f("ck_one_time_links_purpose"))
        table.create_check_constraint(op.f("ck_one_time_links_purpose"), sa.text(_NEW_PURPOSES))
    with op.batch_alter_table("orders") as table:
        table.add_column(sa.Column("buyer_id", sa.Integer(), nullable=True))
        table.add_column(sa.Column("owner_email", sa.String(length=254), nullable=True))
        table.add_column(sa.Column("owner_email_key", sa.String(length=254), nullable=True))
        table.add_column(sa.Column("is_gift", sa.Boolean(), server_default=sa.false(), nullable=False))
        table.add_column(sa.Column("promotion_code_id", sa.String(length=100), nullable=True))
        table.create_index(op.f("ix_orders_buyer_id"), ["buyer_id"])
        table.create_index(op.f("ix_orders_owner_email_key"), ["owner_email_key"])
        table.create_foreign_key(op.f("fk_orders_buyer_id"), "users", ["buyer_id"], ["id"])
        condition = sa.text("NOT is_gift OR owner_email_key IS NOT NULL")
        table.create_check_constraint(op.f("ck_orders_gift_has_recipient"), condition)
    # Until now everybody bought for themselves.
    op.execute("UPDATE orders SET buyer_id = user_id, owner_email = email, owner_email_key = email_key")


def downgrade() -> None:
    """Back; gifts become purchases that wait for their recipients."""
    op.execute("UPDATE orders SET email = owner_email, email_key = owner_email_key WHERE is_gift")
    op.execute("DELETE FROM one_time_links WHERE purpose = 'new_email'")
    with op.batch_alter_table("orders") as table:
        table.drop_constraint(op.f("ck_orders_gift_has_recipient"))
        table.drop_constraint(op.f("fk_orders_buyer_id"), type_="foreignkey")
        table.drop_index(op.f("ix_orders_owner_email_key"))
        table.drop_index(op.f("ix_orders_buyer_id"))
        for name in ("promotion_code_id", "is_gift", "owner_email_key", "owner_email", "buyer_id"):
            table.drop_column(name)
    with op.batch_alter_table("one_time_links") as table:
        table.drop_constraint(op.f("ck_one_time_links_purpose"))
        table.create_check_constraint(op.f("ck_one_time_links_purpose"), sa.text(_OLD_PURPOSES))
        table.drop_column("code_tries")
        table.drop_column("code_hash")
    with op.batch_alter_table("jobs") as table:
        table.alter_column("due_at", new_column_name="created_at")
    op.drop_table("gifts")
