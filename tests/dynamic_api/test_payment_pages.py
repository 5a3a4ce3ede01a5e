"""Which payment page a click gets, which are closed, and what is told about them."""

from dynamic_api.core.models import Job, Order
from tests.school import KNOTS, PASSWORD, School


async def test_only_a_payment_closes_the_buyers_other_pages(school: School) -> None:
    async with school.browser() as browser:
        first = await school.begin(browser)
        school.clock.forward(hours=11)
        second = await school.begin(browser)
        school.bank.expire(first)
        await school.settle()
        assert [job for job in await school.rows(Job) if job.kind == "checkout.close"] == []
        assert second["status"] == "open"


async def test_a_page_left_open_on_another_device_is_closed(school: School) -> None:
    async with school.browser() as here, school.browser() as there:
        await school.learner(here)
        await there.post("/api/session", json={"email": "bob@example.com", "password": PASSWORD})
        first = await school.begin(here)
        await school.buy(there)
        await school.settle()
        assert first["status"] == "expired"


async def test_the_day_of_payment_is_stripes_however_late_we_hear_of_it(school: School) -> None:
    async with school.browser() as buyer:
        session = await school.begin(buyer)
        school.pay(session)
        paid_at = school.clock()
        school.clock.forward(hours=3)
        await school.settle()
        assert (await school.order(session)).paid_at == paid_at


async def test_a_payment_that_fails_is_told_once(school: School) -> None:
    async with school.browser() as browser:
        session = await school.begin(browser)
        school.pay(session, delayed=True)
        await school.settle()
        assert school.mails("ann@example.com") == []
        school.bank.settle(session, succeeds=False)
        failed = list(school.bank.emitted)
        await school.settle()
        assert len(school.mails("ann@example.com")) == 1
        await school.deliver([{**event, "id": f"{event['id']}_again"} for event in failed])
        await school.work()
        assert len(school.mails("ann@example.com")) == 1
        keys = [job.key for job in await school.rows(Job) if job.kind == "mail.send"]
        assert [key.split(".")[0] for key in keys] == ["mail:payment_failed"]


async def test_everybody_who_asks_for_a_free_course_gets_a_link_of_their_own(school: School) -> None:
    async with school.browser() as browser:
        for address in ("ann@example.com", "bob@example.com"):
            await browser.post("/api/checkout", data={"course": KNOTS, "email": address})
        await school.work()
        assert [len(school.mails(address)) for address in ("ann@example.com", "bob@example.com")] == [1, 1]
        assert sorted(str(order.buyer_email) for order in await school.rows(Order)) == [
            "ann@example.com",
            "bob@example.com",
        ]


async def test_a_gift_whose_money_is_under_way_keeps_nobody_from_buying(school: School) -> None:
    async with school.browser() as browser:
        gift = await school.begin(browser, gift="1", recipient_email="fran@example.com")
        school.pay(gift, delayed=True)
        await school.settle()
        assert (await school.begin(browser))["status"] == "open"


async def test_a_page_begun_before_signing_in_is_not_the_learners(school: School) -> None:
    """It would know neither their customer nor their address."""
    async with school.browser() as browser:
        as_guest = await school.begin(browser)
        await school.learner(browser)
        own = await school.begin(browser)
        assert own["id"] != as_guest["id"]
        assert (await school.begin(browser))["id"] == own["id"]
        await browser.delete("/api/session")
        assert (await school.begin(browser))["id"] not in (own["id"],)


async def test_a_receipt_repeats_the_promise_of_money_back(school: School) -> None:
    """As the page said it, and only to whoever paid something."""
    async with school.browser() as buyer, school.browser() as learner:
        await school.buy(buyer)
        await school.learner(learner, "bob@example.com")
        await learner.post("/api/checkout", data={"course": KNOTS})
        await school.settle()
    paid, free = [
        next(mail for mail in school.mails(to) if mail["subject"].startswith("Your course"))
        for to in ("ann@example.com", "bob@example.com")
    ]
    contact = school.service.catalog.current.site.contact_email
    assert f"Write to {contact} within 30 days, and you get your money back." in " ".join(paid["text"].split())
    assert "money back" not in free["text"]
