"""The service, as `scripts/coursewright serve` runs it, but dying by kill -9 at a commit of one's choice.

A file holds how many commits that write something it may still make; without the file it lives.
"""

import argparse
import os
import signal
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import uvicorn
from sqlalchemy import Connection, Engine, event

from dynamic_api.app import create_app
from dynamic_api.core.clock import utc_now
from dynamic_api.core.database import Database
from dynamic_api.core.inbox import Inbox
from dynamic_api.core.read_settings import load_settings
from dynamic_api.core.sqlite_writer import SqliteWriter
from dynamic_api.gateways import open_gateways
from dynamic_api.progress.sqlite_store import SqliteStore
from dynamic_api.progress.writer import ProgressWriter
from dynamic_api.service import Service
from dynamic_api.web import sessions

Answer = TypeVar("Answer")


@dataclass
class Fuse:
    """Burns at each commit that writes something; at its end the process is killed, before or after that commit."""

    file: Path
    dies_before: bool

    def burn(self) -> None:
        """One commit less to live."""
        if not self.file.exists():
            return
        left = int(self.file.read_text()) - 1
        draft = self.file.with_suffix(".new")
        draft.write_text(str(left))
        draft.replace(self.file)
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)


class FragileWriter(SqliteWriter):
    """Heartbeats and webhooks are committed here, on a connection that the engine does not know."""

    def __init__(self, database: Database, fuse: Fuse) -> None:
        super().__init__(database)
        self._fuse = fuse

    async def write(self, act: Callable[[sqlite3.Connection], Answer], *, rows: int) -> Answer:
        """As SqliteWriter's."""
        has_written = False

        def watched(connection: sqlite3.Connection) -> Answer:
            nonlocal has_written
            before = connection.total_changes
            answer = act(connection)
            has_written = connection.total_changes > before
            if has_written and self._fuse.dies_before:
                self._fuse.burn()
            return answer

        answer = await super().write(watched, rows=rows)
        if has_written and not self._fuse.dies_before:
            self._fuse.burn()
        return answer


def watch(engine: Engine, fuse: Fuse) -> None:
    """Burn the fuse at the engine's commits."""
    written: dict[int, int] = {}

    def on_begin(connection: Connection) -> None:
        written[id(connection)] = changes(connection)

    def on_commit(connection: Connection) -> None:
        if written.get(id(connection)) == changes(connection):
            return  # nothing was written: the worker looked for jobs, and there were none
        if fuse.dies_before:
            fuse.burn()
            return
        connection.exec_driver_sql("COMMIT")
        fuse.burn()
        connection.exec_driver_sql("BEGIN")

    event.listen(engine, "begin", on_begin)
    event.listen(engine, "commit", on_commit)


def changes(connection: Connection) -> int:
    """How many rows this connection has ever changed."""
    found: int = connection.exec_driver_sql("SELECT total_changes()").scalar_one()
    return found


def fragile(service: Service, fuse: Fuse) -> Service:
    """The same service, with every commit watched."""
    watch(service.database.engine.sync_engine, fuse)
    writer = FragileWriter(service.database, fuse)
    progress = ProgressWriter(SqliteStore(writer), session_lifetime=sessions.LIFETIME)
    return replace(service, writer=writer, progress=progress, inbox=Inbox(writer))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--fuse", type=Path, required=True)
    parser.add_argument("--moment", choices=["before", "after"], required=True)
    parser.add_argument("--later", type=int, required=True, help="seconds its clock is ahead: leases run out at once")
    options = parser.parse_args()
    settings = load_settings()
    app = create_app(settings, open_gateways(settings), clock=lambda: utc_now() + timedelta(seconds=options.later))
    app.service = fragile(app.service, Fuse(options.fuse, dies_before=options.moment == "before"))
    uvicorn.run(app, port=options.port, log_level="warning", access_log=False)
