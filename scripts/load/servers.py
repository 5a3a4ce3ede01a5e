"""The two servers that are compared: uvicorn, one worker each, on the first core."""

import os
import secrets
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from scripts.installation import ROOT, StartFailed
from scripts.load.routes import WEBHOOK_SECRET
from tests.ports import free_ports


@dataclass(frozen=True)
class Server:
    """A server that runs, and what it takes."""

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """Seconds of the processor that it took so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Megabytes that it keeps in memory."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024


@contextmanager
def bare_server(folder: Path) -> Iterator[Server]:
    """The bare route."""
    [port] = free_ports(1)
    command = ["uvicorn", "scripts.load.bare:app", "--port", str(port), "--no-access-log", "--log-level", "warning"]
    with _running(command, port, "/hello", folder / "bare.log", {}) as server:
        yield server


@contextmanager
def service(url: str, folder: Path) -> Iterator[Server]:
    """The real service, as `scripts/coursewright serve` starts it, every middleware and check on."""
    [port] = free_ports(1)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    settings = {
        "SITE_URL": f"http://127.0.0.1:{port}",
        "SECRET_KEY": secrets.token_hex(32),
        "DATABASE_URL": url,
        "MANIFEST": str(folder / "catalog.json"),
        "EMBEDDED_WORKER": "false",
        "STRIPE_SECRET_KEY": "sk_test_load",
        "STRIPE_WEBHOOK_SECRETS": WEBHOOK_SECRET,
        "STREAM_KEY_ID": "load",
        "STREAM_KEY_PEM": b64encode(pem).decode(),
        "STREAM_BASE_URL": "https://stream.example",
        "FILES_DIR": str(ROOT / "course_data" / "files"),
        "SMTP_HOST": "127.0.0.1",
        "SMTP_SECURITY": "none",
        "MAIL_FROM": "load@example.com",
    }
    environment = {f"COURSEWRIGHT_{name}": value for name, value in settings.items()}
    command = ["dynamic_api.commands", "serve", "--port", str(port)]
    with _running(command, port, "/api/health", folder / "service.log", environment) as server:
        yield server


@contextmanager
def _running(command: Sequence[str], port: int, address: str, log: Path, more: dict[str, str]) -> Iterator[Server]:
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=ROOT, env={**os.environ, **more}, stdout=out, stderr=out
        )
    try:
        if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
            os.sched_setaffinity(process.pid, {0})
        _wait(process, f"http://127.0.0.1:{port}{address}", log)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(15)


def _wait(process: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            httpx.get(address, timeout=2).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.05)
        else:
            return
    raise StartFailed(log.read_text(errors="replace")[-2000:])
