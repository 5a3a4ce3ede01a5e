"""A whole school in one process: the real app on a migrated database, against sandbox partners over HTTP.

`School` says what tests do in the words of the story: buy, pay, deliver, work, claim.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from argon2 import PasswordHasher
from sqlalchemy import select
from starlette.types import Message

from dynamic_api.accounts.users import create_user
from dynamic_api.app import create_app
from dynamic_api.checkout.buyer import Buyer
from dynamic_api.checkout.offer import Offer, OfferedCourse
from dynamic_api.checkout.start import Options, start_checkout
from dynamic_api.core.emails import Email
from dynamic_api.core.models import Order, User
from dynamic_api.core.passwords import Passwords
from dynamic_api.core.settings import Settings
from dynamic_api.core.tokens import make_token
from dynamic_api.gateways import open_gateways
from dynamic_api.gateways.mailer import Mailer
from dynamic_api.handlers import HANDLERS
from dynamic_api.jobs.worker import run_due
from dynamic_api.orders.gifts import GiftDetails
from dynamic_api.service import Service
from dynamic_api.web.application import Application
from dynamic_api.web.cookies import cookies_of
from scripts.sandbox.bank import Bank
from scripts.sandbox.deliveries import signed
from scripts.sandbox.store import Json
from sitegen.catalog.manifest import compile_manifest, write_manifest
from sitegen.catalog.model import Catalog

SITE = "https://school.test"
WEBHOOK_SECRET = "whsec_tests"
PASSWORD = "a loaf on every table"
SOURDOUGH, GIT, KNOTS = "sourdough", "git-for-writers", "seven-useful-knots"
LESSON, LATER_LESSON = "what-lives-in-the-jar", "a-starter-from-nothing"


@dataclass
class TestClock:
    """A clock tests can move."""

    __test__ = False

    moment: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))

    def __call__(self) -> datetime:
        """Now."""
        return self.moment

    def forward(self, **how: float) -> None:
        """Later."""
        self.moment += timedelta(**how)


@dataclass
class School:
    """One installation and its partners."""

    app: Application
    service: Service
    bank: Bank
    clock: TestClock

    def use(self, **parts: object) -> None:
        """Exchange parts of the running service: a partner behind a gate, a database that fails."""
        self.service = self.app.service = replace(self.service, **parts)  # type: ignore[arg-type]

    @contextmanager
    def without_mail_server(self) -> Iterator[None]:
        """In this block, nobody listens where messages are handed over."""
        gateways = self.service.gateways
        self.use(gateways=replace(gateways, mailer=Mailer(self.service.settings.model_copy(update={"smtp_port": 1}))))
        yield
        self.use(gateways=gateways)

    @asynccontextmanager
    async def browser(self, client_ip: str = "127.0.0.1") -> AsyncIterator[httpx.AsyncClient]:
        """A browser nobody has used yet, on the site's own pages."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False, client=(client_ip, 123))
        headers = {"Sec-Fetch-Site": "same-origin"}
        async with httpx.AsyncClient(transport=transport, base_url=SITE, headers=headers) as client:
            yield client

    @asynccontextmanager
    async def phone(self) -> AsyncIterator[httpx.AsyncClient]:
        """The app, not yet signed in."""
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=f"{SITE}/api/v1/mobile") as client:
            yield client

    async def begin(self, browser: httpx.AsyncClient, course: str = SOURDOUGH, **fields: str) -> Json:
        """Press Buy; the sandbox's Checkout Session. `fields` are the form's others: a gift, a code."""
        answer = await browser.post("/api/checkout", data={"course": course, **fields})
        assert answer.status_code == 303, answer.text
        location = answer.headers["location"]
        assert "/c/pay/" in location, location
        return self.bank.store.objects[location.rpartition("/")[2]]

    async def begin_together(self, browser: httpx.AsyncClient, *courses: str, gift: GiftDetails | None = None) -> Json:
        """Go to one payment page for several courses. No page of the site sells them so yet."""
        catalog, cookie = self.service.catalog.current, cookies_of(self.service.settings).checkout
        mark = browser.cookies.get(cookie) or make_token()
        browser.cookies.set(cookie, mark, domain=urlsplit(SITE).hostname or "", path="/")
        found = [catalog.course(slug) for slug in courses]
        offer = Offer(tuple(OfferedCourse(each, each.definition.price) for each in found if each.definition.price))
        address = await start_checkout(self.service, offer, Buyer(None, mark), Options(gift))
        return self.bank.store.objects[address.rpartition("/")[2]]

    def pay(self, session: Json, email: str = "ann@example.com", **how: Any) -> None:
        """Pay on the sandbox's page."""
        address = self.bank.address_of(session) or email
        self.bank.pay(session, card=how.pop("card", "4242424242424242"), email=address, name="Ann", **how)

    async def deliver(self, events: Sequence[Json] | None = None) -> list[httpx.Response]:
        """Deliver events as Stripe would: signed, to the webhook. All that gathered, unless told which."""
        if events is None:
            events, self.bank.emitted = self.bank.emitted, []
        answers = []
        async with self.browser() as stripe:
            del stripe.headers["sec-fetch-site"]
            for event in events:
                body, signature = signed(event, WEBHOOK_SECRET)
                answers.append(
                    await stripe.post("/webhooks/stripe", content=body, headers={"Stripe-Signature": signature})
                )
        return answers

    async def work(self) -> int:
        """Run every job that is due; returns how many there were."""
        done = 0
        while taken := await run_due(self.service, HANDLERS):
            done += taken
        return done

    async def settle(self) -> None:
        """Deliver and work until nothing is left."""
        await self.deliver()
        await self.work()

    async def buy(self, browser: httpx.AsyncClient, course: str = SOURDOUGH, email: str = "ann@example.com") -> Json:
        """Buy, pay, deliver, work; the session."""
        session = await self.begin(browser, course)
        self.pay(session, email)
        await self.settle()
        return session

    async def claim(self, browser: httpx.AsyncClient, session: Json, **fields: str) -> httpx.Response:
        """Claim in the browser that bought."""
        body = {"name": "Ann", "password": PASSWORD, **fields}
        return await browser.post(f"/api/orders/{session['client_reference_id']}/claim", json=body)

    async def owner(self, browser: httpx.AsyncClient, course: str = SOURDOUGH, email: str = "ann@example.com") -> Json:
        """Somebody who bought, claimed and is signed in."""
        session = await self.buy(browser, course, email)
        answer = await self.claim(browser, session)
        assert answer.status_code == 200, answer.text
        return session

    async def learner(
        self, browser: httpx.AsyncClient, email: str = "bob@example.com", *, verified: bool = True
    ) -> User:
        """Somebody with an account and no course, signed in."""
        async with self.service.database.transaction() as db:
            user = await create_user(
                db,
                email=Email.parse(email),
                name="Bob",
                password_hash=await self.service.passwords.hash(PASSWORD),
                verified=verified,
                now=self.clock(),
                actor="test",
            )
        answer = await browser.post("/api/session", json={"email": email, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        return user

    async def sign_in_phone(self, phone: httpx.AsyncClient, email: str = "ann@example.com") -> None:
        """Endpoint 1, and its token from then on."""
        body = {"email": email, "password": PASSWORD, "device_name": "Test phone"}
        answer = await phone.post("/auth/login", json=body)
        assert answer.status_code == 200, answer.text
        phone.headers["Authorization"] = f"Bearer {answer.json()['token']}"

    async def order(self, session: Json) -> Order:
        """Our row of a session."""
        async with self.service.database.reading() as db:
            return (await db.scalars(select(Order).where(Order.public_id == session["client_reference_id"]))).one()

    async def lose_page(self) -> None:
        """As if the service had died between Stripe's answer and our next write: the last order knows no page."""
        async with self.service.database.transaction() as db:
            order = (await db.scalars(select(Order).order_by(Order.id.desc()).limit(1))).one()
            order.session_id = order.checkout_url = None

    async def rows(self, model: Any) -> list[Any]:
        """Every row of a table."""
        async with self.service.database.reading() as db:
            return list(await db.scalars(select(model)))

    def mails(self, to: str | None = None) -> list[Json]:
        """Mail that arrived, newest first."""
        return [mail for mail in self.bank.store.mails if to in (None, mail["to"])]

    def claim_token(self, to: str = "ann@example.com") -> str:
        """The token of the newest claim link in somebody's email."""
        return self.token("/claim/", to)

    def token(self, page: str, to: str) -> str:
        """The token of the newest link to a page in somebody's email."""
        for mail in self.mails(to):
            if match := re.search(rf"{page}#token=([\w-]+)", mail["text"]):
                return match[1]
        raise AssertionError(f"no link to {page} was emailed to {to}")


def end_with_part_refunds(manifest: Path, catalog: Catalog, *slugs: str) -> None:
    """These courses end with a partial refund."""
    courses = tuple(
        each.model_copy(update={"partial_refund_keeps_access": False}) if each.slug in slugs else each
        for each in catalog.courses
    )
    write_manifest(compile_manifest(catalog.model_copy(update={"courses": courses})), manifest)


@asynccontextmanager
async def lifespan(app: Application) -> AsyncIterator[None]:
    """The application between its start and its end, as a server runs it."""
    received: asyncio.Queue[Message] = asyncio.Queue()
    sent: asyncio.Queue[Message] = asyncio.Queue()
    running = asyncio.create_task(app({"type": "lifespan", "asgi": {"version": "3.0"}}, received.get, sent.put))
    await received.put({"type": "lifespan.startup"})
    assert (await sent.get())["type"] == "lifespan.startup.complete"
    yield
    await received.put({"type": "lifespan.shutdown"})
    assert (await sent.get())["type"] == "lifespan.shutdown.complete"
    await running


def make_school(settings: Settings, bank: Bank, clock: TestClock) -> School:
    """The real app; its worker is run by hand, and its partners have the same clock. Passwords are hashed quickly."""
    bank.store.clock = lambda: clock().timestamp()
    quick = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    app = create_app(settings, open_gateways(settings), clock=clock, passwords=quick)
    return School(app, app.service, bank, clock)


def path_of(url: str) -> str:
    """Path and query of an address."""
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
