"""Orders that were imported remember what they were called elsewhere, so that an import can be repeated."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from dynamic_api.core import columns

revision: str = "b3f6d18a7c52"
down_revision: str | None = "e7a2c4d9f531"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forwards."""
    op.create_table(
        "imported_orders",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.Integer(), nullable=False),
        sa.Column("imported_at", columns.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_imported_orders_order_id_orders")),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_imported_orders")),
        sa.UniqueConstraint("order_id", name=op.f("uq_imported_orders_order_id")),
    )


def downgrade() -> None:
    """Backwards: an import that is repeated then doubles orders, and no access."""
    op.drop_table("imported_orders")
