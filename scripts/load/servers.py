"""The two servers that are compared: uvicorn, one worker each, on the first core."""

import os
import secrets
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from scripts.installation import ROOT, StartFailed
from tests.ports import free_ports


@contextmanager
def bare_server(folder: Path) -> Iterator[int]:
    """The bare route."""
    [port] = free_ports(1)
    command = ["uvicorn", "scripts.load.bare:app", "--port", str(port), "--no-access-log", "--log-level", "warning"]
    with _running(command, port, "/hello", folder / "bare.log", {}):
        yield port


@contextmanager
def service(url: str, folder: Path) -> Iterator[int]:
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
        "STRIPE_WEBHOOK_SECRETS": "whsec_load",
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
    with _running(command, port, "/api/health", folder / "service.log", environment):
        yield port


@contextmanager
def _running(command: Sequence[str], port: int, address: str, log: Path, more: dict[str, str]) -> Iterator[None]:
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=ROOT, env={**os.environ, **more}, stdout=out, stderr=out
        )
    try:
        if hasattr(os, "sched_setaffinity") and (os.cpu_count() or 1) > 1:
            os.sched_setaffinity(process.pid, {0})
        _wait(process, f"http://127.0.0.1:{port}{address}", log)
        yield
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
