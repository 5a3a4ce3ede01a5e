"""Signing in, up and out."""

import asyncio

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dynamic_api.accounts.addresses import email_key
from dynamic_api.accounts.asked_for_mail import mailable_address
from dynamic_api.accounts.bodies import LinkToken, NewAccountByLink
from dynamic_api.accounts.identity import (
    client_address,
    sign_in,
    sign_out,
    user_by_password,
    welcome_in,
)
from dynamic_api.accounts.mailed_links import (
    Purpose,
    ask_for_link,
    reset_password,
    sign_in_by_link,
    sign_up,
)
from dynamic_api.accounts.new_email import change_email
from dynamic_api.accounts.sign_in_codes import sign_in_by_code
from dynamic_api.accounts.throttle import CLAIM_BY_ADDRESS, CODES_BY_EMAIL
from dynamic_api.errors import CodeInvalid
from dynamic_api.models import User
from dynamic_api.routing import Text, learner_route, open_route, read_body, throttle_of
from dynamic_api.service import Service
from sitegen import urls

REFUSAL_TAKES = 0.25  # seconds


class Credentials(BaseModel):
    """What one signs in with."""

    email: Text = Field(min_length=1, max_length=254)
    password: str = Field(min_length=1, max_length=1000)


class SignInCode(BaseModel):
    """The six digits of a sign-in mail, and the address it went to."""

    email: Text = Field(min_length=1, max_length=254)
    code: Text = Field(min_length=1, max_length=20)


class NewPassword(LinkToken):
    """A reset link and what it is for."""

    password: str = Field(min_length=1, max_length=1000)


async def start_session(request: Request, service: Service) -> Response:
    """Sign in."""
    body = await read_body(request, Credentials)
    user = await user_by_password(request, service, body.email, body.password)
    response = JSONResponse({"user": describe_user(user)})
    await sign_in(request, service, response, user, service.clock())
    return response


async def show_session(request: Request, service: Service, user: User) -> Response:
    """Who is signed in."""
    return JSONResponse({"user": describe_user(user)})


async def end_session(request: Request, service: Service) -> Response:
    """Sign out; fine for somebody who is not signed in."""
    response = JSONResponse({"message": "You are signed out."})
    await sign_out(request, service, response)
    return response


async def mail_sign_in_link(request: Request, service: Service) -> Response:
    """A link instead of a password. The answer is the same for everybody."""
    return await _mail_link(request, service, Purpose.SIGN_IN)


async def mail_reset_link(request: Request, service: Service) -> Response:
    """A link to choose another password. The answer is the same for everybody."""
    return await _mail_link(request, service, Purpose.RESET)


async def _mail_link(request: Request, service: Service, purpose: Purpose) -> Response:
    await _have_mailed(request, service, purpose)
    return JSONResponse(
        {"message": "If this address has an account, a mail is on its way. It is good for thirty minutes."}
    )


async def _have_mailed(request: Request, service: Service, purpose: Purpose) -> None:
    email = await mailable_address(request)
    async with service.database.transaction() as db:
        await ask_for_link(db, purpose, email, now=service.clock())


async def spend_sign_in_link(request: Request, service: Service) -> Response:
    """Sign in by a mailed link."""
    throttle_of(request).hit(CLAIM_BY_ADDRESS, client_address(request))
    body = await read_body(request, LinkToken)
    return await welcome_in(request, service, await sign_in_by_link(service.database, body.token, now=service.clock()))


async def spend_sign_in_code(request: Request, service: Service) -> Response:
    """Sign in by the six digits of the same mail."""
    body = await read_body(request, SignInCode)
    throttle_of(request).hit(CLAIM_BY_ADDRESS, client_address(request))
    throttle_of(request).hit(CODES_BY_EMAIL, email_key(body.email))
    code = "".join(body.code.split())
    answer_at = asyncio.get_running_loop().time() + REFUSAL_TAKES
    try:
        user = await sign_in_by_code(
            service.database, service.settings.secret_key, body.email, code, now=service.clock()
        )
    except CodeInvalid:
        # A wrong try at a real account writes to the disk, and an unknown address does not: the wait hides which.
        await asyncio.sleep(answer_at - asyncio.get_running_loop().time())
        raise
    return await welcome_in(request, service, user)


async def spend_new_email_link(request: Request, service: Service) -> Response:
    """Use another address from now on. Needs no session: the link came to that address."""
    throttle_of(request).hit(CLAIM_BY_ADDRESS, client_address(request))
    body = await read_body(request, LinkToken)
    user = await change_email(service.database, body.token, now=service.clock())
    return JSONResponse({"message": f"Your address is now {user.email}.", "url": urls.ACCOUNT})


async def spend_reset_link(request: Request, service: Service) -> Response:
    """Another password, by a mailed link."""
    throttle_of(request).hit(CLAIM_BY_ADDRESS, client_address(request))
    body = await read_body(request, NewPassword)
    user = await reset_password(
        service.database, request.app.state.passwords, body.token, body.password, now=service.clock()
    )
    return await welcome_in(request, service, user)


async def mail_sign_up_link(request: Request, service: Service) -> Response:
    """The beginning of an account. The answer is the same for everybody."""
    await _have_mailed(request, service, Purpose.SIGN_UP)
    return JSONResponse({"message": "A link is on its way to this address. It is good for thirty minutes."})


async def spend_sign_up_link(request: Request, service: Service) -> Response:
    """Make the account."""
    throttle_of(request).hit(CLAIM_BY_ADDRESS, client_address(request))
    body = await read_body(request, NewAccountByLink)
    user = await sign_up(
        service.database,
        request.app.state.passwords,
        body.token,
        name=body.name,
        password=body.password,
        now=service.clock(),
    )
    return await welcome_in(request, service, user)


def describe_user(user: User) -> dict[str, object]:
    """A user as pages see one."""
    return {"id": user.id, "name": user.name, "email": user.email}


routes = [
    open_route("POST", "/session", start_session),
    learner_route("GET", "/session", show_session),
    open_route("DELETE", "/session", end_session),
    open_route("POST", "/sign-in-links", mail_sign_in_link),
    open_route("POST", "/sign-in-links/spend", spend_sign_in_link),
    open_route("POST", "/sign-in-codes/spend", spend_sign_in_code),
    open_route("POST", "/email-changes/spend", spend_new_email_link),
    open_route("POST", "/password-resets", mail_reset_link),
    open_route("POST", "/password-resets/spend", spend_reset_link),
    open_route("POST", "/sign-ups", mail_sign_up_link),
    open_route("POST", "/sign-ups/spend", spend_sign_up_link),
]
