"""Tables of how far learners are."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from dynamic_api.core.columns import enum_text, one_of
from dynamic_api.core.models.base import Base
from dynamic_api.core.states import ProgressStatus


class Progress(Base):
    """How far a learner is in a lesson. `percent` falls only when the learner marks the lesson as not complete."""

    __tablename__ = "progress"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    lesson_id: Mapped[int] = mapped_column(ForeignKey("lessons.id"), primary_key=True)
    status: Mapped[ProgressStatus] = mapped_column(enum_text(ProgressStatus, 20))
    position_seconds: Mapped[int] = mapped_column(default=0)
    duration_seconds: Mapped[int | None]
    percent: Mapped[int] = mapped_column(default=0)
    # False after "not complete", until the learner has been before the completion threshold again.
    auto_complete: Mapped[bool] = mapped_column(default=True)
    # When the newest heartbeat that moved the position was sent.
    positioned_at: Mapped[datetime | None]
    last_viewed_at: Mapped[datetime]
    completed_at: Mapped[datetime | None]
    updated_at: Mapped[datetime]

    __table_args__ = (
        one_of("status", ProgressStatus),
        CheckConstraint("percent BETWEEN 0 AND 100", name="percent"),
        CheckConstraint("position_seconds >= 0", name="position"),
        # A learner's rows lie beside each other on disk: the library and every course read them in one stretch.
        {"sqlite_with_rowid": False},
    )


class CourseProgress(Base):
    """What a library shows of a course, kept by the progress writer so that it costs one row to read.

    `completed_lessons` is right while `lessons_version` is the course's; after the course changed, it is counted anew.
    """

    __tablename__ = "course_progress"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"), primary_key=True)
    last_lesson_id: Mapped[int | None] = mapped_column(ForeignKey("lessons.id"))  # the lesson that was viewed last
    completed_lessons: Mapped[int]
    lessons_version: Mapped[int]
    completed_at: Mapped[datetime | None]  # every lesson was complete once; never taken back

    __table_args__ = ({"sqlite_with_rowid": False},)
