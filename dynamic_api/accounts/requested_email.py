"""An address that somebody typed to have an email sent there. Anybody can type anybody's."""

from pydantic import BaseModel, Field

from dynamic_api.core.emails import Email, EmailInvalid
from dynamic_api.core.errors import ValidationFailed
from dynamic_api.core.throttle import ACCOUNT_FORMS_BY_IP, count_message
from dynamic_api.web.requests import Request, Text


class _Address(BaseModel):
    email: Text = Field(min_length=1, max_length=254)


async def requested_email(request: Request) -> Email:
    """The address in the body, within what one person may be sent. Raises ValidationFailed, RateLimited."""
    return await allowed_email((await request.read(_Address)).email, request)


async def allowed_email(text: str, request: Request) -> Email:
    """The same, for an address that came with other fields. Raises ValidationFailed, RateLimited."""
    try:
        email = Email.parse(text)
    except EmailInvalid as error:
        raise ValidationFailed(details={"email": [error.args[0]]}) from None
    await request.service.throttle.hit(ACCOUNT_FORMS_BY_IP, request.client_ip)
    await count_message(request.service.throttle, email, request.client_ip)
    return email
