"""The command about the catalogue: courses."""

from sqlalchemy import func, select

from dynamic_api.commands.report import Report, operator_command
from dynamic_api.core.models import Entitlement
from dynamic_api.service import Service
from sitegen.catalog import model
from sitegen.catalog.money import format_money


@operator_command("")
async def courses(service: Service) -> Report:
    """List the courses as the service has them, with how many people own each."""
    owners = (
        select(Entitlement.course_id, func.count(Entitlement.user_id.distinct()).label("people"))
        .where(Entitlement.revoked_at.is_(None))
        .group_by(Entitlement.course_id)
    )
    async with service.database.reading() as db:
        count = {row.course_id: row.people for row in await db.execute(owners)}
    data = [
        {
            "id": course.definition.id,
            "slug": course.definition.slug,
            "title": course.definition.title,
            "status": "not in the files" if course.is_kept else course.definition.status,
            "price": _price(course.definition),
            "lessons": len(course.lessons),
            "minutes": round(sum(lesson.definition.duration or 0 for lesson in course.lessons) / 60),
            "captioned": sum(bool(lesson.definition.captions) for lesson in course.lessons),
            "videos": sum(lesson.definition.has_video for lesson in course.lessons),
            "owners": count.get(course.id, 0),
        }
        for course in service.catalog.current.by_title
    ]
    lines = [
        f"{row['slug']:<32} {row['status']:<17} {row['price']:>9} {row['lessons']:>4} lessons {row['minutes']:>4} min  "
        f"captions {row['captioned']}/{row['videos']}  {row['owners']:>6} owners  {row['title']}"
        for row in data
    ]
    if any(course.is_kept for course in service.catalog.current.courses):
        lines += [
            "",
            "A course that is not in the files is served to its owners as it was. Put its files back, or leave it.",
        ]
    return Report(lines, data)


def _price(course: model.Course) -> str:
    return format_money(course.price.amount, course.price.currency) if course.price else "free"
