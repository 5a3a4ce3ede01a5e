"""The migrated schema is the models' schema, and rows survive the way back and forth."""

import re
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint, Connection, MetaData, inspect, text
from sqlalchemy.ext.asyncio import create_async_engine

from dynamic_api.accounts.sign_in_codes import issue_sign_in_link
from dynamic_api.core.database import Database
from dynamic_api.core.emails import Email
from dynamic_api.core.models import Base, Entitlement, Order
from dynamic_api.migrations import alembic_config, downgrade, drift, upgrade
from dynamic_api.migrations.releases import RELEASES
from dynamic_api.migrations.schema import SchemaUnfit, check_schema
from dynamic_api.moving_in.purchases import Purchase, import_purchase
from dynamic_api.newsletter.readers import subscribe
from tests.commands import run_loudly as command
from tests.conftest import ROOT
from tests.school import GIT, KNOTS, LATER_LESSON, LESSON, SOURDOUGH, School

pytestmark = pytest.mark.postgresql

Rows = dict[str, list[dict[str, object]]]


async def test_no_drift_and_twice_is_once(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'new.sqlite3'}"
    await upgrade(url)
    await upgrade(url)
    assert await drift(url) == []


def checks_of(connection: Connection) -> dict[str, set[str]]:
    found = inspect(connection)
    names = [name for name in found.get_table_names() if name != "alembic_version"]
    return {name: {str(each["name"]) for each in found.get_check_constraints(name)} for name in names}


async def test_every_check_of_the_models_is_in_the_database(database_url: str) -> None:
    """Alembic compares no checks, and SQLite's rebuilt tables lose those that are not repeated."""
    expected = {
        table.name: {str(each.name) for each in table.constraints if isinstance(each, CheckConstraint)}
        for table in Base.metadata.sorted_tables
    }
    database = Database(database_url)
    async with database.engine.connect() as connection:
        assert await connection.run_sync(checks_of) == expected
    await database.close()


def revisions() -> list[str]:
    """Every released revision, newest first, without the current one."""
    script = ScriptDirectory.from_config(alembic_config("sqlite://"))
    return [each.revision for each in script.walk_revisions()][1:]


async def live(school: School) -> None:
    """Things happen until there are rows in every table."""
    async with school.browser() as owner, school.browser() as giver, school.browser() as guest, school.phone() as phone:
        session = await school.owner(owner)
        await school.sign_in_phone(phone)
        for lesson, position in ((LESSON, 99), (LATER_LESSON, 7)):
            school.clock.forward(minutes=1)
            await owner.post(f"/api/learn/{SOURDOUGH}/{lesson}/progress", json={"position_seconds": position})
        await owner.put(f"/api/learn/{SOURDOUGH}/{LESSON}/completion")
        await owner.post("/api/checkout", data={"course": KNOTS})
        for lesson in (each.definition.slug for each in school.service.catalog.current.course(KNOTS).lessons):
            school.clock.forward(minutes=1)
            await owner.put(f"/api/learn/{KNOTS}/{lesson}/completion")
        school.pay(await school.begin(giver, gift="1", recipient_email="fran@example.com", message="Enjoy!"))
        await school.buy(guest, GIT, "Quinn@Example.com")
        school.bank.refund(session["payment_intent"], amount=100)
        await school.settle()
        await owner.put(f"/api/courses/{KNOTS}/review", json={"stars": 5, "text": "Short."})
        user = await school.learner(guest)
        course = school.service.catalog.current.course(SOURDOUGH).id
        elsewhere = Purchase("1", Email.parse("old@example.com"), (course,), (4900,), "EUR", school.clock())
        async with school.service.database.transaction() as db:
            await import_purchase(db, elsewhere, "test", now=school.clock(), invite=False)
            await subscribe(db, Email.parse("reader@example.com"), now=school.clock())
            await issue_sign_in_link(db, school.service.settings.secret_key, user, now=school.clock())
    await school.service.close()


async def rows_of(url: str) -> Rows:
    """Everything in a database, by table, whatever its schema."""
    engine = create_async_engine(url)
    found: Rows = {}
    async with engine.connect() as connection:
        tables = MetaData()
        await connection.run_sync(tables.reflect)
        for table in tables.sorted_tables:
            rows = await connection.execute(table.select().order_by(*table.primary_key.columns))
            found[table.name] = [dict(row) for row in rows.mappings()]
    await engine.dispose()
    del found["alembic_version"]
    return found


@pytest.mark.parametrize("revision", revisions())
async def test_rows_survive_the_way_back_and_forth(school: School, revision: str) -> None:
    await live(school)
    url = school.service.settings.database_url
    before = await rows_of(url)
    assert all(before.values()), [name for name, rows in before.items() if not rows]
    await downgrade(url, revision)
    older = await rows_of(url)
    assert all(rows or name == "jobs" for name, rows in older.items()), older
    await upgrade(url)
    assert await drift(url) == []
    after = await rows_of(url)
    # What an older schema cannot hold is lost on the way back, and only that.
    for table, rows in before.items():
        if table not in older:
            continue
        kept = [name for name in rows[0] if name in older[table][0]]
        if table == "jobs":  # the first version had another column of this name
            kept = [name for name in kept if name != "created_at"]
        if table == "orders" and "gifts" not in older:
            kept = [name for name in kept if name not in ("email", "email_key")]  # a gift became its recipient's order
        assert [{name: row[name] for name in kept} for row in after[table]] == [
            {name: row[name] for name in kept} for row in rows
        ], table


async def test_courses_are_counted_from_progress(school: School) -> None:
    """What the library reads is the same after a database of an older version was brought up to date."""
    await live(school)
    url = school.service.settings.database_url
    before = (await rows_of(url))["course_progress"]
    assert [row["completed_lessons"] for row in before] == [7, 1]
    await downgrade(url, "a3b9e41c70d2")
    await upgrade(url)
    after = (await rows_of(url))["course_progress"]
    assert [row | {"lessons_version": 0} for row in after] == [row | {"lessons_version": 0} for row in before]


async def test_addresses_are_compared_as_dns_does_and_nobody_is_merged(
    school: School, capsys: pytest.CaptureFixture[str]
) -> None:
    async with school.browser() as browser:
        for name in ("ann", "bob", "cleo"):
            await school.learner(browser, f"{name}@example.com")
    await school.service.close()
    url = school.service.settings.database_url
    await downgrade(url, "a3b9e41c70d2")
    engine = create_async_engine(url)
    before = [
        (1, "Ann@Straße.example", "ann@strasse.example"),
        (2, "bob@bücher.example", "bob@bücher.example"),
        (3, "bob@xn--bcher-kva.example", "bob@xn--bcher-kva.example"),
    ]
    async with engine.begin() as connection:  # as the version before wrote them
        for number, email, key in before:
            values = {"id": number, "email": email, "key": key}
            await connection.execute(text("UPDATE users SET email = :email, email_key = :key WHERE id = :id"), values)
    await engine.dispose()
    await upgrade(url)
    keys = [row["email_key"] for row in (await rows_of(url))["users"]]
    assert keys == ["ann@xn--strae-oqa.example", "bob@bücher.example", "bob@xn--bcher-kva.example"]
    told = capsys.readouterr().err
    assert "Account 2 (bob@bücher.example) keeps its old key" in told
    assert len(told.splitlines()) == 1


async def test_sqlite_is_durable_and_checks_references(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'new.sqlite3'}")
    async with database.reading() as db:
        for pragma, expected in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
            assert (await db.execute(text(f"PRAGMA {pragma}"))).scalar() == expected
    await database.close()


def test_every_release_is_known_by_its_schema() -> None:
    released = set(re.findall(r"^## (\d[\d.]+)", (ROOT / "CHANGELOG.md").read_text(), re.M))
    assert released == set(RELEASES)
    assert set(RELEASES.values()) <= set(revisions())


@pytest.mark.parametrize("version", RELEASES)
async def test_going_back_to_a_release_and_forward_again_keeps_orders_and_access(school: School, version: str) -> None:
    await live(school)
    settings = school.service.settings
    before = [(each.user_id, each.course_id, each.revoked_at) for each in await school.rows(Entitlement)]
    orders = {(each.public_id, each.state, each.amount) for each in await school.rows(Order)}
    assert "There is no release 7" in await command(settings, "migrate", "--back-to", "7", status=1)
    assert "say that you mean it: --yes" in await command(settings, "migrate", "--back-to", version, status=1)
    assert f"the schema of {version}" in await command(settings, "migrate", "--back-to", version, "--yes")
    with pytest.raises(SchemaUnfit, match="older schema"):
        await check_schema(settings.database_url)
    assert "the current schema" in await command(settings, "migrate")
    after = [(each.user_id, each.course_id, each.revoked_at) for each in await school.rows(Entitlement)]
    assert sorted(after, key=str) == sorted(before, key=str)
    assert {(each.public_id, each.state, each.amount) for each in await school.rows(Order)} == orders
