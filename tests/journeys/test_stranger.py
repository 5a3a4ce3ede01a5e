"""A stranger's whole way: an empty folder, a school, PostgreSQL, S3, TLS behind Caddy, a purchase, a loss, and back.

Each line is what the documents say; the partners are the sandbox, and the certificate is our own.
"""

import contextlib
import os
import shutil
import ssl
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from scripts.installation import Installation
from scripts.postgresql import PostgresqlServer, postgresql_server, programs
from tests.journeys.test_hosting import start
from tests.journeys.test_phone import certificate
from tests.ports import free_ports
from tests.s3 import ACCESS, BUCKET, KEY, S3, SECRET

pytestmark = pytest.mark.slow
PASSWORD = "a stair of three steps"


@dataclass
class Stranger:
    """Somebody at a shell in a folder. The school's settings are in its `.env`, and nowhere else."""

    folder: Path
    bin: Path

    def run(self, line: str, *, status: int = 0) -> str:
        """One line."""
        known = {"PATH": f"{self.bin}{os.pathsep}{os.environ['PATH']}", "HOME": str(self.folder)}
        trusted = {"SSL_CERT_FILE": str(self.bin.parent / "proxy.pem")}
        done = subprocess.run(
            ["sh", "-c", line], cwd=self.folder, env=known | trusted, capture_output=True, text=True, check=False
        )
        assert "Traceback" not in done.stderr, done.stderr
        assert done.returncode == status, f"{line}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr


@pytest.fixture
def stranger(tmp_path: Path) -> Stranger:
    """With the program installed."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "coursewright"
    path = Path(__file__).parents[2]
    program.write_text(f'#!/bin/sh\nPYTHONPATH={path} exec {sys.executable} -m dynamic_api.commands "$@"\n')
    program.chmod(0o755)
    certificate(tmp_path)
    return Stranger(tmp_path, tmp_path / "bin")


def sell(school: Path) -> None:
    """Make the starter's course one that costs money and has a file."""
    path = school / "course_data/courses/first-steps/course.yaml"
    text = path.read_text().replace("price: free", "price:\n  amount: 4900\n  currency: EUR")
    text += f"resources:\n  - id: schedule\n    key: {KEY}\n    name: Schedule\n    type: application/pdf\n"
    path.write_text(text)


def buy(url: str, trusted: ssl.SSLContext) -> tuple[httpx.Client, str]:
    """Through TLS; the browser that owns the course now."""
    browser = httpx.Client(base_url=url, verify=trusted, headers={"Sec-Fetch-Site": "same-origin"}, timeout=30)
    page = browser.post("/api/checkout", data={"course": "first-steps"}).headers["location"]
    paid = httpx.post(page, data={"email": "kim@example.com", "card": "4242424242424242"}).headers["location"]
    order = paid.rpartition("order=")[2]
    while browser.get(f"/api/orders/{order}").json()["state"] != "paid":
        pass
    claimed = browser.post(f"/api/orders/{order}/claim", json={"name": "Kim", "password": PASSWORD})
    assert claimed.status_code == 200, claimed.text
    return browser, order


def file_of(browser: httpx.Client) -> bytes:
    """The course's file, from the bucket."""
    lesson = browser.get("/api/learn/first-steps/write").json()
    [resource] = lesson["resources"]
    place = browser.get(f"/api/resources/{resource['id']}/download", follow_redirects=False)
    return httpx.get(place.headers["location"]).content


def test_the_whole_way(stranger: Stranger, s3: S3, tmp_path: Path) -> None:
    if programs() is None or shutil.which("caddy") is None:
        pytest.skip("no PostgreSQL or Caddy on this machine")
    service, sandbox, smtp, front, port = free_ports(5)
    url, trusted = f"https://127.0.0.1:{front}", str(tmp_path / "proxy.pem")
    context = ssl.create_default_context(cafile=trusted)
    stranger.run(f"coursewright init school --name 'Stairs' --email me@school.example --url {url} --ci none")
    school = stranger.folder / "school"
    stranger.folder = school
    sell(school)

    partners = Installation(tmp_path / "partners", service, sandbox, smtp, school=school, front=url)
    partners.folder.mkdir()
    running: list[subprocess.Popen[bytes]] = []
    stack = contextlib.ExitStack()
    try:
        database = stack.enter_context(postgresql_server(port))
        partners.build()
        partners.start_sandbox()
        settings = partners.environment() | {
            "COURSEWRIGHT_DATABASE_URL": database.address("school"),
            "COURSEWRIGHT_R2_ENDPOINT": s3.endpoint, "COURSEWRIGHT_R2_BUCKET": BUCKET,
            "COURSEWRIGHT_R2_ACCESS_KEY_ID": ACCESS, "COURSEWRIGHT_R2_SECRET_ACCESS_KEY": SECRET,
        }  # fmt: skip
        left_out = ("COURSEWRIGHT_FILES_DIR", "COURSEWRIGHT_MANIFEST", "COURSEWRIGHT_OUTPUT")
        lines = [f"{name}={value!r}" for name, value in settings.items()
                 if name.startswith("COURSEWRIGHT_") and name not in left_out]  # fmt: skip
        (school / ".env").write_text("\n".join(lines) + "\n")
        create(database, "school")

        assert "complete" in stranger.run("coursewright config check")
        assert "Run “coursewright migrate”" in stranger.run("coursewright doctor", status=1)
        stranger.run("coursewright migrate")
        stranger.run("coursewright build")
        caddyfile = stranger.run(f"coursewright host caddy --output {school}/output --upstream 127.0.0.1:{service}")
        caddyfile = caddyfile.replace(f"{url} {{", f"{url} {{\n    tls {trusted} {trusted}", 1)
        (tmp_path / "Caddyfile").write_text("{\n    admin off\n    auto_https disable_redirects\n}\n" + caddyfile)
        running.append(serve(stranger, service))
        running.append(
            start(["caddy", "run", "--config", "Caddyfile", "--adapter", "caddyfile"], tmp_path, url, verify=context)
        )
        told = stranger.run("coursewright doctor")
        assert "All is well" in told, told

        browser, order = buy(url, context)
        assert file_of(browser) == b"%PDF-1.4 a weekend"
        (tmp_path / "backups").mkdir()
        stranger.run(f"coursewright backup {tmp_path}/backups")

        stop(running.pop(0))
        create(database, "school", drop=True)  # everything is lost
        [backup] = (tmp_path / "backups").iterdir()
        stranger.run(f"coursewright restore {backup}")
        stranger.run("coursewright migrate")
        assert "✓ what was paid for" in stranger.run(f"coursewright drill {tmp_path}/backups")
        running.insert(0, serve(stranger, service))
        assert file_of(browser) == b"%PDF-1.4 a weekend", "the same browser is still signed in"
        assert browser.get(f"/api/orders/{order}").json()["state"] == "paid"

        stop(running.pop(0))
        assert "0.2.0" in stranger.run("coursewright migrate --back-to 0.2.0 --yes")
        assert "older schema" in stranger.run(f"coursewright serve --port {service}", status=1)
        assert "older schema" in stranger.run("coursewright upgrade --check")
        stranger.run("coursewright migrate")
        running.insert(0, serve(stranger, service))
        assert file_of(browser) == b"%PDF-1.4 a weekend"
        browser.close()
    finally:
        for process in running:
            stop(process)
        partners.stop()
        stack.close()


def create(server: PostgresqlServer, name: str, *, drop: bool = False) -> None:
    """An empty database, as its administrator makes one."""
    statements = [f"DROP DATABASE {name} WITH (FORCE)"] * drop + [f"CREATE DATABASE {name}"]
    folder = programs()
    assert folder is not None
    for statement in statements:
        address = server.address().replace("+asyncpg", "")
        subprocess.run([folder / "psql", address, "-qc", statement], check=True)


def serve(stranger: Stranger, port: int) -> subprocess.Popen[bytes]:
    """The service, started as its unit does."""
    known = {"PATH": f"{stranger.bin}{os.pathsep}{os.environ['PATH']}"}
    process = subprocess.Popen(
        ["coursewright", "serve", "--port", str(port)], cwd=stranger.folder, env=known, stderr=subprocess.DEVNULL,
        executable=stranger.bin / "coursewright",
    )  # fmt: skip
    for _ in range(400):
        try:
            httpx.get(f"http://127.0.0.1:{port}/healthz").raise_for_status()
        except httpx.HTTPError:
            assert process.poll() is None
            continue
        return process
    raise AssertionError("the service does not answer")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop it, and wait."""
    process.terminate()
    process.wait(15)
