"""What surrounds a payment: paying twice, giving back by command, one customer for each account, invoices, taxes."""

import asyncio

import pytest

from dynamic_api.claims import by_operator
from dynamic_api.core.emails import Email
from dynamic_api.core.models import Installation, Job, Order, User
from dynamic_api.core.settings import Settings, Tax
from dynamic_api.core.states import JobState, OrderState
from dynamic_api.gateways.payment_errors import PaymentsMisconfigured
from dynamic_api.orders.reconcile import reconcile_order
from dynamic_api.orders.refund import RefundRefused, refund_order
from dynamic_api.orders.sweep import find_differences
from scripts.sandbox import stripe_objects as make
from scripts.sandbox.bank import CardDeclined
from sitegen.catalog.model import Catalog
from tests.conftest import Sandbox, documented_permissions
from tests.dynamic_api.test_checkout import choose_promotion_codes
from tests.dynamic_api.test_order_lines import bought_together, courses_of, price
from tests.school import GIT, KNOTS, SOURDOUGH, School, TestClock, make_school


@pytest.fixture
def may_refund(sandbox: Sandbox) -> None:
    """The key of the command `refund`."""
    sandbox.bank.granted = documented_permissions() | {"rak_charge_write"}


def subjects(school: School, to: str) -> list[str]:
    return [mail["subject"] for mail in school.mails(to)]


@pytest.mark.usefixtures("may_refund")
async def test_who_paid_twice_is_told_and_one_command_gives_one_back(school: School) -> None:
    async with school.browser() as here, school.browser() as there:
        first = await school.begin(here)
        second = await school.begin(there)  # another device, before the first page is paid
        for session in (first, second):
            school.pay(session)
        await school.settle()
        operator = school.service.catalog.current.site.contact_email
        [told] = [mail for mail in school.mails("ann@example.com") if mail["subject"].startswith("You paid twice")]
        assert first["client_reference_id"] in told["text"]
        [notice] = [mail for mail in school.mails(operator) if mail["subject"].startswith("Paid twice")]
        assert f"coursewright refund {second['client_reference_id']}" in " ".join(notice["text"].split())
        await refund_order(school.service, second["client_reference_id"])
        await school.settle()
        assert (await school.order(second)).state is OrderState.REFUNDED
        assert (await school.claim(here, first)).status_code == 200
        assert await courses_of(here) == {SOURDOUGH}
        assert len([each for each in subjects(school, "ann@example.com") if "paid twice" in each]) == 1


async def test_two_guests_purchases_of_one_account_are_found_when_they_are_claimed(school: School) -> None:
    async with school.browser() as here, school.browser() as there:
        await school.owner(here)
        other = await school.buy(there, email="ann.other@example.com")
        assert "You paid twice" not in str(subjects(school, "ann@example.com"))
        await there.post("/api/session", json={"email": "ann@example.com", "password": "a loaf on every table"})
        body = {"token": school.claim_token("ann.other@example.com"), "name": "", "password": ""}
        assert (await there.post("/api/claims", json=body)).status_code == 200
        await school.work()
        assert any(each.startswith("You paid twice") for each in subjects(school, "ann.other@example.com"))
        assert (await school.order(other)).state is OrderState.PAID


async def test_the_order_in_which_pages_were_begun_does_not_matter(school: School) -> None:
    async with school.browser() as here, school.browser() as there:
        begun_first, begun_last = await school.begin(here), await school.begin(there)
        school.pay(begun_last)
        await school.settle()
        school.pay(begun_first)
        await school.settle()
        told = [mail for mail in school.mails("ann@example.com") if mail["subject"].startswith("You paid twice")]
        assert len(told) == 1


@pytest.mark.postgresql
async def test_payments_that_are_settled_at_once_see_each_other(school: School) -> None:
    """On PostgreSQL, each transaction would otherwise look before the others have written."""
    sessions = []
    for _ in range(6):
        async with school.browser() as browser:
            sessions.append(await school.begin(browser))
    for session in sessions:
        school.pay(session)
    orders = [(await school.order(session)).id for session in sessions]
    await asyncio.gather(*(reconcile_order(school.service, order) for order in orders))
    await school.work()
    told = [mail for mail in school.mails("ann@example.com") if mail["subject"].startswith("You paid twice")]
    assert len(told) == 5


async def test_a_double_that_was_refunded_meanwhile_is_not_told(school: School) -> None:
    async with school.browser() as here, school.browser() as there:
        sessions = [await school.begin(browser) for browser in (here, there)]
        for session in sessions:
            school.pay(session)
        school.bank.refund(sessions[1]["payment_intent"], amount=None)
        await school.settle()
        assert "paid twice" not in str(subjects(school, "ann@example.com"))


async def test_a_gift_of_what_one_owns_is_no_double(school: School) -> None:
    async with school.browser() as buyer:
        await school.owner(buyer)
        school.pay(await school.begin(buyer, gift="1", recipient_email="fran@example.com"))
        await school.settle()
        assert "paid twice" not in str(subjects(school, "ann@example.com")).casefold()


@pytest.mark.usefixtures("may_refund")
async def test_a_line_is_refunded_by_its_number_and_nothing_twice(school: School) -> None:
    async with school.browser() as buyer:
        session = await bought_together(school, buyer)
        name = session["client_reference_id"]
        said = await refund_order(school.service, name, line=2)
        assert said == f"€69 of {name} goes back to ann@example.com."
        assert await courses_of(buyer) == {SOURDOUGH}, "access ends at once, without a webhook"
        for line, why in ((2, "Nothing is left"), (3, "has no line 3")):
            with pytest.raises(RefundRefused, match=why):
                await refund_order(school.service, name, line=line)
        await refund_order(school.service, name)
        assert await courses_of(buyer) == set()
        refunds = [each["amount"] for each in school.bank.store.all("refund")]
        assert sorted(refunds) == sorted([price(school, GIT), price(school, SOURDOUGH)])
        with pytest.raises(RefundRefused, match="There is no order"):
            await refund_order(school.service, "ord_000000000000000000000000")
    async with school.browser() as other:
        await other.post("/api/checkout", data={"course": KNOTS, "email": "bob@example.com"})
        [free] = [order for order in await school.rows(Order) if order.buyer_email_key == "bob@example.com"]
        with pytest.raises(RefundRefused, match="Nothing is left"):
            await refund_order(school.service, free.public_id)
        unpaid = await school.begin(other)
        with pytest.raises(RefundRefused, match="was not paid: it is pending"):
            await refund_order(school.service, unpaid["client_reference_id"])


@pytest.mark.usefixtures("may_refund")
async def test_no_line_is_refunded_twice_because_nobody_knew_which_was_meant(school: School) -> None:
    async with school.browser() as buyer:
        session = await bought_together(school, buyer)
        school.bank.refund(session["payment_intent"], amount=123)
        await school.settle()
        with pytest.raises(RefundRefused, match="nobody can tell for which line"):
            await refund_order(school.service, session["client_reference_id"], line=1)
        await refund_order(school.service, session["client_reference_id"])
        assert (await school.order(session)).state is OrderState.REFUNDED


@pytest.mark.usefixtures("may_refund")
async def test_a_refund_that_failed_can_be_made_again(school: School) -> None:
    async with school.browser() as buyer:
        session = await school.buy(buyer)
        await refund_order(school.service, session["client_reference_id"])
        school.bank.fail_refund(school.bank.store.all("refund")[0])
        await refund_order(school.service, session["client_reference_id"])
        assert len(school.bank.store.all("refund")) == 2
        assert (await school.order(session)).state is OrderState.REFUNDED


async def test_the_service_itself_cannot_move_money(school: School) -> None:
    async with school.browser() as buyer:
        session = await school.buy(buyer)
    with pytest.raises(PaymentsMisconfigured, match="rak_charge_write"):
        await refund_order(school.service, session["client_reference_id"])


async def test_an_account_is_one_customer_and_its_address_follows(school: School, catalog: Catalog) -> None:
    await choose_promotion_codes(school, catalog, "stripe")
    async with school.browser() as buyer:
        user = await school.learner(buyer, "ann@example.com")
        first = await school.begin(buyer)
        assert (first["customer"], first["customer_email"]) == ((await school.rows(User))[0].customer_id, None)
        school.bank.discount(first, "FIRST10")
        school.pay(first)
        await school.settle()
        second = await school.begin(buyer, GIT)
        assert second["customer"] == first["customer"]
        with pytest.raises(CardDeclined, match="first-time"):
            school.bank.discount(second, "FIRST10")
        async with school.service.database.transaction() as db:
            (await db.get_one(User, user.id)).email = Email.parse("ann@new.example.com")
        school.clock.forward(hours=12)
        await school.begin(buyer, GIT)
        assert [each["email"] for each in school.bank.store.all("customer")] == ["ann@new.example.com"]
        del school.bank.store.objects[first["customer"]]  # deleted in the dashboard
        async with school.service.database.transaction() as db:
            (await db.get_one(User, user.id)).email = Email.parse("ann@example.com")
        school.clock.forward(hours=12)
        third = await school.begin(buyer, GIT)
        assert third["customer"] not in (None, first["customer"])


async def test_a_customer_that_was_deleted_in_the_dashboard_is_made_anew(school: School) -> None:
    async with school.browser() as buyer:
        await school.learner(buyer, "ann@example.com")
        first = await school.buy(buyer)
        del school.bank.store.objects[first["customer"]]
        second = await school.begin(buyer, GIT)
        assert second["customer"] not in (None, first["customer"])
        assert (await school.rows(User))[0].customer_id == second["customer"]


async def test_taxes_and_tax_numbers_are_for_people_who_are_signed_in_too(settings: Settings, sandbox: Sandbox) -> None:
    """Stripe must be allowed to write to their customer what it computes the taxes from."""
    wanted = settings.model_copy(update={"tax": Tax.STRIPE, "tax_ids": True})
    school = make_school(wanted, sandbox.bank, TestClock())
    await school.service.catalog.refresh()
    async with school.browser() as buyer:
        await school.learner(buyer, "ann@example.com")
        assert (await school.begin(buyer))["customer"]
    await school.service.close()


async def test_without_the_permission_for_customers_courses_are_still_sold(school: School) -> None:
    school.bank.denied.add("rak_customer_write")
    async with school.browser() as buyer:
        await school.learner(buyer, "ann@example.com")
        session = await school.buy(buyer)
        assert (session["customer"], session["customer_email"]) == (None, "ann@example.com")
        await school.work()
        told = [mail["text"] for mail in school.mails(school.service.catalog.current.site.contact_email)]
        assert len([each for each in told if "may not write customers" in each]) == 1


async def test_a_code_for_one_customer_is_theirs(school: School, catalog: Catalog) -> None:
    await choose_promotion_codes(school, catalog, "own")
    async with school.browser() as ann, school.browser() as guest:
        await school.learner(ann, "ann@example.com")
        await school.begin(ann, GIT)
        [customer] = school.bank.store.all("customer")
        school.bank.store.add(make.promotion_code("FORANN", "coupon_20", customer=customer["id"]))
        assert (await school.begin(ann, code="FORANN"))["amount_total"] == 3920
        refused = await guest.post("/api/checkout", data={"course": SOURDOUGH, "code": "FORANN"})
        assert refused.headers["location"].endswith("#code-other-person")


async def test_an_invoice_is_linked_beside_its_receipt(settings: Settings, sandbox: Sandbox) -> None:
    school = make_school(settings.model_copy(update={"invoices": True}), sandbox.bank, TestClock())
    await school.service.catalog.refresh()
    async with school.browser() as buyer, school.browser() as stranger:
        await school.owner(buyer)
        [receipt] = (await buyer.get("/api/receipts")).json()["receipts"]
        answer = await buyer.get(receipt["invoice_url"])
        assert (answer.status_code, answer.headers["location"].split("/")[-1]) == (303, "pdf")
        await school.learner(stranger)
        assert (await stranger.get(receipt["invoice_url"])).headers["location"] == "/receipts/#invoice-unavailable"
        sandbox.outage.update(status=500, left=9)
        assert (await buyer.get(receipt["invoice_url"])).headers["location"] == "/receipts/#invoice-unavailable"
    await school.service.close()


async def test_without_invoices_there_is_no_link(school: School) -> None:
    async with school.browser() as buyer:
        await school.owner(buyer)
        assert (await buyer.get("/api/receipts")).json()["receipts"][0]["invoice_url"] is None


@pytest.mark.parametrize("tax", list(Tax))
async def test_money_goes_back_in_each_tax_mode(settings: Settings, sandbox: Sandbox, tax: Tax) -> None:
    school = make_school(settings.model_copy(update={"tax": tax}), sandbox.bank, TestClock())
    await school.service.catalog.refresh()
    async with school.browser() as buyer:
        session = await school.owner(buyer)
        dispute = school.bank.dispute(session["payment_intent"])
        await school.settle()
        assert await courses_of(buyer) == set()
        school.bank.close_dispute(dispute, won=True)
        await school.settle()
        assert await courses_of(buyer) == {SOURDOUGH}
        school.bank.refund(session["payment_intent"], amount=None)
        school.bank.emitted = []
        found = [each async for each in find_differences(school.service, since=None, fix=True)]
        assert len(found) == 1
        assert await courses_of(buyer) == set()
    await school.service.close()


async def test_the_operator_is_told_what_only_they_can_mend(school: School) -> None:
    operator = school.service.catalog.current.site.contact_email
    async with school.browser() as buyer, school.browser() as other:
        session = await school.begin(buyer)
        school.pay(session)
        school.bank.denied.add("rak_checkout_session_write")
        for browser in (other, other):
            refused = await browser.post("/api/checkout", data={"course": GIT})
            assert refused.headers["location"].endswith("#payment-refused")
        await school.settle()
        texts = [mail["text"] for mail in school.mails(operator)]
        assert len([each for each in texts if "cannot be bought" in each]) == 1, "once a day"
        assert len([each for each in texts if "The job stripe.event was not done" in each]) == 1
        assert "rak_checkout_session_write" in str(texts)
        school.bank.denied.clear()
        school.clock.forward(minutes=5)
        await school.work()
        assert (await school.order(session)).state is OrderState.PAID, "the job waited for the mend"
        assert not [job for job in await school.rows(Job) if job.state is JobState.DEAD]


@pytest.mark.usefixtures("may_refund")
async def test_lines_are_counted_from_one_and_the_sentence_names_the_rest(school: School) -> None:
    async with school.browser() as buyer:
        session = await bought_together(school, buyer)
        name = session["client_reference_id"]
        with pytest.raises(RefundRefused, match="has no line 0"):
            await refund_order(school.service, name, line=0)
        school.bank.refund(session["payment_intent"], amount=900)
        assert await refund_order(school.service, name) == f"€109 of {name} goes back to ann@example.com."


@pytest.mark.usefixtures("may_refund")
async def test_nothing_goes_back_of_a_line_that_cost_nothing(school: School) -> None:
    [installation] = await school.rows(Installation)
    product = f"coursewright_{installation.key}_{GIT}"
    school.bank.store.add(make.coupon("coupon_git", 100, products=[product]))
    school.bank.store.add(make.promotion_code("GIT100", "coupon_git"))
    async with school.browser() as buyer:
        session = await school.begin_together(buyer, SOURDOUGH, GIT)
        school.bank.discount(session, "GIT100")
        school.pay(session)
        await school.settle()
        assert (await school.order(session)).lines[1].total_amount == 0
        with pytest.raises(RefundRefused, match="Nothing is left"):
            await refund_order(school.service, session["client_reference_id"], line=2)
        assert school.bank.store.all("refund") == []


def notices(school: School) -> list[str]:
    operator = str(school.service.catalog.current.site.contact_email)
    mails = [mail for mail in school.mails(operator) if mail["subject"].startswith("Paid twice")]
    return [" ".join(mail["text"].split()) for mail in mails]


async def test_of_three_payments_the_first_that_still_stands_is_not_told(school: School) -> None:
    """Where the first of them goes back before the letters are sent, the second is the only one of its kind."""
    sessions = []
    for _ in range(3):
        async with school.browser() as browser:
            sessions.append(await school.begin(browser))
    school.bank.store.mail_down = True
    for session in sessions:
        school.pay(session)
        await school.settle()
        school.clock.forward(minutes=1)
    school.bank.refund(sessions[0]["payment_intent"], amount=None)
    await school.settle()
    school.bank.store.mail_down = False
    school.clock.forward(hours=2)
    await school.work()
    assert len([mail for mail in school.mails("ann@example.com") if mail["subject"].startswith("You paid twice")]) == 1
    assert sessions[2]["client_reference_id"] in " ".join(notices(school))
    assert len(notices(school)) == 1


async def test_the_later_payment_is_the_one_to_give_back(school: School) -> None:
    """Whichever page was begun first."""
    async with school.browser() as here, school.browser() as there:
        begun_first = await school.begin(here)
        school.clock.forward(minutes=1)
        begun_last = await school.begin(there)
        for session in (begun_last, begun_first):
            school.clock.forward(minutes=1)
            school.pay(session)
            await school.settle()
    [notice] = notices(school)
    assert f"coursewright refund {begun_first['client_reference_id']}" in notice


async def test_payments_of_two_people_are_no_double(school: School) -> None:
    """Neither of two guests, nor of two payments for which Stripe tells no address, nor of two accounts."""
    for address in ("ann@example.com", "bob@example.com", None, None):
        async with school.browser() as browser:
            session = await school.begin(browser)
            school.pay(session)
            session["customer_details"] = {"email": address} if address else None
            await school.settle()
    for address in ("cleo@example.com", "dan@example.com"):
        async with school.browser() as browser:
            await school.owner(browser, email=address)
            await school.work()
    assert notices(school) == []


async def test_neither_a_gift_nor_a_free_course_is_paid_twice_for(school: School) -> None:
    """Whichever came first."""
    course = school.service.catalog.current.course(SOURDOUGH)
    async with school.service.database.transaction() as db:
        await by_operator.grant(db, Email.parse("ann@example.com"), course, reason="raffle", now=school.clock())
    for gift in (
        {"gift": "1", "recipient_email": "fran@example.com"},
        {},
        {"gift": "1", "recipient_email": "x@y.example"},
    ):
        async with school.browser() as buyer:
            school.pay(await school.begin(buyer, **gift))
            await school.settle()
    assert notices(school) == []
