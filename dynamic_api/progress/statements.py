"""The statements of progress, written with the models, for both databases."""

from sqlalchemy import (
    ColumnElement,
    Insert,
    Integer,
    ScalarSelect,
    SQLColumnExpression,
    Update,
    and_,
    bindparam,
    case,
    exists,
    func,
    literal_column,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from dynamic_api.core.columns import UTCDateTime
from dynamic_api.core.models import (
    AccessToken,
    Course,
    CourseProgress,
    Lesson,
    Progress,
    WebSession,
)
from dynamic_api.core.sql import json_by_key, json_object, lines_by_key, timestamp_text

_COMPLETED: ColumnElement[str] = literal_column("'completed'")

# One row as JSON, in the shape of `rules.ProgressAnswer`. Names are literals: PostgreSQL wants types for parameters.
PROGRESS_JSON = json_object(
    literal_column("'status'"), Progress.status,
    literal_column("'playback_position_seconds'"), Progress.position_seconds,
    literal_column("'video_duration_seconds'"), Progress.duration_seconds,
    literal_column("'percent_complete'"), Progress.percent,
    literal_column("'last_viewed_at'"), timestamp_text(Progress.last_viewed_at),
    literal_column("'completed_at'"), timestamp_text(Progress.completed_at),
    literal_column("'updated_at'"), timestamp_text(Progress.updated_at),
)  # fmt: skip


def progress_in_lesson(user_id: SQLColumnExpression[int]) -> ScalarSelect[str]:
    """A learner's row of `lesson_id` as JSON; NULL where the lesson was never opened."""
    return (
        select(PROGRESS_JSON)
        .where(Progress.user_id == user_id, Progress.lesson_id == bindparam("lesson_id"))
        .scalar_subquery()
    )


def progress_in_course(user_id: SQLColumnExpression[int]) -> ScalarSelect[str]:
    """A learner's rows of a course as lines, `lesson id:row as JSON`; NULL where there are none.

    `first_lesson` and `last_lesson` are the lowest and highest id of its lessons; rows of another course's lessons
    between them are read too, and ignored.
    """
    return _in_course(user_id, lines_by_key(Progress.lesson_id, PROGRESS_JSON))


def statuses_in_course(user_id: SQLColumnExpression[int]) -> ScalarSelect[str]:
    """The status of each of them, as one JSON object by lesson id; NULL or {} where there are none."""
    return _in_course(user_id, json_by_key(Progress.lesson_id, Progress.status))


def _in_course(user_id: SQLColumnExpression[int], value: SQLColumnExpression[str]) -> ScalarSelect[str]:
    between = and_(Progress.lesson_id >= bindparam("first_lesson"), Progress.lesson_id <= bindparam("last_lesson"))
    return select(value).where(Progress.user_id == user_id, between).scalar_subquery()


def noted_again(user_id: SQLColumnExpression[int]) -> ColumnElement[bool]:
    """Whether the lesson was last viewed so long ago (before `view_due_before`) that another view should be noted."""
    return exists().where(
        Progress.user_id == user_id,
        Progress.lesson_id == bindparam("lesson_id"),
        Progress.last_viewed_at < bindparam("view_due_before", type_=UTCDateTime),
    )


# What the writer does. Parameters: learner, course, lesson, moment.
_LEARNER = bindparam("learner", type_=Integer)
_COURSE = bindparam("course", type_=Integer)
_LESSON = bindparam("lesson", type_=Integer)
_MOMENT = bindparam("moment", type_=UTCDateTime)


def is_last_viewed(
    learner: SQLColumnExpression[int], course: SQLColumnExpression[int], lesson: SQLColumnExpression[int]
) -> ColumnElement[bool]:
    """Whether a lesson is stored as the one that was viewed last in its course."""
    return exists().where(
        CourseProgress.user_id == learner, CourseProgress.course_id == course, CourseProgress.last_lesson_id == lesson
    )


def note_view() -> Update:
    """A lesson that was opened before is opened again."""
    return (
        update(Progress)
        .where(Progress.user_id == _LEARNER, Progress.lesson_id == _LESSON, Progress.last_viewed_at < _MOMENT)
        .values(last_viewed_at=_MOMENT)
    )


def point_to_lesson() -> Update:
    """Make a lesson its course's last viewed one, unless another was viewed later."""
    current = aliased(Progress)
    seen_later = exists().where(
        current.user_id == _LEARNER,
        current.lesson_id == CourseProgress.last_lesson_id,
        current.last_viewed_at > _MOMENT,
    )
    return (
        update(CourseProgress)
        .where(CourseProgress.user_id == _LEARNER, CourseProgress.course_id == _COURSE)
        .where(CourseProgress.last_lesson_id.is_distinct_from(_LESSON), ~seen_later)
        .values(last_lesson_id=_LESSON)
    )


def count_course(dialect: str) -> Insert:
    """Count a course anew after one of its lessons was opened for the first time, completed, or marked incomplete.

    Completing every open lesson completes the course permanently: lessons added later do not undo it. A lesson that
    vanished from the files without being retired still has to be completed, since it may come back.
    """
    lesson, theirs = aliased(Lesson), aliased(Progress)
    is_open = and_(lesson.course_id == Course.id, lesson.published, lesson.archived_at.is_(None))
    is_done = exists().where(theirs.user_id == _LEARNER, theirs.lesson_id == lesson.id, theirs.status == _COMPLETED)
    completed = select(func.count()).select_from(lesson).where(is_open, is_done).scalar_subquery()
    is_required = and_(lesson.course_id == Course.id, lesson.required)
    any_left = exists().where(is_required, ~is_done)
    counted = select(
        _LEARNER,
        Course.id,
        _LESSON,
        completed,
        Course.lessons_version,
        case((and_(~any_left, completed > 0), _MOMENT)),
    ).where(Course.id == _COURSE)
    names = ("user_id", "course_id", "last_lesson_id", "completed_lessons", "lessons_version", "completed_at")
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    filled = insert(CourseProgress).from_select(names, counted)
    return filled.on_conflict_do_update(
        index_elements=[CourseProgress.user_id, CourseProgress.course_id],
        set_={
            "completed_lessons": filled.excluded.completed_lessons,
            "lessons_version": filled.excluded.lessons_version,
            "completed_at": func.coalesce(CourseProgress.completed_at, filled.excluded.completed_at),
        },
    )


def note_phone() -> Update:
    """When a phone was last seen."""
    return update(AccessToken).where(AccessToken.id == bindparam("token_id")).values(last_used_at=_MOMENT)


def note_session() -> Update:
    """When a browser was last seen, and until when it stays signed in."""
    return (
        update(WebSession)
        .where(WebSession.token_hash == bindparam("session"))
        .values(last_seen_at=_MOMENT, expires_at=bindparam("until", type_=UTCDateTime))
    )
