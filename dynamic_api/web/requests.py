"""The request as handlers see it: Starlette's, with the installation it came to and what every handler asks of it."""

from functools import cached_property
from ipaddress import ip_address, ip_network
from typing import Annotated, TypeVar

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails
from starlette.requests import Request as StarletteRequest
from starlette.requests import cookie_parser
from starlette.types import Message, Receive, Scope

from dynamic_api.core.errors import BodyTooLarge, ValidationFailed
from dynamic_api.service import Service

# PostgreSQL stores no NUL, and no name or address contains a control character.
Text = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$")]
Model = TypeVar("Model", bound=BaseModel)

EXTRA_HEADERS = "coursewright.headers"  # in the scope: headers that whatever answer is given must carry


class Request(StarletteRequest):
    """One request to one installation."""

    def __init__(self, scope: Scope, receive: Receive, service: Service) -> None:
        super().__init__(scope, receive)
        self.service = service

    @cached_property
    def raw_headers(self) -> dict[bytes, bytes]:
        """Headers by their lower-case names, as they came; of a repeated one, the last."""
        return dict(self.scope["headers"])

    @cached_property
    def cookies(self) -> dict[str, str]:
        """Cookies by name."""
        return cookie_parser(self.raw_headers.get(b"cookie", b"").decode("latin-1"))

    @property
    def client_ip(self) -> str:
        """Where the request came from, for counting; behind a trusted proxy, the address it names.

        For IPv6 this is the network: one household has at least a /64 of addresses (RFC 6177).
        """
        given = self.scope["client"][0] if self.scope.get("client") else ""
        try:
            address = ip_address(given)
        except ValueError:
            return given or "unknown"
        return given if address.version == 4 else str(ip_network((address, 64), strict=False))

    async def read(self, model: type[Model]) -> Model:
        """The JSON body as a model. Raises ValidationFailed with a sentence for each field."""
        try:
            return model.model_validate_json(await self.body() or b"{}")
        except ValidationError as error:
            details: dict[str, list[str]] = {}
            for each in error.errors(include_url=False, include_input=False):
                name = str(each["loc"][0]) if each["loc"] else "body"
                details.setdefault(name, []).append(_sentence(each))
            raise ValidationFailed(details=details) from None

    def limit_body(self, limit: int) -> None:
        """Count the body while it is read; reading on past the limit raises BodyTooLarge."""
        receive, total = self._receive, 0

        async def receive_limited() -> Message:
            nonlocal total
            message = await receive()
            total += len(message.get("body", b""))
            if total > limit:
                raise BodyTooLarge
            return message

        self._receive = receive_limited

    def add_header(self, name: bytes, value: bytes) -> None:
        """A header for whatever answer this request gets, refusals included."""
        self.scope.setdefault(EXTRA_HEADERS, []).append((name, value))


def _sentence(error: ErrorDetails) -> str:
    limits = error.get("ctx", {})
    match error["type"]:
        case "missing" | "string_too_short":
            return "Please fill in this field."
        case "string_too_long":
            return f"Use at most {limits['max_length']} characters."
        case "string_pattern_mismatch":
            return "Please remove invisible characters."
        case "greater_than_equal":
            return f"Use a number of at least {limits['ge']}."
        case "less_than_equal":
            return f"Use a number of at most {limits['le']}."
        case "json_invalid":
            return "This is not JSON."
        case _:
            return error["msg"].removeprefix("Value error, ") + "."
