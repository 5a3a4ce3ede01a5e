"""Opening a course or a lesson: one statement answers who asks, whether they may, and how far they are.

Refusals come in a fixed order on the web and on the phone: nobody signed in → no such course → no access → no such
lesson.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, NamedTuple, Protocol, TypeVar
from urllib.parse import quote

from sqlalchemy import Integer, bindparam, select
from starlette.responses import Response

from dynamic_api.catalog.courses import CatalogCourse, CatalogLesson, CatalogResource
from dynamic_api.core.errors import CourseForbidden, CourseNotFound, LessonNotFound, Moved, ResourceForbidden
from dynamic_api.core.models import Progress, User
from dynamic_api.core.reader import Query
from dynamic_api.orders.entitlements import may_watch_course
from dynamic_api.progress.group import LessonKey
from dynamic_api.progress.statements import noted_again, progress_in_course, progress_in_lesson, statuses_in_course
from dynamic_api.service import Service
from dynamic_api.web.identity import Learner, LearnerQuery, Statement, identify_browser
from dynamic_api.web.requests import Request
from dynamic_api.web.routing import Audience, Route

# A lesson opened again within this time is not noted again: last_viewed_at is recent enough.
VIEW_NOTED_EVERY = timedelta(minutes=1)


class Access(NamedTuple):
    """Whether the learner may watch."""

    may_watch: bool


class AccessAndPosition(NamedTuple):
    """And where they are in the lesson."""

    may_watch: bool
    position_seconds: int | None


class AccessAndProgress(NamedTuple):
    """And how far they are in the lesson, as JSON, and whether another view of it should be noted."""

    may_watch: bool
    progress: str | None
    is_view_due: bool


class AccessAndStatuses(NamedTuple):
    """And the status of every lesson of the course, as JSON by lesson id."""

    may_watch: bool
    progress: str | None
    is_view_due: bool
    statuses: str | None


class AccessAndCourse(NamedTuple):
    """And the progress in every lesson of the course: lines of `lesson id:row as JSON`."""

    may_watch: bool
    progress: str | None


class CourseExtra(Protocol):
    """The field that every query of this module has."""

    @property
    def may_watch(self) -> bool: ...


Extra = TypeVar("Extra", Access, AccessAndPosition, AccessAndProgress, AccessAndStatuses, AccessAndCourse)


def _with_access(statement: Statement) -> Statement:
    return statement.add_columns(may_watch_course(User.id).label("may_watch"))


def _with_position(statement: Statement) -> Statement:
    in_lesson = (Progress.user_id == User.id) & (Progress.lesson_id == bindparam("lesson_id"))
    return _with_access(statement).add_columns(Progress.position_seconds).outerjoin(Progress, in_lesson)


def _with_progress(statement: Statement) -> Statement:
    return _with_access(statement).add_columns(
        progress_in_lesson(User.id).label("progress"), noted_again(User.id).label("is_view_due")
    )


def _with_statuses(statement: Statement) -> Statement:
    return _with_progress(statement).add_columns(statuses_in_course(User.id).label("statuses"))


def _with_course(statement: Statement) -> Statement:
    return _with_access(statement).add_columns(progress_in_course(User.id).label("progress"))


ACCESS = LearnerQuery(Access, _with_access)
POSITION = LearnerQuery(AccessAndPosition, _with_position)
PROGRESS = LearnerQuery(AccessAndProgress, _with_progress)
STATUSES = LearnerQuery(AccessAndStatuses, _with_statuses)
COURSE = LearnerQuery(AccessAndCourse, _with_course)

Identify = Callable[..., Awaitable[tuple[Learner, Extra]]]


@dataclass(frozen=True)
class OpenedCourse(Generic[Extra]):
    """A course somebody may watch."""

    learner: Learner
    course: CatalogCourse
    found: Extra


@dataclass(frozen=True)
class OpenedLesson(OpenedCourse[Extra]):
    """A lesson somebody may watch."""

    lesson: CatalogLesson

    @property
    def key(self) -> LessonKey:
        """By which progress is written."""
        return LessonKey(self.learner.id, self.course.id, self.lesson.id)


async def open_course(request: Request, identify: Identify[Extra], query: LearnerQuery[Extra]) -> OpenedCourse[Extra]:
    """The course in the path. Raises Unauthenticated, CourseNotFound, CourseForbidden."""
    course = find_course(request)
    learner, found = await identify(request, query, **_parameters(request, course, None))
    return OpenedCourse(learner, _permitted(course, found.may_watch), found)


async def open_lesson(request: Request, identify: Identify[Extra], query: LearnerQuery[Extra]) -> OpenedLesson[Extra]:
    """The lesson in the path. Raises Unauthenticated, CourseNotFound, CourseForbidden, LessonNotFound."""
    course, lesson = find_lesson(request)
    learner, found = await identify(request, query, **_parameters(request, course, lesson))
    course = _permitted(course, found.may_watch)
    if lesson is None:
        raise LessonNotFound
    return OpenedLesson(learner, course, found, lesson)


def find_course(request: Request) -> CatalogCourse | None:
    """The course in the path. Raises Moved where it has another slug now."""
    course = request.service.catalog.current.find_course(request.path_params["course"])
    if course is None:
        _follow(request)
    return course


def find_lesson(request: Request) -> tuple[CatalogCourse | None, CatalogLesson | None]:
    """The course and the lesson in the path. Raises Moved where one of them has another slug now."""
    course = request.service.catalog.current.find_course(request.path_params["course"])
    lesson = course.find_lesson(request.path_params["lesson"]) if course else None
    if lesson is None:
        _follow(request)
    return course, lesson


def _follow(request: Request) -> None:
    """Answer with the new address, where there is one."""
    names = [request.path_params[name] for name in ("course", "lesson") if name in request.path_params]
    moved = request.service.catalog.current.moved(names[0], names[1] if len(names) > 1 else None)
    if moved is None:
        return
    parts = request.scope["path"].split("/")
    at = len(parts)
    for old, new in zip(reversed(names), reversed([each for each in moved if each]), strict=True):
        at = next(number for number in range(at - 1, -1, -1) if parts[number] == old)  # from the end: slugs come last
        parts[at] = new
    query = request.scope.get("query_string", b"").decode("latin-1")
    raise Moved(quote("/".join(parts)) + (f"?{query}" if query else ""))


def _parameters(request: Request, course: CatalogCourse | None, lesson: CatalogLesson | None) -> dict[str, object]:
    """Parameters of all the queries above; an id of 0 finds nothing. Each statement takes those it has."""
    first, last = course.lesson_ids if course else (0, 0)
    return {
        "course_id": course.id if course else 0,
        "lesson_id": lesson.id if lesson else 0,
        "first_lesson": first,
        "last_lesson": last,
        "view_due_before": request.service.clock() - VIEW_NOTED_EVERY,
    }


def _permitted(course: CatalogCourse | None, may_watch: bool) -> CatalogCourse:
    if course is None:
        raise CourseNotFound
    if not may_watch:
        raise CourseForbidden
    return course


class _MayWatch(NamedTuple):
    may_watch: bool


_MAY_WATCH = Query(
    select(may_watch_course(bindparam("user_id", type_=Integer)).label("may_watch")),
    _MayWatch,
)


async def open_resource(service: Service, user_id: int, resource_id: int) -> CatalogResource:
    """A file this learner may download. Raises ResourceNotFound, ResourceForbidden."""
    resource = service.catalog.current.resource(resource_id)
    if not await owns_course(service, user_id, resource.course_id):
        raise ResourceForbidden
    return resource


async def owns_course(service: Service, user_id: int, course_id: int) -> bool:
    """Whether somebody owns the course at this moment."""
    row = await service.reader.one(_MAY_WATCH, user_id=user_id, course_id=course_id)
    return row is not None and row.may_watch


def lesson_route(
    method: str,
    path: str,
    query: LearnerQuery[Extra],
    handler: Callable[[Request, OpenedLesson[Extra]], Awaitable[Response]],
) -> Route:
    """A route about a lesson, for owners in a browser."""

    async def endpoint(request: Request) -> Response:
        return await handler(request, await open_lesson(request, identify_browser, query))

    return Route(method, path, endpoint, Audience.LEARNER, handler.__name__)
