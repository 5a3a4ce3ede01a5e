"""Health: what the service says of itself to whatever watches it."""

import asyncio

from sqlalchemy import update

from dynamic_api.core.models import CatalogState
from dynamic_api.health import check_health
from tests.school import School


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
