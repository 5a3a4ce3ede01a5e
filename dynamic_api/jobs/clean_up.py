"""Once a day: what has expired or was done long ago is deleted.

| what                                                     | goes after                      |
|----------------------------------------------------------|---------------------------------|
| sessions, phone tokens                                   | their end                       |
| emailed links, jobs that come again and again            | the setting KEEP_DAYS           |
| jobs of emails that somebody asked for by an address     | the setting KEEP_DAYS           |
| the bodies of Stripe's events, once they were handled    | the setting KEEP_EVENT_DAYS     |
| records of signing in, downloads and commands            | the setting KEEP_VISIT_DAYS     |

What was done to orders, access and accounts stays recorded. The keys of emails and of events stay for good: they are
what makes a repeat a no-op, and hold nothing of a person.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, update

from dynamic_api.core.audit import Action
from dynamic_api.core.messages import NewEmailLink, NewsConfirmation, ResetLink, SignInLink, SignUpLink
from dynamic_api.core.models import AccessToken, AuditEntry, OneTimeLink, WebhookEvent, WebSession
from dynamic_api.core.models import Job as JobRow
from dynamic_api.core.outbox import Job, enqueue
from dynamic_api.core.states import JobState
from dynamic_api.service import Service
from dynamic_api.web.sessions import LONGEST_SESSION

_ASKED_FOR = (SignInLink, ResetLink, SignUpLink, NewsConfirmation, NewEmailLink)
_VISITS = (Action.SESSION_STARTED, Action.TOKEN_ISSUED, Action.DOWNLOAD_LINK_ISSUED, Action.COMMAND_RUN)
_REPEATED_KINDS = ("order.reconcile", "orders.sweep", "claims.reissue", "service.tidy")


@dataclass(frozen=True)
class CleanUp(Job):
    """Delete what has expired."""

    kind = "service.tidy"


async def clean_up(service: Service, _job: CleanUp) -> None:
    """The job `service.tidy`."""
    await schedule_clean_up(service)
    now, settings = service.clock(), service.settings
    long_ago = now - timedelta(days=settings.keep_days)
    bodies_until = now - timedelta(days=settings.keep_event_days)
    visits_until = now - timedelta(days=settings.keep_visit_days)
    async with service.database.transaction() as db:
        ended = (WebSession.expires_at < now) | (WebSession.created_at < now - LONGEST_SESSION)
        await db.execute(delete(WebSession).where(ended))
        await db.execute(delete(AccessToken).where(AccessToken.expires_at < now))
        await db.execute(delete(OneTimeLink).where(OneTimeLink.expires_at < long_ago))
        old = (AuditEntry.at < visits_until) & AuditEntry.action.in_([each.value for each in _VISITS])
        await db.execute(delete(AuditEntry).where(old))
        handled = (WebhookEvent.handled_at < bodies_until) & (WebhookEvent.payload != "{}")
        await db.execute(update(WebhookEvent).where(handled).values(payload="{}"))
        done = (JobRow.state == JobState.DONE) & JobRow.kind.in_(_REPEATED_KINDS)
        await db.execute(delete(JobRow).where(done, JobRow.finished_at < long_ago))
        # Their keys hold a hash of the address, which somebody could try addresses against.
        asked_for = or_(*(JobRow.key.startswith(f"mail:{message.name}.") for message in _ASKED_FOR))
        await db.execute(delete(JobRow).where(asked_for, JobRow.finished_at < long_ago))


async def schedule_clean_up(service: Service) -> None:
    """One for each day, however many workers ask."""
    now = service.clock()
    tomorrow = datetime.combine(now.date() + timedelta(days=1), datetime.min.time(), now.tzinfo)
    async with service.database.transaction() as db:
        await enqueue(db, CleanUp(), f"tidy:{tomorrow:%Y%m%d}", now=now, delay=tomorrow - now)
