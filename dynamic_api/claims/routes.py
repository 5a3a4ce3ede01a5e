"""Claiming a purchase."""

from starlette.responses import Response

from dynamic_api.accounts.devices import browser_name
from dynamic_api.accounts.request_models import LinkToken, NewAccount, NewAccountByLink
from dynamic_api.accounts.requested_email import requested_email
from dynamic_api.accounts.sign_in import sign_in_to_library
from dynamic_api.claims import claims
from dynamic_api.claims.browser import checkout_browser
from dynamic_api.core.throttle import ACCOUNT_FORMS_BY_IP
from dynamic_api.web.identity import signed_in
from dynamic_api.web.requests import Request
from dynamic_api.web.responses import JsonResponse
from dynamic_api.web.routing import open_route


async def view_claim(request: Request) -> Response:
    """What a claim link would give. A POST, so that the token stays out of addresses; it does not use the link."""
    await request.service.throttle.hit(ACCOUNT_FORMS_BY_IP, request.client_ip)
    body = await request.read(LinkToken)
    async with request.service.database.reading() as db:
        waiting = await claims.view_claim_link(db, body.token, now=request.service.clock())
    order = waiting.order
    return JsonResponse(
        {
            "course_title": request.service.catalog.current.title_of(*order.course_ids),
            "email": order.owner_email.spelling if order.owner_email else None,
            "is_gift": order.is_gift,
            "has_account": waiting.has_account,
            "signed_in": await signed_in(request) is not None,
        }
    )


async def claim(request: Request) -> Response:
    """Use a claim link."""
    await request.service.throttle.hit(ACCOUNT_FORMS_BY_IP, request.client_ip)
    body = await request.read(NewAccountByLink)
    user = await claims.claim_by_link(request.service, body.token, await _claimant(request, body))
    return await sign_in_to_library(request, user)


async def claim_in_browser(request: Request) -> Response:
    """Claim in the browser that bought."""
    await request.service.throttle.hit(ACCOUNT_FORMS_BY_IP, request.client_ip)
    body = await request.read(NewAccount)
    user = await claims.claim_by_browser(
        request.service, request.path_params["order"], checkout_browser(request), await _claimant(request, body)
    )
    return await sign_in_to_library(request, user)


async def request_new_link(request: Request) -> Response:
    """Send claim links again. The answer is the same for every address."""
    email = await requested_email(request)
    async with request.service.database.transaction() as db:
        await claims.request_claim_links(db, email, now=request.service.clock())
    return JsonResponse({"message": request.say("If a course is waiting for this address, we've sent a new link.")})


async def _claimant(request: Request, body: NewAccount) -> claims.Claimant:
    learner, device = await signed_in(request), browser_name(request.headers.get("user-agent", ""))
    return claims.Claimant(learner.id if learner else None, body.name, body.password, request.client_ip, device)


routes = [
    open_route("POST", "/claims/look", view_claim),
    open_route("POST", "/claims", claim),
    open_route("POST", "/claims/reissue", request_new_link),
    open_route("POST", "/orders/{order}/claim", claim_in_browser),
]
