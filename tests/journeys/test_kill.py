"""A service killed with -9 anywhere between click and mail, and started again, loses nothing and does nothing twice."""

import re
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
import pytest

from scripts.installation import Installation

pytestmark = pytest.mark.slow

T = TypeVar("T")
LONGEST = 40  # seconds for one purchase, restart included


@dataclass
class Buyer:
    """Somebody who tries again when a page does not answer."""

    installation: Installation
    browser: httpx.Client
    email: str
    revive: Callable[[], None]

    def insist(self, what: str, attempt: Callable[[], T | None]) -> T:
        """Until it works; a dead service is started again meanwhile."""
        deadline = time.monotonic() + LONGEST
        while time.monotonic() < deadline:
            if self.installation.service_died():
                self.revive()
            try:
                if (found := attempt()) is not None:
                    return found
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"waited in vain for {what}")

    def buy(self) -> str:
        """Click, pay, wait for the order and the mail; the order's state address."""
        page = self.insist("the payment page", self._click)
        paid = httpx.post(page, data={"email": self.email, "card": "4242424242424242"})
        order = re.search(r"order=(ord_\w+)", paid.headers["location"])
        assert order
        state = f"/api/orders/{order[1]}"
        self.insist("the mail", lambda: self.mails() or None)
        self.insist("the order", lambda: self.browser.get(state).json()["state"] == "paid" or None)
        return state

    def _click(self) -> str | None:
        location = self.browser.post("/api/checkout", data={"course": "sourdough"}).headers.get("location", "")
        return location if "/c/pay/" in location else None

    def is_dead(self, fuse: Path) -> bool | None:
        """Whether the service died; a request that writes a job, and sends no email, burns what is left of the fuse."""
        if not fuse.exists():
            return True
        self.browser.post("/api/claims/reissue", json={"email": f"nobody-{secrets.token_hex(4)}@example.com"})
        return None

    def mails(self) -> list[dict[str, str]]:
        found = httpx.get(f"{self.installation.sandbox}/inbox?json").json()
        return [mail for mail in found if mail["to"] == self.email and mail["subject"].startswith("Your course")]

    def start_of(self, lesson: str) -> int | None:
        """Where the lesson would be resumed."""
        answer = self.browser.get(f"{lesson}/playback")
        return int(answer.json()["start_seconds"]) if answer.is_success else None

    def open_course(self, state: str) -> list[str]:
        """Claim in this browser; the library."""
        claim = {"name": "Kim", "password": "after the power came back"}
        assert self.browser.post(f"{state}/claim", json=claim).status_code == 200
        return [course["slug"] for course in self.browser.get("/api/library").json()["courses"]]


@contextmanager
def new_buyer(installation: Installation, email: str, revive: Callable[[], None]) -> Iterator[Buyer]:
    headers = {"Sec-Fetch-Site": "same-origin"}
    with httpx.Client(base_url=installation.url, headers=headers) as browser:
        yield Buyer(installation, browser, email, revive)


@dataclass
class Lives:
    """A service that dies at the commits a test chooses, and is started again."""

    installation: Installation
    fuse: Path
    moment: str
    count: int = 0

    def revive(self) -> None:
        """The next life. A job that died with its worker waits for its lease to end; so each begins 3 minutes later."""
        self.count += 1
        self.fuse.unlink(missing_ok=True)
        program = ("--fuse", self.fuse, "--moment", self.moment, "--later", 180 * self.count)
        self.installation.start_service("tests.journeys.dying_service", *program)


@pytest.fixture(params=["before", "after"])
def lives(request: pytest.FixtureRequest, installation: Installation, tmp_path: Path) -> Lives:
    """The first of them."""
    lives = Lives(installation, tmp_path / "fuse", request.param)
    installation.kill("service")
    lives.revive()
    return lives


def test_killed_at_each_commit_between_click_and_mail(installation: Installation, lives: Lives) -> None:
    fuse, moment = lives.fuse, lives.moment
    fuse.write_text("1000")
    with new_buyer(installation, f"{moment}-none@example.com", lives.revive) as buyer:
        buyer.buy()
    installation.wait_until_idle()
    commits = 1000 - int(fuse.read_text())
    assert commits >= 9
    for number in range(commits):
        with new_buyer(installation, f"{moment}-{number}@example.com", lives.revive) as buyer:
            fuse.write_text(str(number))
            state = buyer.buy()
            # The last commits note what was already done, and not every purchase makes equally many: whatever is
            # left of the fuse is burnt by a request that changes nothing for this buyer.
            buyer.insist("the death", lambda: buyer.is_dead(fuse))
            buyer.insist("the next life", lambda: buyer.browser.get(state).is_success or None)  # noqa: B023
            assert buyer.open_course(state) == ["sourdough"], number
            assert len({mail["message_id"] for mail in buyer.mails()}) == 1, number
    assert lives.count == commits + 1


def test_an_acknowledged_heartbeat_survives_the_death_of_the_service(installation: Installation, lives: Lives) -> None:
    """Each is answered after its commit. One that was not answered is either written whole or not at all."""
    lesson = "/api/learn/sourdough/what-lives-in-the-jar"
    with new_buyer(installation, f"watching-{lives.moment}@example.com", lives.revive) as buyer:
        assert buyer.open_course(buyer.buy()) == ["sourdough"]
        acknowledged = 10
        buyer.browser.post(f"{lesson}/progress", json={"position_seconds": acknowledged})
        for number in range(4):
            lives.fuse.write_text(str(number))
            sent = acknowledged
            while not installation.service_died():
                sent += 5
                try:
                    answer = buyer.browser.post(f"{lesson}/progress", json={"position_seconds": sent})
                except httpx.TransportError:
                    break
                assert answer.status_code == 200
                acknowledged = sent
            found = buyer.insist("the next life", lambda: buyer.start_of(lesson))
            assert found in (acknowledged, sent), number
            acknowledged = found


def test_killed_before_the_webhook_arrives(installation: Installation) -> None:
    with new_buyer(installation, "dark@example.com", installation.start_service) as buyer:
        page = buyer.insist("the payment page", buyer._click)
        installation.kill("service")
        paid = httpx.post(page, data={"email": buyer.email, "card": "4242424242424242"})
        order = re.search(r"order=(ord_\w+)", paid.headers["location"])
        assert order
        installation.start_service()
        state = f"/api/orders/{order[1]}"
        buyer.insist("the order", lambda: buyer.browser.get(state).json()["state"] == "paid" or None)
        buyer.insist("the mail", lambda: buyer.mails() or None)
        assert buyer.open_course(state) == ["sourdough"]
        installation.wait_until_idle()
        assert len(buyer.mails()) == 1
