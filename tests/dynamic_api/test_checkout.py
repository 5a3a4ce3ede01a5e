"""Buying: what a form may say, and what Stripe may do."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import func, select, text

from dynamic_api.checkout.buyer import Buyer
from dynamic_api.checkout.free import take_free_course
from dynamic_api.checkout.offer import offer_of
from dynamic_api.checkout.start import Options, start_checkout
from dynamic_api.core.emails import Email
from dynamic_api.core.models import Installation, Job, Order
from dynamic_api.core.settings import Settings, Tax
from dynamic_api.gateways.payments import Payments
from dynamic_api.handlers import HANDLERS
from dynamic_api.jobs.worker import run_due
from sitegen.catalog.manifest import compile_manifest, write_manifest
from sitegen.catalog.model import Catalog
from tests.conftest import Sandbox
from tests.school import GIT, KNOTS, LESSON, PASSWORD, SOURDOUGH, School, TestClock, make_school


async def test_price_and_course_in_the_form_are_not_believed(school: School) -> None:
    async with school.browser() as browser:
        form = {"course": SOURDOUGH, "amount": "1", "currency": "JPY", "unit_amount": "1"}
        for price in ("1", "1 EUR", "4900 JPY", "free", ""):
            told = await browser.post("/api/checkout", data={**form, "price": price})
            assert told.headers["location"] == f"/courses/{SOURDOUGH}/#price-changed"
        assert await school.rows(Order) == []
        answer = await browser.post("/api/checkout", data={**form, "price": "4900 EUR"})
        session = school.bank.store.objects[answer.headers["location"].rpartition("/")[2]]
        assert (session["amount_total"], session["currency"]) == (4900, "eur")


@pytest.mark.parametrize(
    "course", ["bookbinding", "no-such-course", "", "../../etc/passwd", "sourdough%00", "a" * 5000]
)
async def test_drafts_and_inventions_cannot_be_bought(school: School, course: str) -> None:
    async with school.browser() as browser:
        answer = await browser.post("/api/checkout", data={"course": course})
        assert answer.status_code == 303
        assert answer.headers["location"] == "/courses/#not-for-sale"
    assert await school.rows(Order) == []


async def test_double_click_and_second_tab_share_one_payment_page(school: School) -> None:
    async with school.browser() as browser:
        await browser.get("/api/orders/ord_x")
        first = await school.begin(browser)
        second = await school.begin(browser)
        assert first["id"] == second["id"]
        other = await school.begin(browser, GIT)
        assert other["id"] != first["id"]
    async with school.browser() as stranger:
        assert (await school.begin(stranger))["id"] != first["id"]


async def test_product_is_made_once_with_a_stable_id(school: School) -> None:
    async with school.browser() as one, school.browser() as two:
        await asyncio.gather(school.begin(one), school.begin(two))
    assert [product["id"] for product in school.bank.store.all("product")] == [
        f"coursewright_{(await school.rows(Installation))[0].key}_sourdough"
    ]


async def test_stripe_down_charges_nothing_and_says_so(school: School, sandbox: Sandbox) -> None:
    sandbox.outage.update(status=500, left=50)
    async with school.browser() as browser:
        answer = await browser.post("/api/checkout", data={"course": SOURDOUGH})
        assert answer.headers["location"] == f"/courses/{SOURDOUGH}/#payment-unavailable"
        sandbox.outage.update(left=0)
        assert (await school.begin(browser))["amount_total"] == 4900


async def test_stripe_down_while_reconciling_is_tried_again(school: School, sandbox: Sandbox) -> None:
    async with school.browser() as browser:
        session = await school.begin(browser)
        school.pay(session)
        sandbox.outage.update(status=429, left=50)
        await school.deliver()
        await school.work()
        assert (await school.order(session)).state == "pending"
        assert "waiting" in {job.state for job in await school.rows(Job)}
        answer = (await browser.get(f"/api/orders/{session['client_reference_id']}")).json()
        assert answer["state"] == "pending"
        sandbox.outage.update(left=0)
        school.clock.forward(minutes=5)
        await school.work()
        assert (await school.order(session)).state == "paid"


async def test_stripe_slow_is_not_waited_for_and_grants_nothing_twice(school: School, sandbox: Sandbox) -> None:
    """Thirty seconds are longer than we wait: the order stays, and the next try ends well."""
    async with school.browser() as browser:
        session = await school.begin(browser)
        school.pay(session)
        await school.deliver()
        sandbox.outage.update(status=0, seconds=0.6, left=3)
        hasty = Payments(school.service.settings, timeout=0.2)
        await run_due(replace(school.service, gateways=replace(school.service.gateways, payments=hasty)), HANDLERS)
        await hasty.close()
        assert (await school.order(session)).state == "pending"
        sandbox.outage.update(left=0, seconds=0)
        school.clock.forward(minutes=5)
        await school.work()
        assert (await school.order(session)).state == "paid"
        assert len(school.mails()) == 1


async def test_crash_after_stripes_answer_is_found_by_the_webhook(school: School) -> None:
    async with school.browser() as browser:
        session = await school.begin(browser)
        await school.lose_page()
        school.pay(session)
        await school.settle()
        assert (await school.order(session)).state == "paid"
        assert len(school.mails()) == 1


async def test_abandoned_pages_do_not_block_the_next_attempt(school: School) -> None:
    async with school.browser() as browser:
        first = await school.begin(browser)
        school.bank.expire(first)
        await school.settle()
        assert (await school.order(first)).state == "expired"
        second = await school.buy(browser)
        assert second["id"] != first["id"]
        assert (await school.order(second)).state == "paid"


async def test_buyer_with_a_proven_address_gets_access_at_once(school: School) -> None:
    async with school.browser() as learner, school.browser() as elsewhere:
        await school.learner(learner, "Bob@Example.com")
        await school.buy(elsewhere, email=" bob@EXAMPLE.com ".strip())
        assert (await learner.get(f"/api/learn/{SOURDOUGH}/{LESSON}")).status_code == 200
        assert "claim" not in school.mails()[0]["text"]


async def test_address_that_was_only_typed_gives_nothing(school: School) -> None:
    async with school.browser() as squatter, school.browser() as buyer:
        await school.learner(squatter, "ann@example.com", verified=False)
        await school.buy(buyer, email="ann@example.com")
        assert (await squatter.get(f"/api/learn/{SOURDOUGH}/{LESSON}")).status_code == 403
        # The emailed link proves the address: its holder takes the account over, the squatter is out.
        body = {"token": school.claim_token(), "name": "Ann", "password": "the real ann is here"}
        assert (await buyer.post("/api/claims", json=body)).status_code == 200
        assert (await buyer.get(f"/api/learn/{SOURDOUGH}/{LESSON}")).status_code == 200
        assert (await squatter.get("/api/session")).status_code == 401


async def test_cross_site_forms_are_refused(school: School) -> None:
    async with school.browser() as browser:
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
            answer = await browser.post("/api/checkout", data={"course": SOURDOUGH}, headers=headers)
            assert answer.json()["error"]["code"] == "cross_origin"
        del browser.headers["sec-fetch-site"]
        evil = await browser.post("/api/checkout", data={"course": SOURDOUGH}, headers={"Origin": "https://evil.test"})
        assert evil.status_code == 403
        own = await browser.post("/api/checkout", data={"course": SOURDOUGH}, headers={"Origin": "https://school.test"})
        assert own.status_code == 303
        bare = await browser.post("/api/checkout", data={"course": SOURDOUGH})  # now it has a cookie
        assert bare.status_code == 403
    async with school.service.database.reading() as db:
        assert await db.scalar(select(func.count()).select_from(Order)) == 1


async def choose_promotion_codes(school: School, catalog: Catalog, where: str) -> None:
    """What a creator does in site.yaml, and a rebuild."""
    site = catalog.site.model_copy(update={"promotion_codes": where})
    write_manifest(compile_manifest(catalog.model_copy(update={"site": site})), school.service.settings.manifest)
    await school.service.catalog.refresh()


async def test_settings_reach_the_payment_page(settings: Settings, sandbox: Sandbox, catalog: Catalog) -> None:
    wanted = settings.model_copy(update={"tax": Tax.STRIPE, "tax_ids": True, "invoices": True, "terms_consent": True})
    school = make_school(wanted, sandbox.bank, TestClock())
    await choose_promotion_codes(school, catalog, "off")
    async with school.browser() as browser:
        session = await school.begin(browser)
    await school.service.close()
    assert session["automatic_tax"]["enabled"]
    assert session["consent_collection"] == {"terms_of_service": "required"}
    assert session["allow_promotion_codes"] is None


async def test_a_course_may_end_access_with_a_partial_refund(school: School, catalog: Catalog) -> None:
    courses = tuple(course.model_copy(update={"partial_refund_keeps_access": False}) for course in catalog.courses)
    strict = catalog.model_copy(update={"courses": courses})
    write_manifest(compile_manifest(strict), school.service.settings.manifest)
    await school.service.catalog.refresh()
    async with school.browser() as browser:
        session = await school.owner(browser)
        school.bank.refund(session["payment_intent"], amount=100)
        await school.settle()
        assert (await school.order(session)).state == "partially_refunded"
        assert (await browser.get(f"/api/learn/{SOURDOUGH}/{LESSON}")).status_code == 403


async def test_a_new_price_means_a_new_payment_page(school: School, catalog: Catalog) -> None:
    async with school.browser() as browser:
        old = await school.begin(browser)
        price = next(course.price for course in catalog.courses if course.slug == SOURDOUGH)
        assert price
        dearer = price.model_copy(update={"amount": 5900})
        courses = tuple(
            course.model_copy(update={"price": dearer}) if course.slug == SOURDOUGH else course
            for course in catalog.courses
        )
        changed = compile_manifest(catalog.model_copy(update={"courses": courses}))
        write_manifest(changed, school.service.settings.manifest)
        await school.service.catalog.refresh()
        new = await school.begin(browser)
        assert (old["amount_total"], new["amount_total"]) == (4900, 5900)
        assert new["id"] != old["id"]
        assert (await school.begin(browser))["id"] == new["id"]


async def test_a_free_course_opens_by_email_only(school: School) -> None:
    """Nobody paid, so nothing proves the address."""
    async with school.browser() as guest, school.browser() as reader:
        await guest.post("/api/checkout", data={"course": KNOTS, "email": "victim@example.com"})
        [order] = await school.rows(Order)
        answer = await guest.post(f"/api/orders/{order.public_id}/claim", json={"name": "X", "password": PASSWORD})
        assert answer.json()["error"]["code"] == "order_not_claimable"
        await school.work()
        body = {"token": school.claim_token("victim@example.com"), "name": "Vic", "password": PASSWORD}
        assert (await reader.post("/api/claims", json=body)).status_code == 200


async def test_only_what_was_paid_has_a_day_of_payment(school: School) -> None:
    async with school.browser() as browser:
        session = await school.begin(browser)
        school.bank.expire(session)
        await school.settle()
        assert (await school.order(session)).paid_at is None
        session = await school.begin(browser)
        school.pay(session, delayed=True)
        await school.settle()
        assert ((await school.order(session)).state, (await school.order(session)).paid_at) == ("pending", None)
        school.bank.settle(session, succeeds=False)
        await school.settle()
        assert ((await school.order(session)).state, (await school.order(session)).paid_at) == ("failed", None)
        session = await school.buy(browser)
        paid_at = (await school.order(session)).paid_at
        assert paid_at is not None
        school.bank.refund(session["payment_intent"], amount=100)
        await school.settle()
        assert (await school.order(session)).paid_at == paid_at


async def test_a_page_that_stripe_never_made_is_not_waited_for(school: School) -> None:
    """The service was stopped between asking Stripe and writing the answer down; the buyer presses Buy again."""
    async with school.browser() as browser:
        await school.begin(browser)
        await school.lose_page()
        school.clock.forward(seconds=44)
        await school.begin(browser)
        assert len(await school.rows(Order)) == 1  # another click may still be asking Stripe for it
        await school.lose_page()
        school.clock.forward(seconds=1)
        await school.begin(browser)
        assert len(await school.rows(Order)) == 2


async def test_a_price_cannot_be_left_out_by_mistake(school: School) -> None:
    """Which of the two functions applies is the catalogue's decision; neither believes its caller."""
    catalog, buyer = school.service.catalog.current, Buyer(None, "browser", Email.parse("ann@example.com"))
    with pytest.raises(ValueError, match="a free course is not bought"):
        await start_checkout(school.service, offer_of(catalog.course(KNOTS)), buyer, Options())
    with pytest.raises(ValueError, match="has a price"):
        await take_free_course(school.service, catalog.course(SOURDOUGH), buyer)
    assert await school.rows(Order) == []


async def test_a_payment_without_an_address_is_claimed_by_somebody_signed_in(school: School) -> None:
    """Stripe deletes a customer's data on request, and then tells no address."""
    async with school.browser() as buyer:
        session = await school.begin(buyer)
        school.pay(session)
        session["customer_details"] = None
        await school.settle()
        order = await school.order(session)
        assert (order.state, order.buyer_email) == ("paid", None)
        assert school.mails() == []
        assert (await school.claim(buyer, session)).json()["error"]["code"] == "order_not_claimable"
        await school.learner(buyer)
        assert (await school.claim(buyer, session)).status_code == 200
        assert (await buyer.get(f"/api/learn/{SOURDOUGH}/{LESSON}")).status_code == 200


async def test_a_refund_to_nobody_we_know_tells_nobody(school: School) -> None:
    async with school.browser() as buyer:
        session = await school.begin(buyer)
        school.pay(session)
        session["customer_details"] = None
        school.bank.refund(session["payment_intent"], amount=None)
        await school.settle()
        assert (await school.order(session)).state == "refunded"
        assert school.mails() == []


async def test_only_pages_that_exist_are_closed_after_a_payment(school: School) -> None:
    async with school.browser() as browser:
        await school.begin(browser)
        await school.lose_page()
        school.clock.forward(hours=11)
        left_open = await school.begin(browser)
        school.clock.forward(hours=11)
        await school.buy(browser)
        closed = [job.key for job in await school.rows(Job) if job.kind == "checkout.close"]
        assert closed == [f"close:{left_open['client_reference_id']}"]


async def test_what_somebody_else_owns_can_still_be_bought(school: School) -> None:
    async with school.browser() as owner, school.browser() as other:
        await school.owner(owner)
        await school.learner(other)
        assert (await school.begin(other))["status"] == "open"


async def test_a_fault_of_ours_is_no_outage(school: School) -> None:
    """“Try again in a minute” would be untrue; what happened is in the log."""
    async with school.service.database.transaction() as db:
        await db.execute(text("ALTER TABLE orders RENAME TO lost"))
    async with school.browser() as browser:
        answer = await browser.post("/api/checkout", data={"course": SOURDOUGH})
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "server_error")
