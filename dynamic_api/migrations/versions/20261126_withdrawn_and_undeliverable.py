"""Purchases the operator took back before they had an owner, and gifts whose address takes no mail."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from dynamic_api.core import columns

revision: str = "a3b9e41c70d2"
down_revision: str | None = "7c1f0d6a5b21"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forwards."""
    op.add_column("orders", sa.Column("withdrawn_at", columns.UTCDateTime(timezone=True), nullable=True))
    op.add_column("gifts", sa.Column("undeliverable_at", columns.UTCDateTime(timezone=True), nullable=True))


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table("gifts") as table:
        table.drop_column("undeliverable_at")
    with op.batch_alter_table("orders") as table:
        table.drop_column("withdrawn_at")
