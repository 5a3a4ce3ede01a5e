"""Learners review a course they know; the creator pulls what they said."""

import asyncio
import json

import pytest

from dynamic_api.commands.voices import pull_reviews
from dynamic_api.core.models import AuditEntry, Job, Review
from tests.commands import run_loudly as command
from tests.school import PASSWORD, SOURDOUGH, School

ADDRESS = f"/api/courses/{SOURDOUGH}/review"
WRITTEN = {"stars": 4, "text": "Calm and clear.\nTwice."}


async def complete(school: School, browser: object, count: int) -> None:
    """The first lessons of the course."""
    for lesson in school.service.catalog.current.course(SOURDOUGH).lessons[:count]:
        school.clock.forward(minutes=1)
        await browser.put(f"/api/learn/{SOURDOUGH}/{lesson.definition.slug}/completion")  # type: ignore[attr-defined]


async def test_a_review_waits_for_a_quarter_of_the_lessons(school: School) -> None:
    async with school.browser() as ann:
        await school.owner(ann)
        needed = -(-len(school.service.catalog.current.course(SOURDOUGH).lessons) // 4)
        for done in range(needed):
            answer = (await ann.get(ADDRESS)).json()
            assert answer == {
                "course_title": "Sourdough, from Starter to Loaf",
                "review": None,
                "lessons_left": needed - done,
            }
            refused = await ann.put(ADDRESS, json=WRITTEN)
            assert (refused.status_code, refused.json()["error"]["code"]) == (409, "review_too_early")
            await complete(school, ann, done + 1)
        assert (await ann.put(ADDRESS, json=WRITTEN)).status_code == 200
        assert (await ann.get(ADDRESS)).json()["review"] == {"stars": 4, "text": "Calm and clear.\nTwice."}
    [review] = await school.rows(Review)
    assert (review.name, review.stars, review.public_id[:3]) == ("Ann", 4, "rv_")


async def test_one_each_that_can_be_changed_and_taken_back(school: School) -> None:
    async with school.browser() as ann:
        await school.owner(ann)
        await complete(school, ann, 3)
        await ann.put(ADDRESS, json=WRITTEN)
        school.clock.forward(days=1)
        await ann.put(ADDRESS, json={"stars": 1})
        [review] = await school.rows(Review)
        assert (review.stars, review.text) == (1, "")
        assert review.updated_at > review.created_at
        assert (await ann.delete(ADDRESS)).status_code == 200
        assert (await ann.delete(ADDRESS)).status_code == 200
        assert await school.rows(Review) == []
        assert (await ann.get(ADDRESS)).json()["review"] is None
    acts = [entry.action for entry in await school.rows(AuditEntry) if entry.action.startswith("review:")]
    assert acts == ["review:written", "review:written", "review:deleted"]


@pytest.mark.postgresql
async def test_ten_at_once_are_one(school: School) -> None:
    async with school.browser() as ann:
        await school.owner(ann)
        await complete(school, ann, 3)
        answers = await asyncio.gather(*(ann.put(ADDRESS, json={"stars": 1 + n % 5}) for n in range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(await school.rows(Review)) == 1


async def test_only_owners_review(school: School) -> None:
    async with school.browser() as ann, school.browser() as bob, school.browser() as stranger:
        session = await school.owner(ann)
        await complete(school, ann, 3)
        await ann.put(ADDRESS, json=WRITTEN)
        await school.learner(bob)
        for method in ("GET", "PUT", "DELETE"):
            assert (await bob.request(method, ADDRESS, json=WRITTEN)).status_code == 403
            assert (await stranger.request(method, ADDRESS, json=WRITTEN)).status_code == 401
            assert (await ann.request(method, "/api/courses/nothing/review", json=WRITTEN)).status_code == 404
        school.bank.refund(session["payment_intent"], amount=None)
        await school.settle()
        assert (await ann.put(ADDRESS, json={"stars": 1})).status_code == 403
    [review] = await school.rows(Review)
    assert review.stars == 4, "what a refunded learner said is the creator's to keep or drop"


@pytest.mark.parametrize(
    "body",
    [
        {"stars": 6},
        {"stars": 0},
        {"stars": "5 or so"},
        {"text": "x"},
        {"stars": 5, "text": "x" * 4001},
        {"stars": 5, "text": "x" * 10_000},
        {"stars": 5, "text": "a\x00b"},
        [],
        None,
    ],
)
async def test_what_is_no_review_is_refused(school: School, body: object) -> None:
    async with school.browser() as ann:
        await school.owner(ann)
        await complete(school, ann, 3)
        answer = await ann.put(ADDRESS, json=body)
        assert answer.status_code == 422, answer.text
    assert await school.rows(Review) == []


async def test_links_and_markup_are_text(school: School) -> None:
    text = "<script>x</script> https://evil.example [a](b)\n\tquoted"
    async with school.browser() as ann:
        await school.owner(ann)
        await complete(school, ann, 3)
        await ann.put(ADDRESS, json={"stars": 3, "text": text})
        assert (await ann.get(ADDRESS)).json()["review"]["text"] == text


async def test_deleting_an_account_takes_the_name_and_tells_the_creator(school: School) -> None:
    async with school.browser() as ann:
        await school.owner(ann)
        await complete(school, ann, 3)
        await ann.put(ADDRESS, json=WRITTEN)
        exported = json.loads((await ann.get("/api/account/export")).text)
        assert [each["text"] for each in exported["reviews"]] == [WRITTEN["text"]]
        answer = await ann.post("/api/account/deletion", json={"password": PASSWORD})
        assert answer.status_code == 200, answer.text
    [review] = await school.rows(Review)
    assert (review.name, review.user_id, review.stars) == ("", None, 4)
    told = [job.payload.get("sentence", "") for job in await school.rows(Job) if job.kind == "mail.send"]
    assert any("reviews pull" in str(sentence) for sentence in told)


async def test_the_creator_pulls_what_was_said(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    async with school.browser() as ann:
        session = await school.owner(ann)
        await complete(school, ann, 3)
        await ann.put(ADDRESS, json=WRITTEN)
        school.bank.refund(session["payment_intent"], amount=None)
        await school.settle()
    settings = school.service.settings
    monkeypatch.setattr("dynamic_api.commands.voices.load_settings", lambda: settings)
    [review] = await asyncio.to_thread(pull_reviews)
    assert {key: review[key] for key in ("course", "name", "stars", "text", "is_owner")} == {
        "course": SOURDOUGH,
        "name": "Ann",
        "stars": 4,
        "text": WRITTEN["text"],
        "is_owner": False,
    }
    assert "Nothing" not in await command(settings, "courses")
