"""What happens between asking and writing: held still by gates, and never decided by luck."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import select

from dynamic_api.core.models import Entitlement, Order, User, WebSession
from dynamic_api.gateways.payment_facts import PaymentFacts
from dynamic_api.gateways.payments import Payments
from dynamic_api.orders.reconcile import OrderBusy, reconcile_order
from scripts.sandbox.store import Json
from sitegen.catalog.model import Catalog
from tests.conftest import Sandbox
from tests.dynamic_api.test_checkout import choose_promotion_codes
from tests.gates import GatedDatabase, GatedPasswords, GatedPayments
from tests.school import LESSON, PASSWORD, SOURDOUGH, School

pytestmark = pytest.mark.postgresql
WATCH = f"/api/learn/{SOURDOUGH}/{LESSON}"
BODY = {"name": "Ann", "password": PASSWORD}


@pytest.fixture
async def payments(school: School, sandbox: Sandbox) -> AsyncIterator[GatedPayments]:
    """Stripe behind a gate, in the running school."""
    payments, plain = GatedPayments(school.service.settings), school.service.gateways.payments
    school.use(gateways=replace(school.service.gateways, payments=payments))
    yield payments
    await plain.close()


@pytest.fixture
def passwords(school: School) -> GatedPasswords:
    """Hashing behind a gate, in the running school."""
    passwords = GatedPasswords()
    school.use(passwords=passwords)
    return passwords


async def paid(school: School) -> tuple[Json, Order]:
    async with school.browser() as buyer:
        session = await school.begin(buyer)
    school.pay(session)
    school.bank.emitted.clear()
    return session, await school.order(session)


async def test_facts_that_became_old_while_others_wrote_are_asked_for_again(
    school: School, payments: GatedPayments
) -> None:
    """The first asks while the order is paid, and is held; meanwhile the money goes back, and another writes that."""
    session, order = await paid(school)
    payments.gate.close()
    slow = asyncio.create_task(reconcile_order(school.service, order.id))
    await payments.gate.reached()
    school.bank.refund(session["payment_intent"], amount=None)
    quick = asyncio.create_task(reconcile_order(school.service, order.id))
    await payments.was_asked_twice()
    payments.gate.open()
    # The first write makes the other one ask again.
    assert {await slow, await quick} <= {"refunded", "paid"}
    assert (await school.order(session)).state == "refunded"
    assert payments.asked == 3
    assert await school.rows(Entitlement) == []


async def test_old_facts_do_not_restore_access(school: School, payments: GatedPayments) -> None:
    async with school.browser() as owner:
        session = await school.owner(owner)
        order = await school.order(session)
        payments.gate.close()
        slow = asyncio.create_task(reconcile_order(school.service, order.id))
        await payments.gate.reached()
        # A refund arrives and is written completely, by somebody who asks Stripe without a gate.
        school.bank.refund(session["payment_intent"], amount=None)
        plain = Payments(school.service.settings)
        ungated = replace(school.service, gateways=replace(school.service.gateways, payments=plain))
        assert await reconcile_order(ungated, order.id) == "refunded"
        await plain.close()
        payments.gate.open()
        assert await slow == "refunded"
        assert (await owner.get(WATCH)).status_code == 403


async def test_a_refund_while_the_buyer_s_password_is_hashed_leaves_nothing_claimed(
    school: School, passwords: GatedPasswords
) -> None:
    async with school.browser() as buyer:
        session = await school.buy(buyer)
        passwords.gate.close()
        claiming = asyncio.create_task(school.claim(buyer, session))
        await passwords.gate.reached()
        school.bank.refund(session["payment_intent"], amount=None)
        await school.settle()
        passwords.gate.open()
        assert (await claiming).json()["error"]["code"] == "order_not_claimable"
    assert await school.rows(User) == []
    assert await school.rows(Entitlement) == []


async def test_of_two_claims_that_were_both_allowed_one_is_carried_out(
    school: School, passwords: GatedPasswords
) -> None:
    async with school.browser() as buyer, school.browser() as reader:
        session = await school.buy(buyer)
        token = school.claim_token()
        passwords.gate.close()
        claims = [
            asyncio.create_task(school.claim(buyer, session)),
            asyncio.create_task(reader.post("/api/claims", json={"token": token, **BODY})),
        ]
        await passwords.gate.reached()
        passwords.gate.open()
        statuses = sorted([(await claim).status_code for claim in claims])
        assert statuses[0] == 200
        assert statuses[1] in (409, 410)
    assert len(await school.rows(User)) == 1
    assert len(await school.rows(Entitlement)) == 1


async def test_a_password_that_changes_while_it_is_checked_signs_nobody_in(
    school: School, passwords: GatedPasswords
) -> None:
    async with school.browser() as owner, school.browser() as intruder, school.phone() as phone:
        await school.learner(owner)
        passwords.gate.close()
        credentials = {"email": "bob@example.com", "password": PASSWORD}
        signing_in = asyncio.create_task(intruder.post("/api/session", json=credentials))
        on_phone = asyncio.create_task(phone.post("/auth/login", json={**credentials, "device_name": "stolen"}))
        await passwords.gate.reached()
        async with school.service.database.transaction() as db:
            user = await db.get_one(User, 1)
            user.password_hash = "another"
        passwords.gate.open()
        assert (await signing_in).json()["error"]["code"] == "invalid_credentials"
        assert (await on_phone).json()["error"]["code"] == "invalid_credentials"
    assert len(await school.rows(WebSession)) == 1


async def test_a_reset_link_that_was_used_meanwhile_changes_nothing(school: School, passwords: GatedPasswords) -> None:
    async with school.browser() as owner, school.browser() as first, school.browser() as second:
        await school.learner(owner)
        await owner.post("/api/password-resets", json={"email": "bob@example.com"})
        await school.work()
        token = school.token("/reset/", "bob@example.com")
        passwords.gate.close()
        slow = asyncio.create_task(
            first.post("/api/password-resets/spend", json={"token": token, "password": "the slow one of two"})
        )
        await passwords.gate.reached()
        school.use(passwords=GatedPasswords())
        quick = await second.post("/api/password-resets/spend", json={"token": token, "password": "the quick one here"})
        assert quick.status_code == 200
        passwords.gate.open()
        assert (await slow).json()["error"]["code"] == "link_invalid"
        answer = await owner.post("/api/session", json={"email": "bob@example.com", "password": "the quick one here"})
        assert answer.status_code == 200


async def test_an_account_that_is_deleted_while_its_page_is_paid_loses_no_money(school: School) -> None:
    """The deletion has read the order as unpaid when the payment is written."""
    original, database = school.service.database, GatedDatabase(school.service.settings.database_url)
    async with school.browser() as learner:
        await school.learner(learner)
        session = await school.begin(learner)
        school.use(database=database)
        database.gate.close()
        deleting = asyncio.create_task(learner.post("/api/account/deletion", json={"password": PASSWORD}))
        await database.gate.reached()
        school.pay(session)
        database.gate.open()
        assert (await deleting).status_code == 200
        await school.settle()
    order = await school.order(session)
    assert order.state == "paid"
    assert order.owner_id is None or order.buyer_id == order.owner_id
    school.use(database=original)
    await database.close()


async def test_a_code_that_is_used_up_after_it_was_looked_up_is_refused_with_a_reason(
    school: School, payments: GatedPayments, catalog: Catalog
) -> None:
    await choose_promotion_codes(school, catalog, "own")
    async with school.browser() as quick, school.browser() as slow:
        last = await school.begin(quick, code="ONCE50")
        payments.gate.close()
        asking = asyncio.create_task(slow.post("/api/checkout", data={"course": SOURDOUGH, "code": "ONCE50"}))
        await payments.gate.reached()
        school.pay(last)
        payments.gate.open()
        assert (await asking).headers["location"].endswith("#code-expired")
        assert (await school.begin(slow))["amount_total"] == 4900  # and the full price can be paid at once


async def test_an_order_that_never_rests_is_tried_again_later(school: School, sandbox: Sandbox) -> None:
    class Restless(Payments):
        async def facts(self, session_id: str) -> PaymentFacts:
            facts = await super().facts(session_id)
            async with school.service.database.transaction() as db:
                order = (await db.scalars(select(Order))).one()
                order.revision += 1
            return facts

    session, order = await paid(school)
    plain, restless = school.service.gateways, Restless(school.service.settings)
    school.use(gateways=replace(plain, payments=restless))
    with pytest.raises(OrderBusy):
        await reconcile_order(school.service, order.id)
    assert (await school.order(session)).state == "pending"
    school.use(gateways=plain)
    await restless.close()
    assert await reconcile_order(school.service, order.id) == "paid"


async def test_a_refund_while_the_link_s_password_is_hashed_leaves_nothing_claimed(
    school: School, passwords: GatedPasswords
) -> None:
    async with school.browser() as buyer:
        session = await school.buy(buyer)
        token = school.claim_token()
        passwords.gate.close()
        claiming = asyncio.create_task(buyer.post("/api/claims", json={"token": token, **BODY}))
        await passwords.gate.reached()
        school.bank.refund(session["payment_intent"], amount=None)
        await school.settle()
        passwords.gate.open()
        assert (await claiming).status_code == 410
    assert await school.rows(User) == []


async def test_an_account_made_while_the_buyer_s_password_is_hashed_is_not_taken_over(
    school: School, passwords: GatedPasswords
) -> None:
    """The browser that bought proves no address: it may make an account, and never use one that exists."""
    async with school.browser() as buyer, school.browser() as owner:
        session = await school.buy(buyer)
        passwords.gate.close(only_next=True)
        claiming = asyncio.create_task(school.claim(buyer, session, password="not the owner's password"))
        await passwords.gate.reached()
        await school.learner(owner, "ann@example.com", verified=False)
        passwords.gate.open()
        assert (await claiming).json()["error"]["code"] == "order_not_claimable"
    assert await school.rows(Entitlement) == []


async def test_an_account_deleted_while_its_password_is_verified_claims_nothing(
    school: School, passwords: GatedPasswords
) -> None:
    async with school.browser() as buyer, school.browser() as owner:
        await school.learner(owner, "ann@example.com", verified=False)
        session = await school.buy(buyer)
        passwords.gate.close(only_next=True)
        claiming = asyncio.create_task(school.claim(buyer, session))
        await passwords.gate.reached()
        assert (await owner.post("/api/account/deletion", json={"password": PASSWORD})).status_code == 200
        passwords.gate.open()
        assert (await claiming).json()["error"]["code"] == "order_not_claimable"
    assert await school.rows(Entitlement) == []


async def test_old_facts_do_not_undo_a_refund_of_what_nobody_claimed(school: School) -> None:
    """The order was written once before: each write counts, and not only the first."""
    payments, plain = GatedPayments(school.service.settings), school.service.gateways
    async with school.browser() as buyer:
        session = await school.buy(buyer)
        order = await school.order(session)
        school.use(gateways=replace(plain, payments=payments))
        payments.gate.close()
        slow = asyncio.create_task(reconcile_order(school.service, order.id))
        await payments.gate.reached()
        school.bank.refund(session["payment_intent"], amount=None)
        school.use(gateways=plain)
        assert await reconcile_order(school.service, order.id) == "refunded"
        payments.gate.open()
        assert await slow == "refunded"
        await payments.close()
        assert (await school.order(session)).state == "refunded"
