"""News by email: asked twice, exported, and ended with one click."""

import csv
import io
import re
from urllib.parse import urlsplit

import pytest

from dynamic_api.core.models import NewsReader
from sitegen.catalog.manifest import compile_manifest, write_manifest
from sitegen.catalog.model import Catalog
from tests.commands import run_loudly as command
from tests.school import PASSWORD, School


async def ask(school: School, email: str, client_ip: str = "127.0.0.1") -> str:
    """The form; where the browser is sent."""
    async with school.browser(client_ip) as visitor:
        answer = await visitor.post("/api/newsletter", data={"email": email})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def link(school: School, email: str) -> str:
    """The token of the newest email to that address."""
    texts = "".join(mail["text"] for mail in school.mails(email))
    return str(re.findall(r"/newsletter/confirm/#token=(\S+)", texts)[-1])


async def confirm(school: School, token: str) -> int:
    """The button of the emailed page."""
    async with school.browser() as visitor:
        return (await visitor.post("/api/newsletter/confirmations", json={"token": token})).status_code


async def test_nobody_is_a_reader_before_they_say_so_twice(school: School) -> None:
    assert await ask(school, "Ann@Example.com") == "/newsletter/#newsletter-sent"
    await school.work()
    assert await school.rows(NewsReader) == []
    token = link(school, "Ann@Example.com")
    assert [await confirm(school, token) for _ in range(2)] == [200, 200]
    [reader] = await school.rows(NewsReader)
    assert (reader.email.spelling, reader.email.key) == ("Ann@Example.com", "ann@example.com")


async def test_a_link_is_for_its_address_and_for_a_week(school: School) -> None:
    await ask(school, "ann@example.com")
    await school.work()
    token = link(school, "ann@example.com")
    name, until, signature = token.split(".")
    other = "Ym9iQGV4YW1wbGUuY29t"  # bob@example.com
    for forged in (
        f"{other}.{until}.{signature}",
        f"{name}.{int(until) + 9}.{signature}",
        f"{name}.{until}.{'0' * 64}",
        f"{name}.{until}.é",
        "x",
        "..",
        f"{name}.{'9' * 500}.{signature}",
    ):
        assert await confirm(school, forged) == 410, forged
    school.clock.forward(days=7, seconds=1)
    assert await confirm(school, token) == 410
    assert await school.rows(NewsReader) == []


async def test_the_export_ends_with_one_click(school: School) -> None:
    for email in ("ann@example.com", "bob@example.com"):
        await ask(school, email)
        await school.work()
        await confirm(school, link(school, email))
    rows = list(csv.DictReader(io.StringIO(await command(school.service.settings, "newsletter"))))
    assert [row["email"] for row in rows] == ["ann@example.com", "bob@example.com"]
    address = urlsplit(rows[0]["unsubscribe"])
    where = f"{address.path}?{address.query}"
    async with school.browser() as person:
        asked = await person.get(where)
        assert asked.headers["location"] == f"/newsletter/unsubscribe/?{address.query}"
    assert len(await school.rows(NewsReader)) == 2, "a program that follows links ends nothing"
    async with school.browser() as program:
        del program.headers["Sec-Fetch-Site"]
        forged = where.replace("reader=", "reader=1")
        assert (await program.post(forged, data={"List-Unsubscribe": "One-Click"})).status_code == 410
        for _ in range(2):
            ended = await program.post(where, data={"List-Unsubscribe": "One-Click"})
            assert ended.headers["location"] == "/newsletter/#newsletter-ended"
    assert [reader.email.key for reader in await school.rows(NewsReader)] == ["bob@example.com"]


@pytest.mark.parametrize("text", ["", "nobody", "a@b", "x" * 300 + "@example.com"])
async def test_what_is_no_address_is_said(school: School, text: str) -> None:
    assert await ask(school, text) == "/newsletter/#newsletter-address"


async def test_an_address_cannot_be_flooded(school: School) -> None:
    answers = [await ask(school, "ann@example.com", f"10.0.0.{number}") for number in range(70)]
    assert answers[0] == "/newsletter/#newsletter-sent"
    await school.work()
    assert len(school.mails("ann@example.com")) == 1, "once a minute for each address"
    many = [await ask(school, f"p{number}@example.com", "10.0.0.1") for number in range(12)]
    assert many[-1] == "/newsletter/#newsletter-later"


async def test_whoever_deletes_their_account_gets_no_news(school: School) -> None:
    async with school.browser() as ann:
        await school.learner(ann)
        user_email = (await ann.get("/api/session")).json()["user"]["email"]
        school.clock.forward(minutes=2)
        await ask(school, user_email)
        await school.work()
        await confirm(school, link(school, user_email))
        assert len((await ann.get("/api/account/export")).json()["news"]) == 1
        await ann.post("/api/account/deletion", json={"password": PASSWORD})
    assert await school.rows(NewsReader) == []


async def test_a_school_without_news_has_no_form(school: School, catalog: Catalog) -> None:
    quiet = catalog.model_copy(update={"site": catalog.site.model_copy(update={"newsletter": False})})
    write_manifest(compile_manifest(quiet), school.service.settings.manifest)
    await school.service.catalog.refresh()
    async with school.browser() as visitor:
        assert (await visitor.post("/api/newsletter", data={"email": "ann@example.com"})).status_code == 404
