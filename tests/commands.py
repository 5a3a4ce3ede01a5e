"""Runs programs as a person runs them: each in a process of its own, with its own settings, output and exit status.

The process is copied from one that has imported everything already, which saves more than a second each time.
"""

import asyncio
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import SecretStr

from dynamic_api.core.settings import Settings, variable
from scripts.installation import Installation, StartFailed

_ROOT = Path(__file__).resolve().parent.parent
_copies = multiprocessing.get_context("forkserver")
_copies.set_forkserver_preload(["pytest", "tests.imported_commands"])


def environment(settings: Settings) -> dict[str, str]:
    """These settings as a process gets them."""

    def text(value: object) -> str:
        if isinstance(value, tuple):
            return ",".join(text(each) for each in value)
        return value.get_secret_value() if isinstance(value, SecretStr) else str(value)

    values = {variable(name): getattr(settings, name) for name in Settings.model_fields}
    return {**os.environ, **{name: text(value) for name, value in values.items() if value is not None}}


async def run(settings: Settings, *arguments: str, status: int = 0) -> str:
    """What a command says: its answer, or why it refuses."""
    said, refused = await _run(environment(settings), arguments, status)
    return said or refused


async def run_loudly(settings: Settings, *arguments: str, status: int = 0) -> str:
    """Everything that a command says: its answer, and what it tells beside it."""
    return "".join(await _run(environment(settings), arguments, status))


async def _run(variables: Mapping[str, str], arguments: tuple[str, ...], status: int) -> tuple[str, str]:
    with TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        copy = Copy(("dynamic_api.commands", *arguments), variables, _ROOT, out, err)
        try:
            while copy.poll() is None:  # noqa: ASYNC110 - a process, which tells nobody that it ended
                await asyncio.sleep(0.005)
        finally:
            copy.send_signal(signal.SIGKILL)
            found = copy.wait()
        said, refused = out.read_text(), err.read_text()
    assert found == status, refused
    assert "Traceback" not in refused
    return said, refused


class Copy:
    """A program that runs in such a copy."""

    def __init__(
        self, command: tuple[str, ...], variables: Mapping[str, str], folder: Path, out: Path, err: Path
    ) -> None:
        self._process = _copies.Process(target=_become, args=(command, dict(variables), folder, out, err), daemon=True)
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        """The exit status; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """The exit status, once there is one."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return self._process.exitcode

    def send_signal(self, sig: int) -> None:
        """Send it a signal, if it still runs."""
        if self._process.exitcode is None:
            os.kill(self.pid, sig)


class QuickInstallation(Installation):
    """An installation whose programs are such copies. Those that start processes themselves are not."""

    def launch(self, name: str, module: str, *arguments: object) -> None:
        """Start a program that goes on, with a log of its own."""
        if "--workers" in arguments:
            super().launch(name, module, *arguments)
            return
        command = (module, *map(str, arguments))
        log = self.folder / f"{name}.log"
        self.processes[name] = Copy(command, self.environment(), self.folder, log, log)

    def ask(self, module: str, *arguments: object) -> str:
        """Run a program of this installation; what it says. Raises StartFailed with its complaint."""
        with TemporaryDirectory() as folder:
            out, err = Path(folder) / "out", Path(folder) / "err"
            status = Copy((module, *map(str, arguments)), self.environment(), self.folder, out, err).wait()
            if status:
                raise StartFailed((err.read_text() or out.read_text()).strip())
            return out.read_text()


def _become(command: tuple[str, ...], variables: dict[str, str], folder: Path, out: Path, err: Path) -> None:
    """In the copy: be a process that was just started, and run the program."""
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    for path, number in ((Path(os.devnull), 0), (out, 1), (err, 2)):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.argv = list(command)
    runpy.run_module(command[0], run_name="__main__", alter_sys=True)
