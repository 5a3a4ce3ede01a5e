"""Histories of money, and a model that says who may watch at their end.

A history is a list of steps. Each runs against the real service and the sandbox: purchases, delays, refunds in parts,
disputes, deliveries doubled, dropped and re-ordered, two workers at once, crashes at any commit. At the end everything
comes to rest, and access must be exactly what the money says.
"""

import asyncio
import contextlib
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.core.database import Database
from dynamic_api.core.models import Entitlement, Gift, Order, User
from dynamic_api.handlers import HANDLERS
from dynamic_api.jobs.worker import run_due
from dynamic_api.orders.sweep import find_differences
from scripts.sandbox.bank import CardDeclined
from scripts.sandbox.store import Json
from scripts.sandbox.wire import StripeProblem
from tests.school import PASSWORD, School

Step = tuple[str, int, int]
KINDS = (
    "begin", "pay", "pay", "pay later", "decline", "arrive", "fail", "expire", "refund", "refund", "fail refund",
    "dispute", "win", "lose", "deliver", "deliver", "deliver twice", "drop", "work", "work", "two workers", "crash",
    "claim", "claim", "look", "begin gift", "open gift", "code",
)  # fmt: skip
_STEP = st.tuples(st.sampled_from(KINDS), st.integers(0, 5), st.integers(0, 99))
_SALE: list[Step] = [("begin", 0, 0), ("pay", 0, 0), ("deliver", 0, 0), ("work", 5, 0), ("claim", 0, 0)]
# Half of the histories begin with a course that was sold and claimed: most of what goes wrong, goes wrong afterwards.
HISTORIES = st.builds(
    lambda sold, steps: (_SALE if sold else []) + steps, st.booleans(), st.lists(_STEP, min_size=8, max_size=40)
)
COURSES = ("sourdough", "git-for-writers")


class PlugPulled(BaseException):
    """The process died here."""


class FragileDatabase(Database):
    """Dies right before or right after a commit, when told so."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.fuse: int | None = None

    def _burn(self) -> None:
        if self.fuse is not None:
            self.fuse -= 1
            if self.fuse < 0:
                self.fuse = None
                raise PlugPulled

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Two places to die: before the commit, which loses it, and after, which keeps it."""
        async with super().transaction() as db:
            yield db
            self._burn()
        self._burn()


@dataclass
class History:
    """One history under way."""

    school: School
    database: FragileDatabase
    luck: random.Random
    sessions: list[Json] = field(default_factory=list)
    claimed: set[str] = field(default_factory=set)
    crashed: bool = False
    dropped: bool = False
    seen: set[str] = field(default_factory=set)

    async def run(self, steps: list[Step]) -> None:
        """Every step; a crash is survived, as a restart would."""
        async with self.school.browser() as browser:
            for kind, which, chance in steps:
                self.luck.seed(chance)
                try:
                    await self._step(browser, kind, which, chance)
                except PlugPulled:
                    self.crashed = True
            self.database.fuse = None
            await self._rest()

    async def _step(self, browser: object, kind: str, which: int, chance: int) -> None:
        school, bank = self.school, self.school.bank
        session = self.sessions[which % len(self.sessions)] if self.sessions else None
        if kind in ("begin", "begin gift") or session is None:
            async with school.browser() as guest:
                wishes = self._wishes(which, chance) if kind == "begin gift" else {}
                made = await school.begin(guest, COURSES[which % len(COURSES)], **wishes)
                made["_browser"], made["_course"] = dict(guest.cookies), COURSES[which % len(COURSES)]
                self.sessions.append(made)
            return
        with contextlib.suppress(CardDeclined, StripeProblem, KeyError):
            match kind:
                case "pay":
                    school.pay(session, f"learner{which % 3}@example.com")
                case "pay later":
                    school.pay(session, f"learner{which % 3}@example.com", delayed=True)
                case "decline":
                    school.pay(session, card="4000000000000002")
                case "arrive" | "fail" if self._intent(session).get("status") == "processing":
                    bank.settle(session, succeeds=kind == "arrive")
                case "expire":
                    bank.expire(session)
                case "code":
                    bank.discount(session, "GIFT100")
                case "refund":
                    bank.refund(session["payment_intent"], amount=None if chance > 50 else 1 + chance * 20)
                case "fail refund":
                    refunds = [r for r in self._of(session, "refund") if r["status"] == "succeeded"]
                    bank.fail_refund(refunds[0]) if refunds else None
                case "dispute" if not self._of(session, "dispute"):
                    bank.dispute(session["payment_intent"])
                case "win" | "lose":
                    disputes = [d for d in self._of(session, "dispute") if d["status"] == "needs_response"]
                    bank.close_dispute(disputes[0], won=kind == "win") if disputes else None
        match kind:
            case "deliver" | "deliver twice":
                events, bank.emitted = bank.emitted[which:], bank.emitted[:which]
                self.luck.shuffle(events)
                await self._deliver(events * (2 if kind == "deliver twice" else 1))
            case "drop":
                self.dropped = self.dropped or bool(bank.emitted)
                bank.emitted = []
            case "work":
                await self._work(limit=1 + which)
            case "two workers":
                await asyncio.gather(self._work(limit=3), self._work(limit=3), return_exceptions=False)
            case "crash":
                self.database.fuse = chance % 7
                await self._work(limit=5)
            case "claim":
                await self._claim(session, which)
            case "open gift":
                await self._open_gift(f"friend{which % 2}@example.com")
            case "look":
                async with school.browser() as anyone:
                    await anyone.get(f"/api/orders/{session['client_reference_id']}")

    async def _deliver(self, events: list[Json]) -> None:
        """Stripe tries again what nobody has answered with 200."""
        for number, event in enumerate(events):
            try:
                [answer] = await self.school.deliver([event])
            except PlugPulled:
                self.school.bank.emitted = events[number:] + self.school.bank.emitted
                raise
            assert answer.status_code == 200

    async def _work(self, limit: int) -> None:
        self.school.clock.forward(seconds=40)
        await run_due(self.school.service, HANDLERS, limit=limit)

    async def _claim(self, session: Json, which: int) -> None:
        async with self.school.browser() as guest:
            guest.cookies.update(session["_browser"])
            answer = await self.school.claim(guest, session)
            if answer.status_code == 200:
                self.claimed.add(session["client_reference_id"])

    def _wishes(self, which: int, chance: int) -> dict[str, str]:
        tomorrow = (self.school.clock() + timedelta(days=1)).date().isoformat()
        day = {"deliver_on": tomorrow} if chance > 50 else {}
        return {"gift": "1", "recipient_email": f"friend{which % 2}@example.com", **day}

    async def _open_gift(self, friend: str) -> None:
        with contextlib.suppress(AssertionError):  # nothing was mailed yet
            body = {"token": self.school.claim_token(friend), "name": "Friend", "password": PASSWORD}
            async with self.school.browser() as reader:
                await reader.post("/api/claims", json=body)

    def _intent(self, session: Json) -> Json:
        return self.school.bank.store.objects.get(session["payment_intent"] or "", {})

    def _of(self, session: Json, kind: str) -> list[Json]:
        intent = session["payment_intent"]
        return [each for each in self.school.bank.store.all(kind) if intent and each["payment_intent"] == intent]

    async def _rest(self) -> None:
        """What is on its way arrives, and jobs run until none is left. Then webhooks alone must have brought
        everything in step; only what was dropped is for `reconcile` to find.
        """
        await self.school.deliver()
        await self._idle()
        if not self.dropped:
            left = [each async for each in find_differences(self.school.service, since=None, fix=False)]
            # Who dies between Stripe's answer and the second write does not know a page that nobody has paid on yet.
            assert all(self.crashed and each.stripe.startswith("pending") for each in left), left
        async for _ in find_differences(self.school.service, since=None, fix=True):
            pass
        await self._idle()

    async def _idle(self) -> None:
        for _ in range(30):
            self.school.clock.forward(minutes=70)
            await self.school.work()


STRICT = "git-for-writers"  # a course that ends with a partial refund


def gives_access(school: School, session: Json) -> bool:
    """The model: whether this payment, as Stripe has it, pays for a course now."""
    store = school.bank.store
    if session["payment_status"] == "no_payment_required":
        return True
    if session["payment_status"] != "paid":
        return False
    intent = store.objects[session["payment_intent"]]
    disputes = [each["status"] for each in store.all("dispute") if each["payment_intent"] == intent["id"]]
    refunded = sum(
        each["amount"]
        for each in store.all("refund")
        if each["payment_intent"] == intent["id"] and each["status"] == "succeeded"
    )
    kept = refunded == 0 or (refunded < intent["amount"] and session["_course"] != STRICT)
    return kept and all(status == "won" for status in disputes)


async def verify(history: History) -> None:
    """Compare the database with the model. Raises AssertionError."""
    school = history.school
    expected: dict[int, set[int]] = defaultdict(set)
    async with school.service.database.reading() as db:
        orders = {order.public_id: order for order in await db.scalars(select(Order))}
        rows = list(await db.scalars(select(Entitlement)))
        gifts = {gift.order_id: gift for gift in await db.scalars(select(Gift))}
        friends = set(await db.scalars(select(User.id).where(User.email_key.startswith("friend"))))
    for session in history.sessions:
        order = orders[session["client_reference_id"]]
        pays = gives_access(school, session)
        kept = ("paid",) if session["_course"] == STRICT else ("paid", "partially_refunded")
        assert (order.state in kept) == pays, (order.state, session["payment_status"])
        assert history.claimed <= {each.public_id for each in orders.values() if each.owner_id is not None}
        if order.is_gift:
            assert order.owner_id is None or order.owner_id in friends, "a gift is never its buyer's"
            assert gifts[order.id].delivered_at is not None or not pays, "whatever is paid for arrives"
        if pays and order.owner_id is not None:
            expected[order.owner_id].add(order.course_id)
    history.seen = {"live" if row.revoked_at is None else "ended" for row in rows}
    live: dict[int, set[int]] = defaultdict(set)
    for row in rows:
        if row.revoked_at is None:
            live[row.user_id].add(row.course_id)
    assert live == expected
    subjects = [(mail["to"], mail["message_id"]) for mail in school.mails()]
    doubled = {each for each in subjects if subjects.count(each) > 1}
    # Who dies between handing a mail over and noting it down sends it again, under the same Message-ID.
    assert history.crashed or not doubled, doubled


async def prove(school: School, steps: list[Step]) -> set[str]:
    """Run one history and verify it; which kinds of access there were at its end. The school must be fresh."""
    database = FragileDatabase(school.service.settings.database_url)
    await school.service.database.close()
    fragile = replace(school.service, database=database)
    object.__setattr__(fragile.catalog, "_database", database)
    school.app.service = fragile
    school.service = fragile
    history = History(school, database, random.Random(0))  # noqa: S311 - histories must be repeatable
    await history.run(steps)
    await verify(history)
    return history.seen
