"""The lane's statements: written with the models, compiled once to the text the driver takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ClauseElement, Dialect, Integer, Select, bindparam, exists, literal_column, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from dynamic_api.entitlements import live_sources
from dynamic_api.models import AccessToken, CourseCompletion, Lesson, Progress, User, WebSession

_DIALECTS: dict[str, Dialect] = {
    "sqlite": sqlite.dialect(paramstyle="qmark"),
    "postgresql": postgresql.asyncpg.dialect(),  # type: ignore[no-untyped-call]
}

PROGRESS_COLUMNS = (
    Progress.status,
    Progress.position_seconds,
    Progress.duration_seconds,
    Progress.percent,
    Progress.auto_complete,
    Progress.opened_at,
    Progress.beaten_at,
    Progress.last_viewed_at,
    Progress.completed_at,
    Progress.updated_at,
)


OPENED = ("opened_at", "last_viewed_at")  # what opening a lesson changes


@dataclass(frozen=True)
class Statement:
    """A text, and the names of its parameters in the order the driver wants their values."""

    text: str
    names: tuple[str, ...]

    def values(self, **given: Any) -> list[Any]:
        """The given values in that order."""
        return [given[name] for name in self.names]


def compiled(statement: ClauseElement, dialect: str) -> Statement:
    """A statement as text for the driver of `sqlite` or `postgresql`."""
    result = statement.compile(dialect=_DIALECTS[dialect])
    return Statement(result.string, tuple(getattr(result, "positiontup", ())))


def _entitled() -> Any:
    return live_sources(User.id, bindparam("course_id")).correlate(User).exists()


def by_session() -> Select[Any]:
    """A browser's session → its learner, and whether they may watch the course."""
    statement: Any = select(User.id, WebSession.last_seen_at, _entitled())
    found: Select[Any] = statement.join_from(WebSession, User, User.id == WebSession.user_id).where(
        WebSession.token_hash == bindparam("token_hash"), WebSession.expires_at > bindparam("now")
    )
    return found


def by_session_with_position() -> Select[Any]:
    """The same, and where they are in the lesson."""
    in_lesson = (Progress.user_id == User.id) & (Progress.lesson_id == bindparam("lesson_id"))
    return by_session().add_columns(Progress.position_seconds).outerjoin(Progress, in_lesson)


def by_token_with_progress() -> Select[Any]:
    """The next one, and how far they are in the lesson: all columns of `progress_between`."""
    in_lesson = (Progress.user_id == User.id) & (Progress.lesson_id == bindparam("lesson_id"))
    return by_token().add_columns(Progress.lesson_id, *_SHOWN).outerjoin(Progress, in_lesson)


def by_token() -> Select[Any]:
    """A phone's token → its learner, what it may do, when it was last used, and whether they may watch the course."""
    statement: Any = select(User.id, AccessToken.id, AccessToken.abilities, AccessToken.last_used_at, _entitled())
    found: Select[Any] = statement.join_from(AccessToken, User, User.id == AccessToken.user_id).where(
        AccessToken.token_hash == bindparam("token_hash"), AccessToken.expires_at > bindparam("now")
    )
    return found


def completion(dialect: str) -> Any:
    """With the last of its lessons a course is completed, for good; asked of every lesson that was just completed."""
    this = aliased(Lesson)
    learner = bindparam("learner", type_=Integer)
    return _complete(dialect, this, learner, select_from=select(learner), where=this.id == bindparam("lesson"))


def completions_without_the_archived(dialect: str) -> Any:
    """Whoever has completed all that is left of a course, since the rest was archived, has completed the course."""
    this = aliased(Lesson)
    where = (
        (Progress.lesson_id == this.id)
        & (Progress.status == literal_column("'completed'"))
        & this.published
        & this.archived_at.is_(None)
    )
    return _complete(dialect, this, Progress.user_id, select_from=select(Progress.user_id), where=where)


def _complete(dialect: str, this: Any, learner: Any, *, select_from: Any, where: Any) -> Any:
    insert: Any = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[dialect]
    other, theirs = aliased(Lesson), aliased(Progress)
    done = exists().where(
        theirs.user_id == learner, theirs.lesson_id == other.id, theirs.status == literal_column("'completed'")
    )
    missing = exists().where(other.course_id == this.course_id, other.published, other.archived_at.is_(None), ~done)
    moment = bindparam("moment", type_=CourseCompletion.completed_at.type)
    completed = select_from.add_columns(this.course_id, moment).where(where, ~missing)
    columns = ("user_id", "course_id", "completed_at")
    return insert(CourseCompletion.__table__).from_select(columns, completed).on_conflict_do_nothing()


def opening() -> Any:
    """A lesson that was opened before is opened again."""
    return (
        update(Progress.__table__)  # type: ignore[arg-type]
        .where(Progress.user_id == bindparam("its_user"), Progress.lesson_id == bindparam("its_lesson"))
        .values({name: bindparam("moment", type_=Progress.opened_at.type) for name in OPENED})
    )


_SHOWN = (
    Progress.status,
    Progress.position_seconds,
    Progress.duration_seconds,
    Progress.percent,
    Progress.last_viewed_at,
    Progress.completed_at,
    Progress.updated_at,
)


def progress_between() -> Select[Any]:
    """A learner's rows from one lesson's id to another's: a course's, in one stretch of the index, and perhaps some
    of another course's, which nobody will ask for.
    """
    statement: Any = select(Progress.lesson_id, *_SHOWN)
    found: Select[Any] = statement.where(
        Progress.user_id == bindparam("user_id"),
        Progress.lesson_id >= bindparam("first"),
        Progress.lesson_id <= bindparam("last"),
    )
    return found


def progress_json(row: Sequence[Any], *, viewed: str | None = None) -> bytes:
    """A row of `progress_between` as `learning.progress.describe` says it, as JSON; fifty times for one answer.

    `viewed` where it was viewed just now.
    """
    _, status, position, duration, percent, last_viewed, completed, updated = row
    ended = f'"{as_timestamp(completed)}"' if completed else "null"
    seen = viewed or as_timestamp(last_viewed)
    return (
        f'{{"status":"{status}","playback_position_seconds":{position},'
        f'"video_duration_seconds":{"null" if duration is None else duration},"percent_complete":{percent},'
        f'"last_viewed_at":"{seen}","completed_at":{ended},"updated_at":"{as_timestamp(updated)}"}}'
    ).encode()


def as_stored(moment: datetime, dialect: str) -> Any:
    """A moment as the driver takes it: SQLite has text."""
    return as_text(moment) if dialect == "sqlite" else moment


@lru_cache(maxsize=1024)  # a row that is written says the same moment three times
def as_text(moment: datetime) -> str:
    """A moment as SQLAlchemy stores it in SQLite."""
    return moment.astimezone(UTC).isoformat(" ", "microseconds")[:26]


@lru_cache(maxsize=1024)
def as_moment(value: Any) -> datetime | None:
    """A moment as the driver gave it."""
    if value is None or isinstance(value, datetime):
        return value
    return datetime.fromisoformat(value).replace(tzinfo=UTC)


def as_timestamp(value: Any) -> str:
    """The same as the API writes it; `clock.timestamp` without the detour over a datetime."""
    if type(value) is str:
        return value[:10] + "T" + value[11:19] + "+00:00"
    return str(value.astimezone(UTC).isoformat(timespec="seconds"))
