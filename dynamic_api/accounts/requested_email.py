"""An address that somebody typed to have an email sent there. Anybody can type anybody's."""

from pydantic import BaseModel, Field

from dynamic_api.core.emails import Email, EmailInvalid
from dynamic_api.core.errors import ValidationFailed
from dynamic_api.core.throttle import ACCOUNT_FORMS_BY_IP, MESSAGES_BY_EMAIL, MESSAGES_BY_EMAIL_DAILY, Throttle
from dynamic_api.web.requests import Request, Text


class _Address(BaseModel):
    email: Text = Field(min_length=1, max_length=254)


async def requested_email(request: Request) -> Email:
    """The address in the body, within what one person may be sent. Raises ValidationFailed, RateLimited."""
    return allowed_email((await request.read(_Address)).email, request)


def allowed_email(text: str, request: Request) -> Email:
    """The same, for an address that came with other fields. Raises ValidationFailed, RateLimited."""
    try:
        email = Email.parse(text)
    except EmailInvalid as error:
        raise ValidationFailed(details={"email": [str(error)]}) from None
    request.service.throttle.hit(ACCOUNT_FORMS_BY_IP, request.client_ip)
    count_message(request.service.throttle, email)
    return email


def count_message(throttle: Throttle, email: Email) -> None:
    """Limits how many emails one address gets, from all requests together. Raises RateLimited."""
    throttle.hit(MESSAGES_BY_EMAIL, email.key)
    throttle.hit(MESSAGES_BY_EMAIL_DAILY, email.key)
