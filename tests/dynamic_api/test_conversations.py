"""A recorded conversation for each endpoint of the phone's API: whatever changes in an answer shows as a diff.

After a change that is meant: RECORD=1 scripts/test tests/dynamic_api/test_conversations.py
"""

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from dynamic_api.mobile_v1.routes import routes
from tests.school import LESSON, PASSWORD, SOURDOUGH, School

FOLDER = Path(__file__).parent / "conversations"
COURSE = f"/courses/{SOURDOUGH}"
LOGIN = {"email": "ann@example.com", "password": PASSWORD, "device_name": "Test phone"}
SECRETS = (
    (r"cwm_[\w-]{43}", "cwm_TOKEN"),
    (r"eyJ[\w-]+\.[\w-]+\.[\w-]+", "STREAM_TOKEN"),
    (r"ord_[0-9a-f]{24}", "ord_ID"),
    (r"ch_[0-9a-f]{24}", "ch_ID"),
    (r"expires=\d+", "expires=MOMENT"),
    (r"signature=[0-9a-f]{64}", "signature=SIGNATURE"),
    (r"http://127\.0\.0\.1:\d+", "https://partner.test"),
    (r"/assets/pictures/[\w.-]+", "/assets/pictures/PICTURE"),
    (r'"updated_at": "[^"]+"', '"updated_at": "MOMENT"'),
    (r'"paid_at": "[^"]+"', '"paid_at": "MOMENT"'),
    (r"number: \w+", "number: REQUEST"),
)
# name → requests; the last one is the conversation's own, what stands before it leads there
CONVERSATIONS: dict[str, list[tuple[str, str, Any]]] = {
    "login": [("POST", "/auth/login", LOGIN)],
    "login-refused": [("POST", "/auth/login", {**LOGIN, "password": "not this"})],
    "login-invalid": [("POST", "/auth/login", {"email": "ann@example.com"})],
    "logout": [("POST", "/auth/logout", None)],
    "logout-all": [("POST", "/auth/logout-all", None)],
    "logout_all": [("POST", "/auth/logout_all", None)],
    "me": [("GET", "/me", None)],
    "library": [("GET", "/library", None)],
    "course": [("GET", f"{COURSE}/lessons/{LESSON}/playback", None), ("GET", COURSE, None)],
    "course-unknown": [("GET", "/courses/no-such-course", None)],
    "course-forbidden": [("GET", "/courses/git-for-writers", None)],
    "playback": [("GET", f"{COURSE}/lessons/{LESSON}/playback", None)],
    "lesson-unknown": [("GET", f"{COURSE}/lessons/nope/playback", None)],
    "progress": [
        ("GET", f"{COURSE}/lessons/{LESSON}/playback", None),
        ("POST", f"{COURSE}/lessons/{LESSON}/progress", {"position_seconds": 120, "duration_seconds": 400}),
    ],
    "progress-invalid": [("POST", f"{COURSE}/lessons/{LESSON}/progress", {"position_seconds": -1})],
    "resource": [("GET", "/resources/4", None)],
    "resource-unknown": [("GET", "/resources/999999", None)],
    "receipts": [("GET", "/receipts", None)],
    "nowhere": [("GET", "/no/such/address", None)],
    "wrong-method": [("DELETE", "/me", None)],
}


@pytest.mark.parametrize("name", CONVERSATIONS)
async def test_the_answer_is_the_recorded_one(school: School, name: str) -> None:
    school.clock.moment = datetime(2026, 11, 20, 8, tzinfo=UTC)
    async with school.browser() as browser, school.phone() as phone:
        await school.owner(browser)
        await school.sign_in_phone(phone)
        for method, path, body in CONVERSATIONS[name]:
            answer = await phone.request(method, path, json=body)
    said = as_told(*CONVERSATIONS[name][-1], answer)
    file = FOLDER / f"{name}.json"
    if os.environ.get("RECORD"):
        file.write_text(said)
    assert said == file.read_text(), "the phone would see this: is it allowed by the contract?"


def as_told(method: str, path: str, body: Any, answer: httpx.Response) -> str:
    """A conversation as it is kept, without what differs each time."""
    kept = ("content-type", "cache-control", "x-ratelimit-limit", "retry-after", "allow")
    said = {
        "request": {"method": method, "path": path, "body": body},
        "status": answer.status_code,
        "headers": {name: answer.headers[name] for name in kept if name in answer.headers},
        "body": answer.json(),
    }
    text = json.dumps(said, indent=2, ensure_ascii=False) + "\n"
    for pattern, name in SECRETS:
        text = re.sub(pattern, name, text)
    return text


def test_every_endpoint_has_one() -> None:
    told = {(method, re.sub(r"/\d+", "/N", path)) for told in CONVERSATIONS.values() for method, path, _ in told[-1:]}
    for route in routes:
        if route.documentation is not None:
            filled = (
                route.path.replace("{course}", SOURDOUGH).replace("{lesson}", LESSON).replace("{resource:int}", "N")
            )
            assert (route.method, filled) in told, route.path
    refusals = ("refused", "invalid", "unknown", "forbidden", "nowhere", "wrong")
    for file in FOLDER.glob("*.json"):
        assert (json.loads(file.read_text())["status"] < 400) == (not any(word in file.stem for word in refusals)), file
    assert {file.stem for file in FOLDER.glob("*.json")} == set(CONVERSATIONS)
