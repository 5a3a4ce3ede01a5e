"""Runs commands as a person runs them: each in a process of its own, with its own settings, output and exit status.

The process is copied from one that has imported the program already, which saves a second of every command.
"""

import asyncio
import multiprocessing
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import SecretStr

from dynamic_api.core.settings import Settings, variable

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
        process = _copies.Process(target=_command, args=(arguments, dict(variables), out, err))
        process.start()
        try:
            while process.is_alive():  # noqa: ASYNC110 - a process, which tells nobody that it ended
                await asyncio.sleep(0.005)
        finally:
            process.kill()
            process.join()
        said, refused = out.read_text(), err.read_text()
    assert process.exitcode == status, refused
    assert "Traceback" not in refused
    return said, refused


def _command(arguments: tuple[str, ...], variables: dict[str, str], out: Path, err: Path) -> None:
    """In the copy: become a process that was just started, and run the command."""
    from dynamic_api.commands.__main__ import main

    os.chdir(_ROOT)
    os.environ.clear()
    os.environ.update(variables)
    for path, number in ((Path(os.devnull), 0), (out, 1), (err, 2)):
        opened = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.argv = ["coursewright", *arguments]
    main()
