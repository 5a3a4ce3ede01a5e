"""Signing up for news, confirming it, and unsubscribing."""

from pydantic import BaseModel, Field
from starlette.responses import Response

from dynamic_api.core.emails import Email, EmailInvalid
from dynamic_api.core.errors import LinkInvalid, NotFound, RateLimited
from dynamic_api.core.messages import NewsConfirmation, queue_message
from dynamic_api.core.throttle import NEWS_FORMS_BY_IP, count_message
from dynamic_api.newsletter.readers import read_confirmation, subscribe, unsubscribe
from dynamic_api.web.requests import Request
from dynamic_api.web.responses import JsonResponse, see_other
from dynamic_api.web.routing import open_route
from sitegen import urls


class Token(BaseModel):
    """What the emailed link carries."""

    token: str = Field(min_length=1, max_length=600)


async def ask_for_news(request: Request) -> Response:
    """The form: the answer is the same for every address, and nothing is stored but the email to be sent."""
    service = request.service
    if not service.catalog.current.site.newsletter:
        raise NotFound
    text = (await request.read_form()).get("email", "")
    try:
        email, now = Email.parse(text), service.clock()
        await service.throttle.hit(NEWS_FORMS_BY_IP, request.client_ip)
        await count_message(service.throttle, email, request.client_ip)
    except EmailInvalid:
        return see_other(f"{urls.NEWSLETTER}#newsletter-address")
    except RateLimited:
        return see_other(f"{urls.NEWSLETTER}#newsletter-later")
    async with service.database.transaction() as db:
        await queue_message(db, NewsConfirmation.to(email, now), now=now)
    return see_other(f"{urls.NEWSLETTER}#newsletter-sent")


async def confirm(request: Request) -> Response:
    """The link in the email. Raises LinkInvalid."""
    service, now = request.service, request.service.clock()
    token = (await request.read(Token)).token
    email = read_confirmation(service.settings, token, now=now)
    async with service.database.transaction() as db:
        await subscribe(db, email, now=now)
    return JsonResponse({"url": f"{urls.NEWSLETTER}#newsletter-confirmed"})


async def offer_to_unsubscribe(request: Request) -> Response:
    """A person followed the link: the page asks, since programs that look for viruses follow links too."""
    return see_other(f"{urls.NEWSLETTER_END}?{request.url.query}")


async def end(request: Request) -> Response:
    """One click, from the page or from a mail program. Raises LinkInvalid."""
    reader, key = request.query_params.get("reader", ""), request.query_params.get("key", "")
    if not reader.isascii() or not reader.isdigit() or len(reader) > 15:
        raise LinkInvalid
    async with request.service.database.transaction() as db:
        await unsubscribe(db, request.service.settings, int(reader), key)
    return see_other(f"{urls.NEWSLETTER}#newsletter-ended")


routes = [
    open_route("POST", "/newsletter", ask_for_news),
    open_route("POST", "/newsletter/confirmations", confirm),
    open_route("GET", "/newsletter/unsubscribe", offer_to_unsubscribe),
    open_route("POST", "/newsletter/unsubscribe", end),
]
