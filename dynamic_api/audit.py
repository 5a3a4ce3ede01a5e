"""Who did what, written in the caller's transaction: the act and its record stand or fall together."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.models import AuditEntry


class Action(StrEnum):
    """Everything that is recorded."""

    ORDER_CREATED = "order:created"
    ORDER_CHANGED = "order:changed"
    ORDER_CLAIMED = "order:claimed"
    ORDER_MOVED = "order:moved"
    ACCESS_GRANTED = "access:granted"
    ACCESS_REVOKED = "access:revoked"
    ACCESS_RESTORED = "access:restored"
    ACCOUNT_CREATED = "account:created"
    ACCOUNT_DELETED = "account:deleted"
    EMAIL_CHANGED = "account:email_changed"
    ACCOUNT_VERIFIED = "account:verified"
    PASSWORD_CHANGED = "account:password_changed"  # noqa: S105 - a name of an act, not a secret
    SESSION_STARTED = "session:started"
    TOKEN_ISSUED = "token:issued"  # noqa: S105 - a name of an act, not a secret
    CLAIM_LINK_ISSUED = "claim_link:issued"
    DOWNLOAD_LINK_ISSUED = "download:issued"
    OPERATOR_ASKED = "operator:asked"
    EVENTS_REPLAYED = "events:replayed"
    JOBS_RETRIED = "jobs:retried"
    CAPTIONS_BROUGHT = "captions:brought"
    CATALOG_SYNCED = "catalog:synced"


def record(
    db: AsyncSession,
    action: Action,
    *,
    at: datetime,
    actor: str,
    user_id: int | None = None,
    course_id: int | None = None,
    order_id: int | None = None,
    **details: Any,
) -> None:
    """Add one line. `actor` is `user:7`, `stripe`, `operator` or `system`."""
    db.add(
        AuditEntry(
            at=at,
            action=action.value,
            actor=actor,
            user_id=user_id,
            course_id=course_id,
            order_id=order_id,
            details=details,
        )
    )
