"""Links to R2, against a real S3 server that refuses what is expired, altered or unsigned."""

import time
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import httpx
import pytest
from pydantic import SecretStr

from dynamic_api.core.models import AuditEntry
from dynamic_api.core.settings import Settings
from dynamic_api.gateways.storage import R2Storage
from sitegen.catalog.model import Catalog
from tests.conftest import Sandbox
from tests.s3 import ACCESS, BUCKET, KEY, S3, SECRET
from tests.school import LESSON, SOURDOUGH, School, TestClock, make_school

pytestmark = pytest.mark.slow

NAME = "Zeitplan für Ω.pdf"


@pytest.fixture
def r2(settings: Settings, s3: S3) -> Settings:
    """An installation whose files lie in the bucket."""
    return settings.model_copy(
        update={
            "files_dir": None,
            "r2_endpoint": s3.endpoint,
            "r2_bucket": BUCKET,
            "r2_access_key_id": SecretStr(ACCESS),
            "r2_secret_access_key": SecretStr(SECRET),
        }
    )


def link(r2: Settings, *, key: str = KEY, seconds: int = 60) -> str:
    return R2Storage(r2).link(key, name=NAME, media_type="application/pdf", seconds=seconds)


def changed(url: str, **parameters: str) -> str:
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query)) | parameters
    return urlunsplit(parts._replace(query=urlencode({name: value for name, value in query.items() if value})))


def test_a_link_opens_the_file_under_its_name(r2: Settings) -> None:
    answer = httpx.get(link(r2))
    assert answer.content.startswith(b"%PDF")
    assert answer.headers["content-type"] == "application/pdf"
    disposition = answer.headers["content-disposition"]
    assert disposition.startswith("attachment;")
    assert "filename*=UTF-8''Zeitplan%20f%C3%BCr%20%CE%A9.pdf" in disposition
    assert httpx.get(link(r2), headers={"Range": "bytes=0-3"}).status_code == 206


def test_altered_foreign_and_unsigned_links_are_refused(r2: Settings) -> None:
    good = link(r2)
    signature = dict(parse_qsl(urlsplit(good).query))["X-Amz-Signature"]
    for bad in (
        changed(good, **{"X-Amz-Signature": signature[:-1] + ("0" if signature[-1] != "0" else "1")}),
        changed(good, **{"X-Amz-Expires": "604800"}),
        changed(good, **{"response-content-disposition": "inline"}),
        good.replace("weekend-schedule", "feeding-log"),
        good.partition("?")[0],
        link(r2.model_copy(update={"r2_secret_access_key": SecretStr("another")})),
    ):
        assert httpx.get(bad).status_code == 403, bad


def test_an_expired_link_is_refused(r2: Settings) -> None:
    soon = link(r2, seconds=1)
    time.sleep(2.2)
    assert httpx.get(soon).status_code == 403


async def test_a_learner_downloads_from_the_bucket(r2: Settings, sandbox: Sandbox, catalog: Catalog) -> None:
    school = make_school(r2, sandbox.bank, TestClock())
    await school.service.catalog.refresh()
    try:
        await _download(school)
    finally:
        await school.service.close()


async def _download(school: School) -> None:
    async with school.browser() as owner, school.browser() as stranger, school.phone() as phone:
        await school.owner(owner)
        await school.sign_in_phone(phone)
        lesson = (await owner.get(f"/api/learn/{SOURDOUGH}/{LESSON}")).json()
        resource = lesson["resources"][0]["id"]
        handed = await owner.get(f"/api/resources/{resource}/download")
        assert handed.headers["cache-control"] == "private, no-store"
        told = (await phone.get(f"/resources/{resource}")).json()["resource"]
        async with httpx.AsyncClient() as system_browser:
            for address in (handed.headers["location"], told["url"]):
                assert (await system_browser.get(address)).content.startswith(b"%PDF")
        assert (await stranger.get(f"/api/resources/{resource}/download")).status_code == 401
        issued = [row for row in await school.rows(AuditEntry) if row.action == "download:issued"]
        assert len(issued) == 2
