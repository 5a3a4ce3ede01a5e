"""What surrounds every request."""

import asyncio
import logging

import pytest

from tests.school import SOURDOUGH, School


async def test_strict_headers_on_every_answer(school: School) -> None:
    async with school.browser() as browser:
        for address in ("/api/health", "/api/nope", "/api/v1/mobile/me"):
            headers = (await browser.get(address)).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert "max-age" in headers["strict-transport-security"]
            assert len(headers["x-request-id"]) >= 8


async def test_wrong_method_says_which_are_right(school: School) -> None:
    async with school.browser() as browser:
        answer = await browser.put("/api/library")
        assert answer.status_code == 405
        assert "GET" in answer.headers["allow"]
        assert answer.json()["error"]["code"] == "method_not_allowed"


async def test_a_crash_names_only_the_request(school: School, caplog: pytest.LogCaptureFixture) -> None:
    async with school.browser() as browser:
        await school.learner(browser)
        await school.service.database.close()
        object.__setattr__(school.service.catalog, "_current", None)
        answer = await browser.get("/api/library")
        assert answer.status_code == 500
        error = answer.json()["error"]
        assert error["code"] == "server_error"
        assert answer.headers["x-request-id"] in error["message"]
        assert "RuntimeError" not in answer.text
        assert "refresh" not in answer.text


async def test_signatures_and_tokens_stay_out_of_the_log(school: School, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "coursewright")
    async with school.browser() as browser:
        await browser.get("/api/files/1?expires=1&user=1&signature=abcdef0123456789")
        await browser.post("/api/claims/look", json={"token": "tok-abcdef"})
        await browser.get(f"/api/previews/{SOURDOUGH}")
        await browser.get("/api/%0a2026 forged line")
    await asyncio.sleep(0.2)  # lines are written in groups
    assert "\\n2026 forged line" in caplog.text
    assert "/api/files/1" in caplog.text
    assert "abcdef" not in caplog.text
    assert "eyJ" not in caplog.text
