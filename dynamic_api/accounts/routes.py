"""Signing in and out, and making a purchase one's own."""

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dynamic_api.accounts import claims
from dynamic_api.accounts.addresses import email_key, is_address
from dynamic_api.accounts.devices import devices_of, end_browser, end_phone
from dynamic_api.accounts.identity import (
    checkout_browser,
    client_address,
    cookies_of,
    sign_in,
    sign_out,
    signed_in_user,
)
from dynamic_api.accounts.mailed_links import (
    Purpose,
    ask_for_link,
    ask_to_sign_up,
    change_password,
    reset_password,
    sign_in_by_link,
    sign_up,
)
from dynamic_api.accounts.privacy import KEPT, export, forget
from dynamic_api.accounts.throttle import CLAIM_BY_ADDRESS, MAIL_BY_EMAIL
from dynamic_api.accounts.users import check_password
from dynamic_api.errors import ValidationFailed
from dynamic_api.models import User
from dynamic_api.routing import Text, learner_route, open_route, read_body, throttle_of
from dynamic_api.service import Service
from sitegen import urls


class Credentials(BaseModel):
    """What one signs in with."""

    email: Text = Field(min_length=1, max_length=254)
    password: str = Field(min_length=1, max_length=1000)


class ClaimToken(BaseModel):
    """The part of a claim link behind the #."""

    token: Text = Field(min_length=1, max_length=200)


class NewAccount(BaseModel):
    """Empty for somebody who is signed in."""

    name: Text = Field(default="", max_length=120)
    password: str = Field(default="", max_length=1000)


class ClaimByLink(NewAccount):
    """A claim with its link."""

    token: Text = Field(min_length=1, max_length=200)


class NewPassword(BaseModel):
    """A reset link and what it is for."""

    token: Text = Field(min_length=1, max_length=200)
    password: str = Field(min_length=1, max_length=1000)


class PasswordChange(BaseModel):
    """The old password, and the new one."""

    current: str = Field(min_length=1, max_length=1000)
    password: str = Field(min_length=1, max_length=1000)


class Deletion(BaseModel):
    """The password, once more."""

    password: str = Field(min_length=1, max_length=1000)


class Address(BaseModel):
    """An e-mail address."""

    email: Text = Field(min_length=1, max_length=254)


async def start_session(request: Request, service: Service) -> Response:
    """Sign in."""
    body = await read_body(request, Credentials)
    user = await check_password(
        service.database,
        request.app.state.passwords,
        throttle_of(request),
        email=body.email,
        password=body.password,
        address=client_address(request),
    )
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


async def look_at_claim(request: Request, service: Service) -> Response:
    """What a claim link would give. A POST, so that the token stays out of addresses; it uses nothing up."""
    await throttle_of(request).hit(CLAIM_BY_ADDRESS, client_address(request))
    body = await read_body(request, ClaimToken)
    async with service.database.reading() as db:
        waiting = await claims.look_at_link(db, body.token, now=service.clock())
    user = await signed_in_user(request, service)
    return JSONResponse(
        {
            "course_title": service.catalog.current.title_of(waiting.order.course_id),
            "email": waiting.order.email,
            "has_account": waiting.has_account,
            "signed_in": user is not None,
        }
    )


async def claim(request: Request, service: Service) -> Response:
    """Use a claim link up."""
    await throttle_of(request).hit(CLAIM_BY_ADDRESS, client_address(request))
    body = await read_body(request, ClaimByLink)
    _, user = await claims.claim_by_link(
        service.database,
        request.app.state.passwords,
        throttle_of(request),
        body.token,
        await _claimant(request, service, body),
        now=service.clock(),
    )
    return await _claimed(request, service, user)


async def claim_in_browser(request: Request, service: Service) -> Response:
    """Claim in the browser that bought."""
    await throttle_of(request).hit(CLAIM_BY_ADDRESS, client_address(request))
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
    return await _claimed(request, service, user)


async def reissue_claim(request: Request, service: Service) -> Response:
    """Send claim links again. The answer is the same for everybody."""
    email = await _throttled_address(request)
    async with service.database.transaction() as db:
        await claims.send_links_again(db, email, now=service.clock())
    return JSONResponse({"message": "If a course is waiting for this address, a new link is on its way."})


async def mail_sign_in_link(request: Request, service: Service) -> Response:
    """A link instead of a password. The answer is the same for everybody."""
    return await _mail_link(request, service, Purpose.SIGN_IN)


async def mail_reset_link(request: Request, service: Service) -> Response:
    """A link to choose another password. The answer is the same for everybody."""
    return await _mail_link(request, service, Purpose.RESET)


async def _mail_link(request: Request, service: Service, purpose: Purpose) -> Response:
    email = await _throttled_address(request)
    async with service.database.transaction() as db:
        await ask_for_link(db, purpose, email, now=service.clock())
    return JSONResponse(
        {"message": "If this address has an account, a link is on its way. It is good for thirty minutes."}
    )


async def spend_sign_in_link(request: Request, service: Service) -> Response:
    """Sign in by a mailed link."""
    await throttle_of(request).hit(CLAIM_BY_ADDRESS, client_address(request))
    body = await read_body(request, ClaimToken)
    return await _claimed(request, service, await sign_in_by_link(service.database, body.token, now=service.clock()))


async def spend_reset_link(request: Request, service: Service) -> Response:
    """Another password, by a mailed link."""
    await throttle_of(request).hit(CLAIM_BY_ADDRESS, client_address(request))
    body = await read_body(request, NewPassword)
    user = await reset_password(
        service.database, request.app.state.passwords, body.token, body.password, now=service.clock()
    )
    return await _claimed(request, service, user)


async def mail_sign_up_link(request: Request, service: Service) -> Response:
    """The beginning of an account. The answer is the same for everybody."""
    email = await _throttled_address(request)
    async with service.database.transaction() as db:
        await ask_to_sign_up(db, email, now=service.clock())
    return JSONResponse({"message": "A link is on its way to this address. It is good for thirty minutes."})


async def spend_sign_up_link(request: Request, service: Service) -> Response:
    """Make the account."""
    await throttle_of(request).hit(CLAIM_BY_ADDRESS, client_address(request))
    body = await read_body(request, ClaimByLink)
    user = await sign_up(
        service.database,
        request.app.state.passwords,
        body.token,
        name=body.name,
        password=body.password,
        now=service.clock(),
    )
    return await _claimed(request, service, user)


async def show_devices(request: Request, service: Service, user: User) -> Response:
    """Where this person is signed in."""
    async with service.database.reading() as db:
        return JSONResponse(await devices_of(db, user.id, current=request.cookies[cookies_of(service).session]))


async def end_browser_session(request: Request, service: Service, user: User) -> Response:
    """Sign another browser out."""
    async with service.database.transaction() as db:
        await end_browser(db, user.id, request.path_params["id"])
    return JSONResponse({"message": "Signed out there."})


async def end_phone_session(request: Request, service: Service, user: User) -> Response:
    """Sign a phone out."""
    async with service.database.transaction() as db:
        await end_phone(db, user.id, request.path_params["id"])
    return JSONResponse({"message": "Signed out there."})


async def export_account(request: Request, service: Service, user: User) -> Response:
    """Everything we hold of this person, as a file."""
    async with service.database.reading() as db:
        data = await export(db, user)
    return JSONResponse(data, headers={"Content-Disposition": 'attachment; filename="my-data.json"'})


async def delete_account(request: Request, service: Service, user: User) -> Response:
    """Forget this person, after the password was typed once more; says what is kept and why."""
    body = await read_body(request, Deletion)
    await check_password(
        service.database,
        request.app.state.passwords,
        throttle_of(request),
        email=user.email,
        password=body.password,
        address=client_address(request),
    )
    async with service.database.transaction() as db:
        await forget(db, user.id, now=service.clock())
    response = JSONResponse({"message": "Your account is deleted.", "kept": KEPT})
    await sign_out(request, service, response)
    return response


async def replace_password(request: Request, service: Service, user: User) -> Response:
    """Another password, by somebody who knows the old one. This browser stays signed in, all else is out."""
    body = await read_body(request, PasswordChange)
    passwords = request.app.state.passwords
    checked = await check_password(
        service.database,
        passwords,
        throttle_of(request),
        email=user.email,
        password=body.current,
        address=client_address(request),
    )
    session = request.cookies[cookies_of(service).session]
    await change_password(
        service.database, passwords, checked, password=body.password, keep_session=session, now=service.clock()
    )
    return JSONResponse({"message": "Your password is changed. Other browsers and phones have to sign in again."})


async def _throttled_address(request: Request) -> str:
    """The address a mail is asked for, within what one person may be sent."""
    body = await read_body(request, Address)
    if not is_address(body.email):
        raise ValidationFailed(details={"email": ["This does not look like an e-mail address."]})
    throttle = throttle_of(request)
    await throttle.hit(CLAIM_BY_ADDRESS, client_address(request))
    await throttle.hit(MAIL_BY_EMAIL, email_key(body.email))
    return body.email


async def _claimant(request: Request, service: Service, body: NewAccount) -> claims.Claimant:
    return claims.Claimant(await signed_in_user(request, service), body.name, body.password, client_address(request))


async def _claimed(request: Request, service: Service, user: User) -> Response:
    response = JSONResponse({"url": urls.LIBRARY})
    await sign_in(request, service, response, user, service.clock())
    return response


def describe_user(user: User) -> dict[str, object]:
    """A user as pages see one."""
    return {"id": user.id, "name": user.name, "email": user.email}


routes = [
    open_route("POST", "/session", start_session),
    learner_route("GET", "/session", show_session),
    open_route("DELETE", "/session", end_session),
    open_route("POST", "/sign-in-links", mail_sign_in_link),
    open_route("POST", "/sign-in-links/spend", spend_sign_in_link),
    open_route("POST", "/password-resets", mail_reset_link),
    open_route("POST", "/password-resets/spend", spend_reset_link),
    open_route("POST", "/sign-ups", mail_sign_up_link),
    open_route("POST", "/sign-ups/spend", spend_sign_up_link),
    learner_route("PUT", "/account/password", replace_password),
    learner_route("GET", "/account/devices", show_devices),
    learner_route("DELETE", "/account/browsers/{id}", end_browser_session),
    learner_route("DELETE", "/account/phones/{id}", end_phone_session),
    learner_route("GET", "/account/export", export_account),
    learner_route("POST", "/account/deletion", delete_account),
    open_route("POST", "/claims/look", look_at_claim),
    open_route("POST", "/claims", claim),
    open_route("POST", "/claims/reissue", reissue_claim),
    open_route("POST", "/orders/{order}/claim", claim_in_browser),
]
