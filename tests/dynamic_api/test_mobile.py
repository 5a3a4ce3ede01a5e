"""The frozen contract, shape by shape."""

from datetime import datetime
from typing import Any

import jwt
import pytest

from dynamic_api.core.models import AccessToken, AuditEntry
from tests.school import LATER_LESSON, LESSON, PASSWORD, SOURDOUGH, School, path_of

COURSE = f"/courses/{SOURDOUGH}"
LESSON_PATH = f"{COURSE}/lessons/{LESSON}"
PROGRESS = {
    "status",
    "playback_position_seconds",
    "video_duration_seconds",
    "percent_complete",
    "last_viewed_at",
    "completed_at",
    "updated_at",
}
RESOURCE = {"id", "name", "mime_type", "size_bytes", "updated_at"}


def is_timestamp(value: str) -> bool:
    """ISO 8601 with offset and whole seconds."""
    moment = datetime.fromisoformat(value)
    return moment.utcoffset() is not None and value == moment.isoformat() and moment.microsecond == 0


async def signed_in(school: School, phone: Any) -> None:
    async with school.browser() as browser:
        await school.owner(browser)
    await school.sign_in_phone(phone)


async def test_login_shape_and_refusals(school: School) -> None:
    async with school.browser() as browser, school.phone() as phone:
        await school.owner(browser)
        body = {"email": "ann@example.com", "password": PASSWORD, "device_name": "iPhone"}
        answer = (await phone.post("/auth/login", json=body)).json()
        assert set(answer) == {"token", "token_type", "user"}
        assert answer["token"].startswith("cwm_")
        assert answer["token_type"] == "Bearer"
        assert set(answer["user"]) == {"id", "name", "email", "updated_at"}
        assert isinstance(answer["user"]["id"], int)
        wrong = await phone.post("/auth/login", json={**body, "password": "no"})
        unknown = await phone.post("/auth/login", json={**body, "email": "nobody@example.com"})
        assert wrong.status_code == unknown.status_code == 422
        assert wrong.json() == unknown.json()
        assert wrong.json()["error"]["code"] == "invalid_credentials"
        missing = await phone.post("/auth/login", json={"email": "x"})
        assert missing.json()["error"]["code"] == "validation_failed"
        assert {"password", "device_name"} <= set(missing.json()["error"]["details"])
        long = await phone.post("/auth/login", json={**body, "device_name": "x" * 121})
        assert list(long.json()["error"]["details"]) == ["device_name"]
        [token] = await school.rows(AccessToken)
        assert answer["token"] not in token.token_hash


async def test_me_logout_and_logout_all(school: School) -> None:
    async with school.phone() as phone, school.phone() as tablet:
        await signed_in(school, phone)
        await school.sign_in_phone(tablet)
        assert (await phone.get("/me")).json()["user"]["email"] == "ann@example.com"
        assert set((await phone.post("/auth/logout")).json()) == {"message"}
        assert (await phone.get("/me")).json()["error"]["code"] == "unauthenticated"
        await school.sign_in_phone(phone)
        assert (await tablet.post("/auth/logout_all")).status_code == 200
        for device in (phone, tablet):
            assert (await device.get("/me")).status_code == 401


async def test_tokens_end_and_abilities_are_checked(school: School) -> None:
    async with school.phone() as phone:
        await signed_in(school, phone)
        async with school.service.database.transaction() as db:
            (await db.get_one(AccessToken, 1)).abilities = "mobile:read"
        refused = await phone.post(f"{LESSON_PATH}/progress", json={"position_seconds": 1})
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "token_forbidden")
        assert (await phone.get("/me")).status_code == 200
        school.clock.forward(days=366)
        assert (await phone.get("/me")).status_code == 401


async def test_cookie_and_bearer_together_are_refused(school: School) -> None:
    async with school.browser() as browser, school.phone() as phone:
        await school.owner(browser)
        await school.sign_in_phone(phone)
        cookies = {"__Host-session": browser.cookies["__Host-session"]}
        phone.cookies.update(cookies)
        assert (await phone.get("/me")).status_code == 401
        del phone.headers["authorization"]
        assert (await phone.get("/me")).status_code == 401


async def test_library(school: School) -> None:
    async with school.phone() as phone:
        await signed_in(school, phone)
        [course] = (await phone.get("/library")).json()["courses"]
        assert set(course) == {"id", "slug", "title", "description", "thumbnail_url", "updated_at", "progress"}
        assert set(course["progress"]) == {"total_lessons", "completed_lessons", "percent_complete", "last_viewed_at"}
        assert course["progress"]["total_lessons"] == 10
        assert course["thumbnail_url"].startswith("https://school.test/assets/pictures/")
        assert is_timestamp(course["updated_at"])


async def test_course(school: School) -> None:
    async with school.phone() as phone:
        await signed_in(school, phone)
        await phone.get(f"{LESSON_PATH}/playback")
        course = (await phone.get(COURSE)).json()["course"]
        assert set(course) == {
            "id",
            "slug",
            "title",
            "description",
            "long_description",
            "thumbnail_url",
            "updated_at",
            "modules",
        }
        assert set(course["modules"][0]) == {"id", "title", "sort_order", "updated_at", "lessons"}
        lessons = [lesson for module in course["modules"] for lesson in module["lessons"]]
        assert len(lessons) == 10
        assert set(lessons[0]) == {
            "id",
            "slug",
            "title",
            "summary",
            "notes",
            "duration_seconds",
            "stream_video_id",
            "has_video",
            "sort_order",
            "updated_at",
            "progress",
            "resources",
        }
        assert set(lessons[0]["progress"]) == PROGRESS
        assert lessons[1]["progress"] is None
        assert all(set(resource) == RESOURCE for lesson in lessons for resource in lesson["resources"])


async def test_a_video_plays_on_after_every_pause_in_an_app_that_never_renews(school: School) -> None:
    def expires(address: str) -> int:
        claims = jwt.decode(address.split("/")[-3], options={"verify_signature": False})
        return int(claims["exp"] - school.clock().timestamp())

    async with school.phone() as phone, school.browser() as browser:
        await school.owner(browser)
        await school.sign_in_phone(phone)
        address = f"/courses/{SOURDOUGH}/lessons/{LESSON}/playback"
        assert expires((await phone.get(address)).json()["stream_url"]) >= 6 * 3600
        web = (await browser.get(f"/api/learn/{SOURDOUGH}/{LESSON}/playback")).json()
        assert web["expires_in_seconds"] < 3600, "the page renews it"


async def test_playback(school: School) -> None:
    async with school.phone() as phone:
        await signed_in(school, phone)
        answer = await phone.get(f"{LESSON_PATH}/playback")
        assert answer.headers["cache-control"] == "private, no-store"
        body = answer.json()
        assert set(body) == {"stream_url", "stream", "heartbeat_seconds", "auto_complete_percent", "lesson", "progress"}
        assert set(body["stream"]) == {"iframe_url", "hls_url", "preferred_url", "player"}
        assert body["stream_url"] == body["stream"]["preferred_url"] == body["stream"]["hls_url"]
        assert body["stream"]["player"] == "native"
        assert body["heartbeat_seconds"] >= 5
        assert set(body["lesson"]) == {
            "id",
            "slug",
            "title",
            "summary",
            "notes",
            "duration_seconds",
            "updated_at",
            "resources",
        }
        assert body["progress"]["status"] == "in_progress"
        names = [resource["name"] for resource in body["lesson"]["resources"]]
        assert names[0] == "Weekend baking schedule"  # the course's come first


async def test_a_lesson_without_video(school: School) -> None:
    async with school.browser() as browser, school.phone() as phone:
        await school.owner(browser, "git-for-writers")
        await school.sign_in_phone(phone)
        body = (await phone.get("/courses/git-for-writers/lessons/one-sentence-per-line/playback")).json()
        assert body["stream"] is None
        assert body["stream_url"] is None


async def test_progress_and_the_first_beat_of_zero(school: School) -> None:
    async with school.phone() as phone:
        await signed_in(school, phone)
        path = f"{LESSON_PATH}/progress"
        answer = (await phone.post(path, json={"position_seconds": 200})).json()
        assert set(answer) == {"status", "percent_complete", "playback_position_seconds", "updated_at"}
        assert answer["percent_complete"] == 50
        school.clock.forward(seconds=60)
        await phone.get(f"{LESSON_PATH}/playback")
        school.clock.forward(seconds=1)
        assert (await phone.post(path, json={"position_seconds": 0})).json()["playback_position_seconds"] == 200
        cheat = (await phone.post(path, json={"position_seconds": 1, "duration_seconds": 1})).json()
        assert (cheat["status"], cheat["percent_complete"]) == ("in_progress", 50)
        done = (await phone.post(path, json={"position_seconds": 1, "is_completed": True})).json()
        assert (done["status"], done["percent_complete"]) == ("completed", 100)
        bad = await phone.post(path, json={"position_seconds": -1})
        assert bad.json()["error"]["code"] == "validation_failed"


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/courses/nope", 404, "course_not_found"),
        ("/courses/bookbinding", 404, "course_not_found"),
        ("/courses/git-for-writers", 403, "course_forbidden"),
        ("/courses/git-for-writers/lessons/nope/playback", 403, "course_forbidden"),
        (f"{COURSE}/lessons/nope/playback", 404, "lesson_not_found"),
        ("/resources/999999", 404, "resource_not_found"),
        ("/nope", 404, "not_found"),
    ],
)
async def test_order_of_checks(school: School, path: str, status: int, code: str) -> None:
    async with school.phone() as phone:
        await signed_in(school, phone)
        answer = await phone.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
        if "/lessons/" in path:  # the body is looked at last
            heartbeat = await phone.post(path.replace("playback", "progress"), json={})
            assert heartbeat.json()["error"]["code"] == code


async def test_resource_opens_in_a_browser_without_a_token(school: School) -> None:
    async with school.phone() as phone, school.browser() as browser:
        await signed_in(school, phone)
        resources = (await phone.get(f"{LESSON_PATH}/playback")).json()["lesson"]["resources"]
        resource = (await phone.get(f"/resources/{resources[0]['id']}")).json()["resource"]
        assert set(resource) == {"id", "name", "mime_type", "size_bytes", "expires_at", "url"}
        assert is_timestamp(resource["expires_at"])
        assert resource["url"].startswith("https://school.test/api/v1/mobile/resources/")
        file = await browser.get(path_of(resource["url"]))
        assert file.content.startswith(b"%PDF")
        # Behind TLS termination the service sees another scheme and host.
        behind = await browser.get(f"http://127.0.0.1{path_of(resource['url'])}")
        assert behind.status_code == 200
        broken = await browser.get(path_of(resource["url"]) + "0")
        assert broken.json()["error"]["code"] == "signature_invalid"
        assert "download:issued" in {entry.action for entry in await school.rows(AuditEntry)}


async def test_receipts(school: School) -> None:
    async with school.phone() as phone:
        await signed_in(school, phone)
        [receipt] = (await phone.get("/receipts")).json()["receipts"]
        assert set(receipt) == {
            "order_public_id",
            "status",
            "total_amount",
            "currency",
            "paid_at",
            "refunded_at",
            "receipt_url",
        }
        assert receipt["order_public_id"].startswith("ord_")
        assert (receipt["status"], receipt["total_amount"], receipt["currency"]) == ("Paid", 4900, "EUR")
        assert receipt["receipt_url"].startswith("http")


async def test_rate_limit(school: School) -> None:
    async with school.phone() as phone:
        await signed_in(school, phone)
        first = await phone.get("/me")
        assert first.headers["x-ratelimit-limit"] == "120"
        assert first.headers["x-ratelimit-remaining"] == "119"
        for _ in range(119):
            await phone.get("/me")
        refused = await phone.get("/library")
        assert refused.status_code == 429
        assert refused.json()["error"]["code"] == "rate_limited"
        assert int(refused.headers["retry-after"]) >= 1


async def test_refund_ends_the_phones_access(school: School) -> None:
    async with school.browser() as browser, school.phone() as phone:
        session = await school.owner(browser)
        await school.sign_in_phone(phone)
        await phone.get(f"{COURSE}/lessons/{LATER_LESSON}/playback")
        school.bank.refund(session["payment_intent"], amount=None)
        await school.settle()
        assert (await phone.get(f"{COURSE}/lessons/{LATER_LESSON}/playback")).status_code == 403
        assert (await phone.get("/library")).json() == {"courses": []}
        assert (await phone.get("/receipts")).json()["receipts"][0]["status"] == "Refunded"


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("bytes=0-9", 206),
        ("bytes=-5", 206),
        ("bytes=99999999-", 416),
        ("bytes=9-2", 200),
        ("lines=1-2", 200),
        ("bytes=", 200),
        ("bytes=x-", 200),
    ],
)
async def test_parts_of_a_file(school: School, header: str, status: int) -> None:
    """What nobody can read is ignored; what lies behind the end is refused in the one shape. RFC 9110, 14.2."""
    async with school.browser() as anyone, school.phone() as phone:
        await signed_in(school, phone)
        resource = (await phone.get("/resources/4")).json()["resource"]
        answer = await anyone.get(resource["url"], headers={"Range": header})
        assert answer.status_code == status
        if status == 416:
            assert answer.json()["error"]["code"] == "range_not_satisfiable"
            assert answer.headers["content-range"] == f"bytes */{resource['size_bytes']}"


async def test_a_number_nobody_can_read_names_nothing(school: School) -> None:
    async with school.phone() as phone:
        await signed_in(school, phone)
        for digits in (19, 5000):
            answer = await phone.get(f"/resources/{'9' * digits}")
            assert answer.status_code == 404
            assert "error" in answer.json()


@pytest.mark.parametrize("odd", [True, "12", 12.5])
async def test_a_position_is_a_whole_number(school: School, odd: object) -> None:
    async with school.phone() as phone:
        await signed_in(school, phone)
        answer = await phone.post(f"/courses/{SOURDOUGH}/lessons/{LESSON}/progress", json={"position_seconds": odd})
        assert answer.status_code == 422


async def test_the_app_is_never_signed_out_by_its_own_requests(school: School) -> None:
    """At its start it asks who it is, and takes any refusal as a sign-out."""
    async with school.browser() as browser, school.phone() as phone:
        await school.owner(browser)
        await school.sign_in_phone(phone)
        answers = [(await phone.get("/me")).status_code for _ in range(130)]
        assert set(answers) == {200}
        assert (await phone.get("/library")).status_code == 429
        phone.headers["Authorization"] = "Bearer invented"
        assert {(await phone.get("/me")).status_code for _ in range(130)} == {401, 429}


async def test_large_answers_are_compressed_and_not_sent_twice(school: School) -> None:
    async with school.browser() as browser, school.phone() as phone:
        await school.owner(browser)
        await school.sign_in_phone(phone)
        path = f"/courses/{SOURDOUGH}"
        plain = await phone.get(path, headers={"Accept-Encoding": "identity"})
        packed = await phone.get(path, headers={"Accept-Encoding": "gzip"})
        assert packed.headers["content-encoding"] == "gzip"
        assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 2
        assert packed.json() == plain.json()
        again = await phone.get(path, headers={"If-None-Match": plain.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        await browser.put(f"/api/learn/{SOURDOUGH}/{LESSON}/completion")
        assert (await phone.get(path, headers={"If-None-Match": plain.headers["etag"]})).status_code == 200
        assert "etag" not in (await phone.get("/me")).headers


async def test_notes_have_a_field_of_their_own(school: School) -> None:
    async with school.browser() as browser, school.phone() as phone:
        await school.owner(browser)
        await school.sign_in_phone(phone)
        lesson = (await phone.get(f"/courses/{SOURDOUGH}/lessons/{LESSON}/playback")).json()["lesson"]
        assert "\n" not in (lesson["summary"] or "")
        assert lesson["notes"].count("\n") > 3
