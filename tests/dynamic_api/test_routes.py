"""Every route has a declared audience, and refuses all others. A route without a row here fails."""

import httpx
import pytest

from dynamic_api.app import routes
from dynamic_api.web.metrics import RequestMetrics
from dynamic_api.web.routing import Audience
from tests.school import LESSON, SOURDOUGH, School

LEARN = f"/api/learn/{SOURDOUGH}/{LESSON}"
MOBILE = "/api/v1/mobile"

# (method, path with parameters) → an address of it
ADDRESSES = {
    ("GET", "/api/health"): "/api/health",
    ("GET", "/healthz"): "/healthz",
    ("GET", "/readyz"): "/readyz",
    ("GET", "/metrics"): "/metrics",
    ("POST", "/api/session"): "/api/session",
    ("GET", "/api/session"): "/api/session",
    ("DELETE", "/api/session"): "/api/session",
    ("POST", "/api/sign-in-links"): "/api/sign-in-links",
    ("POST", "/api/sign-in-links/spend"): "/api/sign-in-links/spend",
    ("POST", "/api/password-resets"): "/api/password-resets",
    ("POST", "/api/password-resets/spend"): "/api/password-resets/spend",
    ("POST", "/api/sign-ups"): "/api/sign-ups",
    ("POST", "/api/sign-ups/spend"): "/api/sign-ups/spend",
    ("POST", "/api/sign-in-codes/spend"): "/api/sign-in-codes/spend",
    ("POST", "/api/email-changes/spend"): "/api/email-changes/spend",
    ("POST", "/api/account/email"): "/api/account/email",
    ("GET", "/api/gifts"): "/api/gifts",
    ("GET", "/api/receipts"): "/api/receipts",
    ("GET", "/api/receipts/{order}/invoice"): "/api/receipts/ord_x/invoice",
    ("GET", "/api/account/devices"): "/api/account/devices",
    ("DELETE", "/api/account/browsers/{id}"): "/api/account/browsers/x",
    ("DELETE", "/api/account/phones/{id}"): "/api/account/phones/5",
    ("GET", "/api/account/export"): "/api/account/export",
    ("POST", "/api/account/deletion"): "/api/account/deletion",
    ("PUT", "/api/account/password"): "/api/account/password",
    ("POST", "/api/claims/look"): "/api/claims/look",
    ("POST", "/api/claims"): "/api/claims",
    ("POST", "/api/claims/reissue"): "/api/claims/reissue",
    ("POST", "/api/orders/{order}/claim"): "/api/orders/ord_x/claim",
    ("POST", "/api/checkout"): "/api/checkout",
    ("GET", "/api/orders/{order}"): "/api/orders/ord_x",
    ("GET", "/api/library"): "/api/library",
    ("GET", "/api/learn/{course}/{lesson}"): LEARN,
    ("GET", "/api/learn/{course}/{lesson}/playback"): f"{LEARN}/playback",
    ("POST", "/api/learn/{course}/{lesson}/progress"): f"{LEARN}/progress",
    ("PUT", "/api/learn/{course}/{lesson}/completion"): f"{LEARN}/completion",
    ("DELETE", "/api/learn/{course}/{lesson}/completion"): f"{LEARN}/completion",
    ("GET", "/api/resources/{resource:int}/download"): "/api/resources/1/download",
    ("GET", "/api/files/{resource:int}"): "/api/files/1",
    ("GET", "/api/pictures/{course:int}/{name}"): "/api/pictures/1/x.png",
    ("GET", "/api/videos/{lesson:int}/{until:int}/{signature}/{name}"): "/api/videos/1/1/x/master.m3u8",
    ("GET", "/api/drafts/{course}/{until:int}/{signature}/{name}"): "/api/drafts/bread/1/abc/index.html",
    ("GET", "/api/previews/{course}"): f"/api/previews/{SOURDOUGH}",
    ("GET", "/api/previews/{course}/{lesson}"): f"/api/previews/{SOURDOUGH}/{LESSON}",
    ("GET", "/api/courses/{course}/review"): f"/api/courses/{SOURDOUGH}/review",
    ("PUT", "/api/courses/{course}/review"): f"/api/courses/{SOURDOUGH}/review",
    ("DELETE", "/api/courses/{course}/review"): f"/api/courses/{SOURDOUGH}/review",
    ("POST", "/api/newsletter"): "/api/newsletter",
    ("POST", "/api/newsletter/confirmations"): "/api/newsletter/confirmations",
    ("GET", "/api/newsletter/unsubscribe"): "/api/newsletter/unsubscribe",
    ("POST", "/api/newsletter/unsubscribe"): "/api/newsletter/unsubscribe",
    ("POST", "/webhooks/stripe"): "/webhooks/stripe",
    ("POST", f"{MOBILE}/auth/login"): f"{MOBILE}/auth/login",
    ("POST", f"{MOBILE}/auth/logout"): f"{MOBILE}/auth/logout",
    ("POST", f"{MOBILE}/auth/logout-all"): f"{MOBILE}/auth/logout-all",
    ("POST", f"{MOBILE}/auth/logout_all"): f"{MOBILE}/auth/logout_all",
    ("GET", f"{MOBILE}/me"): f"{MOBILE}/me",
    ("GET", f"{MOBILE}/library"): f"{MOBILE}/library",
    ("GET", f"{MOBILE}/courses/{{course}}"): f"{MOBILE}/courses/{SOURDOUGH}",
    (
        "GET",
        f"{MOBILE}/courses/{{course}}/lessons/{{lesson}}/playback",
    ): f"{MOBILE}/courses/{SOURDOUGH}/lessons/{LESSON}/playback",
    (
        "POST",
        f"{MOBILE}/courses/{{course}}/lessons/{{lesson}}/progress",
    ): f"{MOBILE}/courses/{SOURDOUGH}/lessons/{LESSON}/progress",
    ("GET", f"{MOBILE}/resources/{{resource:int}}"): f"{MOBILE}/resources/1",
    ("GET", f"{MOBILE}/resources/{{resource:int}}/file"): f"{MOBILE}/resources/1/file",
    ("GET", f"{MOBILE}/receipts"): f"{MOBILE}/receipts",
    ("GET", f"{MOBILE}/openapi.json"): f"{MOBILE}/openapi.json",
}
NEEDS_THE_COURSE = ("/learn/", "/resources/{resource:int}", "/courses/{course}")


def declared() -> dict[tuple[str, str], Audience]:
    """The audience of every route of the service."""
    return {
        (route.method, path): route.audience
        for path, by_method in routes(RequestMetrics()).items()
        for route in by_method
    }


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    assert set(declared()) == set(ADDRESSES)


async def test_owners_are_let_in(school: School) -> None:
    """The other half of the table: a check that refused everybody would pass the next test."""
    async with school.browser() as owner, school.phone() as phone:
        await school.owner(owner)
        await school.sign_in_phone(phone)
        resource = school.service.catalog.current.course(SOURDOUGH).resources[0].id
        for (method, pattern), audience in declared().items():
            if method != "GET" or audience not in (Audience.LEARNER, Audience.PHONE):
                continue
            client = owner if audience is Audience.LEARNER else phone
            answer = await client.get(f"https://school.test{ADDRESSES[method, pattern].replace('/1', f'/{resource}')}")
            assert answer.status_code in (200, 303), pattern


async def test_others_are_refused(school: School) -> None:
    async with (
        school.browser() as anonymous,
        school.browser() as other,
        school.browser() as refunded,
        school.browser() as expired,
        school.phone() as phone,
    ):
        await school.learner(expired, "old@example.com")
        school.clock.forward(days=31)
        await school.learner(other, "other@example.com")
        session = await school.owner(refunded, email="ref@example.com")
        school.bank.refund(session["payment_intent"], amount=None)
        await school.settle()
        await school.sign_in_phone(phone, "other@example.com")
        expired.headers["Authorization"] = phone.headers["Authorization"]  # a bearer opens no web route

        resource = school.service.catalog.current.course(SOURDOUGH).resources[0].id
        for (method, pattern), audience in declared().items():
            address = ADDRESSES[method, pattern].replace("/1", f"/{resource}")

            async def status(client: httpx.AsyncClient, method: str = method, address: str = address) -> int:
                answer = await client.request(method, f"https://school.test{address}", json={"position_seconds": 1})
                if answer.status_code >= 400:
                    assert set(answer.json()) == {"error"}, address
                return answer.status_code

            owners_only = any(part in pattern for part in NEEDS_THE_COURSE) and not pattern.endswith("/file")
            if audience is Audience.LEARNER:
                assert await status(anonymous) == 401, pattern
                assert await status(expired) == 401, pattern
                if owners_only:
                    assert await status(other) == 403, pattern
                    assert await status(refunded) == 403, pattern
            elif audience is Audience.PHONE:
                assert await status(anonymous) == 401, pattern
                assert await status(refunded) == 401, pattern  # a cookie is never accepted
                if owners_only:
                    assert await status(phone) == 403, pattern
            elif audience is Audience.LINK_HOLDER:
                for client in (anonymous, other, refunded, phone):
                    assert await status(client) == 403, pattern
            elif audience is Audience.STRIPE:
                for client in (anonymous, other, phone):
                    assert await status(client) == 400, pattern


@pytest.mark.parametrize(
    "address",
    [
        "/api/learn/..%2f..%2fetc/passwd",
        "/api/learn/sourdough/%00",
        "/api/files/../../x",
        "/api/previews/sourdough/..",
        "/api/orders/%2e%2e",
        "/api/v1/mobile/courses/..%2f",
        "/api/resources/999999999999999999999/download",
    ],
)
async def test_path_tricks_end_in_a_plain_refusal(school: School, address: str) -> None:
    async with school.browser() as browser:
        await school.owner(browser)
        answer = await browser.get(f"https://school.test{address}")
        assert answer.status_code in (401, 403, 404), answer.text
        assert set(answer.json()) == {"error"}


async def test_only_free_videos_have_previews(school: School) -> None:
    async with school.browser() as visitor:
        for address in (f"/api/previews/{SOURDOUGH}", f"/api/previews/{SOURDOUGH}/{LESSON}"):
            answer = await visitor.get(address)
            assert answer.status_code == 303
            assert answer.headers["cache-control"] == "private, no-store"
            async with httpx.AsyncClient() as player:
                assert (await player.get(answer.headers["location"])).status_code == 200
        for address in (
            f"/api/previews/{SOURDOUGH}/a-starter-from-nothing",
            "/api/previews/bookbinding",
            "/api/previews/x/y",
        ):
            assert (await visitor.get(address)).status_code == 404
