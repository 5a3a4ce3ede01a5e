"""Pages of courses that are not published yet, for an editor without an account: whoever has a link that works."""

import hmac
from datetime import datetime, timedelta

from dynamic_api.core.signed_links import HasSecret, sign_link
from dynamic_api.web.application import PAGES_OF_DRAFTS as DRAFTS


def draft_link(settings: HasSecret, site_url: str, course: str, *, days: int, now: datetime) -> str:
    """The address of a draft, which works for so many days."""
    until = int((now + timedelta(days=days)).timestamp())
    return f"{site_url}{DRAFTS}{course}/{until}/{_signature(settings, course, until)}/index.html"


def is_valid(settings: HasSecret, course: str, until: int, signature: str, *, now: datetime) -> bool:
    """Whether we made the link, and it has not ended."""
    expected = _signature(settings, course, until)
    return hmac.compare_digest(signature.encode(), expected.encode()) and now.timestamp() < until


def _signature(settings: HasSecret, course: str, until: int) -> str:
    return sign_link(settings, f"{DRAFTS}{course}", str(until))
