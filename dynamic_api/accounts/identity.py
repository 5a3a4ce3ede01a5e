"""Who is asking: by cookie in a browser, by bearer token from a phone; never by both."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dynamic_api.accounts import sessions
from dynamic_api.accounts.mailed_links import bring_what_waits
from dynamic_api.accounts.users import check_password, still_their_password
from dynamic_api.models import User
from dynamic_api.service import Service
from dynamic_api.tokens import make_token
from sitegen import urls

CHECKOUT_LIFE = timedelta(days=7)


@dataclass(frozen=True)
class Cookies:
    """Names and flags; the __Host- prefix binds a cookie to this very host, and needs https."""

    secure: bool

    @property
    def session(self) -> str:
        """The signed-in browser."""
        return "__Host-session" if self.secure else "session"

    @property
    def checkout(self) -> str:
        """The browser that is buying."""
        return "__Host-checkout" if self.secure else "checkout"

    def put(self, response: Response, name: str, value: str, life: timedelta, *, readable: bool = False) -> None:
        """Lax, since buyers come back from Stripe and from mail by a link on another site."""
        response.set_cookie(
            name,
            value,
            max_age=int(life.total_seconds()),
            path="/",
            secure=self.secure,
            httponly=not readable,
            samesite="lax",
        )

    def drop(self, response: Response, name: str) -> None:
        """Forget a cookie."""
        response.delete_cookie(name, path="/", secure=self.secure, httponly=True, samesite="lax")


SIGNED_IN_HINT = "signed_in"  # readable by the pages' header; says "yes" and nothing else


def cookies_of(service: Service) -> Cookies:
    """This installation's cookies."""
    return Cookies(service.settings.is_https)


def client_address(request: Request) -> str:
    """The address the request came from, by which it is counted; behind a trusted proxy, the one it names.

    Of IPv6 the network: one household has at least a /64 of addresses. RFC 6177.
    """
    given = request.client.host if request.client else ""
    try:
        address = ip_address(given)
    except ValueError:
        return given or "unknown"
    return given if address.version == 4 else str(ip_network((address, 64), strict=False))


async def signed_in_user(request: Request, service: Service) -> User | None:
    """The learner of this browser's session, or None."""
    token = request.cookies.get(cookies_of(service).session)
    if not token:
        return None
    now = service.clock()
    async with service.database.reading() as db:
        found = await sessions.session_user(db, token, now=now)
    if found is None:
        return None
    user, session = found
    if now - session.last_seen_at > sessions.TOUCH:
        async with service.database.transaction() as db:
            await sessions.touch_session(db, token, now=now)
    return user


async def sign_in(request: Request, service: Service, response: Response, user: User, now: datetime) -> None:
    """Begin a session for this browser, ending the one it may have had."""
    cookies = cookies_of(service)
    async with service.database.transaction() as db:
        if old := request.cookies.get(cookies.session):
            await sessions.end_session(db, old)
        await bring_what_waits(db, await still_their_password(db, user), now)
        token = await sessions.start_session(db, user, user_agent=request.headers.get("user-agent", ""), now=now)
    cookies.put(response, cookies.session, token, sessions.LIFE)
    cookies.put(response, SIGNED_IN_HINT, "1", sessions.LIFE, readable=True)


async def sign_out(request: Request, service: Service, response: Response) -> None:
    """End this browser's session."""
    cookies = cookies_of(service)
    if token := request.cookies.get(cookies.session):
        async with service.database.transaction() as db:
            await sessions.end_session(db, token)
    cookies.drop(response, cookies.session)
    response.delete_cookie(SIGNED_IN_HINT, path="/", secure=cookies.secure, samesite="lax")


def checkout_browser(request: Request, service: Service) -> str | None:
    """The mark of the browser that began a purchase."""
    return request.cookies.get(cookies_of(service).checkout)


def mark_checkout_browser(response: Response, service: Service, known: str | None) -> str:
    """Give the browser a mark, or prolong the one it has."""
    cookies = cookies_of(service)
    browser = known or make_token()
    cookies.put(response, cookies.checkout, browser, CHECKOUT_LIFE)
    return browser


async def user_by_password(request: Request, service: Service, email: str, password: str) -> User:
    """Who this address and password are, within what may be tried. Raises InvalidCredentials, RateLimited."""
    return await check_password(
        service.database,
        request.app.state.passwords,
        request.app.state.throttle,
        email=email,
        password=password,
        address=client_address(request),
    )


async def welcome_in(request: Request, service: Service, user: User) -> Response:
    """Signed in, and on to the library."""
    response = JSONResponse({"url": urls.LIBRARY})
    await sign_in(request, service, response, user, service.clock())
    return response
