"""An address that somebody typed so that mail is sent there; anybody can type anybody's."""

from pydantic import BaseModel, Field
from starlette.requests import Request

from dynamic_api.accounts.addresses import email_key, is_address
from dynamic_api.accounts.identity import client_address
from dynamic_api.accounts.throttle import CLAIM_BY_ADDRESS, MAIL_BY_EMAIL, MAIL_BY_EMAIL_DAILY
from dynamic_api.errors import ValidationFailed
from dynamic_api.routing import Text, read_body, throttle_of


class Address(BaseModel):
    """An e-mail address."""

    email: Text = Field(min_length=1, max_length=254)


async def mailable_address(request: Request) -> str:
    """The address a mail is asked for, within what one person may be sent. Raises ValidationFailed, RateLimited."""
    return await mail_to((await read_body(request, Address)).email, request)


async def mail_to(email: str, request: Request) -> str:
    """The same, for an address that came with other fields. Raises ValidationFailed, RateLimited."""
    if not is_address(email):
        raise ValidationFailed(details={"email": ["This does not look like an e-mail address."]})
    throttle = throttle_of(request)
    throttle.hit(CLAIM_BY_ADDRESS, client_address(request))
    throttle.hit(MAIL_BY_EMAIL, email_key(email))
    throttle.hit(MAIL_BY_EMAIL_DAILY, email_key(email))
    return email
