"""The order of checks on everything that costs money: course exists → access → lesson exists."""

from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.catalog import LiveCatalog, LiveCourse, LiveLesson, LiveResource
from dynamic_api.entitlements import may_watch
from dynamic_api.errors import CourseForbidden, ResourceForbidden


async def open_course(db: AsyncSession, catalog: LiveCatalog, user_id: int, slug: str) -> LiveCourse:
    """A course this learner may watch. Raises CourseNotFound, CourseForbidden."""
    course = catalog.course(slug)
    if not await may_watch(db, user_id, course.id):
        raise CourseForbidden
    return course


async def open_lesson(
    db: AsyncSession, catalog: LiveCatalog, user_id: int, slug: str, lesson_slug: str
) -> tuple[LiveCourse, LiveLesson]:
    """A lesson this learner may watch. Raises CourseNotFound, CourseForbidden, LessonNotFound."""
    course = await open_course(db, catalog, user_id, slug)
    return course, course.lesson(lesson_slug)


async def open_resource(db: AsyncSession, catalog: LiveCatalog, user_id: int, resource_id: int) -> LiveResource:
    """A file this learner may download. Raises ResourceNotFound, ResourceForbidden."""
    resource = catalog.resource(resource_id)
    if not await may_watch(db, user_id, resource.course_id):
        raise ResourceForbidden
    return resource
