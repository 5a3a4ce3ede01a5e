"""The outbox: once each, leased, tried again, given up loudly."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
from pydantic import ValidationError

from dynamic_api.core import outbox
from dynamic_api.core.errors import WillNotHeal
from dynamic_api.core.models import AuditEntry, Job, OneTimeLink, WebhookEvent, WebSession
from dynamic_api.core.settings import Settings
from dynamic_api.jobs.clean_up import schedule_clean_up
from dynamic_api.jobs.worker import Handler, Handlers, run_due, work
from dynamic_api.service import Service
from tests.school import School

pytestmark = pytest.mark.postgresql


@dataclass(frozen=True)
class Count(outbox.Job):
    """A job for these tests."""

    kind = "count"
    number: int


@dataclass(frozen=True)
class Unknown(outbox.Job):
    """A job that nobody handles."""

    kind = "unknown"


def handled(function: Callable[[Service, Count], Awaitable[None]]) -> Handlers:
    return {Count.kind: Handler(Count, function)}


async def put(school: School, count: int = 1) -> None:
    async with school.service.database.transaction() as db:
        for number in range(count):
            assert await outbox.enqueue(db, Count(number), f"count:{number}", now=school.clock())


async def test_a_key_is_taken_once(school: School) -> None:
    await put(school)
    async with school.service.database.transaction() as db:
        assert not await outbox.enqueue(db, Count(5), "count:0", now=school.clock())
    [job] = await school.rows(Job)
    assert job.payload == {"number": 0}


async def test_a_job_stands_or_falls_with_its_transaction(school: School) -> None:
    with pytest.raises(RuntimeError):  # noqa: PT012 - the transaction is what is tested
        async with school.service.database.transaction() as db:
            await outbox.enqueue(db, Count(0), "count:0", now=school.clock())
            raise RuntimeError("the transaction fails after all")
    assert await school.rows(Job) == []


async def test_several_workers_run_each_job_once(school: School) -> None:
    ran: list[int] = []

    async def count(_: Service, job: Count) -> None:
        await asyncio.sleep(0)
        ran.append(job.number)

    await put(school, 100)

    async def worker() -> None:
        while await run_due(school.service, handled(count), limit=3):
            pass

    await asyncio.gather(*(worker() for _ in range(4)))
    assert sorted(ran) == list(range(100))


async def test_failures_wait_longer_each_time_and_end_as_dead_after_days(
    school: School, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(_: Service, job: Count) -> None:
        raise OSError("no route to host")

    await put(school)
    attempts = 0
    started = school.clock()
    payments = outbox.Queue.OTHERS  # the operator is told by email when it is given up
    while await run_due(school.service, handled(fail), queue=payments) == 1:
        attempts += 1
        assert await run_due(school.service, handled(fail), queue=payments) == 0
        [job] = [each for each in await school.rows(Job) if each.kind == Count.kind]
        assert job.attempts == attempts
        school.clock.forward(hours=1, seconds=1)
    assert school.clock() - started > outbox.GIVE_UP_AFTER
    assert attempts > 70
    assert job.state == "dead"
    assert job.last_error == "OSError: no route to host"
    assert f"was given up after {attempts} attempts" in caplog.text


async def test_what_cannot_ever_work_is_given_up_at_once(school: School) -> None:
    async def refuse(_: Service, job: Count) -> None:
        raise WillNotHeal("no such mailbox")

    await put(school)
    async with school.service.database.transaction() as db:
        assert await outbox.enqueue(db, Unknown(), "unknown", now=school.clock())
    await run_due(school.service, handled(refuse))
    assert {job.state for job in await school.rows(Job)} == {"dead"}


async def test_a_worker_that_is_told_to_stop_hands_its_job_back(school: School) -> None:
    """At SIGTERM: the next worker begins it at once, and the interruption is no failed attempt."""
    reached = asyncio.Event()

    async def hang(_: Service, job: Count) -> None:
        reached.set()
        await asyncio.Event().wait()

    await put(school)
    working = asyncio.create_task(run_due(school.service, handled(hang)))
    async with asyncio.timeout(10):
        await reached.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    [job] = await school.rows(Job)
    assert (job.state, job.attempts, job.lease) == ("waiting", 0, None)
    done: list[Count] = []

    async def count(_: Service, job: Count) -> None:
        done.append(job)

    assert await run_due(school.service, handled(count)) == 1
    assert len(done) == 1


async def test_a_worker_stops_even_where_a_library_swallows_the_request(school: School) -> None:
    """As `asyncio.wait_for` does on Python 3.11, when what it waits for is done at that very moment."""
    reached = asyncio.Event()

    async def swallow(_: Service, job: Count) -> None:
        reached.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()

    await put(school, 5)
    working = asyncio.create_task(work(school.service, handled(swallow)))
    async with asyncio.timeout(10):
        await reached.wait()
    working.cancel()
    done, _ = await asyncio.wait({working}, timeout=5)
    assert done, "the worker works on for ever"
    states = [job.state for job in await school.rows(Job)]
    assert 1 <= states.count("done") <= 2, "those that were under way, from either end of the queue"
    assert states.count("waiting") == 5 - states.count("done")


async def test_a_dead_workers_jobs_are_taken_over_and_its_late_answer_is_ignored(school: School) -> None:
    await put(school)
    async with school.service.database.transaction() as db:
        stale = await outbox.lease_next(db, now=school.clock())
    async with school.service.database.transaction() as db:
        assert await outbox.lease_next(db, now=school.clock()) is None
    school.clock.forward(minutes=3)
    async with school.service.database.transaction() as db:
        taken = await outbox.lease_next(db, now=school.clock())
    assert stale
    assert taken
    assert (taken.id, taken.attempts) == (stale.id, 2)
    async with school.service.database.transaction() as db:
        await outbox.postpone(db, stale, "too late", now=school.clock())
    [job] = await school.rows(Job)
    assert (job.state, job.last_error) == ("running", None)


async def test_mail_arrives_once_after_the_mail_server_was_away(school: School) -> None:
    async with school.browser() as browser:
        with school.without_mail_server():
            await school.buy(browser)
        assert school.mails() == []
        for _ in range(4):
            school.clock.forward(hours=1)
            await school.work()
        assert [mail["to"] for mail in school.mails()] == ["ann@example.com"]
        assert school.claim_token()


async def test_what_has_served_its_time_goes(school: School) -> None:
    await schedule_clean_up(school.service)
    async with school.browser() as browser:
        await school.owner(browser)
        await browser.post("/api/claims/reissue", json={"email": "ann@example.com"})
        await school.work()
    assert any(event.payload != "{}" for event in await school.rows(WebhookEvent))
    school.clock.forward(days=401)
    await school.work()
    for table in (WebSession, OneTimeLink):
        assert await school.rows(table) == []
    events = await school.rows(WebhookEvent)
    assert events
    assert {event.payload for event in events} == {"{}"}, "an event stays known, and its body goes"
    actions = {entry.action for entry in await school.rows(AuditEntry)}
    assert "session:started" not in actions
    assert {"order:created", "order:changed", "access:granted", "account:created"} <= actions
    kinds = [job.kind for job in await school.rows(Job)]
    assert "claims.reissue" not in kinds
    assert {"mail.send", "stripe.event"} <= set(kinds)  # their keys make a repeat a no-op
    assert kinds.count("service.tidy") == 2  # this one, and tomorrow's


@pytest.mark.parametrize("days", [8, 131])
async def test_how_long_things_are_kept_is_a_setting(school: School, days: int) -> None:
    """Shorter than usual; a body of an event stays as long as a dispute may take to arrive."""
    settings = school.service.settings.model_copy(
        update={"keep_days": 7, "keep_event_days": 130, "keep_visit_days": 30}
    )
    school.use(settings=settings)
    await schedule_clean_up(school.service)
    async with school.browser() as browser:
        await school.owner(browser)
        await browser.post("/api/claims/reissue", json={"email": "ann@example.com"})
        await school.work()
    school.clock.forward(days=days)
    await school.work()
    events, actions = await school.rows(WebhookEvent), {entry.action for entry in await school.rows(AuditEntry)}
    assert {event.payload == "{}" for event in events} == {days > 130}
    assert ("session:started" in actions) == (days < 30)
    assert "claims.reissue" not in [job.kind for job in await school.rows(Job)]


@pytest.mark.parametrize("name", ["keep_days", "keep_event_days", "keep_visit_days"])
def test_nothing_that_is_still_needed_can_be_thrown_away(make_settings: Callable[..., Settings], name: str) -> None:
    with pytest.raises(ValidationError):
        make_settings(**{name: 6 if name == "keep_days" else 29})


async def test_nothing_waits_for_a_clock_that_ran_ahead_and_was_put_right(school: School) -> None:
    async def fail(_: Service, job: Count) -> None:
        raise OSError("no route to host")

    school.clock.forward(days=1)
    await put(school, 3)
    async with school.service.database.transaction() as db:  # one of them is leased, one has failed once
        assert await outbox.lease_next(db, now=school.clock()) is not None
    assert await run_due(school.service, handled(fail), limit=1) == 1
    school.clock.forward(days=-1)
    done: list[int] = []

    async def count(_: Service, job: Count) -> None:
        done.append(job.number)

    await run_due(school.service, handled(count))
    assert sorted(done) == [0, 1, 2]


async def test_what_is_meant_for_later_is_not_taken_for_a_wrong_clock(school: School) -> None:
    async with school.service.database.transaction() as db:
        for number, days in enumerate((1, 30, 300)):
            await outbox.enqueue(db, Count(number), f"count:{number}", now=school.clock(), delay=timedelta(days=days))
    assert await run_due(school.service, handled(lambda *_: asyncio.sleep(0))) == 0


async def test_whoever_comes_last_does_not_wait_for_a_thousand_before_them(school: School) -> None:
    """A backlog is worked off from both ends: its oldest jobs are not forgotten, and a new buyer is served at once."""
    order: list[int] = []

    async def note(_: Service, job: Count) -> None:
        order.append(job.number)
        if len(order) == 12:
            working.cancel()

    await put(school, 100)
    school.clock.forward(seconds=1)
    async with school.service.database.transaction() as db:
        await outbox.enqueue(db, Count(1000), "new", now=school.clock())
    working = asyncio.create_task(work(school.service, handled(note)))
    with pytest.raises(asyncio.CancelledError):
        await working
    assert 1000 in order[:2]
    assert 0 in order[:3]
