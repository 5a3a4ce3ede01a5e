"""One's own account: password, address, devices, data, deletion."""

from pydantic import BaseModel, Field
from starlette.responses import Response

from dynamic_api.accounts.devices import list_devices, sign_out_browser, sign_out_phone
from dynamic_api.accounts.links import change_password
from dynamic_api.accounts.privacy import KEPT, delete_user, export_user
from dynamic_api.accounts.requested_email import allowed_email
from dynamic_api.accounts.sign_in import sign_in, sign_out
from dynamic_api.accounts.users import check_password
from dynamic_api.core.messages import NewEmailLink, queue_message
from dynamic_api.core.models import User
from dynamic_api.web.identity import Learner, learner_route
from dynamic_api.web.requests import Request, Text
from dynamic_api.web.responses import JsonResponse
from dynamic_api.web.sessions import session_token


class PasswordChange(BaseModel):
    """The old password, and the new one."""

    current: str = Field(min_length=1, max_length=1000)
    password: str = Field(min_length=1, max_length=1000)


class EmailChange(BaseModel):
    """The new address, and the password."""

    email: Text = Field(min_length=1, max_length=254)
    password: str = Field(min_length=1, max_length=1000)


class Deletion(BaseModel):
    """The password, once more."""

    password: str = Field(min_length=1, max_length=1000)


async def replace_password(request: Request, learner: Learner) -> Response:
    """Change the password. This browser stays signed in, everything else is signed out."""
    body = await request.read(PasswordChange)
    user = await _check_own_password(request, learner, body.current)
    user = await change_password(request.service, user, body.password)
    answer = JsonResponse(
        {"message": request.say("Your password is changed. Other browsers and phones have to sign in again.")}
    )
    return await sign_in(request, user, answer)


async def email_new_address_link(request: Request, learner: Learner) -> Response:
    """Send a link to another address, after the password was typed. The answer is the same for every address."""
    body = await request.read(EmailChange)
    user = await _check_own_password(request, learner, body.password)
    email, now = await allowed_email(body.email, request), request.service.clock()
    async with request.service.database.transaction() as db:
        await queue_message(db, NewEmailLink.to(user, email, now), now=now)
    said = request.say("We've sent a link to {email}. Your address changes once you open it.", email=email)
    return JsonResponse({"message": said})


async def show_devices(request: Request, learner: Learner) -> Response:
    """Where this person is signed in."""
    current, words = session_token(request), request.say
    return JsonResponse(await list_devices(request.service, learner.id, current=current, words=words))


async def end_browser_session(request: Request, learner: Learner) -> Response:
    """Sign another browser out."""
    async with request.service.database.transaction() as db:
        await sign_out_browser(db, learner.id, request.path_params["id"])
    return JsonResponse({"message": request.say("Signed out.")})


async def end_phone_session(request: Request, learner: Learner) -> Response:
    """Sign a phone out."""
    async with request.service.database.transaction() as db:
        await sign_out_phone(db, learner.id, request.path_params["id"])
    return JsonResponse({"message": request.say("Signed out.")})


async def export_account(request: Request, learner: Learner) -> Response:
    """Everything we store about this person, as a file."""
    async with request.service.database.reading() as db:
        response = JsonResponse(await export_user(db, learner.id))
    response.headers["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return response


async def delete_account(request: Request, learner: Learner) -> Response:
    """Delete the account, after the password was typed once more; says what is kept and why."""
    body = await request.read(Deletion)
    await _check_own_password(request, learner, body.password)
    async with request.service.database.transaction() as db:
        await delete_user(db, learner.id, now=request.service.clock())
    return await sign_out(
        request, JsonResponse({"message": request.say("Your account is deleted."), "kept": request.say(KEPT)})
    )


async def _check_own_password(request: Request, learner: Learner, password: str) -> User:
    return await check_password(request.service, learner.email, password, client_ip=request.client_ip)


routes = [
    learner_route("PUT", "/account/password", replace_password),
    learner_route("POST", "/account/email", email_new_address_link),
    learner_route("GET", "/account/devices", show_devices),
    learner_route("DELETE", "/account/browsers/{id}", end_browser_session),
    learner_route("DELETE", "/account/phones/{id}", end_phone_session),
    learner_route("GET", "/account/export", export_account),
    learner_route("POST", "/account/deletion", delete_account),
]
