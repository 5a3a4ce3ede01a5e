"""What surrounds every request."""

import json
import logging
import subprocess
import sys

import pytest

from dynamic_api.catalog.source import CatalogSource
from dynamic_api.web.logs import JsonFormatter
from tests.conftest import ROOT
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
        school.use(catalog=CatalogSource(school.service.settings.manifest, school.service.database, school.clock))
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
    school.app.access_log.flush()
    written = "\n".join(JsonFormatter().format(record) for record in caplog.records)
    lines = [json.loads(line) for line in written.splitlines()]
    assert {"/api/files/1", "/api/\n2026 forged line"} <= {line.get("path") for line in lines}
    assert "abcdef" not in written
    assert "eyJ" not in written


async def test_a_line_for_each_request(school: School, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "coursewright")
    async with school.browser() as browser:
        answer = await browser.get("/api/session")
    school.app.access_log.flush()
    [record] = caplog.records
    [line] = [json.loads(line) for line in JsonFormatter().format(record).splitlines()]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/api/session", 401)
    assert line["client_ip"] == "127.0.0.1"
    assert line["request_id"] == answer.headers["x-request-id"]
    assert 0 <= line["ms"] < 10_000


def test_logs_are_whole_when_the_process_ends() -> None:
    """A thread writes them, and the process waits for it."""
    program = (
        "import logging; from dynamic_api.web.logs import log_to_stderr; log_to_stderr(); "
        "[logging.getLogger('coursewright').info('line %s', number) for number in range(1000)]"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert [json.loads(line)["message"] for line in done.stderr.splitlines()] == [f"line {n}" for n in range(1000)]
