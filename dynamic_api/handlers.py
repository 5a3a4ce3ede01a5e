"""Job kind → what runs it, as one visible table."""

from dynamic_api.claims.claims import SendClaimLinks, send_claim_links
from dynamic_api.core.messages import Message
from dynamic_api.jobs.clean_up import CleanUp, clean_up
from dynamic_api.jobs.worker import Handler
from dynamic_api.mail.send import send_message
from dynamic_api.orders.jobs import CloseCheckout, ReconcileOrder, Sweep
from dynamic_api.orders.reconcile import close_checkout, run_reconcile
from dynamic_api.orders.sweep import run_sweep
from dynamic_api.webhooks.events import HandleEvent
from dynamic_api.webhooks.handle import handle_event

_ALL = (
    Handler(HandleEvent, handle_event),
    Handler(ReconcileOrder, run_reconcile),
    Handler(CloseCheckout, close_checkout),
    Handler(Sweep, run_sweep),
    Handler(SendClaimLinks, send_claim_links),
    Handler(CleanUp, clean_up),
    Handler(Message, send_message),
)
HANDLERS = {handler.job.kind: handler for handler in _ALL}
