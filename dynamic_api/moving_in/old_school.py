"""What was read of another platform's database, written into ours; again and again without doubling."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.accounts.users import find_user
from dynamic_api.catalog.courses import CatalogCourse, CourseCatalog
from dynamic_api.core.audit import OPERATOR, Action, record
from dynamic_api.core.emails import Email, EmailInvalid
from dynamic_api.core.models import CourseProgress, Entitlement, Progress, User
from dynamic_api.core.states import ProgressStatus
from dynamic_api.moving_in.laravel import OldAccount, OldProgress, OldSchool, Row, moment, state_of
from dynamic_api.moving_in.purchases import ImportedGift, Purchase, import_purchase
from dynamic_api.orders import entitlements
from dynamic_api.service import Service

SOURCE = "laravel"
_BATCH = 100  # rows of one transaction: learners who watch meanwhile are not kept waiting


@dataclass
class MoveReport:
    """How many of each are new here, and what could not be carried."""

    accounts: int = 0
    orders: int = 0
    entitlements: int = 0
    lessons: int = 0
    problems: list[str] = field(default_factory=list)


class _DryRun(Exception):
    """Ends a transaction whose changes nobody wants."""


async def move_in(service: Service, old: OldSchool, names: Mapping[str, str], *, dry_run: bool) -> MoveReport:
    """Write everything. `names` are their slugs → ours, where they differ. A dry run writes nothing, and reports."""
    mover = _Mover(service, old, names, MoveReport(problems=list(old.problems)))
    await mover.find_people()
    rows: list[OldAccount | OldProgress | Row] = [*old.accounts, *old.orders, *old.entitlements, *old.progress]
    size = max(len(rows), 1) if dry_run else _BATCH  # what is taken back must be one transaction
    for start in range(0, len(rows), size):
        with contextlib.suppress(_DryRun):
            async with service.database.transaction() as db:
                for row in rows[start : start + size]:
                    await mover.move(db, row)
                if dry_run:
                    raise _DryRun
    for table, count in old.left.items():
        mover.report.problems.append(f"{table}: {count} rows have no counterpart here")
    missing = sorted(mover.unknown)
    mover.report.problems += [
        f"there is no course “{slug}”: write it first, or name ours with --course-name {slug}=SLUG" for slug in missing
    ]
    return mover.report


class _Mover:
    def __init__(self, service: Service, old: OldSchool, names: Mapping[str, str], report: MoveReport) -> None:
        self._service = service
        self._old = old
        self._names = names
        self._now = service.clock()
        self._accounts = {account.id: account for account in old.accounts}
        self._users: dict[int, int] = {}  # their id → ours
        self._owners: dict[tuple[int, int], int] = {}  # their order and course → the account that has it
        self.report = report
        self.unknown: set[str] = set()
        for row in old.entitlements:
            if row["order_id"] is not None and row["status"] == "active":
                self._owners[row["order_id"], row["course_id"]] = row["user_id"]

    async def find_people(self) -> None:
        """Accounts that are here already, by their addresses."""
        async with self._service.database.reading() as db:
            for account in self._old.accounts:
                if (user := await find_user(db, account.email)) is not None:
                    self._users[account.id] = user.id

    async def move(self, db: AsyncSession, row: OldAccount | OldProgress | Row) -> None:
        """One row of any kind."""
        if isinstance(row, OldAccount):
            await self._account(db, row)
        elif isinstance(row, OldProgress):
            await self._progress(db, row)
        elif "public_id" in row:
            await self._order(db, row)
        else:
            await self._entitlement(db, row)

    async def _account(self, db: AsyncSession, account: OldAccount) -> None:
        if account.id in self._users:
            return
        user = User(
            email=account.email,
            name=account.name,
            password_hash=account.password_hash,
            password_set_at=account.created_at if account.password_hash else None,
            email_verified_at=account.verified_at,
            created_at=account.created_at,
            updated_at=self._now,
        )
        db.add(user)
        await db.flush()
        self._users[account.id] = user.id
        self.report.accounts += 1
        record(db, Action.ACCOUNT_CREATED, at=self._now, actor=OPERATOR, user_id=user.id,
               verified=account.verified_at is not None, reason=f"import {SOURCE}")  # fmt: skip

    async def _order(self, db: AsyncSession, row: Row) -> None:
        if row["order_type"] not in (None, "one_time"):
            self.report.problems.append(f"order {row['public_id']}: “{row['order_type']}” has no counterpart here")
            return
        items = [(self._course(item["course_id"]), item) for item in self._old.items.get(row["id"], [])]
        sold = [(course, item) for course, item in items if course is not None]
        if not sold:
            return
        try:
            buyer = Email.parse(row["email"])
            gift = self._gift(row)
        except EmailInvalid:
            self.report.problems.append(f"order {row['public_id']}: “{row['email']}” is not an email address")
            return
        owner = await self._owner(db, row)
        purchase = Purchase(
            key=row["public_id"],
            buyer=buyer,
            course_ids=tuple(course.id for course, _ in sold),
            amounts=_shares(int(row["total_amount"] or 0), [int(item["unit_amount"] or 0) for _, item in sold]),
            currency=str(row["currency"] or "usd").upper(),
            bought_at=moment(row["paid_at"]) or moment(row["created_at"]) or self._now,
            state=state_of(row),
            owner_id=owner,
            gift=gift,
            receipt_url=row["stripe_receipt_url"],
        )
        self.report.orders += await import_purchase(db, purchase, SOURCE, now=self._now, invite=False)

    async def _owner(self, db: AsyncSession, row: Row) -> int | None:
        """The account that has what an order sold: by its access there, or by whom it was claimed."""
        holders = {user for (order, _), user in self._owners.items() if order == row["id"]}
        holder = next(iter(holders), None)
        gift = self._old.gifts.get(row["id"])
        if holder is None and gift is not None:
            holder = gift["claimed_by_user_id"]
        elif holder is None:
            account = self._accounts.get(row["user_id"]) if row["user_id"] is not None else None
            holder = account.id if account is not None and account.verified_at is not None else None
        return self._users.get(holder) if holder is not None else None

    def _gift(self, row: Row) -> ImportedGift | None:
        gift = self._old.gifts.get(row["id"])
        if gift is None:
            return None
        return ImportedGift(
            recipient=Email.parse(gift["recipient_email"]),
            recipient_name=str(gift["recipient_name"] or ""),
            sender_name=str(gift["buyer_email"] or row["email"]),
            message=str(gift["gift_message"] or ""),
        )

    async def _entitlement(self, db: AsyncSession, row: Row) -> None:
        """Access that no order explains is the operator's; access that was taken away stays so."""
        user_id, course = self._users.get(row["user_id"]), self._course(row["course_id"])
        if user_id is None or course is None:
            return
        held = list(
            await db.scalars(
                select(Entitlement).where(Entitlement.user_id == user_id, Entitlement.course_id == course.id)
            )
        )
        if row["status"] == "active" and not held:
            reason = f"import {SOURCE}"
            self.report.entitlements += await entitlements.grant_by_operator(
                db, user_id, course.id, at=moment(row["granted_at"]) or self._now, reason=reason
            )
        elif row["status"] != "active" and any(each.revoked_at is None for each in held) and self._is_new(row):
            reason = f"revoked before the import {SOURCE}"
            await entitlements.revoke_by_operator(db, user_id, course.id, at=self._now, reason=reason)

    def _is_new(self, row: Row) -> bool:
        """Whether no other row there still gives this access."""
        same = (
            each for each in self._old.entitlements
            if (each["user_id"], each["course_id"]) == (row["user_id"], row["course_id"])
        )  # fmt: skip
        return all(each["status"] != "active" for each in same)

    async def _progress(self, db: AsyncSession, row: OldProgress) -> None:
        user_id = self._users.get(row.user_id)
        course = self._by_slug(row.lesson[0])
        lesson = course.find_lesson(row.lesson[1]) if course is not None else None
        if user_id is None or course is None or lesson is None:
            return
        if await db.get(Progress, (user_id, lesson.id)) is not None:
            return  # what they did here since is newer
        status = ProgressStatus.COMPLETED if row.is_completed else ProgressStatus.IN_PROGRESS
        db.add(
            Progress(
                user_id=user_id,
                lesson_id=lesson.id,
                status=status,
                position_seconds=row.position,
                duration_seconds=row.duration,
                percent=row.percent,
                last_viewed_at=row.viewed_at,
                completed_at=row.completed_at,
                updated_at=row.viewed_at,
            )
        )
        if await db.get(CourseProgress, (user_id, course.id)) is None:
            # A version that no course has: what is complete is counted when somebody looks.
            db.add(CourseProgress(user_id=user_id, course_id=course.id, last_lesson_id=lesson.id, completed_lessons=0,
                                  lessons_version=0))  # fmt: skip
        await db.flush()
        self.report.lessons += 1

    def _course(self, old_id: int) -> CatalogCourse | None:
        return self._by_slug(self._old.courses.get(old_id, ""))

    def _by_slug(self, slug: str) -> CatalogCourse | None:
        catalog: CourseCatalog = self._service.catalog.current
        course = catalog.find_course(self._names.get(slug, slug))
        if course is None and slug:
            self.unknown.add(slug)
        return course


def _shares(total: int, prices: Sequence[int]) -> tuple[int, ...]:
    """What was paid for each line, so that all are what was paid: by their prices, the rest on the first."""
    whole = sum(prices)
    shares = [total * price // whole if whole else 0 for price in prices]
    shares[0] += total - sum(shares)
    return tuple(shares)
