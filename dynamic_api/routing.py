"""Routes that say who may call them. A route without an audience cannot be made."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from dynamic_api.accounts.identity import signed_in_user
from dynamic_api.accounts.throttle import Throttle
from dynamic_api.errors import Unauthenticated, ValidationFailed
from dynamic_api.models import User
from dynamic_api.service import Service

# PostgreSQL keeps no NUL, and no name or address has a control character.
Text = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$")]
Body = TypeVar("Body", bound=BaseModel)
OpenHandler = Callable[[Request, Service], Awaitable[Response]]
LearnerHandler = Callable[[Request, Service, User], Awaitable[Response]]


class Audience(StrEnum):
    """Who may call a route."""

    ANYONE = "anyone"
    LEARNER = "a browser that is signed in"
    DEVICE = "a phone with a bearer token"
    LINK_HOLDER = "whoever holds a signed link"
    STRIPE = "Stripe, by its signature"


class AudienceRoute(Route):
    """A route with its audience and its one method."""

    def __init__(self, method: str, path: str, endpoint: Callable[..., Any], audience: Audience, name: str) -> None:
        super().__init__(path, endpoint, methods=[method], name=name)
        self.method = method
        self.audience = audience
        # What an API's document says of it, where it has one.
        self.answer: type[BaseModel] | None = None
        self.body: type[BaseModel] | None = None
        self.purpose = ""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Not for a number of so many digits that Python refuses to read it."""
        try:
            return super().matches(scope)
        except ValueError:
            return Match.NONE, {}

    def documented(self, purpose: str, answer: type[BaseModel], body: type[BaseModel] | None = None) -> "AudienceRoute":
        """The same route, with what it takes and answers."""
        self.purpose, self.answer, self.body = purpose, answer, body
        return self


def open_route(method: str, path: str, handler: OpenHandler, audience: Audience = Audience.ANYONE) -> AudienceRoute:
    """A route that asks nobody who they are; its audience says what it checks instead."""

    async def endpoint(request: Request) -> Response:
        return await handler(request, service_of(request))

    return AudienceRoute(method, path, endpoint, audience, handler.__name__)


def learner_route(method: str, path: str, handler: LearnerHandler) -> AudienceRoute:
    """A route for people who are signed in; others get 401."""

    async def endpoint(request: Request) -> Response:
        service = service_of(request)
        user = await signed_in_user(request, service)
        if user is None:
            raise Unauthenticated
        response = await handler(request, service, user)
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return AudienceRoute(method, path, endpoint, Audience.LEARNER, handler.__name__)


def service_of(request: Request) -> Service:
    """The installation this request came to."""
    service: Service = request.app.state.service
    return service


def throttle_of(request: Request) -> Throttle:
    """This process's counters."""
    throttle: Throttle = request.app.state.throttle
    return throttle


async def read_body(request: Request, shape: type[Body]) -> Body:
    """The JSON body, held against its shape. Raises ValidationFailed with a sentence for each field."""
    try:
        return shape.model_validate_json(await request.body() or b"{}")
    except ValidationError as error:
        details: dict[str, list[str]] = {}
        for each in error.errors(include_url=False):
            name = str(each["loc"][0]) if each["loc"] else "body"
            details.setdefault(name, []).append(_sentence(each["type"], each["msg"]))
        raise ValidationFailed(details=details) from None


def _sentence(kind: str, message: str) -> str:
    if kind == "missing" or kind == "string_too_short":
        return "Please fill this in."
    if kind == "string_pattern_mismatch":
        return "Please remove the characters that cannot be seen."
    if kind == "json_invalid":
        return "This is not JSON."
    return message.removeprefix("Value error, ") + "."
