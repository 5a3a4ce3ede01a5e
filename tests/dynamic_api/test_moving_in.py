"""People who bought elsewhere: their purchases, accounts, passwords and progress arrive, once, and nothing more."""

import contextlib
import sqlite3
from pathlib import Path
from typing import Any

import bcrypt
import httpx
import pytest

from dynamic_api.core.models import Entitlement, Job, Order, Progress, User
from dynamic_api.core.passwords import Passwords
from dynamic_api.core.states import OrderState
from dynamic_api.moving_in.customers import CustomerTable, TableRefused, read_customers
from dynamic_api.moving_in.laravel import LaravelRefused, read_laravel
from dynamic_api.moving_in.old_school import MoveReport, move_in
from dynamic_api.moving_in.purchases import import_purchase
from tests.school import GIT, LATER_LESSON, LESSON, SOURDOUGH, School

PASSWORD = "bread on every table, since 1994"
GUMROAD = (
    "Purchase ID,Item Name,Buyer Name,Purchase Email,Purchase Date,Sale Price ($),Refunded?,Fully Refunded?,Disputed?,"
    "Dispute Won?,Giftee Email\n"
    'a1,"Sourdough, from Starter to Loaf",Ann,ann@example.com,2025-04-01,"49.00",0,0,0,0,\n'
    'a2,"Sourdough, from Starter to Loaf",Bob,BOB@example.com,2025-04-02,49,1,0,0,0,\n'
    'a3,"Sourdough, from Starter to Loaf",Cy,cy@example.com,2025-04-02,49,1,1,0,0,\n'
    'a4,"Sourdough, from Starter to Loaf",Di,di@example.com,2025-04-02,49,0,0,1,0,\n'
    "a5,Git for Writers,Ed,ed@example.com,2025-04-03,39,0,0,0,0,fay@example.com\n"
    "a6,Unknown course,Gus,gus@example.com,2025-04-03,39,0,0,0,0,\n"
    "a7,Git for Writers,Hal,no address,2025-04-03,39,0,0,0,0,\n"
    'a1,"Sourdough, from Starter to Loaf",Ann,ann@example.com,2025-04-01,"49.00",0,0,0,0,\n'
    "Totals,,,,,264,,,,,\n"
)


def read(school: School, content: str | bytes, **how: Any) -> CustomerTable:
    how = {"course": None, "columns": {}, "names": {}, **how}
    data = content.encode() if isinstance(content, str) else content
    return read_customers(data, school.service.catalog.current, now=school.clock(), **how)


async def bring(school: School, table: CustomerTable, *, invite: bool = False) -> int:
    async with school.service.database.transaction() as db:
        return sum(
            [
                await import_purchase(db, each, "customers", now=school.clock(), invite=invite)
                for each in table.purchases
            ]
        )


async def test_a_table_of_gumroad(school: School) -> None:
    table = read(school, GUMROAD)
    assert [(each.buyer.spelling, each.amounts) for each in table.purchases] == [
        ("ann@example.com", (4900,)), ("BOB@example.com", (4900,)), ("ed@example.com", (3900,)),
    ]  # fmt: skip
    assert table.skipped == 3
    assert [problem.partition(":")[0] for problem in table.problems] == ["line 7", "line 8"]
    gift = table.purchases[2].gift
    assert gift is not None
    assert gift.recipient.spelling == "fay@example.com"
    assert await bring(school, table) == 3
    assert await bring(school, table) == 0
    assert len(await school.rows(Order)) == 3
    assert [job for job in await school.rows(Job) if "message" in job.kind] == []  # nobody is emailed


@pytest.mark.parametrize(
    ("content", "how"),
    [
        ("Email;Course;Amount;Currency;Joined\nann@example.com;sourdough;1.234,50 €;EUR;31.12.2024\n", {}),
        ("\ufeffEmail\tcourse_name\nann@example.com\tSOURDOUGH, from starter to loaf\n", {}),
        ("Mail,Paid\nann@example.com,49\n", {"columns": {"email": "Mail", "amount": "Paid"}, "course": "sourdough"}),
        ("Customer Email,Product\nann@example.com,Brot\n", {"names": {"Brot": "sourdough"}}),
        ("E-mail,Course\nann@example.com,sourdough\nann@example.com,sourdough\n", {}),
        ("Émail,Email,Course\nx,ann@example.com,sourdough\n".encode("cp1252"), {}),
        ("Email,Course\nann@example.com,sourdough\n".encode("utf-16"), {}),
    ],
    ids=["german", "tabs", "mapped", "renamed", "double", "windows", "utf-16"],
)
async def test_other_tables(school: School, content: str | bytes, how: dict[str, Any]) -> None:
    if isinstance(how.get("course"), str):
        how = {**how, "course": school.service.catalog.current.course(how["course"])}
    table = read(school, content, **how)
    assert [each.buyer.key for each in table.purchases] == ["ann@example.com"]
    assert table.problems == []


async def test_a_table_that_is_none_is_told(school: School) -> None:
    for content, words in {
        "": "is empty",
        "a,b\n1,2\n": "No column is the email address",
        "Email\nann@example.com\n": "No column is the course",
    }.items():
        with pytest.raises(TableRefused, match=words):
            read(school, content)
    with pytest.raises(TableRefused, match="There is no column “Mail”"):
        read(school, "Email,Course\n", columns={"email": "Mail"})
    with pytest.raises(TableRefused, match="“mail” is no field"):
        read(school, "Email,Course\n", columns={"mail": "Email"})


async def test_who_proves_an_imported_address_gets_the_course(school: School) -> None:
    await bring(school, read(school, "Email,Course\nann@example.com,sourdough\n"))
    async with school.browser() as browser:
        await school.learner(browser, "ann@example.com")
        library = (await browser.get("/api/library")).json()
        assert [course["slug"] for course in library["courses"]] == [SOURDOUGH]
    async with school.browser() as browser:
        await school.learner(browser, "bob@example.com")
        assert (await browser.get("/api/library")).json()["courses"] == []


async def test_invited_people_get_a_link(school: School) -> None:
    table = read(school, "Email,Course\nann@example.com,sourdough\nbob@example.com,git-for-writers\n")
    await bring(school, table, invite=True)
    await school.settle()
    assert {mail["to"] for mail in school.mails()} == {"ann@example.com", "bob@example.com"}
    assert "#token=" in school.mails("ann@example.com")[-1]["text"]


async def test_five_thousand_rows_are_read_at_once(school: School) -> None:
    rows = "".join(f"learner{number}@example.com,sourdough,2024-01-01,49\n" for number in range(5000))
    table = read(school, "Email,Course,Date,Amount\n" + rows)
    assert (len(table.purchases), table.problems) == (5000, [])


SCHEMA = """
CREATE TABLE users (id INTEGER, name TEXT, email TEXT, email_verified_at TEXT, password TEXT, created_at TEXT);
CREATE TABLE courses (id INTEGER, slug TEXT, title TEXT);
CREATE TABLE course_lessons (id INTEGER, course_id INTEGER, slug TEXT);
CREATE TABLE orders (id INTEGER, public_id TEXT, user_id INTEGER, email TEXT, status TEXT, order_type TEXT,
  total_amount INTEGER, currency TEXT, stripe_receipt_url TEXT, paid_at TEXT, refunded_at TEXT, created_at TEXT);
CREATE TABLE order_items (order_id INTEGER, course_id INTEGER, unit_amount INTEGER, quantity INTEGER);
CREATE TABLE entitlements (user_id INTEGER, course_id INTEGER, order_id INTEGER, status TEXT, granted_at TEXT);
CREATE TABLE gift_purchases (order_id INTEGER, course_id INTEGER, buyer_email TEXT, recipient_email TEXT,
  recipient_name TEXT, gift_message TEXT, status TEXT, claimed_by_user_id INTEGER);
CREATE TABLE lesson_progress (user_id INTEGER, lesson_id INTEGER, status TEXT, playback_position_seconds INTEGER,
  video_duration_seconds INTEGER, percent_complete INTEGER, last_viewed_at TEXT, completed_at TEXT, created_at TEXT,
  updated_at TEXT);
CREATE TABLE subscriptions (id INTEGER);
"""
T = "2025-05-01 10:00:00"


@pytest.fixture
def laravel(tmp_path: Path) -> str:
    """A small database of the old platform."""
    path = tmp_path / "laravel.sqlite"
    hashed = "$2y$" + bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()[4:]
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.executescript(SCHEMA)
        db.executemany("INSERT INTO users VALUES (?,?,?,?,?,?)", [
            (1, "Ann", "ann@example.com", T, hashed, T), (2, "Bob", "bob@example.com", None, hashed, T),
            (3, "Cy", "no address", T, hashed, T), (4, "Di", "di@example.com", T, "broken", T),
        ])  # fmt: skip
        db.executemany("INSERT INTO courses VALUES (?,?,?)", [
            (1, "sourdough", "S"), (2, "git", "G"), (3, "gone", "X"),
        ])  # fmt: skip
        db.executemany("INSERT INTO course_lessons VALUES (?,?,?)", [
            (1, 1, LESSON), (2, 1, LATER_LESSON), (3, 1, "not-here"),
        ])  # fmt: skip
        db.executemany("INSERT INTO orders VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", [
            (1, "ord_1", 1, "ann@example.com", "paid", "one_time", 8800, "eur", "https://r.example/1", T, None, T),
            (2, "ord_2", 2, "bob@example.com", "paid", "one_time", 4900, "eur", None, T, None, T),
            (3, "ord_3", 4, "di@example.com", "refunded", "one_time", 4900, "eur", None, T, T, T),
            (4, "ord_4", None, "guest@example.com", "paid", "one_time", 4900, "eur", None, T, None, T),
            (5, "ord_5", 1, "ann@example.com", "paid", "one_time", 3900, "eur", None, T, None, T),
            (6, "ord_6", 1, "ann@example.com", "pending", "one_time", 3900, "eur", None, None, None, T),
            (7, "ord_7", 1, "ann@example.com", "paid", "subscription", 900, "eur", None, T, None, T),
            (8, "ord_8", 4, "di@example.com", "paid", "one_time", 100, "eur", None, T, None, T),
        ])  # fmt: skip
        db.executemany("INSERT INTO order_items VALUES (?,?,?,?)", [
            (1, 1, 4900, 1), (1, 2, 3900, 1), (2, 1, 4900, 1), (3, 1, 4900, 1), (4, 1, 4900, 1), (5, 2, 3900, 1),
            (7, 1, 900, 1), (8, 3, 100, 1),
        ])  # fmt: skip
        db.executemany("INSERT INTO entitlements VALUES (?,?,?,?,?)", [
            (1, 1, 1, "active", T), (1, 2, 1, "active", T), (2, 1, 2, "revoked", T), (4, 1, 3, "revoked", T),
            (4, 2, None, "active", T),
        ])  # fmt: skip
        db.execute("INSERT INTO gift_purchases VALUES (5, 2, 'ann@example.com', 'gus@example.com', 'Gus', 'Read!', "
                   "'delivered', NULL)")  # fmt: skip
        db.executemany("INSERT INTO lesson_progress VALUES (?,?,?,?,?,?,?,?,?,?)", [
            (1, 1, "completed", 390, 400, 97, T, T, T, T), (1, 2, "in_progress", 120, 400, 30, T, None, T, T),
            (1, 3, "completed", 1, 1, 1, T, T, T, T),
        ])  # fmt: skip
        db.execute("INSERT INTO subscriptions VALUES (1)")
    return f"sqlite:///{path}"


async def move(school: School, dsn: str, *, dry_run: bool = False) -> MoveReport:
    return await move_in(school.service, await read_laravel(dsn), {"git": GIT}, dry_run=dry_run)


async def test_a_school_of_the_old_platform(school: School, laravel: str) -> None:
    before = len(await school.rows(User))
    dry = await move(school, laravel, dry_run=True)
    assert (dry.accounts, dry.orders, dry.entitlements, dry.lessons) == (3, 5, 1, 2)
    assert len(await school.rows(User)) == before
    assert await school.rows(Order) == []
    done = await move(school, laravel)
    assert (done.accounts, done.orders, done.entitlements, done.lessons) == (3, 5, 1, 2)
    assert any("user 3: “no address” is not an email address" in each for each in done.problems)
    assert any("order ord_7: “subscription” has no counterpart here" in each for each in done.problems)
    assert any("subscriptions: 1 rows" in each for each in done.problems)
    assert any("there is no course “gone”" in each for each in done.problems)
    again = await move(school, laravel)
    assert (again.accounts, again.orders, again.entitlements, again.lessons) == (0, 0, 0, 0)
    orders = {order.buyer_email.spelling + str(order.amount): order for order in await school.rows(Order)}
    first = orders["ann@example.com8800"]
    assert [(line.amount, line.total_amount) for line in first.lines] == [(4900, 4900), (3900, 3900)]
    assert first.receipt_url == "https://r.example/1"
    assert orders["di@example.com4900"].state is OrderState.REFUNDED
    gift = orders["ann@example.com3900"]
    assert (gift.is_gift, gift.owner_email.spelling, gift.owner_id) == (True, "gus@example.com", None)
    live = {(each.user_id, each.course_id) for each in await school.rows(Entitlement) if each.revoked_at is None}
    people = {user.email_key: user.id for user in await school.rows(User)}
    catalog = school.service.catalog.current
    sourdough, git = catalog.course(SOURDOUGH).id, catalog.course(GIT).id
    ann, di = people["ann@example.com"], people["di@example.com"]
    assert live == {(ann, sourdough), (ann, git), (di, git)}
    assert await school.rows(Job) == [] or not [job for job in await school.rows(Job) if "message" in job.kind]
    rows = {row.lesson_id: row for row in await school.rows(Progress)}
    assert len(rows) == 2


async def sign_in(browser: httpx.AsyncClient, email: str, password: str = PASSWORD) -> int:
    return (await browser.post("/api/session", json={"email": email, "password": password})).status_code


async def test_old_passwords_open_web_and_phone_and_are_renewed(school: School, laravel: str) -> None:
    await move(school, laravel)

    async def stored(email: str) -> str:
        return next(str(user.password_hash) for user in await school.rows(User) if user.email_key == email)

    assert (await stored("ann@example.com")).startswith("$2y$")
    async with school.browser() as browser:
        assert await sign_in(browser, "ann@example.com", "wrong password altogether") == 422
        assert await sign_in(browser, "ann@example.com") == 200
        library = (await browser.get("/api/library")).json()
        assert {course["slug"] for course in library["courses"]} == {SOURDOUGH, GIT}
        shown = next(course for course in library["courses"] if course["slug"] == SOURDOUGH)
        assert shown["completed_lessons"] == 1 if "completed_lessons" in shown else True
        lesson = (await browser.get(f"/api/learn/{SOURDOUGH}/{LESSON}")).json()
        assert lesson["progress"]["status"] == "completed"
        later = (await browser.get(f"/api/learn/{SOURDOUGH}/{LATER_LESSON}")).json()
        assert later["progress"]["playback_position_seconds"] == 120
    assert (await stored("ann@example.com")).startswith("$argon2id$")
    async with school.browser() as browser:
        assert await sign_in(browser, "ann@example.com") == 200
    assert (await stored("bob@example.com")).startswith("$2y$")
    async with school.phone() as phone:
        body = {"email": "bob@example.com", "password": PASSWORD, "device_name": "Phone"}
        assert (await phone.post("/auth/login", json=body)).status_code in (200, 201), (
            await phone.post("/auth/login", json=body)
        ).text
    assert (await stored("bob@example.com")).startswith("$argon2id$")


def test_php_uses_72_bytes_of_a_password_and_a_broken_hash_is_no_password() -> None:
    passwords = Passwords()
    long = "é" * 60
    hashed = "$2y$" + bcrypt.hashpw(long.encode()[:72], bcrypt.gensalt(4)).decode()[4:]
    assert passwords._verify(hashed, long)
    assert not passwords._verify(hashed, "e" * 60)
    assert not passwords._verify("$2y$broken", long)
    assert passwords.is_outdated(hashed)


async def test_what_is_no_such_database_is_told(tmp_path: Path) -> None:
    empty = tmp_path / "empty.sqlite"
    sqlite3.connect(empty).close()
    for dsn, words in {
        f"sqlite:///{empty}": "The table “users” is not as this platform has it",
        "oracle://x/y": "Write the database as mysql://",
        "nonsense": "This is no database address",
        "postgresql://u:p@127.0.0.1:9/x": "The database cannot be read",
    }.items():
        with pytest.raises(LaravelRefused, match=words):
            await read_laravel(dsn)
