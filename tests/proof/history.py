"""One history under way: what each of its steps does."""

import asyncio
import contextlib
import random
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from dynamic_api.catalog.courses import CatalogCourse
from dynamic_api.catalog.source import CatalogSource
from dynamic_api.claims.by_operator import NoSuchGift, readdress_gift
from dynamic_api.core.emails import Email
from dynamic_api.core.models import Job, Order, User
from dynamic_api.core.states import JobState
from dynamic_api.core.tokens import PublicOrderId
from dynamic_api.gateways.payment_facts import LINE
from dynamic_api.handlers import HANDLERS
from dynamic_api.jobs.worker import run_due
from dynamic_api.orders.jobs import Sweep
from dynamic_api.orders.sweep import find_differences, schedule_sweep
from scripts.sandbox.bank import CardDeclined
from scripts.sandbox.store import Json
from scripts.sandbox.wire import StripeProblem
from tests.gates import FragileDatabase, Gate, GatedPayments, PlugPulled
from tests.proof.decisions import Decisions
from tests.proof.steps import Step
from tests.school import PASSWORD, School

COURSES = ("sourdough", "git-for-writers")


@dataclass
class History:
    """One history under way."""

    school: School
    database: FragileDatabase
    payments: GatedPayments
    decisions: Decisions
    luck: random.Random
    sessions: list[Json] = field(default_factory=list)
    claimed: set[PublicOrderId] = field(default_factory=set)
    friends: set[int] = field(default_factory=set)  # accounts that opened a gift
    crashed: bool = False

    async def run(self, steps: list[Step]) -> None:
        """Every step; a crash is survived, as a restart would."""
        for kind, which, chance in steps:
            self.luck.seed(chance)
            try:
                await self._step(kind, which, chance)
            except PlugPulled:
                self.crashed = True
        self.database.fuse = None
        await self._rest()

    async def _step(self, kind: str, which: int, chance: int) -> None:
        if kind.startswith("begin") or not self.sessions:
            return await self._begin(kind, which, chance)
        session = self.sessions[which % len(self.sessions)]
        with contextlib.suppress(CardDeclined, StripeProblem, KeyError):
            self._at_stripe(kind, session, which, chance)
        match kind:
            case "deliver" | "deliver twice":
                events, self.school.bank.emitted = self.school.bank.emitted[which:], self.school.bank.emitted[:which]
                self.luck.shuffle(events)
                await self._deliver(events * (2 if kind == "deliver twice" else 1))
            case "drop":
                self.school.bank.emitted = []
            case "work":
                await self._work(limit=1 + which)
            case "two workers":
                await asyncio.gather(self._work(limit=3), self._work(limit=3))
            case "crash":
                self.database.fuse = chance % 7
                await self._work(limit=5)
            case "sweep":
                await self._sweep()
            case "wait":
                self.school.clock.forward(hours=chance * 2)
            case "claim":
                await self._claim(session)
            case "open gift":
                await self._open_gift(f"friend{which % 2}@example.com")
            case "look":
                async with self.school.browser() as anyone:
                    await anyone.get(f"/api/orders/{session['client_reference_id']}")
            case "delete account":
                await self._delete_account(self._somebody(which, chance))
            case "overtake a job":
                await self._overtaken(self.payments.gate, self._work(limit=1), session, chance)
            case "overtake a claim":
                await self._overtaken(self.database.gate, self._claim(session), session, chance)
            case _:
                await self._decide(kind, session, which, chance)

    async def _begin(self, kind: str, which: int, chance: int) -> None:
        wishes = {}
        if kind == "begin gift":
            tomorrow = (self.school.clock() + timedelta(days=1)).date().isoformat()
            wishes = {"gift": "1", "recipient_email": f"friend{which % 2}@example.com"}
            wishes |= {"deliver_on": tomorrow} if chance > 50 else {}
        if kind == "begin with code":
            wishes = {"code": ("WELCOME20", "GIFT100", "FIRST10")[chance % 3]}
        courses = COURSES if kind == "begin together" else COURSES[which % len(COURSES) :][:1]
        async with self.school.browser() as guest:
            if kind == "begin together":
                made = await self.school.begin_together(guest, *courses)
            else:
                made = await self.school.begin(guest, *courses, **wishes)
            made["_browser"], made["_courses"] = dict(guest.cookies), courses
            self.sessions.append(made)

    def _at_stripe(self, kind: str, session: Json, which: int, chance: int) -> None:
        bank = self.school.bank
        match kind:
            case "pay" | "pay later":
                self.school.pay(session, f"learner{which % 3}@example.com", delayed=kind == "pay later")
            case "decline":
                self.school.pay(session, card="4000000000000002")
            case "arrive" | "fail" if self._intent(session).get("status") == "processing":
                bank.settle(session, succeeds=kind == "arrive")
            case "expire":
                bank.expire(session)
            case "code":
                bank.discount(session, "GIFT100")
            case "refund":
                bank.refund(session["payment_intent"], amount=None if chance > 50 else 1 + chance * 20)
            case "refund a line":
                bank.refund(session["payment_intent"], amount=self._line(session, which)["amount_total"])
            case "refund by command":
                number = which % len(self._lines(session)) + 1
                amount, metadata = self._line(session, which)["amount_total"], {LINE: str(number)}
                bank.refund(session["payment_intent"], amount=amount - chance % 2, metadata=metadata)
            case "dispute a line" if not self._of(session, "dispute"):
                bank.dispute(session["payment_intent"], amount=self._line(session, which)["amount_total"])
            case "fail refund":
                refunds = [each for each in self._of(session, "refund") if each["status"] == "succeeded"]
                bank.fail_refund(refunds[0]) if refunds else None
            case "dispute" if not self._of(session, "dispute"):
                bank.dispute(session["payment_intent"])
            case "win" | "lose":
                disputes = [each for each in self._of(session, "dispute") if each["status"] == "needs_response"]
                bank.close_dispute(disputes[0], won=kind == "win") if disputes else None

    async def _decide(self, kind: str, session: Json, which: int, chance: int) -> None:
        """What the operator does."""
        now = self.school.clock()
        match kind:
            case "grant":
                await self.decisions.grant(self._somebody(which, chance), self._course(chance), now)
            case "revoke":
                await self.decisions.revoke(self._somebody(which, chance), self._course(chance), now)
            case "move purchases":
                source, target = self._learner(which), self._learner(which + 1 + chance % 2)
                await self.decisions.move_purchases(source, target, now)
            case "readdress gift":
                friend = Email.parse(f"friend{chance % 2}@example.com")
                with contextlib.suppress(NoSuchGift):
                    async with self.database.transaction() as db:
                        await readdress_gift(db, session["client_reference_id"], friend, now=now)

    async def _overtaken(self, gate: Gate, act: Coroutine[object, object, None], session: Json, chance: int) -> None:
        """An act has asked and read; before it writes, money moves, and others act on that."""
        gate.close(only_next=True)
        slow, held = asyncio.create_task(act), asyncio.create_task(gate.reached())
        try:
            await asyncio.wait({slow, held}, return_when=asyncio.FIRST_COMPLETED)
            if not slow.done():
                with contextlib.suppress(CardDeclined, StripeProblem, KeyError):
                    self._at_stripe(("refund", "dispute", "win", "pay", "expire")[chance % 5], session, 0, 99)
                events, self.school.bank.emitted = self.school.bank.emitted, []
                await self._deliver(events)
                await self._work(limit=3)
        finally:
            held.cancel()
            gate.open()
            await slow

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

    async def _sweep(self) -> None:
        await schedule_sweep(self.school.service)
        self.school.clock.forward(hours=6)
        await self._work(limit=10)

    async def _claim(self, session: Json) -> None:
        async with self.school.browser() as guest:
            guest.cookies.update(session["_browser"])
            answer = await self.school.claim(guest, session)
            if answer.status_code == 200:
                self.claimed.add(PublicOrderId(session["client_reference_id"]))

    async def _open_gift(self, friend: str) -> None:
        with contextlib.suppress(AssertionError):  # no email yet
            body = {"token": self.school.claim_token(friend), "name": "Friend", "password": PASSWORD}
            async with self.school.browser() as reader:
                await reader.post("/api/claims", json=body)

    async def _delete_account(self, email: Email) -> None:
        async with self.school.browser() as browser:
            await browser.post("/api/session", json={"email": email.spelling, "password": PASSWORD})
            await browser.post("/api/account/deletion", json={"password": PASSWORD})

    def _learner(self, which: int) -> Email:
        return Email.parse(f"learner{which % 3}@example.com")

    def _somebody(self, which: int, chance: int) -> Email:
        return self._learner(which) if chance % 3 else Email.parse(f"friend{which % 2}@example.com")

    def _course(self, chance: int) -> CatalogCourse:
        return self.school.service.catalog.current.course(COURSES[chance % 2])

    def _intent(self, session: Json) -> Json:
        return self.school.bank.store.objects.get(session["payment_intent"] or "", {})

    def _lines(self, session: Json) -> list[Json]:
        return self.school.bank.store.line_items[session["id"]]

    def _line(self, session: Json, which: int) -> Json:
        return self._lines(session)[which % len(self._lines(session))]

    def _of(self, session: Json, kind: str) -> list[Json]:
        intent = session["payment_intent"]
        return [each for each in self.school.bank.store.all(kind) if intent and each["payment_intent"] == intent]

    async def _rest(self) -> None:
        """What is on its way arrives, and jobs run until none is left; a sweep finds what was dropped.

        Then nothing may be left for `reconcile` to find.
        """
        await self.school.deliver()
        await self._idle()
        await self._sweep()
        await self._idle()
        left = [
            each
            async for each in find_differences(self.school.service, since=datetime(2000, 1, 1, tzinfo=UTC), fix=False)
        ]
        assert not left, left
        async with self.database.reading() as db:
            friends = select(Order.owner_id).where(Order.is_gift, Order.owner_id.is_not(None))
            self.friends = set(await db.scalars(select(User.id).where(User.id.in_(friends))))

    async def _idle(self) -> None:
        """Run every job when its time comes, except the sweeps, each of which begins the next one."""
        waiting = select(func.min(Job.run_at)).where(
            Job.state.in_([JobState.WAITING, JobState.RUNNING]), Job.kind != Sweep.kind
        )
        while True:
            async with self.database.reading() as db:
                due = await db.scalar(waiting)
            if due is None:
                return
            self.school.clock.moment = max(self.school.clock.moment, due)
            await self.school.work()


async def begin_history(school: School) -> History:
    """A fresh school whose database can die and whose partners can be held."""
    settings = school.service.settings
    database, payments = FragileDatabase(settings.database_url), GatedPayments(settings)
    await school.service.database.close()
    await school.service.gateways.payments.close()
    school.use(
        database=database,
        catalog=CatalogSource(settings.manifest, database, school.clock),
        gateways=replace(school.service.gateways, payments=payments),
    )
    await school.service.catalog.refresh()
    luck = random.Random(0)  # noqa: S311 - histories must be repeatable
    return History(school, database, payments, Decisions(database), luck)
