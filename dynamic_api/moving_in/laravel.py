"""The database of the Laravel video course platform → accounts, orders, gifts, access and progress here.

It is only read. Courses are found by their slugs: import or write them first. Moments there are UTC.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any  # rows of a foreign schema have no types of ours

from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from dynamic_api.core.emails import Email, EmailInvalid
from dynamic_api.core.states import OrderState

Row = Mapping[str, Any]

_DRIVERS = {
    "mysql": "mysql+aiomysql",
    "mariadb": "mysql+aiomysql",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "pgsql": "postgresql+asyncpg",
    "sqlite": "sqlite+aiosqlite",
}
_NEEDED = {
    "users": "id, name, email, email_verified_at, password, created_at",
    "courses": "id, slug, title",
    "course_lessons": "id, course_id, slug",
    "orders": "id, public_id, user_id, email, status, order_type, total_amount, currency, stripe_receipt_url, paid_at, "
    "refunded_at, created_at",
    "order_items": "order_id, course_id, unit_amount, quantity",
    "entitlements": "user_id, course_id, order_id, status, granted_at",
    "gift_purchases": "order_id, course_id, buyer_email, recipient_email, recipient_name, gift_message, status, "
    "claimed_by_user_id",
    "lesson_progress": "user_id, lesson_id, status, playback_position_seconds, video_duration_seconds, "
    "percent_complete, last_viewed_at, completed_at, created_at, updated_at",
}  # fmt: skip
_COUNTED = ("subscriptions", "preorder_reservations", "course_certificates", "course_reviews")
_STATES = {
    "paid": OrderState.PAID,
    "refunded": OrderState.REFUNDED,
    "partially_refunded": OrderState.PARTIALLY_REFUNDED,
}


class LaravelRefused(Exception):
    """The database cannot be read, or is another program's; the message says why."""


@dataclass(frozen=True)
class OldAccount:
    """An account there. `password_hash` is bcrypt's."""

    id: int
    email: Email
    name: str
    password_hash: str | None
    verified_at: datetime | None
    created_at: datetime


@dataclass(frozen=True)
class OldProgress:
    """How far somebody is in a lesson there. `lesson` is the course's slug and the lesson's."""

    user_id: int
    lesson: tuple[str, str]
    is_completed: bool
    position: int
    duration: int | None
    percent: int
    viewed_at: datetime
    completed_at: datetime | None


@dataclass
class OldSchool:
    """Everything that was read, and what could not be used."""

    accounts: list[OldAccount] = field(default_factory=list)
    orders: list[Row] = field(default_factory=list)
    items: dict[int, list[Row]] = field(default_factory=dict)
    gifts: dict[int, Row] = field(default_factory=dict)
    entitlements: list[Row] = field(default_factory=list)
    progress: list[OldProgress] = field(default_factory=list)
    courses: dict[int, str] = field(default_factory=dict)  # their id → slug
    problems: list[str] = field(default_factory=list)
    left: dict[str, int] = field(default_factory=dict)  # tables that have no counterpart, with their rows


async def read_laravel(dsn: str) -> OldSchool:
    """Read all of it. Raises LaravelRefused."""
    try:
        url = make_url(dsn)
        driver = _DRIVERS.get(url.get_backend_name())
        if driver is None:
            raise LaravelRefused(
                "Write the database as mysql://USER:PASSWORD@HOST/NAME, postgresql://… or sqlite:///…."
            )
        engine = create_async_engine(url.set(drivername=driver))
    except (ArgumentError, NoSuchModuleError):
        raise LaravelRefused("This is no database address: mysql://USER:PASSWORD@HOST/NAME") from None
    except ModuleNotFoundError as error:
        raise LaravelRefused(f"Reading MySQL needs a package more: pip install {error.name}") from None
    try:
        async with engine.connect() as connection:
            return await _read(connection)
    except (SQLAlchemyError, OSError) as error:
        words = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise LaravelRefused(f"The database cannot be read: {words}") from None
    finally:
        await engine.dispose()


async def _read(connection: AsyncConnection) -> OldSchool:
    rows = {}
    for table, columns in _NEEDED.items():
        try:
            rows[table] = await _all(connection, f"SELECT {columns} FROM {table}")  # noqa: S608 - our own names
        except SQLAlchemyError as error:
            words = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise LaravelRefused(f"The table “{table}” is not as this platform has it: {words}") from None
    school = OldSchool(courses={row["id"]: row["slug"] for row in rows["courses"]})
    lessons = {row["id"]: (school.courses.get(row["course_id"], ""), row["slug"]) for row in rows["course_lessons"]}
    for row in rows["users"]:
        if (account := _account(row, school.problems)) is not None:
            school.accounts.append(account)
    school.orders = [row for row in rows["orders"] if row["status"] in _STATES]
    for row in rows["order_items"]:
        school.items.setdefault(row["order_id"], []).append(row)
    school.gifts = {row["order_id"]: row for row in rows["gift_purchases"]}
    school.entitlements = rows["entitlements"]
    known = {account.id for account in school.accounts}
    for row in rows["lesson_progress"]:
        if row["user_id"] in known and row["lesson_id"] in lessons:
            school.progress.append(_progress(row, lessons[row["lesson_id"]]))
    for table in _COUNTED:
        try:
            async with connection.begin_nested():
                count = (await connection.execute(text(f"SELECT count(*) FROM {table}"))).scalar_one()  # noqa: S608
        except SQLAlchemyError:
            continue
        if count:
            school.left[table] = int(count)
    return school


async def _all(connection: AsyncConnection, statement: str) -> list[Row]:
    return [dict(row) for row in (await connection.execute(text(statement))).mappings()]


def _account(row: Row, problems: list[str]) -> OldAccount | None:
    try:
        email = Email.parse(row["email"])
    except EmailInvalid:
        problems.append(f"user {row['id']}: “{row['email']}” is not an email address")
        return None
    password = str(row["password"] or "")
    return OldAccount(
        id=row["id"],
        email=email,
        name=str(row["name"] or email.spelling)[:120],
        password_hash=password if password.startswith("$2") and len(password) == 60 else None,
        verified_at=moment(row["email_verified_at"]),
        created_at=moment(row["created_at"]) or datetime.now(UTC),
    )


def _progress(row: Row, lesson: tuple[str, str]) -> OldProgress:
    viewed = moment(row["last_viewed_at"]) or moment(row["updated_at"]) or moment(row["created_at"])
    is_completed = row["status"] == "completed"
    return OldProgress(
        user_id=row["user_id"],
        lesson=lesson,
        is_completed=is_completed,
        position=max(int(row["playback_position_seconds"] or 0), 0),
        duration=int(row["video_duration_seconds"]) if row["video_duration_seconds"] else None,
        percent=100 if is_completed else min(max(int(row["percent_complete"] or 0), 0), 100),
        viewed_at=viewed or datetime.now(UTC),
        completed_at=(moment(row["completed_at"]) or viewed) if is_completed else None,
    )


def state_of(row: Row) -> OrderState:
    """An order's state."""
    return _STATES[row["status"]]


def moment(value: object) -> datetime | None:
    """A moment of that database, which has no time zones: UTC."""
    if value is None or value == "":
        return None
    found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC)
