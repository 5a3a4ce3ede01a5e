"""Whether a database has the schema that this version of the program works with."""

import functools
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, make_url

from dynamic_api.core.database import make_plain_engine
from dynamic_api.migrations import alembic_config

COPYING = "copying"  # stands for the revision in a database that is being filled
_UNFINISHED = "This database is an unfinished copy. Run “coursewright db copy” again: it goes on where it was."
_OLDER = (
    "The database has an older schema. Make a backup (“coursewright backup FILE”), then run “coursewright migrate”."
)
_EMPTY = "The database is empty. Run “coursewright migrate”."


class SchemaUnfit(Exception):
    """The database is not ready for this program; the message says what to run. `is_empty`: nothing is in it yet."""

    def __init__(self, message: str, *, is_empty: bool = False) -> None:
        super().__init__(message)
        self.is_empty = is_empty
        self.is_unfinished_copy = message == _UNFINISHED
        self.can_be_migrated = is_empty or message == _OLDER


async def check_schema(url: str) -> None:
    """Raises SchemaUnfit for a missing, empty, older, newer or foreign database. Creates and changes nothing."""
    parts = make_url(url)
    is_sqlite = parts.get_backend_name() == "sqlite"
    if is_sqlite and not Path(parts.database or "").exists():  # noqa: ASYNC240 - once, before anything runs
        raise SchemaUnfit(f"There is no database at {parts.database}. Run “coursewright migrate”.", is_empty=True)
    engine = make_plain_engine(url)
    try:
        async with engine.connect() as connection:
            problem = await connection.run_sync(lambda sync: _problem(sync, url))
    finally:
        await engine.dispose()
    if problem is not None:
        raise SchemaUnfit(problem, is_empty=problem == _EMPTY)


def _problem(connection: Connection, url: str) -> str | None:
    script = ScriptDirectory.from_config(alembic_config(url))
    current = MigrationContext.configure(connection).get_current_revision()
    if current == script.get_current_head():
        return None
    if current == COPYING:
        return _UNFINISHED
    if current is None:
        if inspect(connection).get_table_names():
            return "The database holds the tables of another program. Check COURSEWRIGHT_DATABASE_URL."
        return _EMPTY
    if current not in {each.revision for each in script.walk_revisions()}:
        return "The database was made by a newer version of Coursewright. Install that version, or restore a backup."
    return _OLDER


@functools.cache
def newest_schema() -> str | None:
    """The schema that this program works with."""
    return ScriptDirectory.from_config(alembic_config("sqlite://")).get_current_head()
