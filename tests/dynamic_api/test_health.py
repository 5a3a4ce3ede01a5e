"""Health: what the service says of itself to whatever watches it."""

import asyncio
import re
from collections.abc import Iterator

import httpx
import yaml
from pydantic import SecretStr
from sqlalchemy import text, update

from dynamic_api.core.models import CatalogState, Job
from dynamic_api.core.outbox import enqueue
from dynamic_api.core.shared_throttle import SharedThrottle
from dynamic_api.core.states import JobState
from dynamic_api.health.check import Health, check_health
from dynamic_api.health.metrics import SignsCollector
from dynamic_api.jobs.clean_up import CleanUp
from dynamic_api.orders.sweep import schedule_sweep
from tests.conftest import ROOT
from tests.school import GIT, LESSON, SOURDOUGH, School


async def test_health_waits_for_its_turn(school: School) -> None:
    """Others write all the time; that is no reason to call the database broken."""
    done = asyncio.Event()

    async def write() -> None:
        while not done.is_set():
            async with school.service.database.transaction() as db:
                await db.execute(update(CatalogState).values(version=CatalogState.version))

    writers = [asyncio.create_task(write()) for _ in range(3)]
    answers = [await check_health(school.service) for _ in range(40)]
    done.set()
    await asyncio.gather(*writers)
    assert [answer.problems for answer in answers if not answer.is_ready] == []


async def test_jobs_that_nobody_runs_are_noticed(school: School) -> None:
    """A service without an embedded worker, whose worker was never started."""
    async with school.browser() as buyer:
        session = await school.begin(buyer)
        school.pay(session)
        await school.deliver()
        school.clock.forward(minutes=14)
        assert (await check_health(school.service)).problems == ()
        school.clock.forward(minutes=2)
        [problem] = (await check_health(school.service)).problems
        assert "is “coursewright work” running?" in problem
        assert (await check_health(school.service)).is_ready
        await school.work()
        assert (await check_health(school.service)).problems == ()


async def test_alive_without_a_database(school: School) -> None:
    async with school.browser() as visitor:
        await school.service.close()
        assert (await visitor.get("/healthz")).json() == {"status": "alive"}


async def metrics(visitor: httpx.AsyncClient, **headers: str) -> dict[str, float]:
    """What /metrics says, by name and labels."""
    answer = await visitor.get("/metrics", headers=headers)
    assert answer.status_code == 200, answer.text
    lines = [line for line in answer.text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


async def test_metrics_tell_what_waits_and_what_was_answered(school: School) -> None:
    async with school.browser() as buyer:
        school.pay(await school.begin(buyer))
        await school.deliver()
        school.clock.forward(minutes=20)
        school.app.access_log.flush()
        found = await metrics(buyer)
        assert found["coursewright_ready"] == 1
        assert found["coursewright_problems"] == 1
        assert found['coursewright_waiting_jobs{kind="stripe.event"}'] >= 1
        assert found["coursewright_oldest_event_age_seconds"] >= 1200
        assert found['coursewright_requests_total{part="checkout",status="303"}'] == 1
        assert found['coursewright_requests_total{part="webhooks",status="200"}'] >= 1
        assert "coursewright_mail_age_seconds" not in found
        await school.work()
        found = dict(samples(await check_health(school.service), school))
        assert found["coursewright_problems"] == 0
        assert found["coursewright_mail_age_seconds"] == 0


def samples(health: Health, school: School) -> Iterator[tuple[str, float]]:
    """The same without asking again, which the service does every two seconds."""
    for family in SignsCollector(health, 0, school.clock()).collect():
        for sample in family.samples:
            if not sample.labels:
                yield sample.name, sample.value


async def test_metrics_are_for_this_machine_or_for_a_token(school: School) -> None:
    async with school.browser("198.51.100.7") as stranger, school.browser() as here:
        for path in ("/metrics", "/readyz"):
            assert (await stranger.get(path)).status_code == 404
            assert (await here.get(path)).status_code == 200
            for header in ("X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"):
                assert (await here.get(path, headers={header: "127.0.0.1"})).status_code == 404
        token = "monitor" * 4
        with_token = school.service.settings.model_copy(update={"metrics_token": SecretStr(token)})
        school.use(settings=with_token)
        assert (await here.get("/metrics")).status_code == 200, "this machine may, also where a monitor has a token"
        for wrong in ("", "Bearer ", "Bearer monitor", token, f"Basic {token}"):
            assert (await stranger.get("/metrics", headers={"Authorization": wrong})).status_code == 404
        await metrics(stranger, Authorization=f"Bearer {token}")


async def test_what_an_operator_should_look_at(school: School) -> None:
    """Each sign that something stands still is a sentence."""
    async with school.service.database.transaction() as db:
        await enqueue(db, CleanUp(), "dead", now=school.clock())
        await db.execute(update(Job).where(Job.key == "dead").values(state=JobState.DEAD))
    await schedule_sweep(school.service)
    school.service.progress.failed = True
    school.clock.forward(hours=25)
    said = " ".join((await check_health(school.service)).problems)
    for words in ("Jobs that were given up: 1", "Orders were last compared", "progress of learners could not be saved"):
        assert words in said
    async with school.service.database.transaction() as db:
        await db.execute(text("UPDATE alembic_version SET version_num = '20200101'"))
    health = await check_health(school.service)
    assert not health.is_ready
    assert "another schema" in health.problems[0]


async def test_a_group_that_cannot_be_written_is_noticed(school: School) -> None:
    progress = school.service.progress
    assert (progress.written_at, progress.failed) == (None, False)
    async with school.browser() as browser:
        await school.owner(browser)
        address = f"/api/learn/{SOURDOUGH}/{LESSON}/progress"
        assert (await browser.post(address, json={"position_seconds": 5})).status_code == 200
        assert progress.written_at == school.clock()


async def test_alerts_of_the_document_name_what_is_measured(school: School) -> None:
    """Prometheus takes a rule about a name that nobody sends, and never fires."""
    [rules] = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/monitoring.md").read_text(), re.S)
    named = set(re.findall(r"coursewright_\w+", rules))
    async with school.browser() as buyer:
        await school.owner(buyer)
        await schedule_sweep(school.service)
        school.pay(await school.begin(buyer, GIT))
        await school.deliver()
        school.app.access_log.flush()
        sent = {name.partition("{")[0] for name in await metrics(buyer)}
    if not school.service.database.is_sqlite:
        named -= {"coursewright_database_free_bytes"}
    assert named <= sent, named - sent
    for rule in yaml.safe_load(rules)["groups"][0]["rules"]:
        assert rule["annotations"]["summary"]


async def test_a_valkey_that_is_away_is_told(school: School) -> None:
    limits = SharedThrottle("valkey://127.0.0.1:1/0", "k" * 40)
    school.use(throttle=limits)
    health = await check_health(school.service)
    assert health.is_ready
    assert any("Valkey does not answer" in each for each in health.problems)
    await limits.close()
