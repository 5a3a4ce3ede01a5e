"""Signing in and out in a browser."""

from starlette.responses import Response

from dynamic_api.accounts.users import forgive_failures, lock_user_if_password_unchanged
from dynamic_api.core.models import User
from dynamic_api.orders.attach import attach_waiting_orders
from dynamic_api.web.cookies import cookies_of
from dynamic_api.web.requests import Request
from dynamic_api.web.responses import JsonResponse
from dynamic_api.web.sessions import end_session, put_session_cookies, remove_session_cookies, start_session
from sitegen import urls


async def sign_in(request: Request, user: User, response: Response) -> Response:
    """Start a session for this browser, with every purchase that waits for the account. Raises InvalidCredentials."""
    service = request.service
    now = service.clock()
    async with service.database.transaction() as db:
        current = await lock_user_if_password_unchanged(db, user)
        await attach_waiting_orders(db, current, now=now)
        token = await start_session(db, current, request, now=now)
    put_session_cookies(response, request, token)
    return response


async def sign_in_to_library(request: Request, user: User) -> Response:
    """Sign in, and tell the page to open the library. They came by an emailed link or code."""
    await forgive_failures(request.service.throttle, user.email, request.client_ip)
    return await sign_in(request, user, JsonResponse({"url": urls.LIBRARY}))


async def sign_out(request: Request, response: Response) -> Response:
    """End this browser's session."""
    async with request.service.database.transaction() as db:
        await end_session(db, request)
    remove_session_cookies(response, request)
    # At a shared computer, what this person began to buy is nothing to the next one.
    cookies = cookies_of(request.service.settings)
    cookies.remove(response, cookies.checkout)
    return response
