"""Orders of several lines: what is sold together, and what becomes of each part when money goes back."""

from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from dynamic_api.claims import by_operator
from dynamic_api.core.database import Database
from dynamic_api.core.emails import Email
from dynamic_api.core.models import AuditEntry, Entitlement, Installation, Order
from dynamic_api.core.states import OrderState
from dynamic_api.migrations import downgrade, upgrade
from dynamic_api.orders.gifts import GiftDetails
from dynamic_api.webhooks.replay import replay_into_empty
from scripts.sandbox import stripe_objects as make
from scripts.sandbox.store import Json
from sitegen.catalog.model import Catalog
from tests.dynamic_api.test_migrations import rows_of
from tests.school import GIT, PASSWORD, SOURDOUGH, School, end_with_part_refunds

BOTH = "Sourdough, from Starter to Loaf + Git for Writers"


async def courses_of(browser: httpx.AsyncClient) -> set[str]:
    return {course["slug"] for course in (await browser.get("/api/library")).json()["courses"]}


async def bought_together(school: School, browser: httpx.AsyncClient) -> Json:
    session = await school.begin_together(browser, SOURDOUGH, GIT)
    school.pay(session)
    await school.settle()
    assert (await school.claim(browser, session)).status_code == 200
    return session


def price(school: School, slug: str) -> int:
    found = school.service.catalog.current.course(slug).definition.price
    assert found is not None
    return found.amount


async def test_two_courses_on_one_page_and_each_ends_with_its_own_money(school: School) -> None:
    async with school.browser() as buyer:
        session = await bought_together(school, buyer)
        assert session["amount_total"] == price(school, SOURDOUGH) + price(school, GIT)
        assert await courses_of(buyer) == {SOURDOUGH, GIT}
        [receipt] = (await buyer.get("/api/receipts")).json()["receipts"]
        assert receipt["course_title"] == BOTH
        assert BOTH in school.mails("ann@example.com")[0]["text"]
        school.bank.refund(session["payment_intent"], amount=price(school, GIT))
        await school.settle()
        assert await courses_of(buyer) == {SOURDOUGH}
        assert (await school.order(session)).state is OrderState.PARTIALLY_REFUNDED
        told = school.mails("ann@example.com")[0]
        assert told["subject"] == "Refunded: Git for Writers"
        assert "Sourdough" not in told["text"]
        school.bank.refund(session["payment_intent"], amount=None)
        await school.settle()
        assert await courses_of(buyer) == set()
        assert school.mails("ann@example.com")[0]["subject"] == f"Refunded: {BOTH}"


async def test_a_failed_refund_of_one_line_opens_it_again(school: School) -> None:
    async with school.browser() as buyer:
        session = await bought_together(school, buyer)
        refund = school.bank.refund(session["payment_intent"], amount=price(school, GIT))
        await school.settle()
        assert await courses_of(buyer) == {SOURDOUGH}
        school.bank.fail_refund(refund)
        await school.settle()
        assert await courses_of(buyer) == {SOURDOUGH, GIT}


async def test_each_course_says_what_a_reduction_means_for_it(school: School, catalog: Catalog) -> None:
    end_with_part_refunds(school.service.settings.manifest, catalog, GIT)
    await school.service.catalog.refresh()
    async with school.browser() as buyer:
        session = await bought_together(school, buyer)
        school.bank.refund(session["payment_intent"], amount=123)
        await school.settle()
        assert await courses_of(buyer) == {SOURDOUGH}


async def test_a_dispute_about_one_line_suspends_that_line(school: School) -> None:
    async with school.browser() as buyer:
        session = await bought_together(school, buyer)
        dispute = school.bank.dispute(session["payment_intent"], amount=price(school, SOURDOUGH))
        await school.settle()
        assert await courses_of(buyer) == {GIT}
        school.bank.close_dispute(dispute, won=True)
        await school.settle()
        assert await courses_of(buyer) == {SOURDOUGH, GIT}


async def test_whoever_loses_a_line_to_the_bank_is_told_once(school: School) -> None:
    async with school.browser() as buyer:
        session = await bought_together(school, buyer)
        dispute = school.bank.dispute(session["payment_intent"], amount=price(school, SOURDOUGH))
        await school.settle()
        before = len(school.mails("ann@example.com"))
        school.bank.close_dispute(dispute, won=False)
        await school.settle()
        assert await courses_of(buyer) == {GIT}
        [told] = school.mails("ann@example.com")[: len(school.mails("ann@example.com")) - before]
        assert "Sourdough" in told["subject"]
        assert "reversed by the bank" in " ".join(told["text"].split())
        assert "Git" not in told["text"]


async def test_a_code_for_one_product_is_taken_off_its_line(school: School) -> None:
    [installation] = await school.rows(Installation)
    product = f"coursewright_{installation.key}_{GIT}"
    school.bank.store.add(make.coupon("coupon_git", 50, products=[product]))
    school.bank.store.add(make.promotion_code("GIT50", "coupon_git"))
    async with school.browser() as buyer:
        session = await school.begin_together(buyer, SOURDOUGH, GIT)
        school.bank.discount(session, "GIT50")
        school.pay(session)
        await school.settle()
        assert (await school.claim(buyer, session)).status_code == 200
        order = await school.order(session)
        half = price(school, GIT) - round(price(school, GIT) / 2)
        assert [line.total_amount for line in order.lines] == [price(school, SOURDOUGH), half]
        assert [line.product_id for line in order.lines][1] == product
        school.bank.refund(session["payment_intent"], amount=half)
        await school.settle()
        assert await courses_of(buyer) == {SOURDOUGH}


async def test_who_has_one_of_two_may_buy_both_and_who_has_both_may_not(school: School) -> None:
    async with school.browser() as buyer:
        await school.owner(buyer, GIT)
        session = await bought_together(school, buyer)
        assert await courses_of(buyer) == {SOURDOUGH, GIT}
        assert (await buyer.post("/api/checkout", data={"course": GIT})).headers["location"].endswith("#already-yours")
        school.bank.refund(session["payment_intent"], amount=None)
        await school.settle()
        assert await courses_of(buyer) == {GIT}, "the other order still pays for it"


async def test_the_operator_takes_one_course_of_a_purchase_that_waits(school: School) -> None:
    ann, now = Email.parse("ann@example.com"), school.clock()
    catalog = school.service.catalog.current
    async with school.browser() as buyer:
        session = await school.begin_together(buyer, SOURDOUGH, GIT)
        school.pay(session)
        await school.settle()
        async with school.service.database.transaction() as db:
            await by_operator.revoke(db, ann, catalog.course(GIT), reason="asked for", now=now)
        body = {"token": school.claim_token(), "name": "Ann", "password": PASSWORD}
        assert (await buyer.post("/api/claims", json=body)).status_code == 200, "the link still opens the other one"
        assert await courses_of(buyer) == {SOURDOUGH}


async def test_two_courses_as_one_gift(school: School) -> None:
    details = GiftDetails(Email.parse("fran@example.com"), "Fran", "Ann", "Enjoy!", None)
    async with school.browser() as giver, school.browser() as friend:
        await school.learner(giver, "ann@example.com")
        session = await school.begin_together(giver, SOURDOUGH, GIT, gift=details)
        school.pay(session)
        await school.settle()
        body = {"token": school.claim_token("fran@example.com"), "name": "Fran", "password": PASSWORD}
        assert (await friend.post("/api/claims", json=body)).status_code == 200
        assert await courses_of(friend) == {SOURDOUGH, GIT}
        shown = (await giver.get(f"/api/orders/{session['client_reference_id']}")).json()
        assert shown["gift"]["course_title"] == BOTH
        assert shown["gift"]["state"] == "opened"
        school.bank.refund(session["payment_intent"], amount=price(school, GIT))
        await school.settle()
        assert await courses_of(friend) == {SOURDOUGH}
        shown = (await giver.get(f"/api/orders/{session['client_reference_id']}")).json()
        assert shown["gift"]["state"] == "opened"
        [told] = [mail for mail in school.mails("fran@example.com") if "Git for Writers" in mail["subject"]][:1]
        assert "Sourdough" not in told["subject"]


async def test_lines_come_out_of_a_replay_as_they_were(school: School, tmp_path: Path) -> None:
    async with school.browser() as buyer, school.browser() as other:
        session = await bought_together(school, buyer)
        school.bank.refund(session["payment_intent"], amount=price(school, GIT))
        await school.settle()
        await school.owner(other, GIT, "bob@example.com")
    url = f"sqlite+aiosqlite:///{tmp_path / 'empty.sqlite3'}"
    await upgrade(url)
    empty = Database(url)
    for seed in range(3):
        found = await replay_into_empty(school.service, empty, seed=seed)
        assert (found.only_ours, found.only_replayed) == ((), ())
        async with empty.transaction() as db:
            for table in reversed(Order.metadata.sorted_tables):
                if table.name not in ("installation", "alembic_version"):
                    await db.execute(table.delete())
    await empty.close()


@pytest.mark.postgresql
async def test_on_the_way_back_a_second_line_becomes_an_order_and_nobody_loses_a_course(school: School) -> None:
    details = GiftDetails(Email.parse("fran@example.com"), "Fran", "Ann", "Enjoy!", None)
    async with school.browser() as buyer, school.browser() as guest, school.browser() as giver:
        session = await bought_together(school, buyer)
        school.bank.refund(session["payment_intent"], amount=price(school, SOURDOUGH))
        for browser, gift in ((guest, None), (giver, details)):
            waiting = await school.begin_together(browser, SOURDOUGH, GIT, gift=gift)
            school.pay(waiting, "gus@example.com")
        await school.settle()
    before = {(row.user_id, row.course_id, row.revoked_at) for row in await school.rows(Entitlement)}
    url = school.service.settings.database_url
    await school.service.close()
    await downgrade(url, "e1f4b7a90c25")
    older = await rows_of(url)
    assert [row["public_id"] == session["client_reference_id"] for row in older["orders"]].count(True) == 1
    assert sorted(str(row["state"]) for row in older["orders"]) == ["paid"] * 5 + ["refunded"]
    assert len(older["gifts"]) == 2
    assert all(row["order_id"] for row in older["entitlements"])
    await upgrade(url)
    newer = await rows_of(url)
    assert len(newer["order_lines"]) == 6
    assert {(row["user_id"], row["course_id"]) for row in newer["entitlements"]} == {each[:2] for each in before}
    assert [row["revoked_at"] is None for row in newer["entitlements"]].count(True) == 1


async def test_an_order_names_the_installation_that_sold_it(school: School) -> None:
    async with school.browser() as buyer:
        session = await school.buy(buyer)
    order, [installation] = await school.order(session), await school.rows(Installation)
    assert order.installation == installation.key
    assert session["metadata"]["coursewright_installation"] == installation.key
    assert order.created_at < datetime.now(UTC)


async def test_the_line_that_changed_is_recorded(school: School) -> None:
    """Also where the line before it stayed as it was."""
    async with school.browser() as buyer:
        session = await bought_together(school, buyer)
        school.bank.refund(session["payment_intent"], amount=price(school, GIT))
        await school.settle()
    git = school.service.catalog.current.course(GIT)
    changes = [row for row in await school.rows(AuditEntry) if row.action == "order:changed"]
    assert [(row.course_id, row.details["after"]) for row in changes[2:]] == [(git.id, "refunded")]
