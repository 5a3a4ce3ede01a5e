"""A PostgreSQL server that can be stopped and started, with TCP and TLS: for tests and for the soak.

The programs are the system's. As root they run as the user of the system's package: PostgreSQL refuses to be root.
"""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from scripts.certificate import self_signed

USER = "postgres"


def programs() -> Path | None:
    """The folder of the newest `initdb` and `pg_ctl` of the system; None where there is no server."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    found = [folder for folder in folders if (folder / "initdb").exists()]
    if found:
        return found[-1]
    elsewhere = shutil.which("initdb")
    return Path(elsewhere).resolve().parent if elsewhere else None


@contextlib.contextmanager
def postgresql_server(port: int, *, connections: int = 100) -> Iterator["PostgresqlServer"]:
    """A server in this block, in a folder of its own that its user can reach. Raises FileNotFoundError."""
    with tempfile.TemporaryDirectory(prefix="coursewright-postgresql-") as name:
        server = PostgresqlServer(Path(name), port, connections)
        server.create()
        try:
            yield server
        finally:
            with contextlib.suppress(subprocess.CalledProcessError):  # it may be stopped already
                server.stop("immediate")


@dataclass
class PostgresqlServer:
    """A server of its own in `folder`. Its socket is `.s.PGSQL.PORT` there; the certificate is for `localhost`."""

    folder: Path
    port: int
    connections: int = 100

    @property
    def certificate(self) -> Path:
        """What a client trusts."""
        return self.folder / "server.crt"

    def address(self, name: str = "postgres", **query: object) -> str:
        """A database of it over TCP, as a setting."""
        options = "".join(f"{'&' if number else '?'}{key}={value}" for number, (key, value) in enumerate(query.items()))
        return f"postgresql+asyncpg://postgres@localhost:{self.port}/{name}{options}"

    def create(self) -> None:
        """Make an empty one, and start it."""
        if os.geteuid() == 0:
            shutil.chown(self.folder, USER)
        self._run("initdb", "--auth=trust", "--encoding=utf8", "--no-sync", "-U", "postgres")
        self._certify()
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = {
            "listen_addresses": "localhost",
            "port": self.port,
            "unix_socket_directories": self.folder,
            "max_connections": self.connections,
            "ssl": "on",
            "ssl_cert_file": self.folder / "server.crt",
            "ssl_key_file": self.folder / "server.key",
        }
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        self._run("pg_ctl", "-w", "-l", str(self.folder / "data" / "log"), "-o", options, "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it: `fast` ends every connection, `immediate` is like a power cut."""
        self._run("pg_ctl", "-w", "-m", mode, "stop")

    def _run(self, program: str, *arguments: str) -> None:
        folder = programs()
        if folder is None:
            raise FileNotFoundError("PostgreSQL is not installed")
        subprocess.run(
            [folder / program, "-D", self.folder / "data", *arguments],
            cwd=self.folder,
            user=USER if os.geteuid() == 0 else None,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # a server would keep a pipe open
            stderr=subprocess.DEVNULL,
            check=True,
        )

    def _certify(self) -> None:
        certificate, key = self_signed()
        self.certificate.write_bytes(certificate)
        secret = self.folder / "server.key"
        secret.write_bytes(key)
        secret.chmod(0o600)
        if os.geteuid() == 0:
            shutil.chown(secret, USER)
