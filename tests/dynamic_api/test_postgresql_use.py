"""PostgreSQL as an operator sets it up: TLS, sockets, a pooler, limits; and what happens while it is away."""

import asyncio
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError

from dynamic_api.app import create_service
from dynamic_api.core.connections import TooManyConnections, check_connections
from dynamic_api.core.models import CatalogState
from dynamic_api.core.outages import is_outage
from dynamic_api.core.settings import Settings
from dynamic_api.core.states import OrderState
from dynamic_api.gateways import open_gateways
from dynamic_api.migrations import upgrade
from scripts.postgresql import USER, PostgresqlServer, postgresql_server, programs
from tests.conftest import Sandbox
from tests.ports import free_ports
from tests.school import SOURDOUGH, TestClock, make_school

pytestmark = pytest.mark.slow
MakeSettings = Callable[..., Settings]


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresqlServer]:
    """One that may be stopped, with little room."""
    if programs() is None:
        pytest.skip("no PostgreSQL server with TLS on this machine")
    [port] = free_ports(1)
    with postgresql_server(port, connections=30) as server:
        asyncio.run(upgrade(server.address()))
        yield server


@pytest.fixture
def pooler(server: PostgresqlServer, tmp_path: Path) -> Iterator[int]:
    """PgBouncer in transaction mode with four connections; the port where it listens."""
    [port] = free_ports(1)
    configuration = tmp_path / "pgbouncer.ini"
    configuration.write_text(
        f"[databases]\npostgres = host=localhost port={server.port} dbname=postgres user=postgres\n"
        f"[pgbouncer]\nlisten_addr = localhost\nlisten_port = {port}\nauth_type = any\npool_mode = transaction\n"
        "default_pool_size = 4\nmax_client_conn = 200\nunix_socket_dir =\n"
    )
    tmp_path.chmod(0o755)
    command = ["pgbouncer", "-q", "-u", USER, str(configuration)]
    try:
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    except FileNotFoundError:
        pytest.skip("no PgBouncer on this machine")
    yield port
    process.terminate()
    process.wait()


@pytest.mark.parametrize("way", ["disable", "require", "verify-ca", "verify-full", "socket"])
async def test_ways_to_connect(server: PostgresqlServer, make_settings: MakeSettings, way: str) -> None:
    """The ORM's engine, the readers and the migrations read one address alike."""
    trusted = quote(str(server.certificate), safe="")
    if way == "socket":
        url = f"postgresql+asyncpg://postgres@/postgres?host={quote(str(server.folder), safe='')}&port={server.port}"
    elif way.startswith("verify"):
        url = server.address(sslmode=way, sslrootcert=trusted)
    else:
        url = server.address(sslmode=way)
    settings = make_settings(database_url=url)
    service = create_service(settings, open_gateways(settings))
    await upgrade(url)
    try:
        async with service.database.transaction() as db:
            encrypted = await db.connection()
            assert (await encrypted.exec_driver_sql(_ENCRYPTED)).scalar() is (way not in ("disable", "socket"))
        async with service.reader.pool.connection() as connection:  # type: ignore[union-attr]
            assert await connection.fetchval(_ENCRYPTED) is (way not in ("disable", "socket"))
    finally:
        await service.close()


_ENCRYPTED = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"


async def test_a_server_nobody_vouches_for_is_refused(server: PostgresqlServer, tmp_path: Path) -> None:
    other = PostgresqlServer(tmp_path, 1)
    other._certify()
    with pytest.raises(OSError, match="certificate verify failed"):
        await upgrade(server.address(sslmode="verify-full", sslrootcert=quote(str(other.certificate), safe="")))


async def test_behind_a_pooler(
    server: PostgresqlServer, pooler: int, make_settings: MakeSettings, sandbox: Sandbox
) -> None:
    """Statements of twenty visitors at once, on four connections that forget everything between two of them."""
    url = server.address().replace(str(server.port), str(pooler))
    settings = make_settings(database_url=url, database_pooler=True)
    assert await check_connections(settings, 50) is None
    school = make_school(settings, sandbox.bank, TestClock())
    await school.service.catalog.refresh()

    async def visit(number: int) -> None:
        async with school.browser() as visitor:
            visitor.cookies.set("__Host-session", f"{number:043}")
            for _ in range(10):
                assert (await visitor.get("/api/library")).status_code == 401
                async with school.service.database.transaction() as db:
                    await db.execute(update(CatalogState).values(version=CatalogState.version))

    await asyncio.gather(*(visit(number) for number in range(20)))
    async with school.browser() as buyer:
        session = await school.begin(buyer)
        school.pay(session)
    await school.deliver()
    await school.work()
    order = await school.order(session)
    assert order.state == OrderState.PAID
    await school.service.close()


async def test_connections_that_do_not_fit_are_told(server: PostgresqlServer, make_settings: MakeSettings) -> None:
    settings = make_settings(database_url=server.address(), database_connections=5)
    assert "5 × 5 connections fit" in (await check_connections(settings, 5) or "")
    with pytest.raises(TooManyConnections, match=r"allows 27 connections .* 6 processes may open 5 each"):
        await check_connections(settings, 6)
    assert await check_connections(make_settings(database_url="sqlite+aiosqlite:///x"), 99) is None


async def test_a_database_that_is_away_is_told_and_comes_back(
    server: PostgresqlServer, make_settings: MakeSettings, sandbox: Sandbox
) -> None:
    school = make_school(make_settings(database_url=server.address()), sandbox.bank, TestClock())
    await school.service.catalog.refresh()
    async with school.browser() as visitor, school.phone() as phone:
        assert (await visitor.post("/api/checkout", data={"course": SOURDOUGH})).status_code == 303
        for mode in ("fast", "immediate"):
            server.stop(mode)
            try:
                visitor.cookies.set("__Host-session", "x" * 43)
                bought = await visitor.post("/api/checkout", data={"course": SOURDOUGH})
                assert (bought.status_code, bought.headers["location"]) == (
                    303,
                    "/courses/sourdough/#payment-unavailable",
                )
                for answer in (
                    await phone.post("/auth/login", json=_LOGIN),
                    await phone.get("/library", headers={"Authorization": "Bearer cw_" + "x" * 43}),
                ):
                    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5"), answer.text
                    assert answer.json()["error"]["code"] == "server_error"
                assert (await visitor.get("/readyz")).status_code == 503
            finally:
                server.start()
            assert (await visitor.post("/api/checkout", data={"course": SOURDOUGH})).status_code == 303
            assert (await phone.get("/library", headers={"Authorization": "Bearer x"})).status_code == 401
    await school.service.close()


_LOGIN = {"email": "ann@example.com", "password": "not the right one", "device_name": "x"}


async def test_a_statement_that_takes_too_long_is_cancelled(
    server: PostgresqlServer, make_settings: MakeSettings
) -> None:
    settings = make_settings(database_url=server.address(), database_seconds=1)
    service = create_service(settings, open_gateways(settings))
    started = time.monotonic()
    with pytest.raises((DBAPIError, TimeoutError)) as raised:
        async with service.database.transaction() as db:
            await (await db.connection()).exec_driver_sql("SELECT pg_sleep(30)")
    assert is_outage(raised.value)
    assert time.monotonic() - started < 10
    await service.close()


async def test_who_waits_for_a_connection_in_vain_is_told(
    server: PostgresqlServer, make_settings: MakeSettings
) -> None:
    settings = make_settings(database_url=server.address(), database_connections=4)
    service = create_service(settings, open_gateways(settings))
    pool = service.reader.pool  # type: ignore[union-attr]
    async with pool.connection(), pool.connection():
        with pytest.raises(TimeoutError):
            async with pool.connection():
                pass
    await service.close()
