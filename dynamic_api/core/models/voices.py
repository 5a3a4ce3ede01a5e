"""Tables of what learners say of courses, and of who wants news."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, composite, mapped_column

from dynamic_api.core.emails import Email
from dynamic_api.core.models.base import Base


class Review(Base):
    """What one learner says of one course. Without its account it has no name, and stays."""

    __tablename__ = "reviews"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(String(32), unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    stars: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("user_id", "course_id"),
        CheckConstraint("stars BETWEEN 1 AND 5", name="stars"),
    )


class NewsReader(Base):
    """An address that its owner confirmed, and wants news at. Who unsubscribes has no row any more."""

    __tablename__ = "news_readers"

    id: Mapped[int] = mapped_column(primary_key=True)
    email_spelling: Mapped[str] = mapped_column("email", String(254))
    email_key: Mapped[str] = mapped_column(String(254), unique=True)
    confirmed_at: Mapped[datetime]

    email: Mapped[Email] = composite("email_spelling", "email_key")
