"""Who is asking: a browser by its cookie, a phone by its bearer token; never both.

A `LearnerQuery` answers that, and whatever else a route must know, in one statement. On PostgreSQL a statement costs
100 µs of ours, so asking "who?", "may they?" and "how far?" one after the other would cost more than all the rest.
"""

from collections import namedtuple
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import Select, bindparam, select
from starlette.responses import Response

from dynamic_api.core.columns import UTCDateTime
from dynamic_api.core.emails import Email
from dynamic_api.core.errors import RateLimited, TokenForbidden, Unauthenticated
from dynamic_api.core.models import AccessToken, User, WebSession
from dynamic_api.core.reader import Query
from dynamic_api.core.sql import timestamp_text
from dynamic_api.core.throttle import PHONE_REQUESTS
from dynamic_api.core.tokens import hash_token
from dynamic_api.web.phone_tokens import Ability
from dynamic_api.web.requests import Request
from dynamic_api.web.routing import Audience, Route
from dynamic_api.web.sessions import LONGEST_SESSION, session_token

# How old the note of a browser's or a phone's last request may become before it is renewed.
SESSION_NOTED_EVERY = timedelta(hours=1)
PHONE_NOTED_EVERY = timedelta(minutes=1)

Extra = TypeVar("Extra", bound=NamedTuple)
Statement = Select[*tuple[Any, ...]]  # Any: composing statements loses SQLAlchemy's column types; rows restore them


class Learner(NamedTuple):
    """Somebody who is signed in."""

    id: int
    name: str
    email_spelling: str
    email_key: str
    updated_at: str

    @property
    def email(self) -> Email:
        """Their address."""
        return Email(self.email_spelling, self.email_key)


class Phone(NamedTuple):
    """The phone a request came from."""

    token_id: int
    abilities: str


class Nothing(NamedTuple):
    """A route that must know nothing else."""


class LearnerQuery(Generic[Extra]):
    """Who is asking, and the columns of `extra`, which `extend` adds to the statement."""

    def __init__(self, extra: type[Extra], extend: Callable[[Statement], Statement] = lambda statement: statement):
        self.extra = extra
        browser = (*Learner._fields, "is_due", *extra._fields)
        phone = (*Learner._fields, *Phone._fields, "is_due", *extra._fields)
        # Named tuples made at run time: their static types are Learner, Phone and Extra, into which they are split.
        self.browser: Query[Any] = Query(extend(_BY_SESSION), namedtuple("BrowserRow", browser))
        self.phone: Query[Any] = Query(extend(_BY_TOKEN), namedtuple("PhoneRow", phone))


_LEARNER = (
    User.id.label("id"),
    User.name,
    User.email_spelling.label("email_spelling"),
    User.email_key,
    timestamp_text(User.updated_at).label("updated_at"),
)
_BY_SESSION: Statement = (
    select(*_LEARNER, (WebSession.last_seen_at < bindparam("due_before")).label("is_due"))
    .join_from(WebSession, User, User.id == WebSession.user_id)
    .where(WebSession.token_hash == bindparam("token_hash"), WebSession.expires_at > bindparam("now"))
    .where(WebSession.created_at > bindparam("oldest", type_=UTCDateTime))
)
_BY_TOKEN: Statement = (
    select(
        *_LEARNER,
        AccessToken.id.label("token_id"),
        AccessToken.abilities,
        (AccessToken.last_used_at < bindparam("due_before")).label("is_due"),
    )
    .join_from(AccessToken, User, User.id == AccessToken.user_id)
    .where(AccessToken.token_hash == bindparam("token_hash"), AccessToken.expires_at > bindparam("now"))
)
WHO = LearnerQuery(Nothing)


async def find_browser(request: Request, query: LearnerQuery[Extra], **values: object) -> tuple[Learner, Extra] | None:
    """The learner of this browser's session, and what the query adds; None when nobody is signed in."""
    token = session_token(request)
    if not token:
        return None
    service = request.service
    now, token_hash = service.clock(), hash_token(token)
    row = await service.reader.one(
        query.browser,
        token_hash=token_hash,
        now=now,
        oldest=now - LONGEST_SESSION,
        due_before=now - SESSION_NOTED_EVERY,
        **values,
    )
    if row is None:
        return None
    learner, is_due, extra = row[:5], row[5], row[6:]
    if is_due:
        service.progress.note_session(token_hash, now)
    return Learner._make(learner), query.extra._make(extra)


async def identify_browser(request: Request, query: LearnerQuery[Extra], **values: object) -> tuple[Learner, Extra]:
    """The same, for routes that need somebody. Raises Unauthenticated."""
    found = await find_browser(request, query, **values)
    if found is None:
        raise Unauthenticated
    return found


async def signed_in(request: Request) -> Learner | None:
    """The learner of this browser's session, or None."""
    found = await find_browser(request, WHO)
    return found[0] if found else None


async def find_phone(
    request: Request, query: LearnerQuery[Extra], **values: object
) -> tuple[Learner, Phone, Extra] | None:
    """The learner of this phone's token. Counts the request: by learner, or by network address without a valid token.

    A session cookie is never accepted, and a request that carries both is refused. Raises RateLimited.
    """
    service, row = request.service, None
    now = service.clock()
    if token := _bearer_token(request):
        row = await service.reader.one(
            query.phone, token_hash=hash_token(token), now=now, due_before=now - PHONE_NOTED_EVERY, **values
        )
    try:
        await _count(request, *(("user", str(row[0])) if row is not None else ("ip", request.client_ip)))
    except RateLimited:
        # The app asks this at its start and signs its learner out on any refusal; a valid token is never refused here.
        if row is None or not request.scope["path"].endswith("/me"):
            raise
    if row is None:
        return None
    learner, phone, is_due, extra = Learner._make(row[:5]), Phone._make(row[5:7]), row[7], row[8:]
    if is_due or is_due is None:
        service.progress.note_phone(phone.token_id, now)
    return learner, phone, query.extra._make(extra)


async def identify_phone(
    request: Request, query: LearnerQuery[Extra], ability: Ability, **values: object
) -> tuple[Learner, Phone, Extra]:
    """The same, for routes that need somebody. Raises Unauthenticated, TokenForbidden, RateLimited."""
    found = await find_phone(request, query, **values)
    if found is None:
        raise Unauthenticated
    if ability not in found[1].abilities.split():
        raise TokenForbidden
    return found


def _bearer_token(request: Request) -> str:
    scheme, _, token = request.raw_headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    if scheme.lower() != "bearer" or session_token(request):
        return ""
    return token.strip()


async def _count(request: Request, *who: str) -> None:
    """Count a phone's request, and say on any answer how many are left in this minute. Raises RateLimited."""
    left = 0
    try:
        left = await request.service.throttle.hit(PHONE_REQUESTS, *who)
    finally:
        request.add_header(b"x-ratelimit-limit", str(PHONE_REQUESTS.attempts).encode())
        request.add_header(b"x-ratelimit-remaining", str(left).encode())


def learner_route(method: str, path: str, handler: Callable[[Request, Learner], Awaitable[Response]]) -> Route:
    """A route for people who are signed in in a browser; others get 401."""

    async def endpoint(request: Request) -> Response:
        learner, _ = await identify_browser(request, WHO)
        return await handler(request, learner)

    return Route(method, path, endpoint, Audience.LEARNER, handler.__name__)


def phone_route(
    method: str, path: str, handler: Callable[[Request, Learner, Phone], Awaitable[Response]], ability: Ability
) -> Route:
    """A route for signed-in phones whose token has the ability; others get 401 or 403."""

    async def endpoint(request: Request) -> Response:
        learner, phone, _ = await identify_phone(request, WHO, ability)
        return await handler(request, learner, phone)

    return Route(method, path, endpoint, Audience.PHONE, handler.__name__)
