"""Who did what, written in the caller's transaction: the act and its record stand or fall together."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.core.models import AuditEntry, OrderId

OPERATOR = "operator"
SYSTEM = "system"
GUEST = "guest"


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
    PASSWORD_CHANGED = "account:password_changed"  # noqa: S105 - the name of an action, not a secret
    SESSION_STARTED = "session:started"
    TOKEN_ISSUED = "token:issued"  # noqa: S105 - the name of an action, not a secret
    CLAIM_LINK_ISSUED = "claim_link:issued"
    DOWNLOAD_LINK_ISSUED = "download:issued"
    COMMAND_RUN = "operator:asked"
    EVENTS_REPLAYED = "events:replayed"
    JOBS_RETRIED = "jobs:retried"
    CAPTIONS_UPLOADED = "captions:brought"
    REVIEW_WRITTEN = "review:written"
    REVIEW_DELETED = "review:deleted"
    CATALOG_SYNCED = "catalog:synced"


def by_user(user_id: int) -> str:
    """The actor's name of somebody with an account."""
    return f"user:{user_id}"


def record(
    db: AsyncSession,
    action: Action,
    *,
    at: datetime,
    actor: str,
    user_id: int | None = None,
    course_id: int | None = None,
    order_id: OrderId | None = None,
    **details: str | int | bool | None,
) -> None:
    """Add one line. `actor` is `user:7`, `guest`, `stripe:evt_…`, `operator` or `system`."""
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
