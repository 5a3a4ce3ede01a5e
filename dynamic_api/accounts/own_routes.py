"""One's own account: password, devices, data, the end."""

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dynamic_api.accounts.asked_for_mail import mail_to
from dynamic_api.accounts.devices import devices_of, end_browser, end_phone
from dynamic_api.accounts.identity import (
    cookies_of,
    sign_out,
    user_by_password,
)
from dynamic_api.accounts.mailed_links import (
    change_password,
)
from dynamic_api.accounts.new_email import ask_for_new_email
from dynamic_api.accounts.privacy import KEPT, export, forget
from dynamic_api.models import User
from dynamic_api.routing import Text, learner_route, read_body
from dynamic_api.service import Service


class PasswordChange(BaseModel):
    """The old password, and the new one."""

    current: str = Field(min_length=1, max_length=1000)
    password: str = Field(min_length=1, max_length=1000)


class EmailChange(BaseModel):
    """The address wanted, and the password."""

    email: Text = Field(min_length=1, max_length=254)
    password: str = Field(min_length=1, max_length=1000)


class Deletion(BaseModel):
    """The password, once more."""

    password: str = Field(min_length=1, max_length=1000)


async def replace_password(request: Request, service: Service, user: User) -> Response:
    """Another password, by somebody who knows the old one. This browser stays signed in, all else is out."""
    body = await read_body(request, PasswordChange)
    passwords = request.app.state.passwords
    checked = await user_by_password(request, service, user.email, body.current)
    session = request.cookies[cookies_of(service).session]
    await change_password(
        service.database, passwords, checked, password=body.password, keep_session=session, now=service.clock()
    )
    return JSONResponse({"message": "Your password is changed. Other browsers and phones have to sign in again."})


async def ask_for_another_address(request: Request, service: Service, user: User) -> Response:
    """Mail a link to another address, after the password was typed. The answer is the same for every address."""
    body = await read_body(request, EmailChange)
    await user_by_password(request, service, user.email, body.password)
    email = await mail_to(body.email, request)
    async with service.database.transaction() as db:
        await ask_for_new_email(db, user, email, now=service.clock())
    return JSONResponse({"message": f"We have written to {email}. Your address changes when you use the link there."})


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
    await user_by_password(request, service, user.email, body.password)
    async with service.database.transaction() as db:
        await forget(db, user.id, now=service.clock())
    response = JSONResponse({"message": "Your account is deleted.", "kept": KEPT})
    await sign_out(request, service, response)
    return response


routes = [
    learner_route("PUT", "/account/password", replace_password),
    learner_route("POST", "/account/email", ask_for_another_address),
    learner_route("GET", "/account/devices", show_devices),
    learner_route("DELETE", "/account/browsers/{id}", end_browser_session),
    learner_route("DELETE", "/account/phones/{id}", end_phone_session),
    learner_route("GET", "/account/export", export_account),
    learner_route("POST", "/account/deletion", delete_account),
]
