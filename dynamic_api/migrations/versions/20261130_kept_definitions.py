"""The last compiled form of each course, when the catalogue was built, and which lessons count for completion."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from dynamic_api.core import columns

revision: str = "d7a2c9b4e610"
down_revision: str | None = "c5e8f1a2d934"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_MOMENT = columns.UTCDateTime(timezone=True)


def upgrade() -> None:
    """Forwards."""
    op.add_column("courses", sa.Column("definition", sa.Text(), nullable=True))
    op.add_column("lessons", sa.Column("required", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.execute("UPDATE lessons SET required = published")
    op.add_column("catalog_state", sa.Column("built_at", _MOMENT, nullable=True))
    op.add_column("catalog_state", sa.Column("committed_at", _MOMENT, nullable=True))
    op.add_column("catalog_state", sa.Column("commit", sa.String(64), nullable=True))
    op.add_column("catalog_state", sa.Column("site", sa.Text(), nullable=True))
    op.add_column("catalog_state", sa.Column("redirects", sa.Text(), nullable=True))


def downgrade() -> None:
    """Backwards."""
    for name in ("redirects", "site", "commit", "committed_at", "built_at"):
        op.drop_column("catalog_state", name)
    op.drop_column("lessons", "required")
    op.drop_column("courses", "definition")
