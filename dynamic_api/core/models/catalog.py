"""Tables of the catalogue: ids that outlive renames, and each course as its owners could watch it last."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, String, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from dynamic_api.core.models.base import Base


class CatalogState(Base):
    """The manifest that the catalogue's tables were last brought in line with; one row.

    `site` and `redirects` are its parts that belong to no course, as JSON.
    """

    __tablename__ = "catalog_state"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(String(64))
    synced_at: Mapped[datetime]
    built_at: Mapped[datetime | None]
    committed_at: Mapped[datetime | None]
    commit: Mapped[str | None] = mapped_column(String(64))
    site: Mapped[str | None] = mapped_column(Text)
    redirects: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (CheckConstraint("id = 1", name="single"),)


class CatalogRow(Base):
    """Something the course files name: an integer id that outlives renames, and whether the files still name it."""

    __abstract__ = True

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    digest: Mapped[str] = mapped_column(String(64))
    updated_at: Mapped[datetime]
    archived_at: Mapped[datetime | None]


class Course(CatalogRow):
    """A course. `lessons_version` counts the changes of its set of open lessons.

    `definition` is its newest compiled form that owners could watch, as JSON. A course that the files no longer
    have, or hide, is served to its owners from it.
    """

    __tablename__ = "courses"

    slug: Mapped[str] = mapped_column(String(64), index=True)
    title: Mapped[str] = mapped_column(String(300))
    published: Mapped[bool]
    partial_refund_keeps_access: Mapped[bool]
    lessons_version: Mapped[int] = mapped_column(default=1, server_default="1")
    definition: Mapped[str | None] = mapped_column(Text)


class Module(CatalogRow):
    """A module."""

    __tablename__ = "modules"

    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"), index=True)


class Lesson(CatalogRow):
    """A lesson. `required`: it was published, and the files do not say that it is retired; it counts for completion."""

    __tablename__ = "lessons"

    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"), index=True)
    slug: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(300))
    published: Mapped[bool]
    required: Mapped[bool] = mapped_column(server_default=false())
    added_at: Mapped[datetime]


class Resource(CatalogRow):
    """A file."""

    __tablename__ = "resources"

    course_id: Mapped[int] = mapped_column(ForeignKey("courses.id"), index=True)
