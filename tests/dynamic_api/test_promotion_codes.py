"""Codes in our own box: looked up, explained, and never able to cost anybody more or less than Stripe says."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from dynamic_api.checkout.promotion_codes import refusal
from dynamic_api.core.models import Order, WebhookEvent
from dynamic_api.gateways.payment_facts import CodeFacts
from sitegen.catalog.model import Catalog, Price
from tests.dynamic_api.test_checkout import choose_promotion_codes
from tests.school import GIT, KNOTS, SOURDOUGH, School

NOW = datetime(2026, 11, 24, tzinfo=UTC)
PLAIN = CodeFacts("promo_1", True, None, None, (), None, None, None, False)


@pytest.mark.parametrize(
    ("change", "has_bought", "expected"),
    [
        ({}, False, None),
        ({"active": False}, False, "code-expired"),
        ({"expires_at": NOW}, False, "code-expired"),
        ({"expires_at": NOW + timedelta(seconds=1)}, False, None),
        ({"redemptions_left": 0}, False, "code-expired"),
        ({"redemptions_left": 1}, False, None),
        ({"products": ("coursewright_git",)}, False, "code-other-course"),
        ({"products": ("coursewright_sourdough",)}, False, None),
        ({"currency": "USD"}, False, "code-other-course"),
        ({"minimum": 4901, "minimum_currency": "EUR"}, False, "code-minimum"),
        ({"minimum": 4900, "minimum_currency": "EUR"}, False, None),
        ({"minimum": 1, "minimum_currency": "USD"}, False, "code-minimum"),
        ({"first_purchase_only": True}, True, "code-first-only"),
        ({"first_purchase_only": True}, False, None),
        ({"customer": "cus_ann"}, False, None),
        ({"customer": "cus_bob"}, False, "code-other-person"),
    ],
)
def test_table(change: dict[str, object], has_bought: bool, expected: str | None) -> None:
    code = CodeFacts(**{**PLAIN.__dict__, **change})
    price = Price(amount=4900, currency="EUR")
    assert (
        refusal(code, price, ["coursewright_sourdough"], has_bought=has_bought, customer="cus_ann", now=NOW) == expected
    )


async def test_own_box_takes_off_what_the_code_is_worth(school: School, catalog: Catalog) -> None:
    await choose_promotion_codes(school, catalog, "own")
    async with school.browser() as browser:
        session = await school.begin(browser, code=" welcome20 ")
        assert (session["amount_total"], session["allow_promotion_codes"]) == (3920, None)
        school.pay(session)
        await school.settle()
        order = await school.order(session)
        assert (order.state, order.amount, order.total_amount) == ("paid", 4900, 3920)


@pytest.mark.parametrize(
    ("code", "course", "notice"),
    [
        ("NOSUCHCODE", SOURDOUGH, "code-unknown"),
        ("SUMMER20", SOURDOUGH, "code-expired"),
        ("OTHER15", GIT, "code-other-course"),
        ("LARGE10", SOURDOUGH, "code-minimum"),
        ("x" * 500, SOURDOUGH, "code-unknown"),
    ],
)
async def test_refusals_are_explained_and_begin_nothing(
    school: School, catalog: Catalog, code: str, course: str, notice: str
) -> None:
    await choose_promotion_codes(school, catalog, "own")
    async with school.browser() as browser:
        answer = await browser.post("/api/checkout", data={"course": course, "code": code})
        assert answer.headers["location"] == f"/courses/{course}/#{notice}"
        assert await school.rows(Order) == []
        assert (await school.begin(browser, course))["amount_total"] == (4900 if course == SOURDOUGH else 6900)


async def test_first_purchase_codes_know_their_buyer(school: School, catalog: Catalog) -> None:
    await choose_promotion_codes(school, catalog, "own")
    async with school.browser() as browser:
        await school.owner(browser)
        answer = await browser.post("/api/checkout", data={"course": GIT, "code": "FIRST10"})
        assert answer.headers["location"].endswith("#code-first-only")
    async with school.browser() as newcomer:
        assert (await school.begin(newcomer, GIT, code="FIRST10"))["amount_total"] == 6210


async def test_another_code_is_another_payment_page(school: School, catalog: Catalog) -> None:
    await choose_promotion_codes(school, catalog, "own")
    async with school.browser() as browser:
        plain = await school.begin(browser)
        cheap = await school.begin(browser, code="WELCOME20")
        assert plain["id"] != cheap["id"]
        assert (await school.begin(browser, code="WELCOME20"))["id"] == cheap["id"]
        assert (await school.begin(browser))["id"] == plain["id"]


@pytest.mark.parametrize(("where", "box"), [("stripe", True), ("off", None), ("own", None)])
async def test_box_of_stripe_is_shown_only_where_the_site_says_so(
    school: School, catalog: Catalog, where: str, box: bool | None
) -> None:
    await choose_promotion_codes(school, catalog, where)
    async with school.browser() as browser:
        session = await school.begin(browser, code="" if where == "own" else "WELCOME20")
        assert (session["allow_promotion_codes"], session["amount_total"]) == (box, 4900)


async def test_two_checkouts_race_for_the_last_use_of_a_code(school: School, catalog: Catalog) -> None:
    await choose_promotion_codes(school, catalog, "own")
    async with school.browser() as one, school.browser() as two:
        first, second = await asyncio.gather(school.begin(one, code="ONCE50"), school.begin(two, code="ONCE50"))
        assert first["amount_total"] == second["amount_total"] == 2450
        school.pay(first, "one@example.com")
        with pytest.raises(Exception, match="used up"):
            school.pay(second, "two@example.com")
        await school.settle()
        assert (await school.order(first)).total_amount == 2450
        assert (await school.order(second)).state == "pending"
        answer = await two.post("/api/checkout", data={"course": SOURDOUGH, "code": "ONCE50"})
        assert answer.headers["location"].endswith("#code-expired")
        full = await school.begin(two)
        school.pay(full, "two@example.com")
        await school.settle()
        assert (await school.order(full)).total_amount == 4900
    promotion = next(each for each in school.bank.store.all("promotion_code") if each["code"] == "ONCE50")
    assert promotion["times_redeemed"] == 1


async def test_a_first_purchase_is_the_first_that_was_paid(school: School, catalog: Catalog) -> None:
    """A page left unpaid is none, nor a free course; what was bought as a guest elsewhere is one."""
    await choose_promotion_codes(school, catalog, "own")
    async with school.browser() as learner, school.browser() as elsewhere:
        await school.learner(learner)
        await learner.post("/api/checkout", data={"course": KNOTS})
        await school.begin(learner, GIT)
        assert (await school.begin(learner, code="FIRST10"))["amount_total"] == 4410
        await school.buy(elsewhere, GIT, "bob@example.com")
        refused = await learner.post("/api/checkout", data={"course": SOURDOUGH, "code": "FIRST10"})
        assert refused.headers["location"].endswith("#code-first-only")


async def test_an_open_page_is_found_behind_others(school: School, catalog: Catalog) -> None:
    """Behind one with another code, and one that is a gift."""
    await choose_promotion_codes(school, catalog, "own")
    async with school.browser() as browser:
        first = await school.begin(browser)
        await school.begin(browser, code="WELCOME20")
        await school.begin(browser, gift="1", recipient_email="fran@example.com")
        assert (await school.begin(browser))["id"] == first["id"]


async def test_what_was_handled_keeps_its_moment(school: School) -> None:
    """A later event about the same payment writes over nothing."""
    async with school.browser() as browser:
        first = await school.begin(browser)
        school.pay(first)
        await school.settle()
        handled = {row.id: row.handled_at for row in await school.rows(WebhookEvent)}
        school.clock.forward(hours=1)
        school.bank.refund(first["payment_intent"], amount=100)
        await school.settle()
        for row in await school.rows(WebhookEvent):
            assert row.handled_at == handled.get(row.id, school.clock())
