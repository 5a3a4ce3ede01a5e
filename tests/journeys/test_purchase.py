"""From Buy to a watched lesson, and back again by a refund."""

import httpx
import pytest

from tests.school import GIT, LATER_LESSON, LESSON, SOURDOUGH, School, path_of

pytestmark = pytest.mark.postgresql


async def test_guest_buys_claims_by_mail_and_watches(school: School) -> None:
    async with school.browser() as shop, school.browser() as home:
        session = await school.begin(shop)
        assert session["amount_total"] == 4900
        assert (await school.order(session)).state == "pending"
        school.pay(session, "Ann@Example.com")
        await school.settle()
        assert (await school.order(session)).state == "paid"

        # Mail arrives in another browser.
        token = school.claim_token("Ann@Example.com")
        looked = (await home.post("/api/claims/look", json={"token": token})).json()
        assert looked["email"] == "Ann@Example.com"
        assert not looked["has_account"]
        claimed = await home.post("/api/claims", json={"token": token, "name": "Ann", "password": "bread on the table"})
        assert claimed.status_code == 200, claimed.text

        courses = (await home.get("/api/library")).json()["courses"]
        assert [course["slug"] for course in courses] == [SOURDOUGH]
        lesson = (await home.get(f"/api/learn/{SOURDOUGH}/{LATER_LESSON}")).json()
        assert "<h2 id=" in lesson["lesson"]["notes_html"]
        playback = (await home.get(f"/api/learn/{SOURDOUGH}/{LATER_LESSON}/playback")).json()
        async with httpx.AsyncClient() as player:
            assert (await player.get(playback["iframe_url"])).status_code == 200


async def test_success_page_turns_from_pending_to_yours(school: School) -> None:
    async with school.browser() as browser, school.browser() as stranger:
        session = await school.begin(browser)
        address = f"/api/orders/{session['client_reference_id']}"
        assert (await browser.get(address)).json()["state"] == "pending"
        school.pay(session)
        school.clock.forward(seconds=5)
        # No webhook has arrived: the page's own look brings the order in step.
        answer = (await browser.get(address)).json()
        assert answer["state"] == "paid"
        assert answer["claimable"]
        assert (await stranger.get(address)).json() == {"state": "paid"}
        assert (await school.claim(stranger, session)).status_code == 409
        assert (await school.claim(browser, session)).json() == {"url": "/library/"}
        assert (await browser.get(address)).json()["yours"]
        assert (await browser.get("/api/orders/ord_unknown")).status_code == 404


async def test_refund_takes_away_only_what_that_purchase_gave(school: School) -> None:
    async with school.browser() as browser, school.browser() as second:
        first = await school.owner(browser)
        lesson = f"/api/learn/{SOURDOUGH}/{LESSON}"
        assert (await browser.get(lesson)).status_code == 200

        # A second purchase as a guest, claimed by the same learner.
        other = await school.buy(second, email="gift@example.com")
        token = school.claim_token("gift@example.com")
        assert (await browser.post("/api/claims", json={"token": token})).status_code == 200

        school.bank.refund(first["payment_intent"], amount=None)
        await school.settle()
        assert (await school.order(first)).state == "refunded"
        assert (await browser.get(lesson)).status_code == 200

        school.bank.refund(other["payment_intent"], amount=None)
        await school.settle()
        refused = await browser.get(lesson)
        assert refused.status_code == 403
        assert refused.json()["error"]["code"] == "course_forbidden"
        assert (await browser.get(f"{lesson}/playback")).status_code == 403
        assert (await browser.get("/api/library")).json()["courses"] == []


async def test_partial_refund_keeps_access_and_failed_refund_restores_it(school: School) -> None:
    async with school.browser() as browser:
        session = await school.owner(browser)
        lesson = f"/api/learn/{SOURDOUGH}/{LESSON}"
        school.bank.refund(session["payment_intent"], amount=1000)
        await school.settle()
        assert (await school.order(session)).state == "partially_refunded"
        assert (await browser.get(lesson)).status_code == 200
        rest = school.bank.refund(session["payment_intent"], amount=3900)
        await school.settle()
        assert (await school.order(session)).state == "refunded"
        assert (await browser.get(lesson)).status_code == 403
        school.bank.fail_refund(rest)
        await school.settle()
        assert (await school.order(session)).state == "partially_refunded"
        assert (await browser.get(lesson)).status_code == 200


@pytest.mark.parametrize(("won", "state", "status"), [(True, "paid", 200), (False, "refunded", 403)])
async def test_dispute_suspends_then_follows_the_verdict(school: School, won: bool, state: str, status: int) -> None:
    async with school.browser() as browser:
        session = await school.owner(browser)
        lesson = f"/api/learn/{SOURDOUGH}/{LESSON}"
        dispute = school.bank.dispute(session["payment_intent"])
        await school.settle()
        assert (await school.order(session)).state == "disputed"
        assert (await browser.get(lesson)).status_code == 403
        school.bank.close_dispute(dispute, won=won)
        await school.settle()
        assert (await school.order(session)).state == state
        assert (await browser.get(lesson)).status_code == status


async def test_delayed_payment_waits_for_the_money(school: School) -> None:
    async with school.browser() as browser:
        session = await school.begin(browser)
        school.pay(session, delayed=True)
        await school.settle()
        assert (await school.order(session)).state == "pending"
        assert school.mails() == []
        school.bank.settle(session, succeeds=True)
        await school.settle()
        assert (await school.order(session)).state == "paid"
        assert len(school.mails()) == 1


async def test_delayed_payment_that_fails_says_so_and_blocks_nothing(school: School) -> None:
    async with school.browser() as browser:
        session = await school.begin(browser)
        school.pay(session, delayed=True)
        school.bank.settle(session, succeeds=False)
        await school.settle()
        assert (await school.order(session)).state == "failed"
        assert [mail["subject"] for mail in school.mails()] == ["Your payment failed: Sourdough, from Starter to Loaf"]
        again = await school.buy(browser)
        assert again["id"] != session["id"]
        assert (await school.order(again)).state == "paid"


async def test_code_for_everything_needs_no_payment(school: School) -> None:
    async with school.browser() as browser:
        session = await school.begin(browser)
        school.bank.discount(session, "GIFT100")
        school.pay(session)
        await school.settle()
        order = await school.order(session)
        assert (order.state, order.total_amount) == ("paid", 0)
        assert "free of charge" in school.mails()[0]["text"]
        assert (await school.claim(browser, session)).status_code == 200


async def test_download_link_works_then_expires_and_cannot_be_altered(school: School) -> None:
    async with school.browser() as browser, school.browser() as stranger:
        session = await school.owner(browser)
        resources = (await browser.get(f"/api/learn/{SOURDOUGH}/{LESSON}")).json()["resources"]
        assert resources
        handed = await browser.get(f"/api/resources/{resources[0]['id']}/download")
        assert handed.status_code == 303
        link = path_of(handed.headers["location"])
        file = await stranger.get(link)  # a signed link needs no cookie
        assert file.content.startswith(b"%PDF")
        assert file.headers["content-disposition"].startswith("attachment; filename=")
        other = f"/api/files/{resources[1]['id']}?{link.partition('?')[2]}"
        for altered in (link.replace("user=", "user=9"), link[:-1] + ("0" if link[-1] != "0" else "1"), other):
            assert (await stranger.get(altered)).json()["error"]["code"] == "signature_invalid"
        assert (await stranger.get(link, headers={"Range": "bytes=0-3"})).content == b"%PDF"
        school.bank.refund(session["payment_intent"], amount=None)
        await school.settle()
        assert (await stranger.get(link)).json()["error"]["code"] == "resource_forbidden"
        school.clock.forward(minutes=6)
        assert (await stranger.get(link)).json()["error"]["code"] == "signature_invalid"


async def test_nothing_for_strangers_and_non_owners(school: School) -> None:
    async with school.browser() as stranger, school.browser() as other, school.browser() as owner:
        await school.owner(owner)
        await school.learner(other)
        resources = (await owner.get(f"/api/learn/{SOURDOUGH}/{LESSON}")).json()["resources"]
        for address in (
            f"/api/learn/{SOURDOUGH}/{LESSON}",
            f"/api/learn/{SOURDOUGH}/{LESSON}/playback",
            f"/api/resources/{resources[0]['id']}/download",
        ):
            assert (await stranger.get(address)).status_code == 401
            assert (await other.get(address)).status_code == 403
            assert (await owner.get(address)).status_code in (200, 303)


async def test_owner_is_told_instead_of_charged(school: School) -> None:
    async with school.browser() as browser:
        await school.owner(browser)
        answer = await browser.post("/api/checkout", data={"course": SOURDOUGH})
        assert answer.headers["location"] == f"/courses/{SOURDOUGH}/#already-yours"
        assert (await school.begin(browser, GIT))["amount_total"] == 6900


async def test_free_course_at_once_for_learners_and_by_mail_for_guests(school: School) -> None:
    course = "seven-useful-knots"
    async with school.browser() as learner, school.browser() as guest:
        await school.learner(learner)
        answer = await learner.post("/api/checkout", data={"course": course})
        assert answer.headers["location"] == "/library/"
        assert len((await learner.get("/api/library")).json()["courses"]) == 1

        answer = await guest.post("/api/checkout", data={"course": course})
        assert answer.headers["location"].endswith("#email-needed")
        answer = await guest.post("/api/checkout", data={"course": course, "email": "cat@example.com"})
        assert answer.headers["location"] == "/checkout/check-email/"
        await school.work()
        token = school.claim_token("cat@example.com")
        answer = await guest.post("/api/claims", json={"token": token, "name": "Cat", "password": "rope and water"})
        assert answer.status_code == 200
        assert len((await guest.get("/api/library")).json()["courses"]) == 1
