"""The whole school elsewhere: another kind of database, another machine, or no Coursewright at all."""

import asyncio
import io
import json
import tarfile
from pathlib import Path

import pytest
from sqlalchemy import text

from dynamic_api.backups.copy import copy_database
from dynamic_api.backups.rows import tables
from dynamic_api.core.database import Database, make_plain_engine
from dynamic_api.core.models import AuditEntry, Order, Progress
from dynamic_api.migrations import upgrade
from tests.commands import run_loudly as command
from tests.school import GIT, LESSON, PASSWORD, SOURDOUGH, School, TestClock, make_school

pytestmark = pytest.mark.slow


async def fill(school: School) -> None:
    """Somebody who learns, somebody who was refunded, a gift that waits."""
    async with school.browser() as owner, school.browser() as other:
        await school.owner(owner)
        await owner.post(f"/api/learn/{SOURDOUGH}/{LESSON}/progress", json={"position_seconds": 77})
        session = await school.owner(other, GIT, "bob@example.com")
        school.bank.refund(session["payment_intent"], amount=None)
        await school.settle()
        await school.begin(other)
    await school.service.progress.flush()


def content_of(archive: tarfile.TarFile, name: str) -> str:
    """A file of it."""
    content = archive.extractfile(name)
    assert content is not None
    return content.read().decode()


@pytest.fixture
def empty_postgresql(postgresql: str) -> str:
    """An empty database."""
    asyncio.run(_create(postgresql.replace("NAME", "postgres"), "moved"))
    return postgresql.replace("NAME", "moved")


async def _create(server: str, name: str) -> None:
    engine = make_plain_engine(server).execution_options(isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    await engine.dispose()


async def test_from_sqlite_to_postgresql(
    empty_postgresql: str, school: School, sqlite_only: None, tmp_path: Path
) -> None:
    await fill(school)
    source = school.service.settings.database_url
    target = empty_postgresql
    said = await command(school.service.settings, "db", "copy", target)
    assert "are the same in both" in said
    assert "orders: 3 rows" in said
    assert "are the same in both" in await command(school.service.settings, "db", "copy", target)

    moved = make_school(school.service.settings.model_copy(update={"database_url": target}), school.bank, TestClock())
    await moved.service.catalog.refresh()
    assert len(await moved.rows(Order)) == 3
    async with moved.browser() as owner:
        signed_in = await owner.post("/api/session", json={"email": "ann@example.com", "password": PASSWORD})
        assert signed_in.is_success, signed_in.text
        assert (await owner.get(f"/api/learn/{SOURDOUGH}/{LESSON}/playback")).json()["start_seconds"] == 77
    async with moved.browser() as buyer:
        await moved.owner(buyer, GIT, "new@example.com")  # new rows get new numbers
    await moved.service.close()

    back = f"sqlite+aiosqlite:///{tmp_path}/back.sqlite3"
    await copy_database(target, back, say=lambda _: None)
    assert source != back


async def test_a_copy_goes_on_where_it_was_interrupted(school: School, sqlite_only: None, tmp_path: Path) -> None:
    await fill(school)
    source, target = school.service.settings.database_url, f"sqlite+aiosqlite:///{tmp_path}/copy.sqlite3"
    async with school.service.database.transaction() as db:
        db.add_all(
            AuditEntry(at=school.clock(), action="test", actor=str(number), details={}) for number in range(2500)
        )

    def stop(table: str) -> None:
        if table.startswith("courses"):
            raise InterruptedError

    with pytest.raises(InterruptedError):
        await copy_database(source, target, say=stop)
    database = Database(target)
    async with database.transaction() as db:
        await db.execute(text("DELETE FROM audit_log WHERE id > 1700"))
    await database.close()
    said: list[str] = []
    await copy_database(source, target, say=said.append)
    assert len(said) == len(tables())


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit_log SET actor = 'x' WHERE id = 1",
        "DELETE FROM audit_log WHERE id = (SELECT min(id) FROM audit_log)",
    ],
)
async def test_a_target_with_other_rows_is_refused(
    school: School, sqlite_only: None, tmp_path: Path, change: str
) -> None:
    await fill(school)
    source, target = school.service.settings.database_url, f"sqlite+aiosqlite:///{tmp_path}/copy.sqlite3"
    await copy_database(source, target, say=lambda _: None)
    database = Database(target)
    async with database.transaction() as db:
        await db.execute(text(change))
    await database.close()
    settings = school.service.settings
    assert "are not the first of the source" in await command(settings, "db", "copy", target, status=1)
    assert "same database" in await command(settings, "db", "copy", source, status=1)


async def test_a_school_moves_machines_with_one_archive(school: School, tmp_path: Path) -> None:
    await fill(school)
    folder, archive = tmp_path / "old", tmp_path / "school.tar.gz"
    for name, content in {
        "course_data/site.yaml": "name: X", "content/pages/about.md": "# About", ".env": "SECRET=1", ".git/config": "x",
        "output/index.html": "built", "build/catalog.json": "{}", ".gitignore": "var/", "theme/x.css": "a{}",
    }.items():  # fmt: skip
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    settings = school.service.settings
    said = await command(settings, "export", "--all", str(archive), "--school", str(folder))
    assert "4 files" in said
    assert archive.stat().st_mode & 0o077 == 0
    assert "exists already" in await command(settings, "export", str(archive), status=1)
    with tarfile.open(archive) as opened:
        names = opened.getnames()
        readme, orders = content_of(opened, "README.md"), content_of(opened, "database/orders.jsonl")
    assert "school/.env" not in names
    assert "school/.git/config" not in names
    assert "| user_id | number, or null | users.id |" in readme
    assert {json.loads(line)["email"] for line in orders.splitlines()} >= {"ann@example.com", "bob@example.com"}
    for table in tables():
        assert f"## {table.name}" in readme

    new = tmp_path / "new"
    assert "4 files" in await command(settings, "import", "archive", str(archive), "--to", str(new))
    assert (new / "content/pages/about.md").read_text() == "# About"
    assert "is not empty" in await command(settings, "import", "archive", str(archive), "--to", str(new), status=1)
    assert "is not empty" in await command(settings, "import", "archive", str(archive), status=1)
    elsewhere = settings.model_copy(update={"database_url": f"sqlite+aiosqlite:///{tmp_path}/var/new.sqlite3"})
    assert "current schema" in await command(elsewhere, "migrate")  # as one does with a new database
    assert "rows" in await command(elsewhere, "import", "archive", str(archive))
    again = make_school(elsewhere, school.bank, TestClock())
    await again.service.catalog.refresh()
    assert len(await again.rows(Order)) == 3
    assert [row.position_seconds for row in await again.rows(Progress)] == [77]
    await again.service.close()


async def test_an_archive_that_is_damaged_or_foreign_changes_nothing(school: School, tmp_path: Path) -> None:
    archive, cut = tmp_path / "school.tar.gz", tmp_path / "cut.tar.gz"
    elsewhere = school.service.settings.model_copy(update={"database_url": f"sqlite+aiosqlite:///{tmp_path}/n.sqlite3"})
    await command(school.service.settings, "export", "--data-only", str(archive))
    cut.write_bytes(archive.read_bytes()[:-200])
    assert "cut short" in await command(elsewhere, "import", "archive", str(cut), status=1)
    other = tmp_path / "other.tar.gz"
    with tarfile.open(archive) as opened, tarfile.open(other, "w:gz") as written:
        for member in opened.getmembers():
            data = content_of(opened, member.name).replace("sourdough", "something").encode()
            member.size = len(data)
            written.addfile(member, io.BytesIO(data))
    assert "is damaged" in await command(elsewhere, "import", "archive", str(other), status=1)
    assert not (tmp_path / "n.sqlite3").exists()
    await upgrade(elsewhere.database_url)


async def test_an_unfinished_copy_is_no_database_yet(school: School, sqlite_only: None, tmp_path: Path) -> None:
    """Nothing may sell from it, and the same command finishes it."""
    await fill(school)
    source, target = school.service.settings.database_url, f"sqlite+aiosqlite:///{tmp_path}/copy.sqlite3"

    def stop(table: str) -> None:
        if table.startswith("orders"):
            raise InterruptedError

    with pytest.raises(InterruptedError):
        await copy_database(source, target, say=stop)
    half = school.service.settings.model_copy(update={"database_url": target})
    for arguments in (("serve", "--port", "1"), ("migrate",), ("orders",)):
        assert "unfinished copy" in await command(half, *arguments, status=1)
    assert "the same in both" in await command(school.service.settings, "db", "copy", target)
    assert "ord_" in await command(half, "orders")


@pytest.mark.parametrize("target", ["nonsense", "postgresql+asyncpg://nobody@127.0.0.1:1/none"])
async def test_a_target_that_cannot_be_used_is_named(school: School, target: str) -> None:
    said = await command(school.service.settings, "db", "copy", target, status=1)
    assert "no address of a database" in said or "Check the two addresses" in said
