"""Some hundred people buy, claim and learn through the real service; then the database is weighed, table by table."""

import contextlib
import json
import sqlite3
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from scripts.installation import Installation
from scripts.sandbox.stripe_objects import API_VERSION
from tests.ports import free_ports

COURSE = "sourdough"
BEATS = 12  # for each lesson; a real one of ten minutes has forty
PASSWORD = "a loaf on every table"
BASE = "/api/v1/mobile"


@dataclass(frozen=True)
class Weighed:
    """Rows and bytes that one learner leaves behind, by table; the service's processor time for each, in seconds."""

    learners: int
    lessons: int
    rows: Mapping[str, float]
    bytes: Mapping[str, float]
    cpu_seconds: float
    requests: int


def measure(learners: int, folder: Path) -> Weighed:
    """Start a school on SQLite, let people come, and weigh."""
    service, sandbox, smtp = free_ports(3)
    installation = Installation(folder, service, sandbox, smtp, extra={"HEARTBEAT_SECONDS": "5"})
    with installation.running():
        _person(installation, 0)  # what is made once, such as statistics, is not a learner's
        installation.wait_until_idle()
        rows, sizes, cpu = _rows(installation.database), _bytes(installation.database), _cpu(installation)
        requests = lessons = 0
        for number in range(1, learners + 1):
            asked, lessons = _person(installation, number)
            requests += asked
        installation.wait_until_idle()
        after, grown, used = _rows(installation.database), _bytes(installation.database), _cpu(installation)
    return Weighed(
        learners,
        lessons,
        {name: (after[name] - rows.get(name, 0)) / learners for name in after},
        {name: (grown.get(name, 0) - sizes.get(name, 0)) / learners for name in after},
        (used - cpu) / learners,
        requests // learners,
    )


def _person(installation: Installation, number: int) -> tuple[int, int]:
    """One learner's life; how many requests it took, and how many lessons."""
    email, asked = f"learner-{number}@example.com", 0
    headers = {"Sec-Fetch-Site": "same-origin", "X-Forwarded-For": f"10.{number >> 8 & 255}.{number & 255}.9"}
    with httpx.Client(base_url=installation.url, headers=headers, timeout=30) as browser:
        page = browser.post("/api/checkout", data={"course": COURSE}).headers["location"]
        httpx.post(page, data={"email": email, "card": "4242424242424242"}, timeout=30)
        session = page.rpartition("/")[2]
        found = httpx.get(
            f"{installation.sandbox}/v1/checkout/sessions/{session}",
            headers={"Authorization": "Bearer sk_test_sandbox", "Stripe-Version": API_VERSION},
        )
        order = found.json()["client_reference_id"]
        while browser.get(f"/api/orders/{order}").json()["state"] != "paid":
            asked += 1
            time.sleep(0.05)
        browser.post(f"/api/orders/{order}/claim", json={"name": "Kim", "password": PASSWORD}).raise_for_status()
        login = {"email": email, "password": PASSWORD, "device_name": "Phone"}
        token = browser.post(f"{BASE}/auth/login", json=login).json()["token"]
        phone = httpx.get(f"{installation.url}{BASE}/courses/{COURSE}", headers={"Authorization": f"Bearer {token}"})
        phone.raise_for_status()
        courses = json.loads((installation.folder / "catalog.json").read_text())["catalog"]["courses"]
        [course] = [each for each in courses if each["slug"] == COURSE]
        lessons = [lesson["slug"] for module in course["modules"] for lesson in module["lessons"]]
        for lesson in lessons:
            address = f"/api/learn/{COURSE}/{lesson}"
            browser.get(address)
            browser.get(f"{address}/playback")
            for beat in range(1, BEATS + 1):
                browser.post(f"{address}/progress", json={"position_seconds": beat * 5})
            browser.put(f"{address}/completion")
        return asked + 6 + len(lessons) * (BEATS + 3), len(lessons)


@contextlib.contextmanager
def _opened(database: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        yield connection


def _tables(connection: sqlite3.Connection) -> list[str]:
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return [row[0] for row in found]


def _rows(database: Path) -> dict[str, int]:
    with _opened(database) as connection:
        return {
            name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in _tables(connection)
        }


def _bytes(database: Path) -> dict[str, int]:
    """Bytes of a table with its indexes, without what is empty in its pages."""
    statement = (
        "SELECT sum(payload) FROM dbstat JOIN sqlite_master ON sqlite_master.name = dbstat.name WHERE tbl_name = ?"
    )
    with _opened(database) as connection:
        return {name: connection.execute(statement, (name,)).fetchone()[0] or 0 for name in _tables(connection)}


def _cpu(installation: Installation) -> float:
    fields = Path(f"/proc/{installation.processes['service'].pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
