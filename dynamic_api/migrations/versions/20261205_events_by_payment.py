"""Events are found by the payment they are about, and a job remembers when it was written.

On the way back, an event whose body was cleaned away forgets its payment.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from dynamic_api.core import columns

revision: str = "e7a2c4d9f531"
down_revision: str | None = "d1e8f5b3c426"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


def upgrade() -> None:
    """Forwards."""
    for name in ("session_id", "payment_intent_id"):
        op.add_column("webhook_events", sa.Column(name, sa.String(length=100), nullable=True))
        op.create_index(op.f(f"ix_webhook_events_{name}"), "webhook_events", [name])
    events = sa.table(
        "webhook_events",
        *(sa.column(name, sa.String) for name in ("id", "payload", "session_id", "payment_intent_id")),
    )
    database = op.get_bind()
    for row in database.execute(sa.select(events.c.id, events.c.payload)).all():
        subject = json.loads(row.payload).get("data", {}).get("object", {})
        named = {f"{kind}_id": _name_of(subject, kind) for kind in ("session", "payment_intent")}
        database.execute(events.update().where(events.c.id == row.id).values(named))
    with op.batch_alter_table("jobs") as table:
        table.add_column(sa.Column("created_at", columns.UTCDateTime(timezone=True), nullable=True))
    jobs = sa.table("jobs", sa.column("created_at", columns.UTCDateTime(timezone=True)))
    database.execute(jobs.update().values(created_at=_LONG_AGO))
    with op.batch_alter_table("jobs") as table:
        table.alter_column("created_at", existing_type=columns.UTCDateTime(timezone=True), nullable=False)


def _name_of(subject: dict[str, object], kind: str) -> str | None:
    """The payment page or the payment that an event is about."""
    own = {"session": "checkout.session", "payment_intent": "payment_intent"}[kind]
    found = subject.get("id") if subject.get("object") == own else subject.get(kind)
    return found if isinstance(found, str) else None


def downgrade() -> None:
    """Backwards."""
    with op.batch_alter_table("jobs") as table:
        table.drop_column("created_at")
    for name in ("payment_intent_id", "session_id"):
        op.drop_index(op.f(f"ix_webhook_events_{name}"), table_name="webhook_events")
        op.drop_column("webhook_events", name)
