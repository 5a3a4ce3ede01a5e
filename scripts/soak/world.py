"""Everything that runs: partners, database, services, a worker, and a balancer before them. Each part can be killed."""

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from scripts.installation import Installation, StartFailed
from scripts.postgresql import PostgresqlServer, postgresql_server
from tests.ports import free_ports


@dataclass
class World:
    """One installation. `services` have a port each; visitors, phones and Stripe come through `front`."""

    installation: Installation
    services: dict[str, int]
    has_worker: bool
    postgresql: PostgresqlServer | None = None
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    cuts: bool = False  # whether the balancer hangs up in the middle of answers

    @property
    def clock(self) -> Path:
        """What moves the clocks of services and worker, in seconds."""
        return self.installation.folder / "clock"

    @property
    def log(self) -> Path:
        """What services and worker say."""
        return self.installation.folder / "soak.log"

    def names(self) -> list[str]:
        """Services, and the worker."""
        return [*self.services, *(["worker"] if self.has_worker else [])]

    def start(self, name: str) -> None:
        """Start a service or the worker, unless it runs."""
        if (process := self.processes.get(name)) is not None and process.poll() is None:
            return
        what = ["work"] if name == "worker" else ["serve", "--port", str(self.services[name])]
        command = [sys.executable, "-m", "scripts.soak.shifted", *what, "--clock", str(self.clock)]
        with self.log.open("ab") as log:
            self.processes[name] = subprocess.Popen(
                command,
                cwd=self.installation.folder,
                env=self.installation.environment() | {"COURSEWRIGHT_EMBEDDED_WORKER": str(not self.has_worker)},
                stdout=log,
                stderr=log,
            )

    def kill(self, name: str, how: signal.Signals) -> None:
        """Send a signal, and wait for the end where it ends something."""
        process = self.processes[name]
        if process.poll() is None:
            process.send_signal(how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(15)

    def heal(self) -> None:
        """Start what does not run."""
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            if self.postgresql is not None:
                self.postgresql.start()
        if "sandbox" not in self.installation.processes or self.installation.processes["sandbox"].poll() is not None:
            with contextlib.suppress(StartFailed):
                self.installation.start_sandbox()
        for name in self.names():
            self.start(name)

    def memory(self) -> dict[str, float]:
        """Megabytes that each process keeps."""
        found = {}
        for name, process in self.processes.items():
            with contextlib.suppress(OSError, IndexError, ValueError):
                status = Path(f"/proc/{process.pid}/status").read_text()
                found[name] = int(status.partition("VmRSS:")[2].split()[0]) / 1024
        return found

    async def balance(self) -> None:
        """Be the proxy before the services: try each until one takes the connection."""
        server = await asyncio.start_server(self._forward, "127.0.0.1", self.installation.port)
        async with server:
            await server.serve_forever()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for port in random.sample(list(self.services.values()), len(self.services)):
            with contextlib.suppress(OSError):
                upstream = await asyncio.open_connection("127.0.0.1", port)
                break
        else:
            writer.close()
            return
        cut = random.random() < 0.3 if self.cuts else False
        await asyncio.gather(
            _pump(reader, upstream[1], most=None), _pump(upstream[0], writer, most=60 if cut else None)
        )


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, most: int | None) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data if most is None else data[:most])
            await writer.drain()
            if most is not None:
                break
    except OSError:
        pass
    finally:
        with contextlib.suppress(OSError):
            writer.close()


@contextlib.contextmanager
def world(kind: str, folder: Path) -> Iterator[World]:
    """A school on SQLite with one service, or on PostgreSQL with two services and a worker."""
    front, sandbox, smtp, first, second, database = free_ports(6)
    installation = Installation(folder, front, sandbox, smtp, extra={"HEARTBEAT_SECONDS": "5"})
    services = {"first": first, "second": second} if kind == "postgresql" else {"first": first}
    made = World(installation, services, has_worker=kind == "postgresql")
    stack = contextlib.ExitStack()
    if kind == "postgresql":
        made.postgresql = stack.enter_context(postgresql_server(database))
        installation.extra["DATABASE_URL"] = made.postgresql.address()
    try:
        installation.build()
        installation.start_sandbox()
        installation.migrate()
        made.heal()
        yield made
    finally:
        for name in list(made.processes):
            made.kill(name, signal.SIGTERM)
            if made.processes[name].poll() is None:
                os.kill(made.processes[name].pid, signal.SIGKILL)
        installation.stop()
        stack.close()
