"""Stripe's signature on a webhook, checked on the raw body.

https://docs.stripe.com/webhooks#verify-official-libraries
"""

import json
from collections.abc import Iterable

import stripe

from dynamic_api.gateways.payment_facts import EventFacts, read_event_facts

LONGEST_SIGNATURE = 2000  # letters of a header; Stripe's has one signature for each secret that is valid now


class SignatureMismatch(Exception):
    """A webhook body that is not accepted; the message says why, for the operator's log and nobody else."""


def read_signed_event(body: bytes, signature: str, secrets: Iterable[str]) -> EventFacts:
    """The event of a body that any of our secrets signed. Raises SignatureMismatch."""
    text = body.decode("utf-8", "replace")
    # Each attempt hashes the whole body, so that a stranger's costs one for each secret.
    signed_with = next((each for each in secrets if _is_signed(text, signature, each, within=None)), None)
    if signed_with is None:
        raise SignatureMismatch("no secret of this installation signed it: COURSEWRIGHT_STRIPE_WEBHOOK_SECRETS")
    if not _is_signed(text, signature, signed_with, within=stripe.Webhook.DEFAULT_TOLERANCE):
        raise SignatureMismatch(
            "it was signed too long ago: the clock of this machine is wrong, or somebody repeats an old event"
        )
    try:
        return read_event_facts(json.loads(text))
    except (ValueError, KeyError, TypeError, RecursionError):
        raise SignatureMismatch(
            "the body is signed and has no data: the endpoint sends thin events; choose snapshots in Stripe"
        ) from None


def _is_signed(text: str, signature: str, secret: str, *, within: int | None) -> bool:
    """Whether this secret signed it, within so many seconds."""
    if len(signature) > LONGEST_SIGNATURE or not signature.isascii():
        return False
    try:
        stripe.WebhookSignature.verify_header(text, signature, secret, within)
    except stripe.SignatureVerificationError:
        return False
    return True
