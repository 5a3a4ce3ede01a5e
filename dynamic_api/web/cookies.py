"""The cookies of this site."""

from dataclasses import dataclass
from datetime import timedelta

from starlette.responses import Response

from dynamic_api.core.settings import Settings

SIGNED_IN_HINT = "signed_in"  # readable by the pages' header; it says "yes" and nothing else


@dataclass(frozen=True)
class Cookies:
    """Names and flags. The __Host- prefix binds a cookie to this very host, and needs https."""

    secure: bool

    @property
    def session(self) -> str:
        """The signed-in browser."""
        return "__Host-session" if self.secure else "session"

    @property
    def checkout(self) -> str:
        """The browser that is buying."""
        return "__Host-checkout" if self.secure else "checkout"

    def put(self, response: Response, name: str, value: str, lifetime: timedelta, *, readable: bool = False) -> None:
        """SameSite is Lax, since buyers return from Stripe and from an email by a link on another site."""
        response.set_cookie(
            name,
            value,
            max_age=int(lifetime.total_seconds()),
            path="/",
            secure=self.secure,
            httponly=not readable,
            samesite="lax",
        )

    def remove(self, response: Response, name: str, *, readable: bool = False) -> None:
        """Have the browser delete a cookie."""
        response.delete_cookie(name, path="/", secure=self.secure, httponly=not readable, samesite="lax")


def cookies_of(settings: Settings) -> Cookies:
    """This installation's cookies."""
    return Cookies(settings.is_https)
