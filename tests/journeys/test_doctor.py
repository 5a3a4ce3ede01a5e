"""`coursewright doctor`: a whole installation is well; each thing that is broken is named, with what to do."""

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

from scripts.installation import Installation, StartFailed

pytestmark = pytest.mark.slow


def ask(installation: Installation, **settings: str) -> dict[str, dict[str, Any]]:
    """The findings by name, with settings changed."""
    before = dict(installation.extra)
    installation.extra.update(settings)
    try:
        said = installation.ask("dynamic_api.commands", "doctor", "--json")
    except StartFailed as failed:  # exit status 1, with the findings
        said = str(failed)
    finally:
        installation.extra.clear()
        installation.extra.update(before)
    return {each["name"]: each for each in json.loads(said)}


def test_a_whole_installation_is_well(installation: Installation) -> None:
    found = ask(installation)
    assert {name: each["says"] for name, each in found.items() if each["state"] == "failed"} == {}
    for name in ("settings", "database", "disk", "catalogue", "site", "mail", "Stripe key", "clock", "Stripe webhook",
                 "Stripe permission Products", "Stream", "Stream access", "files", "address", "headers",
                 "service"):  # fmt: skip
        assert found[name]["state"] == "passed", found[name]
    told = installation.ask("dynamic_api.commands", "doctor")
    assert told.splitlines()[0] == "✓ settings: complete"
    assert "All is well" in told
    assert "✓ settings" in installation.ask("dynamic_api.commands", "config", "check")


BROKEN = {
    "mail": ({"SMTP_PORT": "9"}, "mail"),
    "mail without TLS": ({"SMTP_SECURITY": "tls"}, "mail"),
    "key": ({"STRIPE_SECRET_KEY": "sk_live_unknown"}, "Stripe key"),
    "Stripe away": ({"STRIPE_API_BASE": "http://127.0.0.1:9"}, "Stripe"),
    "Stream's key": ({"STREAM_KEY_ID": "another"}, "Stream"),
    "unsigned": ({"STREAM_UNSIGNED": "true"}, "Stream access"),
    "another name": ({"SITE_URL": "http://127.0.0.1:9"}, "address"),
    "no site": ({"OUTPUT": "."}, "site"),
    "manifest": ({"MANIFEST": "nowhere.json"}, "catalogue"),
    "database": ({"DATABASE_URL": "sqlite+aiosqlite:///empty.sqlite3"}, "database"),
    "PostgreSQL away": ({"DATABASE_URL": "postgresql+asyncpg://u:p@127.0.0.1:9/x"}, "database"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_named(installation: Installation, name: str) -> None:
    settings, expected = BROKEN[name]
    found = ask(installation, **settings)
    assert found[expected]["state"] == "failed", found
    assert found[expected]["remedy"]


def test_settings_that_are_wrong_are_told_all_at_once(installation: Installation) -> None:
    found = ask(installation, SMTP_PORT="x", MAIL_FROM="nobody", FILES_DIR="/nowhere", SITE_URLS="x")
    assert set(found) == {"settings"}
    installation.extra |= {"SMTP_PORT": "x", "SITE_URLS": "x"}
    with pytest.raises(StartFailed) as refused:
        installation.ask("dynamic_api.commands", "config", "check")
    del installation.extra["SMTP_PORT"], installation.extra["SITE_URLS"]
    assert "COURSEWRIGHT_SMTP_PORT must be a whole number" in str(refused.value)
    assert "COURSEWRIGHT_SITE_URLS is not a setting. Did you mean COURSEWRIGHT_SITE_URL?" in str(refused.value)


@pytest.fixture
def database(installation: Installation) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(f"file:{installation.database}?mode=ro", uri=True)
    yield connection
    connection.close()


def test_it_writes_nothing(installation: Installation, database: sqlite3.Connection) -> None:
    def counted() -> list[int]:
        tables = [row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return [database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in sorted(tables)]

    installation.wait_until_idle()
    before = counted()
    ask(installation)
    assert counted() == before
