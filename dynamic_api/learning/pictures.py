"""Pictures inside paid texts: private files beside the manifest, shown to owners by addresses that expire.

An address names whom it was made for. Whether they still own the course is asked whenever the picture is fetched.
"""

from datetime import datetime, timedelta

from starlette.responses import FileResponse, Response

from dynamic_api.catalog.courses import CatalogCourse
from dynamic_api.core.errors import ResourceForbidden, ResourceNotFound
from dynamic_api.learning.access import owns_course
from dynamic_api.learning.downloads import check_signature, sign_link
from dynamic_api.service import Service
from dynamic_api.web.requests import Request
from sitegen import urls
from sitegen.catalog.manifest import private_folder

# An address is the same for six hours, so that browsers can keep the picture, and works for six to twelve.
_STEP = timedelta(hours=6)


def with_pictures(service: Service, content: bytes, course: CatalogCourse, user_id: int, *, html: bool) -> bytes:
    """An answer whose texts show the pictures of a course to one of its owners."""
    if not course.pictures:
        return content
    expires = _expiry(service.clock())
    join = "&amp;" if html else "&"
    for name in course.pictures:
        written = f"{urls.PRIVATE_PICTURES}{name}"
        path = f"{urls.PRIVATE_PICTURES}{course.id}/{name}"
        query = f"expires={expires}&user={user_id}"
        signed = f"{path}?{query}&signature={sign_link(service.settings, path, query)}"
        content = content.replace(written.encode(), signed.replace("&", join).encode())
    return content


async def send_picture(request: Request) -> Response:
    """The picture, if the address is ours and the learner it names still owns the course."""
    service, name = request.service, request.path_params["name"]
    user_id = check_signature(service.settings, request.url.path, dict(request.query_params), now=service.clock())
    course = service.catalog.current.course_by_id(request.path_params["course"])
    path = private_folder(service.settings.manifest) / name
    if course is None or name not in course.pictures or not path.is_file():
        raise ResourceNotFound
    if not await owns_course(service, user_id, course.id):
        raise ResourceForbidden
    return FileResponse(path, headers={"Cache-Control": f"private, max-age={int(_STEP.total_seconds())}"})


def _expiry(now: datetime) -> int:
    step = int(_STEP.total_seconds())
    return (int(now.timestamp()) // step + 2) * step
