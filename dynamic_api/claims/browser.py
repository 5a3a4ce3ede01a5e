"""The mark of a browser that began a purchase: what ties a guest's order to the browser that paid for it."""

from datetime import timedelta

from starlette.responses import Response

from dynamic_api.core.tokens import make_token
from dynamic_api.web.cookies import cookies_of
from dynamic_api.web.requests import Request

LIFETIME = timedelta(days=7)


def checkout_browser(request: Request) -> str:
    """The mark of this browser; empty when it has none."""
    return request.cookie(cookies_of(request.service.settings).checkout)


def mark_checkout_browser(request: Request, response: Response) -> str:
    """Give the browser a mark, or prolong the one it has."""
    cookies = cookies_of(request.service.settings)
    browser = checkout_browser(request) or make_token()
    cookies.put(response, cookies.checkout, browser, LIFETIME)
    return browser
