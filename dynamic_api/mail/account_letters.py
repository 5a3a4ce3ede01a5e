"""Letters about an account: who gets them, and with which link."""

from datetime import datetime
from typing import Any

from dynamic_api.accounts.mailed_links import Purpose, issue_link
from dynamic_api.accounts.sign_in_codes import issue_sign_in_link
from dynamic_api.accounts.users import find_user
from dynamic_api.mail import messages
from dynamic_api.mail.messages import Letter
from dynamic_api.models import User
from dynamic_api.service import Service
from sitegen import urls

Written = tuple[str, Letter] | None


async def _user(service: Service, payload: dict[str, Any]) -> User | None:
    """None where the account was deleted meanwhile."""
    async with service.database.reading() as db:
        return await db.get(User, int(payload["user_id"]))


async def _account(service: Service, payload: dict[str, Any]) -> User | None:
    """The account of the address that was typed, if there is one."""
    async with service.database.reading() as db:
        return await find_user(db, str(payload["email"]))


async def sign_in(service: Service, payload: dict[str, Any]) -> Written:
    """A link and a code instead of a password."""
    if (user := await _account(service, payload)) is None:
        return None
    async with service.database.transaction() as db:
        token, code = await issue_sign_in_link(db, service.settings.secret_key, user, now=service.clock())
    url = f"{service.settings.site_url}{urls.SIGN_IN_LINK}#token={token}"
    return user.email, messages.sign_in(service.catalog.current.site, url=url, code=code)


async def reset(service: Service, payload: dict[str, Any]) -> Written:
    """A link to choose another password."""
    if (user := await _account(service, payload)) is None:
        return None
    async with service.database.transaction() as db:
        token = issue_link(db, Purpose.RESET, now=service.clock(), user=user)
    url = f"{service.settings.site_url}{urls.RESET}#token={token}"
    return user.email, messages.reset(service.catalog.current.site, url=url)


async def sign_up(service: Service, payload: dict[str, Any]) -> Written:
    """A link that makes an account; one to sign in where there is an account already."""
    if await _account(service, payload) is not None:
        return await sign_in(service, payload)
    email = str(payload["email"])
    async with service.database.transaction() as db:
        token = issue_link(db, Purpose.SIGN_UP, now=service.clock(), email=email)
    url = f"{service.settings.site_url}{urls.WELCOME}#token={token}"
    return email, messages.sign_up(service.catalog.current.site, url=url)


async def welcome(service: Service, payload: dict[str, Any]) -> Written:
    """The account is made."""
    if (user := await _user(service, payload)) is None:
        return None
    library = service.settings.site_url + urls.LIBRARY
    return user.email, messages.welcome(service.catalog.current.site, name=user.name, library_url=library)


async def new_email(service: Service, payload: dict[str, Any]) -> Written:
    """To the address somebody wants to use from now on; where it has an account, only that is said, and only there."""
    site, site_url, email = service.catalog.current.site, service.settings.site_url, str(payload["email"])
    async with service.database.transaction() as db:
        user = await db.get(User, int(payload["user_id"]))
        # Whoever asked may be whom a new password has shut out meanwhile.
        if user is None or user.updated_at > datetime.fromisoformat(payload["asked_at"]):
            return None
        if await find_user(db, email) is not None:
            return email, messages.address_taken(site, sign_in_url=site_url + urls.SIGN_IN)
        token = issue_link(db, Purpose.NEW_EMAIL, now=service.clock(), user=user, email=email)
    return email, messages.new_email(site, url=f"{site_url}{urls.NEW_EMAIL}#token={token}")


async def email_changed(service: Service, payload: dict[str, Any]) -> Written:
    """To the old address."""
    site = service.catalog.current.site
    return str(payload["email"]), messages.email_changed(site, new_address=str(payload["new_email"]))


async def password_cleared(service: Service, payload: dict[str, Any]) -> Written:
    """The password was older than the proof of the address."""
    if (user := await _user(service, payload)) is None:
        return None
    reset_url = service.settings.site_url + urls.RESET
    return user.email, messages.password_cleared(service.catalog.current.site, reset_url=reset_url)


ACCOUNT_LETTERS = {
    "sign_in": sign_in,
    "reset": reset,
    "sign_up": sign_up,
    "welcome": welcome,
    "new_email": new_email,
    "email_changed": email_changed,
    "password_cleared": password_cleared,
}
