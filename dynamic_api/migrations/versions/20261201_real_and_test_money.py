"""Whether an order was paid with real money, which kind counts here, and room for large amounts."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "e1f4b7a90c25"
down_revision: str | None = "d7a2c9b4e610"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_AMOUNTS = ("amount", "total_amount", "refunded_amount")


def upgrade() -> None:
    """Forwards."""
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("livemode", sa.Boolean(), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_installation_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation")),
    )
    op.execute("INSERT INTO installation (id) VALUES (1)")
    op.add_column("orders", sa.Column("livemode", sa.Boolean(), nullable=True))
    op.execute(
        sa.text(
            "UPDATE orders SET livemode = CASE WHEN session_id LIKE 'cs_live_%' THEN :yes "
            "WHEN session_id LIKE 'cs_test_%' THEN :no END"
        ).bindparams(yes=True, no=False)
    )
    if op.get_bind().dialect.name == "postgresql":  # SQLite's integers are large enough
        for name in _AMOUNTS:
            op.alter_column("orders", name, type_=sa.BigInteger())


def downgrade() -> None:
    """Backwards."""
    if op.get_bind().dialect.name == "postgresql":
        for name in _AMOUNTS:
            op.alter_column("orders", name, type_=sa.Integer())
    op.drop_column("orders", "livemode")
    op.drop_table("installation")
