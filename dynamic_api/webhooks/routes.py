"""Stripe's webhooks: raw body → verified → stored → 200."""

import asyncio
import logging

from starlette.responses import Response

from dynamic_api.core.errors import BadSignature
from dynamic_api.core.inbox import Arrival
from dynamic_api.gateways.signatures import SignatureMismatch
from dynamic_api.web.requests import Request
from dynamic_api.web.responses import JsonResponse
from dynamic_api.web.routing import Audience, open_route
from dynamic_api.webhooks.events import HandleEvent

LARGE = 64 * 1024  # bytes; Stripe's events are smaller

logger = logging.getLogger("coursewright.webhooks")


async def receive_stripe_event(request: Request) -> Response:
    """400 without a valid signature; 200 once the event and its job are committed, however often it comes."""
    service, body = request.service, await request.body()
    signature = request.raw_headers.get(b"stripe-signature", b"").decode("latin-1")
    try:
        read = service.gateways.payments.read_event
        # A large body takes milliseconds to hash, and anybody may send one.
        event = await asyncio.to_thread(read, body, signature) if len(body) > LARGE else read(body, signature)
    except SignatureMismatch as mismatch:
        if signature:  # without one it is no webhook: a scanner, or “coursewright doctor”
            logger.warning("a webhook was refused: %s", mismatch)  # the sender is not told: it may be anybody
        raise BadSignature from None
    arrival = Arrival(
        id=event.id,
        type=event.type,
        livemode=event.livemode,
        session_id=event.session_id,
        payment_intent_id=event.payment_intent_id,
        payload=body.decode(),
        received_at=service.clock(),
        job=HandleEvent(event.id),
    )
    return JsonResponse({"received": True, "new": await service.inbox.store(arrival)})


routes = [open_route("POST", "/stripe", receive_stripe_event, Audience.STRIPE)]
