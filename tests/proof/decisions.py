"""What the operator decided, by the model's own bookkeeping: what they granted, and what they took away."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from dynamic_api.catalog.courses import CatalogCourse
from dynamic_api.claims import by_operator
from dynamic_api.core.emails import Email
from dynamic_api.core.models import Entitlement, Order, User
from dynamic_api.orders.state import PAID_STATES
from tests.gates import FragileDatabase

Source = tuple[int, str, int]  # a learner, and what once granted them which course


@dataclass
class Decisions:
    """Sources that were revoked, purchases that were withdrawn before anybody claimed them, and courses granted."""

    database: FragileDatabase
    revoked: set[Source] = field(default_factory=set)
    withdrawn: set[tuple[str, int]] = field(default_factory=set)
    granted: set[tuple[int, int]] = field(default_factory=set)

    async def grant(self, email: Email, course: CatalogCourse, now: datetime) -> None:
        """Grant a course to an address."""
        user, sources, waiting = await self._held(email, course)

        def note() -> None:
            if user is None:
                self.withdrawn -= {(name, course.id) for name in waiting}
            else:
                self.revoked -= {(user, source, course.id) for source in sources}
                self.granted.add((user, course.id))

        with self.database.upon_commit(note):
            async with self.database.transaction() as db:
                await by_operator.grant(db, email, course, reason="asked for", now=now)

    async def revoke(self, email: Email, course: CatalogCourse, now: datetime) -> None:
        """Take a course away from an address."""
        user, sources, waiting = await self._held(email, course)
        if user is None and not waiting:
            return

        def note() -> None:
            self.withdrawn |= {(name, course.id) for name in waiting}
            if user is not None:
                self.revoked |= {(user, source, course.id) for source in sources}
                self.granted.discard((user, course.id))

        with self.database.upon_commit(note):
            async with self.database.transaction() as db:
                await by_operator.revoke(db, email, course, reason="asked for", now=now)

    async def move_purchases(self, source: Email, target: Email, now: datetime) -> None:
        """Move what belongs to one address to the account of another."""
        async with self.database.reading() as db:
            keys = select(User.email_key, User.id).where(User.email_key.in_([source.key, target.key]))
            users = {row.email_key: row.id for row in await db.execute(keys)}
            if target.key not in users:
                return
            theirs = (Order.owner_id == users.get(source.key, 0)) | (
                Order.owner_id.is_(None) & (Order.owner_email_key == source.key)
            )
            moving = set(await db.scalars(select(Order.id).where(theirs)))
        async with self.database.transaction() as db:
            await by_operator.move_purchases(db, source, target, now=now)
        async with self.database.reading() as db:
            owners = set(await db.scalars(select(Order.owner_id).where(Order.id.in_(moving))))
        assert owners <= {users[target.key]}, "a moved purchase belongs to the new account"

    async def _held(self, email: Email, course: CatalogCourse) -> tuple[int | None, set[str], set[str]]:
        """The account of an address, what ever granted it the course, and the purchases that wait for the address."""
        async with self.database.reading() as db:
            user = await db.scalar(select(User.id).where(User.email_key == email.key))
            held = select(Entitlement.source).where(
                Entitlement.user_id == (user or 0), Entitlement.course_id == course.id
            )
            waiting = select(Order.public_id).where(
                Order.sells(course.id),
                Order.owner_id.is_(None),
                Order.owner_email_key == email.key,
                Order.state.in_(PAID_STATES),
            )
            return user, set(await db.scalars(held)), set(await db.scalars(waiting))
