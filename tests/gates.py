"""Gates: they stop a request between "ask" and "write", so that a test decides what happens in between."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from sqlalchemy.ext.asyncio import AsyncSession

from dynamic_api.core.database import Database
from dynamic_api.core.passwords import Passwords
from dynamic_api.core.settings import Settings
from dynamic_api.gateways.payment_facts import CodeFacts, PaymentFacts
from dynamic_api.gateways.payments import Payments

PATIENCE = 10  # seconds


class Gate:
    """Closed, it holds every task that arrives."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._arrived = asyncio.Event()
        self._is_closed = self._only_next = False

    def close(self, *, only_next: bool = False) -> None:
        """Hold every task that arrives, or only the first."""
        self._is_closed, self._only_next = True, only_next
        self._open.clear()
        self._arrived.clear()

    async def reached(self) -> None:
        """Wait until somebody is held. A test that waits for nobody fails instead of hanging."""
        async with asyncio.timeout(PATIENCE):
            await self._arrived.wait()

    def open(self) -> None:
        """Let everybody through."""
        self._is_closed = False
        self._open.set()

    async def passed(self) -> None:
        """Wait here while the gate is closed."""
        if self._is_closed:
            self._is_closed = not self._only_next
            self._arrived.set()
            await self._open.wait()


class GatedPayments(Payments):
    """Stripe's answer is here; the gate is before it is used."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.gate = Gate()
        self.asked = 0
        self._asked_twice = asyncio.Event()

    async def was_asked_twice(self) -> None:
        """Wait until a second caller has asked."""
        async with asyncio.timeout(PATIENCE):
            await self._asked_twice.wait()

    async def facts(self, session_id: str) -> PaymentFacts:
        """What Stripe knew when it was asked."""
        self.asked += 1
        if self.asked == 2:
            self._asked_twice.set()
        facts = await super().facts(session_id)
        await self.gate.passed()
        return facts

    async def codes(self, typed: str) -> list[CodeFacts]:
        """The codes as they were when they were looked up."""
        codes = await super().codes(typed)
        await self.gate.passed()
        return codes


class GatedPasswords(Passwords):
    """Hashing takes a while; the gate stretches it."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = Gate()

    async def hash(self, password: str) -> str:
        """The stored form."""
        hashed = await super().hash(password)
        await self.gate.passed()
        return hashed

    async def matches(self, stored: str | None, password: str) -> bool:
        """Whether the password is right."""
        found = await super().matches(stored, password)
        await self.gate.passed()
        return found


class GatedDatabase(Database):
    """The gate is in front of each transaction: after what was read, before what is written."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.gate = Gate()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """As Database's."""
        await self.gate.passed()
        async with super().transaction() as db:
            yield db


class PlugPulled(BaseException):
    """The process died here."""


class FragileDatabase(GatedDatabase):
    """Dies right before or right after a commit, when told so."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.fuse: int | None = None
        self._commits = 0

    @contextmanager
    def upon_commit(self, note: Callable[[], None]) -> Iterator[None]:
        """Call `note` if anything was committed in this block, even if the process died right after."""
        before = self._commits
        try:
            yield
        finally:
            if self._commits > before:
                note()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """Two places to die: before the commit, which loses it, and after, which keeps it."""
        async with super().transaction() as db:
            yield db
            self._burn()
        self._commits += 1
        self._burn()

    def _burn(self) -> None:
        if self.fuse is not None:
            self.fuse -= 1
            if self.fuse < 0:
                self.fuse = None
                raise PlugPulled
