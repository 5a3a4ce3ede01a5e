"""Stripe's webhooks: raw body → verified → kept → 200."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dynamic_api.errors import BadSignature
from dynamic_api.gateways.payments import SignatureMismatch
from dynamic_api.routing import Audience, open_route
from dynamic_api.service import Service
from dynamic_api.webhooks.ledger import record_event


async def receive_stripe_event(request: Request, service: Service) -> Response:
    """400 without a good signature; 200 once the event and its job are committed, however often it comes."""
    body = await request.body()
    try:
        event, _ = service.gateways.payments.read_event(body, request.headers.get("stripe-signature", ""))
    except SignatureMismatch:
        raise BadSignature from None
    async with service.database.transaction() as db:
        new = await record_event(db, event, body, now=service.clock())
    return JSONResponse({"received": True, "new": new})


routes = [open_route("POST", "/stripe", receive_stripe_event, Audience.STRIPE)]
