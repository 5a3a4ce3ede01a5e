"""Stripe's name for each account that bought while signed in, and its invoice of each order."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "c9d4e2a7b318"
down_revision: str | None = "b6c3d8e5f172"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forwards."""
    op.add_column("users", sa.Column("customer_id", sa.String(length=100), nullable=True))
    op.add_column("orders", sa.Column("invoice_id", sa.String(length=100), nullable=True))


def downgrade() -> None:
    """Backwards."""
    op.drop_column("orders", "invoice_id")
    op.drop_column("users", "customer_id")
