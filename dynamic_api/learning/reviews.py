"""What learners say of a course: one review each, once they know a quarter of it, and theirs to change.

The creator decides in the course files what is shown (`coursewright reviews pull`); nothing here is public.
"""

import secrets
from typing import Annotated

from pydantic import BaseModel, Field
from sqlalchemy import Select, func, select
from starlette.responses import Response

from dynamic_api.catalog.courses import CatalogCourse
from dynamic_api.core.audit import Action, by_user, record
from dynamic_api.core.errors import CourseForbidden, CourseNotFound, ReviewTooEarly
from dynamic_api.core.models import Progress, Review, User
from dynamic_api.core.states import ProgressStatus
from dynamic_api.learning.access import find_course, owns_course
from dynamic_api.service import Service
from dynamic_api.web.identity import Learner, learner_route
from dynamic_api.web.requests import Request
from dynamic_api.web.responses import JsonResponse
from sitegen.catalog.reviews_file import LONGEST

SHARE = 4  # one of so many lessons must be complete

# Line breaks and tabs are a part of what people write; other control characters are not.
Words = Annotated[str, Field(max_length=LONGEST, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]


class WrittenReview(BaseModel):
    """Stars, and words or none."""

    stars: int = Field(ge=1, le=5)
    text: Words = ""


async def show_review(request: Request, learner: Learner) -> Response:
    """What this person wrote, and whether they may write."""
    course = await _owned(request, learner)
    async with request.service.database.reading() as db:
        review = await db.scalar(_of(learner, course))
    written = {"stars": review.stars, "text": review.text} if review else None
    left = await _lessons_left(request.service, learner, course)
    return JsonResponse({"course_title": course.definition.title, "review": written, "lessons_left": left})


async def write_review(request: Request, learner: Learner) -> Response:
    """Write it, or change it. Raises ReviewTooEarly."""
    course = await _owned(request, learner)
    body = await request.read(WrittenReview)
    service, now = request.service, request.service.clock()
    if await _lessons_left(service, learner, course):
        raise ReviewTooEarly
    async with service.database.transaction() as db:
        await db.get_one(User, learner.id, with_for_update=True)  # two at once are one after the other
        review = await db.scalar(_of(learner, course))
        if review is None:
            review = Review(
                public_id=f"rv_{secrets.token_hex(8)}", user_id=learner.id, course_id=course.id, created_at=now
            )
            db.add(review)
        review.stars, review.text, review.name, review.updated_at = body.stars, body.text.strip(), learner.name, now
        record(
            db, Action.REVIEW_WRITTEN, at=now, actor=by_user(learner.id), user_id=learner.id, course_id=course.id,
            stars=body.stars,
        )  # fmt: skip
    return JsonResponse({"message": request.say("Thank you. The school reads each review before it is published.")})


async def delete_review(request: Request, learner: Learner) -> Response:
    """Take it back; the course files lose it when the creator pulls the next time."""
    course = await _owned(request, learner)
    async with request.service.database.transaction() as db:
        review = await db.scalar(_of(learner, course).with_for_update())
        if review is not None:
            await db.delete(review)
            record(
                db, Action.REVIEW_DELETED, at=request.service.clock(), actor=by_user(learner.id), user_id=learner.id,
                course_id=course.id,
            )  # fmt: skip
    return JsonResponse({"message": request.say("Your review is deleted.")})


async def _owned(request: Request, learner: Learner) -> CatalogCourse:
    course = find_course(request)
    if course is None:
        raise CourseNotFound
    if not await owns_course(request.service, learner.id, course.id):
        raise CourseForbidden
    return course


async def _lessons_left(service: Service, learner: Learner, course: CatalogCourse) -> int:
    """How many lessons must be completed before a review; 0 where one may be written."""
    needed = -(-len(course.lessons) // SHARE)
    done = select(func.count()).where(
        Progress.user_id == learner.id,
        Progress.status == ProgressStatus.COMPLETED,
        Progress.lesson_id.in_([lesson.id for lesson in course.lessons]),
    )
    async with service.database.reading() as db:
        return max(0, needed - (await db.scalar(done) or 0))


def _of(learner: Learner, course: CatalogCourse) -> Select[Review]:
    return select(Review).where(Review.user_id == learner.id, Review.course_id == course.id)


routes = [
    learner_route("GET", "/courses/{course}/review", show_review),
    learner_route("PUT", "/courses/{course}/review", write_review),
    learner_route("DELETE", "/courses/{course}/review", delete_review),
]
