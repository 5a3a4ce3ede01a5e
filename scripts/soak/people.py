"""Who uses the school meanwhile. Each insists until it works, and notes what it was told."""

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field

import httpx

from scripts.sandbox.stripe_objects import API_VERSION
from scripts.soak.world import World

COURSE, LESSON = "sourdough", "what-lives-in-the-jar"
PASSWORD = "after the power came back"
BASE = "/api/v1/mobile"
BEAT = 0.5  # seconds; ten times as often as real players
PAGES = ("/", "/courses/", f"/courses/{COURSE}/", "/news/", "/about/", "/api/health")

Attempt = Callable[[], Awaitable[httpx.Response]]


@dataclass
class Answer:
    """One request: when, for what, the status (0: no answer), and the seconds it took."""

    at: float
    what: str
    status: int
    seconds: float

    @property
    def failed(self) -> bool:
        """Whether our side gave no good answer."""
        return self.status == 0 or self.status >= 500


@dataclass
class Learner:
    """Somebody who bought, and what the service acknowledged to them."""

    email: str
    browser: httpx.AsyncClient
    phone: httpx.AsyncClient
    session: str = ""
    refunded: bool = False
    claimed: bool = False
    acknowledged: int = 0
    sent: int = 0
    token: str = ""


@dataclass
class Crowd:
    """Everybody. `answers` are all requests; `learners` everybody who paid."""

    world: World
    answers: list[Answer] = field(default_factory=list)
    learners: list[Learner] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=itertools.count)
    ends_at: float = 0.0

    def browser(self) -> httpx.AsyncClient:
        """A browser nobody has used yet, at an address of its own."""
        number = next(self.numbers)
        address = f"10.{number // 65536 % 256}.{number // 256 % 256}.{number % 256}"
        headers = {"Sec-Fetch-Site": "same-origin", "X-Forwarded-For": address}
        # A connection for each request: the balancer is no proxy that knows when an answer ends.
        limits = httpx.Limits(max_keepalive_connections=0)
        return httpx.AsyncClient(base_url=self.world.installation.url, headers=headers, timeout=20, limits=limits)

    async def ask(self, browser: httpx.AsyncClient, what: str, method: str, path: str, **how: object) -> httpx.Response:
        """One request, noted. Raises httpx.TransportError."""
        started = time.monotonic()
        try:
            answer = await browser.request(method, path, **how)  # type: ignore[arg-type]
        except httpx.TransportError:
            self.answers.append(Answer(started, what, 0, time.monotonic() - started))
            raise
        self.answers.append(Answer(started, what, answer.status_code, time.monotonic() - started))
        return answer

    async def insist(
        self, attempt: Callable[[], Awaitable[httpx.Response]], *, good: tuple[int, ...]
    ) -> httpx.Response:
        """Until the answer is one of these; failures and refusals of a moment are waited out."""
        while True:
            try:
                answer = await attempt()
                if answer.status_code in good:
                    return answer
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.5)

    @property
    def is_over(self) -> bool:
        """Whether nobody begins anything more."""
        return time.monotonic() > self.ends_at

    async def visit(self) -> None:
        """Look at pages."""
        async with self.browser() as browser:
            while not self.is_over:
                with contextlib.suppress(httpx.TransportError):
                    await self.ask(browser, "page", "GET", random.choice(PAGES))
                await asyncio.sleep(random.uniform(0.1, 0.6))

    async def learn(self) -> None:
        """Buy, watch for a while, perhaps ask for the money back; then be somebody else."""
        while not self.is_over:
            learner = Learner(f"learner-{next(self.numbers)}@example.com", self.browser(), self.browser())
            order = await self._buy(learner)
            await self._claim(learner, order)
            if learner is self.learners[0] or random.random() < 0.4:
                await self._sign_in_phone(learner)
            until = time.monotonic() + random.uniform(5, 30)
            while time.monotonic() < until and not self.is_over:
                await self._beat(learner)
                await asyncio.sleep(BEAT)
            if random.random() < 0.4:
                await self._refund(learner)

    async def _buy(self, learner: Learner) -> str:
        page = ""
        while "/c/pay/" not in page:
            began = await self.insist(
                lambda: self.ask(learner.browser, "checkout", "POST", "/api/checkout", data={"course": COURSE}),
                good=(303,),
            )
            page = began.headers["location"]
            await asyncio.sleep(0.3)
        learner.session = page.rpartition("/")[2]
        order = await self._pay(page, learner)
        self.learners.append(learner)
        while True:
            state = await self.insist(
                lambda: self.ask(learner.browser, "order", "GET", f"/api/orders/{order}"), good=(200,)
            )
            if state.json()["state"] == "paid":
                return order
            await asyncio.sleep(0.5)

    async def _pay(self, page: str, learner: Learner) -> str:
        """Pay, and look whether it arrived: the answer may have been lost. The order's id."""
        sandbox = self.world.installation.sandbox
        headers = {"Authorization": "Bearer sk_test_sandbox", "Stripe-Version": API_VERSION}
        async with httpx.AsyncClient(timeout=30) as stripe:
            while True:
                try:
                    await stripe.post(page, data={"email": learner.email, "card": "4242424242424242"})
                    found = await stripe.get(f"{sandbox}/v1/checkout/sessions/{learner.session}", headers=headers)
                    if found.is_success and found.json()["payment_status"] == "paid":
                        return str(found.json()["client_reference_id"])
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.5)

    async def _claim(self, learner: Learner, order: str) -> None:
        body = {"name": "Kim", "password": PASSWORD}
        await self.insist(
            lambda: self.ask(learner.browser, "claim", "POST", f"/api/orders/{order}/claim", json=body),
            good=(200, 409, 404, 422),
        )
        login = {"email": learner.email, "password": PASSWORD}
        await self.insist(
            lambda: self.ask(learner.browser, "sign in", "POST", "/api/session", json=login), good=(200, 204)
        )
        learner.claimed = True

    async def _sign_in_phone(self, learner: Learner) -> None:
        body = {"email": learner.email, "password": PASSWORD, "device_name": "Phone"}
        answer = await self.insist(
            lambda: self.ask(learner.phone, "phone", "POST", f"{BASE}/auth/login", json=body), good=(200,)
        )
        learner.token = answer.json()["token"]

    async def _beat(self, learner: Learner) -> None:
        position = learner.sent + 1
        learner.sent = position
        try:
            if learner.token and random.random() < 0.5:
                answer = await self.ask(
                    learner.phone, "beat of a phone", "POST", f"{BASE}/courses/{COURSE}/lessons/{LESSON}/progress",
                    json={"position_seconds": position},
                    headers={"Authorization": f"Bearer {learner.token}"},
                )  # fmt: skip
            else:
                answer = await self.ask(
                    learner.browser, "beat", "POST", f"/api/learn/{COURSE}/{LESSON}/progress",
                    json={"position_seconds": position},
                )  # fmt: skip
        except httpx.TransportError:
            return
        if answer.is_success:
            learner.acknowledged = position

    async def _refund(self, learner: Learner) -> None:
        async with httpx.AsyncClient(base_url=self.world.installation.sandbox, timeout=30) as dashboard:
            learner.refunded = True
            await self.insist(lambda: dashboard.post(f"/dashboard/{learner.session}/refund"), good=(303, 400))
