"""When and where a password was set, and since when and in which browser somebody is signed in."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from dynamic_api.core import columns

revision: str = "d1e8f5b3c426"
down_revision: str | None = "c9d4e2a7b318"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forwards."""
    op.add_column("users", sa.Column("password_set_at", columns.UTCDateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("password_device", sa.String(length=80), nullable=True))
    op.add_column("users", sa.Column("password_browser_hash", sa.String(length=64), nullable=True))
    op.execute("UPDATE users SET password_set_at = created_at WHERE password_hash IS NOT NULL")


def downgrade() -> None:
    """Backwards."""
    for name in ("password_browser_hash", "password_device", "password_set_at"):
        op.drop_column("users", name)
