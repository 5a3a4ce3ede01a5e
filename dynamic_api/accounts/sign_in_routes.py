"""Signing in, up and out."""

import asyncio
from typing import Annotated

from pydantic import BaseModel, Field
from starlette.responses import Response

from dynamic_api.accounts.links import reset_password, sign_in_by_link, sign_up
from dynamic_api.accounts.new_email import change_email
from dynamic_api.accounts.proof import AccessToDecide, Proof
from dynamic_api.accounts.request_models import LinkToken, NewAccountByLink
from dynamic_api.accounts.requested_email import requested_email
from dynamic_api.accounts.sign_in import sign_in, sign_in_to_library, sign_out
from dynamic_api.accounts.sign_in_codes import sign_in_by_code
from dynamic_api.accounts.users import check_password
from dynamic_api.core.emails import Email
from dynamic_api.core.errors import CodeInvalid
from dynamic_api.core.messages import RequestedMessage, ResetLink, SignInLink, SignUpLink, queue_message
from dynamic_api.core.throttle import ACCOUNT_FORMS_BY_IP, CODES_BY_EMAIL
from dynamic_api.core.tokens import hash_token
from dynamic_api.web.cookies import cookies_of
from dynamic_api.web.identity import Learner, learner_route, signed_in
from dynamic_api.web.requests import Request, Text
from dynamic_api.web.responses import JsonResponse
from dynamic_api.web.routing import open_route
from dynamic_api.web.sessions import session_token
from sitegen import urls

REFUSAL_TAKES = 0.25  # seconds


class Credentials(BaseModel):
    """An address and a password."""

    email: Text = Field(min_length=1, max_length=254)
    password: str = Field(min_length=1, max_length=1000)


class Decision(BaseModel):
    """What else keeps its access to an account whose address is proven here; None: not asked yet."""

    keep: list[Annotated[str, Field(max_length=40)]] | None = Field(default=None, max_length=100)


class SignInLinkToken(LinkToken, Decision):
    """A sign-in link, and what is kept."""


class SignInCode(Decision):
    """The six digits of a sign-in email, the address it went to, and what is kept."""

    email: Text = Field(min_length=1, max_length=254)
    code: Text = Field(min_length=1, max_length=20)


class NewPassword(LinkToken):
    """A reset link, and the new password."""

    password: str = Field(min_length=1, max_length=1000)


async def start_session(request: Request) -> Response:
    """Sign in with a password."""
    body = await request.read(Credentials)
    user = await check_password(request.service, Email.lookup(body.email), body.password, client_ip=request.client_ip)
    return await sign_in(request, user, JsonResponse(_session(user.id, user.name, user.email)))


async def show_session(request: Request, learner: Learner) -> Response:
    """Who is signed in."""
    return JsonResponse(_session(learner.id, learner.name, learner.email))


def _session(user_id: int, name: str, email: Email) -> dict[str, object]:
    return {"user": {"id": user_id, "name": name, "email": email.spelling}}


async def end_session(request: Request) -> Response:
    """Sign out; fine for somebody who is not signed in."""
    return await sign_out(request, JsonResponse({"message": request.say("You are signed out.")}))


async def email_sign_in_link(request: Request) -> Response:
    """A link instead of a password."""
    return await _email_link(request, SignInLink)


async def email_reset_link(request: Request) -> Response:
    """A link to choose a new password."""
    return await _email_link(request, ResetLink)


async def email_sign_up_link(request: Request) -> Response:
    """A link to create an account."""
    return await _email_link(request, SignUpLink)


async def _email_link(request: Request, message: type[RequestedMessage]) -> Response:
    """The answer is the same for every address, and so is the time it takes: whether there is an account is looked up
    when the email is written."""
    email, now = await requested_email(request), request.service.clock()
    async with request.service.database.transaction() as db:
        await queue_message(db, message.to(email, now), now=now)
    say = request.say
    sent = say("We've sent a link to this address. It expires in 30 minutes.")
    if message is not SignUpLink:
        sent = say(
            "If there is an account with this address, we've sent it an email. The link in it expires in 30 minutes."
        )
    return JsonResponse({"message": sent})


async def use_sign_in_link(request: Request) -> Response:
    """Sign in by an emailed link."""
    await request.service.throttle.hit(ACCOUNT_FORMS_BY_IP, request.client_ip)
    body = await request.read(SignInLinkToken)
    try:
        user = await sign_in_by_link(request.service, body.token, _proof(request, body))
    except AccessToDecide as undecided:
        return _to_decide(request, undecided)
    return await sign_in_to_library(request, user)


def _proof(request: Request, decision: Decision) -> Proof:
    """What this browser knows of the account, and what its owner decided."""
    marks = (request.cookie(cookies_of(request.service.settings).checkout), session_token(request))
    browser, session = (hash_token(mark) if mark else None for mark in marks)
    return Proof(browser, session, None if decision.keep is None else frozenset(decision.keep))


async def use_sign_in_code(request: Request) -> Response:
    """Sign in by the six digits of the same email."""
    body = await request.read(SignInCode)
    email = Email.lookup(body.email)
    await request.service.throttle.hit(ACCOUNT_FORMS_BY_IP, request.client_ip)
    await request.service.throttle.hit(CODES_BY_EMAIL, email.key, request.client_ip)
    loop = asyncio.get_running_loop()
    answer_at = loop.time() + REFUSAL_TAKES
    try:
        user = await sign_in_by_code(request.service, email, "".join(body.code.split()), _proof(request, body))
    except AccessToDecide as undecided:
        return _to_decide(request, undecided)
    except CodeInvalid:
        # A wrong attempt at a real account writes to the disk, one at an unknown address does not: waiting hides which.
        await asyncio.sleep(answer_at - loop.time())
        raise
    return await sign_in_to_library(request, user)


async def use_new_email_link(request: Request) -> Response:
    """Use another address from now on: opened with its link, where the account is signed in."""
    await request.service.throttle.hit(ACCOUNT_FORMS_BY_IP, request.client_ip)
    body, learner = await request.read(LinkToken), await signed_in(request)
    user = await change_email(request.service, body.token, learner.id if learner else None)
    answer = {"message": request.say("Your email address is now {email}.", email=user.email), "url": urls.ACCOUNT}
    return await sign_in(request, user, JsonResponse(answer))


async def use_reset_link(request: Request) -> Response:
    """Choose a new password, by an emailed link."""
    await request.service.throttle.hit(ACCOUNT_FORMS_BY_IP, request.client_ip)
    body = await request.read(NewPassword)
    return await sign_in_to_library(request, await reset_password(request.service, body.token, body.password))


async def use_sign_up_link(request: Request) -> Response:
    """Create the account."""
    await request.service.throttle.hit(ACCOUNT_FORMS_BY_IP, request.client_ip)
    body = await request.read(NewAccountByLink)
    user = await sign_up(request.service, body.token, name=body.name, password=body.password)
    return await sign_in_to_library(request, user)


routes = [
    open_route("POST", "/session", start_session),
    learner_route("GET", "/session", show_session),
    open_route("DELETE", "/session", end_session),
    open_route("POST", "/sign-in-links", email_sign_in_link),
    open_route("POST", "/sign-in-links/spend", use_sign_in_link),
    open_route("POST", "/sign-in-codes/spend", use_sign_in_code),
    open_route("POST", "/email-changes/spend", use_new_email_link),
    open_route("POST", "/password-resets", email_reset_link),
    open_route("POST", "/password-resets/spend", use_reset_link),
    open_route("POST", "/sign-ups", email_sign_up_link),
    open_route("POST", "/sign-ups/spend", use_sign_up_link),
]


def _to_decide(request: Request, undecided: AccessToDecide) -> Response:
    words = request.say
    return JsonResponse({"decide": [{**each, "name": words.in_own(each["name"])} for each in undecided.items]})
