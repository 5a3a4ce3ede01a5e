"""Making a purchase one's own."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dynamic_api.accounts import claims
from dynamic_api.accounts.asked_for_mail import mailable_address
from dynamic_api.accounts.bodies import LinkToken, NewAccount, NewAccountByLink
from dynamic_api.accounts.identity import (
    checkout_browser,
    client_address,
    signed_in_user,
    welcome_in,
)
from dynamic_api.accounts.throttle import CLAIM_BY_ADDRESS
from dynamic_api.routing import open_route, read_body, throttle_of
from dynamic_api.service import Service


async def look_at_claim(request: Request, service: Service) -> Response:
    """What a claim link would give. A POST, so that the token stays out of addresses; it uses nothing up."""
    throttle_of(request).hit(CLAIM_BY_ADDRESS, client_address(request))
    body = await read_body(request, LinkToken)
    async with service.database.reading() as db:
        waiting = await claims.look_at_link(db, body.token, now=service.clock())
    user = await signed_in_user(request, service)
    return JSONResponse(
        {
            "course_title": service.catalog.current.title_of(waiting.order.course_id),
            "email": waiting.order.owner_email,
            "is_gift": waiting.order.is_gift,
            "has_account": waiting.has_account,
            "signed_in": user is not None,
        }
    )


async def claim(request: Request, service: Service) -> Response:
    """Use a claim link up."""
    throttle_of(request).hit(CLAIM_BY_ADDRESS, client_address(request))
    body = await read_body(request, NewAccountByLink)
    _, user = await claims.claim_by_link(
        service.database,
        request.app.state.passwords,
        throttle_of(request),
        body.token,
        await _claimant(request, service, body),
        now=service.clock(),
    )
    return await welcome_in(request, service, user)


async def claim_in_browser(request: Request, service: Service) -> Response:
    """Claim in the browser that bought."""
    throttle_of(request).hit(CLAIM_BY_ADDRESS, client_address(request))
    body = await read_body(request, NewAccount)
    _, user = await claims.claim_by_browser(
        service.database,
        request.app.state.passwords,
        throttle_of(request),
        request.path_params["order"],
        checkout_browser(request, service) or "",
        await _claimant(request, service, body),
        now=service.clock(),
    )
    return await welcome_in(request, service, user)


async def reissue_claim(request: Request, service: Service) -> Response:
    """Send claim links again. The answer is the same for everybody."""
    email = await mailable_address(request)
    async with service.database.transaction() as db:
        await claims.ask_for_links_again(db, email, now=service.clock())
    return JSONResponse({"message": "If a course is waiting for this address, a new link is on its way."})


async def _claimant(request: Request, service: Service, body: NewAccount) -> claims.Claimant:
    return claims.Claimant(await signed_in_user(request, service), body.name, body.password, client_address(request))


routes = [
    open_route("POST", "/claims/look", look_at_claim),
    open_route("POST", "/claims", claim),
    open_route("POST", "/claims/reissue", reissue_claim),
    open_route("POST", "/orders/{order}/claim", claim_in_browser),
]
