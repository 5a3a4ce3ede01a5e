"""When a lesson was added, and when a course was completed."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from dynamic_api.core import columns

revision: str = "7c1f0d6a5b21"
down_revision: str | None = "1d52a3ef0875"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Forwards. Of lessons that are there already, the last change is the best that is known."""
    op.create_table(
        "course_completions",
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("course_id", sa.Integer(), nullable=False),
        sa.Column("completed_at", columns.UTCDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_course_completions_user_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["course_id"], ["courses.id"], name=op.f("fk_course_completions_course_id")),
        sa.PrimaryKeyConstraint("user_id", "course_id", name=op.f("pk_course_completions")),
    )
    op.add_column("lessons", sa.Column("added_at", columns.UTCDateTime(timezone=True), nullable=True))
    op.execute("UPDATE lessons SET added_at = updated_at")
    with op.batch_alter_table("lessons") as table:
        table.alter_column("added_at", existing_type=columns.UTCDateTime(timezone=True), nullable=False)


def downgrade() -> None:
    """Back."""
    with op.batch_alter_table("lessons") as table:
        table.drop_column("added_at")
    op.drop_table("course_completions")
