"""The request as handlers see it: Starlette's, with the installation it came to and what every handler asks of it."""

import asyncio
from typing import Annotated, TypeVar
from urllib.parse import parse_qsl

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails
from starlette.requests import ClientDisconnect, cookie_parser
from starlette.requests import Request as StarletteRequest
from starlette.types import Message, Receive, Scope

from dynamic_api.core.errors import BodyTooLarge, ValidationFailed
from dynamic_api.service import Service
from dynamic_api.web.networks import network_of
from sitegen.catalog.words import ENGLISH, Sentence, Words, words_of

# PostgreSQL stores no NUL, and no name or address contains a control character.
Text = Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]*$")]
Model = TypeVar("Model", bound=BaseModel)

LARGEST_FORM = 10  # fields; ours have eight
MOST_FAULTS = 100  # that a refusal describes
MOST_FIELDS = 500  # of JSON, as far as its signs tell; a text may quote some
LONG_FORM = 4 * 1024  # bytes
EXTRA_HEADERS = "coursewright.headers"  # in the scope: headers that whatever answer is given must carry


class Request(StarletteRequest):
    """One request to one installation."""

    def __init__(self, scope: Scope, receive: Receive, service: Service) -> None:
        super().__init__(scope, receive)
        self.service = service
        # By their lower-case names, as they came; of a repeated one, the last.
        self.raw_headers: dict[bytes, bytes] = dict(scope["headers"])

    @property
    def say(self) -> Words:
        """Sentences in the school's language."""
        site = self.service.catalog.site
        return site.say if site is not None else words_of(ENGLISH)

    def cookie(self, name: str) -> str:
        """The value of a cookie; empty without one."""
        header = self.raw_headers.get(b"cookie")
        return cookie_parser(header.decode("latin-1")).get(name, "") if header else ""

    async def body(self) -> bytes:
        """The whole body, which is read once. Raises ClientDisconnect."""
        parts: list[bytes] = []
        more = True
        while more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    @property
    def client_ip(self) -> str:
        """Where the request came from, for counting; behind a trusted proxy, the address it names.

        For IPv6 this is the network: one household has at least a /64 of addresses (RFC 6177).
        """
        given = self.scope["client"][0] if self.scope.get("client") else ""
        try:
            return network_of(given)
        except ValueError:
            return given or "unknown"

    async def read(self, model: type[Model]) -> Model:
        """The JSON body as a model. Raises ValidationFailed with a sentence for each field."""
        try:
            return model.model_validate_json(_checked(await self.body()) or b"{}")
        except ValidationError as error:
            details: dict[str, list[str]] = {}
            if error.error_count() > MOST_FAULTS:  # to describe thousands takes milliseconds, and nobody reads them
                raise ValidationFailed(details={"body": [Sentence("This has too many fields.")]}) from None
            for each in error.errors(include_url=False, include_input=False):
                name = str(each["loc"][0]) if each["loc"] else "body"
                details.setdefault(name, []).append(_sentence(each))
            raise ValidationFailed(details=details) from None

    async def read_form(self) -> dict[str, str]:
        """The fields of a form, as browsers send those without files. Raises ValidationFailed."""
        body = await self.body()
        # A long one takes milliseconds, and anybody may send it.
        return await asyncio.to_thread(_fields, body) if len(body) > LONG_FORM else _fields(body)

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


def _checked(body: bytes) -> bytes:
    """Raises ValidationFailed for more fields than any of ours has: to read and refuse thousands takes milliseconds."""
    if body.count(b'":') > MOST_FIELDS:
        raise ValidationFailed(details={"body": [Sentence("This has too many fields.")]})
    return body


def _fields(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=LARGEST_FORM))
    except ValueError:
        raise ValidationFailed from None


def _sentence(error: ErrorDetails) -> str:
    limits = error.get("ctx", {})
    match error["type"]:
        case "missing" | "string_too_short":
            return Sentence("Please fill in this field.")
        case "string_too_long":
            return Sentence("Use at most {count} characters.", count=limits["max_length"])
        case "string_pattern_mismatch":
            return Sentence("Please remove invisible characters.")
        case "greater_than_equal":
            return Sentence("Use a number of at least {count}.", count=limits["ge"])
        case "less_than_equal":
            return Sentence("Use a number of at most {count}.", count=limits["le"])
        case "json_invalid":
            return Sentence("This is not JSON.")
        case _:
            return error["msg"].removeprefix("Value error, ") + "."
