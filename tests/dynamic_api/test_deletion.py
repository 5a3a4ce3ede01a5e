"""A deleted account: no payment is lost by it, and nothing of the person stays."""

import json

import pytest

from dynamic_api.claims.by_operator import move_purchases
from dynamic_api.core.emails import Email
from dynamic_api.core.models import AuditEntry, Entitlement, Job, OneTimeLink, Order, WebhookEvent
from tests.dynamic_api.test_migrations import rows_of
from tests.school import GIT, LESSON, PASSWORD, SOURDOUGH, School

pytestmark = pytest.mark.postgresql

SURE = {"password": PASSWORD}


async def test_an_open_payment_page_is_closed_and_what_is_paid_all_the_same_is_a_guests(school: School) -> None:
    async with school.browser() as learner, school.browser() as later:
        await school.learner(learner)
        session = await school.begin(learner)
        assert (await learner.post("/api/account/deletion", json=SURE)).status_code == 200
        school.pay(session)  # at the same moment
        await school.settle()
        order = await school.order(session)
        assert (order.state, order.owner_id) == ("paid", None)
        body = {"token": school.claim_token("bob@example.com"), "name": "Bob", "password": PASSWORD}
        assert (await later.post("/api/claims", json=body)).status_code == 200
        assert (await later.get(f"/api/learn/{SOURDOUGH}/{LESSON}")).status_code == 200


async def test_the_page_is_closed_where_nobody_pays(school: School) -> None:
    async with school.browser() as learner:
        await school.learner(learner)
        session = await school.begin(learner)
        await learner.post("/api/account/deletion", json=SURE)
        await school.work()
        assert session["status"] == "expired"


async def test_a_debit_under_way_is_waited_for(school: School) -> None:
    async with school.browser() as learner:
        await school.learner(learner)
        session = await school.begin(learner)
        school.pay(session, delayed=True)
        await school.settle()
        refused = await learner.post("/api/account/deletion", json=SURE)
        assert refused.json()["error"]["code"] == "payment_under_way"
        school.bank.settle(session, succeeds=True)
        await school.settle()
        assert (await learner.post("/api/account/deletion", json=SURE)).status_code == 200


async def test_a_dispute_that_is_won_later_gives_a_deleted_account_nothing(school: School) -> None:
    async with school.browser() as owner:
        session = await school.owner(owner)
        dispute = school.bank.dispute(session["payment_intent"])
        await school.settle()
        second = await school.begin(owner, GIT)
        school.pay(second)
        other_dispute = school.bank.dispute(second["payment_intent"])  # before we ever saw that payment as good
        await school.settle()
        assert (await owner.post("/api/account/deletion", json=SURE)).status_code == 200
        for each in (dispute, other_dispute):
            school.bank.close_dispute(each, won=True)
        await school.settle()
    [entitlement] = await school.rows(Entitlement)
    assert entitlement.revoked_at is not None


async def test_nothing_of_the_person_stays(school: School) -> None:
    async with school.browser() as owner, school.browser() as other:
        session = await school.owner(owner)
        await other.post("/api/sign-ups", json={"email": "ann@example.com"})
        await school.learner(other, "else@example.com")
        async with school.service.database.transaction() as db:
            await move_purchases(
                db, Email.parse("else@example.com"), Email.parse("ann@example.com"), now=school.clock()
            )
        dispute = school.bank.dispute(session["payment_intent"])
        dispute["evidence"] = {"customer_email_address": "ann@example.com", "customer_name": "Ann"}
        school.bank.emit("charge.dispute.updated", dispute)
        await school.settle()
        school.bank.close_dispute(dispute, won=True)
        await school.settle()
        assert (await owner.post("/api/account/deletion", json=SURE)).status_code == 200
        school.bank.refund(session["payment_intent"], amount=None)  # and what Stripe tells afterwards
        await school.settle()
    for table in (AuditEntry, Job, OneTimeLink, Order, WebhookEvent):
        for row in await school.rows(table):
            held = json.dumps(
                {column.key: getattr(row, column.key) for column in row.__mapper__.column_attrs}, default=str
            )
            assert "ann@example.com" not in held.lower(), (table.__name__, held)


async def test_the_export_has_what_stripe_told_and_what_was_done(school: School) -> None:
    async with school.browser() as owner:
        session = await school.owner(owner)
        data = (await owner.get("/api/account/export")).json()
    assert any(event["data"]["object"]["id"] == session["id"] for event in data["told_by_payment_provider"])
    assert "order:created" in {entry["action"] for entry in data["records"]}
    assert "code_hash" not in json.dumps(data)


async def test_the_address_goes_from_what_never_opened_too(school: School) -> None:
    """Pages that were left unpaid, payments that failed, and purchases refunded before anybody claimed them."""
    async with school.browser() as ann, school.browser() as guest:
        await school.learner(ann, "ann@example.com")
        failed = await school.begin(guest)
        gift = await school.begin(guest, gift="1", recipient_email="ann@example.com")
        school.pay(failed, "ann@example.com", delayed=True)
        await school.settle()
        school.bank.settle(failed, succeeds=False)
        async with school.browser() as elsewhere:
            refunded = await school.begin(elsewhere)
            school.pay(refunded, "Ann@Example.com")
            school.bank.refund(refunded["payment_intent"], amount=None)
        school.pay(gift, "giver@example.com")
        await school.settle()
        school.bank.refund(gift["payment_intent"], amount=None)
        await school.settle()
        assert (await ann.post("/api/account/deletion", json={"password": PASSWORD})).status_code == 200
    tables = await rows_of(school.service.settings.database_url)
    left = [(name, row) for name, rows in tables.items() for row in rows if "ann@example.com" in str(row).casefold()]
    assert left == []


async def test_the_end_of_an_open_page_does_not_bring_the_address_back(school: School) -> None:
    async with school.browser() as ann:
        await school.learner(ann, "ann@example.com")
        session = await school.begin(ann)
        session["customer_details"] = {"email": "ann@example.com"}  # as Stripe fills it when the page expires
        assert (await ann.post("/api/account/deletion", json={"password": PASSWORD})).status_code == 200
        await school.settle()
        await school.settle()
        assert (await school.order(session)).state == "expired"
    tables = await rows_of(school.service.settings.database_url)
    assert [name for name, rows in tables.items() for row in rows if "ann@example.com" in str(row)] == []
