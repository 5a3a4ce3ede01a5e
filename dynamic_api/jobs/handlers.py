"""Job kind → function, as one visible table."""

from collections.abc import Mapping

from dynamic_api.accounts.claims import reissue_job
from dynamic_api.checkout.reconcile import close_page_job, reconcile_job
from dynamic_api.checkout.sweep import sweep_job
from dynamic_api.jobs.tidy import tidy_job
from dynamic_api.jobs.worker import Handler
from dynamic_api.mail.send import send_job
from dynamic_api.webhooks.handle import handle_event_job

HANDLERS: Mapping[str, Handler] = {
    "stripe.event": handle_event_job,
    "order.reconcile": reconcile_job,
    "checkout.close": close_page_job,
    "orders.sweep": sweep_job,
    "claims.reissue": reissue_job,
    "service.tidy": tidy_job,
    "mail.send": send_job,
}
