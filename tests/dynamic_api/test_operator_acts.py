"""What an operator does to one person touches nobody else, whatever the bank does meanwhile."""

import pytest

from dynamic_api.claims import by_operator
from dynamic_api.core.emails import Email
from dynamic_api.core.models import AuditEntry, Entitlement, Job
from dynamic_api.orders import entitlements
from tests.dynamic_api.test_after_the_sale import subjects
from tests.dynamic_api.test_order_lines import courses_of
from tests.school import GIT, LESSON, PASSWORD, SOURDOUGH, School

pytestmark = pytest.mark.postgresql

ANN = Email.parse("ann@example.com")
WATCH = f"/api/learn/{SOURDOUGH}/{LESSON}"

BOB = Email.parse("bob@example.com")


async def test_the_operator_grants_and_revokes_one_course_of_one_learner(school: School) -> None:
    """And nothing else: neither another course of theirs, nor the same course of somebody else."""
    sourdough, git = [school.service.catalog.current.course(slug) for slug in (SOURDOUGH, GIT)]

    async def say(act: object, course: object, reason: str) -> str:
        async with school.service.database.transaction() as db:
            said: str = await act(db, BOB, course, reason=reason, now=school.clock())  # type: ignore[operator]
        return said

    async with school.browser() as ann, school.browser() as bob:
        await school.owner(ann)
        learner = await school.learner(bob)
        assert "may now watch" in await say(by_operator.grant, sourdough, "raffle")
        assert "had" in await say(by_operator.grant, sourdough, "again")
        await say(by_operator.grant, git, "press")
        assert "1 source ended" in await say(by_operator.revoke, sourdough, "shared the password")
        assert "did not have" in await say(by_operator.revoke, sourdough, "twice")
        assert await courses_of(bob) == {GIT}
        assert await courses_of(ann) == {SOURDOUGH}
        session = await school.begin(bob)
        school.pay(session)
        await school.settle()
        assert await courses_of(bob) == {SOURDOUGH, GIT}
        await say(by_operator.revoke, sourdough, "x" * 300)
        assert max(len(row.reason or "") for row in await school.rows(Entitlement)) == 200
        assert await courses_of(bob) == {GIT}
        assert "may now watch" in await say(by_operator.grant, sourdough, "forgiven")
        assert await courses_of(bob) == {SOURDOUGH, GIT}
    order = await school.order(session)
    written = [
        (row.action, row.order_id, row.details)
        for row in await school.rows(AuditEntry)
        if (row.user_id, row.course_id) == (learner.id, sourdough.id) and row.action.startswith("access:")
    ]
    assert written == [
        ("access:granted", None, {"reason": "raffle"}),
        ("access:revoked", None, {"reason": "operator: shared the password"}),
        ("access:granted", order.id, {}),
        ("access:revoked", order.id, {"reason": "operator: " + "x" * 300}),
        ("access:restored", None, {"reason": "forgiven"}),
    ]


async def test_what_the_operator_took_stays_taken_when_a_dispute_comes_and_goes(school: School) -> None:
    """A suspension does not write its reason over the operator's."""
    async with school.browser() as owner:
        session = await school.owner(owner)
        course = school.service.catalog.current.course(SOURDOUGH)
        async with school.service.database.transaction() as db:
            await by_operator.revoke(db, Email.parse("ann@example.com"), course, reason="abuse", now=school.clock())
        dispute = school.bank.dispute(session["payment_intent"])
        await school.settle()
        school.bank.close_dispute(dispute, won=True)
        await school.settle()
        assert await courses_of(owner) == set()
        [row] = await school.rows(Entitlement)
        assert row.reason == "operator: abuse"


async def test_a_refund_ends_nobody_elses_access(school: School) -> None:
    async with school.browser() as ann, school.browser() as bob:
        session = await school.owner(ann)
        await school.owner(bob, email="bob@example.com")
        school.bank.refund(session["payment_intent"], amount=None)
        await school.settle()
        assert (await courses_of(ann), await courses_of(bob)) == (set(), {SOURDOUGH})


async def test_no_letter_of_an_end_is_asked_for_before_there_is_one(school: School) -> None:
    """A payment and a dispute change the state of an order, and end nothing yet."""
    async with school.browser() as browser:
        session = await school.buy(browser)
        dispute = school.bank.dispute(session["payment_intent"])
        await school.settle()
        keys = [job.key for job in await school.rows(Job) if job.kind == "mail.send"]
        assert [key.split(".")[0] for key in keys] == ["mail:receipt"]
        school.bank.close_dispute(dispute, won=False)
        await school.settle()
        assert subjects(school, "ann@example.com")[-1].startswith("No longer in your library")


async def test_what_is_moved_is_all_of_one_person_and_nothing_of_others(school: School) -> None:
    """What they own, what waits for their address, and nobody else's."""
    async with school.browser() as old, school.browser() as new, school.browser() as other, school.browser() as guest:
        await school.owner(old)
        await school.learner(new)
        await school.owner(other, GIT, "cleo@example.com")
        await school.buy(guest, GIT, "ann@example.com")
        await school.buy(guest, SOURDOUGH, "dan@example.com")
        async with school.service.database.transaction() as db:
            said = await by_operator.move_purchases(
                db, Email.parse("ann@example.com"), Email.parse("bob@example.com"), now=school.clock()
            )
        assert said == "2 purchases moved from ann@example.com to bob@example.com."
        assert await courses_of(new) == {SOURDOUGH, GIT}
        assert await courses_of(old) == set()
        assert await courses_of(other) == {GIT}


async def test_what_the_operator_takes_is_what_waits_for_that_address_alone(school: School) -> None:
    course = school.service.catalog.current.course(SOURDOUGH)
    async with school.browser() as ann, school.browser() as again, school.browser() as bob, school.browser() as gone:
        for browser, address in ((ann, "ann@example.com"), (again, "ann@example.com"), (bob, "bob@example.com")):
            await school.buy(browser, email=address)
        refunded = await school.buy(gone, email="ann@example.com")
        school.bank.refund(refunded["payment_intent"], amount=None)
        await school.settle()
        async with school.service.database.transaction() as db:
            said = await by_operator.revoke(
                db, Email.parse("ann@example.com"), course, reason="abuse", now=school.clock()
            )
        assert "2 sources ended" in said
        body = {"name": "Ann", "password": PASSWORD}
        for address, status in (("ann@example.com", 410), ("bob@example.com", 200)):
            answer = await bob.post("/api/claims", json={"token": school.claim_token(address), **body})
            assert answer.status_code == status


async def test_a_deleted_account_is_granted_nothing(school: School) -> None:
    async with school.browser() as browser:
        user = await school.learner(browser)
        assert (await browser.post("/api/account/deletion", json={"password": PASSWORD})).status_code == 200
    course, now = school.service.catalog.current.course(SOURDOUGH), school.clock()
    async with school.service.database.transaction() as db:
        assert not await entitlements.grant_by_operator(db, user.id, course.id, at=now, reason="too late")
        assert await entitlements.courses_of(db, user.id) == set()
