"""Counts the statements that a service sends to SQLite."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event

from dynamic_api.service import Service


@contextmanager
def statements(service: Service) -> Iterator[list[str]]:
    """Every statement on every connection of a service that is in use, except for BEGIN, COMMIT and PRAGMAs."""
    seen: list[str] = []

    def note(text: str) -> None:
        if not text.startswith(("BEGIN", "COMMIT", "PRAGMA", "--")):
            seen.append(text)

    def note_orm(_connection: Connection, _cursor: object, text: str, *_: Any) -> None:
        note(text)

    connections: list[sqlite3.Connection | None] = [
        service.reader._connection,  # type: ignore[union-attr]
        service.writer._connection,  # type: ignore[union-attr]
    ]
    for each in filter(None, connections):
        each.set_trace_callback(note)
    event.listen(service.database.engine.sync_engine, "before_cursor_execute", note_orm)
    try:
        yield seen
    finally:
        event.remove(service.database.engine.sync_engine, "before_cursor_execute", note_orm)
        for each in filter(None, connections):
            each.set_trace_callback(None)
