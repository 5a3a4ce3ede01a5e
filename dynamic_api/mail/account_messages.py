"""Messages about an account: who gets them, and with which link."""

from datetime import datetime

from dynamic_api.accounts.links import issue_link
from dynamic_api.accounts.sign_in_codes import issue_sign_in_link
from dynamic_api.accounts.users import find_user
from dynamic_api.core.emails import Email
from dynamic_api.core.messages import (
    EmailChanged,
    NewEmailLink,
    PasswordCleared,
    RequestedMessage,
    ResetLink,
    SignUpLink,
    Welcome,
)
from dynamic_api.core.models import User
from dynamic_api.core.states import LinkPurpose
from dynamic_api.mail import account_texts
from dynamic_api.mail.text import Text
from dynamic_api.service import Service
from sitegen import urls

Addressed = tuple[Email, Text] | None  # None when things changed and there is nothing to say any more


async def sign_in(service: Service, message: RequestedMessage) -> Addressed:
    """A link and a code instead of a password; nothing to an address without an account."""
    if (user := await _account(service, message)) is None:
        return None
    async with service.database.transaction() as db:
        token, code = await issue_sign_in_link(db, service.settings.secret_key, user, now=service.clock())
    url = _url(service, f"{urls.SIGN_IN_LINK}#token={token}")
    return user.email, account_texts.sign_in(service.catalog.current.site, url=url, code=code)


async def reset(service: Service, message: ResetLink) -> Addressed:
    """A link to choose a new password; nothing to an address without an account."""
    if (user := await _account(service, message)) is None:
        return None
    async with service.database.transaction() as db:
        token = issue_link(db, LinkPurpose.RESET, now=service.clock(), user=user)
    return user.email, account_texts.reset(
        service.catalog.current.site, url=_url(service, f"{urls.RESET}#token={token}")
    )


async def sign_up(service: Service, message: SignUpLink) -> Addressed:
    """A link that creates an account; one to sign in when there is an account already."""
    if await _account(service, message) is not None:
        return await sign_in(service, message)
    email = Email.lookup(message.email)
    async with service.database.transaction() as db:
        token = issue_link(db, LinkPurpose.SIGN_UP, now=service.clock(), email=email)
    return email, account_texts.sign_up(
        service.catalog.current.site, url=_url(service, f"{urls.WELCOME}#token={token}")
    )


async def welcome(service: Service, message: Welcome) -> Addressed:
    """The account was created."""
    if (user := await _user(service, message.user_id)) is None:
        return None
    site = service.catalog.current.site
    return user.email, account_texts.welcome(site, name=user.name, library_url=_url(service, urls.LIBRARY))


async def new_email(service: Service, message: NewEmailLink) -> Addressed:
    """To the address somebody wants to use from now on; if it has an account, that is said there and nowhere else."""
    site, email = service.catalog.current.site, Email.lookup(message.email)
    async with service.database.transaction() as db:
        user = await db.get(User, message.user_id)
        # The request may have come from somebody whom a new password has shut out since.
        if user is None or user.updated_at > datetime.fromisoformat(message.asked_at):
            return None
        if await find_user(db, email) is not None:
            return email, account_texts.address_taken(site, sign_in_url=_url(service, urls.SIGN_IN))
        account = user.email.spelling
        token = issue_link(db, LinkPurpose.NEW_EMAIL, now=service.clock(), user=user, email=email)
    return email, account_texts.new_email(
        site, account=account, email=email.spelling, url=_url(service, f"{urls.NEW_EMAIL}#token={token}")
    )


async def email_changed(service: Service, message: EmailChanged) -> Addressed:
    """To the old address."""
    site = service.catalog.current.site
    return Email.lookup(message.email), account_texts.email_changed(site, new_address=message.new_email)


async def password_cleared(service: Service, message: PasswordCleared) -> Addressed:
    """The password was older than the proof of the address."""
    if (user := await _user(service, message.user_id)) is None:
        return None
    return user.email, account_texts.password_cleared(service.catalog.current.site, reset_url=_url(service, urls.RESET))


async def _user(service: Service, user_id: int) -> User | None:
    """None when the account was deleted meanwhile."""
    async with service.database.reading() as db:
        return await db.get(User, user_id)


async def _account(service: Service, message: RequestedMessage) -> User | None:
    """The account of the address that was typed, if there is one."""
    async with service.database.reading() as db:
        return await find_user(db, Email.lookup(message.email))


def _url(service: Service, path: str) -> str:
    # A token follows the #, so that it never reaches a log, a proxy or a referrer.
    return service.settings.site_url + path
