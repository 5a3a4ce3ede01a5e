"""One installation on this machine: a folder, the sandbox and the service as processes.

The demo and the browser tests use it. Imports of neighbours are relative: the installed package has another name.
"""

import contextlib
import json
import os
import secrets
import shlex
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import formataddr
from pathlib import Path
from typing import Protocol

import httpx

from dynamic_api.webhooks.handle import HANDLED
from sitegen.publish import LIST

from .sandbox.stripe_objects import API_VERSION

ROOT = Path(__file__).resolve().parent.parent


class Program(Protocol):
    """A process that was started; `subprocess.Popen` is one."""

    pid: int

    def poll(self) -> int | None:
        """The exit status; None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, once there is one. Raises subprocess.TimeoutExpired."""

    def send_signal(self, sig: int) -> None:
        """Send it a signal."""


class StartFailed(Exception):
    """Why something does not start, in a sentence."""


def port_is_free(port: int) -> bool:
    """Whether a server can listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@dataclass
class Installation:
    """A school, with everything that arises below `folder`. Three ports: service, sandbox, and its mail server."""

    folder: Path
    port: int
    sandbox_port: int
    smtp_port: int
    school: Path = ROOT
    front: str = ""  # the URL that visitors use, where something stands before the service
    extra: dict[str, str] = field(default_factory=dict)
    processes: dict[str, Program] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """The URL that visitors use."""
        return self.front or self.own_url

    @property
    def own_url(self) -> str:
        """The service's own URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def sandbox(self) -> str:
        """The URL of the sandbox partners."""
        return f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.folder / "coursewright.sqlite3"

    @contextlib.contextmanager
    def running(self) -> Iterator["Installation"]:
        """Everything that a school needs, until the block ends."""
        try:
            self.build()
            self.start_sandbox()
            self.migrate()
            self.start_service()
            yield self
        finally:
            self.stop()

    def build(self) -> None:
        """Validate the course files and build the site."""
        output = self.folder / "output"
        if output.is_dir() and any(output.iterdir()) and not (output / LIST).exists():
            output.rename(self.folder / f"output-{int(time.time())}")  # from an earlier version, which kept no list
        self.ask(
            "dynamic_api.commands",
            "build",
            "--rehearsal",
            "--school",
            self.school,
            "--output",
            self.folder / "output",
            "--manifest",
            self.folder / "catalog.json",
            "--site-url",
            self.url,
        )

    def migrate(self) -> None:
        """Update the database to the current schema."""
        self.ask("dynamic_api.commands", "migrate")

    def start_sandbox(self) -> None:
        """Start the sandbox partners, and set up the accounts there as a creator would."""
        self.launch(
            "sandbox",
            f"{__package__}.sandbox",
            "--port",
            self.sandbox_port,
            "--smtp-port",
            self.smtp_port,
            "--state",
            self.folder / "sandbox.json",
        )
        self._wait("sandbox", f"{self.sandbox}/inbox")
        with httpx.Client(base_url=self.sandbox) as client:
            client.post("/sandbox/videos", json=self._videos()).raise_for_status()
            if not self._secrets_path.exists():
                self._keep_secrets(client)

    def upload_captions(self) -> None:
        """Upload the course files' captions to the player, as a creator would after uploading the videos."""
        self.extra |= {"STREAM_ACCOUNT_ID": "sandbox", "STREAM_API_TOKEN": secrets.token_hex(8)}
        self.ask("dynamic_api.commands", "captions", "upload")

    def start_service(self, *program: object) -> None:
        """Start the service, or another program that is one, and wait until it answers."""
        module, *arguments = program or ("dynamic_api.commands", "serve")
        self.launch("service", str(module), *arguments, "--port", self.port)
        self._wait("service", f"{self.own_url}/api/health")

    def wait_until_idle(self) -> None:
        """Wait until no job is due."""
        due = "SELECT count(*) FROM jobs WHERE state IN ('waiting', 'running') AND run_at <= ?"
        deadline = time.monotonic() + 30
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
            while connection.execute(due, (f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S.%f}",)).fetchone()[0]:
                if time.monotonic() > deadline:
                    raise StartFailed("The service does not get its jobs done.")
                time.sleep(0.02)

    def restart_service(self) -> None:
        """Stop the service, and start it again with the code as it is now."""
        self.stop_service()
        self.start_service()

    def stop_service(self) -> None:
        """Stop the service alone."""
        self._stop("service")

    def service_died(self) -> bool:
        """Whether the service ended by itself."""
        return self.processes["service"].poll() is not None

    def kill(self, name: str) -> None:
        """kill -9."""
        process = self.processes.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self) -> None:
        """Stop everything that was started, the service first."""
        for name in ("service", "sandbox"):
            self._stop(name)

    def _stop(self, name: str) -> None:
        process = self.processes.pop(name, None)
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()

    def environment(self) -> dict[str, str]:
        """The service's settings."""
        kept = json.loads(self._secrets_path.read_text()) if self._secrets_path.exists() else {}
        settings = {
            "SITE_URL": self.url,
            "DATABASE_URL": f"sqlite+aiosqlite:///{self.database}",
            "MANIFEST": str(self.folder / "catalog.json"),
            "OUTPUT": str(self.folder / "output"),
            "STRIPE_API_BASE": self.sandbox,
            "STRIPE_CHECKOUT_ORIGIN": self.sandbox,
            "STREAM_BASE_URL": f"{self.sandbox}/stream",
            "STREAM_SDK_URL": f"{self.sandbox}/stream/sdk.js",
            "STREAM_API_BASE": f"{self.sandbox}/client/v4",
            "FILES_DIR": str(self._files()),
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(self.smtp_port),
            "SMTP_SECURITY": "none",
            "MAIL_FROM": self._sender(),
            **kept,
            **self.extra,
        }
        ours = {f"COURSEWRIGHT_{name}": value for name, value in settings.items()}
        others = {name: value for name, value in os.environ.items() if not name.startswith("COURSEWRIGHT_")}
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        return {**others, **ours, "PYTHONPATH": path}

    def _files(self) -> Path:
        """The school's files to download, or an empty folder."""
        files = self.school.resolve() / "course_data" / "files"
        if not files.is_dir():
            files = self.folder / "files"
            files.mkdir(parents=True, exist_ok=True)
        return files

    def _sender(self) -> str:
        """The school, as its emails name it."""
        path = self.folder / "catalog.json"
        site = json.loads(path.read_text())["catalog"]["site"] if path.exists() else {}
        return formataddr((site.get("name", "School"), site.get("contact_email", "school@school.example")))

    def write_environment(self) -> None:
        """Write the settings to `environment`, for running commands on this installation by hand."""
        lines = [
            f"export {name}={shlex.quote(value)}\n"
            for name, value in self.environment().items()
            if name.startswith("COURSEWRIGHT_")
        ]
        descriptor = os.open(self.folder / "environment", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.writelines(lines)

    @property
    def _secrets_path(self) -> Path:
        return self.folder / "secrets.json"

    def _keep_secrets(self, client: httpx.Client) -> None:
        """Store what a creator would copy from the partners' dashboards."""
        endpoint = client.post(
            "/v1/webhook_endpoints",
            headers={"Authorization": "Bearer sk_test_sandbox", "Stripe-Version": API_VERSION},
            data={"url": f"{self.url}/webhooks/stripe"}
            | {f"enabled_events[{n}]": name for n, name in enumerate(sorted(HANDLED))},
        )
        key = client.post("/client/v4/accounts/sandbox/stream/keys").json()["result"]
        kept = {
            "SECRET_KEY": secrets.token_hex(32),
            "STRIPE_SECRET_KEY": "sk_test_sandbox",
            "STRIPE_WEBHOOK_SECRETS": endpoint.json()["secret"],
            "STREAM_KEY_ID": key["id"],
            "STREAM_KEY_PEM": key["pem"],
        }
        descriptor = os.open(self._secrets_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(kept, file)

    def _videos(self) -> dict[str, int]:
        """The videos of the sample catalogue, with their lengths."""
        videos: dict[str, int] = {}
        for course in json.loads((self.folder / "catalog.json").read_text())["catalog"]["courses"]:
            if course["intro_video"]:
                videos[course["intro_video"]["video"]] = course["intro_video"]["duration"]
            for module in course["modules"]:
                videos |= {lesson["video"]: lesson["duration"] for lesson in module["lessons"] if lesson["video"]}
        return videos

    def ask(self, module: str, *arguments: object) -> str:
        """Run a program of this installation; what it says. Raises StartFailed with its complaint."""
        command = [sys.executable, "-m", module, *map(str, arguments)]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment(), capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise StartFailed((done.stderr or done.stdout).strip())
        return done.stdout

    def launch(self, name: str, module: str, *arguments: object) -> None:
        """Start a program that goes on, with a log of its own."""
        command = [sys.executable, "-m", module, *map(str, arguments)]
        with (self.folder / f"{name}.log").open("ab") as log:
            # A session of its own: Ctrl-C reaches this program, which stops the others in order.
            self.processes[name] = subprocess.Popen(
                command, cwd=self.folder, env=self.environment(), stdout=log, stderr=log, start_new_session=True
            )

    def _wait(self, name: str, address: str) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.processes[name].poll() is not None:
                break
            with contextlib.suppress(httpx.HTTPError):
                if httpx.get(address, timeout=2).is_success:
                    return
            time.sleep(0.05)
        log = (self.folder / f"{name}.log").read_text(errors="replace").strip().splitlines()[-5:]
        raise StartFailed(f"The {name} did not start:\n" + "\n".join(log))
