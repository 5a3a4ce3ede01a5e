"""The service, as `scripts/coursewright serve` runs it, but dying by kill -9 at a commit of one's choice.

A file holds how many commits that write something it may still make; without the file it lives.
"""

import argparse
import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import uvicorn
from sqlalchemy import Connection, event

from dynamic_api.app import create_app
from dynamic_api.core.clock import utc_now
from dynamic_api.core.settings import load_settings
from dynamic_api.gateways import open_gateways


def arm(engine: Any, fuse: Path, moment: str) -> None:
    """Watch the engine's commits."""
    written: dict[int, int] = {}

    def burn() -> None:
        left = int(fuse.read_text()) - 1
        draft = fuse.with_suffix(".new")
        draft.write_text(str(left))
        draft.replace(fuse)
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def on_begin(connection: Connection) -> None:
        written[id(connection)] = changes(connection)

    def on_commit(connection: Connection) -> None:
        if not fuse.exists() or written.get(id(connection)) == changes(connection):
            return  # nothing was written: the worker looked for jobs, and there were none
        if moment == "after":
            connection.exec_driver_sql("COMMIT")
        burn()
        if moment == "after":
            connection.exec_driver_sql("BEGIN")

    event.listen(engine, "begin", on_begin)
    event.listen(engine, "commit", on_commit)


def changes(connection: Connection) -> int:
    """How many rows this connection has ever changed."""
    found: int = connection.exec_driver_sql("SELECT total_changes()").scalar_one()
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--fuse", type=Path, required=True)
    parser.add_argument("--moment", choices=["before", "after"], required=True)
    parser.add_argument("--later", type=int, required=True, help="seconds its clock is ahead: leases run out at once")
    options = parser.parse_args()
    settings = load_settings()
    app = create_app(settings, open_gateways(settings), clock=lambda: utc_now() + timedelta(seconds=options.later))
    arm(app.service.database.engine.sync_engine, options.fuse, options.moment)
    uvicorn.run(app, port=options.port, log_level="warning", access_log=False)
