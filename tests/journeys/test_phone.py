"""The phone's API as the app meets it: over TLS, through a proxy, and against its own OpenAPI document."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from scripts.certificate import self_signed
from scripts.installation import Installation
from tests.commands import QuickInstallation
from tests.ports import free_ports

pytestmark = pytest.mark.slow

BASE = "/api/v1/mobile"
TRUSTED = "127.0.0.2"  # where the proxy comes from; the service listens on loopback as well
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def sign_in(installation: Installation, email: str, url: str = "", **how: object) -> str:
    """Buy, claim, and sign a phone in; its token."""
    headers = {"Sec-Fetch-Site": "same-origin"}
    with httpx.Client(base_url=url or installation.url, headers=headers, **how) as browser:  # type: ignore[arg-type]
        page = browser.post("/api/checkout", data={"course": "sourdough"}).headers["location"]
        paid = httpx.post(page, data={"email": email, "card": "4242424242424242"}).headers["location"]
        order = paid.rpartition("order=")[2]
        while browser.get(f"/api/orders/{order}").json()["state"] != "paid":
            pass
        body = {"name": "Ann", "password": "a loaf on every table"}
        assert browser.post(f"/api/orders/{order}/claim", json=body).status_code == 200
        login = {"email": email, "password": body["password"], "device_name": "Test phone"}
        token: str = browser.post(f"{BASE}/auth/login", json=login).json()["token"]
    return token


def certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1, with its key."""
    made, key = self_signed()
    path = folder / "proxy.pem"
    path.write_bytes(key + made)
    return path


@dataclass
class TlsProxy:
    """Ends TLS and says so to the service, as Caddy or nginx would. One request for each connection."""

    port: int
    target: int
    pem: Path
    ready: threading.Event = field(default_factory=threading.Event)

    def serve(self) -> None:
        """Until the process ends."""
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.pem)
        server = await asyncio.start_server(self._forward, "127.0.0.1", self.port, ssl=context)
        self.ready.set()
        async with server:
            await server.serve_forever()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(
                (
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length")
                ),
                0,
            )
            body = await reader.readexactly(length)
            client = next(
                (
                    line.split(b":")[1].strip()
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"x-test-client")
                ),
                b"198.51.100.1",
            )
            more = b"X-Forwarded-Proto: https\r\nX-Forwarded-For: " + client + b"\r\nConnection: close\r\n\r\n"
            back, forth = await asyncio.open_connection("127.0.0.1", self.target, local_addr=(TRUSTED, 0))
            forth.write(head[:-2] + more + body)
            writer.write(await back.read())
            forth.close()
        finally:
            writer.close()


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Installation, str, Path]]:
    """An installation behind TLS, which trusts its proxy and nobody else."""
    folder = tmp_path_factory.mktemp("proxied")
    service, sandbox, smtp, tls = free_ports(4)
    site = f"https://127.0.0.1:{tls}"
    installation = QuickInstallation(
        folder, service, sandbox, smtp, extra={"SITE_URL": site, "FORWARDED_ALLOW_IPS": TRUSTED}
    )
    proxy = TlsProxy(tls, service, certificate(folder))
    threading.Thread(target=proxy.serve, daemon=True).start()
    proxy.ready.wait(10)
    with installation.running():
        yield installation, site, proxy.pem


def test_through_a_tls_proxy(proxied: tuple[Installation, str, Path]) -> None:
    installation, site, pem = proxied
    verify = ssl.create_default_context(cafile=str(pem))
    token = sign_in(installation, "tls@example.com", site, verify=verify)
    with httpx.Client(base_url=f"{site}{BASE}", verify=verify, headers={"Authorization": f"Bearer {token}"}) as phone:
        [course] = phone.get("/library").json()["courses"]
        assert course["thumbnail_url"].startswith(f"{site}/assets/")
        detail = phone.get("/courses/sourdough").json()["course"]
        assert detail["thumbnail_url"] == course["thumbnail_url"]
        resources = phone.get("/courses/sourdough/lessons/what-lives-in-the-jar/playback").json()["lesson"]["resources"]
        link = phone.get(f"/resources/{resources[0]['id']}").json()["resource"]["url"]
        assert link.startswith(f"{site}{BASE}/resources/")
    with httpx.Client(verify=verify) as system_browser:
        assert system_browser.get(link).content.startswith(b"%PDF")


def test_only_the_proxy_is_believed(proxied: tuple[Installation, str, Path]) -> None:
    installation, site, pem = proxied

    def left(url: str, **headers: str) -> int:
        with httpx.Client(verify=ssl.create_default_context(cafile=str(pem))) as client:
            return int(client.get(f"{url}{BASE}/me", headers=headers).headers["X-RateLimit-Remaining"])

    assert left(site, **{"X-Test-Client": "198.51.100.7"}) == left(site, **{"X-Test-Client": "198.51.100.8"})
    first = left(installation.url, **{"X-Forwarded-For": "198.51.100.9"})
    assert left(installation.url, **{"X-Forwarded-For": "198.51.100.10"}) == first - 1


def test_the_document_is_true(installation: Installation) -> None:
    """Schemathesis draws requests from the document, sends them to the service, and holds the answers against it."""
    tokens = cycle([sign_in(installation, f"schema{number}@example.com") for number in range(6)])
    document = httpx.get(f"{installation.url}{BASE}/openapi.json").json()
    assert document["openapi"] == "3.1.0"
    schema = schemathesis.openapi.from_dict(document)
    asked = 0
    for result in schema.get_all_operations():
        operation = result.ok()  # type: ignore[union-attr]
        # Signing in and out needs no token of ours, and would end the others.
        token = tokens if "/auth/" not in operation.path else None
        asked += ask_about(operation, f"{installation.url}{BASE}", token)
    assert asked > 100


def ask_about(operation: Any, base_url: str, tokens: Iterator[str] | None) -> int:
    """Requests drawn for one operation, each answer held against the document; how many there were."""
    asked = 0

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(case=operation.as_strategy())
    def ask(case: schemathesis.Case[Any]) -> None:
        nonlocal asked
        asked += 1
        if tokens is not None:
            case.headers["Authorization"] = f"Bearer {next(tokens)}"
        for name, known in (("course", "sourdough"), ("lesson", "what-lives-in-the-jar")):
            if asked % 2 and name in case.path_parameters:
                case.path_parameters[name] = known
        case.validate_response(case.call(base_url=base_url), checks=CHECKS)

    ask()
    return asked
