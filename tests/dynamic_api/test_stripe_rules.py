"""Stripe's own rules: what it refuses, what it does by default, and who has to know."""

import logging
import time
from dataclasses import replace

import pytest
import stripe

from dynamic_api.core.models import Installation, Job, WebhookEvent
from dynamic_api.core.settings import Settings, Tax
from dynamic_api.gateways.payments import Payments
from dynamic_api.health.check import check_health
from dynamic_api.orders.money_mode import use_money_mode
from sitegen.catalog.manifest import compile_manifest, write_manifest
from sitegen.catalog.model import Catalog, Price
from tests.conftest import Sandbox
from tests.dynamic_api.test_checkout import choose_promotion_codes
from tests.dynamic_api.test_order_lines import courses_of
from tests.school import KNOTS, LESSON, SOURDOUGH, WEBHOOK_SECRET, School, TestClock, make_school


async def product_of(school: School) -> str:
    """What the first course is called at Stripe."""
    [installation] = await school.rows(Installation)
    return f"coursewright_{installation.key}_{SOURDOUGH}"


async def change(school: School, catalog: Catalog, **values: object) -> None:
    courses = tuple(each.model_copy(update=values) if each.id == SOURDOUGH else each for each in catalog.courses)
    write_manifest(compile_manifest(catalog.model_copy(update={"courses": courses})), school.service.settings.manifest)
    await school.service.catalog.refresh()


@pytest.mark.parametrize(
    ("tax", "managed", "automatic", "behavior"),
    [(Tax.OFF, False, False, None), (Tax.STRIPE, False, True, "inclusive"), (Tax.MANAGED, True, None, "inclusive")],
)
async def test_both_kinds_of_tax_are_always_said(
    settings: Settings, sandbox: Sandbox, tax: Tax, managed: bool, automatic: bool | None, behavior: str | None
) -> None:
    """A new account has Managed Payments on, and perhaps taxes, where a field is left out."""
    sandbox.bank.forget_everything()
    school = make_school(settings.model_copy(update={"tax": tax}), sandbox.bank, TestClock())
    await school.service.catalog.refresh()
    async with school.browser() as browser:
        session = await school.buy(browser)
        assert (await school.order(session)).state == "paid"
    assert session["managed_payments"] == {"enabled": managed}
    assert session["automatic_tax"]["enabled"] == bool(automatic)
    assert sandbox.bank.store.objects[await product_of(school)]["tax_code"] == "txcd_20060258"
    await school.service.close()


async def test_paid_and_the_webhook_lost_is_found_by_buying_again(school: School) -> None:
    async with school.browser() as browser, school.browser() as elsewhere:
        session = await school.begin(browser)
        school.pay(session)
        school.bank.emitted.clear()
        school.clock.forward(minutes=26)
        answer = await browser.post("/api/checkout", data={"course": SOURDOUGH})
        assert answer.headers["location"].startswith("/checkout/success/?order=ord_")
        assert (await school.order(session)).state == "paid"
        await school.learner(elsewhere)
        second = await school.begin(elsewhere)
        school.pay(second)
        school.bank.emitted.clear()
        async with school.browser() as device:
            await device.post("/api/session", json={"email": "bob@example.com", "password": "a loaf on every table"})
            school.clock.forward(seconds=6)
            answer = await device.post("/api/checkout", data={"course": SOURDOUGH})
            assert answer.headers["location"].endswith("#already-yours")


async def test_a_key_without_a_permission_is_told_to_the_operator(
    school: School, caplog: pytest.LogCaptureFixture
) -> None:
    school.bank.denied.add("rak_checkout_session_write")
    async with school.browser() as browser:
        answer = await browser.post("/api/checkout", data={"course": SOURDOUGH})
        assert answer.headers["location"] == f"/courses/{SOURDOUGH}/#payment-refused"
        assert "rak_checkout_session_write" in caplog.text
        health = await check_health(school.service)
        assert any("rak_checkout_session_write" in problem for problem in health.problems)
        school.bank.denied.clear()
        await school.begin(browser)
        assert not (await check_health(school.service)).problems


async def test_products_are_kept_in_step_and_on_sale(school: School, catalog: Catalog) -> None:
    async with school.browser() as browser:
        await school.begin(browser)
        await change(school, catalog, title="Bread, from Flour to Loaf")
        school.clock.forward(hours=12)
        await school.begin(browser)
        product = school.bank.store.objects[await product_of(school)]
        assert product["name"] == "Bread, from Flour to Loaf"
        product["active"] = False  # archived in Stripe's dashboard
        school.clock.forward(hours=12)
        await school.begin(browser)
        assert product["active"]


async def test_a_code_that_leaves_too_little_is_explained(school: School, catalog: Catalog) -> None:
    await choose_promotion_codes(school, catalog, "own")
    site = catalog.site.model_copy(update={"promotion_codes": "own"})
    await change(school, catalog.model_copy(update={"site": site}), price=Price(amount=60, currency="EUR"))
    async with school.browser() as browser:
        answer = await browser.post("/api/checkout", data={"course": SOURDOUGH, "code": "ONCE50"})
        assert answer.headers["location"].endswith("#code-too-large")
        assert (await school.begin(browser))["amount_total"] == 60


async def test_what_stripe_refuses_for_good_is_told_apart_from_an_outage(
    school: School, catalog: Catalog, caplog: pytest.LogCaptureFixture
) -> None:
    await change(school, catalog, price=Price(amount=7, currency="EUR"))
    async with school.browser() as browser:
        answer = await browser.post("/api/checkout", data={"course": SOURDOUGH})
        assert answer.headers["location"].endswith("#payment-refused")
    assert "amount_too_small" in caplog.text


async def test_a_payment_that_is_gone_at_stripe_is_given_up_at_once(school: School) -> None:
    """As after a buyer's data was deleted there; the order stays as it is, and nobody asks 74 times."""
    async with school.browser() as owner:
        session = await school.owner(owner)
        school.bank.refund(session["payment_intent"], amount=100)
        del school.bank.store.objects[session["id"]]
        await school.settle()
        assert (await school.order(session)).state == "paid"
        assert [job.attempts for job in await school.rows(Job) if job.state == "dead"] == [1, 1]
        assert (await owner.get(f"/api/learn/{SOURDOUGH}/{LESSON}")).status_code == 200


async def test_a_session_that_this_key_cannot_see_is_somebody_elses(school: School) -> None:
    async with school.browser() as browser:
        session = await school.begin(browser)
        school.pay(session)
    event = next(each for each in school.bank.emitted if each["type"] == "checkout.session.completed")
    foreign = {**event["data"]["object"], "id": "cs_test_of_another_account"}
    school.bank.emitted.clear()
    await school.deliver([{**event, "id": "evt_foreign", "data": {"object": foreign}}])
    await school.work()
    [stored] = await school.rows(WebhookEvent)
    assert stored.outcome == "not a payment of this installation"


async def test_a_click_takes_ten_seconds_at_most(school: School, sandbox: Sandbox) -> None:
    gateways = school.service.gateways
    assert gateways.payments.patience == 10
    impatient = Payments(school.service.settings, patience=0.3)
    school.use(gateways=replace(gateways, payments=impatient))
    sandbox.outage.update(seconds=1, status=0, left=1)
    async with school.browser() as browser:
        before = time.monotonic()
        answer = await browser.post("/api/checkout", data={"course": SOURDOUGH})
        assert answer.headers["location"].endswith("#payment-unavailable")
        assert time.monotonic() - before < 1


@pytest.mark.parametrize(
    ("body", "secret", "age", "why"),
    [
        ("{}", WEBHOOK_SECRET, 0, "thin events"),
        ('{"id": "evt_1", "object": "v2.core.event", "type": "v1.x"}', WEBHOOK_SECRET, 0, "thin events"),
        ("{}", WEBHOOK_SECRET, 400, "the clock of this machine is wrong"),
        ("{}", "whsec_of_another", 0, "no secret of this installation signed it"),
    ],
)
async def test_a_refused_webhook_says_why_to_the_operator_alone(
    school: School, caplog: pytest.LogCaptureFixture, body: str, secret: str, age: int, why: str
) -> None:
    stamp = int(time.time()) - age
    signature = stripe.WebhookSignature._compute_signature(f"{stamp}.{body}", secret)
    header = {"Stripe-Signature": f"t={stamp},v1={signature}"}
    with caplog.at_level(logging.WARNING):
        async with school.browser() as stripe_itself:
            answer = await stripe_itself.post("/webhooks/stripe", content=body, headers=header)
    assert answer.status_code == 400
    assert why not in answer.text
    assert why in caplog.text


async def test_test_money_opens_nothing_once_the_key_is_a_live_one(school: School) -> None:
    """And going back to the test key gives it back: nothing irreversible follows from a setting."""
    lesson = f"/api/learn/{SOURDOUGH}/{LESSON}"
    async with school.browser() as owner, school.browser() as guest:
        await use_money_mode(school.service)
        await school.owner(owner)
        waiting = await school.buy(guest, email="guest@example.com")
        payments = school.service.gateways.payments
        mails = len(school.mails())
        for livemode, status in ((True, 403), (False, 200)):
            payments.livemode = livemode
            assert await use_money_mode(school.service) == 2
            assert await use_money_mode(school.service) == 0
            assert (await owner.get(lesson)).status_code == status
            await school.work()
        assert len(school.mails()) == mails
        payments.livemode = True
        await use_money_mode(school.service)
        assert (await school.claim(guest, waiting)).json()["error"]["code"] == "order_not_claimable"
        payments.livemode = False


async def test_pages_live_long_enough_for_a_wrong_clock(school: School) -> None:
    async with school.browser() as browser:
        for wrong in (-6, 6):
            school.bank.store.clock = lambda wrong=wrong: school.clock().timestamp() + wrong * 3600  # type: ignore[misc]
            await school.begin(browser)
            school.clock.forward(hours=12)


def test_settings_of_managed_payments_do_not_contradict_each_other(settings: Settings) -> None:
    from dynamic_api.core.read_settings import _contradictions

    wrong = settings.model_copy(update={"tax": Tax.MANAGED, "invoices": True, "tax_ids": True})
    said = "\n".join(_contradictions(wrong))
    assert "COURSEWRIGHT_INVOICES" in said
    assert "COURSEWRIGHT_TAX_IDS" in said


async def test_only_what_was_paid_is_settled_when_the_mode_of_the_key_changes(school: School) -> None:
    await use_money_mode(school.service)
    async with school.browser() as browser, school.browser() as other:
        await school.learner(other)
        await other.post("/api/checkout", data={"course": KNOTS})  # free: of no mode
        await school.begin(other)
        await school.buy(browser)
        school.service.gateways.payments.livemode = True
        assert await use_money_mode(school.service) == 1
        assert await courses_of(other) == {KNOTS}
        school.service.gateways.payments.livemode = False
