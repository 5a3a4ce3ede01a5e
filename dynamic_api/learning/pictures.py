"""Pictures inside paid texts: private files beside the manifest, shown to owners by addresses that expire.

An address names whom it was made for; `local_files` asks whether they still own the course when the picture is fetched.
"""

import re
from datetime import datetime, timedelta

from dynamic_api.catalog.courses import CatalogCourse
from dynamic_api.core.signed_links import sign_link
from dynamic_api.service import Service
from sitegen import urls

# An address is the same for six hours, so that browsers can keep the picture, and works for six to twelve.
STEP = timedelta(hours=6)
_ADDRESS = re.compile(re.escape(urls.PRIVATE_PICTURES).encode() + rb"([0-9a-f]{32}[^\s\"'()<>\\#?&]*)")


def with_pictures(service: Service, content: bytes, course: CatalogCourse, user_id: int, *, html: bool) -> bytes:
    """An answer whose texts show the pictures of a course to one of its owners."""
    if not course.pictures:
        return content
    query = f"expires={_expiry(service.clock())}&user={user_id}"
    join = "&amp;" if html else "&"

    def signed(match: re.Match[bytes]) -> bytes:
        name = match[1].decode()
        if name not in course.pictures:
            return match[0]
        path = f"{urls.PRIVATE_PICTURES}{course.id}/{name}"
        link = f"{path}?{query}&signature={sign_link(service.settings, path, query)}"
        return link.replace("&", join).encode()

    return _ADDRESS.sub(signed, content)


def _expiry(now: datetime) -> int:
    step = int(STEP.total_seconds())
    return (int(now.timestamp()) // step + 2) * step
